package scale_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// program is a build of the program that says at its end what it allocated.
type program struct {
	name    string // of the column
	path    string
	environ []string // of the image
}

// Names of programs.
const (
	baseline = "before"
	after    = "after"
)

// repository is the folder of the program.
const repository = "../.."

// has reports whether the history holds a commit.
func has(commit string) bool {
	return exec.Command("git", "-C", repository, "cat-file", "-e", commit+"^{commit}").Run() == nil
}

// buildCommit builds the program as it was at a commit.
func buildCommit(b *testing.B, commit string) program {
	b.Helper()
	folder := b.TempDir()
	archive, err := exec.Command("git", "-C", repository, "archive", "--format=tar", commit).Output()
	if err != nil {
		b.Fatalf("git archive %s: %v", commit, err)
	}
	if err := extract(archive, folder); err != nil {
		b.Fatalf("git archive %s: %v", commit, err)
	}
	return build(b, baseline, folder)
}

// extract writes the regular files of an archive.
func extract(archive []byte, folder string) error {
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case header.Typeflag != tar.TypeReg:
			continue
		}
		if !filepath.IsLocal(header.Name) {
			return fmt.Errorf("%q is not below the folder", header.Name)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		name := filepath.Join(folder, header.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, text, 0o600); err != nil {
			return err
		}
	}
}

// imageVariable is a line of the Dockerfile that sets a variable of the running program.
var imageVariable = regexp.MustCompile(`(?m)^ENV (\w+=\S+)$`)

// build builds the program of a folder as the image does, but for its end: see testdata.
func build(b *testing.B, name, folder string) program {
	b.Helper()
	p := program{name: name, path: filepath.Join(b.TempDir(), "program")}
	file := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		return string(text)
	}
	for _, found := range imageVariable.FindAllStringSubmatch(file(filepath.Join(folder, "Dockerfile")), -1) {
		p.environ = append(p.environ, found[1])
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		b.Fatal(err)
	}
	source := strings.ReplaceAll(file(filepath.Join(folder, "main.go")), "os.Exit(", "exitMeasured(")
	if !strings.Contains(source, "exitMeasured(") {
		b.Fatalf("main.go of %s does not end with os.Exit", name)
	}
	extra := map[string]string{"main.go": source, "probe.go": file("testdata/probe.go"), "profile.go": file("testdata/noprofile.go")}
	if *profiles != "" {
		extra["profile.go"] = file("testdata/profile.go")
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for at, text := range extra {
		instead := filepath.Join(b.TempDir(), at)
		if err := os.WriteFile(instead, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		overlay.Replace[filepath.Join(folder, at)] = instead
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		b.Fatal(err)
	}
	list := filepath.Join(b.TempDir(), "overlay.json")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-overlay", list, "-o", p.path, ".")
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return p
}

// summarize prints where the time of each run went, what allocated most, and what was held.
// The profiles stay in the folder of -profile.
func summarize(b *testing.B) {
	b.Helper()
	for _, kind := range []struct{ ending, sample string }{{"cpu", "cpu"}, {"allocs", "alloc_objects"}, {"heap", "inuse_space"}} {
		files, err := filepath.Glob(filepath.Join(*profiles, "*."+kind.ending))
		if err != nil {
			b.Fatal(err)
		}
		for _, file := range files {
			out, err := exec.Command("go", "tool", "pprof", "-top", "-nodecount=15", "-sample_index="+kind.sample, file).Output()
			if err != nil {
				b.Errorf("go tool pprof of %s: %v", file, err)
			}
			fmt.Printf("\n%s\n%s", file, out)
		}
	}
}
