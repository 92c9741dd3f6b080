// Prints what GitHub's language service finds in workflows, a line each, and fails where it finds
// something. It knows the action of this repository by its action.yml; other people's actions,
// which it would have to download, are left to the other tools.
//
//   node check.cjs action.yml WORKFLOW...
import {validate} from '@actions/languageservice';
import {TextDocument} from 'vscode-languageserver-textdocument';
import fs from 'node:fs';
import YAML from 'yaml';

const [actionFile, ...workflows] = process.argv.slice(2);
const action = YAML.parse(fs.readFileSync(actionFile, 'utf8'));
const unknown = {inputs: undefined};
const actionsMetadataProvider = {
  fetchActionMetadata: async (a) => (a.name === 'port-bitbucket-exporter' ? action : unknown),
};

async function main() {
  let found = 0;
  for (const file of workflows) {
    const name = file.split('/').pop();
    const document = TextDocument.create(`file:///.github/workflows/${name}`, 'yaml', 0, fs.readFileSync(file, 'utf8'));
    for (const d of await validate(document, {actionsMetadataProvider})) {
      console.log(`${file}:${d.range.start.line + 1}: ${d.message}`);
      found++;
    }
  }
  console.log(`${workflows.length} workflows, ${found} findings`);
  process.exit(found === 0 && workflows.length > 0 ? 0 : 1);
}

main();
