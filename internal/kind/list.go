package kind

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/filter"
	"port-bitbucket-exporter/internal/spool"
)

// lists are the lists of repositories of one run. They are safe for concurrent use.
type lists struct {
	client  *bitbucket.Client
	moment  time.Time // see Workspace
	spool   *spool.Spool
	reading concurrent.Group

	mu    sync.Mutex // guards what follows
	all   map[bitbucket.RepositoryQuery]*list
	stops []func() // end the reading
}

// close ends all reading.
func (s *lists) close() {
	s.mu.Lock()
	stops := s.stops
	s.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
	s.reading.Wait()
}

// list is a list of repositories, as far as it has been read. It is safe for concurrent use.
type list struct {
	mu           sync.Mutex    // guards what follows
	grown        chan struct{} // closed, and made anew, when what follows changes
	repositories []*listed
	ended        bool
	err          error // why the list did not come to its end
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
func (s *lists) keep(r bitbucket.Repository, odd error) *listed {
	l := &listed{Repository: r, odd: odd, spool: s.spool}
	if odd == nil {
		l.text, l.JSON = s.spool.Put(r.JSON), nil
	}
	return l
}

// spoolFix is for what cannot be read from the spool.
const spoolFix = "run again, and let nothing else write to the folder of temporary files, which TMPDIR names"

// read returns the JSON of the repository.
func (l *listed) read() ([]byte, error) {
	text, err := l.spool.Read(l.text)
	if err != nil {
		return nil, &advised{fmt.Errorf("read what was listed of repository %q again: %w", l.Slug, err), spoolFix}
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

// repositories yields a list of repositories, as it comes in. It is read once a run, from when
// it is first ranged over, to its end, or that of the context it began with: a context ends
// with all that the workspace reads. After a *bitbucket.Odd others may follow.
func (w *Workspace) repositories(ctx context.Context, q bitbucket.RepositoryQuery) iter.Seq2[*listed, error] {
	return func(yield func(*listed, error) bool) {
		of := w.lists.of(ctx, q)
		for i := 0; ; i++ {
			l, err := of.at(ctx, i)
			switch {
			case l != nil:
				if !yield(l, l.odd) {
					return
				}
				continue
			case err != nil:
				yield(&listed{}, err)
			}
			return
		}
	}
}

// of returns a list. It begins to read one that has not been ranged over.
func (s *lists) of(ctx context.Context, q bitbucket.RepositoryQuery) *list {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.all[q]; l != nil {
		return l
	}
	l := &list{grown: make(chan struct{})}
	s.all[q] = l
	ctx, stop := context.WithCancel(ctx)
	s.stops = append(s.stops, stop)
	s.reading.Run(func() {
		err := errors.New("the list was not read to its end")
		defer func() { l.grow(nil, true, err) }()
		err = s.read(ctx, q, l)
	})
	return l
}

// ask asks Bitbucket for a list.
func (s *lists) ask(ctx context.Context, q bitbucket.RepositoryQuery) iter.Seq2[bitbucket.Repository, error] {
	q.Query = filter.At(q.Query, s.moment)
	return s.client.Repositories(ctx, q)
}

// read reads a list. One whose context has ended is read again when it is next ranged over.
func (s *lists) read(ctx context.Context, q bitbucket.RepositoryQuery, into *list) error {
	for r, err := range s.ask(ctx, q) {
		if err != nil && !isOdd(err) {
			if ctx.Err() != nil {
				s.mu.Lock()
				defer s.mu.Unlock()
				delete(s.all, q)
			}
			return err
		}
		into.grow(s.keep(r, err), false, nil)
	}
	return nil
}

// known returns a list that has come to its end, or to an error; nil when there is none.
func (s *lists) known(q bitbucket.RepositoryQuery) *list {
	s.mu.Lock()
	l := s.all[q]
	s.mu.Unlock()
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		return nil
	}
	return l
}

// grow adds a repository unless it is nil, or the end.
func (l *list) grow(r *listed, ended bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r != nil {
		l.repositories = append(l.repositories, r)
	}
	l.ended, l.err = ended, err
	close(l.grown)
	l.grown = make(chan struct{})
}

// at waits for a repository by its number; nil, and an error unless it is known, at the end.
func (l *list) at(ctx context.Context, i int) (*listed, error) {
	for {
		l.mu.Lock()
		grown, ended, err := l.grown, l.ended, l.err
		var r *listed
		if i < len(l.repositories) {
			r = l.repositories[i]
		}
		l.mu.Unlock()
		if r != nil || ended {
			return r, err
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Second is a second reading of the list that a kind begins with.
type Second struct {
	// Appeared are the sources that the first reading did not have, in the order of the list.
	Appeared []Source
	listed   map[string]bool
	noMain   map[string]bool // repositories that are listed with no main branch
	// appeared are, of a list of repositories, those from which a selector's Appeared are chosen.
	appeared []reappeared
}

// reappeared is a repository that is new at the second reading, or has changed since the first.
type reappeared struct {
	now    *listed
	before *bitbucket.Repository // nil where the first reading did not have it
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

// repositoriesAgain is again for a list of repositories. Appeared is left to the selector.
func (w *Workspace) repositoriesAgain(ctx context.Context, q bitbucket.RepositoryQuery) (Second, error) {
	if s, ok := w.seconds[q]; ok {
		return s, nil
	}
	known := map[string]*bitbucket.Repository{}
	if first := w.lists.known(q); first != nil {
		for _, l := range first.repositories {
			known[l.Key()] = &l.Repository
		}
	}
	s := Second{listed: map[string]bool{}, noMain: map[string]bool{}}
	for r, err := range w.lists.ask(ctx, q) {
		if err != nil {
			return Second{}, err
		}
		s.noMain[r.Key()] = r.NoMain
		s.listed[r.Key()] = true
		before := known[r.Key()]
		if before == nil || before.Slug != r.Slug || before.Project != r.Project || before.NoProject != r.NoProject || before.UpdatedOn != r.UpdatedOn {
			s.appeared = append(s.appeared, reappeared{w.lists.keep(r, nil), before})
		}
	}
	w.seconds[q] = s
	return s, nil
}
