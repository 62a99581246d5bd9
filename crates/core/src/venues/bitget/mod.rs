//! Bitget: spot and the three families of futures, by the WebSockets of versions 2 and 3, and of version 1 as recordings have it.
//!
//! Source: bitget.com/api-doc, "Websocket API", spot and contract "Depth Channel", "Trading Channel", "Market Channel"; the unified
//! account's "Order Book Channel", "Public Trades Channel", "Tickers Channel", "Liquidation Channel"; "Get Symbol Info", "Get Contract
//! Config". What they say, by number:
//! 1. A message names its product, channel and symbol in `arg`: `instType`, `channel` and `instId`, in version 3 `instType`, `topic`
//!    and `symbol`. Spot and futures have symbols in common; `inst_type` has the words for products.
//! 2. `books` is the whole book: a snapshot, then levels with absolute quantities, 0 removes. `books1`, `books5`, `books15` and
//!    `books50` tell the best levels whole each time, as snapshots.
//! 3. Sides are `asks` and `bids`, in version 3 `a` and `b`, of pairs of price and quantity.
//! 4. `checksum` is the CRC-32 of the best 25 bids and asks in turn, the longer side going on alone, as they are printed, zeros at the
//!    end included; a signed number. Of version 1 each message of `books` has it; later snapshots have 0, which says nothing.
//! 5. In version 3 `seq` numbers a message of a book, and `pseq` is that of the one before it; 0 in a snapshot.
//! 6. Trades are lists: of version 1 time, price, quantity and side without a name, of later ones objects; the newest first. Behind a
//!    subscription the last trades come as a `snapshot`: history, which is not told again here. The side is the taker's.
//! 7. `ticker` tells all of its statistics each time.
//! 8. `liquidation` is of all symbols of a product. Its `amount` is a value in quote currency: price times quantity.
//! 9. The text `ping` is answered by `pong`; a connection without one for two minutes is closed, and each one after a day.
//! 10. Quantities are in the base coin, those of futures that are margined in the coin too.
//!
//! Choices where the documents are silent:
//! * An update that has neither a number nor a checksum cannot be proven, so it is refused.
//! * Of several channels of a book the deepest that has sent a book counts. `books1` is the venue's own top and no book; that its
//!   number is one of the book's is shown by no recording, so it proves nothing.
//! * What a book that is told whole each time has as checksum is passed over: of which levels it is, nobody says.
//! * Numbers are printed with as few digits as say them, or with a constant number of decimals, by product and version: the first
//!   checksum behind a snapshot shows which.
//! * That numbers of trades ascend is not said. Which side a liquidation took is not said.
//! * Best prices in `ticker` are passed over: `books1` tells them, earlier.

mod book;
mod inst_type;
mod instruments;
mod market;
mod printed;
mod sight;

use book::Channel;
use inst_type::InstType;

use super::room::{
    At, Checksum, Detection, Life, Numbers, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use super::{FrameError, value_behind};
use serde_json::Value;

use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{members, symbol, text};
use crate::decode::{DecodeError, FRAME_BYTES_MAX, SymbolText};
use crate::sequence::Rule;
use crate::types::{
    Body, BySlot, Definitions, Events, Instrument, Route, Routes, Scope, Slot, StaleReason, TimeNs, Venue,
};

/// Spot and futures.
pub(super) const ALL: Product = Product {
    rule: Rule::LinkedIfNumbered,
    resync: Resync::Resubscribe,
    is_by_order: false,
    order_ids: OrderIds::None,
    trade_ids: TradeIds::Unordered,
    top_proof: false,
    checksum: Checksum::Interleaved(Numbers::Found),
    // Rule 9: half as long again as the pause between two pings.
    silence_ns: 30_000_000_000,
    life: Life::Connection,
    detects: Detection::Next,
    scale: Scale::INFERRED,
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
pub struct Bitget {
    /// Of the source; none where that is still to be found out.
    product: Option<InstType>,
    /// The channel of each book, once it has sent one.
    followed: BySlot<Option<Channel>>,
}

/// What a message is of.
#[derive(Clone, Copy)]
struct Arg<'a> {
    inst_type: &'a [u8],
    channel: &'a [u8],
    name: Token,
    /// The key of the name.
    key: &'static str,
}

impl<'a> Arg<'a> {
    /// Rule 1.
    fn read(arg: Token, bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if arg.kind != Kind::Object {
            return Err(DecodeError::UnknownMessage);
        }
        let keys = ["instType", "channel", "instId", "topic", "symbol"];
        let [inst_type, channel, name, topic, symbol] =
            members(&mut Scanner::new(bytes, arg.start as usize), bytes, &keys)?;
        let inst_type = text(inst_type, bytes, "instType")?;
        if topic.kind == Kind::Absent {
            return Ok(Self { inst_type, channel: text(channel, bytes, "channel")?, name, key: "instId" });
        }
        Ok(Self { inst_type, channel: text(topic, bytes, "topic")?, name: symbol, key: "symbol" })
    }
}

impl Bitget {
    /// Whether a symbol of that product is the source's.
    #[inline]
    fn is_own(&self, inst_type: &[u8], symbol: &[u8]) -> bool {
        self.product.is_none_or(|product| InstType::of(inst_type, symbol) == Some(product))
    }

    /// Where a symbol of that product is carried.
    fn route(
        &self,
        inst_type: &[u8],
        name: Token,
        bytes: &[u8],
        key: &'static str,
        routes: &Routes,
    ) -> Result<Route, DecodeError> {
        let (route, symbol) = symbol(name, bytes, key, routes)?;
        let is_own = self.is_own(inst_type, symbol.as_bytes());
        route.filter(|_| is_own).ok_or(DecodeError::UnknownSymbol { symbol })
    }

    #[inline]
    fn followed(&mut self, slot: Slot) -> &mut Option<Channel> {
        self.followed.at(slot)
    }

    /// Books of this connection are known no more.
    fn lose(&self, reason: StaleReason, at: At, out: &mut Events) {
        for (slot, followed) in self.followed.iter() {
            if followed.is_some() {
                let scope = Scope::Book(slot);
                out.push(Slot(0), at.ts_recv, Body::Lost { scope, reason, expected: 0, received: 0 });
            }
        }
    }

    /// A frame of any form.
    #[inline(never)]
    fn any(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        // Rule 9.
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
                self.concern(bytes, routes, out);
            }
        }
        read
    }

    fn object(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let mut scanner = Scanner::new(bytes, 0);
        let keys = ["arg", "action", "data", "event", "msg", "ts"];
        let [arg, action, data, event, msg, ts] = members(&mut scanner, bytes, &keys)?;
        scanner.finish()?;
        if event.kind != Kind::Absent {
            return self.event(bytes, text(event, bytes, "event")?, arg, msg, routes, out);
        }
        let arg = Arg::read(arg, bytes)?;
        let is_whole = || match text(action, bytes, "action")? {
            b"snapshot" => Ok(true),
            b"update" => Ok(false),
            _ => Err(DecodeError::UnknownMessage),
        };
        match Channel::of(arg.channel) {
            Some(channel) => self.book(channel, bytes, arg, is_whole()?, data, routes, out),
            None => market::Message { bytes, arg, is_whole: is_whole()?, data, ts }.read(self, routes, out),
        }
    }

    /// What became of a request.
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
        if event != b"unsubscribe" {
            return Ok(());
        }
        let arg = Arg::read(arg, bytes)?;
        let Some(channel) = Channel::of(arg.channel) else { return Ok(()) };
        let Ok(route) = self.route(arg.inst_type, arg.name, bytes, arg.key, routes) else { return Ok(()) };
        let followed = self.followed(route.slot);
        if *followed == Some(channel) {
            *followed = None;
            let (scope, reason) = (Scope::Book(route.slot), StaleReason::SourceFailed);
            out.push(route.slot, 0, Body::Lost { scope, reason, expected: 0, received: 0 });
        }
        Ok(())
    }

    /// Says whose book a frame that cannot be read may have changed.
    fn concern(&self, bytes: &[u8], routes: &Routes, out: &mut Events) {
        let behind = |start: &[u8]| value_behind::text(bytes, start);
        let is_other = match behind(b"\"channel\":\"").or_else(|| behind(b"\"topic\":\"")) {
            Some(channel) => market::is_other(channel),
            None => memchr::memmem::find(bytes, b"\"event\":").is_some(),
        };
        if is_other {
            return;
        }
        let name = behind(b"\"instId\":\"").or_else(|| behind(b"\"symbol\":\""));
        let route = name.and_then(|name| routes.find(name));
        match (route, name, behind(b"\"instType\":\"")) {
            (Some(_), Some(name), Some(inst_type)) if !self.is_own(inst_type, name) => {}
            (Some(route), ..) => out.concerns(Scope::Book(route.slot)),
            // It may be that very text which is damaged.
            (None, ..) => out.concerns(Scope::All),
        }
    }
}

// Answers are not taken: books over HTTP have neither a number nor a checksum that would join them to the stream.
impl Room for Bitget {
    fn of(product: Venue) -> Self {
        Self { product: InstType::of_venue(product), ..Self::default() }
    }

    #[inline]
    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        let mark = out.mark();
        if printed::book_update(self, bytes, routes, out).is_some() {
            return Ok(());
        }
        out.undo(mark);
        Ok(self.any(bytes, routes, out)?)
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
