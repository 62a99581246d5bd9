import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port that nobody listens on now. Throws what Node throws where it cannot listen at all. */
export async function freePort(host: string): Promise<number> {
  const probe = createServer();
  probe.listen({ host, port: 0, exclusive: true });
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
