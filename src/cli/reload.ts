import type { Command } from 'commander';
import { changedKeys } from '../config/changes.js';
import type { Config } from '../config.js';
import { explain } from '../errors.js';
import { configOf } from './config-options.js';
import type { Shell } from './shell.js';

/** A source and the names of its instruments. */
export interface NamedSource {
  readonly name: string;
  readonly instruments: readonly string[];
}

/** What takes other instruments for a source while it runs. */
export interface Changeable {
  /** Returns the numbers of those that are carried from now on. */
  change(source: string, names: readonly string[]): readonly number[];
}

/** What became of the instruments of the sources that run. */
export interface Changes {
  /** All instruments that are carried. */
  readonly ids: readonly number[];
  /** What came and what went, for people. */
  readonly lines: readonly string[];
  readonly sources: readonly NamedSource[];
}

/** Names in one line for people. */
const NAMES_SHOWN = 10;

/** Gives each source that runs its instruments of `after`; one that `after` does not have keeps what it has. */
export function changeInstruments(
  live: Changeable,
  before: readonly NamedSource[],
  after: readonly NamedSource[],
): Changes {
  const ids: number[] = [];
  const lines: string[] = [];
  const sources = before.map((source) => after.find(({ name }) => name === source.name) ?? source);
  for (const [at, { name, instruments }] of sources.entries()) {
    const was = new Set(before[at]?.instruments);
    const is = new Set(instruments);
    const added = instruments.filter((one) => !was.has(one));
    const dropped = [...was].filter((one) => !is.has(one));
    ids.push(...live.change(name, instruments));
    if (added.length > 0) lines.push(`${name}: added ${shown(added)}`);
    if (dropped.length > 0) lines.push(`${name}: dropped ${shown(dropped)}`);
  }
  return { ids, lines, sources };
}

function shown(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN;
  return more <= 0 ? names.join(', ') : `${names.slice(0, NAMES_SHOWN).join(', ')} and ${more} more`;
}

/** Takes over a configuration as far as it can while it runs, and says what it did. */
export type TakeOver = (config: Config) => Promise<readonly string[]>;

/** Reads the configuration anew at each hangup, one at a time. Returns what ends that. */
export function reloadOnHangup(
  command: Command,
  given: readonly string[],
  started: Config,
  { stdout, stderr, onHangup, env, folder }: Shell,
  takeOver: TakeOver,
): () => void {
  let isReading = false;
  let isWanted = false;
  const reload = async (): Promise<void> => {
    isWanted = true;
    if (isReading) return;
    isReading = true;
    while (isWanted) {
      isWanted = false;
      try {
        const { config } = configOf(given, command, { env, folder });
        const left = changedKeys(started, config).map((key) => `${key} has changed: from the next start on`);
        const lines = [...(await takeOver(config)), ...left];
        const told = lines.length === 0 ? ['nothing has changed'] : lines;
        await stdout.write(told.map((line) => `reload   ${line}\n`).join(''));
      } catch (error) {
        await stderr.write(`${explain(error)}\n  everything stays as it was\n`);
      }
    }
    isReading = false;
  };
  return onHangup(() => void reload());
}
