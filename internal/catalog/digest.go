package catalog

import (
	"crypto/sha256"
	"encoding/json"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Digest is a canonical hash of an entity's fields. Title and team stand apart,
// since Port's schema has no null for them: an entity without one leaves what
// Port holds, where entities are merged.
type Digest struct {
	title, team slot
	rest        [16]byte
}

// slot is the hash of one value: zero when it is not there, and blank when it says
// nothing, such as a title that is the identifier.
type slot [8]byte

var blank = slot{1}

// Digester makes digests of the fields that a mapping names. It is safe for
// concurrent use.
type Digester struct {
	keys Keys
	all  bool
}

// NewDigester compares by the given keys.
func NewDigester(k Keys) *Digester { return &Digester{keys: k} }

// NewFullDigester compares by every key that is there, since the entity replaces
// what Port holds.
func NewFullDigester() *Digester { return &Digester{all: true} }

// Digest is the canonical hash of f. What Port writes in another way counts as
// the same: null and absent; the order of a to-many relation, and an empty one
// and null; instants, to the millisecond, in whichever time zone; numbers, in
// whichever notation. The icon does not count.
func (d *Digester) Digest(f Fields) Digest {
	var sum Digest
	if d.all || d.keys.Title {
		sum.title = titleSlot(f)
	}
	if d.all || d.keys.Team {
		sum.team = teamSlot(f)
	}
	w := &canonical{h: sha256.New()}
	for _, k := range d.names(d.keys.Properties, f.Properties) {
		w.field("p:"+k, f.Properties[k], false)
	}
	for _, k := range d.names(d.keys.Relations, f.Relations) {
		w.field("r:"+k, f.Relations[k], true)
	}
	copy(sum.rest[:], w.h.Sum(nil))
	return sum
}

// Same says whether writing an entity would change nothing of what Port holds.
func (d *Digester) Same(entity, held Digest) bool {
	return entity.rest == held.rest && entity.title.same(held.title, !d.all) && entity.team.same(held.team, !d.all)
}

func (s slot) same(held slot, merge bool) bool {
	nothing := func(s slot) bool { return s == slot{} || s == blank }
	return s == held || nothing(s) && nothing(held) || merge && s == slot{}
}

// titleSlot takes the identifier for no title: Port gives it to an entity that has none.
func titleSlot(f Fields) slot {
	title, _ := f.Title.(string)
	identifier, named := f.Identifier.(string)
	switch {
	case f.Title == nil:
		return slot{}
	case title == "" || named && title == identifier:
		return blank
	}
	return slotOf(f.Title)
}

func teamSlot(f Fields) slot {
	switch v := asSet(f.Team); {
	case f.Team == nil:
		return slot{}
	case v == nil:
		return blank
	default:
		return slotOf(v)
	}
}

// Same says whether two values of one property are the same to Port, or, with
// related, of one relation; see Digester.Digest.
func Same(a, b any, related bool) bool {
	if related {
		a, b = asSet(a), asSet(b)
	}
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return slotOf(a) == slotOf(b)
}

func slotOf(v any) slot {
	w := &canonical{h: sha256.New()}
	w.value(v)
	var s slot
	copy(s[:], w.h.Sum(nil))
	return s
}

func (d *Digester) names(mapped []string, held map[string]any) []string {
	if !d.all {
		return mapped
	}
	names := make([]string, 0, len(held))
	for k := range held {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

type canonical struct {
	h   hash.Hash
	buf []byte
}

func (w *canonical) field(name string, v any, set bool) {
	if set {
		v = asSet(v)
	}
	if v == nil {
		return
	}
	w.text('k', name)
	w.value(v)
}

// asSet sorts an array of strings; an empty one is nil, and a single string an array of one.
func asSet(v any) any {
	switch v := v.(type) {
	case string:
		return []any{v}
	case []any:
		if len(v) == 0 {
			return nil
		}
		sorted := slices.Clone(v)
		slices.SortFunc(sorted, func(a, b any) int {
			s, _ := a.(string)
			t, _ := b.(string)
			return strings.Compare(s, t)
		})
		return slices.CompactFunc(sorted, func(a, b any) bool {
			s, ok := a.(string)
			t, also := b.(string)
			return ok && also && s == t
		})
	}
	return v
}

func (w *canonical) value(v any) {
	switch v := v.(type) {
	case nil:
		w.text('z', "")
	case bool:
		w.text('b', strconv.FormatBool(v))
	case string:
		w.text('s', instant(v))
	case []any:
		w.text('a', strconv.Itoa(len(v)))
		for _, e := range v {
			w.value(e)
		}
	case map[string]any:
		w.object(v)
	default:
		w.text('n', number(v))
	}
}

func (w *canonical) object(m map[string]any) {
	keys := make([]string, 0, len(m))
	for k, v := range m {
		if v != nil {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	w.text('o', strconv.Itoa(len(keys)))
	for _, k := range keys {
		w.text('k', k)
		w.value(m[k])
	}
}

func (w *canonical) text(kind byte, s string) {
	if !utf8.ValidString(s) {
		s = string([]rune(s)) // as JSON carries it
	}
	w.buf = append(w.buf[:0], kind)
	w.buf = strconv.AppendInt(w.buf, int64(len(s)), 10)
	w.buf = append(w.buf, ':')
	w.h.Write(w.buf)
	io.WriteString(w.h, s)
}

// instant writes a date and time with zone in one way, and leaves every other
// string as it is.
func instant(s string) string {
	// time.Parse alone would also take an hour of one digit, and a comma before the fraction.
	if len(s) < len("2006-01-02T15:04:05Z") || s[4] != '-' || s[10] != 'T' || s[13] != ':' || s[19] == ',' {
		return s
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return s
	}
	return t.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano)
}

// number writes a JSON number in one way: its digits without zeros at either end,
// and an exponent. 1, 1.0 and 1e0 are the same, and so are 0 and -0.
func number(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	mantissa, exp, _ := strings.Cut(strings.ToLower(string(text)), "e")
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0"
	}
	power := int64(0)
	if exp != "" {
		if power, err = strconv.ParseInt(exp, 10, 32); err != nil {
			return string(text)
		}
	}
	short := strings.TrimRight(digits, "0")
	power += int64(len(digits) - len(short) - len(fraction))
	if negative {
		short = "-" + short
	}
	return short + "e" + strconv.FormatInt(power, 10)
}
