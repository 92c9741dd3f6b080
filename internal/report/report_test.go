package report

import (
	"strconv"
	"testing"

	"port-bitbucket-exporter/internal/catalog"
)

func TestBalance(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		counts Counts
		want   string
	}{
		{"zero", Counts{}, ""},
		{"all", Counts{Extracted: 21, Filtered: 1, Skipped: 2, Failed: 3, Transformed: 15,
			Created: 1, Updated: 2, Unchanged: 3, Rejected: 4, Merged: 5}, ""},
		{"object lost", Counts{Extracted: 2, Filtered: 1}, "2 objects extracted, but 1 accounted for"},
		{"entity lost", Counts{Extracted: 2, Transformed: 2, Created: 1}, "2 entities transformed, but 1 accounted for"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := tt.counts.Balance(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTotal(t *testing.T) {
	t.Parallel()
	r := Report{Resources: []*Resource{
		{Counts: Counts{Extracted: 4, Transformed: 4, Unchanged: 4}},
		{Counts: Counts{
			Extracted: 120, Filtered: 3, Skipped: 2, Failed: 1, Transformed: 114,
			Created: 12, Updated: 3, Unchanged: 90, Rejected: 8, Merged: 1,
		}},
	}}
	got := r.Total()
	want := Counts{Extracted: 124, Filtered: 3, Skipped: 2, Failed: 1, Transformed: 118,
		Created: 12, Updated: 3, Unchanged: 94, Rejected: 8, Merged: 1}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := got.Balance(); err != nil {
		t.Error(err)
	}
}

func TestBlueprintIsOne(t *testing.T) {
	t.Parallel()
	var r Report
	r.Blueprint("b").Created++
	r.Blueprint("a").Deleted++
	r.Blueprint("b").Created++
	if got := len(r.Blueprints); got != 2 {
		t.Fatalf("got %d blueprints, want 2", got)
	}
	if got := r.Blueprint("b").Created; got != 2 {
		t.Errorf("got %d created, want 2", got)
	}
	if got := r.Blueprints[0].Identifier; got != "b" {
		t.Errorf("telling a report must not reorder it: got %q first, want %q", got, "b")
	}
}

// Of very many entities the first are named; a plan has its changes from elsewhere.
func TestNamedEntitiesAreBounded(t *testing.T) {
	t.Parallel()
	r, planned := Report{}, Report{Planned: true}
	for i := range maxDeleted + 1 {
		ref := catalog.Ref{Blueprint: "b", Identifier: strconv.Itoa(i)}
		r.NoteDeleted(ref)
		r.NoteKept(ref, "why")
		planned.NoteDeleted(ref)
	}
	if len(r.Changes) != maxDeleted || r.Changes[0].Action != catalog.Delete || r.Changes[0].Ref.Identifier != "0" {
		t.Errorf("got %d deleted, want %d", len(r.Changes), maxDeleted)
	}
	if len(r.Kept) != maxKept || r.Kept[0].Ref.Identifier != "0" || r.Kept[0].Why != "why" {
		t.Errorf("got %d kept, want %d", len(r.Kept), maxKept)
	}
	if len(planned.Changes) != 0 {
		t.Errorf("a plan: got %d changes, want none", len(planned.Changes))
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	github := Checkout{Page: "https://github.com/acme/portal/blob/1a2b3c/", Line: "#L"}
	for _, tt := range []struct {
		checkout Checkout
		path     string
		line     int
		want     string
	}{
		{github, "port/mapping.yml", 14, "https://github.com/acme/portal/blob/1a2b3c/port/mapping.yml#L14"},
		{github, "port/mapping.yml", 0, "https://github.com/acme/portal/blob/1a2b3c/port/mapping.yml"},
		{github, "a b/#?%.yml", 1, "https://github.com/acme/portal/blob/1a2b3c/a%20b/%23%3F%25.yml#L1"},
		{Checkout{Page: "https://bitbucket.org/acme/portal/src/1a2b3c/", Line: "#lines-"}, "m.yml", 3, "https://bitbucket.org/acme/portal/src/1a2b3c/m.yml#lines-3"},
		{Checkout{Page: "https://dev.azure.com/acme/p/_git/portal?version=GC1a2b3c&path=/", Line: "&line="}, "a&b/m.yml", 3, "https://dev.azure.com/acme/p/_git/portal?version=GC1a2b3c&path=/a%26b/m.yml&line=3"},
		{github, "../m.yml", 1, ""},
		{github, "/etc/m.yml", 1, ""},
		{github, "", 1, ""},
		{Checkout{Line: "#L"}, "m.yml", 1, ""},
		{Checkout{Page: "javascript:alert(1)//"}, "m.yml", 1, ""},
	} {
		at := func(name string) File { return File{Name: name, Path: tt.path} }
		r := Report{Subject: Subject{Checkout: tt.checkout}, Mapping: Mapping{File: at("given"), Others: []File{at("second"), at("third")}, Blueprints: at("blueprints")}}
		for _, name := range []string{"given", "second", "third", "blueprints"} {
			if got := r.Link(name, tt.line); got != tt.want {
				t.Errorf("%s, %s %d: got %q, want %q", name, tt.path, tt.line, got, tt.want)
			}
		}
		if got := r.Link("another", tt.line); got != "" {
			t.Errorf("another file: got %q, want none", got)
		}
	}
}
