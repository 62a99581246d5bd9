import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { run } from '../src/cli/program.js';
import type { VerifyReport } from '../src/cli/verify-report.js';
import { simulatedRecording } from './support/recording.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const recording = simulatedRecording('BTCUSDT', 5000);
const plain = file('plain', recording);

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A command that runs, with what it has printed so far. */
class Command {
  out = '';
  err = '';
  size = { columns: 80, rows: 24 };
  /** What would be written if the process ended now. */
  atExit = '';
  readonly code: Promise<number>;
  readonly #stop = new AbortController();

  constructor(args: readonly string[], isTty = false) {
    const stream = (take: (text: string) => void) => ({
      isTty,
      hasColor: false,
      size: () => this.size,
      atExit: (text: string) => {
        this.atExit = text;
        return () => {
          this.atExit = '';
        };
      },
      write: (text: string): Promise<void> => {
        take(text);
        return Promise.resolve();
      },
    });
    this.code = run(args, {
      stdout: stream((text) => (this.out += text)),
      stderr: stream((text) => (this.err += text)),
      signal: this.#stop.signal,
      env: {},
      folder,
      onHangup: () => () => {},
      endWithin() {},
    });
  }

  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (const late = performance.now() + 10_000; performance.now() < late; await pause(5)) {
      const match = pattern.exec(this.out);
      if (match !== null) return match;
    }
    throw new Error(`no ${String(pattern)} in: ${this.out}${this.err}`);
  }

  /** The lines of the next screen that is drawn wholly after this call. */
  async nextScreen(): Promise<readonly string[]> {
    this.out = '';
    for (const late = performance.now() + 10_000; performance.now() < late; await pause(5)) {
      const screens = this.out.split('\x1b[H');
      const screen = screens[1];
      // The beginning of another one says that this one is whole.
      if (screens.length > 2 && screen !== undefined)
        return screen.replace('\x1b[J', '').replaceAll('\x1b[K', '').split('\n');
    }
    throw new Error(`no screen in: ${this.out}${this.err}`);
  }

  stop(): Promise<number> {
    this.#stop.abort('SIGINT');
    return this.code;
  }
}

async function ended(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const command = new Command(args);
  const code = await command.code;
  return { code, out: command.out, err: command.err };
}

describe('depthwire', () => {
  it.each([
    [['nonsense'], 'unknown command'],
    [['serve', '--replay', 'x', '--speed', 'fast'], 'a number above 0 and at most 10000, or max'],
    [['serve', '--speed', 'max'], 'config.replay'],
    [['serve', '--host', '0.0.0.0'], 'serve.public_bind'],
    [['serve', '--port', '70000'], 'config.invalid'],
    [['serve', '--replay', '/nowhere'], 'recording.missing'],
    [['serve', '--instrument', 'BTC'], 'config.instrument'],
    [['watch', '-o', 'xml'], 'Use table, json or ndjson'],
    [['watch', '--depth', '0'], 'Give 1 to 100 levels'],
    [['watch', '--url', 'ftp://x'], 'watch.url'],
    [['watch', '--count', '0'], 'Give 1 or more'],
    [['watch', '--timeout', '-1'], 'Give seconds above 0'],
    [['watch', '--grouping', '0'], 'Give a decimal above 0'],
    [['verify'], 'missing required argument'],
    [['fake-venue', '--venue', 'krakn'], 'Write --venue kraken.'],
    [['fake-venue', '--instruments', 'BTCUSDT'], 'fake.instrument'],
    [['fake-venue', '--fault', 'dorp@1'], 'Write for example --fault drop@100.'],
    [['verify', '/nowhere'], 'recording.missing'],
    [['verify', tmpdir()], 'recording.directory'],
  ])('%j is bad usage', async (args, message) => {
    const { code, err } = await ended(...args);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });

  it('prints its version and its help', async () => {
    expect(await ended('--version')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as unknown,
    });
    const help = await ended('--help');
    expect(help.code).toBe(0);
    for (const command of ['serve', 'watch', 'verify', 'fake-venue']) expect(help.out).toContain(command);
  });
});

describe('verify', () => {
  it('proves a good recording, in JSON with both digests', async () => {
    const { code, out } = await ended('verify', '--json', '--instrument', 'sim:BTCUSDT', plain);
    const report = JSON.parse(out) as VerifyReport;
    expect(code).toBe(0);
    expect(report).toMatchObject({
      venue: 'sim',
      files: [plain],
      snapshots: 1,
      gaps: 0,
      resyncs: 0,
      crossed: 0,
      decodeErrors: 0,
      books: [{ instrument: 'sim:BTCUSDT', state: 'synced' }],
    });
    expect(report.frames).toBe(recording.split('\n').length - 1);
    expect(report.applied).toBeGreaterThan(10);
    expect(report.bbo.checked).toBeGreaterThan(0);
    expect(report.bbo.matched).toBe(report.bbo.checked);
    const [book] = report.books;
    expect(book?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(book?.replicaDigest).toBe(book?.digest);
  });

  it('says the same for gzip, and for a recording in two parts', async () => {
    const half = recording.indexOf('\n', recording.length / 2) + 1;
    const parts = [file('one.gz', gzipSync(recording.slice(0, half))), file('two', recording.slice(half))];
    const digestOf = async (...files: readonly string[]): Promise<string | undefined> => {
      const { out } = await ended('verify', '--json', '--instrument', 'sim:BTCUSDT', ...files);
      return (JSON.parse(out) as VerifyReport).books[0]?.digest;
    };
    const digest = await digestOf(plain);
    expect(digest).toBeDefined();
    expect(await digestOf(file('all.gz', gzipSync(recording)))).toBe(digest);
    expect(await digestOf(...parts)).toBe(digest);
  });

  it('reports for people, and draws a bar on a terminal only', async () => {
    const piped = await ended('verify', '--instrument', 'sim:BTCUSDT', plain);
    expect(piped.err).toBe('');
    expect(piped.out).toMatch(
      /sim:BTCUSDT {2}synced, .*\n.*engine.*\n.*replica.*\n.*h UTC {2}synced [\d.]+ s, \d+ changes\nproven\n$/,
    );
    const command = new Command(['verify', '--instrument', 'sim:BTCUSDT', plain], true);
    expect(await command.code).toBe(0);
    expect(command.err).toMatch(/█.* %/);
  });

  it('fails with 1 on a frame that cannot be decoded', async () => {
    const lines = recording.split('\n');
    lines[40] = lines[40]?.slice(0, -5) ?? '';
    const { code, out, err } = await ended(
      'verify',
      '--json',
      '--instrument',
      'sim:BTCUSDT',
      file('cut', lines.join('\n')),
    );
    expect((JSON.parse(out) as VerifyReport).decodeErrors).toBe(1);
    expect(err).toContain('could not be decoded');
    expect(code).toBe(1);
  });

  it('says of a book that ends stale why, and what helps, in the last line too', async () => {
    const lines = recording.split('\n');
    lines.splice(lines.findLastIndex((line) => line.includes('"depthUpdate"')) - 20, 20);
    const { code, out } = await ended(
      'verify',
      '--instrument',
      'sim:BTCUSDT',
      file('lost', lines.join('\n')),
    );
    expect(out).toContain('FAIL  sim:BTCUSDT ends stale (gap)\n');
    expect(out).toMatch(
      /\nnot proven: sim:BTCUSDT is stale \(gap\): Updates are missing: give all files in the order.*heals it\.\n$/,
    );
    expect(code).toBe(1);
  });

  it('names what the recording holds where it is asked for something else', async () => {
    const { code, err } = await ended('verify', '--instrument', 'sim:BTCUSD', plain);
    expect(err).toContain('recording.no_such_instrument');
    expect(err).toContain('expected: binance:BTCUSDT');
    expect(err).toContain('fix:      Write --instrument binance:BTCUSDT.');
    expect(code).toBe(2);
    const serving = await ended('serve', '--port', '0', '--replay', plain, '--instrument', 'sim:BTCUSD');
    expect([serving.code, serving.err]).toEqual([2, err]);
    const embedded = await ended('serve', '--port', '0', '--instrument', 'sim:BTCUSD');
    expect(embedded.err).toContain('serve.no_such_instrument');
    expect(embedded.err).toContain('Write sim:BTCUSDT.');
    expect(embedded.code).toBe(2);
  });

  it('fails with 1 on a gap that no snapshot heals', async () => {
    const lines = recording.split('\n');
    const updates = lines.flatMap((line, index) => (line.includes('"depthUpdate"') ? [index] : []));
    lines.splice(updates[20] ?? 0, 1);
    const { code, out } = await ended(
      'verify',
      '--json',
      '--instrument',
      'sim:BTCUSDT',
      file('gap', lines.join('\n')),
    );
    const report = JSON.parse(out) as VerifyReport;
    expect(report.gaps).toBe(1);
    expect(report.books[0]?.state).toBe('stale');
    expect(code).toBe(1);
  });

  it.each([
    ['truncated.gz', () => gzipSync(recording).subarray(0, 8), 'recording.truncated'],
    ['packed.xz', () => Buffer.from('fd377a585a000004e6d6b446', 'hex'), 'recording.packing'],
    ['foreign', () => 'not a recording\n', 'recording.unknown_format'],
    ['empty', () => '', 'recording.empty'],
  ])('fails with 1 and a typed error on a file that is %s', async (name, content, codeStart) => {
    const { code, out, err } = await ended(
      'verify',
      '--json',
      '--instrument',
      'sim:BTCUSDT',
      file(name, content()),
    );
    const { error } = JSON.parse(out) as { error: { code: string; fix: string } };
    expect(error.code.startsWith(codeStart)).toBe(true);
    expect(error.fix).not.toBe('');
    expect(err).toContain(error.code);
    expect(code).toBe(1);
  });
});

describe('serve of a packed recording', () => {
  it('refuses one whose content is damaged, before a line of it is served', async () => {
    const packed = gzipSync(recording);
    packed[packed.length - 8] = (packed[packed.length - 8] ?? 0) ^ 1;
    const { code, out, err } = await ended('serve', '--port', '0', '--replay', file('damaged.gz', packed));
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('recording.corrupt');
  });
});

describe('serve and watch', () => {
  it('serve the embedded venue, show it in every format, and end when asked', async () => {
    const serving = new Command(['serve', '--port', '0', '--seed', '3']);
    const [, url = ''] = await serving.until(/health {3}(http:\/\/127\.0\.0\.1:\d+)\/health/);
    await serving.until(
      /books {4}4 synced\nsource {3}embedded venue: simulated, 4 of 4 books synced, .*no gap\n/,
    );
    const json = await ended('watch', 'sim:BTCUSDT', '--url', url, '-o', 'json', '--depth', '3');
    expect(json.code).toBe(0);
    const book = JSON.parse(json.out) as { bids: string[][]; asks: string[][] };
    expect(book).toMatchObject({ instrument: 'sim:BTCUSDT', state: 'synced', reason: 'none' });
    expect(book.bids).toHaveLength(3);
    expect(book.asks).toHaveLength(3);
    expect(Number(book.bids[0]?.[0])).toBeLessThan(Number(book.asks[0]?.[0]));

    const table = await ended('watch', '--url', url, '--depth', '2');
    expect(table.code).toBe(0);
    expect(table.out).toMatch(/^sim:\w+ {2}synced/);
    expect(table.out).not.toContain('\x1b');
    // The last output is of the book as it was before its connection ended.
    const two = await ended('watch', 'sim:BTCUSDT', '--url', url, '--depth', '2', '--count', '2');
    expect(two.code).toBe(0);
    expect(two.out.match(/^sim:BTCUSDT {2}synced$/gm)).toHaveLength(2);
    expect(two.out).not.toContain('NO MARKET');

    const counted = await ended('watch', 'sim:*', '--url', url, '-o', 'json', '--depth', '1');
    const books = counted.out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { instrument: string }).instrument);
    expect([counted.code, books.sort()]).toEqual([
      0,
      ['sim:BTCUSDT', 'sim:DOGEUSDT', 'sim:ETHUSDT', 'sim:SOLUSDT'],
    ]);
    const grouped = await ended(
      'watch',
      'sim:BTCUSDT',
      '--url',
      url,
      '-o',
      'ndjson',
      '--count',
      '3',
      '--grouping',
      '5',
    );
    expect(grouped.code).toBe(0);
    const lines5 = grouped.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { bids: string[][] });
    expect(lines5).toHaveLength(3);
    for (const [price] of lines5.flatMap(({ bids }) => bids)) expect(Number(price) % 5).toBe(0);

    const updates = new Command(['watch', 'sim:BTCUSDT', '--url', url, '-o', 'ndjson', '--depth', '5']);
    await updates.until(/(.*\n){4}/);
    expect(await updates.stop()).toBe(0);
    const lines = updates.out.trim().split('\n');
    expect(new Set(lines).size).toBe(lines.length);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ instrument: 'sim:BTCUSDT' });

    const live = new Command(['watch', 'sim:BTCUSDT', '--url', url, '--depth', '2'], true);
    await live.until(/synced/);
    const leave = '\x1b[?25h\x1b[?1049l';
    expect([live.out.startsWith('\x1b[?1049h\x1b[?25l'), live.atExit]).toEqual([true, leave]);
    expect(await live.stop()).toBe(0);
    expect([live.out.endsWith(leave), live.atExit]).toEqual([true, '']);

    for (const slip of ['BTCUSDT', 'btc', 'sim:BTC', 'BTCUSDR']) {
      const meant = await ended('watch', slip, '--url', url);
      expect(meant.err).toContain('Write sim:BTCUSDT.');
      expect(meant.code).toBe(1);
    }
    const many = await ended('watch', 'USDT', '--url', url);
    expect(many.err).toContain('Choose one that the server has.');

    const second = await ended('serve', '--port', new URL(url).port);
    expect(second.err).toContain('serve.port_taken');
    expect(second.code).toBe(1);

    expect(await serving.stop()).toBe(0);
    expect(serving.out).toContain('stopping (SIGINT)');
    await expect(fetch(`${url}/health`)).rejects.toThrow();
    const late = await ended('watch', '--url', url, '--timeout', '0.7');
    expect(late.err).toMatch(/^no server answers at .*: trying again .*\nerror: nothing came in time/);
    expect([late.err.match(/trying again/g)?.length, late.code]).toEqual([1, 3]);
  });

  it('serves a recording to its end and keeps the last book', async () => {
    const serving = new Command([
      'serve',
      '--port',
      '0',
      '--replay',
      plain,
      '--speed',
      'max',
      '--instrument',
      'sim:BTCUSDT',
    ]);
    const [, url = ''] = await serving.until(/health {3}(http:\/\/127\.0\.0\.1:\d+)\/health/);
    await serving.until(/replay {3}finished/);
    const answer = (await (await fetch(`${url}/v1/book/sim:BTCUSDT?depth=1`)).json()) as object;
    const { out } = await ended('verify', '--json', '--instrument', 'sim:BTCUSDT', plain);
    const [book] = (JSON.parse(out) as VerifyReport).books;
    expect(answer).toMatchObject({ state: 'synced', bidCount: book?.bids, askCount: book?.asks });
    const ageMs = async (): Promise<number> => {
      const list = (await (await fetch(`${url}/v1/instruments`)).json()) as {
        instruments: { ageMs: number }[];
      };
      return list.instruments[0]?.ageMs ?? 0;
    };
    const before = await ageMs();
    await expect.poll(ageMs).toBeGreaterThan(before + 50);
    const health = await fetch(`${url}/health`);
    expect([health.status, await health.json()]).toMatchObject([200, { status: 'ok', source: 'finished' }]);
    expect(await serving.stop()).toBe(0);
  });

  it('tells of a recording that is cut off, in words and by its health', async () => {
    // Longer than what is looked at before it is served.
    const whole = recording.repeat(Math.ceil((2 << 20) / recording.length));
    const cut = file('cut.gz', gzipSync(whole).subarray(0, -20));
    const serving = new Command([
      'serve',
      '--port',
      '0',
      '--replay',
      cut,
      '--speed',
      'max',
      '--instrument',
      'sim:BTCUSDT',
    ]);
    const [, url = ''] = await serving.until(/health {3}(http:\/\/127\.0\.0\.1:\d+)\/health/);
    await expect.poll(() => serving.err).toContain('recording.truncated');
    const health = async (): Promise<unknown> => {
      const answer = await fetch(`${url}/health`);
      return [answer.status, await answer.json()];
    };
    await expect.poll(health).toMatchObject([503, { status: 'failed', source: 'failed' }]);
    expect(serving.out).not.toContain('finished');
    expect(await serving.stop()).toBe(0);
  });
});

describe('watch', () => {
  it.each([
    ['a page', '<!doctype html>'],
    ['other JSON', '{"error":"Not found"}'],
    ['null', 'null'],
  ])('says that a foreign server which answers %s is no depthwire server', async (_what, body) => {
    const server = createServer((_request, response) => response.writeHead(404).end(body));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, err } = await ended('watch', '--url', `http://127.0.0.1:${port}`);
    server.close();
    expect(err).toContain('watch.not_depthwire');
    expect(err).toContain('fix:');
    expect(code).toBe(1);
  });

  it('fits its ladder into the terminal and keeps saying what it is when the server is gone', async () => {
    const serving = new Command(['serve', '--port', '0']);
    const [, url = ''] = await serving.until(/health {3}(http:\/\/127\.0\.0\.1:\d+)\/health/);
    await serving.until(/books {4}4 synced/);
    const live = new Command(['watch', 'sim:BTCUSDT', '--url', url, '--depth', '100'], true);
    await live.until(/synced/);
    live.size = { columns: 30, rows: 9 };
    const lines = await live.nextScreen();
    expect(lines).toHaveLength(9);
    expect(lines[0]).toBe('sim:BTCUSDT  synced');
    expect(lines[5]).toMatch(/^ ── spread/);
    for (const line of lines) expect(line.length).toBeLessThan(30);
    live.size = { columns: 80, rows: 2 };
    expect((await live.nextScreen()).map((line) => line.slice(0, 19))).toEqual([
      'sim:BTCUSDT  synced',
      expect.any(String),
    ]);
    live.size = { columns: 80, rows: 12 };
    await serving.stop();
    await live.until(/sim:BTCUSDT {2}NO SERVER, connecting again/);
    const gone = await live.nextScreen();
    expect(gone.join('\n')).toMatch(/\n~\d.*\n ── NO MARKET: NO SERVER, conn.*\n~\d/);
    expect(gone.join('\n')).not.toContain('█');
    expect(await live.stop()).toBe(0);
  });
});

describe('fake-venue', () => {
  it('says where it is, speaks as the venue, and at its end what happened', async () => {
    const command = new Command([
      'fake-venue',
      ...[
        '--venue',
        'binance',
        '--instruments',
        'AAAUSDT',
        'BBBUSDT',
        '--port',
        '0',
        '--fault',
        'drop:book@1',
      ],
    ]);
    const [, url = ''] = await command.until(/--url wss:\S+=(ws:\S+)/);
    await command.until(/stop {5}Ctrl-C\n/);
    expect(command.out).toContain('venue    binance  AAAUSDT BBBUSDT');
    const socket = new WebSocket(`${url}/stream`);
    await once(socket, 'open');
    socket.send('{"method":"SUBSCRIBE","params":["aaausdt@depth@100ms"],"id":1}');
    for (let frames = 0; frames < 3; frames++) await once(socket, 'message');
    expect(await command.stop()).toBe(0);
    expect(command.out).toContain('asked    1 connections, 1 messages, 0 requests');
    expect(command.out).toContain('faults   1 × drop');
    socket.terminate();
  });
});
