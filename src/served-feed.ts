import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Simulator } from '#native';
import { type ConfigInput, configFrom } from './config.js';
import { ConsolidatedBooks } from './consolidated-books.js';
import { type Engine, type EngineListener, type InstrumentInfo, openEngine, startIdNow } from './engine.js';
import { explain } from './errors.js';
import { SimulatedVenue } from './ingest/simulated-venue.js';
import type { Source } from './ingest/source.js';
import { FeedServer } from './publish/server.js';
import { loadSite } from './publish/site.js';
import { TickTimer } from './tick-timer.js';

/**
 * Where the bytes of a feed come from: any `Source`, or as much of one as is needed. `open` adds its instruments, opens its
 * connections and returns the ids of what is served; frames may be handed to the engine from then on.
 */
export type FeedSource = { open(engine: Engine): readonly number[] } & Partial<Omit<Source, 'open'>>;

/** What a served feed is made of. */
export interface ServedFeedOptions {
  readonly source: FeedSource;
  /** As `depthwire.toml`, in camel case: `{ server: { port: 0 }, limits: { clientsMax: 10 } }`. */
  readonly config?: Pick<ConfigInput, 'server' | 'engine' | 'limits' | 'auth' | 'tls' | 'consolidated'>;
  /** Time comes from what is ingested, and frames say so. */
  readonly replay?: boolean;
  /** Whether the page is served; it is unless this is false. */
  readonly page?: boolean;
  /** Told of input that had no effect, and of what the server has to say. Standard error, unless given. */
  readonly onFault?: (error: unknown) => void;
}

/** A feed that this process serves. */
export interface ServedFeed {
  readonly engine: Engine;
  readonly server: FeedServer;
  /** What is served. */
  readonly instruments: readonly InstrumentInfo[];
  readonly port: number;
  /** Address of the page; clients connect to `/v1/feed` below it. */
  readonly url: string;
  /** Says goodbye to the clients, closes the port, the source and the engine; the same promise each time. */
  close(reason?: string): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Where the built page lies, from `src` and from `dist` alike. */
const PAGE_FOLDER = fileURLToPath(new URL('../dist/web/', import.meta.url));

/**
 * An engine in this process with the server of `depthwire serve` round it: the feed, the HTTP interface, the page. Drives both
 * by a timer of its own. Throws `config.*`, `serve.*`, and what `source.open` throws.
 */
export async function serveFeed(options: ServedFeedOptions): Promise<ServedFeed> {
  const { source, replay = false, page = true } = options;
  const onFault = options.onFault ?? ((error: unknown) => void process.stderr.write(`${explain(error)}\n`));
  const config = configFrom(options.config ?? {});
  const wiring: { server?: FeedServer } = {};
  const listener: EngineListener = {
    onFrame: (instrument, stream, frame) => wiring.server?.onFrame(instrument, stream, frame),
    onFrameBytes: (instrument, stream, ring, offset, size) =>
      wiring.server?.onFrameBytes(instrument, stream, ring, offset, size),
    onAsk: (ask) => source.ask?.(ask),
    onSay: (of, text) => source.say?.(of, text),
    onFault: (error) => {
      if (wiring.server !== undefined) wiring.server.metrics.faults += 1;
      onFault(error);
    },
  };
  const engine = openEngine(
    {
      startId: startIdNow(),
      // Another process may start within the same tenth of a second.
      resetsFrom: randomInt(2 ** 31),
      replay,
      silenceMs: replay ? 0 : config.engine.silenceMs,
      outputBytes: config.engine.outputBytes,
      historyBytes: config.limits.historyBytes,
      historyStreamBytes: config.limits.historyStreamBytes,
      historyMs: config.limits.historyMs,
      stagesEvery: config.metrics.stages ? config.metrics.stagesEvery : 0,
    },
    listener,
  );
  try {
    const served = new Set(source.open(engine));
    const consolidated = new ConsolidatedBooks(engine, config.consolidated, onFault);
    consolidated.begin(() => false);
    for (const id of consolidated.ids) served.add(id);
    const instruments = engine.instruments().filter(({ id }) => served.has(id));
    const server = new FeedServer(engine, instruments, config, page ? loadSite(PAGE_FOLDER) : new Map());
    wiring.server = server;
    server.say = onFault;
    const startedMs = Date.now();
    const name = source.name ?? 'embedded';
    const sources = [
      { name, kind: 'embedded', startedMs, instruments: [...served], connections: [] },
    ] as const;
    server.sources = () => sources;
    const port = await server.listen();
    const timer = new TickTimer((lateMs) => {
      engine.tick();
      return server.tick(lateMs);
    });
    server.hurry = () => timer.hurry();
    source.ended?.then(
      () => {
        server.sourceState = 'finished';
      },
      (error: unknown) => {
        server.sourceState = 'failed';
        onFault(error);
      },
    );
    source.start?.();
    const end = async (reason: string): Promise<void> => {
      await server.leave();
      const drained = server.drain(reason);
      await source.stop?.();
      await drained;
      timer.stop();
      engine.close();
    };
    let ended: Promise<void> | undefined;
    const close = (reason = 'closed'): Promise<void> => (ended ??= end(reason));
    const { host } = config.server;
    const scheme = config.tls === undefined ? 'http' : 'https';
    const url = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/`;
    return { engine, server, instruments, port, url, close, [Symbol.asyncDispose]: () => close() };
  } catch (error) {
    engine.close();
    throw error;
  }
}

/**
 * The market of four instruments (`sim:BTCUSDT` and others) that `depthwire serve` has where nothing else is named. The same
 * seed and start give the same frames.
 */
export function simulatedVenue(seed = 1, startMs = Date.now()): SimulatedVenue {
  return new SimulatedVenue(new Simulator(seed, startMs), startMs);
}
