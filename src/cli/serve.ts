import { randomInt } from 'node:crypto';
import { Simulator } from '#native';
import type { Config } from '../config.js';
import { ConsolidatedBooks } from '../consolidated-books.js';
import { type Engine, type InstrumentInfo, openEngine, startIdNow } from '../engine.js';
import { DepthwireError, explain } from '../errors.js';
import { type Clock, SYSTEM_CLOCK } from '../ingest/clock.js';
import { LiveVenues } from '../ingest/live-venues.js';
import { recordedStreams } from '../ingest/recorded-streams.js';
import { isPacked, SURVEY_BYTES_MAX, type Survey, surveyRecordings } from '../ingest/recording.js';
import { recordingFiles } from '../ingest/recording-files.js';
import { ReplayFile } from '../ingest/replay-file.js';
import { SimulatedVenue } from '../ingest/simulated-venue.js';
import type { Source } from '../ingest/source.js';
import { Log } from '../log.js';
import { nearest } from '../nearest.js';
import { FeedServer } from '../publish/server.js';
import type { Site } from '../publish/site.js';
import { TickTimer } from '../tick-timer.js';
import { timeNs } from '../time-text.js';
import { catalogue, fits, idsOf, overridesOf, underOwnNames } from './catalogue.js';
import { LiveInstruments } from './live-instruments.js';
import type { Env } from './live-sources.js';
import { Recording } from './recording.js';
import type { TakeOver } from './reload.js';
import { serverEvents } from './server-events.js';

/** So often is told what was counted rather than told. */
const LOG_TICK_MS = 1000;

/** A server that runs. */
export interface Serving {
  /** What is served, for people. */
  readonly name: string;
  readonly port: number;
  /** Address of the page. */
  readonly url: string;
  readonly engine: Engine;
  readonly server: FeedServer;
  readonly source: Source;
  /** Takes over what can change of a configuration while it runs: live sources that come and go, and their instruments. */
  readonly takeOver: TakeOver;
  /** The configuration as far as it holds by now. */
  readonly running: () => Config;
  /** Stops the source, says goodbye to the clients and closes the port; the same promise each time. */
  stop(reason: string): Promise<void>;
}

/**
 * Wires a source, the engine and the server. `said`: a log, or who takes its warnings alone; keys of accounts lie in `env`, or
 * in files; `clock` says when lists of instruments are asked for again. Throws `serve.*`, `recording.*`, `live.*`, `instruments.*`.
 */
export async function startServing(
  given: Config,
  site: Site,
  said: Log | ((line: string) => void),
  env: Env = process.env,
  clock: Clock = SYSTEM_CLOCK,
): Promise<Serving> {
  const log = said instanceof Log ? said : Log.ofWarnings(said);
  const { warn } = log;
  const config = { ...given, instruments: underOwnNames(given.instruments) };
  const wiring: { server?: FeedServer; source?: Source } = {};
  const onFault = (error: DepthwireError): void => {
    if (wiring.server !== undefined) wiring.server.metrics.faults += 1;
    log.fault(error);
  };
  const engine = openEngine(
    {
      startId: startIdNow(),
      // Another server may start within the same tenth of a second, or with a clock that was set back.
      resetsFrom: randomInt(2 ** 31),
      // A recording cannot be asked for a snapshot, so a pause in it must not cost its books their rest.
      silenceMs: config.replay === undefined ? config.engine.silenceMs : 0,
      replay: config.replay !== undefined,
      outputBytes: config.engine.outputBytes,
      historyBytes: config.limits.historyBytes,
      historyStreamBytes: config.limits.historyStreamBytes,
      historyMs: config.limits.historyMs,
      stagesEvery: config.metrics.stages ? config.metrics.stagesEvery : 0,
    },
    {
      onFrame: (instrument, stream, frame) => wiring.server?.onFrame(instrument, stream, frame),
      onFrameBytes: (instrument, stream, ring, offset, size) =>
        wiring.server?.onFrameBytes(instrument, stream, ring, offset, size),
      onAsk: (ask) => wiring.source?.ask(ask),
      onSay: (source, text) => wiring.source?.say(source, text),
      onFault,
    },
  );
  const recording = recordingOf(engine, config, log);
  catalogue(engine, config.instruments);
  const isLive = Object.keys(config.sources).length > 0;
  const instrumentsOf = isLive
    ? new LiveInstruments({ config, engine, env, warn, clock, random: Math.random })
    : undefined;
  const source =
    instrumentsOf === undefined
      ? await sourceOf(config, engine, { warn, pressed: () => wiring.server?.pressed() ?? false })
      : new LiveVenues(await instrumentsOf.open(), { clock: SYSTEM_CLOCK, random: Math.random, onFault });
  wiring.source = source;
  const served = new Set(source.open(engine));
  const consolidated = new ConsolidatedBooks(engine, config.consolidated, warn);
  const waiting = instrumentsOf?.waiting() ?? [];
  consolidated.begin((name) => waiting.some((venue) => name.startsWith(`${venue}:`)));
  for (const id of consolidated.ids) served.add(id);
  const instruments = engine.instruments().filter((instrument) => served.has(instrument.id));
  checkServed(config, instruments, waiting);
  const server = new FeedServer(engine, instruments, config, site);
  wiring.server = server;
  if (recording !== undefined) server.record = () => recording.status();
  server.events = serverEvents(log);
  server.say = (line) => log.say('warn', 'auth.keys', line);
  const onChange = (ids: readonly number[]): void => {
    consolidated.goOn();
    const carried = new Set([...ids, ...consolidated.ids]);
    server.serve(engine.instruments().filter(({ id }) => carried.has(id)));
  };
  if (source instanceof LiveVenues) instrumentsOf?.attach(source, onChange);
  if (source instanceof ReplayFile) {
    server.replay = source;
    source.onPhase = (phase) => {
      server.sourceState = phase === 'ended' ? 'finished' : phase === 'failed' ? 'failed' : 'running';
    };
  }
  const startedMs = Date.now();
  const kind = config.replay === undefined ? 'embedded' : 'recording';
  server.sources = () =>
    instrumentsOf?.served(startedMs) ?? [
      { name: source.name, kind, startedMs, instruments: [...served], connections: [] },
    ];
  const { host } = config.server;
  const port = await server.listen();
  const timer = new TickTimer((lateMs) => {
    engine.tick();
    return server.tick(lateMs);
  });
  server.hurry = () => timer.hurry();
  const logTimer = setInterval(() => {
    log.tick();
    recording?.tick();
  }, LOG_TICK_MS).unref();
  source.ended.then(
    () => {
      server.sourceState = 'finished';
    },
    (error: unknown) => {
      server.sourceState = 'failed';
      log.say(
        'error',
        'source.failed',
        explain(error),
        error instanceof DepthwireError ? error.toJSON() : {},
      );
    },
  );
  source.start();
  let stopped: Promise<void> | undefined;
  const stop = async (reason: string): Promise<void> => {
    await server.leave();
    instrumentsOf?.stop();
    // The clients are told first: what a source that ends makes of its books is not for them.
    const drained = server.drain(reason);
    await source.stop();
    await drained;
    timer.stop();
    clearInterval(logTimer);
    recording?.end();
    log.tick();
    engine.close();
  };
  return {
    name: isLive ? Object.keys(config.sources).join(', ') : source.name,
    port,
    url: `${config.tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}/`,
    engine,
    server,
    source,
    takeOver: async (next) => {
      server.reloadCertificate();
      await server.reloadKeys();
      return (await instrumentsOf?.takeOver(next)) ?? [];
    },
    running: () => instrumentsOf?.config ?? config,
    stop: (reason) => (stopped ??= stop(reason)),
  };
}

/** Begins the record of what is received, where one is wanted; an engine that cannot be recorded is none. */
function recordingOf(engine: Engine, { record }: Config, log: Log): Recording | undefined {
  if (record === undefined) return undefined;
  try {
    return new Recording(engine, record, log);
  } catch (error) {
    engine.close();
    throw error;
  }
}

/** What opening a source takes. */
interface SourceNeeds {
  readonly warn: (line: string) => void;
  /** Whether a client is behind so far that a replay should wait. */
  readonly pressed: () => boolean;
}

async function sourceOf(config: Config, engine: Engine, { warn, pressed }: SourceNeeds): Promise<Source> {
  if (config.replay === undefined) {
    const startMs = Date.now();
    return new SimulatedVenue(new Simulator(config.sim.seed, startMs), startMs);
  }
  const { speed, loop, skipIdle, from } = config.replay;
  const files = await recordingFiles(config.replay.files);
  const surveys = await checkedFiles(files, warn);
  const wanted = config.instruments.map(({ name }) => name);
  const { venue, isSetUp, names, hasOthers } = await recordedStreams(files, wanted, engine);
  catalogue(engine, overridesOf(config.instruments, names));
  let isBackward = false;
  return new ReplayFile({
    paths: files,
    venue,
    isSetUp,
    instruments: idsOf(engine, names),
    hasOthers,
    surveys,
    onDamage: (damage) => {
      const isTold = surveys.get(damage.where)?.damages.includes(damage) === true;
      if (!isTold) warn(explain(damage));
    },
    onRead: (path) => {
      if (isBackward || files.length === 1 || engine.stats().backward === 0) return;
      isBackward = true;
      warn(`time runs backward in ${path}: give the files in the order of their times`);
    },
    speed,
    loop,
    skipIdle,
    fromNs: from === undefined ? undefined : timeNs(from),
    ...(isSetUp && files.length > 1 ? { segmentBegun: (head: Uint8Array) => engine.segmentBegun(head) } : {}),
    pressed,
    pauseMsMax: config.limits.slowMs,
  });
}

/**
 * Packed files are checked before a line of them is served: one whose content is damaged is refused, for nobody knows which
 * of its lines are wrong. One that is only cut is served as far as it goes, and its books are stale there.
 */
async function checkedFiles(
  files: readonly string[],
  warn: (line: string) => void,
): Promise<ReadonlyMap<string, Survey>> {
  const surveys = await surveyRecordings(files);
  for (const file of files) {
    const survey = surveys.get(file);
    const corrupt = survey?.damages.find(({ kind }) => kind === 'corrupt');
    if (corrupt !== undefined) throw corrupt;
    for (const damage of survey?.damages ?? []) warn(explain(damage));
    if (survey === undefined && (await isPacked(file))) {
      warn(
        `${file} is packed and has more than ${SURVEY_BYTES_MAX >> 20} MiB, so it is checked while it is read: ` +
          'should it prove damaged, its books turn stale there.',
      );
    }
  }
  return surveys;
}

/**
 * Throws `serve.no_such_instrument` where the command names an instrument that the source does not have. `waiting`: venues of
 * which it is not known yet.
 */
function checkServed(
  config: Config,
  instruments: readonly InstrumentInfo[],
  waiting: readonly string[],
): void {
  const names = instruments.map(({ name }) => name);
  const isOpen = (name: string): boolean => waiting.some((venue) => name.startsWith(`${venue}:`));
  const missing = config.instruments.find(
    (wanted) => !names.some((name) => fits(wanted.name, name)) && !isOpen(wanted.name),
  );
  if (missing === undefined) return;
  const meant = nearest(missing.name, names);
  throw new DepthwireError('serve.no_such_instrument', {
    what: 'what is served does not have this instrument',
    where: '--instrument',
    expected: names.join(', '),
    got: missing.name,
    fix:
      meant === undefined
        ? 'Name what to serve, as a source or with --replay FILE, or leave it out.'
        : `Write ${meant}.`,
  });
}
