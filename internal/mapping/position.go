package mapping

import "strconv"

// Position is a place in a mapping. Line and Column count from 1; Column counts
// characters, not bytes. Line 0 means that the place is not known.
type Position struct {
	File         string
	Line, Column int
}

// String gives `mapping.yml:14:22`, or only the file when the line is not known.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}
