package kind

import "sync"

// depths is how deep a run lists at once: as deep as it may want to, until the server
// gives up on a depth. That costs a request, which takes the server's whole time
// limit, so what is asked next, of the same repository and of others, is half as
// deep. Too small a depth costs requests as well: one for each folder that a listing
// ends at. So twice as deep is tried again when as many listings ended too early as the
// server has given up on since it last went deeper. One large repository does not make
// the others shallow for long, and where every greater depth is refused, the tries in
// vain grow with the root of the listings. What is found never depends on it.
type depths struct {
	mu      sync.Mutex // guards what follows
	most    int        // levels to ask for at once; 0 before the first refusal is maxDepth
	refused int        // listings that the server gave up on
	short   int        // listings that ended too early since most was changed
	tried   bool       // most was raised, and no answer has come to that
}

// limit is how deep to ask, where so many levels are wanted.
func (d *depths) limit(levels int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.most == 0 {
		return levels
	}
	return min(levels, d.most)
}

// tooDeep is for a depth that the server gave up on.
func (d *depths) tooDeep(depth int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refused++
	if half := max(depth/2, 1); d.most == 0 || half < d.most {
		d.most, d.short, d.tried = half, 0, false
	}
}

// listed is for a depth that the server went to; short is true when the listing ended
// at folders to look into, and was to go deeper.
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
		d.most, d.short, d.tried = min(2*d.most, maxDepth), 0, true
	}
}
