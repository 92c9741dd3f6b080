package platform

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/diag"
)

func githubFixture(t *testing.T) fixture {
	t.Helper()
	env := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": "/checkout"}
	f := newFixture(t, env)
	env["GITHUB_OUTPUT"] = f.path("output")
	env["GITHUB_STEP_SUMMARY"] = f.path("summary")
	return f
}

func TestGitHubMask(t *testing.T) {
	t.Parallel()
	f := githubFixture(t)
	f.Mask("s3cret%value", "", "abc", "true", "s3cret%value")
	f.Mask("s3cret%value", "two\nlines")
	if got, want := f.out.String(), "::add-mask::s3cret%25value\n::add-mask::two%0Alines\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := f.scrubber.Line("a s3cret%value and lines"), "a *** and ***"; got != want {
		t.Errorf("scrubber: got %q, want %q", got, want)
	}
}

func TestGitHubAnnotate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		a    Annotation
		want string
	}{
		{"all fields", Annotation{diag.Error, "text: 100%", diag.Position{File: "a: b, 100%.yml", Line: 14, Column: 22}},
			"::error col=22,file=sub/a%3A b%2C 100%25.yml,line=14::text: 100%25\n"},
		{"several lines", Annotation{Severity: diag.Warning, Message: "one\r\ntwo\n  ^\n"}, "::warning::one%0Atwo%0A  ^\n"},
		{"a column needs a line, a line needs a file", Annotation{diag.Notice, "x", diag.Position{File: "", Line: 2, Column: 3}}, "::notice::x\n"},
		{"no line", Annotation{Severity: diag.Notice, Message: "x", At: diag.Position{File: "/checkout/m.yml", Column: 3}}, "::notice file=m.yml::x\n"},
		{"outside the checkout", Annotation{Severity: diag.Notice, Message: "x", At: diag.Position{File: "/etc/m.yml"}}, "::notice file=/etc/m.yml::x\n"},
		{"foreign text", Annotation{Severity: diag.Error, Message: "a ##[set-output name=status]success\n ::stop-commands::x s3cret-value\x1b", At: diag.Position{File: "a\u202eb\n::x"}},
			"::error file=sub/a\\u202eb\\n%3A%3Ax::a # #[set-output name=status]success%0A : :stop-commands::x ***\\x1b\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := githubFixture(t)
			f.scrubber.Add("s3cret-value")
			f.Annotate(tt.a)
			if got := f.out.String(); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestGitHubAnnotationCap(t *testing.T) {
	t.Parallel()
	for _, count := range []int{9, 10, 11, 25} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			t.Parallel()
			f := githubFixture(t)
			for i := range count {
				f.Annotate(Annotation{Severity: diag.Error, Message: fmt.Sprint("error ", i+1)})
			}
			f.Annotate(Annotation{Severity: diag.Warning, Message: "warning"})
			if err := f.Publish(nil); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				f.Annotate(Annotation{Severity: diag.Error, Message: "late"})
			}
			if err := errors.Join(f.Close(), f.Close()); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(f.out.String()), "\n")
			var errorLines []string
			for _, line := range lines {
				if strings.HasPrefix(line, "::error") {
					errorLines = append(errorLines, line)
				}
			}
			last := "::error::error 10"
			switch {
			case count == 9:
				last = "::error::3 more" // what came late
			case count > 10:
				last = fmt.Sprintf("::error::%d more", count-9)
			}
			if len(errorLines) != 10 || !strings.HasPrefix(errorLines[9], last) || len(lines) != 11 {
				t.Errorf("got %d error lines of %d, want 10 of 11, the last one %q:\n%s", len(errorLines), len(lines), last, f.out)
			}
		})
	}
}

func TestGitHubMessageCut(t *testing.T) {
	t.Parallel()
	f := githubFixture(t)
	f.Annotate(Annotation{Message: strings.Repeat("é", 3000)})
	message := strings.TrimSuffix(strings.TrimPrefix(f.out.String(), "::error::"), "\n")
	if len(message) > maxMessageBytes || len(message) < maxMessageBytes-4 || !utf8.ValidString(message) || !strings.HasSuffix(message, "é…") {
		t.Errorf("got %d bytes that end in %q", len(message), message[len(message)-8:])
	}
}

func TestGitHubPublish(t *testing.T) {
	t.Parallel()
	f := githubFixture(t)
	f.Mask("s3cret-value")
	err := f.Publish([]Output{
		{"status", "partial"}, {"forged", "a\n" + outputDelimiter + "\nstatus=success"}, {"forged_too", outputDelimiter + "\r\nx"},
		{"bad\nname", "x"}, {"big", strings.Repeat("x", maxOutputBytes/2)},
		{"summary", "[{\"x\": \"s3cret-value\"}]"}, {"lines", "a\n\nb\n"}, {"empty", ""}, {"near", "x" + outputDelimiter},
	})
	for _, name := range []string{`"forged"`, `"forged_too"`, `"bad\nname"`, `"big"`} {
		if err == nil || !strings.Contains(err.Error(), "publish output "+name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
	want := []Output{{"status", "partial"}, {"summary", "[{\"x\": \"***\"}]"}, {"lines", "a\n\nb\n"}, {"empty", ""}, {"near", "x" + outputDelimiter}}
	got, err := readOutputs(read(t, f.path("output")))
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestGitHubPublishWithoutFile(t *testing.T) {
	t.Parallel()
	f := githubFixture(t)
	for range 12 {
		f.Annotate(Annotation{Message: "x"})
	}
	for path, want := range map[string]string{"": "GITHUB_OUTPUT is not set", f.dir: `publish output "status"`} {
		f.env["GITHUB_OUTPUT"] = path
		if err := f.Publish([]Output{{"status", "success"}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", path, err, want)
		}
	}
	if got, want := strings.Count(f.out.String(), "::error::"), 10; got != want {
		t.Errorf("got %d annotations, want %d", got, want)
	}
}

func TestGitHubBrokenStdout(t *testing.T) {
	t.Parallel()
	p := Detect(World{Getenv: func(name string) string { return map[string]string{"GITHUB_ACTIONS": "true"}[name] }, Stdout: broken{}})
	p.Mask("s3cret-value")
	p.Annotate(Annotation{Message: "x"})
	if err := p.Close(); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
}

func TestGitHubSummary(t *testing.T) {
	t.Parallel()
	f := githubFixture(t)
	f.Mask("s3cret-value")
	if err := errors.Join(f.Summary(text("# One\ns3cret-value")), f.Summary(text("two")), f.Summary(text(""))); err != nil {
		t.Fatal(err)
	}
	if got, want := read(t, f.path("summary")), "# One\n***\ntwo\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	f.env["GITHUB_STEP_SUMMARY"] = f.dir
	if err := f.Summary(text("x")); err == nil {
		t.Error("a folder: got no error")
	}
	f.env["GITHUB_STEP_SUMMARY"] = ""
	if err := f.Summary(text("x")); err != nil {
		t.Errorf("without the variable: %v", err)
	}
}

// text is a summary that is as long as it is.
func text(markdown string) func(int) string { return func(int) string { return markdown } }

// A summary is asked to fit what room the step has left.
func TestGitHubSummaryFits(t *testing.T) {
	t.Parallel()
	f := githubFixture(t)
	if err := os.WriteFile(f.path("summary"), []byte("before\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var limits []int
	full := func(limit int) string {
		limits = append(limits, limit)
		return strings.Repeat("x", limit)
	}
	if err := errors.Join(f.Summary(full), f.Summary(full)); err != nil {
		t.Fatal(err)
	}
	if want := []int{maxSummaryBytes - len("before\n") - len("\n"), 0}; !slices.Equal(limits, want) {
		t.Errorf("got limits %d, want %d", limits, want)
	}
	if got := len(read(t, f.path("summary"))); got != maxSummaryBytes {
		t.Errorf("got %d bytes, want %d", got, maxSummaryBytes)
	}
}

// readOutputs reads a file of outputs as GitHub documents it: name=value, or
// name<<delimiter, lines, delimiter. Empty lines between are skipped.
func readOutputs(content string) ([]Output, error) {
	var outputs []Output
	for content != "" {
		var line string
		line, content, _ = strings.Cut(content, "\n")
		if line == "" {
			continue
		}
		equals, heredoc := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case heredoc >= 0 && (equals < 0 || heredoc < equals):
			name, delimiter := line[:heredoc], line[heredoc+2:]
			var lines []string
			for {
				var found bool
				line, content, found = strings.Cut(content, "\n")
				if line == delimiter {
					break
				}
				if !found {
					return nil, fmt.Errorf("no end of output %q", name)
				}
				lines = append(lines, line)
			}
			outputs = append(outputs, Output{name, strings.Join(lines, "\n")})
		case equals > 0:
			outputs = append(outputs, Output{line[:equals], line[equals+1:]})
		default:
			return nil, fmt.Errorf("a line of no form: %q", line)
		}
	}
	return outputs, nil
}

func FuzzOutput(f *testing.F) {
	f.Add("status", "success", "summary", `[{"a": "b\nc"}]`)
	f.Add("a", "x\n"+outputDelimiter+"\nb=c", "b", "y")
	f.Add("a=b", "x", "c<<d", "y")
	f.Add("a", "\r\n\r", "_", "\n")
	f.Add("a", outputDelimiter+"\r", "b", "\xff\x00")
	f.Add("é", "x", "", "y")
	f.Add("a", "b<<"+outputDelimiter, "b", "c=d\n\n")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		env := map[string]string{"GITHUB_ACTIONS": "true"}
		fix := newFixture(t, env)
		env["GITHUB_OUTPUT"] = fix.path("output")
		var want []Output
		for _, o := range []Output{{name1, value1}, {name2, value2}} {
			if err := fix.Publish([]Output{o}); err == nil {
				want = append(want, o)
			} else if validName(o.Name) && !strings.Contains(o.Value, outputDelimiter) && len(o.Value) < maxOutputBytes/4 {
				t.Errorf("refused %q: %v", o, err)
			}
		}
		if len(want) == 0 {
			return
		}
		got, err := readOutputs(read(t, fix.path("output")))
		if err != nil || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
		if fix.out.Len() > 0 {
			t.Errorf("printed %q", fix.out.String())
		}
	})
}
