package blueprint

import (
	"maps"
	"slices"

	"port-bitbucket-exporter/internal/graph"
)

// Step is a request that makes a blueprint, or completes one that is made.
type Step struct {
	Blueprint Blueprint
	Create    bool
	// Keys are those of the blueprint that are sent.
	Keys map[string]any
	// Partial is true for a creation that another step has to complete, and Last for the
	// step that does.
	Partial, Last bool
}

// Unmade says how much of a blueprint of the file Port lacks.
type Unmade int

// The values of Unmade.
const (
	Made    Unmade = iota // Port has it: it is left alone
	Missing               // Port has none of that identifier
	Begun                 // a run that was killed has not completed it
)

// Keys of a blueprint that name relations of it, or other blueprints.
const (
	keyRelations    = "relations"
	keyMirrors      = "mirrorProperties"
	keyAggregations = "aggregationProperties"
)

// inherited are keys that lead along relations, as mirror properties do.
var inherited = []string{"ownership", "teamInheritance"}

// Steps returns the requests that make what Port lacks of the file, in their order. Each
// blueprint comes after those that it relates to, and is made in one request where they are
// whole by then. Of a cycle, and of what is worked out from entities of a blueprint that
// comes later, a part follows when all are there: the relations first.
//
// Source: "target" in https://docs.port.io/build-your-software-catalog/customize-integrations/configure-data-model/relate-blueprints,
// read 2026-11: the blueprint that a relation leads to has to exist.
func (f *File) Steps(state func(identifier string) Unmade) []Step {
	m := &maker{file: f, state: state, there: map[string]bool{}, settled: map[string]bool{}}
	for _, b := range f.order() {
		m.make(b)
	}
	return m.finish()
}

// order returns the blueprints after those that they relate to; within a cycle, and where
// nothing else decides, in file order.
func (f *File) order() []Blueprint {
	number := map[string]int{}
	for i, b := range f.Blueprints {
		number[b.Identifier] = i
	}
	edges := make([][]int, len(f.Blueprints))
	for i, b := range f.Blueprints {
		for _, t := range b.targets() {
			if to, ok := number[t.Identifier]; ok && t.part[0] == keyRelations {
				edges[i] = append(edges[i], to)
			}
		}
	}
	var all []Blueprint
	for _, group := range graph.Components(edges) {
		for _, i := range group {
			all = append(all, f.Blueprints[i])
		}
	}
	return all
}

// maker collects the steps of one file.
type maker struct {
	file    *File
	state   func(identifier string) Unmade
	there   map[string]bool // made by the steps so far, of what Port lacks
	settled map[string]bool // of those, whole, as is everything that they lead to
	steps   []Step
	later   []later
}

// later is what a blueprint lacks after its creation.
type later struct {
	blueprint                        Blueprint
	relations, mirrors, aggregations map[string]any
	// after is true when the aggregations read mirror properties, which have to be there.
	after bool
}

// lacks reports whether a blueprint is one that is not there yet.
func (m *maker) lacks(identifier string) bool {
	_, ours := m.file.Find(identifier)
	return ours && !own(identifier) && m.state(identifier) != Made && !m.there[identifier]
}

// unsettled reports whether a blueprint is one that is not whole yet.
func (m *maker) unsettled(identifier string) bool {
	_, ours := m.file.Find(identifier)
	return ours && !own(identifier) && m.state(identifier) != Made && !m.settled[identifier]
}

// make creates a blueprint with what it can have already.
func (m *maker) make(b Blueprint) {
	state := m.state(b.Identifier)
	if state == Made || own(b.Identifier) {
		return
	}
	keys, rest := maps.Clone(b.Doc), later{blueprint: b}
	lacks, unsettled := m.lacks, m.unsettled
	if state == Begun { // whatever it has, it gets all again
		always := func(string) bool { return true }
		lacks, unsettled = always, always
	}
	relations, _ := b.Doc[keyRelations].(map[string]any)
	wait := false // for what the relations lead to
	for _, t := range b.targets() {
		if t.part[0] == keyRelations {
			wait = wait || unsettled(t.Identifier)
			if lacks(t.Identifier) { // the blueprint itself is not there either
				rest.relations = relations
			}
		}
	}
	if rest.relations != nil {
		now := maps.Clone(relations)
		maps.DeleteFunc(now, func(name string, _ any) bool { return lacks(b.at.find([]string{keyRelations, name, "target"}).text()) })
		keys[keyRelations] = now
	}
	if wait {
		rest.mirrors = map[string]any{}
		for _, key := range append([]string{keyMirrors}, inherited...) {
			if v, given := keys[key]; given && !isEmpty(v) {
				rest.mirrors[key] = v
				delete(keys, key)
			}
		}
	}
	for _, t := range b.targets() {
		if t.part[0] == keyAggregations && (lacks(t.Identifier) || unsettled(t.Identifier) && m.aggregatesMirrors(b)) {
			rest.aggregations, rest.after = map[string]any{keyAggregations: b.Doc[keyAggregations]}, m.aggregatesMirrors(b)
			delete(keys, keyAggregations)
		}
	}
	partial := rest.relations != nil || len(rest.mirrors) > 0 || rest.aggregations != nil
	if state == Begun {
		delete(keys, keyRelations)
		m.steps = append(m.steps, Step{Blueprint: b, Keys: keys, Partial: true})
	} else {
		m.steps = append(m.steps, Step{Blueprint: b, Create: true, Keys: keys, Partial: partial})
	}
	m.there[b.Identifier], m.settled[b.Identifier] = true, !partial && !wait
	if partial {
		m.later = append(m.later, rest)
	}
}

// aggregatesMirrors reports whether an aggregation reads a mirror property of a blueprint
// of the file.
func (m *maker) aggregatesMirrors(b Blueprint) bool {
	return slices.ContainsFunc(b.members(keyAggregations), func(name string) bool {
		of, ok := m.file.Find(b.at.find([]string{keyAggregations, name, "target"}).text())
		return ok && of.has(b.at.find([]string{keyAggregations, name, "calculationSpec", "property"}).text(), keyMirrors)
	})
}

// finish returns all steps: relations before what leads along them, and aggregations before
// mirror properties, which may show one, unless they read one themselves.
func (m *maker) finish() []Step {
	add := func(b Blueprint, keys map[string]any) {
		if len(keys) > 0 {
			m.steps = append(m.steps, Step{Blueprint: b, Keys: keys})
		}
	}
	for _, l := range m.later {
		if l.relations != nil {
			add(l.blueprint, map[string]any{keyRelations: l.relations})
		}
	}
	for _, l := range m.later {
		if !l.after {
			add(l.blueprint, l.aggregations)
		}
	}
	for _, l := range m.later {
		add(l.blueprint, l.mirrors)
	}
	for _, l := range m.later {
		if l.after {
			add(l.blueprint, l.aggregations)
		}
	}
	done := map[string]bool{}
	for i, step := range slices.Backward(m.steps) {
		if !step.Create && !done[step.Blueprint.Identifier] {
			m.steps[i].Last, done[step.Blueprint.Identifier] = true, true
		}
	}
	return m.steps
}

func isEmpty(v any) bool {
	object, ok := v.(map[string]any)
	return ok && len(object) == 0
}
