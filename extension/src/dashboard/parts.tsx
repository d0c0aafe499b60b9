/** What the page's sections are made of: tables, tiles, chips, links. Whatever others wrote becomes text, never markup. */

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { oneLine } from '../views/untrusted';
import { certaintyName, type Certainty } from './figures';
import type { Numbers } from './numbers';
import type { State, Store } from './store';

/** What every part of the page looks at. */
export interface Look {
  readonly store: Store;
  readonly state: State;
  readonly numbers: Numbers;
}

/** A column; where there is little room, `extra` ones go first and `minor` ones next. */
export interface Column<T> {
  readonly name: string;
  readonly kind?: 'text' | 'short' | 'number' | 'bar';
  readonly room?: 'minor' | 'extra';
  cell(row: T): ComponentChildren;
}

const NAME_MOST = 80;

/** A part of the page with its heading. */
export function Section(props: {
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  const id = `s-${props.title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
  return (
    <section class={props.wide === true ? 'card wide' : 'card'} aria-labelledby={id}>
      <h2 id={id}>{props.title}</h2>
      {props.note === undefined ? null : <p class="note">{props.note}</p>}
      {props.children}
    </section>
  );
}

/** Rows of anything; the first column names its row. */
export function Table<T>(props: {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T, index: number) => string;
  readonly rowClass?: (row: T) => string;
}): JSX.Element {
  const { columns, rows, keyOf, rowClass } = props;
  const looks = columns.map(({ kind = 'text', room }) => (room === undefined ? kind : `${kind} ${room}`));
  return (
    <table>
      <caption class="unseen">{props.caption}</caption>
      <thead>
        <tr>
          {columns.map(({ name }, index) => (
            <th key={index} scope="col" class={looks[index]}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={keyOf(row, index)} class={rowClass?.(row)}>
            {columns.map((column, at) =>
              at === 0 ? (
                <th key={at} scope="row" class={looks[at]}>
                  {column.cell(row)}
                </th>
              ) : (
                <td key={at} class={looks[at]}>
                  {column.cell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A figure with its name and what is to be said of it. */
export function Tile(props: {
  readonly name: string;
  readonly value: ComponentChildren;
  readonly look?: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="tile">
      <dt>{props.name}</dt>
      <dd class={`value ${props.look ?? ''}`}>{props.value}</dd>
      <dd class="note">{props.children}</dd>
    </div>
  );
}

/** How well a figure is known. */
export function Chip({ certainty }: { readonly certainty: Certainty }): JSX.Element {
  return <span class={`chip ${certainty}`}>{certaintyName(certainty)}</span>;
}

/** A word of others: on one line, cut, its direction its own. */
export function Foreign({ text }: { readonly text: string }): JSX.Element {
  return (
    <bdi title={text.length > NAME_MOST ? oneLine(text, 500) : undefined}>{breakable(oneLine(text, NAME_MOST))}</bdi>
  );
}

/** Long names break at their own joints first. */
function breakable(text: string): ComponentChildren {
  const parts = text.split(/(?<=[_./-])/);
  return text === '' ? '—' : parts.map((part, index) => (index === 0 ? part : [<wbr key={index} />, part]));
}

/** Leads further down. */
export function Way(props: { readonly go: () => void; readonly hint: string; readonly text: string }): JSX.Element {
  return (
    <button type="button" class="way" title={props.hint} onClick={props.go}>
      <Foreign text={props.text} />
    </button>
  );
}

/** A bar of a share of its cell; `over` lies upon it. Its figure stands in a cell of its own. */
export function Bar(props: { readonly length: number; readonly look: string; readonly over?: number }): JSX.Element {
  return (
    <span class="bar" aria-hidden="true">
      <span class={props.look} style={{ width: share(props.length) }} />
      {props.over === undefined ? null : <span class="over" style={{ width: share(props.over) }} />}
    </span>
  );
}

/** Something that unfolds. What is in it is made when it first does: a long table that nobody opens costs nothing. */
export function Unfold(props: {
  readonly title: string;
  readonly open?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { title, open = false, children } = props;
  const [seen, setSeen] = useState(open);
  return (
    <details
      open={open}
      onToggle={({ currentTarget }) => {
        setSeen(seen || currentTarget.open);
      }}
    >
      <summary>{title}</summary>
      {seen || open ? children : null}
    </details>
  );
}

let later = false;

/** What lies below the first screen: the page's first frame does not wait for it, all others hold it. */
export function Later({ children }: { readonly children: ComponentChildren }): JSX.Element | null {
  const [, setShown] = useState(later);
  useEffect(() => {
    later = true;
    setShown(true);
  }, []);
  return later ? <>{children}</> : null;
}

function share(length: number): string {
  return `${(100 * Math.min(1, Math.max(0, length))).toFixed(2)}%`;
}
