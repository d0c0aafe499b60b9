/** A selection as a program of its own. Pure. */

/** What is run, and under which name. */
export interface Program {
  readonly code: string;
  readonly name: string;
}

/**
 * The selected text, which begins in line `startLine` (from 0) of its document. Its common indentation is taken away, and
 * empty lines are put before it so that errors and tracebacks name the document's own lines.
 */
export function asProgram(selected: string, startLine: number, name: string): Program {
  const lines = selected.split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => /^[ \t]*/.exec(line)?.[0] ?? '');
  const common = indents.reduce((a, b) => (a.startsWith(b) ? b : sharedStart(a, b)), indents[0] ?? '');
  const code = lines.map((line) => (line.startsWith(common) ? line.slice(common.length) : line.trimStart())).join('\n');
  return { code: '\n'.repeat(startLine) + code, name };
}

function sharedStart(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) {
    length += 1;
  }
  return a.slice(0, length);
}
