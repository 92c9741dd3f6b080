package app_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// object is a line of a log for machines.
type object map[string]any

// records reads lines of JSON: each has a time, a level and a text, in one line.
func records(t *testing.T, text string) []object {
	t.Helper()
	var all []object
	for line := range strings.Lines(text) {
		var r object
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("not an object: %q: %v", line, err)
		}
		at, _ := r["time"].(string)
		if _, err := time.Parse(time.RFC3339, at); err != nil || !slices.Contains([]any{"DEBUG", "INFO", "WARNING", "ERROR"}, r["level"]) || r["msg"] == "" {
			t.Errorf("got %q, want a time, a level and a text", line)
		}
		all = append(all, r)
	}
	return all
}

// Each line of both streams is an object, for whoever collects them, and the last one holds what the
// outputs hold. Secrets and commands to a CI system are in none.
func TestLogForMachines(t *testing.T) {
	t.Parallel()
	w := virtual(t, smallBitbucket())
	synctest.Test(t, func(t *testing.T) {
		w.addStale()
		mapping := strings.Replace(repositories, "title: .name", `title: 'error("\n::error::x ##[group] `+clientSecret+` \u202e")'`, 1)
		r := w.run(map[string]string{"MAPPING": mapping, "LOG_FORMAT": "json", "LOG_LEVEL": "debug"})
		r.check(t, 0, "success")
		log := records(t, r.stderr)
		done := slices.IndexFunc(log, func(r object) bool { return r["msg"] == "resource done" })
		if done < 0 || log[done]["created"] != 3.0 || log[done]["took"] != "0s" || log[done]["resource"] != "resource 1 (repository)" {
			t.Errorf("no line says what the resource gave:\n%s", r.stderr)
		}
		out := records(t, r.stdout)
		first, last := out[0], out[len(out)-1]
		if first["level"] != "WARNING" || first["at"] != "mapping (input):9:18" || !strings.Contains(first["msg"].(string), "raised an error") || first["count"] != 3.0 {
			t.Errorf("got %v, want the problem with its place", first)
		}
		if !strings.HasPrefix(last["msg"].(string), "success: 3 created") || last["status"] != "success" || last["entities_created"] != 3.0 || last["entities_deleted"] != 1.0 {
			t.Errorf("got %v, want the result with its outputs", last)
		}
		for _, bad := range []string{clientSecret, token, "##[", "\u202e"} {
			if strings.Contains(r.stdout+r.stderr, bad) {
				t.Errorf("%q is in the log:\n%s%s", bad, r.stdout, r.stderr)
			}
		}
	})
}

// What is wrong before a run begins is a line for each problem, too.
func TestProblemsForMachines(t *testing.T) {
	t.Parallel()
	w := virtual(t, smallBitbucket())
	w.write("bad.yml", strings.Replace(repositories, ".slug", ".slug |", 1))
	for name, c := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"inputs":   {map[string]string{"CONCURRENCY": "0", "MAPPING": repositories}, []string{"ERROR input concurrency (from CONCURRENCY)", "ERROR failed: no request was sent; why: the inputs are wrong"}},
		"mapping":  {map[string]string{"MAPPING_FILE": "bad.yml"}, []string{"ERROR resource 1 (repository)", "ERROR failed: "}},
		"validate": {map[string]string{"MAPPING_FILE": "bad.yml", "MODE": "validate"}, []string{"ERROR resource 1 (repository)", "ERROR failed: 1 error in bad.yml"}},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{"LOG_FORMAT": "json"}
			maps.Copy(env, c.env)
			r := w.run(env)
			if r.status != 2 {
				t.Errorf("got exit status %d, want 2", r.status)
			}
			out := records(t, r.stdout)
			for i, want := range c.want {
				if i >= len(out) || !strings.HasPrefix(out[i]["level"].(string)+" "+out[i]["msg"].(string), want) || len(out) != len(c.want) {
					t.Fatalf("got\n%swant lines that begin with %q", r.stdout, c.want)
				}
			}
			records(t, r.stderr)
		})
	}
}

// Who wants to be told of errors alone reads them, and the last line.
func TestQuiet(t *testing.T) {
	t.Parallel()
	warned := strings.Replace(repositories, "title: .name", "title: error", 1)
	for name, c := range map[string]struct {
		env map[string]string
		out []string // the beginnings of all lines of standard output
	}{
		"sync":     {map[string]string{"MAPPING": warned}, []string{"success: 3 created"}},
		"plan":     {map[string]string{"MAPPING": warned, "MODE": "plan"}, []string{"plan: success: 3 to create"}},
		"validate": {map[string]string{"MAPPING_FILE": "bad.yml", "MODE": "validate"}, []string{"errors:", "", "bad.yml:8:", "    ", "    ", "fix: ", "", "failed: 1 error, 1 warning"}},
		"failure":  {map[string]string{"MAPPING": repositories, "PORT_CLIENT_SECRET": "another-secret"}, []string{"ERROR log in to Port: POST /v1/auth/access_token", "failed: "}},
	} {
		for _, how := range []map[string]string{{"QUIET": "true"}, {"LOG_LEVEL": "error"}} {
			t.Run(name, func(t *testing.T) {
				w := virtual(t, smallBitbucket())
				w.write("bad.yml", strings.NewReplacer(".slug", ".slug |", "title:", "titel:").Replace(repositories))
				synctest.Test(t, func(t *testing.T) {
					env := maps.Clone(how)
					maps.Copy(env, c.env)
					r := w.run(env)
					lines := strings.Split(strings.TrimSuffix(r.stdout, "\n"), "\n")
					for i, line := range lines {
						if len(lines) != len(c.out) || !strings.HasPrefix(line, c.out[i]) {
							t.Fatalf("got\n%swant lines that begin with %q", r.stdout, c.out)
						}
					}
					if r.stderr != "" {
						t.Errorf("got on standard error\n%s", r.stderr)
					}
				})
			})
		}
	}
}
