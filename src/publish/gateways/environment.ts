import type { Config } from '../../config.js';

/** What a gateway may know of its server's environment: not the accounts at venues, of which it needs none. */
export function environmentOf(
  { sources }: Pick<Config, 'sources'>,
  env: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const secrets = new Set<string | undefined>();
  for (const { keys } of Object.values(sources))
    for (const name of [keys.keyEnv, keys.secretEnv, keys.passphraseEnv]) secrets.add(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secrets.has(name)));
}
