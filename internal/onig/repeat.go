package onig

// Two quantifiers in a row become one, where Oniguruma makes them one. The
// quantifiers are those of simple.
//
// Source: https://github.com/kkos/oniguruma/blob/v6.9.10/src/regparse.c,
// onig_reduce_nested_quantifier, read 2026-11.

// simple are the quantifiers ? * + ?? *? +? in this order.
var simple = []node{
	{min: 0, max: 1}, {min: 0, max: infinite}, {min: 1, max: infinite},
	{min: 0, max: 1, lazy: true}, {min: 0, max: infinite, lazy: true}, {min: 1, max: infinite, lazy: true},
}

const (
	both      = -1 // both stay
	inner     = -2 // the outer one goes
	plusMaybe = -3 // they become + and ??
)

// reduced is what an inner and an outer quantifier become: one of simple, or one of the
// above.
var reduced = [6][6]int{
	{inner, 1, 1, 3, 4, both},
	{inner, inner, inner, plusMaybe, plusMaybe, inner},
	{1, 1, inner, both, plusMaybe, inner},
	{inner, 4, 4, inner, 4, 4},
	{inner, inner, inner, inner, inner, inner},
	{both, 1, 2, 4, 4, inner},
}

func (n *node) simpleIndex() int {
	for i, s := range simple {
		if n.min == s.min && n.max == s.max && n.lazy == s.lazy {
			return i
		}
	}
	return -1
}

// isOnce reports whether a quantifier is {1}, which means nothing.
func (t token) isOnce() bool { return t.min == 1 && t.max == 1 }

// repeat makes a node of a target and the quantifier after it.
func repeat(target *node, t token) *node {
	if t.isOnce() {
		return target
	}
	n := &node{kind: kindQuantifier, min: t.min, max: t.max, lazy: t.lazy, subs: []*node{target}}
	if target.kind == kindQuantifier {
		n = reduce(n, target)
	}
	if t.possessive {
		n = &node{kind: kindAtomic, subs: []*node{n}}
	}
	return n
}

func reduce(n, target *node) *node {
	outside, inside := n.simpleIndex(), target.simpleIndex()
	switch {
	case outside < 0 && (inside == 1 || inside == 2):
		// Repeating .* or .+ is in vain.
		if n.max > 1 && !n.lazy {
			n.max = max(n.min, 1)
		}
		return n
	case outside < 0 && inside >= 0:
		return n
	case outside < 0 || inside < 0:
		if n.min != n.max || target.min != target.max {
			return n
		}
		if n.min*target.min > maxNumber {
			fail("too big number for repeat range")
		}
		n.min *= target.min
		n.max, n.subs = n.min, target.subs
		return n
	}
	switch to := reduced[inside][outside]; to {
	case both:
	case inner:
		return target
	case plusMaybe:
		n.min, n.max, n.lazy = 0, 1, true
		target.min, target.max, target.lazy = 1, infinite, false
	default:
		n.min, n.max, n.lazy, n.subs = simple[to].min, simple[to].max, simple[to].lazy, target.subs
	}
	return n
}
