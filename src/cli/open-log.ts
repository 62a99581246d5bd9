import type { Config } from '../config.js';
import { Log } from '../log.js';
import { textFormat } from './log-format.js';
import type { Shell } from './shell.js';
import type { Terminal } from './terminal.js';

/** So often is looked whether lines were dropped. */
const DROPPED_MS = 1000;

/** A server's log over the streams of the process. `flush` waits for their readers, not long. */
export async function openLog(
  { level, format }: Config['log'],
  { stdout, stderr }: Pick<Shell, 'stdout' | 'stderr'>,
): Promise<{ readonly log: Log; readonly flush: () => Promise<void> }> {
  const to = (terminal: Terminal): ((text: string) => void) => {
    const { log } = terminal;
    return log === undefined ? (text) => void terminal.write(text) : (text) => log.write(text);
  };
  const out = to(stdout);
  const sink =
    format === 'text' ? textFormat(out, to(stderr)) : (await import('./json-log.js')).jsonFormat(out, level);
  const log = new Log(sink, level);
  const streams = [stdout, stderr].flatMap(({ log }) => log ?? []);
  const timer = setInterval(() => {
    const dropped = streams.reduce((sum, stream) => sum + stream.dropped(), 0);
    if (dropped === 0) return;
    const line = `${dropped} lines of the log were dropped, for nobody took them`;
    log.say('warn', 'log.dropped', line, { dropped });
  }, DROPPED_MS).unref();
  return {
    log,
    flush: async () => {
      clearInterval(timer);
      await Promise.all(streams.map((stream) => stream.flush()));
    },
  };
}
