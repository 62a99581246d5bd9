import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { codeOf, DepthwireError } from '../errors.js';
import { codeWord, fileWord, isFree } from './settings.js';

/** The file that is looked for in the working folder. */
export const CONFIG_FILE = 'depthwire.toml';

const FILE_BYTES_MAX = 1 << 20;

/** What a file says, in the words of `Config`, unchecked. */
export interface ConfigFile {
  readonly path: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Where a key stands, as `depthwire.toml:12`, or where its table begins; the file alone where neither is found. */
  placeOf(key: string): string;
}

/** Reads a file, whose path is told as it was given: of `folder`. Throws `config.file_missing`, `config.file_unreadable`, `config.file_too_big`, `config.syntax`. */
export function readConfigFile(path: string, folder = '.'): ConfigFile {
  const text = textOf(path, resolve(folder, path));
  let tables: unknown;
  try {
    tables = parse(text, { maxDepth: 16, unsafeKeyBehaviour: 'throw' });
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    throw new DepthwireError('config.syntax', {
      what: 'the configuration file is no TOML',
      where: `${path}:${cause.line}:${cause.column}`,
      expected: 'TOML 1.0',
      got: (cause.message.split('\n')[0] ?? '').replace('Invalid TOML document: ', ''),
      fix: 'Mend that line; depthwire config init writes an example.',
      cause,
    });
  }
  const lines = linesOf(text);
  const placeOf = (key: string): string => {
    for (let part = key; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('.')))) {
      const line = lines.get(part);
      if (line !== undefined) return `${path}:${line}`;
    }
    return path;
  };
  return { path, input: inCodeWords(tables, [], placeOf) as Record<string, unknown>, placeOf };
}

function textOf(path: string, full: string): string {
  try {
    const { size } = statSync(full);
    if (size <= FILE_BYTES_MAX) return readFileSync(full, 'utf8');
    throw new DepthwireError('config.file_too_big', {
      what: 'the configuration file is larger than any configuration',
      where: path,
      expected: `at most ${FILE_BYTES_MAX} bytes`,
      got: `${size} bytes`,
      fix: 'Name the file that depthwire config init wrote.',
    });
  } catch (cause) {
    if (cause instanceof DepthwireError) throw cause;
    const missing = codeOf(cause) === 'ENOENT';
    throw new DepthwireError(missing ? 'config.file_missing' : 'config.file_unreadable', {
      what: missing ? 'there is no such configuration file' : 'the configuration file cannot be read',
      where: path,
      expected: 'a file that can be read',
      got: codeOf(cause) || 'an error',
      fix: missing ? `Write one with depthwire config init ${path}.` : 'Let this user read it.',
      cause,
    });
  }
}

/** Tables with the members' names of `Config`. Throws `config.unknown_key` for one that only `Config` calls so. */
function inCodeWords(
  value: unknown,
  path: readonly PropertyKey[],
  placeOf: (key: string) => string,
): unknown {
  if (Array.isArray(value)) return value.map((inner, at) => inCodeWords(inner, [...path, at], placeOf));
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([word, inner]) => {
      const here = [...path, word];
      if (isFree(here, path.length)) return [word, inCodeWords(inner, here, placeOf)];
      if (/[A-Z]/.test(word)) {
        throw new DepthwireError('config.unknown_key', {
          what: 'a key of the file is not known',
          where: placeOf(here.join('.')),
          expected: 'keys in lower case with _ between their words',
          got: word,
          fix: `Write ${fileWord(word)} instead of ${word}.`,
        });
      }
      const code = codeWord(word);
      return [code, inCodeWords(inner, [...path, code], placeOf)];
    }),
  );
}

const KEY_PART = `(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)`;
const KEY = String.raw`${KEY_PART}(?:\s*\.\s*${KEY_PART})*`;
const HEADER = new RegExp(String.raw`^\s*(\[\[?)\s*(${KEY})\s*\]`);
const ASSIGNMENT = new RegExp(String.raw`^\s*(${KEY})\s*=`);

/** The lines of tables and keys of a text that is TOML, for what people write: one key a line. */
function linesOf(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const counts = new Map<string, number>();
  let table = '';
  let isInText = false;
  for (const [at, line] of text.split('\n').entries()) {
    const wasInText = isInText;
    if ((line.match(/"""|'''/g)?.length ?? 0) % 2 === 1) isInText = !isInText;
    if (wasInText) continue;
    const [, bracket, name] = HEADER.exec(line) ?? [];
    if (name !== undefined) {
      table = plainKey(name);
      if (bracket === '[[') {
        const count = counts.get(table) ?? 0;
        counts.set(table, count + 1);
        table = `${table}.${count}`;
      }
      lines.set(table, at + 1);
      // A table that is named by its inner ones only begins with the first of them.
      for (let outer = table; outer.includes('.'); ) {
        outer = outer.slice(0, outer.lastIndexOf('.'));
        if (!lines.has(outer)) lines.set(outer, at + 1);
      }
      continue;
    }
    const [, key] = ASSIGNMENT.exec(line) ?? [];
    if (key !== undefined) lines.set(table === '' ? plainKey(key) : `${table}.${plainKey(key)}`, at + 1);
  }
  return lines;
}

/** A key without its quotes and spaces. */
function plainKey(key: string): string {
  return (key.match(new RegExp(KEY_PART, 'g')) ?? [])
    .map((part) => part.replace(/^["']|["']$/g, ''))
    .join('.');
}
