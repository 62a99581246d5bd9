import { type ChildProcess, fork } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { Duplex, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { makeSharedMemory } from '#native';
import type { Config } from '../../config.js';
import type { InstrumentInfo } from '../../engine.js';
import { codeOf, DepthwireError } from '../../errors.js';
import type { Clients } from '../census.js';
import type { Distribution, ServerEvents } from '../distribution.js';
import type { FeedEngine } from '../feed-engine.js';
import { type GatewayCounts, type MetricCounts, Metrics } from '../metrics.js';
import { freePort } from '../transport/free-port.js';
import { listenError } from '../transport/listen-error.js';
import type { Answer, Request, Transport } from '../transport.js';
import { CallDesk } from './call-desk.js';
import { errorOf } from './calls.js';
import { environmentOf } from './environment.js';
import { RingWriter, ringMemoryBytes } from './frame-ring.js';
import {
  DESCRIPTORS,
  type FromGateway,
  STOPPED_MS,
  STUCK_MS,
  type Start,
  type ToGateway,
} from './messages.js';
import { shareOf } from './share.js';

/** Bytes of frames that a gateway may be behind. */
const RING_BYTES = 32 << 20;
/** A replay at full speed waits for gateways that are behind by more. */
const PRESSED_BYTES = RING_BYTES / 4;
/** Longest that a gateway may take to begin. */
const START_MS_MAX = 30_000;
/** Pause before one that ended is started anew: at first, and at most. One that lived for so long begins at the first again. */
const RESTART_MS = 100;
const RESTART_MS_MAX = 5000;
const PROVEN_MS = 10_000;
/** What the end of a gateway may take beside `drainMs`. */
const END_MS = 1000;

/** The built program of a gateway, from `src` and from `dist` alike. */
const PROGRAM = fileURLToPath(new URL('../../../dist/publish/gateways/gateway-process.js', import.meta.url));

/** What the gateways of other processes are served from. */
export interface GatewaysNeeds {
  readonly config: Config;
  readonly engine: FeedEngine;
  readonly clients: Clients;
  readonly instruments: Map<string, InstrumentInfo>;
  answer(request: Request): Answer;
  events(): ServerEvents;
  say(line: string): void;
}

/** A gateway's process. */
interface Running {
  readonly child: ChildProcess;
  readonly desk: CallDesk;
  readonly wake: Writable;
  readonly startedMs: number;
  isListening: boolean;
  counts: MetricCounts | undefined;
  waitingBytes: number;
  /** Who waits for its keys to be read anew, in the order of asking. */
  readonly reloads: (() => void)[];
  beat: number;
  beatMs: number;
  /** Why it was ended by this process. */
  verdict: string | undefined;
}

/** One of the places for a gateway, from 0. */
interface Place {
  readonly number: number;
  running: Running | undefined;
  restartMs: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Gateways in processes of their own, which share the port. Each frame is written once, into memory that all of them read;
 * what their clients ask is answered here. One that ends, whatever ends it, costs its own clients their connection: it is
 * started anew, and they resume with whichever the kernel sends them to.
 */
export class Gateways implements Distribution {
  readonly #needs: GatewaysNeeds;
  readonly #places: readonly Place[];
  readonly #ring: RingWriter;
  readonly #ringDescriptor: number;
  /** What gateways had counted that have ended. */
  readonly #gone = new Metrics();
  #config: Config;
  #transport: Pick<Transport, 'name' | 'reason'> | undefined;
  #restarts = 0;
  #tickedMs = 0;
  #isEnding = false;
  #isTurnEnding = false;
  readonly #endTurn = (): void => {
    this.#isTurnEnding = false;
    this.#publish();
  };

  /** Throws `addon.shared_memory`. */
  constructor(needs: GatewaysNeeds) {
    this.#needs = needs;
    const { gateways } = needs.config.server;
    this.#config = { ...needs.config, limits: shareOf(needs.config.limits, gateways) };
    this.#places = Array.from({ length: gateways }, (_, number) => ({
      number,
      running: undefined,
      restartMs: RESTART_MS,
      timer: undefined,
    }));
    const { descriptor, memory } = makeSharedMemory(ringMemoryBytes(RING_BYTES));
    this.#ringDescriptor = descriptor;
    this.#ring = new RingWriter(memory, gateways, {
      onFull: () => this.#publish(),
      onOverrun: (reader) => this.#end(reader, 'was a whole ring behind'),
    });
  }

  get transport(): Pick<Transport, 'name' | 'reason'> | undefined {
    return this.#transport;
  }

  get waitingBytes(): number {
    return this.#places.reduce((sum, { running }) => sum + (running?.waitingBytes ?? 0), 0);
  }

  get gateways(): GatewayCounts {
    const running = this.#places.filter((place) => place.running?.isListening === true).length;
    const pids = this.#places.flatMap((place) => place.running?.child.pid ?? []);
    return { wanted: this.#places.length, running, pids, restarts: this.#restarts };
  }

  counted(own: Metrics): Metrics {
    const all = new Metrics();
    all.add(own.counts());
    all.add(this.#gone.counts());
    for (const { running } of this.#places) if (running?.counts !== undefined) all.add(running.counts);
    return all;
  }

  async listen(): Promise<number> {
    const { host, port: wanted } = this.#config.server;
    let port: number;
    try {
      // Held by nobody at this moment: gateways share it with each other, not with another server.
      port = await freePort(host, wanted);
    } catch (cause) {
      throw listenError(host, wanted, cause);
    }
    this.#config = { ...this.#config, server: { ...this.#config.server, port } };
    try {
      await Promise.all(this.#places.map((place) => this.#start(place)));
    } catch (error) {
      this.#isEnding = true;
      for (const { running } of this.#places) running?.child.kill('SIGKILL');
      closeSync(this.#ringDescriptor);
      throw error;
    }
    return port;
  }

  onFrameBytes(instrument: number, stream: number, source: Uint8Array, offset: number, size: number): void {
    this.#ring.write(instrument, stream, source, offset, size);
    if (this.#isTurnEnding) return;
    this.#isTurnEnding = true;
    process.nextTick(this.#endTurn);
  }

  /** Its clients are the gateways' own, who look after them. */
  readonly isBusy = false;

  tick(nowMs: number): void {
    const hasStopped = nowMs - this.#tickedMs > STOPPED_MS;
    this.#tickedMs = nowMs;
    this.#ring.tick();
    for (const { number, running } of this.#places) {
      if (running === undefined || !running.isListening) continue;
      const beat = this.#ring.beat(number);
      if (beat !== running.beat || hasStopped) {
        running.beat = beat;
        running.beatMs = nowMs;
      } else if (nowMs - running.beatMs > STUCK_MS) {
        this.#end(number, `stood still for ${STUCK_MS / 1000} s`);
      }
    }
  }

  pressed(): boolean {
    this.#publish();
    return this.#places.some(
      ({ number }) => this.#ring.lagBytes(number) > PRESSED_BYTES || this.#ring.isPressed(number),
    );
  }

  serve(instruments: readonly InstrumentInfo[]): void {
    const served = this.#needs.instruments;
    served.clear();
    for (const instrument of instruments) served.set(instrument.name, instrument);
    this.#tellAll({ type: 'serve', instruments });
  }

  reloadCertificate(): void {
    this.#tellAll({ type: 'reload_certificate' });
  }

  async reloadKeys(): Promise<void> {
    const reloading = this.#places.map(({ running }) => {
      if (running?.isListening !== true) return undefined;
      this.#tell(running, { type: 'reload_keys' });
      return new Promise<void>((resolve) => running.reloads.push(resolve));
    });
    await Promise.all(reloading);
  }

  async drain(reason: string): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#publish();
    const { drainMs } = this.#config.server;
    const ended = this.#places.map(({ running, timer }) => {
      clearTimeout(timer);
      return running === undefined ? undefined : exitOf(running.child);
    });
    this.#tellAll({ type: 'drain', reason });
    // One that is beginning has no clients, and would listen for more.
    for (const { running } of this.#places) if (running?.isListening === false) running.child.kill('SIGKILL');
    const late = setTimeout(() => {
      for (const { running } of this.#places) running?.child.kill('SIGKILL');
    }, drainMs + END_MS);
    await Promise.all(ended);
    clearTimeout(late);
    closeSync(this.#ringDescriptor);
  }

  /** Shows gateways what was written, and wakes those that wait for it. */
  #publish(): void {
    const sleepers = this.#ring.publish();
    if (sleepers === 0) return;
    for (const { number, running } of this.#places)
      if ((sleepers & (1 << number)) !== 0) running?.wake.write(WAKE);
  }

  /** Starts a gateway, and resolves when it listens. Throws what it cannot begin for. */
  async #start(place: Place, isAnother = false): Promise<void> {
    const { engine, clients, answer } = this.#needs;
    const stdio: ('ignore' | 'inherit' | 'ipc' | 'pipe' | number)[] = ['ignore', 'inherit', 'inherit', 'ipc'];
    stdio[DESCRIPTORS.calls] = 'pipe';
    stdio[DESCRIPTORS.wake] = 'pipe';
    stdio[DESCRIPTORS.ring] = this.#ringDescriptor;
    const env = environmentOf(this.#config, process.env);
    const child = fork(PROGRAM, [], { stdio, env, serialization: 'advanced', execArgv: [] });
    let failure: DepthwireError | undefined;
    child.on('error', (error) => {
      failure ??= notStarted(codeOf(error) || error.message);
    });
    // Node's types know five descriptors, and that there are none where there is no process.
    const pipes = child.stdio as unknown as readonly Duplex[] | undefined;
    const calls = pipes?.[DESCRIPTORS.calls];
    const wake = pipes?.[DESCRIPTORS.wake];
    if (child.pid === undefined || calls === undefined || wake === undefined) {
      // Why, it says in a later turn.
      await new Promise((resolve) => setImmediate(resolve));
      throw failure ?? notStarted('no process');
    }
    const position = (): number => {
      this.#publish();
      return this.#ring.position;
    };
    const desk = new CallDesk({ engine, census: clients.join(), position, answer });
    const startedMs = performance.now();
    const running: Running = {
      child,
      desk,
      wake,
      startedMs,
      isListening: false,
      counts: undefined,
      waitingBytes: 0,
      reloads: [],
      beat: 0,
      beatMs: startedMs,
      verdict: undefined,
    };
    place.running = running;
    calls.on('data', (piece: Buffer) => desk.take(piece, (reply) => calls.write(reply)));
    // A pipe of a process that has ended says so before its end is told.
    for (const stream of [calls, wake]) stream.on('error', () => {});
    const start: Start = {
      type: 'start',
      number: place.number,
      config: this.#config,
      instruments: [...this.#needs.instruments.values()],
      ringMemoryBytes: ringMemoryBytes(RING_BYTES),
    };
    this.#tell(running, start);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.#end(place.number, 'did not begin in time'), START_MS_MAX);
      child.on('message', (message) => {
        const told = message as FromGateway;
        if (told.type === 'listening') {
          clearTimeout(late);
          running.isListening = true;
          running.beatMs = performance.now();
          this.#transport ??= { name: told.transport, reason: told.reason };
          // What is served, and the keys, may have changed while it began.
          this.#tell(running, { type: 'serve', instruments: [...this.#needs.instruments.values()] });
          if (isAnother) {
            // Answers come in the order of asking, and nobody waits for this one.
            running.reloads.push(() => {});
            this.#tell(running, { type: 'reload_keys' });
          }
          resolve();
        } else if (told.type === 'failed') {
          failure = errorOf(told.error);
        } else {
          this.#take(running, told);
        }
      });
      child.once('exit', (code, signal) => {
        clearTimeout(late);
        const how = running.verdict ?? (signal === null ? `exit code ${code}` : `signal ${signal}`);
        this.#ended(place, running, how, failure);
        if (!running.isListening) reject(failure ?? notStarted(how));
      });
    });
  }

  #take(running: Running, told: FromGateway): void {
    switch (told.type) {
      case 'counts':
        running.counts = told.counts;
        running.waitingBytes = told.waitingBytes;
        return;
      case 'refused':
        this.#needs.events().refused(errorOf(told.error), told.request);
        return;
      case 'closed':
        this.#needs.events().closed(told.end);
        return;
      case 'certificate':
        this.#needs.events().certificate('code' in told.outcome ? errorOf(told.outcome) : told.outcome);
        return;
      case 'say':
        this.#needs.say(told.line);
        return;
      case 'keys_reloaded':
        running.reloads.shift()?.();
    }
  }

  #ended(place: Place, running: Running, how: string, failure: DepthwireError | undefined): void {
    place.running = undefined;
    running.desk.end();
    this.#ring.forget(place.number);
    if (running.counts !== undefined) this.#gone.add(running.counts, true);
    for (const done of running.reloads.splice(0)) done();
    if (this.#isEnding || (!running.isListening && this.#transport === undefined)) return;
    if (performance.now() - running.startedMs > PROVEN_MS) place.restartMs = RESTART_MS;
    const why = failure === undefined ? how : `${failure.what} (${failure.code})`;
    this.#needs.events().gatewayEnded({
      place: place.number + 1,
      places: this.#places.length,
      pid: running.child.pid,
      why,
    });
    this.#startLater(place);
  }

  /** Starts a gateway again in a while. Where it fails, that is told and tried again. */
  #startLater(place: Place): void {
    if (this.#isEnding || place.running !== undefined || place.timer !== undefined) return;
    const { restartMs } = place;
    place.restartMs = Math.min(RESTART_MS_MAX, restartMs * 2);
    this.#restarts += 1;
    place.timer = setTimeout(() => {
      place.timer = undefined;
      if (this.#isEnding) return;
      this.#start(place, true).catch((error: unknown) => {
        // One that has ended meanwhile was told of, and waits for its turn.
        if (place.running !== undefined || place.timer !== undefined || this.#isEnding) return;
        const why = error instanceof DepthwireError ? error.got : String(error);
        this.#needs.events().gatewayEnded({
          place: place.number + 1,
          places: this.#places.length,
          pid: undefined,
          why,
        });
        this.#startLater(place);
      });
    }, restartMs);
  }

  /** Ends a gateway that must not go on. */
  #end(number: number, why: string): void {
    const running = this.#places[number]?.running;
    if (running === undefined || running.verdict !== undefined) return;
    running.verdict = why;
    running.child.kill('SIGKILL');
  }

  #tellAll(message: ToGateway): void {
    for (const { running } of this.#places) if (running?.isListening === true) this.#tell(running, message);
  }

  #tell({ child }: Running, message: ToGateway): void {
    // One that is ending does not hear it.
    if (child.connected) child.send(message, () => {});
  }
}

const WAKE = Uint8Array.of(1);

function exitOf(child: ChildProcess): Promise<void> | undefined {
  if (child.exitCode !== null || child.signalCode !== null) return undefined;
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

function notStarted(how: string): DepthwireError {
  return new DepthwireError('serve.gateway', {
    what: 'a gateway could not begin',
    where: 'server.gateways',
    expected: 'a process that listens',
    got: how,
    fix: 'What it printed says why; with server.gateways set to 0 the server itself serves its clients.',
  });
}
