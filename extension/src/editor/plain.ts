/**
 * Untrusted text for people: on one line, with everything that would act instead of being read made visible. What a
 * server or a program wrote can then not pass for the editor's own words. Pure.
 */

/** Controls, formats (bidirectional overrides, zero-width characters, tags), separators, private use, lone surrogates. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;
const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The text with its unseen characters written as escapes. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (char) => NAMED[char] ?? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** The same over several lines: line breaks and tabs stay. */
export function visibleLines(text: string): string {
  return text.replace(UNSEEN, (char) =>
    char === '\n' || char === '\t' ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** At most `most` characters of `text`, and whether that is not all of it. */
export function cut(text: string, most: number): { readonly text: string; readonly cut: boolean } {
  return text.length <= most ? { text, cut: false } : { text: `${text.slice(0, most).trimEnd()}…`, cut: true };
}

/** For a notification: neither a link nor a command can come of it. */
export function forNotification(text: string, most: number): string {
  return cut(visible(text), most).text.replace(/\](?=\()/g, '] ');
}

/** For a quick pick: no icon can come of it. */
export function forPick(text: string, most: number): string {
  return cut(visible(text), most).text.replace(/\$(?=\()/g, '\\$');
}
