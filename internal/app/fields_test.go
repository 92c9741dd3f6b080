package app_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

const (
	// fieldsOfAll is what a list of pull requests is asked for where whole objects are wanted.
	fieldsOfAll = "+values.reviewers,+values.participants,+values.closed_on"
	// fieldsOfMapping is that for what withPulls reads, and the program itself.
	fieldsOfMapping = "next,page,pagelen,size,values.destination.repository.full_name,values.destination.repository.uuid,values.id,values.links.html.href,values.title,values.updated_on"
)

// fields are those of each request for pull requests, in order.
func (w *world) fields() (all []string) {
	for _, x := range w.bitbucket.Journal() {
		if strings.HasSuffix(x.Path, "/pullrequests") {
			all = append(all, x.Query.Get("fields"))
		}
	}
	return all
}

// response_fields decides what pull requests are asked for, and nothing else: the entities and
// the number of requests are the same. Where Bitbucket refuses it, one request more is sent, and
// one notice says so. The first list is asked for as a whole in any case: its objects are shown in
// Port's mapping editor.
func TestResponseFields(t *testing.T) {
	t.Parallel()
	parts := []string{fieldsOfAll, fieldsOfMapping, fieldsOfMapping}
	whole := []string{fieldsOfAll, fieldsOfAll, fieldsOfAll}
	var want map[string]any
	for _, tt := range []struct {
		name    string
		env     map[string]string
		refused bool
		fields  []string
	}{
		{"all", map[string]string{"RESPONSE_FIELDS": "all"}, false, whole},
		{"all, refused", map[string]string{"RESPONSE_FIELDS": "ALL"}, true, whole},
		{"mapping", map[string]string{"RESPONSE_FIELDS": "mapping"}, false, parts},
		{"not given", nil, false, parts},
		{"not given, refused", nil, true, slices.Concat(parts[:2], whole[:2])},
	} {
		w := pullWorld(t)
		w.bitbucket.RemoveRepository("refunds") // so that no other list is under way when the first parts are asked for
		for i := range 9 + 59 {
			w.bitbucket.AddPullRequest([]string{"checkout", "ledger"}[min(i/9, 1)], bitbuckettest.PullRequest{Title: "more"})
		}
		w.env["CONCURRENCY"] = "1"
		if tt.refused {
			w.offContract()
			w.bitbucket.Fault(bitbuckettest.Fault{Query: "fields=next", Times: -1, Status: 400})
		}
		r := w.run(tt.env)
		r.check(t, 0, "success")
		if d := cmp.Diff(tt.fields, w.fields()); d != "" {
			t.Errorf("%s: fields (-want +got):\n%s", tt.name, d)
		}
		if got, want := w.bitbucket.Requests(), 1+len(tt.fields); got != want {
			t.Errorf("%s: got %d requests, want %d", tt.name, got, want)
		}
		if got, want := r.notices("Bitbucket refused the list of fields that the mapping reads of pullrequests: whole objects were read"), len(tt.fields)-3; got != want {
			t.Errorf("%s: got %d notices, want %d: %v", tt.name, got, want, r.report["problems"])
		}
		got := w.pulls()
		if len(got) != 10+60 {
			t.Errorf("%s: got %d pull requests, want 70", tt.name, len(got))
		}
		if want == nil {
			want = got
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: the entities are others than of whole objects:\n%s", tt.name, d)
		}
	}
}

// notices counts those of a message in the report, as often as each is told.
func (r ran) notices(message string) (n int) {
	all, _ := r.report["problems"].([]any)
	for _, p := range all {
		if m, _ := p.(map[string]any); m["severity"] == "notice" && m["message"] == message {
			n++
		}
	}
	return n
}

// pulls are what Port holds of pull requests.
func (w *world) pulls() map[string]any {
	all := map[string]any{}
	for id, e := range w.port.Catalog()["bitbucketPullRequest"] {
		all[id] = []any{e.Title, e.Properties, e.Relations}
	}
	return all
}

// Another value is refused before anything is asked for.
func TestUnknownResponseFields(t *testing.T) {
	t.Parallel()
	w := pullWorld(t)
	r := w.run(map[string]string{"RESPONSE_FIELDS": "some"})
	if r.status != 2 {
		t.Errorf("got exit status %d, want 2", r.status)
	}
	for _, text := range []string{"response_fields", `"some" is not known`, "mapping", "all"} {
		if !strings.Contains(r.stdout+r.stderr, text) {
			t.Errorf("the output lacks %q:\n%s%s", text, r.stdout, r.stderr)
		}
	}
	w.checkRequests(0, 0)
}
