import type { By, Topic } from './control.js';
import type { Place } from './local-stream.js';

/** What is asked of an instrument, whichever it is. */
export type Ask = Omit<Topic, 'instrument'>;

/** One instrument of a message, and where its reader stands. */
export interface Entry {
  readonly instrument: string;
  readonly resume?: ({ readonly by: By } & Place) | undefined;
}

/** A control message with the instruments that it names. */
export interface Message {
  readonly text: string;
  readonly id: number;
  readonly instruments: readonly string[];
}

const UTF8 = new TextEncoder();

/**
 * The messages that ask the same of several instruments: as few as fit in `bytesMax`, or one each where the server takes
 * no lists (`bytesMax` 0).
 */
export function messagesOf(
  op: 'subscribe' | 'unsubscribe' | 'resync',
  ask: Ask,
  entries: readonly Entry[],
  bytesMax: number,
  nextId: () => number,
): Message[] {
  const messages: Message[] = [];
  const flush = (group: readonly Entry[]): void => {
    const id = nextId();
    const [first] = group;
    if (first === undefined) return;
    const instruments = group.map(({ instrument }) => instrument);
    const places = group.filter(({ resume }) => resume !== undefined);
    const resume =
      group.length === 1
        ? placeJson(first)
        : places.map((entry) => ({ instrument: entry.instrument, ...placeJson(entry) }));
    const named = group.length === 1 ? { instrument: first.instrument } : { instruments };
    const message = { op, id, ...ask, ...named, ...(places.length > 0 ? { resume } : {}) };
    messages.push({ text: JSON.stringify(message), id, instruments });
  };
  // The greatest id, and the brackets of both lists.
  const frameBytes = bytesOf({ op, id: Number.MAX_SAFE_INTEGER, ...ask, instruments: [], resume: [] });
  let group: Entry[] = [];
  let bytes = frameBytes;
  for (const entry of entries) {
    const { instrument, resume } = entry;
    const more =
      bytesOf(instrument) + 1 + (resume === undefined ? 0 : bytesOf({ instrument, ...placeJson(entry) }) + 1);
    if (group.length > 0 && bytes + more > bytesMax) {
      flush(group);
      group = [];
      bytes = frameBytes;
    }
    group.push(entry);
    bytes += more;
  }
  if (group.length > 0) flush(group);
  return messages;
}

/** Lists of what asks for the same, in the order in which each was first asked for. */
export function byAsk<Asking extends { readonly topic: Topic }>(
  all: Iterable<Asking>,
): (readonly Asking[])[] {
  const lists = new Map<string, Asking[]>();
  for (const one of all) {
    const key = JSON.stringify(askOfAll([one]));
    const list = lists.get(key);
    if (list) list.push(one);
    else lists.set(key, [one]);
  }
  return [...lists.values()];
}

/** What all of a list ask for; the list has at least one. */
export function askOfAll([first]: readonly { readonly topic: Topic }[]): Ask {
  const { instrument: _, ...ask } = (first as { readonly topic: Topic }).topic;
  return ask;
}

/** 64-bit numbers are texts in control messages. */
function placeJson({ resume }: Entry): object | undefined {
  return resume && { epoch: String(resume.epoch), seq: String(resume.seq), by: resume.by };
}

function bytesOf(value: unknown): number {
  return UTF8.encode(JSON.stringify(value)).length;
}
