#!/usr/bin/env bash
# github.com/bmatcuk/doublestar/v4 v4.10.4, Go: one star and two stars inside a name match,
# three or more never do, though each of them could match nothing: "a*" and "a**" match "a",
# "a***" and "a****" do not. A segment of stars alone is not affected: "***" matches "a".
# No error is given. A program that joins patterns (prefix + "**", say) meets this.
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

	"github.com/bmatcuk/doublestar/v4"
)

func main() {
	for _, pattern := range []string{"a*", "a**", "a***", "a****", "***"} {
		matched, err := doublestar.Match(pattern, "a")
		fmt.Println(pattern, matched, err)
	}
}
GO
seen="$(go run .)"
printf '%s\n' "$seen"
[[ "$seen" == $'a* true <nil>\na** true <nil>\na*** false <nil>\na**** false <nil>\n*** true <nil>' ]]
