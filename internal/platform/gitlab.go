package platform

import (
	"fmt"
	"sync/atomic"
	"time"
)

// gitlab is GitLab CI/CD. It prints as plain does, and folds groups. Outputs and problems are
// files that a job names as its reports, so that nothing of them is published here.
type gitlab struct {
	plain
	groups atomic.Int64 // so far
}

// isGitLab reports whether this is a job of GitLab.
//
// Source: https://docs.gitlab.com/ci/variables/predefined_variables/, read 2026-11.
func isGitLab(getenv env) bool { return getenv("GITLAB_CI") == "true" }

func newGitLab(w World) Platform { return &gitlab{plain: plain{world: w}} }

// gitlabPage is the Checkout of GitLab, wherever it is installed. Source as above.
func gitlabPage(getenv env) (page, line string) {
	at := hosts["gitlab.com"]
	if page = getenv("CI_PROJECT_URL"); page == "" || getenv("CI_COMMIT_SHA") == "" {
		return "", ""
	}
	return page + at.between + getenv("CI_COMMIT_SHA") + "/", at.line
}

func (*gitlab) Name() string { return "GitLab CI/CD" }

// section is the marker of a section, with its name: letters, digits, "_", "." and "-".
//
// Source: https://docs.gitlab.com/ci/jobs/job_logs/ (custom collapsible sections), read 2026-11.
const section = "\x1b[0Ksection_%s:%d:port_resync_%d%s\r\x1b[0K%s\n"

func (g *gitlab) Group(title string) {
	g.print(fmt.Sprintf(section, "start", time.Now().Unix(), g.groups.Add(1), "[collapsed=true]", g.world.Scrubber.Line(title)))
}

func (g *gitlab) EndGroup() {
	g.print(fmt.Sprintf(section, "end", time.Now().Unix(), g.groups.Load(), "", ""))
}
