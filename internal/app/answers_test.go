package app_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// everyKind reads objects of each kind, and files beside them.
const everyKind = `resources:
  - kind: project
    selector: {query: "true"}
    port: {entity: {mappings: {identifier: .key, title: .owner.display_name, blueprint: '"bitbucketProject"'}}}
  - kind: repository
    selector:
      query: "true"
      includedFiles: [README.md, CODEOWNERS]
    port:
      entity:
        mappings:
          identifier: .slug
          title: '[.parent.full_name, .mainbranch.name, (.size | tostring)] | map(. // "-") | join(" ")'
          blueprint: '"bitbucketRepository"'
          properties:
            readme: .__includedFiles["README.md"]
            codeowners: .__includedFiles["CODEOWNERS"]
  - kind: repository
    selector:
      query: .slug == "tool_box"
      includedFiles: [big.bin]
    port: {entity: {mappings: {identifier: .slug, blueprint: '"bitbucketRepository"', properties: {codeowners: '.__includedFiles["big.bin"]'}}}}
  - kind: pull-request
    selector: {query: "true", pullRequestQuery: 'state = "OPEN" OR state = "MERGED"'}
    port:
      entity:
        mappings:
          identifier: .destination.repository.full_name + "/" + (.id | tostring)
          title: '[.author.nickname, .source.repository.full_name, .source.commit.type, .destination.commit.type, (.participants[] | .role)] | map(. // "-") | join(" ")'
          blueprint: '"bitbucketPullRequest"'
  - kind: folder
    selector:
      query: "true"
      folders: [{path: "services/*"}, {path: "docs/*"}]
    port: {entity: {mappings: {identifier: '.repo.slug + ":" + .folder.path', blueprint: '"bitbucketProject"'}}}
  - kind: file
    selector:
      query: "true"
      files: {path: "**/*.yaml"}
    port: {entity: {mappings: {identifier: '.repo.slug + ":" + .file.path', title: .file.content.name, blueprint: '"bitbucketProject"'}}}
`

// oldAndNew is a workspace with what recorded answers show: forks, one of them of size 0, an empty repository,
// names and keys in capitals and small letters, deleted accounts, branches and forks, and Git LFS.
func oldAndNew() *bitbuckettest.Server {
	b := bitbuckettest.New("John_Doe")
	b.AddProject(bitbuckettest.Project{Key: "small_letters"})
	files := map[string]string{"README.md": "# R", "big.bin": "x", "docs": "a file", "services/a/x.yaml": "name: a\n", "services/b/x.json": "{}"}
	b.AddRepository(bitbuckettest.Repository{Name: "Tool_Box", ProjectKey: "small_letters", Files: files, Size: 7, NamedBranch: true})
	b.SetAttributes("tool_box", "big.bin", "binary", "lfs")
	b.AddRepository(bitbuckettest.Repository{Name: "fork", Parent: "tool_box", Files: map[string]string{"README.md": "# F"}})
	b.AddRepository(bitbuckettest.Repository{Name: "empty"})
	dana := bitbuckettest.User{Name: "Dana Ruiz", Nickname: "dana"}
	b.AddPullRequest("tool_box", bitbuckettest.PullRequest{Author: bitbuckettest.FormerUser(), Fork: "dana/tool_box"})
	b.AddPullRequest("tool_box", bitbuckettest.PullRequest{DeletedFork: true, DeletedBranches: true, State: "MERGED"})
	b.AddPullRequest("tool_box", bitbuckettest.PullRequest{Author: &dana, Participants: []bitbuckettest.Participant{
		{User: dana, NoState: true}, {User: dana}, {User: dana, State: "approved", Role: "PARTICIPANT"}}})
	return b
}

// In whichever of the recorded ways the service answers, the catalog is the same.
func TestAnswersOfAllYears(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]bitbuckettest.Options{
		"newest": {}, "old": {Old: true}, "of a person": {Owner: &bitbuckettest.User{Name: "John_Doe"}}, "sized": {SizedSource: true},
		"links elsewhere": {BodyLinks: "https://bitbucket.org/!api/2.0"}, "moved": {MovedLFS: true}, "no more than Not Found": {PlainNotFound: true},
		"files with a slash": {SlashedFiles: true}, "media on another host": {MediaHost: "http://127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := oldAndNew()
			b.Configure(o)
			w := newWorld(t, b)
			w.addBlueprints()
			if o.SlashedFiles {
				w.offContract() // no document has it
			}
			run := w.run(map[string]string{"MAPPING": everyKind, "BITBUCKET_WORKSPACE": "john_doe"})
			run.check(t, 0, "success")
			run.contains(t, "is kept on another host (Git LFS)")
			if diff := cmp.Diff(oldAndNewCatalog(o), titles(w)); diff != "" {
				t.Errorf("titles by identifier (-want +got):\n%s\n%s", diff, run.stdout)
			}
			if got := w.port.Catalog()["bitbucketRepository"]["tool_box"].Properties["readme"]; got != "# R" {
				t.Errorf("got readme %v, want the file", got)
			}
			missing, redirected := 0, 0
			for _, x := range b.Journal() {
				switch x.Status {
				case http.StatusNotFound:
					missing++
				case http.StatusFound, http.StatusMovedPermanently:
					redirected++
				}
				if !strings.HasPrefix(x.Host, "127.0.0.1:") {
					t.Errorf("a request went to %s", x.Host)
				}
			}
			if missing == 0 || redirected == 0 {
				t.Errorf("got %d answers of 404 and %d redirects, want both", missing, redirected)
			}
			w.checkClean()
		})
	}
}

func titles(w *world) map[string]string {
	got := map[string]string{}
	for _, entities := range w.port.Catalog() {
		for id, e := range entities {
			got[id] = e.Title
		}
	}
	return got
}

func oldAndNewCatalog(o bitbuckettest.Options) map[string]string {
	parent := "John_Doe/tool_box"
	if o.Old {
		parent = "-"
	}
	all := map[string]string{
		"small_letters": "John_Doe", "tool_box": "- main 7", "fork": parent + " main 0", "empty": "- - 0",
		"tool_box:services/a": "", "tool_box:services/b": "", "tool_box:services/a/x.yaml": "a",
	}
	maps.Copy(all, map[string]string{
		"John_Doe/tool_box/1": "Former user dana/tool_box commit commit",
		"John_Doe/tool_box/2": "- - - -",
		"John_Doe/tool_box/3": "dana John_Doe/tool_box commit commit " + strings.Join([]string{"REVIEWER", "REVIEWER", "PARTICIPANT"}, " "),
	})
	return all
}

// What the service says of a credential is told with what to do about it.
func TestBasicIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		refuse func(b *bitbuckettest.Server)
		want   []string
	}{
		"without words": {func(*bitbuckettest.Server) {}, []string{
			": 401 Unauthorized; used was: ", "check the credential: it may be mistyped", "bitbucket_user_scoped_token with bitbucket_user_email"}},
		"shut out": {func(b *bitbuckettest.Server) {
			b.AllowBasic("dana@example.com", "scoped-in-tests")
			b.ShutOut("scoped-in-tests")
		}, []string{
			"403 Forbidden: Too many invalid password attempts. Log in at https://id.atlassian.com/ to restore access.",
			"log in at https://id.atlassian.com with the account of this credential", "use a workspace access token"}},
		"revoked": {func(b *bitbuckettest.Server) {
			b.AllowBasic("dana@example.com", "scoped-in-tests")
			b.Revoke("scoped-in-tests")
		}, []string{
			"401 Unauthorized: Token is invalid, expired, or not supported for this endpoint.", "an API token without scopes"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			tt.refuse(w.bitbucket)
			w.addStale()
			delete(w.env, "BITBUCKET_WORKSPACE_TOKEN")
			r := w.run(map[string]string{"MAPPING": repositories, "BITBUCKET_USER_EMAIL": "dana@example.com", "BITBUCKET_USER_SCOPED_TOKEN": "scoped-in-tests"})
			r.check(t, 1, "failed")
			r.contains(t, tt.want...)
			if got := w.bitbucket.Requests(); got > 2 {
				t.Errorf("got %d requests with a credential that is refused, want 2 or fewer", got)
			}
			if !w.holds("bitbucketRepository", "stale") {
				t.Error("an entity was deleted")
			}
		})
	}
}

// An error of the service may lack the type that its errors have.
func TestErrorWithoutAType(t *testing.T) {
	t.Parallel()
	w := virtual(t, smallBitbucket())
	synctest.Test(t, func(t *testing.T) {
		w.bitbucket.Fault(bitbuckettest.Fault{Path: "/repositories/acme", Status: 500, Times: -1,
			Body: `{"error":{"message":"unhashable type: 'list'","id":"1cd96f69baed4023ae43411cd7173245"}}`})
		r := w.run(map[string]string{"MAPPING": repositories})
		r.check(t, 1, "failed")
		r.contains(t, "500 Internal Server Error: unhashable type: 'list'", "run again; if it stays so")
	})
}
