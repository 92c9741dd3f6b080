package openapicheck_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// recordedVariable names the folder of recorded answers of Bitbucket Cloud.
const recordedVariable = "CONTRACT_RECORDED"

// recordedAnswer is a recorded good answer.
type recordedAnswer struct {
	file, request string
	object        string // what it tells of
	element       bool   // the file holds an element of the answer's values
	at            string // where its keys are in that object; with a dot
}

const (
	testRepos = "GET /repositories/acme/test-repos"
	survival  = "GET /repositories/acme/survival-games"
	someHash  = "710db794f15bd187db9e7a7b952aac48ebac08bb"
)

var recordedAnswers = []recordedAnswer{
	{file: "repository.json", request: testRepos, object: "repository"},
	{file: "pullrequests-page.json", request: testRepos + "/pullrequests?pagelen=50", object: "pull request"},
	{file: "branches-page.json", request: testRepos + "/refs/branches?pagelen=100", object: "branch"},
	{file: "branch-with-slash.json", request: testRepos + "/refs/branches/feature%2FBB-1", object: "branch"},
	{file: "src-file-meta.json", request: testRepos + "/src/" + someHash + "/script.bat?format=meta", object: "source"},
	{file: "commit.json", request: testRepos + "/commit/174561d625c9", object: "repository", at: "mainbranch.target."},
	{file: "second-lot/repository-object-2025.json", request: "GET /repositories/acme", object: "repository", element: true},
	{file: "second-lot/repositories-page-2017.json", request: "GET /repositories/acme?page=1&pagelen=100", object: "repository"},
	{file: "second-lot/mainbranch-target-2017.json", object: "repository",
		request: "GET /repositories/acme/pipeline-demo-test?fields=mainbranch.*,mainbranch.target.*,mainbranch.target.repository.*"},
	{file: "second-lot/mainbranch-null-2017.json", request: "GET /repositories/acme/emptyrepo?fields=mainbranch.*,mainbranch.target.*", object: "repository"},
	{file: "second-lot/project-object-2025.json", request: "GET /workspaces/acme/projects", object: "project", element: true},
	{file: "second-lot/projects-page-2020.json", request: "GET /workspaces/acme/projects", object: "project"},
	{file: "second-lot/pullrequest-object-2025.json", request: survival + "/pullrequests", object: "pull request", element: true},
	{file: "second-lot/pullrequest-approved-2018.json", request: survival + "/pullrequests/1", object: "pull request"},
	{file: "second-lot/pullrequest-merged-2020.json", request: survival + "/pullrequests/1", object: "pull request"}, // of the merge itself
	{file: "second-lot/pullrequests-fork-2020.json", request: "GET /repositories/atlassian/atlaskit/pullrequests", object: "pull request"},
	{file: "second-lot/pullrequests-mixed-2022.json", request: "GET /repositories/acme/ants/pullrequests?page=1&pagelen=50", object: "pull request"},
	{file: "second-lot/pullrequests-page-2020.json", object: "pull request",
		request: `GET /repositories/acme/site/pullrequests?pagelen=50&q=state+%3D+%22OPEN%22+AND+destination.branch.name+%3D+%22master%22`},
	{file: "second-lot/src-page-token-2020.json", request: "GET /repositories/atlassian/atlaskit/src/master/packages/activity", object: "source"},
	{file: "second-lot/src-root-2018.json", request: "GET /repositories/ged/ruby-pg/src/0db600938b1772915dff5f88a1ad07b5affbc48b/?pagelen=100", object: "source"},
	{file: "second-lot/branch-draft-2026.json", request: testRepos + "/refs/branches/feature%2Fdraft", object: "branch"},
}

// The recorded answers agree with the document and our additions to it.
func TestRecorded(t *testing.T) {
	t.Parallel()
	c, folder := load(t), recordedFolder(t)
	for _, r := range recordedAnswers {
		if err := c.Bitbucket(exchange(t, r.request, "", 200, string(r.body(t, folder)))); err != nil {
			t.Errorf("%s: %v", r.file, err)
		}
	}
	if got := c.Checked(); got != len(recordedAnswers) {
		t.Errorf("got %d exchanges checked, want %d", got, len(recordedAnswers))
	}
}

// So do the recorded refusals, of requests that a reader makes.
func TestRecordedRefusals(t *testing.T) {
	t.Parallel()
	c, folder := load(t), recordedFolder(t)
	text, err := os.ReadFile(filepath.Join(folder, recordedErrors))
	if err != nil {
		t.Fatal(err)
	}
	var all []recordedRefusal
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		target := r.target()
		if target == "" {
			continue
		}
		body := string(r.Body)
		if r.Body[0] == '"' {
			if err := json.Unmarshal(r.Body, &body); err != nil {
				t.Fatal(err)
			}
		}
		e := exchange(t, "GET "+target, "", r.Status, body)
		for k, v := range r.Headers {
			e.ResponseHeader.Set(k, v)
		}
		if err := c.Bitbucket(e); err != nil {
			t.Errorf("%s: %v", r.Request, err)
		}
	}
	if got := c.Checked(); got < 4 {
		t.Errorf("got %d exchanges checked, want more", got)
	}
}
