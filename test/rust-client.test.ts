import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withCargoOnPath } from '../scripts/tools.mjs';
import { simulatedRecording } from './support/recording.js';
import { ServedRecording } from './support/served-recording.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NAME = 'sim:BTCUSDT';
const folder = mkdtempSync(join(tmpdir(), 'depthwire-rust-client-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** As the Rust tests are built, so that what they have built is used again. */
const BUILD = [
  ...['build', '--locked', '--release', '--package', 'depthwire-client', '--example', 'digests'],
  ...['--config', 'profile.release.lto=false', '--config', 'profile.release.codegen-units=16'],
];

/** The example `digests` of the Rust client: says on demand how its book stands. */
class RustClient {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterableIterator<string>;

  constructor(port: number) {
    const program = join(ROOT, 'target', 'release', 'examples', 'digests');
    this.#child = spawn(program, [`http://127.0.0.1:${port}`, NAME]);
    this.#child.stderr.resume();
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** State, sequence and digest of the book, how many trades it was told, and how many messages. */
  async ask(): Promise<{ state: string; seq: number; trades: number; digest: string; messages: number }> {
    this.#child.stdin.write('\n');
    const line = (await this.#lines.next()).value as string;
    const [, messages] = /messages: (\d+)/.exec((await this.#lines.next()).value as string) ?? [];
    const [, state = '', , seq, trades, digest = ''] = line.split(' ');
    return { state, seq: Number(seq), trades: Number(trades), digest, messages: Number(messages) };
  }

  stop(): void {
    this.#child.kill();
  }
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
    const client = new RustClient(served.serving.port);
    try {
      // Greeting and two acknowledgements: its subscriptions stand before anything is replayed.
      while ((await client.ask()).messages < 3) await pause(10);
      isOpen = true;
      const { engine } = served.serving;
      const late = performance.now() + 20_000;
      for (;;) {
        const told = await client.ask();
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
});
