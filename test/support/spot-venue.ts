import { Simulator } from '#native';
import { SocketVenue, type Visitor } from './socket-venue.js';

interface Command {
  readonly method: string;
  readonly params: readonly string[];
  readonly id: number;
}

const FRAME_BYTES_MAX = 1 << 20;
/**
 * A spot market over sockets and HTTP: the embedded simulator's frames to those who subscribed them, its snapshots to those
 * who ask. Its time passes when `step` says so.
 */
export class SpotVenue {
  readonly venue: SocketVenue;
  /** Requests for snapshots, by symbol. */
  readonly asked: string[] = [];
  readonly commands: Command[] = [];
  /** Status of the answer to the next request; 200 when none is set. */
  readonly statuses: { status: number; retryAfter?: string }[] = [];
  /** A stream that is refused, as an unknown one is. */
  refused = '';
  /** Frames sent are left out where this says so. */
  loses: (visitor: Visitor, stream: string) => boolean = () => false;
  readonly #simulator: Simulator;
  readonly #streams = new Map<Visitor, Set<string>>();
  readonly #frame = new Uint8Array(FRAME_BYTES_MAX);
  #nowMs: number;

  constructor(seed = 1, startMs = Date.now()) {
    this.#nowMs = startMs;
    this.#simulator = new Simulator(seed, startMs);
    this.venue = new SocketVenue({
      onConnect: (visitor) => this.#streams.set(visitor, new Set()),
      onText: (visitor, text) => this.#command(visitor, JSON.parse(text) as Command),
      onRequest: (request, response) => {
        const url = new URL(request.url ?? '', 'http://venue');
        const symbol = url.searchParams.get('symbol') ?? '';
        this.asked.push(symbol);
        const { status, retryAfter } = this.statuses.shift() ?? { status: 200 };
        const more = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
        if (status !== 200) return void response.writeHead(status, more).end('<html>no</html>');
        const limit = Number(url.searchParams.get('limit'));
        const bytes = this.#simulator.snapshot(symbol, limit, this.#frame);
        response.writeHead(200, { 'x-mbx-used-weight-1m': '1' }).end(this.#frame.slice(0, bytes));
      },
    });
  }

  get symbols(): readonly string[] {
    return this.#simulator.symbols();
  }

  /** Lets the market run on, and sends what falls due. */
  step(ms = 100): void {
    this.#nowMs += ms;
    for (;;) {
      const bytes = this.#simulator.next(this.#nowMs, this.#frame);
      if (bytes <= 0) return;
      const frame = Buffer.from(this.#frame.subarray(0, bytes));
      const { stream } = JSON.parse(frame.toString()) as { stream: string };
      for (const [visitor, streams] of this.#streams) {
        if (visitor.isClosed || this.loses(visitor, stream) || !streams.has(stream)) continue;
        visitor.socket.send(frame, { binary: false });
      }
    }
  }

  #command(visitor: Visitor, command: Command): void {
    this.commands.push(command);
    const streams = this.#streams.get(visitor);
    const isRefused = command.params.some((stream) => stream === this.refused);
    for (const stream of isRefused ? [] : command.params) {
      if (command.method === 'SUBSCRIBE') streams?.add(stream);
      else streams?.delete(stream);
    }
    const answer = isRefused
      ? { error: { code: 2, msg: 'Invalid request' }, id: command.id }
      : { result: null, id: command.id };
    visitor.socket.send(JSON.stringify(answer));
  }
}
