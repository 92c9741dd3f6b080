package check_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/transform"
)

// torn is where a sentence lacks what it was about to name.
var torn = regexp.MustCompile(`\b(?:for|of|from|named) (?:[;,:)]|$)|[:,] [;)]$|(?:repository|file|folder|branch|resource|the field|the key) ""`)

// Whatever is cut out of a mapping, each problem says what, and how to fix it, to the end.
func TestProblemsAreWhole(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "mappings", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	random, times := rand.New(rand.NewPCG(3, 4)), 6
	if os.Getenv("TESTS") == "sweep" {
		times = 60
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for range times {
			cut := string(text)
			for range 1 + random.IntN(2) {
				from := random.IntN(len(cut) + 1)
				to := min(len(cut), from+random.IntN(4))
				cut = cut[:from] + []string{"", "\"", "'", ".", "#"}[random.IntN(5)] + cut[to:]
			}
			_, problems := check.Check("m.yml", []byte(cut), transform.Environment{})
			for _, p := range problems {
				for _, part := range []string{p.Message, p.Fix} {
					if at := torn.FindString(part); at != "" && !strings.Contains(cut, at) || strings.TrimSpace(part) == "" || strings.TrimSpace(part) != part {
						t.Errorf("%s: a problem lacks something at %q: %s\n%s", file, at, p, cut)
					}
				}
			}
		}
	}
}
