package face

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"port-bitbucket-exporter/internal/browsertest"
)

// allowed are the elements that a summary may hold, and their attributes: GitHub shows all of them
// as they are.
//
// Source: https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/sanitization_filter.rb,
// read 2026-11.
var allowed = map[string][]string{
	"html": nil, "head": nil, "body": nil,
	"h2": nil, "h3": nil, "h4": nil, "p": nil, "ul": nil, "ol": nil, "li": nil, "table": nil, "thead": nil, "tbody": nil, "tr": nil, "th": {"align"}, "td": {"align"},
	"details": {"open"}, "summary": nil, "code": {"class"}, "pre": {"lang"}, "strong": nil, "em": nil, "del": nil, "br": nil, "wbr": nil, "sub": nil, "a": {"href"},
}

// article shows a rendered document as wide as GitHub shows a summary, and with its rules for
// what is wide.
const article = `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>summary</title><style>
body { margin: 0; background: #fff; color: #1f2328; font: 16px/1.5 "Liberation Sans", Arial, sans-serif; }
article { max-width: 980px; margin: 0 auto; overflow-wrap: break-word; }
table { display: block; width: max-content; max-width: 100%; overflow: auto; border-spacing: 0; border-collapse: collapse; margin-bottom: 16px; }
th, td { padding: 6px 13px; border: 1px solid #d1d9e0; }
code, pre { font: 85% "Liberation Mono", monospace; background: #f6f8fa; }
code { padding: .2em .4em; white-space: break-spaces; } pre { padding: 16px; overflow: auto; } pre code { padding: 0; white-space: pre; }
</style><article>`

// rendered is Markdown as GitHub renders it, before it takes out what is not allowed.
func rendered(t *testing.T, markdown string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), browsertest.Need(t, "cmark-gfm"), "--unsafe", "-e", "table", "-e", "strikethrough", "-e", "autolink")
	cmd.Stdin = strings.NewReader(markdown)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cmark-gfm: %v: %s", err, problems.String())
	}
	return string(out)
}

// summaries are what the program writes, of the reports of these tests and of the sample runs.
func summaries(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{
		"weekly": Markdown(weekly(300, 20, 20), mebibyte), "full": Markdown(full(), mebibyte), "memory": Markdown(halfFromMemory(), mebibyte), "eleven": Markdown(eleven(), mebibyte),
		"hostile": Markdown(everywhere(), mebibyte), "comment": Markdown(everywhere(), maxComment), "plan": Markdown(plan(), mebibyte),
	}
	files, err := filepath.Glob("../../examples/reports/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d samples: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all["sample-"+strings.TrimSuffix(filepath.Base(file), ".md")] = string(text)
	}
	return all
}

// A summary is what it was written as to another reader of Markdown: foreign text adds no element
// and leads nowhere but to a page of the web.
func TestMarkdownHoldsNoForeignElement(t *testing.T) {
	t.Parallel()
	for name, text := range summaries(t) {
		root, err := html.Parse(strings.NewReader(rendered(t, text)))
		if err != nil {
			t.Fatal(err)
		}
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			attributes, ok := allowed[n.Data]
			if !ok {
				t.Errorf("%s: element %s: %.200s", name, n.Data, textOf(n))
			}
			for _, a := range n.Attr {
				if !slices.Contains(attributes, a.Key) || a.Key == "href" && !strings.HasPrefix(a.Val, "https://") {
					t.Errorf("%s: element %s has %s=%.100q", name, n.Data, a.Key, a.Val)
				}
			}
		}
	}
}

// At GitHub's width no table of a summary has to be moved to be read, and on a phone the page
// itself does not. Foreign text runs and loads nothing.
func TestMarkdownFits(t *testing.T) {
	t.Parallel()
	p := browsertest.New(t, 980, 900)
	for name, text := range summaries(t) {
		p.Open([]byte(article + rendered(t, text)))
		p.Eval(`document.querySelectorAll("details").forEach(d => d.open = true)`, nil)
		var wide []string
		p.Eval(`[...document.querySelectorAll("table")].filter(t => t.scrollWidth > t.clientWidth).map(t => t.scrollWidth + ": " + t.textContent.slice(0, 120))`, &wide)
		if len(wide) > 0 {
			t.Errorf("%s: tables wider than 980 pixels:\n%s", name, strings.Join(wide, "\n"))
		}
		p.Shot("markdown-" + name + "-980")
		p.Resize(390, 900)
		if found := p.Overflow(); len(found) > 0 {
			t.Errorf("%s at 390 pixels: %s", name, strings.Join(found, "\n"))
		}
		p.Shot("markdown-" + name + "-390")
		p.Resize(980, 900)
		var ran bool
		if p.Eval(`"ran" in window`, &ran); ran {
			t.Errorf("%s: foreign text ran", name)
		}
	}
}
