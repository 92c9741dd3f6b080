package transform

import (
	"slices"
	"strings"
)

// form is what a value of Bitbucket is when it is not null.
type form int

const (
	unknownForm form = iota // nothing is said of it
	textForm
	numberForm
	flagForm
	objectForm
	listForm
)

// shape is what is known of a value.
type shape struct {
	form   form
	names  []string // of an object's fields, in the order of the documentation
	fields map[string]*shape
	more   bool   // an object may have further fields
	of     *shape // the members of a list
}

func (s *shape) child(key string) *shape {
	if s == nil {
		return nil
	}
	return s.fields[key]
}

// What the parts of objects hold: a name alone is a text, "name?" true or false,
// "name#" a number, "name*" anything, "name{…}" an object, "name[…]" a list of
// objects; "+" says that an object may hold more.
const (
	linked = `links{+ self{href} html{href} avatar{href}}`

	ofRepository = `type uuid full_name name slug description scm website owner* workspace{+ type uuid name slug} is_private? project{type uuid key name description is_private? owner* workspace* created_on updated_on ` +
		linked + `} fork_policy created_on updated_on size# language mainbranch{+ type name} override_settings* parent* enforced_signed_commits* has_issues? has_wiki? ` +
		linked + ` __includedFiles{+}`

	ofCommit = `commit{+ type hash repository{type full_name name uuid ` + linked + ` mainbranch{name}}}`

	ofEnd = `{branch{+ name} commit{+ type hash} repository{type full_name name uuid ` + linked + `}}`
)

// shapes are the objects of each kind.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/ (project, repository,
// pullrequest), and answers of the API, read 2026-11.
var shapes = map[string]*shape{
	"project": shapeOf(`type uuid key name description is_private? owner* workspace* ` + linked + ` created_on updated_on has_publicly_visible_repos?`),

	"repository": shapeOf(ofRepository),

	"pull-request": shapeOf(`type id# title description state draft? queued? author* source` + ofEnd + ` destination` + ofEnd +
		` merge_commit{+ type hash} close_source_branch? closed_by* reason comment_count# task_count# created_on updated_on summary{+ type raw markup html} rendered* ` +
		`reviewers[+ type uuid display_name nickname account_id user*] participants[+ type user* role approved? state participated_on] ` + linked),

	"folder": shapeOf(`folder{+ type path name commit{+ type hash}} repo{` + ofRepository + `} pattern branch __includedFiles{+}`),
	"file":   shapeOf(`file{path name content* size#} content* metadata{+ type path ` + ofCommit + ` size#} repo{` + ofRepository + `} branch __includedFiles{+}`),
}

// shapeOf reads the notation of shapes.
func shapeOf(notation string) *shape {
	s, _ := readShape(notation)
	return s
}

// readShape reads fields up to a closing bracket, and gives what stands behind it.
func readShape(text string) (s *shape, rest string) {
	s = &shape{form: objectForm, fields: map[string]*shape{}}
	for {
		text = strings.TrimLeft(text, " ")
		if text == "" {
			return s, ""
		}
		switch text[0] {
		case '}', ']':
			return s, text[1:]
		case '+':
			s.more, text = true, text[1:]
			continue
		}
		name := text[:len(text)-len(strings.TrimLeft(text, nameBytes))]
		text = text[len(name):]
		field := &shape{form: textForm}
		if text != "" {
			switch text[0] {
			case '?':
				field.form, text = flagForm, text[1:]
			case '#':
				field.form, text = numberForm, text[1:]
			case '*':
				field.form, text = unknownForm, text[1:]
			case '{':
				field, text = readShape(text[1:])
			case '[':
				field = &shape{form: listForm}
				field.of, text = readShape(text[1:])
			}
		}
		s.fields[name] = field
		s.names = append(s.names, name)
	}
}

// step is one step of a path.
type step struct {
	key    string // .key
	member bool   // [] or [0]
}

// at gives what stands at a path; nil when that is not known.
func (s *shape) at(path []step) *shape {
	for _, one := range path {
		switch {
		case s == nil:
			return nil
		case one.member:
			s = s.of
		default:
			s = s.child(one.key)
		}
	}
	return s
}

// written is a path as jq has it.
func written(path []step) string {
	var b strings.Builder
	for _, one := range path {
		switch {
		case one.member:
			b.WriteString("[]")
		case strings.Trim(one.key, nameBytes) == "" && one.key != "":
			b.WriteString("." + one.key)
		default:
			b.WriteString(`["` + one.key + `"]`)
		}
	}
	return b.String()
}

// unknownStep is the first step of a path that leads nowhere, and what it is taken from;
// -1 when there is none.
func (s *shape) unknownStep(path []step) (int, *shape) {
	for i, one := range path {
		switch {
		case s == nil || s.form == unknownForm:
			return -1, nil
		case s.form == objectForm && !one.member:
			if s.more && !slices.Contains(s.names, one.key) {
				return -1, nil
			}
			if !slices.Contains(s.names, one.key) {
				return i, s
			}
			s = s.child(one.key)
		case s.form == listForm && one.member:
			s = s.of
		default:
			return i, s
		}
	}
	return -1, nil
}
