/** What could be done better: what saves most first, the rest behind a word. A setting stands there to be copied. */

import * as l10n from '@vscode/l10n';
import type { JSX } from 'preact';
import type { Advice } from '../lsp_ext';
import { oneLine } from '../views/untrusted';
import { Section, Unfold, Way, type Look } from './parts';

/** What is seen at once. */
const FIRST = 5;

/** All advice of a report, which has most tokens first. */
export function AdviceList({
  rows,
  look,
}: {
  readonly rows: readonly Advice[];
  readonly look: Look;
}): JSX.Element | null {
  if (rows.length === 0) {
    return null;
  }
  const more = rows.slice(FIRST);
  return (
    <Section title={l10n.t('Advice')} wide>
      <Items rows={rows.slice(0, FIRST)} look={look} />
      {more.length === 0 ? null : (
        <Unfold title={l10n.t('{0} more', look.numbers.whole(more.length))}>
          <Items rows={more} look={look} />
        </Unfold>
      )}
    </Section>
  );
}

function Items({ rows, look }: { readonly rows: readonly Advice[]; readonly look: Look }): JSX.Element {
  return (
    <ul class="advice">
      {rows.map((advice) => (
        <Item
          key={`${advice.kind} ${advice.server ?? ''} ${advice.tool ?? ''} ${advice.run_id ?? ''}`}
          advice={advice}
          look={look}
        />
      ))}
    </ul>
  );
}

function Item({ advice, look }: { readonly advice: Advice; readonly look: Look }): JSX.Element {
  const { numbers, store } = look;
  const { run_id: run, tokens, times, text, setting } = advice;
  return (
    <li>
      <p>
        <bdi>{oneLine(text, 500)}</bdi>
      </p>
      <p class="note">
        {l10n.t('{0} tokens in this period, computed; seen {1} times', numbers.whole(tokens), numbers.whole(times))}
        {run === undefined ? null : (
          <>
            {' · '}
            <Way
              text={l10n.t('an example')}
              hint={l10n.t('Show its calls')}
              go={() => {
                store.go({ run, why: undefined }, 'step');
              }}
            />
          </>
        )}
      </p>
      {setting === undefined ? null : <Setting text={setting} />}
    </li>
  );
}

/** What to write into the settings' file. */
function Setting({ text }: { readonly text: string }): JSX.Element {
  return (
    <>
      <p class="note">{l10n.t('These lines of tta.toml offer it to models beside run_code:')}</p>
      <pre>
        <code>
          {text
            .split('\n')
            .map((line) => oneLine(line, 4_000))
            .join('\n')}
        </code>
      </pre>
    </>
  );
}
