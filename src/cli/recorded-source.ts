import type { InstrumentOverride } from '../config.js';
import type { Engine } from '../engine.js';
import { openStreams, type RecordedStreams, recordedStreams } from '../ingest/recorded-streams.js';
import { catalogue, idsOf, overridesOf, underOwnNames } from './catalogue.js';

/** Recordings as a source of an engine. */
export interface RecordedSource {
  readonly source: number;
  readonly streams: RecordedStreams;
  /** The instruments of the streams, by their numbers. */
  readonly ids: readonly number[];
}

/**
 * Opens what recordings hold of the instruments that the user described; of all, where none is named. Throws `recording.*`,
 * `instrument.*`.
 */
export async function openRecorded(
  engine: Engine,
  files: readonly string[],
  overrides: readonly InstrumentOverride[],
): Promise<RecordedSource> {
  const instruments = underOwnNames(overrides);
  catalogue(engine, instruments);
  const wanted = instruments.map(({ name }) => name);
  const streams = await recordedStreams(files, wanted, engine);
  const ids = idsOf(engine, streams.names);
  catalogue(engine, overridesOf(instruments, streams.names));
  return { source: openStreams(engine, streams, ids), streams, ids };
}
