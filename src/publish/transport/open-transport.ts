import { DepthwireError } from '../../errors.js';
import type { Transport, TransportHandlers, TransportOptions } from '../transport.js';
import { type Uws, UwsTransport } from './uws-transport.js';
import { WsTransport } from './ws-transport.js';

/** `auto`: uWebSockets.js where its binary loads, else `ws`. The others insist. */
export type TransportChoice = 'auto' | 'uws' | 'ws';

/**
 * Opens the transport that is asked for. Throws `serve.transport` where uWebSockets.js is insisted on and does not load.
 * `load`: how the package is loaded.
 */
export async function openTransport(
  choice: TransportChoice,
  options: TransportOptions,
  handlers: TransportHandlers,
  load: () => Promise<Uws> = loadUws,
): Promise<Transport> {
  if (choice === 'ws') return new WsTransport('server.transport is ws', options, handlers);
  let uws: Uws;
  try {
    uws = await load();
  } catch (cause) {
    const reason = whyNotLoaded(cause);
    if (choice === 'auto') return new WsTransport(reason, options, handlers);
    throw new DepthwireError('serve.transport', {
      what: 'uWebSockets.js does not load here, and server.transport insists on it',
      where: 'server.transport',
      expected: 'a binary for this Node and this C library',
      got: reason,
      fix: 'Run npm install with this Node (20 or 22, glibc), or set server.transport to "auto" to serve over ws.',
      cause,
    });
  }
  return new UwsTransport(uws, options, handlers);
}

function loadUws(): Promise<Uws> {
  return import('uWebSockets.js');
}

/** Why the binary of uWebSockets.js does not load: what is missing, and on what machine. */
export function whyNotLoaded(error: unknown, machine: Machine = thisMachine()): string {
  const text = error instanceof Error ? error.message : String(error);
  const { platform, arch, node, abi, glibc } = machine;
  const here = `Node ${node} (ABI ${abi}) on ${platform}-${arch}`;
  if (platform === 'linux' && glibc === undefined) return `this C library is not glibc (${here})`;
  const wanted = /GLIBC_[\d.]+/.exec(text)?.[0];
  if (wanted !== undefined) return `it needs ${wanted}, this is glibc ${glibc ?? 'unknown'} (${here})`;
  if (/Cannot find (module|package)/.test(text)) return `no binary of it is installed for ${here}`;
  if (/NODE_MODULE_VERSION/.test(text)) return `its binary is for another Node than ${here}`;
  return `${text.trim().split('\n').at(-1) ?? 'it failed'} (${here})`;
}

/** What decides which binary loads. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  readonly node: string;
  /** Version of Node's binary interface. */
  readonly abi: string;
  /** Undefined on other systems, and with another C library. */
  readonly glibc: string | undefined;
}

function thisMachine(): Machine {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return {
    platform: process.platform,
    arch: process.arch,
    node: process.versions.node,
    abi: process.versions.modules,
    glibc: header?.glibcVersionRuntime,
  };
}
