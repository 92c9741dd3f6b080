package state

import (
	"errors"
	"io/fs"
	"iter"
	"slices"
	"sort"
)

// memory is what the folder holds. It is not safe for concurrent use.
type memory struct {
	folder *folder
	keys   *keys
	press  *press
	groups []group
}

// load reads the manifest and proves all files it names: what is in them is of one moment.
// The result says why nothing is known.
func (m *memory) load() (why string) {
	for range 3 { // a run that writes meanwhile removes files that it has just replaced
		var read manifest
		if read, why = readManifest(m.folder, m.keys); why != "" {
			return why
		}
		err := read.prove(m.folder, m.keys)
		if err == nil {
			m.groups = read.Groups
			return ""
		}
		read.close()
		if why = damaged(err); !errors.Is(err, fs.ErrNotExist) {
			return why
		}
	}
	return why
}

// prove opens the segments. They are one run older than they were.
func (m manifest) prove(f *folder, k *keys) error {
	for _, g := range m.Groups {
		for _, s := range g {
			if err := s.prove(f, k); err != nil {
				return err
			}
			for i, age := range s.Ages {
				s.Ages[i] = age + min(1, 255-age)
			}
		}
	}
	return nil
}

func (m manifest) close() {
	for _, g := range m.Groups {
		for _, s := range g {
			s.close()
		}
	}
}

// close lets go of the files.
func (m *memory) close() error {
	manifest{m.groups}.close()
	m.groups = nil
	return m.folder.close()
}

// find returns what is sealed under an index, valid until the next change, and marks it as
// used.
func (m *memory) find(i index) (sealed []byte, ok bool) {
	for _, g := range slices.Backward(m.groups) {
		at := sort.Search(len(g), func(n int) bool { return g[n].Last.compare(i) >= 0 })
		if at == len(g) {
			continue
		}
		if sealed, ok = g[at].find(i); ok {
			return sealed, true
		}
	}
	return nil, false
}

// add writes sealed values, in one step: a kill leaves all of them or none.
func (m *memory) add(values map[index][]byte) error {
	var size int64
	fresh := make([]entry, 0, len(values))
	for i, sealed := range values {
		e := entry{i, 0, sealed}
		fresh, size = append(fresh, e), size+e.room()
	}
	slices.SortFunc(fresh, func(a, b entry) int { return a.index.compare(b.index) })
	return m.merge(suffix(append(m.sizes(), size), false)-1, fresh)
}

// finish writes what was used. It merges groups, and forgets what was used longest ago so
// that all files together have no more than limit bytes.
func (m *memory) finish(limit int64) error {
	n := suffix(m.sizes(), true)
	if n < 2 {
		n = 0
	}
	if err := m.merge(n, nil); err != nil {
		return err
	}
	for room := limit - limit/4; ; room -= room / 4 {
		size, err := m.size()
		if err != nil || size <= limit || len(m.groups) == 0 {
			return err
		}
		if err := m.forget(room); err != nil {
			return err
		}
	}
}

// forget keeps what was used last, of about so many bytes.
func (m *memory) forget(room int64) error {
	var live [256]int64
	for e := range merged(entriesOf(m.groups)) {
		live[e.age] += e.room()
	}
	g, err := m.press.group(youngest(merged(entriesOf(m.groups)), live, room))
	if err != nil {
		return err
	}
	return m.commit([]group{g})
}

// merge makes one group of the last n and fresh entries.
func (m *memory) merge(n int, fresh []entry) error {
	keep := m.groups[:len(m.groups)-n]
	groups := slices.Clip(keep)
	if n > 0 || len(fresh) > 0 {
		sources := append(entriesOf(m.groups[len(keep):]), slices.Values(fresh))
		g, err := m.press.group(merged(sources))
		if err != nil {
			return err
		}
		groups = append(groups, g)
	}
	return m.commit(groups)
}

// commit makes groups the memory, in one step, and removes the files of those that it
// replaces. After an error the memory is what it was.
func (m *memory) commit(groups []group) error {
	groups = slices.DeleteFunc(groups, func(g group) bool { return len(g) == 0 })
	old, next := manifest{m.groups}, manifest{groups}
	text, err := next.seal(m.keys)
	if err == nil {
		err = m.folder.write(manifestName, text)
	}
	if err != nil {
		m.folder.remove(next.without(old))
		return err
	}
	m.groups = groups
	old.without(next)
	m.folder.sweep(next.names())
	return nil
}

// without closes the segments that are not in another manifest, and returns their names.
func (m manifest) without(other manifest) (names []string) {
	kept := other.names()
	for _, g := range m.Groups {
		for _, s := range g {
			if !kept[s.Name] {
				s.close()
				names = append(names, s.Name)
			}
		}
	}
	return names
}

func entriesOf(groups []group) (all []iter.Seq[entry]) {
	for _, g := range groups {
		all = append(all, g.entries())
	}
	return all
}

func (m *memory) sizes() (all []int64) {
	for _, g := range m.groups {
		all = append(all, g.size())
	}
	return all
}

// size of all files, in bytes.
func (m *memory) size() (bytes int64, err error) {
	text, err := manifest{m.groups}.seal(m.keys)
	bytes = int64(len(text))
	for _, s := range m.sizes() {
		bytes += s
	}
	return bytes, err
}
