package source

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"port-bitbucket-exporter/internal/bitbucket"
)

// heads are the branches that a run resolved, each of them once. It is safe for concurrent
// use, and holds no lock over a request.
type heads struct {
	mu       sync.Mutex // guards what follows
	expected map[string][]string
	known    map[headKey]Head
	asked    map[headKey]*flight // with an empty branch for a question about several
}

type headKey struct{ repository, branch string }

func newHeads() *heads {
	return &heads{expected: map[string][]string{}, known: map[headKey]Head{}, asked: map[headKey]*flight{}}
}

// Expect notes a branch that At will be asked for, "" for the main one: over git, one
// question is for all of them.
func (m *Memory) Expect(r bitbucket.Repository, branch string) {
	branch = cmp.Or(branch, r.MainBranch)
	if branch == "" || branch == r.MainBranch && r.Hash != "" {
		return
	}
	m.heads.mu.Lock()
	defer m.heads.mu.Unlock()
	if k := r.Key(); !slices.Contains(m.heads.expected[k], branch) {
		m.heads.expected[k] = append(m.heads.expected[k], branch)
	}
}

// begin returns what is known of a branch; else a flight to wait for or, when begun is true,
// a flight of the caller's own, and the branches to ask for.
func (h *heads) begin(repository, branch string, together bool) (known Head, f *flight, branches []string, begun bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known, ok := h.known[headKey{repository, branch}]; ok {
		return known, nil, nil, false
	}
	k := headKey{repository, branch}
	branches = []string{branch}
	if together {
		k.branch = ""
		for _, b := range h.expected[repository] {
			if _, ok := h.known[headKey{repository, b}]; !ok && b != branch {
				branches = append(branches, b)
			}
		}
	}
	if f := h.asked[k]; f != nil {
		return Head{}, f, nil, false
	}
	f = &flight{done: make(chan struct{})}
	h.asked[k] = f
	return Head{}, f, branches, true
}

// end ends a flight. What was not found is kept, but for a main branch, which may be read
// again.
func (h *heads) end(r bitbucket.Repository, branch string, together bool, answers map[string]Head) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for b, answer := range answers {
		if answer.Err == nil || b != r.MainBranch {
			h.known[headKey{r.Key(), b}] = answer
		}
	}
	k := headKey{r.Key(), branch}
	if together {
		k.branch = ""
	}
	close(h.asked[k].done)
	delete(h.asked, k)
}

// head asks once a run for a branch.
func (m *Memory) head(ctx context.Context, r bitbucket.Repository, branch string) (string, error) {
	for {
		reader := m.readers.of(r)
		_, together := reader.(*Git)
		known, f, branches, begun := m.heads.begin(r.Key(), branch, together)
		switch {
		case f == nil:
			return known.Hash, known.Err
		case !begun:
			if err := f.wait(ctx); err != nil {
				return "", err
			}
			continue
		}
		answers, err := reader.Heads(ctx, r, branches)
		if err != nil && errors.Is(err, bitbucket.ErrNotFound) && !together {
			answers = map[string]Head{branch: {Err: err}}
		}
		m.heads.end(r, branch, together, answers)
		if m.readers.falls(r, err) {
			continue
		}
		if err != nil {
			return "", err
		}
		return answers[branch].Hash, answers[branch].Err
	}
}
