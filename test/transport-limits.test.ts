import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Addresses, addressKey } from '../src/publish/transport/addresses.js';
import { Admission } from '../src/publish/transport/admission.js';
import { connectionsByDescriptors, descriptorLimit } from '../src/publish/transport/descriptors.js';
import { openTransport } from '../src/publish/transport/open-transport.js';
import { type Pending, PendingConnections } from '../src/publish/transport/pending.js';
import { RawClient } from './support/raw-websocket.js';
import { HANDLERS, OPTIONS, SESSION } from './support/transport.js';

const LIMITS = { pendingMax: 4, pendingPerAddressMax: 3, pendingMs: 1000 };

describe('pending connections', () => {
  function listed(): {
    readonly list: PendingConnections;
    readonly cut: string[];
    readonly add: (label: string, address: string, sinceMs?: number) => Pending;
  } {
    const list = new PendingConnections(LIMITS);
    const cut: string[] = [];
    return {
      list,
      cut,
      add: (label, address, sinceMs = 0) => {
        const pending = { address, sinceMs, close: () => cut.push(label) };
        list.add(pending);
        return pending;
      },
    };
  }

  it('of an address at its limit make room by the oldest of that address', () => {
    const { list, cut, add } = listed();
    for (const label of ['other', 'a', 'b', 'c', 'd'])
      add(label, label === 'other' ? '10.0.0.2' : '10.0.0.1');
    expect(cut).toEqual(['a']);
    expect(list.size).toBe(4);
  });

  it('make room by the oldest of all when all places are taken', () => {
    const { list, cut, add } = listed();
    for (const label of ['a', 'b', 'c', 'd', 'e', 'f']) add(label, label);
    expect(cut).toEqual(['a', 'b']);
    expect(list.size).toBe(LIMITS.pendingMax);
  });

  it('that asked in time are no longer among them', () => {
    const { list, cut, add } = listed();
    const first = add('a', 'x');
    add('b', 'x');
    list.remove(first);
    list.remove(first);
    add('c', 'x');
    add('d', 'x');
    expect(cut).toEqual([]);
    add('e', 'x');
    expect(cut).toEqual(['b']);
  });

  it('are cut when their time is over, and those that asked later are not', () => {
    const { list, cut, add } = listed();
    add('a', 'x', 0);
    add('b', 'y', 500);
    expect(list.cutOverdue(999)).toBe(0);
    expect(list.cutOverdue(1000)).toBe(1);
    expect(cut).toEqual(['a']);
    expect(list.size).toBe(1);
  });

  it('of an address can be let go of without being cut', () => {
    const { list, cut, add } = listed();
    add('a', 'x');
    add('b', 'x');
    add('c', 'y');
    expect(list.countOf('x')).toBe(2);
    list.forget('x');
    expect([list.countOf('x'), list.size]).toEqual([0, 1]);
    expect(list.cutOldest()).toBe(true);
    expect(list.cutOldest()).toBe(false);
    expect(cut).toEqual(['c']);
  });
});

describe('an address', () => {
  const limits = { clientsPerAddressMax: 2, handshakesPerSecond: 5 };

  it('has a burst of handshakes, and then so many a second', () => {
    const addresses = new Addresses(limits);
    const take = (nowMs: number): number => {
      let taken = 0;
      while (addresses.takeHandshake('a', nowMs)) taken += 1;
      return taken;
    };
    expect(take(0)).toBe(50);
    expect(take(100)).toBe(0);
    expect(take(1000)).toBe(5);
    expect(take(100_000)).toBe(50);
    expect(addresses.takeHandshake('b', 100_000)).toBe(true);
  });

  it('is forgotten when it has nothing and could ask for a burst again', () => {
    const addresses = new Addresses(limits);
    addresses.takeHandshake('a', 0);
    const account = addresses.opened('b', 0);
    addresses.takeLoose('c', 1, 10, 0);
    addresses.sweep(199);
    expect(addresses.size).toBe(3);
    addresses.sweep(200);
    expect(addresses.size).toBe(2);
    addresses.closed(account);
    addresses.sweep(14_999);
    expect(addresses.size).toBe(1);
    addresses.sweep(15_000);
    expect(addresses.size).toBe(0);
  });

  it('has so many clients', () => {
    const addresses = new Addresses(limits);
    const first = addresses.opened('a', 0);
    expect(addresses.hasRoom('a')).toBe(true);
    addresses.opened('a', 0);
    expect([addresses.hasRoom('a'), addresses.hasRoom('b')]).toEqual([false, true]);
    addresses.closed(first);
    expect(addresses.hasRoom('a')).toBe(true);
  });

  it('may have so many connections that nobody can cut, each fifteen seconds', () => {
    const addresses = new Addresses(limits);
    expect(addresses.takeLoose('a', 8, 10, 0)).toBe(true);
    expect(addresses.takeLoose('a', 3, 10, 14_999)).toBe(false);
    expect(addresses.takeLoose('a', 3, 10, 15_000)).toBe(true);
  });

  it('has those back of them that ask', () => {
    const addresses = new Addresses(limits);
    addresses.giveLoose('a');
    expect(addresses.takeLoose('a', 10, 10, 0)).toBe(true);
    addresses.giveLoose('a');
    expect(addresses.takeLoose('a', 2, 10, 1)).toBe(false);
    expect(addresses.takeLoose('a', 1, 10, 1)).toBe(true);
  });

  it('shares its account with the rest of its network where there are more than anybody has', () => {
    const addresses = new Addresses({ clientsPerAddressMax: 1, handshakesPerSecond: 1 });
    for (let at = 0; at < 40_000; at++) addresses.takeHandshake(String(at), 0);
    expect(addresses.size).toBeLessThanOrEqual(16_385);
    expect(addresses.takeHandshake('one more', 0)).toBe(false);
  });

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['0000:0000:0000:0000:0000:ffff:0a01:0203', '10.1.2.3'],
    ['2001:db8:0:1::5', '2001:db8:0:1::/64'],
    ['2001:0db8:0000:0001:0000:0000:0000:0005', '2001:db8:0:1::/64'],
    ['::1', '::1'],
    ['0000:0000:0000:0000:0000:0000:0000:0001', '::1'],
    ['fe80::1:2:3:4', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('%s counts as %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

describe('clients of an address that come together', () => {
  it('are let go of again and again, while silent ones are not', () => {
    const admission = new Admission({ ...OPTIONS.limits, connectionsMax: 80 }, () => {});
    const come = (): void => {
      admission.accept({ address: 'a', sinceMs: 0, close: () => {} });
    };
    // Ten at a time, of which each asks: only ten may be loose at any time.
    for (let round = 0; round < 20; round++) {
      for (let at = 0; at < 10; at++) come();
      for (let at = 0; at < 10; at++) expect(admission.letGo('a')).toBe(true);
      for (let at = 0; at < 10; at++) admission.ended();
    }
    // One of ten asks, and nine are silent.
    for (let at = 0; at < 10; at++) come();
    expect(admission.letGo('a')).toBe(true);
    for (let at = 0; at < 3; at++) come();
    expect(admission.letGo('a')).toBe(false);
    admission.close();
  });
});

describe('descriptors', () => {
  it('leave room for what is no connection', () => {
    expect(connectionsByDescriptors(1024, 40)).toBe(920);
    expect(connectionsByDescriptors(100, 80)).toBe(1);
    expect(connectionsByDescriptors(Infinity, 40)).toBe(Infinity);
    expect(descriptorLimit()).toBeGreaterThan(100);
  });
});

describe('an address with many silent connections', () => {
  it.each(['uws', 'ws'] as const)('has its clients served over %s, and they last', async (name) => {
    const ends: number[] = [];
    let open = 0;
    const limits = { ...OPTIONS.limits, connectionsMax: 400 };
    const transport = await openTransport(
      name,
      { ...OPTIONS, limits },
      {
        ...HANDLERS,
        onOpen: (connection) => {
          open += 1;
          connection.subscribe('feed');
          connection.sendText('hello');
          return { ...SESSION, onClose: (code) => ends.push(code) };
        },
      },
    );
    const port = await transport.listen('127.0.0.1', 0);
    const silent: Socket[] = [];
    const clients: RawClient[] = [];
    for (let round = 0; round < 20; round++) {
      // More than an address may have that nobody can cut, so that it is made out which of them asks.
      for (let at = 0; at < 60; at++) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        silent.push(socket);
        await once(socket, 'connect');
      }
      const client = await RawClient.open(port);
      clients.push(client);
      await client.until(() => client.texts.includes('hello'), 'greeting');
      transport.publish('feed', Buffer.from(String(round)));
    }
    await pause(50);
    expect(open).toBe(20);
    expect(ends).toEqual([]);
    for (const [at, client] of clients.entries())
      expect(client.frames.slice(1).map(({ payload }) => Number(String(payload)))).toEqual(
        Array.from({ length: 20 - at }, (_, index) => at + index),
      );
    for (const client of clients) client.destroy();
    for (const socket of silent) socket.destroy();
    transport.close();
  });
});
