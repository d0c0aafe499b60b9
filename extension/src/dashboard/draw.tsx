/** Draws every state of the page into its root. */

import { render } from 'preact';
import { App } from './app';
import { Numbers } from './numbers';
import type { Store } from './store';

/** From now on. */
export function draw(store: Store, language: string): void {
  const root = document.getElementById('root');
  if (root === null) {
    return;
  }
  const numbers = new Numbers(language);
  store.start((state) => {
    render(<App look={{ store, state, numbers }} />, root);
  });
}
