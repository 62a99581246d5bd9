import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { recordedOffers } from '../src/cli/fake-recordings.js';
import { later } from '../src/fake-venue/later.js';
import { capture } from './support/capture.js';
import { until } from './support/fake-venue.js';
import { LiveRig } from './support/live-rig.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-looped-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a recording that is told again and again', () => {
  it.concurrent.each([
    ['kucoin', ['BTC-USDT', 'ETH-USDT']],
    ['kucoin-futures', ['XBTUSDTM', 'ETHUSDTM']],
    ['bitstamp', ['btcusd', 'ethusd']],
    ['bitstamp-orders', ['btcusd', 'ethusd']],
    ['gateio', ['BTC_USDT', 'ETH_USDT']],
    ['gateio-futures', ['BTC_USDT', 'ETH_USDT']],
    ['gateio-delivery', ['BTC_USDT_20261225', 'ETH_USDT_20261225']],
    ['lighter', ['1', '0']],
    ['hyperliquid', ['BTC', 'ETH']],
  ] as const)('of %s brings every book back', { timeout: 60_000 }, async (product, codes) => {
    const path = join(folder, product);
    const isByOrder = product === 'bitstamp-orders';
    writeFileSync(path, capture({ product, codes, durationMs: 4000, isByOrder }));
    const [offered] = await recordedOffers([{ product, path }], { speed: 1, lastsMs: 0, loop: true });
    if (offered?.playback === undefined) throw new Error('nothing is offered');
    expect(offered.codes).toEqual(codes);
    const rig = await LiveRig.start(product, codes, {
      playback: offered.playback,
      channels: [isByOrder ? 'orders' : 'book', 'trades'],
    });
    try {
      const passes = (): number =>
        rig.connector.status().reduce((sum, { reconnects }) => sum + reconnects, 0);
      const losses = (): number => codes.reduce((sum, code) => sum + rig.engine.book(rig.id(code)).losses, 0);
      for (let pass = 0; pass < 3; pass++) {
        await until(() => passes() >= pass, 20_000);
        const { trades } = rig.engine.stats();
        await rig.synced();
        // Trades are new ones, and not told again.
        await until(() => rig.engine.stats().trades > trades);
      }
      expect(rig.engine.stats()).toMatchObject({ crossed: 0, contradictions: 0, decodeErrors: 0 });
      // Each end of a connection costs a book its truth once, and nothing else does.
      expect(losses()).toBeLessThanOrEqual(codes.length * (passes() + 1));
      expect(rig.venue.breaches()).toEqual([]);
    } finally {
      await rig.stop();
    }
  });
});

it.each([
  ['binance', '{"E":1700000000123,"U":5,"u":7}', '{"E":1700000120123,"U":1000000005,"u":1000000007}'],
  ['binance', '{"u":5,"b":"1.5","a":"2.5","l":7}', '{"u":1000000005,"b":"1.5","a":"2.5","l":1000000007}'],
  [
    'bitstamp',
    '{"timestamp": "1700000000", "microtimestamp": "1700000000123456", "bids": [["1", "2"]]}',
    '{"timestamp": "1700000120", "microtimestamp": "1700000120123456", "bids": [["1", "2"]]}',
  ],
  [
    'bitstamp-orders',
    '{"datetime":"1787620345","event_id":"000659d4-cba2-b200-0000-000101000020"}',
    '{"datetime":"1787620465","event_id":"000659d4-d2c9-c000-0000-000101000020"}',
  ],
  [
    'kucoin',
    '{"data":{"changes":{"asks":[["1.5","0","9"]],"bids":[]},"sequenceEnd":9,"sequenceStart":9,"time":1700000000000000001}}',
    '{"data":{"changes":{"asks":[["1.5","0","1000000009"]],"bids":[]},"sequenceEnd":1000000009,"sequenceStart":1000000009,"time":1700000120000000001}}',
  ],
  ['gateio-delivery', '{"id":9,"current":1623898993.123}', '{"id":1000000009,"current":1623899113.123}'],
  [
    'lighter',
    '{"nonce":10382292136,"timestamp":1700000000001}',
    '{"nonce":11382292136,"timestamp":1700000120001}',
  ],
  ['hyperliquid', '{"coin":"BTC","time":1700000000001}', '{"coin":"BTC","time":1700000120001}'],
  ['kraken', '{"time":1700000000001}', '{"time":1700000000001}'],
])('what %s says goes on in the next telling', (product, said, next) => {
  const told = (passes: number): string =>
    Buffer.from(later(product, Buffer.from(said), passes, 4000)).toString();
  expect([told(0), told(1)]).toEqual([said, next]);
});
