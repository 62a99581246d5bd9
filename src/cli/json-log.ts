import { type DestinationStream, pino } from 'pino';
import type { LogEntry, LogLevel } from '../log.js';

/** Fields that no part of this program gives, hidden all the same should one ever do so. */
const SECRETS = ['authorization', 'token', 'key', 'secret', 'passphrase', 'password'];

/**
 * One JSON object a line: `level`, `time` (ISO 8601, UTC), `event`, the fields of the event, and `msg`, the first of the lines
 * for people.
 */
export function jsonFormat(write: (text: string) => void, level: LogLevel): (entry: LogEntry) => void {
  const stream: DestinationStream = { write };
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: SECRETS,
    },
    stream,
  );
  return ({ level: of, event, line, fields }) => {
    const [first = ''] = line.split('\n');
    logger[of]({ event, ...fields }, first.replace(/^error: /, '').replace(/\s+/g, ' '));
  };
}
