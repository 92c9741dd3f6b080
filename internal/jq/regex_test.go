package jq

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/onig"
)

var record = flag.Bool("record", false, "record the answers of the jq that the variable JQ names")

// recordedCases is how many expressions are recorded.
const recordedCases = 8000

// recordedProgram asks one function for one expression, as both jq and this package do.
// Its input is a function, an expression, its flags and a text. An error is null.
const recordedProgram = `. as [$function, $re, $flags, $text] | try ($text |
	if $function == "match" then [match($re; $flags) | [.offset, .length, .string, [.captures[] | [.offset, .length, .string, .name]]]]
	elif $function == "test" then test($re; $flags)
	elif $function == "capture" then [capture($re; $flags)]
	elif $function == "scan" then [scan($re; $flags)]
	elif $function == "split" then split($re; $flags)
	elif $function == "splits" then [splits($re; $flags)]
	elif $function == "sub" then [sub($re; "<\(.n // "?")>", "2"; $flags)]
	elif $function == "gsub" then [gsub($re; "<\(.n // "?")>"; $flags)]
	else error end) catch null`

// recordedCase is an expression, and what jq 1.8.2 gives for it.
type recordedCase struct {
	input  [4]string
	answer json.RawMessage
}

func recordedFile() string { return filepath.Join("testdata", "regex.jsonl.gz") }

// TestRecordedExpressions holds regular expressions to the recorded answers of jq 1.8.2
// with Oniguruma 6.9.10. JQ=/path/to/jq go test -run Recorded -record records them anew.
func TestRecordedExpressions(t *testing.T) {
	skipShort(t)
	if *record {
		recordAnswers(t)
	}
	code := compiled(t, recordedProgram)
	lacking, errs := 0, 0
	cases := readRecorded(t)
	for _, c := range cases {
		input := make([]any, len(c.input))
		for i, text := range c.input {
			input[i] = text
		}
		got := result(t, code, input)
		if string(c.answer) == "null" {
			errs++
		}
		if cmp.Equal(regexAnswer(t, got), regexAnswer(t, string(c.answer))) {
			continue
		}
		// What jq can do and this package cannot is told: never another value.
		var lacks *onig.UnsupportedError
		if _, err := Regexp(c.input[1], c.input[2]); got == "null" && errors.As(err, &lacks) {
			lacking++
			continue
		}
		t.Errorf("%q:\ngot  %s\nwant %s", c.input, got, c.answer)
	}
	if len(cases) != recordedCases || lacking > len(cases)/50 || errs > len(cases)/5 {
		t.Errorf("of %d cases, %d are not supported and %d raise an error", len(cases), lacking, errs)
	}
}

func regexAnswer(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func readRecorded(t *testing.T) (cases []recordedCase) {
	t.Helper()
	packed, err := os.ReadFile(recordedFile())
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(r); d.More(); {
		c := recordedCase{answer: json.RawMessage("null")} // null leaves it as it is
		if err := d.Decode(&[]any{&c.input, &c.answer}); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

// recordAnswers asks jq for the answers to generated cases. Those that jq does not answer in
// time are left out.
func recordAnswers(t *testing.T) {
	t.Helper()
	version, err := exec.CommandContext(t.Context(), os.Getenv("JQ"), "--version").Output()
	if err != nil || strings.TrimSpace(string(version)) != "jq-1.8.2" {
		t.Fatalf("JQ must name jq 1.8.2: %s, %v", version, err)
	}
	var out bytes.Buffer
	packed, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	g := newGenerator()
	for written := 0; written < recordedCases; {
		inputs := g.some(min(batch, recordedCases-written))
		answers, err := ask(t, inputs)
		if err != nil {
			continue // jq does not end for one of them
		}
		for i, answer := range answers {
			if _, err := packed.Write([]byte("[" + inputs[i] + "," + answer + "]\n")); err != nil {
				t.Fatal(err)
			}
			written++
		}
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(recordedFile()), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(recordedFile(), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// batch is how many cases jq is asked for at once.
const batch = 100

// some gives cases as JSON.
func (g *generator) some(n int) (inputs []string) {
	for range n {
		input, err := json.Marshal(g.next())
		if err != nil {
			panic(err) // of texts
		}
		inputs = append(inputs, string(input))
	}
	return inputs
}

// ask gives what jq answers, when it does so within ten seconds.
func ask(t *testing.T, inputs []string) ([]string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "timeout", "10", os.Getenv("JQ"), "-c", recordedProgram)
	cmd.Stdin = strings.NewReader(strings.Join(inputs, "\n"))
	out, err := cmd.Output()
	answers := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err == nil && len(answers) != len(inputs) {
		err = fmt.Errorf("%d answers to %d cases", len(answers), len(inputs))
	}
	return answers, err
}
