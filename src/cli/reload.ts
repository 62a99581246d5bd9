import type { Command } from 'commander';
import { changedKeys } from '../config/changes.js';
import type { Config } from '../config.js';
import { DepthwireError, explain } from '../errors.js';
import type { LiveSource } from '../ingest/live-venues.js';
import type { Log } from '../log.js';
import { configOf } from './config-options.js';
import type { Shell } from './shell.js';

/** What takes sources, and other instruments for a source, while it runs. */
export interface Changeable {
  add(source: LiveSource): void;
  remove(name: string): void;
  change(name: string, names: readonly string[]): void;
}

/** Names in one line for people. */
const NAMES_SHOWN = 10;

/**
 * Makes the sources that run those of `after`, with their instruments; one that is in both goes on. Returns what came and
 * what went, for people. Throws what adding a source throws; then nothing has changed.
 */
export function changeSources(
  live: Changeable,
  before: readonly LiveSource[],
  after: readonly LiveSource[],
): readonly string[] {
  const names = (list: readonly LiveSource[]): ReadonlySet<string> => new Set(list.map(({ name }) => name));
  const [were, are] = [names(before), names(after)];
  const lines: string[] = [];
  const added: string[] = [];
  try {
    for (const source of after.filter(({ name }) => !were.has(name))) {
      live.add(source);
      added.push(source.name);
      lines.push(`${source.name}: opened with ${shown(source.instruments)}`);
    }
  } catch (error) {
    for (const name of added) live.remove(name);
    throw error;
  }
  for (const { name, instruments } of after.filter((source) => were.has(source.name))) {
    const was = new Set(before.find((source) => source.name === name)?.instruments);
    const is = new Set(instruments);
    const news = instruments.filter((one) => !was.has(one));
    const gone = [...was].filter((one) => !is.has(one));
    live.change(name, instruments);
    if (news.length > 0) lines.push(`${name}: added ${shown(news)}`);
    if (gone.length > 0) lines.push(`${name}: dropped ${shown(gone)}`);
  }
  for (const { name, instruments } of before.filter((source) => !are.has(source.name))) {
    live.remove(name);
    lines.push(`${name}: closed with ${shown(instruments)}`);
  }
  return lines;
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
  running: () => Config,
  { log, onHangup, env, folder }: Pick<Shell, 'onHangup' | 'env' | 'folder'> & { readonly log: Log },
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
        const taken = await takeOver(config);
        const left = changedKeys(running(), config).map(
          (key) => `${key} has changed: from the next start on`,
        );
        const lines = [...taken, ...left];
        const told = lines.length === 0 ? ['nothing has changed'] : lines;
        log.say('info', 'reload', told.map((line) => `reload   ${line}`).join('\n'), { changes: told });
      } catch (error) {
        const fields = error instanceof DepthwireError ? error.toJSON() : {};
        log.say('warn', 'reload.refused', `${explain(error)}\n  everything stays as it was`, fields);
      }
    }
    isReading = false;
  };
  return onHangup(() => void reload());
}
