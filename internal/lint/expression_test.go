package lint

import (
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
)

func TestLongExpression(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("(", jq.MaxText) + ".id" + strings.Repeat(")", jq.MaxText)
	if found := lookAt(valueRole, mapping.Resource{}, text); len(found) != 1 || !strings.Contains(found[0].Message, "at most 65536 are read") {
		t.Errorf("got %.200v", found)
	}
}

// Any text is either an expression or a problem inside of the text.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		`.a | | .b`, `'it''s'`, `env.A + $ENV["B"]`, `env | .A`, `"\(.a)"`, `def f(g): g; f(.a)`, `.a as [$x, {b: $y}] ?// $x | $y`,
		`import "a" as b; .`, `reduce .[] as $x (0; . + $x)`, `label $out | break $out`, `"\ud800"`, "\xff", `file://`, ` file://a/../b`, `.a-b`, `@base64 "x"`, `||`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found := lookAt(identifierRole, mapping.Resource{}, text)
		if tree, _, err := jq.Parse(text); len(found.Errors()) == 0 && err != nil {
			t.Errorf("nothing is found: %v", err)
		} else if err == nil {
			if _, err := jq.Compile(tree, nil); len(found.Errors()) == 0 && err != nil {
				t.Errorf("nothing is found: %v", err)
			}
		}
		for _, p := range found {
			if p.Message == "" || p.Fix == "" {
				t.Errorf("problem = %+v", p)
			}
		}
	})
}
