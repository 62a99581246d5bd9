import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { changeSources } from '../src/cli/reload.js';
import { serveCommand } from './support/serve-command.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-reload-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the sources that run', () => {
  const source = (name: string, ...instruments: readonly string[]) => ({ name, venue: name, instruments });

  /** Takes down what is done to it; fails at a source of that name. */
  class Live {
    readonly done: unknown[] = [];
    readonly #wrong: string;

    constructor(wrong = '') {
      this.#wrong = wrong;
    }

    add({ name }: { readonly name: string }): void {
      if (name === this.#wrong) throw new Error('no such channel');
      this.done.push(['add', name]);
    }

    remove(name: string): void {
      this.done.push(['remove', name]);
    }

    change(name: string, names: readonly string[]): void {
      this.done.push(['change', name, ...names]);
    }
  }

  it('change by what was added and dropped, source by source', () => {
    const live = new Live();
    const many = Array.from({ length: 12 }, (_, at) => `m${at}`);
    const before = [source('a', 'one', 'two'), source('b', 'x'), source('c'), source('d', 'same')];
    const after = [
      source('d', 'same'),
      source('a', 'two', 'three'),
      source('new', 'y'),
      source('c', ...many),
    ];
    expect(changeSources(live, before, after)).toEqual([
      'new: opened with y',
      'a: added three',
      'a: dropped one',
      'c: added m0, m1, m2, m3, m4, m5, m6, m7, m8, m9 and 2 more',
      'b: closed with x',
    ]);
    expect(live.done).toEqual([
      ['add', 'new'],
      ['change', 'd', 'same'],
      ['change', 'a', 'two', 'three'],
      ['change', 'c', ...many],
      ['remove', 'b'],
    ]);
  });

  it('stay as they are where one that comes cannot be opened', () => {
    const live = new Live('wrong');
    const after = [source('good', 'x'), source('wrong', 'y')];
    expect(() => changeSources(live, [source('a', 'z')], after)).toThrow('no such channel');
    expect(live.done).toEqual([
      ['add', 'good'],
      ['remove', 'good'],
    ]);
  });
});

describe('a hangup', () => {
  const serve = (...args: readonly string[]) => serveCommand(folder, ...args);

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
