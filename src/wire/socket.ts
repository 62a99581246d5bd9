/** The WebSocket subprotocol of this feed. */
export const SUBPROTOCOL = 'depthwire.v1';

/** The greatest message that a Node client without a WebSocket of its own accepts. */
const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

export interface SocketEvents {
  open(): void;
  text(text: string): void;
  /** The bytes are valid until the callback returns. */
  bytes(bytes: Uint8Array): void;
  /** Called once, also when the connection never opened. */
  close(code: number, reason: string, failure: string): void;
}

/** A connection being opened or open. */
export interface FeedSocket {
  send(text: string): void;
  /** Starts the closing handshake; `close` is reported when it is done. */
  close(code: number, reason: string): void;
  /** Reports `close` at once and lets the connection go, for a peer that does not answer. */
  abandon(code: number, reason: string): void;
}

type OpenWebSocket = (url: string) => WebSocket;

/** Opens a connection. Uses the platform's WebSocket, and the package `ws` on a Node that has none. */
export function openSocket(url: string, events: SocketEvents): FeedSocket {
  let socket: WebSocket | undefined;
  let failure = '';
  let done = false;

  const finish = (code: number, reason: string): void => {
    if (done) return;
    done = true;
    events.close(code, reason, failure);
  };

  const start = (open: OpenWebSocket): void => {
    if (done) return;
    const opened = open(url);
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

  webSocketOfPlatform()
    .then(start)
    .catch((cause: unknown) => {
      failure = cause instanceof Error ? cause.message : String(cause);
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
  if (typeof globalThis.WebSocket === 'function') {
    return (url) => {
      const socket = new WebSocket(url, SUBPROTOCOL);
      socket.binaryType = 'arraybuffer';
      return socket;
    };
  }
  const { WebSocket: NodeSocket } = await import('ws');
  const options = { perMessageDeflate: false, maxPayload: MESSAGE_BYTES_MAX };
  // It has the browser's events and methods; messages come as views of its own buffers, without a copy.
  return (url) => new NodeSocket(url, SUBPROTOCOL, options) as unknown as WebSocket;
}
