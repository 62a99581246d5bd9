import type { InstrumentInfo } from '../engine.js';
import type { DepthwireError } from '../errors.js';
import { isPattern, NamePattern } from '../name-pattern.js';
import type { Grant } from './auth/grant.js';
import { notEntitled } from './auth/not-entitled.js';
import { type Channel, channelKey } from './channels.js';
import type { Wish } from './client-streams.js';
import type { Subscribe } from './control.js';
import { seenBy, unknownInstrument } from './served-instrument.js';
import { offeredView } from './views.js';

/** Patterns that stand for instruments to come, of one client. */
const STANDING_MAX = 64;

/** A pattern that a client has subscribed to. */
interface Standing {
  readonly text: string;
  readonly pattern: NamePattern;
  readonly control: Subscribe;
}

/** What the names and patterns of a message come to: wishes, and errors for names that come to nothing. */
export interface Found {
  readonly wishes: readonly Wish[];
  readonly errors: readonly { readonly instrument: string; readonly error: DepthwireError }[];
}

/** Whether a grant holds a channel of an instrument as it would be sent. */
function isAllowed(grant: Grant, channel: Channel, instrument: string): boolean {
  const view = channel.channel === 'depth' ? offeredView(channel) : undefined;
  return grant.allows(channel.channel, instrument, view);
}

/**
 * What one client wants and does not have yet: wishes that wait for their turn, in the order in which they came, and patterns
 * that wait for instruments to come. Cost of a pattern: one comparison of texts for each instrument that is served.
 */
export class Wishes {
  readonly #grant: Grant;
  readonly #standing: Standing[] = [];
  #waiting: Wish[] = [];
  #next = 0;

  constructor(grant: Grant) {
    this.#grant = grant;
  }

  /** Wishes that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length - this.#next;
  }

  /** Whether the patterns of a message would be more than may stand. */
  isFull({ instruments }: Subscribe): boolean {
    return this.#standing.length + instruments.filter(isPattern).length > STANDING_MAX;
  }

  /** What a message asks for of what is served. */
  find(control: Subscribe, served: ReadonlyMap<string, InstrumentInfo>): Found {
    const { channel, instruments, op } = control;
    const wishes = new Map<number, Wish>();
    const errors: { instrument: string; error: DepthwireError }[] = [];
    for (const text of instruments) {
      if (isPattern(text)) {
        const pattern = new NamePattern(text);
        for (const instrument of served.values())
          if (pattern.fits(instrument.name) && isAllowed(this.#grant, channel, instrument.name))
            wishes.set(instrument.id, wishOf(control, instrument, true, false));
        continue;
      }
      const where = `${op}.${control.isSingle ? 'instrument' : 'instruments'}`;
      const view = channel.channel === 'depth' ? offeredView(channel) : undefined;
      const instrument = served.get(text);
      if (!this.#grant.allows(channel.channel, text, view))
        errors.push({
          instrument: text,
          error: notEntitled(this.#grant, where, channel.channel, text, view),
        });
      else if (instrument === undefined)
        errors.push({
          instrument: text,
          error: unknownInstrument(text, seenBy(this.#grant, served), where),
        });
      else wishes.set(instrument.id, wishOf(control, instrument, false, false));
    }
    return { wishes: [...wishes.values()], errors };
  }

  /** Lets wishes wait for their turn, and patterns for instruments to come. */
  add(control: Subscribe, wishes: readonly Wish[]): void {
    this.#queue(wishes);
    for (const text of control.instruments.filter(isPattern)) {
      this.forget(text, control.channel);
      this.#standing.push({ text, pattern: new NamePattern(text), control });
    }
  }

  /** The next wish in turn. */
  take(): Wish | undefined {
    const wish = this.#waiting[this.#next];
    if (wish === undefined) return undefined;
    this.#next += 1;
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
    return wish;
  }

  /** Forgets a pattern; false where it does not stand. */
  forget(text: string, channel: Channel): boolean {
    const key = channelKey(channel);
    const at = this.#standing.findIndex(
      (standing) => standing.text === text && channelKey(standing.control.channel) === key,
    );
    if (at === -1) return false;
    this.#standing.splice(at, 1);
    return true;
  }

  /** Forgets wishes that wait; returns how many those were. */
  drop(isMeant: (wish: Wish) => boolean): number {
    const before = this.waiting;
    this.#waiting = this.#waiting.slice(this.#next).filter((wish) => !isMeant(wish));
    this.#next = 0;
    return before - this.waiting;
  }

  clear(): void {
    this.#standing.length = 0;
    this.#waiting = [];
    this.#next = 0;
  }

  /** Instruments have come: those that a standing pattern fits are wished for. `isHeld` says which the client has already. */
  appeared(
    instruments: readonly InstrumentInfo[],
    isHeld: (instrument: string, channel: Channel) => boolean,
  ): void {
    for (const { pattern, control } of this.#standing) {
      const { channel } = control;
      const wishes = instruments
        .filter(({ name }) => pattern.fits(name) && !isHeld(name, channel))
        .filter(({ name }) => isAllowed(this.#grant, channel, name));
      this.#queue(wishes.map((instrument) => wishOf(control, instrument, true, true)));
    }
  }

  #queue(wishes: readonly Wish[]): void {
    for (const wish of wishes) this.#waiting.push(wish);
  }
}

function wishOf(
  { id, channel, mode, resume }: Subscribe,
  instrument: InstrumentInfo,
  isByPattern: boolean,
  isAdded: boolean,
): Wish {
  const place = isAdded ? undefined : resume.get(instrument.name);
  return { id, channel, instrument, mode, resume: place, isByPattern, isAdded };
}
