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

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

// document is a summary, read strictly.
type document struct {
	tables []parsedTable
	blocks [][]string // the lines of each fenced block
	lines  []string   // all else, as it is shown
}

type parsedTable struct {
	heads []string
	rows  []map[string]string
}

// ours is each line of a summary that is neither foreign text nor a row of a table, as it is
// written: foreign text stands in headlines, in the line under them, and in notes.
var ours = regexp.MustCompile(`^(|## Port (resync|plan)( (failed|partial))?: .+|### [A-Z][A-Za-z, ]+: [0-9a-z, ]+|\*\*[0-9][0-9a-z, ]+\*\*|- .+|.* requests to Bitbucket.*|This run is .*` +
	"|<details><summary>[A-Za-z0-9, :]+</summary>|</details>|[0-9,]+ more in the report file \\(input `report_file`\\)\\.)$")

var (
	markup = regexp.MustCompile(`<br>|<wbr>|<!-- -->`)
	// links lead to what a browser opens, and hold nothing that ends them.
	links = regexp.MustCompile(`\[([^\[\]]*)\]\(https?://[A-Za-z0-9.-]+(:[0-9]+)?([/?#][-A-Za-z0-9._~/:?#=%+,;&]*)?\)`)
)

// shownText returns what a reader sees of inline text, with a line break for <br>, and fails on
// markup that is not ours.
func shownText(t *testing.T, text string) string {
	t.Helper()
	raw := links.ReplaceAllString(text, "$1")
	raw = markup.ReplaceAllStringFunc(raw, func(tag string) string {
		return strings.Repeat("\n", strings.Count(tag, "br>")-strings.Count(tag, "wbr"))
	})
	if strings.ContainsAny(raw, "|`<>@[]*_~\\$!") || strings.ContainsFunc(strings.ReplaceAll(raw, "\n", ""), unicode.IsControl) {
		t.Fatalf("raw character in %q", text)
	}
	return html.UnescapeString(raw)
}

// parse reads a summary strictly: only our own lines, blocks that end where they should, and
// rows with as many cells as their table has columns.
func parse(t *testing.T, text string) (d document) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Fatalf("no valid UTF-8: %q", text)
	}
	fence, inTable := "", false
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		ticks := l[:len(l)-len(strings.TrimLeft(l, "`"))]
		switch {
		case fence != "" && len(ticks) >= len(fence):
			if l != fence {
				t.Fatalf("a block ends by %q, want %q", l, fence)
			}
			fence = ""
		case fence != "":
			if strings.ContainsFunc(l, unicode.IsControl) {
				t.Fatalf("control character in a block: %q", l)
			}
			d.blocks[len(d.blocks)-1] = append(d.blocks[len(d.blocks)-1], l)
		case len(ticks) >= 3:
			if l != ticks+"diff" && l != ticks+"text" {
				t.Fatalf("not our block: %q", l)
			}
			fence, d.blocks, inTable = ticks, append(d.blocks, nil), false
		case strings.HasPrefix(l, "|"):
			d.row(t, l, inTable)
			inTable = true
		default:
			if inTable = false; !ours.MatchString(l) {
				t.Fatalf("not our line: %q", l)
			}
			if foreign := strings.TrimSuffix(strings.TrimPrefix(l, "**"), "**"); !strings.HasPrefix(l, "<") && !strings.Contains(l, "(input `report_file`)") {
				d.lines = append(d.lines, shownText(t, foreign))
			}
		}
	}
	if fence != "" {
		t.Fatalf("a block does not end")
	}
	return d
}

func (d *document) row(t *testing.T, l string, inTable bool) {
	t.Helper()
	cells := strings.Split(l, " | ")
	cells[0] = strings.TrimPrefix(cells[0], "| ")
	last := len(cells) - 1
	cells[last] = strings.TrimSuffix(cells[last], " |")
	for i, c := range cells {
		cells[i] = shownText(t, c)
	}
	if !inTable {
		d.tables = append(d.tables, parsedTable{heads: cells})
		return
	}
	table := &d.tables[len(d.tables)-1]
	if len(cells) != len(table.heads) {
		t.Fatalf("got %d cells, want %d: %q", len(cells), len(table.heads), l)
	}
	if strings.Trim(strings.Join(cells, ""), "-:") == "" && table.rows == nil {
		table.rows = []map[string]string{}
		return
	}
	row := map[string]string{}
	for i, c := range cells {
		row[table.heads[i]] = c
	}
	table.rows = append(table.rows, row)
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

// Text without spaces breaks, and as text it is as it was.
func TestCellBreaks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		strings.Repeat("x", 100):                  strings.Repeat("x", 48) + "<wbr>" + strings.Repeat("x", 48) + "<wbr>xxxx",
		strings.Repeat("abcdefg/", 9):             "abcdefg/abcdefg/abcdefg/<wbr>abcdefg/abcdefg/abcdefg/<wbr>abcdefg/abcdefg/abcdefg/",
		strings.Repeat("words in a sentence ", 5): strings.Repeat("words in a sentence ", 5),
	} {
		if got := cell(text, 200); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Links lead to pages and nowhere else, and hold nothing that could end them.
func TestHref(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://bitbucket.org/acme/a-b/pull-requests/9": "https://bitbucket.org/acme/a-b/pull-requests/9",
		"https://a.b/x?y=1&z=(2)|`$<>*_@!#L7":            "https://a.b/x?y=1&amp;z=%282%29%7C%60%24%3C%3E%2A_%40%21#L7",
		"https://a.b/ü x":                                "https://a.b/%C3%BC%20x",
		"http://127.0.0.1:8080/x":                        "http://127.0.0.1:8080/x",
		"javascript:alert(1)":                            "",
		"data:text/html,x":                               "",
		"//a.b/x":                                        "",
		"https://bitbucket.org@evil.example/":            "",
		"https://bіtbucket.org/":                         "",
		"https://a b/":                                   "",
		"https:///x":                                     "",
		"mapping.yml":                                    "",
		"":                                               "",
		"https://a.b/" + strings.Repeat("x", 1000):       "",
	} {
		if got := href(address); got != want {
			t.Errorf("%q: got %q, want %q", address, got, want)
		}
	}
}

// A value that is long shows where it differs.
func TestValueTexts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 20)
	for _, tt := range []struct {
		from, to         any
		wantFrom, wantTo string
	}{
		{"a", nil, `"a"`, "none"},
		{1, true, "1", "true"},
		{long + "a", long + "b", `…` + long[len(long)-23:] + `"a"`, ""},
		{long, "x", `"` + long[:maxValue-2] + "…", `"x"`},
	} {
		from, to := valueTexts(tt.from, tt.to)
		if tt.wantTo == "" { // only that both are short, and differ
			if from == to || len([]rune(from)) > maxValue || len([]rune(to)) > maxValue || !strings.HasSuffix(from, `a"`) || !strings.HasPrefix(from, "…") {
				t.Errorf("got %q and %q", from, to)
			}
			continue
		}
		if from != tt.wantFrom || to != tt.wantTo {
			t.Errorf("%v, %v: got %q and %q, want %q and %q", tt.from, tt.to, from, to, tt.wantFrom, tt.wantTo)
		}
	}
}

// many has more of everything than a small summary can hold.
func many() *report.Report {
	r := report.Report{Planned: true}
	for i := range 40 {
		r.Resources = append(r.Resources, &report.Resource{Index: i + 1, Kind: "repository", Blueprints: []string{"service"}})
		r.Blueprint(fmt.Sprintf("blueprint%02d", i)).Deleted = 1
		r.Note(diag.Problem{Severity: diag.Warning, Message: fmt.Sprintf("warning %02d", i)})
		r.Note(diag.Problem{Severity: diag.Error, Message: fmt.Sprintf("error %02d", i)})
		for _, a := range []catalog.Action{catalog.Create, catalog.Update, catalog.Delete, catalog.Refuse} {
			r.Changes = append(r.Changes, catalog.Change{Action: a, Ref: catalog.Ref{Blueprint: fmt.Sprintf("blueprint%02d", i), Identifier: fmt.Sprint(i)}})
		}
	}
	return &r
}

// At every limit the summary fits, stays whole and accounts for each row it leaves out; and the
// deletions are the last to be left out.
func TestMarkdownLimits(t *testing.T) {
	t.Parallel()
	r := many()
	whole := Markdown(r, mebibyte)
	head := len(markdown{words{r}}.headline())
	more := regexp.MustCompile("([0-9]+) more in the report file")
	for limit := -1; limit <= len(whole)+1; limit += 331 {
		text := Markdown(r, limit)
		if len(text) > max(limit, 0) {
			t.Fatalf("limit %d: got %d bytes", limit, len(text))
		}
		if (text != "") != (limit >= head) {
			t.Fatalf("limit %d: got %q, want the headline if it fits", limit, text)
		}
		d, rows := parse(t, text), 0
		for _, table := range d.tables {
			rows += len(table.rows)
			if table.heads[0] == "Blueprint" {
				rows-- // the total
			}
		}
		for _, b := range d.blocks {
			rows += len(b)
		}
		for _, m := range more.FindAllStringSubmatch(text, -1) {
			var n int
			fmt.Sscan(m[1], &n)
			rows += n
		}
		if want := 40 + 4*40 + 80; limit > 3000 && rows != want {
			t.Fatalf("limit %d: got %d rows shown or told of, want %d", limit, rows, want)
		}
		if limit > 3000 && (!strings.Contains(text, "error 00") || !strings.Contains(text, "- blueprint39/39\n")) {
			t.Fatalf("limit %d: the worst problem or a deletion is missing", limit)
		}
	}
	if got := Markdown(r, len(whole)); got != whole {
		t.Errorf("got %d bytes, want all %d", len(got), len(whole))
	}
}

// The summary of a plan that deletes begins with what it deletes, complete, whatever else there is.
func TestMarkdownDeletionsFirst(t *testing.T) {
	t.Parallel()
	r := many()
	for i := range 5_000 {
		r.Changes = append(r.Changes,
			catalog.Change{Action: catalog.Create, Ref: catalog.Ref{Blueprint: "a", Identifier: fmt.Sprint(i)}},
			catalog.Change{Action: catalog.Delete, Ref: catalog.Ref{Blueprint: "service", Identifier: fmt.Sprint(i)}})
	}
	d := parse(t, Markdown(r, mebibyte))
	if got := len(d.blocks[0]); got != 5_040 {
		t.Errorf("got %d deletions, want all 5,040", got)
	}
	if first := d.blocks[0][0]; first != "- blueprint00/0" {
		t.Errorf("got %q first", first)
	}
}

// Foreign text breaks no table and leaves no block, whatever it is: each table has the rows and
// columns it should have, and each cell shows the text that was put in.
func FuzzMarkdown(f *testing.F) {
	f.Add("repository", "service", "bad", "x", uint16(3))
	f.Add("a|b", "`c`\n|d|", "</details>\r\n## failed", "<script>@acme #7", uint16(11))
	f.Add("\\|", "&#124;", "<!-- -->", "\u202ehttps://evil.example", uint16(12))
	f.Add("| --- |", "", "\x00\x1b[31m", "\xff\xfe", uint16(40))
	f.Add(" | ", "--- |\n", "![a](javascript:b)", "[x]: y", uint16(0))
	f.Add("x", "````````", "a\n```\n# owned\n@@ b @@", "x from https://a.b/c](javascript:d) (x-trace-id t)", uint16(1))
	f.Add("x", "<details>", "www.evil.example", "https://a@b/ http://c/|d|`e` https://ü.example/", uint16(2))
	f.Fuzz(func(t *testing.T, kind, blueprint, message, example string, n uint16) {
		problems := int(n % 64)
		ref := catalog.Ref{Blueprint: blueprint, Identifier: example}
		r := report.Report{
			Planned: true, Resources: []*report.Resource{{Index: 1, Kind: kind, Blueprints: []string{blueprint}}},
			Subject: report.Subject{Workspace: kind, Integration: example, Checkout: report.Checkout{Page: "https://x.example/a/", Line: "#L"}},
			Mapping: report.Mapping{File: report.File{Name: example, Path: example}},
			Kept:    []report.Kept{{Ref: ref, Why: kind}}, Facts: []string{message},
			Changes: []catalog.Change{
				{Action: catalog.Create, Ref: ref}, {Action: catalog.Delete, Ref: ref, Why: message}, {Action: catalog.Refuse, Ref: ref, Why: message},
				{Action: catalog.Update, Ref: ref, Fields: []catalog.ChangedField{{Name: kind, From: message, To: example}}},
			},
		}
		r.Blueprint(blueprint).HeldBy = message
		r.Blueprint(blueprint).StaleKept = 1
		for i := range problems {
			r.Note(diag.Problem{Severity: diag.Warning, At: diag.Position{File: example, Line: i + 1}, Message: fmt.Sprint(i, " ", message), Example: example, Fix: kind})
		}
		d := parse(t, Markdown(&r, mebibyte))
		var rows []int
		for _, table := range d.tables {
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
		var lines []int
		for _, b := range d.blocks {
			lines = append(lines, len(b))
		}
		if want := []int{1, 3, 1, 1, 1}; !slices.Equal(lines, want) { // deletion, update, refusal, creation, kept
			t.Fatalf("lines of blocks: got %d, want %d", lines, want)
		}
		name := visible(blueprint, maxName) + "/" + visible(example, maxExample)
		if got := d.blocks[3][0]; got != "+ "+name {
			t.Errorf("creation: got %q, want %q", got, "+ "+name)
		}
		shown := func(got, text string, maxRunes int) {
			t.Helper()
			if want := visible(text, maxRunes); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		shown(d.tables[0].rows[0]["Blueprint"], blueprint, maxName)
		shown(d.tables[1].rows[0]["Blueprint"], blueprint, maxName)
		if message != "" {
			shown(d.tables[1].rows[0]["Why they stay"], message, maxMessage)
		}
		for _, table := range d.tables[2:] {
			for i, row := range table.rows {
				if text := withoutTraces(fmt.Sprint(i, " ", message)); len(table.rows) == problems {
					shown(strings.Split(row["Problem"], "\n")[0], text, maxMessage)
				}
			}
		}
		small := Markdown(&r, problems*50)
		parse(t, small)
		if len(small) > problems*50 {
			t.Errorf("got %d bytes, want at most %d", len(small), problems*50)
		}
		for _, l := range Lines(&r) {
			if strings.ContainsFunc(l.Text+l.Group, unicode.IsControl) || !utf8.ValidString(l.Text) {
				t.Errorf("not one clean line: %q", l)
			}
		}
	})
}
