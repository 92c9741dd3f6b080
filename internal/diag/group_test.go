package diag

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// One cause is one problem that names its objects; what has another message or another fix is
// another.
func TestGrouped(t *testing.T) {
	t.Parallel()
	at := func(line int) Position { return Position{File: "m.yml", Line: line} }
	const gone = `Port has no blueprint "service"`
	tests := []struct {
		name     string
		problems Problems
		want     []string // text, count, fix
	}{
		{"one", Problems{{Where: Where{Resource: 2, Kind: "repository"}, Message: "bad", Fix: "mend"}}, []string{"resource 2 (repository): bad|0|mend"}},
		{"several resources", Problems{
			{Where: Where{Resource: 12, Kind: "file", Part: "blueprint"}, At: at(9), Message: gone, Fix: "make it", Count: 2},
			{Where: Where{Resource: 3, Kind: "repository", Part: "blueprint"}, At: at(7), Message: gone, Fix: "make it"},
			{Where: Where{Resource: 5, Kind: "repository", Part: "blueprint"}, At: at(8), Message: gone, Fix: "make it"},
		}, []string{`resources 3, 5 and 12 (repository, file): blueprint: Port has no blueprint "service" (also at m.yml:7, m.yml:8)|4|make it`}},
		{"another property", Problems{
			{Where: Where{Resource: 1, Kind: "file", Part: `property "a"`}, Message: "bad"},
			{Where: Where{Resource: 1, Kind: "file", Part: `property "b"`}, Message: "bad"},
		}, []string{`resource 1 (file): property "a": bad|0|`, `resource 1 (file): property "b": bad|0|`}},
		{"another fix", Problems{
			{Where: Where{Resource: 1, Kind: "file"}, Message: "bad", Fix: "a"},
			{Where: Where{Resource: 2, Kind: "file"}, Message: "bad", Fix: "b"},
		}, []string{"resource 1 (file): bad|0|a", "resource 2 (file): bad|0|b"}},
		{"another severity", Problems{
			{Where: Where{Resource: 1, Kind: "file"}, Message: "bad", Severity: Warning},
			{Where: Where{Resource: 2, Kind: "file"}, Message: "bad"},
		}, []string{"resource 2 (file): bad|0|", "resource 1 (file): bad|0|"}},
		{"a cause", Problems{
			{Where: Where{Resource: 1, Kind: "project", Part: `list projects of workspace "acme"`}, Message: "GET /p: 401 no", Cause: "Bitbucket: 401 no", Fix: "check it"},
			{Where: Where{Resource: 2, Kind: "repository", Part: `list repositories of workspace "acme"`}, Message: "GET /r: 401 no", Cause: "Bitbucket: 401 no", Fix: "check it"},
		}, []string{`resources 1 and 2 (project, repository): list projects of workspace "acme", list repositories of workspace "acme": Bitbucket: 401 no|2|check it`}},
		{"no resource", Problems{{Where: Where{Input: "kinds"}, Message: "bad", Cause: "c"}, {Message: "bad", Cause: "c"}}, []string{"input kinds: bad|2|"}},
		{"most frequent first", Problems{
			{Message: "two", Count: 2},
			{Where: Where{Resource: 1, Kind: "file"}, Message: "many"}, {Where: Where{Resource: 2, Kind: "file"}, Message: "many"}, {Where: Where{Resource: 3, Kind: "file"}, Message: "many"},
		}, []string{"resources 1, 2 and 3 (file): many|3|", "two|2|"}},
	}
	var many Problems
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		many = append(many, Problem{Where: Where{Resource: 3, Kind: "tag", Part: `list tags of repository "` + name + `"`}, Message: "GET /" + name + ": 403", Cause: "403",
			Fix: "give it access; leave out " + name})
	}
	tests = append(tests, struct {
		name     string
		problems Problems
		want     []string
	}{"many objects", many, []string{`resource 3 (tag): list tags of repository "a", "b", "c" and 2 more: 403|5|give it access`}})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range tt.problems.Grouped() {
				got = append(got, fmt.Sprintf("%s|%d|%s", p.Text(), p.Count, p.Fix))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Grouped (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBrief(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		p    Problem
		want string
	}{
		{Problem{Message: "bad"}, "bad"},
		{Problem{Where: Where{Resource: 1, Kind: "file", Part: `property "a"`}, Message: "bad"}, `property "a": bad`},
		{Problem{Where: Where{Resource: 1, Kind: "file", Part: "blueprint"}, Message: "Port has none"}, "Port has none"},
		{Problem{Where: Where{Resource: 1, Kind: "file", Part: "list files"}, Message: "GET /x: 403", Cause: "403"}, "list files: 403"},
		{Problem{Where: Where{Resources: "resources 1 and 2 (file)", Part: "list files, list tags"}, Message: "403", Cause: "403"}, "403"},
	} {
		if got := tt.p.Brief(); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.p.Text(), got, tt.want)
		}
	}
}
