/** Checksums of a book, and its counts of levels or orders. */
export interface BookCheck {
  readonly topCrc: number;
  readonly allCrc: number;
  readonly bidCount: number;
  readonly askCount: number;
}

/**
 * What a frame did. `image`: the book is replaced (verified). `applied`: changed levels are in. `checked`: the
 * checksums agree. `status`: the server's word on the instrument was taken. `old`: already contained. `gap`: frames are
 * missing after `expected`; the book is stale. `check_failed`: the book is wrong and stale. `contradiction`: a change does
 * not fit the orders that are kept; they are wrong and stale. `ignored`: nothing changed.
 */
export type ApplyOutcome =
  | { readonly tag: 'image' | 'applied' | 'checked' | 'status' | 'old' }
  | { readonly tag: 'gap'; readonly expected: number; readonly received: number }
  | { readonly tag: 'check_failed'; readonly expected: BookCheck; readonly got: BookCheck }
  | { readonly tag: 'contradiction'; readonly what: string }
  | { readonly tag: 'ignored'; readonly why: IgnoredWhy };

/**
 * `chunk`: part of an image that is not whole yet. `chunk_discarded`: a chunk out of turn, the collected ones are
 * dropped. `other_epoch` (or another stream), `awaiting_image`: only an image helps. `other_seq`: a check of an earlier sequence. `old_epoch`:
 * a status of an epoch that is over. `other_book`: a status, which is of the engine's book, while this is the venue's own
 * top. `kind`: not a frame of a book.
 */
export type IgnoredWhy =
  | 'chunk'
  | 'chunk_discarded'
  | 'other_epoch'
  | 'awaiting_image'
  | 'other_seq'
  | 'old_epoch'
  | 'other_book'
  | 'kind';

/** The outcomes that say no more than their kind, made once. */
export const IMAGE: ApplyOutcome = { tag: 'image' };
export const APPLIED: ApplyOutcome = { tag: 'applied' };
export const CHECKED: ApplyOutcome = { tag: 'checked' };
export const STATUS: ApplyOutcome = { tag: 'status' };
export const OLD: ApplyOutcome = { tag: 'old' };
export const CHUNK: ApplyOutcome = { tag: 'ignored', why: 'chunk' };
export const CHUNK_DISCARDED: ApplyOutcome = { tag: 'ignored', why: 'chunk_discarded' };
export const OTHER_EPOCH: ApplyOutcome = { tag: 'ignored', why: 'other_epoch' };
export const AWAITING_IMAGE: ApplyOutcome = { tag: 'ignored', why: 'awaiting_image' };
export const OTHER_SEQ: ApplyOutcome = { tag: 'ignored', why: 'other_seq' };
export const OLD_EPOCH: ApplyOutcome = { tag: 'ignored', why: 'old_epoch' };
export const OTHER_BOOK: ApplyOutcome = { tag: 'ignored', why: 'other_book' };
export const OTHER_KIND: ApplyOutcome = { tag: 'ignored', why: 'kind' };
