import { explain, isExplained } from '../../errors.js';
import { whyNotLoaded } from '../../publish/transport/open-transport.js';
import { type Check, fail, ok, warn } from './check.js';

/** Whether the engine loads. `load`: how. */
export async function checkAddon(load: () => Promise<unknown> = () => import('#native')): Promise<Check> {
  try {
    await load();
    return ok('addon', 'the engine loads');
  } catch (error) {
    // The loader says what is missing and what brings it.
    if (isExplained(error)) return fail('addon', `${error.what}; found: ${error.got}`, error.fix);
    const [why = ''] = explain(error).split('\n');
    return fail(
      'addon',
      `the engine does not load: ${why.slice(0, 300)}`,
      'Install depthwire anew, or build it for this machine and this Node: npm run build.',
    );
  }
}

/** Which transport would carry the feed, and why. */
export async function checkTransport(
  choice: string,
  gateways = 0,
  load: () => Promise<unknown> = () => import('uWebSockets.js'),
): Promise<Check> {
  const alone = 'Set server.gateways to 0: one process serves over ws, too.';
  if (choice === 'ws' && gateways > 0)
    return fail('transport', 'ws cannot share a port, as server.gateways needs', alone);
  if (choice === 'ws') return ok('transport', 'ws, as server.transport says');
  try {
    await load();
    return ok('transport', 'uWebSockets.js loads');
  } catch (error) {
    const why = `uWebSockets.js does not load: ${whyNotLoaded(error)}`;
    const fix = 'Run npm install with this Node (20 or 22, glibc).';
    if (choice === 'uws') return fail('transport', `${why}, and server.transport insists on it`, fix);
    if (gateways > 0) return fail('transport', `${why}, and server.gateways needs it`, `${fix} ${alone}`);
    return warn('transport', `${why}; ws carries the feed, which costs more`, fix);
  }
}
