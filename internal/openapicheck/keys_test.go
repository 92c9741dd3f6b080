package openapicheck_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/openapicheck"
)

// No key of an answer of the emulator is of its own making: the document or our additions to it have it, or a
// recorded answer, in the same object.
func TestEmulatorKeys(t *testing.T) {
	t.Parallel()
	c, folder := load(t), recordedFolder(t)
	recorded := map[string]bool{}
	for _, r := range recordedAnswers {
		for _, k := range r.keys(t, folder) {
			recorded[r.object+" "+k] = true
		}
	}
	s := bitbuckettest.Sample()
	s.AllowToken("good", bitbuckettest.Access{Limit: -1})
	s.AddBranch("checkout-api", "feature/BB-1")
	s.AddRepository(bitbuckettest.Repository{Name: "fork", Parent: "checkout-api", Files: map[string]string{"a/b": "c"}})
	for _, o := range []bitbuckettest.Options{{}, {Old: true}, {Owner: bitbuckettest.FormerUser(), SizedSource: true, BodyLinks: "https://bitbucket.org/!api/2.0"}} {
		s.Configure(o)
		w := walk(t, bitbucketBase, s.RoundTripper(), openapicheck.Bitbucket("/2.0"))
		w.authorization = "Bearer good"
		for object, targets := range emulatorAnswers(s) {
			for _, target := range targets {
				for _, k := range undocumented(t, c, target, w.get(target, 200)) {
					as := strings.Replace(k, "reviewers.", "author.", 1) // an account too
					if !recorded[object+" "+k] && !recorded[object+" "+as] {
						t.Errorf("%s: %s is in no document and in no recorded answer", target, k)
					}
				}
			}
		}
	}
}

// emulatorAnswers are requests by what they give.
func emulatorAnswers(s *bitbuckettest.Server) map[string][]string {
	const repository = "/repositories/acme/checkout-api"
	const states = "state=OPEN&state=MERGED&state=DECLINED"
	head := s.Head("checkout-api")
	return map[string][]string{
		"workspace":    {"/workspaces/acme"},
		"project":      {"/workspaces/acme/projects", "/workspaces/acme/projects/PAY"},
		"repository":   {"/repositories/acme?pagelen=100&fields=%2Bvalues.mainbranch.target", "/repositories/acme/fork", "/repositories/acme/sandbox"},
		"pull request": {repository + "/pullrequests?" + states + "&fields=%2Bvalues.reviewers,%2Bvalues.participants,%2Bvalues.closed_on", repository + "/pullrequests/1"},
		"branch":       {repository + "/refs/branches", repository + "/refs/branches/feature%2FBB-1"},
		"source":       {repository + "/src/" + head + "/?max_depth=3", repository + "/src/" + head + "/README.md?format=meta", repository + "/src/" + head + "/service/?format=meta"},
	}
}

func undocumented(t *testing.T, c *openapicheck.Checker, target string, body map[string]any) []string {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := c.Undocumented(exchange(t, "GET "+target, "", 200, string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// recordedFolder names the recorded answers of Bitbucket Cloud. It skips the test when the environment names none.
func recordedFolder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv(recordedVariable)
	if folder == "" {
		t.Skipf("%s is not set: it names the folder of recorded answers", recordedVariable)
	}
	return folder
}

func (r recordedAnswer) body(t *testing.T, folder string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, r.file))
	if err != nil {
		t.Fatal(err)
	}
	if r.element {
		text = fmt.Appendf(nil, `{"values":[%s]}`, text)
	}
	return text
}

// keys are the places of all keys, as Undocumented names them.
func (r recordedAnswer) keys(t *testing.T, folder string) []string {
	t.Helper()
	var v any
	if err := json.Unmarshal(r.body(t, folder), &v); err != nil {
		t.Fatal(err)
	}
	var keys []string
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(at, e)
			}
		case map[string]any:
			for k, e := range v {
				if at == "" && k == "values" {
					walk("", e)
					continue
				}
				keys = append(keys, at+k)
				walk(at+k+".", e)
			}
		}
	}
	walk(r.at, v)
	return keys
}

// Each file of the folder is one of the recorded answers that the tests read.
func TestRecordedIsWhole(t *testing.T) {
	t.Parallel()
	folder := recordedFolder(t)
	var files []string
	for _, pattern := range []string{"*.json", "*/*.json"} {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		name, err := filepath.Rel(folder, file)
		if err != nil {
			t.Fatal(err)
		}
		known := func(r recordedAnswer) bool { return r.file == filepath.ToSlash(name) }
		if !slices.ContainsFunc(recordedAnswers, known) && name != filepath.FromSlash(recordedErrors) && name != filepath.FromSlash(recordedHeaders) {
			t.Errorf("%s: no test reads it", name)
		}
	}
	if len(files) < len(recordedAnswers) {
		t.Errorf("got %d files, want %d or more", len(files), len(recordedAnswers))
	}
}

const (
	recordedErrors  = "second-lot/errors.json"
	recordedHeaders = "second-lot/headers.json"
)

// recordedRefusal is an element of recordedErrors.
type recordedRefusal struct {
	Status  int
	Headers map[string]string
	Body    json.RawMessage
	Request string
}

// target is the request as a route of the document, or "" for one that has none.
func (r recordedRefusal) target() string {
	target, ok := strings.CutPrefix(r.Request, "GET /2.0")
	if !ok {
		return ""
	}
	target = strings.ReplaceAll(target, "{hash}", strings.Repeat("a1", 20))
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	return u.String()
}
