package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Causes returns the problems as Worst does, each cause once: problems that differ only in
// their objects are one, which names them. Its place, its example and its rule are those of the
// first of them, and its count is their sum.
func (l *Log) Causes() Problems { return l.Worst().Grouped() }

// group is what the problems of one cause share. Those without a cause share the message, the
// fix, and what their objects are in their resources.
type group struct {
	severity                  Severity
	cause, message, fix, what string
}

func (p Problem) group() group {
	if p.Cause != "" {
		return group{severity: p.Severity, cause: p.Cause}
	}
	return group{p.Severity, "", p.Message, p.Fix, p.Where.inResource()}
}

// Grouped returns each cause once, see Causes, worst first.
func (p Problems) Grouped() Problems {
	var order []group
	members := map[group]Problems{}
	for _, one := range p {
		g := one.group()
		if members[g] == nil {
			order = append(order, g)
		}
		members[g] = append(members[g], one)
	}
	all := make(Problems, len(order))
	for i, g := range order {
		all[i] = members[g].merged()
	}
	all.sortWorst()
	return all
}

// merged returns the problems of one group as one.
func (p Problems) merged() Problem {
	one := p[0]
	if len(p) == 1 {
		return one
	}
	one.Where, one.Count = p.objects(), 0
	for _, o := range p {
		one.Count += max(o.Count, 1)
		one.Example = cmp.Or(one.Example, o.Example)
		if o.Message != one.Message {
			one.Message = one.Cause
		}
	}
	one.Fix, one.Also = p.sharedFix(), p.furtherPlaces()
	return one
}

// furtherPlaces returns where in files the problems after the first one stand.
func (p Problems) furtherPlaces() string {
	seen := []Position{{}, p[0].At}
	var all []string
	for _, one := range p {
		if !slices.Contains(seen, one.At) {
			seen = append(seen, one.At)
			all = append(all, one.At.String())
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "also at " + named(all)
}

// sharedFix returns of the fixes what all of them say, clause by clause; the first one where
// they have nothing in common.
func (p Problems) sharedFix() string {
	var shared []string
	for clause := range strings.SplitSeq(p[0].Fix, "; ") {
		if !slices.ContainsFunc(p, func(o Problem) bool { return !slices.Contains(strings.Split(o.Fix, "; "), clause) }) {
			shared = append(shared, clause)
		}
	}
	return cmp.Or(strings.Join(shared, "; "), p[0].Fix)
}

// maxNamed bounds how many objects, or places, of a group are named.
const maxNamed = 3

// named returns texts as one, the last of many as their number.
func named(all []string) string {
	if len(all) > maxNamed {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:maxNamed], ", "), len(all)-maxNamed)
	}
	return strings.Join(all, ", ")
}

// objects returns the resources of the problems, and what they are about in them:
//
//	resources 2, 3 and 5 (repository, pull-request): property "owner"
//	resource 3 (pull-request): list pull requests of repository "a", "b", "c" and 7 more
func (p Problems) objects() Where {
	var resources []Where
	var kinds, numbers, parts []string
	add := func(all *[]string, text string) {
		if text != "" && !slices.Contains(*all, text) {
			*all = append(*all, text)
		}
	}
	for _, one := range p {
		add(&parts, one.Where.inResource())
		if one.Where.Resource > 0 {
			resources = append(resources, one.Where)
		}
	}
	slices.SortStableFunc(resources, func(a, b Where) int { return cmp.Compare(a.Resource, b.Resource) })
	for _, o := range resources {
		add(&numbers, strconv.Itoa(o.Resource))
		add(&kinds, o.Kind)
	}
	of := Where{Part: named(withoutRepeats(parts))}
	switch n := len(numbers); n {
	case 0:
	case 1:
		of.Resource, of.Kind = resources[0].Resource, resources[0].Kind
	default:
		of.Resources = fmt.Sprintf("resources %s and %s%s", strings.Join(numbers[:n-1], ", "), numbers[n-1], inBrackets(strings.Join(kinds, ", ")))
	}
	return of
}

// withoutRepeats shortens texts that differ in the name at their end alone to these names, but
// for the first one.
func withoutRepeats(texts []string) []string {
	short := slices.Clone(texts)
	for i, text := range texts {
		act, _, _ := strings.Cut(texts[0], ` "`)
		name, same := strings.CutPrefix(text, act+" ")
		if i == 0 || !same || strings.Count(name, `"`) != 2 || !strings.HasPrefix(name, `"`) || !strings.HasSuffix(name, `"`) {
			continue
		}
		short[i] = name
	}
	return short
}

// Brief returns in a few words what is behind a problem: without its resource, its request and
// its fix.
func (p Problem) Brief() string {
	message, part := cmp.Or(p.Cause, p.Message), p.Where.inResource()
	if part == "blueprint" || p.Where.Resources != "" { // the message says it
		return message
	}
	return joined(part, message)
}
