package porttest

import (
	"strings"
	"time"
)

// published are Port's limits of a family of routes in each publishedPeriod, and how many
// requests it takes at once beyond the steady rate.
//
// Source: https://docs.port.io/api-reference/rate-limits, read 2026-11.
type published struct{ requests, burst int }

const publishedPeriod = 5 * time.Minute

// publishedOf returns the name and the limits of the family of a route.
func publishedOf(method, path string) (string, published) {
	switch {
	case path == tokenPath:
		return "unauthenticated", published{100, 10}
	case strings.HasSuffix(path, "/entities/bulk"):
		return "bulk upsert", published{35_000, 3_500}
	case strings.HasSuffix(path, "/entities/search"):
		return "search", published{35_000, 3_500}
	case method == "POST" && strings.HasSuffix(path, "/entities"):
		return "single upsert", published{10_000, 200}
	case strings.Contains(path, "entities"):
		return "entities", published{35_000, 3_500}
	case strings.HasPrefix(path, "/v1/blueprints"):
		return "blueprints", published{15_000, 1_500}
	}
	return "other", published{15_000, 1_500}
}

// usage is what was asked of a family of routes.
type usage struct {
	left  float64 // of the burst
	at    time.Time
	taken []time.Time // within the last period
}

// take counts a request, and reports whether it passes the limits.
func (u *usage) take(p published, now time.Time) (over bool) {
	if u.at.IsZero() {
		u.left = float64(p.burst)
	}
	u.left = min(float64(p.burst), u.left+now.Sub(u.at).Seconds()*float64(p.requests)/publishedPeriod.Seconds())
	u.at = now
	for len(u.taken) > 0 && now.Sub(u.taken[0]) >= publishedPeriod {
		u.taken = u.taken[1:]
	}
	if u.left < 1 || len(u.taken) >= p.requests {
		return true
	}
	u.left--
	u.taken = append(u.taken, now)
	return false
}

// overPublished counts a request, and reports whether it passes the published limits.
func (s *Server) overPublished(method, path string, now time.Time) bool {
	family, of := publishedOf(method, path)
	if s.usages[family] == nil {
		s.usages[family] = &usage{}
	}
	return s.usages[family].take(of, now)
}
