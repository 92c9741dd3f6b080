package inventory

import "port-bitbucket-exporter/internal/catalog"

// Entity is what the run did with one entity.
type Entity struct {
	// Results has one result for each entry of the mapping that produced the entity; the
	// last one comes last. It is empty for an entity that a search query found.
	Results []Result `json:",omitempty"`
	Source  string   `json:",omitempty"` // the key of the Source of the last result
	Title   uint64   `json:",omitempty"` // a hash of the title; 0 for none
	Flags
	// What follows is for the load alone.
	Touched   bool `json:"-"` // written, or perhaps: what Port stored is not known any more
	CountedBy int  `json:"-"` // the Index of the resource that counted it; 0 for none
	Created   bool `json:"-"` // it was counted as created
}

// Result is the last of what one entry produced for an entity.
type Result struct {
	Entry   Entry
	Address string `json:",omitempty"` // of the web page, or the path, of the object
	// What follows is for the load alone.
	Digest   catalog.Digest `json:"-"`
	Rejected bool           `json:"-"` // Port holds nothing of it
}

// Entry names an entry of the mapping.
type Entry struct {
	Resource int // Index of the resource
	Number   int // among the entries of the resource, from 0
}

// Flags are what is known of an entity at once, without reading what the run did with it.
type Flags struct {
	Fresh   bool `json:",omitempty"` // Port is not known to have held it when the run began
	Written bool `json:",omitempty"` // Port has taken it from this run
	Counted bool `json:",omitempty"` // Port is known to hold it at the end
	Updated bool `json:",omitempty"` // Port held it when the run began, and has taken a change
	Listed  bool `json:"-"`          // MarkListed was called for it
	Stored  bool `json:"-"`          // Port stored it when the run began
}

// pack returns the flags as the table has them.
func (f Flags) pack() (packed byte) {
	for i, is := range [...]bool{f.Fresh, f.Written, f.Counted, f.Updated, f.Listed, f.Stored} {
		packed |= truth(is) << i
	}
	return packed
}

func unpack(packed byte) Flags {
	is := func(bit int) bool { return packed>>bit&1 != 0 }
	return Flags{Fresh: is(0), Written: is(1), Counted: is(2), Updated: is(3), Listed: is(4), Stored: is(5)}
}

// Kept is an entity, and what the run did with it.
type Kept struct {
	Ref catalog.Ref
	Entity
}

// MadeBy reports whether an entry gave one of the entity's results.
func (e *Entity) MadeBy(entry Entry) bool {
	for _, r := range e.Results {
		if r.Entry == entry {
			return true
		}
	}
	return false
}

// truth is a bool as a varint.
func truth(b bool) byte {
	if b {
		return 1
	}
	return 0
}
