#!/usr/bin/env bash
# github.com/itchyny/gojq v0.12.20: gamma is the gamma function, as tgamma is; in jq it is the
# C function of that name, the logarithm of it, as lgamma is. 1.5 | gamma is 0.886… here, and
# -0.120… in jq 1.6 to 1.8.2. The difference is not among those that its README lists. In the
# npm package jq-wasm 2.0.0-jq-1.8.2 a call of gamma compiles, and raises an error when it
# runs: "gamma/0 not found at build time".
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent jq-wasm@2.0.0-jq-1.8.2 >/dev/null
cat > main.mjs <<'JS'
import * as jq from 'jq-wasm';
const r = await jq.raw('1.5', 'lgamma, gamma', ['-c']);
console.log(r.stdout, r.stderr.trim());
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
	query, err := gojq.Parse(`[gamma, tgamma, lgamma] | tojson`)
	if err != nil {
		panic(err)
	}
	v, _ := query.Run(1.5).Next()
	fmt.Println(v)
}
GO
seen="$(go run main.go)"
printf '%s\n' "$seen"
[[ "$seen" == '[0.88622692545275'*',0.88622692545275'*',-0.12078223763524'*']' ]]
seen="$(node main.mjs)"
printf '%s\n' "$seen"
[[ "$seen" == *"gamma/0 not found at build time"* && "$seen" == -0.12078223763524* ]]
