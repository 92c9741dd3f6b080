#!/usr/bin/env bash
# Oniguruma in jq 1.8.2 (npm package jq-wasm 2.0.0-jq-1.8.2): \w and [\w] are not the same
# characters. The fraction ½ is a word character outside of brackets, and none inside; with
# the flag i, [\w] alone matches the two letters "ss", since the letter ß of the class folds
# to them. [^\w], which people write to clean identifiers, has the same turn.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent jq-wasm@2.0.0-jq-1.8.2 >/dev/null
cat > main.mjs <<'JS'
import * as jq from 'jq-wasm';
console.log((await jq.raw('"½"', String.raw`[test("\\w"), test("[\\w]"), test("[^\\w]")]`, ['-c'])).stdout);
console.log((await jq.raw('"ss"', String.raw`[test("^\\w$"; "i"), test("^[\\w]$"; "i")]`, ['-c'])).stdout);
JS
seen="$(node main.mjs)"
printf '%s\n' "$seen"
[[ "$seen" == '[true,false,true]
[false,true]' ]]
