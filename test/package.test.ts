import { execFile } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const node = async (...args: readonly string[]) =>
  (await promisify(execFile)(process.execPath, args, { cwd: root })).stdout;

// By name, as an installed package is used: what `exports` and `bin` say must exist in the built package.
describe('the built package', () => {
  it('gives the client by its name', async () => {
    const program = `import { connect, LocalBook } from 'depthwire/client';
      console.log(typeof connect, new LocalBook().state);`;
    expect(await node('--input-type=module', '--eval', program)).toBe('function syncing\n');
  });

  it('gives the reader of shared books by its name', async () => {
    const program = `import { allocateSharedBook, SharedBook } from 'depthwire/shared';
      console.log(new SharedBook(allocateSharedBook(20)).readTop());`;
    expect(await node('--input-type=module', '--eval', program)).toBe('closed\n');
  });

  it('gives the engine, which knows the place of an order in its queue', async () => {
    const program = `import { EVERYTHING_NS, openEngine } from 'depthwire';
      const engine = openEngine(
        { startId: 1, silenceMs: 0, replay: true, outputBytes: 4 << 20 },
        { onFrame() {}, onAsk() {}, onSay() {}, onFault(error) { throw error; } },
      );
      const id = engine.addInstrument('nasdaq:ABCD');
      const source = engine.openSource('nasdaq', [id]);
      const add = (ref) => '0024' + '41' + '00010000000000000001' + ref.padStart(16, '0') + '42' +
        '00000064' + '4142434420202020' + '000f4240';
      const start = '000c' + '53' + '00000000000000000000' + '4f';
      engine.ingestRecording(source, Buffer.from(start + add('7') + add('8'), 'hex'), EVERYTHING_NS);
      const { side, price, qty, ordersAhead, qtyAhead } = engine.order(id, 8n);
      console.log(engine.book(id).bestBid, side, price, qty, ordersAhead, qtyAhead, engine.order(id, 9n));`;
    expect(await node('--input-type=module', '--eval', program)).toBe('100 bid 1000000n 100n 1 100n null\n');
  });

  it('gives the layout of the feed by its name, and packs it', async () => {
    const program = `import { readFileSync } from 'node:fs';
      console.log(readFileSync(new URL(import.meta.resolve('depthwire/schema')), 'utf8').includes('DWF1'));`;
    expect(await node('--input-type=module', '--eval', program)).toBe('true\n');
    const { files } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
      readonly files: readonly string[];
    };
    expect(files).toContain('crates/core/schema/feed.fbs');
  });

  it('keeps everything else to itself', async () => {
    const program = `await import('depthwire/engine').catch((error) => console.log(error.code));`;
    expect(await node('--input-type=module', '--eval', program)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });

  it('has a command that the system can start', async () => {
    const { version, bin } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
      readonly version: string;
      readonly bin: Readonly<Record<string, string>>;
    };
    const command = `${root}/${bin.depthwire}`;
    expect(() => accessSync(command, constants.X_OK)).not.toThrow();
    const { stdout } = await promisify(execFile)(command, ['--version']);
    expect(stdout).toBe(`${version}\n`);
  });
});
