import { readFileSync } from 'node:fs';
import type { KeysConfig } from '../config.js';
import { DepthwireError } from '../errors.js';
import type { LiveSource } from '../ingest/live-venues.js';

type Env = Readonly<Record<string, string | undefined>>;
type Part = 'key' | 'secret' | 'passphrase';

/**
 * The key of an account from where the configuration says that it lies; undefined where it says nothing. What is read is told
 * nowhere. Throws `live.keys` for one that is not there, or that lacks a part.
 */
export function accountKeys(source: string, config: KeysConfig, env: Env): LiveSource['keys'] {
  const parts = (['key', 'secret', 'passphrase'] as const).map((part) => partOf(source, part, config, env));
  const [key, secret, passphrase] = parts;
  if (key === undefined && secret === undefined && passphrase === undefined) return undefined;
  if (key === undefined || secret === undefined) {
    const missing = key === undefined ? 'key' : 'secret';
    throw wrong(source, missing, `${missing}_env or ${missing}_file`, 'neither');
  }
  return { key, secret, ...(passphrase === undefined ? {} : { passphrase }) };
}

function partOf(source: string, part: Part, config: KeysConfig, env: Env): string | undefined {
  const name = config[`${part}Env`];
  if (name !== undefined) {
    const text = env[name]?.trim();
    if (!text) throw wrong(source, `${part}_env`, `a value of the environment variable ${name}`, 'none');
    return text;
  }
  const file = config[`${part}File`];
  if (file === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw wrong(source, `${part}_file`, `a file at ${file} that can be read`, 'none', cause);
  }
  if (text === '') throw wrong(source, `${part}_file`, `a file at ${file} with something in it`, 'nothing');
  return text;
}

function wrong(source: string, key: string, expected: string, got: string, cause?: unknown): DepthwireError {
  return new DepthwireError('live.keys', {
    what: 'the key of an account is not where it should be',
    where: `sources.${source}.keys.${key}`,
    expected,
    got,
    fix: 'Put it there, or leave the keys of this source out: public channels need none.',
    cause,
  });
}
