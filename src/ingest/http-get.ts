import { codeOf, DepthwireError } from '../errors.js';
import { type HttpAnswer, HttpClient } from './http-client.js';
import { agentsOf, type Net } from './proxy.js';
import { USER_AGENT } from './venue-net.js';

/** Asks for an address, by a POST where it has a body of JSON, and returns the answer's bytes. Throws `http_get.*`. */
export type HttpGet = (url: string, body?: string) => Promise<Uint8Array>;

/** Asks over the way that a source's configuration names. */
export function httpGet(net: Net): HttpGet {
  const agents = agentsOf(net);
  const client = new HttpClient(agents, USER_AGENT);
  return async (url, body) => {
    const headers = { 'content-type': 'application/json' };
    let answer: HttpAnswer;
    try {
      answer = await client.request(
        body === undefined ? { method: 'GET', url } : { method: 'POST', url, headers, body },
      );
    } catch (cause) {
      throw isTooBig(cause) ? tooBig(url, cause) : unreachable(url, cause);
    }
    if (answer.status !== 200) throw refused(url, answer);
    return answer.body;
  };
}

function isTooBig(cause: unknown): boolean {
  return (
    /^more than \d+ bytes$/.test(cause instanceof Error ? cause.message : '') ||
    codeOf(cause) === 'ERR_BUFFER_TOO_LARGE'
  );
}

function unreachable(url: string, cause: unknown): DepthwireError {
  return new DepthwireError('http_get.unreachable', {
    what: 'an address does not answer',
    where: url,
    expected: 'a whole answer in time',
    got: cause instanceof Error ? cause.message : String(cause),
    fix: 'Check the network, a proxy that is due (--proxy), or name another address with --url.',
    cause,
  });
}

function refused(url: string, { status, headers }: HttpAnswer): DepthwireError {
  const wait = headers['retry-after'];
  return new DepthwireError('http_get.refused', {
    what: 'an address answers with an error',
    where: url,
    expected: 'status 200',
    got: `status ${status}, ${headers['content-type'] ?? 'no content type'}`,
    fix:
      wait === undefined
        ? 'Try again later; look at the venue’s notices.'
        : `Try again in ${wait} s: the venue asks for it.`,
  });
}

function tooBig(url: string, cause: unknown): DepthwireError {
  return new DepthwireError('http_get.too_big', {
    what: 'an answer is larger than any that the venue is known to give',
    where: url,
    expected: 'at most 64 MiB',
    got: 'more',
    fix: 'Check that the address is the venue’s own.',
    cause,
  });
}
