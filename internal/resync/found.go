package resync

import "encoding/json"

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
	delete(l.queries, blueprint)
}

// separate sees to it that a search query is not on its way twice: Port would find
// one entity for both. Two queries that are not the same may find one all the same,
// and Port takes the later one, or refuses it.
func (l *loader) separate(p *pending) {
	blueprint := p.entity.Ref.Blueprint
	query := string(queryOf(p.entity.Body))
	if l.queries[blueprint][query] {
		l.deliverFound(blueprint)
	}
	if l.queries[blueprint] == nil {
		l.queries[blueprint] = map[string]bool{}
	}
	l.queries[blueprint][query] = true
}

// queryOf is an entity's identifier as it is sent.
func queryOf(body json.RawMessage) json.RawMessage {
	var sent struct {
		Identifier json.RawMessage `json:"identifier"`
	}
	_ = json.Unmarshal(body, &sent) // it was made from JSON
	return sent.Identifier
}

// mayBeNamed says whether what a search query has not found may be produced by a
// later entry. It is not waited for when it would write over what that one gives:
// the later one wins, and the next run finds it in time.
func (l *loader) mayBeNamed(p *pending) bool {
	may := false
	for _, e := range l.plan.entriesOf(p.entity.Ref.Blueprint) {
		if e.QueryIdentifier || e.resource < p.entry.resource {
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
