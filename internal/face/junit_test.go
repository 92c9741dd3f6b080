package face

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

// junitFile is what every reader of JUnit's XML relies on.
type junitFile struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Suites   []struct {
		Name       string `xml:"name,attr"`
		File       string `xml:"file,attr"`
		Tests      int    `xml:"tests,attr"`
		Failures   int    `xml:"failures,attr"`
		Errors     int    `xml:"errors,attr"`
		Skipped    int    `xml:"skipped,attr"`
		Properties []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"properties>property"`
		Cases []struct {
			Class   string       `xml:"classname,attr"`
			Name    string       `xml:"name,attr"`
			Failure *junitReason `xml:"failure"`
			Error   *junitReason `xml:"error"`
			Skipped *junitReason `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

type junitReason struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// readJUnit reads the file, and compares what each of its levels counts. No two cases have one
// name in one class.
func readJUnit(t *testing.T, r *report.Report) (f junitFile, text string) {
	t.Helper()
	raw := JUnit(r)
	if err := xml.Unmarshal(raw, &f); err != nil {
		t.Fatalf("%v:\n%s", err, raw)
	}
	tests, failures, errored := 0, 0, 0
	names := map[string]bool{}
	for _, s := range f.Suites {
		counts := [4]int{len(s.Cases)}
		for _, c := range s.Cases {
			for i, reason := range []*junitReason{c.Failure, c.Error, c.Skipped} {
				if reason != nil {
					counts[i+1]++
				}
			}
			if name := c.Class + "\x00" + c.Name; c.Class != s.Name || names[name] {
				t.Errorf("suite %q has the case %q of class %q, which is not its own or not the only one", s.Name, c.Name, c.Class)
			} else {
				names[name] = true
			}
		}
		if want := [4]int{s.Tests, s.Failures, s.Errors, s.Skipped}; counts != want {
			t.Errorf("suite %q says %v, and has %v", s.Name, want, counts)
		}
		tests, failures, errored = tests+s.Tests, failures+s.Failures, errored+s.Errors
	}
	if tests != f.Tests || failures != f.Failures || errored != f.Errors {
		t.Errorf("the file says %d, %d and %d, its suites %d, %d and %d", f.Tests, f.Failures, f.Errors, tests, failures, errored)
	}
	return f, string(raw)
}

// junitSamples are reports of all kinds.
func junitSamples(t *testing.T) map[string]*report.Report {
	t.Helper()
	kept := &report.Report{Started: time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC), Program: report.Program{Name: "port-bitbucket-exporter"},
		Resources: []*report.Resource{{Index: 1, Kind: "project", Blueprints: []string{"service"}, Listed: true, Complete: true}}}
	*kept.Blueprint("service") = report.Blueprint{Identifier: "service", StaleKept: 2, HeldBy: "the input deletion is report"}
	failed := &report.Report{Failure: "log in to Port: 401 Unauthorized"}
	failed.Note(diag.Problem{Severity: diag.Error, Message: "log in to Port: 401 Unauthorized", Fix: "check port_client_id"})
	failed.Mark(report.Fatal)
	wrong := checked(problems(t, broken))
	wrong.CheckOnly = true
	wrong.Mark(report.Fatal)
	clean := checked(nil)
	clean.CheckOnly = true
	located := full()
	located.Mapping = report.Mapping{File: report.File{Name: "mapping.yml", Path: "port/mapping.yml"}, Checked: true}
	for i, p := range located.Problems() {
		p.About = diag.About{Index: 2, Phase: []diag.Phase{diag.Transform, diag.Load, diag.Extract}[i]}
		located.Problems()[i] = p
	}
	unread := &report.Report{Resources: []*report.Resource{{Index: 1, Kind: "file", Listed: true, Counts: report.Counts{Extracted: 2, Failed: 2, Unread: 2}}}}
	unread.Mark(report.Unread)
	lacking := &report.Report{Resources: []*report.Resource{{Index: 1, Kind: "file", Listed: true}}} // a branch that is not there
	return map[string]*report.Report{"unread": unread, "lacking": lacking, "empty": {}, "full": located, "memory": halfFromMemory(), "plan": plan(), "kept": kept, "failed": failed, "wrong": wrong, "clean": clean}
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	for name, r := range junitSamples(t) {
		_, text := readJUnit(t, r)
		golden(t, name+".junit.xml", text)
	}
}

// Something fails exactly where the run is no success.
func TestJUnitFailsAsTheRunDoes(t *testing.T) {
	t.Parallel()
	for name, r := range junitSamples(t) {
		if f, text := readJUnit(t, r); (f.Failures+f.Errors > 0) != (r.Status() != report.Success) {
			t.Errorf("%s: status %s:\n%s", name, r.Status(), text)
		}
	}
	for cause := report.RejectedEntity; cause <= report.Fatal; cause <<= 1 {
		r := &report.Report{}
		r.Mark(cause)
		if f, text := readJUnit(t, r); f.Failures+f.Errors == 0 {
			t.Errorf("cause %d: nothing fails:\n%s", cause, text)
		}
	}
}

// The counts of a run and of its resources are those of the other faces.
func TestJUnitCounts(t *testing.T) {
	t.Parallel()
	r := full()
	f, _ := readJUnit(t, r)
	want := map[string]string{}
	for _, o := range Outputs(r) {
		want[o.Name] = o.Text()
	}
	delete(want, "summary")
	for _, p := range f.Suites[0].Properties {
		if want[p.Name] != p.Value {
			t.Errorf("the run's %s is %q, want %q", p.Name, p.Value, want[p.Name])
		}
		delete(want, p.Name)
	}
	if len(want) > 0 {
		t.Errorf("the run has no %v", want)
	}
	for i, res := range r.Resources {
		for j, c := range columns {
			if p := f.Suites[i+1].Properties[j]; p.Name != c.word || p.Value != strconv.Itoa(c.of(res.Counts)) {
				t.Errorf("resource %d: got %s %s, want %d", i+1, p.Name, p.Value, c.of(res.Counts))
			}
		}
	}
}

// A schema that is no wider than that of Jenkins takes all of them.
func TestJUnitSchema(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("SKIPPED: xmllint is not installed (libxml2-utils), so no other program has read our XML")
	}
	for name, r := range junitSamples(t) {
		cmd := exec.CommandContext(t.Context(), tool, "--noout", "--schema", "testdata/junit.xsd", "-")
		cmd.Stdin = bytes.NewReader(JUnit(r))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v:\n%s", name, err, out)
		}
	}
}

// Of very many problems a failure holds what CI systems show.
func TestJUnitIsBounded(t *testing.T) {
	t.Parallel()
	r := &report.Report{Resources: []*report.Resource{{Index: 1, Kind: "project", Listed: true, Complete: true, Counts: report.Counts{Rejected: 500}}}}
	for i := range 500 {
		r.Note(diag.Problem{Message: fmt.Sprint("é ", i, strings.Repeat("é", 200)), About: diag.About{Index: 1, Phase: diag.Load}})
	}
	r.Mark(report.RejectedEntity)
	f, _ := readJUnit(t, r)
	accepted := f.Suites[1].Cases[2].Failure
	if accepted == nil || accepted.Message != "500 entities rejected" || utf8.RuneCountInString(accepted.Text) > maxCaseText || !strings.HasSuffix(accepted.Text, " more in the report") {
		t.Errorf("got %+v", accepted)
	}
}

// FuzzJUnit writes anything: it is XML that gives it back, whatever XML forbids.
func FuzzJUnit(f *testing.F) {
	for _, s := range []string{"plain", "\x1b[31m\x00\x7f\u0085", "\ufffe\uffff\u202e", `]]></failure><x a="'>`, "\xff\xfe", "a\r\nb\t", "&lt;&#0;", "😀"} {
		f.Add(s, "blueprint")
		f.Add("repository", s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		r := &report.Report{Resources: []*report.Resource{{Index: 1, Kind: a, Blueprints: []string{b}, Counts: report.Counts{Rejected: 1}}}}
		r.Mapping.Name, r.Program.Name = a, b
		r.Blueprint(b).HeldBy = a
		r.Note(diag.Problem{At: diag.Position{File: a, Line: 3}, Message: b, Fix: a, Example: b, About: diag.About{Index: 1, Phase: diag.Load}})
		r.Mark(report.RejectedEntity)
		file, text := readJUnit(t, r)
		if !utf8.ValidString(text) {
			t.Fatalf("not UTF-8: %q", text)
		}
		if got, want := file.Suites[1].Name, "resource 1 ("+visible(a, maxName)+")"; got != strings.Map(xmlRune, want) {
			t.Errorf("got the suite %q, want %q", got, want)
		}
		if got, want := file.Suites[1].Cases[2].Failure.Text, Line(r.Problems()[0]); !strings.Contains(got, strings.Map(xmlRune, want)) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	})
}

// xmlRune is what becomes of a character.
//
// Source: https://www.w3.org/TR/xml/#charsets, read 2026-11.
func xmlRune(c rune) rune {
	if c == '\t' || c == '\n' || c == '\r' || 0x20 <= c && c <= 0xd7ff || 0xe000 <= c && c <= 0xfffd || 0x10000 <= c && c <= 0x10ffff {
		return c
	}
	return utf8.RuneError
}
