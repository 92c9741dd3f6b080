package bitbuckettest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// recordedShapes are routes, with the recorded answers of each.
var recordedShapes = []struct {
	name    string
	files   []string // with the place of the object in the answer before a colon, where that is not the root
	targets []string
	// only are keys of ours that no recorded answer of the route has, by a regular expression, and missing those
	// of recorded answers that we never give.
	only, missing string
}{
	{
		name:    "repository",
		files:   []string{"repository.json", "second-lot/repository-object-2025.json", "second-lot/repositories-page-2017.json"},
		targets: []string{"/repositories/acme/checkout-api", "/repositories/acme"},
	},
	{
		name:    "main branch",
		files:   []string{"second-lot/mainbranch-target-2017.json", "second-lot/mainbranch-null-2017.json", "mainbranch.target:commit.json"},
		targets: []string{"/repositories/acme/checkout-api?fields=mainbranch.type,mainbranch.name,mainbranch.target"},
		// The old answer was asked for with "*", which brought all fields of the repository in the commit.
		missing: `^mainbranch\.(links|target\.(participants|rendered|summary|repository\.|author\.user))`,
	},
	{
		name:    "project",
		files:   []string{"second-lot/project-object-2025.json", "second-lot/projects-page-2020.json"},
		targets: []string{"/workspaces/acme/projects"},
	},
	{
		name: "pull requests",
		files: []string{"pullrequests-page.json", "second-lot/pullrequest-object-2025.json", "second-lot/pullrequests-page-2020.json",
			"second-lot/pullrequests-mixed-2022.json", "second-lot/pullrequests-fork-2020.json"},
		targets: []string{"/repositories/acme/checkout-api/pullrequests?pagelen=50&sort=id&state=OPEN&state=MERGED"},
	},
	{
		name:    "pull request",
		files:   []string{"second-lot/pullrequest-approved-2018.json", "second-lot/pullrequest-merged-2020.json", "pullrequests-page.json"},
		targets: []string{"/repositories/acme/checkout-api/pullrequests/1", "/repositories/acme/checkout-api/pullrequests/3"},
		// The state of a participant is documented. merge_commit is whole in the answer to the merge itself.
		only:    `^participants\.state$|^reviewers\.`,
		missing: `^merge_commit\.|^(page|pagelen|size)$`,
	},
	{
		name:    "branch",
		files:   []string{"branches-page.json", "branch-with-slash.json", "second-lot/branch-draft-2026.json"},
		targets: []string{"/repositories/acme/checkout-api/refs/branches", "/repositories/acme/checkout-api/refs/branches/feature%2FBB-1"},
		missing: `^target\.author\.user`, // of an author who has an account
	},
	{
		name:    "source",
		files:   []string{"second-lot/src-root-2018.json", "second-lot/src-page-token-2020.json", "src-file-meta.json"},
		targets: []string{"/repositories/acme/checkout-api/src/main/?pagelen=1", "/repositories/acme/checkout-api/src/main/?pagelen=100", "/repositories/acme/checkout-api/src/main/script.py?format=meta"},
	},
}

// TestRecordedShapes compares the answers with recorded ones of the real service, when CONTRACT_RECORDED
// names the folder that holds them: the same keys, at every level, in the old way and the new one.
func TestRecordedShapes(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("CONTRACT_RECORDED")
	if folder == "" {
		t.Skip("CONTRACT_RECORDED is not set")
	}
	s := small(t)
	s.AddBranch("checkout-api", "feature/BB-1")
	s.SetFile("checkout-api", "script.py", []byte("print()"))
	for _, tt := range recordedShapes {
		t.Run(tt.name, func(t *testing.T) {
			var ours, real []string
			for _, o := range []Options{{}, {Old: true}, {Owner: &User{Name: "Dana Ruiz"}, SizedSource: true}} {
				s.Configure(o)
				for _, target := range tt.targets {
					ours = append(ours, keyPaths("", call(t, s, target).json)...)
				}
			}
			for _, file := range tt.files {
				at, name, embedded := strings.Cut(file, ":")
				if !embedded {
					at, name = "", file
				}
				b, err := os.ReadFile(filepath.Join(folder, name))
				if err != nil {
					t.Fatal(err)
				}
				var recorded any
				if err := json.Unmarshal(b, &recorded); err != nil {
					t.Fatal(err)
				}
				real = append(real, keyPaths(at, recorded)...)
			}
			sameKeys(t, "is not in our answer", real, ours, tt.missing)
			sameKeys(t, "is in no recorded answer", ours, real, tt.only)
		})
	}
}

func sameKeys(t *testing.T, wrong string, of, in []string, but string) {
	t.Helper()
	slices.Sort(of)
	for _, p := range slices.Compact(of) {
		switch {
		case slices.Contains(in, p):
		case but == "" || !regexp.MustCompile(but).MatchString(p):
			t.Errorf("%s %s", p, wrong)
		}
	}
}

// keyPaths are those of an object, or of a page's values and of the page; the elements of a list share theirs.
func keyPaths(at string, v any) []string {
	var paths []string
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				if prefix == "" && k == "values" {
					walk("", e)
					continue
				}
				paths = append(paths, prefix+k)
				walk(prefix+k+".", e)
			}
		case []any:
			for _, e := range v {
				walk(prefix, e)
			}
		}
	}
	if at != "" {
		at += "."
	}
	walk(at, v)
	return paths
}
