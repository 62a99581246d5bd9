import type { OrderId } from './order-queue.js';

/**
 * Whose an order of a consolidated book is, which is the part that a member of it has at a price; undefined for any other order.
 * `members`: their names in the order of `/v1/instruments`; none of an instrument of one venue.
 */
export function memberOf(id: OrderId | undefined, members: readonly string[]): string | undefined {
  if (members.length === 0 || id === undefined || typeof id === 'string') return undefined;
  return members[Number(BigInt(id) % BigInt(members.length))];
}
