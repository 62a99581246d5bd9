import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port that nobody listens on now: the one that is wanted, where that is not 0. Throws what Node throws where it cannot listen. */
export async function freePort(host: string, wanted = 0): Promise<number> {
  const probe = createServer();
  probe.listen({ host, port: wanted, exclusive: true });
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
