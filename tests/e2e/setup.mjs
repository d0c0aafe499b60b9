// What the end-to-end tests share: a workspace over the real filesystem server, and the settings that name the daemon.
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { tta, workspace } from '../lib/tta.mjs';

/** Starts the daemon under test, not a packaged one. */
export const settings = { 'tta.server.path': tta };

/** Three notes beside an mcp.json with the real filesystem server; removed after the test `t`. */
export function notesWorkspace(t) {
  return workspace(t, {
    servers: (folder) => ({ fs: serverEntries(folder).fs }),
    files: {
      'notes/ant.md': 'An ant is small.\n',
      'notes/bee.md': 'A bee makes honey all summer long.\n',
      'notes/cat.md': 'The cat sleeps.\n',
    },
  });
}
