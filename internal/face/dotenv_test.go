package face

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/report"
)

// GitLab refuses a whole file for one line that it does not understand, or for one too many.
func TestDotenv(t *testing.T) {
	t.Parallel()
	long := &report.Report{Kinds: []string{strings.Repeat("x", 6<<10)}}
	odd := full()
	odd.Kinds, odd.Idle = []string{`a b`, `"$(id)"`}, 1
	for name, r := range map[string]*report.Report{"full": full(), "empty": {}, "memory": halfFromMemory(), "long": long, "odd": odd} {
		text := string(Dotenv(r))
		lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
		if len(text) > 5120 || len(lines) > 20 {
			t.Errorf("%s: got %d bytes and %d variables, want 5,120 and 20 at most", name, len(text), len(lines))
		}
		for _, line := range lines {
			if !regexp.MustCompile(`^PORT_RESYNC_[A-Z_]+=[-A-Za-z0-9_.,:+/@%]+\n?$`).MatchString(line) {
				t.Errorf("%s: got the line %q", name, line)
			}
		}
		for _, o := range Outputs(r) {
			if o.Name == "summary" || o.Name == "kinds" || o.Text() == "" {
				continue
			}
			if want := fmt.Sprintf("PORT_RESYNC_%s=%s\n", strings.ToUpper(o.Name), o.Text()); !strings.Contains(text, want) {
				t.Errorf("%s: lacks %q:\n%s", name, want, text)
			}
		}
	}
	if got := string(Dotenv(&report.Report{Kinds: []string{"repository", "pull-request"}, Idle: 1})); !strings.Contains(got, "PORT_RESYNC_KINDS=repository,pull-request\n") {
		t.Errorf("got\n%s\nwant the kinds", got)
	}
}
