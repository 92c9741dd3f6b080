#!/usr/bin/env bash
# jq 1.8.2 (npm package jq-wasm 2.0.0-jq-1.8.2): with the flag g, an empty match is looked for
# at each byte, and not at each character: a character of three bytes has three of them, of
# which the offsets repeat. gsub("", "-") therefore puts as many dashes behind a character as
# it has bytes, and splits("") gives empty texts beside the characters. ASCII hides it.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent jq-wasm@2.0.0-jq-1.8.2 >/dev/null
cat > main.mjs <<'JS'
import * as jq from 'jq-wasm';
for (const program of ['[match(""; "g").offset]', 'gsub(""; "-")', '[splits("")]'])
  for (const input of ['ab', '日本'])
    console.log((await jq.raw(JSON.stringify(input), program, ['-c'])).stdout);
JS
seen="$(node main.mjs)"
printf '%s\n' "$seen"
[[ "$seen" == '[0,1,2]
[0,1,1,1,2,2,2]
"-a-b-"
"-日---本---"
["","a","b",""]
["","日","","","本","","",""]' ]]
