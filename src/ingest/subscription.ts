import { instrumentParts, messageOf } from './template.js';
import type { StreamFacts } from './venues/facts.js';

/** One argument of one stream, subscribed once on a connection. */
export interface Subscription {
  /** The same for the same. */
  readonly key: string;
  readonly stream: StreamFacts;
  readonly arg: string;
  readonly depth: number;
  /** What it costs of a rate of subscriptions. */
  readonly cost: number;
}

/** One message's worth of subscriptions, of streams that are subscribed alike. */
export interface Batch {
  readonly stream: StreamFacts;
  readonly depth: number;
  readonly subscriptions: readonly Subscription[];
  readonly cost: number;
}

/** Room that a message's own parts (a number, a time, a token) may take beside its arguments. */
const PARTS_BYTES = 200;

/** What one instrument takes of a stream; of a stream that is one for all instruments, any gives the same. */
export function subscriptionsOf(
  stream: StreamFacts,
  depth: number,
  { symbol, code }: { readonly symbol: string; readonly code: string },
): readonly Subscription[] {
  const parts = { ...instrumentParts(symbol, code), depth: String(depth) };
  const cost = stream.depths.find(({ levels }) => levels === depth)?.cost ?? 1;
  return stream.args.map((text) => {
    const arg = messageOf(text, parts);
    return { key: `${stream.name}\n${arg}`, stream, arg, depth, cost };
  });
}

/**
 * Subscriptions as messages, in their order. One message is of streams that are subscribed alike, and of one depth where it
 * names it; it keeps to its most arguments and bytes. `costMax` is the most that may be subscribed at once.
 */
export function batchesOf(subscriptions: readonly Subscription[], costMax: number): readonly Batch[] {
  const batches: { stream: StreamFacts; depth: number; subscriptions: Subscription[]; cost: number }[] = [];
  const bytes = new Map<object, number>();
  for (const subscription of subscriptions) {
    const { stream, depth, arg, cost } = subscription;
    const size = Buffer.byteLength(arg) + 1;
    const own = Buffer.byteLength(stream.subscribe) + PARTS_BYTES;
    let last = batches.findLast((batch) => isAlike(batch, subscription));
    const used = last === undefined ? own : (bytes.get(last) ?? own);
    const isFull =
      last === undefined ||
      last.subscriptions.length >= stream.argsMax ||
      last.cost + cost > costMax ||
      (stream.bytesMax !== null && used + size > stream.bytesMax);
    if (isFull || last === undefined) {
      last = { stream, depth, subscriptions: [], cost: 0 };
      batches.push(last);
      bytes.set(last, own);
    }
    last.subscriptions.push(subscription);
    last.cost += cost;
    bytes.set(last, (bytes.get(last) ?? own) + size);
  }
  return batches;
}

/** Whether one message can subscribe both. */
function isAlike(batch: Batch, { stream, depth }: Subscription): boolean {
  const { subscribe, unsubscribe, needsKey } = batch.stream;
  const isOneText = subscribe === stream.subscribe && unsubscribe === stream.unsubscribe;
  const namesDepth = subscribe.includes('{depth}');
  return isOneText && needsKey === stream.needsKey && (!namesDepth || batch.depth === depth);
}
