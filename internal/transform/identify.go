package transform

import (
	"context"
	"encoding/json"
	"slices"
)

// Identify returns the identifier that an entry of mappings gives to an object, whatever
// the selector says about the object. ok is false when the identifier is not a text, when
// the expression raises an error, and with itemsToParse, where an object has as many
// identifiers as elements. Identify may change the object.
func (p *Program) Identify(ctx context.Context, entry int, object map[string]any) (identifier string, ok bool) {
	x := p.entries[entry].identifier.expr
	if p.items != nil || x == nil || x.code == nil && !x.constant {
		return "", false
	}
	e := newEvaluator(ctx, &p.alone)
	defer e.close()
	got, err := e.value(x, object)
	identifier, text := got.(string)
	return identifier, err == nil && text
}

// The texts and numbers of made-up objects, one for each variant. No two of them begin
// or end alike, and they differ in length: what identifiers made of them have in common
// does not come from them. The texts are paths, with a name behind a slash.
var (
	madeUpTexts   = []string{"qzvk/wfqw", "jxhbpt/nsrlp", "Mfu/gd"}
	madeUpNumbers = []json.Number{"271828183", "958741659", "46"}
)

// Variants is how many variants MadeUp has.
const Variants = 3

// MadeUpNumber is the number that stands in a variant of MadeUp.
func MadeUpNumber(variant int) string { return madeUpNumbers[variant].String() }

// MadeUp returns an object of a kind as Bitbucket documents it, in which every text,
// number and flag is made up, and what may have any shape is null; nil for an unknown kind.
func MadeUp(kind string, variant int) map[string]any {
	s := shapes[kind]
	if s == nil {
		return nil
	}
	object, _ := s.madeUp(variant).(map[string]any)
	return object
}

func (s *shape) madeUp(variant int) any {
	switch s.form {
	case textForm:
		return madeUpTexts[variant]
	case numberForm:
		return madeUpNumbers[variant]
	case flagForm:
		return variant == 0
	case listForm:
		return slices.Repeat([]any{s.of.madeUp(variant)}, variant+1)
	case objectForm:
		o := map[string]any{}
		for name, field := range s.fields {
			o[name] = field.madeUp(variant)
		}
		return o
	}
	return nil
}
