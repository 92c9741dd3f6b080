package platform

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/diag"
)

func azureFixture(t *testing.T) fixture {
	t.Helper()
	return newFixture(t, map[string]string{"TF_BUILD": "True", "BUILD_SOURCESDIRECTORY": "/checkout"})
}

func TestAzureMask(t *testing.T) {
	t.Parallel()
	f := azureFixture(t)
	f.Mask("s3cret;v]al%ue", "", "abc", "true")
	f.Mask("s3cret;v]al%ue", "two lines\nof four\n")
	if got, want := f.out.String(), "##vso[task.setsecret]s3cret;v]al%AZP25ue\n##vso[task.setsecret]two lines\n##vso[task.setsecret]of four\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := f.scrubber.Line("a s3cret;v]al%ue"), "a ***"; got != want {
		t.Errorf("scrubber: got %q, want %q", got, want)
	}
}

func TestAzureAnnotate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		a    Annotation
		want string
	}{
		{"all fields", Annotation{diag.Error, "text; 100%]", diag.Position{File: "a;b]100%.yml", Line: 14, Column: 22}},
			"##vso[task.logissue type=error;sourcepath=sub/a%3Bb%5D100%AZP25.yml;linenumber=14;columnnumber=22]text; 100%AZP25]\n"},
		{"several lines", Annotation{Severity: diag.Warning, Message: "one\r\ntwo\n  ^\n"}, "##vso[task.logissue type=warning]one%0Atwo%0A  ^\n"},
		{"no column", Annotation{Severity: diag.Error, Message: "x", At: diag.Position{File: "m.yml", Line: 3}},
			"##vso[task.logissue type=error;sourcepath=sub/m.yml;linenumber=3;columnnumber=1]x\n"},
		{"no line", Annotation{Severity: diag.Error, Message: "x", At: diag.Position{File: "m.yml"}}, "##vso[task.logissue type=error]sub/m.yml: x\n"},
		{"there are no notices", Annotation{Severity: diag.Notice, Message: "x", At: diag.Position{File: "m.yml", Line: 3}}, "NOTICE m.yml:3: x\n"},
		{"foreign text", Annotation{Severity: diag.Error, Message: "a ##vso[task.complete result=Succeeded]b\n##[error]s3cret-value"},
			"##vso[task.logissue type=error]a # #vso[task.complete result=Succeeded]b%0A# #[error]***\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := azureFixture(t)
			f.scrubber.Add("s3cret-value")
			f.Annotate(tt.a)
			if got := f.out.String(); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// The agent keeps ten issues of a severity: the last one says how many there are.
func TestAzureIssueCap(t *testing.T) {
	t.Parallel()
	f := azureFixture(t)
	for i := range 25 {
		f.Annotate(Annotation{Severity: diag.Error, Message: fmt.Sprint("error ", i+1)})
	}
	if err := errors.Join(f.Publish(nil), f.Close()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(f.out.String()), "\n")
	if len(lines) != 10 || !strings.Contains(lines[8], "]error 9") || !strings.Contains(lines[9], "]16 more of this severity were left out: Azure Pipelines shows 10") {
		t.Errorf("got\n%s\nwant nine errors, and how many there are more", f.out)
	}
}

func TestAzurePublish(t *testing.T) {
	t.Parallel()
	f := azureFixture(t)
	f.scrubber.Add("s3cret-value")
	err := f.Publish([]Output{{"status", "partial"}, {"summary", "[]"}, {"bad name", "x"}, {"two_lines", "a\nb"}, {"leak", "a s3cret-value"}, {"empty", ""}})
	want := "##vso[task.setvariable variable=status;isOutput=true]partial\n" +
		"##vso[task.setvariable variable=leak;isOutput=true]a ***\n" +
		"##vso[task.setvariable variable=empty;isOutput=true]\n"
	if got := f.out.String(); err != nil || got != want {
		t.Errorf("got %v and\n%s\nwant\n%s", err, got, want)
	}
}

// Each step of a job hands over a summary of its own.
func TestAzureSummary(t *testing.T) {
	t.Parallel()
	f := azureFixture(t)
	f.env["AGENT_TEMPDIRECTORY"] = f.dir
	f.scrubber.Add("s3cret-value")
	for _, name := range []string{"Port resync.md", "Port resync 2.md"} {
		f.out.Reset()
		if err := f.Summary(text("# x s3cret-value\n")); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(f.dir, name)
		if got, want := f.out.String(), "##vso[task.uploadsummary]"+path+"\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := read(t, path); got != "# x ***\n" {
			t.Errorf("got the summary %q", got)
		}
	}
	if info, err := os.Stat(f.path("Port resync.md")); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("got %v, %v, want a file that the agent may read", info, err)
	}
	f.out.Reset()
	if err := f.Summary(text("")); err != nil || f.out.Len() > 0 {
		t.Errorf("an empty summary: %v, %q", err, f.out)
	}
}

// A file that the agent does not find fails the step: there is none without its folder.
func TestAzureSummaryInAContainer(t *testing.T) {
	t.Parallel()
	f := azureFixture(t)
	for _, folder := range []string{"", f.path("none")} {
		f.env["AGENT_TEMPDIRECTORY"] = folder
		if err := f.Summary(text("# x")); err != nil || f.out.Len() > 0 {
			t.Errorf("%q: %v, %q", folder, err, f.out)
		}
	}
}

func TestAzureBrokenStdout(t *testing.T) {
	t.Parallel()
	p := Detect(World{Getenv: func(name string) string { return map[string]string{"TF_BUILD": "True"}[name] }, Stdout: broken{}})
	p.Annotate(Annotation{Message: "x"})
	if err := p.Close(); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
}
