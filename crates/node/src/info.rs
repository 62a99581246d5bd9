//! What the addon tells: plain objects, and how they are made of the core's.

use depthwire_core::book::l3::{Order, QueuePosition};
use depthwire_core::engine::{self, IngestError};
use depthwire_core::types::{Account, Decimal, Instrument, InstrumentId, Level, Side};
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

/// An instrument of the catalogue. Exponents are powers of ten; tick and lot are mantissas, 0 = unknown.
#[napi(object)]
pub struct InstrumentInfo {
    /// Number on the wire.
    pub id: u32,
    /// `venue:symbol`.
    pub name: String,
    /// Part of the name before the colon.
    pub venue: String,
    /// Part of the name after it.
    pub symbol: String,
    /// What the venue calls it in messages; the first is what subscriptions name.
    pub codes: Vec<String>,
    /// Power of ten of prices.
    pub price_exponent: i32,
    /// Power of ten of quantities.
    pub qty_exponent: i32,
    /// Price increment.
    pub tick_size: i64,
    /// Quantity increment.
    pub lot_size: i64,
    /// `base`, `contracts` or `shares`.
    pub qty_unit: String,
    /// Quote units that an inverse contract is worth, base units that any other holds; 1 for spot.
    pub contract_size: f64,
    /// Whether a contract is worth a fixed amount of quote currency.
    pub inverse: bool,
    /// `spot`, `perpetual`, `future`, `option`, `spread` or `unknown`.
    pub kind: String,
    /// What is traded, as the venue writes it; empty where it has not said.
    pub base: String,
    /// What prices are in.
    pub quote: String,
    /// What gains are paid in, where that is neither.
    pub settle: String,
    /// When it ends, in ms since the epoch; 0 = never, or nobody has said.
    pub expiry_ms: i64,
    /// Of an option: the price at which it may be used, as a decimal.
    pub strike: Option<String>,
    /// Of an option: whether it is one to buy.
    pub is_call: Option<bool>,
}

/// Where a book stands.
#[napi(object)]
pub struct BookInfo {
    /// `syncing`, `synced` or `stale`.
    pub state: String,
    /// Why it is stale; `none` where it is not.
    pub reason: String,
    /// Epoch.
    pub epoch: BigInt,
    /// Sequence of the `book` stream.
    pub seq: BigInt,
    /// The venue's sequence.
    pub venue_seq: BigInt,
    /// Number of bid levels.
    pub bids: u32,
    /// Number of ask levels.
    pub asks: u32,
    /// Best bid as the shortest decimal, if the side has a level.
    pub best_bid: Option<String>,
    /// Best ask likewise.
    pub best_ask: Option<String>,
    /// Whether a best price lies beyond what the venue has made known: others may stand before it.
    pub beyond_known: bool,
    /// For a gap: the venue's number that was due.
    pub expected: BigInt,
    /// For a gap: the one that came.
    pub received: BigInt,
    /// Time since the last change of the book.
    pub age_ns: BigInt,
    /// Times that its truth was lost.
    pub losses: i64,
    /// When it was lost last, ms since the Unix epoch; 0 = never.
    pub lost_ms: i64,
    /// How long it took to be exact again, the last time, ms.
    pub mended_ms: i64,
    /// The longest that it took.
    pub mended_ms_max: i64,
    /// The venue's checksums of it that were compared.
    pub checksums_checked: i64,
    /// Those that agreed.
    pub checksums_matched: i64,
    /// The venue's own tops that were compared.
    pub tops_checked: i64,
    /// Those that agreed.
    pub tops_matched: i64,
    /// Updates of it that had to wait for a book: its stream comes in, whether a book does or not.
    pub held: i64,
}

/// Counters since the engine was made.
#[napi(object)]
pub struct EngineStats {
    /// Venue frames handed in.
    pub frames: i64,
    /// Depth updates decoded.
    pub book_messages: i64,
    /// Depth updates applied.
    pub applied: i64,
    /// Levels in depth updates decoded.
    pub level_changes: i64,
    /// Levels in depth updates applied.
    pub applied_level_changes: i64,
    /// Snapshots decoded.
    pub snapshots: i64,
    /// Snapshots that were too old to use.
    pub snapshots_old: i64,
    /// Snapshots asked for.
    pub snapshot_requests: i64,
    /// Trades decoded.
    pub trades: i64,
    /// Breaks in a venue's sequence.
    pub gaps: i64,
    /// Stale books that became synced again.
    pub resyncs: i64,
    /// Books that turned stale because nothing arrived.
    pub silences: i64,
    /// Updates that left a book crossed.
    pub crossed: i64,
    /// Frames that could not be decoded.
    pub decode_errors: i64,
    /// Frames that change nothing here.
    pub ignored: i64,
    /// Frames of instruments that are not carried.
    pub foreign: i64,
    /// Snapshots that name no instrument, of sources that speak of several.
    pub unattributed: i64,
    /// Books that the venue contradicts: by its own top of book or by a checksum.
    pub contradictions: i64,
    /// Entries of a recording that were received before the entry in front of them, by a second or more.
    pub backward: i64,
    /// Parts of a recording that are not of its form.
    pub recording_errors: i64,
    /// Statistics of instruments told.
    pub tickers: i64,
    /// Trades that closed a position by force.
    pub liquidations: i64,
    /// Changes of trading status.
    pub statuses: i64,
    /// Updates dropped while waiting for a snapshot.
    pub pending_dropped: i64,
    /// Comparisons with the venue's own top of book.
    pub bbo_checked: i64,
    /// Those that agreed.
    pub bbo_matched: i64,
    /// Comparisons with the venue's own checksums.
    pub checksums_checked: i64,
    /// Those that agreed.
    pub checksums_matched: i64,
    /// What order feeds told.
    pub orders: OrderStats,
    /// How long books took to be exact again.
    pub mending: MendingStats,
    /// Feed frames written.
    pub feed_frames: i64,
    /// Their bytes.
    pub feed_bytes: i64,
    /// Books that a source carries, by state.
    pub books: BookStats,
    /// Time from the receipt of an input to the frame of the `book` or `trades` stream that it causes; live only.
    pub latency: LatencyStats,
    /// Frames that are kept for readers who come back.
    pub history: HistoryStats,
    /// What brought readers to the present of a stream.
    pub brought: BroughtStats,
}

/// Books that a source carries, by state.
#[napi(object)]
pub struct BookStats {
    /// No book yet.
    pub syncing: i64,
    /// Exactly the venue's.
    pub synced: i64,
    /// The truth is lost.
    pub stale: i64,
}

/// Time from the receipt of an input to the frame that it causes.
#[napi(object)]
pub struct LatencyStats {
    /// Bounds of the counts, ns, inclusive; the last count is of what took longer.
    pub bounds_ns: Vec<i64>,
    /// Frames by the time that they took.
    pub counts: Vec<i64>,
    /// The times together, ns.
    pub sum_ns: i64,
}

impl From<depthwire_core::LatencyStats> for LatencyStats {
    fn from(core: depthwire_core::LatencyStats) -> Self {
        Self {
            bounds_ns: depthwire_core::LATENCY_NS.map(|bound| bound as i64).to_vec(),
            counts: core.counts.map(|count| count as i64).to_vec(),
            sum_ns: core.sum_ns as i64,
        }
    }
}

/// Frames that are kept for readers who come back.
#[napi(object)]
pub struct HistoryStats {
    /// Memory that they use now.
    pub bytes: i64,
    /// The most that they may use; 0 = nothing is kept.
    pub bytes_max: i64,
    /// Memory taken from the oldest of all, ever, because all was in use.
    pub evicted_bytes: i64,
}

/// Readers brought to the present of a stream, by what it took.
#[napi(object)]
pub struct BroughtStats {
    /// They were there, or were told that the book is not synced.
    pub nothing: i64,
    /// Every frame that they missed.
    pub range: i64,
    /// The net change.
    pub net: i64,
    /// An image.
    pub image: i64,
}

/// How long books whose truth was lost took to be exact again.
#[napi(object)]
pub struct MendingStats {
    /// Bounds of the counts, ms, inclusive; the last count is of what took longer.
    pub bounds_ms: Vec<i64>,
    /// Books by the time that they took.
    pub counts: Vec<i64>,
    /// The times together, ms.
    pub sum_ms: i64,
}

impl From<depthwire_core::MendingStats> for MendingStats {
    fn from(core: depthwire_core::MendingStats) -> Self {
        Self {
            bounds_ms: depthwire_core::MENDED_NS.map(ms).to_vec(),
            counts: core.counts.map(|count| count as i64).to_vec(),
            sum_ms: ms(core.sum_ns),
        }
    }
}

const fn ms(ns: u64) -> i64 {
    (ns / 1_000_000) as i64
}

/// What order feeds have told of the orders of carried instruments.
#[napi(object)]
pub struct OrderStats {
    /// New orders.
    pub adds: i64,
    /// Cancels by quantity.
    pub reduces: i64,
    /// Executions.
    pub executes: i64,
    /// Orders that left for one with a new number.
    pub replaces: i64,
    /// New prices or quantities under the same number.
    pub modifies: i64,
    /// Orders that left whole.
    pub deletes: i64,
    /// Books emptied.
    pub clears: i64,
    /// Records that never touch a book.
    pub untouching: i64,
    /// Ends of a venue's event.
    pub events: i64,
    /// Changes of books that were not known.
    pub passed_over: i64,
    /// Events that left a book crossed, as before an auction.
    pub crossed: i64,
    /// Changes that contradict their book.
    pub contradictions: i64,
    /// Records by which the venue itself doubts their book.
    pub doubts: i64,
    /// Most orders that rested at once.
    pub resting_max: i64,
}

/// An order that rests.
#[napi(object)]
pub struct OrderInfo {
    /// `bid` or `ask`.
    pub side: String,
    /// Price mantissa.
    pub price: BigInt,
    /// What is left of it, a mantissa.
    pub qty: BigInt,
    /// Orders that trade before it at its price.
    pub orders_ahead: u32,
    /// Their quantity together, a mantissa.
    pub qty_ahead: BigInt,
}

impl OrderInfo {
    pub(crate) fn new(order: Order, position: QueuePosition) -> Self {
        Self {
            side: if order.side == Side::Bid { "bid" } else { "ask" }.to_owned(),
            price: order.price.0.into(),
            qty: order.qty.0.into(),
            orders_ahead: position.orders_ahead,
            qty_ahead: position.qty_ahead.0.into(),
        }
    }
}

/// A plain object of the core's counters, under the names that they have there. A counter beyond 2^53 is rounded.
macro_rules! counters {
    ($name:ident of $core:ident: $($count:ident)*, $($part:ident)*) => {
        impl From<depthwire_core::$core> for $name {
            fn from(core: depthwire_core::$core) -> Self {
                Self { $($count: core.$count as i64,)* $($part: core.$part.into(),)* }
            }
        }
    };
}

counters! {
    EngineStats of Stats:
    frames book_messages applied level_changes applied_level_changes snapshots snapshots_old
    snapshot_requests trades gaps resyncs silences crossed decode_errors ignored foreign
    unattributed contradictions backward recording_errors tickers liquidations statuses pending_dropped bbo_checked bbo_matched checksums_checked checksums_matched feed_frames feed_bytes,
    orders mending books latency history brought
}

counters! { BookStats of BookStats: syncing synced stale, }

counters! { HistoryStats of HistoryStats: bytes bytes_max evicted_bytes, }

counters! { BroughtStats of BroughtStats: nothing range net image, }

counters! {
    OrderStats of OrderStats:
    adds reduces executes replaces modifies deletes clears untouching events passed_over crossed
    contradictions doubts resting_max,
}

/// Why the last input had no effect.
#[napi(object)]
pub struct ErrorInfo {
    /// Stable code.
    pub code: String,
    /// What is wrong.
    pub what: String,
    /// In which input.
    pub r#where: String,
    /// What was meant.
    pub expected: String,
    /// What came.
    pub got: String,
    /// What to do.
    pub fix: String,
}

impl From<(InstrumentId, &Instrument)> for InstrumentInfo {
    fn from((id, listed): (InstrumentId, &Instrument)) -> Self {
        Self {
            id: id.0,
            name: listed.to_string(),
            venue: listed.venue.name().to_owned(),
            symbol: listed.symbol.clone(),
            codes: listed.wire_codes().map(|code| String::from_utf8_lossy(code).into_owned()).collect(),
            price_exponent: listed.price_exponent.into(),
            qty_exponent: listed.qty_exponent.into(),
            tick_size: listed.tick_size,
            lot_size: listed.lot_size,
            qty_unit: listed.qty_unit.name().to_owned(),
            contract_size: number(listed.contract_size),
            inverse: listed.inverse,
            kind: listed.terms.kind.name().to_owned(),
            base: listed.terms.base.to_string(),
            quote: listed.terms.quote.to_string(),
            settle: listed.terms.settle.to_string(),
            expiry_ms: (listed.terms.expiry / 1_000_000) as i64,
            strike: listed.terms.option.map(|option| option.strike.to_string()),
            is_call: listed.terms.option.map(|option| option.is_call),
        }
    }
}

/// A decimal as JavaScript's number that is nearest to it, for sizes of contracts: those have few digits.
fn number(decimal: Decimal) -> f64 {
    decimal.to_string().parse().unwrap_or(f64::NAN)
}

impl BookInfo {
    /// `exponent` is that of the instrument's prices.
    pub(crate) fn new(info: &engine::BookInfo, exponent: i8) -> Self {
        let price = |level: Level| Decimal { mantissa: level.price.0, exponent }.to_string();
        Self {
            state: info.state.name().to_owned(),
            reason: info.state.reason_name().to_owned(),
            epoch: info.epoch.into(),
            seq: info.seq.into(),
            venue_seq: info.venue_seq.into(),
            bids: info.bid_count as u32,
            asks: info.ask_count as u32,
            best_bid: info.bbo.bid.map(price),
            best_ask: info.bbo.ask.map(price),
            beyond_known: info.is_beyond_known,
            expected: info.gap.0.into(),
            received: info.gap.1.into(),
            age_ns: info.age_ns.into(),
            losses: info.mending.losses as i64,
            lost_ms: ms(info.mending.lost_at),
            mended_ms: ms(info.mending.last_ns),
            mended_ms_max: ms(info.mending.max_ns),
            checksums_checked: info.checksums.0 as i64,
            checksums_matched: info.checksums.1 as i64,
            tops_checked: info.tops.0 as i64,
            tops_matched: info.tops.1 as i64,
            held: info.held as i64,
        }
    }
}

impl ErrorInfo {
    pub(crate) fn new(error: &IngestError, place: &str) -> Self {
        let Account { what, expected, got } = error.account();
        Self {
            code: error.code().to_owned(),
            what,
            r#where: place.to_owned(),
            expected,
            got,
            fix: error.fix().to_owned(),
        }
    }
}
