import type { DefinedInstruments } from '#native';
import {
  type BookInfo,
  type BringBy,
  type Brought,
  Engine,
  type EngineListener,
  type EngineStats,
  ERROR,
  type ErrorInfo,
  type InstrumentInfo,
  MORE,
  type NativeEngine,
  type OrderInfo,
  OUTPUT,
  RING,
  type StageTimes,
  type StreamPlace,
} from '../../src/engine.js';
import { STREAM } from '../../src/wire/generated/constants.js';

/** One instrument of the fake catalogue. */
export function instrument(id: number, name: string): InstrumentInfo {
  const [venue = '', symbol = ''] = name.split(':');
  return {
    id,
    name,
    venue,
    symbol,
    codes: [symbol],
    priceExponent: -2,
    qtyExponent: -5,
    tickSize: 1,
    lotSize: 1,
    qtyUnit: 'base',
    contractSize: 1,
    inverse: false,
    kind: 'spot',
    base: '',
    quote: '',
    settle: '',
    expiryMs: 0,
  };
}

/** Bytes of a frame that says what it is: `label` padded to a multiple of eight. */
export function frame(label: string): Uint8Array {
  const bytes = new Uint8Array((label.length + 8) & ~7);
  bytes.set(Buffer.from(label));
  return bytes;
}

/** What the frames of a message were made of. */
export function labels(message: Uint8Array): readonly string[] {
  return Buffer.from(message)
    .toString()
    .split(/\0+/)
    .filter((text) => text !== '');
}

/** What `frame` was made of. */
export function label(bytes: Uint8Array): string {
  return labels(bytes).join('');
}

const SYNCED: BookInfo = {
  state: 'synced',
  reason: 'none',
  epoch: 7_520_384_216_498_177n,
  seq: 418n,
  venueSeq: 9n,
  bids: 1,
  asks: 1,
  beyondKnown: false,
  expected: 0n,
  received: 0n,
  ageNs: 1_500_000n,
  losses: 0,
  lostMs: 0,
  mendedMs: 0,
  mendedMsMax: 0,
  checksumsChecked: 0,
  checksumsMatched: 0,
  topsChecked: 0,
  topsMatched: 0,
  held: 0,
};

/**
 * Stands in for the addon: a ring that is written as the addon writes it, and answers that the test sets. Outputs wait in
 * `queue` until an input or `pump` moves into the ring what fits.
 */
export class FakeNative implements NativeEngine {
  readonly output: SharedArrayBuffer;
  readonly queue: {
    readonly type: number;
    readonly instrument: number;
    readonly stream: number;
    readonly payload: Uint8Array;
  }[] = [];
  readonly catalogue: InstrumentInfo[] = [instrument(11, 'sim:BTCUSDT'), instrument(12, 'sim:ETHUSDT')];
  readonly books = new Map<number, BookInfo>();
  readonly images = new Map<string, Uint8Array>();
  /** Where streams stand, in place of their book's own place, and what brings readers there that have their epoch. */
  readonly places = new Map<string, StreamPlace>();
  readonly kept = new Map<string, Uint8Array>();
  readonly views = new Map<number, number>();
  readonly calls: string[] = [];
  /** Time of the last line of a recording. */
  recorded = 0n;
  /** The next views are refused. */
  viewsFull = false;
  ordersReaders = 0;
  imageCalls = 0;
  fault: ErrorInfo | null = null;
  stages: StageTimes | null = null;
  /** Times of the lines of a recording are its first digits, as in a real one. */
  readonly lines: string[] = [];
  lineOutput: ((line: string) => void) | undefined;
  readonly #words: Uint32Array;
  readonly #capacity: number;
  #brought: Brought = 'nothing';

  constructor(capacity = 1 << 16) {
    this.#capacity = capacity;
    this.output = new SharedArrayBuffer(RING.controlBytes + capacity);
    this.#words = new Uint32Array(this.output);
  }

  /** Lets a frame wait for the next drain. */
  emit(id: number, stream: number, payload: Uint8Array): void {
    this.queue.push({ type: RING.type.frame, instrument: id, stream, payload });
  }

  ask(id: number, ticket: number, cure: number): void {
    const payload = new Uint8Array(8);
    new DataView(payload.buffer).setUint32(0, ticket, true);
    payload.set([2, cure], 4);
    this.queue.push({ type: RING.type.ask, instrument: id, stream: 0, payload });
  }

  say(source: number, text: string): void {
    this.queue.push({ type: RING.type.say, instrument: source, stream: 0, payload: Buffer.from(text) });
  }

  /** Whether everything that was put into the ring has been read. */
  get drained(): boolean {
    return this.#words[RING.control.write] === this.#words[RING.control.read];
  }

  setUp(): boolean {
    return false;
  }
  openRecorded(): number {
    throw new Error('this engine opens no journals');
  }
  record(): void {
    throw new Error('this engine is not recorded');
  }
  recordedCheckpoint(): never[] {
    return [];
  }
  recordedEntries(): number {
    return 0;
  }
  segmentBegun(): null {
    return null;
  }
  recording(): null {
    return null;
  }
  endRecording(): null {
    return null;
  }

  instruments(): InstrumentInfo[] {
    return this.catalogue;
  }
  instrument(id: number): InstrumentInfo {
    const listed = this.catalogue.find((one) => one.id === id);
    if (listed === undefined) throw new Error(`no instrument ${id}`);
    return listed;
  }
  sourceFailed(source: number): number {
    this.calls.push(`failed source ${source}`);
    return 0;
  }
  sourceEnded(): number {
    return 0;
  }
  expectOthers(source: number): number {
    this.calls.push(`others of source ${source}`);
    return 0;
  }
  addInstrument(name: string): number {
    this.calls.push(`add ${name}`);
    const id = 100 + this.catalogue.length;
    this.catalogue.push(instrument(id, name));
    return id;
  }
  detect(bytes: Uint8Array): string[] {
    return /"s":"([A-Z]+)"/.test(Buffer.from(bytes).toString()) ? ['binance:BTCUSDT'] : [];
  }
  openSource(venue: string, instruments: Uint32Array): number {
    this.calls.push(`open ${venue} ${instruments.join(' ')}`);
    return 1;
  }
  ordersDigest(id: number): string {
    return `orders ${id}`;
  }
  order(): OrderInfo | null {
    return null;
  }
  levels(_instrument: number, _depth: number, _out: Uint8Array): number {
    return 0;
  }
  shareBook(id: number): void {
    this.calls.push(`share ${id}`);
  }
  ingester(): (source: number, bytes: Uint8Array) => number {
    return (_source, bytes) => {
      this.calls.push(`ingest ${label(bytes)}`);
      return this.#flags();
    };
  }
  ingestSnapshot(id: number, ticket: number, bytes: Uint8Array): number {
    this.calls.push(`snapshot ${id} ticket ${ticket} ${label(bytes)}`);
    return this.#flags();
  }
  snapshotFailed(id: number): void {
    this.calls.push(`failed ${id}`);
  }
  ingestRecording(_source: number, bytes: Uint8Array, untilNs: bigint): number {
    const text = Buffer.from(bytes).toString();
    let used = 0;
    let nextNs = 0n;
    for (;;) {
      const end = text.indexOf('\n', used);
      if (end === -1) break;
      const line = text.slice(used, end);
      const ns = BigInt(/^\d+/.exec(line)?.[0] ?? '0');
      if (ns > untilNs) {
        nextNs = ns;
        break;
      }
      this.lines.push(line);
      this.recorded = ns;
      this.lineOutput?.(line);
      used = end + 1;
    }
    this.#words[RING.control.consumed] = Buffer.byteLength(text.slice(0, used));
    this.#words[RING.control.nextLow] = Number(nextNs & 0xffff_ffffn);
    this.#words[RING.control.nextHigh] = Number(nextNs >> 32n);
    return this.#flags();
  }
  open(): number {
    return 0;
  }

  carry(): void {}

  carryBesideBooks(): void {}

  succeed(): void {}
  outstanding(): number {
    return 0;
  }

  drop(): number {
    return 0;
  }

  asked(): void {}
  opened(): number {
    return 0;
  }

  define(): DefinedInstruments {
    return { flags: 0, instruments: [] };
  }

  ticker(): null {
    return null;
  }

  liquidation(): null {
    return null;
  }

  trading(): string {
    return 'unknown';
  }

  resetSource(source: number): number {
    this.calls.push(`reset ${source}`);
    return this.#flags();
  }
  hold(): number {
    this.calls.push('hold');
    return this.#flags();
  }
  release(): number {
    this.calls.push('release');
    return this.#flags();
  }
  recordedNs(): bigint {
    return this.recorded;
  }
  tick(): number {
    return this.#flags();
  }
  pump(): number {
    return this.#flags();
  }
  image(id: number, stream: number, out: Uint8Array): number {
    this.imageCalls += 1;
    const image = this.images.get(`${id}/${stream}`);
    if (image === undefined) return 0;
    if (image.byteLength > out.byteLength) return -image.byteLength;
    out.set(image);
    return image.byteLength;
  }
  openDepth(_id: number, depth: number, intervalMs: number): number {
    this.calls.push(`view ${depth}/${intervalMs}`);
    if (this.viewsFull) {
      const error = new Error('too many views\nexpected: at most 32 different ones\ngot: one more\nfix: x');
      throw Object.assign(error, { code: 'engine.views_full' });
    }
    const stream = 16 + depth;
    this.views.set(stream, (this.views.get(stream) ?? 0) + 1);
    return stream;
  }
  keepVolumes(): void {}

  openVolumes(_id: number, intervalMs: number, grouping = 0n): number {
    this.calls.push(`volumes ${intervalMs}/${grouping}`);
    this.views.set(48, (this.views.get(48) ?? 0) + 1);
    return 48;
  }
  openCosts(_id: number, intervalMs: number, quantities: BigUint64Array, bps: Uint32Array): number {
    this.calls.push(`costs ${intervalMs}/${quantities.join()}/${bps.join()}`);
    this.views.set(64, (this.views.get(64) ?? 0) + 1);
    return 64;
  }
  openSignals(
    _id: number,
    intervalMs: number,
    windowMs: number,
    vpinVolume: bigint,
    vpinBuckets: number,
  ): number {
    this.calls.push(`signals ${intervalMs}/${windowMs}/${vpinVolume}/${vpinBuckets}`);
    this.views.set(80, (this.views.get(80) ?? 0) + 1);
    return 80;
  }
  closeView(_id: number, stream: number): void {
    this.views.set(stream, (this.views.get(stream) ?? 0) - 1);
  }
  consolidate(): number {
    throw new Error('not of this engine');
  }

  members(): null {
    return null;
  }

  venueParts(): { bids: []; asks: [] } {
    return { bids: [], asks: [] };
  }

  listing(_id: number): string {
    return '';
  }

  openOrders(_id: number): number {
    this.ordersReaders += 1;
    return STREAM.orders;
  }
  closeOrders(_id: number): void {
    this.ordersReaders -= 1;
  }
  place(id: number, stream: number): StreamPlace {
    const { epoch, seq } = this.places.get(`${id}/${stream}`) ?? this.book(id);
    return { epoch, seq };
  }
  bring(id: number, stream: number, epoch: bigint, seq: bigint, by: BringBy, out: Uint8Array): number {
    const place = this.place(id, stream);
    this.calls.push(`bring ${id}/${stream} from ${epoch}/${seq} by ${by}`);
    const kept = this.kept.get(`${id}/${stream}`);
    const isThere = place.epoch === epoch && place.seq === seq;
    this.#brought = isThere ? 'nothing' : kept === undefined || place.epoch !== epoch ? 'image' : by;
    if (isThere) return 0;
    if (this.#brought === 'image' || kept === undefined) return this.image(id, stream, out);
    if (kept.byteLength > out.byteLength) return -kept.byteLength;
    out.set(kept);
    return kept.byteLength;
  }
  brought(): Brought {
    return this.#brought;
  }
  book(id: number): BookInfo {
    return this.books.get(id) ?? SYNCED;
  }
  stats(): EngineStats {
    const books = { syncing: 0, synced: 0, stale: 0 };
    for (const { id } of this.catalogue) books[this.book(id).state as keyof typeof books] += 1;
    return { ...ZERO_STATS, books };
  }
  stageTimes(): StageTimes | null {
    return this.stages;
  }
  published(): void {
    this.calls.push('published');
  }
  lastError(): ErrorInfo | null {
    return this.fault;
  }
  digest(): string {
    return '';
  }
  nowNs(): bigint {
    return 1_732_262_400_000_000_000n;
  }
  close(): void {
    this.calls.push('close');
  }

  #flags(): number {
    let flags = this.fault === null ? 0 : ERROR;
    while (this.queue.length > 0 && this.#push()) flags |= OUTPUT;
    return this.queue.length > 0 ? flags | MORE : flags;
  }

  /** One record into the ring, if it fits. */
  #push(): boolean {
    const record = this.queue[0];
    if (record === undefined) return false;
    const words = this.#words;
    const size = RING.headerBytes + ((record.payload.byteLength + 7) & ~7);
    const write = words[RING.control.write] ?? 0;
    const free = this.#capacity - ((write - (words[RING.control.read] ?? 0)) >>> 0);
    const offset = write % this.#capacity;
    const pad = offset + size > this.#capacity ? this.#capacity - offset : 0;
    if (pad + size > free) return false;
    if (pad > 0) new Uint8Array(this.output, RING.controlBytes + offset, 8).fill(0);
    const at = RING.controlBytes + ((offset + pad) % this.#capacity);
    const view = new DataView(this.output);
    view.setUint32(at, record.payload.byteLength, true);
    view.setUint16(at + 4, record.type, true);
    view.setUint16(at + 6, record.stream, true);
    view.setUint32(at + 8, record.instrument, true);
    new Uint8Array(this.output, at + RING.headerBytes, record.payload.byteLength).set(record.payload);
    words[RING.control.write] = (write + pad + size) >>> 0;
    this.queue.shift();
    return true;
  }
}

/** The engine's wrapper over a fake. */
export function fakeEngine(listener: Partial<EngineListener>, native = new FakeNative()): Engine {
  return new Engine(native, native.output, {
    onFrame() {},
    onAsk() {},
    onSay() {},
    onFault() {},
    ...listener,
  });
}

const ZERO_STATS: EngineStats = {
  frames: 5,
  bookMessages: 0,
  applied: 0,
  levelChanges: 0,
  appliedLevelChanges: 0,
  snapshots: 0,
  snapshotsOld: 0,
  snapshotRequests: 0,
  trades: 0,
  gaps: 0,
  resyncs: 0,
  silences: 0,
  crossed: 0,
  decodeErrors: 0,
  ignored: 0,
  foreign: 0,
  unattributed: 0,
  contradictions: 0,
  backward: 0,
  recordingErrors: 0,
  tickers: 0,
  liquidations: 0,
  statuses: 0,
  pendingDropped: 0,
  bboChecked: 0,
  bboMatched: 0,
  checksumsChecked: 0,
  checksumsMatched: 0,
  orders: {
    adds: 0,
    reduces: 0,
    executes: 0,
    replaces: 0,
    modifies: 0,
    deletes: 0,
    clears: 0,
    untouching: 0,
    events: 0,
    passedOver: 0,
    crossed: 0,
    contradictions: 0,
    doubts: 0,
    restingMax: 0,
  },
  feedFrames: 0,
  feedBytes: 0,
  books: { syncing: 0, synced: 0, stale: 0 },
  latency: { boundsNs: [1000, 2000], counts: [2, 0, 1], sumNs: 4500 },
  history: { bytes: 0, bytesMax: 0, evictedBytes: 0 },
  brought: { nothing: 0, range: 0, net: 0, image: 0 },
  mending: { boundsMs: [50, 1000], counts: [3, 0, 1], sumMs: 2090 },
};
