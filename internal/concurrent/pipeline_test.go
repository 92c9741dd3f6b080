package concurrent_test

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/concurrent"
)

// piece is one piece of work: how long it waits before each of its results, of a size each.
type piece struct {
	name    string
	results int
	wait    time.Duration
	size    int
}

// line is a list of pieces, each of which comes after a while.
type line struct {
	pieces []piece
	every  time.Duration
	err    error
	class  any
}

func (l line) all(yield func(piece, error) bool) {
	for _, p := range l.pieces {
		if time.Sleep(l.every); !yield(p, nil) {
			return
		}
	}
	if l.err != nil {
		yield(piece{}, l.err)
	}
}

// pieces are n of a name.
func pieces(name string, n int, p piece) (all []piece) {
	for i := range n {
		p.name = fmt.Sprint(name, i)
		all = append(all, p)
	}
	return all
}

type result struct {
	text string
	size int
}

// works counts what is under way.
type works struct{ now, most, done atomic.Int64 }

func (w *works) work(p piece, emit func(result) bool) {
	w.most.Store(max(w.most.Load(), w.now.Add(1)))
	defer w.now.Add(-1)
	for i := range p.results {
		time.Sleep(p.wait)
		if !emit(result{fmt.Sprint(p.name, ".", i), p.size}) {
			return
		}
	}
	w.done.Add(1)
}

func newPipeline(active, room int) *concurrent.Pipeline[piece, result] {
	return concurrent.NewPipeline[piece](concurrent.Limits[result]{Active: active, Room: room, Size: func(r result) int { return r.size }})
}

// begin adds lines to a pipeline.
func begin(p *concurrent.Pipeline[piece, result], w *works, lines ...line) (all []*concurrent.Stream[piece, result]) {
	for _, l := range lines {
		s := p.Add(l.class, w.work)
		s.Begin(l.all)
		all = append(all, s)
	}
	return all
}

// read reads the results of one stream, and waits a while after each.
func read(of iter.Seq2[result, error], pause time.Duration) (texts []string, err error) {
	for r, failed := range of {
		if failed != nil {
			return texts, failed
		}
		texts = append(texts, r.text)
		time.Sleep(pause)
	}
	return texts, nil
}

func names(l line) (all []string) {
	for _, p := range l.pieces {
		for i := range p.results {
			all = append(all, fmt.Sprint(p.name, ".", i))
		}
	}
	return all
}

// Whatever takes how long, the results come in the order of the lists, and of their items.
func TestPipelineKeepsTheOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			upTo := func(n int) time.Duration { return time.Duration(r.IntN(n)) * time.Millisecond }
			lines := make([]line, 1+r.IntN(4))
			for i := range lines {
				lines[i] = line{every: upTo(20), class: []any{nil, "a", "b"}[r.IntN(3)]}
				if r.IntN(4) == 0 {
					lines[i].err = errors.New("the list fails")
				}
				for j := range r.IntN(20) {
					lines[i].pieces = append(lines[i].pieces, piece{fmt.Sprint(i, "/", j), r.IntN(4), upTo(50), r.IntN(100)})
				}
			}
			var w works
			active, pause := 1+r.IntN(5), upTo(10)
			p := newPipeline(active, r.IntN(200))
			defer p.Close()
			for i, s := range begin(p, &w, lines...) {
				got, err := read(s.All(), pause)
				if want := names(lines[i]); !slices.Equal(got, want) || err != lines[i].err {
					t.Errorf("seed %d, list %d: got %q, %v, want %q, %v", seed, i, got, err, want, lines[i].err)
				}
			}
			if n := int(w.now.Load()); n != 0 {
				t.Errorf("seed %d: %d are under way after the last result", seed, n)
			}
		})
	}
}

// Items that take long do not hold up a list before theirs that begins later.
func TestPipelineIsNotHeldUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w works
		p := newPipeline(3, 1000)
		defer p.Close()
		all := begin(p, &w, line{every: time.Second, pieces: pieces("a", 10, piece{results: 1, wait: time.Second})}, line{pieces: pieces("b", 30, piece{results: 1, wait: time.Hour})})
		start := time.Now()
		if got, _ := read(all[0].All(), 0); len(got) != 10 || time.Since(start) > 11*time.Second {
			t.Errorf("got %d results after %s, want 10 after 11s", len(got), time.Since(start))
		}
	})
}

// No more are worked on than the limits say, and those that the reader waits for go first.
func TestPipelineIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w works
		p := newPipeline(3, 1000)
		defer p.Close()
		all := begin(p, &w, line{pieces: pieces("a", 30, piece{results: 1, wait: time.Second})}, line{pieces: pieces("b", 30, piece{results: 1, wait: time.Second})})
		start := time.Now()
		// In the first second those of the other list may be under way: which one comes first is open.
		if got, _ := read(all[0].All(), 0); len(got) != 30 || time.Since(start) > 11*time.Second {
			t.Errorf("the first list: got %d results after %s, want 30 after 10s or 11s", len(got), time.Since(start))
		}
		if got, _ := read(all[1].All(), 0); len(got) != 30 || time.Since(start) > 20*time.Second || w.most.Load() > 3+2 {
			t.Errorf("both lists: got %d results after %s, at most %d at once, want 30 after 20s, 3 and 2 beside those of another list", len(got), time.Since(start), w.most.Load())
		}
	})
}

// While one item takes long, or a list, those after it go ahead as far as there is room.
func TestPipelineGoesAhead(t *testing.T) {
	t.Parallel()
	slow := append([]piece{{"slow", 1, time.Minute, 1}}, pieces("a", 40, piece{results: 1, wait: time.Second, size: 1})...)
	for _, tt := range []struct {
		name  string
		first line
		room  int
		ahead int64 // items that are done before the first result
	}{
		{"behind an item", line{pieces: slow}, 25, 25},
		{"behind an item, and all", line{pieces: slow}, 100, 80},
		{"behind a list", line{every: time.Minute, pieces: pieces("a", 1, piece{results: 1})}, 25, 25},
		{"behind a list, and all", line{every: time.Minute, pieces: pieces("a", 1, piece{results: 1})}, 100, 40},
		{"without room", line{every: time.Minute, pieces: pieces("a", 1, piece{results: 1})}, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var w works
				p := newPipeline(4, tt.room)
				defer p.Close()
				second := line{pieces: pieces("b", 40, piece{results: 1, wait: time.Second, size: 1})}
				if tt.name == "behind an item" {
					second.class, tt.first.class = "one", "one" // and not the next list
				}
				all := begin(p, &w, tt.first, second)
				time.Sleep(time.Minute - time.Second)
				if got := w.done.Load(); got != tt.ahead {
					t.Errorf("got %d done, want %d", got, tt.ahead)
				}
				for i, want := range []line{tt.first, second} {
					if got, err := read(all[i].All(), 0); !slices.Equal(got, names(want)) || err != nil {
						t.Errorf("list %d: got %q, %v", i, got, err)
					}
				}
			})
		})
	}
}

// Results of lists behind take no room from the list that is read.
func TestPipelineLeavesRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w works
		p := newPipeline(4, 10)
		defer p.Close()
		first := line{pieces: append([]piece{{"first", 1, 0, 1}}, pieces("a", 40, piece{results: 1, wait: time.Second, size: 1})...)}
		late := func(yield func(piece, error) bool) {
			for i, one := range first.pieces {
				if i == 1 {
					time.Sleep(time.Minute) // such as for a page
				}
				if !yield(one, nil) {
					return
				}
			}
		}
		s := p.Add(nil, w.work)
		s.Begin(late)
		behind := begin(p, &w, line{pieces: pieces("b", 40, piece{results: 1, wait: time.Second, size: 1})})
		start := time.Now()
		if got, _ := read(s.All(), 0); len(got) != 41 || time.Since(start) > 71*time.Second {
			t.Errorf("got %d results after %s, want 41 within 71s", len(got), time.Since(start))
		}
		if got, _ := read(behind[0].All(), 0); len(got) != 40 {
			t.Errorf("behind it: got %d results, want 40", len(got))
		}
	})
}

// Lists of one class are worked on one after the other, from the listing on.
func TestPipelineClasses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w works
		p := newPipeline(4, 100)
		defer p.Close()
		var (
			mu      sync.Mutex // lists of several classes begin at one moment
			started = map[string]time.Duration{}
		)
		start := time.Now()
		note := func(name string, l line) (iter.Seq2[piece, error], *concurrent.Stream[piece, result]) {
			s := p.Add(l.class, w.work)
			return func(yield func(piece, error) bool) {
				mu.Lock()
				started[name] = time.Since(start)
				mu.Unlock()
				l.all(yield)
			}, s
		}
		long := pieces("x", 1, piece{results: 1, wait: time.Second})
		for _, one := range []struct {
			name  string
			class any
		}{{"a", "class"}, {"b", "class"}, {"other", nil}, {"c", "class"}} {
			list, s := note(one.name, line{pieces: long, class: one.class})
			s.Begin(list)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		want := map[string]time.Duration{"a": 0, "b": time.Second, "other": 0, "c": 2 * time.Second}
		if fmt.Sprint(started) != fmt.Sprint(want) {
			t.Errorf("begun after %v, want %v", started, want)
		}
	})
}

// A list that nobody reads does not hold up those after it.
func TestPipelineDropsAList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w works
		p := newPipeline(2, 3)
		all := begin(p, &w, line{pieces: pieces("a", 100, piece{results: 3, wait: time.Second, size: 1})}, line{pieces: pieces("b", 10, piece{results: 1, size: 1})})
		time.Sleep(time.Minute)
		if got, err := read(all[1].All(), 0); len(got) != 10 || err != nil {
			t.Errorf("got %q, %v, want 10 results", got, err)
		}
		start := time.Now()
		p.Close()
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("took %s to end, want no more than what was under way", took)
		}
	})
}

// A panic of the work, or of the list, reaches the reader.
func TestPipelinePassesPanicsOn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		list iter.Seq2[piece, error]
		work func(piece, func(result) bool)
	}{
		{"work", line{pieces: pieces("a", 3, piece{})}.all, func(piece, func(result) bool) { panic("of the work") }},
		{"list", func(func(piece, error) bool) { panic("of the list") }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPipeline(2, 1)
				s := p.Add(nil, tt.work)
				s.Begin(tt.list)
				defer func() {
					if v := fmt.Sprint(recover()); !strings.Contains(v, "of the "+tt.name) {
						t.Errorf("got panic %q, want that of the %s", v, tt.name)
					}
				}()
				read(s.All(), 0)
				t.Error("got no panic")
			})
		})
	}
}

// Items that wait for an earlier one of their list do not take the place of others.
func TestPipelineIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w works
		p := newPipeline(2, 1000)
		defer p.Close()
		slow := line{every: time.Minute, pieces: pieces("slow", 1, piece{results: 1})}
		others := line{every: time.Second, pieces: pieces("a", 4, piece{results: 1, wait: time.Second})}
		waiting := line{pieces: pieces("b", 30, piece{results: 1, wait: time.Second})}
		all := begin(p, &w, slow, others)
		first := make(chan struct{})
		var s *concurrent.Stream[piece, result]
		s = p.Add(nil, func(one piece, emit func(result) bool) {
			if one.name == "b0" {
				time.Sleep(10 * time.Second)
				close(first)
			} else {
				s.Idle(func() { <-first })
			}
			w.work(one, emit)
		})
		s.Begin(waiting.all)
		time.Sleep(9 * time.Second)
		if done := w.done.Load(); done != 4 {
			t.Errorf("while the others wait: got %d items done, want 4", done)
		}
		for i, l := range []line{slow, others, waiting} {
			if got, err := read(append(all, s)[i].All(), 0); !slices.Equal(got, names(l)) || err != nil {
				t.Errorf("list %d: got %q, %v, want %q", i, got, err, names(l))
			}
		}
		if n := w.most.Load(); n > 2+1 {
			t.Errorf("got %d at once, want at most 2, and 1 of the list that is read", n)
		}
	})
}
