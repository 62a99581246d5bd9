//! Hyperliquid: the best twenty levels, tops, trades and statistics of perpetuals and spot pairs.
//!
//! Source: hyperliquid.gitbook.io, "WebSocket", "Subscriptions", "Timeouts and heartbeats". What they say, by number:
//! 1. A message is an object of `channel` and `data`. `l2Book` tells the best levels of a coin whole, at most twenty a side,
//!    bids first, with a `time` in milliseconds, at least each half second. Nothing numbers it.
//! 2. A subscription may ask for a book that is grouped to `nSigFigs` figures. Its messages do not say so; the answer to the
//!    subscription, which repeats it, does.
//! 3. `bbo` tells the best bid and ask, null where a side is empty, when one of them has changed with a block.
//! 4. `trades` is a list; `side` is the taker's, `B` or `A`. A trade's number (`tid`) is a hash: it does not ascend.
//! 5. `activeAssetCtx` has the mark price, the oracle's price, the funding rate of an hour and the open interest of a
//!    perpetual, `activeSpotAssetCtx` the mark price of a spot pair.
//! 6. A client that says nothing for a minute is cut off; `{"method":"ping"}` is answered by the channel `pong`.
//!
//! Choices where the documents are silent:
//! * A message of the book that is lost costs nothing but its moment, for the next one tells all; that one is missing nothing
//!   shows.
//! * The time of a message is the number of its book: two of one time are told apart by what they say.
//! * A coin that is subscribed grouped has no book, whatever else is subscribed of it on the connection.

mod instruments;
mod messages;
mod sight;

use super::FrameError;
use super::room::{
    At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use serde_json::Value;

use crate::decode::{DecodeError, FRAME_BYTES_MAX};
use crate::sequence::Rule;
use crate::types::{
    Body, BySlot, Definitions, Events, Instrument, Routes, Scope, Slot, StaleReason, TimeNs, Venue,
};

/// Every coin and pair.
pub(super) const COINS: Product = Product {
    rule: Rule::Unnumbered,
    resync: Resync::Resubscribe,
    is_by_order: false,
    order_ids: OrderIds::None,
    trade_ids: TradeIds::Unordered,
    top_proof: false,
    checksum: Checksum::None,
    // Rule 1: ten messages.
    silence_ns: 5_000_000_000,
    life: Life::Book,
    detects: Detection::Never,
    scale: Scale::INFERRED,
};

/// Levels a side that a message tells at most.
const DEPTH: u32 = 20;

/// No coin is listed here: without the venue's list scales come from the digits, since increments change with the price.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// The coin of a name, which is the venue's own.
pub(super) fn instrument(venue: Venue, symbol: &str) -> Instrument {
    COINS.scale.instrument(venue, symbol)
}

/// What is known of a coin on a connection.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Coin {
    has_book: bool,
    is_grouped: bool,
}

/// One connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Hyperliquid {
    coins: BySlot<Coin>,
    /// Coins whose grouped books were asked for and not answered for yet.
    asked_grouped: Vec<Box<[u8]>>,
}

/// Most coins whose answer is waited for: as many as one address may subscribe to.
const ASKED_MAX: usize = 1_000;

impl Hyperliquid {
    fn coin(&mut self, slot: Slot) -> &mut Coin {
        self.coins.at(slot)
    }

    /// Rule 2: a book that is no whole one any more.
    fn grouped(&mut self, slot: Slot, out: &mut Events) {
        let coin = self.coin(slot);
        coin.is_grouped = true;
        if std::mem::take(&mut coin.has_book) {
            lose(slot, StaleReason::Contradiction, At::default(), out);
        }
    }

    fn lose_all(&mut self, reason: StaleReason, at: At, out: &mut Events) {
        for (slot, coin) in self.coins.iter_mut() {
            if std::mem::take(&mut coin.has_book) {
                lose(slot, reason, at, out);
            }
        }
    }
}

fn lose(slot: Slot, reason: StaleReason, at: At, out: &mut Events) {
    let body = Body::Lost { scope: Scope::Book(slot), reason, expected: 0, received: 0 };
    out.push(slot, at.ts_recv, body);
}

/// Says whose book a frame that cannot be read may have changed.
fn concern(bytes: &[u8], routes: &Routes, out: &mut Events) {
    let behind = |key: &[u8]| {
        let at = memchr::memmem::find(bytes, key)? + key.len();
        let rest = bytes.get(at..)?.trim_ascii_start().strip_prefix(b"\"")?;
        rest.get(..memchr::memchr(b'"', rest)?)
    };
    match behind(b"\"channel\":") {
        Some(b"l2Book") => match behind(b"\"coin\":").and_then(|coin| routes.find(coin)) {
            Some(route) => out.concerns(Scope::Book(route.slot)),
            None => out.concerns(Scope::All),
        },
        Some(_) => {}
        None => out.concerns(Scope::All),
    }
}

// Answers are not taken: the stream tells whole books.
impl Room for Hyperliquid {
    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        let mark = out.mark();
        let read = if bytes.len() > FRAME_BYTES_MAX {
            Err(DecodeError::FrameTooLarge { len: bytes.len() })
        } else {
            messages::read(self, bytes, routes, out)
        };
        if let Err(error) = read {
            out.undo(mark);
            let is_harmless =
                matches!(error, DecodeError::UnknownSymbol { .. } | DecodeError::Refused { .. });
            if !is_harmless && out.concerned().is_none() {
                concern(bytes, routes, out);
            }
        }
        Ok(read?)
    }

    fn asked(&mut self, text: &[u8]) {
        if let Some(coin) = messages::grouped_coin(text).filter(|_| self.asked_grouped.len() < ASKED_MAX) {
            self.asked_grouped.push(coin.into());
        }
    }

    /// What the venue said while nobody listened is not told again.
    fn opened(&mut self, at: At, out: &mut Events) {
        self.lose_all(StaleReason::SourceFailed, at, out);
        *self = Self::default();
    }

    fn began(&mut self, at: At, out: &mut Events) {
        self.lose_all(StaleReason::Skipped, at, out);
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
