/**
 * Where the page begins: it finds out where it is at home, asks for the figures, and draws every state from then on. What
 * draws is made ready only once the question is on its way, for that takes longer than many an answer.
 */

import { config } from '@vscode/l10n';
import type { Home } from './home';
import { EditorHome, type EditorApi } from './home_editor';
import { FileHome } from './home_file';
import { HttpHome, takeToken } from './home_http';
import type { PageData } from './protocol';
import { Store } from './store';

declare const acquireVsCodeApi: (() => EditorApi) | undefined;

const text = document.getElementById('data')?.textContent.trim() ?? '';
const data: PageData = text === '' ? {} : (JSON.parse(text) as PageData);
if (data.texts !== undefined) {
  config({ contents: { ...data.texts } });
}
document.documentElement.lang = data.texts === undefined ? 'en' : (data.language ?? 'en');

/** How long the page stays as it is for an answer that comes soon; a page of waiting would only delay it. */
const PATIENCE_MS = 100;

const store = new Store(home());
const answered = store.ask();
void import('./draw').then(async ({ draw }) => {
  await Promise.race([answered, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  draw(store, data.language ?? navigator.language);
});

function home(): Home {
  if (data.report !== undefined) {
    return new FileHome(data, data.report);
  }
  return typeof acquireVsCodeApi === 'function' ? new EditorHome(acquireVsCodeApi()) : new HttpHome(takeToken());
}
