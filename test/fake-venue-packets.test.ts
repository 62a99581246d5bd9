import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { FakeVenue } from '../src/fake-venue/fake-venue.js';
import { type Fault, parseFault } from '../src/fake-venue/fault.js';
import { parseHostAndPort } from '../src/fake-venue/packet-feed.js';
import { fakeVenue, until } from './support/fake-venue.js';

let venue: FakeVenue | undefined;
let udp: UdpSocket | undefined;
let tcp: Socket | undefined;

afterEach(async () => {
  tcp?.destroy();
  udp?.close();
  udp = undefined;
  await venue?.stop();
  venue = undefined;
});

/** A venue that sends its packets to a socket of ours, and what came there. */
async function listening(faults: readonly Fault[] = []): Promise<{ of: FakeVenue; packets: Buffer[] }> {
  const packets: Buffer[] = [];
  udp = createSocket('udp4');
  udp.on('message', (packet) => packets.push(packet));
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const { port } = udp.address();
  venue = await fakeVenue({}, { udp: { host: '127.0.0.1', port }, tcpPort: 0, faults });
  return { of: venue, packets };
}

/** The messages of a MoldUDP64 packet, and the number of the first one. */
function opened(packet: Buffer): { readonly first: number; readonly messages: readonly string[] } {
  const messages: string[] = [];
  let at = 20;
  for (let left = packet.readUInt16BE(18); left > 0; left--) {
    const end = at + 2 + packet.readUInt16BE(at);
    messages.push(packet.toString('hex', at + 2, end));
    at = end;
  }
  expect(at).toBe(packet.length);
  return { first: Number(packet.readBigUInt64BE(10)), messages };
}

/** What a SoupBinTCP client hears who asks for that message first. */
async function loggedIn(
  of: FakeVenue,
  first: number,
  session = '',
): Promise<{ heard: string[]; types: string[] }> {
  const heard: string[] = [];
  const types: string[] = [];
  let unread = Buffer.alloc(0);
  tcp = connect(of.tcpPort, '127.0.0.1');
  tcp.on('data', (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk]);
    while (unread.length >= 2 && unread.length >= 2 + unread.readUInt16BE(0)) {
      const end = 2 + unread.readUInt16BE(0);
      types.push(unread.toString('latin1', 2, 3));
      if (types.at(-1) === 'S') heard.push(unread.toString('hex', 3, end));
      else heard.push(unread.toString('latin1', 3, end));
      unread = unread.subarray(end);
    }
  });
  await once(tcp, 'connect');
  const request = `L${'user'.padEnd(6)}${'secret'.padEnd(10)}${session.padEnd(10)}${String(first).padStart(20)}`;
  tcp.write(Buffer.concat([Buffer.of(0, request.length), Buffer.from(request)]));
  return { heard, types };
}

it('a day of orders goes out as datagrams and over TCP, message for message', async () => {
  const { of, packets } = await listening();
  await until(() => packets.length > 20);
  const { heard, types } = await loggedIn(of, 1, 'SYNTHETIC');
  await until(() => heard.length > 200);
  of.pause();
  const told = packets.map(opened);
  let next = 1;
  for (const { first, messages } of told) {
    expect(first).toBe(next);
    next += messages.length;
  }
  expect(types[0]).toBe('A');
  expect(heard[0]).toBe(`SYNTHETIC ${'1'.padStart(20)}`);
  const all = told.flatMap(({ messages }) => messages);
  const common = Math.min(all.length, heard.length - 1);
  expect(common).toBeGreaterThan(150);
  expect(heard.slice(1, 1 + common)).toEqual(all.slice(0, common));
});

it.each([
  ['another session', 1, 'OTHER', 'S'],
  ['a message that is still to come', 9_999_999, '', 'S'],
])('%s is refused', async (_name, first, session, reason) => {
  const { of, packets } = await listening();
  await until(() => packets.length > 1);
  const { heard, types } = await loggedIn(of, first, session);
  await until(() => types.length > 0);
  expect([types, heard]).toEqual([['J'], [reason]]);
});

it('a datagram is lost, doubled and overtaken as planned', async () => {
  const faults = ['drop@5', 'duplicate@9', 'reorder@12'].map(parseFault);
  const { packets } = await listening(faults);
  await until(() => packets.length > 20);
  const firsts = packets.map(opened).map(({ first }) => first);
  const steps = firsts.slice(1).map((first, at) => Math.sign(first - (firsts[at] ?? 0)));
  expect(steps.filter((step) => step === 0)).toHaveLength(1);
  expect(steps.filter((step) => step < 0)).toHaveLength(1);
});

it.each(['127.0.0.1', '127.0.0.1:0', ':1', '127.0.0.1:70000', 'a:b:1'])('%s is no address', (text) => {
  expect(() => parseHostAndPort(text)).toThrow(expect.objectContaining({ code: 'fake.address' }));
});

it('an address may be in brackets', () => {
  expect(parseHostAndPort('[::1]:9')).toEqual({ host: '::1', port: 9 });
});
