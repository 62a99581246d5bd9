import type { BringBy, InstrumentInfo, StreamPlace } from '../engine.js';
import type { Channel, Mode } from './channels.js';

/** One channel of one instrument that a client holds. */
export interface Subscription {
  /** Names it within its client, as it was asked for. */
  readonly key: string;
  /** As it was asked for, which is how the client knows it. */
  readonly asked: Channel;
  /** As it was granted. */
  readonly channel: Channel;
  readonly instrument: InstrumentInfo;
  readonly stream: number;
  mode: Mode;
  /** Frames of the stream follow what was sent last, so they begin with what brings the reader to the present. */
  isLive: boolean;
  /** The client was told that the stream left it behind, and has to be told that it is back. */
  isBehind: boolean;
  /** Where the reader stands while it is not live; undefined = it has nothing yet, and an image is what it needs. */
  place: StreamPlace | undefined;
  by: BringBy;
  /** It is live without an image: there was none in this epoch yet, and the next one opens with it. */
  imagelessEpoch: bigint | undefined;
}

/** The words by which a client knows a subscription: those that it asked with. */
export function namesOf({ asked, instrument, stream }: Subscription): object {
  return { ...asked, instrument: instrument.name, stream };
}

export function keyOf(instrument: string, channelKey: string): string {
  return `${instrument}/${channelKey}`;
}
