import { afterEach, describe, expect, it, vi } from 'vitest';
import { InstrumentView } from '../src/web/instrument-view.js';
import { ProfilePainter, tradedDoubt } from '../src/web/profile-painter.js';
import { TextCell } from '../src/web/text-cell.js';
import { WatchedMarket } from '../src/web/watched-market.js';
import { Flag, Kind } from '../src/wire/index.js';
import { type Control, type Peer, withFeed } from './support/feed-server.js';
import { type FrameSpec, frame, message } from './support/frames.js';

const FACTS = {
  name: 'sim:BTCUSDT',
  venue: 'sim',
  symbol: 'BTCUSDT',
  priceExponent: -2,
  qtyExponent: -5,
  tickSize: 1,
  contractSize: 1,
  inverse: false,
};
const SECOND = 1_000_000_000n;
const VIEW = { grouping: 5n, intervalNs: 250_000_000n, depth: 0 };

/** A frame of volumes, in buckets of 0.05. */
function volumes(spec: Omit<FrameSpec, 'epoch' | 'instrument'>): Uint8Array {
  const session = { since: 1_700_000_000n * SECOND };
  return message(frame({ stream: 48, epoch: 1n, instrument: 7, session, ...spec }));
}

/** The next subscribe to a channel. */
async function asked(peer: Peer, wanted: string): Promise<Control> {
  for (;;) {
    const subscribe = await peer.next('subscribe');
    if (subscribe.channel === wanted) return subscribe;
  }
}

describe('the volumes of a ladder', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('are said to be stale where the server or the connection says so, and are gone where they are refused', () =>
    withFeed(async ({ feed, peer }) => {
      const node = { nodeValue: '' };
      vi.stubGlobal('document', { createTextNode: () => node });
      const painter = new ProfilePainter(
        new TextCell({ replaceChildren: () => {} } as unknown as HTMLElement),
      );
      const instrument = new InstrumentView(FACTS);
      instrument.position.choose('0.05');
      const market = new WatchedMarket(feed, instrument);
      const words = (): string => {
        const { bids, asks } = market.book;
        instrument.position.chooseStep(bids, asks, 20);
        market.settleProfile();
        painter.paint(market);
        return `${node.nodeValue} | ${tradedDoubt(market)}`.replace(/\d\d:\d\d:\d\d/g, 'TIME');
      };
      const qtyAt = (): number => market.profile.at(1_200_000);

      peer.grant(await asked(peer, 'book'));
      const image = { kind: Kind.image, epoch: 1n, seq: 1, instrument: 7, stream: 1 };
      const info = { priceExponent: -2, qtyExponent: -5, state: 2 };
      const levels = { bids: [[6_000_000n, 1n]], asks: [[6_000_010n, 1n]] } as const;
      peer.bytes(message(frame({ ...image, info, ...levels })));
      await vi.waitFor(() => expect(words()).toBe('Traded: syncing | syncing'));
      peer.grant(await asked(peer, 'volumes'), { stream: 48 });
      const rows = [[6_000_000n, 3n, 0n, 0n, 1]] as const;
      peer.bytes(volumes({ kind: Kind.image, seq: 1, info, view: VIEW, volumes: rows }));
      const present = 'Traded since TIME · POC 60,000.00 · VA 60,000.00–60,000.00 | ';
      await vi.waitFor(() => expect(words()).toBe(present));
      expect(qtyAt()).toBe(3);

      // The venue's trades are not told: nothing is known to be missing yet.
      const change = (seq: number, flags: number): void =>
        peer.bytes(volumes({ kind: Kind.volumes, prevSeq: seq - 1, seq, flags, volumes: [] }));
      change(2, Flag.stale);
      const stale = /^Traded, stale: the connection that tells trades is lost, since TIME · POC .* \| stale$/;
      await vi.waitFor(() => expect(words()).toMatch(stale));
      change(3, 0);
      await vi.waitFor(() => expect(words()).toBe(present));

      // A frame is missing: neither sequence nor rows have changed.
      change(9, 0);
      await vi.waitFor(() => expect(words()).toMatch(/^Traded, stale: a message .* is missing, since TIME/));

      instrument.position.regroup(1, 20);
      expect(words()).toBe('Traded: syncing | syncing');
      const { id } = await asked(peer, 'volumes');
      const refusal = {
        code: 'feed.views_limit',
        what: 'no room',
        where: '',
        expected: '',
        got: '',
        fix: 'wait',
      };
      peer.control({ op: 'error', id, ...refusal });
      await vi.waitFor(() => expect(words()).toBe('Traded: No room. Wait. | refused'));
      expect([qtyAt(), market.profile.at(600_000), market.profile.qtyMax]).toEqual([0, 0, 0]);
      expect(market.profile.exactAt(600_000)).toBe(0n);
      market.close();
    }));
});
