package face

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

// maxCaseText bounds what stands in a failure, in characters: Pipelines shows so much of a field.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/test-reporting-in-pipelines/, read 2026-11.
const maxCaseText = 2000

// testSuite is a group of checks.
type testSuite struct {
	name       string
	duration   time.Duration
	properties [][2]string // names and values
	cases      []testCase
}

// testCase is one check of a run that a person cares about.
type testCase struct {
	name   string
	result caseResult
	lines  []string // why it did not pass, the first of all in one
}

type caseResult string

const (
	passed  caseResult = ""
	failure caseResult = "failure"
	errored caseResult = "error" // nothing is known of what it checks
	skipped caseResult = "skipped"
)

// JUnit returns the checks of a run as JUnit's XML, as test reports of CI systems show them: a
// suite for the run as a whole and one for each resource. A check fails where it keeps the run
// from being a success, so that some check failed exactly when the run is none.
//
// Jenkins checks the file by a schema that knows neither files nor lines of a case: its place
// begins the text of a failure. GitLab shows the class of a case as its suite, and of two
// cases of a class with one name the first.
//
// Source: https://github.com/jenkinsci/xunit-plugin (junit-10.xsd) and
// https://docs.gitlab.com/ci/testing/unit_test_reports/, read 2026-11.
func JUnit(r *report.Report) []byte {
	w := words{r}
	suites := []testSuite{w.runSuite()}
	for _, res := range r.Resources {
		suites = append(suites, w.resourceSuite(res))
	}
	var all testSuite
	for _, s := range suites {
		all.cases = append(all.cases, s.cases...)
	}
	root := element{"testsuites", []string{"name", cmp.Or(r.Program.Name, "run"), "time", junitTime(r.Duration),
		"tests", strconv.Itoa(len(all.cases)), "failures", all.count(failure), "errors", all.count(errored)}, nil, nil}
	for _, s := range suites {
		root.children = append(root.children, s.element(r))
	}
	out := bytes.NewBufferString(xml.Header)
	root.write(out, "")
	return out.Bytes()
}

func (s testSuite) count(result caseResult) string {
	n := 0
	for _, c := range s.cases {
		if c.result == result {
			n++
		}
	}
	return strconv.Itoa(n)
}

func (s testSuite) element(r *report.Report) element {
	e := element{"testsuite", []string{"name", s.name, "time", junitTime(s.duration), "tests", strconv.Itoa(len(s.cases)),
		"failures", s.count(failure), "errors", s.count(errored), "skipped", s.count(skipped)}, nil, nil}
	if !r.Started.IsZero() {
		e.attributes = append(e.attributes, "timestamp", r.Started.UTC().Format("2006-01-02T15:04:05"))
	}
	if file := cmp.Or(r.Mapping.Path, r.Mapping.Name); file != "" {
		e.attributes = append(e.attributes, "file", visible(file, maxExample))
	}
	properties := element{name: "properties"}
	for _, p := range s.properties {
		properties.children = append(properties.children, element{"property", []string{"name", p[0], "value", p[1]}, nil, nil})
	}
	e.children = append(e.children, properties)
	for _, c := range s.cases {
		one := element{"testcase", []string{"classname", s.name, "name", c.name}, nil, nil}
		if c.result != passed {
			one.children = []element{{string(c.result), []string{"message", c.lines[0]}, c.lines, nil}}
		}
		e.children = append(e.children, one)
	}
	return e
}

// junitTime is a number of seconds.
func junitTime(d time.Duration) string { return strconv.FormatFloat(seconds(d), 'f', 3, 64) }

// runSuite is about the run as a whole, and the mapping.
func (w words) runSuite() testSuite {
	s := testSuite{name: "run", duration: w.Duration}
	for _, o := range Outputs(w.Report) {
		if o.Name != "summary" {
			s.properties = append(s.properties, [2]string{o.Name, o.Text()})
		}
	}
	mapping := testCase{name: "the mapping has no errors"}
	if found := w.Mapping.Problems.Errors(); len(found) > 0 {
		mapping.fail(w.shortfall(), plural(len(found), "error"), found)
	}
	if w.Mapping.Checked || len(w.Mapping.Problems) > 0 {
		s.cases = append(s.cases, mapping)
	}
	success := w.Status() == report.Success
	if w.CheckOnly && w.Mapping.Checked && !w.BadInputs && success == (mapping.result == passed) {
		return s // there was nothing else to check
	}
	run := testCase{name: "the run is a success"}
	if w.Has(report.Fatal) {
		run.fail(errored, w.reasons(), w.problemsOf(0, ""))
	} else if !success {
		run.fail(failure, w.reasons(), w.problemsOf(0, ""))
	}
	s.cases = append(s.cases, run)
	return s
}

// resourceSuite is about one resource.
func (w words) resourceSuite(res *report.Resource) testSuite {
	s := testSuite{name: fmt.Sprintf("resource %d (%s)", res.Index, visible(res.Kind, maxName)), duration: res.Duration}
	for _, c := range columns {
		s.properties = append(s.properties, [2]string{c.word, strconv.Itoa(c.of(res.Counts))})
	}
	listed := testCase{name: "everything is listed and read"}
	of := w.problemsOf(res.Index, diag.Extract)
	switch {
	case !res.Listed:
		listed.fail(w.shortfall(), "its list was not read", of)
	case res.Unread > 0:
		listed.fail(w.shortfall(), plural(res.Unread, "object")+" could not be read", of)
	case !res.Complete && res.Failed == 0:
		listed.fail(w.shortfall(), "not everything was read and evaluated", of)
	}
	mapped := testCase{name: "every object is mapped"}
	if n := res.Failed - res.Unread; n > 0 {
		mapped.fail(w.shortfall(), plural(n, "object")+" could not be evaluated", w.problemsOf(res.Index, diag.Transform))
	}
	accepted := testCase{name: "every entity is accepted"}
	if res.Rejected > 0 {
		accepted.fail(w.shortfall(), grouped(res.Rejected, "entity", "entities")+" rejected", w.problemsOf(res.Index, diag.Load))
	}
	s.cases = []testCase{listed, mapped, accepted, w.deletionCase(res)}
	return s
}

// shortfall is the result of a check that something is lacking of. In a run that is a success
// it has not failed: somebody chose so, as by the input deletion, or it is a branch that one
// repository does not have.
func (w words) shortfall() caseResult {
	if w.Status() == report.Success {
		return skipped
	}
	return failure
}

// deletionCase is about all blueprints of a resource.
func (w words) deletionCase(res *report.Resource) testCase {
	c := testCase{name: "deletion is not held back"}
	for _, b := range w.SortedBlueprints() {
		if b.HeldBy == "" || !slices.Contains(res.Blueprints, b.Identifier) {
			continue
		}
		c.result = w.shortfall()
		c.lines = append(c.lines, fmt.Sprintf("blueprint %s: %d stale kept: %s", visible(b.Identifier, maxName), b.StaleKept, visible(b.HeldBy, maxFix)))
	}
	c.lines = boundedLines(c.lines)
	return c
}

// problemsOf returns the errors and warnings of a resource in a phase, or of all phases where
// that has none; 0 means the run as a whole.
func (w words) problemsOf(index int, phase diag.Phase) diag.Problems {
	var all, inPhase diag.Problems
	for _, p := range w.Worst() {
		if p.Severity == diag.Notice || p.About.Index != index {
			continue
		}
		all = append(all, p)
		if p.About.Phase == phase {
			inPhase = append(inPhase, p)
		}
	}
	if len(inPhase) > 0 {
		return inPhase
	}
	return all
}

// fail notes why a case did not pass: in one line, and by its problems, each with its place.
func (c *testCase) fail(result caseResult, message string, problems diag.Problems) {
	c.result, c.lines = result, []string{message}
	for _, p := range problems {
		c.lines = append(c.lines, Line(p))
	}
	c.lines = boundedLines(c.lines)
}

// boundedLines returns the lines that fit into a failure, and how many there are more.
func boundedLines(lines []string) []string {
	const more = "%d more in the report"
	room := maxCaseText - len(more)
	for i, line := range lines {
		if room -= utf8.RuneCountInString(line) + len("\n"); room < 0 && i > 0 {
			return append(lines[:i:i], fmt.Sprintf(more, len(lines)-i))
		}
	}
	return lines
}

// element is one of XML. It holds lines of text or other elements.
type element struct {
	name       string
	attributes []string // name, value, name, value and so on
	lines      []string
	children   []element
}

// write writes the element after an indent. What XML 1.0 forbids becomes U+FFFD.
func (e element) write(out *bytes.Buffer, indent string) {
	escape := func(text string) { _ = xml.EscapeText(out, []byte(text)) } // a buffer takes all
	out.WriteString(indent + "<" + e.name)
	for i := 0; i+1 < len(e.attributes); i += 2 {
		out.WriteString(" " + e.attributes[i] + `="`)
		escape(e.attributes[i+1])
		out.WriteString(`"`)
	}
	if len(e.lines)+len(e.children) == 0 {
		out.WriteString("/>\n")
		return
	}
	out.WriteString(">")
	for i, line := range e.lines {
		if i > 0 {
			out.WriteString("\n")
		}
		escape(line)
	}
	if len(e.children) > 0 {
		out.WriteString("\n")
		for _, child := range e.children {
			child.write(out, indent+"  ")
		}
		out.WriteString(indent)
	}
	out.WriteString("</" + e.name + ">\n")
}
