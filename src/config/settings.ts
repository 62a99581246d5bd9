import { z } from 'zod';
import { configSchema, sourceSchema } from './schema.js';

/** What JSON Schema says of one value, as far as this program reads it. */
export interface ValueSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly enum?: readonly string[];
  readonly items?: ValueSchema;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly propertyNames?: ValueSchema;
  readonly additionalProperties?: ValueSchema | boolean;
}

/** One key of a configuration, and the other ways to give it. */
export interface Setting {
  /** Where it stands in `Config`, or in one of its sources. */
  readonly path: readonly string[];
  /** How it is written in the file: `server.port`, and `depth` of a source. */
  readonly key: string;
  /** Its flag without the dashes: `port`. */
  readonly flag: string;
  /** Its environment variable: `DEPTHWIRE_PORT`. */
  readonly env: string;
  readonly schema: ValueSchema;
}

/** A member's name as the file writes it: `clients_max`. */
export function fileWord(word: string): string {
  return word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The other way round. */
export function codeWord(word: string): string {
  return word.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A path into `Config` as the file writes it: `sources.binance-usdm.key_env`. */
export function fileKey(path: readonly PropertyKey[]): string {
  return path.map((part, at) => (isFree(path, at) ? String(part) : fileWord(String(part)))).join('.');
}

/** Whether a part of a path is the user's own word: the name of a source, of a consolidated book, or an address. */
export function isFree(path: readonly PropertyKey[], at: number): boolean {
  if (path[0] === 'consolidated') return at === 1;
  return path[0] === 'sources' && (at === 1 || (at === 3 && path[2] === 'urls'));
}

/** Flags that are not called as the last part of their key, since they are given once a value. */
const FLAGS: Readonly<Record<string, string>> = {
  'replay.files': 'replay',
  'record.folder': 'record',
  'record.sync': 'record-sync',
  'record.segment_bytes': 'record-segment-bytes',
  'record.flush_ms': 'record-flush-ms',
  'record.seal': 'record-seal',
  'record.keep_bytes': 'record-keep-bytes',
  'record.keep_hours': 'record-keep-hours',
  'server.allow_hosts': 'allow-host',
  'server.allow_origins': 'allow-origin',
  'auth.algorithms': 'algorithm',
  'auth.open_paths': 'open-path',
  'tls.cert_file': 'tls-cert-file',
  'tls.key_file': 'tls-key-file',
  'tls.ca_file': 'tls-ca-file',
  'tls.passphrase_env': 'tls-passphrase-env',
  'tls.passphrase_file': 'tls-passphrase-file',
  'log.level': 'log-level',
  'log.format': 'log-format',
  urls: 'url',
};

/** Keys with a form of their own on the command line. */
const OWN_FORM: ReadonlySet<string> = new Set(['sources', 'consolidated', 'instruments']);

function schemaOf(schema: z.ZodType): ValueSchema {
  return z.toJSONSchema(schema, { io: 'input' }) as ValueSchema;
}

const CONFIG_JSON = schemaOf(configSchema);

/** The keys of a schema, section by section. */
function settingsOf(schema: ValueSchema, before: readonly string[] = []): readonly Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([word, inner]) => {
    const path = [...before, word];
    if (inner.properties !== undefined) return settingsOf(inner, path);
    const key = path.map(fileWord).join('.');
    if (OWN_FORM.has(key)) return [];
    const flag = FLAGS[key] ?? fileWord(word).replaceAll('_', '-');
    const env = `DEPTHWIRE_${flag.replaceAll('-', '_').toUpperCase()}`;
    return [{ path, key, flag, env, schema: inner }];
  });
}

/** The keys that stand once in a configuration. */
export const SETTINGS: readonly Setting[] = settingsOf(CONFIG_JSON);

/** The keys of each source; its instruments are named by `SOURCE:PATTERN`. */
export const SOURCE_SETTINGS: readonly Setting[] = settingsOf(schemaOf(sourceSchema));

/** The environment variable that names the file. */
export const CONFIG_ENV = 'DEPTHWIRE_CONFIG';

/** Environment variables whose values are lists with spaces between: of `SOURCE:PATTERN`, and as `--instrument` takes them. */
export const SOURCES_ENV = 'DEPTHWIRE_SOURCES';
export const INSTRUMENTS_ENV = 'DEPTHWIRE_INSTRUMENT';

/** JSON Schema of the file, for editors. */
export function fileJsonSchema(): object {
  return { title: 'depthwire.toml', ...(inFileWords(CONFIG_JSON) as object) };
}

/** A JSON Schema whose members are named as in the file. */
function inFileWords(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(inFileWords);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([word, value]) => {
      if (word === 'required' && Array.isArray(value))
        return [word, value.map((name) => fileWord(String(name)))];
      if (word !== 'properties' || typeof value !== 'object' || value === null)
        return [word, inFileWords(value)];
      const members = Object.entries(value).map(([name, inner]) => [fileWord(name), inFileWords(inner)]);
      return [word, Object.fromEntries(members)];
    }),
  );
}

/** What the schema says of a path, so that errors can name members and bounds; undefined where there is nothing. */
export function schemaAt(path: readonly PropertyKey[]): ValueSchema | undefined {
  let node: ValueSchema | undefined = CONFIG_JSON;
  for (const part of path) {
    const free: ValueSchema | undefined =
      typeof node?.additionalProperties === 'object' ? node.additionalProperties : undefined;
    node = node?.items ?? node?.properties?.[String(part)] ?? free;
  }
  return node;
}
