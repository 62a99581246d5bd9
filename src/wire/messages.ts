import type { By, Topic } from './control.js';
import type { Place } from './local-stream.js';

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
  ask: Omit<Topic, 'instrument'>,
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

/** 64-bit numbers are texts in control messages. */
function placeJson({ resume }: Entry): object | undefined {
  return resume && { epoch: String(resume.epoch), seq: String(resume.seq), by: resume.by };
}

function bytesOf(value: unknown): number {
  return UTF8.encode(JSON.stringify(value)).length;
}
