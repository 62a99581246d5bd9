//! Kraken Futures: JSON over WebSocket, one level a message.
//!
//! Source: docs.kraken.com, Derivatives: WebSocket v1 "Book", "Trade", "Ticker", "Ticker Lite", "Heartbeat", guide "Futures
//! Websockets"; REST "Get instruments". What they say, by number:
//! 1. A message names its `feed` and, where it is of one contract, its `product_id`. Answers have an `event` instead: `info`,
//!    `subscribed`, `unsubscribed`; those of `error`, `alert`, `subscribed_failed` and `unsubscribed_failed` refuse.
//! 2. `book_snapshot` comes first and is the book at `seq`. Each message of `book` has one level of one `side` and a `seq`; its quantity
//!    is the level's, 0 removes it.
//! 3. `trade` tells one trade, with a `seq` of its own, an `uid`, and the `side` of who took. `type` is `fill`, `liquidation`, `termination` (a
//!    user's positions are ended) or `block` (a part of a trade that was agreed). `trade_snapshot` repeats what was before
//!    the subscription, newest first.
//! 4. `ticker` is told each second at most, whole each time. `relative_funding_rate` is the rate of the running hour; a rate of zero is
//!    not told. `suspended` and `post_only` say how the market trades. `ticker_lite` says less of the same.
//! 5. Times are milliseconds.
//! 6. A connection that says nothing for 60 s is closed; `heartbeat` is a feed.
//!
//! Choices where the documents are silent:
//! * That `seq` of a book counts by one, a product for itself, is shown by the recording of 2021 alone: 7,014 of 7,014.
//! * The book is whole: nothing says that it is cut, and levels leave it by a quantity of 0 alone.
//! * Only fills and liquidations are executions on the book.
//! * `next_funding_rate_time` is said to be a time to wait and is a time of day in every message that was seen: it is read as one.
//! * A ticker carries no `seq`: its best prices are told and prove nothing.
//! * Lists of before 2022 name contracts in lower case: all are named as messages do, in upper case.
//! * The order book of REST has no number, and is no book here.

mod book;
mod instruments;
mod market;
mod sight;

use super::room::{
    At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use super::{FrameError, value_behind};
use serde_json::Value;

use crate::decode::json::{Kind, Scanner};
use crate::decode::members::{items, members, symbol, text};
use crate::decode::{DecodeError, FRAME_BYTES_MAX, SymbolText};
use crate::sequence::Rule;
use crate::types::{
    Body, BySlot, Definitions, Events, Instrument, QtyUnit, Routes, Scope, Slot, StaleReason, TimeNs, Venue,
};

/// Every contract.
pub(super) const CONTRACTS: Product = Product {
    rule: Rule::Counter,
    resync: Resync::Resubscribe,
    is_by_order: false,
    order_ids: OrderIds::None,
    trade_ids: TradeIds::Ascending,
    top_proof: false,
    checksum: Checksum::None,
    // Rule 6, and some seconds for a heartbeat that is late.
    silence_ns: 70_000_000_000,
    life: Life::Connection,
    detects: Detection::Next,
    scale: Scale { qty_unit: QtyUnit::Contracts, ..Scale::INFERRED },
};

/// No contract is listed here: scales come from the venue or from the digits.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// The contract of a name, in upper or in lower case. Those that are margined in the coin are worth a dollar each.
pub(super) fn instrument(venue: Venue, name: &str) -> Instrument {
    let name = name.to_ascii_uppercase();
    let inverse = name.starts_with("PI_") || name.starts_with("FI_");
    Instrument { inverse, ..CONTRACTS.scale.instrument(venue, &name) }
}

/// One connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct KrakenFutures {
    /// Whether a book came.
    has_book: BySlot<bool>,
}

impl KrakenFutures {
    /// Whether a contract's book came on this connection.
    fn has_book(&mut self, slot: Slot) -> &mut bool {
        self.has_book.at(slot)
    }

    fn any(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(DecodeError::FrameTooLarge { len: bytes.len() });
        }
        let mut scanner = Scanner::new(bytes, 0);
        let [event, feed] = members(&mut scanner, bytes, &["event", "feed"])?;
        scanner.finish()?;
        if event.kind != Kind::Absent {
            return self.answered(bytes, text(event, bytes, "event")?, routes, out);
        }
        if feed.kind == Kind::Absent {
            return Err(DecodeError::UnknownMessage);
        }
        match text(feed, bytes, "feed")? {
            b"book" => book::level(bytes, routes, out),
            b"book_snapshot" => {
                let slot = book::whole(bytes, routes, out)?;
                *self.has_book(slot) = true;
                Ok(())
            }
            b"trade" => market::trade(bytes, routes, out),
            b"ticker" | b"ticker_lite" => market::ticker(bytes, routes, out),
            // What was traded before, life, and feeds that are not used.
            _ => Ok(()),
        }
    }

    /// Rule 1.
    fn answered(
        &mut self,
        bytes: &[u8],
        event: &[u8],
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        let keys = ["feed", "product_ids", "message"];
        let [feed, products, message] = members(&mut Scanner::new(bytes, 0), bytes, &keys)?;
        match event {
            b"unsubscribed" if feed.of(bytes) == b"book" => {
                items(products, bytes, "product_ids", |scanner| {
                    let name = scanner.value()?;
                    if let Some(route) = symbol(name, bytes, "product_ids", routes)?.0
                        && std::mem::take(self.has_book(route.slot))
                    {
                        let (scope, reason) = (Scope::Book(route.slot), StaleReason::SourceFailed);
                        out.push(route.slot, 0, Body::Lost { scope, reason, expected: 0, received: 0 });
                    }
                    Ok(())
                })
            }
            b"error" | b"alert" | b"subscribed_failed" | b"unsubscribed_failed" => {
                let said = if message.kind == Kind::String { message.of(bytes) } else { event };
                Err(DecodeError::Refused { text: SymbolText::new(said) })
            }
            _ => Ok(()),
        }
    }
}

/// Feeds that say nothing of a book.
const OTHERS: [&[u8]; 5] = [b"trade", b"trade_snapshot", b"ticker", b"ticker_lite", b"heartbeat"];

/// Says whose book a frame that cannot be read may have changed.
fn concern(bytes: &[u8], routes: &Routes, out: &mut Events) {
    let behind = |start: &[u8]| value_behind::text(bytes, start);
    if behind(b"\"feed\":\"").is_some_and(|feed| OTHERS.contains(&feed)) {
        return;
    }
    match behind(b"\"product_id\":\"").and_then(|name| routes.find(name)) {
        Some(route) => out.concerns(Scope::Book(route.slot)),
        // It may be that very text which is damaged.
        None => out.concerns(Scope::All),
    }
}

impl Room for KrakenFutures {
    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        let mark = out.mark();
        let read = self.any(bytes, routes, out);
        if let Err(error) = read {
            out.undo(mark);
            let is_known = matches!(error, DecodeError::UnknownSymbol { .. } | DecodeError::Refused { .. });
            if out.concerned().is_none() && !is_known {
                concern(bytes, routes, out);
            }
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
