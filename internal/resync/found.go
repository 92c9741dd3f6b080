package resync

// deliverFound sees to it that entities which Port finds by a search query have
// arrived: one of them may be that of a result which names it.
func (l *loader) deliverFound(blueprint string) {
	b := l.searching[blueprint]
	if b == nil {
		return
	}
	if !b.sent {
		l.send(b)
	}
	l.land()
	delete(l.searching, blueprint)
}

// deliverNamed sends earlier results that wait before an entity of their blueprint that a
// search query names: it may be one of them, and the later one wins.
func (l *loader) deliverNamed(p *pending) {
	for _, earlier := range l.deferred {
		if earlier.stage == waiting && earlier.entity.Ref.Blueprint == p.entity.Ref.Blueprint {
			l.pack(earlier)
		}
	}
}

// mayBeNamed says whether what a search query has not found may be produced by a
// later entry. It is not waited for when it would write over what that one gives:
// the later one wins, and the next run finds it in time.
func (l *loader) mayBeNamed(p *pending) bool {
	may := false
	for _, e := range l.bound.Entries(p.entity.Ref.Blueprint) {
		if e.QueryIdentifier || e.Resource < p.entry.Resource {
			continue
		}
		keys := p.entry.Keys
		if !l.flags.Merge || keys.Without(e.Keys).Size() < keys.Size() {
			return false
		}
		may = true
	}
	return may
}
