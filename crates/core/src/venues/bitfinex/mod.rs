//! Bitfinex: version 2 of its WebSocket. Books of levels and of orders, trades, tickers, the state of derivatives,
//! liquidations.
//!
//! Source: docs.bitfinex.com, "General" (info and error codes, configuration flags), "Ticker", "Trades", "Books", "Raw Books",
//! "Status".
//! What they say, by number:
//! 1. Objects with an `event` speak of the connection and of subscriptions, arrays of what is subscribed: a channel's number,
//!    what it says, and what `conf` has switched on. `subscribed` gives a channel its number, for its connection alone.
//! 2. `conf` with flag 65536 puts a number behind each array, heartbeats included, which counts the arrays of the connection
//!    one by one; flag 32768 puts the time in ms behind that. The flags that hold are those of the venue's answer. Both stand
//!    behind what a message says, so where they stand follows from its form; elements behind them may come.
//! 3. Books of the precision `P0` have a length: 1, 25, 100 or 250 levels a side. A list of rows follows the subscription: price,
//!    count of orders, amount, of bids above 0 and of asks below. Then a row a message, or with flag 536870912 lists of
//!    rows. A count of 0 removes the price from the side of the amount's sign. Levels that leave the length are removed by
//!    rows, too.
//! 4. Amounts and prices are printed as binary floating point numbers are: in as few digits as it takes, below 1e-6 with an
//!    exponent.
//! 5. A trade comes twice: `te` at once, `tu` with the same content some moments later. The list behind a subscription has
//!    the newest first. Amounts are above 0 where the taker bought.
//! 6. A ticker has the best prices with the sums of 25 amounts behind each: no top of book. Its volume is a sum of binary
//!    floating point numbers.
//! 7. The status of a derivative, by channels `deriv:SYMBOL`, has 23 places: spot price (3), time of the next funding (7), current
//!    funding (11), mark price (14) and open interest (17) are used. Older ones end before the last two.
//! 8. Liquidations of all symbols come by `liq:global`; a row has the price at which the position was acquired once it was.
//! 9. Info 20051 announces another server, 20060 maintenance, in which books stand still; after 20061 everything is to be
//!    subscribed anew. An info with a `version` begins a connection.
//! 10. Each channel says `hb` every 15 seconds in which it says nothing else.
//! 11. A subscription ends by its channel's number. Another one for the same is refused until then.
//! 12. Funding (`f…`) inverts the signs and has a period in each row.
//! 13. Books of the precision `R0` have rows of an order: its number, its price, its amount, signed as in rule 3; a price of 0
//!     removes it. Their length is one of orders a side.
//! 14. With flag 131072 a message `cs` of a book's channel has its CRC-32 as a signed number: of the best 25 bids and asks in
//!     turn, price and amount of each, or of `R0` number and amount, joined by colons, amounts of asks below 0.
//!
//! Choices where the documents are silent:
//! * A number that is not the next one loses every book of the connection; the one that came last is a message repeated, unless
//!   it was not the next one then: a damaged number must not pass over the book that mends the loss. Without flag 65536
//!   nothing shows a loss.
//! * A book stands at the number of its last message, where there is one.
//! * A second list of rows behind a subscription, without the flag that explains it, contradicts the book.
//! * Rows of `R0` do not say whether their order is new. As recorded, one keeps its number when its price changes, and one that
//!   leaves the length is removed before another comes in its place: a side with more contradicts the book. Behind a side
//!   that has had its length of orders there may be others, at its worst price too: it is known to the price before.
//! * A `cs` is of the book as the messages before it have left it. Its numbers are printed as those of rows; of orders at one price
//!   the lower number comes first, as the recorded list of orders has them.
//! * In the queue of a price orders stand in the order in which they were told there; one that grows goes to its end.
//! * Of several lengths of a book the longest counts, of levels and of orders. Precisions `P1` to `P4` are sums over ranges of prices, and funding is no book
//!   of one price: neither is read, nor are channels that are not named here.
//! * Statistics are cut to the instrument's scale: their last digits are those of binary sums and quotients.
//! * A liquidation without the price of acquisition has only begun, and is passed over.

mod book;
mod channel;
mod counter;
mod event;
mod instruments;
mod orders;
mod sight;
mod statistics;
mod trade;

use channel::{Channels, Kind};
use counter::{Arrived, Counter, Flags};

use super::FrameError;
use super::room::{
    At, Checksum, Detection, Leave, Life, Numbers, OrderIds, Product, Resync, Room, Scale, Sightings,
    TradeIds,
};
use serde_json::Value;

use crate::decode::json::{Kind as JsonKind, Scanner, Token};
use crate::decode::members::{is, unsigned, values};
use crate::decode::{DecodeError, FRAME_BYTES_MAX, SymbolText};
use crate::sequence::Rule;
use crate::types::{Body, Definitions, Events, Instrument, Routes, Scope, Slot, StaleReason, TimeNs, Venue};

/// Every pair and derivative.
pub(super) const PAIRS: Product = Product {
    rule: Rule::Unnumbered,
    resync: Resync::Resubscribe,
    is_by_order: false,
    order_ids: OrderIds::Arbitrary,
    trade_ids: TradeIds::Ascending,
    top_proof: false,
    // Rule 14.
    checksum: Checksum::Interleaved(Numbers::Script),
    // Rule 10, twice.
    silence_ns: 30_000_000_000,
    life: Life::Connection,
    // Rule 2.
    detects: Detection::Next,
    scale: Scale::INFERRED,
};

/// No pair is listed here: scales come from the venue or from the digits.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// The pair of a symbol as the wire has it, `tBTCUSD`, or without its first letter.
pub(super) fn instrument(venue: Venue, name: &str) -> Instrument {
    let symbol = if name.starts_with(['t', 'f']) { name.to_owned() } else { format!("t{name}") };
    let codes = [symbol.as_bytes(), symbol.as_bytes().get(1..).unwrap_or_default()];
    let codes = codes.into_iter().filter(|code| !code.is_empty()).map(Into::into).collect();
    Instrument { codes, ..PAIRS.scale.instrument(venue, &symbol) }
}

/// Elements of an array that are looked at: a channel's number, the name of a message and what it says, a number, a time.
const PARTS_MAX: usize = 5;

/// One connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Bitfinex {
    channels: Channels,
    flags: Flags,
    counter: Counter,
}

/// What an array says, without what `conf` has switched on.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// A row, or a list of rows.
    Rows(Token),
    /// The same by a name.
    Named(Token, Token),
    /// Life.
    Heartbeat,
}

impl Bitfinex {
    /// A message of a channel.
    fn array(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let mut scanner = Scanner::new(bytes, 0);
        let (parts, count) = values::<PARTS_MAX>(&mut scanner)?;
        scanner.finish()?;
        let [channel, first, second, ..] = parts;
        is(channel, JsonKind::Number, "CHANNEL_ID", "a number")?;
        let id = unsigned(channel, bytes, "CHANNEL_ID")?;
        let said = match first.kind {
            JsonKind::Array => Said::Rows(first),
            JsonKind::String if first.of(bytes) == b"hb" => Said::Heartbeat,
            JsonKind::String => Said::Named(first, second),
            _ => return Err(DecodeError::UnknownMessage),
        };
        let behind = if matches!(said, Said::Named(..)) { 3 } else { 2 };
        let behind = parts.get(behind..count.min(PARTS_MAX)).unwrap_or_default();
        let (number, ts_event) = self.flags.read(behind, bytes)?;
        let mut has_gap = false;
        match self.counter.arrived(number) {
            Arrived::Next => {}
            Arrived::Again => return Ok(()),
            Arrived::Gap { expected, received } => {
                has_gap = true;
                let (scope, reason) = (Scope::All, StaleReason::Gap);
                out.push(Slot(0), ts_event, Body::Lost { scope, reason, expected, received });
            }
        }
        let read = self.said(id, said, (number.unwrap_or(0), ts_event), bytes, routes, out);
        match read {
            // The loss is to be told.
            Err(DecodeError::UnknownSymbol { .. }) if has_gap => {
                self.counter.took(number);
                Ok(())
            }
            Ok(()) | Err(DecodeError::UnknownSymbol { .. }) => {
                self.counter.took(number);
                read
            }
            Err(_) => {
                self.counter.failed(number);
                read
            }
        }
    }

    /// What a channel says.
    fn said(
        &mut self,
        id: u64,
        said: Said,
        (number, ts_event): (u64, TimeNs),
        bytes: &[u8],
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        let Some(channel) = self.channels.find(id) else {
            out.concerns(Scope::All);
            return Err(DecodeError::UnknownMessage);
        };
        let kind = channel.kind;
        let said = match (kind, said) {
            (_, Said::Heartbeat) | (Kind::Other, _) => return Ok(()),
            (_, said) => said,
        };
        if let (Kind::Liquidations, Said::Rows(rows)) = (kind, said) {
            return statistics::liquidations(rows, bytes, routes, out);
        }
        let Some(route) = routes.find(channel.symbol.as_bytes()) else {
            return Err(DecodeError::UnknownSymbol { symbol: channel.symbol });
        };
        channel.slot = Some(route.slot);
        out.speaks_of(route.slot);
        match (kind, said) {
            (Kind::Levels { .. } | Kind::Orders { .. }, Said::Rows(rows)) => {
                out.concerns(Scope::Book(route.slot));
                let is_bulk = self.flags.are_updates_bulk();
                book::rows(&mut self.channels, id, (rows, is_bulk), (number, ts_event), bytes, route, out)
            }
            (Kind::Levels { .. } | Kind::Orders { .. }, Said::Named(name, check))
                if name.of(bytes) == b"cs" =>
            {
                out.concerns(Scope::Book(route.slot));
                book::check(channel, check, ts_event, bytes, route, out)
            }
            (Kind::Trades, Said::Rows(rows)) => trade::snapshot(rows, bytes, route, out),
            (Kind::Trades, Said::Named(name, row)) if name.of(bytes) == b"te" => {
                trade::trade(row, bytes, route, out)
            }
            (Kind::Ticker, Said::Rows(row)) => statistics::ticker(row, ts_event, bytes, route, out),
            (Kind::Derivative, Said::Rows(row)) => statistics::derivative(row, bytes, route, out),
            // Trades told again.
            (_, Said::Named(..)) => Ok(()),
            (_, Said::Rows(_) | Said::Heartbeat) => Err(DecodeError::UnknownMessage),
        }
    }

    /// A frame of any form.
    fn any(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            _ if bytes.len() > FRAME_BYTES_MAX => Err(DecodeError::FrameTooLarge { len: bytes.len() }),
            Some(b'[') => self.array(bytes, routes, out),
            _ => event::object(self, bytes, routes, out),
        }
    }

    /// Says whose book a frame that cannot be read may have changed.
    fn concern(&self, bytes: &[u8], out: &mut Events) {
        let channel = Scanner::new(bytes, 0);
        let id = channel_id(channel, bytes);
        match id.and_then(|id| self.channels.get(id)) {
            Some(channel) if !channel.kind.is_book() => {}
            Some(channel) => {
                if let Some(slot) = channel.slot {
                    out.concerns(Scope::Book(slot));
                }
            }
            None => out.concerns(Scope::All),
        }
    }

    /// Books that this connection has told of are known no more.
    fn lose(&mut self, reason: StaleReason, ts_event: TimeNs, out: &mut Events) {
        for slot in self.channels.lose() {
            lose(slot, reason, ts_event, out);
        }
    }
}

/// The number of the channel that an array begins with, though what follows cannot be read.
fn channel_id(mut scanner: Scanner<'_>, bytes: &[u8]) -> Option<u64> {
    scanner.open(b'[', "an array").ok()?;
    let token = scanner.value().ok().filter(|token| token.kind == JsonKind::Number)?;
    // A number that is cut is another one.
    scanner.more(false, b']').ok()?;
    unsigned(token, bytes, "CHANNEL_ID").ok()
}

/// A book is known no more.
fn lose(slot: Slot, reason: StaleReason, ts_event: TimeNs, out: &mut Events) {
    let scope = Scope::Book(slot);
    out.push(slot, ts_event, Body::Lost { scope, reason, expected: 0, received: 0 });
}

/// A symbol of no pair.
fn is_funding(symbol: &SymbolText) -> bool {
    symbol.as_bytes().starts_with(b"f")
}

// Answers are not taken: books come in the stream.
impl Room for Bitfinex {
    #[inline]
    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        let mark = out.mark();
        let read = self.any(bytes, routes, out);
        if let Err(error) = read {
            out.undo(mark);
            let is_harmless =
                matches!(error, DecodeError::UnknownSymbol { .. } | DecodeError::Refused { .. });
            if !is_harmless && out.concerned().is_none() {
                self.concern(bytes, out);
            }
        }
        Ok(read?)
    }

    /// What the venue said while nobody listened is not told again.
    fn opened(&mut self, at: At, out: &mut Events) {
        self.lose(StaleReason::SourceFailed, at.ts_recv, out);
        *self = Self::default();
    }

    /// A file goes on where the one before it ended where numbers say so.
    fn began(&mut self, at: At, out: &mut Events) {
        if !self.flags.are_numbered() {
            self.lose(StaleReason::Skipped, at.ts_recv, out);
        }
    }

    /// Rule 11.
    fn leave(&self, slot: Slot, what: Leave, nth: usize, out: &mut Vec<u8>) -> bool {
        let Some(id) = self.channels.of(slot, what).nth(nth) else { return false };
        out.clear();
        out.extend_from_slice(format!("{{\"event\":\"unsubscribe\",\"chanId\":{id}}}").as_bytes());
        true
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
