//! Bybit v5: spot, linear and inverse contracts, options, by JSON.
//!
//! Source: bybit-exchange.github.io, v5: "Orderbook", "Trade", "Ticker", "All Liquidation", "Full Orderbook", "RPI Orderbook",
//! "Get Instruments Info", "WebSocket Connect", "Enums Definitions". What they say, by number:
//! 1. A connection leads to one category, `/v5/public/spot`, `linear`, `inverse` or `option`, and none of its messages names
//!    it. Spot and linear contracts have symbols in common: see `category`.
//! 2. `orderbook.DEPTH.SYMBOL` tells the best 1, 50, 200 or 1,000 levels a side, of options 25 or 100; 500 occurs in
//!    recordings. A `snapshot` comes first, then each `delta` with `u` one higher. It names each level that comes into the depth
//!    and each that leaves it, so that a cut takes nothing away.
//! 3. Any other snapshot is the book from there on. With `u` = 1 the service has begun anew.
//! 4. At depth 1 every message is a snapshot; after 3 s without a change the last one comes again, with its `u`. Recordings
//!    of 2023 have deltas there.
//! 5. `seq` is the matching engine's: of two messages of a symbol the one with the smaller one is of earlier. It has holes.
//! 6. `cts` is the time of the matching engine, `ts` that of the gateway; both are milliseconds and stand anywhere.
//! 7. `orderbook.rpi.SYMBOL` and `orderbook.full.SYMBOL` are other books.
//! 8. `publicTrade.SYMBOL`, of options `publicTrade.COIN` for all of them: `S` is who took. One with `BT` is a block trade, which
//!    no order of the book had a part in. Spot names trades by numbers that ascend, the others by UUIDs.
//! 9. `tickers.SYMBOL` of contracts is a snapshot, then deltas with what has changed; elsewhere snapshots alone.
//! 10. `allLiquidation.SYMBOL`: `S` is the position's side, so that of `Buy` a long one was closed, by selling. `p` is the price
//!     at which it was bankrupt.
//! 11. A symbol in the making says its phase in `curPreListingPhase`; its book comes with continuous trading.
//! 12. Without a message of ours the venue closes; `ping` is answered by `pong`.
//!
//! Choices where the documents are silent:
//! * Of several depths of one symbol on a connection the deepest that has sent a snapshot counts, since each is numbered for
//!   itself. Depth 1 beside a deeper one is the venue's own top. That an equal `seq` of two depths means an equal book is written
//!   nowhere, and no recording has two, so this top proves nothing.
//! * Best prices in `tickers` of contracts are passed over, since depth 1 tells the same, earlier. Options have no depth 1.
//! * REST `orderbook` is of one depth of its own, and is not joined to the stream: it is not a book here.

mod category;
mod depth;
mod events;
mod instruments;
mod printed;
mod sight;
mod ticker;

use category::{Category, Shown};
use depth::Followed;

use super::FrameError;
use super::room::{
    At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use serde_json::Value;

use crate::decode::{DecodeError, FRAME_BYTES_MAX, SymbolText};
use crate::sequence::Rule;
use crate::types::{
    Body, BySlot, Coverage, Definitions, Events, Instrument, QtyUnit, Routes, Scope, Slot, StaleReason,
    TimeNs, Venue,
};

/// Spot.
pub(super) const SPOT: Product = Product {
    rule: Rule::Counter,
    resync: Resync::Resubscribe,
    is_by_order: false,
    order_ids: OrderIds::None,
    trade_ids: TradeIds::Ascending,
    top_proof: false,
    checksum: Checksum::None,
    // Rule 12: half as long again as the pause between two pings.
    silence_ns: 30_000_000_000,
    life: Life::Connection,
    detects: Detection::Next,
    scale: Scale::INFERRED,
};

/// Contracts that are margined and quoted in a stable coin, counted in the base coin.
pub(super) const LINEAR: Product = Product { trade_ids: TradeIds::Unordered, ..SPOT };

/// Contracts of one US dollar each, margined in the coin.
pub(super) const INVERSE: Product =
    Product { scale: Scale { qty_unit: QtyUnit::Contracts, inverse: true, ..Scale::INFERRED }, ..LINEAR };

/// Options, counted in the base coin.
pub(super) const OPTION: Product = LINEAR;

/// No symbol is listed here: scales come from the venue or from the digits.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// The instrument of a symbol.
pub(super) fn instrument(venue: Venue, symbol: &str) -> Instrument {
    super::product(venue).scale.instrument(venue, symbol)
}

/// One connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Bybit {
    /// Of the source; none where that is still to be found out.
    product: Option<Category>,
    /// What its address says.
    address: Option<Category>,
    /// Whether it was opened for the source's product, by whoever opened it.
    is_opened: bool,
    /// Whether its messages have shown another category than the source's, on a connection of unknown address.
    is_mixed: bool,
    /// What is followed of each instrument.
    followed: BySlot<Followed>,
    /// Whether a book of [`Self::followed`] was unsubscribed since the last frame.
    has_ended: bool,
}

impl Bybit {
    /// What is followed of an instrument.
    #[inline]
    fn followed(&mut self, slot: Slot) -> &mut Followed {
        self.followed.at(slot)
    }

    /// Whether the connection is known to be of another category than the source.
    fn is_others(&self) -> bool {
        matches!((self.product, self.address), (Some(product), Some(address)) if product != address)
    }

    /// Whether a message of a symbol that the source carries is the source's, by what it shows of its category.
    ///
    /// On a connection of unknown address one message of the other category takes the truth of all that was told: symbols
    /// are in common, so any of it may have been the other's. From there on only what shows its category counts.
    fn is_own(&mut self, shown: Option<Shown>) -> bool {
        let Some(product) = self.product else { return true };
        if self.address.is_some() || self.is_opened {
            return !self.is_others();
        }
        let is_contrary = shown.is_some_and(|shown| !product.is(shown));
        self.is_mixed |= is_contrary;
        !is_contrary && (shown.is_some() || !self.is_mixed)
    }

    /// Books that this connection has told of are known no more.
    fn lose(&mut self, reason: StaleReason, out: &mut Events) {
        for (slot, of) in self.followed.iter_mut() {
            if std::mem::take(of).depth().is_some() {
                lost(slot, reason, out);
            }
        }
    }

    /// A frame behind the end of a subscription, which is told with it. It may be read again, so that what is remembered
    /// changes once it could be read.
    #[cold]
    fn behind_end(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        for (slot, _) in self.followed.iter().filter(|(_, of)| of.has_ended) {
            lost(slot, StaleReason::SourceFailed, out);
        }
        match self.any(bytes, routes, out) {
            Ok(()) | Err(DecodeError::UnknownSymbol { .. }) => {}
            Err(error) => return Err(error),
        }
        let ended = self.followed.iter_mut().filter(|(_, of)| of.has_ended);
        ended.for_each(|(_, of)| *of = Followed::default());
        self.has_ended = false;
        Ok(())
    }

    /// Rule 2. Of options there is no recording that shows it: their books are cut.
    fn coverage(&self, depth: u32) -> Coverage {
        match self.product {
            Some(Category::Option) => Coverage::Depth(depth),
            _ => Coverage::ExactDepth(depth),
        }
    }

    /// A frame of any form.
    #[inline(never)]
    fn any(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(DecodeError::FrameTooLarge { len: bytes.len() });
        }
        if self.is_others() {
            return events::others(bytes);
        }
        let (mark, was_mixed) = (out.mark(), self.is_mixed);
        let read = events::object(self, bytes, routes, out);
        if self.is_mixed && !was_mixed {
            out.undo(mark);
            self.lose(StaleReason::Contradiction, out);
            return Ok(());
        }
        if let Err(error) = read {
            out.undo(mark);
            let is_known = matches!(error, DecodeError::UnknownSymbol { .. } | DecodeError::Refused { .. });
            if out.concerned().is_none() && !is_known {
                concern(bytes, routes, out);
            }
        }
        read
    }
}

/// Says whose book a frame that cannot be read may have changed.
fn concern(bytes: &[u8], routes: &Routes, out: &mut Events) {
    let names = |text: &[u8]| memchr::memmem::find(bytes, text).is_some();
    // A text that is cut has no end.
    let topic = memchr::memmem::find(bytes, b"\"topic\":\"").and_then(|at| {
        let rest = bytes.get(at + b"\"topic\":\"".len()..)?;
        rest.get(..memchr::memchr(b'"', rest)?)
    });
    let book = match topic {
        // What is asked for and what becomes of it.
        None if names(b"\"op\":") || names(b"\"success\":") => return,
        None => None,
        Some(topic) => match topic.strip_prefix(b"orderbook.") {
            Some(book) => Some(book),
            None if OTHER_TOPICS.iter().any(|other| topic.starts_with(other)) => return,
            None => None,
        },
    };
    // It may be that very text which is damaged.
    let symbol = book.and_then(|book| book.get(memchr::memchr(b'.', book)? + 1..));
    match symbol.and_then(|symbol| routes.find(symbol)) {
        Some(route) => out.concerns(Scope::Book(route.slot)),
        None => out.concerns(Scope::All),
    }
}

/// Topics that say nothing of a book.
const OTHER_TOPICS: [&[u8]; 5] =
    [b"publicTrade.", b"tickers.", b"allLiquidation.", b"kline.", b"liquidation."];

/// A book is known no more.
fn lost(slot: Slot, reason: StaleReason, out: &mut Events) {
    let scope = Scope::Book(slot);
    out.push(Slot(0), 0, Body::Lost { scope, reason, expected: 0, received: 0 });
}

/// A message of an instrument that is not carried.
fn foreign(symbol: &[u8]) -> DecodeError {
    DecodeError::UnknownSymbol { symbol: SymbolText::new(symbol) }
}

impl Room for Bybit {
    fn of(product: Venue) -> Self {
        Self { product: Category::of(product), ..Self::default() }
    }

    #[inline]
    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        if self.has_ended {
            return Ok(self.behind_end(bytes, routes, out)?);
        }
        let mark = out.mark();
        if !self.is_mixed && !self.is_others() && printed::delta(self, bytes, routes, out).is_some() {
            return Ok(());
        }
        out.undo(mark);
        Ok(self.any(bytes, routes, out)?)
    }

    fn instruments(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
        instruments::read(venue, bytes, out)
    }

    /// Books go on as far as their numbers say so; each depth is subscribed anew.
    fn opened(&mut self, _at: At, _out: &mut Events) {
        *self = Self { product: self.product, is_opened: true, ..Self::default() };
    }

    fn asked(&mut self, text: &[u8]) {
        if let Some(category) = Category::of_address(text) {
            self.address = Some(category);
        } else if memchr::memmem::find(text, b"\"unsubscribe\"").is_some() {
            for (_, of) in self.followed.iter_mut() {
                of.has_ended |= of.is_named_in(text);
                self.has_ended |= of.has_ended;
            }
        }
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
        sight::sight(self.address, frame, out);
    }
}

#[cfg(test)]
mod tests;
