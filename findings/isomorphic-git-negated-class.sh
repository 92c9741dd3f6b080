#!/usr/bin/env bash
# isomorphic-git 1.44.19 (npm), git.isIgnored: a class of characters that begins with "!" or "^"
# in .gitignore has no complement. "d[!a]z" ignores "daz", which git does not, and leaves "dbz",
# which git ignores. It pins ignore 5.3.2, which does the same; ignore 7.0.17 agrees with git.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund isomorphic-git@1.44.19 newer@npm:ignore@7.0.17 >/dev/null
git init -q repository
printf '%s\n' 'd[!a]z' > repository/.gitignore
cat > main.js <<'JS'
const fs = require('fs')
const git = require('isomorphic-git')
const pinned = require('ignore')
const newer = require('newer')

async function main() {
  console.log('ignore', require('ignore/package.json').version)
  for (const filepath of ['daz', 'dbz']) {
    console.log(filepath,
      await git.isIgnored({ fs, dir: 'repository', filepath }),
      pinned().add('d[!a]z').ignores(filepath),
      newer().add('d[!a]z').ignores(filepath))
  }
}
main()
JS
seen="$(node main.js)"
for name in daz dbz; do
  seen+="$(git -C repository check-ignore -q --no-index "$name" && printf '\ngit ignores %s' "$name" || printf '\ngit leaves %s' "$name")"
done
printf '%s\n' "$seen"
[[ "$seen" == $'ignore 5.3.2\ndaz true true false\ndbz false false true\ngit leaves daz\ngit ignores dbz' ]]
