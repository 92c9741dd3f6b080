#!/usr/bin/env bash
# gopkg.in/yaml.v3 v3.0.1 and go.yaml.in/yaml/v4 v4.0.0, Go: a block scalar that is a whole
# document may stand at column 0, and ends at the marker of the next document. yaml.v3 takes
# nothing of it, v4 takes the marker and the next document as its text;
# github.com/goccy/go-yaml v1.19.2 reads it as YAML 1.2 has it (example 9.5 of the
# specification is of this kind). None of them gives an error.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
go mod init finding 2>/dev/null
go get gopkg.in/yaml.v3@v3.0.1 go.yaml.in/yaml/v4@v4.0.0 github.com/goccy/go-yaml@v1.19.2 2>/dev/null
cat > main.go <<'GO'
package main

import (
	"fmt"
	"strings"

	goccy "github.com/goccy/go-yaml"
	v4 "go.yaml.in/yaml/v4"
	v3 "gopkg.in/yaml.v3"
)

type decoder interface{ Decode(any) error }

func main() {
	const text = "--- |\nabc\n---\nd: 1\n"
	for name, d := range map[string]decoder{
		"v3": v3.NewDecoder(strings.NewReader(text)), "v4": v4.NewDecoder(strings.NewReader(text)), "goccy": goccy.NewDecoder(strings.NewReader(text)),
	} {
		var first any
		err := d.Decode(&first)
		fmt.Printf("%s: %q %v\n", name, first, err)
	}
}
GO
seen="$(go run . | sort)"
printf '%s\n' "$seen"
[[ "$seen" == $'goccy: "abc\\n" <nil>\nv3: "" <nil>\nv4: "abc\\n---\\nd: 1\\n" <nil>' ]]
