package bitbucket_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

func TestFile(t *testing.T) {
	s := newServer()
	names := []string{"README.md", "docs/a b.txt", "docs/c#d?e%2F.md", "docs/🚀 ü+&=;@:.md", "data.json"}
	files := map[string]string{"docs/deep/x": "x", "docs/other": "x", "docs/third": "x", "docs/deep/y": "y",
		"cut.json": `{"size": [1`, "other.json": `{"a":{"values":[{}]},"values":[{"type":"commit_file","path":"x/y"}]}`, "text.json": `{"values":"text"}`, "empty.json": `{"values":[]}`, "list.txt.json": `[1]`, "list.json": `{"values":[{"type":"commit_file","path":"docs/deep/x"}],"pagelen":10}`}
	for _, name := range names {
		files[name] = "content of " + name
	}
	s.AddRepository(bitbuckettest.Repository{Name: "repo", Files: files})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		hash := s.Head("repo")
		for _, name := range names {
			got, _, err := c.File(t.Context(), "repo", hash, name, 1<<20)
			equal(t, name, string(got), files[name])
			equal(t, name, err, nil)
		}
		equal(t, "path", requests(s)[2], "/2.0/repositories/acme/repo/src/"+hash+"/docs/c%23d%3Fe%252F.md")
		got, _, err := c.File(t.Context(), "repo", hash, "/README.md", 7)
		equal(t, "bounded, with a slash before", string(got), "content")
		equal(t, "error", err, nil)
		for _, name := range []string{"list.json", "cut.json", "other.json", "text.json", "empty.json", "list.txt.json"} {
			got, _, err = c.File(t.Context(), "repo", hash, name, 1<<20)
			equal(t, "a file that looks like a directory: "+name, string(got), files[name])
			equal(t, "error", err, nil)
		}
		for _, missing := range []string{"nothing.md", "docs", "docs/deep"} {
			_, _, err = c.File(t.Context(), "repo", hash, missing, 1<<20)
			equal(t, missing+" is no file", errors.Is(err, bitbucket.ErrNoFile), true)
			wantError(t, err, `read file "`+missing+`" of repository "repo": `)
			_, _, err = c.File(t.Context(), "repo", hash, missing, 1000)
			equal(t, missing+" is no file, where the beginning alone is read", errors.Is(err, bitbucket.ErrNoFile), true)
		}
		correct(t, s)

		_, _, err = c.File(t.Context(), "repo", strings.Repeat("0", 40), "README.md", 1<<20)
		equal(t, "unknown commit: no file", errors.Is(err, bitbucket.ErrNoFile), false)
		equal(t, "unknown commit: not found", errors.Is(err, bitbucket.ErrNotFound), true)
		_, _, err = c.File(t.Context(), "gone", hash, "README.md", 1<<20)
		equal(t, "unknown repository: no file", errors.Is(err, bitbucket.ErrNoFile), false)
		s.Fault(bitbuckettest.Fault{TruncateBody: 3})
		before := s.Requests()
		got, _, err = c.File(t.Context(), "repo", hash, "README.md", 1<<20)
		equal(t, "cut off, then whole", string(got), files["README.md"])
		equal(t, "error", err, nil)
		equal(t, "requests", s.Requests()-before, 2)
	})
}

// An LFS file answers with a redirect to another host, where nobody asks.
func TestFileElsewhere(t *testing.T) {
	t.Parallel()
	other, asked := stranger(t)
	s := newServer()
	s.AddRepository(bitbuckettest.Repository{Name: "repo", Files: map[string]string{"a": "b"}})
	c := overSocket(t, s)
	s.Fault(bitbuckettest.Fault{Redirect: other + "/media", Status: 301, Times: -1})
	_, _, err := c.File(t.Context(), "repo", s.Head("repo"), "a", 1<<20)
	wantError(t, err, `read file "a" of repository "repo": `, "redirect refused")
	equal(t, "is no file", errors.Is(err, bitbucket.ErrNoFile), false)
	equal(t, "asked elsewhere", asked.Load(), int32(0))
}

func TestHead(t *testing.T) {
	s := newServer()
	s.AddRepository(bitbuckettest.Repository{Name: "repo", MainBranch: "release/1.x #2"})
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		got, err := c.Head(t.Context(), "repo", "release/1.x #2")
		equal(t, "hash", got, s.Head("repo"))
		equal(t, "error", err, nil)
		equal(t, "requests", requests(s), []string{"/2.0/repositories/acme/repo/refs/branches/release%2F1.x%20%232?fields=target.hash"})
		correct(t, s)
		_, err = c.Head(t.Context(), "repo", "main")
		equal(t, "no such branch", errors.Is(err, bitbucket.ErrNotFound), true)
		s.Fault(bitbuckettest.Fault{Status: 200, Body: "{}"})
		_, err = c.Head(t.Context(), "repo", "release/1.x #2")
		wantError(t, err, "names no commit")
		equal(t, "an answer without a commit is no missing branch", errors.Is(err, bitbucket.ErrNotFound), false)
	})
}

func TestExists(t *testing.T) {
	s := withRepositories(1)
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		there, err := c.Exists(t.Context(), "repo-1")
		equal(t, "there", there, true)
		equal(t, "error", err, nil)
		there, err = c.Exists(t.Context(), s.UUID("repo-1"))
		equal(t, "by uuid", there, true)
		equal(t, "error", err, nil)
		equal(t, "braces", strings.Contains(requests(s)[1], "/acme/%7B"), true)
		there, err = c.Exists(t.Context(), "repo-2")
		equal(t, "gone", there, false)
		equal(t, "error", err, nil)
		s.Fault(bitbuckettest.Fault{Status: 403})
		_, err = c.Exists(t.Context(), "repo-1")
		wantError(t, err, "403 Forbidden")
		correct(t, s)
	})
}

func TestDecodeKeepsNumbers(t *testing.T) {
	t.Parallel()
	o, err := bitbucket.Decode(json.RawMessage(`{"id":9007199254740993,"x":1.10}`))
	equal(t, "error", err, nil)
	equal(t, "object", o, bitbucket.Object{"id": json.Number("9007199254740993"), "x": json.Number("1.10")})
	if _, err := bitbucket.Decode(json.RawMessage(`null`)); err == nil {
		t.Error("null: got no error")
	}
}
