// What the end-to-end tests share: a workspace over the real filesystem server, and the settings that name the daemon.
import { join } from 'node:path';
import { serverEntries } from '../../scripts/lib/servers.mjs';
import { tta, workspace } from '../lib/tta.mjs';

/** Starts the daemon under test, not a packaged one, and its servers without a question. */
export const settings = { 'tta.server.path': tta, 'tta.approvals.servers': 'workspaceTrust' };

const NOTES = {
  'notes/ant.md': 'An ant is small.\n'.repeat(400),
  'notes/bee.md': 'A bee makes honey all summer long.\n'.repeat(300),
  'notes/cat.md': 'The cat sleeps.\n'.repeat(500),
};

/**
 * Three long notes beside an mcp.json with the real filesystem server, and whatever files `more` returns for the notes' folder;
 * removed after the test `t`.
 */
export function notesWorkspace(t, more = () => ({})) {
  return workspace(t, {
    servers: (folder) => ({ fs: serverEntries(folder).fs }),
    files: (folder) => ({ ...NOTES, ...more(join(folder, 'notes')) }),
  });
}
