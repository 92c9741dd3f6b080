package gitwire

import "fmt"

// deltaSizes reads the head of a delta: the sizes of its base and of its result.
//
// Source: https://git-scm.com/docs/gitformat-pack#_deltified_representation, read 2026-11.
func deltaSizes(delta []byte) (base, result int64, rest []byte, err error) {
	if base, delta, err = deltaSize(delta); err != nil {
		return 0, 0, nil, err
	}
	result, rest, err = deltaSize(delta)
	return base, result, rest, err
}

func deltaSize(delta []byte) (size int64, rest []byte, err error) {
	for i, b := range delta {
		if i > 7 {
			break
		}
		size |= int64(b&0x7f) << (7 * i)
		if b&0x80 == 0 {
			return size, delta[i+1:], nil
		}
	}
	return 0, nil, fmt.Errorf("%w: the head of a delta", ErrBroken)
}

// applyDelta fills result by the instructions of a delta.
func applyDelta(result, base, delta []byte) error {
	at := 0
	for len(delta) > 0 {
		op := delta[0]
		delta = delta[1:]
		var part []byte
		switch {
		case op&0x80 != 0:
			var offset, size int
			var ok bool
			if offset, size, delta, ok = copied(op, delta); !ok || offset > len(base) || size > len(base)-offset {
				return fmt.Errorf("%w: a delta copies what is not there", ErrBroken)
			}
			part = base[offset : offset+size]
		case op != 0 && int(op) <= len(delta):
			part, delta = delta[:op], delta[op:]
		default:
			return fmt.Errorf("%w: an instruction of a delta", ErrBroken)
		}
		if len(part) > len(result)-at {
			return fmt.Errorf("%w: a delta makes more than its size", ErrBroken)
		}
		at += copy(result[at:], part)
	}
	if at != len(result) {
		return fmt.Errorf("%w: a delta makes less than its size", ErrBroken)
	}
	return nil
}

// copied reads the offset and the size of a copy: the bits of op say which of their bytes
// stand in the delta.
func copied(op byte, delta []byte) (offset, size int, rest []byte, ok bool) {
	for i := range 7 {
		if op>>i&1 == 0 {
			continue
		}
		if len(delta) == 0 {
			return 0, 0, nil, false
		}
		if i < 4 {
			offset |= int(delta[0]) << (8 * i)
		} else {
			size |= int(delta[0]) << (8 * (i - 4))
		}
		delta = delta[1:]
	}
	if size == 0 {
		size = 0x10000
	}
	return offset, size, delta, true
}
