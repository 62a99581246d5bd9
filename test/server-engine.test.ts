import { describe, expect, it } from 'vitest';
import type { DepthwireError } from '../src/errors.js';
import { Images } from '../src/publish/images.js';
import { RING } from '../src/wire/generated/constants.js';
import { FakeNative, fakeEngine, frame, label } from './support/fake-engine.js';

describe('the engine’s output', () => {
  it('reaches the listener in order, over many turns of a small ring, and leaves it empty', () => {
    const native = new FakeNative(4096);
    const got: string[] = [];
    const engine = fakeEngine(
      { onFrame: (id, stream, bytes) => got.push(`${id}/${stream} ${label(bytes)}`) },
      native,
    );
    const sent: string[] = [];
    // Sizes that do not divide the ring, so that records end at, before and behind its end.
    for (let i = 0; i < 2000; i++) {
      const text = `${i} ${'x'.repeat((i * 37) % 900)}`;
      native.emit(7, i % 20, frame(text));
      sent.push(`7/${i % 20} ${text}`);
      if (i % 50 === 49) engine.ingest(1, frame('input'));
    }
    expect(got).toEqual(sent);
    expect(native.drained).toBe(true);
  });

  it('carries what it asks for and what it has to say', () => {
    const native = new FakeNative();
    const got: unknown[] = [];
    const said: string[] = [];
    const engine = fakeEngine(
      {
        onAsk: (ask) => got.push(ask),
        onSay: (source, text) => said.push(`${source} ${Buffer.from(text).toString()}`),
      },
      native,
    );
    native.ask(11, 3, RING.asked.snapshot);
    native.ask(12, 4, RING.asked.reconnect);
    native.say(5, 'pong');
    engine.tick();
    expect(got).toEqual([
      { instrument: 11, ticket: 3, cure: 'snapshot', reason: 2 },
      { instrument: 12, ticket: 4, cure: 'reconnect', reason: 2 },
    ]);
    expect(said).toEqual(['5 pong']);
  });

  it('goes on behind a record whose listener threw', () => {
    const native = new FakeNative();
    const got: string[] = [];
    const engine = fakeEngine(
      {
        onFrame: (_id, _stream, bytes) => {
          if (label(bytes) === 'bad') throw new Error('listener');
          got.push(label(bytes));
        },
      },
      native,
    );
    for (const text of ['one', 'bad', 'two']) native.emit(1, 1, frame(text));
    expect(() => engine.tick()).toThrow('listener');
    native.emit(1, 1, frame('three'));
    engine.tick();
    expect(got).toEqual(['one', 'two', 'three']);
  });

  it('reports what was wrong with an input as a typed error', () => {
    const native = new FakeNative();
    const faults: DepthwireError[] = [];
    const engine = fakeEngine({ onFault: (error) => faults.push(error) }, native);
    native.fault = { code: 'decode.json', what: 'w', where: 'x', expected: 'e', got: 'g', fix: 'f' };
    engine.ingest(1, frame('input'));
    expect(faults.map((error) => error.toJSON())).toEqual([native.fault]);
  });

  it('gives what the addon throws its code, its parts and its fix', () => {
    const native = new FakeNative();
    native.openDepth = () => {
      throw Object.assign(new Error('too many views\nexpected: at most 240\ngot: 241\nfix: close one'), {
        code: 'engine.views_full',
      });
    };
    expect(() => fakeEngine({}, native).openDepth(11, 5, 0)).toThrow(
      expect.objectContaining({
        name: 'DepthwireError',
        code: 'engine.views_full',
        what: 'too many views',
        expected: 'at most 240',
        got: '241',
        fix: 'close one',
      }) as Error,
    );
  });
});

const VERSION = { epoch: 1n, seq: 1n, state: 'synced' };

describe('images', () => {
  it('are encoded once until something is published for the instrument', () => {
    const native = new FakeNative();
    native.images.set('11/1', frame('one'));
    const images = new Images(native, 1 << 20);
    expect(
      [images.get(11, 1, VERSION), images.get(11, 1, VERSION)].map((image) => image && label(image)),
    ).toEqual(['one', 'one']);
    expect(native.imageCalls).toBe(1);
    native.images.set('11/1', frame('two'));
    images.forget(12);
    expect(label(images.get(11, 1, VERSION) ?? frame(''))).toBe('one');
    images.forget(11);
    expect(label(images.get(11, 1, VERSION) ?? frame(''))).toBe('two');
    images.clear();
    images.get(11, 1, VERSION);
    expect(native.imageCalls).toBe(3);
  });

  it('are never served for a book at another epoch, sequence or state', () => {
    const native = new FakeNative();
    const images = new Images(native, 1 << 20);
    const versions = [
      VERSION,
      { ...VERSION, epoch: 2n },
      { ...VERSION, seq: 2n },
      { ...VERSION, state: 'stale' },
    ];
    for (const [at, version] of versions.entries()) {
      native.images.set('11/1', frame(`image ${at}`));
      expect(label(images.get(11, 1, version) ?? frame(''))).toBe(`image ${at}`);
    }
  });

  it('may be of any size up to the limit, and not above it', () => {
    const native = new FakeNative();
    const images = new Images(native, 100_000);
    expect(images.get(11, 1, VERSION)).toBeUndefined();
    native.images.set('11/1', new Uint8Array(99_000).fill(3));
    expect(images.get(11, 1, VERSION)).toEqual(new Uint8Array(99_000).fill(3));
    native.images.set('12/1', new Uint8Array(100_001));
    expect(() => images.get(12, 1, VERSION)).toThrow(
      expect.objectContaining({ code: 'feed.image_too_big' }) as Error,
    );
  });
});
