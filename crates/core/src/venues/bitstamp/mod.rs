//! Bitstamp: version 2 of its WebSocket. Books of levels by their differences, books of orders, trades. Recordings of version 1 are
//! read by `v1`.
//!
//! Source: bitstamp.net/websocket/v2 ("Live full order book", "Live order book", "Live orders", "Live ticker", "Reconnect request") and bitstamp.net/api,
//! "Order book", "Trading pairs info". What they say, by number:
//! 1. A message is an object with `event`, `channel` and `data`; the channel's name ends with the pair in lower case.
//! 2. `diff_order_book_PAIR` tells levels that changed since the message before, absolute; quantity 0 removes. It has
//!    no number, only the time in microseconds (`microtimestamp`), which rises.
//! 3. The book that the differences belong to is asked for over HTTP (`order_book/PAIR`, with a `microtimestamp` of its own).
//!    Differences of that time and before are in it.
//! 4. `live_trades_PAIR` tells each trade with a number; `type` 0 where the buyer took, 1 where the seller did. `price_str` and
//!    `amount_str` are exact, `price` and `amount` need not be.
//! 5. `bts:request_reconnect` announces that the connection is going to end.
//! 6. `live_orders_PAIR` tells of each order that it was created, changed or deleted, with what is left of it. `price_str` and
//!    `amount_str` are exact. `order_type` 0 buys, 1 sells.
//! 7. Each of these events names itself (`event_id`) and the one before it (`pre_event_id`). Of what these are made no page says;
//!    recorded ones begin with the event's `microtimestamp` and its place among those of one time, in hexadecimal digits.
//! 8. `order_book_PAIR` tells the best hundred levels a side whole, with their time.
//! 9. With `group=2` the book over HTTP has the orders, each with its number.
//!
//! Choices where the documents are silent:
//! * An answer is a whole book: the differences speak of levels of any depth.
//! * An answer that is older than the first difference heard does not reach it: something may have been said between them.
//! * A difference with a time before the last one is out of turn, and contradicts its book. One with the same time is the same
//!   message again, and harmless.
//! * A message that is lost within a connection shows nowhere.
//! * An answer whose best bid is not below its best ask is no book (the venue has sent such).
//! * Where a connection tells differences of a pair its hundred levels are not read. If they were before, the book begins anew.
//! * `detail_order_book_PAIR` is the best hundred orders of the same book, and does not say where their last level ends: it is not read.
//! * Orders are a product of their own, since they are numbered and levels are not. The number of an event is its time in
//!   nanoseconds, to which twice its place is added (rule 7): the same on every connection. One whose id has another form is no
//!   event. A book has the number behind that of the last event which it holds.
//! * Nothing says which events a book of orders holds: its time is of another clock. `recent` finds it out by the orders
//!   themselves, and refuses a book that shows to hold none of those that were heard, or one and not another before it. In a pair
//!   that is quiet it takes until an order comes or changes.
//! * In a book of orders those of one price are in the order of their queue.
//! * Changes and deletions of orders that do not rest contradict the book, and so does an order that is created twice. An order that is
//!   changed to another price, or to more, goes to the end of its queue; one of which nothing is left is gone.
//! * Recorded orders of subtype 4 were all deleted in the moment in which they were created: they take and never rest. Their
//!   creation is not the end of what happens, so that nobody is shown a book that they cross. A taker of another subtype crosses its
//!   book until the next events, as the venue tells it.

mod instruments;
mod orders;
mod reader;
mod recent;
mod scalars;
mod sight;
mod v1;

use recent::Recent;

use super::FrameError;
use super::room::{
    Asked, At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use serde_json::Value;

use crate::decode::{DecodeError, FRAME_BYTES_MAX};
use crate::sequence::Rule;
use crate::types::{
    Body, BySlot, DecimalError, Definitions, Events, Instrument, Routes, Scope, Slot, StaleReason, TimeNs,
    Venue,
};

/// Every pair.
pub(super) const PAIRS: Product = Product {
    rule: Rule::Time,
    resync: Resync::Snapshot,
    is_by_order: false,
    order_ids: OrderIds::None,
    trade_ids: TradeIds::Ascending,
    top_proof: false,
    checksum: Checksum::None,
    // Quiet pairs were recorded silent for half a minute.
    silence_ns: 120_000_000_000,
    life: Life::Book,
    detects: Detection::Never,
    scale: Scale::INFERRED,
};

/// Every pair, order by order.
pub(super) const ORDERS: Product = Product {
    rule: Rule::Linked,
    is_by_order: true,
    // Nothing says that two pairs never use one number.
    order_ids: OrderIds::Arbitrary,
    // Rule 7.
    detects: Detection::Next,
    ..PAIRS
};

/// No pair is listed here: scales come from the venue or from the digits.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// The pair of a symbol as the wire has it, `btcusd`, or as it is shown, `BTC/USD`.
pub(super) fn instrument(venue: Venue, name: &str) -> Instrument {
    PAIRS.scale.instrument(venue, &name.replace('/', "").to_lowercase())
}

/// One connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Bitstamp {
    /// Whether it is to the product of orders.
    has_orders: bool,
    /// Of levels.
    heard: BySlot<Heard>,
    /// Of orders.
    recent: BySlot<Recent>,
}

/// What was heard of a pair, in microseconds.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Heard {
    /// The time of the last difference; none before the first.
    last: Option<u64>,
    /// The time of a difference behind it whose numbers did not fit the scale: it may be handed in once more.
    unread: Option<u64>,
    /// Whether differences are told.
    has_differences: bool,
    /// Whether the book is told whole.
    is_whole: bool,
}

impl Heard {
    /// What comes next does not run on from what was heard.
    fn forget(&mut self) {
        *self = Self { has_differences: self.has_differences, ..Self::default() };
    }

    /// Whether anything was told of its book.
    const fn has_book(&self) -> bool {
        self.last.is_some() || self.is_whole
    }
}

impl Bitstamp {
    fn heard(&mut self, slot: Slot) -> &mut Heard {
        self.heard.at(slot)
    }

    fn recent(&mut self, slot: Slot) -> &mut Recent {
        self.recent.at(slot)
    }

    /// The connection goes on elsewhere: what was heard of it is no beginning of what will be.
    fn forget(&mut self) -> impl Iterator<Item = Slot> {
        self.heard.iter_mut().filter_map(|(slot, heard)| {
            let had_book = heard.has_book();
            heard.forget();
            had_book.then_some(slot)
        })
    }

    /// Says whose book a frame that cannot be read may have changed, and forgets what came before it.
    fn concern(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) {
        if v1::event(bytes).is_some() {
            return;
        }
        let names = |text: &[u8]| memchr::memmem::find(bytes, text).is_some();
        // A second name may stand anywhere in it, and letters that are escaped may make one.
        let pair = |rest: &[u8]| {
            let end = memchr::memchr(b'"', rest)?;
            rest.get(..end).and_then(|pair| routes.find(pair)).map(|route| route.slot)
        };
        let mut named = reader::named(bytes, self.has_orders).map(pair);
        let is_plain = memchr::memchr(b'\\', bytes).is_none();
        match named.next() {
            None if is_plain && (names(b"\"live_trades_") || names(b"\"bts:")) => {}
            Some(Some(slot)) if is_plain && named.all(|other| other == Some(slot)) => {
                self.heard(slot).forget();
                out.concerns(Scope::Book(slot));
            }
            _ => {
                self.forget().for_each(drop);
                out.concerns(Scope::All);
            }
        }
    }
}

/// A book is known no more.
fn lose(slot: Slot, reason: StaleReason, ts_event: TimeNs, out: &mut Events) {
    let scope = Scope::Book(slot);
    out.push(slot, ts_event, Body::Lost { scope, reason, expected: 0, received: 0 });
}

impl Room for Bitstamp {
    fn of(product: Venue) -> Self {
        let has_orders = super::product(product).is_by_order;
        Self { has_orders, ..Self::default() }
    }

    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        let mark = out.mark();
        let read = match bytes.len() {
            len if len > FRAME_BYTES_MAX => Err(DecodeError::FrameTooLarge { len }),
            _ => reader::message(self, bytes, routes, out),
        };
        if let Err(error) = read {
            out.undo(mark);
            use DecimalError::{Inexact, Overflow};
            let is_harmless = matches!(
                error,
                DecodeError::UnknownSymbol { .. }
                    | DecodeError::Refused { .. }
                    | DecodeError::AmbiguousSnapshot
                    | DecodeError::NotSnapshot
                    // The reader keeps count of those.
                    | DecodeError::BadNumber { cause: Inexact | Overflow, .. }
            );
            if !is_harmless {
                self.concern(bytes, routes, out);
            }
        }
        Ok(read?)
    }

    fn answer(
        &mut self,
        asked: &Asked<'_>,
        bytes: &[u8],
        _at: At,
        out: &mut Events,
    ) -> Result<(), FrameError> {
        let mark = out.mark();
        let read = reader::answer(self, asked, bytes, out);
        if read.is_err() {
            out.undo(mark);
        }
        Ok(read?)
    }

    /// Of levels, what the venue said while nobody listened is not told again; of orders the next event says what is missing.
    fn opened(&mut self, at: At, out: &mut Events) {
        self.recent.iter_mut().for_each(|(_, recent)| recent.forget());
        for slot in self.forget() {
            lose(slot, StaleReason::SourceFailed, at.ts_recv, out);
        }
        self.heard.clear();
    }

    fn began(&mut self, at: At, out: &mut Events) {
        for slot in self.forget() {
            lose(slot, StaleReason::Skipped, at.ts_recv, out);
        }
    }

    fn skipped(&mut self, at: At, out: &mut Events) {
        self.began(at, out);
        if self.has_orders {
            let body =
                Body::Lost { scope: Scope::All, reason: StaleReason::Skipped, expected: 0, received: 0 };
            out.push(Slot(0), at.ts_recv, body);
        }
    }

    fn instruments(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
        instruments::read(venue, bytes, out)
    }

    fn kept(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }

    fn restored(_product: Venue, kept: Value) -> Option<Self> {
        serde_json::from_value(kept).ok()
    }

    fn time(frame: &[u8]) -> TimeNs {
        sight::time(frame)
    }

    fn sight(&mut self, frame: &[u8], out: &mut Sightings) {
        sight::sight(frame, out);
    }
}

#[cfg(test)]
mod tests;
