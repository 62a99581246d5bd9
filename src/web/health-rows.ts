import type { FrameLoop } from './frame-loop.js';
import type { Session } from './session.js';
import { ageWords, bytesPerSecondWords, durationWords, stateWords } from './wording.js';

/** One line of the health panel; `alert` marks a value that a reader should look into. */
export interface HealthRow {
  readonly key: string;
  readonly label: string;
  /** What the value means, shown on hover. */
  readonly title: string;
  readonly value: string;
  readonly alert: boolean;
}

/** The lines of the health panel with their present values; rates are per second. */
export function healthRows(
  session: Session,
  loop: FrameLoop,
  messagesPerSecond: number,
  bytesPerSecond: number,
): readonly HealthRow[] {
  const { book, counters, latency, connection } = session;
  const row = (key: string, label: string, title: string, value: string, alert = false): HealthRow => ({
    key,
    label,
    title,
    value,
    alert,
  });
  const counted = (key: string, label: string, title: string, count: number): HealthRow =>
    row(key, label, title, String(count), count > 0);
  const duration = (ms: number | undefined): string => (ms === undefined ? '–' : durationWords(ms));
  // The offset of the clocks is known as well as that, and so is every latency between them.
  const measured = (ms: number | undefined): string =>
    ms === undefined || latency === undefined
      ? replay.isOn
        ? 'of a replay: none'
        : '–'
      : `${durationWords(ms)} ± ${durationWords(latency.errorMs)}`;
  const { replay, selected } = session;
  const ageMs = book.seq === 0 ? Number.NaN : performance.now() - (selected?.inputMs ?? Number.NaN);
  const bookWords = stateWords(book.state, book.reason, book.doubts);
  return [
    row('connection', 'Connection', 'The socket to the server', connection, connection !== 'open'),
    row('book', 'Book', 'State of the selected book', bookWords, bookWords !== 'synced'),
    row('age', 'Age', 'Since the venue’s last input for the selected book', ageWords(ageMs)),
    row('epoch', 'Epoch', 'Changes at each reset of the book', String(book.epoch)),
    row('seq', 'Sequence', 'Counts the frames of this book in this epoch', String(book.seq)),
    row('venue-seq', 'Venue seq.', 'The venue’s own number that the book has reached', String(book.venueSeq)),
    row('messages', 'Messages', 'Messages received on the socket', `${messagesPerSecond.toFixed(0)} /s`),
    row('bytes', 'Bytes', 'Bytes received on the socket', bytesPerSecondWords(bytesPerSecond)),
    counted('gaps', 'Gaps', 'Missing frames that this page has noticed', counters.gaps),
    counted('resyncs', 'Resyncs', 'New images that this page has asked for', counters.resyncs),
    counted('checks', 'Failed checks', 'Checksums that disagreed with a book here', counters.checkFailures),
    counted('outages', 'Outages', 'Times that the connection to the server was lost', session.outages),
    row('p50', 'Latency p50', 'From the server’s encoding to the arrival here', measured(latency?.p50Ms)),
    row('p99', 'Latency p99', 'One frame in a hundred is slower', measured(latency?.p99Ms)),
    row('offset', 'Clock offset', 'The server’s clock minus this one, by ping', duration(latency?.offsetMs)),
    row('draw', 'Drawing', 'Mean time of a frame of this page', durationWords(loop.drawMs)),
  ];
}
