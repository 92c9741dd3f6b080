package resync_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/transport"
)

const noStubs = "createMissingRelatedEntities: false"

// sends counts how often each entity went out, as "blueprint/identifier".
func (r result) sends() map[string]int {
	count := map[string]int{}
	for _, x := range r.writes {
		if blueprint, bulk := strings.CutSuffix(strings.TrimPrefix(x.Path, "/v1/blueprints/"), "/entities/bulk"); bulk {
			for _, id := range identifiers(x.RequestBody) {
				count[blueprint+"/"+id]++
			}
		}
	}
	return count
}

// sentOnce checks that nothing went out twice.
func (r result) sentOnce() result {
	r.t.Helper()
	for ref, n := range r.sends() {
		if n > 1 {
			r.t.Errorf("%s went out %d times, want once", ref, n)
		}
	}
	return r
}

// Nothing is created for a relation: the mapping's order, that of the list and that
// of the entries may be the wrong one, and each entity goes out once.
func TestEveryOrderWorks(t *testing.T) {
	t.Parallel()
	node := func(blueprint, relations string) string {
		return entity("repository", `{identifier: .slug, title: .name, blueprint: '"`+blueprint+`"', relations: {`+relations+`}}`)
	}
	const next = `'if .slug == "r24" then [] else ["r" + ("0" + (.slug[1:]|tonumber + 1|tostring))[-2:]] end'`
	for _, c := range []struct {
		name, mapping string
		writes        int
	}{
		{"three blueprints in reverse", mapped(noStubs, pulls, repos, projects), 1 + 2 + 1},
		{"in the right order", mapped(noStubs, projects, repos, pulls), 1 + 2 + 1},
		{"relations within a blueprint, the last one first", mapped(noStubs, node("a", "to-a: "+next)), 2},
		{"and over others", mapped(noStubs, node("c", "to-b: '[.slug]', to-c: "+next), node("b", "to-a: '[.slug]'"), node("a", "to-a: "+next)), 6},
		{"entries of one resource", mapped(noStubs, entity("repository", `[{identifier: .slug, title: .name, blueprint: '"b"', relations: {to-a: '[.slug]'}}, {identifier: .slug, title: .name, blueprint: '"a"'}]`)), 4},
		{"blueprints that relate to each other", mapped(noStubs, node("a", `to-b: 'if .slug == "r00" then [] else [.slug] end'`), node("b", `to-a: 'if .slug == "r00" then [.slug] else [] end'`)), 5},
		{"a computed blueprint", mapped(noStubs, strings.Replace(node("c", "to-a: '[.slug]'"), `'"c"'`, `'"c" + ""'`, 1), node("a", "")), 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := numbered(25)
				for i := range 10 {
					b.AddPullRequest(fmt.Sprintf("r%02d", i), bitbuckettest.PullRequest{Title: "x"})
				}
				w := newWorld(t, b)
				w.graph("a", "b", "c")
				r := w.sync(c.mapping).ended(report.Success).is(want{"rejected": 0, "writes": c.writes}).sentOnce()
				if r.counts.Created != r.counts.Extracted {
					t.Errorf("created %d of %d", r.counts.Created, r.counts.Extracted)
				}
				w.sync(c.mapping).ended(report.Success).is(want{"writes": 0, "deleted": 0})
			})
		})
	}
}

// atOnce is a Port that looks for what entities relate to before it stores any of a
// request: the documentation does not say that it takes them in turn.
func atOnce(base http.RoundTripper) http.RoundTripper {
	return transport.Func(func(req *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(req.URL.Path, "/entities/bulk") {
			return base.RoundTrip(req)
		}
		var sent struct{ Entities []map[string]any }
		if err := json.NewDecoder(req.Body).Decode(&sent); err != nil {
			return nil, err
		}
		entities, refused, index := []any{}, []any{}, []int{}
		for i, e := range sent.Entities {
			targets := fmt.Sprint(e["relations"])
			if slices.ContainsFunc(sent.Entities[:i], func(o map[string]any) bool { return strings.Contains(targets, o["identifier"].(string)) }) {
				refused = append(refused, map[string]any{"index": i, "statusCode": 404, "error": "not_found", "message": "a related entity was not found"})
			} else {
				entities, index = append(entities, e), append(index, i)
			}
		}
		body, err := json.Marshal(map[string]any{"entities": entities})
		if err != nil {
			return nil, err
		}
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		resp, err := base.RoundTrip(req)
		if err != nil || resp.StatusCode/100 != 2 {
			return resp, err
		}
		var answer map[string]any
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			return nil, err
		}
		for _, list := range []string{"entities", "errors"} {
			all, _ := answer[list].([]any)
			for _, e := range all {
				one := e.(map[string]any)
				one["index"] = index[int(one["index"].(float64))]
			}
		}
		answer["errors"] = append(answer["errors"].([]any), refused...)
		text, err := json.Marshal(answer)
		resp.StatusCode, resp.Body = http.StatusMultiStatus, io.NopCloser(bytes.NewReader(text))
		return resp, err
	})
}

// Where Port does not take the entities of one request in turn, those that relate to
// each other share none, after the first time.
func TestEntitiesOfOneRequestAreNotTakenInTurn(t *testing.T) {
	for name, c := range map[string]struct {
		next   string
		writes int
	}{
		"a chain": {`'if .slug == "r24" then [] else ["r" + ("0" + (.slug[1:]|tonumber + 1|tostring))[-2:]] end'`, 2 + 24 + 1},
		"a star":  {`'if .slug == "r24" then [] else ["r24"] end'`, 1 + 1 + 2},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, numbered(25))
				w.graph("a")
				w.through = atOnce
				r := w.sync(mapped(noStubs, entity("repository", `{identifier: .slug, title: .name, blueprint: '"a"', relations: {to-a: `+c.next+`}}`)))
				r.ended(report.Success).is(want{"created": 25, "rejected": 0})
				if len(r.writes) > c.writes {
					t.Errorf("got %d requests, want %d at most", len(r.writes), c.writes)
				}
			})
		})
	}
}

func TestCyclesAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, mapping string
		created       int
		told          []string
		notTold       string
	}{
		{"within a blueprint", mapped(noStubs, entity("repository", `{identifier: .slug, title: .name, blueprint: '"a"', relations: {to-a: '{r00: ["r01"], r01: ["r02"], r02: ["r00"], r03: ["r01"]}[.slug] // []'}}`)), 1,
			[]string{`error: mapping.yml:5:`, `resource 1 (repository): relation "to-a": Port refused the entity of blueprint "a", since none of a cycle of relations can be created before the others: a/r00 → a/r01 → a/r02 → a/r00`,
				"3 times", "x-trace-id", "fix: set createMissingRelatedEntities: true, or leave the relation out of one of them"}, ""},
		{"over two blueprints", mapped(noStubs, entity("repository", `{identifier: .slug, title: .name, blueprint: '"a"', relations: {to-b: '[.slug]'}}`),
			entity("repository", `{identifier: .slug, title: .name, blueprint: '"b"', relations: {to-a: 'if .slug == "r00" then ["r00"] else [] end'}}`)), 8,
			[]string{"error", "a/r00 → b/r00 → a/r00", "fix: set createMissingRelatedEntities: true"}, ""},
		{"a long one", mapped(noStubs, entity("repository", `{identifier: .slug, title: .name, blueprint: '"a"', relations: {to-a: '["r0" + (((.slug[1:]|tonumber) + 1) % 5 | tostring)]', to-b: '["r0" + (((.slug[1:]|tonumber) + 1) % 5 | tostring)]'}}`),
			entity("repository", `{identifier: .slug, title: .name, blueprint: '"b"', relations: {to-a: '[.slug]'}}`)), 0,
			[]string{"error", "a/r00 → a/r01 → a/r02 → a/r03 → a/r04 → a/r00"}, ""},
		{"with itself: none", mapped(noStubs, entity("repository", `{identifier: .slug, title: .name, blueprint: '"a"', relations: {to-a: '[.slug]'}}`)), 5, nil, "cycle"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, numbered(5))
				w.graph("a", "b")
				r := w.sync(c.mapping).is(want{"created": c.created})
				if c.told != nil {
					r.problem(c.told...)
				}
				if c.notTold != "" && strings.Contains(r.story(), c.notTold) {
					t.Errorf("told of %q:\n%s", c.notTold, r.story())
				}
				w.unequal = true // stubs are filled
				w.sync(strings.Replace(c.mapping, noStubs, "createMissingRelatedEntities: true", 1)).ended(report.Success).is(want{"rejected": 0})
			})
		})
	}
}

// The relation left out of an entry of its own, a cycle can be created.
func TestACycleInTwoEntries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(5))
		w.graph("a")
		m := mapped(noStubs, entity("repository", `[{identifier: .slug, title: .name, blueprint: '"a"'},
    {identifier: .slug, blueprint: '"a"', relations: {to-a: '["r0" + (((.slug[1:]|tonumber) + 1) % 5 | tostring)]'}}]`))
		r := w.sync(m).ended(report.Success).is(want{"created": 5, "merged": 5, "rejected": 0})
		if got := fmt.Sprint(r.after["a"]["r04"].Relations["to-a"]); got != "[r00]" {
			t.Errorf("relation of r04: got %s, want [r00]", got)
		}
		w.sync(m).is(want{"writes": 0})
	})
}

// What leads into a cycle names what it lacks, and so does what relates to nothing
// that is there.
func TestMissingEntitiesAreNamed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(5))
		w.graph("a", "b", "c")
		w.port.PutEntity("c", porttest.Entity{Identifier: "of-others", Datasource: "someone"})
		m := mapped(noStubs, entity("repository", `{identifier: .slug, title: .name, blueprint: '"a"', relations: {to-a: '{r00: ["r00", "r01"], r01: ["r00"], r02: ["r01"]}[.slug] // []',
    to-c: 'if .slug == "r03" then ["gone-" + .slug] else ["of-others"] end'}}`))
		r := w.sync(m).ended(report.Partial).is(want{"created": 1, "rejected": 4}).has("a", "r04")
		r.problem("error: mapping.yml:5:", `relation "to-a": Port refused the entity of blueprint "a": 404 Not Found`, "a/r02 from", "it relates to a/r01, which was not stored either")
		r.problem("error: mapping.yml:6:", `relation "to-c": Port refused the entity of blueprint "a": 404 Not Found: relation "to-c": entity "…" of blueprint "c" was not found`,
			"it relates to c/gone-r03, which is not there", "set createMissingRelatedEntities: true")
		if n := r.sends()["a/r03"]; n != 1 {
			t.Errorf("a/r03 went out %d times, want once: the mapping cannot bring what it lacks", n)
		}
	})
}

// One cause is one line, also for what is missing.
func TestManyMissingEntitiesAreOneLine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, numbered(50))
		r := w.sync(mapped(noStubs, entity("repository", `{identifier: .slug, title: .name, blueprint: '"repo"', relations: {project: '"gone-" + .slug'}}`))).is(want{"rejected": 50}).sentOnce()
		r.problem("error", "50 times", `relation "project"`, "it relates to project/gone-r00, which is not there")
		if n := len(r.report.Problems()); n != 1 {
			t.Errorf("got %d problems, want one\n%s", n, r.story())
		}
	})
}

// Any relations among what three resources produce, in any order: all is created
// that can be, once each; nothing else.
func TestCreatesTheMostThatCanBe(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		blueprints := rapid.Permutation([]string{"a", "b", "c"}).Draw(rt, "order")
		var all []string
		for i := range rapid.IntRange(1, 6).Draw(rt, "repositories") {
			for _, b := range blueprints {
				all = append(all, fmt.Sprintf("%s/r%d", b, i))
			}
		}
		relates := map[string][]string{}
		for _, ref := range all {
			for range rapid.IntRange(0, 2).Draw(rt, "relations of "+ref) {
				relates[ref] = append(relates[ref], rapid.SampledFrom(append(all, "a/gone")).Draw(rt, "related to"))
			}
		}
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, numberedPlain(len(all)/3))
			w.graph("a", "b", "c")
			var resources []string
			for _, b := range blueprints {
				resources = append(resources, entity("repository", `{identifier: .slug, title: .name, blueprint: '"`+b+`"', relations: {`+relationsOf(b, relates)+`}}`))
			}
			r := w.sync(mapped(append(resources, noStubs)...))
			can := creatable(all, relates)
			sends := r.sends()
			for _, ref := range all {
				blueprint, id, _ := strings.Cut(ref, "/")
				if _, there := r.after[blueprint][id]; there != can[ref] {
					t.Errorf("%s: there %t, want %t\n%s", ref, there, can[ref], r.story())
				}
				if can[ref] && sends[ref] != 1 {
					t.Errorf("%s went out %d times, want once", ref, sends[ref])
				}
			}
			r.is(want{"created": len(can), "rejected": len(all) - len(can)})
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// numberedPlain is a workspace of repositories r0, r1 and so on.
func numberedPlain(n int) *bitbuckettest.Server {
	b := bitbuckettest.New("acme")
	for i := range n {
		b.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("r%d", i)})
	}
	return b
}

// relationsOf is the mapping of the relations of a blueprint's entities.
func relationsOf(blueprint string, relates map[string][]string) string {
	var fields []string
	for _, target := range []string{"a", "b", "c"} {
		of := map[string][]string{}
		for from, targets := range relates {
			for _, to := range targets {
				if id, ofThis := strings.CutPrefix(from, blueprint+"/"); ofThis && strings.HasPrefix(to, target+"/") {
					of[id] = append(of[id], strings.TrimPrefix(to, target+"/"))
				}
			}
		}
		text, err := json.Marshal(of)
		if err != nil {
			panic(err)
		}
		fields = append(fields, fmt.Sprintf("to-%s: '%s[.slug] // []'", target, text))
	}
	return strings.Join(fields, ", ")
}

// creatable is what can be created, one after the other.
func creatable(all []string, relates map[string][]string) map[string]bool {
	can := map[string]bool{}
	for grown := true; grown; {
		grown = false
		for _, ref := range all {
			if !can[ref] && !slices.ContainsFunc(relates[ref], func(to string) bool { return to != ref && !can[to] }) {
				can[ref], grown = true, true
			}
		}
	}
	return can
}
