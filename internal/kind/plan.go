package kind

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/budget"
	"port-bitbucket-exporter/internal/state"
)

// Planned is what a run does within its bound on requests.
type Planned struct {
	// Candidates are the lists that age, and the contents of commits that are not known.
	// Granted are those of them that are asked for, and Requests what these cost at least.
	Candidates, Granted, Requests int
	// Remembered are the lists that come from memory, and Unasked those that are not known
	// and cannot be asked for, and such contents.
	Remembered, Unasked int
}

// plan is what the requests of a run are spent on.
type plan struct {
	candidates []budget.Candidate
	index      map[string]int // of a candidate, by its key
	usable     map[string]bool
	contents   map[string]string // keys of the candidates for contents, by those of their repositories
	granted    map[string]bool
}

// Plan decides what the requests are spent on that the client has left, before any of it is
// asked for. It reads the lists that resources begin with, which are read once a run. An error
// of such a list is that of its resource, and comes again when it is extracted. Without a bound
// on requests nothing is planned. The error is that of the context.
func (w *Workspace) Plan(ctx context.Context, bounds []Bound) (Planned, error) {
	if _, bounded := w.client.Left(); !bounded {
		w.readings.expectAll()
		return Planned{}, nil
	}
	w.options.KeepLists = true
	p := &plan{index: map[string]int{}, usable: map[string]bool{}, contents: map[string]string{}, granted: map[string]bool{}}
	before := w.client.Requests()
	remembered, err := p.gather(ctx, w, bounds)
	if err != nil {
		return Planned{}, err
	}
	n, _ := w.client.Left()
	p.grant(n, w.client.Requests()-before, w.options.MaxAge)
	w.keepTurns(p)
	w.plan = p
	w.readings.expect(func(yield func(id string) bool) {
		for id := range p.usable {
			if p.granted[id] && !yield(id) {
				return
			}
		}
	})
	planned := p.planned()
	planned.Remembered += remembered
	return planned, nil
}

// gather adds the lists and contents that resources ask for. It returns how many lists come from
// memory whatever is planned. The error is that of the context.
func (p *plan) gather(ctx context.Context, w *Workspace, bounds []Bound) (remembered int, err error) {
	for _, b := range bounds {
		for task, err := range b.Extract(ctx, w) {
			if ctx.Err() != nil {
				return 0, context.Cause(ctx)
			}
			if err != nil {
				break
			}
			if task.aged != nil && p.addList(w, *task.aged) {
				remembered++
			}
			if task.reads != nil {
				p.addContents(w, *task.reads, b.Cost.Sources)
			}
		}
	}
	return remembered, nil
}

// grant grants candidates out of n requests. It reserves as many as the lists of repositories took:
// these are read once more before anything is deleted.
func (p *plan) grant(n, lists int, maxAge time.Duration) {
	unread := 0
	for _, c := range p.candidates {
		if c.Read.IsZero() {
			unread += c.Cost
		}
	}
	if max(unread, 1) > n-lists {
		lists = 0 // each run asks for something, and first of all for what was never read
	}
	for _, key := range budget.Grant(p.candidates, n-lists, time.Now(), maxAge) {
		p.granted[key] = true
	}
}

// planned counts what became of the candidates.
func (p *plan) planned() Planned {
	planned := Planned{Candidates: len(p.candidates)}
	for _, c := range p.candidates {
		switch {
		case p.granted[c.Key]:
			planned.Granted++
			planned.Requests += c.Cost
		case p.usable[c.Key]:
			planned.Remembered++
		default:
			planned.Unasked++
		}
	}
	return planned
}

// add adds a candidate. What several resources want is one.
func (p *plan) add(c budget.Candidate, again int) {
	if i, ok := p.index[c.Key]; ok {
		p.candidates[i].Cost += again
		return
	}
	p.index[c.Key] = len(p.candidates)
	p.candidates = append(p.candidates, c)
}

// addList adds a list. It reports whether the list comes from memory whatever is planned.
func (p *plan) addList(w *Workspace, a agedList) (remembered bool) {
	from, known := w.origin(a)
	if from == cutOff || from == unmoved {
		return from == cutOff
	}
	if w.barred(known) || known.mayBegun {
		known = record{}
	}
	c := budget.Candidate{Key: a.id(), Cost: max(1, known.Requests), Changed: known.Changed, Read: known.ReadAt}
	c.Moved = !c.Read.IsZero() && known.moved(a.repository)
	if last := turnOf(w.options.State, failedKey(a)); last.At.After(c.Read) {
		c.Cost, c.Read = max(c.Cost, last.Requests), last.At
	}
	again := 0
	if w.options.State == nil { // each resource asks for itself
		again = c.Cost
	}
	p.usable[c.Key] = w.usable(known)
	p.add(c, again)
	return false
}

// turn is when something was last asked for within a bound, of which no record says so: the
// contents of a repository, or a list that was not read to its end. Where not all can be asked
// for, each has its turn.
type turn struct {
	At time.Time `json:"at"`
	// Requests are what it costs at least, as far as is known.
	Requests int `json:"requests,omitzero"`
}

func turnKey(repository string) []string { return []string{repository, "contents"} }

// failedKey is the key of the turn of a list.
func failedKey(a agedList) []string { return append(a.key(), "failed") }

// turnOf returns the last turn; zero for none, and for one in the future.
func turnOf(s *state.Store, key []string) (last turn) {
	text, ok := s.Get(state.List, key...)
	if !ok || json.Unmarshal(text, &last) != nil || time.Until(last.At) > maxAhead {
		return turn{}
	}
	return last
}

func (w *Workspace) keepTurn(requests int, key []string) {
	if text, err := json.Marshal(turn{time.Now().UTC(), requests}); err == nil {
		w.options.State.Put(text, state.List, key...)
	}
}

// addContents adds the contents of a branch, unless they cost no request.
func (p *plan) addContents(w *Workspace, of chosen, cost int) {
	r := of.repository
	switch {
	case cost == 0 || w.client.Git() != nil || of.branch == "" && (r.MainBranch == "" || w.memory.Knows(r.Repository)):
		return
	case of.branch != "" || r.Hash == "":
		cost++ // for the head of the branch
	}
	c := budget.Candidate{Key: strings.Join(turnKey(r.Key()), "\x00"), Cost: cost, Moved: true}
	c.Read = turnOf(w.options.State, turnKey(r.Key())).At
	p.contents[r.Key()] = c.Key
	p.add(c, cost)
}

// keepTurns notes whose contents are asked for now.
func (w *Workspace) keepTurns(p *plan) {
	for repository, candidate := range p.contents {
		if p.granted[candidate] {
			w.keepTurn(0, turnKey(repository))
		}
	}
}

// mayRead reports whether requests may be spent on the contents of a repository. What was not
// planned may cost some: it is bounded by the client alone.
func (w *Workspace) mayRead(repository string) bool {
	if w.plan == nil {
		return true
	}
	candidate, planned := w.plan.contents[repository]
	return !planned || w.plan.granted[candidate]
}

// Known returns how many requests memory saves, of those that Bound.Cost foresees: as
// repository data, and for folders and files. It makes none: the resources of a list that has
// not been read yet count nothing.
func (w *Workspace) Known(ctx context.Context, bounds []Bound) (requests, sources int) {
	seen := map[string]bool{}
	for _, b := range bounds {
		if q, ok := b.list.(bitbucket.RepositoryQuery); !ok || w.lists.known(q) == nil || w.options.State == nil {
			continue
		}
		for task, err := range b.Extract(ctx, w) {
			if err != nil {
				break
			}
			if a := task.aged; a != nil {
				if from, _ := w.origin(*a); from == cutOff || from == unmoved || seen[a.id()] {
					requests += b.Cost.Repositories
				}
				seen[a.id()] = true
			}
			if c := task.reads; c != nil && c.branch == "" && w.client.Git() == nil && w.memory.Knows(c.repository.Repository) {
				sources += b.Cost.Sources
			}
		}
	}
	return requests, sources
}
