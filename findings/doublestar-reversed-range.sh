#!/usr/bin/env bash
# github.com/bmatcuk/doublestar/v4 v4.10.4, Go: a range of characters from a later one to an
# earlier one is neither refused nor empty: "[b-a]" matches "b", and not "a". Go's own
# path.Match matches neither; wcmatch and fnmatch of Python match neither.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
go mod init finding 2>/dev/null
go get github.com/bmatcuk/doublestar/v4@v4.10.4 2>/dev/null
cat > main.go <<'GO'
package main

import (
	"fmt"
	"path"

	"github.com/bmatcuk/doublestar/v4"
)

func main() {
	for _, name := range []string{"a", "b"} {
		d, derr := doublestar.Match("[b-a]", name)
		p, perr := path.Match("[b-a]", name)
		fmt.Println(name, d, derr, p, perr)
	}
	fmt.Println(doublestar.ValidatePattern("[b-a]"))
}
GO
seen="$(go run .)"
printf '%s\n' "$seen"
[[ "$seen" == $'a false <nil> false <nil>\nb true <nil> false <nil>\ntrue' ]]
