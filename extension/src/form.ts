/**
 * A tool's parameters as a form: what a person types becomes a value, or a sentence that says what is wrong with it. A
 * first check near the keys; the daemon checks in full. The server's own regular expressions are not run here, where a
 * slow one would stop the editor. Pure.
 */

import { l10n } from 'vscode';
import type { Parameter, Scalar } from './schema';

/** The value of a field, or why there is none. */
export type Parsed = { readonly value: unknown } | { readonly problem: string };

/** What was given so far, by parameter. */
export type Values = Readonly<Record<string, unknown>>;

/** Reads what was typed for `field`. Nothing typed is for the caller to understand. */
export function parse(field: Parameter, typed: string): Parsed {
  switch (field.kind) {
    case 'text':
      return bounded(field, typed, typed.length, l10n.t('characters'));
    case 'number':
    case 'integer': {
      const parsed = scalar(field.kind, typed);
      return 'problem' in parsed ? parsed : bounded(field, parsed.value, Number(parsed.value));
    }
    case 'boolean':
      return scalar('boolean', typed);
    case 'choice': {
      const found = field.options?.find((option) => String(option) === typed.trim());
      return found === undefined ? { problem: l10n.t('Choose one of: {0}', listed(field.options)) } : { value: found };
    }
    case 'list':
      return list(field, typed);
    case 'json':
      return json(field, typed);
  }
}

/** A value as a person would type it. */
export function typed(field: Parameter, value: unknown): string {
  if (value === undefined) {
    return '';
  }
  if (field.kind === 'text' || field.kind === 'choice') {
    return typeof value === 'string' ? value : JSON.stringify(value);
  }
  if (field.kind === 'list' && Array.isArray(value) && value.every(plain)) {
    return value.map(String).join(', ');
  }
  return JSON.stringify(value);
}

/** What the form begins with: what was given last, else the schema's defaults for what is required. */
export function beginning(fields: readonly Parameter[], last: Values | undefined): Values {
  const given = fields.flatMap((field): [string, unknown][] => {
    if (last) {
      return Object.hasOwn(last, field.name) ? [[field.name, last[field.name]]] : [];
    }
    return field.required && field.default !== undefined ? [[field.name, field.default]] : [];
  });
  return Object.fromEntries(given);
}

/** The required fields that have no value. */
export function missing(fields: readonly Parameter[], values: Values): Parameter[] {
  return fields.filter(({ name, required }) => required && !Object.hasOwn(values, name));
}

/** `values` with one changed, or without it. */
export function changed(values: Values, name: string, value: unknown): Values {
  const rest = Object.fromEntries(Object.entries(values).filter(([key]) => key !== name));
  return value === undefined ? rest : { ...rest, [name]: value };
}

/** What a field expects, for the line under its box. */
export function expectation({ kind, type, item, bounds: { least, most } }: Parameter): string {
  const range =
    least !== undefined && most !== undefined
      ? l10n.t(', {0} to {1}', least, most)
      : least !== undefined
        ? l10n.t(', at least {0}', least)
        : most !== undefined
          ? l10n.t(', at most {0}', most)
          : '';
  if (kind === 'list') {
    return item === 'text'
      ? l10n.t('{0}: apart by commas, or a JSON array', type) + range
      : l10n.t('{0}: apart by commas', type) + range;
  }
  return (kind === 'json' ? l10n.t('{0}: as JSON', type) : type) + range;
}

function scalar(kind: 'text' | 'number' | 'integer' | 'boolean', text: string): Parsed {
  const trimmed = text.trim();
  if (kind === 'text') {
    return { value: trimmed };
  }
  if (kind === 'boolean') {
    return trimmed === 'true' || trimmed === 'false'
      ? { value: trimmed === 'true' }
      : { problem: l10n.t('Write true or false.') };
  }
  const number = Number(trimmed);
  if (trimmed === '' || !Number.isFinite(number)) {
    return { problem: l10n.t('“{0}” is not a number.', trimmed) };
  }
  return kind === 'integer' && !Number.isSafeInteger(number)
    ? { problem: l10n.t('“{0}” is not a whole number.', trimmed) }
    : { value: number };
}

function list(field: Parameter, text: string): Parsed {
  if (text.trim().startsWith('[')) {
    const parsed = parseJson(text);
    if ('problem' in parsed) {
      return parsed;
    }
    const wrong = (parsed.value as unknown[]).find((value) => !fits(field, value));
    return wrong === undefined
      ? sized(field, parsed.value as unknown[])
      : { problem: l10n.t('{0} does not belong into {1}.', JSON.stringify(wrong), field.type) };
  }
  const parts = text.trim() === '' ? [] : text.split(',');
  const values = parts.map((part) => scalar(field.item ?? 'text', part));
  const bad = values.find((one) => 'problem' in one);
  if (bad) {
    return bad;
  }
  const items = values.map((one) => ('value' in one ? one.value : undefined));
  const stranger = items.find((value) => !fits(field, value));
  return stranger === undefined ? sized(field, items) : { problem: l10n.t('Choose from: {0}', listed(field.options)) };
}

function fits({ item, options }: Parameter, value: unknown): boolean {
  if (options && !options.includes(value as Scalar)) {
    return false;
  }
  const wanted = item === 'text' ? 'string' : item === 'boolean' ? 'boolean' : 'number';
  return typeof value === wanted && (item !== 'integer' || Number.isSafeInteger(value));
}

function sized(field: Parameter, items: unknown[]): Parsed {
  return bounded(field, items, items.length, l10n.t('items'));
}

function json({ type }: Parameter, text: string): Parsed {
  const parsed = parseJson(text);
  if ('problem' in parsed) {
    return parsed;
  }
  const is = Array.isArray(parsed.value) ? 'array' : parsed.value === null ? 'null' : typeof parsed.value;
  const wanted = type.endsWith('[]') ? 'array' : type;
  return (wanted === 'object' || wanted === 'array') && is !== wanted
    ? { problem: wanted === 'object' ? l10n.t('Write a JSON object: {…}') : l10n.t('Write a JSON array: […]') }
    : parsed;
}

function parseJson(text: string): Parsed {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { problem: l10n.t('This is not JSON: {0}', error instanceof Error ? error.message : String(error)) };
  }
}

function bounded({ bounds: { least, most } }: Parameter, value: unknown, size: number, unit = ''): Parsed {
  if (least !== undefined && size < least) {
    return { problem: l10n.t('At least {0}, not {1}.', `${least} ${unit}`.trim(), size) };
  }
  return most !== undefined && size > most
    ? { problem: l10n.t('At most {0}, not {1}.', `${most} ${unit}`.trim(), size) }
    : { value };
}

/** Whether an item can stand between commas and come back the same. */
function plain(value: unknown): boolean {
  return typeof value === 'string'
    ? value !== '' && value === value.trim() && !value.includes(',') && !value.startsWith('[')
    : typeof value === 'number' || typeof value === 'boolean';
}

function listed(options: readonly Scalar[] = []): string {
  return options.map(String).join(', ');
}
