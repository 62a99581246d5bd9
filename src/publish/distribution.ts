import type { InstrumentInfo } from '../engine.js';
import type { DepthwireError } from '../errors.js';
import type { GatewayCounts, Metrics } from './metrics.js';
import type { Certificate } from './transport/certificate.js';
import type { openTransport } from './transport/open-transport.js';
import type { CloseCause, Request, Transport } from './transport.js';

/** What a log is told of a certificate. */
export type ToldCertificate = Pick<Certificate, 'subject' | 'fingerprint' | 'validToMs'>;

/** What a log may say of clients. */
export interface ServerEvents {
  /** A request or a handshake was refused. */
  refused(error: DepthwireError, request: Request): void;
  /** The connection of a client ended, after so long. */
  closed(end: ClientEnd): void;
  /** The files of the certificate have changed: the new one is in use, or cannot be used and the old one stays. */
  certificate(outcome: ToldCertificate | DepthwireError): void;
  /** A gateway's process has ended, or could not be had, and is started anew. */
  gatewayEnded(end: GatewayEnd): void;
}

export interface GatewayEnd {
  /** Its place, from 1, of so many. */
  readonly place: number;
  readonly places: number;
  /** Undefined where it had none: it could not be started. */
  readonly pid: number | undefined;
  readonly why: string;
}

export interface ClientEnd {
  readonly code: number;
  readonly cause: CloseCause;
  readonly seconds: number;
  readonly address: string | undefined;
}

/** Who takes frames to clients: a gateway of this thread, or several of other processes. `nowMs` is monotonic. */
export interface Distribution {
  /** What the sockets are served by, and why it is not the preferred one; undefined before `listen`. */
  readonly transport: Pick<Transport, 'name' | 'reason'> | undefined;
  /** Bytes that wait for all clients together, as they were looked at last. */
  readonly waitingBytes: number;
  /** Gateways of other processes; undefined where this one has the clients. */
  readonly gateways: GatewayCounts | undefined;
  /** What has been counted, by this process in `own` and by all others. */
  counted(own: Metrics): Metrics;
  /** Opens the transport, listens, and returns the port. `open`: how a transport is opened. Throws `serve.*`. */
  listen(open?: typeof openTransport): Promise<number>;
  /**
   * One frame of the engine, as `EngineListener.onFrameBytes` has it. It goes out when this turn ends, with the others of its
   * stream. Without subscribers it costs a look-up.
   */
  onFrameBytes(instrument: number, stream: number, source: Uint8Array, offset: number, size: number): void;
  /** Whether the next `tick` should come soon: a client has something waiting, or a subscription that waits for its turn. */
  readonly isBusy: boolean;
  /** Holds every client to its limits, sends what is owed, and grants what waits for its turn. */
  tick(nowMs: number): void;
  /** Whether a replay at full speed should pause: for a client that is behind, and takes bytes. */
  pressed(nowMs: number): boolean;
  /** Serves these instruments from now on. Clients are told of what they held and is gone, and get what fits their patterns. */
  serve(instruments: readonly InstrumentInfo[]): void;
  /** Looks at the files of the certificate, and tells of it where they have changed. */
  reloadCertificate(): void;
  /** Reads the keys of tokens anew. Never rejects: what is wrong is said. */
  reloadKeys(): Promise<void>;
  /**
   * Ends politely: no new clients, a notice to those that are here, up to `drainMs` for them to take what waits, 1001,
   * then the port closes. Resolves at the latest a little after `drainMs`.
   */
  drain(reason: string): Promise<void>;
}
