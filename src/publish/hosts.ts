import { DepthwireError } from '../errors.js';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** Addresses that stand for all of a machine, so that it has others by which it is called. */
const ALL_ADDRESSES: ReadonlySet<string> = new Set(['0.0.0.0', '[::]']);

export interface HostNames {
  /** What the server listens on. */
  readonly host: string;
  /** Other names of it. */
  readonly allowHosts: readonly string[];
  /** Other servers whose pages may use it: scheme, host and port as a browser writes them. */
  readonly allowOrigins: readonly string[];
}

/** A host with its port, as a header names them; a port that is not written is the default one of some scheme. */
interface Place {
  readonly name: string;
  readonly port: number | undefined;
}

/**
 * Which names a request may use for this server, and whose pages may use it. A page of another site can make a browser of
 * this machine connect here, under a name that it has pointed at this machine; its Host or Origin then gives it away. So
 * does that of a page of another server on this machine, by its port.
 */
export class Hosts {
  readonly #names: ReadonlySet<string>;
  readonly #named: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #takesAddresses: boolean;

  constructor({ host, allowHosts, allowOrigins }: HostNames) {
    const own = canonical(host.includes(':') ? `[${host}]` : host) ?? host;
    this.#named = new Set(allowHosts.map((name) => canonical(name) ?? name));
    this.#names = new Set([...LOOPBACK, own, ...this.#named]);
    this.#origins = new Set(allowOrigins.map(canonicalOrigin).filter((origin) => origin !== undefined));
    this.#takesAddresses = ALL_ADDRESSES.has(own);
  }

  /** What is wrong with the names of a request, or undefined. An absent Origin is no browser's page, and passes. */
  refusal(host: string, origin: string): DepthwireError | undefined {
    const place = placeOf(host);
    if (place === undefined || !this.#isOwn(place.name)) return this.#foreignHost(host);
    if (origin === '' || this.#isOwnPage(origin, place) || this.allowsOrigin(origin)) return undefined;
    return this.#foreignOrigin(origin, host);
  }

  /** Whether the pages of another server may use this one. */
  allowsOrigin(origin: string): boolean {
    const found = canonicalOrigin(origin);
    return found !== undefined && this.#origins.has(found);
  }

  #isOwn(name: string): boolean {
    // Nobody can point an address of the machine elsewhere, as one can a name.
    return this.#names.has(name) || (this.#takesAddresses && isAddress(name));
  }

  /**
   * Whether a page is this server's: under a name of it, and by the port at which the browser connects, which is another than
   * ours behind a tunnel. A proxy that is named may rewrite Host; its pages come by the default ports.
   */
  #isOwnPage(origin: string, host: Place): boolean {
    const [, scheme, rest] = /^(https?):\/\/(.+)$/i.exec(origin) ?? [];
    const page = rest === undefined ? undefined : placeOf(rest);
    if (page === undefined || !this.#isOwn(page.name)) return false;
    const defaultPort = scheme?.toLowerCase() === 'https' ? 443 : 80;
    const port = page.port ?? defaultPort;
    if (host.port === undefined ? port === defaultPort : port === host.port) return true;
    return this.#named.has(page.name) && port === defaultPort;
  }

  #foreignHost(got: string): DepthwireError {
    return new DepthwireError('http.foreign_host', {
      what: 'the Host of a request is not a name of this server',
      where: 'Host',
      expected: [...this.#names].join(', '),
      got: got.slice(0, 120),
      fix: 'Open the address that the server printed, or start it with --allow-host NAME.',
    });
  }

  #foreignOrigin(got: string, host: string): DepthwireError {
    return new DepthwireError('http.foreign_origin', {
      what: 'the page that makes a request is of another server',
      where: 'Origin',
      expected: [`a page of ${host.slice(0, 120)}`, ...this.#origins].join(', '),
      got: got.slice(0, 120),
      fix:
        got === 'null'
          ? 'Serve the page by HTTP: one from a file or a sandbox has no origin that could be allowed.'
          : 'Open the page that the server printed, or start it with --allow-origin ORIGIN.',
    });
  }
}

/** What a Host header names; undefined for what is none. */
function placeOf(host: string): Place | undefined {
  const [, written, digits] = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(host) ?? [];
  const name = written === undefined ? undefined : canonical(written);
  const port = digits === undefined ? undefined : Number(digits);
  return name === undefined || (port ?? 0) > 65_535 ? undefined : { name, port };
}

/** A name in the one form in which it is compared: lower case, without the dot of the root, addresses as browsers write them. */
function canonical(name: string): string | undefined {
  try {
    return new URL(`http://${name}`).hostname.replace(/\.$/, '');
  } catch {
    return undefined;
  }
}

/** `https://HOST[:PORT]`, the port left out where it is the default; undefined for every other text, `null` too. */
function canonicalOrigin(origin: string): string | undefined {
  if (!/^https?:\/\/[^/?#@\s]+$/i.test(origin) || !URL.canParse(origin)) return undefined;
  const { protocol, hostname, port } = new URL(origin);
  return `${protocol}//${hostname.replace(/\.$/, '')}${port === '' ? '' : `:${port}`}`;
}

function isAddress(name: string): boolean {
  return name.startsWith('[') || /^\d{1,3}(\.\d{1,3}){3}$/.test(name);
}
