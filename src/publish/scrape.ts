import type { EngineStats, RecordStatus } from '../engine.js';
import type { BookCounts, GatewayCounts, Metrics, Scrape } from './metrics.js';
import { ProcessSample } from './process-sample.js';
import type { ServedSource } from './sources.js';

/** A text is handed out again for so long: several who scrape, or one who scrapes without end, cost no more than one. */
const KEPT_MS = 250;

/** What a scrape needs of the server. */
export interface Scraped {
  /** Of all gateways together. */
  metrics(): Metrics;
  gateways(): GatewayCounts | undefined;
  build(): Readonly<Record<string, string>>;
  stats(): EngineStats;
  stages(): Scrape['stages'];
  /** As `Scrape.nameOf`. */
  nameOf(instrument: number): string | undefined;
  imagesEncoded(): number;
  waitingBytes(): number;
  sources(): readonly ServedSource[];
  record(): RecordStatus | null;
  isReady(books: BookCounts): boolean;
  uptimeSeconds(): number;
}

/** Makes the text of `/metrics`, at most four times a second. */
export class Scraper {
  readonly #scraped: Scraped;
  readonly #process = new ProcessSample();
  #text = '';
  #madeMs = Number.NEGATIVE_INFINITY;

  constructor(scraped: Scraped) {
    this.#scraped = scraped;
  }

  /** `nowMs` is monotonic. */
  text(nowMs: number): string {
    if (nowMs - this.#madeMs < KEPT_MS) return this.#text;
    const engine = this.#scraped.stats();
    this.#text = this.#scraped.metrics().text({
      engine,
      stages: this.#scraped.stages(),
      nameOf: (instrument) => this.#scraped.nameOf(instrument),
      gateways: this.#scraped.gateways(),
      build: this.#scraped.build(),
      imagesEncoded: this.#scraped.imagesEncoded(),
      waitingBytes: this.#scraped.waitingBytes(),
      connections: connectionCounts(this.#scraped.sources()),
      record: this.#scraped.record(),
      isReady: this.#scraped.isReady(engine.books),
      uptimeSeconds: this.#scraped.uptimeSeconds(),
      process: (out) => this.#process.write(out),
    });
    this.#madeMs = nowMs;
    return this.#text;
  }

  /** As `ProcessSample.ticked`. */
  ticked(lateMs: number): void {
    this.#process.ticked(lateMs);
  }
}

function connectionCounts(sources: readonly ServedSource[]): Scrape['connections'] {
  const counts = { open: 0, lost: 0 };
  for (const { connections } of sources)
    for (const { connectedSinceMs } of connections) counts[connectedSinceMs > 0 ? 'open' : 'lost'] += 1;
  return counts;
}
