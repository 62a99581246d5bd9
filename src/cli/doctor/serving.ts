import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Config } from '../../config.js';
import { codeOf, DepthwireError } from '../../errors.js';
import { type Check, fail, ok, warn } from './check.js';

const MIB = 1 << 20;
/** Node, its heap and the engine with some books, in bytes. */
const PROCESS_BYTES = 192 * MIB;
/** Descriptors beside those of clients: HTTP, venues, recordings, the process itself. */
const DESCRIPTORS_BESIDE = 512;

/** Limits and certificates that a version may state. */
type Later = Config & {
  readonly limits: { readonly waitingBytesMax?: number; readonly historyBytes?: number };
  readonly tls?: { readonly certFile?: string } | undefined;
};

/** Bytes that a configuration may come to, where every limit that it states is used up. */
export function memoryNeeded({ engine, limits }: Later): number {
  const { waitingBytesMax = limits.backpressureHardBytes, historyBytes = 0 } = limits;
  return PROCESS_BYTES + engine.outputBytes + waitingBytesMax + historyBytes;
}

export function descriptorsNeeded({ limits }: Config): number {
  return limits.clientsMax + DESCRIPTORS_BESIDE;
}

/** Whether the server can listen where it would. */
export async function checkPort({ server: { host, port } }: Config): Promise<Check> {
  if (port === 0) return ok('port', 'any that is free');
  const where = `${host}:${port}`;
  const error = await new Promise<unknown>((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
  if (error === undefined) return ok('port', `${where} is free`);
  if (codeOf(error) === 'EADDRINUSE') {
    const other = await runningAt(host, port);
    if (other !== undefined)
      return warn(
        'port',
        `depthwire ${other} listens at ${where} already`,
        'Nothing, if it is the one you mean.',
      );
    return fail(
      'port',
      `${where} is taken by another process`,
      `Find it with: ss -ltnp 'sport = :${port}', or set server.port.`,
    );
  }
  if (codeOf(error) === 'EACCES')
    return fail(
      'port',
      `this user may not listen at ${where}`,
      'Choose a port above 1023, or give the unit AmbientCapabilities=CAP_NET_BIND_SERVICE.',
    );
  return fail(
    'port',
    `nobody can listen at ${where} (${codeOf(error)})`,
    'Set server.host to an address of this machine.',
  );
}

/** The version of a depthwire there; undefined where it is none. */
async function runningAt(host: string, port: number): Promise<string | undefined> {
  try {
    const address = host.includes(':') ? `[${host}]` : host;
    const answer = await fetch(`http://${address}:${port}/v1/openapi.json`, {
      signal: AbortSignal.timeout(1000),
    });
    const { info } = (await answer.json()) as {
      readonly info?: { readonly title?: string; readonly version?: string };
    };
    return info?.title === 'depthwire' ? info.version : undefined;
  } catch {
    return undefined;
  }
}

/** Days before its end at which a certificate is told of. */
const NOTICE_DAYS = 14;
const DAY_MS = 86_400_000;

/** Whether the certificates in a PEM file can be read and are valid for some time. */
export function checkCertificates(file: string, nowMs: number): Check {
  const name = `certificate ${file}`;
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    return fail(name, `cannot be read (${codeOf(error)})`, 'Name a file that this user can read.');
  }
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0)
    return fail(name, 'holds no certificate', 'Name a PEM file with BEGIN CERTIFICATE in it.');
  let endsMs = Number.POSITIVE_INFINITY;
  for (const block of blocks) {
    try {
      const certificate = new X509Certificate(block);
      if (Date.parse(certificate.validFrom) > nowMs)
        return fail(
          name,
          `is valid from ${certificate.validFrom} on`,
          'Check the clock of this machine, or have another one issued.',
        );
      endsMs = Math.min(endsMs, Date.parse(certificate.validTo));
    } catch {
      return fail(name, 'holds a certificate that cannot be read', 'Write it anew from its issuer.');
    }
  }
  const days = Math.floor((endsMs - nowMs) / DAY_MS);
  const found = `valid until ${new Date(endsMs).toISOString().slice(0, 10)}`;
  if (endsMs <= nowMs)
    return fail(name, `expired on ${new Date(endsMs).toISOString().slice(0, 10)}`, 'Have it renewed.');
  return days < NOTICE_DAYS ? warn(name, `${found}, ${days} days`, 'Have it renewed.') : ok(name, found);
}

/** Files of certificates that a configuration names. */
export function certificateFiles({ tls, sources }: Later): readonly string[] {
  const authorities = Object.values(sources).flatMap(({ caFile }) => caFile ?? []);
  return [...new Set([...(tls?.certFile === undefined ? [] : [tls.certFile]), ...authorities])];
}

/** What is wrong, where a part of the configuration was refused. */
export function refused(name: string, error: unknown): Check {
  if (!(error instanceof DepthwireError))
    return fail(name, String(error).slice(0, 300), 'Run depthwire config check.');
  const { what, where, got, fix } = error;
  return fail(name, `${what}${where === '' ? '' : `, ${where}`}${got === '' ? '' : `: ${got}`}`, fix);
}
