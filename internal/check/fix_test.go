package check_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/transform"
)

// A fix that names a whole line, or the whole value in single quotes.
var (
	fixedLine  = regexp.MustCompile(`(?:^|[:,;] |write )(?:- )?(?:[A-Za-z]+: )?('.*'|\.[\w.]+(?: // \.\w+)?)$`)
	fixedValue = regexp.MustCompile(`^([ \t]*(?:- )*(?:[A-Za-z]\w*: +)?)(.*)$`)
)

// TestFixes types what the fixes of some mappings say, word for word: after it there is
// no error left, and the values are as their author meant them.
func TestFixes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"quotes-twice": {
			`.state == "OPEN"`, `(.destination.repository.full_name | split("/")[1]) + "/" + (.id | tostring)`, `.nickname`,
			`(.title | ascii_downcase) + "x"`, `"text"`,
		},
		"quotes-stray":       {`"service"`},
		"quotes-around-part": {`"Repo " + .name`, `"a" + .name + "b"`, `"a" + .name + "b"`, `if .name == "a" then "b" else "c" end`},
		"yaml-colon-end":     {`.name`, `.name // .slug`},
		"template-braces":    {`.name`, `"\(.name) - \(.slug)"`},
		"yaml-glob":          {"**/port.yml", "*-service", "{apps,packages}/*", "*.yml"},
		"jq-missing-operator": {
			`.draft == true and .state == "OPEN"`, `(.destination.repository.full_name | split("/")[1]) + "/" + (.id | tostring)`,
			`.title | startswith("x")`, `(.title | test("x")) and .draft`, `.draft and (.title | test("x"))`, `.title + "x"`,
			`(.title | ascii_downcase) + "-"`, `.title | length`,
		},
		"search-typed":    {`"and"`, `"github_username"`, `"="`, `"$team"`, `"in"`, `"platform-team"`, `"env"`, `"="`},
		"yaml-quote-tail": {`"https://example.com/" + .slug`, `"x" + .name`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join("testdata", "mappings", name+".yml"))
			if err != nil {
				t.Fatal(err)
			}
			_, problems := check.Check("m.yml", text, transform.Environment{})
			lines := strings.Split(string(text), "\n")
			var got []string
			for _, p := range problems.Errors() {
				fix := fixedLine.FindStringSubmatch(p.Fix)
				if fix == nil {
					t.Fatalf("%v: got a fix that cannot be typed", p)
				}
				line := fixedValue.FindStringSubmatch(lines[p.At.Line-1])
				lines[p.At.Line-1] = line[1] + fix[1]
				got = append(got, strings.ReplaceAll(strings.Trim(fix[1], "'"), "''", "'"))
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("got the values\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			_, problems = check.Check("m.yml", []byte(strings.Join(lines, "\n")), transform.Environment{})
			if left := problems.Errors(); len(left) > 0 {
				t.Errorf("after the fixes there is still\n%v", diag.Problems(left))
			}
		})
	}
}
