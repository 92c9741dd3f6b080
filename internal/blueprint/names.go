package blueprint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/nearest"
)

// Below these keys stand the properties of a blueprint, each under its name. Only those of
// the first an entity can set.
var (
	written    = []string{"schema", "properties"}
	calculated = []string{"mirrorProperties", "calculationProperties", "aggregationProperties"}
)

// names finds names that are there twice or lead nowhere, in all blueprints.
func (f *File) names(found *problems) {
	first := map[string]Blueprint{}
	for _, b := range f.Blueprints {
		if found.full() {
			return
		}
		if other, twice := first[b.Identifier]; twice && b.Identifier != "" {
			found.add(b.problem(b.at.members["identifier"].start, RuleTwice, diag.Error, "identifier",
				fmt.Sprintf("is that of the blueprint in line %d too", other.Place().Line), "remove one of the two, or give it another identifier"))
		} else {
			first[b.Identifier] = b
		}
		b.spelt(found)
		b.twice(found)
		b.within(found)
		f.mirrors(b, found)
		for _, t := range b.targets() {
			f.target(b, t, found)
		}
	}
}

// maxKey bounds the names of properties and relations, in bytes.
const maxKey = 100

// spelling is that of properties and relations.
//
// Source: as of schemaJSON. It is not a rule of the schema, since the validator (jsonschema
// 6.0.3) gives names a wrong place.
var spelling = regexp.MustCompile(`^[A-Za-z0-9@_=\\-]+$`)

// spelt finds names of properties and relations that Port does not take.
func (b Blueprint) spelt(found *problems) {
	for _, path := range [][]string{written, {"relations"}, {calculated[0]}, {calculated[1]}, {calculated[2]}} {
		for _, name := range b.members(path...) {
			if found.full() {
				return
			}
			if len(name) > maxKey || !spelling.MatchString(name) {
				found.add(b.problem(b.at.find(path).members[name].name, RuleValue, diag.Error, partOf(path),
					"Port does not take the name "+quoted(name), `write letters without accents, digits and @ _ = \ -, at most 100`))
			}
		}
	}
}

// twice finds properties that are defined twice.
func (b Blueprint) twice(found *problems) {
	seen := map[string]string{}
	for _, name := range b.members(written...) {
		seen[name] = partOf(written)
	}
	for _, key := range calculated {
		for _, name := range b.members(key) {
			if found.full() {
				return
			}
			if before := seen[name]; before != "" {
				found.add(b.problem(b.at.find([]string{key, name}).name, RuleTwice, diag.Error, partOf([]string{key, name}),
					"the property is defined in "+before+" too", "remove one of the two, or give it another name"))
			}
			seen[name] = key
		}
	}
}

// within finds names of the blueprint's own properties and relations that it does not have.
func (b Blueprint) within(found *problems) {
	if n := b.at.find([]string{"schema", "required"}); n != nil {
		for _, item := range n.items {
			if found.full() {
				return
			}
			if name, text := item.value.(string); text && !b.has(name, written...) {
				found.add(b.lacks(item, "schema.required", "property", name, b.members(written...)))
			}
		}
	}
	begins := func(n *node, part string) {
		first, _, _ := strings.Cut(n.text(), ".")
		if first != "" && !b.has(first, "relations") {
			found.add(b.lacks(n, part, "relation", first, b.members("relations")))
		}
	}
	for _, name := range b.members("mirrorProperties") {
		if found.full() {
			return
		}
		path := []string{"mirrorProperties", name, "path"}
		begins(b.at.find(path), partOf(path))
	}
	if b.at.find([]string{"ownership", "type"}).text() == "Inherited" {
		begins(b.at.find([]string{"ownership", "path"}), "ownership.path")
	}
}

// lacks is the problem of a name, of what the blueprint has not.
func (b Blueprint) lacks(at *node, part, what, name string, there []string) diag.Problem {
	fix := didYouMean(name, there, fmt.Sprintf("add the %s to the blueprint, or correct the name", what))
	return b.problem(at.start, RuleRelation, diag.Error, part, fmt.Sprintf("the blueprint has no %s %s", what, quoted(name)), fix)
}

// maxNear bounds the names that one is compared with.
const maxNear = 1000

// didYouMean puts the name that was most likely meant before another fix.
func didYouMean(name string, there []string, otherwise string) string {
	if near, ok := nearest.Name(name, there[:min(len(there), maxNear)]); ok {
		return fmt.Sprintf("did you mean %q? Else %s", near, otherwise)
	}
	return otherwise
}

// Target is a blueprint that another one names.
type Target struct {
	Identifier string
	part       []string // of the blueprint that names it
	at         *node
}

// targets returns the blueprints that relations and aggregations lead to.
func (b Blueprint) targets() (all []Target) {
	for _, key := range []string{"relations", "aggregationProperties"} {
		for _, name := range b.members(key) {
			part := []string{key, name, "target"}
			if n := b.at.find(part); n.text() != "" {
				all = append(all, Target{n.text(), part, n})
			}
		}
	}
	return all
}

// target reports what is wrong with a target, as far as that is known without asking Port: it
// may be there.
func (f *File) target(b Blueprint, t Target, found *problems) {
	if _, ok := f.Find(t.Identifier); ok || own(t.Identifier) || found.full() {
		return
	}
	found.add(b.problem(t.at.start, RuleRelation, diag.Notice, partOf(t.part), fmt.Sprintf("blueprint %s is not in the file", quoted(t.Identifier)),
		didYouMean(t.Identifier, f.Identifiers(), "nothing is to do where Port has it; where not, add it to the file")))
}

// Outside returns the blueprints that are named by those that are wanted, and that neither the
// file holds nor Port always has: sorted, each once.
func (f *File) Outside(wanted func(identifier string) bool) (names []string) {
	for _, b := range f.Blueprints {
		for _, t := range b.targets() {
			if _, ok := f.Find(t.Identifier); !ok && !own(t.Identifier) && wanted(b.Identifier) {
				names = append(names, t.Identifier)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Unmet returns the problem of each place where a blueprint that is wanted names one that is
// missing. Others are those that Port has.
func (f *File) Unmet(wanted func(identifier string) bool, missing map[string]bool, others []string) (all diag.Problems) {
	for _, b := range f.Blueprints {
		for _, t := range b.targets() {
			if wanted(b.Identifier) && missing[t.Identifier] {
				all = append(all, b.problem(t.at.start, RuleRelation, diag.Error, partOf(t.part), fmt.Sprintf("neither Port nor the file has a blueprint %s", quoted(t.Identifier)),
					didYouMean(t.Identifier, slices.Concat(f.Identifiers(), others), "add it to the file, or remove what leads to it")))
			}
		}
	}
	return all
}

// own reports whether a blueprint is one of Port's own, which are always there.
func own(identifier string) bool { return strings.HasPrefix(identifier, "_") }

// mirrors finds mirror properties whose path leaves what the file has of the blueprints on
// it. Port may hold these in another form: it is a warning.
func (f *File) mirrors(b Blueprint, found *problems) {
	for _, name := range b.members("mirrorProperties") {
		if found.full() {
			return
		}
		part := []string{"mirrorProperties", name, "path"}
		n := b.at.find(part)
		steps := strings.Split(n.text(), ".")
		last, at, ok := steps[len(steps)-1], b, len(steps) > 1
		for i := 0; ok && i < len(steps)-1; i++ {
			if i > 0 && !at.has(steps[i], "relations") {
				found.add(b.leaves(n, part, at, "relation", steps[i], at.members("relations")))
			}
			at, ok = f.Find(at.at.find([]string{"relations", steps[i], "target"}).text())
		}
		if ok && !strings.HasPrefix(last, "$") && !at.has(last, written...) && !slices.ContainsFunc(calculated, func(key string) bool { return at.has(last, key) }) {
			found.add(b.leaves(n, part, at, "property", last, at.members(written...)))
		}
	}
}

// leaves is the problem of a step that a blueprint on a path does not have.
func (b Blueprint) leaves(at *node, part []string, of Blueprint, what, name string, there []string) diag.Problem {
	fix := didYouMean(name, there, "add it there, or correct the path")
	return b.problem(at.start, RuleRelation, diag.Warning, partOf(part), fmt.Sprintf("blueprint %s has no %s %s in the file", quoted(of.Identifier), what, quoted(name)), fix)
}

// Lacks says what is wrong with a property, or a relation, that an entity of the blueprint
// sets, and what to do about it; both are empty when nothing is.
func (b Blueprint) Lacks(what, name string) (message, fix string) {
	path := written
	if what == "relation" {
		path = []string{"relations"}
	}
	if b.has(name, path...) {
		return "", ""
	}
	for _, key := range calculated {
		if what == "property" && b.has(name, key) {
			return fmt.Sprintf("Port works it out itself: it stands below %q of blueprint %s", key, quoted(b.Identifier)), "remove it from the mapping"
		}
	}
	return fmt.Sprintf("blueprint %s has no such %s", quoted(b.Identifier), what),
		didYouMean(name, b.members(path...), fmt.Sprintf("add it to the blueprint, in %s, or correct the name here", b.Place()))
}
