package face

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

type parsedTable struct {
	heads []string
	rows  []map[string]string
}

// ours is every line of a summary that is no row of a table.
var ours = regexp.MustCompile(`^(|## Port resync: [a-z]+|### [A-Z][a-z]+(: [0-9a-z, ]+)?` +
	`|[0-9]+ objects? extracted[^<>|]*\.|Why [a-z]+: [^<>|]*\.` +
	"|<details><summary>[0-9]+ more</summary>|</details>|[0-9]+ more in the report file \\(input `report_file`\\)\\.)$")

// parseTables reads a summary strictly: only our own lines, and rows with as many
// cells as their table has columns. Cells are as they are shown.
func parseTables(t *testing.T, text string) []parsedTable {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Fatalf("no valid UTF-8: %q", text)
	}
	var tables []parsedTable
	inTable := false
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		if !strings.HasPrefix(l, "|") {
			if inTable = false; !ours.MatchString(l) {
				t.Fatalf("not our line: %q", l)
			}
			continue
		}
		cells := strings.Split(strings.ReplaceAll(l, splitter, ""), " | ")
		cells[0] = strings.TrimPrefix(cells[0], "| ")
		last := len(cells) - 1
		cells[last] = strings.TrimSuffix(cells[last], " |")
		for i, c := range cells {
			if strings.ContainsAny(c, "|`<>@[]*_~\\$!") || strings.ContainsFunc(c, unicode.IsControl) {
				t.Fatalf("raw character in cell %q", c)
			}
			cells[i] = html.UnescapeString(c)
		}
		if !inTable {
			tables = append(tables, parsedTable{heads: cells})
			inTable = true
			continue
		}
		table := &tables[len(tables)-1]
		if len(cells) != len(table.heads) {
			t.Fatalf("got %d cells, want %d: %q", len(cells), len(table.heads), l)
		}
		if strings.Trim(strings.Join(cells, ""), "-:") == "" && table.rows == nil {
			table.rows = []map[string]string{}
			continue
		}
		row := map[string]string{}
		for i, c := range cells {
			row[table.heads[i]] = c
		}
		table.rows = append(table.rows, row)
	}
	return tables
}

func TestCell(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"plain (text), 1-2 + \"x\" 'y' é 👩‍💻", "plain (text), 1-2 + \"x\" 'y' é 👩‍💻"},
		{"a|b", "a&#124;b"},
		{`a\|b`, "a&#92;&#124;b"},
		{"`x`", "&#96;x&#96;"},
		{"<b>&lt;", "&lt;b&gt;&amp;lt;"},
		{"@acme", "&#64;<!-- -->acme"},
		{"acme/x#7", "acme/x&#35;<!-- -->7"},
		{"![a](b)", "&#33;&#91;a&#93;(b)"},
		{"**_~~a~~_**", "&#42;&#42;&#95;&#126;&#126;a&#126;&#126;&#95;&#42;&#42;"},
		{"$x$", "&#36;x&#36;"},
		{"http://a https://b", "http&#58;//a https&#58;//b"},
		{"www.a.b WwW.c", "www&#46;a.b WwW&#46;c"},
		{"mapping.yml:14:22: x", "mapping.yml:14:22: x"},
		{"a\r\nb\nc\rd\te\u2028f", "a b c d e f"},
		{"\x00\u202e\u0085\u00ad\U000e0001", `&#92;u0000&#92;u202e&#92;u0085&#92;u00ad&#92;U000e0001`},
		{"a\xffb", "a\ufffdb"},
		{"", ""},
		{strings.Repeat("<", 20), strings.Repeat("&lt;", 20)},
		{strings.Repeat("é", 41), strings.Repeat("é", 39) + "…"},
	}
	for _, tt := range tests {
		if got := cell(tt.text, 40); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

// many has more of everything than a small summary can hold.
func many() *report.Report {
	var r report.Report
	for i := range 40 {
		r.Resources = append(r.Resources, &report.Resource{Index: i + 1, Kind: "repository", Blueprints: []string{"service"}})
		r.Blueprint(fmt.Sprintf("blueprint%02d", i)).Deleted = i
		r.Note(diag.Problem{Severity: diag.Warning, Message: fmt.Sprintf("warning %02d", i)})
		r.Note(diag.Problem{Severity: diag.Error, Message: fmt.Sprintf("error %02d", i)})
	}
	return &r
}

// At every limit the summary fits, stays whole and accounts for each row it leaves out.
func TestMarkdownLimits(t *testing.T) {
	t.Parallel()
	r := many()
	whole := Markdown(r, mebibyte)
	head := len(markdown{words{r}}.headline())
	more := regexp.MustCompile("([0-9]+) more in the report file")
	for limit := -1; limit <= len(whole)+1; limit += 61 {
		text := Markdown(r, limit)
		if len(text) > max(limit, 0) {
			t.Fatalf("limit %d: got %d bytes", limit, len(text))
		}
		if (text != "") != (limit >= head) {
			t.Fatalf("limit %d: got %q, want the headline if it fits", limit, text)
		}
		rows := 0
		for _, table := range parseTables(t, text) {
			rows += len(table.rows)
			if table.heads[0] == "Resource" {
				rows-- // the total
			}
		}
		for _, m := range more.FindAllStringSubmatch(text, -1) {
			var n int
			fmt.Sscan(m[1], &n)
			rows += n
		}
		if want := 40 + 40 + 80; limit > 1000 && rows != want {
			t.Fatalf("limit %d: got %d rows shown or told of, want %d", limit, rows, want)
		}
		if limit > 2000 && !strings.Contains(text, "error 00") {
			t.Fatalf("limit %d: the worst problem is missing", limit)
		}
	}
	if got := Markdown(r, len(whole)); got != whole {
		t.Errorf("got %d bytes, want all %d", len(got), len(whole))
	}
}

func TestMarkdownManyBlueprintsInOneCell(t *testing.T) {
	t.Parallel()
	r := report.Report{Resources: []*report.Resource{{Index: 1, Kind: "file", Blueprints: []string{"a", "b", "c", "d", "e", "f", "g"}}}}
	got := parseTables(t, Markdown(&r, mebibyte))[0].rows[0]["Blueprints"]
	if want := "a, b, c, d, e, and 2 more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Foreign text breaks no table, whatever it is: each table has the rows and columns it
// should have, and each cell shows the text that was put in.
func FuzzMarkdown(f *testing.F) {
	f.Add("repository", "service", "bad", "x", uint16(3))
	f.Add("a|b", "`c`\n|d|", "</details>\r\n## failed", "<script>@acme #7", uint16(11))
	f.Add("\\|", "&#124;", "<!-- -->", "\u202ehttps://evil.example", uint16(12))
	f.Add("| --- |", "", "\x00\x1b[31m", "\xff\xfe", uint16(40))
	f.Add(" | ", "--- |\n", "![a](javascript:b)", "[x]: y", uint16(0))
	f.Fuzz(func(t *testing.T, kind, blueprint, message, example string, n uint16) {
		problems := int(n % 64)
		r := report.Report{Resources: []*report.Resource{{Index: 1, Kind: kind, Blueprints: []string{blueprint}}}}
		r.Blueprint(blueprint).HeldBy = message
		for i := range problems {
			r.Note(diag.Problem{Severity: diag.Warning, At: diag.Position{File: example, Line: i + 1}, Message: message, Example: example, Fix: kind})
		}
		tables := parseTables(t, Markdown(&r, mebibyte))
		var rows []int
		for _, table := range tables {
			rows = append(rows, len(table.rows))
		}
		want := []int{1, 1}
		if problems > 0 {
			want = append(want, min(problems, 10))
		}
		if problems > 10 {
			want = append(want, problems-10)
		}
		if !slices.Equal(rows, want) {
			t.Fatalf("rows: got %d, want %d", rows, want)
		}
		shown := func(row map[string]string, head, text string, maxRunes int) {
			t.Helper()
			if got, want := row[head], visible(text, maxRunes); got != want {
				t.Errorf("%s: got %q, want %q", head, got, want)
			}
		}
		shown(tables[0].rows[0], "Kind", kind, maxName)
		shown(tables[0].rows[0], "Blueprints", blueprint, maxName)
		shown(tables[1].rows[0], "Blueprint", blueprint, maxName)
		shown(tables[1].rows[0], "Deletion held back", message, maxFix)
		for _, table := range tables[2:] {
			for _, row := range table.rows {
				shown(row, "Problem", message, maxMessage)
				shown(row, "First example", example, maxExample)
				shown(row, "Fix", kind, maxFix)
			}
		}
		small := Markdown(&r, problems*50)
		parseTables(t, small)
		if len(small) > problems*50 {
			t.Errorf("got %d bytes, want at most %d", len(small), problems*50)
		}
		for _, l := range Lines(&r) {
			if strings.ContainsFunc(l, unicode.IsControl) || !utf8.ValidString(l) {
				t.Errorf("not one clean line: %q", l)
			}
		}
	})
}
