import type { Config } from '../config.js';
import type { Engine, RecordStatus } from '../engine.js';
import { DepthwireError, explain } from '../errors.js';
import type { Log } from '../log.js';

const MS_PER_HOUR = 3_600_000;

/**
 * The record of what a server receives, as its configuration asks for it: told of in the log where it fails and where it goes on.
 * A record that fails costs no book.
 */
export class Recording {
  readonly #engine: Engine;
  readonly #log: Log;
  #wasRecording = true;

  /** Before a source is opened. Throws `journal.*`. */
  constructor(engine: Engine, record: NonNullable<Config['record']>, log: Log) {
    const { keepHours, ...options } = record;
    engine.record({ ...options, keepMs: keepHours * MS_PER_HOUR });
    this.#engine = engine;
    this.#log = log;
  }

  /** How far it has come. */
  status(): RecordStatus | null {
    return this.#engine.recording();
  }

  /** Says what has changed since the last call. */
  tick(): void {
    const status = this.status();
    if (status === null || status.isRecording === this.#wasRecording) return;
    this.#wasRecording = status.isRecording;
    const { failure, missed, acknowledged } = status;
    if (status.isRecording) {
      const line = `record   goes on in a new segment; ${missed} records are missing, and the journal says where`;
      this.#log.say('info', 'record.resumed', line, { missed, acknowledged });
    } else if (failure !== undefined) {
      const error = failureOf(failure);
      this.#log.say(
        'error',
        'record.failed',
        `${explain(error)}\n  books and clients go on; it is tried again`,
        error.toJSON(),
      );
    }
  }

  /** Ends it, and says what it came to. */
  end(): void {
    const status = this.#engine.endRecording();
    if (status === null) return;
    const { records, missed, bytes, segments, failure } = status;
    this.#log.say('info', 'record.ended', `record   ${recordText(status)}`, {
      records,
      missed,
      bytes,
      segments,
      failure: failure?.code ?? null,
    });
  }
}

/** What a record has come to, for people. */
export function recordText({ records, acknowledged, missed, bytes, segments }: RecordStatus): string {
  const size = `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const files = segments === 1 ? 'a segment' : `${segments} segments`;
  const lost = missed === 0 ? '' : `, ${missed} missed`;
  const waiting = records - missed - acknowledged;
  return `${records} records, ${size} in ${files}${lost}${waiting > 0 ? `, ${waiting} not kept yet` : ''}`;
}

function failureOf(failure: NonNullable<RecordStatus['failure']>): DepthwireError {
  const { code, what, place, expected, got, fix } = failure;
  return new DepthwireError(code, { what, where: place, expected, got, fix });
}
