/**
 * Finds the daemon's binary: the setting `tta.server.path`, else the one packaged with the extension, else the newest of
 * a development tree's builds. Downloads nothing and runs nothing.
 */

import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { l10n } from 'vscode';

/** Where the binary is, or why there is none and what to do. */
export type Found = { readonly path: string } | { readonly problem: string };

/** A file's time of change in milliseconds since 1970; undefined where there is no such file. */
export type ChangedAt = (path: string) => number | undefined;

const BINARY = process.platform === 'win32' ? 'tta.exe' : 'tta';

/** Finds the binary for the extension installed in `extensionPath`. */
export function findDaemon(setting: string, extensionPath: string, changedAt: ChangedAt = changedAtOnDisk): Found {
  if (setting.trim() !== '') {
    return configured(setting.trim(), changedAt);
  }
  const packaged = join(extensionPath, 'server', BINARY);
  if (changedAt(packaged) !== undefined) {
    return { path: packaged };
  }
  const newest = ['release', 'debug']
    .map((profile) => join(extensionPath, '..', 'target', profile, BINARY))
    .map((path) => ({ path, at: changedAt(path) ?? -1 }))
    .reduce((a, b) => (b.at > a.at ? b : a));
  if (newest.at >= 0) {
    return { path: newest.path };
  }
  return {
    problem: l10n.t(
      'This installation of the extension has no daemon for {0}-{1}. Install the package for this platform, or set tta.server.path to a tta binary.',
      process.platform,
      process.arch,
    ),
  };
}

function configured(setting: string, changedAt: ChangedAt): Found {
  const path = setting.startsWith('~/') ? join(homedir(), setting.slice(2)) : setting;
  if (!isAbsolute(path)) {
    return { problem: l10n.t('tta.server.path must be an absolute path, but is “{0}”.', setting) };
  }
  if (changedAt(path) === undefined) {
    return { problem: l10n.t('tta.server.path names “{0}”, but there is no such file.', path) };
  }
  return { path };
}

function changedAtOnDisk(path: string): number | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() ? stat.mtimeMs : undefined;
}
