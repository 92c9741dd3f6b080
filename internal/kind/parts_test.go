package kind_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
	"port-bitbucket-exporter/internal/reach"
)

// wholeFields is what a list of pull requests is asked for where all of them matters.
const wholeFields = "+values.reviewers,+values.participants,+values.closed_on"

// reading is a resource of pull requests that reads the paths of keys, where [] is each element.
func reading(w world, selector string, paths ...string) kind.Bound {
	w.Helper()
	bound, err := kind.Bind(resource(w.TB, "pull-request", selector))
	if err != nil {
		w.Fatal(err)
	}
	reads := &reach.Paths{}
	for _, path := range paths {
		at := reads
		for key := range strings.SplitSeq(strings.TrimSuffix(path, "!"), ".") {
			if key == "" {
				continue
			}
			name, each := strings.CutSuffix(key, "[]")
			if at = at.At(name); each {
				at = at.Elements()
			}
		}
		at.There, at.Whole = at.There || strings.HasSuffix(path, "!"), at.Whole || !strings.HasSuffix(path, "!")
	}
	return bound.Partial(reads)
}

// fields are those of the requests for pull requests, in order.
func fields(s *bitbuckettest.Server) (all []string) {
	for _, x := range s.Journal() {
		if strings.HasSuffix(x.Path, "/pullrequests") {
			all = append(all, x.Query.Get("fields"))
		}
	}
	return all
}

// Bitbucket is asked for what is read, and for what the program reads itself.
func TestPartsOfPullRequests(t *testing.T) {
	const always = "values.destination.repository.uuid,values.id,values.links.html.href,values.title,values.updated_on"
	for _, tt := range []struct {
		name  string
		reads []string
		want  string // beside what is always asked for; "all" for whole values
	}{
		{"nothing", nil, ""},
		{"a field", []string{"state"}, "values.state"},
		{"fields below", []string{"author.display_name", "author.links.avatar.href"}, "values.author.display_name values.author.links.avatar.href"},
		{"an object", []string{"author", "author.uuid"}, "values.author"},
		{"that an object is there", []string{"author!", "author.uuid"}, "values.author.type values.author.uuid"},
		{"that one without a type is there", []string{"source.branch!"}, "values.source.branch"},
		{"that a text is there", []string{"state!"}, "values.state"},
		{"that an array is there", []string{"participants!"}, "values.participants.type"},
		{"elements", []string{"participants[].user.uuid"}, "values.participants.type values.participants.user.uuid"},
		{"whole elements", []string{"participants[]"}, "values.participants"},
		{"elements of an object", []string{"author[].x"}, "values.author"},
		{"a key of an array", []string{"participants.x"}, "values.participants"},
		{"a key of a text", []string{"state.x"}, "values.state"},
		{"the user of a reviewer", []string{"reviewers[].user.uuid"}, "values.reviewers.type values.reviewers.user.uuid values.reviewers.uuid"},
		{"a field that lists leave out", []string{"destination.repository.slug"}, "values.destination.repository"},
		{"a field that is not known", []string{"author.new.x"}, "values.author"},
		{"an unknown field at the top", []string{"rendered"}, "all"},
		{"a key with a sign", []string{"author.x,y"}, "values.author"},
		{"a key with a sign at the top", []string{"x+y"}, "all"},
		{"everything", []string{""}, "all"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := bitbuckettest.New("acme")
			s.AddRepository(bitbuckettest.Repository{Name: "api"})
			inBubble(t, s, func(w world) {
				bound := reading(w, "", tt.reads...)
				w.ws = w.workspace(kind.Shared([]kind.Bound{bound}))
				w.extractBound(bound)
				want := wholeFields
				if tt.want != "all" {
					names := append(strings.Split(always, ","), strings.Fields(tt.want)...)
					slices.Sort(names)
					names = slices.DeleteFunc(names, func(name string) bool {
						return slices.ContainsFunc(names, func(other string) bool { return strings.HasPrefix(name, other+".") })
					})
					want = "next,page,pagelen,size," + strings.Join(names, ",")
				}
				w.equal("fields", fields(s), []string{want})
			})
		})
	}
}

// Resources that read one list ask for what any of them reads; one that reads other lists has no
// part in that.
func TestPartsOfSharedLists(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "api"})
	inBubble(t, s, func(w world) {
		all := []kind.Bound{reading(w, "", "state"), reading(w, "", "author.uuid"), reading(w, `pullRequestQuery: 'id > 0'`, "draft")}
		w.ws = w.workspace(kind.Shared(all))
		for _, bound := range all {
			w.extractBound(bound)
		}
		got := fields(s)
		for i, want := range [][2]string{{"values.state", "values.draft"}, {"values.author.uuid", "values.draft"}, {"values.draft", "values.state"}} {
			if !strings.Contains(got[i], want[0]) || strings.Contains(got[i], want[1]) {
				t.Errorf("resource %d: got %s, want it with %s and without %s", i, got[i], want[0], want[1])
			}
		}
		w.equal("the first two", got[0], got[1])
	})
}

// A long parameter has objects in place of their fields.
func TestPartsAreNotTooMany(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "api"})
	inBubble(t, s, func(w world) {
		var paths []string
		for _, at := range []string{"author", "closed_by", "participants[].user", "reviewers[]", "reviewers[].user"} {
			for name := range strings.FieldsSeq("uuid display_name nickname account_id account_status kind created_on links.self.href links.html.href links.avatar.href") {
				paths = append(paths, at+"."+name)
			}
		}
		for _, end := range []string{"source", "destination"} {
			for name := range strings.FieldsSeq("commit.type commit.hash commit.links.self.href commit.links.html.href repository.full_name repository.name repository.type repository.links.self.href repository.links.html.href repository.links.avatar.href") {
				paths = append(paths, end+"."+name)
			}
		}
		for name := range strings.FieldsSeq("self html commits approve request-changes diff diffstat comments activity merge decline statuses") {
			paths = append(paths, "links."+name+".href")
		}
		bound := reading(w, "", paths...)
		w.ws = w.workspace(kind.Shared([]kind.Bound{bound}))
		w.extractBound(bound)
		got := fields(s)[0]
		if n := len(url.QueryEscape(got)); n > 2000 || n < 1500 {
			t.Errorf("got %d bytes, want at most 2000 and little less: %s", n, got)
		}
		if !strings.Contains(got, "values.id,") {
			t.Errorf("got %s, want it with the ids", got)
		}
	})
}

// The first pages that hold something have whole objects, as many as are wanted, whatever comes
// first; the others do not.
func TestWholeObjectsToShow(t *testing.T) {
	for _, tt := range []struct {
		name   string
		counts []int // of pull requests, by repository
		whole  string
	}{
		{"the first", []int{9, 9, 9, 9}, "w..."},
		{"behind an empty list", []int{0, 9, 9, 9, 9, 9, 9, 9}, "www....."},
		{"behind empty lists", []int{0, 0, 0, 0, 9, 9, 9, 9, 9}, "wwwwwww.."},
		{"too few", []int{1, 1, 9, 9, 9}, "www.."},
		{"none", []int{0, 0, 0, 0}, "wwww"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := bitbuckettest.New("acme")
			for i, n := range tt.counts {
				slug := fmt.Sprintf("r-%d", i)
				s.AddRepository(bitbuckettest.Repository{Name: slug})
				for range n {
					s.AddPullRequest(slug, bitbuckettest.PullRequest{})
				}
			}
			inBubble(t, s, func(w world) {
				bound := reading(w, "", "state")
				o := kind.Shared([]kind.Bound{bound, bound})
				o.Examples = 3
				w.ws = w.workspace(o)
				got := ""
				for task, err := range bound.Extract(context.Background(), w.ws) {
					if err != nil {
						t.Fatal(err)
					}
					for found, err := range task.Run(context.Background()) {
						if _, has := found.Object["description"]; err != nil || found.Partial == has {
							t.Errorf("got partial %v where a description is there: %v, %v", found.Partial, has, err)
						}
					}
				}
				for _, f := range fields(s) {
					got += map[bool]string{true: "w", false: "."}[f == wholeFields]
				}
				w.equal("whole", got, tt.whole)
				s.ResetJournal()
				w.extractBound(bound) // of another resource
				if again := slices.Contains(fields(s), wholeFields); again != (tt.name == "none") {
					t.Errorf("the next resource: got whole pages %v", again)
				}
			})
		})
	}
}

// A task goes on once those before it gave enough, though not all of them have ended.
func TestWholeObjectsAreNotWaitedFor(t *testing.T) {
	s := bitbuckettest.New("acme")
	for i, n := range []int{1, 9, 9, 9} {
		slug := fmt.Sprintf("r-%d", i)
		s.AddRepository(bitbuckettest.Repository{Name: slug})
		for range n {
			s.AddPullRequest(slug, bitbuckettest.PullRequest{})
		}
	}
	inBubble(t, s, func(w world) {
		bound := reading(w, "", "state")
		o := kind.Shared([]kind.Bound{bound, bound})
		o.Examples = 3
		w.ws = w.workspace(o)
		var tasks []kind.Task
		for task, err := range bound.Extract(context.Background(), w.ws) {
			if err != nil {
				t.Fatal(err)
			}
			tasks = append(tasks, task)
		}
		ctx, stop := context.WithTimeout(context.Background(), time.Hour)
		defer stop()
		for _, i := range []int{0, 1, 3} { // the third waits for nothing
			for _, err := range tasks[i].Run(ctx) {
				if err != nil {
					t.Errorf("task %d: %v", i, err)
				}
			}
		}
		got := ""
		for _, f := range fields(s) {
			got += map[bool]string{true: "w", false: "."}[f == wholeFields]
		}
		w.equal("whole", got, "ww.")
	})
}
