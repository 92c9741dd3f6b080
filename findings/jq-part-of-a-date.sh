#!/usr/bin/env bash
# strptime of a format that names no date gives other arrays in each jq: the npm package
# jq-wasm 2.0.0-jq-1.8.2 has the day 1970-01-01, github.com/itchyny/gojq v0.12.20 has
# 1900-01-01. (jq 1.8.2 built with the GNU C library gives the day 0 of 1900, the weekday 8
# and the day of the year 367: [1900,0,0,10,15,0,8,367]. It is not installed here.) mktime
# behind it is wrong by 70 years, or by a day, without an error.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent jq-wasm@2.0.0-jq-1.8.2 >/dev/null
cat > main.mjs <<'JS'
import * as jq from 'jq-wasm';
console.log((await jq.raw('"10:15"', 'strptime("%H:%M")', ['-c'])).stdout);
JS
go mod init finding 2>/dev/null
go get github.com/itchyny/gojq@v0.12.20 2>/dev/null
cat > main.go <<'GO'
package main

import (
	"fmt"

	"github.com/itchyny/gojq"
)

func main() {
	query, err := gojq.Parse(`strptime("%H:%M") | tojson`)
	if err != nil {
		panic(err)
	}
	v, _ := query.Run("10:15").Next()
	fmt.Println(v)
}
GO
seen="$(node main.mjs; go run main.go)"
printf '%s\n' "$seen"
[[ "$seen" == '[1970,0,1,10,15,0,4,0]
[1900,0,1,10,15,0,1,0]' ]]
