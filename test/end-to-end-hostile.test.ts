import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { linesOf, textOf } from './support/damage.js';
import { simulatedRecording } from './support/recording.js';
import { ServedRecording, until } from './support/served-recording.js';
import { digestOfLocal, SpotOracle } from './support/spot-oracle.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NAME = 'sim:BTCUSDT';

/** How a hostile connection ended, and what it was told before. */
interface Told {
  readonly code: number;
  readonly errors: readonly string[];
}

/** Opens a connection, sends, and keeps the errors until the server closes it (or `keep`: until that many came). */
async function hostile(
  port: number,
  messages: readonly (string | Uint8Array)[],
  keep = Infinity,
): Promise<Told> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/feed`, ['depthwire.v1']);
  const errors: string[] = [];
  socket.on('error', () => {});
  const ended = new Promise<number>((resolve) => {
    socket.on('close', (code) => resolve(code));
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) return;
      const message = JSON.parse(data.toString()) as { op: string; code: string; fix: string };
      if (message.op !== 'error') return;
      expect(message.fix).not.toBe('');
      errors.push(message.code);
      if (errors.length >= keep) socket.close(1000);
    });
  });
  await once(socket, 'open');
  for (const message of messages) socket.send(message);
  return { code: await ended, errors };
}

/** One masked text frame of the WebSocket protocol. */
function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** A client that subscribes, asks for images again and again, and never reads a byte. */
async function neverReading(port: number, resyncs: number): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(
    'GET /v1/feed HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Protocol: depthwire.v1\r\n\r\n',
  );
  await once(socket, 'readable');
  const control = (op: string): Buffer =>
    textFrame(JSON.stringify({ op, id: 1, channel: 'book', instrument: NAME }));
  socket.write(control('subscribe'));
  socket.write(Buffer.concat(Array.from({ length: resyncs }, () => control('resync'))));
  return socket;
}

const SUBSCRIBE_UNKNOWN = JSON.stringify({
  op: 'subscribe',
  id: 1,
  channel: 'book',
  instrument: 'sim:NOTHING',
});

it('a good client’s book stays exact beside clients that send what they may not, or never read', async () => {
  const lines = linesOf(simulatedRecording('BTCUSDT', 30_000));
  const oracle = SpotOracle.of(lines);
  // Parts, so that the replay rests between them while the others do their worst.
  const quarter = lines.length >> 2;
  const files = [0, 1, 2, 3].map((part) => {
    const path = join(folder, `part-${part}`);
    writeFileSync(path, textOf(lines.slice(part * quarter, part === 3 ? undefined : (part + 1) * quarter)));
    return path;
  });
  await using served = await ServedRecording.start(files, NAME, {
    // Little room, so that a client that gets more than it takes is ended within the test.
    limits: { backpressureSoftBytes: 65_536, backpressureHardBytes: 131_072, controlBurst: 1000 },
  });
  const { engine, server, source, port } = served.serving;
  const feed = served.client();
  const good = feed.book(NAME);
  let chunksMax = 0;
  let chunks = 0;
  served.gate(() => {
    if (good.granted === undefined || BigInt(good.book.seq) < engine.book(served.id).seq) return false;
    if (chunks === chunksMax) return false;
    chunks += 1;
    return true;
  });
  const health = async (): Promise<unknown> => (await fetch(`http://127.0.0.1:${port}/health`)).status;

  chunksMax = 1;
  await until(() => good.state === 'synced', 'book');
  const binary = hostile(port, [SUBSCRIBE_UNKNOWN, Uint8Array.of(1, 2, 3)]);
  const garbage = hostile(port, [...Array.from({ length: 11 }, (_, at) => `{"op":${at}`)]);
  const long = hostile(port, [JSON.stringify({ op: 'ping', id: 'x'.repeat(5000) })]);
  const huge = hostile(port, ['x'.repeat(1 << 20)]);
  const unknown = hostile(port, [SUBSCRIBE_UNKNOWN, SUBSCRIBE_UNKNOWN, SUBSCRIBE_UNKNOWN], 3);
  chunksMax = 2;
  expect(await health()).toBe(200);
  expect(await binary).toEqual({ code: 4400, errors: ['feed.unknown_instrument', 'feed.binary'] });
  const told = await garbage;
  expect(told.code).toBe(4400);
  expect(told.errors).toHaveLength(11);
  expect(new Set(told.errors)).toEqual(new Set(['feed.bad_json']));
  expect(await long).toEqual({ code: 1009, errors: ['feed.control_too_big'] });
  // Beyond the transport's own limit the cut has no code, and is counted by its cause.
  expect(await huge).toEqual({ code: 1006, errors: [] });
  expect(await unknown).toEqual({ code: 1000, errors: Array(3).fill('feed.unknown_instrument') });

  // So many images would be more than the kernel's buffers and the hard limit hold together; asked for at once they are one.
  const resyncs = 500;
  const deaf = await neverReading(port, resyncs);
  await until(
    () => server.counted.clientResyncs === resyncs,
    'all that the client that never reads asks for',
  );
  chunksMax = 4;
  await expect.poll(() => server.counted.clients).toBe(2);
  expect(await health()).toBe(200);
  deaf.destroy();

  await source.ended;
  const { seq } = engine.book(served.id);
  await until(() => BigInt(good.book.seq) === seq, `book at ${seq}`);
  expect(good.state).toBe('synced');
  expect(digestOfLocal(good.book)).toBe(engine.digest(served.id));
  expect(digestOfLocal(good.book)).toBe(oracle.digest);
  expect(feed.counters).toMatchObject({ gaps: 0, checkFailures: 0, resyncs: 0, reconnects: 0 });
  expect(engine.stats()).toMatchObject({ gaps: 0, decodeErrors: 0, applied: oracle.applied });
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  for (const closes of [
    'code="4400",cause="bad_request"} 2',
    'code="1009",cause="control_too_big"} 1',
    'code="1006",cause="transport_too_big"} 1',
  ]) {
    expect(metrics).toContain(`depthwire_closes_total{${closes}`);
  }
  expect(server.counted.closedFor('too_slow') + server.counted.closedFor('too_slow_cut')).toBe(0);
  await until(() => server.counted.clients === 1, 'end of all but the good client');
});
