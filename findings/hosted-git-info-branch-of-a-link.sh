#!/usr/bin/env bash
# hosted-git-info 10.1.1 (npm): of the address of a branch in a browser, the branch is kept for
# GitHub, and dropped without a word for Bitbucket: the archive of .../src/v2 is that of HEAD. For
# GitLab's older form, .../tree/v2, the branch becomes a part of the project's name, and for the
# form of today, .../-/tree/v2, there is no answer, as there is none for a pull request at GitHub;
# one at Bitbucket is taken for the repository.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts hosted-git-info@10.1.1 >/dev/null
cat > main.mjs <<'JS'
import hosted from 'hosted-git-info';
for (const link of [
  'https://github.com/acme/api/tree/v2',
  'https://bitbucket.org/acme/api/src/v2',
  'https://gitlab.com/acme/api/tree/v2',
  'https://gitlab.com/acme/api/-/tree/v2',
  'https://github.com/acme/api/pull/1',
  'https://bitbucket.org/acme/api/pull-requests/1',
]) {
  const i = hosted.fromUrl(link);
  console.log(i ? `${i.type} ${i.path()} ${i.committish || 'HEAD'}` : 'nothing');
}
JS
got="$(node main.mjs)"
want="github acme/api#v2 v2
bitbucket acme/api HEAD
gitlab acme/api/tree/v2 HEAD
nothing
nothing
bitbucket acme/api HEAD"
printf '%s\n' "$got"
[[ "$got" == "$want" ]]
