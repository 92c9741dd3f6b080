package kind_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// workspace has four repositories: an ordinary one, an empty one, one without a
// project, and one whose head the list leaves out.
func workspace() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	s.AddProject(bitbuckettest.Project{Key: "PAY"})
	s.AddRepository(bitbuckettest.Repository{Name: "Checkout API", ProjectKey: "PAY", Roles: []string{"member"},
		Files: map[string]string{"README.md": "# Checkout", "docs/a b.md": "bytes \xff", "docs/deep.md": ""}})
	s.AddRepository(bitbuckettest.Repository{Name: "empty", ProjectKey: "PAY"})
	s.AddRepository(bitbuckettest.Repository{Name: "orphan", Files: map[string]string{"x": "y"}})
	s.AddRepository(bitbuckettest.Repository{Name: "lazy", ProjectKey: "PAY", MainBranch: "release/1.x", NoTarget: true,
		Files: map[string]string{"README.md": "# Lazy"}})
	return s
}

func files(o kind.Object) any { return o["__includedFiles"] }

func TestRepositories(t *testing.T) {
	s := workspace()
	inBubble(t, s, func(w world) {
		objects := w.good("repository", "")
		w.equal("slugs", column(objects, "slug"), "checkout-api empty orphan lazy")
		w.equal("null main branch", objects[1]["mainbranch"], nil)
		w.equal("null project", objects[2]["project"], nil)
		_, has := objects[0]["__includedFiles"]
		w.equal("files that nobody asked for", has, false)
		w.equal("requests", w.asked(), "/repositories/acme")
	})
}

func TestIncludedFiles(t *testing.T) {
	s := workspace()
	inBubble(t, s, func(w world) {
		objects := w.good("repository", "includedFiles: [README.md, docs/a b.md, /docs/deep.md, docs, README.md]")
		w.equal("ordinary", files(objects[0]), any(kind.Object{
			"README.md": "# Checkout", "docs/a b.md": "bytes \uFFFD", "/docs/deep.md": "", "docs": nil}))
		none := any(kind.Object{"README.md": nil, "docs/a b.md": nil, "/docs/deep.md": nil, "docs": nil})
		w.equal("empty repository", files(objects[1]), none)
		w.equal("missing", files(objects[2]), none)
		w.equal("head asked for", files(objects[3]), any(kind.Object{
			"README.md": "# Lazy", "docs/a b.md": nil, "/docs/deep.md": nil, "docs": nil}))
		if got := s.Violations(); len(got) > 0 {
			w.Errorf("violations: got %q, want none", got)
		}
	})
}

// One read for each repository with a main branch and included file; none for an
// empty one; one more where the list did not name the head.
func TestIncludedFilesRequests(t *testing.T) {
	s := workspace()
	inBubble(t, s, func(w world) {
		w.good("repository", "includedFiles: [README.md]")
		w.equal("requests", w.asked(), "/repositories/acme checkout-api/src/HEAD/README.md orphan/src/HEAD/README.md "+
			"lazy/refs/branches/release%2F1.x lazy/src/HEAD/README.md")
	})
}

func TestIncludedFileThatCannotBeRead(t *testing.T) {
	for name, fault := range map[string]bitbuckettest.Fault{
		"403":                {Status: 403},
		"500":                {Status: 500},
		"404 without a path": {Status: 404},
		"404 of the commit":  {Status: 404, Body: `{"type":"error","error":{"message":"Commit not found"}}`},
		"broken":             {DropConnection: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := workspace()
			fault.Path, fault.Times = "/repositories/acme/checkout-api/src/**", -1
			s.Fault(fault)
			inBubble(t, s, func(w world) {
				got := w.extract("repository", "includedFiles: [README.md]")
				w.equal("error of the list", got.err, nil)
				w.equal("the others", column(got.objects, "slug"), "empty orphan lazy")
				if len(got.failed) != 1 || !isUnreadable(got.failed[0]) {
					w.Fatalf("got %v, want one *Unreadable", got.failed)
				}
				var u *kind.Unreadable
				_ = errors.As(got.failed[0], &u)
				w.equal("object", u.Object, "checkout-api")
				if !strings.Contains(u.Error(), `read file "README.md" of repository "checkout-api"`) {
					w.Errorf("error: got %q, want it to name file and repository", u)
				}
			})
		})
	}
}

func TestHeadThatCannotBeRead(t *testing.T) {
	for name, tt := range map[string]struct {
		fault      bitbuckettest.Fault
		unreadable bool
	}{
		"500":                        {bitbuckettest.Fault{Status: 500}, true},
		"403":                        {bitbuckettest.Fault{Status: 403}, true},
		"an answer without a commit": {bitbuckettest.Fault{Status: 200, Body: "{}"}, true},
		"404, also of the branches":  {bitbuckettest.Fault{Status: 404}, true},
		"404, and no branches":       {bitbuckettest.Fault{Path: "/repositories/acme/lazy/refs/branches/*", Status: 404}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := workspace()
			if tt.fault.Times = -1; tt.fault.Path == "" {
				tt.fault.Path = "/repositories/acme/lazy/refs/**"
			}
			s.Fault(tt.fault)
			s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/lazy/refs/branches", Times: -1, Mutate: func(page map[string]any) {
				page["values"], page["size"] = []any{}, 0
			}})
			inBubble(t, s, func(w world) {
				got := w.extract("repository", "includedFiles: [README.md]")
				if tt.unreadable {
					w.equal("unreadable", len(got.failed) == 1 && isUnreadable(got.failed[0]), true)
					return
				}
				w.equal("errors", len(got.failed), 0)
				w.equal("files", files(got.objects[3]), any(kind.Object{"README.md": nil}))
			})
		})
	}
}

func TestRepositoryThatVanishes(t *testing.T) {
	for _, slug := range []string{"checkout-api", "lazy"} {
		t.Run(slug, func(t *testing.T) {
			s := workspace()
			s.OnRequest(func(n int, _ *http.Request) {
				if n == 2 {
					s.RemoveRepository(slug)
				}
			})
			inBubble(t, s, func(w world) {
				got := w.extract("repository", "includedFiles: [README.md]")
				w.equal("gone", len(got.failed) == 1 && isGone(got.failed[0]), true)
				w.equal("unreadable", isUnreadable(got.failed[0]), false)
				w.equal("the others", len(got.objects), 3)
			})
		})
	}
}

func TestAddressNotAllowed(t *testing.T) {
	s := workspace()
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/*/src/**", Status: 403, Times: -1,
		Body: `{"type":"error","error":{"message":"To access this repository, an admin must whitelist your IP."}}`})
	inBubble(t, s, func(w world) {
		got := w.extract("repository", "includedFiles: [README.md]")
		w.equal("denied", kind.Denied(got.failed[0]), true)
		w.equal("requests: nobody asks again", w.asked(),
			"/repositories/acme checkout-api/src/HEAD/README.md orphan/src/HEAD/README.md lazy/refs/branches/release%2F1.x lazy/src/HEAD/README.md")
	})
}

// lists is how often a list of repositories was asked for.
func (w world) lists() (n int) {
	for _, x := range w.s.Journal() {
		if x.Path == "/2.0/repositories/acme" {
			n++
		}
	}
	return n
}

func TestRepositoryListIsReadOnce(t *testing.T) {
	s := workspace()
	inBubble(t, s, func(w world) {
		w.good("repository", "")
		w.good("pull-request", "")
		w.equal("slugs", column(w.good("repository", "repoQuery: ' '"), "slug"), "checkout-api empty orphan lazy")
		w.equal("lists", w.lists(), 1)
		w.equal("members", column(w.good("repository", "userRole: admin"), "slug"), "empty orphan lazy")
		w.equal("queried", column(w.good("repository", `repoQuery: 'project.key="PAY"'`), "slug"), "checkout-api empty lazy")
		w.good("pull-request", `repoQuery: ' project.key="PAY" '`)
		w.equal("lists of other roles and queries too", w.lists(), 3)
	})
}

func TestRepositoryListsErrorIsShared(t *testing.T) {
	s := workspace()
	s.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Status: 404, Times: -1})
	inBubble(t, s, func(w world) {
		for _, name := range []string{"repository", "pull-request", "repository"} {
			got := w.extract(name, "")
			w.equal(name+": not found", errors.Is(got.err, bitbucket.ErrNotFound), true)
			w.equal(name+": objects", len(got.objects), 0)
		}
		w.equal("requests", w.asked(), "/repositories/acme")
	})
}

// What a stopped run did not read is not taken for a list.
func TestStoppedListIsNotShared(t *testing.T) {
	s := workspace()
	inBubble(t, s, func(w world) {
		bound, err := kind.Bind(resource(w.TB, "repository", ""))
		if err != nil {
			w.Fatal(err)
		}
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		for _, err := range bound.Extract(ctx, w.ws) {
			w.equal("cancelled", errors.Is(err, context.Canceled), true)
		}
		for range bound.Extract(w.Context(), w.ws) {
			break
		}
		w.equal("slugs", column(w.good("repository", ""), "slug"), "checkout-api empty orphan lazy")
	})
}

func TestObjectsAreNotShared(t *testing.T) {
	s := workspace()
	inBubble(t, s, func(w world) {
		w.good("repository", "")[0]["slug"] = "written into"
		w.equal("slug", w.good("repository", "")[0]["slug"], any("checkout-api"))
	})
}
