package kind_test

import (
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// A list from memory is used where it has all that this run reads, and asked for again where
// the mapping, or the wish for whole objects, wants more of it.
func TestRememberedListOfOtherParts(t *testing.T) {
	for _, tt := range []struct {
		name       string
		first      []string // read by the run before; nil for whole objects
		second     []string
		remembered bool
	}{
		{"the same", []string{"description", "author.uuid"}, []string{"description", "author.uuid"}, true},
		{"less", []string{"description", "author.uuid", "participants[].user.uuid"}, []string{"participants[].user.uuid"}, true},
		{"less of whole elements", []string{"participants[]"}, []string{"participants[].user.uuid"}, true},
		{"what the program itself reads", []string{"state"}, []string{"title", "links.html.href"}, true},
		{"another field", []string{"state"}, []string{"description"}, false},
		{"one more", []string{"state"}, []string{"state", "description"}, false},
		{"another part of an object", []string{"author.uuid"}, []string{"author.display_name"}, false},
		{"all of an object", []string{"author.uuid"}, []string{"author"}, false},
		{"that an object is there", []string{"author.uuid"}, []string{"author!", "author.uuid"}, false},
		{"another part of elements", []string{"participants[].role"}, []string{"participants[].user.uuid"}, false},
		{"a field that only whole objects have", []string{"state"}, []string{"rendered"}, false},
		{"whole objects", []string{"state"}, nil, false},
		{"parts of whole objects", nil, []string{"description"}, true},
		{"parts of objects that are whole for an unknown field", []string{"rendered"}, []string{"description"}, true},
		{"whole ones of those", []string{"rendered"}, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := bitbuckettest.New("acme")
			s.AddRepository(bitbuckettest.Repository{Name: "api"})
			dana := bitbuckettest.User{Name: "Dana"}
			s.AddPullRequest("api", bitbuckettest.PullRequest{Description: "first", Author: &dana, Reviewers: []bitbuckettest.User{dana}})
			inBubble(t, s, func(w world) {
				m := w.memory()
				run := func(paths []string) extracted {
					bound := reading(w, "", paths...)
					o := kind.Options{}
					if paths != nil {
						o = kind.Shared([]kind.Bound{bound})
					}
					o.ResumeAge, o.State = hour, m.open()
					defer m.close(o.State)
					m.ws = m.workspace(o)
					defer m.ws.Close()
					return m.extractBound(bound)
				}
				run(tt.first)
				m.asked()
				got := run(tt.second)
				want := "/repositories/acme"
				if !tt.remembered {
					want += " api/pullrequests"
				}
				w.equal("requests", m.asked(), want)
				w.equal("from memory", len(got.ages(w)) == 1, tt.remembered)
				w.equal("objects", len(got.objects), 1)
				for _, key := range []string{"description", "author"} {
					for _, path := range tt.second {
						if path == key && got.objects[0][key] == nil {
							t.Errorf("got %v, without its %s", got.objects[0], key)
						}
					}
				}
			})
		})
	}
}
