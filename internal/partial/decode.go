package partial

import (
	"encoding/json"

	"port-bitbucket-exporter/internal/reach"
)

// whole are the Paths of a value of which all matters.
var whole = &reach.Paths{Whole: true}

// maxHeld bounds the members that a Decoder holds room for between two values.
const maxHeld = 1 << 10

// Decoder makes values. It is not safe for concurrent use. The zero value remembers nothing from
// one value to the next.
type Decoder struct {
	keys, strings, numbers *kept
	// members and elements are those of the objects and arrays that are being read.
	members  []member
	elements []any
	scratch  []byte
}

type member struct {
	key   string
	value any
}

// NewDecoder returns a decoder for many objects of one kind: it remembers short texts, since such
// objects have the same keys, and largely the same people, states and links.
func NewDecoder() *Decoder {
	return &Decoder{keys: &kept{}, strings: &kept{}, numbers: &kept{}}
}

// Value returns what matters of a value, as reach.Paths.Project does; all of it for nil.
func (d *Decoder) Value(text Text, p *reach.Paths) any {
	if p == nil {
		p = whole
	}
	w := walk{Decoder: d, text: text}
	v := w.value(p)
	d.release()
	return v
}

// release lets go of what was made, and of much room.
func (d *Decoder) release() {
	if cap(d.members) > maxHeld || cap(d.elements) > maxHeld {
		d.members, d.elements = nil, nil
	}
	if cap(d.scratch) > maxHeld*maxKept {
		d.scratch = nil
	}
	clear(d.members[:cap(d.members)])
	clear(d.elements[:cap(d.elements)])
}

// walk is a way through a text.
type walk struct {
	*Decoder
	text Text
	at   int
}

// value reads the value that begins here, of which p matters; for nil its kind alone.
func (w *walk) value(p *reach.Paths) any {
	begin := w.at
	switch w.text[begin] {
	case '{':
		return w.object(p)
	case '[':
		return w.array(p)
	}
	w.skip()
	text := w.text[begin:w.at]
	switch text[0] {
	case '"':
		return w.strings.value(w.unquote(text), asString)
	case 't':
		return true
	case 'f':
		return false
	case 'n':
		return nil
	}
	return w.numbers.value(text, asNumber)
}

func asString(s string) any { return s }
func asNumber(s string) any { return json.Number(s) }

func (w *walk) object(p *reach.Paths) any {
	all := p != nil && (p.Whole || p.Each != nil)
	if !all && (p == nil || len(p.Keys) == 0) {
		w.skip()
		return map[string]any{}
	}
	first := len(w.members)
	for more := w.open('}'); more; more = w.more() {
		begin := w.at
		w.skip()
		name := w.unquote(w.text[begin:w.at])
		below, matters := whole, true
		if !all {
			below, matters = p.Keys[string(name)]
		}
		key := ""
		if matters {
			key, _ = w.keys.value(name, asString).(string)
		}
		w.space()
		w.at++ // the colon
		w.space()
		if !matters {
			w.skip()
			continue
		}
		value := w.value(below)
		w.members = append(w.members, member{key, value})
	}
	made := make(map[string]any, len(w.members)-first)
	for _, m := range w.members[first:] {
		made[m.key] = m.value
	}
	w.members = w.members[:first]
	return made
}

func (w *walk) array(p *reach.Paths) any {
	all := p != nil && (p.Whole || len(p.Keys) > 0)
	if !all && (p == nil || p.Each == nil) {
		w.skip()
		return []any{}
	}
	below := whole
	if !all {
		below = p.Each
	}
	first := len(w.elements)
	for more := w.open(']'); more; more = w.more() {
		value := w.value(below)
		w.elements = append(w.elements, value)
	}
	made := make([]any, len(w.elements)-first)
	copy(made, w.elements[first:])
	w.elements = w.elements[:first]
	return made
}

// open goes into an object or an array, and reports whether there is anything in it. If not,
// it goes after it.
func (w *walk) open(end byte) bool {
	w.at++
	w.space()
	if w.text[w.at] == end {
		w.at++
		return false
	}
	return true
}

// more goes after a comma, and reports true, or after the end of the object or array.
func (w *walk) more() bool {
	w.space()
	w.at++
	if w.text[w.at-1] != ',' {
		return false
	}
	w.space()
	return true
}
