package transform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/itchyny/gojq"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/jq"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/nearest"
)

const includedFiles = "__includedFiles"

// otherNames are fields as other products, and a documented example, name them.
var otherNames = map[string]string{
	"main_branch": ".mainbranch.name", "default_branch": ".mainbranch.name", "defaultbranch": ".mainbranch.name", "branch": ".mainbranch.name",
	"url": ".links.html.href", "html_url": ".links.html.href", "web_url": ".links.html.href", "link": ".links.html.href", "href": ".links.html.href",
	"private": ".is_private", "visibility": ".is_private", "created_at": ".created_on", "createdat": ".created_on", "updated_at": ".updated_on",
	"updatedat": ".updated_on", "merged_at": ".updated_on", "number": ".id", "iid": ".id", "status": ".state", "body": ".description",
	"assignees": ".reviewers", "source_branch": ".source.branch.name", "target_branch": ".destination.branch.name",
	"head": ".source", "base": ".destination", "repository": ".destination.repository", "path": ".file.path", "filename": ".file.name",
}

// checkFields tells of fields that the objects of the kind do not have.
func (c *compiler) checkFields(x *expression) {
	object := shapes[c.resource.Kind]
	if x.tree == nil || object == nil {
		return
	}
	c.checkReviewers(x)
	told := map[string]bool{}
	// Who writes a default, or whose expression is no jq, may mean something else.
	sure := x.code != nil && !strings.Contains(x.source, "//") && !strings.Contains(x.source, "?") && !strings.Contains(x.source, "try ")
	for _, path := range rootPaths(x.tree) {
		key := path[0].key
		at, of := object.unknownStep(path)
		switch {
		case key == c.resource.ItemsToParseName && c.resource.ItemsToParse != nil:
		case key == includedFiles && at < 0:
			c.checkIncluded(x, path)
		case at < 0 || told[written(path[:at+1])]:
		case key == c.resource.ItemsToParseName:
			c.checkItem(x, path)
		case at == 0:
			fix, known := c.fieldFix(x, key, object.names)
			if known || sure {
				c.add(x.Problem(mapping.RuleField, diag.Warning, pathAt(x.source, path[:1]),
					fmt.Sprintf("the objects of the kind %s have no field %q: it is null", c.resource.Kind, key), fix))
			}
		default:
			message, fix := object.stepProblem(path, at, of)
			c.add(x.Problem(mapping.RuleField, diag.Warning, pathAt(x.source, path[:at+1]), message, fix))
		}
		if at >= 0 {
			told[written(path[:at+1])] = true
		}
	}
}

// checkItem tells once of items that are not made.
func (c *compiler) checkItem(x *expression, path []step) {
	if c.itemless {
		return
	}
	c.itemless = true
	c.add(x.Problem(mapping.RuleField, diag.Warning, pathAt(x.source, path[:1]), written(path[:1])+" is there only where the resource has itemsToParse: it is null",
		`write itemsToParse: below "port:", beside entity, with the expression that gives the items`))
}

// stepProblem tells of a step within an object that leads nowhere.
func (s *shape) stepProblem(path []step, at int, of *shape) (message, fix string) {
	before, bad := written(path[:at]), path[at]
	switch {
	case of.form == listForm:
		return fmt.Sprintf("%s is a list, and has no field %q", before, bad.key),
			fmt.Sprintf("for each of its members write [%s[]%s]", before, written(path[at:]))
	case of.form == objectForm && bad.member:
		right := slices.Delete(slices.Clone(path), at, at+1)
		if end, of := s.unknownStep(right); end >= 0 && of.form != objectForm {
			right = right[:end]
		}
		return before + " is an object, and no list", "write " + written(right)
	case of.form == objectForm && before == ".destination.repository" && bad.key == "slug":
		return before + ` has no field "slug": it is null`, `write (.destination.repository.full_name | split("/")[1])`
	case of.form == objectForm:
		fix = "its fields are " + strings.Join(of.names, ", ")
		if near, ok := nearest.Name(bad.key, of.names); ok {
			fix = "did you mean " + before + "." + near + "? " + fix
		}
		return fmt.Sprintf("%s has no field %q: it is null", before, bad.key), fix
	case bad.member:
		return before + " is no list", "write " + before
	}
	what := map[form]string{textForm: "a text", numberForm: "a number", flagForm: "true or false"}[of.form]
	return fmt.Sprintf("%s is %s, and has no field %q", before, what, bad.key), "write " + before
}

// checkIncluded tells of a file that the selector does not name.
func (c *compiler) checkIncluded(x *expression, path []step) {
	if len(path) < 2 || path[1].member {
		return
	}
	at := pathAt(x.source, path[:1])
	if len(path) > 2 && !path[2].member {
		name := path[1].key + "." + path[2].key
		c.add(x.Problem(mapping.RuleField, diag.Warning, at, fmt.Sprintf("this reads the field %q of the text of the file %q", path[2].key, path[1].key),
			fmt.Sprintf("write .%s[%q]", includedFiles, name)))
		return
	}
	named := c.resource.Selector.Texts("includedFiles")
	if name := path[1].key; !slices.Contains(named, name) {
		fix := fmt.Sprintf(`write - %s below "includedFiles:" in the selector`, name)
		if near, ok := nearest.Name(name, named); ok {
			fix = fmt.Sprintf("did you mean .%s[%q]? else %s", includedFiles, near, fix)
		}
		c.add(x.Problem(mapping.RuleField, diag.Warning, at, fmt.Sprintf("the selector does not read the file %q: it is null", name), fix))
	}
}

// pathAt gives the offset of the last key of a path, as far as it can be told.
func pathAt(source string, path []step) int {
	at, next := 0, 0
	for _, t := range tokens(source) {
		if next < len(path) && path[next].member {
			next++
		}
		if t.kind == fieldToken && next < len(path) && t.value == "."+path[next].key {
			at = t.start
			next++
		} else if t.kind == fieldToken && next < len(path) {
			next = 0
		}
	}
	return at
}

// fieldNames are the fields of the objects that expressions see; nil when the kind is
// not known.
func (c *compiler) fieldNames() []string {
	object := shapes[c.resource.Kind]
	if object == nil {
		return nil
	}
	if c.resource.ItemsToParse != nil {
		return append(slices.Clone(object.names), c.resource.ItemsToParseName)
	}
	return object.names
}

// checkReviewers tells where the documented default mapping reads more than Bitbucket
// has. It works, since each reviewer carries itself as its user.
func (c *compiler) checkReviewers(x *expression) {
	const path = ".reviewers[].user"
	if at := strings.Index(x.source, path); at >= 0 && c.resource.Kind == "pull-request" {
		c.add(x.Problem(mapping.RuleField, diag.Notice, at, "a reviewer of Bitbucket is the account itself; its field user is a copy that is made here",
			"write .reviewers[] for "+path))
	}
}

// fieldFix says what was meant, or, where that is not known, what there is.
func (c *compiler) fieldFix(x *expression, key string, names []string) (fix string, known bool) {
	if x.Name == "blueprint" && strings.TrimSpace(x.source) == "."+key {
		return "write blueprint: " + mapping.InSingleQuotes(`"`+key+`"`), true
	}
	if path := otherNames[key]; path != "" && slices.Contains(names, leadingPath(path)[0]) {
		return "write " + path, true
	}
	if near, ok := nearest.Name(key, names); ok {
		return "did you mean ." + near + "?", true
	}
	fix = "the fields are " + strings.Join(names, ", ")
	if c.resource.ItemsToParse != nil && x.Name != "itemsToParse" {
		fix = fmt.Sprintf("did you mean .%[1]s.%[2]s? Beside .%[1]s %[3]s", c.resource.ItemsToParseName, key, fix)
	}
	return fix, false
}

// sameInput are the functions whose arguments see what the function sees.
var sameInput = []string{
	"select", "first", "last", "limit", "isempty", "error", "add", "path", "del", "has", "contains", "inside", "startswith", "endswith", "ltrimstr",
	"rtrimstr", "join", "split", "test", "match", "capture", "scan", "splits", "range", "debug", "tojson", "getpath", "index", "rindex", "indices",
}

// rootPaths are the paths that an expression reads of the object itself, as far as
// that can be told, in their order.
func rootPaths(q *gojq.Query) [][]step {
	r := rooted{own: jq.Defined(q)}
	r.query(q)
	return r.paths
}

type rooted struct {
	own   map[string]bool // see typer
	paths [][]step
}

// query looks at a query that sees the object.
func (r *rooted) query(q *gojq.Query) {
	if q == nil {
		return
	}
	if q.Term != nil {
		r.term(q.Term)
		return
	}
	r.query(q.Left)
	if q.Op != gojq.OpPipe || len(q.Patterns) > 0 || identical(q.Left) {
		r.query(q.Right)
	}
}

// identical reports whether a query gives what it sees.
func identical(q *gojq.Query) bool {
	t := jq.OnlyTerm(q)
	return t != nil && t.Type == gojq.TermTypeIdentity && len(t.SuffixList) == 0
}

func (r *rooted) term(t *gojq.Term) {
	for _, suffix := range t.SuffixList {
		r.index(suffix.Index)
	}
	switch t.Type {
	case gojq.TermTypeIdentity:
		if len(t.SuffixList) > 0 {
			r.path(t.SuffixList[0].Index, t.SuffixList[1:])
		}
	case gojq.TermTypeIndex:
		r.path(t.Index, t.SuffixList)
		r.index(t.Index)
	case gojq.TermTypeQuery:
		r.query(t.Query)
	case gojq.TermTypeArray:
		r.query(t.Array.Query)
	case gojq.TermTypeUnary:
		r.term(t.Unary.Term)
	case gojq.TermTypeString:
		r.text(t.Str)
	case gojq.TermTypeFormat:
		r.text(t.Str)
	case gojq.TermTypeObject:
		for _, kv := range t.Object.KeyVals {
			r.query(kv.KeyQuery)
			r.query(kv.Val)
			if kv.Val == nil && kv.Key != "" && kv.Key[0] != '$' {
				r.paths = append(r.paths, []step{{key: kv.Key}})
			}
		}
	case gojq.TermTypeIf:
		r.query(t.If.Cond)
		r.query(t.If.Then)
		for _, elif := range t.If.Elif {
			r.query(elif.Cond)
			r.query(elif.Then)
		}
		r.query(t.If.Else)
	case gojq.TermTypeTry:
		r.query(t.Try.Body)
	case gojq.TermTypeReduce:
		r.query(t.Reduce.Query)
	case gojq.TermTypeForeach:
		r.query(t.Foreach.Query)
	case gojq.TermTypeFunc:
		if slices.Contains(sameInput, t.Func.Name) && !r.own[t.Func.Name] {
			for _, arg := range t.Func.Args {
				r.query(arg)
			}
		}
		if (t.Func.Name == "any" || t.Func.Name == "all") && len(t.Func.Args) == 2 {
			r.query(t.Func.Args[0])
		}
	}
}

func (r *rooted) text(s *gojq.String) {
	if s != nil {
		for _, q := range s.Queries {
			r.query(q)
		}
	}
}

// path adds a path that begins with a key. It ends before what is not known.
func (r *rooted) path(first *gojq.Index, suffixes []*gojq.Suffix) {
	key, ok := jq.Key(first)
	if !ok {
		return
	}
	path := []step{{key: key}}
steps:
	for _, suffix := range suffixes {
		key, isKey := jq.Key(suffix.Index)
		switch {
		case suffix.Optional: // an error is expected
			r.paths = append(r.paths, path[:1])
			return
		case suffix.Iter, suffix.Index != nil && !suffix.Index.IsSlice && numbered(suffix.Index):
			path = append(path, step{member: true})
		case isKey:
			path = append(path, step{key: key})
		default:
			break steps
		}
	}
	r.paths = append(r.paths, path)
}

// numbered reports whether an index is a number that is written out.
func numbered(i *gojq.Index) bool {
	t := i.Start
	return i.Name == "" && i.Str == nil && t != nil && t.Term != nil && (t.Term.Type == gojq.TermTypeNumber || t.Term.Type == gojq.TermTypeUnary)
}

// index looks at what is computed in brackets.
func (r *rooted) index(i *gojq.Index) {
	if i != nil {
		r.query(i.Start)
		r.query(i.End)
		r.text(i.Str)
	}
}
