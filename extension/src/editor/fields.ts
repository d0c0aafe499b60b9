/**
 * The fields of a server's form: what a person types becomes a value, or a sentence that says what is wrong with it. A
 * first check near the keys; the daemon checks again before the server gets anything. Pure.
 */

import { l10n } from 'vscode';
import type { Field } from '../lsp_ext';
import { parse as parameter, type Parsed } from '../form';
import type { Parameter } from '../schema';
import { cut, visible } from './plain';

/** What was given so far, by field. */
export type Values = Map<string, unknown>;

/** Near enough to say what is meant, and quick on whatever is typed. */
const FORMATS = {
  email: (text: string) => /^[^\s@]+@[^\s@]+$/.test(text),
  uri: (text: string) => /^[a-z][a-z0-9+.-]*:\S+$/i.test(text),
  date: (text: string) => /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/.test(text),
  'date-time': (text: string) =>
    /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.test(text) &&
    !Number.isNaN(Date.parse(text)),
} as const;

/** What people call the field. */
export function label({ name, title }: Field): string {
  return title === undefined || title.trim() === '' ? name : title;
}

/** Reads what was typed, or the values that were chosen; nothing typed is no value. */
export function parse(field: Field, given: unknown): Parsed {
  const { kind, required } = field;
  if (given === '') {
    return required ? { problem: l10n.t('{0} is required.', visible(label(field))) } : { value: undefined };
  }
  if (kind.type === 'text' && typeof given === 'string') {
    const parsed = parameter(as(field, 'text', kind), given);
    return 'problem' in parsed || kind.format === undefined || FORMATS[kind.format](given)
      ? parsed
      : { problem: expectation(field) };
  }
  if (kind.type === 'number' && typeof given === 'string') {
    return parameter(as(field, kind.whole ? 'integer' : 'number', kind), given);
  }
  if (kind.type === 'choices' && Array.isArray(given)) {
    if (given.length === 0 && !required) {
      return { value: undefined };
    }
    const { least = required ? 1 : 0, most = given.length } = kind;
    if (given.length < least) {
      return { problem: l10n.t('Choose at least {0}.', least) };
    }
    return given.length > most ? { problem: l10n.t('Choose at most {0}.', most) } : { value: given };
  }
  return { value: given };
}

/** What stands in the box to begin with. */
export function typed(field: Field, values: Values): string {
  const { kind, name } = field;
  const value = values.get(name) ?? (kind.type === 'text' || kind.type === 'number' ? kind.default : undefined);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** A value for people. */
export function shown({ kind }: Field, value: unknown): string {
  const titleOf = (one: unknown): string =>
    ('options' in kind ? kind.options.find((option) => option.value === one)?.title : undefined) ?? String(one);
  if (typeof value === 'boolean') {
    return value ? l10n.t('Yes') : l10n.t('No');
  }
  return Array.isArray(value) ? value.map(titleOf).join(', ') : titleOf(value);
}

/** Whether the form cannot be sent for want of it. */
export function isMissing({ name, required }: Field, values: Values): boolean {
  return required && !values.has(name);
}

/** What belongs into the field, in the server's words and ours. */
export function prompt(field: Field): string {
  const said = cut(visible(field.description ?? ''), 300).text;
  return [said, expectation(field)].filter((part) => part !== '').join(' — ');
}

/** The field on a line of its own. */
export function lined(field: Field): string {
  return `${visible(label(field))}${field.required ? ' *' : ''}: ${prompt(field)}`;
}

function expectation({ kind }: Field): string {
  switch (kind.type) {
    case 'text':
      switch (kind.format) {
        case 'email':
          return l10n.t('an e-mail address');
        case 'uri':
          return l10n.t('an address such as https://host/path');
        case 'date':
          return l10n.t('a date such as 2026-01-31');
        case 'date-time':
          return l10n.t('date and time such as 2026-01-31T12:00:00Z');
        default:
          return '';
      }
    case 'number':
      return kind.whole ? l10n.t('a whole number') : l10n.t('a number');
    default:
      return '';
  }
}

/** The field as a tool's parameter, whose values are read alike. */
function as(field: Field, kind: Parameter['kind'], { least, most }: { least?: number; most?: number }): Parameter {
  const bounds = { ...(least === undefined ? {} : { least }), ...(most === undefined ? {} : { most }) };
  return { name: field.name, required: field.required, kind, type: kind, doc: '', bounds, children: [] };
}
