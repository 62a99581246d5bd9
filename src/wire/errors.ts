/** What a {@link FeedError} is made of. `code` is stable; the rest is for people. */
export interface FeedErrorParts {
  readonly code: string;
  readonly what: string;
  readonly where: string;
  readonly expected: string;
  readonly got: string;
  readonly fix: string;
  readonly cause?: unknown;
}

/** The one base of every error of this client: what went wrong, where, what was expected, what came, how to fix it. */
export class FeedError extends Error {
  override readonly name: string = 'FeedError';
  readonly code: string;
  readonly what: string;
  readonly where: string;
  readonly expected: string;
  readonly got: string;
  readonly fix: string;

  constructor(parts: FeedErrorParts) {
    super(
      `${parts.code}: ${parts.what} at ${parts.where}; expected ${parts.expected}, got ${parts.got}; ${parts.fix}`,
      parts.cause === undefined ? undefined : { cause: parts.cause },
    );
    this.code = parts.code;
    this.what = parts.what;
    this.where = parts.where;
    this.expected = parts.expected;
    this.got = parts.got;
    this.fix = parts.fix;
  }
}

/** Bytes that are no frame, or numbers that this reader cannot hold exactly. `code` starts with `wire.`. */
export class WireError extends FeedError {
  override readonly name = 'WireError';
}

/** The server refused something or spoke another protocol. `code` is the server's own, or starts with `feed.`. */
export class ServerError extends FeedError {
  override readonly name: string = 'ServerError';
}

/** The connection ended or could not be opened. `code` says what the close code means. */
export class CloseError extends ServerError {
  override readonly name = 'CloseError';
  /** The close code of the WebSocket; 1006 where there was none. */
  readonly closeCode: number;
  /** Whether another attempt follows. */
  readonly reconnects: boolean;

  constructor(parts: FeedErrorParts & { readonly closeCode: number; readonly reconnects: boolean }) {
    super(parts);
    this.closeCode = parts.closeCode;
    this.reconnects = parts.reconnects;
  }
}

/** The client was used in a way that it cannot serve. `code` starts with `client.`. */
export class ClientError extends FeedError {
  override readonly name = 'ClientError';
}

/** What a frame says cannot be: `wire.bad_value`. */
export function badFrame(where: string, expected: string, got: string): WireError {
  return new WireError({
    code: 'wire.bad_value',
    what: 'a frame contradicts the protocol',
    where,
    expected,
    got,
    fix: 'report it to whoever runs the server, with its version',
  });
}
