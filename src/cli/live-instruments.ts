import type { Config } from '../config.js';
import type { Engine } from '../engine.js';
import { DepthwireError, explain } from '../errors.js';
import type { Clock } from '../ingest/clock.js';
import type { InstrumentCache } from '../ingest/instrument-cache.js';
import type { LiveSource, LiveVenues } from '../ingest/live-venues.js';
import type { ServedSource } from '../publish/sources.js';
import { cacheOf } from './instrument-lists.js';
import { olderText } from './instruments.js';
import { ListStanding } from './list-standing.js';
import { type Env, type Listing, listing, type WantedSource, wantedSources } from './live-sources.js';
import { changeSources } from './reload.js';

export interface LiveInstrumentsOptions {
  /** What the sources are started with. */
  readonly config: Config;
  readonly engine: Engine;
  readonly env: Env;
  readonly warn: (line: string) => void;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A source of the configuration, running or waiting for its venue's list. */
interface Kept {
  readonly wanted: WantedSource;
  readonly list: ListStanding;
  /** Names of its instruments; undefined while they are not known. */
  names: readonly string[] | undefined;
  /** Patterns that nothing fits any more, as they were told last. */
  missing: string;
}

/** When one venue's list is there, the others' are waited for so long before the source that has it is served. */
const OTHERS_MS = 1000;

/**
 * The live sources of a server with their instruments, as the configuration and the venues' lists have them, while they run.
 * A source whose patterns wait for a list does not keep the others waiting.
 */
export class LiveInstruments {
  readonly #options: LiveInstrumentsOptions;
  readonly #cache: InstrumentCache;
  /** By name. */
  readonly #kept = new Map<string, Kept>();
  /** What holds now. */
  #config: Config;
  #live: LiveVenues | undefined;
  #onChange: (ids: readonly number[]) => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  /** One change at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: LiveInstrumentsOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#cache = cacheOf(options.config.catalogue, options);
  }

  /** The configuration as far as it holds: what cannot be changed while it runs is as it was started with. */
  get config(): Config {
    return this.#config;
  }

  /**
   * Asks for the lists of all sources. Returns those that can be opened; the others come by themselves. Throws `live.keys`,
   * `config.ca_file`, `instruments.no_such` and the like for what waiting does not mend.
   */
  async open(): Promise<readonly LiveSource[]> {
    const asked = wantedSources(this.#config, this.#options.env).map((wanted) => {
      const kept = this.#keep(wanted);
      return { kept, listing: this.#listing(kept) };
    });
    const answered = new Map<Kept, Listing>();
    const answers = asked.map(async ({ kept, listing }) => void answered.set(kept, await listing));
    const first = Promise.any(
      asked.map(async ({ listing }) => {
        if ((await listing).names === undefined) throw new Error('it waits');
      }),
    );
    const late = first.catch(() => Promise.all(answers)).then(() => this.#pause(OTHERS_MS));
    try {
      await Promise.race([Promise.all(answers), late]);
    } catch (error) {
      this.stop();
      throw error;
    }
    for (const { kept, listing } of asked) {
      const found = answered.get(kept);
      if (found !== undefined) this.#note(kept, found);
      else this.#takeLate(kept, listing);
    }
    return [...this.#kept.values()].flatMap((kept) => sourceOf(kept) ?? []);
  }

  /** Products whose lists sources wait for. */
  waiting(): readonly string[] {
    return [...this.#kept.values()]
      .filter(({ names }) => names === undefined)
      .map(({ wanted }) => wanted.venue);
  }

  /** From now on the sources that run are these, and `onChange` hears of all that is carried when that changes. */
  attach(live: LiveVenues, onChange: (ids: readonly number[]) => void): void {
    this.#live = live;
    this.#onChange = onChange;
    const everyMs = this.#config.catalogue.refreshMinutes * 60_000;
    this.#timer = setInterval(() => void this.refresh(), everyMs);
    this.#timer.unref();
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
    for (const { list } of this.#kept.values()) list.stop();
  }

  /** Where each source stands, in the order of the configuration. */
  served(startedMs: number): readonly ServedSource[] {
    const running = new Map(this.#live?.status().map((status) => [status.name, status]));
    return [...this.#kept].map(([name, { list }]) => {
      const { instruments = [], connections = [], clockSkew } = running.get(name) ?? {};
      const skew =
        clockSkew === undefined ? {} : { clockSkewMs: [clockSkew.minMs, clockSkew.maxMs] as const };
      return { name, kind: 'live', startedMs, instruments, connections, list: list.served(), ...skew };
    });
  }

  /**
   * Takes over the sources of another configuration and which instruments each has, by the newest lists. Says what came and
   * went. Throws as `open`, and for a source that runs where no list tells what its new patterns name; then nothing has changed.
   */
  takeOver(config: Config): Promise<readonly string[]> {
    return this.#next(() => this.#change(config));
  }

  /** What the venues have listed, delisted or changed since. What came and went, and what failed, is told. */
  async refresh(): Promise<void> {
    for (const kept of [...this.#kept.values()]) await this.#refreshOne(kept);
  }

  #next<R>(change: () => Promise<R>): Promise<R> {
    const changed = this.#last.then(change);
    this.#last = changed.catch(() => {});
    return changed;
  }

  #keep(wanted: WantedSource): Kept {
    const kept: Kept = { wanted, list: this.#standing(), names: undefined, missing: '' };
    this.#kept.set(wanted.name, kept);
    return kept;
  }

  #standing(): ListStanding {
    return new ListStanding(this.#options.clock, this.#options.random);
  }

  #listing({ wanted, names = [] }: Kept): Promise<Listing> {
    const { engine, env, clock } = this.#options;
    const { catalogue, instruments: scales } = this.#config;
    return listing(wanted, new Set(names), {
      engine,
      env,
      catalogue,
      scales,
      cache: this.#cache,
      nowMs: () => clock.wallMs(),
      spoken: () => new Set([...this.#kept.values()].flatMap((kept) => kept.names ?? [])),
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.after(ms, resolve));
  }

  /** A first list that comes when the others are served. */
  #takeLate(kept: Kept, late: Promise<Listing>): void {
    late.then(
      () => void this.#refreshOne(kept),
      (error: unknown) => this.#failed(kept, error),
    );
  }

  /** Asks for one source's list and takes over what it says. */
  #refreshOne(kept: Kept): Promise<void> {
    const name = kept.wanted.name;
    return this.#next(async () => {
      if (this.#isStopped || this.#kept.get(name) !== kept) return;
      try {
        const found = await this.#listing(kept);
        if (this.#isStopped) return;
        // Without any list a source keeps what it has.
        const names = found.fetchedMs === null ? (kept.names ?? found.names) : found.names;
        const after = listed(sourceOf({ ...kept, names }));
        for (const line of this.#apply(listed(sourceOf(kept)), after)) this.#options.warn(line);
        this.#note(kept, { ...found, names });
      } catch (error) {
        this.#failed(kept, error);
      }
    });
  }

  /** Takes down what a list says of a source. */
  #note(kept: Kept, { names, fetchedMs, fault, missing }: Listing): void {
    const { warn } = this.#options;
    kept.names = names ?? kept.names;
    const { name, venue } = kept.wanted;
    const isNews = kept.list.note(fetchedMs, fault, () => void this.#refreshOne(kept));
    if (isNews && fault === undefined)
      warn(`${name}: the list of instruments of ${venue} is as it should be again`);
    if (isNews && fault !== undefined)
      warn(fetchedMs === null ? explain(fault) + waitingText(kept) : olderText(fault, fetchedMs));
    const told = missing.join(', ');
    if (told !== '' && told !== kept.missing)
      warn(`sources.${name}.instruments: the venue lists ${told} no more`);
    kept.missing = told;
  }

  /** A list that was had, and does not serve a source. */
  #failed(kept: Kept, error: unknown): void {
    if (this.#isStopped || this.#kept.get(kept.wanted.name) !== kept) return;
    const fault = error instanceof DepthwireError ? error : undefined;
    const isNews = fault === undefined || kept.list.note(null, fault, () => void this.#refreshOne(kept));
    if (isNews) this.#options.warn(explain(error));
  }

  async #change(next: Config): Promise<readonly string[]> {
    const { env } = this.#options;
    // A server without any source would be another one.
    if (Object.keys(next.sources).length === 0) return [];
    const sources = Object.entries(next.sources).map(([name, source]) => {
      const running = this.#config.sources[name];
      return [
        name,
        running === undefined ? source : { ...running, instruments: source.instruments },
      ] as const;
    });
    const config: Config = { ...this.#config, sources: Object.fromEntries(sources) };
    const before = [...this.#kept.values()];
    const after = await Promise.all(wantedSources(config, env).map((wanted) => this.#found(wanted)));
    const lines = this.#apply(
      before.flatMap((kept) => listed(sourceOf(kept))),
      after.flatMap(({ kept: { wanted }, found: { names } }) => listed(sourceOf({ wanted, names }))),
    );
    for (const { wanted, list } of before) if (!(wanted.name in config.sources)) list.stop();
    this.#kept.clear();
    this.#config = config;
    for (const { kept, found } of after) {
      this.#kept.set(kept.wanted.name, kept);
      this.#note(kept, found);
    }
    const waiting = after.filter(({ kept }) => kept.names === undefined);
    return [
      ...lines,
      ...waiting.map(
        ({ kept: { wanted } }) => `${wanted.name}: waits for the list of instruments of ${wanted.venue}`,
      ),
    ];
  }

  /** A source of a configuration to take over, with its instruments. */
  async #found(wanted: WantedSource): Promise<{ readonly kept: Kept; readonly found: Listing }> {
    const was = this.#kept.get(wanted.name);
    const kept: Kept = {
      wanted,
      list: was?.list ?? this.#standing(),
      names: was?.names,
      missing: was?.missing ?? '',
    };
    const found = await this.#listing(kept);
    if (found.fetchedMs !== null || was?.names === undefined) return { kept, found };
    // Without any list a source keeps what it has, and cannot be given other instruments.
    const isAsTold = String(was.wanted.patterns) === String(wanted.patterns);
    if (!isAsTold && found.fault !== undefined) throw found.fault;
    return { kept, found: { ...found, names: was.names } };
  }

  #apply(before: readonly LiveSource[], after: readonly LiveSource[]): readonly string[] {
    const live = this.#live;
    if (live === undefined) return [];
    const lines = changeSources(live, before, after);
    this.#onChange(live.carried());
    return lines;
  }
}

/** A source that can be opened. */
function sourceOf({ wanted, names }: Pick<Kept, 'wanted' | 'names'>): LiveSource | undefined {
  const { patterns: _, ...source } = wanted;
  return names === undefined ? undefined : { ...source, instruments: names };
}

function listed(source: LiveSource | undefined): readonly LiveSource[] {
  return source === undefined ? [] : [source];
}

function waitingText({ wanted, names }: Kept): string {
  return names === undefined
    ? `\n  ${wanted.name} waits for this list; it is asked for again, ever more rarely`
    : `\n  ${wanted.name} goes by the names as they were given; the list is asked for again, ever more rarely`;
}
