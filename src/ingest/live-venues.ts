import type { Ask, InstrumentInfo } from '../engine.js';
import { DepthwireError } from '../errors.js';
import { AccountKey } from './account-key.js';
import type { Clock } from './clock.js';
import type { SkewBounds } from './clock-skew.js';
import { Connector, type LinkStatus } from './connector.js';
import type { LiveSink } from './live-sink.js';
import type { Source } from './source.js';
import { VenueNet } from './venue-net.js';
import { CHANNELS, type Channel, type ProductFacts, type VenueFacts } from './venues/facts.js';
import { productFacts } from './venues/index.js';

/** A product of a venue, and what is to be heard of it. */
export interface LiveSource {
  /** Names it for people and for changes. */
  readonly name: string;
  /** The core's name of the product. */
  readonly venue: string;
  /** Names of instruments, `venue:SYMBOL`. */
  readonly instruments: readonly string[];
  /** Absent: books, best prices and trades, as far as the venue offers them. */
  readonly channels?: readonly Channel[] | undefined;
  readonly depth?: number | undefined;
  /** The venue's words for streams that are preferred where several bring the same. */
  readonly streams?: readonly string[] | undefined;
  /** Connections that carry the same, 1 or 2; absent: 1. */
  readonly lines?: number | undefined;
  readonly proxy?: string | undefined;
  /** Authorities to trust in place of those that Node knows, PEM. */
  readonly ca?: string | undefined;
  /** Beginnings of addresses, and what stands in their place. */
  readonly urls?: Readonly<Record<string, string>> | undefined;
  readonly keys?: { readonly key: string; readonly secret: string; readonly passphrase?: string } | undefined;
}

export interface LiveOptions {
  readonly clock: Clock;
  /** Numbers from 0 to below 1. */
  readonly random: () => number;
  /** Something is wrong with a venue or the way to it; it is tried again. */
  readonly onFault: (fault: DepthwireError) => void;
  /** The facts of a product by its name; absent: those that come with this package. */
  readonly facts?: typeof productFacts | undefined;
}

/** Where a live source stands. */
export interface LiveStatus {
  readonly name: string;
  readonly venue: string;
  readonly instruments: readonly number[];
  readonly connections: readonly LinkStatus[];
  /** How far the venue's clock is ahead of ours. */
  readonly clockSkew: SkewBounds | undefined;
  /** By budget: requests made, refused for their number, and waiting, and for how long the venue wants none. */
  readonly requests: Readonly<
    Record<
      string,
      { readonly made: number; readonly refused: number; readonly waiting: number; readonly pausedMs: number }
    >
  >;
}

interface Opened {
  readonly source: LiveSource;
  readonly net: VenueNet;
  readonly connector: Connector;
  names: readonly string[];
}

/** Without other words, what a product offers of these is heard. */
const CHANNELS_DEFAULT: ReadonlySet<Channel> = new Set(['book', 'bbo', 'trades']);

/** Live connections to any number of venues, as one source. What goes over one way to one venue shares its budgets. */
export class LiveVenues implements Source {
  readonly name: string;
  readonly ended: Promise<void> = new Promise(() => {});
  readonly #sources: readonly LiveSource[];
  readonly #options: LiveOptions;
  readonly #opened: Opened[] = [];
  readonly #nets = new Map<string, VenueNet>();
  /** The engine's numbers of connections that have ended, by product, to be used again. */
  readonly #free = new Map<string, number[]>();
  #isStarted = false;
  #sink: LiveSink | undefined;

  constructor(sources: readonly LiveSource[], options: LiveOptions) {
    this.#sources = sources;
    this.#options = options;
    this.name = sources.map(({ name }) => name).join(', ');
  }

  /** Throws `live.*` for a venue that is not heard over sockets, a channel that it does not offer, a name that is none. */
  open(sink: LiveSink): readonly number[] {
    this.#sink = sink;
    for (const source of this.#sources) this.#open(source, sink);
    return this.carried();
  }

  start(): void {
    this.#isStarted = true;
    for (const { connector } of this.#opened) connector.start();
  }

  /** One more source from now on. Throws as `open`; then nothing has changed. */
  add(source: LiveSource): void {
    if (this.#sink === undefined) return;
    const connector = this.#open(source, this.#sink);
    if (this.#isStarted) connector.start();
  }

  /** A source no more: its connections end, and what no other source carries has left. */
  remove(name: string): void {
    const at = this.#opened.findIndex(({ source }) => source.name === name);
    const [gone] = at === -1 ? [] : this.#opened.splice(at, 1);
    if (gone === undefined) return;
    for (const { id } of this.#find(gone.names)) gone.connector.remove(id);
    gone.connector.stop();
    if (this.#opened.some(({ net }) => net === gone.net)) return;
    gone.net.stop();
    for (const [key, net] of this.#nets) if (net === gone.net) this.#nets.delete(key);
  }

  /** Numbers of the instruments that its sources have at present. */
  carried(): readonly number[] {
    const all = this.#opened.flatMap(({ names }) => this.#find(names).map(({ id }) => id));
    return [...new Set(all)];
  }

  stop(): Promise<void> {
    for (const { connector } of this.#opened) connector.stop();
    for (const net of this.#nets.values()) net.stop();
    return Promise.resolve();
  }

  ask(ask: Ask): void {
    for (const { connector } of this.#opened) if (connector.has(ask.instrument)) connector.ask(ask);
  }

  say(source: number, text: Uint8Array): void {
    const copy = Buffer.from(text).toString('utf8');
    this.#opened.some(({ connector }) => connector.say(source, copy));
  }

  /** Other instruments of a source from now on. Returns those that are carried. Throws `live.no_such_instrument`. */
  change(name: string, names: readonly string[]): readonly number[] {
    const opened = this.#opened.find(({ source }) => source.name === name);
    if (opened === undefined) return [];
    noteList(factsOf(opened.source, this.#options.facts ?? productFacts).product, opened.net);
    const before = new Set(opened.names);
    const wanted = new Set(names);
    const added = this.#find(names.filter((each) => !before.has(each)));
    for (const { id } of this.#find(opened.names.filter((each) => !wanted.has(each))))
      opened.connector.remove(id);
    if (added.length > 0) opened.connector.add(added);
    opened.names = names;
    return this.#find(names).map(({ id }) => id);
  }

  /** Its sources, with the instruments that each has at present. */
  sources(): readonly Pick<LiveSource, 'name' | 'instruments'>[] {
    return this.#opened.map(({ source, names }) => ({ name: source.name, instruments: names }));
  }

  status(): readonly LiveStatus[] {
    return this.#opened.map(({ source, net, connector, names }) => ({
      name: source.name,
      venue: source.venue,
      instruments: this.#find(names).map(({ id }) => id),
      connections: connector.status(),
      clockSkew: net.skew.bounds,
      requests: Object.fromEntries(
        [...net.budgets()].map(([budget, { counts, waiting, pausedMs }]) => [
          budget,
          { made: counts.requests, refused: counts.refused, waiting, pausedMs },
        ]),
      ),
    }));
  }

  #open(source: LiveSource, sink: LiveSink): Connector {
    const { facts, product } = factsOf(source, this.#options.facts ?? productFacts);
    const instruments = this.#find(source.instruments);
    const free = this.#free.get(product.name) ?? [];
    this.#free.set(product.name, free);
    const net = this.#net(facts, source);
    const connector = new Connector({
      product,
      channels: channelsOf(product, source),
      depth: source.depth,
      streams: source.streams,
      lines: source.lines ?? 1,
      account: source.keys === undefined ? undefined : new AccountKey(source.keys),
      net,
      sink,
      free,
      onFault: this.#options.onFault,
    });
    noteList(product, net);
    try {
      connector.add(instruments);
    } catch (error) {
      // Nothing of what was opened before the engine was full stays.
      for (const { id } of instruments) connector.remove(id);
      connector.stop();
      throw error;
    }
    this.#opened.push({ source, net, connector, names: source.instruments });
    return connector;
  }

  #net(facts: VenueFacts, { proxy, ca, urls }: LiveSource): VenueNet {
    const key = JSON.stringify([facts.products.map(({ name }) => name), proxy, ca, urls]);
    let net = this.#nets.get(key);
    if (net === undefined) {
      const { clock, random } = this.#options;
      net = new VenueNet(facts, { proxy, ca, addresses: urls, clock, random });
      this.#nets.set(key, net);
    }
    return net;
  }

  #find(names: readonly string[]): readonly InstrumentInfo[] {
    const known = new Map(this.#sink?.instruments().map((instrument) => [instrument.name, instrument]));
    return names.map((name) => {
      const found = known.get(name);
      if (found !== undefined) return found;
      throw new DepthwireError('live.no_such_instrument', {
        what: 'the catalogue does not have this instrument',
        where: name,
        expected: 'an instrument that was added to the catalogue',
        got: name,
        fix: 'Add it to the catalogue before its source is opened.',
      });
    });
  }
}

/** Whoever names instruments has asked for the venue's list of them shortly before, and not by its budget. */
function noteList({ instruments }: ProductFacts, net: VenueNet): void {
  if (instruments !== null) net.budget(instruments.budget).note(instruments.weight * instruments.urls.length);
}

function factsOf(
  { name, venue }: LiveSource,
  known: typeof productFacts,
): {
  readonly facts: VenueFacts;
  readonly product: ProductFacts;
} {
  const found = known(venue);
  if (found !== undefined && found.facts.heard === 'sockets') return found;
  throw new DepthwireError('live.no_such_venue', {
    what: 'this is not heard over sockets',
    where: `sources.${name}`,
    expected: 'a product that depthwire venues lists with live channels',
    got: venue,
    fix: 'See depthwire venues; recordings are served with --replay FILE.',
  });
}

function channelsOf({ offers }: ProductFacts, { channels }: LiveSource): readonly Channel[] {
  if (channels !== undefined) return channels;
  const offered = CHANNELS.filter((channel) => offers[channel] === 'built');
  const usual = offered.filter((channel) => CHANNELS_DEFAULT.has(channel));
  return usual.includes('book') ? usual : [...usual, ...offered.filter((channel) => channel === 'orders')];
}
