package face

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/report"
)

// Output is one step output.
type Output struct {
	Name  string
	Value any // string, int, int64 or float64
}

// Text is the value as a step output carries it: one line, numbers without exponent.
func (o Output) Text() string {
	switch v := o.Value.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(o.Value)
}

// OutputSpec describes an output.
type OutputSpec struct {
	Name  string
	Help  string // one sentence
	value func(*report.Report, report.Totals) any
}

// OutputTable lists every output, in the order in which they are set. The tables of
// action.yml and of the README are checked against it.
var OutputTable = []OutputSpec{
	{"status", "How the run ended: success, partial or failed.",
		func(r *report.Report, _ report.Totals) any { return r.Status() }},
	{"entities_created", "Entities that were new in Port.",
		func(_ *report.Report, t report.Totals) any { return t.Created }},
	{"entities_updated", "Entities that were in Port and were changed.",
		func(_ *report.Report, t report.Totals) any { return t.Updated }},
	{"entities_unchanged", "Entities that Port held already and that were not written.",
		func(_ *report.Report, t report.Totals) any { return t.Unchanged }},
	{"entities_deleted", "Stale entities that were deleted from Port.",
		func(_ *report.Report, t report.Totals) any { return t.Deleted }},
	{"entities_rejected", "Entities that were not stored: refused by Port or by the checks before sending, or lost with a failed request.",
		func(_ *report.Report, t report.Totals) any { return t.Rejected }},
	{"entities_stale_kept", "Stale entities that were not deleted.",
		func(_ *report.Report, t report.Totals) any { return t.StaleKept }},
	{"objects_extracted", "Objects, or elements of itemsToParse, that were judged by a selector, once for each entry of mappings.",
		func(_ *report.Report, t report.Totals) any { return t.Extracted }},
	{"objects_filtered", "Objects that a selector left out.",
		func(_ *report.Report, t report.Totals) any { return t.Filtered }},
	{"objects_skipped", "Objects without an identifier or a blueprint.",
		func(_ *report.Report, t report.Totals) any { return t.Skipped }},
	{"objects_failed", "Objects that could not be read or evaluated.",
		func(_ *report.Report, t report.Totals) any { return t.Failed }},
	{"bitbucket_requests", "Requests sent to Bitbucket's API.",
		func(r *report.Report, _ report.Totals) any { return r.BitbucketRequests }},
	{"bitbucket_git_requests", "Requests sent to Bitbucket's git host; 0 when nothing was read over git.",
		func(r *report.Report, _ report.Totals) any { return r.Sources.Requests }},
	{"bitbucket_git_bytes", "Bytes received from Bitbucket's git host.",
		func(r *report.Report, _ report.Totals) any { return r.Sources.Bytes }},
	{"repositories_from_memory", "Repositories of which a list comes from memory (input state_dir) and was not asked for in this run.",
		func(r *report.Report, _ report.Totals) any { return r.Memory.Repositories }},
	{"oldest_read_at", "When the oldest of these lists was read, as in 2026-11-30T06:00:00Z; empty when none comes from memory.",
		func(r *report.Report, _ report.Totals) any { return oldest(r.Memory) }},
	{"port_requests", "Requests sent to Port.",
		func(r *report.Report, _ report.Totals) any { return r.PortRequests }},
	{"duration_seconds", "How long the run took, in seconds.",
		func(r *report.Report, _ report.Totals) any { return seconds(r.Duration) }},
	{"kinds", "The kinds that ran, separated by commas, where the input kinds left out others; empty when all ran.",
		func(r *report.Report, _ report.Totals) any { return strings.Join(r.Kinds, ",") }},
	{"summary", "The counts of each resource of the mapping, as one line of JSON.",
		func(r *report.Report, _ report.Totals) any { return summary(r) }},
}

// Outputs returns the outputs in the order of OutputTable.
func Outputs(r *report.Report) []Output {
	t := r.Totals()
	outputs := make([]Output, len(OutputTable))
	for i, spec := range OutputTable {
		outputs[i] = Output{spec.Name, spec.value(r, t)}
	}
	return outputs
}

// seconds has three decimals. Dividing whole milliseconds, it is the float64 that is
// nearest to them, so it also prints with three.
func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}

// summary returns the resources of the report as JSON on one line.
func summary(r *report.Report) string { return string(encode(resourcesJSON(r))) }

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

func resourcesJSON(r *report.Report) []resourceJSON {
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
