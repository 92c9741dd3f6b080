// Package onig matches text as the regular expressions of jq do: those of the library
// Oniguruma 6.9.10 with its syntax Perl_NG, in UTF-8, which libjq 1.8.2 uses.
//
// Go's package regexp has another language: its \w and [[:alpha:]] know ASCII only, its
// $ does not match before a final line feed, and it has no look-around and no
// back-references. A backtracking matcher has all of these, and can take time that grows
// without limit. Each search therefore counts its steps, and ends with an error when it
// has none left.
//
// What Oniguruma has and this package lacks is refused by Compile with an error of its
// own kind: an expression that compiles means what it means in jq.
//
// Source: https://github.com/kkos/oniguruma/blob/v6.9.10/doc/RE and src/regsyntax.c, read
// 2026-11, and answers of jq 1.8.2.
package onig

// Regexp is a compiled expression. It is not written after Compile, and safe for
// concurrent use.
type Regexp struct {
	program program
	names   []string // of the groups from 1; empty for one without
	options Option
	hint    hint
}

// Compile compiles an expression. SingleLine is always on, as it is in the syntax: (?m)
// in the expression turns it off. The error is an *Error or an *UnsupportedError. The
// program is not larger than a constant times the expression.
func Compile(pattern string, options Option) (*Regexp, error) {
	options |= SingleLine
	tree, p, err := parse(pattern, options)
	if err != nil {
		return nil, err
	}
	if err := tune(tree, p); err != nil {
		return nil, err
	}
	return &Regexp{compile(tree, p.groups), p.nameOf, options, hintOf(tree)}, nil
}

// Names returns the names of the groups, the first of them at 0. A group without has the
// empty name.
func (re *Regexp) Names() []string { return re.names }
