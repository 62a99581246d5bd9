import type { DamageKind, RecordingDamage } from './damage.js';
import type { StoredFile } from './stored-file.js';

/** What can be wrong with a member. */
export type MemberDamage = Exclude<DamageKind, 'deleted'>;

/** How a run of packed members ended. */
export interface MembersEnd {
  /** What is wrong with the last one, if anything. */
  readonly damage: RecordingDamage | undefined;
  /** Where in the file the member begins that is wrong. */
  readonly memberAt: number;
}

/** A packing whose files are members, one behind the other, as `cat` makes them of several files. */
export interface MemberFormat {
  /** The unpacked bytes of the members from `from` on, of which nothing behind `to` is read. A chunk is valid until the next. */
  unpack(file: StoredFile, from: number, to: number): AsyncGenerator<Uint8Array, MembersEnd, undefined>;
  /** Where the next member begins at or behind `from`; undefined when there is none. */
  find(file: StoredFile, from: number): Promise<number | undefined>;
}

/** A part of a packed file that is unpacked in one run, and what is wrong with its end. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly damage: RecordingDamage | undefined;
}

/** Damaged members of one file that are stepped over; what follows is given up. */
const DAMAGED_MAX = 1000;

/**
 * Unpacks a whole file and keeps nothing of it: the parts that can be read, and what is wrong between them. A member that
 * was cut off before another one is told from one that is damaged: by itself, without what follows, it has no error.
 */
export async function survey(format: MemberFormat, file: StoredFile): Promise<readonly Span[]> {
  const spans: Span[] = [];
  let from = 0;
  for (;;) {
    const end = await endOf(format.unpack(file, from, Number.POSITIVE_INFINITY));
    const next = await nextMember(format, file, end, spans.length);
    if (end.damage === undefined || next === undefined) {
      spans.push({ from, to: Number.POSITIVE_INFINITY, damage: end.damage });
      return spans;
    }
    const alone = await endOf(format.unpack(file, end.memberAt, next));
    spans.push({ from, to: next, damage: alone.damage ?? end.damage });
    from = next;
  }
}

/**
 * The unpacked bytes of a file, with what is wrong in its place between them. Of a file that was surveyed a cut member
 * ends where it was cut; of another one, bytes of the next member may have been taken for its own before that was seen.
 */
export async function* unpacked(
  format: MemberFormat,
  file: StoredFile,
  surveyed: readonly Span[] | undefined,
): AsyncGenerator<Uint8Array | RecordingDamage, void, undefined> {
  if (surveyed !== undefined) {
    for (const { from, to, damage } of surveyed) {
      const end = yield* format.unpack(file, from, to);
      const found = damage ?? end.damage;
      if (found !== undefined) yield found;
    }
    return;
  }
  let from: number | undefined = 0;
  for (let damaged = 0; from !== undefined; damaged += 1) {
    const end: MembersEnd = yield* format.unpack(file, from, Number.POSITIVE_INFINITY);
    if (end.damage !== undefined) yield end.damage;
    from = await nextMember(format, file, end, damaged);
  }
}

/** What a cut member seemed to hold at its end may have been the beginning of the next one, so all of it is searched. */
async function nextMember(
  format: MemberFormat,
  file: StoredFile,
  end: MembersEnd,
  damaged: number,
): Promise<number | undefined> {
  return end.damage === undefined || damaged >= DAMAGED_MAX ? undefined : format.find(file, end.memberAt + 1);
}

async function endOf(members: AsyncGenerator<Uint8Array, MembersEnd, undefined>): Promise<MembersEnd> {
  for (;;) {
    const step = await members.next();
    if (step.done === true) return step.value;
  }
}
