import type { Setting } from './settings.js';

/**
 * What stands behind the `#` of the page's address: `sim:BTCUSDT&group=0.5`. The instrument comes first and has no key.
 * Whoever adds a setting to the address adds its key here; a key that this page does not know is kept as it stands.
 */
export type AddressKey = 'instrument' | 'group' | Setting;

/** `step`: the browser's back button returns to what stood before. `same`: it does not. */
export type AddressChange = 'step' | 'same';

/** No browser wants its history written more often; what changes faster is written together. */
const WRITE_EVERY_MS = 250;
const INSTRUMENT: AddressKey = 'instrument';

/** Reads and writes the page's address, and tells when its reader changes it: by hand, by a link, by going back. */
export class Address {
  #parts: ReadonlyMap<string, string>;
  readonly #listeners = new Set<() => void>();
  #waiting: AddressChange | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#parts = partsOf(location.hash);
    // A browser tells of a part that was typed by both, of going back by one of them at least.
    window.addEventListener('popstate', this.#follow);
    window.addEventListener('hashchange', this.#follow);
  }

  /** Undefined where the address does not say it, or says it empty. */
  get(key: AddressKey): string | undefined {
    return this.#parts.get(key);
  }

  /** Writes one or more values; undefined takes a key away. Listeners are not told: the page knows. */
  set(
    values: Readonly<Partial<Record<AddressKey, string | undefined>>>,
    change: AddressChange = 'same',
  ): void {
    const parts = new Map(this.#parts);
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined || value === '') parts.delete(key);
      else parts.set(key, value);
    }
    if (hashOf(parts) === hashOf(this.#parts)) return;
    this.#parts = parts;
    if (change === 'step' || this.#waiting === undefined) this.#waiting = change;
    if (this.#timer === undefined) this.#write();
  }

  /** Calls back when the reader has changed the address; the result ends that. */
  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  #write(): void {
    const change = this.#waiting;
    this.#timer = undefined;
    if (change === undefined) return;
    this.#waiting = undefined;
    this.#timer = setTimeout(() => this.#write(), WRITE_EVERY_MS);
    const hash = hashOf(this.#parts);
    const url = hash === '' ? location.pathname + location.search : `#${hash}`;
    if (change === 'step') history.pushState(null, '', url);
    else history.replaceState(null, '', url);
  }

  readonly #follow = (): void => {
    const parts = partsOf(location.hash);
    this.#waiting = undefined;
    if (hashOf(parts) === hashOf(this.#parts) && !hasPart('token')) return;
    this.#parts = parts;
    for (const callback of this.#listeners) callback();
  };
}

/**
 * Takes a part out of the address, so that neither the history nor a copied address has it; undefined where there is none,
 * or it is not encoded properly.
 */
export function takePart(key: 'token'): string | undefined {
  if (!hasPart(key)) return undefined;
  const all = location.hash.slice(1).split('&');
  const rest = all.filter((part) => !part.startsWith(`${key}=`)).join('&');
  const value = all.find((part) => part.startsWith(`${key}=`))?.slice(key.length + 1);
  history.replaceState(null, '', rest === '' ? location.pathname + location.search : `#${rest}`);
  return decoded(value ?? '');
}

function hasPart(key: 'token'): boolean {
  return location.hash
    .slice(1)
    .split('&')
    .some((part) => part.startsWith(`${key}=`));
}

/** A part without `=` is the instrument. One that is not encoded properly says nothing, and a token is not for here. */
function partsOf(hash: string): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  for (const part of hash.slice(1).split('&')) {
    const at = part.indexOf('=');
    const key = at < 0 ? INSTRUMENT : part.slice(0, at);
    const value = decoded(part.slice(at + 1));
    if (value !== undefined && key !== 'token' && !parts.has(key)) parts.set(key, value);
  }
  return parts;
}

function hashOf(parts: ReadonlyMap<string, string>): string {
  const instrument = parts.get(INSTRUMENT);
  const others = [...parts].filter(([key]) => key !== INSTRUMENT);
  return [
    ...(instrument === undefined ? [] : [encoded(instrument)]),
    ...others.map(([key, value]) => `${key}=${encoded(value)}`),
  ].join('&');
}

/** The colon and the comma mean nothing there, and people read it. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':').replaceAll('%2C', ',');
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text) || undefined;
  } catch {
    return undefined;
  }
}
