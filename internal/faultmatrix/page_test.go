package faultmatrix_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
)

// On the page for a browser each figure is a term and its value, and one that is zero may be
// left out.
var (
	pageFigure = regexp.MustCompile(`<dt>([a-z, ]+)</dt><dd>([0-9,]+)</dd>`)
	pageStatus = regexp.MustCompile(`<span class="status (\w+)">(\w+)</span>`)
)

// pageLine returns the figures of a page in the words of a run's last line.
func pageLine(page string) string {
	figures := map[string]string{"rejected": "0", "stale, kept": "0"}
	for _, m := range pageFigure.FindAllStringSubmatch(page, -1) {
		figures[m[1]] = strings.ReplaceAll(m[2], ",", "")
	}
	return fmt.Sprintf("%s: %s created, %s updated, %s unchanged, %s deleted, %s rejected, %s stale kept", strings.Join(pageStatus.FindStringSubmatch(page), " "),
		figures["created"], figures["updated"], figures["unchanged"], figures["deleted"], figures["rejected"], figures["stale, kept"])
}

// A good run has a page.
func TestPage(t *testing.T) {
	t.Parallel()
	s := stored(t)
	synctest.Test(t, func(t *testing.T) {
		if got := pageLine(s.world(t).run().page); !resultLine.MatchString(got) {
			t.Errorf("got %q, want the figures of the run", got)
		}
	})
}
