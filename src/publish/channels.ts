import { STREAM } from '../engine.js';
import { Stream } from '../wire/generated/constants.js';

/** What a client may subscribe to. */
export type Channel =
  | { readonly channel: 'book' }
  | {
      readonly channel: 'depth';
      readonly depth: number;
      readonly intervalMs: number;
      /** Step of its prices, a decimal; absent = every price has a level of its own. */
      readonly grouping?: string;
    }
  | { readonly channel: 'bbo'; readonly source: 'book' | 'venue' }
  | {
      readonly channel: 'volumes';
      readonly intervalMs: number;
      /** Width of its price buckets, a decimal; absent = every price has a row of its own. */
      readonly grouping?: string;
    }
  | {
      readonly channel: 'costs';
      readonly intervalMs: number;
      /** Decimals; at least one of these or of `bps`. */
      readonly quantities: readonly string[];
      readonly bps: readonly number[];
    }
  | {
      readonly channel: 'signals';
      readonly intervalMs: number;
      readonly windowMs: number;
      /** Volume of a bucket of VPIN, a decimal; absent = VPIN is not told. */
      readonly vpinVolume?: string;
      /** With it. */
      readonly vpinBuckets?: number;
    }
  | { readonly channel: 'trades' | 'orders' | 'ticker' | 'liquidations' | 'status' | 'trading' };

/** Channels that are served; the grant knows more, which are to come. */
export const SERVED_CHANNELS = [
  'book',
  'depth',
  'bbo',
  'trades',
  'orders',
  'ticker',
  'liquidations',
  'status',
  'trading',
  'volumes',
  'costs',
  'signals',
] as const;

/** `conflate`: a reader that falls behind is brought back by the net change. `strict`: it gets every frame, or is closed. */
export type Mode = 'conflate' | 'strict';

/** A channel that is a view with a stream number of its own. */
export type ViewChannel = Extract<Channel, { channel: 'depth' | 'volumes' | 'costs' | 'signals' }>;

export function isView(channel: Channel): channel is ViewChannel {
  return ['depth', 'volumes', 'costs', 'signals'].includes(channel.channel);
}

/** The stream of a channel that is no view. */
export function streamOf(channel: Exclude<Channel, ViewChannel>): number {
  if (channel.channel === 'bbo') return channel.source === 'venue' ? STREAM.venueBbo : STREAM.bbo;
  return STREAM[channel.channel];
}

/** Trades and their volumes, the venue's own top of book and what it tells of the instrument hold whatever the state of the engine's book is. */
export function followsBook(stream: number): boolean {
  switch (stream) {
    case STREAM.trades:
    case STREAM.venueBbo:
    case STREAM.ticker:
    case STREAM.liquidations:
    case STREAM.trading:
      return false;
    default:
      return stream < Stream.volumesFirst || stream >= Stream.costsFirst;
  }
}

/** Whether a stream's frames each tell of something that happened, so that none may be left out. */
export function isOfEvents({ channel }: Channel): boolean {
  return channel === 'trades' || channel === 'orders' || channel === 'liquidations';
}

/** The mode of a subscription that asks for `wanted`. Frames of events and of the state are never thinned. */
export function modeOf(channel: Channel, wanted: Mode | undefined): Mode {
  if (isOfEvents(channel) || channel.channel === 'status') return 'strict';
  return wanted ?? 'conflate';
}

/** Names a subscription within its client and instrument. */
export function channelKey(channel: Channel): string {
  switch (channel.channel) {
    case 'depth':
      return `depth/${channel.depth}/${channel.intervalMs}${channel.grouping === undefined ? '' : `/${channel.grouping}`}`;
    case 'bbo':
      return `bbo/${channel.source}`;
    case 'volumes':
      return `volumes/${channel.intervalMs}${channel.grouping === undefined ? '' : `/${channel.grouping}`}`;
    case 'costs':
      return `costs/${channel.intervalMs}/${channel.quantities.join()}/${channel.bps.join()}`;
    case 'signals': {
      const { intervalMs, windowMs, vpinVolume, vpinBuckets } = channel;
      return `signals/${intervalMs}/${windowMs}${vpinVolume === undefined ? '' : `/${vpinVolume}/${vpinBuckets}`}`;
    }
    default:
      return channel.channel;
  }
}
