package port

import (
	"time"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/transport"
)

// wanted are the properties of an entity that are read; a nil one reads all of them, an empty one none.
type wanted map[string]bool

// want is for the named ones alone: none where there are no names.
func want(names []string) wanted {
	w := make(wanted, len(names))
	for _, name := range names {
		w[name] = true
	}
	return w
}

// readRef reads as much of an entity as identifies it.
func readRef(j *transport.JSON) (ref catalog.Ref, err error) {
	_, err = j.Members("", func(name string) error {
		switch name {
		case "identifier":
			return j.Text(name, &ref.Identifier)
		case "blueprint":
			return j.Text(name, &ref.Blueprint)
		}
		return j.Skip()
	})
	return ref, err
}

// readFields returns what reads an entity, with the properties that are wanted.
func readFields(wanted wanted) func(*transport.JSON) (catalog.Fields, error) {
	return func(j *transport.JSON) (f catalog.Fields, err error) {
		e := entity{Fields: &f, wanted: wanted}
		_, err = j.Members("", func(name string) error { return e.read(j, name) })
		f.Identifier = e.identifier
		return f, err
	}
}

// Dated is an entity as Port holds it, when it was made, and when it was last written.
type Dated struct {
	catalog.Fields
	Created, Updated time.Time // zero where Port does not say
}

// readDated returns what reads an entity, with the properties that are wanted, and its times.
func readDated(wanted wanted) func(*transport.JSON) (Dated, error) {
	return func(j *transport.JSON) (d Dated, err error) {
		e := entity{Fields: &d.Fields, wanted: wanted}
		_, err = j.Members("", func(name string) error {
			switch name {
			case "createdAt":
				return readTime(j, name, &d.Created)
			case "updatedAt":
				return readTime(j, name, &d.Updated)
			}
			return e.read(j, name)
		})
		d.Identifier = e.identifier
		return d, err
	}
}

func readTime(j *transport.JSON, name string, into *time.Time) error {
	if j.Kind() == 'n' {
		return j.Skip()
	}
	text := ""
	if err := j.Text(name, &text); err != nil {
		return err
	}
	return into.UnmarshalText([]byte(text))
}

// entity is one that is being read.
type entity struct {
	*catalog.Fields
	identifier string
	wanted     wanted
}

// read reads one member of an entity, as Port answers it.
func (e *entity) read(j *transport.JSON, name string) (err error) {
	switch name {
	case "identifier":
		return j.Text(name, &e.identifier)
	case "title":
		e.Title, err = j.Value()
	case "icon":
		e.Icon, err = j.Value()
	case "team":
		e.Team, err = j.Value()
	case "properties":
		e.Properties, err = readValues(j, name, e.Properties, e.wanted)
	case "relations":
		e.Relations, err = readValues(j, name, e.Relations, nil)
	default:
		err = j.Skip()
	}
	return err
}

// readValues reads the wanted values of an object, besides those that are there.
func readValues(j *transport.JSON, of string, values map[string]any, wanted wanted) (map[string]any, error) {
	if values == nil {
		values = make(map[string]any, len(wanted))
	}
	null, err := j.Members(of, func(name string) (err error) {
		if wanted != nil && !wanted[name] {
			return j.Skip()
		}
		values[name], err = j.Value()
		return err
	})
	if null {
		values = nil
	}
	return values, err
}
