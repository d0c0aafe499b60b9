/** Text that servers, programs and models wrote, made fit for a place in the interface: nothing in it is markup. Pure. */

/** Characters that change what is seen around them: controls, and marks that turn the direction of writing. */
// eslint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The text on one line, cut to `most` characters. */
export function oneLine(text: string, most = 200): string {
  return cut(text.replace(/[\s\u2028\u2029]+/g, ' ').trim(), most).replace(UNSEEN, '');
}

/** The text with its lines, cut to `most` characters; the cut is shown. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** As Markdown that shows every character as it is. */
export function markdown(text: string, most = 2_000): string {
  return cut(text.replace(UNSEEN, ''), most)
    .replace(/[!-/:-@[-`{-~]/g, '\\$&')
    .replace(/\r?\n/g, '  \n');
}

/** As a block of code in Markdown; its fence is longer than any within. */
export function codeBlock(text: string, language = '', most = 4_000): string {
  const shown = cut(text, most);
  const longest = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${shown}\n${fence}`;
}

/** As text or attribute value in HTML. */
export function html(text: string): string {
  return text.replace(UNSEEN, '').replace(/[&<>"'`]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** As a name for a file or a tab: no slash, nothing hidden, not too long. */
export function fileName(text: string): string {
  return oneLine(text, 60).replace(/[/\\:*?"<>|]/g, '·') || '·';
}

/** As label, description or detail of a quick pick, where `$(name)` would become an icon. */
export function iconless(text: string): string {
  return text.replace(/\$\([a-z0-9-]+(~[a-z]+)?\)/gi, '\\$&');
}
