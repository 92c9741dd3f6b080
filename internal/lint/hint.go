package lint

import (
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/nearest"
	"port-bitbucket-exporter/internal/shape"
)

// otherNames are fields as other products, and a documented example, name them: without
// signs and capitals, and where each is found from the object that it is looked for in. Of
// several the first that the object has counts.
var otherNames = map[string][]string{
	"mainbranch": {".mainbranch.name"}, "defaultbranch": {".mainbranch.name"}, "branch": {".mainbranch.name", ".destination.branch.name"}, "ref": {".branch.name", ".name"},
	"displayid": {".name", ".branch.name"},
	"url":       {".links.html.href", ".html.href"}, "htmlurl": {".links.html.href", ".html.href"}, "weburl": {".links.html.href", ".html.href"}, "link": {".links.html.href", ".html.href"}, "href": {".links.html.href", ".html.href"},
	"avatarurl": {".links.avatar.href", ".avatar.href"}, "avatar": {".links.avatar.href"},
	"private": {".is_private"}, "public": {".is_private"}, "visibility": {".is_private"},
	"createdat": {".created_on"}, "creationdate": {".created_on"}, "createddate": {".created_on"}, "created": {".created_on"},
	"updatedat": {".updated_on"}, "updateddate": {".updated_on"}, "updated": {".updated_on"}, "lastactivityat": {".updated_on"}, "pushedat": {".updated_on"},
	"mergedat": {".closed_on"}, "closedat": {".closed_on"}, "closeddate": {".closed_on"}, "mergedby": {".closed_by"},
	"number": {".id"}, "iid": {".id"}, "pullrequestid": {".id"}, "status": {".state"}, "body": {".description"}, "workinprogress": {".draft"}, "isdraft": {".draft"},
	"assignees": {".reviewers"}, "requestedreviewers": {".reviewers"},
	"user": {".author"}, "createdby": {".author"}, "creator": {".author"}, "authorname": {".author.display_name"},
	"login": {".username", ".nickname"}, "username": {".nickname"}, "name": {".display_name"}, "fullname": {".full_name", ".display_name"},
	"sourcebranch": {".source.branch.name"}, "sourcerefname": {".source.branch.name"}, "targetbranch": {".destination.branch.name"}, "targetrefname": {".destination.branch.name"},
	"head": {".source"}, "fromref": {".source"}, "base": {".destination"}, "target": {".destination"}, "toref": {".destination"},
	"sha": {".hash", ".commit.hash", ".source.commit.hash"}, "commitid": {".hash", ".commit.hash"}, "latestcommit": {".commit.hash"}, "mergecommitsha": {".merge_commit.hash"},
	"repository": {".repo", ".destination.repository"}, "repo": {".repository", ".destination.repository"}, "fork": {".parent"},
	"pathwithnamespace": {".full_name"}, "namespace": {".workspace"}, "organization": {".workspace", ".repo.workspace"}, "group": {".project", ".repo.project"},
	"path": {".file.path", ".folder.path", ".slug"}, "filename": {".file.name"}, "filepath": {".file.path"},
}

// cloned are the addresses for Git as other products name them, and the protocol of each.
var cloned = map[string]string{"cloneurl": "https", "httpurltorepo": "https", "remoteurl": "https", "sshurl": "ssh", "sshurltorepo": "ssh"}

// hint is what was most likely meant by a path that leads nowhere.
type hint struct {
	write string // jq
	// text is the whole fix, where the kind has one of its own for what was meant.
	text string
	// sure is true for a name of another product or another form of the same name; a near
	// spelling, and a field of that name further below, may be something else.
	sure bool
	// near is true for a near spelling.
	near bool
}

// fix returns the hint as a fix.
func (h hint) fix() string {
	switch {
	case h.text != "":
		return h.text
	case h.sure:
		return "write " + h.write
	}
	return "did you mean " + h.write + "?"
}

// meant returns what was meant by a path whose step at leads nowhere; false where nothing is
// known. Where further steps lead nowhere too they are translated as well, or left out.
func meant(k shape.Kind, path shape.Path, at int) (hint, bool) {
	right, of := slices.Clone(path[:at]), k.Object.At(path[:at])
	key, sure := path[at].Key, true
	if protocol := cloned[nearest.Fold(key)]; protocol != "" && of.Field("links").Field("clone") != nil {
		return hint{write: "first(" + right.String() + `.links.clone[] | select(.name == "` + protocol + `") | .href)`, sure: true}, true
	}
	if nearest.Fold(key) == "readme" && of.Field(includedFiles) != nil {
		return hint{write: right.String() + "." + includedFiles + `["README.md"]`, sure: true}, true
	}
	for i, step := range path[at:] {
		if of != nil && of.Form == shape.Object && !step.Member && !slices.Contains(of.Names, step.Key) && !of.More {
			meant, byName := instead(of, step.Key)
			if len(right) > 0 && meant == nil { // .project.projectKey
				meant, byName = instead(of, strings.TrimPrefix(nearest.Fold(step.Key), nearest.Fold(right[len(right)-1].Key)))
			}
			if meant == nil && i == 0 {
				return further(of, right, path[at:])
			}
			if meant == nil {
				text := k.Missing[append(right, step).String()]
				return hint{write: right.String(), text: text, sure: sure, near: !sure}, true
			}
			right, of, sure = append(right, meant...), of.At(meant), sure && byName
			continue
		}
		if end, _ := of.DeadEnd(shape.Path{step}); end >= 0 {
			break
		}
		right, of = append(right, step), of.At(shape.Path{step})
	}
	return hint{write: right.String(), sure: sure, near: !sure}, true
}

// instead returns where an object has what another name says, or one that is spelled nearly
// alike: then sure is false. The path is nil when that is not known.
func instead(of *shape.Shape, key string) (path shape.Path, sure bool) {
	if of == nil {
		return nil, false
	}
	for _, candidate := range otherNames[nearest.Fold(key)] {
		if path := pathOf(candidate); of.At(path) != nil {
			return path, true
		}
	}
	if nearest.Fold(key) != key { // .project_key, .sourceBranchName: a path with other signs between its steps
		for _, path := range below(of) {
			joined := ""
			for _, step := range path {
				joined += nearest.Fold(step.Key)
			}
			if joined == nearest.Fold(key) {
				return path, true
			}
		}
	}
	near, ok := nearest.Name(key, of.Names)
	if !ok {
		return nil, false
	}
	return shape.Path{{Key: near}}, nearest.Fold(near) == nearest.Fold(key)
}

// further finds a field of that name further below an object: of one that is part of another
// object in its own parts alone, as its further ones are of something else.
func further(of *shape.Shape, before, rest shape.Path) (hint, bool) {
	var found []string
	depth := 2
	if len(before) == 0 {
		depth = 4
	}
	for _, path := range below(of) {
		if path[len(path)-1].Key != rest[0].Key || len(path) > depth {
			continue
		}
		depth = len(path)
		if whole := append(slices.Clone(path), rest[1:]...); of.At(whole) != nil {
			path = whole
		}
		found = append(found, append(slices.Clone(before), path...).String())
	}
	return hint{write: strings.Join(found, " or ")}, len(found) > 0 && len(found) <= 3
}

// below returns the paths to what an object holds without lists, the shorter ones first.
func below(of *shape.Shape) []shape.Path {
	const deepest = 4
	var all []shape.Path
	for level := []shape.Path{{}}; len(level) > 0 && len(level[0]) < deepest; {
		var next []shape.Path
		for _, path := range level {
			at := of.At(path)
			if at == nil || at.Form != shape.Object {
				continue
			}
			for _, name := range at.Names {
				next = append(next, append(slices.Clone(path), shape.Step{Key: name}))
			}
		}
		all, level = append(all, next...), next
	}
	return all
}

// pathOf reads a path of plain keys.
func pathOf(text string) (path shape.Path) {
	for key := range strings.SplitSeq(strings.TrimPrefix(text, "."), ".") {
		path = append(path, shape.Step{Key: key})
	}
	return path
}
