package port_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
)

// sizes are the numbers of entities of each upsert of a blueprint, in order.
func sizes(t *testing.T, s *porttest.Server, blueprint string) string {
	t.Helper()
	var all []string
	for _, x := range s.Journal() {
		if strings.Contains(x.Path, "/"+blueprint+"/") {
			all = append(all, fmt.Sprint(len(sent(t, x)["entities"].([]any))))
		}
	}
	return strings.Join(all, " ")
}

func poison(s *porttest.Server, code int, ids ...string) {
	for _, id := range ids {
		s.Fault(porttest.Fault{Entity: id, Status: code, Times: -1})
	}
}

// upsert stores a batch, and wants those entities alone to fail by themselves.
func upsert(t *testing.T, c *port.Client, ids []string, poison ...string) {
	t.Helper()
	for i, o := range c.Entities.Upsert(t.Context(), repository, batchOf(t, ids...), merge) {
		bad := slices.Contains(poison, ids[i])
		equal(t, ids[i]+" fails", o.Err != nil, bad)
		equal(t, ids[i]+" fails alone", o.Alone, bad)
		equal(t, ids[i]+" goes down with its request", o.RequestFailed, bad && status(o.Err) != 400)
	}
}

// inHalves runs a test in virtual time: a request that fails is tried again after a pause.
func inHalves(t *testing.T, test func(t *testing.T, s *porttest.Server, c *port.Client)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		test(t, s, inProcess(s))
	})
}

// Wherever the entities stand at which Port fails, the others of their batch are stored,
// and the next batch is taken apart as well.
func TestPoisonEntities(t *testing.T) {
	for _, code := range []int{400, 500, 503} {
		for _, at := range [][]int{{0}, {19}, {0, 1}, {18, 19}, {0, 19}, {0, 1, 2, 3, 4}, {0, 5, 10, 15}, {0, 2, 5, 7, 10, 12, 15}} {
			t.Run(fmt.Sprint(code, at), func(t *testing.T) {
				inHalves(t, func(t *testing.T, s *porttest.Server, c *port.Client) {
					for _, prefix := range []string{"r", "s"} {
						ids := names(prefix, port.MaxBatch)
						var bad []string
						for _, i := range at {
							bad = append(bad, ids[i])
						}
						poison(s, code, bad...)
						upsert(t, c, ids, bad...)
					}
					equal(t, "entities stored", len(s.Entities(repository)), 2*(port.MaxBatch-len(at)))
					noViolations(t, s)
				})
			})
		}
	}
}

// Port counts as down when each of many parts fails: for that blueprint, and until it
// takes something.
func TestPortIsDownForABlueprint(t *testing.T) {
	inHalves(t, func(t *testing.T, s *porttest.Server, c *port.Client) {
		s.Fault(porttest.Fault{Path: bulkPath, Times: -1, Status: 503})
		for _, want := range []string{"20 20 20 20 20 10 10 5 5 5 5 2 3 2 3 2 3 2 3", "20 20 20 20 20 10 10"} {
			s.ResetJournal()
			for _, o := range c.Entities.Upsert(t.Context(), repository, batchOf(t, names("r", 20)...), merge) {
				equal(t, "status", status(o.Err), 503)
				equal(t, "goes down with its request", o.RequestFailed, true)
				equal(t, "fails alone", o.Alone, false)
			}
			equal(t, "sizes of requests", sizes(t, s, repository), want)
		}
		// A blueprint of which nothing is known: one poison entity in each half.
		ids := names("p", 8)
		poison(s, 500, ids[0], ids[7])
		for i, o := range c.Entities.Upsert(t.Context(), "bitbucketProject", batchOf(t, ids...), merge) {
			equal(t, ids[i]+" fails alone", o.Alone, i == 0 || i == 7)
		}
		s.ClearFaults()
		ids = names("r", 20)
		poison(s, 500, ids[0])
		upsert(t, c, ids, ids[0]) // one half gets through: it is up
		poison(s, 500, ids[19])
		upsert(t, c, ids, ids[0], ids[19])
	})
}

// A small batch of nothing but poison entities does not take the next one with it.
func TestSmallBatchOfPoison(t *testing.T) {
	inHalves(t, func(t *testing.T, s *porttest.Server, c *port.Client) {
		ids := names("r", 23)
		poison(s, 500, ids[:4]...)
		for _, o := range c.Entities.Upsert(t.Context(), repository, batchOf(t, ids[:3]...), merge) {
			equal(t, "status", status(o.Err), 500)
			equal(t, "fails alone", o.Alone, false) // nothing else was in a request with it
		}
		equal(t, "sizes of requests", sizes(t, s, repository), "3 3 3 3 3 1 1 2 1 1 1 1")
		upsert(t, c, ids[3:], ids[3])
	})
}

// A refusal with 400 speaks of the entities: each of them is heard, and it is not Port
// that is down.
func TestRefusalsAreNoOutage(t *testing.T) {
	inHalves(t, func(t *testing.T, s *porttest.Server, c *port.Client) {
		fired := s.Fault(porttest.Fault{Path: bulkPath, Times: -1, Status: 400})
		for _, o := range c.Entities.Upsert(t.Context(), repository, batchOf(t, names("r", 20)...), merge) {
			equal(t, "status", status(o.Err), 400)
			equal(t, "goes down with its request", o.RequestFailed, true)
			equal(t, "fails alone", o.Alone, false)
		}
		equal(t, "requests: 1, 2, 4, 8, 16, and 4 pairs", fired(), 1+2+4+8+16+8)
		s.ClearFaults()
		ids := names("r", 20)
		poison(s, 500, ids[0], ids[19])
		upsert(t, c, ids, ids[0], ids[19])
	})
}
