import { request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
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

/** Requests to a venue. A request rejects where no answer was had, whatever the reason; no status is a reason. */
export class HttpClient {
  readonly #agents: ReturnType<typeof agentsOf>;
  readonly #userAgent: string;

  constructor(agents: ReturnType<typeof agentsOf>, userAgent: string) {
    this.#agents = agents;
    this.#userAgent = userAgent;
  }

  async request(asked: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer> {
    const isSecure = asked.url.startsWith('https:');
    const timeout = AbortSignal.timeout(ANSWER_MS_MAX);
    const options: RequestOptions = {
      method: asked.method,
      agent: isSecure ? this.#agents.https : this.#agents.http,
      headers: { 'user-agent': this.#userAgent, 'accept-encoding': 'gzip', ...asked.headers },
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    };
    const answer = await new Promise<HttpAnswer>((resolve, reject) => {
      const request = (isSecure ? httpsRequest : httpRequest)(asked.url, options, (response) => {
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
      request.once('error', reject);
      request.end(asked.body);
    });
    if (answer.headers['content-encoding'] !== 'gzip') return answer;
    return { ...answer, body: await unpack(answer.body, { maxOutputLength: BODY_BYTES_MAX }) };
  }
}
