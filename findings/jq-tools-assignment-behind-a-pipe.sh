#!/usr/bin/env bash
# @jq-tools/jq 0.0.11 (npm), jq in TypeScript: an assignment behind a pipe changes the input of the whole
# program. In jq ".a | .b |= 3" gives .a with another .b. Here it gives the whole object, in which .a.b
# is 3 and a copy of the old .b stands at the top, also with brackets around the assignment; and
# "map(.a = 1)", whose elements come by a pipe, raises an error. Without a pipe it is right.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts @jq-tools/jq@0.0.11 >/dev/null 2>&1
cat > main.cjs <<'JS'
const jq = require('@jq-tools/jq');
for (const [text, input] of [
  ['.a | .b |= 3', {a: {b: 1}}], ['.a | (.b |= 3)', {a: {b: 1}}],
  ['map(.a = 1)', [{a: 0}]], ['(.[] | .a) = 1', [{a: 0}]],
]) {
  let got;
  try {
    got = JSON.stringify([...jq.evaluate(jq.parse(text), [input])]);
  } catch (e) {
    got = e.message;
  }
  console.log(`${text}: ${got}`);
}
JS
got="$(node main.cjs)"
want='.a | .b |= 3: [{"b":1,"a":{"b":3}}]
.a | (.b |= 3): [{"b":1,"a":{"b":3}}]
map(.a = 1): Cannot index object with number
(.[] | .a) = 1: [[{"a":1}]]'
printf '%s\n' "$got"
[[ "$got" == "$want" ]]
