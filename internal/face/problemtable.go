package face

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/diag"
)

// problemTable shows each cause once, worst first, with what to do in the same cell.
func (m markdown) problemTable() table {
	t := m.tableOf(m.problems(func(p diag.Problem) bool { return p.Severity != diag.Notice }), func(count string) string { return "\n### Problems: " + count + "\n\n" })
	t.urgent = true
	return t
}

// notices are often as they should be, and folded: a null is no problem.
func (m markdown) notices() part {
	t := m.tableOf(m.problems(func(p diag.Problem) bool { return p.Severity == diag.Notice }), func(count string) string { return "\n<details><summary>" + count + "</summary>\n\n" })
	t.fold, t.end = 0, "\n</details>\n"
	return t
}

func (m markdown) problems(is func(diag.Problem) bool) diag.Problems {
	return slices.DeleteFunc(m.Causes(), func(p diag.Problem) bool { return !is(p) })
}

func (m markdown) tableOf(all diag.Problems, title func(count string) string) table {
	return table{
		title: title(countText(all)),
		heads: []string{"Severity", "Problem", "Where"},
		rows:  len(all),
		fold:  openProblems,
		row: func(i int) []string {
			p := all[i]
			severity := p.Severity.String()
			if p.Count > 1 {
				severity += "<br>" + digits(int64(p.Count)) + " times"
			}
			text := cell(withoutTraces(p.Text()), maxMessage)
			if p.Fix != "" {
				text += "<br>Fix: " + cell(p.Fix, maxFix)
			}
			if p.Example != "" {
				text += "<br>First: " + m.example(p.Example)
			}
			where := ""
			if place := Place(p); place != "" {
				where = mdLink(place, m.Link(p.At.File, p.At.Line), maxExample)
			}
			return []string{severity, text, where}
		},
	}
}

// countText returns how many problems there are of each severity, in words.
func countText(problems diag.Problems) string {
	var log diag.Log
	for _, p := range problems {
		p.Message += p.Fix // two of one message are two
		log.Note(p)
	}
	return log.CountText()
}

// address is where in a text one begins that a browser can open.
var address = regexp.MustCompile(`https?://[^\s"'<>]+[^\s"'<>.,;:)\]}]`)

// example is foreign text in which the first address is a link.
func (m markdown) example(text string) string {
	text = withoutTraces(clip.Runes(text, maxExample, "…"))
	at := address.FindStringIndex(text)
	if at == nil || strings.Contains(text[at[0]:at[1]], "…") {
		return cell(text, maxExample)
	}
	found := text[at[0]:at[1]]
	_, label, _ := strings.Cut(found, "://")
	return cell(text[:at[0]], maxExample) + mdLink(label, found, maxExample) + cell(text[at[1]:], maxExample)
}

// mdLink is foreign text as a link, where the address is one for a browser.
func mdLink(text, to string, maxRunes int) string {
	if to = href(to); to == "" {
		return cell(text, maxRunes)
	}
	return "[" + cell(text, maxRunes) + "](" + to + ")"
}

// maxAddress is the longest address that is linked, in bytes.
const maxAddress = 1000

// href returns an address as it can stand in a link of Markdown; empty where it is none for a
// browser, or names more than a page: a user, or a host that looks like another.
//
// Source: https://github.github.com/gfm/#link-destination, read 2026-11.
func href(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || !plainHost.MatchString(u.Host) {
		return ""
	}
	var b strings.Builder
	for _, c := range []byte(u.String()) {
		switch {
		case c == '&':
			b.WriteString("&amp;")
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~/:?#=%+,;", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() > maxAddress {
		return ""
	}
	return b.String()
}

var plainHost = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$`)

// maxTraces bounds how many traces are listed.
const maxTraces = 20

// traces lists the traces of the problems on one line; empty where there are none.
func (m markdown) traces() string {
	var all []string
	for _, p := range m.Problems() {
		for _, found := range trace.FindAllStringSubmatch(p.Text()+" "+p.Example, -1) {
			if !slices.Contains(all, found[1]) && len(all) < maxTraces {
				all = append(all, found[1])
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "x-trace-id for Port's support: " + strings.Join(all, ", ")
}
