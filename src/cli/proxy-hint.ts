import type { Config } from '../config.js';
import type { Env } from './live-sources.js';

/** Variables by which other programs are told a proxy. */
const VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];

/**
 * A line for people where the environment names a proxy for other programs that a source does not go through; undefined where
 * there is none. It is not taken by itself: which venues go through a proxy is a matter of the configuration.
 */
export function proxyHint(sources: Config['sources'], env: Env): string | undefined {
  const name = VARIABLES.find((variable) => (env[variable] ?? '') !== '');
  const straight = Object.entries(sources).find(([, { proxy }]) => proxy === undefined)?.[0];
  if (name === undefined || straight === undefined) return undefined;
  return `${name} is set and not used: ${straight} goes without a proxy unless --proxy, DEPTHWIRE_PROXY or sources.${straight}.proxy names one`;
}
