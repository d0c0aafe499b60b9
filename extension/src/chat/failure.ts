/** Why a model did not answer, in words that say what to do. Pure. */

import * as vscode from 'vscode';
import { whole } from '../format';
import { TooLong } from './conversation';

/** The words for `error`; `model` is the name that the person chose it by. */
export function failureText(error: unknown, model: string): string {
  if (error instanceof TooLong) {
    return vscode.l10n.t(
      'The question and what is attached to it are more than the {0} tokens that {1} takes. Ask about less, or choose a model with a larger context.',
      whole(error.maxInputTokens),
      model,
    );
  }
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof vscode.LanguageModelError)) {
    return vscode.l10n.t('{0} did not answer: {1}', model, message);
  }
  switch (error.code) {
    case vscode.LanguageModelError.NoPermissions.name:
      return vscode.l10n.t(
        'TTA may not use {0}. Allow it with the command “Manage Language Model Access…”, and ask again.',
        model,
      );
    case vscode.LanguageModelError.NotFound.name:
      return vscode.l10n.t('{0} is not there any more. Choose another model below, and ask again.', model);
    case vscode.LanguageModelError.Blocked.name:
      return blocked(model, `${message} ${causeOf(error)}`);
    default:
      return other(model, message, causeOf(error));
  }
}

/** Blocked is the editor’s word for quotas and for what a provider refuses. */
function blocked(model: string, why: string): string {
  return isFiltered(why)
    ? refused(model)
    : vscode.l10n.t('{0} is blocked for now: its quota or its rate is used up. Wait, or choose another model.', model);
}

function other(model: string, message: string, cause: string): string {
  const why = `${message} ${cause}`;
  if (isFiltered(why)) {
    return refused(model);
  }
  return /quota|rate.?limit|too many requests|\b429\b/i.test(why)
    ? blocked(model, '')
    : vscode.l10n.t('{0} did not answer: {1}', model, message || cause);
}

function refused(model: string): string {
  return vscode.l10n.t('{0} would not answer this: its provider filtered it, or holds it for off topic.', model);
}

function isFiltered(why: string): boolean {
  return /off.?topic|content.?filter|filtered|responsible.?ai/i.test(why);
}

function causeOf({ cause }: Error): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : typeof cause === 'string' ? cause : '';
}
