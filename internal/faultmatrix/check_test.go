package faultmatrix_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// catalog is all entities, by blueprint and identifier, without their times.
type catalog map[string]porttest.Entity

func catalogOf(p *porttest.Server) catalog {
	all := catalog{}
	for blueprint, of := range p.Catalog() {
		for id, e := range of {
			e.CreatedAt, e.UpdatedAt = time.Time{}, time.Time{}
			all[blueprint+"/"+id] = e
		}
	}
	return all
}

// good is a run that never failed, from the same beginning.
type good struct {
	before, after catalog
	bitbucket     []bitbuckettest.Exchange
	port          []porttest.Exchange
	status        string
	exit          int
	blueprints    []any
	config        any // the mapping that the page shows
}

// checker compares a run with a good one.
type checker struct {
	c      combination
	good   good
	w      *world
	run    ran
	after  catalog
	faults []string // what is wrong
}

func (k *checker) errorf(format string, args ...any) {
	k.faults = append(k.faults, fmt.Sprintf(format, args...))
}

func (k *checker) check() {
	k.after = catalogOf(k.w.port)
	k.checkCatalog()
	k.checkCounts()
	k.checkForms()
	k.checkPage()
	k.checkTruth()
	k.checkEnd()
}

// checkCatalog: nothing that has a source, or is not ours, is deleted or emptied, and
// each entity is as it was or as it should be.
func (k *checker) checkCatalog() {
	for ref, was := range k.good.before {
		is, there := k.after[ref]
		should, stays := k.good.after[ref]
		switch {
		case !there && stays:
			k.errorf("%s is deleted, and has a source", ref)
		case there && !cmp.Equal(is, was) && !cmp.Equal(is, should):
			k.errorf("%s is neither as it was nor as it should be (-got +want):\n%s", ref, cmp.Diff(is, should))
		}
	}
	for ref, is := range k.after {
		if _, was := k.good.before[ref]; was {
			continue
		}
		if should, due := k.good.after[ref]; !due {
			k.errorf("%s is made, and has no source", ref)
		} else if !cmp.Equal(is, should) && !stub(is) {
			k.errorf("%s is not as it should be (-got +want):\n%s", ref, cmp.Diff(is, should))
		}
	}
}

// stub is an entity that Port made for a relation to it.
func stub(e porttest.Entity) bool {
	return e.Title == "" && len(e.Properties) == 0 && len(e.Relations) == 0
}

// checkCounts: every object and every entity is accounted for, and what is said to be
// deleted is.
func (k *checker) checkCounts() {
	r := k.run.report
	var sum resourceReport
	for _, res := range r.Resources {
		if got, want := res.Transformed+res.Filtered+res.Skipped+res.Failed, res.Extracted; got != want {
			k.errorf("resource %d: %d objects extracted, but %d accounted for", res.Index, want, got)
		}
		if got, want := res.Created+res.Updated+res.Unchanged+res.Rejected+res.Merged, res.Transformed; got != want {
			k.errorf("resource %d: %d entities transformed, but %d accounted for", res.Index, want, got)
		}
		for _, n := range []struct{ to, of *int }{
			{&sum.Extracted, &res.Extracted}, {&sum.Filtered, &res.Filtered}, {&sum.Skipped, &res.Skipped}, {&sum.Failed, &res.Failed},
			{&sum.Created, &res.Created}, {&sum.Updated, &res.Updated}, {&sum.Unchanged, &res.Unchanged}, {&sum.Rejected, &res.Rejected},
		} {
			*n.to += *n.of
		}
	}
	got := []int{r.Extracted, r.Filtered, r.Skipped, r.Failed, r.Created, r.Updated, r.Unchanged, r.Rejected}
	want := []int{sum.Extracted, sum.Filtered, sum.Skipped, sum.Failed, sum.Created, sum.Updated, sum.Unchanged, sum.Rejected}
	if !slices.Equal(got, want) {
		k.errorf("the totals of the report are %d, the sums of its resources %d", got, want)
	}
	k.checkChanges()
	for host, told := range map[string]int{bitbucketHost: r.Bitbucket, gitHost: r.Git, portHost: r.Port} {
		if got := int(k.w.network.sent[host].Load()); got != told {
			k.errorf("%d requests to %s are told, %d were sent", told, host, got)
		}
	}
}

// checkChanges compares the counts with the two catalogs. An answer that was lost
// leaves it open what the request did.
func (k *checker) checkChanges() {
	r := k.run.report
	gone, made, changed := 0, 0, 0
	for ref, was := range k.good.before {
		if is, there := k.after[ref]; !there {
			gone++
		} else if !cmp.Equal(is, was) {
			changed++
		}
	}
	for ref, is := range k.after {
		if _, was := k.good.before[ref]; !was && !stub(is) {
			made++
		}
	}
	lost := k.c.kind.name != "" && k.c.use.service == ofPort && k.c.use.changes() && !k.c.harmless()
	byOthers := int(k.w.network.others.Load())
	if r.Deleted > gone || r.Deleted < gone-byOthers && !lost {
		k.errorf("%d deleted entities are told, %d are gone, %d of them by somebody else", r.Deleted, gone, byOthers)
	}
	if (r.Created != made || r.Updated < changed) && !lost {
		k.errorf("%d created and %d updated entities are told, %d are new and %d changed", r.Created, r.Updated, made, changed)
	}
	if r.Created > made {
		k.errorf("%d created entities are told, %d are new", r.Created, made)
	}
}

var resultLine = regexp.MustCompile(`(\d+) created, (\d+) updated, (\d+) unchanged, (\d+) deleted(?:, (\d+) rejected)?(?:, (\d+) stale kept)?`)

// nothingDone stands for six counts of 0.
var nothingDone = regexp.MustCompile(`no entity was written|no request was sent`)

// allPassed is the head of JUnit's XML where no check failed, and ofRun what it has of the run.
var (
	allPassed = regexp.MustCompile(`<testsuites [^>]* failures="0" errors="0">`)
	ofRun     = regexp.MustCompile(`<property name="(\w+)" value="([^"]*)"/>`)
)

// properties are those of the run in JUnit's XML.
func (r ran) properties() map[string]string {
	values := map[string]string{}
	run, _, _ := strings.Cut(r.checks, "</testsuite>")
	for _, m := range ofRun.FindAllStringSubmatch(run, -1) {
		values[m[1]] = m[2]
	}
	return values
}

// readVariables reads the file of variables, by the names of the outputs.
func (r ran) readVariables() map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(r.variables) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		values[strings.ToLower(strings.TrimPrefix(name, "PORT_RESYNC_"))] = value
	}
	return values
}

// checkForms: outputs, report, summary and the last line say the same.
func (k *checker) checkForms() {
	r := k.run.report
	want := []int{r.Created, r.Updated, r.Unchanged, r.Deleted, r.Rejected, r.StaleKept}
	lines := strings.Split(strings.TrimSpace(k.run.stdout), "\n")
	forms := map[string]string{"the last line": lines[len(lines)-1], "the page": pageLine(k.run.page)}
	numbers := map[string]map[string]string{"JUnit": k.run.properties(), "the file of variables": k.run.readVariables()}
	if k.w.env["GITHUB_ACTIONS"] != "" {
		forms["the summary"] = summaryLine(k.run.summary)
		k.checkResources("the summary", k.run.summary)
		numbers["outputs"] = k.run.readOutputs()
	}
	for form, got := range numbers {
		for name, want := range map[string]any{
			"status": r.Status, "entities_created": r.Created, "entities_updated": r.Updated, "entities_unchanged": r.Unchanged,
			"entities_deleted": r.Deleted, "entities_rejected": r.Rejected, "entities_stale_kept": r.StaleKept,
			"objects_extracted": r.Extracted, "objects_filtered": r.Filtered, "objects_skipped": r.Skipped, "objects_failed": r.Failed,
			"bitbucket_requests": r.Bitbucket, "bitbucket_git_requests": r.Git, "port_requests": r.Port,
		} {
			if got[name] != fmt.Sprint(want) {
				k.errorf("%s: %s is %q, the report has %v", form, name, got[name], want)
			}
		}
	}
	k.checkResources("the log", k.run.stdout)
	if failing := !allPassed.MatchString(k.run.checks); failing != (r.Status != "success") {
		k.errorf("the status is %s, and some check failed: %t:\n%s", r.Status, failing, k.run.checks)
	}
	if i := k.w.insights; i != nil {
		if line := i.line(); line != "" {
			forms["Code Insights"] = line
		}
	}
	for name, text := range forms {
		m := resultLine.FindStringSubmatch(text)
		var got []int
		for i := 1; i < len(m); i++ {
			n, _ := strconv.Atoi(m[i]) // empty is 0
			got = append(got, n)
		}
		if r.Status == "failed" && nothingDone.MatchString(text) {
			got = make([]int, len(want))
		}
		if !slices.Equal(got, want) {
			k.errorf("%s tells %d, the report %d:\n%s", name, got, want, text)
		}
		if !strings.Contains(text, r.Status) {
			k.errorf("%s does not tell the status %s:\n%s", name, r.Status, text)
		}
	}
}

// checkPage: Port's sync metrics are those of the report. Where they are not, that is
// told: they go to Port on routes of their own, which may be those that fail.
func (k *checker) checkPage() {
	differs := k.pageDiffers()
	told := k.c.use.path == recordRoute || k.c.use.courtesy()
	if told && len(differs) > 0 && !k.told() {
		k.errorf("no line tells that the page is not right: %s", strings.Join(differs, "; "))
	}
	for _, text := range differs {
		if !told {
			k.errorf("%s", text)
		}
	}
}

// pageDiffers says in what the page is not as the report.
func (k *checker) pageDiffers() (all []string) {
	differ := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	r, page := k.run.report, k.w.port.DataSource(identifier)
	if len(page.Syncs) == 0 && r.Status == "failed" {
		return nil // it could not begin
	}
	if len(page.Syncs) != k.w.runs {
		return []string{fmt.Sprintf("Port shows %d resyncs, want %d", len(page.Syncs), k.w.runs)}
	}
	rows := page.Syncs[k.w.runs-1].Kinds
	for i, res := range r.Resources {
		row := rows[fmt.Sprintf("%s-%d", res.Kind, i)].Counts
		got := []int{
			row["extract"]["raw_extracted"] + row["extract"]["failed"], row["transform"]["transformed"], row["transform"]["filtered_out"],
			row["transform"]["skipped"], row["transform"]["failed"] + row["extract"]["failed"],
			row["load"]["loaded"], row["load"]["skipped"], row["load"]["failed"],
		}
		want := []int{
			res.Extracted, res.Transformed, res.Filtered, res.Skipped, res.Failed,
			res.Created + res.Updated, res.Unchanged + res.Merged, res.Rejected,
		}
		if !slices.Equal(got, want) {
			differ("Port shows %d of resource %d, the report %d", got, res.Index, want)
		}
	}
	deleted := rows["__reconciliation__"].Counts["delete"]
	if deleted["deleted"] != r.Deleted || deleted["skipped"] != r.StaleKept {
		differ("Port shows %v, the report %d deleted and %d kept", deleted, r.Deleted, r.StaleKept)
	}
	want := map[bool]string{true: "completed", false: "failed"}[k.run.exit == 0]
	if page.ResyncState.Status != want {
		differ("Port shows the resync %s, and the exit status is %d", page.ResyncState.Status, k.run.exit)
	}
	return all
}

// again runs once more, without the fault: then everything is as after a good run.
func (k *checker) again() {
	k.w.bitbucket.ClearFaults()
	k.w.port.ClearFaults()
	time.Sleep(2 * time.Second) // Port's clock counts whole seconds
	r := k.w.run()
	if r.exit != k.good.exit || r.report.Status != k.good.status {
		k.errorf("the run after ended with %d, %s:\n%s%s", r.exit, r.report.Status, r.stdout, r.stderr)
	}
	for _, text := range k.unlike() {
		k.errorf("after the run after, %s", text)
	}
	for _, text := range k.w.misuse() {
		k.errorf("asked by the run after, and must not be: %s", text)
	}
}

// unlike says in what Port is not as after a good run.
func (k *checker) unlike() (all []string) {
	if diff := cmp.Diff(catalogOf(k.w.port), k.good.after); diff != "" {
		all = append(all, "the catalog is not as it should be (-got +want):\n"+diff)
	}
	if diff := cmp.Diff(k.w.blueprints(), k.good.blueprints); diff != "" {
		all = append(all, "the blueprints are not as they should be (-got +want):\n"+diff)
	}
	page := k.w.port.DataSource(identifier)
	if page.ResyncState.Status != "completed" || page.Version != app.Version() || !cmp.Equal(page.Config, k.good.config) {
		all = append(all, fmt.Sprintf("Port shows the resync %s, version %s, and the mapping of the run: %t",
			page.ResyncState.Status, page.Version, cmp.Equal(page.Config, k.good.config)))
	}
	return all
}

// misuse is what a run asked and must not ask.
func (w *world) misuse() []string {
	return slices.Concat(w.network.elsewhere, w.bitbucket.Violations(), w.port.Violations())
}

// blueprints are all of them, without their times.
func (w *world) blueprints() (all []any) {
	for _, id := range []string{
		"project", "repository", "pullRequest", "folder", "service", "script", "page", "retired",
		"bitbucketProject", "bitbucketRepository", "bitbucketPullRequest",
	} {
		if b, there := w.port.Blueprint(id); there {
			m := b.(map[string]any)
			delete(m, "createdAt")
			delete(m, "updatedAt")
			all = append(all, m)
		}
	}
	return all
}
