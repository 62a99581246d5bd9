import type { Config } from '../config.js';
import type { Engine } from '../engine.js';
import { explain } from '../errors.js';
import type { LiveVenues } from '../ingest/live-venues.js';
import { type Env, liveSources } from './live-sources.js';
import { changeInstruments, type NamedSource } from './reload.js';

export interface LiveInstrumentsOptions {
  readonly live: LiveVenues;
  /** What the sources were started with. */
  readonly config: Config;
  readonly engine: Engine;
  readonly env: Env;
  readonly warn: (line: string) => void;
  /** All that are carried from now on. */
  readonly onChange: (ids: readonly number[]) => void;
}

/** Keeps the instruments of live sources as their configuration and the venues' lists have them, while they run. */
export class LiveInstruments {
  readonly #options: LiveInstrumentsOptions;
  readonly #timer: NodeJS.Timeout;
  /** What the patterns are of that hold now. */
  #config: Config;
  #sources: readonly NamedSource[];
  /** One change at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: LiveInstrumentsOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#sources = options.live.sources();
    const everyMs = options.config.catalogue.refreshMinutes * 60_000;
    this.#timer = setInterval(() => void this.refresh(), everyMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Takes over which instruments another configuration has for the sources that run, by the newest lists. Says what came and
   * went. Throws as `liveSources`; then nothing has changed.
   */
  takeOver(config: Config): Promise<readonly string[]> {
    const change = this.#last.then(() => this.#change(config));
    this.#last = change.catch(() => {});
    return change;
  }

  /** What the venues have listed, delisted or changed since. What came and went, and what failed, is told. */
  async refresh(): Promise<void> {
    const { warn } = this.#options;
    try {
      for (const line of await this.takeOver(this.#config)) warn(line);
    } catch (error) {
      warn(explain(error));
    }
  }

  async #change(next: Config): Promise<readonly string[]> {
    const { live, config, engine, env, warn, onChange } = this.#options;
    const sources = Object.entries(config.sources).map(([name, source]) => {
      const instruments = next.sources[name]?.instruments ?? source.instruments;
      return [name, { ...source, instruments }] as const;
    });
    const wanted = { ...config, sources: Object.fromEntries(sources) };
    const after = await liveSources(wanted, engine, env, warn, true);
    const changes = changeInstruments(live, this.#sources, after);
    this.#config = wanted;
    this.#sources = changes.sources;
    onChange(changes.ids);
    return changes.lines;
  }
}
