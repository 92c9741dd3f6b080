package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
)

type resourceJSON struct {
	Index       int      `json:"index"`
	Kind        string   `json:"kind"`
	Blueprints  []string `json:"blueprints"`
	Extracted   int      `json:"extracted"`
	Transformed int      `json:"transformed"`
	Filtered    int      `json:"filtered"`
	Skipped     int      `json:"skipped"`
	Failed      int      `json:"failed"`
	Created     int      `json:"created"`
	Updated     int      `json:"updated"`
	Unchanged   int      `json:"unchanged"`
	Rejected    int      `json:"rejected"`
	Merged      int      `json:"merged"`
	Complete    bool     `json:"complete"`
}

type blueprintJSON struct {
	Identifier string `json:"identifier"`
	Created    int    `json:"created"`
	Updated    int    `json:"updated"`
	Unchanged  int    `json:"unchanged"`
	Rejected   int    `json:"rejected"`
	Deleted    int    `json:"deleted"`
	StaleKept  int    `json:"stale_kept"`
	HeldBy     string `json:"held_by"`
}

type problemJSON struct {
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Message  string `json:"message"`
	Fix      string `json:"fix"`
	Count    int    `json:"count"`
	Example  string `json:"example"`
}

func (r *Report) resourcesJSON() []resourceJSON {
	list := make([]resourceJSON, len(r.Resources))
	for i, res := range r.Resources {
		list[i] = resourceJSON{
			Index:       res.Index,
			Kind:        res.Kind,
			Blueprints:  append([]string{}, res.Blueprints...),
			Extracted:   res.Extracted,
			Transformed: res.Transformed,
			Filtered:    res.Filtered,
			Skipped:     res.Skipped,
			Failed:      res.Failed,
			Created:     res.Created,
			Updated:     res.Updated,
			Unchanged:   res.Unchanged,
			Rejected:    res.Rejected,
			Merged:      res.Merged,
			Complete:    res.Complete,
		}
	}
	return list
}

func (r *Report) blueprintsJSON() []blueprintJSON {
	list := make([]blueprintJSON, len(r.Blueprints))
	for i, b := range r.sortedBlueprints() {
		list[i] = blueprintJSON(*b)
	}
	return list
}

func (r *Report) problemsJSON() []problemJSON {
	list := make([]problemJSON, len(r.Problems()))
	for i, p := range r.Worst() {
		list[i] = problemJSON{p.Severity.String(), p.At.File, p.At.Line, p.At.Column, p.Text(), p.Fix, p.Count, p.Example}
	}
	return list
}

// summary is the resources of the report on one line.
func (r *Report) summary() string { return string(encode(r.resourcesJSON())) }

// JSON is the report file: one indented object that ends with a line break. Its keys
// are the outputs' names in their order, then resources, blueprints (by identifier)
// and problems (worst first), and of a plan changes. No control character but that of the layout stands in it.
func (r *Report) JSON() []byte {
	members := append(r.Outputs(),
		Output{"resources", r.resourcesJSON()},
		Output{"blueprints", r.blueprintsJSON()},
		Output{"problems", r.problemsJSON()})
	if r.Planned {
		members = append(members, Output{"changes", r.changesJSON()})
	}
	var line bytes.Buffer
	for i, m := range members {
		line.WriteByte("{,"[min(i, 1)])
		line.Write(encode(m.Name))
		line.WriteByte(':')
		line.Write(encode(m.Value))
	}
	line.WriteString("}\n")
	var indented bytes.Buffer
	if err := json.Indent(&indented, line.Bytes(), "", "  "); err != nil {
		panic(err) // only text that is no JSON is refused
	}
	return indented.Bytes()
}

// encode gives JSON on one line, in which hidden characters are escaped: encoding/json
// itself leaves DEL, C1 controls and bidi controls as they are. Outside strings JSON
// has none of them, so each stands where an escape may.
func encode(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers, booleans and structs of them always encode
	}
	var b bytes.Buffer
	for _, c := range string(raw) {
		switch {
		case !hidden(c):
			b.WriteRune(c)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, c)
		}
	}
	return b.Bytes()
}
