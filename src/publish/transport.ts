import type { DepthwireError } from '../errors.js';
import type { Certificate, TlsFiles } from './transport/certificate.js';

/** Bytes or text of an answer with its headers. */
export interface Answer {
  readonly status: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** What an HTTP handler is told of a request. */
export interface Request {
  /** Lower case. */
  readonly method: string;
  readonly path: string;
  /** What stands after `?`. */
  readonly query: string;
  readonly host: string;
  readonly origin: string;
  /** Whom it is from, as limits count it: an IPv4 address, or the first 64 bits of an IPv6 one. */
  readonly address?: string;
  /** The header `Authorization`; empty where there is none. */
  readonly authorization: string;
  /** What was sent with it, where `bodyBytesMax` takes anything; undefined = more than that. */
  readonly body?: string | undefined;
}

/** Why a connection ended, as metrics count it. */
export type CloseCause =
  | 'client'
  | 'drain'
  | 'control_too_big'
  | 'transport_too_big'
  | 'bad_request'
  | 'too_slow'
  | 'too_slow_cut'
  | 'rate'
  | 'auth'
  | 'not_entitled'
  | 'transport_backpressure'
  | 'idle'
  | 'protocol'
  | 'lost';

/** One client's socket. After it has closed every call is a no-op, so that nothing is ever asked of a dead socket. */
export interface Connection {
  /** Whom it is with. */
  readonly address?: string;
  /** JSON to the client. */
  sendText(text: string): void;
  /** Feed frames to the client; copied before the call returns. */
  sendFrames(frames: Uint8Array): void;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** Bytes that wait because the client does not take them. */
  bufferedBytes(): number;
  /** Closes with a code, after what is buffered; cuts at once when that is more than `END_BYTES_MAX`. */
  end(code: number, cause: CloseCause, reason: string): void;
  /** Cuts at once. */
  cut(cause: CloseCause): void;
}

/** Who serves one connection. */
export interface Session {
  onText(text: string): void;
  onBinary(): void;
  onOversize(bytes: number): void;
  /** A ping of the WebSocket itself, which the transport answers. */
  onPing(): void;
  /** Called once, in the same turn as the `end` or `cut` that brought it about. */
  onClose(code: number, cause: CloseCause): void;
}

export interface TransportHandlers {
  onRequest(request: Request): Answer;
  /** Bytes that are waited for before a request is answered; 0 = a body is for nobody, and ends its connection. */
  bodyBytesMax(request: Request): number;
  /** A connection that is no WebSocket was cut to keep a limit, or its handshake refused. */
  onConnectionRefused(cause: RefusalCause): void;
  /** Decides on a WebSocket handshake: an answer refuses it, undefined takes it. */
  refuse(request: Request, protocols: readonly string[]): Answer | undefined;
  onOpen(connection: Connection): Session;
  /** The files of the certificate have changed: connections from now on see the new one, or it cannot be used. */
  onCertificate(outcome: Certificate | DepthwireError): void;
}

/** What connections may do before they are WebSockets, and how many there may be. */
export interface ConnectionLimits {
  /** Connections of all kinds that the process has file descriptors for. */
  readonly connectionsMax: number;
  /** Connections that are no WebSocket yet, in all and of one address: at either limit the oldest of them is cut. */
  readonly pendingMax: number;
  readonly pendingPerAddressMax: number;
  /** How long such a connection may take to send a request, or rest between two. */
  readonly pendingMs: number;
  /** WebSockets of one address. */
  readonly clientsPerAddressMax: number;
  /** Handshakes of one address a second, and ten seconds' worth at once; 0 = any number. */
  readonly handshakesPerSecond: number;
  /** Whether these two do not hold for an address. */
  isExempt(address: string): boolean;
}

/**
 * Why a connection that is no WebSocket was cut or refused: too many are pending, too few descriptors are left, its address
 * shakes hands too often or has too many WebSockets.
 */
export type RefusalCause = 'pending' | 'descriptors' | 'rate' | 'address';

export interface TransportOptions {
  readonly path: string;
  readonly protocol: string;
  /** Others listen on the same port; else a second listener is refused. Over uWebSockets.js only. */
  readonly isPortShared: boolean;
  /** Longest control message that reaches `onText`; a longer one reaches `onOversize`. */
  readonly controlBytesMax: number;
  /** Bytes waiting for one client at which the transport itself ends it. Must be above every limit of ours. */
  readonly backpressureBytesMax: number;
  readonly limits: ConnectionLimits;
  /** Without it there is no TLS. */
  readonly tls?: TlsFiles | undefined;
  /** 0 or 8 to 960: uWebSockets ends the process on any other. */
  readonly idleTimeoutSeconds: number;
}

/** The implementations: uWebSockets.js, and `ws` over Node's own sockets where no binary of the former loads. */
export type TransportName = 'uws' | 'ws';

/**
 * One listener with HTTP and one WebSocket path. Both implementations keep the same promises to clients and sessions
 * (`test/conformance.test.ts`); they differ in what a frame costs.
 */
export interface Transport {
  readonly name: TransportName;
  /** Why it is not the preferred one; empty where it is. */
  readonly reason: string;
  /** Starts to listen and returns the port. Throws `serve.port_taken`, `serve.port_forbidden` or `serve.listen`. */
  listen(host: string, port: number): Promise<number>;
  /** Feed frames to all subscribers of a topic, as one message. Copies them once; costs a walk of the subscribers. */
  publish(topic: string, frames: Uint8Array): void;
  /**
   * Looks whether the files of the certificate have changed, and tells `onCertificate` of it. Connections that are open go
   * on with the one that they have seen. Called at SIGHUP; the transport looks by itself each five seconds.
   */
  reloadCertificate(): void;
  /** No further connections; those that are open go on. */
  stopListening(): void;
  /** Cuts whatever is still connected. The transport cannot be used again. */
  close(): void;
}

/** A socket that has ended is in no count of ours until its buffer is taken, so little may be in it. */
export const END_BYTES_MAX = 65_536;

/** Four times our own limit and at least 16 KiB: between the two a client still gets an explanation. */
export function payloadBytesMax(controlBytesMax: number): number {
  return Math.max(16_384, controlBytesMax * 4);
}
