package transform

import (
	"slices"

	"port-bitbucket-exporter/internal/reach"
)

// place is where a value can come from: a place in the object, or an array that the
// expression makes of values that come from places in it.
type place struct {
	at       *reach.Paths // nil for an array
	elements places       // of the array
}

// places are where one value can come from. Any other value that it can be was made from
// what counts as read already.
type places []*place

// maxPlaces bounds the places of one value.
const maxPlaces = 64

// array returns the place of an array of such elements.
func array(of places) places {
	if len(of) == 0 {
		return nil
	}
	return places{{elements: of}}
}

// read marks places of which anything may matter.
func (ps places) read() {
	for _, p := range ps {
		if p.at != nil {
			p.at.Whole = true
		}
		p.elements.read()
	}
}

// test marks places of which it matters whether something is there, and of which type it is:
// what counts as true follows from that, and what is neither an object nor an array is read as it is.
func (ps places) test() places {
	for _, p := range ps {
		if p.at != nil {
			p.at.There = true
		}
	}
	return ps
}

// each returns the places of the elements of a value. How many there are then matters.
func (ps places) each() places {
	var all places
	for _, p := range ps {
		if p.at != nil {
			all = append(all, &place{at: p.at.Elements()})
		}
		all = append(all, p.elements...)
	}
	return union(all)
}

func union(all ...places) places {
	var one places
	for _, p := range slices.Concat(all...) {
		if !slices.ContainsFunc(one, func(other *place) bool { return p == other || p.at != nil && p.at == other.at }) {
			one = append(one, p)
		}
	}
	if len(one) > maxPlaces {
		one.read()
		return nil
	}
	return one
}
