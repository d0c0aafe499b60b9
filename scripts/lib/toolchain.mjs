// What must be on the machine before anything is built: cargo, Node and Python, and for the tests some of the system's
// packages. Names what is missing and how to get it; installs only system packages, and only where it may.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Failed, step } from './step.mjs';

const OLDEST_NODE = [20, 19];
const OLDEST_PYTHON = [3, 10];
const OLDEST_RUST = [1, 95];

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** What browser and workbench need of the system: [Debian package, files of which one shows that it is there]. */
const TEST_PACKAGES = [
  ['chromium', CHROMIUM],
  ['libkrb5-dev', ['/usr/include/krb5.h', '/usr/include/krb5/krb5.h']],
  ['libsecret-1-dev', ['/usr/include/libsecret-1/libsecret/secret.h']],
  ['libx11-dev', ['/usr/include/X11/Xlib.h']],
  ['libxkbfile-dev', ['/usr/include/X11/extensions/XKBfile.h']],
  ['pkg-config', ['/usr/bin/pkg-config']],
];

/** Fails, naming all that is missing at once, unless cargo, Node and Python are there and new enough. */
export function checkToolchain() {
  const missing = [
    outdated('cargo', ['--version'], OLDEST_RUST, 'Install Rust with rustup or your system’s packages.'),
    outdated(
      'python3',
      ['--version'],
      OLDEST_PYTHON,
      'It builds the Python guest; install it with your system’s packages.',
    ),
    isOlder(process.versions.node, OLDEST_NODE)
      ? `node is ${process.versions.node}, but ${OLDEST_NODE.join('.')} or newer is needed.`
      : undefined,
    spawnSync('cc', ['--version']).status === 0
      ? undefined
      : 'cc, a C compiler, is not on PATH. On Debian: apt-get install build-essential.',
  ].filter((problem) => problem !== undefined);
  if (missing.length > 0) {
    console.error(['This machine cannot build the project yet:', ...missing.map((line) => `  - ${line}`)].join('\n'));
    throw new Failed('toolchain');
  }
}

/** Whether `command` can be started at all. */
export function has(command, args = ['--version']) {
  return spawnSync(command, args).status === 0;
}

/** The browser of this machine, where it has one. */
export const chromium = () => CHROMIUM.find(existsSync);

/** Installs the system packages that tests need, `only` some or all, where there is apt-get and root or sudo; else names them. */
export async function installSystemPackages(only) {
  const wanted = TEST_PACKAGES.filter(([name]) => !only || only.includes(name));
  const missing = wanted.filter(([, files]) => !files.some(existsSync)).map(([name]) => name);
  if (missing.length === 0) return;
  const root = process.getuid?.() === 0;
  const sudo = !root && has('sudo', ['-n', 'true']);
  if (!has('apt-get') || (!root && !sudo)) {
    console.error(
      `The tests need these packages of Debian, or your system’s own of the same purpose: ${missing.join(' ')}`,
    );
    throw new Failed('system packages');
  }
  const [command, before] = sudo ? ['sudo', ['-n', 'apt-get']] : ['apt-get', []];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await step('System packages: lists', command, [...before, 'update', '-q'], { env });
  const install = ['install', '-y', '-q', '--no-install-recommends', ...missing];
  await step(`System packages: ${missing.join(' ')}`, command, [...before, ...install], { env });
}

function outdated(command, args, oldest, mend) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) return `${command} is not on PATH. ${mend}`;
  const found = /\d+\.\d+(\.\d+)?/.exec(stdout)?.[0] ?? '0.0';
  return isOlder(found, oldest)
    ? `${command} is ${found}, but ${oldest.join('.')} or newer is needed. ${mend}`
    : undefined;
}

function isOlder(version, [major, minor]) {
  const [a = 0, b = 0] = version.split('.').map(Number);
  return a < major || (a === major && b < minor);
}
