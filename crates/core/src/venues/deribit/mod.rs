//! Deribit: JSON-RPC over WebSocket, books of changes that say what they do.
//!
//! Source: docs.deribit.com, "book.(instrument_name).(interval)", "book.(instrument_name).(group).(depth).(interval)",
//! "ticker", "incremental_ticker", "quote", "trades", "instrument.state", "Notifications", "public/set_heartbeat",
//! "public/get_instruments", "public/get_order_book", "Naming", "Market Model". What they say, by number:
//! 1. What is subscribed comes as `{"method":"subscription","params":{"channel":…,"data":…}}`; answers have the `id` of what
//!    was asked and a `result` or an `error`.
//! 2. The first message of `book.NAME.INTERVAL` is the whole book. Each one has a `change_id`, all but the first a
//!    `prev_change_id`, which is the `change_id` of the message before: a chain by instrument and channel. Messages of before
//!    2020 have no `type`: the one without a link is the whole book.
//! 3. A level is `[verb, price, amount]`. `new`: there was none at that price; `change`, `delete`: there was one. The amount
//!    is absolute, of `delete` 0. In the whole book every level is `new`.
//! 4. `INTERVAL` is `raw` (each change, for connections that are logged in), `100ms` or `agg2`. Each is a book of its own.
//! 5. `book.NAME.GROUP.DEPTH.INTERVAL` is the best levels as `[price, amount]`, whole each time, with a `change_id`. With a
//!    `GROUP` other than `none` prices are rounded: that is no book.
//! 6. Amounts of inverse futures and perpetuals are dollars, of all others the base coin.
//! 7. Prices of combinations (`future_combo`, `option_combo`) may be 0 and below.
//! 8. Trades have a `trade_seq` that counts an instrument's trades, and a `trade_id` that is a text. `liquidation` says that
//!    the maker (`M`), the taker (`T`) or both (`MT`) were closed by force; `block_trade_id` and `combo_trade_id` that the
//!    trade was agreed outside the book, or is a part of one in a combination's book.
//! 9. A ticker of an option has volatilities in percent a year and the greeks. `incremental_ticker` says what changed.
//! 10. `quote` and `ticker` carry no `change_id`: nothing joins their best prices to a book, so they are told and prove nothing.
//! 11. After `public/set_heartbeat` the venue sends `heartbeat`; one of type `test_request` wants `public/test` back at once.
//! 12. Subscribing anew mends a book: the whole one comes first.
//! 13. `public/unsubscribe` answers, as `public/subscribe` does, with the channels; only the `id` says which it was.
//!
//! Choices where the documents are silent:
//! * Of several channels of one book the one that tells most counts: `raw`, `agg2`, `100ms`, then the deepest of those without
//!   verbs. A whole book of another one is passed over with what follows it.
//! * A first message with `prev_change_id` 0 whose levels are all `new` is the beginning of a new instrument's book.
//! * An update reaches from behind the one before to its `change_id`, so that a REST book, or another line's, in its midst is
//!   straddled: its amounts are absolute.
//! * A trade is numbered by its `trade_seq`: its `trade_id` is a text in some currencies.
//! * Ratios are told in 1e-9; what is finer is cut.

mod book;
mod channel;
mod instruments;
mod message;
mod sight;
mod statistics;
mod trade;

use channel::BookChannel;

use super::FrameError;
use super::room::{
    Asked, At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use serde_json::Value;

use crate::decode::{DecodeError, FRAME_BYTES_MAX};
use crate::sequence::Rule;
use crate::types::{
    Body, BySlot, Definitions, Events, Instrument, Routes, Scope, Slot, StaleReason, TimeNs, Venue,
};

/// Every instrument.
pub(super) const ALL: Product = Product {
    rule: Rule::Linked,
    resync: Resync::Resubscribe,
    is_by_order: false,
    order_ids: OrderIds::None,
    trade_ids: TradeIds::Ascending,
    top_proof: false,
    checksum: Checksum::None,
    // Rule 11: three heartbeats of the shortest interval. An option may be quiet for longer.
    silence_ns: 30_000_000_000,
    life: Life::Connection,
    detects: Detection::Next,
    scale: Scale::INFERRED,
};

/// No instrument is listed here: scales come from the venue or from the digits.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// The instrument of a name.
pub(in crate::venues) fn instrument(venue: Venue, name: &str) -> Instrument {
    instruments::by_name(venue, name)
}

/// Requests to unsubscribe whose answers are waited for: more are not kept apart from subscriptions.
const UNSUBSCRIBES_MAX: usize = 32;

/// One connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Deribit {
    /// The channel that each book is of.
    followed: BySlot<Option<BookChannel>>,
    /// Numbers of requests to unsubscribe.
    unsubscribes: Vec<u64>,
    /// Whether the last message wants an answer.
    is_tested: bool,
}

impl Deribit {
    /// The channel that is followed of an instrument.
    #[inline]
    fn followed(&mut self, slot: Slot) -> &mut Option<BookChannel> {
        self.followed.at(slot)
    }

    /// A channel's book is told no more.
    fn ended(&mut self, slot: Slot, channel: BookChannel, out: &mut Events) {
        if *self.followed(slot) == Some(channel) {
            *self.followed(slot) = None;
            let (scope, reason) = (Scope::Book(slot), StaleReason::SourceFailed);
            out.push(slot, 0, Body::Lost { scope, reason, expected: 0, received: 0 });
        }
    }
}

/// Says whose book a frame that cannot be read may have changed.
fn concern(bytes: &[u8], routes: &Routes, out: &mut Events) {
    let behind = |key: &[u8]| bytes.get(memchr::memmem::find(bytes, key)? + key.len()..);
    let Some(channel) = behind(b"\"channel\":\"") else {
        let names = |text: &[u8]| memchr::memmem::find(bytes, text).is_some();
        if !names(b"\"usOut\":") && !names(b"\"heartbeat\"") && !names(b"\"error\":") {
            out.concerns(Scope::All);
        }
        return;
    };
    let Some(of_book) = channel.strip_prefix(b"book.") else {
        // A text that is cut may be of any channel.
        let is_whole = memchr::memchr2(b'.', b'"', channel).is_some();
        if !is_whole {
            out.concerns(Scope::All);
        }
        return;
    };
    let name = memchr::memchr(b'.', of_book).and_then(|end| of_book.get(..end));
    out.concerns(name.and_then(|name| routes.find(name)).map_or(Scope::All, |route| Scope::Book(route.slot)));
}

impl Room for Deribit {
    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        self.is_tested = false;
        let mark = out.mark();
        let read = match bytes.len() {
            len if len > FRAME_BYTES_MAX => Err(DecodeError::FrameTooLarge { len }),
            _ => message::message(self, bytes, routes, out),
        };
        if let Err(error) = read {
            out.undo(mark);
            let changes_nothing =
                matches!(error, DecodeError::UnknownSymbol { .. } | DecodeError::Refused { .. });
            if out.concerned().is_none() && !changes_nothing {
                concern(bytes, routes, out);
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
        let read = message::answer(bytes, asked.routes, out);
        if read.is_err() {
            out.undo(mark);
        }
        Ok(read?)
    }

    fn instruments(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
        instruments::read(venue, bytes, out)
    }

    fn asked(&mut self, text: &[u8]) {
        if let Some(id) = message::unsubscribes(text)
            && self.unsubscribes.len() < UNSUBSCRIBES_MAX
        {
            self.unsubscribes.push(id);
        }
    }

    fn reply(&self, out: &mut Vec<u8>) -> bool {
        if self.is_tested {
            out.clear();
            out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"public/test\",\"params\":{}}");
        }
        self.is_tested
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
