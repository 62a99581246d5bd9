//! Gate.io v4: spot, perpetual futures and deliveries, by JSON.
//!
//! Source: gate.io, "Spot WebSocket v4", "Futures WebSocket v4" (`order_book_update`, `book_ticker`, `trades`, `tickers`,
//! `public_liquidates`), the announcements of `futures.obu` and `spot.obu` (May and June 2025), REST v4 "Retrieve order book". What
//! they say, by number:
//! 1. A message names its `channel`, which begins with the product. `event` is `update` of what is told, `subscribe` and
//!    `unsubscribe` of answers, which have an `error` where they refuse; one of `pong` has none.
//! 2. `obu`: the name `ob.SYMBOL.DEPTH` stands in `s` alone; 50 levels each 20 ms, 400 each 100 ms. With `full` the message is the
//!    book at `u`, the first and any later one. Others tell what changed from `U` to `u`, and `U` is the number of the book
//!    plus 1; where it is not, one subscribes anew. A quantity of 0 removes.
//! 3. `order_book_update`: changes from `U` to `u` for a book that REST gives with `with_id=true`, at its `id`: the first one straddles
//!    `id` + 1, each other begins at the last `u` + 1. Deliveries have this alone: an address of their own, where channels are named as
//!    those of futures, and no `obu`.
//! 4. `order_book` tells a few levels whole each time and is not used.
//! 5. Levels of spot and of `obu` are pairs; those of futures elsewhere objects of `p` and `s`. Quantities of futures are contracts.
//! 6. Trades have numbers that ascend a symbol. `side` of spot is who took; of futures `size` is below 0 where a seller did. One
//!    with `is_internal` was closed by the insurance fund or by auto-deleveraging, and is no execution on the book.
//! 7. Of an empty side `book_ticker` prints no price.
//! 8. Times are milliseconds: `t` of books and tops, `create_time_ms` of trades, in texts with decimals.
//!
//! Choices where the documents are silent:
//! * Whether `obu` names what falls behind its depth is not said: books are cut to it.
//! * A symbol's `obu` counts once its book has come, and `order_book_update` beside it is passed over; of two depths the deeper.
//! * What REST gives is cut at the limit that was asked for.
//! * That the `u` of `book_ticker` is of one numbering with the books is shown by no recording: it proves nothing.
//! * Which side a liquidation took is not said.
//! * `tickers` of spot print volumes finer than orders are: one that the scale does not hold is left out.

mod events;
mod instruments;
mod sight;

use super::deepest::Deepest;
use super::room::{
    Asked, At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use super::{FrameError, GATEIO, value_behind};
use serde_json::Value;

use crate::decode::{DecodeError, FRAME_BYTES_MAX, SymbolText};
use crate::sequence::Rule;
use crate::types::{BySlot, Definitions, Events, Instrument, QtyUnit, Routes, Scope, Slot, TimeNs, Venue};

/// Spot.
pub(super) const SPOT: Product = Product {
    rule: Rule::Range,
    resync: Resync::Resubscribe,
    is_by_order: false,
    order_ids: OrderIds::None,
    trade_ids: TradeIds::Ascending,
    top_proof: false,
    checksum: Checksum::None,
    // Half as long again as the pause between two pings.
    silence_ns: 30_000_000_000,
    life: Life::Connection,
    detects: Detection::Next,
    scale: Scale::INFERRED,
};

/// Perpetuals, margined in a stable coin or in the coin; deliveries where a recording tells of them so.
pub(super) const FUTURES: Product =
    Product { scale: Scale { qty_unit: QtyUnit::Contracts, ..Scale::INFERRED }, ..SPOT };

/// Deliveries. Rule 3.
pub(super) const DELIVERY: Product = Product {
    resync: Resync::Snapshot,
    // Pings are answered whatever becomes of a book. Contracts that nearly nobody trades change seldom.
    silence_ns: 300_000_000_000,
    life: Life::Book,
    ..FUTURES
};

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
pub struct Gateio {
    /// Of the source; none where that is still to be found out.
    market: Option<Market>,
    /// The depth of `obu` that counts.
    deepest: BySlot<Deepest>,
}

/// What channels and addresses begin with. Symbols are in common: `BTC_USDT` is a pair and a perpetual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Market {
    Spot,
    Futures,
}

impl Market {
    const fn of_product(product: Venue) -> Self {
        if product.number() == GATEIO.number() { Self::Spot } else { Self::Futures }
    }

    /// That of a channel such as `spot.obu`.
    fn of_channel(channel: &[u8]) -> Option<Self> {
        match channel.split(|byte| *byte == b'.').next() {
            Some(b"spot") => Some(Self::Spot),
            Some(b"futures") => Some(Self::Futures),
            _ => None,
        }
    }

    /// That of an address such as `…/api/v4/futures/usdt/order_book`.
    fn of_address(url: &[u8]) -> Option<Self> {
        let names = |path: &[u8]| memchr::memmem::find(url, path).is_some();
        match () {
            () if names(b"/spot/") => Some(Self::Spot),
            () if names(b"/futures/") || names(b"/delivery/") => Some(Self::Futures),
            () => None,
        }
    }
}

impl Gateio {
    /// Whether what is said of a market is the source's.
    fn is_own(&self, market: Option<Market>) -> bool {
        self.market.is_none() || market.is_none() || self.market == market
    }

    /// Whether `obu` has told of an instrument.
    fn has_obu(&self, slot: Slot) -> bool {
        self.deepest.get(slot).is_some_and(|deepest| deepest.depth().is_some())
    }

    /// What is told of an instrument by `obu`.
    fn deepest(&mut self, slot: Slot) -> &mut Deepest {
        self.deepest.at(slot)
    }
}

/// The value of a parameter of an address.
fn parameter<'a>(url: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let at = memchr::memmem::find(url, key)? + key.len();
    url.get(at..)?.split(|byte| *byte == b'&').next().filter(|value| !value.is_empty())
}

/// Says whose book a frame that cannot be read may have changed.
fn concern(room: &Gateio, bytes: &[u8], routes: &Routes, out: &mut Events) {
    let behind = |start: &[u8]| value_behind::text(bytes, start);
    let channel = behind(b"\"channel\":\"");
    let is_own = channel.is_none_or(|channel| room.is_own(Market::of_channel(channel)));
    let kind = channel.and_then(|channel| channel.split(|byte| *byte == b'.').nth(1));
    let is_book = kind.is_none_or(|kind| !events::OTHERS.contains(&kind));
    if !is_book || !is_own {
        return;
    }
    let symbol = behind(b"\"s\":\"").map(|name| events::stream(name).map_or(name, |(symbol, _)| symbol));
    match symbol.and_then(|symbol| routes.find(symbol)) {
        Some(route) => out.concerns(Scope::Book(route.slot)),
        // It may be that very text which is damaged.
        None => out.concerns(Scope::All),
    }
}

impl Room for Gateio {
    fn of(product: Venue) -> Self {
        Self { market: Some(Market::of_product(product)), ..Self::default() }
    }

    fn opened(&mut self, _at: At, _out: &mut Events) {
        *self = Self { market: self.market, ..Self::default() };
    }

    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(DecodeError::FrameTooLarge { len: bytes.len() }.into());
        }
        let mark = out.mark();
        let read = events::object(self, bytes, routes, out);
        if let Err(error) = read {
            out.undo(mark);
            let is_known = matches!(
                error,
                DecodeError::UnknownSymbol { .. }
                    | DecodeError::Refused { .. }
                    | DecodeError::AmbiguousSnapshot
            );
            if out.concerned().is_none() && !is_known {
                concern(self, bytes, routes, out);
            }
        }
        Ok(read?)
    }

    /// Rule 3. An answer names no instrument: the address does, or there is only one.
    fn answer(
        &mut self,
        asked: &Asked<'_>,
        bytes: &[u8],
        _at: At,
        out: &mut Events,
    ) -> Result<(), FrameError> {
        let symbol = parameter(asked.url, b"currency_pair=").or_else(|| parameter(asked.url, b"contract="));
        if !asked.url.is_empty() && memchr::memmem::find(asked.url, b"/order_book?").is_none() {
            return Err(DecodeError::NotSnapshot.into());
        }
        if !self.is_own(Market::of_address(asked.url)) {
            return Err(DecodeError::NotSnapshot.into());
        }
        let route = match symbol {
            Some(symbol) => {
                let unknown = DecodeError::UnknownSymbol { symbol: SymbolText::new(symbol) };
                asked.routes.find(symbol).ok_or(unknown)?
            }
            None => asked.routes.sole().ok_or(DecodeError::AmbiguousSnapshot)?,
        };
        let mark = out.mark();
        let read = events::answer(route, symbol.is_some(), bytes, out);
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
