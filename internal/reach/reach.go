// Package reach describes which parts of a JSON value can matter to whoever reads it.
package reach

// Paths are the parts of a value that can matter. Nil Paths are those of a value of which
// nothing matters but that it is there, and whether it is an object, an array or something else.
//
// What is neither an object nor an array matters as it is, wherever Paths come to it. So does an array
// where Keys are read, and an object where Each is: the message of the error that a read of the
// wrong type raises shows the value.
type Paths struct {
	// Whole is true when all of the value matters.
	Whole bool `json:"whole,omitempty"`
	// There is true when it matters by itself whether the value is there, and of which type it
	// is, and not only what is read of it.
	There bool `json:"there,omitempty"`
	// Keys are what matters of an object: whether these keys are there, and that of their values.
	Keys map[string]*Paths `json:"keys,omitempty"`
	// Each is what matters of each element of an array, besides their number and order.
	Each *Paths `json:"each,omitempty"`
}

// At returns what matters at a key, which it adds.
func (p *Paths) At(key string) *Paths {
	if p.Keys == nil {
		p.Keys = map[string]*Paths{}
	}
	if p.Keys[key] == nil {
		p.Keys[key] = &Paths{}
	}
	return p.Keys[key]
}

// Elements returns what matters of each element, which it adds.
func (p *Paths) Elements() *Paths {
	if p.Each == nil {
		p.Each = &Paths{}
	}
	return p.Each
}

// Add adds the whole value at a path of keys.
func (p *Paths) Add(path ...string) {
	for _, key := range path {
		p = p.At(key)
	}
	p.Whole = true
}

// Union returns what matters to any of several readers. It shares nothing with them.
func Union(all ...*Paths) *Paths {
	u := &Paths{}
	for _, p := range all {
		u.add(p)
	}
	return u
}

func (p *Paths) add(q *Paths) {
	if q == nil {
		return
	}
	p.Whole = p.Whole || q.Whole
	p.There = p.There || q.There
	for key, below := range q.Keys {
		p.At(key).add(below)
	}
	if q.Each != nil {
		p.Elements().add(q.Each)
	}
}

// Reach reports whether the value at a path of keys can matter, a part of it, or a value that
// contains it.
func (p *Paths) Reach(path ...string) bool {
	for _, key := range path {
		if p.all() {
			return true
		}
		if p == nil || p.Keys[key] == nil {
			return false
		}
		p = p.Keys[key]
	}
	return true
}

// all reports whether all of an object matters.
func (p *Paths) all() bool { return p != nil && (p.Whole || p.Each != nil) }

// Covers reports whether all that matters to q matters to p too.
func (p *Paths) Covers(q *Paths) bool {
	switch {
	case q == nil || p != nil && p.Whole:
		return true
	case p == nil:
		return !q.Whole && !q.There && len(q.Keys) == 0 && q.Each == nil
	case q.Whole || q.There && !p.There || q.Each != nil && (p.Each == nil || !p.Each.Covers(q.Each)):
		return false
	}
	for key, below := range q.Keys {
		if mine, ok := p.Keys[key]; !ok || !mine.Covers(below) {
			return false
		}
	}
	return true
}

// Project returns a value, made of maps and slices as encoding/json makes them, with nothing
// but what matters. It shares with the value what it leaves whole.
func (p *Paths) Project(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if p.all() {
			return v
		}
		left := map[string]any{}
		if p == nil {
			return left
		}
		for key, below := range p.Keys {
			if member, ok := v[key]; ok {
				left[key] = below.Project(member)
			}
		}
		return left
	case []any:
		if p != nil && (p.Whole || len(p.Keys) > 0) {
			return v
		}
		if p == nil || p.Each == nil {
			return []any{}
		}
		left := make([]any, len(v))
		for i, element := range v {
			left[i] = p.Each.Project(element)
		}
		return left
	}
	return v
}
