/**
 * A server that the bench command measures: `node server.js SPEC`, in a process of its own. Messages come in on one port, each behind
 * its size as a little-endian u32; frames go out on another. Both ports are printed as one line of JSON. A line of its standard
 * input makes it collect garbage and print the memory that it keeps; it ends when that input does.
 *
 * The `depthwire` kind is the engine with the server of `depthwire serve`, given the embedded venue's bytes. The `bare` kind publishes
 * what it is given by uWebSockets.js and does nothing else: the control. The `ws` kind does it by a loop over the clients of `ws`. All can be made slow, stopped or lossy, to prove that the bench
 * command sees it.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { FeedSource } from '../served-feed.js';
import { bareServer, loopServer, messagesIn } from './control-servers.js';
import { INSTRUMENT, snapshotText, VENUE } from './sim-book.js';
import type { ServerSpec } from './target.js';

interface Served {
  readonly port: number;
  take(message: Uint8Array): void;
}

const KEPT_LOOKS = 5;
const KEPT_PAUSE_MS = 100;

async function depthwire(): Promise<Served> {
  const { serveFeed } = await import('../served-feed.js');
  const opened: {
    take?: (message: Uint8Array) => void;
    answer?: (instrument: number, ticket: number) => void;
  } = {};
  const snapshot = Buffer.from(snapshotText());
  const source: FeedSource = {
    open(engine) {
      const id = engine.addInstrument(INSTRUMENT);
      const connection = engine.openSource(VENUE, [id]);
      opened.take = (message) => engine.ingest(connection, message);
      opened.answer = (instrument, ticket) => engine.ingestSnapshot(instrument, ticket, snapshot);
      return [id];
    },
    // An engine is not called while it tells what it wants.
    ask: ({ instrument, ticket }) => setImmediate(() => opened.answer?.(instrument, ticket)),
  };
  const config = {
    server: { port: 0, idleTimeoutSeconds: 0 },
    engine: { silenceMs: 0 },
    limits: { clientsMax: 20_000 },
  };
  const { port } = await serveFeed({ source, config, page: false });
  return { port, take: (message) => opened.take?.(message) };
}

async function bare(): Promise<Served> {
  const { port, publish } = await bareServer();
  return { port, take: publish };
}

async function loop(): Promise<Served> {
  const { port, publish } = await loopServer();
  // The bytes are a part of what was read, which the next reading may overwrite, and a socket may have to wait.
  return { port, take: (message) => publish(Buffer.from(message)) };
}

/** Makes a server as slow, as lossy and as still as it is told to be. */
function impaired(take: Served['take'], { busyUs = 0, dropEach = 0, stall }: ServerSpec): Served['take'] {
  let taken = 0;
  return (message) => {
    taken += 1;
    if (stall !== undefined && taken === stall.atMessage) spin(stall.ms);
    if (busyUs > 0) spin(busyUs / 1000);
    if (dropEach === 0 || taken % dropEach !== 0) take(message);
  };
}

/** Holds the thread, as work does: a sleep would not be exact. */
function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const spec = JSON.parse(process.argv[2] ?? '{}') as ServerSpec;
const KINDS: Readonly<Record<string, (() => Promise<Served>) | undefined>> = { depthwire, bare, ws: loop };
const start = KINDS[spec.kind];
if (start === undefined) throw new Error(`no server of the kind ${spec.kind}`);
const served = await start();
const take = impaired(served.take, spec);
const input = messagesIn(take);
await once(input, 'listening');
const { port: inputPort } = input.address() as AddressInfo;
process.stdout.write(`${JSON.stringify({ feed: served.port, input: inputPort })}\n`);
// Only a context that is made when the flag is set has the collector.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/**
 * Resident bytes, of the heap those in use alone: it keeps pages that it may need again. The least of some looks: pages are given back
 * by and by, and messages go on making garbage.
 */
async function keptBytes(): Promise<number> {
  collect();
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < KEPT_LOOKS; look++) {
    const heap = getHeapStatistics();
    least = Math.min(least, process.memoryUsage.rss() - heap.total_physical_size + heap.used_heap_size);
    await pause(KEPT_PAUSE_MS);
  }
  return least;
}

process.stdin
  .on('data', async () => process.stdout.write(`${JSON.stringify({ kept: await keptBytes() })}\n`))
  .on('end', () => process.exit());
