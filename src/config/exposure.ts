import { DepthwireError } from '../errors.js';
import { type OriginOf, placed } from './faults.js';
import { isLoopback } from './loopback.js';
import type { Config } from './schema.js';

/** What a host that others can reach must have, or be told to do without, in words. */
interface Guard {
  readonly name: string;
  readonly has: boolean;
  /** The key that says to do without. */
  readonly waiver: 'expose_without_auth' | 'expose_without_tls';
  readonly isWaived: boolean;
  readonly fix: string;
}

function guardsOf({ server, auth, tls }: Config): readonly Guard[] {
  return [
    {
      name: 'auth',
      has: auth !== undefined,
      waiver: 'expose_without_auth',
      isWaived: server.exposeWithoutAuth,
      fix: 'auth: name the keys of tokens (--jwks-file or --jwks-url)',
    },
    {
      name: 'TLS',
      has: tls !== undefined,
      waiver: 'expose_without_tls',
      isWaived: server.exposeWithoutTls,
      fix: 'TLS: name a certificate and its key (--tls-cert-file, --tls-key-file), or put a TLS proxy on this machine, keep the host, and name the proxy with --allow-host',
    },
  ];
}

/** Throws `serve.public_bind` for a host that others can reach where tokens or TLS are missing and nobody said that they may. */
export function checkExposure(config: Config, originOf: OriginOf): void {
  const { host } = config.server;
  if (isLoopback(host)) return;
  const missing = guardsOf(config).filter(({ has, isWaived }) => !has && !isWaived);
  if (missing.length === 0) return;
  const waivers = missing.map(({ waiver }) => `server.${waiver} = true (--${waiver.replaceAll('_', '-')})`);
  throw new DepthwireError('serve.public_bind', {
    what: `others can reach this host, and there is no ${missing.map(({ name }) => name).join(' and no ')}`,
    where: placed('server.host', originOf),
    expected: 'a host of this machine alone (127.0.0.1, ::1, localhost), or auth and TLS',
    got: host,
    fix: `${missing.map(({ fix }) => fix).join('. ')}. Or reach the server through a tunnel (ssh -L 8642:127.0.0.1:8642 HOST). Or say that it may be so: ${waivers.join(', ')}.`,
  });
}

/** How open a server is, in a line for people; undefined for one that only this machine reaches. */
export function exposureOf(config: Config): string | undefined {
  const { host } = config.server;
  if (isLoopback(host)) return undefined;
  const lacks = guardsOf(config).filter(({ has }) => !has);
  if (lacks.length === 0) return `${host} can be reached by others: tokens and TLS are asked for`;
  const waivers = lacks.map(({ waiver }) => `server.${waiver}`);
  return `${host} can be reached by others, without ${lacks.map(({ name }) => name).join(' and without ')}: so ${waivers.join(' and ')} ${lacks.length === 1 ? 'says' : 'say'}`;
}
