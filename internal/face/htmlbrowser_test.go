package face

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/browsertest"
	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

// hostile is foreign text of each kind: it ends what it may stand in, and then runs, loads or
// looks like something.
var hostile = []string{
	`</script><script>window.ran = 1</script>`, `</style></title></code></li><img src=x onerror="window.ran=2">`, `"><svg onload=window.ran=3>`, `'-alert(4)-'`,
	`javascript:window.ran=5`, `https://evil.example/" onmouseover="window.ran=6`, `{{.}}<iframe srcdoc="<script>top.ran=7</script>">`, `<!--`, `]]>`, `<base href="https://evil.example/">`,
	`<meta http-equiv="refresh" content="0;url=https://evil.example/">`, `<link rel="stylesheet" href="https://evil.example/x.css">`, "\u202etxt.exe\x00\x1b[31m\xff", `<form action=https://evil.example/><input autofocus onfocus="window.ran=8">`,
	strings.Repeat("wide", 200),
}

// everywhere is a report in which each text is of others.
func everywhere() *report.Report {
	r := weekly(0, 0, 0)
	r.Changes, r.Facts = nil, hostile
	r.Mark(report.Fatal)
	r.Failure = strings.Join(hostile, " ")
	for i, text := range hostile {
		next := hostile[(i+1)%len(hostile)]
		for _, action := range []catalog.Action{catalog.Delete, catalog.Refuse, catalog.Update, catalog.Create} {
			r.Changes = append(r.Changes, catalog.Change{Action: action, Ref: catalog.Ref{Blueprint: next, Identifier: text}, Why: next,
				Fields: []catalog.ChangedField{{Name: text, From: next, To: map[string]any{text: []any{next}}}}})
		}
		r.Note(diag.Problem{Severity: diag.Severity(i % 3), At: diag.Position{File: text, Line: 1}, Where: diag.Where{Part: text}, Message: next, Fix: text, Example: next, Snippet: text})
		r.NoteKept(catalog.Ref{Blueprint: text, Identifier: next}, text)
		*r.Blueprint(text) = report.Blueprint{Identifier: text, StaleKept: 1, HeldBy: next}
		r.Resources = append(r.Resources, &report.Resource{Index: i, Kind: text, Blueprints: []string{next, text}, Counts: report.Counts{Extracted: 1, Transformed: 1, Created: 1}})
		r.Timeline.Services = append(r.Timeline.Services, report.Series{Name: text, Requests: []int{i}})
		r.Timeline.Waits = append(r.Timeline.Waits, report.Wait{To: 1, Service: text, Why: next})
		r.Sources.Fallbacks = append(r.Sources.Fallbacks, report.Fallback{Repository: text, Reason: next})
	}
	text := strings.Join(hostile, "")
	r.Subject = report.Subject{Workspace: text, Integration: text, Checkout: report.Checkout{Page: "https://host/" + text, Line: text}}
	r.Mapping.File, r.Mapping.Blueprints = report.File{Name: hostile[0], Path: text}, report.File{Name: hostile[1], Path: hostile[4]}
	r.Program = report.Program{Name: text, Version: text}
	r.Kinds, r.Idle, r.Forecast, r.Sources.Stopped, r.Sources.Why = hostile, 1, text, text, text
	r.Memory = report.Memory{Reported: true, Why: text, ListsLost: text}
	return r
}

// fits fails where something of a page is wider than the window, at the widths of a screen, of
// GitHub's column and of a phone; it takes pictures of all.
func fits(t *testing.T, p *browsertest.Page, name string) {
	t.Helper()
	for _, width := range []int{1280, 980, 390} {
		p.Resize(width, 900)
		if found := p.Overflow(); len(found) > 0 {
			t.Errorf("%s at %d pixels: %s", name, width, strings.Join(found, "\n"))
		}
		for _, scheme := range []string{"light", "dark"} {
			if os.Getenv("BROWSER_SHOTS") != "" {
				p.Scheme(scheme)
				p.Shot(fmt.Sprintf("%s-%d-%s", name, width, scheme))
			}
		}
	}
}

// Foreign text runs nothing, loads nothing, and fits.
func TestHTMLOfHostileText(t *testing.T) {
	t.Parallel()
	p := browsertest.New(t, 1280, 900)
	p.Open(HTML(everywhere()))
	p.Eval(`document.querySelectorAll("details").forEach(d => d.open = true)`, nil)
	fits(t, p, "html-hostile")
	var found []string
	p.Eval(`[...(window.ran ? ["ran " + window.ran] : []),
		...[...document.querySelectorAll("img, iframe, form, base, link, svg[onload], [onerror], [onmouseover], script:not(body > script:last-child)")].map(e => e.outerHTML),
		...[...document.links].map(a => a.href).filter(href => !/^(https:|file:.*#\w+$)/.test(href))]`, &found)
	if len(found) > 0 {
		t.Errorf("foreign text became part of the page:\n%s", strings.Join(found, "\n"))
	}
}

// The page fits, and axe-core finds nothing in it, in both schemes.
func TestHTMLIsAccessible(t *testing.T) {
	t.Parallel()
	axe := os.Getenv("AXE_CORE")
	if axe == "" {
		browsertest.Missing(t, "AXE_CORE does not name axe.min.js of axe-core")
	}
	script, err := os.ReadFile(axe)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*report.Report{"plan": weekly(30, 3, 5), "resync": full()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := browsertest.New(t, 1280, 900)
			p.Open(HTML(r))
			p.Eval(`document.querySelectorAll("details").forEach(d => d.open = true)`, nil)
			p.Eval(string(script)+"; 0", nil)
			for _, scheme := range []string{"light", "dark"} {
				p.Scheme(scheme)
				var found []string
				p.Eval(`axe.run({resultTypes: ["violations"]}).then(r => r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.html + " " + n.failureSummary).join("; ")))`, &found)
				if len(found) > 0 {
					t.Errorf("%s: %s", scheme, strings.Join(found, "\n"))
				}
			}
			fits(t, p, "html-"+name)
		})
	}
}

// Without scripts everything is there but the search.
func TestHTMLWithoutScripts(t *testing.T) {
	t.Parallel()
	p := browsertest.New(t, 980, 900)
	p.WithoutScripts()
	p.Open(HTML(weekly(120, 3, 5)))
	var got [3]int
	p.Eval(`[[...document.querySelectorAll("[data-what=delete] li")].filter(e => e.checkVisibility()).length, document.querySelectorAll("del").length, document.querySelector("#tools").offsetHeight]`, &got)
	if want := [3]int{120, 12, 0}; got != want {
		t.Errorf("deletions, old values and the height of the tools: got %v, want %v", got, want)
	}
	p.Print()
	p.Eval(`[getComputedStyle(document.querySelector("nav")).display === "none" ? 1 : 0, 0, 0]`, &got)
	if got[0] != 1 {
		t.Error("on paper the links within the page are of no use")
	}
}

// A search among 10,000 rows shows what matches, and lets the browser do other things meanwhile.
func TestHTMLSearch(t *testing.T) {
	t.Parallel()
	p := browsertest.New(t, 1280, 900)
	p.Open(HTML(weekly(5_000, 2_000, 3_000)))
	p.Eval(`(() => {
		window.rows = () => [...document.querySelectorAll("[data-what] li")].filter(e => !e.closest("[hidden]") && e.closest("details").open).length;
		window.settled = () => new Promise(done => { const look = () => document.querySelector("[aria-busy]") ? setTimeout(look) : done(document.querySelector("#found").textContent); look(); });
		// As on a machine so slow that the time of a slice is over after three lists.
		let now = 0;
		performance.now = () => now += 5;
		window.turns = 0;
		const other = new MessageChannel();
		other.port1.onmessage = () => { window.turns++; other.port2.postMessage(0); };
		other.port2.postMessage(0);
	})()`, nil)
	for _, tt := range []struct {
		typed, only, says string
		rows              int
	}{
		{"legacy-0431", "", "10 of 10,009", 10},
		{"", "", "", -1},
		{"BITBUCKETpullrequest 00", "delete", "359 of 10,009", 359},
		{"", "update", "2,000 of 10,009", 2000},
		{"longlong", "", "2,000 of 10,009", 2000},
		{"scope PULLREQUEST", "", "1 of 10,009", 1},
		{"scope", "delete", "0 of 10,009", 0},
		{"acme", "", "10,005 of 10,009", 10005},
	} {
		t.Run(tt.typed+"/"+tt.only, func(t *testing.T) {
			p.Eval(`(() => { const find = document.querySelector("#find"), what = document.querySelector("#what"); find.focus(); find.select(); what.value = ""; what.dispatchEvent(new Event("change")); window.turns = 0; })()`, nil)
			if tt.typed == "" {
				p.Eval(`document.execCommand("delete")`, nil)
			} else {
				p.Type(tt.typed)
			}
			p.Eval(fmt.Sprintf(`(() => { const what = document.querySelector("#what"); what.value = %q; what.dispatchEvent(new Event("change")); })()`, tt.only), nil)
			var says string
			p.Eval(`settled()`, &says)
			if says != tt.says {
				t.Errorf("got %q, want %q", says, tt.says)
			}
			var turns, rows int
			if p.Eval(`turns`, &turns); turns < 20 {
				t.Errorf("other work had %d turns while the page searched", turns)
			}
			p.Eval(`rows()`, &rows)
			if tt.rows >= 0 && rows != tt.rows {
				t.Errorf("got %d rows, want %d", rows, tt.rows)
			}
		})
	}
	p.Shot("html-search")
}
