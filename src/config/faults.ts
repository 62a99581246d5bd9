import type { z } from 'zod';
import { DepthwireError, shown } from '../errors.js';
import { nearest } from '../nearest.js';
import { fileKey, fileWord, schemaAt, type ValueSchema } from './settings.js';

/** Where a key was given: `depthwire.toml:12`, `DEPTHWIRE_PORT`, `--port`; undefined for one that a program set. */
export type OriginOf = (key: string) => string | undefined;

type Issue = z.core.$ZodIssue;

/** What the first fault of a configuration is: its key, where it was given, its value, its bounds, what was meant. */
export function fault(issue: Issue | undefined, input: unknown, originOf: OriginOf): DepthwireError {
  const path = issue?.path ?? [];
  const value = valueAt(input, path);
  if (issue?.code === 'unrecognized_keys') {
    const word = issue.keys[0] ?? '';
    const known = Object.keys(schemaAt(path)?.properties ?? {}).map(fileWord);
    const meant = nearest(fileWord(word), known);
    return new DepthwireError('config.unknown_key', {
      what: 'a key of the configuration is not known',
      where: placed(fileKey([...path, word]), originOf),
      expected: known.join(', '),
      got: fileWord(word),
      fix: meant === undefined ? `Remove ${fileWord(word)}.` : `Write ${meant} instead of ${fileWord(word)}.`,
    });
  }
  const key = fileKey(path);
  const expected = expectation(issue, path);
  const meant = typeof value === 'string' ? nearest(value, schemaAt(path)?.enum ?? []) : undefined;
  const isAddress = path[0] === 'sources' && path[2] === 'urls';
  return new DepthwireError(isAddress ? 'config.url' : 'config.invalid', {
    what:
      value === undefined
        ? `the key ${key} is missing`
        : `the value of ${key || 'the configuration'} cannot be used`,
    where: placed(key, originOf),
    expected,
    got: path.includes('keys')
      ? 'a value that is not shown'
      : value === undefined
        ? 'nothing'
        : tellable(key, shown(value)),
    fix: remedy(key, value, expected, meant ?? asList(value, path)),
  });
}

function remedy(key: string, value: unknown, expected: string, meant: string | undefined): string {
  if (meant !== undefined) return `Write ${meant}.`;
  return value === undefined ? `Add ${key}: ${expected}.` : `Set ${key || 'it'} to ${expected}.`;
}

/** A text where a list of texts is due, as that list; undefined elsewhere. */
function asList(value: unknown, path: readonly PropertyKey[]): string | undefined {
  const isTextFor = schemaAt(path)?.type === 'array' && typeof value === 'string';
  return isTextFor ? `[${JSON.stringify(value)}]` : undefined;
}

/** A key with where it was given. */
export function placed(key: string, originOf: OriginOf): string {
  const origin = originOf(key);
  return origin === undefined ? key : `${key} (${origin})`;
}

/** What may stand at a path: its type with its bounds, or in the words of its rule. */
export function expectation(issue: Issue | undefined, path: readonly PropertyKey[]): string {
  const schema = schemaAt(path);
  switch (issue?.code) {
    case 'too_big':
    case 'too_small':
    case 'invalid_type':
      return valueWords(schema, issue.message);
    case 'invalid_value':
      return schema?.enum === undefined ? issue.message : `one of ${schema.enum.join(', ')}`;
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    default:
      return issue?.message ?? 'a valid value';
  }
}

function valueWords(schema: ValueSchema | undefined, otherwise: string): string {
  const { type, minimum, maximum, minItems, items } = schema ?? {};
  switch (type) {
    case 'integer':
      return minimum === undefined || maximum === undefined
        ? 'an integer'
        : `an integer from ${minimum} to ${maximum}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'a text';
    case 'array': {
      const what = items?.enum === undefined ? 'a list' : `a list of ${items.enum.join(', ')}`;
      return minItems === undefined
        ? what
        : `${what} with at least ${minItems} ${minItems === 1 ? 'entry' : 'entries'}`;
    }
    case 'object':
      return 'a table';
    default:
      return otherwise;
  }
}

/** The value of a key as it may be printed: without passwords, and without what an address of keys may ask with. */
export function tellable(key: string, text: string): string {
  const bare = withoutPassword(text);
  return key === 'auth.jwks_url' ? bare.replace(/\?[^"]*/, '?…') : bare;
}

/** A text without the password that an address in it may hold. */
export function withoutPassword(text: string): string {
  return text.replace(/(\/\/)[^/@"]+@/g, '$1…@');
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
