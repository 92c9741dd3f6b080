package dialect

import (
	"slices"

	"github.com/itchyny/gojq"
)

// index is .[x]: a text has no members by number, and null none by an array.
func index(next Callable) Callable {
	return func(v any, args []any) any {
		if !indexable(args[0], args[1]) {
			return &accessError{args[0], args[1]}
		}
		return next(v, args)
	}
}

func indexable(v, x any) bool {
	switch v.(type) {
	case string:
		return !isNumber(x)
	case nil:
		switch x.(type) {
		case []any, bool, nil:
			return false
		}
	}
	return true
}

// getPath goes down a path. What stops it is looked for before, so that the error names the
// step.
func getPath(next Callable) Callable {
	return func(v any, args []any) any {
		path, _ := args[0].([]any)
		at := v
		for _, step := range path {
			if !indexable(at, step) {
				return &accessError{at, step}
			}
			if !scalar(step) {
				break // a slice, or a search
			}
			below, found := member(at, step)
			if !found {
				return &accessError{at, step}
			}
			at = below
		}
		return next(v, args)
	}
}

// search is index and rindex: a member of an object may be an array of places.
func search(last bool) func(next Callable) Callable {
	return func(next Callable) Callable {
		all := searchAll(next)
		return func(v any, args []any) any {
			if !scalar(v) || v == nil {
				if _, isList := v.([]any); !isList {
					return place(all(v, args), last)
				}
			}
			return next(v, args)
		}
	}
}

func place(found any, last bool) any {
	switch found := found.(type) {
	case nil, error:
		return found
	case []any:
		switch {
		case len(found) == 0:
			return nil
		case last:
			return found[len(found)-1]
		}
		return found[0]
	}
	return &accessError{found, 0}
}

// searchAll is indices: what is neither text nor array is looked up.
func searchAll(next Callable) Callable {
	return func(v any, args []any) any {
		switch o := v.(type) {
		case nil:
			if !indexable(v, args[0]) {
				return &accessError{v, args[0]}
			}
			return nil
		case map[string]any:
			key, ok := args[0].(string)
			if !ok {
				return &accessError{v, args[0]}
			}
			return o[key]
		}
		return next(v, args)
	}
}

func reverse(next Callable) Callable {
	return func(v any, args []any) any {
		if empty(v) {
			return []any{}
		}
		return next(v, args)
	}
}

// transpose takes null for a row without members.
func transpose(next Callable) Callable {
	return func(v any, args []any) any {
		if o, ok := v.(map[string]any); ok && len(o) == 0 {
			return []any{}
		}
		rows, _ := v.([]any)
		if slices.Contains(rows, any(nil)) {
			rows = slices.Clone(rows)
			for i, row := range rows {
				if row == nil {
					rows[i] = []any{}
				}
			}
			v = rows
		}
		return next(v, args)
	}
}

// empty reports whether the length of a value is 0.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case map[string]any:
		return len(v) == 0
	}
	return isNumber(v) && double(v) == 0
}

// flatten looks at its depth only where there is something to flatten.
func flatten(next Callable) Callable {
	return func(v any, args []any) any {
		if _, ok := v.(map[string]any); ok {
			v = members(v)
		}
		if list, ok := v.([]any); ok && len(args) == 1 && above(args[0]) && !slices.ContainsFunc(list, isArray) {
			return v
		}
		return next(v, args)
	}
}

func isArray(v any) bool {
	_, ok := v.([]any)
	return ok
}

// above reports whether a value comes after all numbers.
func above(v any) bool {
	switch v.(type) {
	case string, []any, map[string]any:
		return true
	}
	return false
}

// deletePaths deletes nothing of null.
func deletePaths(next Callable) Callable {
	return func(v any, args []any) any {
		paths, ok := args[0].([]any)
		if v != nil || !ok {
			return next(v, args)
		}
		for _, path := range paths {
			if _, ok := path.([]any); !ok {
				return next(v, args)
			}
		}
		return nil
	}
}

// binarySearch halves the array also when it is not sorted.
func binarySearch(v any, args []any) any {
	list, ok := v.([]any)
	if !ok {
		return errRefused
	}
	start, end := 0, len(list)
	for start < end {
		middle := start + (end-start)/2
		switch order := gojq.Compare(args[0], list[middle]); {
		case order == 0:
			return middle
		case order < 0:
			end = middle
		default:
			start = middle + 1
		}
	}
	return -1 - start
}
