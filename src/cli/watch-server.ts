import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { instrumentNameIfAny } from '../engine.js';
import { codeOf, DepthwireError, type ErrorJson } from '../errors.js';
import { isPattern, NamePattern } from '../name-pattern.js';
import { nearest } from '../nearest.js';

const ANSWER_MS_MAX = 10_000;
/** Pause before a server that did not answer is asked again. */
const AGAIN_MS = 500;
/** Names that an error lists. */
const LISTED_MAX = 20;

/** A server by its address, as what it is watched by knows it. */
export class WatchedServer {
  readonly base: URL;
  private readonly tokenFile: string | undefined;

  /** Throws `watch.url`. */
  constructor(address: string, tokenFile: string | undefined) {
    this.base = httpUrl(address);
    this.tokenFile = tokenFile;
  }

  get feedUrl(): string {
    const url = new URL('/v1/feed', this.base);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return url.href;
  }

  /** What gives a token for each connection; undefined = none is needed. */
  get token(): (() => Promise<string>) | undefined {
    const { tokenFile } = this;
    return tokenFile === undefined ? undefined : () => tokenOf(tokenFile);
  }

  /**
   * The names of its instruments. A server that is not there is asked again until `signal`, then there are none; `onAbsent` is
   * told once. Throws what the server refuses with, `watch.token_file` and `watch.not_depthwire`.
   */
  async names(signal: AbortSignal, onAbsent: () => void): Promise<readonly string[]> {
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      try {
        return await namesOf(this.base, await this.token?.(), signal);
      } catch (error) {
        if (codeOf(error) !== 'watch.unreachable') throw error;
        if (isFirst && !signal.aborted) onAbsent();
      }
      await pause(AGAIN_MS, undefined, { signal }).catch(() => {});
    }
    return [];
  }

  /** The error of a name that the server has not. */
  unknown(wanted: string | undefined, names: readonly string[]): DepthwireError {
    const meant = wanted === undefined ? undefined : nearest(wanted, names);
    return new DepthwireError('watch.unknown_instrument', {
      what: 'the server does not have this instrument',
      where: 'INSTRUMENT',
      expected: listed(names),
      got: wanted ?? 'none',
      fix:
        names.length === 0
          ? `It waits for the lists of its venues, or its sources are closed: see ${new URL('/health', this.base).href}.`
          : meant === undefined
            ? 'Choose one that the server has.'
            : `Write ${meant}.`,
    });
  }

  /**
   * What is meant by what was written: full names in the server's way of writing, patterns as they are; nothing is the
   * server's first. Throws `watch.unknown_instrument`.
   */
  chosen(wanted: readonly string[], names: readonly string[]): readonly string[] {
    const first = names[0];
    if (wanted.length === 0 && first === undefined) throw this.unknown(undefined, names);
    if (wanted.length === 0) return [first as string];
    const known = new Set(names);
    const full = wanted.map((text) => {
      if (isPattern(text) || known.has(text)) return text;
      const own = instrumentNameIfAny(text);
      if (own === undefined || !known.has(own)) throw this.unknown(text, names);
      return own;
    });
    return [...new Set(full)];
  }
}

/** Names as a text, not all of a long list. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return 'at least one instrument';
  const more = names.length - LISTED_MAX;
  return `${names.slice(0, LISTED_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The names that fit some names and patterns, each once: in the order in which they were asked for, then in the server's. */
export function fitting(wanted: readonly string[], names: readonly string[]): readonly string[] {
  const found = wanted.flatMap((text) => {
    if (!isPattern(text)) return [text];
    const pattern = new NamePattern(text);
    return names.filter((name) => pattern.fits(name));
  });
  return [...new Set(found)];
}

/** Takes `http://host:port`, the address of the feed, or `host:port`. */
function httpUrl(text: string): URL {
  const full = /^[a-z]+:\/\//.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  const protocol = url?.protocol.replace('ws', 'http');
  if (url === undefined || (protocol !== 'http:' && protocol !== 'https:')) {
    throw new DepthwireError('watch.url', {
      what: 'the address of the server cannot be understood',
      where: '--url',
      expected: 'http://HOST:PORT or ws://HOST:PORT/v1/feed',
      got: text,
      fix: 'Give the address that depthwire serve printed.',
    });
  }
  return new URL('/', `${protocol}//${url.host}`);
}

async function namesOf(
  base: URL,
  token: string | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  let response: Response;
  try {
    response = await fetch(new URL('/v1/instruments', base), {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  } catch (cause) {
    throw new DepthwireError('watch.unreachable', {
      what: 'no server answers at this address',
      where: base.href,
      expected: 'a running depthwire serve',
      got: 'no answer',
      fix: 'Start one with depthwire serve, or name its address with --url.',
      cause,
    });
  }
  const body = (await response.json().catch(() => undefined)) as InstrumentsBody | null | undefined;
  if (body?.error?.code === 'auth.missing') {
    const fix = 'Give --token-file FILE; depthwire token writes a token for development.';
    throw new DepthwireError('auth.missing', { ...body.error, where: base.href, fix });
  }
  if (typeof body?.error?.code === 'string') throw new DepthwireError(body.error.code, body.error);
  if (Array.isArray(body?.instruments)) return body.instruments.map(({ name }) => name);
  throw new DepthwireError('watch.not_depthwire', {
    what: 'what answers at this address is no depthwire server',
    where: response.url,
    expected: 'a list of instruments as JSON',
    got: `status ${response.status}, ${response.headers.get('content-type') ?? 'no content type'}`,
    fix: 'Give the address that depthwire serve printed.',
  });
}

/** The token of a file, read each time, for it may have been renewed. */
async function tokenOf(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw new DepthwireError('watch.token_file', {
      what: 'the file of the token cannot be read',
      where: '--token-file',
      expected: 'a file that holds a token and nothing else',
      got: path,
      fix: 'Write one with depthwire token, or check its path and rights.',
      cause,
    });
  }
}

/** What a depthwire server answers; another one may answer anything. */
interface InstrumentsBody {
  readonly instruments?: readonly { readonly name: string }[];
  readonly error?: ErrorJson;
}
