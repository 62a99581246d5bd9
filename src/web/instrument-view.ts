import type { LocalBook } from '../wire/index.js';
import { LadderPosition } from './ladder-position.js';

/** An instrument as the catalogue describes it; exponents are powers of ten. */
export interface InstrumentFacts {
  readonly name: string;
  readonly venue: string;
  readonly symbol: string;
  readonly priceExponent: number;
  readonly qtyExponent: number;
  /** Price mantissa; 0 = unknown. */
  readonly tickSize: number;
  /** Value of one contract; 1 where the quantity is not in contracts. */
  readonly contractSize: number;
  /** Whether a contract is worth its size in the quote currency, and so size ÷ price in base. */
  readonly inverse: boolean;
  /** What is traded, as the venue writes it; empty where it does not say. */
  readonly base?: string;
  /** Of an option whose terms are known. */
  readonly option?: OptionFacts;
  /** Names of what a consolidated book is made of. */
  readonly members?: readonly string[];
}

/** What an option is an option of. */
export interface OptionFacts {
  readonly expiryMs: number;
  readonly strike: string;
  readonly isCall: boolean;
}

/** One instrument of the list, and where its reader is in its ladder. The session writes it, painters read it. */
export class InstrumentView {
  readonly facts: InstrumentFacts;
  readonly position: LadderPosition;
  /** Its top of book, when it is followed. */
  best: LocalBook | null = null;
  /** `performance.now` of the last input of the venue for this instrument; NaN = none yet. */
  inputMs = Number.NaN;

  constructor(facts: InstrumentFacts) {
    this.facts = facts;
    this.position = new LadderPosition(facts.tickSize, facts.priceExponent);
  }
}
