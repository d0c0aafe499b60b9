import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import test from 'node:test';
import { findDaemon } from '../src/bootstrap';

const EXTENSION = '/home/u/repo/extension';
const PACKAGED = `${EXTENSION}/server/tta`;
const RELEASE = '/home/u/repo/target/release/tta';
const DEBUG = '/home/u/repo/target/debug/tta';

function find(setting: string, files: Record<string, number>): string {
  const found = findDaemon(setting, EXTENSION, (path) => files[path]);
  return 'path' in found ? found.path : `problem: ${found.problem}`;
}

test('the setting wins over everything', () => {
  assert.equal(find(' /opt/tta ', { '/opt/tta': 1, [PACKAGED]: 2, [DEBUG]: 3 }), '/opt/tta');
});

test('the setting may start with the home folder', () => {
  const path = `${homedir()}/bin/tta`;
  assert.equal(find('~/bin/tta', { [path]: 1 }), path);
});

test('a setting that names nothing is said, and nothing else is started in its place', () => {
  assert.equal(
    find('/opt/tta', { [PACKAGED]: 1 }),
    'problem: tta.server.path names “/opt/tta”, but there is no such file.',
  );
  assert.match(find('tta', { [PACKAGED]: 1 }), /^problem: tta.server.path must be an absolute path/);
});

test('the packaged binary wins over a development tree', () => {
  assert.equal(find('', { [PACKAGED]: 1, [RELEASE]: 5, [DEBUG]: 6 }), PACKAGED);
});

test('of a development tree the newest build is taken', () => {
  assert.equal(find('', { [RELEASE]: 5, [DEBUG]: 6 }), DEBUG);
  assert.equal(find('', { [RELEASE]: 7, [DEBUG]: 6 }), RELEASE);
  assert.equal(find('', { [DEBUG]: 6 }), DEBUG);
});

test('an installation without a daemon says for which platform it has none', () => {
  assert.match(find('', {}), new RegExp(`no daemon for ${process.platform}-${process.arch}`));
});
