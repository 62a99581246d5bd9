import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkedProfile, checkedTarget, testedPackages } from '../scripts/sources.mjs';
import { withCargoOnPath } from '../scripts/tools.mjs';
import { type Serving, startServing } from '../src/cli/serve.js';
import { type ConfigInput, configFrom } from '../src/config.js';
import { selfSigned } from '../src/fake-venue/certificate.js';
import {
  type CostsSubscription,
  channel,
  connect,
  decimalText,
  type SignalsSubscription,
  type VolumesSubscription,
} from '../src/wire/index.js';
import { simulatedRecording } from './support/recording.js';
import { ServedRecording } from './support/served-recording.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NAME = 'sim:BTCUSDT';
const folder = mkdtempSync(join(tmpdir(), 'depthwire-rust-client-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** As the Rust tests are built, so that what they have built is used again. */
const BUILD = [
  ...['build', '--locked', ...checkedProfile, ...testedPackages],
  ...['--example', 'digests', '--example', 'computed'],
];

/** An example of the Rust client, which says on demand what it has. */
class RustClient {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterableIterator<string>;
  err = '';

  constructor(example: 'digests' | 'computed', args: readonly string[]) {
    this.#child = spawn(join(checkedTarget, 'examples', example), args);
    this.#child.stderr.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** What it says, and its counters behind that. */
  async ask(): Promise<{ readonly lines: readonly string[]; readonly counters: string }> {
    this.#child.stdin.write('\n');
    const lines: string[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`it has ended: ${this.err}`);
      if (value.startsWith('Counters')) return { lines, counters: value };
      lines.push(value);
    }
  }

  /** State, sequence and digest of the book, how many trades it was told, and how many messages. */
  async book(): Promise<{ state: string; seq: number; trades: number; digest: string; messages: number }> {
    const { lines, counters } = await this.ask();
    const [, messages] = /messages: (\d+)/.exec(counters) ?? [];
    const [, state = '', , seq, trades, digest = ''] = (lines[0] ?? '').split(' ');
    return { state, seq: Number(seq), trades: Number(trades), digest, messages: Number(messages) };
  }

  /** Asks until what it says passes. */
  async until(passes: (lines: readonly string[]) => boolean, what: string): Promise<readonly string[]> {
    for (const late = performance.now() + 20_000; ; await pause(10)) {
      const { lines } = await this.ask();
      if (passes(lines)) return lines;
      if (performance.now() > late) throw new Error(`no ${what}: ${lines.join('\n')} ${this.err}`);
    }
  }

  stop(): void {
    this.#child.kill();
  }
}

/** What a TypeScript client has of the same streams, in the words of the example `computed`. */
function told(
  volumes: VolumesSubscription,
  costs: CostsSubscription,
  signals: SignalsSubscription,
): readonly string[] {
  const { volumes: rows, topic } = volumes;
  const { qtyExponent = 0 } = costs.granted ?? {};
  const traded = rows.rows.map(({ price, bought, sold, trades }) => {
    const [at, ...qtys] = [
      decimalText(price, rows.priceExponent),
      ...[bought, sold].map((qty) => decimalText(qty, qtyExponent)),
    ];
    return `${at}:${qtys.join(':')}:${trades}`;
  });
  const taken = (costs.costs?.rows ?? []).map((row) => {
    const average = row.priceAverage === undefined ? '-' : decimalText(row.priceAverage, row.priceExponent);
    const cost = row.cost === undefined ? '-' : decimalText(row.cost, row.costExponent);
    const side = row.side === 'bid' ? 'Bid' : 'Ask';
    return `${side}:${row.bps}:${row.filled}:${average}:${cost}:${row.isComplete}`;
  });
  const computed = (signals.signals?.rows ?? []).map(
    ({ name, value, exponent, windowNs, isPartial }) =>
      `${name}:${decimalText(value, exponent)}:${windowNs}${isPartial ? '~' : ''}`,
  );
  return [
    [topic.instrument, rows.state, `since:${rows.since}:${rows.missedAt}`, ...traded].join(' '),
    [topic.instrument, costs.state, ...taken].join(' '),
    [topic.instrument, signals.state, ...computed].join(' '),
  ];
}

describe('the Rust client', () => {
  beforeAll(async () => {
    await promisify(execFile)('cargo', BUILD, { cwd: ROOT, env: withCargoOnPath(process.env) });
  }, 600_000);

  it('ends a recording that a server replays with the digest of its engine', async () => {
    const file = join(folder, 'recording');
    writeFileSync(file, simulatedRecording('BTCUSDT', 30_000));
    await using served = await ServedRecording.start([file], NAME);
    let isOpen = false;
    served.gate(() => isOpen);
    const client = new RustClient('digests', [`http://127.0.0.1:${served.serving.port}`, NAME]);
    try {
      // Greeting and two acknowledgements: its subscriptions stand before anything is replayed.
      while ((await client.book()).messages < 3) await pause(10);
      isOpen = true;
      const { engine } = served.serving;
      const late = performance.now() + 20_000;
      for (;;) {
        const told = await client.book();
        const own = engine.book(served.id);
        if (
          told.state === 'synced' &&
          BigInt(told.seq) === own.seq &&
          told.digest === engine.digest(served.id)
        ) {
          if (engine.stats().trades > 0 && told.trades === engine.stats().trades) break;
        }
        if (performance.now() > late)
          expect.fail(JSON.stringify({ told, own, stats: engine.stats().trades }, String));
        await pause(20);
      }
    } finally {
      client.stop();
    }
    expect(served.serving.engine.stats().applied).toBeGreaterThan(200);
  });

  describe('by a pattern', () => {
    const quantities = ['0.5', '100000'];
    const ASKED = ['sim:BTC*', quantities.join(), '20'];
    /** A server of a recording that takes its time, so that readers are there before it ends. */
    const start = (more: ConfigInput = {}): Promise<Serving> => {
      const file = join(folder, 'paced');
      writeFileSync(file, simulatedRecording('BTCUSDT', 30_000));
      const config = configFrom({
        server: { port: 0, drainMs: 300 },
        instruments: [{ name: NAME }],
        replay: { files: [file], speed: 20 },
        ...more,
      });
      return startServing(config, new Map(), () => {});
    };

    it('has what has traded and what quantities cost, as the TypeScript client has it', async () => {
      const serving = await start();
      const client = new RustClient('computed', [`127.0.0.1:${serving.port}`, ...ASKED]);
      const feed = connect(`ws://127.0.0.1:${serving.port}`);
      try {
        const volumes = feed.subscribe(channel.volumes, NAME, { intervalMs: 0 });
        const costs = feed.subscribe(channel.costs, NAME, { quantities, bps: [20], intervalMs: 0 });
        const options = { intervalMs: 0, windowMs: 5000, vpinVolume: '0.5', vpinBuckets: 10 };
        const signals = feed.subscribe(channel.signals, NAME, options);
        await serving.source.ended;
        const lines = await client.until((lines) => {
          const own = told(volumes, costs, signals);
          return lines.length === 3 && lines.every((line, at) => line === own[at]);
        }, 'agreement');
        expect(lines[0]).toMatch(/^sim:BTCUSDT synced since:\d+:0 \d+(\.\d+)?:/);
        expect(lines[1]?.split(' ')).toHaveLength(8);
        expect(lines[2]).toMatch(/ mid:\d+(\.\d+)?:0 .* vpin:0\.\d+:0 /);
        expect((await client.ask()).counters).toMatch(/gaps: 0, .* check_failures: 0, resyncs: 0/);
      } finally {
        client.stop();
        await feed.close();
        await serving.stop('test is over');
      }
    });

    it('has it over TLS, where it trusts the certificate', async () => {
      const { cert, key } = selfSigned(new Date());
      const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
      writeFileSync(certFile, cert);
      writeFileSync(keyFile, key);
      const serving = await start({ tls: { certFile, keyFile } });
      const clients = [
        new RustClient('computed', [`wss://localhost:${serving.port}`, ...ASKED, certFile]),
        new RustClient('computed', [`https://127.0.0.1:${serving.port}`, ...ASKED, certFile]),
        // Mozilla's authorities know nothing of this one.
        new RustClient('computed', [`wss://localhost:${serving.port}`, ...ASKED]),
        new RustClient('computed', [`ws://localhost:${serving.port}`, ...ASKED, certFile]),
      ] as const;
      try {
        await serving.source.ended;
        const isWhole = (lines: readonly string[]): boolean =>
          lines.length === 3 && lines.every((line) => line.startsWith(`${NAME} synced `));
        // Each in its own time, and what is computed of it at an interval last.
        await expect
          .poll(
            async () => {
              const [named, numbered] = await Promise.all(
                [clients[0], clients[1]].map((client) => client.until(isWhole, 'book over TLS')),
              );
              return named?.join('\n') === numbered?.join('\n');
            },
            { timeout: 20_000 },
          )
          .toBe(true);
        for (const client of [clients[2], clients[3]]) expect((await client.ask()).lines).toEqual([]);
        expect(clients[2].err).toContain('UnknownIssuer');
        expect(clients[3].err).toMatch(/feed\.\w+/);
      } finally {
        for (const client of clients) client.stop();
        await serving.stop('test is over');
      }
    });

    it('is told in all parts why a quantity cannot be held', async () => {
      const serving = await start();
      const client = new RustClient('computed', [`127.0.0.1:${serving.port}`, NAME, '9'.repeat(18), '']);
      try {
        const lines = await client.until((lines) => lines.some((line) => line.includes('|')), 'refusal');
        const [code, what, where, expected, got, fix] = (lines[0] ?? '').split('|');
        expect([code, where, got]).toEqual(['feed.bad_field', 'subscribe.quantities', '9'.repeat(18)]);
        expect([what, expected, fix].every((text) => (text ?? '') !== '')).toBe(true);
        expect(expected).toContain('at most');
      } finally {
        client.stop();
        await serving.stop('test is over');
      }
    });
  });
});
