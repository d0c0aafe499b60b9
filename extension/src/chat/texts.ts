/** The tool set's own files, taken into the bundle when it is built: toolsets/ is their one source. Pure. */

import instructionsFile from '../../../toolsets/tta.instructions.md';
import toolSetFile from '../../../toolsets/tta.toolsets.jsonc';

/** The file that tells agents when to write a program. */
export const INSTRUCTIONS = { name: 'tta.instructions.md', text: instructionsFile };
/** The file that names the tool set. */
export const TOOL_SET_FILE = { name: 'tta.toolsets.jsonc', text: toolSetFile };

/** The servers that the model is told of by name; the search finds the others. */
const MOST_SERVERS = 40;

/** What the model is told before anything else. */
export function preface(folders: readonly string[], servers: readonly string[]): string {
  const named = servers.slice(0, MOST_SERVERS).join(', ');
  return [
    'You answer in the chat of a code editor. You reach the workspace through your tools alone.',
    folders.length === 0 ? '' : `Workspace folders: ${folders.join(', ')}`,
    named === '' ? '' : `Server modules for programs: ${named}${servers.length > MOST_SERVERS ? ', …' : ''}`,
    withoutHeader(instructionsFile),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** The file without the header that says which files it applies to. */
function withoutHeader(text: string): string {
  return text.replace(/^---\r?\n[\s\S]*?\r?\n---\r?\n/, '').trim();
}
