package gitwiretest_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// git runs git without any configuration of the machine's.
func git(t *testing.T, dir string, stdin []byte, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed: what real git makes of the emulator is not tried")
	}
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(stdin)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, stderr.String())
	}
	return string(out)
}

// sample is a repository with all kinds of files, two commits, a branch and a tag. tip is its head.
func sample() (r *gitwiretest.Repository, tip gitwiretest.Hash, files map[string]gitwiretest.File) {
	r = gitwiretest.NewRepository()
	files = map[string]gitwiretest.File{
		"README.md":        {Content: "# R\n"},
		"a.b":              {Content: "between a and a/"},
		"a/b/c.txt":        {Content: "c"},
		"a0":               {Content: "behind a/"},
		"bin/run":          {Mode: gitwiretest.Executable, Content: "#!/bin/sh\n"},
		"docs":             {Mode: gitwiretest.Link, Content: "a/b"},
		"vendor/lib":       {Mode: gitwiretest.Submodule, Content: strings.Repeat("ab", 20)},
		"empty":            {},
		"übung/große.json": {Content: "{}"},
	}
	for i := range 40 {
		files[fmt.Sprintf("svc/%02d/port.yml", i)] = gitwiretest.File{Content: strings.Repeat("some: text\n", 400) + fmt.Sprint("id: ", i, "\n")}
	}
	first := r.Commit(gitwiretest.Commit{Files: files, Message: "First"})
	files["README.md"] = gitwiretest.File{Content: "# R 2\n"}
	tip = r.Commit(gitwiretest.Commit{Files: files, Message: "Second", Parents: []gitwiretest.Hash{first}})
	r.SetRef("refs/heads/main", tip)
	r.SetRef("refs/heads/feature/x", first)
	return r, tip, files
}

// lsTree is what git says of the files of a commit.
func lsTree(t *testing.T, dir, of string) []string {
	t.Helper()
	return strings.Split(strings.TrimSuffix(git(t, dir, nil, "ls-tree", "-r", "-z", of), "\x00"), "\x00")
}

func wantTree(files map[string]gitwiretest.File) []string {
	var lines []string
	for path, f := range files {
		mode, kind, hash := f.Mode, "blob", gitwiretest.HashOf(gitwiretest.KindBlob, f.Content).String()
		if mode == 0 {
			mode = gitwiretest.Plain
		}
		if mode == gitwiretest.Submodule {
			kind, hash = "commit", f.Content
		}
		lines = append(lines, fmt.Sprintf("%06o %s %s\t%s", uint32(mode), kind, hash, path))
	}
	return lines
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// Real git clones, checks and reads what the server sends.
func TestClone(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options gitwiretest.Options
		args    []string
	}{
		{"all", gitwiretest.Options{}, nil},
		{"depth 1", gitwiretest.Options{}, []string{"--depth=1"}},
		{"no filter", gitwiretest.Options{NoFilter: true}, []string{"--depth=1"}},
		{"ofs deltas", gitwiretest.Options{Deltas: gitwiretest.OfsDeltas}, nil},
		{"small packets", gitwiretest.Options{PacketSize: 1, KeepAlive: true, Progress: true}, []string{"--depth=1"}},
		{"service line", gitwiretest.Options{ServiceLine: true}, nil},
		{"blobless", gitwiretest.Options{Deltas: gitwiretest.OfsDeltas}, []string{"--filter=blob:none"}},
		{"treeless", gitwiretest.Options{}, []string{"--filter=tree:0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, tip, files := sample()
			r.Tag("v1", tip)
			s := gitwiretest.NewServer(r, tt.options)
			h := httptest.NewServer(s)
			t.Cleanup(h.Close)
			dir := t.TempDir()
			clone := append([]string{"-c", "protocol.version=2", "clone", "-q"}, tt.args...)
			git(t, dir, nil, append(clone, h.URL+"/acme/r.git", "r")...)
			dir = filepath.Join(dir, "r")
			if got := strings.TrimSpace(git(t, dir, nil, "rev-parse", "HEAD")); got != tip.String() {
				t.Errorf("HEAD: got %s, want %s", got, tip)
			}
			same(t, lsTree(t, dir, "HEAD"), wantTree(files))
			git(t, dir, nil, "fsck", "--strict")
			if text, err := os.ReadFile(filepath.Join(dir, "README.md")); err != nil || string(text) != files["README.md"].Content {
				t.Errorf("README.md: %q, %v", text, err)
			}
			if v := s.Violations(); len(v) > 0 {
				t.Errorf("violations: %q", v)
			}
		})
	}
}

// packIn is the pack of an answer to a fetch.
func packIn(t *testing.T, answer string) []byte {
	t.Helper()
	_, rest, ok := strings.Cut(answer, "packfile\n")
	if !ok {
		t.Fatalf("no pack in %.100q", answer)
	}
	var pack []byte
	for rest != "0000" {
		n, err := strconv.ParseUint(rest[:4], 16, 16)
		if err != nil || rest[4] > 2 {
			t.Fatalf("no packet of the bands 1 and 2: %.100q", rest)
		}
		if rest[4] == 1 {
			pack = append(pack, rest[5:n]...)
		}
		rest = rest[n:]
	}
	return pack
}

// Real git takes each pack, in any order and with any deltas, and finds deltas where there are to be some.
func TestPacks(t *testing.T) {
	t.Parallel()
	r, tip, _ := sample()
	dir := t.TempDir()
	git(t, dir, nil, "init", "-q", "--bare", ".")
	for _, o := range []gitwiretest.Options{
		{},
		{Deltas: gitwiretest.OfsDeltas},
		{Deltas: gitwiretest.RefDeltas},
		{Deltas: gitwiretest.RefDeltasFirst},
		{Deltas: gitwiretest.OfsDeltas, Order: gitwiretest.TreesFirst},
		{Deltas: gitwiretest.OfsDeltas, Order: gitwiretest.TreesLast},
		{Deltas: gitwiretest.OfsDeltas, Order: gitwiretest.Reversed},
	} {
		_, answer := do(gitwiretest.NewServer(r, o), post(lines("command=fetch", agent, format, "0001", "want "+tip.String(), "ofs-delta", "done", "0000")))
		sum := strings.TrimPrefix(strings.TrimSpace(git(t, dir, packIn(t, answer), "index-pack", "--strict", "--stdin")), "pack\t")
		chains := strings.Count(git(t, dir, nil, "verify-pack", "-s", "objects/pack/pack-"+sum+".idx"), "chain length")
		if (chains > 0) != (o.Deltas != gitwiretest.NoDeltas) {
			t.Errorf("order %d, deltas %d: %d lengths of chains", o.Order, o.Deltas, chains)
		}
	}
}

// A fetch of a later commit sends only what changed, and thin packs are told from what the client has.
func TestFetchMore(t *testing.T) {
	t.Parallel()
	for _, shallow := range []bool{false, true} {
		t.Run(fmt.Sprint("shallow ", shallow), func(t *testing.T) {
			t.Parallel()
			r, tip, files := sample()
			s := gitwiretest.NewServer(r, gitwiretest.Options{Deltas: gitwiretest.OfsDeltas})
			h := httptest.NewServer(s)
			t.Cleanup(h.Close)
			dir := t.TempDir()
			var depth []string
			if shallow {
				depth = []string{"--depth=1"}
			}
			git(t, dir, nil, append(append([]string{"clone", "-q"}, depth...), h.URL+"/acme/r.git", ".")...)
			f := files["svc/07/port.yml"]
			f.Content += "more: yes\n"
			files["svc/07/port.yml"] = f
			next := r.Commit(gitwiretest.Commit{Files: files, Message: "Third", Parents: []gitwiretest.Hash{tip}})
			r.SetRef("refs/heads/main", next)
			git(t, dir, nil, append(append([]string{"fetch", "-q"}, depth...), "origin")...)
			same(t, lsTree(t, dir, next.String()), wantTree(files))
			if shallow {
				git(t, dir, nil, "fetch", "-q", "--unshallow", "origin")
			}
			if got := strings.TrimSpace(git(t, dir, nil, "rev-list", "--count", next.String())); got != "3" {
				t.Errorf("commits: got %s, want 3", got)
			}
			git(t, dir, nil, "fsck", "--strict")
			commands := s.Commands()
			if last := commands[len(commands)-1]; len(last.Haves) == 0 || !slices.Equal(last.Wants, []string{next.String()}) {
				t.Errorf("the last command: %+v", last)
			}
			if v := s.Violations(); len(v) > 0 {
				t.Errorf("violations: %q", v)
			}
		})
	}
}

// An empty repository is cloned, and says which branch HEAD is to be.
func TestCloneEmpty(t *testing.T) {
	t.Parallel()
	r := gitwiretest.NewRepository()
	r.SetHead("refs/heads/trunk")
	s := gitwiretest.NewServer(r, gitwiretest.Options{})
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	dir := t.TempDir()
	git(t, dir, nil, "clone", "-q", h.URL+"/acme/r.git", ".")
	if got := strings.TrimSpace(git(t, dir, nil, "symbolic-ref", "HEAD")); got != "refs/heads/trunk" {
		t.Errorf("HEAD: got %q", got)
	}
	if v := s.Violations(); len(v) > 0 {
		t.Errorf("violations: %q", v)
	}
}
