package app_test

import (
	"cmp"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// newest returns the version of the newest entry of the changelog, without v.
func newest(t *testing.T) string {
	t.Helper()
	entry := regexp.MustCompile(`(?m)^## (\S+)`).FindStringSubmatch(readRoot(t, "CHANGELOG.md"))
	if entry == nil || !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(entry[1]) {
		t.Fatalf("CHANGELOG.md: the newest entry has no version as its heading: %q", entry)
	}
	return entry[1]
}

// What people paste names the version that the changelog ends with: a tag makes it true.
func TestOneVersion(t *testing.T) {
	t.Parallel()
	want := newest(t)
	named := regexp.MustCompile(`port-bitbucket-exporter(?:@v|:|/v|/tree/v|/blob/v)(\d+\.\d+\.\d+)|--branch v(\d+\.\d+\.\d+)`)
	count := 0
	look := func(name string) {
		for _, found := range named.FindAllStringSubmatch(readRoot(t, name), -1) {
			count++
			if got := found[1] + found[2]; got != want {
				t.Errorf("%s: got %q, want version %s, that of the newest entry of CHANGELOG.md", name, found[0], want)
			}
		}
	}
	for _, name := range []string{"README.md", "action.yml", "pipe.yml", "Dockerfile"} {
		look(name)
	}
	err := fs.WalkDir(os.DirFS(root), "examples", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			look(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 10 {
		t.Errorf("got %d places that name a version, want at least 10: is the pattern wrong?", count)
	}
}

// A tag becomes a release only where its first job finds nothing that would stop the second.
func TestReady(t *testing.T) {
	t.Parallel()
	version := newest(t)
	replace := func(name, old, by string) func(*testing.T, string) {
		return func(t *testing.T, folder string) {
			was := readFile(t, filepath.Join(folder, name))
			if !strings.Contains(was, old) {
				t.Fatalf("%s has no %q", name, old)
			}
			write(t, filepath.Join(folder, name), strings.ReplaceAll(was, old, by))
		}
	}
	for _, tt := range []struct {
		name, tag, repository, visibility string
		change                            func(t *testing.T, folder string)
		want                              string // in what it prints; empty when it is ready
	}{
		{name: "ready", want: ""},
		{name: "the placeholder in a page", change: replace("examples/cron.sh", "ghcr.io/", "ghcr.io/your-account/"), want: "examples/cron.sh:"},
		{name: "the placeholder of an address", change: replace("pipe.yml", "  email: ", "  email: support@example.com # "), want: "run .ci/account"},
		{name: "another account", repository: "else/port-bitbucket-exporter", want: "no line with uses: else/port-bitbucket-exporter@v" + version},
		{name: "another registry", change: replace("README.md", "docker://ghcr.io/", "docker://docker.io/"), want: "no line with docker://ghcr.io/"},
		{name: "another version", tag: "v99.0.0", want: "the newest entry of CHANGELOG.md is " + version},
		{name: "pinned already", change: replace("action.yml", "  image: Dockerfile", "  image: docker://ghcr.io/x@sha256:1"), want: "names an image already"},
		{name: "private", visibility: "private", want: "must be public"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			folder := published(t)
			readme := readFile(t, filepath.Join(folder, "README.md"))
			repository := regexp.MustCompile(`uses: ([\w.-]+/port-bitbucket-exporter)@`).FindStringSubmatch(readme)[1]
			if tt.change != nil {
				tt.change(t, folder)
			}
			got, err := script(t, folder, []string{"VISIBILITY=" + cmp.Or(tt.visibility, "public")},
				".ci/ready", cmp.Or(tt.tag, "v"+version), cmp.Or(tt.repository, repository))
			if (err == nil) != (tt.want == "") || !strings.Contains(got, tt.want) || err == nil && got != "" {
				t.Errorf("got %v and %q, want %q", err, got, tt.want)
			}
		})
	}
}

// published lays out what .ci/ready reads, with an account in place of the placeholder.
func published(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{".ci/account", ".ci/ready", ".ci/release", "README.md", "CHANGELOG.md", "action.yml", "pipe.yml", "examples/cron.sh", "examples/memory.md"} {
		write(t, filepath.Join(folder, name), readRoot(t, name))
	}
	if out, err := script(t, folder, nil, ".ci/account", "Acme-Inc", "me@acme.example"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return folder
}

// No sentence of a published repository tells of a placeholder that is not there any more.
func TestAccount(t *testing.T) {
	t.Parallel()
	folder := published(t)
	for _, name := range []string{"README.md", "pipe.yml", "examples/memory.md"} {
		text := readFile(t, filepath.Join(folder, name))
		for _, gone := range []string{"the account that publishes", "While nobody has published", "placeholder", "your-account"} {
			if strings.Contains(text, gone) {
				t.Errorf("%s: tells of %q", name, gone)
			}
		}
	}
	if text := readFile(t, filepath.Join(folder, "examples/memory.md")); !strings.Contains(text, "Replace `acme`,") {
		t.Error("examples/memory.md does not say what to replace")
	}
	if text := readFile(t, filepath.Join(folder, "README.md")); !strings.Contains(text, "In each example replace `acme` by your workspace") {
		t.Error("README.md does not say what to replace")
	}
	for _, bad := range [][]string{{}, {"Acme"}, {"a/b", "me@acme.example"}, {"Acme", "me|p@acme.example"}} {
		if out, err := script(t, folder, nil, ".ci/account", bad...); err == nil {
			t.Errorf("%q: got %q, want a refusal", bad, out)
		}
	}
}

// The tags of a version lead to a commit of their own, that of a newer version stay where they are,
// and a second run of the same job changes nothing.
func TestPoint(t *testing.T) {
	t.Parallel()
	work, remote := t.TempDir(), t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		out, err := script(t, work, nil, "git", args...)
		if err != nil {
			t.Fatalf("git %s: %v: %s", args, err, out)
		}
		return strings.TrimSpace(out)
	}
	for _, name := range []string{".ci/pin", ".ci/tags", ".ci/point", "action.yml"} {
		write(t, filepath.Join(work, name), readRoot(t, name))
	}
	git("init", "--quiet", "--bare", remote)
	git("init", "--quiet")
	git("add", ".")
	image := "ghcr.io/acme/port-bitbucket-exporter@sha256:" + strings.Repeat("0a", 32)
	commits := map[string]string{} // by version: the one that is tagged by hand
	last := ""
	release := func(version string) {
		t.Helper()
		if commits[version] == "" {
			if last != "" {
				git("checkout", "--quiet", last)
			}
			git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--allow-empty", "--message", version)
			last = git("rev-parse", "HEAD")
			commits[version] = last
			git("push", "--quiet", remote, "HEAD:refs/tags/"+version)
		}
		git("fetch", "--quiet", "--force", remote, "refs/tags/*:refs/tags/*")
		git("checkout", "--quiet", commits[version])
		if out, err := script(t, work, nil, ".ci/point", version, image, remote); err != nil {
			t.Fatalf("%s: %v: %s", version, err, out)
		}
	}
	where := func() map[string]string {
		t.Helper()
		got := map[string]string{}
		for line := range strings.Lines(git("ls-remote", remote)) {
			commit, name, _ := strings.Cut(strings.TrimSpace(line), "\trefs/tags/")
			git("fetch", "--quiet", remote, commit)
			parent := git("rev-parse", commit+"^")
			for version, tagged := range commits {
				if parent == tagged {
					got[name] = version
				}
			}
			if changed := git("diff", "--name-only", parent, commit); changed != "action.yml" {
				t.Errorf("%s: got %q changed, want action.yml alone", name, changed)
			}
			if action := git("show", commit+":action.yml"); !strings.HasSuffix(action, "\n  image: docker://"+image) {
				t.Errorf("%s: does not name the image", name)
			}
		}
		return got
	}
	want := map[string]string{}
	for _, tt := range []struct{ version, takes string }{
		{"v1.9.0", "v1.9 v1"},
		{"v1.10.0", "v1.10 v1"}, // and ten is more than nine
		{"v1.9.1", "v1.9"},      // a patch of an old line
		{"v2.0.0", "v2.0 v2"},
		{"v1.10.1", "v1.10 v1"},
	} {
		release(tt.version)
		want[tt.version] = tt.version
		for name := range strings.FieldsSeq(tt.takes) {
			want[name] = tt.version
		}
		if got := where(); !maps.Equal(got, want) {
			t.Errorf("after %s: got %v, want %v", tt.version, got, want)
		}
		before := git("ls-remote", remote)
		release(tt.version)
		if after := git("ls-remote", remote); after != before {
			t.Errorf("%s again: got\n%s\nwant\n%s", tt.version, after, before)
		}
	}
	for _, bad := range []string{"v1.2", "v1.2.3-rc.1", "1.2.3"} {
		if out, err := script(t, work, nil, ".ci/tags", bad); err == nil {
			t.Errorf(".ci/tags %s: got %q, want a refusal", bad, out)
		}
	}
}

// script runs a program in a folder, with git's settings of nobody, and returns all it prints.
func script(t *testing.T, folder string, env []string, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = folder
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1"}, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// write writes a file, with its folders; it may be run.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
