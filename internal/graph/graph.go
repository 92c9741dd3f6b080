// Package graph finds groups and paths in small directed graphs.
package graph

import "slices"

// Components returns the groups of a directed graph whose members lead to each other;
// most have one member. A group comes after all groups that it leads to; its members
// are sorted. Targets are the vertices that each vertex leads to.
func Components(targets [][]int) [][]int {
	t := tarjan{targets: targets, number: make([]int, len(targets)), low: make([]int, len(targets)), open: make([]bool, len(targets))}
	for v := range targets {
		if t.number[v] == 0 {
			t.visit(v)
		}
	}
	return t.groups
}

// tarjan is Tarjan's algorithm. Numbers are those of the first visit, from 1.
type tarjan struct {
	targets     [][]int
	number, low []int
	open        []bool // on the stack
	stack       []int
	count       int
	groups      [][]int
}

func (t *tarjan) visit(v int) {
	t.count++
	t.number[v], t.low[v] = t.count, t.count
	t.stack, t.open[v] = append(t.stack, v), true
	for _, to := range t.targets[v] {
		if t.number[to] == 0 {
			t.visit(to)
		}
		if t.open[to] {
			t.low[v] = min(t.low[v], t.low[to])
		}
	}
	if t.low[v] != t.number[v] {
		return
	}
	start := len(t.stack) - 1
	for t.stack[start] != v {
		start--
	}
	members := slices.Sorted(slices.Values(t.stack[start:]))
	t.stack = t.stack[:start]
	for _, m := range members {
		t.open[m] = false
	}
	t.groups = append(t.groups, members)
}

// Path returns a shortest way in a directed graph, with both ends, or nil where none
// exists.
func Path(targets [][]int, from, to int) []int {
	before, found := map[int]int{from: from}, from == to
	for queue := []int{from}; len(queue) > 0 && !found; queue = queue[1:] {
		for _, next := range targets[queue[0]] {
			if _, seen := before[next]; !seen {
				before[next] = queue[0]
				queue = append(queue, next)
				found = found || next == to
			}
		}
	}
	if !found {
		return nil
	}
	way := []int{to}
	for v := to; v != from; v = before[v] {
		way = append(way, before[v])
	}
	slices.Reverse(way)
	return way
}
