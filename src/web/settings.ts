const STORAGE_KEY = 'depthwire.settings';

/** What a reader sets, with the value that it has before anybody does. */
const DEFAULTS = {
  /** Whether the heatmap is open: where there is room for it, unless the reader wants it otherwise. */
  heat: true,
  /** Width of one of its columns, ms. */
  heatms: 500,
  /** Steps by which its buckets are coarser than the first choice. */
  heatstep: 0,
  /** The reader's own size, a decimal in the instrument's unit; empty = none. */
  size: '',
  /** Trades below it are left out of the tape; a decimal in the instrument's unit, empty = none. */
  tapemin: '',
  /** Trades from it on stand out; empty = the largest of those held. */
  tapelarge: '',
  /** Names of the instruments beside the selected one, with commas between them. */
  beside: '',
  /** What is to be told, as alert-rules.ts writes it. */
  alerts: '',
  /** The expiry whose options are shown as a chain, `2027-06-25`; empty = no chain. */
  chain: '',
  /** Whether the orders at the chosen price are shown. */
  orders: false,
  /** Whether the signals of the selected instrument are shown. */
  signals: false,
} as const satisfies Readonly<Record<string, boolean | number | string>>;

type Widened<Value> = Value extends boolean ? boolean : Value extends number ? number : string;
export type Setting = keyof typeof DEFAULTS;
export type SettingValues = { readonly [Name in Setting]: Widened<(typeof DEFAULTS)[Name]> };

/** Where settings stand beside the storage: the page's address, which comes first. */
export interface SettingsPlace {
  get(key: Setting): string | undefined;
  set(values: Readonly<Partial<Record<Setting, string | undefined>>>): void;
  onChange(callback: () => void): () => void;
}

/**
 * The reader's settings. What the address says counts first, then what the browser keeps from last time, then the
 * defaults. A change is written to both; a default is written to neither, so that addresses stay short.
 */
export class Settings {
  #values: SettingValues;
  readonly #usual: SettingValues;
  readonly #place: SettingsPlace;
  readonly #listeners = new Set<() => void>();

  /** `hasRoom`: whether the window is wide enough for what is closed on a phone. */
  constructor(place: SettingsPlace, hasRoom: boolean) {
    this.#place = place;
    this.#usual = { ...DEFAULTS, heat: hasRoom };
    this.#values = this.#read();
    place.onChange(() => {
      this.#values = this.#read();
      this.#tell();
    });
    // What was kept counts, so the address says it: whoever copies it, copies what they see.
    this.#write();
  }

  get values(): SettingValues {
    return this.#values;
  }

  set<Name extends Setting>(name: Name, value: SettingValues[Name]): void {
    if (this.#values[name] === value) return;
    this.#values = { ...this.#values, [name]: value };
    this.#write();
    this.#tell();
  }

  /** Calls back when a value changes; the result ends that. */
  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  #read(): SettingValues {
    const kept = readKept();
    const entries = Object.entries(this.#usual).map(([name, usual]) => {
      const text = this.#place.get(name as Setting) ?? kept[name];
      return [name, text === undefined ? usual : (parsed(text, usual) ?? usual)];
    });
    return Object.fromEntries(entries) as SettingValues;
  }

  #write(): void {
    const changed: Partial<Record<Setting, string | undefined>> = {};
    const kept: Record<string, string> = {};
    for (const name of Object.keys(this.#usual) as Setting[]) {
      const value = this.#values[name];
      const text = value === this.#usual[name] ? undefined : textOf(value);
      changed[name] = text;
      if (text !== undefined) kept[name] = text;
    }
    this.#place.set(changed);
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify(kept));
    } catch {
      // Storage may be forbidden; the address still says it.
    }
  }

  #tell(): void {
    for (const callback of this.#listeners) callback();
  }
}

function textOf(value: boolean | number | string): string {
  return typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
}

/** A value of the kind of the default; undefined for a text that is none. */
function parsed(text: string, usual: boolean | number | string): boolean | number | string | undefined {
  if (typeof usual === 'string') return text;
  if (typeof usual === 'boolean') return text === '1' ? true : text === '0' ? false : undefined;
  const number = Number(text);
  return text.trim() !== '' && Number.isFinite(number) ? number : undefined;
}

function readKept(): Readonly<Record<string, string>> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}');
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === 'string'));
  } catch {
    return {};
  }
}
