package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/clip"
)

// Change is what a sync would do to one entity, as a plan found it.
type Change struct {
	Action     string // create, update, delete or refuse
	Blueprint  string
	Identifier string
	Fields     []ChangedField // sorted by name
	Why        string         // why Port would refuse it, or what a deletion goes along with
}

// ChangedField is one value that would change; nil is none.
type ChangedField struct {
	Name     string // `title`, `property "url"`, `relation "project"`
	From, To any
}

// Changing says whether a sync would change something.
func (r *Report) Changing() bool {
	return r.Foreseen || slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Action != "refuse" })
}

// Bounds of what is told of changes: the lines of the log, and the bytes of a value
// in the report file and in a form for people.
const (
	maxChangeLines = 100
	maxValueBytes  = 4 << 10
	maxValue       = 80
)

// verbs of a plan and of what was done.
func (r *Report) verbs() (create, update, remove string) {
	if r.Planned {
		return "to create", "to update", "to delete"
	}
	return "created", "updated", "deleted"
}

func (r *Report) scrubChanges(redact func(string) string) {
	for i := range r.Changes {
		c := &r.Changes[i]
		c.Blueprint, c.Identifier, c.Why = redact(c.Blueprint), redact(c.Identifier), redact(c.Why)
		for j := range c.Fields {
			f := &c.Fields[j]
			f.Name, f.From, f.To = redact(f.Name), scrubbed(f.From, redact), scrubbed(f.To, redact)
		}
	}
}

func scrubbed(v any, redact func(string) string) any {
	switch v := v.(type) {
	case string:
		return redact(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = scrubbed(item, redact)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, member := range v {
			out[redact(k)] = scrubbed(member, redact)
		}
		return out
	}
	return v
}

// changeLines are one for each change, as far as a log bears them.
func (r *Report) changeLines() []string {
	var lines []string
	for i, c := range r.Changes {
		if i == maxChangeLines {
			lines = append(lines, fmt.Sprintf("%d more changes are in the report file (input report_file)", len(r.Changes)-i))
			break
		}
		lines = append(lines, c.line())
	}
	return lines
}

func (c Change) line() string {
	line := c.Action + " " + visible(c.Blueprint, maxName) + "/" + visible(c.Identifier, maxExample)
	if c.Action == "update" || c.Action == "refuse" {
		if text := c.fieldsText(maxMessage); text != "" {
			line += ": " + text
		}
	}
	if c.Why != "" {
		line += ": " + visible(c.Why, maxMessage)
	}
	return line
}

// fieldsText names what would change, from what to what, in so many characters.
func (c Change) fieldsText(most int) string {
	var parts []string
	for _, f := range c.Fields {
		parts = append(parts, f.Name+": "+valueText(f.From)+" → "+valueText(f.To))
	}
	return visible(strings.Join(parts, ", "), most)
}

func valueText(v any) string {
	if v == nil {
		return "none"
	}
	return clip.RunesWithin(string(encode(v)), maxValue, "…")
}

func (r *Report) changeTable() table {
	return table{
		title: fmt.Sprintf("\n### Changes: %d\n\n", len(r.Changes)),
		heads: []string{"Action", "Blueprint", "Entity", "What changes"},
		rows:  len(r.Changes),
		fold:  openProblems,
		row: func(i int) []string {
			c := r.Changes[i]
			what := ""
			switch {
			case c.Why != "":
				what = c.Why
			case c.Action == "update":
				what = c.fieldsText(maxMessage)
			}
			return []string{c.Action, cell(c.Blueprint, maxName), cell(c.Identifier, maxExample), cell(what, maxMessage)}
		},
	}
}

type changeJSON struct {
	Action     string      `json:"action"`
	Blueprint  string      `json:"blueprint"`
	Identifier string      `json:"identifier"`
	Fields     []fieldJSON `json:"fields"`
	Why        string      `json:"why"`
}

type fieldJSON struct {
	Name string `json:"name"`
	From any    `json:"from"`
	To   any    `json:"to"`
}

func (r *Report) changesJSON() []changeJSON {
	list := make([]changeJSON, len(r.Changes))
	for i, c := range r.Changes {
		list[i] = changeJSON{c.Action, c.Blueprint, c.Identifier, make([]fieldJSON, len(c.Fields)), c.Why}
		for j, f := range c.Fields {
			list[i].Fields[j] = fieldJSON{f.Name, bounded(f.From), bounded(f.To)}
		}
	}
	return list
}

// bounded is a value, or the beginning of its JSON where it is long.
func bounded(v any) any {
	text, err := json.Marshal(v)
	if err != nil || len(text) <= maxValueBytes {
		return v
	}
	return clip.RunesWithin(string(text), maxValueBytes/4, "…") // a character has four bytes at most
}
