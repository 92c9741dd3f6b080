package resync_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/resync"
)

// filesOf is a resource of files, of all repositories or of some.
func filesOf(repos string) string {
	return `
- kind: file
  selector: {query: 'true', files: [{path: README.md` + repos + `}]}
  port: {entity: {mappings: {identifier: .repo.slug, title: .file.content, blueprint: '"service"'}}}`
}

// Over git a repository costs two requests of git's own class, however many resources read it.
func TestForecastOverGit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		resources []string
		want      string // after the cost of the API; empty for none
	}{
		{"nothing is read", nil, ""},
		{"all", []string{filesOf("")}, "over git about 8 requests"},
		{"some", []string{filesOf(", repos: [{name: a}, {name: b}]")}, "over git about 4 requests"},
		{"some twice", []string{filesOf(", repos: [{name: a}]"), filesOf(", repos: [{name: b}, {name: c}]")}, "over git about 6 requests"},
		{"all twice", []string{filesOf(""), filesOf("")}, "over git about 8 requests"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("a", "b", "c", "d"))
				w.overGit = true
				var log bytes.Buffer
				w.adjust = func(j *resync.Job) { j.Log = slog.New(slog.NewTextHandler(&log, nil)) }
				w.sync(mapped(append([]string{repos}, c.resources...)...)).ended(report.Success)
				_, forecast, _ := strings.Cut(log.String(), "forecast for 4 repositories: about 1 request; 1 credential may make 1000000 in 1h: no waiting; 1 more if anything is to be deleted")
				if forecast, _, _ = strings.Cut(forecast, "\n"); !strings.Contains(forecast, c.want) || c.want == "" && forecast != "\"" {
					t.Errorf("got forecast %q, want %q", forecast, c.want)
				}
			})
		})
	}
}

// That REST read a repository in place of git, or all of them, is told and no more.
func TestFallbacksAreNoFault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		broken   []string
		options  gitwiretest.Options
		severity diag.Severity // of the worst problem
		given    bool          // git is given up
	}{
		{"one", []string{"b"}, gitwiretest.Options{Err: "no"}, diag.Notice, false},
		{"all", []string{"a", "b", "c", "d"}, gitwiretest.Options{NoV2: true}, diag.Warning, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, acme("a", "b", "c", "d"))
				w.overGit = true
				for _, slug := range c.broken {
					w.bitbucket.ConfigureGit(slug, c.options)
				}
				r := w.sync(mapped(filesOf("")))
				r.ended(report.Success).is(want{"extracted": 4, "created": 4})
				sources := r.report.Sources
				if sources.Reader != report.Git || sources.Stopped != "" != c.given || len(sources.Fallbacks) == 0 || len(sources.Fallbacks) > len(c.broken) {
					t.Errorf("got %+v", sources)
				}
				if worst := r.report.Worst(); len(worst) == 0 || worst[0].Severity != c.severity || worst[0].Severity == diag.Warning && worst[0].Count != 1 {
					t.Errorf("got %v, want one of severity %v at most", worst, c.severity)
				}
			})
		})
	}
}
