import { decimalText, type LocalVolumes, type StateReason } from '../wire/index.js';
import type { BookView } from './book-view.js';
import { withThousands } from './decimal-text.js';
import { bucketPriceText } from './grouping.js';
import type { TextCell } from './text-cell.js';
import type { WatchedMarket } from './watched-market.js';
import { clockWords, reasonWords, refusalWords } from './wording.js';

/** Says of the profile since when it counts, whether it is the present one and whether trades may be missing in it, and where its middle is. */
export class ProfilePainter {
  readonly #cell: TextCell;
  #drawn = '';

  constructor(cell: TextCell) {
    this.#cell = cell;
  }

  paint(market: WatchedMarket | null): void {
    const { volumes, volumesError, profile, instrument } = market ?? {};
    const size = instrument?.position.size;
    const key = `${instrument?.facts.name} ${profile?.version} ${volumes?.seq} ${volumes?.since} ${volumes?.missedAt} ${volumes?.state} ${volumes?.reason} ${size} ${volumesError?.code}`;
    if (key === this.#drawn) return;
    this.#drawn = key;
    if (volumesError !== undefined) this.#cell.set(`Traded: ${refusalWords(volumesError)}`);
    else if (market === null || volumes == null) this.#cell.set('');
    else this.#cell.set(profileWords(market, volumes));
  }
}

function profileWords({ profile, book, instrument }: WatchedMarket, volumes: LocalVolumes): string {
  if (volumes.state === 'syncing') return 'Traded: syncing';
  const stale = volumes.state === 'stale' ? `stale: ${staleWords(volumes.reason)}` : '';
  if (volumes.since === 0n) return `Traded: nothing yet${stale && `, ${stale}`}`;
  const time = (ns: bigint): string => clockWords(Number(ns / 1_000_000n));
  const missed = volumes.missedAt === 0n ? '' : `, trades may be missing until ${time(volumes.missedAt)}`;
  const since = `Traded${stale && `, ${stale},`} since ${time(volumes.since)}${missed}`;
  if (profile.tooWide > 0)
    return `${since}: counted in steps of ${decimalText(profile.tooWide, book.priceExponent)}, group by as much`;
  if (Number.isNaN(profile.poc)) return since;
  const price = (bucket: number) => priceWords(bucket, instrument.position.size, book);
  return `${since} · POC ${price(profile.poc)} · VA ${price(profile.valueLow)}–${price(profile.valueHigh)}`;
}

/** What is to be said of a column of volumes that is not the engine's present one; empty of one that is, and before one is asked for. */
export function tradedDoubt({
  volumes,
  volumesError,
}: Pick<WatchedMarket, 'volumes' | 'volumesError'>): 'refused' | 'stale' | 'syncing' | '' {
  if (volumesError !== undefined) return 'refused';
  return volumes === null || volumes.state === 'synced' ? '' : volumes.state;
}

/** The server gives no reason: its frames say that they are stale only where no trades are told. */
function staleWords(reason: StateReason): string {
  return reason === 'unknown' ? 'the connection that tells trades is lost' : reasonWords(reason);
}

function priceWords(bucket: number, size: number, book: BookView): string {
  return withThousands(bucketPriceText(bucket, size, book.priceExponent));
}
