import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../src/cli/program.js';
import { changeInstruments } from '../src/cli/reload.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-reload-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the instruments of sources that run', () => {
  it('change by what was added and dropped, source by source', () => {
    const changed: unknown[] = [];
    const live = {
      change(source: string, names: readonly string[]): readonly number[] {
        changed.push([source, ...names]);
        return names.map((name) => name.length);
      },
    };
    const many = Array.from({ length: 12 }, (_, at) => `m${at}`);
    const before = [
      { name: 'a', instruments: ['one', 'two'] },
      { name: 'b', instruments: ['x'] },
      { name: 'c', instruments: [] },
    ];
    const after = [
      { name: 'a', instruments: ['two', 'three'] },
      { name: 'new', instruments: ['y'] },
      { name: 'c', instruments: many },
    ];
    const { ids, lines, sources } = changeInstruments(live, before, after);
    expect(changed).toEqual([
      ['a', 'two', 'three'],
      ['b', 'x'],
      ['c', ...many],
    ]);
    expect(ids).toEqual([3, 5, 1, ...many.map(({ length }) => length)]);
    expect(lines).toEqual([
      'a: added three',
      'a: dropped one',
      'c: added m0, m1, m2, m3, m4, m5, m6, m7, m8, m9 and 2 more',
    ]);
    expect(sources).toEqual([after[0], before[1], after[2]]);
  });
});

describe('a hangup', () => {
  /** `depthwire serve` in the folder of this test. */
  function serve(...args: readonly string[]) {
    const output = { out: '', err: '' };
    const listeners = new Set<() => void>();
    const stopping = new AbortController();
    const terminal = (take: (text: string) => void) => ({
      isTty: false,
      hasColor: false,
      size: () => ({ columns: 80, rows: 24 }),
      atExit: () => () => {},
      write: (text: string): Promise<void> => Promise.resolve(take(text)),
    });
    const code = run(['serve', '--port', '0', ...args], {
      stdout: terminal((text) => (output.out += text)),
      stderr: terminal((text) => (output.err += text)),
      signal: stopping.signal,
      env: {},
      folder,
      onHangup: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    });
    return {
      output,
      listeners,
      hangUp: () => {
        for (const listener of listeners) listener();
      },
      until: async (text: string): Promise<void> => {
        for (const late = performance.now() + 10_000; performance.now() < late; await pause(5))
          if (`${output.out}${output.err}`.includes(text)) return;
        throw new Error(`no ${text} in ${output.out}${output.err}`);
      },
      stop: () => {
        stopping.abort('the test');
        return code;
      },
    };
  }

  it('makes a server read its configuration anew, say what waits for the next start, and go on after a fault', async () => {
    writeFileSync(join(folder, 'a.toml'), '[limits]\nclients_max = 5\n');
    const serving = serve('--config', 'a.toml');
    await serving.until('stop     Ctrl-C');
    serving.hangUp();
    await serving.until('reload   nothing has changed\n');
    writeFileSync(join(folder, 'a.toml'), '[limits]\nclients_max = 6\n[sim]\nseed = 4\n');
    serving.hangUp();
    await serving.until(
      'reload   limits.clients_max has changed: from the next start on\nreload   sim.seed has changed',
    );
    writeFileSync(join(folder, 'a.toml'), '[limits]\nclients_max = "x"\n');
    serving.hangUp();
    await serving.until('limits.clients_max (a.toml:2)');
    await serving.until('everything stays as it was');
    expect(await serving.stop()).toBe(0);
    expect(serving.listeners.size).toBe(0);
  });

  it('stays the end of a server that has no configuration', async () => {
    const serving = serve();
    await serving.until('stop     Ctrl-C');
    expect(serving.listeners.size).toBe(0);
    expect(await serving.stop()).toBe(0);
  });
});
