package jq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/itchyny/gojq"
)

// suites are the files of jq's own tests that are run. The folder is that of JQ_TESTS: jq's
// tests are not part of this project.
var suites = []string{"jq.test", "man.test", "onig.test", "manonig.test", "base64.test", "uri.test", "optional.test"}

// mostAgree is how many of the 879 tests of jq 1.8.2 must agree.
const mostAgree = 850

// disagreeing are the kinds of programs that do not agree, by a part of the program.
var disagreeing = []struct{ part, kind string }{
	{`import "`, "modules"}, {`include "`, "modules"}, {"modulemeta", "modules"},
	{"_strindices", "a function of libjq's inside"}, {"input catch", "input"},
}

// suiteCase is a case of a suite.
type suiteCase struct {
	line    int
	program string
	input   string
	outputs []string
	fails   bool // it does not compile
}

// readSuite reads the format of jq's tests: a program, its input and its outputs, a line
// each, up to an empty line. After a line %%FAIL are a program that does not compile and
// the message.
func readSuite(text string) (cases []suiteCase) {
	var block []string
	begin := 0
	lines := strings.Split(text, "\n")
	for i, line := range append(lines, "") {
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(strings.TrimSpace(line), "#") {
			if block == nil {
				begin = i + 1
			}
			block = append(block, line)
			continue
		}
		if len(block) >= 2 {
			c := suiteCase{line: begin, program: block[0], input: block[1], outputs: block[2:]}
			if strings.HasPrefix(block[0], "%%FAIL") {
				c = suiteCase{line: c.line, program: block[1], fails: true}
			}
			cases = append(cases, c)
		}
		block = nil
	}
	return cases
}

// run gives why the case does not agree, or nothing.
func (c suiteCase) run(ctx context.Context) (why string) {
	defer func() {
		if r := recover(); r != nil {
			why = fmt.Sprintf("panics: %v", r)
		}
	}()
	tree, err := gojq.Parse(c.program)
	if err != nil {
		return c.compiles(err)
	}
	code, err := Compile(tree, map[string]string{"PAGER": "less"}) // as jq's tests have it
	if err != nil || c.fails {
		return c.compiles(err)
	}
	input, err := suiteValue(c.input)
	if err != nil {
		return "input: " + err.Error()
	}
	results := code.code.RunWithContext(ctx, input)
	for i := 0; ; i++ {
		got, more := results.Next()
		err, isError := got.(error)
		switch {
		case (!more || isError) && i == len(c.outputs):
			return "" // jq ends a case at an error, too
		case isError:
			return "raises " + err.Error()
		case !more || i == len(c.outputs):
			return fmt.Sprintf("gives more or fewer than %d results", len(c.outputs))
		}
		want, err := suiteValue(c.outputs[i])
		if err != nil {
			return "output: " + err.Error()
		}
		shown, err := plain(got, room())
		if err != nil && !errors.Is(err, ErrNotFinite) {
			return "gives " + err.Error()
		}
		if gojq.Compare(shown, want) != 0 {
			return fmt.Sprintf("gives %v, want %s", shown, c.outputs[i])
		}
	}
}

// compiles is run of a case that does or does not compile.
func (c suiteCase) compiles(err error) string {
	switch {
	case err == nil && c.fails:
		return "compiles"
	case err != nil && !c.fails:
		return "does not compile: " + err.Error()
	}
	return ""
}

// suiteValue reads JSON as jq does.
func suiteValue(text string) (v any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err = d.Decode(&v); err == nil {
		if _, err = d.Token(); err != io.EOF {
			return nil, fmt.Errorf("more than one value: %s", text)
		}
		return v, nil
	}
	tree, parseErr := gojq.Parse("fromjson")
	if parseErr != nil {
		return nil, parseErr
	}
	code, compileErr := Compile(tree, nil)
	if compileErr != nil {
		return nil, compileErr
	}
	got, _ := code.code.Run(text).Next()
	if _, failed := got.(error); failed {
		return nil, err
	}
	return got, nil
}

// TestSuites runs jq's own tests. Those that do not agree are listed by kind.
func TestSuites(t *testing.T) {
	folder := os.Getenv("JQ_TESTS")
	if folder == "" {
		t.Skip("JQ_TESTS does not name the folder of jq's own tests")
	}
	all, agree, kinds := 0, 0, map[string]int{}
	for _, file := range suites {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range readSuite(string(text)) {
			all++
			why := c.run(t.Context())
			if why == "" {
				agree++
				continue
			}
			kind := kindOf(c.program, why)
			kinds[kind]++
			t.Logf("%s:%d: %s: %s (%s)", file, c.line, c.program, why, kind)
			if kind == "" {
				t.Errorf("%s:%d is of no known kind", file, c.line)
			}
		}
	}
	t.Logf("%d of %d agree; the others: %v", agree, all, kinds)
	if agree < mostAgree {
		t.Errorf("%d of %d agree, want %d", agree, all, mostAgree)
	}
}

func kindOf(program, why string) string {
	for _, d := range disagreeing {
		if strings.Contains(program, d.part) {
			return d.kind
		}
	}
	if strings.Contains(program, "catch") {
		return "the text of an error"
	}
	return map[bool]string{true: "a bound of this program"}[strings.Contains(why, "nested deeper")]
}

func TestReadSuite(t *testing.T) {
	t.Parallel()
	got := readSuite("# one\n.a\n{\"a\": 1}\n1\n\n%%FAIL\n{\njq: error\n\n.[]\n[1, 2]\n1\n2\n# a comment\nnothing\n\n")
	want := []suiteCase{
		{2, ".a", `{"a": 1}`, []string{"1"}, false}, {6, "{", "", nil, true}, {10, ".[]", "[1, 2]", []string{"1", "2"}, false},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, c := range []struct {
		c    suiteCase
		want string
	}{
		{suiteCase{program: ".a", input: `{"a": 1}`, outputs: []string{"1"}}, ""},
		{suiteCase{program: ".a", input: `{"a": 1}`, outputs: []string{"2"}}, "gives 1, want 2"},
		{suiteCase{program: ".a", input: `{"a": 1}`}, "gives more or fewer than 0 results"},
		{suiteCase{program: "1, error", input: `{}`, outputs: []string{"1"}}, ""},
		{suiteCase{program: "empty", input: `{}`, outputs: []string{"1"}}, "gives more or fewer than 1 results"},
		{suiteCase{program: "error", input: `"x"`, outputs: []string{"1"}}, "raises error: x"},
		{suiteCase{program: "{", fails: true}, ""}, {suiteCase{program: "a", fails: true}, ""}, {suiteCase{program: ".", fails: true}, "compiles"},
		{suiteCase{program: ".", input: "{}{}", outputs: []string{"{}"}}, "input: more than one value: {}{}"},
	} {
		if got := c.c.run(t.Context()); got != c.want {
			t.Errorf("%s: got %q, want %q", c.c.program, got, c.want)
		}
	}
}
