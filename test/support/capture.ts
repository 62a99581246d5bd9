import { Dialect } from '#native';
import { productFacts } from '../../src/ingest/venues/index.js';

/** When a capture begins, in ms since 1970. */
const START_MS = 1_700_000_000_000;
/** A book is asked for so long behind the beginning. */
const ANSWER_MS = 300;

export interface Captured {
  /** The core's name of the product. */
  readonly product: string;
  readonly codes: readonly string[];
  readonly durationMs: number;
  /** Whether orders are told rather than levels. */
  readonly isByOrder?: boolean;
}

/**
 * What a venue of the simulator says to several connections, one an instrument, as a recorder of captures writes it, with the answer to a
 * request for each book where the venue is asked for books.
 */
export function capture({ product, codes, durationMs, isByOrder = false }: Captured): string {
  const out = new Uint8Array(16 << 20);
  const lines: { readonly ms: number; readonly text: string }[] = [];
  const url = productFacts(product)?.product.snapshot?.url;
  codes.forEach((code, at) => {
    const dialect = new Dialect(product, isByOrder, 0, at + 1, code);
    const take = (ms: number, bytes: number): void => {
      const numbers = new DataView(out.buffer);
      for (let from = 0; from < bytes; ) {
        const end = from + 8 + numbers.getUint32(from, true);
        const data = Buffer.from(out.subarray(from + 8, end)).toString();
        lines.push({ ms, text: JSON.stringify({ t: 'recv', conn: code, ts: ms / 1000, data }) });
        from = end;
      }
    };
    take(START_MS, dialect.open(START_MS, out));
    for (let ms = START_MS; ms < START_MS + durationMs; ms += 10) {
      for (let bytes = dialect.step(ms, out); bytes > 0; bytes = dialect.step(ms, out)) take(ms, bytes);
      if (url === undefined || ms !== START_MS + ANSWER_MS) continue;
      const data = Buffer.from(out.subarray(0, dialect.snapshot(out))).toString();
      const asked = url.replace('{symbol}', code).replace('{levels}', '100');
      lines.push({ ms, text: JSON.stringify({ t: 'http', conn: 'http', ts: ms / 1000, url: asked, data }) });
    }
    dialect.close();
  });
  const body = lines.sort((a, b) => a.ms - b.ms).map(({ text }) => `${text}\n`);
  return `{"t":"header","format":2}\n${body.join('')}`;
}
