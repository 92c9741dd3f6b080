package resync_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/report"
)

// readme maps an object and a file of its repository.
const readme = `
- kind: repository
  selector: {query: .chosen}
  port: {entity: {mappings: {identifier: .slug, blueprint: '"repo"', properties: {url: .url, readme: file://docs/README.md}}}}`

// objects is an extraction with a task for each object.
func objects(all ...kind.Found) kind.Extract {
	return func(context.Context, *kind.Workspace) iter.Seq2[kind.Task, error] {
		return func(yield func(kind.Task, error) bool) {
			for _, found := range all {
				task := kind.Task{Run: func(context.Context) iter.Seq2[kind.Found, error] {
					return func(yield func(kind.Found, error) bool) { yield(found, nil) }
				}}
				if !yield(task, nil) {
					return
				}
			}
		}
	}
}

// repoWith is a repository that gives every file, or an error for it.
func repoWith(slug string, text any, err error) kind.Found {
	return kind.Found{
		Object: kind.Object{"slug": slug, "chosen": true, "url": "https://x/" + slug},
		Read:   func(context.Context, string) (any, error) { return text, err },
	}
}

func TestFileThatIsNotRead(t *testing.T) {
	t.Parallel()
	type errorOf = func(ctx context.Context) error
	is := func(err error) errorOf { return func(context.Context) error { return err } }
	for _, c := range []struct {
		name    string
		err     errorOf
		status  string
		want    want
		heldBy  string
		problem []string
	}{
		{
			"another error", is(errors.New("connection reset")), report.Partial, want{"extracted": 4, "failed": 1, "created": 1, "deleted": 0, "kept": 1},
			"was not read completely", []string{"error: ", `property "readme": connection reset`, "fix: run again"},
		},
		{
			"denied", is(&bitbucket.Error{Method: "GET", Path: "/src", Status: 401}), report.Partial, want{"failed": 1, "deleted": 0},
			"was not read completely", []string{"error: ", `mapping.yml:4:102: resource 1 (repository): property "readme": GET /src: 401`, "fix: check the credential"},
		},
		{
			"gone", is(&kind.Gone{Slug: "lost"}), report.Success, want{"extracted": 4, "skipped": 1, "created": 1, "deleted": 1},
			"", []string{"warning: ", "disappeared during the run", "lost"},
		},
		{
			"left", is(&kind.Omitted{Object: "lost/docs/README.md", Why: "a file is too large", Fix: "raise the limit"}), report.Success,
			want{"extracted": 4, "skipped": 1, "created": 1, "deleted": 0, "kept": 1},
			"left out lost/docs/README.md: a file is too large", []string{"warning: ", "a file is too large", "fix: raise the limit"},
		},
		{
			"warning", is(&kind.Warning{Problem: diag.Problem{Message: "a file is binary", Example: "lost/docs/README.md"}}), report.Success,
			want{"extracted": 4, "created": 2, "deleted": 1},
			"", []string{"warning: ", "a file is binary", "lost/docs/README.md"},
		},
		{
			"time limit", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, report.Partial,
			want{"failed": 1, "deleted": 0, "kept": 1}, "time limit", []string{"warning: ", "the time limit was reached"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, bitbuckettest.New("acme"))
				w.extract = objects(repoWith("stale", nil, nil), repoWith("same", "text", nil))
				w.sync(mapped(readme)).ended(report.Success).is(want{"created": 2})

				lost := repoWith("lost", nil, nil)
				lost.Read = func(ctx context.Context, name string) (any, error) { return nil, c.err(ctx) }
				filtered := repoWith("filtered", nil, nil)
				filtered.Object["chosen"] = false
				filtered.Read = func(context.Context, string) (any, error) {
					t.Error("a file was read for an object that the selector filters")
					return nil, nil
				}
				w.timeLimit = time.Minute
				w.extract = objects(repoWith("same", "text", nil), filtered, repoWith("new", "text", nil), lost)
				r := w.sync(mapped(readme)).ended(c.status).is(c.want)
				r.heldBy("repo", c.heldBy, r.kept)
				r.problem(c.problem...)
				if r.report.Has(report.FailedExpression) {
					t.Error("an unread file is told as an expression that failed")
				}
			})
		})
	}
}

// A kind without files gives null, and says so.
func TestFileOfKindWithoutFiles(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, bitbuckettest.New("acme"))
		found := repoWith("api", nil, nil)
		found.Read = nil
		w.extract = objects(found)
		r := w.sync(mapped(readme)).ended(report.Success).is(want{"created": 1})
		r.problem("warning: ", `property "readme" is null: this kind has no files`)
	})
}

// parsed is a file of a repository as the mapping below takes it.
func parsed(slug string, content any, raw bool) kind.Found {
	return kind.Found{Raw: raw, Address: "acme/" + slug + "/port.yml", Object: kind.Object{
		"slug": slug, "content": content, "metadata": map[string]any{"path": "port.yml"}, "repo": map[string]any{"full_name": "acme/" + slug},
	}}
}

// What raises an error on content that was not parsed leaves what Port holds.
func TestContentThatIsNotParsed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := mapped(entity("repository", `{identifier: .slug, title: .content.title, blueprint: '"repo"', properties: {description: .slug, language: .content.language}}`))
		w := newWorld(t, bitbuckettest.New("acme"))
		good := parsed("api", map[string]any{"title": "API", "language": "go"}, false)
		w.extract = objects(good)
		w.sync(m).ended(report.Success).is(want{"created": 1})

		w.extract = objects(parsed("api", "title: [", true))
		for range 2 { // what is left out is not compared
			r := w.sync(m).ended(report.Success).is(want{"unchanged": 1, "writes": 0, "deleted": 0})
			r.problem("warning: ", `property "language" raised an error on content that was not parsed, and is left out of the entity`, "acme/api/port.yml")
			got := r.after["repo"]["api"]
			if text := fmt.Sprintf("%v %v %v", got.Title, got.Properties["language"], got.Properties["description"]); text != "API go api" {
				t.Errorf("got %+v", got)
			}
		}
		w.extract = objects(good)
		w.sync(m).ended(report.Success).is(want{"unchanged": 1})
	})
}

// What content that was not parsed would have given is not known: nothing is stale.
func TestContentWithoutEntities(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]string{
		"identifier": entity("repository", `{identifier: '.content.slug?', title: .slug, blueprint: '"repo"'}`),
		"elements": `
- kind: repository
  selector: {query: 'true'}
  port: {itemsToParse: .content, entity: {mappings: {identifier: .item.slug, title: .slug, blueprint: '"repo"'}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				content := func(slug string) any {
					one := map[string]any{"slug": slug}
					if name == "elements" {
						return []any{one}
					}
					return one
				}
				w := newWorld(t, bitbuckettest.New("acme"))
				w.extract = objects(parsed("api", content("api"), false), parsed("web", content("web"), false))
				w.sync(mapped(m)).ended(report.Success).is(want{"created": 2})
				w.extract = objects(parsed("api", content("api"), false), parsed("web", "slug: [", true))
				r := w.sync(mapped(m)).ended(report.Success).is(want{"skipped": 1, "deleted": 0, "kept": 1})
				r.heldBy("repo", "the content of acme/web/port.yml was not parsed", 1)
			})
		})
	}
}

// Files of one repository that a mapping names are read side by side: its branch is
// resolved once, and what is wrong with each is reported.
func TestTwoFilesOfARepository(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := bitbuckettest.New("acme")
		b.AddRepository(bitbuckettest.Repository{Name: "api", Files: map[string]string{"README.md": "# api", "OWNER": "me", "logo.png": "\x00\x01", "icon.png": "\x00\x02"}})
		w := newWorld(t, b)
		r := w.sync(mapped(entity("repository", `{identifier: .slug, blueprint: '"repo"',
			properties: {readme: file://README.md, description: file://OWNER, language: file://logo.png, url: file://icon.png}}`)))
		got := r.after["repo"]["api"].Properties
		if got["readme"] != "# api" || got["description"] != "me" || got["language"] != nil {
			t.Errorf("got %v\n%s", got, r.story())
		}
		heads, warned := 0, 0
		for _, e := range r.requests {
			if strings.Contains(e.Path, "/refs/branches") || strings.HasSuffix(e.Path, "/commits") {
				heads++
			}
		}
		for _, p := range r.report.Problems() {
			if p.Severity == diag.Warning && strings.Contains(p.Message+p.Example, ".png") {
				warned += p.Count
			}
		}
		if heads > 1 || warned != 2 {
			t.Errorf("the branch was resolved %d times, and %d of 2 binary files were reported\n%s", heads, warned, r.story())
		}
	})
}
