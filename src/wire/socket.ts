/** The WebSocket subprotocol of this feed. */
export const SUBPROTOCOL = 'depthwire.v1';

/** The greatest message that a Node client without a WebSocket of its own accepts. */
const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

export interface SocketEvents {
  open(): void;
  text(text: string): void;
  /** The bytes are valid until the callback returns. */
  bytes(bytes: Uint8Array): void;
  /** Called once, also when the connection never opened: then `cause` is what stood in the way, if it is known. */
  close(code: number, reason: string, failure: string, cause?: unknown): void;
}

/** A connection being opened or open. */
export interface FeedSocket {
  send(text: string): void;
  /** Starts the closing handshake; `close` is reported when it is done. */
  close(code: number, reason: string): void;
  /** Reports `close` at once and lets the connection go, for a peer that does not answer. */
  abandon(code: number, reason: string): void;
}

type OpenWebSocket = (url: string, token: string | undefined) => WebSocket;

/**
 * Opens a connection. Uses the platform's WebSocket, and the package `ws` on a Node that has none. A token goes as a
 * header where those can be set, which is in Node, and as a second subprotocol in browsers.
 */
export function openSocket(
  url: string,
  askToken: (() => Promise<string | undefined>) | undefined,
  events: SocketEvents,
): FeedSocket {
  let socket: WebSocket | undefined;
  let failure = '';
  let cause: unknown;
  let done = false;

  const finish = (code: number, reason: string): void => {
    if (done) return;
    done = true;
    events.close(code, reason, failure, cause);
  };

  const start = (open: OpenWebSocket, token: string | undefined): void => {
    if (done) return;
    const opened = open(url, token);
    socket = opened;
    let wasOpen = false;
    opened.addEventListener('open', () => {
      wasOpen = true;
      if (!done) events.open();
    });
    opened.addEventListener('message', ({ data }: { data: unknown }) => {
      if (done) return;
      if (typeof data === 'string') events.text(data);
      else events.bytes(data instanceof Uint8Array ? data : new Uint8Array(data as ArrayBuffer));
    });
    opened.addEventListener('error', (event) => {
      if ('message' in event && typeof event.message === 'string') failure = event.message;
      // Node 22's own WebSocket tells a refused connection by this event alone: no close follows.
      if (!wasOpen) finish(1006, '');
    });
    opened.addEventListener('close', ({ code, reason }) => finish(code, reason));
  };

  Promise.all([webSocketOfPlatform(), askToken?.()])
    .then(([open, token]) => start(open, token))
    .catch((thrown: unknown) => {
      failure = thrown instanceof Error ? thrown.message : String(thrown);
      cause = thrown;
      finish(1006, '');
    });

  return {
    send(text) {
      if (socket?.readyState === 1) socket.send(text);
    },
    close(code, reason) {
      if (socket) socket.close(code, reason);
      else finish(code, reason);
    },
    abandon(code, reason) {
      finish(code, reason);
      if (socket && 'terminate' in socket && typeof socket.terminate === 'function') socket.terminate();
      else socket?.close(code, reason);
    },
  };
}

async function webSocketOfPlatform(): Promise<OpenWebSocket> {
  const isPage = typeof document !== 'undefined' || typeof globalThis.process?.versions?.node !== 'string';
  if (typeof globalThis.WebSocket === 'function') {
    return (url, token) => {
      const socket =
        isPage || token === undefined
          ? new WebSocket(url, subprotocols(token))
          : new WebSocket(url, { protocols: [SUBPROTOCOL], headers: bearer(token) } as never);
      socket.binaryType = 'arraybuffer';
      return socket;
    };
  }
  const { WebSocket: NodeSocket } = await import('ws');
  // It has the browser's events and methods; messages come as views of its own buffers, without a copy.
  return (url, token) => {
    const headers = token === undefined ? {} : bearer(token);
    const options = { perMessageDeflate: false, maxPayload: MESSAGE_BYTES_MAX, headers };
    return new NodeSocket(url, SUBPROTOCOL, options) as unknown as WebSocket;
  };
}

function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}

/** The protocol, and the token as an entry of its own: a page can set nothing else. */
function subprotocols(token: string | undefined): string[] {
  return token === undefined ? [SUBPROTOCOL] : [SUBPROTOCOL, `depthwire.token.${token}`];
}
