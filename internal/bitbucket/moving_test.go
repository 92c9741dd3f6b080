package bitbucket_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket"
)

// moving is a server of one list, which changes between its pages.
type moving struct {
	values   []int // in the order of the list
	next     int   // the next new value
	perPage  int
	unsized  bool
	reversed bool // the oldest are first
	requests int
	change   func(m *moving) // before each request but the first
	most     int             // how many are wanted; 0 for all
	always   []int           // values that were wanted at each request so far
}

// wanted are the values that are wanted now.
func (m *moving) wanted() []int {
	if m.most > 0 {
		return m.values[:min(m.most, len(m.values))]
	}
	return m.values
}

func (m *moving) RoundTrip(req *http.Request) (*http.Response, error) {
	if m.requests++; m.requests == 1 {
		m.always = slices.Clone(m.wanted())
	} else {
		m.change(m)
		m.always = slices.DeleteFunc(m.always, func(v int) bool { return !slices.Contains(m.wanted(), v) })
	}
	number := 1
	if text := req.URL.Query().Get("page"); text != "" {
		number, _ = strconv.Atoi(text)
	}
	page := map[string]any{"values": []any{}}
	if !m.unsized {
		page["size"] = len(m.values)
	}
	begin, end := min((number-1)*m.perPage, len(m.values)), min(number*m.perPage, len(m.values))
	var values []any
	for i, v := range m.values[begin:end] {
		at := 1_000_000 - begin - i
		if m.reversed {
			at = begin + i
		}
		values = append(values, map[string]any{"id": v, "at": time.Unix(int64(at), 0)})
	}
	if page["values"] = values; values == nil {
		page["values"] = []any{}
	}
	if end < len(m.values) {
		u := *req.URL
		q := u.Query()
		q.Set("page", strconv.Itoa(number+1))
		u.RawQuery = q.Encode()
		page["next"] = u.String()
	}
	body, err := json.Marshal(page)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(body))), Request: req}, err
}

// remove takes out a value, if there is any.
func (m *moving) remove(r *rand.Rand) (v int, ok bool) {
	if len(m.values) == 0 {
		return 0, false
	}
	i := r.IntN(len(m.values))
	v = m.values[i]
	m.values = slices.Delete(m.values, i, i+1)
	return v, true
}

// edit changes the list: a value goes, comes or moves. Where it comes to is in front, or anywhere.
func (m *moving) edit(r *rand.Rand, inFront, grows bool) {
	to := func(v int) {
		at := 0
		if !inFront {
			at = r.IntN(len(m.values) + 1)
		}
		m.values = slices.Insert(m.values, at, v)
	}
	if grows {
		m.next++
		m.values = slices.Insert(m.values, r.IntN(len(m.values)+1), m.next)
		return
	}
	switch r.IntN(3) {
	case 0:
		m.remove(r)
	case 1:
		m.next++
		to(m.next)
	default:
		if v, ok := m.remove(r); ok {
			to(v)
		}
	}
}

// What is there all the time is found, or the list is an error: whatever happens at one moment of a
// reading, and whatever happens at each where values join a list in front alone.
func TestListThatMoves(t *testing.T) {
	t.Parallel()
	cases := 5000
	if testing.Short() {
		cases = 1000
	}
	incomplete, unfinished, twice := 0, 0, 0
	for seed := range cases {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		grows := r.IntN(4) == 0
		said, most := r.IntN(2) == 0, r.IntN(14) // said of the order of the list
		m := &moving{most: most, perPage: 2 + r.IntN(3), unsized: r.IntN(4) == 0, reversed: r.IntN(4) == 0 && most > 0}
		if m.reversed {
			m.most = 0 // it is read to its end
		}
		inFront := said && !m.reversed
		if grows = grows && !m.reversed; grows {
			said, inFront = false, false
		}
		for range r.IntN(15) {
			m.next++
			m.values = append(m.values, m.next)
		}
		moment, often := 2+r.IntN(6), (inFront && !m.unsized || grows) && r.IntN(2) == 0
		m.change = func(m *moving) {
			if often && r.IntN(3) == 0 || m.requests == moment {
				for range 1 + r.IntN(4) {
					m.edit(r, inFront, grows)
				}
			}
		}
		id := func(l bitbucket.Listed) string { return fmt.Sprint(l.Object["id"]) }
		e := bitbucket.Endpoint[bitbucket.Listed]{
			Path: "list", Route: "list", Pagelen: 100, InFront: said, Grows: grows,
			Key: func(l bitbucket.Listed) (string, error) { return id(l), nil },
		}
		if most > 0 { // the order of the values is that of the list
			e.When = func(l bitbucket.Listed) (time.Time, bool) {
				at, err := time.Parse(time.RFC3339, fmt.Sprint(l.Object["at"]))
				return at, err == nil
			}
			e.Until = func() func(bitbucket.Listed) bool {
				taken := 0
				return func(l bitbucket.Listed) bool { taken++; return !l.Unordered && taken >= most }
			}
		}
		got, err := collect(bitbucket.List(t.Context(), newClient(t, inProcess, m), e, nil))
		if errors.Is(err, bitbucket.ErrIncomplete) {
			incomplete++
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if most > 0 && most < len(m.values) {
			unfinished++
		}
		if m.requests > (len(got)+m.perPage-1)/m.perPage+1 {
			twice++
		}
		for _, v := range m.always {
			if !slices.ContainsFunc(got, func(l bitbucket.Listed) bool { return id(l) == strconv.Itoa(v) }) {
				t.Fatalf("seed %d: %d was there all the time, and is not found (in front %v, %+v)", seed, v, inFront, m)
			}
		}
	}
	if share := cases / 50; incomplete < share/5 || unfinished < share || twice < share {
		t.Errorf("got %d incomplete, %d unfinished and %d read twice, want %d, %d and %d", incomplete, unfinished, twice, share/5, share, share)
	}
}
