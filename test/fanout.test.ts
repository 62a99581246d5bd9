import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EngineListener, openEngine } from '../src/engine.js';
import { BATCH_BYTES_MAX } from '../src/publish/batches.js';
import { Fanout } from '../src/publish/fanout.js';
import type { Receiver } from '../src/publish/topics.js';
import { frame, label } from './support/fake-engine.js';
import { simulatedRecording } from './support/recording.js';

/** A transport that keeps what each client is sent, in order. */
function transport() {
  const names = new Map<string, Set<string>>();
  const got = new Map<string, string[]>();
  const direct: string[] = [];
  const published: string[] = [];
  const give = (client: string, message: Uint8Array): void => {
    got.set(client, [...(got.get(client) ?? []), label(message)]);
  };
  const receiver = (client: string): Receiver => ({
    sendFrames(frames) {
      direct.push(client);
      give(client, frames);
    },
    subscribe: (name) => void names.set(name, (names.get(name) ?? new Set()).add(client)),
    unsubscribe: (name) => void names.get(name)?.delete(client),
  });
  const fanout = new Fanout({
    publish(name, message) {
      published.push(name);
      for (const client of names.get(name) ?? []) give(client, message);
    },
  });
  const add = (instrument: number, stream: number, bytes: Uint8Array): boolean =>
    fanout.add(instrument, stream, bytes, 0, bytes.byteLength);
  return { fanout, receiver, got, direct, published, add };
}

describe('frames of one turn', () => {
  it('go out in one message a topic, in the order of its frames', () => {
    const { fanout, receiver, got, add } = transport();
    fanout.join(7, 1, receiver('a'));
    fanout.join(7, 3, receiver('b'));
    expect(add(7, 1, frame('one.....'))).toBe(true);
    expect(add(7, 3, frame('trade...'))).toBe(true);
    expect(add(7, 1, frame('two.....'))).toBe(true);
    expect(add(8, 1, frame('nobody..'))).toBe(false);
    expect(got.size).toBe(0);
    fanout.flush();
    expect(got.get('a')).toEqual(['one.....two.....']);
    expect(got.get('b')).toEqual(['trade...']);
    fanout.flush();
    expect(got.get('a')).toHaveLength(1);
  });

  it('are sent directly to a few of one topic, and published to many or for several topics', () => {
    const { fanout, receiver, direct, published, add } = transport();
    for (const client of ['a', 'b']) fanout.join(7, 1, receiver(client));
    add(7, 1, frame('one'));
    fanout.flush();
    expect(direct).toEqual(['a', 'b']);
    fanout.join(7, 2, receiver('a'));
    add(7, 1, frame('two'));
    add(7, 2, frame('top'));
    fanout.flush();
    expect(direct).toHaveLength(2);
    expect(published).toEqual(['7/1/0', '7/2/0']);
    for (const client of ['c', 'd', 'e']) fanout.join(7, 1, receiver(client));
    add(7, 1, frame('three'));
    fanout.flush();
    expect(direct).toHaveLength(2);
    expect(published).toHaveLength(3);
  });

  it('are served to clients in rotating order', () => {
    const { fanout, receiver, published, direct, add } = transport();
    for (let client = 0; client < 100; client++) fanout.join(7, 1, receiver(`c${client}`));
    const firsts = new Set<string>();
    for (let turn = 0; turn < 4; turn++) {
      published.length = 0;
      add(7, 1, frame('x'));
      fanout.flush();
      expect(new Set(published).size).toBe(4);
      firsts.add(published[0] ?? '');
    }
    expect(firsts.size).toBe(4);
    for (const client of ['a', 'b']) fanout.join(8, 1, receiver(client));
    for (let turn = 0; turn < 2; turn++) {
      add(8, 1, frame('x'));
      fanout.flush();
    }
    expect(direct).toEqual(['a', 'b', 'b', 'a']);
  });

  it('that wait go to those who were there before another one joins or leaves', () => {
    const { fanout, receiver, got, add } = transport();
    const first = fanout.join(7, 1, receiver('a'));
    add(7, 1, frame('one'));
    fanout.join(7, 1, receiver('b'));
    add(7, 1, frame('two'));
    fanout.leave(first);
    add(7, 1, frame('three'));
    fanout.flush();
    expect(got.get('a')).toEqual(['one', 'two']);
    expect(got.get('b')).toEqual(['two', 'three']);
  });

  it('of any number and size arrive whole and in order, for any who come and go', () => {
    const step = fc.oneof(
      {
        weight: 20,
        arbitrary: fc.record({
          topic: fc.integer({ min: 0, max: 3 }),
          size: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 20_000 })),
        }),
      },
      { weight: 2, arbitrary: fc.constant('flush' as const) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: 11 }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const { fanout, receiver, got, add } = transport();
        const members = new Map<number, ReturnType<Fanout['join']>>();
        const due = new Map<string, string>();
        let count = 0;
        for (const each of steps) {
          if (each === 'flush') fanout.flush();
          else if (typeof each === 'number') {
            const held = members.get(each);
            if (held === undefined) members.set(each, fanout.join(each % 4, 1, receiver(`c${each}`)));
            else {
              fanout.leave(held);
              members.delete(each);
            }
          } else {
            const text = `${count++}`.padEnd(each.size * 8, 'x');
            add(each.topic, 1, frame(text));
            for (const client of members.keys())
              if (client % 4 === each.topic) due.set(`c${client}`, (due.get(`c${client}`) ?? '') + text);
          }
        }
        fanout.flush();
        for (const [client, text] of due) expect(got.get(client)?.join('')).toBe(text);
        for (const messages of got.values())
          for (const message of messages)
            if (message.length > BATCH_BYTES_MAX) expect(message).toMatch(/^\d+x+$/);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a frame on its way from the engine to the transport', () => {
  it('makes no garbage of its own', () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const messages = simulatedRecording('BTCUSDT', 400_000)
      .trim()
      .split('\n')
      .map((line) => Buffer.from(line.slice(line.indexOf(' ') + 1)));
    /** Bytes of garbage a frame while messages are ingested, `end` after each. */
    const garbage = (listener: Partial<EngineListener>, end: () => void): number => {
      const engine = openEngine(
        { startId: 1, silenceMs: 0, replay: true, outputBytes: 4 << 20 },
        { onFrame() {}, onAsk() {}, onSay() {}, onFault() {}, ...listener },
      );
      const id = engine.instruments().find(({ name }) => name === 'sim:BTCUSDT')?.id ?? 0;
      const source = engine.openSource('sim', [id]);
      // Until the machine code of the path is there, interpreting it makes garbage.
      const warm = Math.floor(messages.length * 0.8);
      for (const message of messages.slice(0, warm)) {
        engine.ingest(source, message);
        end();
      }
      gc();
      const frames = engine.stats().feedFrames;
      const before = process.memoryUsage().heapUsed;
      for (let at = warm; at < messages.length; at++) {
        engine.ingest(source, messages[at] as Buffer);
        end();
      }
      const after = process.memoryUsage().heapUsed;
      return (after - before) / (engine.stats().feedFrames - frames);
    };
    let sent = 0;
    const count = ({ byteLength }: Uint8Array): void => {
      sent += byteLength;
    };
    const fanout = new Fanout({ publish: (_name, message) => count(message) });
    const receiver: Receiver = {
      sendFrames: count,
      subscribe() {},
      unsubscribe() {},
    };
    const id = 1;
    for (const stream of [1, 2, 3, 4, 5]) fanout.join(id, stream, receiver);
    const served = garbage(
      {
        onFrameBytes: (_id, stream, ring, offset, size) => void fanout.add(id, stream, ring, offset, size),
      },
      () => fanout.flush(),
    );
    const views = garbage({ onFrame: () => {} }, () => {});
    expect(sent).toBeGreaterThan(100_000);
    expect(views).toBeGreaterThan(60);
    // What is left comes once: a view of each length that a message ever had.
    expect(served).toBeLessThan(views / 2);
  });
});
