// Tells where YAML files do not fit the JSON schema that editors read them by, a line each, and
// fails where one does not.
//
//   node schemas.cjs SCHEMA [-strings] FILE...
//
// With -strings every scalar is a string, as in Azure Pipelines.
import Ajv from 'ajv';
import fs from 'node:fs';
import YAML from 'yaml';

const [schema, ...rest] = process.argv.slice(2);
const strings = rest[0] === '-strings';
const files = strings ? rest.slice(1) : rest;
const options = strings ? {schema: 'failsafe', merge: true} : {merge: true};
const ajv = new Ajv({allErrors: true, strict: false, logger: false, unicodeRegExp: false, validateFormats: false});
const fits = ajv.compile(JSON.parse(fs.readFileSync(schema, 'utf8')));
let found = 0;
for (const file of files) {
  if (!fits(YAML.parse(fs.readFileSync(file, 'utf8'), options))) {
    for (const e of fits.errors) {
      console.log(`${file}: ${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`);
      found++;
    }
  }
}
console.log(`${schema.split('/').pop()}: ${files.length} files, ${found} findings`);
process.exit(found === 0 && files.length > 0 ? 0 : 1);
