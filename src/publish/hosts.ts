import { DepthwireError } from '../errors.js';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Which names a request may use for this server. A page of another site can make a browser of this machine connect
 * here, under a name that it has pointed at 127.0.0.1; its Host or Origin then gives it away.
 */
export class Hosts {
  readonly #names: ReadonlySet<string>;

  constructor(names: readonly string[], host: string) {
    const own = host.includes(':') ? `[${host}]` : host;
    this.#names = new Set([...LOOPBACK, own, ...names].map((name) => name.toLowerCase()));
  }

  /** What is wrong with the names of a request, or undefined. An absent Origin is no browser's page, and passes. */
  refusal(host: string, origin: string): DepthwireError | undefined {
    if (!this.#names.has(nameOf(host))) return this.#foreign('Host', host);
    if (origin === '') return undefined;
    const scheme = /^https?:\/\//.exec(origin);
    if (scheme === null || !this.#names.has(nameOf(origin.slice(scheme[0].length)))) {
      return this.#foreign('Origin', origin);
    }
    return undefined;
  }

  #foreign(header: string, got: string): DepthwireError {
    return new DepthwireError('http.foreign_host', {
      what: `the ${header} of a request is not a name of this server`,
      where: header,
      expected: [...this.#names].join(', '),
      got: got.slice(0, 120),
      fix: 'Open the address that the server printed, or start it with --allow-host NAME.',
    });
  }
}

function nameOf(host: string): string {
  return host.replace(/:\d{1,5}$/, '').toLowerCase();
}
