import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { asyncApi } from '../src/publish/asyncapi.js';
import { SERVED_CHANNELS } from '../src/publish/channels.js';
import { parseControl } from '../src/publish/control.js';
import { CLIENT_MESSAGES, SERVER_MESSAGES } from '../src/publish/feed-schemas.js';
import { VERSION } from '../src/version.js';
import { startServer, TestClient, type TestServer } from './support/server.js';

const running: TestServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

describe('the AsyncAPI document', () => {
  it('is one', () => {
    const schema = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0-without-$id.json') as object;
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    const isValid = ajv.validate(schema, JSON.parse(JSON.stringify(asyncApi('1.2.3'))));
    expect(ajv.errors).toBeNull();
    expect(isValid).toBe(true);
  });

  it('refers only to what it has', () => {
    const document = JSON.parse(JSON.stringify(asyncApi('1'))) as Record<string, unknown>;
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, at = '']) => at);
    expect(refs.length).toBeGreaterThan(10);
    for (const ref of refs) {
      let node: unknown = document;
      for (const part of ref.split('/')) node = (node as Record<string, unknown>)[part];
      expect(node, ref).toBeDefined();
    }
  });

  it('in docs is what npm run generate writes', () => {
    const written = readFileSync(new URL('../docs/asyncapi.json', import.meta.url), 'utf8');
    expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(asyncApi(VERSION))));
  });
});

describe('its messages', () => {
  const mostly = <T>(good: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 12, arbitrary: good }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) });
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
  const place = fc.record(
    { epoch: mostly(u64), seq: mostly(u64), by: mostly(fc.constantFrom('range', 'net')) },
    { requiredKeys: ['epoch', 'seq'] },
  );
  const name = fc.constantFrom('sim:BTCUSDT', 'kraken:*', 'x');
  const messages = fc.record(
    {
      op: mostly(fc.constantFrom('subscribe', 'unsubscribe', 'resync', 'ping')),
      id: mostly(fc.oneof(fc.maxSafeInteger(), fc.string({ maxLength: 64 }))),
      channel: mostly(fc.constantFrom(...SERVED_CHANNELS)),
      depth: mostly(fc.integer({ min: 1, max: 100 })),
      intervalMs: mostly(fc.integer({ min: 0, max: 60_000 })),
      grouping: mostly(fc.constantFrom('0.5', '1', '100.25')),
      source: mostly(fc.constantFrom('book', 'venue')),
      mode: mostly(fc.constantFrom('conflate', 'strict')),
      instrument: mostly(name),
      instruments: mostly(fc.array(name, { minLength: 1, maxLength: 3 })),
      resume: mostly(place),
      another: fc.jsonValue({ maxDepth: 1 }),
    },
    { requiredKeys: ['op'] },
  );

  it('of clients hold for all that the server takes', () => {
    let taken = 0;
    fc.assert(
      fc.property(messages, (message) => {
        const parsed = parseControl(JSON.stringify(message));
        if (!parsed.ok) return;
        taken += 1;
        const { op } = parsed.control;
        // What has no meaning for an op or a channel is passed over, whatever it is.
        const { channel, depth, intervalMs, grouping, source, mode, resume, ...rest } = message;
        const meant = {
          ...rest,
          ...(op === 'ping' ? {} : { channel }),
          ...(channel === 'depth' && op !== 'ping'
            ? Object.fromEntries(
                Object.entries({ depth, intervalMs, grouping }).filter(([, value]) => value !== undefined),
              )
            : {}),
          ...(channel === 'bbo' && op !== 'ping' && source != null ? { source } : {}),
          ...(op === 'subscribe' && mode !== undefined ? { mode } : {}),
          ...(op === 'subscribe' && resume !== undefined ? { resume } : {}),
        };
        CLIENT_MESSAGES[op].parse(meant);
      }),
      { numRuns: 5000 },
    );
    expect(taken).toBeGreaterThan(200);
  });

  it.each(['subscribe', 'unsubscribe', 'resync'] as const)('of clients that say %s are understood', (op) => {
    for (const channel of SERVED_CHANNELS) {
      const message = CLIENT_MESSAGES[op].parse({ op, id: 'a', channel, instrument: 'sim:BTCUSDT' });
      expect(parseControl(JSON.stringify(message)).ok).toBe(true);
    }
  });

  it('of a server are those that it sends, with no field beside', async () => {
    const server = await startServer({ server: { heartbeatMs: 50 } });
    running.push(server);
    const client = await TestClient.open(server.port);
    client.send({ op: 'ping', id: 1 });
    client.send({ op: 'subscribe', id: 2, channel: 'book', instrument: 'sim:BTCUSDT' });
    client.send({
      op: 'subscribe',
      id: 3,
      channel: 'depth',
      instruments: ['sim:*'],
      depth: 10,
      grouping: '0.5',
    });
    client.send({ op: 'subscribe', id: 4, channel: 'bbo', instrument: 'sim:BTC' });
    client.send({
      op: 'subscribe',
      id: 5,
      channel: 'trades',
      instrument: 'sim:BTCUSDT',
      resume: { epoch: '1', seq: '1' },
    });
    client.send({ op: 'unsubscribe', id: 6, channel: 'book', instrument: 'sim:BTCUSDT' });
    await client.until(() => {
      const ops = new Set(client.control.map(({ op }) => op));
      return ['heartbeat', 'unsubscribed', 'error'].every((op) => ops.has(op));
    }, 'all kinds of messages');
    server.server.serve(server.native.catalogue.slice(1));
    await client.until(() => client.control.some(({ op }) => op === 'removed'), 'notice of what is gone');
    await server.stop();
    await client.closed();
    const seen = new Set<string>();
    for (const message of client.control) {
      const op = String(message.op);
      seen.add(op);
      const schema = SERVER_MESSAGES[op as keyof typeof SERVER_MESSAGES];
      expect(schema, op).toBeDefined();
      expect(schema.safeParse(message).error, JSON.stringify(message)).toBeUndefined();
    }
    // Slow readers have a test of their own, below.
    expect([...seen].sort()).toEqual(
      Object.keys(SERVER_MESSAGES)
        .filter((op) => op !== 'slow')
        .sort(),
    );
  });

  it('of a server to a slow reader are as in the protocol', () => {
    const text = readFileSync(new URL('../docs/protocol.md', import.meta.url), 'utf8');
    const examples = [...text.matchAll(/^\{"op":"(\w+)".*\}$/gm)].map(([line]) => line);
    const documented = new Set<string>();
    for (const line of examples.filter((one) => !one.includes('…,'))) {
      const message = JSON.parse(line) as { readonly op: string };
      const all: Readonly<Record<string, { parse(value: unknown): unknown }>> = {
        ...CLIENT_MESSAGES,
        ...SERVER_MESSAGES,
      };
      documented.add(message.op);
      expect(() => all[message.op]?.parse(message), line).not.toThrow();
    }
    for (const op of [...Object.keys(CLIENT_MESSAGES), ...Object.keys(SERVER_MESSAGES)])
      expect([...documented, 'shutdown', 'error'], op).toContain(op);
  });
});
