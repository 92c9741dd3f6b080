#!/usr/bin/env bash
# bitbucket 2.12.0 (npm): pull requests in two states cannot be asked for. Bitbucket's API takes the
# parameter "state" several times; the client takes one word of a list, and refuses an array. Its
# error has the status 400 as one of the server has, although no request was sent. What is left is
# a filter in "q", (state="OPEN" OR state="MERGED").
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts bitbucket@2.12.0 >/dev/null 2>&1
cat > main.cjs <<'JS'
const {Bitbucket} = require('bitbucket');
const http = require('http');

const asked = [];
const server = http.createServer((request, response) => {
  asked.push(request.url);
  response.setHeader('Content-Type', 'application/json');
  response.end('{"values": []}');
});
server.listen(0, '127.0.0.1', async () => {
  const client = new Bitbucket({baseUrl: `http://127.0.0.1:${server.address().port}`, notice: false});
  for (const asks of [{state: 'OPEN'}, {state: ['OPEN', 'MERGED']}, {q: 'state="OPEN" OR state="MERGED"'}]) {
    const before = asked.length;
    let answer;
    try {
      answer = (await client.pullrequests.list({workspace: 'acme', repo_slug: 'api', ...asks})).status;
    } catch (e) {
      answer = `${e.status} ${e.message}`;
    }
    console.log(`${JSON.stringify(asks)}: ${answer}, ${asked.length - before} requests`);
  }
  server.close();
});
JS
got="$(node main.cjs)"
want='{"state":"OPEN"}: 200, 1 requests
{"state":["OPEN","MERGED"]}: 400 invalid value for parameter '"'state'"': ["OPEN","MERGED"], 0 requests
{"q":"state=\"OPEN\" OR state=\"MERGED\""}: 200, 1 requests'
printf '%s\n' "$got"
[[ "$got" == "$want" ]]
