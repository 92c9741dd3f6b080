package app_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// readmes reads a file of each repository, and a folder's files.
const readmes = `resources:
  - kind: file
    selector: {query: 'true', files: [{path: "README.md"}]}
    port: {entity: {mappings: {identifier: .repo.slug, title: .file.content, blueprint: '"bitbucketRepository"'}}}
  - kind: repository
    selector: {query: 'true', includedFiles: [README.md]}
    port: {entity: {mappings: {identifier: '"of-" + .slug', title: '.__includedFiles["README.md"]', blueprint: '"bitbucketRepository"'}}}
`

// gitWorld is smallWorld, with its git host.
func gitWorld(t *testing.T) *world {
	t.Helper()
	w := smallWorld(t)
	w.env["GIT_HOST_URL"] = strings.TrimSuffix(w.env["BITBUCKET_HOST_URL"], "/2.0")
	w.env["MAPPING"] = readmes
	return w
}

// titles are those of what Port holds of repositories, by identifier.
func (w *world) titles() map[string]string {
	all := map[string]string{}
	for id, e := range w.port.Catalog()["bitbucketRepository"] {
		all[id] = e.Title
	}
	return all
}

// listed are the requests to REST other than lists of repositories.
func (w *world) listed() []string {
	var others []string
	for _, x := range w.bitbucket.Journal() {
		if !x.Git && x.Path != "/2.0/repositories/acme" {
			others = append(others, x.Path)
		}
	}
	return others
}

// A run over git gives what one over REST gives, for requests of the class of git alone, and
// says how many.
func TestSyncOverGit(t *testing.T) {
	t.Parallel()
	rest := gitWorld(t)
	r := rest.run(map[string]string{"SOURCE_READER": "rest"})
	r.check(t, 0, "success")
	if got := fmt.Sprint(r.number(t, "bitbucket_git_requests"), r.number(t, "bitbucket_git_bytes"), rest.bitbucket.GitRequests()); got != "0 0 0" {
		t.Errorf("over REST: got %s requests, bytes and requests that arrived, want none", got)
	}
	for _, reader := range []string{"auto", "git", "git, one request at a time"} {
		t.Run(reader, func(t *testing.T) {
			t.Parallel()
			w := gitWorld(t)
			reader, one, _ := strings.Cut(reader, ",")
			if one != "" {
				w.env["CONCURRENCY"] = "1"
			}
			r := w.run(map[string]string{"SOURCE_READER": reader})
			r.check(t, 0, "success")
			if diff := cmp.Diff(w.titles(), rest.titles()); diff != "" || len(w.titles()) != 6 {
				t.Errorf("over git (-), over REST (+):\n%s", diff)
			}
			git := w.bitbucket.GitRequests()
			if got := r.number(t, "bitbucket_git_requests"); got != git || git < 3 || git > 7 {
				t.Errorf("got %d requests to the git host, of which %d arrived, want them equal, and about two a repository", got, git)
			}
			if got := r.number(t, "bitbucket_requests"); got != w.bitbucket.Requests() || len(w.listed()) > 0 {
				t.Errorf("got %d requests to the API and %q, want lists of repositories alone", got, w.listed())
			}
			if r.number(t, "bitbucket_git_bytes") < 100 {
				t.Errorf("got %d bytes", r.number(t, "bitbucket_git_bytes"))
			}
			for _, part := range []string{
				fmt.Sprintf("INFO  git: 3 repositories, %d requests, ", git),
				"forecast for 3 repositories: about 1 request; 1 credential may make 1000 in 1h: no waiting; 1 more if anything is to be deleted; over git about 6 requests; 1 credential may make 60000 in 1h: no waiting\n",
			} {
				if !strings.Contains(r.stderr, part) {
					t.Errorf("the log does not hold %q:\n%s", part, r.stderr)
				}
			}
			r.contains(t, fmt.Sprintf("%d to its git host and ", git))
			w.checkClean()
		})
	}
}

// auto asks nothing of a git host that may not be meant, and a plan says why.
func TestGitIsNotAsked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env  map[string]string
		want string
	}{
		"another API":  {map[string]string{"GIT_HOST_URL": ""}, "folders and files: source_reader auto reads over REST: bitbucket_host_url is not Bitbucket's own, and git_host_url is not given"},
		"rest":         {map[string]string{"SOURCE_READER": "rest"}, "folders and files: source_reader rest reads over REST"},
		"app password": {map[string]string{"BITBUCKET_WORKSPACE_TOKEN": "", "BITBUCKET_USERNAME": "ann", "BITBUCKET_APP_PASSWORD": "pw"}, "folders and files: source_reader auto reads over REST: the git host takes no app password"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := gitWorld(t)
			w.bitbucket.AllowBasic("ann", "pw")
			w.github()
			r := w.planned(tt.env)
			r.check(t, 0, "success")
			r.contains(t, tt.want+"\n")
			if got := w.bitbucket.GitRequests(); got != 0 {
				t.Errorf("got %d requests to the git host, want none", got)
			}
			sources, _ := r.report["sources"].(map[string]any)
			if sources["reader"] != "REST" || !strings.Contains(tt.want, fmt.Sprint(sources["why"])) {
				t.Errorf("the report file has %v", sources)
			}
			if summary := w.read("summary.md"); !strings.Contains(summary, "\n- folders and files: ") {
				t.Errorf("the summary does not name the reader:\n%s", summary)
			}
		})
	}
	t.Run("nothing to read", func(t *testing.T) {
		t.Parallel()
		w := gitWorld(t)
		r := w.planned(map[string]string{"MAPPING": repositories})
		if strings.Contains(r.stdout, "git") || r.report["sources"] != nil {
			t.Errorf("a reader is named where nothing is to be read:\n%s%s", r.stdout, r.stderr)
		}
	})
}

// What falls back to REST is named with its reason, is no fault of the run, and gives the same.
func TestFallback(t *testing.T) {
	t.Parallel()
	w := gitWorld(t)
	w.bitbucket.ConfigureGit("ledger", gitwiretest.Options{Err: "no such thing\x1b[31m ::error::"})
	w.github()
	plan := w.planned(nil)
	plan.check(t, 0, "success")
	const reason = "the server's git reports an error"
	plan.contains(t, `repository "ledger": over REST instead of git: `+reason+"\n", "folders and files: over git: 2 repositories, ", "; REST instead for 1: 1 "+reason+"\n",
		"Bitbucket credential over git, workspace token: ", "; its git host: ")
	if summary := w.read("summary.md"); !strings.Contains(summary, "<summary>Read over REST instead of git: 1</summary>") || !strings.Contains(summary, "| ledger | "+reason+" |") {
		t.Errorf("the summary does not name the repository:\n%s", summary)
	}
	want := []any{map[string]any{"repository": "ledger", "reason": reason}}
	if sources, _ := plan.report["sources"].(map[string]any); !cmp.Equal(sources["fallbacks"], any(want)) {
		t.Errorf("the report file: got %v, want %v", sources, want)
	}

	sync := w.run(nil)
	sync.check(t, 0, "success")
	if !strings.Contains(sync.stderr, "; REST instead for 1: 1 "+reason+"\n") {
		t.Errorf("the log does not tell of it:\n%s", sync.stderr)
	}
	if titles := w.titles(); titles["ledger"] != "# ledger" || titles["of-ledger"] != "# ledger" || len(titles) != 6 {
		t.Errorf("got %q", titles)
	}
	notices := 0
	problems, _ := sync.report["problems"].([]any)
	for _, p := range problems {
		m, _ := p.(map[string]any)
		if m["severity"] == "notice" && m["message"] == "read over REST instead of git: "+reason && m["example"] == `repository "ledger"` {
			notices++
		}
	}
	if notices != 1 {
		t.Errorf("got %d notices in %v, want 1", notices, problems)
	}
	w.checkClean()
}

// A git host that refuses the credential is given up, with one warning, and what it refused
// says nothing of the API.
func TestGitIsGivenUp(t *testing.T) {
	t.Parallel()
	w := gitWorld(t)
	w.offContract()
	w.bitbucket.Fault(bitbuckettest.Fault{Status: http.StatusUnauthorized, Times: -1, Match: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/acme/") }})
	r := w.run(nil)
	r.check(t, 0, "success")
	if len(w.titles()) != 6 {
		t.Errorf("got %q", w.titles())
	}
	if got := strings.Count(r.stdout, "git was given up, and REST read all further repositories: git host: 401 Unauthorized"); got != 1 {
		t.Errorf("got %d warnings, want one:\n%s", got, r.stdout)
	}
}

// A token that the git host alone refuses is told, and the other one reads.
func TestGitRefusesOneToken(t *testing.T) {
	t.Parallel()
	w := gitWorld(t)
	w.offContract()
	w.bitbucket.AllowToken("second-token-in-tests")
	w.env["BITBUCKET_WORKSPACE_TOKEN"] += ",second-token-in-tests"
	w.bitbucket.Fault(bitbuckettest.Fault{Status: http.StatusUnauthorized, Times: -1, Match: func(r *http.Request) bool {
		_, secret, basic := r.BasicAuth()
		return basic && secret == token
	}})
	r := w.run(nil)
	r.check(t, 0, "success")
	r.contains(t, "WARNING Bitbucket's git host refused a credential (401), and the run went on with the others: workspace token 1 of 2; fix: ")
	if !strings.Contains(r.stderr, "INFO  git: 3 repositories, ") || strings.Contains(r.stdout, "Bitbucket refused a credential") {
		t.Errorf("got\n%s%s\nwant all repositories read over git, and the API's credentials kept", r.stdout, r.stderr)
	}
}

// With source_reader git nothing is read over REST in its place.
func TestOnlyGit(t *testing.T) {
	t.Parallel()
	w := gitWorld(t)
	w.bitbucket.ConfigureGit("ledger", gitwiretest.Options{Err: "no such thing"})
	r := w.run(map[string]string{"SOURCE_READER": "git"})
	r.check(t, 3, "partial")
	r.contains(t, "read repository \"ledger\" over git: ")
	if got := w.listed(); len(got) > 0 {
		t.Errorf("got %q of REST, want lists of repositories alone", got)
	}
	if titles := w.titles(); titles["checkout"] != "# checkout" || titles["ledger"] != "" {
		t.Errorf("got %q", titles)
	}
}

// The API token goes to the git host without the e-mail address, and no header of either is
// in what a run says.
func TestGitCredentialIsHidden(t *testing.T) {
	t.Parallel()
	w := gitWorld(t)
	w.bitbucket.AllowBasic("ann@acme.test", "api-token-in-tests")
	w.env["BITBUCKET_WORKSPACE_TOKEN"], w.env["BITBUCKET_USER_EMAIL"], w.env["BITBUCKET_USER_SCOPED_TOKEN"] = "", "ann@acme.test", "api-token-in-tests"
	encoded := base64.StdEncoding.EncodeToString([]byte("x-bitbucket-api-token-auth:api-token-in-tests"))
	w.bitbucket.ConfigureGit("ledger", gitwiretest.Options{Err: "your header was " + encoded})
	r := w.run(map[string]string{"SOURCE_READER": "git", "LOG_LEVEL": "debug"})
	r.contains(t, "your header was ***")
	for _, text := range []string{r.stdout, r.stderr, w.read("report.json")} {
		if strings.Contains(text, encoded) || strings.Contains(text, "api-token-in-tests") {
			t.Errorf("a credential is shown:\n%s", text)
		}
	}
	if titles := w.titles(); titles["checkout"] != "# checkout" || w.bitbucket.GitRequests() == 0 {
		t.Errorf("got %q and %d requests to the git host, want what git read", titles, w.bitbucket.GitRequests())
	}
}

// Git has an allowance of its own, that of the input, and what waits for it says so.
func TestRateLimitOfGit(t *testing.T) {
	t.Parallel()
	w := virtual(t, smallBitbucket())
	synctest.Test(t, func(t *testing.T) {
		r := w.run(map[string]string{"MAPPING": readmes, "BITBUCKET_RATE_LIMIT": "2/1h,git=3/1h"})
		r.check(t, 0, "success")
		git := r.number(t, "bitbucket_git_requests")
		if got, want := r.number(t, "duration_seconds"), (git-1)/3*3600; got != want || git < 4 {
			t.Errorf("%d requests took %d seconds, want %d", git, got, want)
		}
		for _, part := range []string{"waiting until 01:00:00 UTC for the allowance of 1 credential at Bitbucket's git host; then 3 requests\n", "over git about 6 requests; 1 credential may make 3 in 1h: 1h of waiting, none with 2 credentials"} {
			if !strings.Contains(r.stderr, part) {
				t.Errorf("the log does not hold %q:\n%s", part, r.stderr)
			}
		}
	})
}

// A run that ends before it reads a file says nothing of git.
func TestGitNotNeeded(t *testing.T) {
	t.Parallel()
	w := gitWorld(t)
	w.env["MAPPING"] = withReadme
	w.env["BITBUCKET_WORKSPACE_TOKEN"] = "another-token"
	r := w.run(nil)
	r.check(t, 1, "failed")
	if strings.Contains(r.stderr, "git:") {
		t.Errorf("git was not asked:\n%s", r.stderr)
	}
}
