package face

import (
	"fmt"
	"strings"
)

// table is a Markdown table whose rows are made only as far as they fit.
type table struct {
	title string   // what stands above
	heads []string // a trailing ">" aligns the column to the right
	rows  int
	row   func(i int) []string
	foot  []string // last row, never cut; may be nil
	fold  int      // so many rows are shown, the others folded; 0 folds none
	end   string   // what stands below
	// urgent is true for one that takes what room there is before most others.
	urgent bool
}

// render is at most limit bytes long, and empty when there is no row.
func (t table) render(limit int) string {
	if t.rows == 0 {
		return ""
	}
	var rows []string
	fits, size := 0, 0
	for i := 0; i < t.rows; i++ {
		rows = append(rows, line(t.row(i)))
		if size += len(rows[i]); size > limit {
			break
		}
		if len(t.frame(nil, i+1))+size <= limit {
			fits = i + 1
		}
	}
	text := t.frame(rows, fits)
	if len(text) > limit {
		return ""
	}
	return text
}

// frame is the table with the first n rows, or what stands around them when rows is
// nil.
func (t table) frame(rows []string, n int) string {
	var b strings.Builder
	b.WriteString(t.title)
	shown := n
	if t.fold > 0 {
		shown = min(n, t.fold)
	}
	if n > 0 {
		t.part(&b, rows, 0, shown)
	}
	if n > shown {
		fmt.Fprintf(&b, "\n<details><summary>%d more</summary>\n\n", n-shown)
		t.part(&b, rows, shown, n)
		b.WriteString("\n</details>\n")
	}
	if n < t.rows {
		if n > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%d more in the report file (input `report_file`).\n", t.rows-n)
	}
	b.WriteString(t.end)
	return b.String()
}

func (t table) part(b *strings.Builder, rows []string, from, to int) {
	heads, rules := make([]string, len(t.heads)), make([]string, len(t.heads))
	for i, head := range t.heads {
		name, right := strings.CutSuffix(head, ">")
		heads[i], rules[i] = name, "---"
		if right {
			rules[i] = "---:"
		}
	}
	b.WriteString(line(heads) + line(rules))
	if rows != nil {
		b.WriteString(strings.Join(rows[from:to], ""))
	}
	if t.foot != nil {
		b.WriteString(line(t.foot))
	}
}

func line(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

// block is a fenced block of lines that are made only as far as they fit.
type block struct {
	title    string // what stands above
	language string // of the fence
	items    int
	item     func(i int) string // one line or several, each with a line break
	total    int                // of which the items are the first; 0 means all there are
	first    bool               // it takes what room there is before all others
	fold     string             // the summary of the details that it is folded into; empty folds nothing
}

// render is at most limit bytes long, and empty when there is no item.
func (b block) render(limit int) string {
	if b.items == 0 {
		return ""
	}
	var text strings.Builder
	ticks, fits := 0, 0
	end, most := 0, 0 // of the items that fit
	for i := 0; i < b.items; i++ {
		item := b.item(i)
		text.WriteString(item)
		if ticks = max(ticks, longestRun(item)); text.Len() > limit {
			break
		}
		if len(b.frame("", ticks, i+1))+text.Len() <= limit {
			fits, end, most = i+1, text.Len(), ticks
		}
	}
	whole := b.frame(text.String()[:end], most, fits)
	if len(whole) > limit {
		return ""
	}
	return whole
}

// frame is the block with the text of the first n items, in which no run of backticks is longer
// than ticks.
func (b block) frame(text string, ticks, n int) string {
	fence := strings.Repeat("`", max(3, ticks+1))
	whole := b.title
	if b.fold != "" {
		whole += "<details><summary>" + b.fold + "</summary>\n\n"
	}
	if n > 0 {
		whole += fence + b.language + "\n" + text + fence + "\n"
	}
	if more := max(b.total, b.items) - n; more > 0 {
		whole += fmt.Sprintf("\n%s more in the report file (input `report_file`).\n", digits(int64(more)))
	}
	if b.fold != "" {
		whole += "\n</details>\n"
	}
	return whole
}

// longestRun returns the length of the longest run of backticks.
func longestRun(text string) int {
	longest, run := 0, 0
	for _, c := range text {
		if run++; c != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}
