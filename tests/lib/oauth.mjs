// A real remote MCP server with a real authorization server beside it: the examples of MCP's own TypeScript SDK, which the
// servers from npm bring along. It says yes to whoever comes, without asking.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../scripts/lib/step.mjs';
import { freePort } from './ports.mjs';

const SDK = join(root, 'target', 'servers', 'node_modules', '@modelcontextprotocol', 'sdk', 'dist', 'esm', 'examples');
const UP = ['Authorization Server listening', 'MCP Streamable HTTP Server listening'];

/** Starts it for the test `t`; what is returned is the address of its endpoint. */
export async function oauthServer(t) {
  const [port, auth] = [await freePort(), await freePort()];
  const main = join(SDK, 'server', 'simpleStreamableHttp.js');
  const server = spawn(process.execPath, [main, '--oauth', '--oauth-strict'], {
    env: { ...process.env, MCP_PORT: String(port), MCP_AUTH_PORT: String(auth) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => server.kill('SIGKILL'));
  let said = '';
  await new Promise((resolve, reject) => {
    server.stdout.on('data', (text) => {
      said += text;
      if (UP.every((line) => said.includes(line))) resolve();
    });
    server.on('exit', (code) => reject(new Error(`it ended with ${code}: ${said}`)));
    server.on('error', reject);
  });
  return `http://localhost:${port}/mcp`;
}
