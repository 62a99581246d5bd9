import { expect, it, vi } from 'vitest';
import { FaultPlan } from '../src/fake-venue/fault.js';
import { type Medium, Outlet, UNSENT_BYTES_MAX } from '../src/fake-venue/outlet.js';
import { fakeUrl, fakeVenue, PlainClient, until } from './support/fake-venue.js';

/** A medium that never sends. */
function stuck(): Medium & { unsentBytes: number; readonly refused: string[] } {
  const medium = {
    unsentBytes: 0,
    refused: [] as string[],
    send: (frame: Buffer) => {
      medium.unsentBytes += frame.length;
    },
    framed: (frame: Buffer) => frame,
    write: (bytes: Buffer) => {
      medium.unsentBytes += bytes.length;
    },
    unsent: () => medium.unsentBytes,
    cut: () => {},
    refuse: (reason: string) => void medium.refused.push(reason),
  };
  return medium;
}

const MIB = Buffer.alloc(1 << 20, 'x');

it('a client that does not read is given up beyond 64 MiB, once', () => {
  const medium = stuck();
  const onSlow = vi.fn();
  const outlet = new Outlet(medium, new FaultPlan(), { onSlow });
  for (let sent = 0; sent < 64; sent++) outlet.say(MIB, 'book');
  expect([medium.unsentBytes, medium.refused]).toEqual([UNSENT_BYTES_MAX, []]);
  for (let sent = 0; sent < 10; sent++) outlet.say(MIB, 'book');
  expect(medium.unsentBytes).toBe(65 << 20);
  expect(medium.refused).toEqual([`more than ${UNSENT_BYTES_MAX} bytes unsent: read faster`]);
  expect(onSlow.mock.calls).toEqual([medium.refused]);
});

it('what waits behind a frame that is late counts, too', () => {
  const medium = stuck();
  const outlet = new Outlet(medium, new FaultPlan([{ kind: 'late', at: 1, ms: 60_000 }]), {
    unsentBytesMax: 3 << 20,
  });
  for (let sent = 0; sent < 3; sent++) outlet.say(MIB, 'book');
  expect([medium.unsentBytes, medium.refused.length]).toEqual([0, 0]);
  outlet.say(MIB, 'book');
  expect(medium.refused).toHaveLength(1);
});

it('a client over a socket learns why, and the others hear on', { timeout: 30_000 }, async () => {
  const codes = Array.from({ length: 60 }, (_, at) => `Q${at}USDT`);
  const venue = await fakeVenue({ binance: codes }, { unsentBytesMax: 1 << 16 });
  const url = fakeUrl(venue, 'wss://data-stream.binance.vision/stream');
  const [slow, quick] = [await new PlainClient(url).open(), await new PlainClient(url).open()];
  try {
    const params = codes.map((code) => `${code.toLowerCase()}@depth@100ms`);
    for (const client of [slow, quick]) client.say({ method: 'SUBSCRIBE', params, id: 1 });
    await slow.hears('"id":1');
    slow.socket.pause();
    await until(() => venue.breaches().length > 0, 25_000);
    expect(venue.breaches()).toMatchObject([
      { kind: 'slow', where: expect.stringContaining('binance.vision') },
    ]);
    slow.socket.resume();
    await until(() => slow.closed !== undefined);
    expect(slow.closed).toEqual({ code: 1008, reason: 'more than 65536 bytes unsent: read faster' });
    const { length } = quick.heard;
    await until(() => quick.heard.length > length + 100);
    expect(quick.closed).toBeUndefined();
  } finally {
    slow.close();
    quick.close();
    await venue.stop();
  }
});
