package face

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

func TestOutputText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value any
		want  string
	}{
		{"partial", "partial"},
		{0, "0"},
		{12345678, "12345678"},
		{seconds(0), "0"},
		{seconds(time.Millisecond), "0.001"},
		{seconds(499 * time.Microsecond), "0"},
		{seconds(500 * time.Microsecond), "0.001"},
		{seconds(12*time.Second + 345678*time.Microsecond), "12.346"},
		{seconds(250_000 * time.Hour), "900000000"},
	}
	for _, tt := range tests {
		if got := (Output{"name", tt.value}).Text(); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestOutputTable(t *testing.T) {
	t.Parallel()
	want := []string{"status", "entities_created", "entities_updated", "entities_unchanged", "entities_deleted",
		"entities_rejected", "entities_stale_kept", "objects_extracted", "objects_filtered", "objects_skipped",
		"objects_failed", "bitbucket_requests", "bitbucket_git_requests", "bitbucket_git_bytes",
		"repositories_from_memory", "oldest_read_at", "port_requests", "duration_seconds", "kinds", "summary"}
	var got []string
	for _, spec := range OutputTable {
		got = append(got, spec.Name)
		if !strings.HasSuffix(spec.Help, ".") || strings.Contains(spec.Help, "\n") {
			t.Errorf("%s: help is not one sentence: %q", spec.Name, spec.Help)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// counted is a report in which no two numbers are equal, so that none can stand for
// another.
func counted() *report.Report {
	r := &report.Report{BitbucketRequests: 1001, PortRequests: 1002, Duration: 1003 * time.Millisecond}
	for i := range 3 {
		n := 100 * (i + 1)
		c := report.Counts{Filtered: n + 1, Skipped: n + 2, Failed: n + 3, Created: n + 4, Updated: n + 5,
			Unchanged: n + 6, Rejected: n + 7, Merged: n + 8}
		c.Transformed = c.Created + c.Updated + c.Unchanged + c.Rejected + c.Merged
		c.Extracted = c.Transformed + c.Filtered + c.Skipped + c.Failed
		r.Resources = append(r.Resources, &report.Resource{Index: i + 1, Kind: fmt.Sprint("kind", i), Counts: c, Listed: true, Complete: i == 0})
		*r.Blueprint(fmt.Sprint("blueprint", i)) = report.Blueprint{Identifier: fmt.Sprint("blueprint", i), Created: n + 11,
			Updated: n + 12, Unchanged: n + 13, Rejected: n + 14, Deleted: n + 15, StaleKept: n + 16}
	}
	return r
}

func decode(t *testing.T, text []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// One set of numbers: the step outputs, the report file and the Markdown say the same.
func TestOneSetOfNumbers(t *testing.T) {
	t.Parallel()
	r := counted()
	file := decode(t, JSON(r))
	for _, o := range Outputs(r) {
		if got, want := fmt.Sprint(file[o.Name]), o.Text(); got != want {
			t.Errorf("report file: %s: got %s, want %s", o.Name, got, want)
		}
		if _, number := file[o.Name].(json.Number); number != !slices.Contains([]string{"status", "summary", "oldest_read_at", "kinds"}, o.Name) {
			t.Errorf("report file: %s is a number: got %v, want %v", o.Name, number, !number)
		}
	}

	resources := decode(t, fmt.Appendf(nil, `{"list":%s}`, file["summary"]))["list"]
	if !reflect.DeepEqual(resources, file["resources"]) {
		t.Errorf("summary: got %v, want the resources: %v", resources, file["resources"])
	}

	d := parse(t, Markdown(r, mebibyte))
	compare := func(what, row string, of any, words map[string]string) {
		t.Helper()
		for key, word := range words {
			want := ""
			if n := fmt.Sprint(of.(map[string]any)[key]); n != "0" {
				want = strings.TrimPrefix(n+" "+word, " ")
			}
			if !slices.Contains(strings.Split(row, ", "), want) && want != "" {
				t.Errorf("%s: %s: got %q, want %q in it", what, key, row, want)
			}
		}
	}
	cells := func(row map[string]string) string {
		return row["Created"] + " created, " + row["Updated"] + " updated, " + row["Deleted"] + " deleted, " + row["Else"]
	}
	total := d.tables[0].rows[3]
	compare("total", cells(total), file, map[string]string{
		"entities_created": "created", "entities_updated": "updated", "entities_deleted": "deleted", "entities_unchanged": "unchanged",
		"entities_rejected": "rejected", "entities_stale_kept": "stale kept",
	})
	for i, b := range file["blueprints"].([]any) {
		if got, want := d.tables[0].rows[i]["Blueprint"], b.(map[string]any)["identifier"]; got != want {
			t.Errorf("blueprint %d: got %q, want %q", i, got, want)
		}
		compare("blueprint", cells(d.tables[0].rows[i]), b, map[string]string{
			"created": "created", "updated": "updated", "deleted": "deleted", "unchanged": "unchanged", "rejected": "rejected", "stale_kept": "stale kept",
		})
	}
	counts := map[string]string{}
	for _, c := range columns {
		counts[c.word] = c.word
	}
	for _, of := range file["resources"].([]any) {
		res := of.(map[string]any)
		name := fmt.Sprintf("- resource %v (%v): ", res["index"], res["kind"])
		i := slices.IndexFunc(d.lines, func(l string) bool { return strings.HasPrefix(l, name) })
		if i < 0 {
			t.Errorf("the summary has no line %q", name)
			continue
		}
		line, _, _ := strings.Cut(strings.TrimPrefix(d.lines[i], name), ";")
		line, _, _ = strings.Cut(line, " in ")
		compare("resource", line, of, counts)
	}
}

func TestJSONHidesNothing(t *testing.T) {
	t.Parallel()
	nasty := "a\x00\x1b\x7f\u0085\u202e\u2028\ufeff\U000e0001\"\\</script>é👩‍💻\xff"
	var r report.Report
	r.Resources = []*report.Resource{{Index: 1, Kind: nasty}}
	r.Blueprint(nasty).HeldBy = nasty
	r.Note(diag.Problem{Severity: diag.Warning, At: diag.Position{File: nasty}, Message: nasty, Fix: nasty, Example: nasty})
	text := JSON(&r)
	for _, c := range string(text) {
		if c != '\n' && c != '\u200d' && unicode.In(c, unicode.C, unicode.Zl, unicode.Zp) {
			t.Errorf("%U stands in the report file", c)
		}
	}
	file := decode(t, text)
	want := strings.ToValidUTF8(nasty, "\ufffd")
	for _, got := range []any{
		file["resources"].([]any)[0].(map[string]any)["kind"],
		file["blueprints"].([]any)[0].(map[string]any)["held_by"],
		file["problems"].([]any)[0].(map[string]any)["example"],
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	summary := file["summary"].(string)
	if strings.ContainsFunc(summary, unicode.IsControl) {
		t.Errorf("summary is not one line: %q", summary)
	}
}

func TestJSONKeys(t *testing.T) {
	t.Parallel()
	var want []string
	for _, spec := range OutputTable {
		want = append(want, spec.Name)
	}
	want = append(want, "resources", "blueprints", "problems")
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(decode(t, JSON(&report.Report{})))); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
