package resync_test

import (
	"regexp"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/face"
)

// torn is the place where a sentence lacks what it was about to name.
var torn = regexp.MustCompile(`\b(?:for|of|from|named) (?:[;,:)]|$)|[:,] ?[;)]|\( ?\)|[0-9] :|(?:repository|file|folder|branch|project|resource) ""|\(once: *\)|first: *\)`)

// whole checks that every problem of a run names what it is about.
func (w *world) whole(r result) {
	w.t.Helper()
	for _, p := range r.report.Problems() {
		for _, text := range []string{p.Message, p.Example, p.Fix, face.Line(p)} {
			if at := torn.FindString(text); at != "" && text != "" {
				w.t.Errorf("a problem ends in the middle, at %q: %s", at, face.Line(p))
			}
		}
	}
}

// Whatever Bitbucket leaves out of an object, a problem of it says of which object it is.
func TestProblemsNameTheirObject(t *testing.T) {
	const oddEntities = `
- kind: KIND
  selector: {query: '(.type | tonumber) == 1'}
  port: {entity: {mappings: {identifier: .nothing, blueprint: '"repo"'}}}
- kind: KIND
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: .nothing, blueprint: '"repo"'}}}
- kind: KIND
  selector: {query: 'true'}
  port: {itemsToParse: .nothing, entity: {mappings: {identifier: .item, blueprint: '"repo"'}}}
- kind: KIND
  selector: {query: 'true'}
  port: {itemsToParse: '.links | keys | map(tonumber)', entity: {mappings: {identifier: .item, blueprint: '"repo"'}}}
- kind: KIND
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: '.type | tonumber', blueprint: '"repo"'}}}
- kind: KIND
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: '"x" + (.uuid // .id | tostring | gsub("[{}]"; ""))', blueprint: '"repo"', properties: {url: '.links | tonumber', size: .nothing}}}}`
	for kind, without := range map[string][]string{
		"project":      {"links", "name", "key"},
		"repository":   {"links", "full_name", "name"},
		"pull-request": {"links", "title"},
	} {
		for n := range without {
			t.Run(kind+" without "+without[n], func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					b := acme("PAY/api", "PAY/web")
					b.AddPullRequest("api", bitbuckettest.PullRequest{Title: "x"})
					w := newWorld(t, b)
					w.unequal = true
					b.Fault(bitbuckettest.Fault{Times: -1, Mutate: func(o map[string]any) {
						values, _ := o["values"].([]any)
						for _, v := range values {
							for _, field := range without[:n+1] {
								delete(v.(map[string]any), field)
							}
						}
					}})
					r := w.sync(mapped(regexp.MustCompile("KIND").ReplaceAllString(oddEntities, kind)))
					for _, part := range []string{"failed: the object is left out", "identifier or blueprint is null", "objects without an array", "raised an error, and is null"} {
						if p := r.problem(part); p.Example == "" {
							t.Errorf("%s: no example", p)
						}
					}
				})
			})
		}
	}
}
