package openapicheck

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:embed bitbucket.yaml
var bitbucketAdditions []byte

const (
	sourcePath = "/repositories/{workspace}/{repo_slug}/src/{commit}/{path}"
	branchPath = "/repositories/{workspace}/{repo_slug}/refs/branches/{name}"
)

func newBitbucket(text []byte) (*document, error) {
	doc, err := prepare(text, bitbucketAdditions)
	if err != nil {
		return nil, err
	}
	schemas := child(doc, "components", "schemas")
	for name, schema := range schemas {
		if strings.HasPrefix(name, "paginated_") {
			// The one key of a page, besides next, that callers can rely on.
			// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination, read 2026-11.
			schema.(object)["required"] = []any{"values"}
		}
	}
	child(doc, "components", "schemas", "error")["required"] = []any{"error"} // users: an error of 2016 has no type
	d, err := bitbucketDocument(doc)
	if err != nil {
		return nil, err
	}
	dropRequired(schemas)
	d.loose, err = bitbucketDocument(doc)
	return d, err
}

func bitbucketDocument(doc object) (*document, error) {
	t, err := load(doc)
	if err != nil {
		return nil, err
	}
	d := &document{name: "Bitbucket", schemas: t.Components.Schemas, options: schemaOptions(isLink), choose: chooseSource,
		texts: map[int]string{http.StatusUnauthorized: "text/html", http.StatusForbidden: "text/plain", http.StatusNotFound: "text/plain"}} // recorded
	d.addRoutes(t)
	for _, r := range d.routes {
		r.deep = r.path == sourcePath || r.path == branchPath
	}
	return d, nil
}

func dropRequired(node any) {
	switch node := node.(type) {
	case []any:
		for _, v := range node {
			dropRequired(v)
		}
	case object:
		if _, list := node["required"].([]any); list { // a property may have that name
			delete(node, "required")
		}
		for _, v := range node {
			dropRequired(v)
		}
	}
}

// sshAddress is how a clone link of that kind is written: it is not a URI, though the document says so.
// Seen in recorded answers: git@bitbucket.org:acme/test-repos.git.
var sshAddress = regexp.MustCompile(`^[a-z]+@[^/:@]+:[^/].*\.git$`)

// uuidAsUser is how a clone link began in 2017, for a user without a name: no URI has such a user. Seen in a
// recorded answer.
var uuidAsUser = regexp.MustCompile(`^https://\{[0-9a-f-]{36}\}@`)

func isLink(s string) error {
	if sshAddress.MatchString(s) {
		return nil
	}
	return isURI(uuidAsUser.ReplaceAllString(s, "https://"))
}

// chooseSource knows what the source route answers with: the bytes of a file; a page of a directory; and with
// format=meta one entry, which the document leaves out. Nothing but the page itself distinguishes it from a file
// of JSON: its entries lie below the path of the request.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/, read 2026-11.
func chooseSource(d *document, r *route, e Exchange) (*openapi3.Schema, bool) {
	if r.path != sourcePath || e.Status != http.StatusOK {
		return nil, false
	}
	if e.URL.Query().Get("format") == "meta" {
		v, err := decode(e.ResponseBody)
		if entry, ok := v.(object); err == nil && ok && entry["type"] == "commit_file" {
			return d.schemas["commit_file"].Value, true
		}
		return d.schemas["treeentry"].Value, true
	}
	return nil, !strings.HasSuffix(e.URL.Path, "/") && !isListing(e)
}

func isListing(e Exchange) bool {
	var page struct{ Values []struct{ Path string } }
	if !isJSON(e.ResponseHeader) || json.Unmarshal(e.ResponseBody, &page) != nil || len(page.Values) == 0 {
		return false
	}
	folder, _ := path.Split(page.Values[0].Path)
	return folder != "" && strings.HasSuffix(e.URL.Path, "/"+strings.TrimSuffix(folder, "/"))
}

// narrowed reports whether `fields` takes something away: a key without a sign, or with a minus.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#partial-response, read 2026-11.
func narrowed(fields string) bool {
	return fields != "" && slices.ContainsFunc(strings.Split(fields, ","), func(f string) bool {
		return !strings.HasPrefix(f, "+")
	})
}

// complete writes a type into the objects of an answer that `fields` brought in by some of their keys alone: they
// are partial, and the type, which is all that the document requires, was not asked for.
func (d *document) complete(v any, fields string) {
	if d.loose == nil || fields == "" {
		return
	}
	asked := object{}
	for f := range strings.SplitSeq(fields, ",") {
		child(asked, strings.Split(strings.TrimPrefix(f, "+"), ".")...)
	}
	fill(v, asked, true)
}

func fill(v any, asked object, root bool) {
	if len(asked) == 0 {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			fill(e, asked, false)
		}
	case object:
		partial := !root
		for k, e := range v {
			sub, ok := asked[k].(object)
			partial = partial && ok
			if ok {
				fill(e, sub, false)
			}
		}
		if partial {
			v["type"] = "not asked for"
		}
	}
}
