package kind

import (
	"cmp"
	"context"
	"encoding/json"

	"port-bitbucket-exporter/internal/bitbucket"
)

// Source is what objects come from: a repository, or for the kind project the project
// itself. Completeness is known of each source, so that one that cannot be read holds
// back the deletion of its own entities alone. The zero Source is none.
type Source struct {
	Key  string // tells it from all others, also after it has been renamed
	Name string // for messages: a slug, or the key of a project
	JSON json.RawMessage
}

func sourceOf(r bitbucket.Repository) Source { return Source{Key: r.Key(), Name: r.Slug, JSON: r.JSON} }

// Second is a second reading of the list that a kind begins with.
type Second struct {
	// Appeared are the sources that the first reading did not have, in the order of the list.
	Appeared []Source
	listed   map[string]bool
}

// Lists reports whether the second reading has a source.
func (s Second) Lists(key string) bool { return s.listed[key] }

func secondOf(all []Source, known map[string]bool) Second {
	s := Second{listed: map[string]bool{}}
	for _, source := range all {
		s.listed[source.Key] = true
		if !known[source.Key] {
			s.Appeared = append(s.Appeared, source)
		}
	}
	return s
}

// Forget drops second readings: the next one is made anew.
func (w *Workspace) Forget() {
	clear(w.again)
	w.projectsRead = nil
}

// repositoriesAgain reads a list of repositories once more. Until Forget it is
// read once. What the first reading missed, since the list moved or the repository was
// away for a while, stands in it.
func (w *Workspace) repositoriesAgain(ctx context.Context, q bitbucket.RepositoryQuery) (Second, error) {
	if s, ok := w.again[q]; ok {
		return s, nil
	}
	var all []Source
	for r, err := range w.client.Repositories(ctx, q) {
		if err != nil {
			return Second{}, err
		}
		all = append(all, sourceOf(r))
	}
	known := map[string]bool{}
	if first := w.lists[q]; first != nil {
		for _, r := range first.repositories {
			known[r.Key()] = true
		}
	}
	s := secondOf(all, known)
	w.again[q] = s
	return s, nil
}

// projectsAgain is repositoriesAgain for the list of projects.
func (w *Workspace) projectsAgain(ctx context.Context) (Second, error) {
	if w.projectsRead != nil {
		return *w.projectsRead, nil
	}
	var all []Source
	for object, err := range w.client.Projects(ctx) {
		if err != nil {
			return Second{}, err
		}
		source := sourceOfProject(object)
		if source.JSON, err = json.Marshal(object); err != nil {
			return Second{}, err
		}
		all = append(all, source)
	}
	s := secondOf(all, w.projectKeys)
	w.projectsRead = &s
	return s, nil
}

// sourceOfProject names a project by its uuid, or its key. It has no JSON.
func sourceOfProject(object Object) Source {
	uuid, _ := object["uuid"].(string)
	key, _ := object["key"].(string)
	return Source{Key: cmp.Or(uuid, key), Name: key}
}

// place is where the objects of a kind have what tells which one they are.
type place struct {
	// put puts a source into an object, and gives the object.
	put func(object, source Object) Object
	// keys are those of an object under which its source stands, and what tells it from
	// the others of its source; nil for all.
	keys []string
}

// itself is the place of kinds whose objects are their sources.
var itself = place{put: func(_, source Object) Object { return source }}

// Place puts a source into an object of the kind that is otherwise made up, and gives
// the object: what an expression makes of it tells the source's objects from others.
func (b Bound) Place(object Object, s Source) (Object, error) {
	source, err := bitbucket.Decode(s.JSON)
	if err != nil {
		return nil, err
	}
	return b.place.put(object, source), nil
}

// Telling are the keys of an object under which stands what tells which one it is; nil
// for all of them.
func (b Bound) Telling() []string { return b.place.keys }
