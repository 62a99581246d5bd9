import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frameOf, OPCODE, RawClient } from './support/raw-websocket.js';
import { TestClient } from './support/server.js';

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const BTC = { instrument: 'sim:BTCUSDT' };

/** One WebSocket frame of what a client may send, again and again. */
const text = (message: object): Buffer => frameOf(OPCODE.text, JSON.stringify(message));
const FLOODS: readonly (readonly [string, Buffer])[] = [
  ['pings', text({ op: 'ping', id: 1 })],
  ['subscriptions', text({ op: 'subscribe', id: 1, channel: 'book', ...BTC })],
  ['requests for images', text({ op: 'resync', id: 1, channel: 'book', ...BTC })],
  [
    'patterns',
    text({ op: 'subscribe', id: 1, channel: 'trades', instruments: Array(200).fill('*a*b*c*d*') }),
  ],
  ['pings of the WebSocket', frameOf(OPCODE.ping, 'x')],
];

/** A client that writes a frame as fast as the socket takes it, for `ms` at most, whatever it is told. */
async function flood(port: number, frame: Buffer, ms: number): Promise<RawClient> {
  const client = await RawClient.open(port);
  client.socket.write(text({ op: 'subscribe', id: 0, channel: 'book', ...BTC }));
  const chunk = Buffer.concat(Array.from({ length: Math.ceil(65_536 / frame.length) }, () => frame));
  const endMs = performance.now() + ms;
  const write = (): void => {
    while (!client.hasEnded && performance.now() < endMs) {
      if (!client.socket.write(chunk)) {
        client.socket.once('drain', write);
        return;
      }
    }
  };
  write();
  return client;
}

describe('a client that sends valid messages as fast as it can', () => {
  let server: ChildProcess;
  let port = 0;
  let ended: Promise<number | null>;

  beforeAll(async () => {
    server = spawn(process.execPath, [MAIN, 'serve', '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    ended = new Promise((resolve) => server.once('exit', resolve));
    let output = '';
    port = await new Promise<number>((resolve, reject) => {
      server.stdout?.on('data', (part: Buffer) => {
        output += part.toString();
        const address = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(output);
        if (address !== null && output.includes('books ')) resolve(Number(address[1]));
      });
      void ended.then((code) => reject(new Error(`ended with ${code}: ${output}`)));
    });
  });

  afterAll(() => {
    if (server.exitCode === null) server.kill('SIGKILL');
  });

  it.each(FLOODS)(
    'of %s is told and closed with 4429 within a second, and another one’s feed goes on',
    async (_what, frame) => {
      const good = await TestClient.open(port);
      good.send({ op: 'subscribe', id: 1, channel: 'trades', instrument: '*' });
      good.send({ op: 'subscribe', id: 2, channel: 'bbo', instrument: '*' });
      await good.count(20);
      let lastMs = performance.now();
      let longestMs = 0;
      good.socket.on('message', () => {
        longestMs = Math.max(longestMs, performance.now() - lastMs);
        lastMs = performance.now();
      });
      const startMs = performance.now();
      const client = await flood(port, frame, 1000);
      await client.until(() => client.closeCode !== 1006 || client.hasEnded, 'close', 3000);
      expect(performance.now() - startMs).toBeLessThan(1000);
      expect(client.closeCode).toBe(4429);
      const told = client.texts.map((each) => JSON.parse(each) as Readonly<Record<string, unknown>>);
      expect(told.at(-1)).toMatchObject({ op: 'error', code: 'feed.rate' });
      // Not more answers than messages that it may send at once.
      expect(told.length).toBeLessThan(110);
      const before = good.received.length;
      await good.until(() => good.received.length > before + 5, 'frames after the flood');
      expect(longestMs).toBeLessThan(500);
      client.destroy();
      good.socket.terminate();
    },
  );

  it('delays no end of the server', async () => {
    const good = await TestClient.open(port);
    let floods = true;
    const flooders = FLOODS.map(async ([, frame]) => {
      while (floods) {
        const client = await flood(port, frame, 200).catch(() => undefined);
        await client?.ended(3000).catch(() => {});
        client?.destroy();
        if (client === undefined) return;
      }
    });
    await good.until(
      () => good.control.some(({ op }) => op === 'heartbeat') || good.received.length >= 1,
      'life',
    );
    const startMs = performance.now();
    server.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(performance.now() - startMs).toBeLessThan(4000);
    expect(await good.closed()).toBe(1001);
    floods = false;
    await Promise.all(flooders);
  });
});
