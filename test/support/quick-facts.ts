import type { Beat, VenueFacts } from '../../src/ingest/venues/facts.js';

/** How facts are changed so that a test need not wait: what is not named stays. */
export interface Quick {
  readonly beat?: { readonly everyMs: number; readonly deadMs: number };
  readonly lifeMs?: number;
}

/** A venue's facts with shorter times. What is allowed in a window stays as it is. */
export function quickened(facts: VenueFacts, { beat, lifeMs }: Quick): VenueFacts {
  return {
    ...facts,
    products: facts.products.map((product) => ({
      ...product,
      sockets: product.sockets.map((socket) => ({
        ...socket,
        beat: { ...socket.beat, ...beat } as Beat,
        limits: {
          ...socket.limits,
          lifeMs: socket.limits.lifeMs === null ? null : (lifeMs ?? socket.limits.lifeMs),
        },
      })),
    })),
  };
}
