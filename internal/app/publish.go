package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/datasource"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/face"
	"port-bitbucket-exporter/internal/platform"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/report"
)

const (
	// maxAnnotations bounds what the platform is given; it shows fewer.
	maxAnnotations = 100
)

// publish hands over what was done to everybody who is to see it, and returns the exit
// status. err is why the run has no result, or nil.
func publish(ctx context.Context, s *session, err error) int {
	var usage *usageError
	wrong := errors.As(err, &usage)
	reported := wrong && usage.reported
	if err != nil {
		noteFailure(s, err, reported)
	}
	if s.clients != nil {
		refused := s.clients.bitbucket.Refused() // while others were still used
		if git := s.clients.bitbucket.Git(); git != nil {
			refused = append(refused, git.Refused()...)
		}
		for i, r := range refused {
			if !slices.Contains(refused[:i], r) { // by the API and the git host alike
				s.report.Note(diag.Problem{Severity: diag.Warning, Message: r.What, Fix: r.Fix})
			}
		}
	}
	s.report.Duration = time.Since(s.report.Started)
	s.progress.Phase("telling Port how it went")
	closeFeed(ctx, s, errors.Is(err, errStopped))
	if s.clients != nil {
		s.report.BitbucketRequests, s.report.PortRequests = s.clients.bitbucket.Requests(), s.clients.port.Requests()
		spent := s.clients.bitbucket.Spent()
		s.report.Allowance = report.Allowance{Each: spent.Each, Credentials: spent.Credentials, Window: spent.Window}
		if s.command.atEnd != nil {
			s.command.atEnd(s)
		}
	}
	s.report.Duration = time.Since(s.report.Started)
	s.report.Timeline = timeline(s.progress.Timeline())
	s.hush()
	if reported && !errors.Is(err, errMapping) && !s.style.json { // each problem is a line then
		s.say(err.Error())
	}
	sendInsights(ctx, s)
	annotated := handOver(s, reported)
	s.close(lastLines(s))
	if err != nil && !reported && s.report.Failure != "" && !holds(annotated, s.scrubber.Redact(err.Error())) {
		s.log.Error(firstLine(err.Error())) // of more problems than are annotated
	}
	// A failure to write to the log has no place left to show.
	_ = errors.Join(s.platform.Close(), s.stdout.Flush(), s.stderr.Flush())
	if wrong {
		return exitInputs
	}
	exit := s.report.ExitStatus(report.FailOn(s.config.FailOn))
	if exit == 0 && s.config.DetailedExit && s.report.Changing() {
		return exitChanges
	}
	return exit
}

// noteFailure puts into the report why the run has no result.
func noteFailure(s *session, err error, reported bool) {
	s.report.Mark(report.Fatal)
	if c := report.Consequence(""); errors.As(err, &c) && len(s.report.Problems().Errors()) > 0 {
		return
	}
	s.report.Failure = firstLine(err.Error())
	if reported { // what is wrong stands in lines of its own
		if worst := s.report.Causes().Errors(); len(worst) > 0 && !s.badArguments {
			s.report.Failure += ": " + worst[0].Brief()
		}
		return
	}
	problem := diag.Problem{Severity: diag.Error, Message: err.Error()}
	if u := (*setupError)(nil); errors.As(err, &u) {
		problem.Fix = u.fix
	}
	s.report.Note(problem)
}

// closeFeed ends the feed with what its log still lacks.
func closeFeed(ctx context.Context, s *session, stopped bool) {
	for _, p := range s.report.Worst() {
		switch p.Severity {
		case diag.Error:
			s.feed.Log("ERROR", face.Line(p), p.About)
		case diag.Warning:
			s.feed.Log("WARNING", face.Line(p), p.About)
		}
	}
	s.feed.Log("INFO", face.Result(s.report), diag.About{})
	end := datasource.End{Status: port.Completed, At: time.Now(), Report: s.report}
	switch {
	case stopped:
		end.Status = port.Aborted
	case s.report.ExitStatus(report.Incomplete) != 0:
		end.Status = port.Failed
	}
	for _, f := range s.feed.Finish(ctx, end) {
		s.report.Note(diag.Problem{
			Severity: diag.Warning,
			Message:  fmt.Sprintf("Port's Data sources page does not show %s: %s", f.What, f.Err),
			Fix:      feedFix(f.Err),
			Count:    f.Count,
		})
	}
}

// lastLines returns how it ended: of a run what it did.
func lastLines(s *session) []face.LogLine {
	if s.badArguments {
		return []face.LogLine{{Text: s.report.Status() + ": " + s.report.Failure}}
	}
	return face.Lines(s.report)
}

func holds(problems []diag.Problem, message string) bool {
	return slices.ContainsFunc(problems, func(p diag.Problem) bool { return p.Text() == message })
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSuffix(line, ":")
}

// handOver hands the report to the files that the inputs name and to the platform. A failure
// is a warning: the run is what it is. It returns the problems that were annotated. With
// reported the log has the errors already: it does not show them again.
func handOver(s *session, reported bool) (annotated []diag.Problem) {
	s.report.Scrub(s.scrubber.Redact)
	for _, form := range face.Forms {
		writeOut(s, form)
	}
	checkOnly := s.command.checkOnly // the mapping's problems are printed
	for _, p := range s.report.Causes() {
		if len(annotated) == maxAnnotations || p.Severity == diag.Notice && !checkOnly {
			break
		}
		if !s.platform.Annotates() && s.leavesOut(p, reported && !s.style.json, checkOnly) {
			continue
		}
		s.annotate(p)
		annotated = append(annotated, p)
	}
	var outputs []platform.Output
	for _, o := range face.Outputs(s.report) {
		outputs = append(outputs, platform.Output{Name: o.Name, Value: o.Text()})
	}
	if err := s.platform.Publish(outputs); err != nil {
		s.log.Warn("step outputs: " + err.Error())
	}
	summary := func(limitBytes int) string { return face.Markdown(s.report, limitBytes) }
	if err := s.platform.Summary(summary); err != nil {
		s.log.Warn("step summary: " + err.Error())
	}
	return annotated
}

// leavesOut reports whether a problem is printed already, or not wanted.
func (c console) leavesOut(p diag.Problem, reported, checkOnly bool) bool {
	return reported && p.Severity == diag.Error || checkOnly && p.At.File != "" || c.style.quiet && p.Severity != diag.Error
}

// writeOut writes a form of the report to the file that its input names; without a name it
// does nothing.
func writeOut(s *session, form face.Form) {
	name := s.config.Files[form.Input]
	if name == "" {
		return
	}
	content := form.Write(s.report)
	if content == nil {
		return
	}
	if err := s.writeFile(name, content, form.Escape); err != nil {
		s.warn(diag.Problem{Message: form.Input + " is not written: " + err.Error(), Fix: "give " + form.Input + " a path in a folder that exists and can be written to"})
		s.report.Scrub(s.scrubber.Redact)
	}
}

// annotation returns what the platform shows of a problem: on its line where that is one of
// the files, which are those of the checkout.
func annotation(p diag.Problem, files []report.File) platform.Annotation {
	out := platform.Annotation{Severity: p.Severity, Message: p.Text()}
	if p.At.File != "" && slices.ContainsFunc(files, func(f report.File) bool { return f.Name == p.At.File && f.Path != "" }) {
		out.At = p.At
	} else if place := face.Place(p); place != "" {
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
