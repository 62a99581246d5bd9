import { describe, expect, it } from 'vitest';
import { Clients } from '../src/publish/census.js';
import { LocalEngine } from '../src/publish/feed-engine.js';
import { CallDesk } from '../src/publish/gateways/call-desk.js';
import { type Call, packed, type Reply, Unpacker } from '../src/publish/gateways/calls.js';
import { FakeNative, fakeEngine, frame } from './support/fake-engine.js';

const BTC = 11;
const VIEW = { channel: 'depth', depth: 5, intervalMs: 0, step: 0n } as const;

function deskOf() {
  const native = new FakeNative();
  const clients = new Clients(10);
  const desk = new CallDesk({
    engine: new LocalEngine(fakeEngine({}, native), 1 << 20),
    census: clients.join(),
    position: () => 77,
    answer: ({ path }) => ({ status: '200 OK', headers: {}, body: path }),
  });
  const replies: Reply[] = [];
  const answers = new Unpacker();
  const take = (...calls: readonly Call[]): readonly Reply[] => {
    replies.length = 0;
    const bytes = Buffer.concat(calls.map(packed));
    // A pipe hands on what it likes.
    for (let at = 0; at < bytes.byteLength; at += 7)
      desk.take(bytes.subarray(at, at + 7), (reply) => {
        for (const message of answers.take(reply)) replies.push(message as Reply);
      });
    return [...replies];
  };
  return { native, clients, desk, take };
}

describe('the calls of a gateway', () => {
  it('are answered with where the ring stood, in their order, however they are cut', () => {
    const { native, take } = deskOf();
    native.images.set(`${BTC}/1`, frame('image'));
    const [image, places, standing] = take(
      { op: 'image', instrument: BTC, stream: 1 },
      { op: 'places', streams: [{ instrument: BTC, stream: 1 }] },
      { op: 'standing', instrument: BTC, stream: 1 },
    );
    const place = native.place(BTC, 1);
    expect(image).toMatchObject({
      position: 77,
      value: { by: 'image', standing: { place }, isImageless: false },
    });
    expect(places).toMatchObject({ position: 77, value: [place] });
    expect(standing).toMatchObject({ value: { state: 'synced', instrument: { id: BTC } } });
  });

  it('that fail are answered with the error', () => {
    const { native, take } = deskOf();
    native.viewsFull = true;
    const [reply] = take({ op: 'openView', instrument: BTC, view: VIEW });
    expect(reply).toMatchObject({ position: 77, error: { code: 'engine.views_full' } });
  });

  it('give back what it held of the engine and of the count when it ends, once', () => {
    const { native, clients, desk, take } = deskOf();
    const open: Call = { op: 'openView', instrument: BTC, view: VIEW };
    const [first] = take(open, open);
    const stream = first?.value as number;
    take({ op: 'reserve', subject: 'alice', subjectMax: 2 }, { op: 'enter' });
    expect([native.views.get(stream), clients.open]).toEqual([2, 1]);
    take({ op: 'closeView', instrument: BTC, stream });
    desk.end();
    expect([native.views.get(stream), clients.open]).toEqual([0, 0]);
    // What its pipe still had.
    expect(take(open, { op: 'leave', subject: 'alice' })).toEqual([]);
    desk.end();
    expect([native.views.get(stream), clients.open]).toEqual([0, 0]);
  });
});
