import { setTimeout as pause } from 'node:timers/promises';
import { vi } from 'vitest';
import { type Serving, startServing } from '../../src/cli/serve.js';
import { type ConfigInput, configFrom } from '../../src/config.js';
import { connect, type Feed } from '../../src/wire/index.js';

/** A recording that is served at full speed by a real server on a free port, with clients of the SDK. */
export class ServedRecording implements AsyncDisposable {
  readonly serving: Serving;
  /** Number of the instrument that is served. */
  readonly id: number;
  readonly #feeds: Feed[] = [];

  private constructor(serving: Serving, instrument: string) {
    this.serving = serving;
    this.id = serving.engine.instruments().find(({ name }) => name === instrument)?.id ?? 0;
  }

  /** Nothing has been replayed yet when it resolves. What the server warns of is an error of the test. */
  static async start(
    files: readonly string[],
    instrument: string,
    options: { readonly loop?: boolean; readonly limits?: ConfigInput['limits'] } = {},
  ): Promise<ServedRecording> {
    const config = configFrom({
      server: { port: 0, drainMs: 300 },
      // Recordings of the simulated venue look like those of another one.
      instruments: instrument.startsWith('sim:') ? [{ name: instrument }] : [],
      replay: { files: [...files], speed: 'max', loop: options.loop ?? false },
      limits: { slowMs: 60_000, ...options.limits },
    });
    const serving = await startServing(config, new Map(), (line) => {
      throw new Error(line);
    });
    return new ServedRecording(serving, instrument);
  }

  /** Lets the replay go on, chunk by chunk and file by file, only while `gate` is open. */
  gate(gate: () => boolean): void {
    const { server } = this.serving;
    const pressed = server.pressed.bind(server);
    vi.spyOn(server, 'pressed').mockImplementation(() => !gate() || pressed());
  }

  client(): Feed {
    const feed = connect(`ws://127.0.0.1:${this.serving.port}/v1/feed`);
    this.#feeds.push(feed);
    return feed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const feed of this.#feeds) await feed.close();
    await this.serving.stop('test is over');
  }
}

/** Waits for what a socket brings about. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (const late = performance.now() + 25_000; !condition(); await pause(1)) {
    if (performance.now() > late) throw new Error(`no ${what}`);
  }
}
