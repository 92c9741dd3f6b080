#!/usr/bin/env bash
# gopkg.in/yaml.v3 v3.0.1 and go.yaml.in/yaml/v4 v4.0.0, Go: a file that says it is YAML 1.2,
# in its first line, is refused as an "incompatible YAML document", though v4 reads numbers
# by 1.2 in part, and 1.2 has a reader of 1.1 read on with a warning. A reserved directive,
# which a reader is to ignore with a warning, is refused as well.
# github.com/goccy/go-yaml v1.19.2 reads both.
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

	goccy "github.com/goccy/go-yaml"
	v4 "go.yaml.in/yaml/v4"
	v3 "gopkg.in/yaml.v3"
)

func main() {
	for _, text := range []string{"%YAML 1.2\n---\na: b\n", "%FOO bar\n---\na: b\n"} {
		var a, b, c any
		fmt.Println(v3.Unmarshal([]byte(text), &a))
		fmt.Println(v4.Unmarshal([]byte(text), &b))
		err := goccy.Unmarshal([]byte(text), &c)
		fmt.Println(c, err)
	}
}
GO
seen="$(go run .)"
printf '%s\n' "$seen"
[[ "$seen" == $'yaml: found incompatible YAML document\nyaml: line 1: found incompatible YAML document\nmap[a:b] <nil>\nyaml: found unknown directive name\nyaml: line 1: found unknown directive name\nmap[a:b] <nil>' ]]
