// @ts-check
/** Lines between clients and the server that can be slow, be cut in the middle of a frame, or end as machines do that vanish. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const STEP_MS = 10;
/** Bytes that wait for a client beyond which nothing more is read of the server: it is the server that has to wait. */
const WAITING_BYTES_MAX = 65_536;

/**
 * What a client sees of a server that is gone. `end`: the connection ends. `half`: some more bytes come before, a part of a
 * frame as a rule. `drain`: all that had been sent comes first, as fast as the line is. `reset`: it is torn. `hole`: nothing
 * comes any more, and no end either.
 * @typedef {'end' | 'half' | 'drain' | 'reset' | 'hole'} Ending
 */
export const ENDINGS = /** @type {readonly Ending[]} */ (['end', 'half', 'drain', 'reset', 'hole']);

/** One connection over the line. */
class Wire {
  /** @type {Buffer[]} */
  #waiting = [];
  #waitingBytes = 0;
  #isDraining = false;
  #isUp = false;
  #isOver = false;

  /**
   * @param {import('node:net').Socket} client
   * @param {import('node:net').Socket} server
   * @param {Line} line
   * @param {() => void} onOver
   */
  constructor(client, server, line, onOver) {
    this.client = client;
    this.server = server;
    this.line = line;
    this.onOver = onOver;
    client.on('data', (data) => server.write(data));
    server.on('data', (data) => {
      this.#isUp = true;
      this.#waiting.push(data);
      this.#waitingBytes += data.length;
      if (this.#waitingBytes > WAITING_BYTES_MAX) server.pause();
    });
    client.on('error', () => {});
    server.on('error', () => {});
    client.on('close', () => this.#over());
    server.on('close', () => this.#serverGone());
  }

  /** Lets through what a step of the line's time lets through. */
  step() {
    let left = (this.line.bytesPerSecond * STEP_MS) / 1000;
    for (let first = this.#waiting[0]; first !== undefined && left > 0; first = this.#waiting[0]) {
      const part = first.subarray(0, left);
      this.client.write(part);
      left -= part.length;
      this.#waitingBytes -= part.length;
      if (part.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(part.length);
    }
    if (this.#waitingBytes <= WAITING_BYTES_MAX) this.server.resume();
    if (this.#isDraining && this.#waiting.length === 0) this.client.end();
  }

  /** Ends it both ways, for its client in the given way. @param {Ending} ending */
  end(ending) {
    if (ending === 'hole') return;
    if (ending === 'drain') {
      this.#isDraining = true;
      return;
    }
    if (ending === 'reset') this.client.resetAndDestroy();
    else {
      const all = Buffer.concat(this.#waiting);
      const part =
        ending === 'half' ? all.subarray(0, Math.floor(this.line.random() * all.length)) : all.subarray(0, 0);
      this.client.end(part);
    }
    this.server.destroy();
    this.#waiting = [];
  }

  #serverGone() {
    // A connection that has never been one ends at once.
    if (!this.#isOver) this.end(this.#isUp ? this.line.ending : 'reset');
  }

  #over() {
    this.#isOver = true;
    this.server.destroy();
    this.onOver();
  }
}

/** A port of its own that leads to the server's. */
export class Line {
  bytesPerSecond = Number.POSITIVE_INFINITY;
  /** @type {Ending} what its clients see when the server is gone */
  ending = 'end';
  /** @type {Set<Wire>} */
  #wires = new Set();
  #server;
  #timer;

  /** @param {number} target the server's port @param {() => number} random */
  constructor(target, random) {
    this.random = random;
    this.#server = createServer({ noDelay: true }, (client) => {
      const server = connect({ port: target, host: '127.0.0.1', noDelay: true });
      /** @type {Wire} */
      const wire = new Wire(client, server, this, () => this.#wires.delete(wire));
      this.#wires.add(wire);
    });
    this.#timer = setInterval(() => {
      for (const wire of this.#wires) wire.step();
    }, STEP_MS);
  }

  /** Its port. @returns {Promise<number>} */
  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return /** @type {import('node:net').AddressInfo} */ (this.#server.address()).port;
  }

  /** Cuts what goes over it now; the server lives on. @param {Ending} ending */
  cut(ending) {
    for (const wire of this.#wires) wire.end(ending);
  }

  close() {
    clearInterval(this.#timer);
    this.#server.close();
    for (const { client, server } of this.#wires) {
      client.destroy();
      server.destroy();
    }
  }
}
