package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/resident"
)

// maxResident is how much memory the program may take while expressions ask for
// all of it, in bytes.
const maxResident = 600 << 20

// bombs are expressions that fill the memory: in one step, or step by step and
// faster than the clock.
var bombs = []string{
	`"x" * 2e9`,
	`[range(1e9)]`,
	`[limit(1e9; repeat("x" * 1000))]`,
	`reduce range(40) as $i ([0]; . + .)`,
	`reduce range(60) as $i (1; [., .])`,
	`reduce range(60) as $i (1; [., .]) | tojson`,
	`def f: f + 1; f`,
	`def f: label $x | f; f`,
	`null | .[536870000] = 1`,
	`"x" * 16e6 | explode`,
	`"x" * 16e6 | gsub(""; "xx")`,
	`"0," * 4e6 | "[" + . + "0]" | fromjson`,
}

// TestBombs runs the program as a process of its own in as little memory as a pipe
// leaves it. The expressions that fill it fail, the others do not, and the process
// lives to tell.
func TestBombs(t *testing.T) {
	t.Parallel()
	b := bitbuckettest.New("acme")
	objects := 1
	if os.Getenv("TESTS") == "full" { // as .ci/run lets them: several at a time
		objects = 3
	}
	for i := range objects {
		b.AddRepository(bitbuckettest.Repository{Name: fmt.Sprintf("r%d", i)})
	}
	w := newWorld(t, b)
	properties := map[string]any{"url": map[string]any{"type": "string"}}
	for i := range bombs {
		properties[fmt.Sprintf("p%d", i)] = map[string]any{"type": "string"}
	}
	schema, err := json.Marshal(properties)
	if err != nil {
		t.Fatal(err)
	}
	w.port.AddBlueprint(`{"identifier": "bitbucketRepository", "title": "Repository", "schema": {"properties": ` + string(schema) + `}}`)
	var mapping strings.Builder
	mapping.WriteString(repositories + "          properties:\n            url: .slug\n")
	for i, bomb := range bombs {
		fmt.Fprintf(&mapping, "            p%d: '%s'\n", i, bomb)
	}
	// As identifiers they fail the object, and as selectors too.
	second := strings.TrimPrefix(repositories, "resources:\n")
	mapping.WriteString(strings.Replace(second, "identifier: .slug", "identifier: '"+bombs[1]+"'", 1))
	mapping.WriteString(strings.Replace(second, `query: "true"`, "query: '("+bombs[5]+") == \"\"'", 1))
	w.write("mapping.yml", mapping.String())
	w.env["MAPPING_FILE"], w.env["GOMEMLIMIT"] = "mapping.yml", "900MiB"
	w.env["GOGC"] = "50" // as in the image
	began := time.Now()
	cmd, log := w.process(build(t))
	kill := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	watched := resident.Watch(cmd.Process.Pid)
	_ = cmd.Wait() // the status is compared below
	peak := <-watched
	t.Logf("%v, %d MiB at most", time.Since(began).Round(time.Second), peak.Bytes>>20)
	r := ran{status: cmd.ProcessState.ExitCode(), stdout: log.String()}
	if err := json.Unmarshal([]byte(w.read("report.json")), &r.report); err != nil {
		t.Fatalf("report file: %v\n%s", err, log)
	}
	r.check(t, 3, "partial")
	if got := r.number(t, "objects_failed"); got != 2*objects {
		t.Errorf("got %d objects failed, want %d", got, 2*objects)
	}
	entity := w.port.Catalog()["bitbucketRepository"]["r0"]
	if len(w.port.Catalog()["bitbucketRepository"]) != objects || entity.Properties["url"] != "r0" {
		t.Errorf("got %v", w.port.Catalog())
	}
	for i, bomb := range bombs {
		if v := entity.Properties[fmt.Sprintf("p%d", i)]; v != nil {
			t.Errorf("%s gave %.100v", bomb, v)
		}
	}
	if peak.Bytes > maxResident || peak.Err != nil && !errors.Is(peak.Err, resident.ErrUnknown) {
		t.Errorf("took %d MiB (%v), want at most %d", peak.Bytes>>20, peak.Err, int64(maxResident)>>20)
	}
	if strings.Contains(r.stdout, "goroutine ") {
		t.Errorf("a trace: %s", r.stdout)
	}
}

// The memory limit is that of the container, unless somebody has set one.
func TestMemoryLimit(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for _, c := range []struct {
		name   string
		cgroup fstest.MapFS
		env    map[string]string
		want   int64
	}{
		{"version 2", fstest.MapFS{"memory.max": file("1000000000\n")}, nil, 850_000_000},
		{"version 2, none", fstest.MapFS{"memory.max": file("max\n")}, nil, math.MaxInt64},
		{"version 1", fstest.MapFS{"memory/memory.limit_in_bytes": file("2000000000\n")}, nil, 1_700_000_000},
		{"version 1, none", fstest.MapFS{"memory/memory.limit_in_bytes": file("9223372036854771712\n")}, nil, math.MaxInt64},
		{"no group", fstest.MapFS{}, nil, math.MaxInt64},
		{"given", fstest.MapFS{"memory.max": file("1000000000\n")}, map[string]string{"GOMEMLIMIT": "off"}, math.MaxInt64},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := debug.SetMemoryLimit(-1)
			t.Cleanup(func() { debug.SetMemoryLimit(before) })
			debug.SetMemoryLimit(math.MaxInt64)
			w := smallWorld(t)
			w.cgroup = c.cgroup
			w.write("mapping.yml", repositories)
			env := map[string]string{"MAPPING_FILE": "mapping.yml"}
			maps.Copy(env, c.env)
			w.run(env).check(t, 0, "success")
			if got := debug.SetMemoryLimit(-1); got != c.want {
				t.Errorf("got a limit of %d, want %d", got, c.want)
			}
		})
	}
}
