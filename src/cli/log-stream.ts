import SonicBoom from 'sonic-boom';

/** Lines that wait for their reader; more are dropped and counted. */
const WAITING_CHARACTERS_MAX = 1 << 20;
/** At the end of the process a reader has so long to take what waits. */
const FLUSH_MS_MAX = 250;

/** Lines to a reader who may be slow or gone: a terminal that is held, a pipe that nobody empties. Nothing waits for it. */
export interface LogStream {
  write(text: string): void;
  /** Resolves when everything has been taken, or after a quarter of a second. */
  flush(): Promise<void>;
  /** Lines that were dropped since the last call. */
  dropped(): number;
}

/** Writes to a file descriptor outside of this thread. `onClosed`: the reader is gone. */
export function logStream(fd: number, onClosed: () => void): LogStream {
  const stream = new SonicBoom.SonicBoom({ fd, sync: false, maxLength: WAITING_CHARACTERS_MAX });
  let dropped = 0;
  let closed = false;
  let isIdle = true;
  stream.on('drain', () => {
    isIdle = true;
  });
  stream.on('drop', () => {
    dropped += 1;
  });
  stream.on('error', () => {
    if (closed) return;
    closed = true;
    onClosed();
  });
  return {
    write: (text) => {
      if (closed) return;
      isIdle = false;
      stream.write(text);
    },
    flush: () =>
      new Promise((resolve) => {
        if (closed || isIdle) return resolve();
        setTimeout(resolve, FLUSH_MS_MAX).unref();
        stream.once('drain', resolve);
      }),
    dropped: () => {
      const count = dropped;
      dropped = 0;
      return count;
    },
  };
}
