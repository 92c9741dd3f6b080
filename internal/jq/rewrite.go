package jq

import (
	"errors"
	"reflect"
	"unsafe"
)

// errLayout stands for compiled code that lies in memory in another way than that of
// gojq v0.12.20.
var errLayout = errors.New("the code of this version of gojq is not known")

// function is a function of gojq that is written in Go. It returns an error as its value.
type function = func(v any, args []any) any

// goCalls puts what edit returns in place of each Go function that the code calls.
// The code is a *gojq.Code, whose instructions hold such a call as an array of the
// function, the number of its arguments and its name. The error is that of edit, or
// errLayout when the code looks different; calls before that place are edited then.
//
// Source: https://github.com/itchyny/gojq/blob/v0.12.20/compiler.go and code.go, read
// 2026-11.
func goCalls(code any, edit func(name string, f function) (function, error)) error {
	codes, ok := instructionsOf(code)
	if !ok {
		return errLayout
	}
	for i := range codes.Len() {
		if codes.Index(i).IsNil() {
			return errLayout
		}
		operand := (*any)(unsafe.Pointer(codes.Index(i).Elem().FieldByName("v").UnsafeAddr()))
		call, ok := (*operand).([3]any)
		if !ok {
			continue
		}
		f, isFunction := call[0].(function)
		name, isName := call[2].(string)
		if !isFunction || !isName {
			return errLayout
		}
		f, err := edit(name, f)
		if err != nil {
			return err
		}
		call[0] = f
		*operand = call
	}
	return nil
}

// instructionsOf returns the slice of pointers to instructions, each with its operand in
// a field v of the type any.
func instructionsOf(code any) (codes reflect.Value, ok bool) {
	v := reflect.ValueOf(code)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return codes, false
	}
	codes = v.Elem().FieldByName("codes")
	if codes.Kind() != reflect.Slice || codes.Type().Elem().Kind() != reflect.Pointer || codes.Type().Elem().Elem().Kind() != reflect.Struct {
		return codes, false
	}
	operand, ok := codes.Type().Elem().Elem().FieldByName("v")
	return codes, ok && operand.Type == reflect.TypeFor[any]()
}
