/**
 * What a connector must know of a venue: facts, no logic. Texts have their parts in braces:
 *
 * - of an instrument: `{symbol}` as in its name, `{lower}` in lower case, `{code}` the venue's own code of it on the wire,
 *   `{base}` the symbol up to the first of `-`, `_` and `/`, `{family}` up to the second
 * - of a choice: `{depth}` of the stream, `{levels}` of a snapshot
 * - of a message: `{args}`, its arguments with commas between; `{id}`, a number that each message has anew; `{seconds}` and
 *   `{millis}`, the time since 1970
 * - of an address that was asked for: `{token}`
 * - of a login: see `LoginFacts`
 *
 * In addresses they are percent-encoded. Braces around anything else are braces.
 */
export interface VenueFacts {
  /** Where they were read. */
  readonly sources: readonly string[];
  /** How it is heard: over sockets, from recordings and captures only, or as the venue embedded in the process. */
  readonly heard: 'sockets' | 'recordings' | 'embedded';
  readonly products: readonly ProductFacts[];
  /** Budgets of its REST addresses, by the names that requests give. Each is one for all books of the address's users. */
  readonly budgets: Readonly<Record<string, BudgetFacts>>;
}

/** What streams tell of an instrument: `book` its levels, `orders` its orders. */
export const CHANNELS = ['book', 'orders', 'bbo', 'trades', 'ticker', 'liquidations', 'status'] as const;
export type Channel = (typeof CHANNELS)[number];

/** Read; read for those who have a key; not offered by the venue. */
export type Offer = 'built' | 'key' | 'none';

/** One product: a name of the core's table. */
export interface ProductFacts {
  /** The core's name. */
  readonly name: string;
  readonly offers: Readonly<Record<Channel, Offer>>;
  /** A product whose streams stand on several addresses has a socket for each; one connection is of one socket. */
  readonly sockets: readonly SocketFacts[];
  /** Where a book's snapshot is asked for; null where books come in the stream. */
  readonly snapshot: SnapshotFacts | null;
  /** Where its instruments are listed. */
  readonly instruments: InstrumentsFacts | null;
}

/** An address, and what can be heard there. */
export interface SocketFacts {
  /** Has `{token}` and `{endpoint}` where `address` is asked for. */
  readonly url: string;
  /** In the order in which they are subscribed. Of several for one channel the first counts that is deep enough. */
  readonly streams: readonly StreamFacts[];
  /** What is asked over HTTP before each connection. */
  readonly address: AddressFacts | null;
  /** Whether messages may be packed; offered by us only where the venue packs them. */
  readonly isPacked: boolean;
  /** The venue's first message, without which nothing may be said. */
  readonly welcome: Fields | null;
  /**
   * Messages by which the venue says that it is going to end the connection. Another one takes its place at once, as at the end
   * of its life. Absent where books could not be handed over.
   */
  readonly farewells: readonly Fields[];
  /** What is said first, before any subscription. */
  readonly opening: readonly string[];
  /** For streams that need a key; null where none does. */
  readonly login: LoginFacts | null;
  readonly beat: Beat;
  readonly limits: SocketLimits;
}

/** One kind of subscription. */
export interface StreamFacts {
  /** The venue's word for it, which a configuration may ask for. */
  readonly name: string;
  /** What it brings. None: it is subscribed on each connection, for what it tells of all (definitions, heartbeats). */
  readonly channels: readonly Channel[];
  /** What is sent for one batch, with `{args}`. */
  readonly subscribe: string;
  /** Null where only the venue's room can say it, since it names what the venue has told: the engine then hands it out. */
  readonly unsubscribe: string | null;
  /** One instrument's arguments; each is a subscription. The same argument of two instruments is subscribed once. */
  readonly args: readonly string[];
  /** Most arguments of one message, and the most bytes of it. */
  readonly argsMax: number;
  readonly bytesMax: number | null;
  /** Depths that can be chosen, the default first, with what a subscription costs; empty where there is one book only. */
  readonly depths: readonly { readonly levels: number; readonly cost?: number }[];
  readonly needsKey: boolean;
  /** A connection that hears nothing of any kind for so long, although it carries this, is made anew; null: as `beat` says. */
  readonly silenceMs: number | null;
}

/** What keeps a connection alive. */
export type Beat =
  /** The venue begins: a ping frame, a heartbeat message. */
  | { readonly from: 'venue'; readonly everyMs: number; readonly deadMs: number }
  /** We begin, with this text, or with a WebSocket ping. Without any sign for `deadMs` the connection is dead. */
  | {
      readonly from: 'us';
      readonly text: string | null;
      readonly everyMs: number;
      readonly deadMs: number;
    };

/** At most so many of something in a time. */
export interface Rate {
  readonly max: number;
  readonly windowMs: number;
}

/** What a connection may do. What a venue does not say is empty or null. */
export interface SocketLimits {
  readonly subscriptionsMax: number | null;
  /**
   * `messages` are all that are sent, `requests` those that are no beats, `subscriptions` arguments by their cost. A venue's
   * limit of subscriptions that it has not answered is told as such a rate.
   */
  readonly rates: readonly (Rate & { readonly of: 'messages' | 'requests' | 'subscriptions' })[];
  /** New connections of our address to the host. */
  readonly connects: Rate | null;
  /** Connections of our address to the host at a time. */
  readonly connectionsMax: number | null;
  /** After which a connection ends that has subscribed to nothing. */
  readonly firstSubscribeMs: number | null;
  /** After which the venue ends it. */
  readonly lifeMs: number | null;
}

/** Members of a JSON message by their path (`data.0.token`); null is any value but none. */
export type Fields = Readonly<Record<string, string | number | boolean | null>>;

/** A connection's address that a venue gives out. */
export interface AddressFacts {
  readonly request: RequestFacts;
  /** Paths in its answer: what `{token}` and `{endpoint}` stand for, and how often to beat in place of `everyMs`. */
  readonly token: string;
  readonly endpoint: string | null;
  readonly beatMs: string | null;
}

export interface RequestFacts {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly weight: number;
  /** A name in the venue's `budgets`. */
  readonly budget: string;
}

/** HMAC over a text, with the account's secret. */
export interface SignatureFacts {
  readonly hash: 'sha256' | 'sha512';
  /** How the secret is written. */
  readonly secret: 'text' | 'base64';
  /** What is signed, with `{seconds}`, `{millis}` or `{expires}`, a time in ms. */
  readonly over: string;
  readonly encoding: 'base64' | 'hex';
  /** How far `{expires}` lies ahead. */
  readonly expiresMs: number;
}

/** How an account is proven. Its parts in texts: `{key}`, `{passphrase}`, `{secret}`, `{signature}`, `{expires}`. */
export type LoginFacts =
  /** A message on each connection, said again after `renewMs`. Nothing else is said until one of the answers. */
  | {
      readonly kind: 'message';
      readonly text: string;
      readonly signature: SignatureFacts | null;
      readonly accepted: Fields;
      readonly refused: Fields;
      readonly renewMs: number | null;
    }
  /** Members of each subscription. */
  | { readonly kind: 'fields'; readonly signature: SignatureFacts }
  /** `{jwt}` in each subscription: signed by ES256 with the account's PEM key, whose name is its `kid` and `sub`. */
  | { readonly kind: 'jwt'; readonly issuer: string; readonly lifeMs: number }
  /**
   * `{token}` in each subscription, by a request that carries the key and HMAC-SHA512, with the secret in base64, over its
   * path and the SHA-256 of nonce and body; a new one for each connection.
   */
  | {
      readonly kind: 'token';
      readonly request: RequestFacts;
      /** Headers of the key and of the signature. */
      readonly keyHeader: string;
      readonly signatureHeader: string;
      /** Path of the token in the answer. */
      readonly token: string;
      /** Path of what is wrong, in an answer of status 200 that has no token, and in the answer to a subscription. */
      readonly requestError: string;
      readonly subscribeError: string;
      /** Beginnings of such texts that mean that the account is not taken. */
      readonly refused: readonly string[];
      /** What the key must be allowed, in the venue's words. */
      readonly permission: string;
    };

/** A budget of requests. */
export interface BudgetFacts {
  readonly weightMax: number;
  readonly windowMs: number;
  /** The header of an answer that tells what is used of it, or what is left. */
  readonly usedHeader: string | null;
  readonly leftHeader: string | null;
  /** Statuses that mean a ban, and how long one is where the answer has no `Retry-After`. */
  readonly ban: { readonly statuses: readonly number[]; readonly pauseMs: number };
}

/** Where a book's snapshot is asked for. */
export interface SnapshotFacts {
  readonly url: string;
  /** What an answer of so many levels at most costs, fewest levels first. */
  readonly weights: readonly { readonly levelsMax: number; readonly weight: number }[];
  readonly budget: string;
}

/** Where instruments are listed. */
export interface InstrumentsFacts {
  /** Each has a part of the list. */
  readonly urls: readonly string[];
  /** What is posted to each of them, in their order; absent where nothing is, and they are asked by GET. */
  readonly bodies?: readonly string[];
  readonly weight: number;
  readonly budget: string;
  /** A list in parts: where an answer has the cursor of the next, empty at the end, and the parameter that takes it. */
  readonly page: { readonly cursor: string; readonly parameter: string } | null;
}

/** No limit that is known. */
export const UNLIMITED: SocketLimits = {
  subscriptionsMax: null,
  rates: [],
  connects: null,
  connectionsMax: null,
  firstSubscribeMs: null,
  lifeMs: null,
};

/** What a stream has that most have not. */
export const PLAIN_STREAM = {
  bytesMax: null,
  depths: [],
  needsKey: false,
  silenceMs: null,
} as const;

/** What an address has that most have not. */
export const PLAIN = {
  address: null,
  isPacked: false,
  welcome: null,
  farewells: [],
  opening: [],
  login: null,
} as const;
