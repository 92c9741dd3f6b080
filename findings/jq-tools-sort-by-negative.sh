#!/usr/bin/env bash
# @jq-tools/jq 0.0.11 (npm), jq in TypeScript: sort_by sorts by something else than its expression
# gives. By -. the largest number is to come first, and the smallest does, without an error, while
# group_by and unique_by of the same expression have the right order. A mapping whose newest element
# is "sort_by(-.n)[0]" takes the oldest one there.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts @jq-tools/jq@0.0.11 >/dev/null 2>&1
cat > main.cjs <<'JS'
const jq = require('@jq-tools/jq');
for (const text of ['map(-.)', 'sort_by(-.)', 'sort_by(0 - .)', 'group_by(-.)', 'unique_by(-.)']) {
  console.log(`${text}: ${JSON.stringify([...jq.evaluate(jq.parse(text), [[3, 1, 2]])][0])}`);
}
JS
got="$(node main.cjs)"
want='map(-.): [-3,-1,-2]
sort_by(-.): [1,2,3]
sort_by(0 - .): [1,2,3]
group_by(-.): [[3],[2],[1]]
unique_by(-.): [3,2,1]'
printf '%s\n' "$got"
[[ "$got" == "$want" ]]
