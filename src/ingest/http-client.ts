import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { codeOf } from '../errors.js';
import type { agentsOf } from './proxy.js';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** An answer that takes longer is given up: less than the time after which the engine asks again. */
const ANSWER_MS_MAX = 8000;
/** The longest list of instruments has some 10 MiB. */
const BODY_BYTES_MAX = 64 << 20;

const unpack = promisify(gunzip);

/** A connection that was kept from an earlier request has been closed by the other side when it was used again. */
class ClosedBefore extends Error {}

/**
 * Requests to a venue. A request rejects where no answer was had, whatever the reason; no status is a reason.
 *
 * A server may end an idle connection at the moment at which the next request goes out on it. Nothing was answered
 * then, and each request here is a question: it is asked again, on another connection (RFC 9112, 9.3.1).
 */
export class HttpClient {
  readonly #agents: ReturnType<typeof agentsOf>;
  readonly #userAgent: string;

  constructor(agents: ReturnType<typeof agentsOf>, userAgent: string) {
    this.#agents = agents;
    this.#userAgent = userAgent;
  }

  async request(asked: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer> {
    const timeout = AbortSignal.timeout(ANSWER_MS_MAX);
    const until = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    for (;;) {
      try {
        const answer = await this.#ask(asked, until);
        if (answer.headers['content-encoding'] !== 'gzip') return answer;
        return { ...answer, body: await unpack(answer.body, { maxOutputLength: BODY_BYTES_MAX }) };
      } catch (error) {
        // Each time a kept connection is gone, and within the time of one answer: on a new one it is not asked again.
        if (!(error instanceof ClosedBefore)) throw error;
      }
    }
  }

  #ask(asked: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const isSecure = asked.url.startsWith('https:');
    const options: RequestOptions = {
      method: asked.method,
      agent: isSecure ? this.#agents.https : this.#agents.http,
      headers: { 'user-agent': this.#userAgent, 'accept-encoding': 'gzip', ...asked.headers },
      signal,
    };
    return new Promise<HttpAnswer>((resolve, reject) => {
      let isAnswered = false;
      const request = (isSecure ? httpsRequest : httpRequest)(asked.url, options, (response) => {
        isAnswered = true;
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          chunks.push(chunk);
          if (bytes > BODY_BYTES_MAX) request.destroy(new Error(`more than ${BODY_BYTES_MAX} bytes`));
        });
        response.once('error', reject);
        response.once('end', () => {
          const { statusCode = 0, headers } = response;
          resolve({ status: statusCode, headers, body: Buffer.concat(chunks) });
        });
      });
      request.once('error', (error) => {
        const isClosed = codeOf(error) === 'ECONNRESET' || codeOf(error) === 'EPIPE';
        reject(request.reusedSocket && !isAnswered && isClosed ? new ClosedBefore(error.message) : error);
      });
      request.end(asked.body);
    });
  }
}
