//! Kraken spot: the two versions of its WebSocket, books of levels and of orders.
//!
//! Source: docs.kraken.com, "Book (Level 2)", "Orders (Level 3)", "Book checksum" of both versions, "L3 checksum (WebSocket
//! v2)", "Trades", "Ticker", "Instruments", "Status"; version 1: "Public message types". What they say, by number:
//! 1. Version 2 sends objects with a `channel`, version 1 arrays that end with the names of the channel and the pair.
//! 2. Nothing is numbered. A book's only proof is its checksum, CRC-32 over the digits of the best ten levels, whatever the
//!    depth; of orders, over each order of these levels in the order of the queue. In version 2 every book message has one,
//!    in version 1 updates may, the last object of a message holding it.
//! 3. A subscription has a depth: 10, 25, 100, 500 or 1,000 levels a side (orders: 10, 100 or 1,000). What falls behind it is
//!    named no more, so a book is cut after each message; what comes into sight again is told whole (version 1 marks it
//!    `r`).
//! 4. All of a message counts before the checksum does. It may touch a price twice; the later one holds.
//! 5. Digits are printed with the pair's precision, which version 2 tells by its channel `instrument`. Version 1 prints each
//!    number with all of them.
//! 6. Orders stand in the order in which messages named them. One that is amended to less at its price keeps its place.
//! 7. Heartbeats come each second where nothing else does, from any subscription on. A book may be quiet for long.
//! 8. A snapshot comes with every subscription: resubscribing mends a book.
//! 9. Trades of version 2 have numbers that ascend a pair; its snapshot repeats the last of them. Those of version 1 have
//!    none.
//! 10. REST `Depth` has neither number nor checksum, so it cannot be joined to the stream: it is not a book here.
//! 11. A pair has several names; see `codes`.
//! 12. Messages of a book in version 2 carry the time of the matching engine, which does not go back (no recording at hand has
//!     it do so). One that does is doubled or out of turn.
//!
//! Choices where the documents are silent:
//! * Without an acknowledgement the depth is told by the snapshot: sides of ten levels or fewer are cut to ten, since the
//!   checksum covers these and shows a wrong guess at once; both sides of one of the other depths are cut to that one;
//!   anything else is refused.
//! * An order amended to more at its price, or to another price, goes to the end of its queue. The checksum decides.
//! * An order is numbered by the 64-bit FNV-1a hash of its text. A room that numbered texts itself would have to remember
//!   orders that fell behind the depth, of which nothing tells that they are gone. Two orders of one hash among those that
//!   rest at a time are a duplicate, which contradicts the book: it is never silently the other one.

mod codes;
mod depth;
mod instruments;
mod level3;
mod printed;
mod seconds;
mod sight;

mod v1;
mod v1_printed;
mod v2;

pub(super) use codes::instrument;

use serde_json::Value;

use crate::decode::date_time::Minute;
use depth::{Subscribed, goes_back};

use super::room::{
    At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use super::{FrameError, value_behind};
use crate::decode::{DecodeError, FRAME_BYTES_MAX};
use crate::sequence::Rule;
use crate::types::{
    Body, BySlot, Definitions, Events, Instrument, Routes, Scope, Slot, StaleReason, TimeNs, Venue,
};

/// Every pair.
pub(super) const SPOT: Product = Product {
    rule: Rule::Unnumbered,
    resync: Resync::Resubscribe,
    is_by_order: false,
    order_ids: OrderIds::Named,
    trade_ids: TradeIds::Ascending,
    top_proof: false,
    checksum: Checksum::PrintedTop,
    // Rule 7: five heartbeats.
    silence_ns: 5_000_000_000,
    life: Life::Connection,
    detects: Detection::Later,
    scale: Scale::INFERRED,
};

/// No pair is listed here: scales come from the venue or from the digits.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// One connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Kraken {
    subscribed: BySlot<Subscribed>,
    #[serde(skip)]
    minute: Minute,
    /// The venue's number of the connection, once it has told it.
    connection: Option<u64>,
}

impl Kraken {
    /// What is subscribed of an instrument.
    #[inline]
    fn subscribed(&mut self, slot: Slot) -> &mut Subscribed {
        self.subscribed.at(slot)
    }

    /// Whether a message of a channel `book-DEPTH` is of the book that is followed. Where a pair is subscribed at several depths,
    /// the snapshot of a shallower one is passed over, and with it the updates of that channel: each is cut for itself. Any
    /// other update counts, and the checksum judges it: a channel that never sent a snapshot is none.
    fn counts(&mut self, slot: Slot, depth: Option<u32>, is_snapshot: bool) -> bool {
        let of = self.subscribed(slot);
        let (Some(followed), Some(depth)) = (of.channel.filter(|_| of.has_book), depth) else { return true };
        if is_snapshot && depth < followed && !of.passed_over.contains(&Some(depth)) {
            of.passed_over.rotate_right(1);
            of.passed_over[0] = Some(depth);
        }
        depth >= followed || !of.passed_over.contains(&Some(depth))
    }

    /// The venue tells the number of the connection. Another one than before has subscriptions of its own: what the old one
    /// told of is known no more.
    fn connected(&mut self, connection: u64, out: &mut Events) {
        if self.connection.replace(connection).is_some_and(|before| before != connection) {
            self.lose(StaleReason::SourceFailed, At::default(), out);
            self.subscribed.clear();
        }
    }

    /// Books that this connection has told of are known no more.
    fn lose(&mut self, reason: StaleReason, at: At, out: &mut Events) {
        for (slot, of) in self.subscribed.iter_mut() {
            if std::mem::take(&mut of.has_book) {
                let scope = Scope::Book(slot);
                out.push(Slot(0), at.ts_recv, Body::Lost { scope, reason, expected: 0, received: 0 });
            }
        }
    }

    /// A frame that is no update of version 2 as it prints them.
    #[inline(never)]
    fn otherwise(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        if v1_printed::book(self, bytes, routes, out).is_some() {
            return Ok(());
        }
        out.forget_added();
        Ok(self.any(bytes, routes, out)?)
    }

    /// A frame of any form.
    fn any(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let mark = out.mark();
        let read = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            _ if bytes.len() > FRAME_BYTES_MAX => Err(DecodeError::FrameTooLarge { len: bytes.len() }),
            Some(b'[') => v1::array(self, bytes, routes, out),
            _ => v2::object(self, bytes, routes, out),
        };
        if let Err(error) = read {
            out.undo(mark);
            if out.concerned().is_none()
                && !matches!(error, DecodeError::UnknownSymbol { .. } | DecodeError::Refused { .. })
            {
                concern(bytes, routes, out);
            }
        }
        read
    }
}

/// Says whose book a frame that cannot be read may have changed.
fn concern(bytes: &[u8], routes: &Routes, out: &mut Events) {
    /// Channels that say nothing of a book.
    const OTHERS: [&[u8]; 6] = [b"trade", b"ticker", b"ohlc", b"instrument", b"status", b"heartbeat"];
    let behind = |start: &[u8]| value_behind::text(bytes, start);
    let names = |text: &[u8]| memchr::memmem::find(bytes, text).is_some();
    let is_object = bytes.trim_ascii_start().first() == Some(&b'{');
    let is_other = match behind(b"\"channel\":\"") {
        Some(channel) => OTHERS.contains(&channel),
        // What is asked for and what becomes of it.
        None => is_object && (names(b"\"method\":") || names(b"\"event\":") || names(b"\"channelID\":")),
    };
    if is_other {
        return;
    }
    match behind(b"\"symbol\":\"").and_then(|symbol| routes.find(symbol)) {
        Some(route) => out.concerns(Scope::Book(route.slot)),
        // It may be that very text which is damaged.
        None => out.concerns(Scope::All),
    }
}

// Answers are not taken: rule 10.
impl Room for Kraken {
    #[inline]
    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        let Some(update) = printed::book_update(bytes, &mut self.minute, routes, out) else {
            out.forget_added();
            return self.otherwise(bytes, routes, out);
        };
        if goes_back(&mut self.subscribed(update.slot).levels_at, update.ts_event) {
            out.forget_added();
            v2::lose(update.slot, StaleReason::Contradiction, out);
        } else {
            update.push(out);
        }
        Ok(())
    }

    fn instruments(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
        instruments::read(venue, bytes, out)
    }

    /// What the venue said while nobody listened is not told again.
    fn opened(&mut self, at: At, out: &mut Events) {
        self.lose(StaleReason::SourceFailed, at, out);
        self.subscribed.clear();
        self.connection = None;
    }

    fn began(&mut self, at: At, out: &mut Events) {
        self.lose(StaleReason::Skipped, at, out);
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
