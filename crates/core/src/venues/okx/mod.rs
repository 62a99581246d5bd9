//! OKX: spot, swaps, futures and options by the WebSocket of version 5, all under one set of names.
//!
//! Source: okx.com/docs-v5, "Order book channel", "Trades channel", "Tickers channel", "Mark price channel", "Index tickers
//! channel", "Funding rate channel", "Open interest channel", "Option summary channel", "Liquidation orders channel",
//! "Instruments channel", "Get instruments", "Get order book", the changelog; the notice of 2026-05-21 about checksums. What
//! they say, by number:
//! 1. A message names its channel and its instrument in `arg`, and its `data` is a list. Messages of a book also say whether
//!    they are a `snapshot` or an `update`.
//! 2. `books` and `books-l2-tbt` tell the best 400 levels, `books50-l2-tbt` 50: a snapshot, then levels with absolute sizes,
//!    0 removes. What falls behind the depth is removed by name, what comes into it is told.
//! 3. A snapshot has `prevSeqId` −1. From there each update names in `prevSeqId` the `seqId` of the one before it; the steps
//!    have any width.
//! 4. Where nothing has changed, an update without levels comes whose two numbers are equal: the book is alive. After
//!    maintenance `seqId` may be lower than `prevSeqId`: numbers begin anew, and the chain goes on.
//! 5. `checksum` is the CRC-32 of the best 25 bids and asks in turn, as they are printed. Since June 2026 it is always 0,
//!    which says nothing.
//! 6. `books5` tells the best 5 levels, whole, each time; `bbo-tbt` the best bid and ask with the number of the book that
//!    they belong to.
//! 7. A level is price, size, a column that is always 0, and a number of orders. In `books-elp-all` the third is the size
//!    without liquidity of one kind, so that its second is not that of the book of the other channels.
//! 8. Trades are numbered for each instrument, rising. `trades` puts executions of one taker at one price together,
//!    `trades-all` does not.
//! 9. An index has the name of a pair; derivatives whose name begins with it are of that index.
//! 10. A connection that is silent for 30 s is closed: the text `ping` is answered by `pong`.
//! 11. `GET /market/books` answers with the `seqId` that its book stands at. An update joins it when its `prevSeqId` is not
//!     above that number and its `seqId` is.
//!
//! Choices where the documents are silent:
//! * Recordings of before 2023 have no numbers and true checksums: such a book is proven by its checksums alone. A message
//!   that has neither a number nor a checksum cannot be proven, so it is refused.
//! * Each channel of a book numbers for itself. Of several channels of an instrument the deepest that has sent a book counts,
//!   of two of one depth the faster; the others are passed over.
//! * A book of `books5` needs no number: each message is all of it.
//! * Greeks are those of Black and Scholes, in dollars (`deltaBS`, ...), as other venues print them.
//! * Prices that are computed keep nine decimals.

mod book;
mod instruments;
mod market;
mod printed;
mod sight;

pub(super) use instruments::instrument;

use book::Channel;

use super::room::{
    Asked, At, Checksum, Detection, Life, Numbers, OrderIds, Product, Resync, Room, Scale, Sightings,
    TradeIds,
};
use super::{FrameError, value_behind};
use serde_json::Value;

use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{members, text};
use crate::decode::{DecodeError, FRAME_BYTES_MAX, SymbolText};
use crate::sequence::Rule;
use crate::types::{
    Body, BySlot, Definitions, Events, Instrument, Routes, Scope, Slot, StaleReason, TimeNs, Venue,
};

/// Every instrument.
pub(super) const ALL: Product = Product {
    rule: Rule::LinkedIfNumbered,
    resync: Resync::Resubscribe,
    is_by_order: false,
    order_ids: OrderIds::None,
    trade_ids: TradeIds::Ascending,
    top_proof: true,
    checksum: Checksum::Interleaved(Numbers::Shortest),
    // Rule 10: two of its answers to a question that is asked each ten seconds.
    silence_ns: 25_000_000_000,
    life: Life::Connection,
    detects: Detection::Next,
    scale: Scale::INFERRED,
};

/// No instrument is listed here: scales come from the venue or from the digits.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// What is followed of an instrument.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Followed {
    /// The channel of its book, once it has sent one.
    channel: Option<Channel>,
    /// Whether each execution is told, of the two channels of trades the one that came first.
    tells_all_trades: Option<bool>,
}

/// One connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Okx {
    followed: BySlot<Followed>,
}

impl Okx {
    #[inline]
    fn followed(&mut self, slot: Slot) -> &mut Followed {
        self.followed.at(slot)
    }

    /// Whether a message of a channel is of the book that is followed. One that is whole begins to be followed where no deeper
    /// one is.
    #[inline]
    fn counts(&mut self, slot: Slot, channel: Channel, is_whole: bool) -> bool {
        let followed = &mut self.followed(slot).channel;
        if is_whole && followed.is_none_or(|followed| followed <= channel) {
            *followed = Some(channel);
        }
        followed.is_none_or(|followed| followed == channel)
    }

    /// Books of this connection are known no more.
    fn lose(&self, reason: StaleReason, at: At, out: &mut Events) {
        for (slot, followed) in self.followed.iter() {
            if followed.channel.is_some() {
                let scope = Scope::Book(slot);
                out.push(Slot(0), at.ts_recv, Body::Lost { scope, reason, expected: 0, received: 0 });
            }
        }
    }

    /// A frame of any form.
    #[inline(never)]
    fn any(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        // Rule 10.
        if bytes == b"pong" {
            return Ok(());
        }
        let mark = out.mark();
        let read = match bytes.len() {
            len if len > FRAME_BYTES_MAX => Err(DecodeError::FrameTooLarge { len }),
            _ => self.object(bytes, routes, out),
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

    fn object(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let mut scanner = Scanner::new(bytes, 0);
        let keys = ["arg", "action", "data", "event", "msg"];
        let [arg, action, data, event, msg] = members(&mut scanner, bytes, &keys)?;
        scanner.finish()?;
        if event.kind != Kind::Absent {
            return self.event(bytes, text(event, bytes, "event")?, arg, msg, routes, out);
        }
        if arg.kind != Kind::Object {
            return Err(DecodeError::UnknownMessage);
        }
        let keys = ["channel", "instId"];
        let [channel, name] = members(&mut Scanner::new(bytes, arg.start as usize), bytes, &keys)?;
        let channel = text(channel, bytes, "channel")?;
        match Channel::of(channel) {
            Some(channel) => self.book(channel, bytes, name, action, data, routes, out),
            None => self.market(channel, bytes, name, data, routes, out),
        }
    }

    /// What became of a request, or what the venue says of the connection.
    fn event(
        &mut self,
        bytes: &[u8],
        event: &[u8],
        arg: Token,
        msg: Token,
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        if event == b"error" {
            return Err(DecodeError::Refused { text: SymbolText::new(msg.of(bytes)) });
        }
        if event != b"unsubscribe" || arg.kind != Kind::Object {
            return Ok(());
        }
        let keys = ["channel", "instId"];
        let [channel, name] = members(&mut Scanner::new(bytes, arg.start as usize), bytes, &keys)?;
        let Some(channel) = Channel::of(channel.of(bytes)) else { return Ok(()) };
        let Some(route) = routes.find(name.of(bytes)) else { return Ok(()) };
        let followed = &mut self.followed(route.slot).channel;
        if *followed == Some(channel) {
            *followed = None;
            let (scope, reason) = (Scope::Book(route.slot), StaleReason::SourceFailed);
            out.push(route.slot, 0, Body::Lost { scope, reason, expected: 0, received: 0 });
        }
        Ok(())
    }
}

/// Says whose book a frame that cannot be read may have changed.
fn concern(bytes: &[u8], routes: &Routes, out: &mut Events) {
    let behind = |start: &[u8]| value_behind::text(bytes, start);
    let is_other = match behind(b"\"channel\":\"") {
        Some(channel) => market::CHANNELS.contains(&channel),
        None => memchr::memmem::find(bytes, b"\"event\":").is_some(),
    };
    if is_other {
        return;
    }
    match behind(b"\"instId\":\"").and_then(|name| routes.find(name)) {
        Some(route) => out.concerns(Scope::Book(route.slot)),
        // It may be that very text which is damaged.
        None => out.concerns(Scope::All),
    }
}

impl Room for Okx {
    #[inline]
    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        let mark = out.mark();
        if printed::book(self, bytes, routes, out).is_some() {
            return Ok(());
        }
        out.undo(mark);
        Ok(self.any(bytes, routes, out)?)
    }

    fn answer(
        &mut self,
        asked: &Asked<'_>,
        bytes: &[u8],
        _at: At,
        out: &mut Events,
    ) -> Result<(), FrameError> {
        let mark = out.mark();
        let read = book::answer(asked, bytes, out);
        if read.is_err() {
            out.undo(mark);
        }
        Ok(read?)
    }

    /// Numbered books go on as far as their numbers do, others are not told again.
    fn opened(&mut self, at: At, out: &mut Events) {
        self.lose(StaleReason::SourceFailed, at, out);
        self.followed.clear();
    }

    fn began(&mut self, at: At, out: &mut Events) {
        self.lose(StaleReason::Skipped, at, out);
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
