package check_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/blueprint"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/transform"
)

// What the mapping sets and a blueprint of the file lacks is told where it is set; what the
// file does not hold, what is computed, and what is not wanted is left alone.
func TestAgainst(t *testing.T) {
	t.Parallel()
	bound, problems := check.Check("m.yml", []byte(`resources:
  - kind: repository
    selector: {query: 'true'}
    port:
      entity:
        mappings:
          - identifier: .slug
            blueprint: '"service"'
            properties:
              url: .links.html.href
              ulr: .links.html.href
              score: .size
            relations:
              owner:
                combinator: '"and"'
                rules: [{property: '"email"', operator: '"="', value: .name}]
              project: .project.key
          - identifier: .slug + "-x"
            blueprint: '"elsewhere"'
            properties: {anything: .name}
          - identifier: .slug + "-y"
            blueprint: .name
            properties: {anything: .name}
`), transform.Environment{})
	file, fileProblems := blueprint.Read("b.json", []byte(`[{"identifier": "service", "title": "S", "schema": {"properties": {"url": {"type": "string"}}},
  "relations": {"project": {"target": "project", "required": false, "many": false}},
  "calculationProperties": {"score": {"calculation": "1", "type": "number"}}}]`))
	if bound == nil || file == nil {
		t.Fatal(problems, fileProblems)
	}
	all := func(string) bool { return true }
	var got []string
	for _, p := range bound.Against(file, all) {
		got = append(got, p.At.String()+" "+p.Text()+" | "+p.Fix)
	}
	want := []string{
		`m.yml:11:20 resource 1 (repository): property "ulr": blueprint "service" has no such property | did you mean "url"? Else add it to the blueprint, in b.json:1:2, or correct the name here`,
		`m.yml:12:22 resource 1 (repository): property "score": Port works it out itself: it stands below "calculationProperties" of blueprint "service" | remove it from the mapping`,
		`m.yml:15:29 resource 1 (repository): relation "owner": blueprint "service" has no such relation | add it to the blueprint, in b.json:1:2, or correct the name here`,
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("got -, want +\n%s", diff)
	}
	if left := bound.Against(file, func(id string) bool { return !strings.HasPrefix(id, "serv") }); len(left) > 0 {
		t.Errorf("got problems of a blueprint that is not wanted: %v", left)
	}
}
