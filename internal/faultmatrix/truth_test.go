package faultmatrix_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// longest is the most virtual time that a run may take, whatever happens to it; longer
// where Port answers every first page and refuses all others, which looks each time as
// if it was worth the wait.
const (
	longest     = time.Hour
	longestLate = 2 * time.Hour
)

// complete is true when each request to Bitbucket of a good run had, once, an answer
// that no fault fell on, whichever fields of the values it was for: a list may be asked for
// them anew, and the catalog shows whether they were enough. The list of branches is for a hint, and
// for a branch whose own route gives none. What git does not answer REST does, unless the reader is git alone; and since all of it
// is proven by hash, a run that ends well has seen what it needs of an answer.
func (k *checker) complete(asGood bool) bool {
	type key struct{ path, query, command string }
	of := func(x bitbuckettest.Exchange) key {
		query, err := url.ParseQuery(x.RawQuery)
		if err != nil {
			k.errorf("query %q: %v", x.RawQuery, err)
		}
		query.Del("fields")
		k := key{path: x.Path, query: query.Encode()}
		if x.GitCommand != nil {
			k.command = fmt.Sprint(x.GitCommand.Name, x.GitCommand.Wants)
		}
		return k
	}
	answered := map[key]bool{}
	for _, x := range k.w.bitbucket.Journal() {
		if x.Faults == 0 || k.c.harmless() {
			answered[of(x)] = true
		}
	}
	listed := func(x bitbuckettest.Exchange) bool {
		return slices.ContainsFunc(k.w.bitbucket.Journal(), func(y bitbuckettest.Exchange) bool {
			return y.Route == branchesRoute && y.Faults == 0 && strings.HasPrefix(x.Path, y.Path+"/")
		})
	}
	for _, x := range k.good.bitbucket {
		switch {
		case asGood && x.Route == branchRoute && listed(x):
		case x.Route == branchesRoute && x.Query.Get("fields") == "values.name,values.target.hash", x.Git && (asGood || k.w.env["SOURCE_READER"] != "git"):
		case !answered[of(x)]:
			return false
		}
	}
	return true
}

// acknowledged is true when the program knows of each change of the catalog that it
// was made, and what there was to delete.
func (k *checker) acknowledged() bool {
	journal := k.w.port.Journal()
	for i, x := range journal {
		if !x.Fault || !strings.HasPrefix(x.Route, "/v1/blueprints") || !x.Write && x.Route != ownedRoute || k.c.harmless() {
			continue
		}
		if !slices.ContainsFunc(journal[i:], func(y porttest.Exchange) bool {
			return !y.Fault && y.Method == x.Method && y.Path == x.Path && bytes.Equal(y.RequestBody, x.RequestBody)
		}) {
			return false
		}
	}
	return true
}

// checkTruth derives from both journals and the catalog how the run must have ended.
func (k *checker) checkTruth() {
	got, exit := k.run.report.Status, k.run.exit
	asGood := got == k.good.status && exit == k.good.exit
	delivered := k.complete(asGood) && cmp.Equal(k.withoutHeld(), k.good.after)
	switch {
	case asGood && !delivered:
		k.errorf("the run is a %s, and not everything is delivered (everything read: %t); missing (-got +want):\n%s", got, k.complete(asGood), cmp.Diff(k.after, k.good.after))
	case !asGood && delivered && k.acknowledged() && !k.lucky():
		k.errorf("the run is %s with exit status %d, and everything is delivered", got, exit)
	case got == "failed" && k.run.report.Created+k.run.report.Updated > 0:
		k.errorf("the run is failed, and has delivered something")
	}
	if want := map[string]int{"success": 0, "partial": 3, "failed": 1}; !asGood && exit != want[got] {
		k.errorf("the run is %s, and its exit status %d", got, exit)
	}
	if !asGood && !k.told() {
		k.errorf("no line tells the cause (%s)", k.c.kind.told)
	}
	if !asGood && !k.helped() {
		k.errorf("no error tells what to do")
	}
}

// lucky is true where one resource could not read a repository over git, another could a
// little later, and nothing of it had changed: the run is right to be partial. Only without
// REST: what git does not answer, that does. So it is where a repository said once that it has no
// list, and was asked once more before the deletion; and where nothing has changed since the last run.
func (k *checker) lucky() bool {
	if optionalRoutes[k.c.use.path] && k.c.kind.name == "404" {
		return k.told()
	}
	if cmp.Equal(k.good.before, k.good.after) {
		return k.told()
	}
	return k.c.use.overGit() && k.w.env["SOURCE_READER"] == "git" && k.c.scope == once && k.told()
}

// withoutHeld is the catalog, but for what is stale where deletion is held back by
// contract.
func (k *checker) withoutHeld() catalog {
	if !k.c.held() {
		return k.after
	}
	kept := maps.Clone(k.after)
	for ref := range k.good.before {
		if _, stays := k.good.after[ref]; !stays {
			delete(kept, ref)
		}
	}
	return kept
}

var problemLine = regexp.MustCompile(`^(ERROR|WARNING|::error|::warning)`)

// told is true when an error or a warning names what happened.
func (k *checker) told() bool {
	cause := regexp.MustCompile(k.c.kind.told)
	for line := range strings.Lines(k.run.stdout) {
		if problemLine.MatchString(line) && cause.MatchString(line) {
			return true
		}
	}
	return false
}

// helped is true when an error tells what to do.
func (k *checker) helped() bool {
	for line := range strings.Lines(k.run.stdout) {
		if errorLine.MatchString(line) && advice.MatchString(line) {
			return true
		}
	}
	return false
}

var (
	errorLine = regexp.MustCompile(`^(ERROR|::error)`)
	advice    = regexp.MustCompile(`fix: |; (check|give|run|to leave)|: give `)
)

// checkEnd: the run ended in time, left nothing open, and asked nothing that it must not.
func (k *checker) checkEnd() {
	most := longest
	if k.c.use.service == ofPort && k.c.scope == late {
		most = longestLate
	}
	if k.run.took > most {
		k.errorf("the run took %s", k.run.took)
	}
	if n := k.w.network.open.Load(); n != 0 {
		k.errorf("%d answers are not closed", n)
	}
	for _, text := range k.w.misuse() {
		k.errorf("asked, and must not be: %s", text)
	}
	if strings.Contains(k.run.stdout+k.run.stderr, "internal error") {
		k.errorf("internal error")
	}
}
