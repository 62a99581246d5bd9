import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';

const CLIENT = new URL('../src/wire/index.ts', import.meta.url).pathname;

/** What a page has of the client, minified, when it uses so much of it. */
async function bundled(used: string): Promise<{ readonly code: string; readonly gzipBytes: number }> {
  const entry = 'virtual:entry';
  const outputs = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      modulePreload: false,
      target: 'es2022',
      minify: true,

      rolldownOptions: { input: entry, external: ['ws'], preserveEntrySignatures: 'strict' },
    },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) =>
          id === entry
            ? `import { channel, connect } from ${JSON.stringify(CLIENT)};\nexport default ${used};`
            : null,
      },
    ],
  });
  const [output] = Array.isArray(outputs) ? outputs : [outputs];
  if (output === undefined || !('output' in output)) throw new Error('nothing was built');
  const chunks = output.output.flatMap((chunk) => (chunk.type === 'chunk' ? [chunk.code] : []));
  const code = chunks.join('\n');
  return { code, gzipBytes: gzipSync(code, { level: 9 }).length };
}

/** A word that stands in one channel alone, by the channel. */
const WORDS = {
  trades: 'aggressor',
  orders: 'ordersAhead',
  ticker: 'openInterest',
  costs: 'priceAverage',
  signals: 'weighted_mid',
  volumes: 'missedAt',
  status: 'lostFrom',
} as const;

describe('the client in a page', () => {
  it('is small where books alone are used, and has nothing of other channels', async () => {
    const { code, gzipBytes } = await bundled('connect');
    expect(gzipBytes).toBeLessThanOrEqual(21_800);
    for (const word of Object.values(WORDS)) expect(code).not.toContain(word);
  });

  it.each(Object.entries(WORDS))('has of the channels that which is named: %s', async (name) => {
    const { code } = await bundled(`[connect, channel.${name}]`);
    const found = Object.entries(WORDS).filter(([, word]) => code.includes(word));
    expect(found.map(([channel]) => channel)).toEqual([name]);
  });

  it('has all of them where all are used', async () => {
    const { code, gzipBytes } = await bundled('[connect, channel]');
    expect(gzipBytes).toBeLessThanOrEqual(28_300);
    for (const word of Object.values(WORDS)) expect(code).toContain(word);
  });
});
