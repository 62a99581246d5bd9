import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { startServing } from '../src/cli/serve.js';
import { configFrom } from '../src/config.js';
import { ownCodes } from '../src/fake-venue/simulated-market.js';
import { fakeVenue, until } from './support/fake-venue.js';
import { LIVE_PRODUCTS } from './support/live-rig.js';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Health {
  readonly books: { readonly syncing: number; readonly synced: number; readonly stale: number };
  readonly sources: readonly {
    readonly name: string;
    readonly checksums: { readonly checked: number; readonly matched: number };
    readonly tops: { readonly checked: number; readonly matched: number };
  }[];
}

it('all products at once, several of them at one address, are served from their own lists', {
  timeout: 90_000,
}, async () => {
  const codes = Object.fromEntries(LIVE_PRODUCTS.map((name) => [name, ownCodes(name)]));
  const venue = await fakeVenue(codes);
  closing.push(() => venue.stop());
  const cacheDir = mkdtempSync(join(tmpdir(), 'depthwire-lists-'));
  closing.push(() => rmSync(cacheDir, { recursive: true }));
  const urls = Object.fromEntries(venue.hosts().map(({ venue: own, fake }) => [own, fake]));
  const sources = LIVE_PRODUCTS.map((name) => [name, { instruments: ['*'], urls }]);
  const config = configFrom({
    server: { port: 0, drainMs: 100 },
    catalogue: { cacheDir },
    sources: Object.fromEntries(sources),
  });
  const serving = await startServing(config, new Map(), () => {}, {});
  closing.push(() => serving.stop('test is over'));
  const books = Object.values(codes).flat().length;
  await until(() => serving.server.books().synced === books, 60_000);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const health = (await (await fetch(`http://127.0.0.1:${serving.port}/health`)).json()) as Health;
  expect(health.books).toEqual({ syncing: 0, synced: books, stale: 0 });
  for (const { name, checksums, tops } of health.sources) {
    expect([checksums.matched, tops.matched], name).toEqual([checksums.checked, tops.checked]);
  }
  expect(venue.breaches()).toEqual([]);
});
