#!/usr/bin/env bash
# @action-validator/cli 0.6.0 calls a workflow wrong that GitHub takes: the right "attestations",
# which statements of provenance need since 2024, is not in the schema that it carries. The error
# names the whole job, "OneOf conditions are not met", and also that "steps" and "runs-on" are not
# allowed, before the cause. Without the one line the same workflow is right.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @action-validator/cli@0.6.0 @action-validator/core@0.6.0 >/dev/null
workflow() {
  printf 'name: x\non: push\njobs:\n  x:\n    runs-on: ubuntu-latest\n    permissions:\n      id-token: write\n%s    steps:\n      - run: echo\n' "$1"
}
workflow $'      attestations: write\n' >with.yml
workflow '' >without.yml
seen=""
for file in without with; do
  status=0
  out="$(node_modules/.bin/action-validator "$file.yml" 2>&1)" || status=$?
  told="$(grep -oE "Additional property '[a-z-]+' is not allowed" <<<"$out" | sort -u | tr '\n' ';' || true)"
  seen+="$file: exit status $status, $told"$'\n'
done
printf '%s' "$seen"
[[ "$seen" == "without: exit status 0, 
with: exit status 1, Additional property 'attestations' is not allowed;Additional property 'runs-on' is not allowed;Additional property 'steps' is not allowed;"$'\n' ]]
