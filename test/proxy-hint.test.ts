import { expect, it } from 'vitest';
import { proxyHint } from '../src/cli/proxy-hint.js';
import { configFrom } from '../src/config.js';

it('a proxy of the environment that a source does not go through is told', () => {
  const proxy = 'http://127.0.0.1:3128';
  const of = (sources: object, env: Readonly<Record<string, string>>) =>
    proxyHint(configFrom({ sources }).sources, env);
  const straight = { instruments: ['A'] };
  const hint = of({ okx: { ...straight, proxy }, kraken: straight }, { https_proxy: proxy });
  expect(hint).toBe(
    'https_proxy is set and not used: kraken goes without a proxy unless --proxy, DEPTHWIRE_PROXY or sources.kraken.proxy names one',
  );
  expect(of({ kraken: { ...straight, proxy } }, { HTTPS_PROXY: proxy })).toBeUndefined();
  expect(of({ kraken: straight }, { HTTPS_PROXY: '' })).toBeUndefined();
  expect(of({}, { ALL_PROXY: proxy })).toBeUndefined();
});
