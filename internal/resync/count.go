package resync

import "port-bitbucket-exporter/internal/catalog"

// relate remembers what an entity relates to.
func (l *loader) relate(e catalog.Entity) {
	for _, t := range e.Targets {
		r := relation{e.Ref.Blueprint, t.Relation}
		if l.targets[r] == nil {
			l.targets[r] = map[string]bool{}
		}
		l.targets[r][t.Identifier] = true
	}
}

// count accounts for an entity that Port holds now. An entity counts once; a
// further result for it is merged.
func (l *loader) count(p *pending, as outcome) {
	p.of.stored[p.entry]++
	s := p.state
	switch {
	case s == nil:
		l.tally(p.of, p.entity.Ref.Blueprint, as, 1)
	case s.counted == nil:
		s.counted, s.as = p.of, as
		l.tally(p.of, p.entity.Ref.Blueprint, as, 1)
	case s.as == unchanged && as != unchanged:
		l.tally(s.counted, p.entity.Ref.Blueprint, unchanged, -1)
		s.counted.report.Merged++
		s.counted, s.as = p.of, updated
		l.tally(p.of, p.entity.Ref.Blueprint, updated, 1)
	default:
		p.of.report.Merged++
	}
}

func (l *loader) tally(of *loading, blueprint string, as outcome, n int) {
	b := l.report.Blueprint(blueprint)
	switch as {
	case unchanged:
		of.report.Unchanged += n
		b.Unchanged += n
	case updated:
		of.report.Updated += n
		b.Updated += n
	case created:
		of.report.Created += n
		b.Created += n
	}
}

// repeat is for the same result once more, as of a list that gives an object twice.
func (l *loader) repeat(p *pending) {
	p.of.report.Merged++
	if p.state.counted != nil {
		p.of.stored[p.entry]++
	}
}
