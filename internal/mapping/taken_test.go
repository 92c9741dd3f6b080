package mapping

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/diag"
)

// What pydantic 1.10.4 makes of a value that a mapping holds in JSON. "" is an error.
var pydantic = struct{ flags, numbers map[string]string }{
	flags: map[string]string{
		`"true"`: "true", `"TRUE"`: "true", `"True "`: "", `" true"`: "", `"yes"`: "true", `"Y"`: "true", `"on"`: "true", `"ON"`: "true", `"1"`: "true",
		`"1.0"`: "", `"t"`: "true", `"f"`: "false", `"off"`: "false", `"0"`: "false", `"no"`: "false", `"N"`: "false", `"False"`: "false", `"2"`: "", `""`: "", `"null"`: "",
		`"enabled"`: "", `0`: "false", `1`: "true", `2`: "", `-1`: "", `0.0`: "false", `1.0`: "true", `-0.0`: "false", `1.5`: "", `true`: "true", `false`: "false",
		`[]`: "", `{}`: "",
	},
	numbers: map[string]string{
		`"0.5"`: "0.5", `" 0.5 "`: "0.5", `"0,5"`: "", `"5e-1"`: "0.5", `"0_1"`: "1", `"_1"`: "", `"1_"`: "", `".5"`: "0.5", `"1."`: "1", `"0x1"`: "", `"1"`: "1", `""`: "",
		`1`: "1", `0`: "0", `0.25`: "0.25", `"50%"`: "", `"+0.5"`: "0.5", `"-0"`: "0", `"0.5f"`: "", `"1e"`: "", `"0__1"`: "", `"."`: "", `[]`: "", `{}`: "",
		// It takes these, and as a share of the entities they have no meaning.
		`"nan"`: "", `"inf"`: "", `"-1"`: "", `"10"`: "", `true`: "", `false`: "",
	},
}

func TestTakenValues(t *testing.T) {
	t.Parallel()
	parse := func(key, value string) (*Mapping, diag.Problems) {
		text := key + ": " + value + "\n" + small
		m, err := Parse("m", []byte(text))
		if err != nil {
			return nil, err.(diag.Problems)
		}
		return m, m.Warnings
	}
	check := func(key, value, got, want string, problems diag.Problems) {
		t.Helper()
		exact := value == want || key == "entityDeletionThreshold" && value[0] != '"'
		switch {
		case got != want:
			t.Errorf("%s: %s: got %q, want %q: %v", key, value, got, want, problems)
		case want == "" && len(problems.Errors()) != 1:
			t.Errorf("%s: %s: got %v, want one error", key, value, problems)
		case want != "" && !exact && (len(problems.Notes()) != 1 || !strings.Contains(problems[0].Message, "is taken for") || !strings.Contains(problems[0].Fix, "write "+want)):
			t.Errorf("%s: %s: got %v, want a notice that names %s", key, value, problems, want)
		case want != "" && exact && len(problems) > 0:
			t.Errorf("%s: %s: got %v, want nothing", key, value, problems)
		}
	}
	for value, want := range pydantic.flags {
		got := ""
		m, problems := parse("deleteDependentEntities", value)
		if m != nil {
			got = fmt.Sprint(m.DeleteDependentEntities)
		}
		check("deleteDependentEntities", value, got, want, problems)
		var into testSelector
		problems = parseSelector(t, "    skip: "+value+"\n").Decode(&into)
		if got = ""; len(problems.Errors()) == 0 {
			got = fmt.Sprint(into.Skip)
		}
		check("skip", value, got, want, problems)
	}
	for value, want := range pydantic.numbers {
		got := ""
		m, problems := parse("entityDeletionThreshold", value)
		if m != nil {
			got = fmt.Sprint(m.EntityDeletionThreshold + 0)
		}
		check("entityDeletionThreshold", value, got, want, problems)
	}
}

// A number is a text where all readers of it write the same digits: YAML, JSON and Python.
func TestNumbersTakenForTexts(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"5": "5", "2026": "2026", "-3": "-3", "1.5": "1.5", "0.25": "0.25",
		"1.10": "", "1.0": "", "0x1F": "", "1e3": "", "0o17": "", "1_000": "", "+5": "", "014": "", "true": "", "1e22": "", "0.00001": "",
	} {
		var into testSelector
		problems := parseSelector(t, "    userRole: "+value+"\n").Decode(&into)
		if into.UserRole != want || len(problems) != 1 || !strings.Contains(problems[0].Fix, `quote it: "`+value+`"`) || (problems[0].Severity == diag.Error) != (want == "") {
			t.Errorf("%s: got %q and %v, want %q and one problem", value, into.UserRole, problems, want)
		}
	}
}

// A number of things or days is whole, and 1 at least.
func TestCounts(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]int{
		"30": 30, "1": 1, "1000000": 1_000_000, `"30"`: 30, "30.0": 30,
		"0": 0, "-1": 0, "1.5": 0, "1000001": 0, "soon": 0, "true": 0, "[1]": 0, "1e99": 0,
	} {
		var into struct {
			Since int `yaml:"since"`
		}
		problems := parseSelector(t, "    since: "+value+"\n").Decode(&into)
		exact := want > 0 && value == strconv.Itoa(want)
		if into.Since != want || len(problems.Errors()) == 0 != (want > 0) || (len(problems) == 0) != exact {
			t.Errorf("%s: got %d and %v, want %d", value, into.Since, problems, want)
		}
	}
}
