package content

import (
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"reflect"
	"strings"
	"testing"
)

// suiteVariable names the file that TestSuite reads.
const suiteVariable = "YAML_TEST_SUITE"

// suiteCase is one case of the public test suite of YAML: a text, and its documents as
// JSON, which some have none of, or that it must be refused.
type suiteCase struct {
	ID, YAML string
	JSON     json.RawMessage
	Error    bool
}

// pyYAML are the cases that PyYAML 6.0.3 reads and yaml.v3 v3.0.1 refuses.
var pyYAML = []string{"27NA", "2LFX", "3UYS", "6LVF", "6ZKB", "96NN/00", "96NN/01", "9DXL", "BEC7", "MUS6/05", "MUS6/06", "R4YG", "RTP8", "Y79Y/001"}

// TestSuite runs the public test suite of YAML, when YAML_TEST_SUITE names the file.
//
// Source: https://github.com/yaml/yaml-test-suite, read 2026-11.
func TestSuite(t *testing.T) {
	file := os.Getenv(suiteVariable)
	if file == "" {
		t.Skip(suiteVariable + " is not set")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var suite struct{ Cases []suiteCase }
	if err := json.Unmarshal(text, &suite); err != nil {
		t.Fatal(err)
	}
	const least, mostAccepted = 385, 5
	right, accepted, kinds := 0, 0, map[string]string{}
	for _, c := range suite.Cases {
		kind := c.run(t)
		kinds[c.ID] = kind
		switch kind {
		case "":
			right++
		case "invalid, and accepted":
			accepted++
			fallthrough
		default:
			t.Logf("%s: %s", c.ID, kind)
		}
	}
	t.Logf("%d of %d are right", right, len(suite.Cases))
	if len(suite.Cases) != 402 || right < least {
		t.Errorf("%d of %d are right, want %d of 402", right, len(suite.Cases), least)
	}
	if accepted > mostAccepted {
		t.Errorf("%d invalid ones are accepted, want at most %d", accepted, mostAccepted)
	}
	for _, id := range pyYAML {
		if kind, ok := kinds[id]; kind != "" || !ok {
			t.Errorf("%s: %q, and PyYAML reads it", id, kind)
		}
	}
}

// run returns what is wrong with a case; empty for nothing.
func (c suiteCase) run(t *testing.T) string {
	got, err := everyDocument([]byte(c.YAML))
	switch {
	case err != nil && !c.Error:
		return "valid, and refused: " + err.Error()
	case err != nil:
		return ""
	case c.Error:
		return "invalid, and accepted"
	case c.JSON == nil:
		return ""
	}
	var want []any
	d := json.NewDecoder(strings.NewReader(string(c.JSON)))
	d.UseNumber()
	if err := d.Decode(&want); err != nil {
		t.Fatalf("%s: %v", c.ID, err)
	}
	if len(want)+len(got) > 0 && !reflect.DeepEqual(comparable(got), comparable(want)) {
		return "another value"
	}
	return ""
}

// everyDocument returns all documents, the empty ones too.
func everyDocument(text []byte) ([]any, error) {
	nodes, c, err := compose(text)
	if err != nil {
		return nil, err
	}
	var all []any
	for _, n := range nodes {
		if len(n.Content) != 1 {
			return nil, errors.New("a document without a root")
		}
		v, err := c.value(n.Content[0], 0)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// comparable returns a value with numbers that are equal when they are the same number.
func comparable(v any) any {
	switch v := v.(type) {
	case json.Number:
		if r, ok := new(big.Rat).SetString(string(v)); ok {
			return "number " + r.RatString()
		}
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = comparable(v[i])
		}
		return all
	case map[string]any:
		all := make(map[string]any, len(v))
		for key := range v {
			all[key] = comparable(v[key])
		}
		return all
	}
	return v
}
