/** Keys by which a terminal signals, while it hands them over unread. */
const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = { '\x03': 'SIGINT', '\x1c': 'SIGQUIT' };

/** In which a process that stops has stopped. */
const STOP_MS = 50;

/** Where keys are pressed, one at a time. */
export interface Keyboard {
  /** Hands over each key until the returned function is called. Meanwhile the terminal does not show what is typed. */
  listen(onKey: (key: string) => void): () => void;
  /** While it is listened to: stops the process as Ctrl-Z does, until the shell lets it go on; `onResume` is called then. */
  suspend(onResume: () => void): void;
}

/** The keyboard of a terminal; undefined where input is no terminal. Ctrl-C and Ctrl-\ are the signals that they always are. */
export function keyboardOf(stream: NodeJS.ReadStream): Keyboard | undefined {
  if (stream.isTTY !== true) return undefined;
  return {
    listen(onKey) {
      const onData = (chunk: Buffer): void => {
        for (const key of keysOf(chunk.toString('utf8'))) {
          const signal = SIGNALS[key];
          if (signal === undefined) onKey(key);
          else process.kill(process.pid, signal);
        }
      };
      const onEnd = (): void => {
        process.kill(process.pid, 'SIGHUP');
      };
      stream.setRawMode(true);
      stream.on('data', onData);
      stream.once('end', onEnd);
      stream.resume();
      return () => {
        stream.off('data', onData);
        stream.off('end', onEnd);
        stream.pause();
        stream.setRawMode(false);
      };
    },
    suspend(onResume) {
      // Where no shell stops what it has started, nothing would let this go on.
      if (process.platform === 'win32') {
        onResume();
        return;
      }
      stream.setRawMode(false);
      // The whole group, as a terminal does: under npm the shell waits for npm.
      process.kill(0, 'SIGTSTP');
      // Runs when the process does again: at once where there is no shell to stop for.
      setTimeout(() => {
        stream.setRawMode(true);
        onResume();
      }, STOP_MS);
    },
  };
}

/** The keys of what a terminal has sent: letters, and escape sequences as one each. */
export function* keysOf(text: string): Generator<string, void, undefined> {
  for (let at = 0; at < text.length; ) {
    const start = at;
    if (text.startsWith('\x1b[', at)) {
      // Parameters, then one letter that ends it.
      for (at += 2; at < text.length && !/[@-~]/.test(text[at] ?? ''); at += 1);
      at += 1;
    } else if (text.startsWith('\x1bO', at)) {
      at += 3;
    } else {
      at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    }
    yield text.slice(start, at);
  }
}
