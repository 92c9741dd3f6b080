package port

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// limit is how many requests of a family of routes Port takes of an organization in each
// limitPeriod, and how many of those beyond the steady rate at once.
//
// Source: https://docs.port.io/api-reference/rate-limits, read 2026-11. Which family a route
// belongs to that fits several is not said: the most special one is assumed.
type limit struct{ requests, burst int }

const limitPeriod = 5 * time.Minute

var (
	loginLimit     = limit{100, 10}
	upsertLimit    = limit{35_000, 3_500}
	searchLimit    = limit{35_000, 3_500}
	entityLimit    = limit{35_000, 3_500}
	blueprintLimit = limit{15_000, 1_500}
	otherLimit     = limit{15_000, 1_500}
)

// limitOf returns the name and the limit of the family of a route. The single upsert, of which
// Port takes fewer, is not used.
func limitOf(route string) (family string, l limit) {
	path := route[strings.LastIndexByte(route, ' ')+1:]
	switch {
	case route == callLogin.route():
		return "login", loginLimit
	case strings.HasSuffix(path, "/entities/bulk"):
		return "upsert", upsertLimit
	case strings.HasSuffix(path, "/entities/search"):
		return "search", searchLimit
	case strings.Contains(path, "entities"):
		return "entities", entityLimit
	case strings.Contains(path, "blueprints"):
		return "blueprints", blueprintLimit
	}
	return "other", otherLimit
}

// interval is how far apart requests are when the burst is used up: so that burst and steady
// rate together do not pass the limit in any period.
func (l limit) interval() time.Duration {
	steady := time.Duration(l.requests - l.burst)
	return (limitPeriod + steady - 1) / steady
}

// wait is how long so many requests wait in all, as they are sent one after the other at once.
func (l limit) wait(requests int) time.Duration {
	return time.Duration(max(0, requests-l.burst)) * l.interval()
}

// limits keeps to the published limits, whatever Port answers: what its answers say may make
// requests wait longer. The zero limits has sent nothing. It is safe for concurrent use.
type limits struct {
	mu   sync.Mutex
	next map[string]time.Time // by family: when the next request would be due at the steady rate
}

// take takes one request of a route, and returns how long it must wait.
func (l *limits) take(route string, now time.Time) time.Duration {
	family, of := limitOf(route)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next = map[string]time.Time{}
	}
	due := l.next[family]
	if earliest := now.Add(-time.Duration(of.burst-1) * of.interval()); due.Before(earliest) {
		due = earliest
	}
	l.next[family] = due.Add(of.interval())
	return max(0, due.Sub(now))
}

// Forecast says what it costs at Port to write and to delete entities, given how many of each
// blueprint: in requests, and in waiting for the published limits.
func Forecast(written, deleted map[string]int) string {
	upserts, deletions := requests(written, MaxBatch), requests(deleted, MaxDelete)
	wait := max(upsertLimit.wait(upserts), entityLimit.wait(deletions)).Round(time.Second)
	text := fmt.Sprintf("%d requests; Port takes %d of a kind in %s: ", upserts+deletions, upsertLimit.requests, "5m")
	if wait == 0 {
		return text + "no waiting"
	}
	return text + wait.String() + " of waiting"
}

// requests is how many requests it takes to send so many entities of each blueprint.
func requests(entities map[string]int, most int) (n int) {
	for _, of := range entities {
		n += (of + most - 1) / most
	}
	return n
}

// Pace says how fast Port takes changed entities, by its published limits.
func Pace() string {
	return fmt.Sprintf("Port takes %d changed entities without a wait, and %d a second beyond them", MaxBatch*upsertLimit.burst, MaxBatch*(upsertLimit.requests-upsertLimit.burst)/int(limitPeriod/time.Second))
}
