package face

import (
	"bytes"
	"encoding/json"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/report"
)

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

func blueprintsJSON(r *report.Report) []blueprintJSON {
	list := make([]blueprintJSON, len(r.Blueprints))
	for i, b := range r.SortedBlueprints() {
		list[i] = blueprintJSON(*b)
	}
	return list
}

func problemsJSON(r *report.Report) []problemJSON {
	list := make([]problemJSON, len(r.Problems()))
	for i, p := range r.Worst() {
		list[i] = problemJSON{p.Severity.String(), p.At.File, p.At.Line, p.At.Column, p.Text(), p.Fix, p.Count, p.Example}
	}
	return list
}

// JSON is the report file: one indented object that ends with a line break. Its keys
// are the outputs' names in their order, then resources, blueprints (by identifier)
// and problems (worst first), of a run that read folders and files sources, of one that may
// remember memory, and of a plan changes. It holds no control character but those of the
// layout.
func JSON(r *report.Report) []byte {
	members := append(Outputs(r),
		Output{"resources", resourcesJSON(r)},
		Output{"blueprints", blueprintsJSON(r)},
		Output{"problems", problemsJSON(r)})
	if r.Sources.Reader != "" {
		members = append(members, Output{"sources", sourcesOf(r.Sources)})
	}
	if r.Memory.Reported {
		members = append(members, Output{"memory", memoryOf(r)})
	}
	if r.Planned {
		members = append(members, Output{"changes", changesJSON(r)})
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
		panic(err) // only text that is not JSON is refused
	}
	return indented.Bytes()
}

type memoryJSON struct {
	Why          string  `json:"why"`
	ListsLost    string  `json:"lists_lost"`
	Repositories int     `json:"repositories"`
	OldestReadAt string  `json:"oldest_read_at"`
	OldestAge    float64 `json:"oldest_age_seconds"`
	Contents     int     `json:"contents_known"`
	Saved        int     `json:"requests_saved"`
	NotAsked     int     `json:"not_asked"`
	Requests     int     `json:"requests"`
	MaxRequests  int     `json:"max_requests"`
}

func memoryOf(r *report.Report) memoryJSON {
	m := r.Memory
	return memoryJSON{m.Why, m.ListsLost, m.Repositories, oldest(m), seconds(r.Memory.Age(r.Started)), m.Contents, m.Saved, m.NotAsked, r.BitbucketRequests, m.MaxRequests}
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

func changesJSON(r *report.Report) []changeJSON {
	list := make([]changeJSON, len(r.Changes))
	for i, c := range r.Changes {
		list[i] = changeJSON{string(c.Action), c.Ref.Blueprint, c.Ref.Identifier, make([]fieldJSON, len(c.Fields)), c.Why}
		for j, f := range c.Fields {
			list[i].Fields[j] = fieldJSON{f.Name, bounded(f.From), bounded(f.To)}
		}
	}
	return list
}

// maxValueBytes bounds the JSON of a changed value, so that a report of many long texts
// can be read.
const maxValueBytes = 4 << 10

// bounded returns a value, or the beginning of its JSON where it is long.
func bounded(v any) any {
	text, err := catalog.JSON(v)
	if err != nil || len(text) <= maxValueBytes {
		return v
	}
	return clip.RunesWithin(string(text), maxValueBytes/4, "…") // a character has four bytes at most
}
