#!/usr/bin/env bash
# Oniguruma in jq 1.8.2 (npm package jq-wasm 2.0.0-jq-1.8.2): a condition on a group without an
# else branch, (?(1)b), does not match where it stands before a literal: "abc" is not matched
# by (a)(?(1)b)c, and is by (a)(?(1)b|)c, which means the same. No error is given.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent jq-wasm@2.0.0-jq-1.8.2 >/dev/null
cat > main.mjs <<'JS'
import * as jq from 'jq-wasm';
console.log((await jq.raw('"abc"', '[test("(a)(?(1)b)c"), test("(a)(?(1)b|)c")]', ['-c'])).stdout);
JS
seen="$(node main.mjs)"
printf '%s\n' "$seen"
[[ "$seen" == "[false,true]" ]]
