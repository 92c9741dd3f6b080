package recorded

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

var record = flag.String("record", "", "a folder with jq-1.6, jq-1.7, jq-1.7.1, jq-1.8.0, jq-1.8.1 and jq-1.8.2: record their answers")

var versions = []string{"1.6", "1.7", "1.7.1", "1.8.0", "1.8.1", "1.8.2"}

// TestCases holds the record together: each case has one answer, and comes once. With
// -record it is made anew first.
func TestCases(t *testing.T) {
	cases := Cases()
	if *record != "" {
		cases = recordCases(t)
		recordNames(t)
	}
	seen := map[[2]string]bool{}
	for _, c := range cases {
		answers := 0
		for _, given := range []bool{c.Values != "", c.Error != nil, c.Refused} {
			if given {
				answers++
			}
		}
		if answers != 1 {
			t.Errorf("%s with %s has %d answers", c.Program, c.Input, answers)
		}
		if at := [2]string{c.Program, c.Input}; seen[at] {
			t.Errorf("%s with %s is there twice", c.Program, c.Input)
		} else {
			seen[at] = true
		}
		if !json.Valid([]byte(c.Input)) {
			t.Errorf("%s: the input %s is not JSON", c.Program, c.Input)
		}
	}
	for name, in := range Versions() {
		for _, v := range in {
			if !slices.Contains(versions, v) {
				t.Errorf("%s is said to be in jq %s", name, v)
			}
		}
	}
}

// Same is what other tests rest on.
func TestSame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{`{"a":1,"b":[1E+3]}`, `{"b":[1000.0],"a":1}`, true}, {`[1]`, `[2]`, false}, {`["1"]`, `[1]`, false},
		{`{"a":1}`, `{"a":1,"b":null}`, false}, {`[1,2]`, `[2,1]`, false},
	} {
		if Same(c.a, c.b) != c.same {
			t.Errorf("Same(%s, %s) = %t", c.a, c.b, !c.same)
		}
	}
}

func jq(version, program, input string) (out, errors string, status int) {
	cmd := exec.Command(*record+"/jq-"+version, "-c", program)
	cmd.Env = []string{"TZ=UTC"}
	cmd.Stdin = strings.NewReader(input)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // the status says it
	return strings.TrimSuffix(stdout.String(), "\n"), stderr.String(), cmd.ProcessState.ExitCode()
}

func recordCases(t *testing.T) []Case {
	t.Helper()
	var all []Case
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, c := range Cases() {
		c = Case{Program: c.Program, Input: c.Input}
		const compileError = 3
		out, _, status := jq("1.8.2", `try {o: `+c.Wrapped()+`} catch {e: (if type == "string" then . else tojson end)}`, c.Input)
		var raised struct{ E *string }
		switch {
		case status == compileError:
			c.Refused = true
		case strings.HasPrefix(out, `{"o":`):
			c.Values = strings.TrimSuffix(strings.TrimPrefix(out, `{"o":`), "}")
		case json.Unmarshal([]byte(out), &raised) == nil && raised.E != nil:
			c.Error = raised.E
		default:
			t.Fatalf("%s with %s: jq gives %s, status %d", c.Program, c.Input, out, status)
		}
		all = append(all, c)
		if err := e.Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("cases.jsonl", []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return all
}

// recordNames asks each version for the names that it has, and each other version for those.
func recordNames(t *testing.T) {
	t.Helper()
	all := map[string][]string{}
	for name := range Versions() {
		all[name] = []string{}
	}
	for _, v := range versions {
		var names []string
		out, errors, _ := jq(v, "[builtins] | add", "null")
		if err := json.Unmarshal([]byte(out), &names); err != nil {
			t.Fatal(err, errors)
		}
		for _, name := range names {
			all[name] = []string{}
		}
	}
	for name := range all {
		function, arity, _ := strings.Cut(name, "/")
		call := function
		if n := int(arity[0] - '0'); n > 0 {
			call += "(" + strings.TrimSuffix(strings.Repeat(".;", n), ";") + ")"
		}
		for _, v := range versions {
			if _, _, status := jq(v, "empty | "+call, "null"); status == 0 {
				all[name] = append(all[name], v)
			}
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.ReplaceAll(string(text), `],"`, "],\n\""))
	if err := os.WriteFile("names.json", append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
