package transform

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

var (
	// pullLeaves are what mappings of pull requests read, with mistakes.
	pullLeaves = []string{
		".", ".id", ".title", ".draft", ".state", ".author", ".author.display_name", ".author.links.avatar.href", ".closed_by.nickname?", ".source.branch.name", ".source.repository", ".summary.raw",
		".destination.repository.full_name", ".reviewers", ".reviewers[0].display_name", "[.reviewers[]?.display_name]", ".reviewers[]?", ".participants", ".participants[]", ".participants[-1].user",
		".participants[].approved", "first(.reviewers[]?)", "limit(1; .participants[]?)", "(.participants | map(select(.approved)) | length)", ".reviewers | length", ".author | {display_name}",
		". as {author: {display_name: $n}} | $n", ". as {participants: [$p]} | $p.role", "reduce .participants[]? as $p (0; . + ($p.n // 1))", "reduce .reviewers[]? as {uuid: $u} (\"\"; . + $u)",
		"foreach .reviewers[]? as $r (0; . + 1; $r.uuid)", "any(.participants[]?; .approved)", ".participants | all(.approved)", ".participants | sort_by(.role) | first | .user.uuid", ".participants | group_by(.role) | map(length)",
		".reviewers | map(.uuid) | join(\",\")", ".reviewers | map(.display_name? // \"none\")", `"\(.author.uuid)/\(.reviewers | length)"`, `@base32d "\(.title)"`, ".title | @base32d", "if has(\"author\") then .author.uuid else 0 end",
		"if .closed_by then .closed_by.uuid else .author.uuid end", ".links.html.href", ".summary.raw | test(\"a\")", ".item", ".item.uuid", ".item.user.display_name", "$ENV.A", "1", `"a"`, "null", "[]",
	}
	pullSteps = []string{
		".", ".uuid", ".display_name?", ".user", ".user.uuid?", ".approved", ".role", ".links", ".[0]", ".[]?", ".[]", ".[1:]", "length", "length?", "type", "not", "tostring", "keys?", "objects", "values", "arrays", "first", "last?", "reverse?",
		"map(.uuid)", "map(.user?)", "{uuid}", "{x: .display_name, y: .uuid}", "select(.approved)", "select(.uuid == \"a\")", "map(select(.approved))", "has(\"uuid\")?", "to_entries?", "tojson", "@json", "@base64", "error", "any", "min_by(.uuid)", "unique_by(.role)?", ". as [$a] | $a.uuid", ". as {uuid: $a} | $a",
	}
	pullForms = []string{
		"%s // %s", "%s + %s", "%s == %s", "%s and %s", "[%s]", "[%s] | .[0]", "[%s] | length", "{a: %s, b: %s} | .a", "{(%s | tostring): %s}", "if %s then %s else %s end", "if %s then %s end", "try %s catch .", "(%s)?", "\"x\\(%s)\"",
		"first(%s)", "isempty(%s)", "%s as $v | $v, %s", "%s as [$v] | $v | %s", "select(%s) | %s", "%s, %s", "%s > %s", "error(%s)", "label $out | %s, break $out", "map(%s)?", "any(%s; .)", "add(%s)",
	}
)

// pull is an expression of at most so many levels.
func (w *writer) pull(levels int) string {
	switch w.IntN(3) {
	case 0:
		if levels > 0 {
			form := w.pick(pullForms...)
			for strings.Contains(form, "%s") {
				form = strings.Replace(form, "%s", "("+w.pull(levels-1)+")", 1)
			}
			return form
		}
	case 1:
		return "(" + w.pick(pullLeaves...) + ") | " + w.pick(pullSteps...)
	}
	return w.pick(pullLeaves...)
}

// mapped is a resource of random expressions, of which few make it fail as a whole.
func (w *writer) mapped() keys {
	k := keys{query: "true", identifier: ".id | tostring", blueprint: `"service"`}
	some := func(into *string, often int) {
		if w.IntN(often) == 0 {
			*into = w.pull(1)
		}
	}
	some(&k.query, 4)
	some(&k.identifier, 4)
	some(&k.blueprint, 10)
	quoted := func(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
	k.query, k.identifier, k.blueprint = quoted("("+k.query+") | . == true or (type != \"boolean\" and . != null)"), quoted(k.identifier), quoted(k.blueprint)
	leaf := func() string { return quoted(w.pull(2)) }
	query := func() string {
		return "{combinator: '\"and\"', rules: [{property: '\"p\"', operator: '\"=\"', value: " + leaf() + "}]}"
	}
	k.rest = "title: " + leaf() + "\nteam: " + leaf() + "\nproperties: {a: " + leaf() + ", b: " + leaf() + "}\nrelations: {c: " + leaf() + ", d: " + query() + "}\n"
	switch w.IntN(4) {
	case 0:
		k.items = "itemsToParse: " + quoted(w.pick(".reviewers", ".participants", ".participants | map(select(.approved))", "[.author]", ".reviewers // []", w.pull(1)))
	case 1:
		k.items = "itemsToParse: " + quoted(w.pick(".reviewers", ".participants")) + "\nitemsToParseTopLevelTransform: " + w.pick("true", "false") + "\nitemsToParseName: " + w.pick("item", "author", "reviewers")
	}
	return k
}

// pullRequest is like one of Bitbucket, with values of other types here and there.
func (w *writer) pullRequest() map[string]any {
	var text func(levels int) any
	odd := func(v func() any) any {
		if w.IntN(12) > 0 {
			return v()
		}
		return text(2)
	}
	text = func(levels int) any {
		switch n := w.IntN(8); {
		case n == 0 && levels > 0:
			return map[string]any{"uuid": text(levels - 1), "user": text(levels - 1), "x": "y"}
		case n == 1 && levels > 0:
			return []any{text(levels - 1), text(levels - 1)}
		default:
			return []any{nil, true, false, "", "a", json.Number("1"), json.Number("1.50"), []any{}}[n]
		}
	}
	s := func(of ...any) func() any { return func() any { return of[w.IntN(len(of))] } }
	o := func(all map[string]func() any) func() any {
		return func() any {
			made := map[string]any{}
			for key, v := range all {
				if w.IntN(10) > 0 {
					made[key] = odd(v)
				}
			}
			return made
		}
	}
	list := func(v func() any) func() any {
		return func() any {
			made := make([]any, w.IntN(4))
			for i := range made {
				made[i] = odd(v)
			}
			return made
		}
	}
	name := s("a", "b", "Dana", "")
	link := o(map[string]func() any{"href": name})
	account := o(map[string]func() any{"type": s("user"), "uuid": name, "display_name": name, "nickname": name, "links": o(map[string]func() any{"avatar": link})})
	repository := o(map[string]func() any{"uuid": name, "full_name": s("acme/a"), "name": name})
	end := o(map[string]func() any{"branch": o(map[string]func() any{"name": name}), "repository": repository})
	made, _ := o(map[string]func() any{
		"id": s(json.Number("1"), json.Number("2")), "title": name, "draft": s(true, false, nil), "state": s("OPEN"), "author": account, "closed_by": s(nil, account()), "source": end, "destination": end,
		"summary": o(map[string]func() any{"raw": name}), "reviewers": list(account), "links": o(map[string]func() any{"html": link}),
		"participants": list(o(map[string]func() any{"user": account, "role": s("REVIEWER", "PARTICIPANT"), "approved": s(true, false), "n": s(json.Number("1"))})),
	})().(map[string]any)
	return made
}

// What is made of a pull request is made of what the mapping reads of it alone: entities,
// outcomes, faults and notes.
func TestProjectedObjectGivesTheSame(t *testing.T) {
	t.Parallel()
	w := &writer{Rand: rand.New(rand.NewPCG(3, 4))}
	outcomes, less, noted := map[Outcome]int{}, 0, 0
	for range 300 {
		k := w.mapped()
		m, err := mapping.Parse("mapping.yml", []byte(k.yaml()))
		if err != nil {
			t.Fatalf("%v\n%s", err, k.yaml())
		}
		p, err := Compile(m.Resources[0], nil, shape.Kind{})
		if err != nil {
			t.Fatalf("%v\n%s", err, k.yaml())
		}
		reads := p.Reads()
		for range 5 {
			object := w.pullRequest()
			projected, _ := reads.Project(object).(map[string]any)
			got, want := p.Apply(context.Background(), Source{Object: projected}), p.Apply(context.Background(), Source{Object: object})
			if g, w := told(t, got), told(t, want); g != w {
				t.Fatalf("it is said to read %q\n%s\nof %s\n%s\nof what it reads, %s\n%s\nby %s", listed(reads), w, encode(t, object), g, encode(t, projected), g, k.yaml())
			}
			for _, u := range want.Units {
				outcomes[u.Outcome]++
			}
			if len(encode(t, projected)) < len(encode(t, object)) {
				less++
			}
			noted += len(want.Notes)
		}
	}
	for _, o := range []Outcome{Mapped, Filtered, Skipped, Failed, Refused} {
		if outcomes[o] < 20 {
			t.Errorf("only %d units are %s", outcomes[o], o)
		}
	}
	if less < 400 || noted < 400 {
		t.Errorf("only %d objects are smaller, and there are %d notes", less, noted)
	}
}

// told is all of a result, as text.
func told(t *testing.T, r Result) string {
	var all []string
	for _, u := range r.Units {
		all = append(all, fmt.Sprintf("%d %s %q %s %s", u.Entry, u.Outcome, u.Blueprint, encode(t, u.Fields), faultOf(u.Fault)))
	}
	for _, n := range r.Notes {
		all = append(all, fmt.Sprintf("%s: %+v", n.Expr.Text, []any{n.Raised, n.LeftOut, n.NoFiles, n.Message}))
	}
	return strings.Join(slices.Concat(all, []string{fmt.Sprint(r.NotArray, r.Missing)}), "\n")
}

func faultOf(f *Fault) string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf("%s: %+v", f.Expr.Text, []any{f.Selector, f.Raised, f.Message, f.Value, f.Fix})
}
