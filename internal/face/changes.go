package face

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/report"
)

// changed are the changes of one action, by blueprint and identifier.
func (w words) changed(action catalog.Action) []catalog.Change {
	var all []catalog.Change
	for _, c := range w.Changes {
		if c.Action == action {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b catalog.Change) int {
		return cmp.Or(cmp.Compare(a.Ref.Blueprint, b.Ref.Blueprint), cmp.Compare(a.Ref.Identifier, b.Ref.Identifier))
	})
	return all
}

// entityText names an entity on one line.
func entityText(ref catalog.Ref) string {
	return visible(ref.Blueprint, maxName) + "/" + visible(ref.Identifier, maxExample)
}

// entityLine names the entity of a change, and why it is made or not.
func entityLine(mark string, c catalog.Change) string {
	line := mark + " " + entityText(c.Ref)
	if c.Why != "" {
		line += ": " + visible(c.Why, maxMessage)
	}
	return line
}

// fieldLines are what changes of an entity, property by property, the old value before the new
// one.
func fieldLines(c catalog.Change) []string {
	var all []string
	for _, f := range c.Fields {
		from, to := valueTexts(f.From, f.To)
		name := visible(f.Name, maxName) + ": "
		if f.From != nil {
			all = append(all, "- "+name+from)
		}
		if f.To != nil {
			all = append(all, "+ "+name+to)
		}
	}
	return all
}

// valueTexts returns two values as JSON on one line. Of long ones it shows where they begin to
// differ.
func valueTexts(from, to any) (string, string) {
	a, b := []rune(string(encode(from))), []rune(string(encode(to)))
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	const before = 24 // characters that are shown of what is the same
	cut := func(v any, text []rune) string {
		if v == nil {
			return "none"
		}
		if len(text) <= maxValue {
			return string(text)
		}
		start := min(max(same-before, 0), len(text)-maxValue/2)
		if start == 0 {
			return clip.RunesWithin(string(text), maxValue, "…")
		}
		return "…" + clip.RunesWithin(string(text[start:]), maxValue-1, "…")
	}
	return cut(from, a), cut(to, b)
}

// heading says how many of something there are.
func heading(title string, n int) string {
	return fmt.Sprintf("\n### %s: %s\n\n", title, digits(int64(n)))
}

// changeBlock lists changes under a title, each as its lines.
func changeBlock(title string, changes []catalog.Change, text func(c catalog.Change) string) block {
	return block{
		title: heading(title, len(changes)), language: "diff", items: len(changes),
		item: func(i int) string { return text(changes[i]) },
	}
}

// deletions are complete as far as there is room.
func (m markdown) deletions() block {
	_, _, remove := m.verbs()
	b := changeBlock("", m.changed(catalog.Delete), func(c catalog.Change) string { return entityLine("-", c) + "\n" })
	b.total = max(m.Totals().Deleted, b.items)
	b.title, b.first = heading(strings.ToUpper(remove[:1])+remove[1:], b.total), true
	return b
}

func (m markdown) updates() block {
	return changeBlock("To update", m.changed(catalog.Update), func(c catalog.Change) string {
		return strings.Join(append([]string{"@@ " + entityText(c.Ref) + " @@"}, fieldLines(c)...), "\n") + "\n"
	})
}

func (m markdown) refusals() block {
	return changeBlock("Port would refuse", m.changed(catalog.Refuse), func(c catalog.Change) string { return entityLine("!", c) + "\n" })
}

// creations are folded: there are many, and none is lost by them.
func (m markdown) creations() block {
	b := changeBlock("", m.changed(catalog.Create), func(c catalog.Change) string { return entityLine("+", c) + "\n" })
	b.title, b.fold = "\n", fmt.Sprintf("To create: %s", digits(int64(b.items)))
	return b
}

// kept are the stale entities that stay, and why.
func (m markdown) kept() part {
	var held []*report.Blueprint
	for _, b := range m.SortedBlueprints() {
		if b.StaleKept > 0 || b.HeldBy != "" {
			held = append(held, b)
		}
	}
	why := table{
		title: heading("Stale, and kept", m.Totals().StaleKept),
		heads: []string{"Blueprint", "Stale>", "Why they stay"},
		rows:  len(held),
		row: func(i int) []string {
			return []string{cell(held[i].Identifier, maxName), digits(int64(held[i].StaleKept)), cell(cmp.Or(held[i].HeldBy, "see the problems"), maxMessage)}
		},
	}
	names := slices.SortedFunc(slices.Values(m.Kept), func(a, b report.Kept) int {
		return cmp.Or(cmp.Compare(a.Ref.Blueprint, b.Ref.Blueprint), cmp.Compare(a.Ref.Identifier, b.Ref.Identifier))
	})
	return both{why, block{
		title: "\n", fold: "Their names", language: "text", items: len(names), total: m.Totals().StaleKept,
		item: func(i int) string {
			text := entityText(names[i].Ref)
			if !slices.ContainsFunc(held, func(b *report.Blueprint) bool {
				return b.Identifier == names[i].Ref.Blueprint && b.HeldBy == names[i].Why
			}) { // else the table says why
				text += ": " + visible(names[i].Why, maxFix)
			}
			return text + "\n"
		},
	}}
}

// both are two parts, the second of which takes what the first leaves.
type both struct{ one, other part }

func (b both) render(limit int) string {
	text := b.one.render(limit)
	if text == "" {
		return ""
	}
	return text + b.other.render(limit-len(text))
}
