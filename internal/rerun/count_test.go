package rerun_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// size is a number of repositories: the whole, or a part of it where not all is tried.
func size(whole int) int {
	switch {
	case sweep():
		return whole
	case full():
		return whole / 5
	}
	return whole / 10
}

// Nothing has changed: what a commit holds is known, and each list is asked for.
func TestUnchanged(t *testing.T) {
	if raceDetector {
		t.Skip("it counts over many runs: see raceDetector")
	}
	t.Parallel()
	for _, reader := range []string{"rest", "auto"} {
		t.Run(reader, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := size(1000)
				lists, files, git := 1+n/100, n, 0 // of projects and repositories; a README each
				if reader == "auto" {
					files, git = 0, 1+2*n // the host's capabilities, then trees and files
				}
				maxDisk := int64(n) * (10 << 20) / 1000
				w := newWorld(t, services(n, 5), map[string]string{"MAPPING": defaultMapping(t), "SOURCE_READER": reader})
				w.run().is("success", lists+n+files, git)
				time.Sleep(time.Hour)
				r := w.run().is("success", lists+n, 0)
				if got, want := r.report.Unchanged, 1+n+5*n; got != want {
					t.Errorf("got %d entities unchanged, want %d", got, want)
				}
				if got := w.onDisk(); got == 0 || got > maxDisk {
					t.Errorf("got a memory of %d bytes, want at most %d", got, maxDisk)
				}
				if r.report.OldestReadAt != "" || r.report.FromMemory != 0 {
					t.Errorf("got %d repositories from memory, of %s: each list was asked for", r.report.FromMemory, r.report.OldestReadAt)
				}
			})
		})
	}
}

// A mapping that has changed wants the same files, and others that a listing shows to be absent.
func TestMappingChanged(t *testing.T) {
	t.Parallel()
	const resource = `resources:
  - kind: file
    selector:
      query: "true"
      files:
        - path: %q
    port:
      entity:
        mappings:
          identifier: .repo.slug + "/" + .file.path
          title: .file.path
          blueprint: '"file"'
          properties:
            %s: .content | tostring
  - kind: repository
    selector:
      query: "true"
      includedFiles: [%s]
    port:
      entity:
        mappings:
          identifier: .slug
          blueprint: '"bitbucketRepository"'
          properties:
            readme: .__includedFiles["README.md"]
`
	for _, reader := range []string{"rest", "auto"} {
		t.Run(reader, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const n = 30
				b := services(n, 1)
				for i := range n {
					b.SetFile(slug(i), "services/api/port.yml", []byte(fmt.Sprintf("title: %d\n", i)))
				}
				w := newWorld(t, b, map[string]string{"MAPPING": fmt.Sprintf(resource, "**/*.*", "text", "README.md"), "SOURCE_READER": reader})
				r := w.run()
				r.is("success", r.requests, r.git)
				if r.files() == 0 || r.report.Created != 3*n {
					t.Errorf("got %d requests for files and %d entities, want some and %d", r.files(), r.report.Created, 3*n)
				}
				time.Sleep(time.Hour)
				w.env["MAPPING"] = fmt.Sprintf(resource, "services/*/port.yml", "title", "README.md, CODEOWNERS")
				w.env["DELETION"] = "never" // else the list of repositories is asked for once more
				if r = w.run().is("success", 1, 0); r.files() > 0 {
					t.Errorf("got %d requests for files, want none", r.files())
				}
				for id, e := range w.port.Catalog()["file"] {
					if text, is := e.Properties["title"].(string); is != strings.HasSuffix(id, "port.yml") || is && text == "" {
						t.Errorf("%s: got the property %q", id, e.Properties["title"])
					}
				}
			})
		})
	}
}
