import { describe, expect, it } from 'vitest';
import { Clients } from '../src/publish/census.js';

describe('the count of clients', () => {
  it('holds a subject to its own limit over all gateways, and nobody else', () => {
    const clients = new Clients(10);
    const [one, other] = [clients.join(), clients.join()];
    for (const census of [one, other]) {
      expect(census.reserve('alice', 2)).toBeUndefined();
      census.enter();
    }
    expect(one.reserve('alice', 2)).toEqual({ of: 'subject', open: 2 });
    expect(one.reserve('bob', 2)).toBeUndefined();
    other.leave('alice');
    expect(one.reserve('alice', 2)).toBeUndefined();
  });

  it('holds all together to theirs', () => {
    const clients = new Clients(2);
    const [one, other] = [clients.join(), clients.join()];
    one.reserve('', Infinity);
    one.enter();
    // A place that is kept counts, so that two handshakes at once are not one too many.
    expect(other.reserve('', Infinity)).toBeUndefined();
    expect(one.reserve('', Infinity)).toEqual({ of: 'clients', open: 2 });
    other.enter();
    expect(clients.open).toBe(2);
  });

  it('gives back a place that nobody entered, and all of a gateway that ends', () => {
    const clients = new Clients(2);
    const census = clients.join();
    for (let i = 0; i < 5; i++) expect(census.reserve('alice', 1)).toBeUndefined();
    expect(clients.open).toBe(1);
    census.enter();
    expect(census.reserve('bob', 1)).toBeUndefined();
    census.end();
    expect(clients.open).toBe(0);
    // What comes late of one that has ended changes nothing.
    census.leave('alice');
    expect(clients.open).toBe(0);
    expect(clients.join().reserve('alice', 1)).toBeUndefined();
  });
});
