import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { InstrumentOverride } from '../config.js';
import { type Engine, openEngine } from '../engine.js';
import { codeOf, DepthwireError } from '../errors.js';
import type { Schema } from '../export/columns.js';
import type { RowFormat } from '../export/format.js';
import { LevelRows, levelSchema, type RowMaker } from '../export/level-rows.js';
import { OrderRows, orderSchema } from '../export/order-rows.js';
import { PublishedRows } from '../export/published-rows.js';
import { RowBatch } from '../export/row-batch.js';
import { SignalRows, SignalSnapshots, signalSchema, signalSnapshotSchema } from '../export/signal-rows.js';
import { openSignals, type SignalsWanted } from '../export/signals-wanted.js';
import { SnapshotRows, snapshotSchema } from '../export/snapshot-rows.js';
import { ChangeSteps, SnapshotSteps, type Steps, type Times } from '../export/steps.js';
import { TickerRows, tickerSchema } from '../export/ticker-rows.js';
import { TopRows, topSchema } from '../export/top-rows.js';
import { TradeTapeRows, tradeSchema } from '../export/trade-rows.js';
import { WholeFile } from '../export/whole-file.js';
import { surveyRecordings } from '../ingest/recording.js';
import { recordingFiles } from '../ingest/recording-files.js';
import { RecordingReader } from '../ingest/recording-reader.js';
import { EVERYTHING_NS } from '../ingest/source.js';
import { Reading } from './reading.js';
import { openRecorded } from './recorded-source.js';

/** What can be exported. */
export const SUBJECTS = ['levels', 'top', 'trades', 'tickers', 'signals', 'orders', 'liquidations'] as const;
export type Subject = (typeof SUBJECTS)[number];

/** Forms of a file by the ending of its name. */
export const FORMS = ['parquet', 'arrow', 'csv', 'ndjson'] as const;
export type Form = (typeof FORMS)[number];

/** What rows are wanted of. */
export type Wanted =
  | { readonly subject: Exclude<Subject, 'signals'> }
  /** The best levels of each side at each multiple of a time. */
  | { readonly subject: 'snapshots'; readonly depth: number; readonly intervalMs: number }
  /** After each event, or at each multiple of a time. */
  | ({ readonly subject: 'signals'; readonly intervalMs?: number | undefined } & SignalsWanted);

export interface ExportOptions {
  readonly files: readonly string[];
  readonly out: string;
  readonly what: Wanted;
  readonly instruments: readonly InstrumentOverride[];
  /** Times of receipt, ns since the epoch: rows from `fromNs` on, and before `toNs`. */
  readonly fromNs?: bigint | undefined;
  readonly toNs?: bigint | undefined;
  /** Whether a file of that name is replaced. */
  readonly isReplacing: boolean;
  readonly signal?: AbortSignal;
  /** Called after each chunk with the share of the files that has been read, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/** What an export came to. */
export interface Exported {
  readonly file: string;
  readonly schema: string;
  readonly instruments: readonly string[];
  readonly rows: number;
  readonly bytes: number;
  /** Parts of the recordings that could not be read; the rows behind each are of stale books until these are exact again. */
  readonly recordingErrors: number;
  /** What is wrong with the files, the first hundred. */
  readonly damages: readonly DepthwireError[];
  readonly elapsedMs: number;
}

const OUTPUT_BYTES = 8 << 20;

/**
 * Runs recordings through the engine and writes rows of what it publishes. The same recordings give the same rows each time. Throws
 * `export.*`, and `recording.*` for what cannot be read at all; then no file has the name.
 */
export async function exportRows(options: ExportOptions): Promise<Exported> {
  const { out, what, fromNs = 0n, toNs = EVERYTHING_NS, onProgress, signal } = options;
  const form = formOf(out);
  const files = await recordingFiles(options.files);
  const startMs = performance.now();
  const surveys = await surveyRecordings(files);
  let published: PublishedRows | undefined;
  const engine = openEngine(
    { startId: 1, silenceMs: 0, replay: true, outputBytes: OUTPUT_BYTES },
    {
      onFrame: (instrument, stream, frame) => published?.take(instrument, stream, frame),
      onAsk: () => {},
      onSay: () => {},
      onFault: () => {},
    },
  );
  const reader = new RecordingReader(files, surveys);
  let file: WholeFile | undefined;
  try {
    const { source, streams, ids } = await openRecorded(engine, files, options.instruments);
    const { names } = streams;
    const reading = await Reading.of(files, onProgress);
    const schema = schemaOf(what, names);
    const format = await formatOf(form, schema);
    const batch = new RowBatch(schema.columns, (full) => format.add(full));
    file = await WholeFile.begin(out, options.isReplacing);
    let steps: Steps;
    ({ published, steps } = rowsOf(what, batch, engine, ids, { fromNs, toNs }));
    while (!steps.isOver && (await reader.fill())) {
      run(engine, source, reader, steps);
      if (reading.damageOf(reader) !== undefined) engine.sourceFailed(source);
      for (const bytes of format.drain()) await file.write(bytes);
      reading.show(reader.fileBytes);
      if (signal?.aborted === true) throw interrupted(out);
      await nextTurn();
    }
    if (!steps.isOver) engine.sourceEnded(source);
    if (steps.lacksTimes && engine.stats().frames > 0) throw noTimes(files);
    batch.flush();
    format.end();
    for (const bytes of format.drain()) await file.write(bytes);
    await file.end();
    const { recordingErrors } = engine.stats();
    const elapsedMs = Math.round((performance.now() - startMs) * 1000) / 1000;
    return {
      file: out,
      schema: schema.name,
      instruments: names,
      rows: batch.rows,
      bytes: file.bytes,
      recordingErrors,
      damages: reading.damages,
      elapsedMs,
    };
  } finally {
    await reader.close();
    await file?.discard();
    engine.close();
  }
}

/** Feeds what waits, and stops at each time at which something is due. */
function run(engine: Engine, source: number, reader: RecordingReader, steps: Steps): void {
  while (!steps.isOver) {
    const { untilNs } = steps;
    reader.use(engine.ingestRecording(source, reader.pending, untilNs, reader.isFileEnd));
    const { nextNs } = engine;
    if (nextNs <= untilNs) return;
    steps.reached(nextNs);
  }
}

function formOf(out: string): Form {
  const ending = path.extname(out).slice(1).toLowerCase();
  const form = FORMS.find((known) => known === ending);
  if (form !== undefined) return form;
  throw new DepthwireError('export.form', {
    what: 'the name of the file does not say its form',
    where: out,
    expected: `a name that ends in ${FORMS.map((known) => `.${known}`).join(', ')}`,
    got: ending === '' ? 'no ending' : `.${ending}`,
    fix: `Write for example -o ${path.basename(out, path.extname(out)) || 'rows'}.parquet.`,
  });
}

function schemaOf(what: Wanted, names: readonly string[]): Schema {
  switch (what.subject) {
    case 'levels':
      return levelSchema(names);
    case 'top':
      return topSchema(names);
    case 'snapshots':
      return snapshotSchema(names);
    case 'trades':
      return tradeSchema(names, 'trade');
    case 'liquidations':
      return tradeSchema(names, 'liquidation');
    case 'tickers':
      return tickerSchema(names);
    case 'signals':
      return what.intervalMs === undefined ? signalSchema(names) : signalSnapshotSchema(names);
    case 'orders':
      return orderSchema(names);
  }
}

/** Opens what the rows are of, and what makes them. Throws `export.no_orders` and `export.signals`. */
function rowsOf(
  what: Wanted,
  batch: RowBatch,
  engine: Engine,
  ids: readonly number[],
  times: Times,
): { readonly published: PublishedRows | undefined; readonly steps: Steps } {
  if (what.subject === 'snapshots') {
    const rows = new SnapshotRows(batch, engine, ids, what.depth);
    return { published: undefined, steps: new SnapshotSteps(rows, what.intervalMs, times) };
  }
  if (what.subject === 'signals' && what.intervalMs !== undefined) {
    const rows = new SignalSnapshots(batch, openSignals(engine, ids, what), ids.length);
    const published = new PublishedRows(rows, engine, ids);
    published.begin(0n);
    return { published, steps: new SnapshotSteps(rows, what.intervalMs, times) };
  }
  const published = new PublishedRows(makerOf(what, batch, engine, ids), engine, ids);
  return { published, steps: new ChangeSteps(published, times) };
}

function makerOf(
  what: Exclude<Wanted, { readonly subject: 'snapshots' }>,
  batch: RowBatch,
  engine: Engine,
  ids: readonly number[],
): RowMaker {
  switch (what.subject) {
    case 'levels':
      return new LevelRows(batch);
    case 'top':
      return new TopRows(batch);
    case 'trades':
      return new TradeTapeRows(batch, 'trade');
    case 'liquidations':
      return new TradeTapeRows(batch, 'liquidation');
    case 'tickers':
      return new TickerRows(batch);
    case 'signals':
      return new SignalRows(batch, openSignals(engine, ids, what));
    case 'orders':
      openOrders(engine, ids);
      return new OrderRows(batch);
  }
}

/** Has the single orders of each instrument told. */
function openOrders(engine: Engine, ids: readonly number[]): void {
  for (const id of ids) {
    try {
      engine.openOrders(id);
    } catch (cause) {
      if (codeOf(cause) !== 'engine.no_orders') throw cause;
      throw new DepthwireError('export.no_orders', {
        what: 'its venue names no single orders',
        where: engine.instrument(id).name,
        expected: 'an instrument whose orders are told one by one',
        got: 'levels',
        fix: 'Say --what levels, or choose instruments of an order feed by --instrument; depthwire venues lists these feeds.',
        cause,
      });
    }
  }
}

/** Loaded when it is wanted: no other command needs what writes them. */
async function formatOf(form: Form, schema: Schema): Promise<RowFormat> {
  switch (form) {
    case 'parquet':
      return new (await import('../export/parquet-format.js')).ParquetFormat(schema);
    case 'arrow':
      return new (await import('../export/arrow-format.js')).ArrowFormat(schema);
    case 'csv':
    case 'ndjson':
      return new (await import('../export/text-format.js')).TextFormat(schema, form);
  }
}

function noTimes(files: readonly string[]): DepthwireError {
  return new DepthwireError('export.no_times', {
    what: 'the recording does not say when anything was received',
    where: files.join(', '),
    expected: 'times of receipt, for --from, --to and --interval are of them',
    got: 'none',
    fix: 'Leave these options out, or give a recording with times.',
  });
}

function interrupted(out: string): DepthwireError {
  return new DepthwireError('export.interrupted', {
    what: 'the export was ended before its end',
    where: out,
    expected: 'no signal to end',
    got: 'one',
    fix: 'Run it again; nothing of the file was left.',
  });
}
