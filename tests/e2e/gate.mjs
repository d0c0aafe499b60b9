// Makes code-server behave as stable VS Code does towards proposed APIs: code-server grants them to every extension, and
// what works only by that grant would fail for every user. Fails where the code to mend is not found exactly once.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** [file, what code-server ships, what upstream means]. Written for code-server 4.139.1. */
const EDITS = [
  ['vs/code/browser/workbench/workbench.js', 'function uc(s,o){return!0}', `function uc(s,o)${check('s', 'o')}`],
  [
    'vs/code/browser/workbench/workbench.js',
    'this._envEnablesProposedApiForAll=!0',
    'this._envEnablesProposedApiForAll=!1',
  ],
  ['vs/workbench/api/node/extensionHostProcess.js', 'function Oe(i,t){return!0}', `function Oe(i,t)${check('i', 't')}`],
];

/** Restores the gate in the code-server installed in `folder`. Doing it twice changes nothing. */
export function restoreGate(folder) {
  for (const [name, shipped, upstream] of EDITS) {
    const file = join(folder, 'lib/vscode/out', name);
    const text = readFileSync(file, 'utf8');
    const [found, done] = [shipped, upstream].map((pattern) => text.split(pattern).length - 1);
    if (found === 0 && done === 1) continue;
    if (found !== 1) {
      throw new Error(
        `${file}: expected “${shipped}” once, found it ${found} times. This code-server is another than the one gate.mjs was written for.`,
      );
    }
    writeFileSync(
      file,
      text.replace(shipped, () => upstream),
    );
  }
}

function check(extension, proposal) {
  return `{return!!${extension}.enabledApiProposals&&${extension}.enabledApiProposals.includes(${proposal})}`;
}
