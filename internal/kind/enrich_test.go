package kind_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/reach"
)

// reading are Reads of expressions that name some fields, and all of the object where whole is true.
func readsOf(whole bool, names ...string) *reach.Paths {
	p := &reach.Paths{Whole: whole}
	for _, name := range names {
		p.Add(name)
	}
	return p
}

// reviewed has three pull requests in one repository, and one in another.
func reviewed() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	day := func(n int) time.Time { return time.Date(2026, time.November, n, 9, 0, 0, 0, time.UTC) }
	amir := bitbuckettest.User{Name: "Amir Haddad"}
	for _, slug := range []string{"api", "web"} {
		s.AddRepository(bitbuckettest.Repository{Name: slug, Files: map[string]string{"a": slug}})
	}
	s.AddRepository(bitbuckettest.Repository{Name: "empty"})
	s.SetDefaultReviewers("api", amir)
	s.SetHeadStatuses("api", bitbuckettest.Status{Key: "b", State: "FAILED"})
	for i := range 4 {
		state := ""
		if i == 0 {
			state = "MERGED"
		}
		s.AddPullRequest("api", bitbuckettest.PullRequest{State: state, CreatedOn: day(1 + 5*i), UpdatedOn: day(2 + 5*i), Participants: []bitbuckettest.Participant{
			{User: amir, Approved: true, State: "approved", ParticipatedOn: day(3 + 5*i)}}})
	}
	s.AddPullRequest("web", bitbuckettest.PullRequest{CreatedOn: day(4), UpdatedOn: day(4)})
	s.SetExtras("api", 2, bitbuckettest.Extras{Statuses: []bitbuckettest.Status{{Key: "a", State: "SUCCESSFUL"}}, Tasks: []string{"x", "y"}, Resolved: 1, Files: []int{10, 5}})
	s.SetExtras("api", 3, bitbuckettest.Extras{Unrelated: true, Comments: []time.Time{day(14), day(15)}})
	return s
}

// Fields that cost requests of their own are asked for where the mapping names them, and nowhere else.
func TestExtras(t *testing.T) {
	t.Parallel()
	const list, pulls = "/repositories/acme", "api/pullrequests web/pullrequests empty/pullrequests"
	for _, tt := range []struct {
		kind  string
		reads *reach.Paths
		asked string
		want  map[string]string // by field: what the objects have
	}{
		{"repository", readsOf(false, "slug"), list, nil},
		{"repository", readsOf(true), list, nil},
		{"repository", readsOf(true, "__headStatuses"), list + " api/commit/HEAD/statuses web/commit/HEAD/statuses",
			map[string]string{"__headStatuses": "[FAILED] [] []"}},
		{"repository", readsOf(false, "__defaultReviewers", "__branchingModel"), list + " api/effective-branching-model api/effective-default-reviewers " +
			"empty/effective-branching-model empty/effective-default-reviewers web/effective-branching-model web/effective-default-reviewers",
			map[string]string{"__defaultReviewers": "[Amir Haddad] [] []", "__branchingModel": "main main <nil>"}},
		{"pull-request", readsOf(true), list + " " + pulls, nil},
		{"pull-request", readsOf(false, "__statuses"), list + " " + pulls + " api/pullrequests/2/statuses api/pullrequests/3/statuses api/pullrequests/4/statuses web/pullrequests/1/statuses",
			map[string]string{"__statuses": "[SUCCESSFUL] [] [] []"}},
		{"pull-request", readsOf(false, "__tasks"), list + " " + pulls + " api/pullrequests/2/tasks",
			map[string]string{"__tasks": "[RESOLVED UNRESOLVED] [] [] []"}},
		{"pull-request", readsOf(false, "__diffstat"), list + " " + pulls + " api/pullrequests/2/diffstat api/pullrequests/3/diffstat api/pullrequests/3/diffstat api/pullrequests/4/diffstat web/pullrequests/1/diffstat",
			map[string]string{"__diffstat": "2+15-7 <nil> 0+0-0 0+0-0"}},
		{"pull-request", readsOf(false, "__activity"), list + " " + pulls + " api/pullrequests/activity web/pullrequests/activity",
			map[string]string{"__activity": "[approval OPEN] [comment comment approval OPEN] [approval OPEN] [OPEN]"}},
	} {
		t.Run(fmt.Sprint(tt.kind, tt.want), func(t *testing.T) {
			inBubble(t, reviewed(), func(w world) {
				bound, err := kind.Bind(resource(w.TB, tt.kind, ""))
				if err != nil {
					w.Fatal(err)
				}
				got := w.extractBound(bound.Reading(kind.ReadsOf(tt.reads)).Partial(tt.reads))
				if got.err != nil || len(got.failed) > 0 {
					w.Fatalf("got %v and %v", got.err, got.failed)
				}
				for field, want := range tt.want {
					var cells []string
					for _, o := range got.objects {
						cells = append(cells, inShort(o[field]))
					}
					w.equal(field, strings.Join(cells, " "), want)
				}
				for _, o := range got.objects {
					for _, field := range []string{"__headStatuses", "__defaultReviewers", "__branchingModel", "__statuses", "__tasks", "__diffstat", "__activity"} {
						if _, has := o[field]; has != (tt.want[field] != "") {
							w.Errorf("an object has %s: %v", field, has)
						}
					}
				}
				asked := strings.Split(w.asked(), " ")
				want := strings.Split(tt.asked, " ")
				slices.Sort(asked)
				slices.Sort(want)
				w.equal("asked", asked, want)
			})
		})
	}
}

// inShort is what the test looks at of an extra.
func inShort(v any) string {
	switch v := v.(type) {
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, inShort(one))
		}
		return "[" + strings.Join(all, " ") + "]"
	case kind.Object:
		switch {
		case v["lines_added"] != nil:
			return fmt.Sprintf("%v+%v-%v", v["files"], v["lines_added"], v["lines_removed"])
		case v["user"] != nil && v["reviewer_type"] != nil:
			return fmt.Sprint(v["user"].(kind.Object)["display_name"])
		case v["development"] != nil:
			return fmt.Sprint(v["development"].(kind.Object)["name"])
		case v["update"] != nil:
			return fmt.Sprint(v["update"].(kind.Object)["state"])
		case v["approval"] != nil:
			return "approval"
		case v["comment"] != nil:
			return "comment"
		}
		return fmt.Sprint(v["state"])
	}
	return fmt.Sprint(v)
}

// The feed is read down to the oldest pull request that is wanted, and no further.
func TestFeedEndsAtTheOldest(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "api", Files: map[string]string{"a": "b"}})
	for i := range 200 {
		state := "MERGED"
		if i >= 150 {
			state = ""
		}
		at := time.Date(2026, time.January, 1, i, 0, 0, 0, time.UTC)
		s.AddPullRequest("api", bitbuckettest.PullRequest{State: state, CreatedOn: at, UpdatedOn: at})
	}
	inBubble(t, s, func(w world) {
		bound, err := kind.Bind(resource(w.TB, "pull-request", ""))
		if err != nil {
			w.Fatal(err)
		}
		got := w.extractBound(bound.Reading(kind.ReadsOf(readsOf(false, "__activity"))))
		for _, o := range got.objects {
			if inShort(o["__activity"]) != "[OPEN]" {
				w.Fatalf("pull request %v: got %v", o["id"], o["__activity"])
			}
		}
		if want := "/repositories/acme api/pullrequests api/pullrequests/activity api/pullrequests/activity"; len(got.objects) != 50 || w.asked() != want {
			w.Errorf("got %d objects, want 50 by %s", len(got.objects), want)
		}
	})
}

// What happened to pull requests that are not wanted is not kept in memory. Not in parallel: it measures
// the memory of the process.
func TestFeedIsNotKept(t *testing.T) {
	skipShort(t)
	const n = 2000
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "api", Files: map[string]string{"a": "b"}})
	for i := range n {
		state := "MERGED"
		if i < 60 { // the feed is needed again after the first of them
			state = ""
		}
		at := time.Date(2026, time.January, 1, i, 0, 0, 0, time.UTC)
		s.AddPullRequest("api", bitbuckettest.PullRequest{State: state, CreatedOn: at, UpdatedOn: at})
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, s)
		bound, err := kind.Bind(resource(w.TB, "pull-request", ""))
		if err != nil {
			t.Fatal(err)
		}
		before, found := heap(), 0
		for task, err := range bound.Reading(kind.ReadsOf(readsOf(false, "__activity"))).Extract(t.Context(), w.ws) {
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range task.Run(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				if found++; found > 1 {
					continue
				}
				// The journal of the emulator and the keys of the list take some 800 bytes an entry.
				if kept := int64(heap()) - int64(before); kept > n*1500 {
					t.Errorf("got %d bytes in use for %d entries, want none of them in it", kept, n)
				}
			}
		}
		w.equal("pull requests", found, 60)
	})
}

// An entry of the feed that cannot be read may be of any pull request of the repository.
func TestFeedWithAnOddEntry(t *testing.T) {
	inBubble(t, reviewed(), func(w world) {
		w.s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/api/pullrequests/activity", Times: -1, Mutate: func(page map[string]any) {
			page["values"].([]any)[0] = nil
		}})
		bound, err := kind.Bind(resource(w.TB, "pull-request", ""))
		if err != nil {
			w.Fatal(err)
		}
		got := w.extractBound(bound.Reading(kind.ReadsOf(readsOf(false, "__activity"))))
		if len(got.objects) != 1 || len(got.failed) != 1 || isUnreadable(got.failed[0]) {
			w.Errorf("got %d objects and %v, want that of the other repository, and one error", len(got.objects), got.failed)
		}
	})
}

// What an extra lacks is an error of its object, and of no other.
func TestExtraThatIsMissing(t *testing.T) {
	for _, tt := range []struct {
		name    string
		status  int
		body    string
		objects int
		failed  string
	}{
		{"of one object", 500, "", 3, "500"},
		{"no scope", 403, `{"type": "error", "error": {"message": "Your credentials lack one or more required privilege scopes.", "detail": {"granted": ["repository"], "required": ["pullrequest"]}}}`, 1, "missing scopes: pullrequest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, reviewed(), func(w world) {
				w.s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/api/pullrequests/2/statuses", Status: tt.status, Body: tt.body, Times: -1})
				bound, err := kind.Bind(resource(w.TB, "pull-request", ""))
				if err != nil {
					w.Fatal(err)
				}
				got := w.extractBound(bound.Reading(kind.ReadsOf(readsOf(false, "__statuses"))))
				if len(got.objects) != tt.objects || len(got.failed) != 1 || !strings.Contains(got.failed[0].Error(), tt.failed) || isUnreadable(got.failed[0]) != (tt.status == 500) {
					w.Errorf("got %d objects and %v", len(got.objects), got.failed)
				}
			})
		})
	}
}
