import { createServer } from 'node:net';
import { codeOf, DepthwireError } from '../../errors.js';

/** Asks Node why nobody can listen at an address, for a transport that says only that it could not. */
export async function whyNotListening(host: string, port: number): Promise<DepthwireError> {
  const reason = await new Promise<unknown>((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
  return listenError(host, port, reason);
}

/** `serve.port_taken`, `serve.port_forbidden` or `serve.listen`, after the reason that Node gives. */
export function listenError(host: string, port: number, reason: unknown): DepthwireError {
  const where = `${host}:${port}`;
  if (codeOf(reason) === 'EADDRINUSE') {
    return new DepthwireError('serve.port_taken', {
      what: `port ${port} is taken by another process`,
      where,
      expected: 'a free port',
      got: 'an address in use',
      fix: `Find it with: ss -ltnp 'sport = :${port}'  and end it, or choose another port with --port ${port + 1}.`,
      cause: reason,
    });
  }
  if (codeOf(reason) === 'EACCES') {
    return new DepthwireError('serve.port_forbidden', {
      what: `this user may not listen on port ${port}`,
      where,
      expected: 'a port of 1024 or above',
      got: String(port),
      fix: 'Choose a port above 1023 with --port 8642.',
      cause: reason,
    });
  }
  return new DepthwireError('serve.listen', {
    what: 'the server cannot listen at this address',
    where,
    expected: 'an address of this machine',
    got: codeOf(reason) || 'refused',
    fix: 'Use --host 127.0.0.1 and a port that is free.',
    cause: reason,
  });
}
