package input

import (
	"errors"
	"io/fs"
)

// given is a text and the name it came from. Nothing is given when from is empty.
type given struct {
	text   string
	from   string
	origin origin
}

func (g given) ok() bool { return g.from != "" }

// value is what is given for one input, or else its default. The functions that take one
// turn it into a field of Config: they report a problem when the text is wrong, and then
// return the zero value.
type value struct {
	given
	id       string
	standard string   // the input's default
	words    []string // the input's
	rep      *report
	readFile func(path string) ([]byte, error) // nil when there are no files
}

// values are those of all inputs of the table, by ID.
type values map[string]value

func (v value) problem(fix, format string, args ...any) {
	v.rep.problem(location(v.id, v.from), fix, format, args...)
}

// lacks reports that the input is useless without another one, unless a problem
// of that one says why it is missing.
func (v value) lacks(other value) {
	if !v.rep.hasProblem(other.id) {
		v.problem("set "+other.id+" too, or remove "+v.id, "it is set without %s", other.id)
	}
}

// cause returns why a file could not be read, without its path.
func cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
