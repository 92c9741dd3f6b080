#!/usr/bin/env bash
# @actions/languageservice 0.3.61, GitHub's checks of workflows, asks for Node 20 or later and cannot
# be imported in Node 20.20.2: it and @actions/workflow-parser import JSON files without the
# attribute that Node wants for them. What the editor extension uses is a bundle, and a bundle by
# esbuild 0.25.0 runs: it finds the input that a workflow leaves out.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @actions/languageservice@0.3.61 vscode-languageserver-textdocument@1.0.16 esbuild@0.25.0 >/dev/null
node -p '"engines: " + require("./node_modules/@actions/languageservice/package.json").engines.node'
cat > check.mjs <<'JS'
import {validate} from '@actions/languageservice';
import {TextDocument} from 'vscode-languageserver-textdocument';

const workflow = 'name: x\non: push\njobs:\n  x:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: acme/tool@v1\n';
const fetchActionMetadata = async () => ({inputs: {token: {required: true}}});
const document = TextDocument.create('file:///.github/workflows/x.yml', 'yaml', 0, workflow);
validate(document, {actionsMetadataProvider: {fetchActionMetadata}}).then((found) => console.log('bundled:', found.map((d) => d.message).join('; ')));
JS
imported="$(node check.mjs 2>&1 || true)"
imported="imported: $(grep -oE 'ERR_IMPORT_A[A-Z_]+' <<<"$imported" | head -n 1)"
node_modules/.bin/esbuild check.mjs --bundle --platform=node --format=cjs --outfile=check.cjs --log-level=error
bundled="$(node check.cjs)"
printf '%s\n%s\n' "$imported" "$bundled"
[[ "$imported" == "imported: ERR_IMPORT_A"*"TYPE_MISSING" && "$bundled" == 'bundled: Missing required input `token`' ]]
