package blueprint_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/blueprint"
)

// torn is where a sentence lacks what it was about to name.
var torn = regexp.MustCompile(`\b(?:for|of|from|named|no|has) (?:[;,:)]|$)|[:,] [;)]$`)

// Whatever is cut out of a file, each problem says what, where and how to fix it, to the end.
func TestProblemsAreWhole(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for _, file := range []string{"testdata/good.json", "testdata/relations.json", "testdata/types.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			cut := string(text)
			for range 1 + random.IntN(2) {
				from := random.IntN(len(cut) + 1)
				to := min(len(cut), from+random.IntN(12))
				cut = cut[:from] + []string{"", "\"", "{", "[", ",", "null", "\x00", "\xff", "ü"}[random.IntN(9)] + cut[to:]
			}
			lines := strings.Count(cut, "\n") + 1
			f, problems := blueprint.Read("f.json", []byte(cut))
			if (f == nil) != (len(problems.Errors()) > 0) {
				t.Errorf("got file %v beside %v\n%s", f, problems, cut)
			}
			for _, p := range problems {
				for _, part := range []string{p.Message, p.Fix} {
					if torn.MatchString(part) || strings.TrimSpace(part) == "" || p.At.Line < 1 || p.At.Line > lines || p.At.Column < 1 {
						t.Errorf("a problem lacks something: %s\n%s", p, cut)
					}
				}
			}
		}
	}
}

// A file as large as an input may be takes neither time nor memory without bound, and what
// is said of it is short.
func TestLargeFiles(t *testing.T) {
	t.Parallel()
	size := 1 << 16
	if os.Getenv("TESTS") == "full" { // as .ci/run lets them
		size = 1 << 20
	}
	fill := func(part string) string { return strings.Repeat(part+",", size/(len(part)+1)-60) + part }
	keys := func(value string) string {
		var all []string
		for i := range size / (len(value) + 12) {
			all = append(all, fmt.Sprintf(`"k%d":%s`, i, value))
		}
		return strings.Join(all, ",")
	}
	for name, text := range map[string]string{
		"numbers":        "[" + fill("1") + "]",
		"blueprints":     "[" + fill("{}") + "]",
		"unknown keys":   `[{` + keys("1") + `}]`,
		"properties":     `[{"schema":{"properties":{` + keys("{}") + `}}}]`,
		"required":       `[{"schema":{"properties":{},"required":[` + fill(`"a"`) + `]}}]`,
		"relations":      `[{"relations":{` + keys(`{"target":"x"}`) + `}}]`,
		"mirrors":        `[{"mirrorProperties":{` + keys(`{"path":"a.b"}`) + `}}]`,
		"a long name":    `[{"` + strings.Repeat("n", size-10) + `":1}]`,
		"a long text":    `[{"identifier":"` + strings.Repeat("i", size-30) + `"}]`,
		"a large number": `[` + strings.Repeat("9", size-2) + `]`,
		"a deep value":   strings.Repeat("[", size),
		"steps":          `[{"mirrorProperties":{"m":{"path":"` + strings.Repeat("a.", size/2-40) + `b"}}}]`,
	} {
		if len(text) > size {
			t.Fatalf("%s: %d bytes", name, len(text))
		}
		_, problems := blueprint.Read("f.json", []byte(text))
		if n := len(problems); n == 0 || n > 101 {
			t.Errorf("%s: got %d problems, want 1 to 101", name, n)
		}
		for _, p := range problems {
			if n := len(p.Error()); n > 3000 {
				t.Errorf("%s: a problem of %d bytes", name, n)
			}
		}
	}
}
