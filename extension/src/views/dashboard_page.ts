/**
 * The dashboard's page: one style and one script of its own, named by a nonce, and nothing from anywhere else. The switch
 * between baselines is a group of radio buttons outside the part that changes, so that it keeps the focus. Pure.
 */

import { l10n } from 'vscode';
import { baselines } from './dashboard_model';
import { html } from './untrusted';

/** The page around `body`, for a nonce that is used once. */
export function page(body: string, nonce: string, language: string): string {
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`;
  const switches = baselines().map(
    ([baseline, name], index) =>
      `<label><input type="radio" name="baseline" id="by-${baseline}"${index === 0 ? ' checked' : ''}> ${html(name)}</label>`,
  );
  return `<!DOCTYPE html>
<html lang="${html(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(l10n.t('TTA Dashboard'))}</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<main>
<h1>${html(l10n.t('TTA Dashboard'))}</h1>
<fieldset><legend>${html(l10n.t('Compared with calling the tools directly:'))}</legend>${switches.join('')}</fieldset>
<div id="figures">${body}</div>
</main>
<script nonce="${nonce}">${SCRIPT}</script>
</body>
</html>`;
}

const STYLE = `
body { color: var(--vscode-foreground); font: var(--vscode-font-size) var(--vscode-font-family); }
main { max-width: 70em; margin: 0 auto; padding: 0 1em 2em; }
h1 { font-size: 1.5em; font-weight: 600; }
h2 { font-size: 1.1em; font-weight: 600; margin: 0 0 .4em; }
fieldset { border: 0; margin: 0; padding: 0; }
legend { color: var(--vscode-descriptionForeground); margin-bottom: .3em; padding: 0; }
label { display: inline-block; margin-right: 1.5em; }
input { accent-color: var(--vscode-focusBorder); vertical-align: -2px; }
section { margin-top: 1.6em; }
.notes { color: var(--vscode-descriptionForeground); min-height: 1.3em; }
.totals { display: none; flex-wrap: wrap; gap: 1em; }
.card { flex: 1 1 18em; margin: 0; padding: 1em; border: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder, transparent)); background: var(--vscode-editorWidget-background); border-radius: 4px; }
.saved { font-size: 1.4em; margin: .2em 0; }
.loss { color: var(--vscode-editorWarning-foreground); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; font-weight: normal; padding: .25em .6em; border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent)); }
th:first-child, .word { text-align: left; }
thead th { color: var(--vscode-descriptionForeground); }
.label { color: var(--vscode-descriptionForeground); }
tbody tr:hover { background: var(--vscode-list-hoverBackground); }
button { all: unset; cursor: pointer; color: var(--vscode-textLink-foreground); }
button:hover { text-decoration: underline; }
button:focus-visible, input:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 2px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2em 1em; margin: 0; }
dt { color: var(--vscode-descriptionForeground); }
dd { margin: 0; }
td.deferred, th.deferred, td.needed_servers, th.needed_servers, td.all_servers, th.all_servers { display: none; }
${['deferred', 'needed_servers', 'all_servers']
  .map(
    (name) =>
      `body:has(#by-${name}:checked) .totals.${name} { display: flex; } body:has(#by-${name}:checked) :is(td, th).${name} { display: table-cell; }`,
  )
  .join('\n')}
`;

/** Puts new figures in place, keeps the focus where it was, and tells which button was pressed. */
const SCRIPT = `
const vscode = acquireVsCodeApi();
const figures = document.getElementById('figures');
const keyOf = (button) => button && (button.dataset.run ?? button.dataset.server);
window.addEventListener('message', ({ data }) => {
  const held = keyOf(document.activeElement);
  figures.innerHTML = data.figures;
  if (held) [...figures.querySelectorAll('button')].find((button) => keyOf(button) === held)?.focus();
});
figures.addEventListener('click', ({ target }) => {
  const button = target.closest('button');
  if (button) vscode.postMessage({ ...button.dataset });
});
const saved = vscode.getState()?.baseline;
if (saved) document.getElementById(saved).checked = true;
document.querySelector('fieldset').addEventListener('change', ({ target }) => vscode.setState({ baseline: target.id }));
`;
