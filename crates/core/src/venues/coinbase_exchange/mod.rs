//! Coinbase Exchange, order by order: its channel `full`.
//!
//! Source: docs.cdp.coinbase.com, Exchange, "WebSocket Feed", "Channels" (full, heartbeat, matches, ticker, status), "Get product
//! book". What they say, by number:
//! 1. A message is an object with a `type`. Those of `full` have a `product_id` and a `sequence`, which counts a product's
//!    messages one by one. The feed may drop messages, or bring them out of order.
//! 2. To have a book: subscribe, keep what comes, ask for the book of level 3, drop what is not above its `sequence`, apply the
//!    rest.
//! 3. `received`: an order was taken. The book is as before. Every order is first told so.
//! 4. `open`: what is left of it (`remaining_size`) rests, behind the others of its price.
//! 5. `match`: an execution. `side` is the maker's; the maker's order becomes less and keeps its place.
//! 6. `change`: a resting order, or one that does not rest yet, becomes less (self-trade prevention), or its owner gives it
//!    another price or size (`new_price`, `new_size`). One without a price is of a market order.
//! 7. `done`: the order is no more. It is told of every order that was received, also of those that never rested (market orders,
//!    orders that were filled or cancelled at once): of these there is nothing to remove. After a fill nothing is left to remove
//!    either.
//! 8. `activate`: a stop order became one that is active; it is then received.
//! 9. `heartbeat` comes each second of each product, with the `sequence` that its messages have reached.
//! 10. Messages of types that are not known are to be ignored.
//!
//! What contradicts a book: an `open` of an order that rests, a `match` whose maker does not rest or has less than was traded. A
//! `done` or `change` of an order that does not rest is rule 6 or 7, and no proof of anything: that nothing is missing is proven by
//! the numbers, and that what was there at the beginning is right by the venue's own book.
//!
//! Choices where the documents are silent:
//! * A heartbeat that is ahead of the last message of its product shows a loss at once (rule 9).
//! * An order that is changed to more, or to another price, goes to the end of its queue.
//! * Rows of the book of level 3 at one price are in the order of their queue.
//! * `matches` alone has the same messages as `full`, with holes in their numbers. It counts as a channel of trades until a
//!   subscription to `full`, or a message that only `full` has, is heard.
//! * Levels (`level2`, `level2_batch`) have no number at all, and a loss of them shows nowhere. They are not read here.

mod book;
mod full;
mod instruments;
mod sight;
mod statistics;

use super::room::{
    Asked, At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use super::{FrameError, value_behind};
use serde_json::Value;

use crate::decode::date_time::Minute;
use crate::decode::json::{Kind, Scanner};
use crate::decode::members::{members, text};
use crate::decode::{DecodeError, FRAME_BYTES_MAX, SymbolText};
use crate::sequence::Rule;
use crate::types::{BySlot, Definitions, Events, Instrument, Routes, Scope, Slot, TimeNs, Venue};

/// Every product.
pub(super) const ORDERS: Product = Product {
    rule: Rule::Counter,
    resync: Resync::Snapshot,
    is_by_order: true,
    order_ids: OrderIds::Named,
    trade_ids: TradeIds::Ascending,
    top_proof: false,
    checksum: Checksum::None,
    // Rule 9: five heartbeats. Each of them says, too, that nothing of its product is missing.
    silence_ns: 5_000_000_000,
    life: Life::Connection,
    detects: Detection::Next,
    scale: Scale::INFERRED,
};

/// No product is listed here: scales come from the venue or from the digits.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// The instrument that a symbol means.
pub(super) fn instrument(venue: Venue, symbol: &str) -> Instrument {
    ORDERS.scale.instrument(venue, symbol)
}

/// What a connection has told of one product.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Told {
    /// Whether it hears `full`.
    is_full: bool,
    /// The number of the last message of `full`.
    last: Option<u64>,
}

/// One connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct CoinbaseExchange {
    told: BySlot<Told>,
    #[serde(skip)]
    minute: Minute,
}

impl CoinbaseExchange {
    #[inline]
    fn told(&mut self, slot: Slot) -> &mut Told {
        self.told.at(slot)
    }

    fn message(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let mut scanner = Scanner::new(bytes, 0);
        let keys = ["type", "message", "reason", "channels", "products", "bids", "asks"];
        let [kind, words, reason, channels, products, bids, asks] = members(&mut scanner, bytes, &keys)?;
        scanner.finish()?;
        if kind.kind == Kind::Absent && bids.kind == Kind::Array && asks.kind == Kind::Array {
            // A book that was asked for, among the messages: it names no product.
            return Err(DecodeError::AmbiguousSnapshot);
        }
        match text(kind, bytes, "type")? {
            name @ (b"received" | b"open" | b"match" | b"change" | b"done" | b"activate") => {
                full::message(self, name, bytes, routes, out)
            }
            b"last_match" => full::last_match(self, bytes, routes, out),
            b"heartbeat" => full::heartbeat(self, bytes, routes, out),
            b"ticker" => statistics::ticker(self, bytes, routes, out),
            b"status" => statistics::status(bytes, products, routes, out),
            b"subscriptions" => full::subscriptions(self, bytes, channels, routes),
            b"error" => {
                let words = if reason.kind == Kind::String { reason } else { words };
                Err(DecodeError::Refused { text: SymbolText::new(words.of(bytes)) })
            }
            // Rule 10.
            _ => Ok(()),
        }
    }
}

/// Says whose book a frame that cannot be read may have changed.
fn concern(bytes: &[u8], routes: &Routes, out: &mut Events) {
    /// Types that say nothing of a book.
    const OTHERS: [&[u8]; 8] = [
        b"last_match",
        b"heartbeat",
        b"ticker",
        b"status",
        b"subscriptions",
        b"snapshot",
        b"l2update",
        b"error",
    ];
    let behind = |start: &[u8]| value_behind::text(bytes, start);
    if behind(b"\"type\":\"").is_some_and(|kind| OTHERS.contains(&kind)) {
        return;
    }
    match behind(b"\"product_id\":\"").and_then(|symbol| routes.find(symbol)) {
        Some(route) => out.concerns(Scope::Book(route.slot)),
        // It may be that very text which is damaged.
        None => out.concerns(Scope::All),
    }
}

impl Room for CoinbaseExchange {
    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        let mark = out.mark();
        let read = match bytes.len() {
            len if len > FRAME_BYTES_MAX => Err(DecodeError::FrameTooLarge { len }),
            _ => self.message(bytes, routes, out),
        };
        if let Err(error) = &read {
            out.undo(mark);
            let is_sound = matches!(
                error,
                DecodeError::UnknownSymbol { .. }
                    | DecodeError::Refused { .. }
                    | DecodeError::AmbiguousSnapshot
            );
            if !is_sound && out.concerned().is_none() {
                concern(bytes, routes, out);
            }
        }
        Ok(read?)
    }

    /// Rule 2.
    fn answer(
        &mut self,
        asked: &Asked<'_>,
        bytes: &[u8],
        _at: At,
        out: &mut Events,
    ) -> Result<(), FrameError> {
        let mark = out.mark();
        let read = book::answer(&mut self.minute, asked, bytes, out);
        if read.is_err() {
            out.undo(mark);
        }
        Ok(read?)
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
