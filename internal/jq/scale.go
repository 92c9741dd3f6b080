package jq

import (
	"encoding/json"
	"math/big"
)

// scale weighs values as they would be written out: what is there twice weighs twice,
// since a function that walks through it takes twice as long.
type scale struct {
	left  int // bytes that may still come
	cells int // values weighed
}

// put takes the weight of v from what is left. The error is errRead when v is heavier,
// and errNested or errDigits for a value that is bad at any weight.
func (s *scale) put(v any, depth int) error {
	if depth > maxDepth {
		return errNested
	}
	s.cells++
	s.left -= cell + textOf(v)
	switch v := v.(type) {
	case json.Number, *big.Int:
		if err := number(v); err != nil {
			return err
		}
	case []any:
		for _, member := range v {
			if err := s.put(member, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, member := range v {
			s.left -= len(key)
			if err := s.put(member, depth+1); err != nil {
				return err
			}
		}
	}
	if s.left < 0 {
		return errRead
	}
	return nil
}

// textOf is the length of the text of a value without members, in bytes.
func textOf(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case json.Number:
		return len(v)
	}
	return 0
}

// number returns errDigits for a number that takes long to read, or to write.
func number(v any) error {
	const maxBits = maxDigits * 10 / 3 // log2(10) is a little less than 10/3
	switch v := v.(type) {
	case json.Number:
		if len(v) > maxDigits {
			return errDigits
		}
	case *big.Int:
		if v.BitLen() > maxBits {
			return errDigits
		}
	}
	return nil
}

// weighNumbers looks at the numbers among the arguments themselves: any function may
// read them first, to find their type.
func weighNumbers(v any, args []any) error {
	if err := number(v); err != nil {
		return err
	}
	for _, arg := range args {
		if err := number(arg); err != nil {
			return err
		}
	}
	return nil
}

// weigh is for values that are read as a whole.
func weigh(limit int, values ...any) error {
	s := scale{left: limit}
	for _, v := range values {
		if err := s.put(v, 0); err != nil {
			return err
		}
	}
	return nil
}

// boundProduct is for two values of which each part of one is compared with each part
// of the other.
func boundProduct(a, b any) error {
	left, right := scale{left: maxRead}, scale{left: maxRead}
	if err := left.put(a, 0); err != nil {
		return err
	}
	if err := right.put(b, 0); err != nil {
		return err
	}
	return fitsTime(left.cells*(maxRead-right.left) + right.cells*(maxRead-left.left))
}

func fitsTime(n int) error {
	if n > maxSteps {
		return ErrSlow
	}
	return nil
}
