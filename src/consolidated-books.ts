import type { Config } from './config.js';
import { type Engine, instrumentNameIfAny } from './engine.js';
import { DepthwireError, explain } from './errors.js';
import { nearest } from './nearest.js';

/** What an engine owes them. */
type BookMaker = Pick<Engine, 'instruments' | 'consolidate'>;

/** The books of a configuration that are made of several instruments, each made when all of these are known. */
export class ConsolidatedBooks {
  readonly #engine: BookMaker;
  readonly #warn: (line: string) => void;
  /** Those that wait for instruments. */
  readonly #waiting: Map<string, Config['consolidated'][string]>;
  readonly #ids: number[] = [];

  constructor(engine: BookMaker, consolidated: Config['consolidated'], warn: (line: string) => void) {
    this.#engine = engine;
    this.#warn = warn;
    this.#waiting = new Map(Object.entries(consolidated));
  }

  /** Numbers of those that are made. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /**
   * Makes those that can be made when a server begins. `mayCome`: whether an instrument that is not known may be listed later.
   * Throws `consolidated.instrument` for one that may not, and `consolidated.*` for what the engine refuses.
   */
  begin(mayCome: (name: string) => boolean): void {
    for (const [symbol, { of }] of this.#waiting) {
      const missing = this.#make(symbol).find((name) => !mayCome(name));
      if (missing !== undefined) throw this.#unknown(symbol, of.indexOf(missing), missing);
    }
  }

  /** Makes those whose last instruments have been listed since. One that is refused is told, and stays away. */
  goOn(): void {
    for (const symbol of [...this.#waiting.keys()]) {
      try {
        this.#make(symbol);
      } catch (error) {
        this.#waiting.delete(symbol);
        this.#warn(explain(error));
      }
    }
  }

  /** Makes one; the instruments that it waits for. */
  #make(symbol: string): readonly string[] {
    const { of = [], same = [] } = this.#waiting.get(symbol) ?? {};
    const known = new Map(this.#engine.instruments().map(({ name, id }) => [name, id]));
    const members = of.map((name) => known.get(name) ?? known.get(instrumentNameIfAny(name) ?? ''));
    const missing = of.filter((_, at) => members[at] === undefined);
    if (missing.length > 0) return missing;
    this.#ids.push(
      this.#engine.consolidate(
        symbol,
        members.flatMap((id) => id ?? []),
        same,
      ),
    );
    this.#waiting.delete(symbol);
    return [];
  }

  #unknown(symbol: string, at: number, name: string): DepthwireError {
    const meant = nearest(
      name,
      this.#engine.instruments().map((one) => one.name),
    );
    return new DepthwireError('consolidated.instrument', {
      what: 'a consolidated book names an instrument that is not there',
      where: `consolidated.${symbol}.of.${at}`,
      expected: 'an instrument that is served',
      got: name,
      fix:
        meant === undefined
          ? 'Name it among the instruments of a source, or leave it out.'
          : `Write ${meant}, or name ${name} among the instruments of a source.`,
    });
  }
}
