package resync

import (
	"strings"

	"port-bitbucket-exporter/internal/transform"
)

// span is what the identifiers of all objects of one source have in common. The zero
// span covers every identifier.
type span struct {
	prefix, suffix string
	// exact is true when all identifiers are the same: the prefix.
	exact bool
	// number is true when they differ only in a number.
	number bool
}

// spanOf finds what identifiers made of the variants of a made-up object have in common.
func spanOf(ids [transform.Variants]string) span {
	s := span{prefix: ids[0], suffix: ids[0]}
	for _, id := range ids[1:] {
		s.prefix, s.suffix = commonPrefix(s.prefix, id), commonSuffix(s.suffix, id)
	}
	if s.prefix == ids[0] && ids[0] == ids[1] && ids[1] == ids[2] {
		return span{prefix: ids[0], exact: true}
	}
	for _, id := range ids { // they may overlap in the shortest one
		s.suffix = s.suffix[max(0, len(s.prefix)+len(s.suffix)-len(id)):]
	}
	s.number = true
	for i, id := range ids {
		s.number = s.number && s.middle(id) == transform.MadeUpNumber(i)
	}
	return s
}

func (s span) middle(id string) string { return id[len(s.prefix) : len(id)-len(s.suffix)] }

// covers reports whether an identifier may be one of the source's.
func (s span) covers(id string) bool {
	switch {
	case s.exact:
		return id == s.prefix
	case len(id) < len(s.prefix)+len(s.suffix) || !strings.HasPrefix(id, s.prefix) || !strings.HasSuffix(id, s.suffix):
		return false
	}
	return !s.number || isNumber(s.middle(id))
}

// isNumber reports whether a text is a whole number as jq writes it.
func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == "" && (text[0] != '0' || len(text) == 1)
}

func commonPrefix(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

func commonSuffix(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return a[len(a)-n:]
}
