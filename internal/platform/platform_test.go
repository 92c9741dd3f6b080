package platform

import (
	"errors"
	"os"
	"testing"

	"port-bitbucket-exporter/internal/diag"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		env       map[string]string
		want      string
		pipelines bool
	}{
		{"nothing", nil, "plain", false},
		{"GitHub", map[string]string{"GITHUB_ACTIONS": "true"}, "GitHub Actions", false},
		{"GitHub, not quite", map[string]string{"GITHUB_ACTIONS": "false"}, "plain", false},
		{"Pipelines", map[string]string{"BITBUCKET_PIPELINE_UUID": "{1}"}, "Bitbucket Pipelines", true},
		{"Pipelines by number", map[string]string{"BITBUCKET_BUILD_NUMBER": "7"}, "Bitbucket Pipelines", true},
		{"both", map[string]string{"GITHUB_ACTIONS": "true", "BITBUCKET_BUILD_NUMBER": "7"}, "GitHub Actions", false},
		{"GitLab", map[string]string{"GITLAB_CI": "true", "TF_BUILD": "True"}, "GitLab CI/CD", false},
		{"Azure", map[string]string{"TF_BUILD": "True", "JENKINS_URL": "https://jenkins.example.com/"}, "Azure Pipelines", false},
		{"Jenkins", map[string]string{"JENKINS_URL": "https://jenkins.example.com/"}, "Jenkins", false},
		{"Pipelines first", map[string]string{"BITBUCKET_BUILD_NUMBER": "7", "GITLAB_CI": "true"}, "Bitbucket Pipelines", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, tt.env)
			if got := f.Name(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got, want := f.Annotates(), tt.want == "GitHub Actions" || tt.want == "Azure Pipelines"; got != want {
				t.Errorf("Annotates: got %t, want %t", got, want)
			}
			if got := Pipelines(f.getenv); got != tt.pipelines {
				t.Errorf("Pipelines: got %t, want %t", got, tt.pipelines)
			}
		})
	}
}

// The container of a pipe is one of Pipelines, and no step of it.
func TestPipe(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env  map[string]string
		want bool
	}{
		{map[string]string{"BITBUCKET_BUILD_NUMBER": "7"}, false},
		{map[string]string{"BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_PIPE_STORAGE_DIR": "/a"}, true},
		{map[string]string{"BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_PIPE_SHARED_STORAGE_DIR": "/a"}, true},
		{map[string]string{"BITBUCKET_PIPE_STORAGE_DIR": "/a"}, false},
		{map[string]string{"GITHUB_ACTIONS": "true", "BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_PIPE_STORAGE_DIR": "/a"}, false},
	} {
		if got := Pipe(newFixture(t, tt.env).getenv); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.env, got, tt.want)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.Mask("s3cret-value")
	f.Annotate(Annotation{Severity: diag.Error, Message: "bad\n  ^ s3cret-value\n##[error]x\n", At: diag.Position{File: "port/mapping.yml", Line: 14, Column: 22}})
	f.Annotate(Annotation{Severity: diag.Warning, Message: "one\rline", At: diag.Position{File: "a.yml", Line: 3}})
	f.Annotate(Annotation{Severity: diag.Notice, Message: "::error::x", At: diag.Position{Column: 9}})
	want := "ERROR port/mapping.yml:14:22: bad\n" +
		"      ^ ***\n" +
		"    # #[error]x\n" +
		"WARNING a.yml:3: one\\rline\n" +
		"NOTICE ::error::x\n"
	if got := f.out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := errors.Join(f.Publish([]Output{{"status", "success"}}), f.Summary(text("# x")), f.Close()); err != nil {
		t.Error(err)
	}
	if got := f.out.String(); got != want {
		t.Errorf("Publish or Summary wrote: %s", got)
	}
}

func TestPlainBrokenStdout(t *testing.T) {
	t.Parallel()
	p := Detect(World{Getenv: func(string) string { return "" }, Stdout: broken{}})
	p.Mask("s3cret-value")
	p.Annotate(Annotation{Message: "x"})
	if err := p.Close(); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
}

func TestBitbucketPublish(t *testing.T) {
	t.Parallel()
	outputs := []Output{
		{"status", "partial"}, {"entities_created", "12"}, {"bitbucket_requests", "3"}, {"summary", "[]"},
		{"two_lines", "a\nPATH=b"}, {"odd", "a\rb"}, {"bad name", "x"}, {"leak", "a s3cret-value b"}, {"empty", ""},
	}
	const lines = "PORT_RESYNC_STATUS=partial\nPORT_RESYNC_ENTITIES_CREATED=12\nPORT_RESYNC_BITBUCKET_REQUESTS=3\n" +
		"PORT_RESYNC_LEAK=a *** b\nPORT_RESYNC_EMPTY=\n"
	tests := []struct {
		name, before, want string
	}{
		{"empty", "", lines},
		{"what is there stays", "A=1\nPORT_RESYNC_STATUS=old\n", "A=1\nPORT_RESYNC_STATUS=old\n" + lines},
		{"a last line without a break stays", "A=1", "A=1\n" + lines},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"BITBUCKET_BUILD_NUMBER": "1"}
			f := newFixture(t, env)
			env["BITBUCKET_PIPELINES_VARIABLES_PATH"] = f.path("variables")
			if tt.before != "" {
				if err := os.WriteFile(f.path("variables"), []byte(tt.before), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			f.Mask("s3cret-value")
			if err := f.Publish(outputs); err != nil {
				t.Fatal(err)
			}
			if got := read(t, f.path("variables")); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if entries, err := os.ReadDir(f.dir); err != nil || len(entries) != 1 {
				t.Errorf("got %v, %v, want the one file", entries, err)
			}
			if f.out.Len() > 0 {
				t.Errorf("printed %q", f.out.String())
			}
		})
	}
}

func TestBitbucketPublishNeverFails(t *testing.T) {
	t.Parallel()
	env := map[string]string{"BITBUCKET_BUILD_NUMBER": "1"}
	f := newFixture(t, env)
	for _, path := range []string{"", f.dir, f.path("none/variables")} {
		env["BITBUCKET_PIPELINES_VARIABLES_PATH"] = path
		if err := f.Publish([]Output{{"status", "success"}}); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
	if entries, err := os.ReadDir(f.dir); err != nil || len(entries) != 0 {
		t.Errorf("got %v, %v, want an empty folder", entries, err)
	}
}

func TestBitbucketAnnotate(t *testing.T) {
	t.Parallel()
	f := newFixture(t, map[string]string{"BITBUCKET_BUILD_NUMBER": "1"})
	f.Annotate(Annotation{Severity: diag.Error, Message: "bad", At: diag.Position{File: "m.yml", Line: 1, Column: 2}})
	if got, want := f.out.String(), "ERROR m.yml:1:2: bad\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
