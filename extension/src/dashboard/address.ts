/** The place of the view in a browser: its address, and its own buttons to go back and on. */

import type { Address } from './home';

export class BrowserAddress implements Address {
  private depth = 0;

  fragment(): string {
    return location.hash;
  }

  go(fragment: string, how: 'step' | 'replace'): void {
    const url = fragment === '' ? location.pathname + location.search : `#${fragment}`;
    if (how === 'step') {
      this.depth += 1;
      history.pushState({ depth: this.depth }, '', url);
    } else {
      history.replaceState({ depth: this.depth }, '', url);
    }
  }

  back(): void {
    history.back();
  }

  canGoBack(): boolean {
    return this.depth > 0;
  }

  onMoved(moved: () => void): void {
    window.addEventListener('popstate', ({ state }) => {
      this.depth = Number((state as { depth?: unknown } | null)?.depth ?? 0);
      moved();
    });
  }
}
