import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fakeUrl, fakeVenue, PlainClient, until } from './support/fake-venue.js';
import { fakeVenueCommand } from './support/fake-venue-command.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-fake-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('--count', () => {
  it.each([
    [['--venue', 'binance', '--count', '3'], 'BTCUSDT QAAAUSDT QAABUSDT'],
    [
      ['--venue', 'binance', '--instruments', 'ETHUSDT', 'QAAAUSDT', '--count', '3'],
      'ETHUSDT QAAAUSDT QAABUSDT',
    ],
    [['--venue', 'binance', '--instruments', 'A', 'B', 'C', '--count', '1'], 'A B C'],
    [['--venue', 'lighter', '--count', '3'], '1 0 2'],
    [
      ['--venue', 'okx', '--count', '100'],
      'BTC-USDT ETH-USD-SWAP QAAA-USDT QAAB-USDT QAAC-USDT QAAD-USDT QAAE-USDT QAAF-USDT QAAG-USDT QAAH-USDT QAAI-USDT QAAJ-USDT and 88 more',
    ],
  ])('%s', async (args, codes) => {
    const { code, out } = await fakeVenueCommand(folder, ...args);
    expect(code).toBe(0);
    expect(/^venue {4}\S+ {2}(.*)$/m.exec(out)?.[1]).toBe(codes);
  });

  it.each(['-1', 'many', '1.5'])('%s is refused', async (count) => {
    const { code, err } = await fakeVenueCommand(folder, '--count', count);
    expect([code !== 0, err.includes('--count')]).toEqual([true, true]);
  });
});

it('--speed: a simulated market says so much more in a second', async () => {
  const [usual, quick] = [
    await fakeVenue({ binance: ['BTCUSDT'] }),
    await fakeVenue({ binance: ['BTCUSDT'] }, { speed: 8 }),
  ];
  const clients: PlainClient[] = [];
  try {
    const heard = async (venue: typeof usual): Promise<number> => {
      const url = fakeUrl(venue, 'wss://data-stream.binance.vision/stream');
      const client = await new PlainClient(url).open();
      clients.push(client);
      client.say({ method: 'SUBSCRIBE', params: ['btcusdt@depth@100ms'], id: 1 });
      await client.hears('depthUpdate');
      const { length } = client.heard;
      const untilMs = performance.now() + 2000;
      await until(() => performance.now() > untilMs);
      return client.heard.length - length;
    };
    const [few, many] = await Promise.all([heard(usual), heard(quick)]);
    expect(many / few).toBeGreaterThan(6);
    expect(many / few).toBeLessThan(10);
  } finally {
    for (const client of clients) client.close();
    await Promise.all([usual.stop(), quick.stop()]);
  }
});
