package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/platform"
	"port-bitbucket-exporter/internal/report"
)

const (
	// undoTimeout bounds what is done after a failure or a signal.
	undoTimeout = 4 * time.Second
	// maxAnnotations bounds what the platform is told; it shows fewer.
	maxAnnotations = 100
	// maxComment is the longest comment that GitHub takes, in bytes at most.
	//
	// Source: https://github.com/telia-oss/github-pr-resource/issues/259, read 2026-11.
	maxComment = 65_536
)

// end publishes what was done, and gives the exit status.
func (a *app) end(ctx context.Context, err error) int {
	var usage *usageError
	wrong := errors.As(err, &usage)
	told := wrong && usage.told
	if err != nil {
		a.report.Mark(report.Fatal)
		if told {
			a.report.Failure = firstLine(err.Error()) // what is wrong stands in lines of its own
		} else {
			problem := diag.Problem{Severity: diag.Error, Message: err.Error()}
			if u := (*unprepared)(nil); errors.As(err, &u) {
				problem.Fix = u.fix
			}
			a.report.Note(problem)
		}
	}
	a.noteRefused()
	a.report.Duration = time.Since(a.report.Started)
	a.closePage(ctx, errors.Is(err, errStopped))
	if a.bitbucket != nil {
		a.report.BitbucketRequests, a.report.PortRequests = a.bitbucket.Requests(), a.port.Requests()
		a.examine()
	}
	a.report.Duration = time.Since(a.report.Started)
	if told && !errors.Is(err, errMapping) {
		fmt.Fprintln(a.stdout, err)
	}
	annotated := a.publish(told)
	for _, line := range a.lastLines() {
		fmt.Fprintln(a.stdout, line)
	}
	if err != nil && (a.platform.Annotates() || !told && !holds(annotated, a.scrubber.Redact(err.Error()))) {
		a.log.Error(firstLine(err.Error()))
	}
	// A failure to write to the log has nobody left to be told to.
	_ = errors.Join(a.platform.Close(), a.stdout.Flush(), a.stderr.Flush())
	if wrong {
		return exitInputs
	}
	exit := a.report.ExitStatus(report.FailOn(a.config.FailOn))
	if exit == 0 && a.config.DetailedExit && a.report.Changing() {
		return exitChanges
	}
	return exit
}

// lastLines say how it ended: of a run what it did.
func (a *app) lastLines() []string {
	switch {
	case len(a.arguments.problems) > 0:
		return []string{a.report.Status() + ": " + a.report.Failure}
	case a.validating():
		return []string{a.verdict()}
	}
	return report.Lines(a.report)
}

func holds(problems []diag.Problem, message string) bool {
	return slices.ContainsFunc(problems, func(p diag.Problem) bool { return p.Text() == message })
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSuffix(line, ":")
}

// noteRefused reports credentials that were refused while others were still used.
func (a *app) noteRefused() {
	if a.bitbucket == nil {
		return
	}
	for _, r := range a.bitbucket.Refused() {
		a.report.Note(diag.Problem{Severity: diag.Warning, Message: r.What, Fix: r.Fix})
	}
}

// publish hands the report to the report file and to the platform. A failure is a
// warning: the run is what it is. It returns the problems that were annotated. With
// told the log has the errors already: they are not printed there once more.
func (a *app) publish(told bool) (annotated []diag.Problem) {
	a.report.Scrub(a.scrubber.Redact)
	a.writeOut("report_file", a.config.ReportFile, func() ([]byte, error) { return report.JSON(a.report), nil })
	if a.checked || len(a.problems) > 0 {
		a.writeOut("sarif_file", a.config.SARIFFile, a.sarif)
	}
	summary := func(limitBytes int) string { return report.Markdown(a.report, limitBytes) }
	if a.validating() {
		summary = a.verdictMarkdown
	}
	a.writeOut("summary_file", a.config.SummaryFile, func() ([]byte, error) { return []byte(summary(maxComment)), nil })
	for _, p := range a.report.Worst() {
		if len(annotated) == maxAnnotations || p.Severity == diag.Notice && !a.validating() {
			break
		}
		if !a.platform.Annotates() && (told && p.Severity == diag.Error || a.validating() && p.At.File != "") {
			continue // printed already
		}
		a.platform.Annotate(annotation(p, a.config.MappingFile))
		annotated = append(annotated, p)
	}
	var outputs []platform.Output
	for _, o := range report.Outputs(a.report) {
		outputs = append(outputs, platform.Output{Name: o.Name, Value: o.Text()})
	}
	if err := a.platform.Publish(outputs); err != nil {
		a.log.Warn("step outputs: " + err.Error())
	}
	if err := a.platform.Summary(summary); err != nil {
		a.log.Warn("step summary: " + err.Error())
	}
	return annotated
}

// writeOut writes a file that an input names, when it does.
func (a *app) writeOut(id, name string, text func() ([]byte, error)) {
	if name == "" {
		return
	}
	content, err := text()
	if err == nil {
		err = writeFile(a.path(name), content)
	}
	if err != nil {
		a.warn(diag.Problem{Message: id + " is not written: " + err.Error(), Fix: "give " + id + " a path in a folder that exists and can be written to"})
		a.report.Scrub(a.scrubber.Redact)
	}
}

// annotation is on a line of the mapping where that is a file of the checkout.
func annotation(p diag.Problem, mappingFile string) platform.Annotation {
	out := platform.Annotation{Severity: platform.Error, Message: p.Text()}
	switch p.Severity {
	case diag.Warning:
		out.Severity = platform.Warning
	case diag.Notice:
		out.Severity = platform.Notice
	}
	if p.At.File != "" && p.At.File == mappingFile {
		out.File, out.Line, out.Column = p.At.File, p.At.Line, p.At.Column
	} else if place := report.Place(p); place != "" {
		out.Message = place + ": " + p.Text()
	}
	if p.Count > 1 {
		out.Message += fmt.Sprintf(" (%d times)", p.Count)
	}
	if p.Example != "" {
		out.Message += "; first: " + p.Example
	}
	if p.Fix != "" {
		out.Message += "; fix: " + p.Fix
	}
	return out
}

// writeFile puts the whole file in its place at once: a reader, or a kill, never
// meets half of it.
func writeFile(name string, text []byte) error {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, ".report-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
