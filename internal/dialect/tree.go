package dialect

import (
	"fmt"
	"reflect"

	"github.com/itchyny/gojq"
)

// Walk calls f for every node of a syntax tree, from the outside in: a *gojq.Query, a
// *gojq.Term, a *gojq.Func and so on.
func Walk(tree *gojq.Query, f func(node any)) {
	visit(reflect.ValueOf(tree), func(node any) bool {
		f(node)
		return true
	}, nil)
}

// visit calls enter for each node, from the outside in, and leave behind what is in it,
// unless leave is nil. Where enter returns false, neither is called for what is inside.
func visit(v reflect.Value, enter func(node any) bool, leave func(node any)) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || !enter(v.Interface()) {
			return
		}
		visit(v.Elem(), enter, leave)
		if leave != nil {
			leave(v.Interface())
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			visit(field, enter, leave)
		}
	case reflect.Slice:
		for i := range v.Len() {
			visit(v.Index(i), enter, leave)
		}
	}
}

func clone(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		made := reflect.New(v.Type().Elem())
		made.Elem().Set(clone(v.Elem()))
		return made
	case reflect.Struct:
		made := reflect.New(v.Type()).Elem()
		for i := range v.NumField() {
			made.Field(i).Set(clone(v.Field(i)))
		}
		return made
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		made := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			made.Index(i).Set(clone(v.Index(i)))
		}
		return made
	}
	return v
}

// Assigns reports whether an operator is one of the assignments.
func Assigns(op gojq.Operator) bool {
	switch op {
	case gojq.OpAssign, gojq.OpModify, gojq.OpUpdateAdd, gojq.OpUpdateSub, gojq.OpUpdateMul, gojq.OpUpdateDiv, gojq.OpUpdateMod, gojq.OpUpdateAlt:
		return true
	}
	return false
}

// Check returns an error for what gojq compiles and libjq does not: a constant as the key of
// an object that is not text.
func Check(tree *gojq.Query) (err error) {
	Walk(tree, func(node any) {
		if err != nil {
			return
		}
		switch n := node.(type) {
		case *gojq.ObjectKeyVal:
			err = checkKey(n.KeyQuery)
		case *gojq.PatternObject:
			err = checkKey(n.KeyQuery)
		}
	})
	return err
}

func checkKey(q *gojq.Query) error {
	if q == nil || q.Term == nil || len(q.Term.SuffixList) > 0 {
		return nil
	}
	switch q.Term.Type {
	case gojq.TermTypeNumber, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNull, gojq.TermTypeArray, gojq.TermTypeObject:
		return fmt.Errorf("a key of an object is a text, and %s is none: write %q", q, q.String())
	}
	return nil
}
