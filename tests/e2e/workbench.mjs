// One real workbench: a code-server in a scratch home, our packaged extension in it, and a headless Chromium before it.
// Everything a test waits for is waited for by looking, never by time alone.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { freePort } from '../lib/ports.mjs';
import { processesWith } from '../lib/processes.mjs';
import { guestCache, tta } from '../lib/tta.mjs';
import { codeServer, node } from './install.mjs';

const { chromium } = createRequire(import.meta.url)('playwright-core');
const artifacts = join(import.meta.dirname, 'artifacts');
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const CHROMIUM_FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const EXTENSION = 'tta.tta-mcp-code-execution';
const SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
  'remote.autoForwardPorts': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoCheckUpdates': false,
  'chat.byokUtilityModelDefault': 'mainAgent',
};

/** Looks until `look` returns something truthy; fails with its last error, or with `what`. */
export async function until(what, look, withinMs = 60_000) {
  const end = Date.now() + withinMs;
  for (let last; ;) {
    try {
      const value = await look();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`Waited ${withinMs / 1000} s for ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export class Workbench {
  /**
   * Opens `folder`, or a `.code-workspace` file, in a new workbench with `extensions` (VSIX files) installed. With
   * `trusted: false` it is opened in restricted mode. `home` puts files into the home first, `env` is given
   * to the extension host, `logLevel` is the editor's. With `hostTests`, `{ extension, suite }`, the editor develops the
   * extension of that folder and calls the suite's `run` in its host; `hostExit` is 0 when it passed, 1 when it failed.
   * `proposals` are granted to our extension as if it declared them, in an editor started with `--enable-proposed-api`.
   */
  static async open({ folder, extensions, logLevel, hostTests, home = {}, ...rest }) {
    const { settings = {}, modelUrl, trusted = true, env = {}, proposals } = rest;
    const workbench = new Workbench();
    workbench.#proposals = proposals;
    try {
      for (const [name, text] of Object.entries(home)) {
        mkdirSync(join(workbench.#home, name, '..'), { recursive: true });
        writeFileSync(join(workbench.#home, name), text);
      }
      const options = hostTests ? ['--vscode-option', 'enable-smoke-test-driver'] : [];
      await workbench.#start({ extensions, settings, modelUrl, trusted, env, options });
      await workbench.#show(folder, [
        ...(logLevel ? [['logLevel', logLevel]] : []),
        ...(hostTests ? workbench.#development(hostTests) : []),
      ]);
      return workbench;
    } catch (error) {
      await workbench.close();
      throw error;
    }
  }

  #home;
  #server;
  #browser;
  #context;
  /** The window that opened this one owns all but its page. */
  #second = false;
  /** The port of this window's extension host, once another window was opened; else it stands in a file. */
  #port;
  #proposals;
  page;
  /** How the suite in the extension host ended, once it has. */
  hostExit;

  constructor(home = mkdtempSync(join(tmpdir(), 'tta-e2e-'))) {
    this.#home = home;
  }

  async #start({ extensions, settings, modelUrl, trusted, env: more, options }) {
    const port = await freePort();
    const user = join(this.#home, 'data', 'User');
    mkdirSync(user, { recursive: true });
    writeFileSync(join(this.#home, 'config.yaml'), 'auth: none\ncert: false\n');
    const prompt = trusted ? {} : { 'security.workspace.trust.startupPrompt': 'never' };
    writeFileSync(join(user, 'settings.json'), JSON.stringify({ ...SETTINGS, ...prompt, ...settings }));
    // A code-server's window is a remote one: settings of the machine count from the machine's own file, and from the
    // user's only until the editor has read which extension they belong to.
    const machine = join(this.#home, 'data', 'Machine');
    mkdirSync(machine, { recursive: true });
    writeFileSync(join(machine, 'settings.json'), JSON.stringify(settings));
    if (modelUrl) writeFileSync(join(user, 'chatLanguageModels.json'), JSON.stringify([languageModel(modelUrl)]));
    this.#shareGuests(user);
    const env = { ...process.env, ...more, HOME: this.#home, TTA_HARNESS: this.#harness };
    const args = [
      join(codeServer, 'out/node/entry.js'),
      ...['--config', join(this.#home, 'config.yaml'), '--bind-addr', `127.0.0.1:${port}`, '--auth', 'none'],
      ...['--disable-telemetry', '--disable-update-check', ...(trusted ? ['--disable-workspace-trust'] : [])],
      ...['--user-data-dir', join(this.#home, 'data'), '--extensions-dir', join(this.#home, 'extensions')],
      // Extension hosts otherwise outlive their page for hours.
      ...['--reconnection-grace-time', '1'],
      ...options,
    ];
    const install = spawnSync(
      node,
      [...args, ...extensions.flatMap((vsix) => ['--install-extension', vsix]), '--force'],
      { env },
    );
    if (install.status !== 0) throw new Error(`Installing the extensions failed: ${install.stderr}`);
    if (this.#proposals) this.#declareProposals();
    this.#server = spawn(node, args, { env, stdio: 'ignore' });
    this.url = `http://127.0.0.1:${port}`;
    await until('code-server', async () => (await fetch(`${this.url}/healthz`)).ok);
  }

  #declareProposals() {
    const installed = join(this.#home, 'extensions');
    const folder = readdirSync(installed).find((name) => name.startsWith(EXTENSION));
    const file = join(installed, folder, 'package.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...manifest, enabledApiProposals: this.#proposals }));
  }

  /** Does to the windows what `--enable-proposed-api` does to a desktop's: those of a browser cannot be given it. */
  async #grantProposals() {
    const name = 'vs/code/browser/workbench/workbench.js';
    const [closed, open] = [1, 0].map((not) => `this._envEnablesProposedApiForAll=!${not}`);
    const parts = readFileSync(join(codeServer, 'lib/vscode/out', name), 'utf8').split(closed);
    if (parts.length !== 2) throw new Error(`${name}: “${closed}” is there ${parts.length - 1} times, not once`);
    const answer = { contentType: 'text/javascript', body: parts.join(open) };
    await this.#context.route(`**/${name}`, (route) => route.fulfill(answer));
  }

  /** The compiled guests are this machine's: every workbench finds those that another one, or the CLI's tests, compiled. */
  #shareGuests(user) {
    const storage = join(user, 'globalStorage', EXTENSION);
    mkdirSync(storage, { recursive: true });
    mkdirSync(guestCache, { recursive: true });
    symlinkSync(guestCache, join(storage, 'cache'));
  }

  #development({ extension, suite }) {
    const uri = (path) => `vscode-remote://${new URL(this.url).host}${path}`;
    return [
      ['extensionDevelopmentPath', uri(extension)],
      ['extensionTestsPath', uri(suite)],
    ];
  }

  async #show(folder, payload) {
    const executablePath = CHROMIUM.find(existsSync);
    if (!executablePath) throw new Error('Chromium is missing. On Debian: apt-get install chromium.');
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    this.#browser = await chromium.launch({ executablePath, args: [...sandbox, ...CHROMIUM_FLAGS] });
    this.#context = await this.#browser.newContext({ viewport: { width: 1400, height: 900 } });
    if (this.#proposals) await this.#grantProposals();
    await this.#context.grantPermissions(['clipboard-read', 'clipboard-write']);
    this.page = await this.#context.newPage();
    await this.page.exposeFunction('codeAutomationExit', (code) => (this.hostExit = code));
    await this.#goto(folder, payload);
  }

  async #goto(folder, entries = []) {
    this.page ??= await this.#context.newPage();
    const kind = folder.endsWith('.code-workspace') ? 'workspace' : 'folder';
    const payload = entries.length > 0 ? `&payload=${encodeURIComponent(JSON.stringify(entries))}` : '';
    rmSync(this.#harness, { force: true });
    await this.page.goto(`${this.url}/?${kind}=${folder}${payload}`);
    await until('the extension host', () => this.inHost('return vscode.version'));
  }

  /** Opens another window on `folder` beside this one, in the same browser and for the same user. */
  async window(folder) {
    const other = new Workbench(this.#home);
    other.#second = true;
    other.#context = this.#context;
    other.url = this.url;
    this.#port = readFileSync(this.#harness, 'utf8');
    await other.#goto(folder);
    return other;
  }

  /** Reloads the window, as a user does who wants its extensions to start anew. */
  async reload() {
    this.#port = undefined;
    rmSync(this.#harness, { force: true });
    await this.page.reload();
    await until('the extension host', () => this.inHost('return vscode.version'));
  }

  /** Closes the window, calls `change` once no daemon of it runs any more, and opens it again. */
  async whileClosed(change) {
    const address = this.page.url();
    await this.page.goto('about:blank');
    await until('the end of its daemons', () => this.daemons().length === 0);
    await change();
    this.#port = undefined;
    rmSync(this.#harness, { force: true });
    await this.page.goto(address);
    await until('the extension host', () => this.inHost('return vscode.version'));
  }

  /** The daemons of its windows: other workbenches have some of their own. */
  daemons() {
    return processesWith('HOME', this.#home, tta, 'lsp');
  }

  /** The files under the home that hold `text`: logs, settings, storage, what extensions keep. */
  filesWith(text) {
    const files = readdirSync(this.#home, { recursive: true, withFileTypes: true });
    return files
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((path) => existsSync(path) && readFileSync(path).includes(text));
  }

  get #harness() {
    return join(this.#home, 'harness-port');
  }

  /** Runs `code`, the body of an async function with `vscode` in scope, in the extension host. */
  async inHost(code) {
    const port = this.#port ?? readFileSync(this.#harness, 'utf8');
    const { value, error } = await (await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: code })).json();
    if (error) throw new Error(error);
    return value;
  }

  /** What the extension says was saved; fails with its message where it cannot say. */
  savings() {
    return this.inHost(`return vscode.extensions.getExtension('${EXTENSION}').exports.savings()`);
  }

  /** Our item of the status bar. */
  get status() {
    return this.page.locator('.statusbar-item[id*="tta.savings"]:visible');
  }

  /** The item's text once it holds `part`. */
  async statusWith(part) {
    await this.status.filter({ hasText: part }).waitFor({ timeout: 60_000 });
    return plain(await this.status.innerText());
  }

  /** Runs a command as the command palette would, without waiting for its end: it may wait for the user. */
  async command(name) {
    await this.inHost(`void vscode.commands.executeCommand(${JSON.stringify(name)})`);
  }

  /** Opens a file of the workspace in an editor. */
  async openFile(path) {
    await this.inHost(`await vscode.window.showTextDocument(vscode.Uri.file(${JSON.stringify(path)}))`);
  }

  /** The rows of the quick pick that stands open, once one holds `part`. */
  async pickWith(part) {
    const rows = this.page.locator('.quick-input-widget:visible .monaco-list-row');
    await rows.filter({ hasText: part }).first().waitFor();
    return (await rows.allInnerTexts()).map(plain);
  }

  /** Turns the built-in agent on and waits until it offers the scripted model. */
  async enableAgent() {
    await this.inHost(
      `await vscode.commands.executeCommand('workbench.extensions.installExtension', 'GitHub.copilot-chat', { enable: true })`,
    );
    await this.page.locator('.interactive-input-part').getByText('Scripted').first().waitFor({ timeout: 90_000 });
  }

  /** Types into the chat and sends it. */
  async ask(text) {
    await this.page.locator('.interactive-input-part .monaco-editor').first().click();
    await this.page.keyboard.type(text, { delay: 5 });
    // Enter would take the completion that stands open.
    await this.page.keyboard.press('Escape');
    await this.page.keyboard.press('Enter');
  }

  /** Presses a button of a confirmation in the chat, once it is asked for. */
  async allow(text) {
    const button = this.page.locator('.interactive-session .monaco-button:visible', { hasText: text }).first();
    await button.waitFor({ timeout: 60_000 });
    await button.click();
  }

  /** The notification whose text holds `part`. */
  question(part) {
    return this.page.locator('.notification-toast:visible', { hasText: part });
  }

  /** Answers a question by the button or link of that name. */
  async answer(question, name) {
    await question.locator('.monaco-button, a').getByText(name, { exact: true }).click();
  }

  /** Empties our output channel, so that what comes next is new. */
  async clearOutput() {
    await this.inHost(`await vscode.commands.executeCommand('workbench.output.action.clearOutput')`);
  }

  /** The text of the output view, once it holds `part`. */
  outputWith(part) {
    return this.#textWith(this.page.locator('.output-view:visible .view-lines'), part);
  }

  /** The text of the editor that is shown, once it holds `part`. */
  editorWith(part) {
    return this.#textWith(this.page.locator('.editor-instance:visible .view-lines').first(), part);
  }

  #textWith(lines, part) {
    return until(`a text with ${part}`, async () => {
      const text = (await lines.innerText()).replace(/\u00a0/g, ' ');
      return text.includes(part) && text;
    });
  }

  /** Waits until the last answer of the chat, which comes word by word, holds `part`. */
  async answerWith(part) {
    await this.page.locator('.interactive-response:visible', { hasText: part }).last().waitFor({ timeout: 60_000 });
  }

  /** Keeps a picture of the window under artifacts/. */
  async shoot(name) {
    mkdirSync(artifacts, { recursive: true });
    await this.page.screenshot({ path: join(artifacts, `${name}.png`), animations: 'disabled' });
  }

  async close() {
    // A page that is merely closed leaves its extension host waiting for a reconnection.
    await this.page?.goto('about:blank').catch(() => undefined);
    if (this.#second) return;
    await this.#browser?.close();
    if (this.#server?.exitCode === null && this.#server.signalCode === null) {
      const gone = new Promise((resolve) => this.#server.once('exit', resolve));
      this.#server.kill('SIGTERM');
      await gone;
    }
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 5 });
  }
}

function languageModel(url) {
  const model = {
    id: 'scripted',
    name: 'Scripted',
    url,
    toolCalling: true,
    vision: false,
    maxInputTokens: 128_000,
    maxOutputTokens: 8_000,
  };
  return { vendor: 'customendpoint', name: 'Scripted', apiType: 'chat-completions', models: [model] };
}

/** Text without the icons' private characters and non-breaking spaces. */
function plain(text) {
  return text
    .replace(/[\uE000-\uF8FF]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}
