import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Reading } from '../src/cli/reading.js';
import { RecordingDamage } from '../src/ingest/damage.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-reading-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: number): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.alloc(bytes));
  return path;
}

function damageIn(where: string): RecordingDamage {
  return new RecordingDamage('corrupt', {
    what: 'is damaged',
    where,
    expected: 'all',
    got: 'some',
    fix: 'none',
  });
}

it('keeps the first hundred damages and counts all', async () => {
  const reading = await Reading.of([]);
  expect(reading.damageOf({ damage: undefined })).toBeUndefined();
  const damages = Array.from({ length: 150 }, (_, at) => damageIn(`part-${at}`));
  for (const damage of damages) expect(reading.damageOf({ damage })).toBe(damage);
  expect(reading.damages).toEqual(damages.slice(0, 100));
  expect(reading.damaged).toBe(150);
});

it('tells the share of all files that is read, from 0 to 1, of none that are empty, too', async () => {
  const shares: number[] = [];
  const reading = await Reading.of([file('a', 30), file('b', 10)], (share) => shares.push(share));
  expect(reading.totalBytes).toBe(40);
  // A file that is still written to may have more by then.
  for (const bytes of [0, 10, 40, 50]) reading.show(bytes);
  const empty = await Reading.of([file('c', 0)], (share) => shares.push(share));
  empty.show(0);
  expect(shares).toEqual([0, 0.25, 1, 1, 0]);
});
