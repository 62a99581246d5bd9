import type { Beat, VenueFacts } from '../../src/ingest/venues/facts.js';

/** Shorter windows would be as long as what two processes of one machine need for a message. */
const WINDOW_MS_MIN = 1000;

/** How facts are changed so that a test need not wait: what is not named stays. */
export interface Quick {
  /** Windows of limits, and bans, are so many times shorter, as long as they are longer than a second. */
  readonly limits?: number;
  readonly beat?: { readonly everyMs: number; readonly deadMs: number };
  readonly lifeMs?: number;
}

/** A venue's facts with shorter times. What is allowed in a window stays as it is. */
export function quickened(facts: VenueFacts, { limits = 1, beat, lifeMs }: Quick): VenueFacts {
  const shorter = (ms: number): number => Math.min(ms, Math.max(WINDOW_MS_MIN, ms / limits));
  const windowed = <T extends { readonly windowMs: number }>(rate: T): T => ({
    ...rate,
    windowMs: shorter(rate.windowMs),
  });
  return {
    ...facts,
    products: facts.products.map((product) => ({
      ...product,
      sockets: product.sockets.map((socket) => ({
        ...socket,
        beat: { ...socket.beat, ...beat } as Beat,
        limits: {
          ...socket.limits,
          rates: socket.limits.rates.map(windowed),
          connects: socket.limits.connects === null ? null : windowed(socket.limits.connects),
          lifeMs: socket.limits.lifeMs === null ? null : (lifeMs ?? socket.limits.lifeMs),
        },
      })),
    })),
    budgets: Object.fromEntries(
      Object.entries(facts.budgets).map(([name, budget]) => [
        name,
        { ...windowed(budget), ban: { ...budget.ban, pauseMs: shorter(budget.ban.pauseMs) } },
      ]),
    ),
  };
}
