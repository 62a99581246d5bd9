import { describe, vi } from 'vitest';

// What holds of a server holds of one whose clients are served by two processes.
vi.stubEnv('GATEWAYS', '2');
describe('with two gateways', async () => {
  await import('./server.test.js');
  await import('./server-http.test.js');
  await import('./subscriptions.test.js');
  await import('./auth-server.test.js');
  await import('./transport-bad-input.test.js');
});
