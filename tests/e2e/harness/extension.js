// Test-only: runs what a test posts to it inside the extension host, with `vscode` in scope. Its port goes into the file
// named by TTA_HARNESS, so that a test finds the host of the page it just opened.
const { writeFileSync } = require('node:fs');
const http = require('node:http');
const vscode = require('vscode');

const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor;

exports.activate = (context) => {
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    try {
      const value = await new AsyncFunction('vscode', body)(vscode);
      response.end(JSON.stringify({ value: value ?? null }));
    } catch (error) {
      response.end(JSON.stringify({ error: String(error?.stack ?? error) }));
    }
  });
  server.listen(0, '127.0.0.1', () => writeFileSync(process.env.TTA_HARNESS, String(server.address().port)));
  context.subscriptions.push({ dispose: () => server.close() });
};
