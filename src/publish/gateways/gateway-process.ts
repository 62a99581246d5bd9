import { Socket } from 'node:net';
import { clockNowNs, mapSharedMemory } from '#native';
import { DepthwireError, type ErrorJson } from '../../errors.js';
import { type Pace, TickTimer } from '../../tick-timer.js';
import { Gate } from '../auth/gate.js';
import type { ToldCertificate } from '../distribution.js';
import { Gateway } from '../gateway.js';
import { Metrics } from '../metrics.js';
import { RingReader } from './frame-ring.js';
import {
  DESCRIPTORS,
  type FromGateway,
  STOPPED_MS,
  STUCK_MS,
  type Start,
  type ToGateway,
} from './messages.js';
import { RemoteEngine } from './remote-engine.js';

/** How often the server's process is told what was counted. */
const COUNTS_MS = 250;
/** Refusals and ends that a log is told of in that time; all are counted. */
const EVENTS_TOLD_MAX = 50;

/** Exit codes: all is over; the server's process is gone, or has come round the ring; it could not begin. */
const ENDED = 0;
const LOST = 3;
const FAILED = 4;

// Signals of a terminal or of a service manager come to all processes; the server's decides what follows from them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit(LOST));
process.once('message', (message) => {
  void begin(message as Start);
});

/** `sent`: called when the message is on its way, or cannot be. */
function tell(message: FromGateway, sent: () => void = () => {}): void {
  if (process.connected && process.send !== undefined) process.send(message, () => sent());
  else sent();
}

async function begin(start: Start): Promise<void> {
  let served: ServedGateway;
  try {
    served = new ServedGateway(start);
    await served.listen();
  } catch (error) {
    if (!(error instanceof DepthwireError)) throw error;
    tell({ type: 'failed', error: error.toJSON() });
    process.exitCode = FAILED;
    process.disconnect();
    return;
  }
  process.on('message', (message) => served.take(message as ToGateway));
}

/** A gateway and what its process drives it by. */
class ServedGateway {
  readonly #gate: Gate;
  readonly #gateway: Gateway;
  readonly #reader: RingReader;
  readonly #metrics = new Metrics();
  #timer: TickTimer | undefined;
  #eventsTold = 0;
  #tickedMs = 0;
  #writerBeat = 0;
  #writerBeatMs = 0;
  #told = '';

  constructor({ number, config, instruments, ringMemoryBytes }: Start) {
    const engine = new RemoteEngine({
      descriptor: DESCRIPTORS.calls,
      readAll: () => this.#readTo(this.#reader.head),
      catchUp: (position) => this.#catchUp(position),
      lost,
      nowNs: clockNowNs,
    });
    this.#gate = new Gate(config, {
      say: (line) => tell({ type: 'say', line }),
      now: () => Date.now(),
      random: Math.random,
    });
    this.#gateway = new Gateway({
      config,
      engine,
      gate: this.#gate,
      census: engine,
      metrics: this.#metrics,
      instruments: new Map(instruments.map((instrument) => [instrument.name, instrument])),
      answer: (request) => engine.http(request),
      events: () => ({
        refused: (error, request) =>
          this.#tellEvent({
            type: 'refused',
            error: error.toJSON(),
            request: { ...request, authorization: '' },
          }),
        closed: (end) => this.#tellEvent({ type: 'closed', end }),
        certificate: (outcome) => tell({ type: 'certificate', outcome: tellableOutcome(outcome) }),
        gatewayEnded: () => {},
      }),
      hurry: () => this.#timer?.hurry(),
      isPortShared: true,
    });
    const memory = mapSharedMemory(DESCRIPTORS.ring, ringMemoryBytes);
    this.#reader = new RingReader(memory, number, (instrument, stream, source, offset, size) =>
      this.#gateway.onFrameBytes(instrument, stream, source, offset, size),
    );
  }

  async listen(): Promise<void> {
    new Socket({ fd: DESCRIPTORS.wake, readable: true, writable: false }).on('data', () => this.#read());
    this.#read();
    await this.#gate.open(performance.now());
    await this.#gateway.listen();
    this.#timer = new TickTimer(() => this.#tick());
    setInterval(() => this.#tellCounts(), COUNTS_MS);
    const { transport } = this.#gateway;
    tell({ type: 'listening', transport: transport?.name ?? 'uws', reason: transport?.reason ?? '' });
  }

  take(message: ToGateway): void {
    switch (message.type) {
      case 'start':
        return;
      case 'serve':
        this.#gateway.serve(message.instruments);
        return;
      case 'reload_keys':
        void this.#gate.reload(performance.now()).then(() => tell({ type: 'keys_reloaded' }));
        return;
      case 'reload_certificate':
        this.#gateway.reloadCertificate();
        return;
      case 'drain':
        void this.#gateway.drain(message.reason).then(() => {
          this.#tellCounts(() => process.exit(ENDED));
        });
    }
  }

  /** Hands on what has been published until now; then waits to be woken. */
  #read(): void {
    this.#readTo(this.#reader.head);
    // What comes without end leaves room for the sockets between two turns.
    if (!this.#reader.sleep()) setImmediate(() => this.#read());
  }

  #catchUp(position: number): void {
    this.#readTo(position);
    this.#gateway.flush();
    // One that is answered works, however many answers a turn of its loop takes.
    this.#reader.beat();
  }

  #readTo(position: number): void {
    if (!this.#reader.readTo(position)) lost();
  }

  /** Tells how soon the next one is due. */
  #tick(): Pace {
    const nowMs = performance.now();
    this.#gate.tick(nowMs);
    this.#gateway.tick(nowMs);
    this.#reader.press(this.#gateway.pressed(nowMs));
    this.#reader.beat();
    this.#watchWriter(nowMs);
    return this.#gateway.isBusy ? 'soon' : 'rest';
  }

  /** A server that stands still knows nothing new: whoever is told that all is well here would believe it. */
  #watchWriter(nowMs: number): void {
    const beat = this.#reader.writerBeat;
    const hasStopped = nowMs - this.#tickedMs > STOPPED_MS;
    this.#tickedMs = nowMs;
    if (beat !== this.#writerBeat || hasStopped) {
      this.#writerBeat = beat;
      this.#writerBeatMs = nowMs;
    } else if (nowMs - this.#writerBeatMs > STUCK_MS) {
      lost();
    }
  }

  #tellEvent(event: FromGateway): void {
    if (this.#eventsTold++ < EVENTS_TOLD_MAX) tell(event);
  }

  #tellCounts(sent?: () => void): void {
    this.#eventsTold = 0;
    const counts = this.#metrics.counts();
    const { waitingBytes } = this.#gateway;
    const text = JSON.stringify([counts, waitingBytes]);
    if (text === this.#told && sent === undefined) return;
    this.#told = text;
    tell({ type: 'counts', counts, waitingBytes }, sent);
  }
}

/** Whoever is left here would wait for frames that do not come: the clients are cut, and come back elsewhere. */
function lost(): never {
  process.exit(LOST);
}

function tellableOutcome(outcome: ToldCertificate | DepthwireError): ToldCertificate | ErrorJson {
  if (outcome instanceof DepthwireError) return outcome.toJSON();
  const { subject, fingerprint, validToMs } = outcome;
  return { subject, fingerprint, validToMs };
}
