/** Where the page begins: it finds out where it is at home, and draws every state from then on. */

import { config } from '@vscode/l10n';
import { render } from 'preact';
import { App } from './app';
import type { Home } from './home';
import { EditorHome, type EditorApi } from './home_editor';
import { FileHome } from './home_file';
import { HttpHome, takeToken } from './home_http';
import { Numbers } from './numbers';
import type { PageData } from './protocol';
import { Store } from './store';

declare const acquireVsCodeApi: (() => EditorApi) | undefined;

const text = document.getElementById('data')?.textContent.trim() ?? '';
const data: PageData = text === '' ? {} : (JSON.parse(text) as PageData);
if (data.texts !== undefined) {
  config({ contents: { ...data.texts } });
}
document.documentElement.lang = data.texts === undefined ? 'en' : (data.language ?? 'en');

const numbers = new Numbers(data.language ?? navigator.language);
const store = new Store(home());
const root = document.getElementById('root');
if (root !== null) {
  store.start((state) => {
    render(<App look={{ store, state, numbers }} />, root);
  });
}

function home(): Home {
  if (data.report !== undefined) {
    return new FileHome(data, data.report);
  }
  return typeof acquireVsCodeApi === 'function' ? new EditorHome(acquireVsCodeApi()) : new HttpHome(takeToken());
}
