package source

import (
	"sync"

	"port-bitbucket-exporter/internal/glob"
)

// depths decides how deep a run lists in one request: as deep as a pattern wants, until
// the server gives up on a depth. A refused depth costs a request that takes the server's
// whole time limit, so the next requests, for the same repository and for others, go half
// as deep. Too small a depth costs requests as well: one for each folder where a listing
// ends. So depths doubles the depth again once as many listings ended too early as the
// server has given up on since it last went deeper. One large repository does not make
// the others shallow for long, and where the server refuses every greater depth, the
// number of vain tries grows with the square root of the number of listings. What is
// found never depends on the depth.
type depths struct {
	mu      sync.Mutex // guards what follows
	most    int        // levels to ask for at once; 0 before the first refusal is glob.MaxDepth
	refused int        // listings that the server gave up on, since it last went deeper
	short   int        // listings that ended too early since most was changed
	tried   bool       // most was raised, and the server has not answered at that depth yet
}

// limit returns how deep to ask when so many levels are wanted.
func (d *depths) limit(levels int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.most == 0 {
		return levels
	}
	return min(levels, d.most)
}

// tooDeep learns of a depth that the server gave up on.
func (d *depths) tooDeep(depth int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refused++
	if half := max(depth/2, 1); d.most == 0 || half < d.most {
		d.most, d.short, d.tried = half, 0, false
	}
}

// listed learns of a depth that the server listed; short is true when a pattern wants more
// than the listing holds.
func (d *depths) listed(depth int, short bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if depth != d.most {
		return
	}
	if d.tried {
		d.refused, d.tried = 0, false
	}
	if !short {
		return
	}
	if d.short++; d.short >= d.refused {
		d.most, d.short, d.tried = min(2*d.most, glob.MaxDepth), 0, true
	}
}
