package kind

import (
	"cmp"
	"context"
	"encoding/json"

	"port-bitbucket-exporter/internal/bitbucket"
)

// Source is what objects come from: a repository or, for the kind project, the project
// itself. Whether objects are complete is known of each source, so that one that cannot be
// read holds back the deletion of its own entities alone. The zero Source stands for none.
type Source struct {
	Key  string // unique, and unchanged by a rename
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

// Forget drops second readings: the next call reads the list again.
func (w *Workspace) Forget() {
	clear(w.secondLists)
	w.secondProjects = nil
}

// repositoriesAgain reads a list of repositories a second time; until Forget, further
// calls return the same reading. It holds what the first reading missed, since the list
// moved or a repository was away for a while.
func (w *Workspace) repositoriesAgain(ctx context.Context, q bitbucket.RepositoryQuery) (Second, error) {
	if s, ok := w.secondLists[q]; ok {
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
	w.secondLists[q] = s
	return s, nil
}

// projectsAgain does for the list of projects what repositoriesAgain does.
func (w *Workspace) projectsAgain(ctx context.Context) (Second, error) {
	if w.secondProjects != nil {
		return *w.secondProjects, nil
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
	w.secondProjects = &s
	return s, nil
}

// sourceOfProject identifies a project by its uuid, or else its key. It leaves JSON empty.
func sourceOfProject(object Object) Source {
	uuid, _ := object["uuid"].(string)
	key, _ := object["key"].(string)
	return Source{Key: cmp.Or(uuid, key), Name: key}
}

// place says where the objects of a kind hold their source.
type place struct {
	// put puts a source into an object, and returns the object.
	put func(object, source Object) Object
	// paths are those of an object that hold the source alone.
	paths [][]string
	// except are keys of an object that do not come with the source all the same.
	except []string
}

// itself is the place for kinds whose objects are their own sources.
var itself = place{put: func(_, source Object) Object { return source }, paths: [][]string{{}}, except: []string{includedFiles}}

// Place returns an object of the kind that holds a source and nothing else.
func (b Bound) Place(s Source) (Object, error) {
	source, err := bitbucket.Decode(s.JSON)
	if err != nil {
		return nil, err
	}
	return b.place.put(Object{}, source), nil
}

// SourcePaths are the paths of an object that hold its source alone, and keys of an object
// that do not belong to the source all the same.
func (b Bound) SourcePaths() (paths [][]string, except []string) {
	return b.place.paths, b.place.except
}
