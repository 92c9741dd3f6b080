package faultmatrix_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/port/porttest"
)

// mover holds three runs to the truth: one in which the workspace changes, and two in
// which it does not.
type mover struct {
	checker
	*truth
	begin  catalog // what the first request could see
	change change
	output string
}

// ours is true for an entity that the program has written last.
func ours(e porttest.Entity) bool { return strings.Contains(e.Datasource, "/"+identifier+"/") }

// once runs the program, and checks what is true of every run.
func (m *mover) once(name string) {
	before := len(m.faults)
	m.run = m.w.run()
	m.after = catalogOf(m.w.port)
	m.checkCounts()
	m.checkForms()
	m.checkPage()
	m.checkEnd()
	m.output += fmt.Sprintf("--- %s\n%s", name, m.run.stdout)
	m.label(before, name)
}

// label says of new faults in which run they are.
func (m *mover) label(from int, name string) {
	for i := from; i < len(m.faults); i++ {
		m.faults[i] = name + ": " + m.faults[i]
	}
}

// changing is the run in which the workspace changes.
func (m *mover) changing() {
	m.once("the run")
	from := len(m.faults)
	for ref, was := range m.good.before {
		is, there := m.after[ref]
		start, atStart := m.begin[ref]
		end, atEnd := m.end[ref]
		switch {
		case !there && atStart && atEnd:
			m.errorf("%s is deleted, and its object was there all the time", ref)
		case !there && !ours(was):
			m.errorf("%s is deleted, and is not ours", ref)
		case there && atStart && atEnd:
			m.checkFields(ref, is, was, start, end)
		}
	}
	for ref, is := range m.after {
		start, atStart := m.begin[ref]
		end, atEnd := m.end[ref]
		if _, was := m.good.before[ref]; was {
			continue
		}
		if !atStart && !atEnd {
			m.errorf("%s is made, and has no object", ref)
			continue
		}
		m.checkFields(ref, is, porttest.Entity{}, start, end)
	}
	m.checkTold(func(ref string) bool { return m.begin.has(ref) || m.end.has(ref) })
	m.label(from, "the run")
}

// checkFields checks that each field is as one of the states has it. A state without
// an identifier is none: it was not there yet, or is not any more.
func (m *mover) checkFields(ref string, is porttest.Entity, states ...porttest.Entity) {
	got, names := fieldsOf(is), map[string]bool{}
	var of []map[string]any
	for _, state := range append(states, is) {
		fields := fieldsOf(state)
		for name := range fields {
			names[name] = true
		}
		if state.Identifier != "" {
			of = append(of, fields)
		}
	}
	of = of[:len(of)-1] // without is
	for name := range names {
		if !slices.ContainsFunc(of, func(fields map[string]any) bool { return cmp.Equal(fields[name], got[name]) }) {
			m.errorf("%s: %s is %v, which it never was", ref, name, got[name])
		}
	}
}

func fieldsOf(e porttest.Entity) map[string]any {
	all := map[string]any{"title": e.Title, "datasource": e.Datasource, "team": e.Team, "icon": e.Icon}
	for name, v := range e.Properties {
		all["properties."+name] = v
	}
	for name, v := range e.Relations {
		all["relations."+name] = v
	}
	return all
}

// checkTold checks that what is ours and has no object stays only where the report says so.
func (m *mover) checkTold(there func(ref string) bool) {
	kept := map[string]int{}
	for ref, is := range m.after {
		if ours(is) && !there(ref) {
			blueprint, _, _ := strings.Cut(ref, "/")
			kept[blueprint]++
		}
	}
	for blueprint, n := range kept {
		if told := m.toldOf(blueprint); told < n {
			m.errorf("%d entities of %s have no object and stay, and the report names %d", n, blueprint, told)
		}
	}
}

// toldOf is how many entities of a blueprint the report says are kept, with a reason.
func (m *mover) toldOf(blueprint string) int {
	for _, b := range m.run.report.Blueprints {
		if b.Identifier == blueprint && (b.HeldBy != "" || m.explained(blueprint)) {
			return b.StaleKept
		}
	}
	return 0
}

// explained is true when a problem says why entities of a blueprint are not deleted.
func (m *mover) explained(blueprint string) bool {
	for _, p := range m.run.report.Problems {
		if strings.Contains(p.Message, fmt.Sprintf("of blueprint %q are not deleted", blueprint)) {
			return true
		}
	}
	return false
}

// clean is a run in the world as it is now: then everything is as in a new organization,
// but for what no run may delete.
func (m *mover) clean() {
	between()
	first := m.after
	m.good.before = first
	m.once("the run after")
	from := len(m.faults)
	for ref, should := range m.end {
		is, there := m.after[ref]
		if m.unread[ref] {
			if _, was := first[ref]; was && !there {
				m.errorf("%s is deleted, and no run can know whether its object is gone", ref)
			}
			continue
		}
		if !there {
			m.errorf("%s is not there", ref)
		} else if diff := cmp.Diff(is, should); diff != "" {
			m.errorf("%s is not as it should be (-got +want):\n%s", ref, diff)
		}
	}
	may := append([]string{"page"}, m.change.edit.holds...) // the mapping names a branch which is not there
	if m.change.edit.unread {
		// The identifier of a service does not name its repository: all of them stay, and
		// what they relate to.
		may = append(may, "service", "folder", "repository", "project")
	}
	for ref, is := range m.after {
		if m.end.has(ref) {
			continue
		}
		if blueprint, _, _ := strings.Cut(ref, "/"); !ours(is) || !slices.Contains(may, blueprint) {
			m.errorf("%s is there, and has no object; held by %q", ref, m.heldBy(blueprint))
		}
	}
	m.checkTold(m.end.has)
	if !m.change.edit.unread && m.run.exit != 0 {
		m.errorf("exit status %d, in a world that does not change", m.run.exit)
	}
	m.label(from, "the run after")
}

func (m *mover) heldBy(blueprint string) string {
	for _, b := range m.run.report.Blueprints {
		if b.Identifier == blueprint {
			return b.HeldBy
		}
	}
	return ""
}

// idle is one run more, which has nothing to do.
func (m *mover) idle() {
	between()
	m.good.before = m.after
	m.w.port.ResetJournal()
	m.once("the second run after")
	from := len(m.faults)
	for _, x := range m.w.port.CatalogWrites() {
		m.errorf("%s %s is sent, and nothing has changed", x.Method, x.Path)
	}
	if diff := cmp.Diff(m.after, m.good.before); diff != "" {
		m.errorf("the catalog has changed:\n%s", diff)
	}
	m.label(from, "the second run after")
}
