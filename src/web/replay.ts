/** What a replay does. `seeking`: it runs to another time, and every book waits for it; `ended`: the last books stay. */
export type ReplayState = 'starting' | 'running' | 'paused' | 'seeking' | 'ended' | 'failed';

/** Where a replay stands, as GET /v1/replay tells. Times are of the recording, ms since the epoch; NaN = not known. */
export interface ReplayStanding {
  readonly state: ReplayState;
  readonly clockMs: number;
  readonly beginMs: number;
  readonly endMs: number;
  readonly seekMs: number;
  /** Recorded seconds that pass in one; infinite = as fast as can be. */
  readonly speed: number;
  readonly paused: boolean;
  readonly skipIdle: boolean;
}

/** What the page asks of a replay. */
export interface ReplayWish {
  readonly paused?: boolean;
  readonly speed?: number | 'max';
  readonly skipIdle?: boolean;
  /** ms since the epoch. */
  readonly seekMs?: number;
}

/** A request beside the page; undefined where a token is wanted first. */
export type Ask = (url: URL, body?: string) => Promise<Response | undefined>;

const STATES: readonly string[] = ['starting', 'running', 'paused', 'seeking', 'ended', 'failed'];
/** How often it is asked for; between two answers the clock runs on by its speed. */
const EVERY_MS = 500;

/** The replay that this page shows, if the server replays: asked for while there is one. */
export class Replay {
  /** Null where nothing is replayed, or nobody has told yet. */
  standing: ReplayStanding | null = null;
  /** Why the last wish was not granted, in words; empty = it was. */
  refusal = '';
  readonly #url: URL;
  readonly #ask: Ask;
  readonly #onChange: () => void;
  #askedMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOn = false;
  /** What was asked before the last one says nothing of it. */
  #wishes = 0;

  constructor(url: URL, ask: Ask, onChange: () => void) {
    this.#url = url;
    this.#ask = ask;
    this.#onChange = onChange;
  }

  /** Whether the books are of a recording, as the server says with its list of instruments. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** The server says that it replays, or that it does not. */
  tell(isReplay: boolean): void {
    if (isReplay === this.#isOn) return;
    this.#isOn = isReplay;
    this.standing = null;
    clearTimeout(this.#timer);
    if (isReplay) void this.#load();
    this.#onChange();
  }

  /** The recording's time now, ms since the epoch; NaN = not known. */
  clockMs(nowMs: number): number {
    const { standing } = this;
    if (standing === null) return Number.NaN;
    const { state, clockMs, endMs, speed } = standing;
    if (state !== 'running' || !Number.isFinite(speed)) return clockMs;
    // Nobody has heard of it for longer: it may have been paused by another reader.
    const passedMs = Math.min(nowMs - this.#askedMs, 4 * EVERY_MS);
    const clock = clockMs + Math.max(0, passedMs) * speed;
    return Number.isNaN(endMs) ? clock : Math.min(clock, endMs);
  }

  /** Asks the server for a change; what it then says is shown. */
  async wish({ paused, speed, skipIdle, seekMs }: ReplayWish): Promise<void> {
    this.#wishes += 1;
    const { standing } = this;
    // Shown at once, so that the next press of a key goes on from there.
    if (seekMs !== undefined && standing !== null) this.standing = { ...standing, seekMs, state: 'seeking' };
    const seek = seekMs === undefined ? undefined : String(BigInt(Math.round(seekMs)) * 1_000_000n);
    await this.#take(this.#ask(this.#url, JSON.stringify({ paused, speed, skipIdle, seek })), true);
  }

  async #load(): Promise<void> {
    await this.#take(this.#ask(this.#url), false);
    if (this.#isOn) this.#timer = setTimeout(() => void this.#load(), EVERY_MS);
  }

  async #take(asked: Promise<Response | undefined>, isWish: boolean): Promise<void> {
    const wishes = this.#wishes;
    try {
      const answer = await asked;
      if (answer === undefined || !this.#isOn) return;
      const value: unknown = await answer.json();
      if (wishes !== this.#wishes) return;
      if (isWish) this.#setRefusal(answer.ok ? '' : refusalOf(value));
      const standing = answer.ok ? parseReplay(value) : null;
      if (standing === null) return;
      this.#askedMs = performance.now();
      const isSame = this.standing !== null && butForTheClock(standing) === butForTheClock(this.standing);
      this.standing = standing;
      if (!isSame) this.#onChange();
    } catch {
      if (isWish) this.#setRefusal('The server does not answer.');
    }
  }

  #setRefusal(refusal: string): void {
    if (refusal === this.refusal) return;
    this.refusal = refusal;
    this.#onChange();
  }
}

/** The clock runs by itself, and is read where it is drawn. */
function butForTheClock(standing: ReplayStanding): string {
  return JSON.stringify({ ...standing, clockMs: 0 });
}

/** Reads an answer of GET or POST /v1/replay; null for anything else. */
export function parseReplay(value: unknown): ReplayStanding | null {
  if (typeof value !== 'object' || value === null) return null;
  const { state, clockNs, beginNs, endNs, seekNs, speed, paused, skipIdle } = value as Record<
    string,
    unknown
  >;
  if (typeof state !== 'string' || !STATES.includes(state)) return null;
  return {
    state: state as ReplayState,
    clockMs: msOf(clockNs),
    beginMs: msOf(beginNs),
    endMs: msOf(endNs),
    seekMs: msOf(seekNs),
    speed: typeof speed === 'number' ? speed : Number.POSITIVE_INFINITY,
    paused: paused === true,
    skipIdle: skipIdle === true,
  };
}

function msOf(ns: unknown): number {
  return typeof ns === 'string' && /^\d{1,19}$/.test(ns) ? Number(BigInt(ns) / 1_000_000n) : Number.NaN;
}

function refusalOf(value: unknown): string {
  const error = (value as { readonly error?: { readonly what?: unknown } } | null)?.error;
  return `Refused: ${typeof error?.what === 'string' ? error.what : 'the server gave no reason'}.`;
}

const SPEEDS: readonly number[] = [0.1, 0.5, 1, 2, 5, 10, 60, 600, Number.POSITIVE_INFINITY];

/** The speeds to choose from, the present one among them, slowest first. */
export function speedsWith(present: number): readonly number[] {
  return SPEEDS.includes(present) ? SPEEDS : [...SPEEDS, present].sort((a, b) => a - b);
}

export function speedWords(speed: number): string {
  return Number.isFinite(speed) ? `${speed}×` : 'max';
}

/** A time of a recording, to the second, as this browser's clock would have shown it: `2024-08-08 14:05:09`. */
export function recordedWords(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  const time = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}
