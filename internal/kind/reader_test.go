package kind_test

import (
	cmpor "cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/transport"
)

// overGit is a world whose folders and files are read over git.
func overGit(t testing.TB, s *bitbuckettest.Server, o kind.Options) world {
	t.Helper()
	s.AllowToken("good", bitbuckettest.Access{Limit: -1, GitLimit: -1})
	rate := transport.Rate{N: 60_000, Window: time.Hour}
	c, err := bitbucket.New(bitbucket.Config{
		BaseURL: "https://bitbucket.test/2.0", Workspace: "acme", CredentialKind: "workspace access token",
		Credentials: []transport.Credential{{
			Authorize:    func(r *http.Request) { r.Header.Set("Authorization", "Bearer good") },
			AuthorizeGit: func(r *http.Request) { r.SetBasicAuth("x-token-auth", "good") },
		}},
		Git:  bitbucket.GitConfig{BaseURL: "https://git.test", Rate: rate},
		Rate: rate, Concurrency: 4, Transport: s.RoundTripper(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := world{TB: t, s: s, client: c}
	o.TempDir = t.TempDir()
	w.ws = w.workspace(o)
	return w
}

// requests are those since the last call: how many of the git host, and which others.
func (w world) requests() (git int, rest string) {
	var others []string
	for _, x := range w.s.Journal() {
		if x.Git {
			git++
		} else {
			others = append(others, cmpor.Or(strings.TrimPrefix(x.Path, "/2.0/repositories/acme"), "list"))
		}
	}
	w.s.ResetJournal()
	if got := w.s.Violations(); len(got) > 0 {
		w.Errorf("violations: got %q, want none", got)
	}
	return git, strings.Join(others, " ")
}

// readings is all that an extraction gives, but for functions.
type readings struct {
	Found  []kind.Found
	Errors []string
}

func (w world) readings(bound kind.Bound) (all readings) {
	w.Helper()
	for task, err := range bound.Extract(w.Context(), w.ws) {
		if err != nil {
			w.Fatal(err)
		}
		for found, err := range task.Run(w.Context()) {
			var warning *kind.Warning
			switch {
			case errors.As(err, &warning):
				all.Errors = append(all.Errors, fmt.Sprintf("%+v", *warning))
			case err != nil:
				all.Errors = append(all.Errors, fmt.Sprintf("%T: %v; %s", err, err, kind.Fix(err)))
			default:
				found.Read = nil
				all.Found = append(all.Found, found)
			}
		}
	}
	return all
}

// withoutMIMEType leaves out what git cannot give.
func (r readings) withoutMIMEType() readings {
	for _, found := range r.Found {
		for _, object := range []kind.Object{found.Object, found.Older} {
			if metadata, ok := object["metadata"].(kind.Object); ok {
				metadata["mimetype"] = nil
			}
		}
	}
	return r
}

// onlyFallback fails unless git read all repositories but one, of which the reason is known;
// an empty one is for none.
func (w world) onlyFallback(slug, reason string) {
	w.Helper()
	for _, f := range w.ws.Readings().Fallbacks {
		if f.Repository != slug || f.Reason != reason {
			w.Errorf("REST instead: got %q for %q, want %q for %q alone", f.Reason, f.Repository, reason, slug)
		}
	}
	if w.ws.Readings().Git == 0 {
		w.Error("got no repository that git read")
	}
}

// everySort has a repository of each sort that is read in its own way.
func everySort() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	add := func(name string, files map[string]string) {
		s.AddRepository(bitbuckettest.Repository{Name: name, Files: files})
	}
	add("plain", map[string]string{
		"README.md": "# Plain", "CODEOWNERS": "* @a", "port.yml": "a: 1", "apps/web/README.md": "# Web", "apps/web/port.yml": "b: 2",
		"apps/api/port.yml": "c: [", "apps/api/src/main.go": "package main", "docs/x.json": `{"x": 1, "x": 2}`, "empty": "",
	})
	s.AddBranch("plain", "release/1.x")
	s.SetFile("plain", "apps/new/port.yml", []byte("n: 1"))
	add("no files", nil)
	s.AddRepository(bitbuckettest.Repository{Name: "trunk", MainBranch: "trunk", Files: map[string]string{"port.yml": "t: 1", "README.md": "# Trunk"}})
	add("links", map[string]string{
		"README.md": "docs/README.md", "docs/README.md": "# Docs", "CODEOWNERS": "none", "port.yml": "docs/port.yml", "docs/port.yml": "l: 1",
		"one": "two", "two": "three", "three": "docs/../README.md", "around": "around", "out": "../out", "top": "/etc/passwd", "dir": "docs", "root": ".", "up": "docs/..",
		"apps/web/README.md": "../../docs/README.md",
	})
	for _, link := range []string{"README.md", "CODEOWNERS", "port.yml", "one", "two", "three", "around", "out", "top", "dir", "root", "up", "apps/web/README.md"} {
		s.SetAttributes("links", link, "link")
	}
	add("no links", map[string]string{"README.md": "docs/README.md", "docs/README.md": "# Docs", "one": "two"})
	add("odd", map[string]string{
		"run.sh": "#!/bin/sh", "lib": strings.Repeat("ab", 20), "lib2/port.yml": "x: 1", "big.bin": "large", "nul.yml": "a\x00b", "latin.yml": "a: caf\xe9",
		"large.txt": strings.Repeat("x", 1<<20+1), "full.txt": strings.Repeat("x", 1<<20), "README.md": "large too",
		"large.bin": "\x00" + strings.Repeat("x", 1<<20),
	})
	s.SetAttributes("odd", "run.sh", "executable")
	s.SetAttributes("odd", "lib", "subrepository")
	s.SetAttributes("odd", "big.bin", "lfs")
	s.SetAttributes("odd", "README.md", "lfs")
	s.SetAttributes("odd", "nul.yml", "binary")
	s.SetAttributes("odd", "large.bin", "binary")
	deep := strings.Repeat("d/", 25)
	add("deep", map[string]string{deep + "port.yml": "d: 1", deep + "e/README.md": "# Deep", "d/port.yml": "d: 2"})
	names := map[string]string{}
	for _, n := range []string{"a b", "c#d", "e?f", "100%", `q"'q`, "🚀", "[x]", `back\slash`, "per%2Fcent", "+plus", "a;b=c&d"} {
		names[n+"/port.yml"], names[n+"/README.md"] = "of: "+fmt.Sprintf("%q", n), "# of "+n
	}
	add("names", names)
	add("lines", map[string]string{"two\nlines/port.yml": "l: 1", "port.yml": "l: 2"})
	add("renamed", map[string]string{"port.yml": "r: 1", "README.md": "# Renamed"})
	add("references", map[string]string{"port.yml": "readme: file://docs/a.md\nnone: file://none\nlfs: file://b.bin", "docs/a.md": "# A", "b.bin": "b"})
	s.SetAttributes("references", "b.bin", "lfs")
	return s
}

// Nothing that an extraction gives depends on what reads folders and files.
func TestReaders(t *testing.T) {
	for i, tt := range []struct{ kind, selector string }{
		{"repository", "includedFiles: [README.md]"},
		{"repository", "includedFiles: [root, up]"},
		{"repository", "includedFiles: [README.md, CODEOWNERS, port.yml, docs/README.md, apps/web/README.md]"},
		{"repository", "includedFiles: [one, two, three, around, out, top, dir, root, up, empty, lib, nul.yml, latin.yml, large.txt, full.txt, docs]"},
		{"folder", "folders: [{path: ''}, {path: '*'}], includedFiles: [README.md, port.yml]"},
		{"folder", "folders: [{path: 'apps/*'}, {path: '*/web'}], includedFiles: [README.md]"},
		{"folder", "folders: [{path: '**'}]"},
		{"folder", "folders: [{path: '**/d/e'}], includedFiles: [README.md]"},
		{"folder", "folders: [{path: 'apps/*', repos: [{name: plain, branch: release/1.x}, plain, {name: plain, branch: nowhere}]}]"},
		{"file", "files: [{path: '**/port.yml'}], includedFiles: [README.md, none]"},
		{"file", "files: [{path: '/*', filenames: ['*']}]"},
		{"file", "files: [{path: '**/*'}]"},
		{"file", "files: [{path: '**/port.yml', repos: [{name: plain, branch: release/1.x}, trunk, {name: trunk, branch: trunk}]}]"},
		{"file", "files: [{path: 'apps/*/port.yml', skipParsing: true}, {path: README.md}]"},
	} {
		t.Run(tt.kind+" "+tt.selector, func(t *testing.T) {
			if i%5 > 0 {
				skipShort(t)
			}
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				bound, err := kind.Bind(resource(t, tt.kind, tt.selector))
				if err != nil {
					t.Fatal(err)
				}
				s := everySort()
				for name, bound := range map[string]kind.Bound{"all that REST has": bound, "all that git has": bound.Reading(withoutMIMEType)} {
					want := newWorld(t, s).readings(bound)
					for _, keep := range []bool{false, true} {
						w := overGit(t, s, kind.Options{KeepFiles: keep})
						for range 2 {
							got := w.readings(bound)
							if name == "all that git has" {
								want, got = want.withoutMIMEType(), got.withoutMIMEType()
							}
							if d := diff(want, got); d != "" {
								t.Errorf("%s (-REST +git):\n%s", name, d)
							}
						}
						w.onlyFallback("lines", "names that git's reader leaves out")
					}
				}
				if got := s.Violations(); len(got) > 0 {
					t.Errorf("violations: got %q, want none", got)
				}
			})
		})
	}
}
