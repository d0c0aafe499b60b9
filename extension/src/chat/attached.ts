/** What the person attached to a question, as text for the model: whole files or parts of them, cut. */

import * as vscode from 'vscode';
import { codeBlock } from '../views/untrusted';

const MOST_ATTACHED = 10;
const MOST_CHARACTERS = 20_000;

/** The question with what is attached to it. What cannot be read is named, so that the model knows of it. */
export async function questionWith(
  prompt: string,
  references: readonly Pick<vscode.ChatPromptReference, 'value' | 'modelDescription'>[],
): Promise<string> {
  // The editor hands them over from the last to the first.
  const attached = await Promise.all(references.slice(-MOST_ATTACHED).reverse().map(text));
  const left = references.length - attached.length;
  return [prompt, ...attached, left > 0 ? `[${left} more attachments left out]` : '']
    .filter((part) => part !== '')
    .join('\n\n');
}

async function text({ value, modelDescription = '' }: Pick<vscode.ChatPromptReference, 'value' | 'modelDescription'>) {
  if (typeof value === 'string') {
    return block(modelDescription, value);
  }
  if (value instanceof vscode.Uri) {
    return file(value);
  }
  return value instanceof vscode.Location ? file(value.uri, value.range) : '';
}

async function file(uri: vscode.Uri, range?: vscode.Range): Promise<string> {
  const path = uri.scheme === 'file' ? uri.fsPath : uri.toString(true);
  const name = range ? `${path}, lines ${range.start.line + 1} to ${range.end.line + 1}` : path;
  try {
    return block(name, (await vscode.workspace.openTextDocument(uri)).getText(range));
  } catch {
    // A folder, an image, a file that is gone.
    return `Attached: ${name}`;
  }
}

function block(name: string, content: string): string {
  return `Attached: ${name}\n${codeBlock(content, '', MOST_CHARACTERS)}`;
}
