package kind

import (
	"context"
	"fmt"
	"iter"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/spool"
)

// list is a list of repositories that was read to its end, or to its error.
type list struct {
	repositories []*listed
	err          error
}

// listed is a repository of a list, or why it cannot be used: a *bitbucket.Odd. There may be
// very many: the JSON of each, of some kilobytes, is in the spool, and JSON is empty.
type listed struct {
	bitbucket.Repository
	odd   error
	text  spool.Blob
	spool *spool.Spool
}

// keep puts the JSON of a repository into the spool.
func (w *Workspace) keep(r bitbucket.Repository, odd error) *listed {
	l := &listed{Repository: r, odd: odd, spool: w.spool}
	if odd == nil {
		l.text, l.JSON = w.spool.Put(r.JSON), nil
	}
	return l
}

// read returns the JSON of the repository.
func (l *listed) read() ([]byte, error) {
	text, err := l.spool.Read(l.text)
	if err != nil {
		return nil, &advised{fmt.Errorf("read what was listed of repository %q again: %w", l.Slug, err),
			"run again, and let nothing else write to the folder of temporary files, which TMPDIR names"}
	}
	return text, nil
}

// whole returns the repository with its JSON.
func (l *listed) whole() (bitbucket.Repository, error) {
	r := l.Repository
	var err error
	r.JSON, err = l.read()
	return r, err
}

// object returns the repository as Bitbucket lists it.
func (l *listed) object() (Object, error) {
	text, err := l.read()
	if err != nil {
		return nil, err
	}
	return bitbucket.Decode(text)
}

// source is the repository as what objects come from.
func (l *listed) source() Source { return Source{Key: l.Key(), Name: l.Slug, Read: l.read} }

// repositories yields a list of repositories. It is read once a run, while it is
// first ranged over. After a *bitbucket.Odd others may follow.
func (w *Workspace) repositories(ctx context.Context, q bitbucket.RepositoryQuery) iter.Seq2[*listed, error] {
	return func(yield func(*listed, error) bool) {
		if known, ok := w.lists[q]; ok {
			for _, l := range known.repositories {
				if !yield(l, l.odd) {
					return
				}
			}
			if known.err != nil {
				yield(&listed{}, known.err)
			}
			return
		}
		read := &list{}
		for r, err := range w.client.Repositories(ctx, q) {
			if err != nil && !isOdd(err) {
				if ctx.Err() == nil {
					read.err = err
					w.lists[q] = read
				}
				yield(&listed{}, err)
				return
			}
			l := w.keep(r, err)
			read.repositories = append(read.repositories, l)
			if !yield(l, err) {
				return
			}
		}
		w.lists[q] = read
	}
}

// Second is a second reading of the list that a kind begins with.
type Second struct {
	// Appeared are the sources that the first reading did not have, in the order of the list.
	Appeared []Source
	listed   map[string]bool
}

// Lists reports whether the second reading has a source.
func (s Second) Lists(key string) bool { return s.listed[key] }

// Forget drops second readings: the next call reads the list again.
func (w *Workspace) Forget() {
	clear(w.seconds)
}

// again reads a list that a kind begins with a second time; until Forget, further calls
// return the same reading. It holds what the first reading, by the keys of its sources,
// missed, since the list moved or a source was away for a while.
func (w *Workspace) again(list any, first map[string]bool, read iter.Seq2[Source, error]) (Second, error) {
	if s, ok := w.seconds[list]; ok {
		return s, nil
	}
	s := Second{listed: map[string]bool{}}
	for source, err := range read {
		if err != nil {
			return Second{}, err
		}
		s.listed[source.Key] = true
		if !first[source.Key] {
			s.Appeared = append(s.Appeared, source)
		}
	}
	w.seconds[list] = s
	return s, nil
}

// repositoriesAgain is again for a list of repositories.
func (w *Workspace) repositoriesAgain(ctx context.Context, q bitbucket.RepositoryQuery) (Second, error) {
	known := map[string]bool{}
	if first := w.lists[q]; first != nil {
		for _, l := range first.repositories {
			known[l.Key()] = true
		}
	}
	return w.again(q, known, func(yield func(Source, error) bool) {
		for r, err := range w.client.Repositories(ctx, q) {
			if err != nil {
				yield(Source{}, err)
				return
			}
			l := &listed{Repository: r}
			if !known[r.Key()] {
				l = w.keep(r, nil)
			}
			if !yield(l.source(), nil) {
				return
			}
		}
	})
}
