package app_test

import (
	"bytes"
	"context"
	"maps"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/app"
)

// atTerminal runs the program at a terminal, which both streams are, and returns the bytes that
// went there.
func (w *world) atTerminal(env map[string]string, args ...string) string {
	w.t.Helper()
	all := maps.Clone(w.env)
	maps.Copy(all, env)
	var environ []string
	for k, v := range all {
		environ = append(environ, k+"="+v)
	}
	var b bytes.Buffer
	app.Main(context.Background(), app.Process{
		Args: args, Environ: environ, Stdout: &b, Stderr: &b, StdoutTerminal: true, StderrTerminal: true, Dir: w.dir, Transport: w.transport,
	})
	return b.String()
}

// A person at a terminal sees one line that says how far the run is, below the lines of the
// log, and nothing of it when the run is done.
func TestTerminal(t *testing.T) {
	t.Parallel()
	w := virtual(t, many(1))
	synctest.Test(t, func(t *testing.T) {
		hosts := w.transport.(hosts)
		hosts["api.bitbucket.org"] = late{hosts["api.bitbucket.org"], 700 * time.Millisecond}
		got := w.atTerminal(map[string]string{
			"MAPPING": withReadme, "SOURCE_READER": "rest", "BITBUCKET_RATE_LIMIT": "1/10s", "CONCURRENCY": "1",
			"SYNC_STATUS": "false", "SHIP_LOGS": "false", "SEND_RAW_DATA_EXAMPLES": "false",
		})
		line := func(text string) string { return "\x1b[?7lreading: " + text + "\x1b[?7h" }
		const (
			erased  = "\r\x1b[2K"
			waiting = "waiting until 00:00:10 UTC for the allowance of 1 credential; then 1 request"
		)
		limited := line("1 of 2 requests, 0 of 1 repository; " + waiting)
		written := line("2 requests, 0 of 1 repository")
		want := "INFO  port-bitbucket-exporter version=0.0.0-dev platform=plain workspace=acme integration=my-bitbucket-cloud-integration\n" +
			"INFO  inputs: 12 from the environment (port_client_id, port_client_secret, bitbucket_workspace, bitbucket_workspace_token, bitbucket_rate_limit, source_reader, mapping, concurrency, report_file, sync_status, ship_logs, send_raw_data_examples)\n" +
			"INFO  forecast for 1 repository: about 2 requests; 1 credential may make 1 in 10s: 10s of waiting, none with 2 credentials; 1 more if anything is to be deleted\n" +
			"INFO  Port takes 70000 changed entities without a wait, and 2100 a second beyond them\n" +
			erased + limited +
			erased + "INFO  " + waiting + "\n" + limited +
			erased + written +
			erased + "resource 1 (repository): 1 extracted, 1 transformed, 1 created, 0 updated, 0 unchanged in 11.4s\n" +
			"\x1b[32msuccess:\x1b[0m 1 created, 0 updated, 0 unchanged, 0 deleted in 11.4s with 2 requests to Bitbucket and 8 to Port\n"
		if got != want {
			t.Errorf("got\n%q\nwant\n%q", got, want)
		}
	})
}

// Where a line cannot be written again, or machines read it, none is; and nothing is coloured where
// nobody wants colours.
func TestTerminalThatIsPlain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env     map[string]string
		args    []string
		escapes string // the control sequences that there are
	}{
		"dumb":         {map[string]string{"TERM": "dumb"}, nil, ""},
		"quiet":        {map[string]string{"QUIET": "true", "NO_COLOR": "1"}, nil, ""},
		"for machines": {map[string]string{"LOG_FORMAT": "json", "FORCE_COLOR": "1"}, nil, ""},
		"never":        {map[string]string{"LOG_LEVEL": "warning", "FORCE_COLOR": "1"}, []string{"--color", "never"}, ""},
		"always":       {map[string]string{"TERM": "dumb", "NO_COLOR": "1"}, []string{"--color=always"}, "\x1b[32m \x1b[0m"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := virtual(t, smallBitbucket())
			synctest.Test(t, func(t *testing.T) {
				hosts := w.transport.(hosts)
				hosts["api.bitbucket.org"] = late{hosts["api.bitbucket.org"], 5 * time.Second}
				c.env["MAPPING"] = repositories
				got := w.atTerminal(c.env, c.args...)
				if escapes := strings.Join(sequence.FindAllString(got, -1), " "); escapes != c.escapes || !strings.Contains(got, "success") {
					t.Errorf("got control sequences %q, want %q:\n%s", escapes, c.escapes, got)
				}
			})
		})
	}
}

var sequence = regexp.MustCompile(`\x1b[^a-zA-Z]*[a-zA-Z]|\r`)
