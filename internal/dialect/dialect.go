// Package dialect gives jq expressions that gojq runs the meaning that they have in libjq
// 1.8.2, which Port's own integration runs. What gojq does otherwise is changed in three
// places: in the syntax tree (Rewrite), by definitions that stand in front of it (also
// Rewrite), and in the functions of gojq that are written in Go (Function).
//
// One difference stays: gojq keeps no order of the keys of an object.
//
// Source of what libjq does: recorded answers of jq 1.8.2 with Oniguruma 6.9.8, which the
// tests of the package jq hold.
package dialect

import (
	"encoding/json"
	"math"
	"reflect"

	"github.com/itchyny/gojq"
)

// Function returns what a compiled expression calls in place of a function of gojq:
// next, or another function that may call it. Its errors carry the text that libjq has for
// them, which an expression sees when it catches one.
func Function(name string, next Callable) Callable {
	called := next
	if replace, ok := replacements[name]; ok {
		called = replace(next)
	}
	return func(v any, args []any) any {
		got := called(v, args)
		if err, failed := got.(error); failed {
			return raised(name, v, args, err)
		}
		return got
	}
}

// Rewrite returns a copy of a syntax tree that gojq gives the meaning which libjq gives the
// tree. It needs the functions of Options, and those of gojq replaced by Function.
func Rewrite(tree *gojq.Query) *gojq.Query {
	if tree == nil {
		return nil
	}
	copied := clone(reflect.ValueOf(tree)).Interface().(*gojq.Query)
	var r rewriter
	r.walk(reflect.ValueOf(copied))
	if defs := r.prelude(); len(defs) > 0 {
		copied.FuncDefs = append(defs, copied.FuncDefs...)
	}
	return copied
}

// Options define the functions that rewritten expressions call.
func Options() []gojq.CompilerOption {
	return []gojq.CompilerOption{
		gojq.WithFunction("_literal", 1, 1, func(_ any, args []any) any {
			text, _ := args[0].(string)
			return json.Number(text)
		}),
		gojq.WithFunction("_caught", 0, 0, func(v any, _ []any) any { return caught(v) }),
		gojq.WithFunction("_lgamma_sign", 0, 0, func(v any, _ []any) any {
			f, _ := gojq.ToFloat64(v)
			_, sign := math.Lgamma(f)
			return sign
		}),
	}
}

// replacements hold, by the name of a function of gojq, what makes another one of it.
var replacements map[string]func(next Callable) Callable

func init() {
	replacements = map[string]func(next Callable) Callable{
		"_add": addition, "_subtract": arithmetic, "_multiply": signed, "_divide": signed, "_modulo": arithmetic,
		"_negate": negation, "add": sum,

		"tojson": spelled, "tostring": spelled, "format": spelled, "join": spelled, "_tohtml": spelled, "_touri": spelled,
		"_tocsv": spelled, "_totsv": spelled, "_tosh": spelled, "_tobase64": spelled,
		"_tourid": decodedURI, "_tobase64d": decodedBase64,
		"tonumber": toNumber, "fromjson": fromJSON, "implode": implode,

		"_index": index, "getpath": getPath, "index": search(false), "rindex": search(true), "indices": searchAll,
		"reverse": reverse, "transpose": transpose, "flatten": flatten, "delpaths": deletePaths, "bsearch": always(binarySearch),

		"gmtime": always(gmtime), "mktime": always(mktime), "strftime": strftime, "strptime": always(strptime),
	}
}
