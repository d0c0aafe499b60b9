/** One line of a tree, before it becomes the editor's. Pure data: what a line shows is tested without an editor. */

/** What a line shows and does. */
export interface Row {
  /** Unique in its tree, and the same after a refresh. */
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  /** A codicon and the colour it takes from the theme. */
  readonly icon?: readonly [name: string, color?: string];
  /** Markdown, with what others wrote escaped. */
  readonly tooltip?: string;
  /** What menus tell it by. */
  readonly context?: string;
  readonly children?: 'closed' | 'open';
  /** What choosing it does; it gets the node. */
  readonly command?: string;
}
