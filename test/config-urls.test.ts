import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Layered } from '../src/config/layers.js';
import { fault, type Given, layeredIn } from './support/layered.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-addresses-'));
afterAll(() => rmSync(folder, { recursive: true }));

function layered(given: Given): Layered {
  return layeredIn(folder, given);
}

describe('an address of a source', () => {
  it.each([
    ['kraken:A', 'https://api.kraken.com/0=http://127.0.0.1:1'],
    ['kucoin:A', 'wss://ws-api-spot.kucoin.com=ws://127.0.0.1:1'],
    ['coinbase-exchange:A', 'https://api.exchange.coinbase.com/products/BTC-USD=http://127.0.0.1:1'],
  ])('of %s is replaced by %s', (source, url) => {
    const { config } = layered({ flags: { sources: [source], texts: { url: [url] } } });
    expect(Object.values(config.sources)[0]?.urls).toEqual(Object.fromEntries([url.split(/=(?=\w+:)/)]));
  });

  it('that is given for all sources fits a venue, whether it is served or not', () => {
    const url = ['wss://ws.kraken.com=ws://127.0.0.1:1'];
    for (const sources of [['kraken:A', 'binance:B'], ['binance:B']])
      for (const more of ['wss://ws-api-spot.kucoin.com=ws://127.0.0.1:1', ...url])
        expect(() => layered({ flags: { sources, texts: { url: [more] } } })).not.toThrow();
    const wrong = ['wss://ws.krakn.com=ws://127.0.0.1:1'];
    const error = fault(() => layered({ flags: { sources: ['binance:B'], texts: { url: wrong } } }));
    expect([error.code, error.what]).toEqual(['config.url', 'an address is replaced that no venue has']);
  });

  it('is told without a password', () => {
    const url = ['https://api.kraken.com=ws://me:s3cret@127.0.0.1:1'];
    const error = fault(() => layered({ flags: { sources: ['kraken:A'], texts: { url } } }));
    expect([error.code, JSON.stringify(error).includes('s3cret')]).toEqual(['config.url', false]);
  });

  it.each<[string, Given, string, string, string]>([
    [
      'an address that the product does not have',
      {
        file: '[sources.binance]\ninstruments = ["A"]\n[sources.binance.urls]\n"wss://stream.binance.com" = "ws://127.0.0.1:1"\n',
      },
      'config.url',
      'sources.binance.urls.wss://stream.binance.com (given.toml:4)',
      'Write wss://data-stream.binance.vision.',
    ],
    [
      'an address of another product, though there is one',
      {
        file: '[sources.binance]\ninstruments = ["A"]\n[sources.binance.urls]\n"wss://ws.kraken.com" = "ws://127.0.0.1:1"\n',
      },
      'config.url',
      'sources.binance.urls.wss://ws.kraken.com (given.toml:4)',
      'leave it out',
    ],
    [
      'an address of another kind in the place of a socket',
      {
        file: '[sources.kraken]\ninstruments = ["A"]\nurls = { "wss://ws.kraken.com" = "https://127.0.0.1:1" }\n',
      },
      'config.url',
      'sources.kraken.urls.wss://ws.kraken.com (given.toml:3)',
      '"wss://ws.kraken.com" = "ws://127.0.0.1:9000"',
    ],
    [
      'what is no address of these kinds',
      { flags: { sources: ['kraken:A'], texts: { url: ['wss://ws.kraken.com=ftp://127.0.0.1'] } } },
      'config.url',
      'sources.kraken.urls.wss://ws.kraken.com (--url)',
      'wss://, ws://, https:// or http://',
    ],
    [
      'a socket in the place of requests',
      {
        flags: {
          sources: ['kraken:A'],
          texts: { url: ['https://api.kraken.com=ws://127.0.0.1:1'] },
        },
      },
      'config.url',
      'sources.kraken.urls.https://api.kraken.com (--url)',
      '"https://api.kraken.com" = "http://127.0.0.1:9000"',
    ],
    [
      'a replacement beyond the first part in braces',
      {
        flags: {
          sources: ['coinbase-exchange:A'],
          texts: {
            url: ['https://api.exchange.coinbase.com/products/{symbol}/book=http://127.0.0.1:1/book'],
          },
        },
      },
      'config.url',
      'sources.coinbase-exchange.urls.https://api.exchange.coinbase.com/products/{symbol}/book (--url)',
      'Write https://api.exchange.coinbase.com/products/.',
    ],
    [
      'a replacement with braces of its own',
      {
        flags: {
          sources: ['kraken:A'],
          texts: { url: ['https://api.kraken.com=http://127.0.0.1:1/{symbol}'] },
        },
      },
      'config.url',
      'sources.kraken.urls.https://api.kraken.com (--url)',
      'Write for example',
    ],
    [
      'addresses of which one ends with a slash',
      { flags: { sources: ['kraken:A'], texts: { url: ['wss://ws.kraken.com/=ws://127.0.0.1:9000'] } } },
      'config.url',
      'sources.kraken.urls.wss://ws.kraken.com/ (--url)',
      'Write for example',
    ],
    [
      'an address whose port stays behind',
      {
        flags: { sources: ['binance-us:A'], texts: { url: ['wss://stream.binance.us=ws://127.0.0.1:9000'] } },
      },
      'config.url',
      'sources.binance-us.urls.wss://stream.binance.us (--url)',
      'Write for example',
    ],
  ])('is not replaced: %s', (_what, given, code, where, fix) => {
    const error = fault(() => layered(given));
    expect([error.code, error.where]).toEqual([code, where]);
    expect(error.fix).toContain(fix);
  });
});
