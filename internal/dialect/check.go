package dialect

import (
	"fmt"
	"reflect"

	"github.com/itchyny/gojq"
)

// Check returns an error for what gojq compiles and libjq does not: a constant as the key of
// an object that is no text.
func Check(tree *gojq.Query) (err error) {
	r := checker{}
	r.walk(reflect.ValueOf(tree))
	return r.err
}

type checker struct{ err error }

func (c *checker) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		switch n := v.Interface().(type) {
		case *gojq.ObjectKeyVal:
			c.key(n.KeyQuery)
		case *gojq.PatternObject:
			c.key(n.KeyQuery)
		}
		c.walk(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			c.walk(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.walk(v.Index(i))
		}
	}
}

func (c *checker) key(q *gojq.Query) {
	if q == nil || q.Term == nil || len(q.Term.SuffixList) > 0 || c.err != nil {
		return
	}
	switch q.Term.Type {
	case gojq.TermTypeNumber, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNull, gojq.TermTypeArray, gojq.TermTypeObject:
		c.err = fmt.Errorf("a key of an object is a text, and %s is none: write %q", q, q.String())
	}
}
