package resync

import (
	"cmp"
	"fmt"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/face"
	"port-bitbucket-exporter/internal/report"
)

// gitPerRepository is about how many requests git needs for a repository: one for its
// folders, and one for the files that are wanted.
const gitPerRepository = 2

// readsSources reports whether a resource of the mapping reads folders or files.
func (j Job) readsSources() bool {
	for _, res := range j.Bound.Resources {
		if res.Bound.Cost.Sources > 0 || res.Bound.ReadsFiles {
			return true
		}
	}
	return false
}

// tellFields reports which routes were read as whole objects, since Bitbucket did not give parts of
// them.
func (r *run) tellFields() {
	for _, route := range r.job.Bitbucket.Parts.Refused() {
		r.noteOf(diag.About{Phase: diag.Extract}, diag.Problem{Severity: diag.Notice, Message: fmt.Sprintf("Bitbucket refused the list of fields that the mapping reads of %s: whole objects were read", route),
			Fix: "nothing is to be done; response_fields: all asks for whole objects at once"})
	}
}

// tellSources reports how folders and files were read. That a repository was read over REST
// in place of git is worth knowing, and no fault of the run.
func (r *run) tellSources() {
	git, told := r.job.Bitbucket.Git(), &r.report.Sources
	switch {
	case git == nil && r.job.readsSources():
		told.Reader, told.Why = report.REST, r.job.NoGit
		return
	case git == nil:
		return
	}
	read := r.workspace.Readings()
	if git.Requests() == 0 && read.Git == 0 && len(read.Fallbacks) == 0 && read.Stopped == "" {
		return // it was not needed
	}
	*told = report.Sources{
		Reader: report.Git, Repositories: read.Git, Requests: git.Requests(), Bytes: git.Bytes(), Stopped: read.Stopped,
	}
	for _, f := range read.Fallbacks {
		told.Fallbacks = append(told.Fallbacks, report.Fallback{Repository: f.Repository, Reason: f.Reason})
		r.noteOf(diag.About{Phase: diag.Extract}, diag.Problem{Severity: diag.Notice, Message: "read over REST instead of git: " + f.Reason, Example: fmt.Sprintf("repository %q", f.Repository), Fix: f.Fix})
	}
	if read.Stopped != "" {
		r.noteOf(diag.About{Phase: diag.Extract}, diag.Problem{Severity: diag.Warning, Message: "git was given up, and REST read all further repositories: " + read.Stopped,
			Fix: cmp.Or(read.StoppedFix, "check that the credential may read repositories, and git_host_url") + "; or set source_reader to rest"})
	}
	r.logReading("git: " + face.GitText(*told))
}
