#!/usr/bin/env bash
# github.com/santhosh-tekuri/jsonschema/v6 v6.0.3, Go: the error of "propertyNames" names the
# wrong place of the value now and then. The bad name "P Q" is at /a/x. Where /a/y is wrong, too,
# the error says /a/y of it in most runs over the same schema and value: it shares its place with
# the validator, which goes on to the next property, in the random order of a map. A program that
# shows users where a name is wrong sends them to a property that may be fine.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
go mod init finding 2>/dev/null
go get github.com/santhosh-tekuri/jsonschema/v6@v6.0.3 2>/dev/null
cat > main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

const schema = `{"properties": {"a": {"properties": {
	"x": {"propertyNames": {"pattern": "^[a-z]$"}},
	"y": {"type": "string"}}}}}`

func main() {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("s.json", document); err != nil {
		panic(err)
	}
	s := c.MustCompile("s.json")
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"a": {"x": {"P Q": 1}, "y": 1}}`))
	if err != nil {
		panic(err)
	}
	places := map[string]bool{}
	var look func(e *jsonschema.ValidationError)
	look = func(e *jsonschema.ValidationError) {
		if _, ok := e.ErrorKind.(*kind.PropertyNames); ok {
			places["/"+strings.Join(e.InstanceLocation, "/")] = true
		}
		for _, cause := range e.Causes {
			look(cause)
		}
	}
	for range 500 {
		var e *jsonschema.ValidationError
		if errors.As(s.Validate(value), &e) {
			look(e)
		}
	}
	fmt.Println("said to be at /a/x:", places["/a/x"], "and at /a/y:", places["/a/y"])
}
GO
seen="$(go run .)"
printf '%s\n' "$seen"
[[ "$seen" == "said to be at /a/x: true and at /a/y: true" ]]
