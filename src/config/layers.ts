import { type Config, configFrom } from '../config.js';
import { DepthwireError, shown } from '../errors.js';
import { nearest } from '../nearest.js';
import { readConfigFile } from './file.js';
import { instrumentFrom } from './instrument-text.js';
import type { InstrumentOverride } from './schema.js';
import {
  CONFIG_ENV,
  fileKey,
  INSTRUMENTS_ENV,
  SETTINGS,
  type Setting,
  SOURCE_SETTINGS,
  SOURCES_ENV,
} from './settings.js';
import { checkSources } from './source-checks.js';

type Table = Record<string, unknown>;

/** What a command line says: the texts of each flag by its name, and what is served. */
export interface Flags {
  readonly texts: Readonly<Record<string, readonly string[]>>;
  /** `SOURCE:PATTERN`, where a source that the file does not have is a venue. */
  readonly sources: readonly string[];
  readonly instruments: readonly string[];
}

/** What one layer beside the file says. */
interface Layer extends Flags {
  readonly originOf: (setting: Setting) => string;
  readonly sourcesOrigin: string;
  readonly instrumentsOrigin: string;
}

export interface Layers {
  /** The file; undefined where there is none. */
  readonly path: string | undefined;
  /** Which relative paths are of. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: Flags;
}

/** A configuration, and where each of its keys was given. */
export interface Layered {
  readonly config: Config;
  readonly path: string | undefined;
  /** The keys that were given, with what they are and where: the rest are defaults. */
  readonly given: readonly { readonly key: string; readonly value: unknown; readonly origin: string }[];
}

/** Puts flags over environment over file over defaults, and checks the whole. Throws `config.*`. */
export function layeredConfig({ path, folder, env, flags }: Layers): Layered {
  const file = path === undefined ? undefined : readConfigFile(path, folder);
  const layers = [environment(env), commandLine(flags)];
  const origins = new Map<string, string>();
  const input = structuredClone(file?.input ?? {}) as Table;
  chooseWhatIsServed(input, layers, origins);
  for (const layer of layers) {
    for (const setting of SETTINGS) giveSetting(input, setting, layer, origins);
    for (const setting of SOURCE_SETTINGS) giveSourceSetting(input, setting, layer, origins);
    giveInstruments(input, layer, origins);
  }
  // A head of a section, with nothing in it, says nothing.
  if (isEmpty(input.replay)) delete input.replay;
  if (isEmpty(input.record)) delete input.record;
  if (isEmpty(input.auth)) delete input.auth;
  if (isEmpty(input.tls)) delete input.tls;
  const originOf = (key: string): string | undefined => {
    for (let part = key; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('.')))) {
      const origin = origins.get(part);
      if (origin !== undefined) return origin;
    }
    return file?.placeOf(key);
  };
  const config = configFrom(input, originOf);
  checkSources(config, originOf);
  return { config, path, given: given(input, originOf) };
}

function environment(env: Layers['env']): Layer {
  const known = new Map([...SETTINGS, ...SOURCE_SETTINGS].map((setting) => [setting.env, setting]));
  const texts: Record<string, readonly string[]> = {};
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('DEPTHWIRE_') || name === CONFIG_ENV || !text) continue;
    const setting = known.get(name);
    if (setting !== undefined) {
      const isList = SOURCE_SETTINGS.includes(setting) || setting.schema.type === 'array';
      texts[setting.flag] = isList ? words(text) : [text];
    } else if (name !== SOURCES_ENV && name !== INSTRUMENTS_ENV) {
      checkVariable(name, [...known.keys(), SOURCES_ENV, INSTRUMENTS_ENV]);
    }
  }
  return {
    texts,
    sources: words(env[SOURCES_ENV] ?? ''),
    instruments: words(env[INSTRUMENTS_ENV] ?? ''),
    originOf: ({ env: name }) => name,
    sourcesOrigin: SOURCES_ENV,
    instrumentsOrigin: INSTRUMENTS_ENV,
  };
}

/** Throws `config.unknown_key` for a variable that is nearly one of ours. Others may belong to other programs. */
function checkVariable(name: string, known: readonly string[]): void {
  const bare = (one: string): string => one.slice('DEPTHWIRE_'.length);
  const meant = nearest(bare(name), known.map(bare));
  if (meant === undefined) return;
  throw new DepthwireError('config.unknown_key', {
    what: 'an environment variable is nearly the name of a key',
    where: name,
    expected: `DEPTHWIRE_${meant}`,
    got: name,
    fix: `Write DEPTHWIRE_${meant} instead of ${name}, or unset it.`,
  });
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter(Boolean);
}

function commandLine(flags: Flags): Layer {
  return {
    ...flags,
    originOf: ({ flag }) => `--${flag}`,
    sourcesOrigin: 'the command line',
    instrumentsOrigin: '--instrument',
  };
}

/**
 * Recordings or sources: the highest layer that names either decides. Sources that are named on the command line or in the
 * environment are those that are served; what the file says of each stays, but for its instruments.
 */
function chooseWhatIsServed(input: Table, layers: readonly Layer[], origins: Map<string, string>): void {
  const deciding = layers.findLast(
    ({ texts, sources }) => sources.length > 0 || (texts.replay?.length ?? 0) > 0,
  );
  const replays = deciding?.texts.replay !== undefined;
  const hasSources = deciding === undefined ? !isEmpty(input.sources) : deciding.sources.length > 0;
  const hasReplay = deciding === undefined ? !isEmpty(input.replay) : replays;
  if (hasSources && hasReplay) {
    throw new DepthwireError('config.conflict', {
      what: 'recordings and live sources are named together',
      where: deciding === undefined ? 'replay, sources' : deciding.sourcesOrigin,
      expected: 'replay.files or sources',
      got: 'both',
      fix: 'Leave one of them out: a server serves recordings or live sources.',
    });
  }
  if (deciding === undefined) return;
  if (replays) {
    input.sources = {};
    return;
  }
  delete input.replay;
  const before = tableOf(input, 'sources');
  const sources: Table = {};
  for (const text of deciding.sources) {
    const [, name = '', pattern = ''] = /^([a-z0-9-]+):(.+)$/s.exec(text) ?? [];
    if (name === '') throw noPattern(text, deciding.sourcesOrigin);
    const isOfFile = before[name] !== undefined;
    sources[name] ??= { ...tableOf(before, name), instruments: [] };
    (tableOf(sources, name).instruments as string[]).push(pattern);
    origins.set(`sources.${name}.instruments`, deciding.sourcesOrigin);
    if (!isOfFile) origins.set(`sources.${name}`, deciding.sourcesOrigin);
  }
  input.sources = sources;
}

function noPattern(text: string, origin: string): DepthwireError {
  return new DepthwireError('config.source', {
    what: 'an instrument to serve cannot be understood',
    where: origin,
    expected: 'VENUE:SYMBOL, where * in the symbol is any text',
    got: shown(text),
    fix: 'Write for example kraken:BTC/USD, or binance:BTC*; depthwire venues lists the venues.',
  });
}

function giveSetting(input: Table, setting: Setting, layer: Layer, origins: Map<string, string>): void {
  const texts = layer.texts[setting.flag];
  if (texts === undefined) return;
  const isList = setting.schema.type === 'array';
  put(input, setting.path, isList ? texts : valueFrom(setting, texts.at(-1) ?? ''));
  origins.set(setting.key, layer.originOf(setting));
}

/** `VALUE` for every source, `SOURCE=VALUE` for one. */
function giveSourceSetting(input: Table, setting: Setting, layer: Layer, origins: Map<string, string>): void {
  const sources = tableOf(input, 'sources');
  for (const text of layer.texts[setting.flag] ?? []) {
    const [, one, value = text] = /^([a-z0-9-]+)=(.*)$/s.exec(text) ?? [];
    const origin = layer.originOf(setting);
    if (one === undefined ? isEmpty(sources) : sources[one] === undefined)
      throw noSource(text, origin, sources, one);
    for (const name of one === undefined ? Object.keys(sources) : [one]) {
      const source = tableOf(sources, name);
      if (setting.key === 'urls')
        source.urls = { ...(source.urls as Table | undefined), ...urlsOf(value, origin) };
      else
        put(
          source,
          setting.path,
          setting.schema.type === 'array' ? value.split(',') : valueFrom(setting, value),
        );
      origins.set(fileKey(['sources', name, ...setting.path]), origin);
    }
  }
}

function noSource(text: string, origin: string, sources: Table, name: string | undefined): DepthwireError {
  const names = Object.keys(sources);
  const meant = name === undefined ? undefined : nearest(name, names);
  return new DepthwireError('config.no_such_source', {
    what:
      name === undefined
        ? 'something is said of sources, but there is none'
        : 'there is no source of this name',
    where: origin,
    expected: names.length === 0 ? 'at least one source' : names.map((one) => `${one}=…`).join(', '),
    got: shown(text),
    fix:
      meant === undefined
        ? 'Name what to serve, as in depthwire serve kraken:BTC/USD, or leave it out.'
        : `Write ${meant}=${text.slice(text.indexOf('=') + 1)}.`,
  });
}

function urlsOf(text: string, origin: string): Table {
  const [, from = '', to = ''] = /^([a-z]+:\/\/.*?)=([a-z]+:\/\/.*)$/.exec(text) ?? [];
  if (from !== '') return { [from]: to };
  throw new DepthwireError('config.invalid', {
    what: 'an address and its replacement cannot be understood',
    where: origin,
    expected: '[SOURCE=]ADDRESS=ADDRESS',
    got: shown(text),
    fix: `Write for example --url wss://ws.kraken.com=ws://127.0.0.1:9000.`,
  });
}

function giveInstruments(input: Table, layer: Layer, origins: Map<string, string>): void {
  if (layer.instruments.length === 0) return;
  const added = layer.instruments.map((text) => instrumentFrom(text, layer.instrumentsOrigin));
  const names = new Set(added.map(({ name }) => name));
  const before = Array.isArray(input.instruments) ? (input.instruments as readonly InstrumentOverride[]) : [];
  const kept = before.filter(({ name }) => !names.has(name));
  input.instruments = [...kept, ...added];
  for (const at of added.keys()) origins.set(`instruments.${kept.length + at}`, layer.instrumentsOrigin);
}

/** The value that a text means by the type of its key; the text itself where it is none, for the check to say so. */
function valueFrom({ schema }: Setting, text: string): unknown {
  if (schema.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  const takesNumber = schema.type !== 'string' && schema.type !== 'object';
  return takesNumber && /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text;
}

function put(table: Table, path: readonly string[], value: unknown): void {
  const [word = '', ...rest] = path;
  if (rest.length === 0) table[word] = value;
  else put(tableOf(table, word), rest, value);
}

/** A table in a table, made where there is none; one in the place of what is no table, whose fault the check tells. */
function tableOf(table: Table, word: string): Table {
  const inner = table[word];
  if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) return inner as Table;
  const made: Table = {};
  table[word] ??= made;
  return made;
}

function isEmpty(value: unknown): boolean {
  return typeof value !== 'object' || value === null || Object.keys(value).length === 0;
}

function given(
  input: unknown,
  originOf: (key: string) => string | undefined,
  path: readonly PropertyKey[] = [],
): Layered['given'] {
  if (
    typeof input === 'object' &&
    input !== null &&
    !(Array.isArray(input) && !input.some((one) => typeof one === 'object'))
  ) {
    return Object.entries(input).flatMap(([word, inner]) => given(inner, originOf, [...path, word]));
  }
  const key = fileKey(path);
  return [{ key, value: input, origin: originOf(key) ?? 'default' }];
}
