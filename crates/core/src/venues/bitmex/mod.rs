//! BitMEX: tables over WebSocket, of which messages say what comes, changes and goes.
//!
//! Source: bitmex.com, "WebSocket API" (Subscriptions, Response Format, Heartbeats, Rate Limits) and API Explorer (`Instrument`,
//! `OrderBook`, `Quote`, `Trade`); blog.bitmex.com, "Changes to Order Book Level 2 Data" (2022) and "Potentially-Breaking API Update
//! to ID Generation" (2023). What they say, by number:
//! 1. A message of a `table` has an `action` and a list of rows, `data`. `partial` is the table as it is, for what its `filter` names;
//!    all that comes before it is to be dropped. `insert` brings rows, `update` says of a row what has changed, `delete` ends it.
//! 2. Rows of `orderBookL2` and `orderBookL2_25` are levels: an `id` and a `side` name one, `size` is what stands at its `price`. An `id` is
//!    of one price. Until 2023 it was computed from it, and stood alone in updates and deletes; since then it is arbitrary, and the
//!    price stands in all.
//! 3. `orderBookL2` is the whole book. `orderBookL2_25` is the best 25 levels a side, throttled: those that fall behind them are
//!    deleted, those that come among them inserted.
//! 4. A row of `orderBook10` has the best ten levels of both sides, `[price, size]`.
//! 5. Rows have a `timestamp`, those of the level tables since February 2022: of the matching engine, in `orderBookL2_25` and
//!    in partials of when they were sent.
//! 6. `trade` has a `trdMatchID`, which is a text, and the `side` of who took. `trdType` says where it is no execution on the book:
//!    settlements, and prices of indices.
//! 7. `quote` is the best bid and ask, `instrument` the rest: rows of it name what has changed alone. Its `fundingRate` is that of the
//!    running interval, which ends at `fundingTimestamp`; `indicativeSettlePrice` is the price of the index.
//! 8. `liquidation` has the orders that close positions by force, from when they are placed until they are done.
//! 9. Quantities are contracts. An inverse one is worth so many units of the quote currency, a linear one holds so many of the
//!    base's; of a quanto one both change with the price.
//! 10. A connection that has said nothing for 5 s may be asked by the text `ping` and answers `pong`. Objects with `info`, `success` or
//!     `error` speak of the connection and of subscriptions.
//!
//! Choices where the documents are silent:
//! * Nothing numbers messages. A row that comes and is there, or that changes or goes and is not, contradicts the book, as does
//!   an `id` with another price than it had. A message that is lost and that no later one contradicts shows nowhere.
//! * `orderBookL2_25` says how its best levels change in as many as three messages, one an action. One that leaves fewer than 25
//!   where there were as many, or more, is no end of what it tells: the third in a row that leaves fewer shows that there are no more,
//!   and a fourth that leaves more that a delete was lost.
//! * Each message of `orderBook10` is the whole of it; its time is the number of its book. An update that leaves out a side is not
//!   read, since it may mean either that the side has not changed or that it is empty.
//! * Of several book tables of an instrument the deepest counts.
//! * A liquidation is told when its order is placed; what is traded by it, trades tell. Those at the beginning of a
//!   subscription were told before.
//! * The book of REST has no number, and is no book here.
//! * While no subscription is of all instruments, a message is of one.

mod instruments;
mod known;
mod levels;
mod market;
mod sight;
mod top;

use known::Known;

use super::deepest::Deepest;
use super::room::{
    At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use super::two_names::FirstName;
use super::{FrameError, value_behind};
use serde_json::Value;

use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{members, symbol, text};
use crate::decode::{DecodeError, FRAME_BYTES_MAX, SymbolText};
use crate::sequence::Rule;
use crate::types::{
    Body, BySlot, Definitions, Events, Instrument, QtyUnit, Routes, Scope, Slot, StaleReason, TimeNs, Venue,
};

/// Every contract and spot pair.
pub(super) const CONTRACTS: Product = Product {
    rule: Rule::Unnumbered,
    resync: Resync::Resubscribe,
    is_by_order: false,
    order_ids: OrderIds::None,
    trade_ids: TradeIds::Unordered,
    top_proof: false,
    checksum: Checksum::None,
    // Rule 10, six times.
    silence_ns: 30_000_000_000,
    life: Life::Connection,
    detects: Detection::Later,
    scale: Scale { qty_unit: QtyUnit::Contracts, ..Scale::INFERRED },
};

/// No contract is listed here: scales come from the venue or from the digits.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// The instrument of a name, which is the venue's own.
pub(super) fn instrument(venue: Venue, symbol: &str) -> Instrument {
    CONTRACTS.scale.instrument(venue, symbol)
}

/// What a message does with the rows that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Partial,
    Insert,
    Update,
    Delete,
}

impl Action {
    fn of(token: Token, bytes: &[u8]) -> Result<Self, DecodeError> {
        match text(token, bytes, "action")? {
            b"partial" => Ok(Self::Partial),
            b"insert" => Ok(Self::Insert),
            b"update" => Ok(Self::Update),
            b"delete" => Ok(Self::Delete),
            _ => {
                let (field, expected) = ("action", "partial, insert, update or delete");
                Err(DecodeError::WrongType { at: token.start, field, expected, got: "another text" })
            }
        }
    }
}

/// Levels a side of a table of books.
fn depth(table: &[u8]) -> Option<u32> {
    match table {
        b"orderBookL2" => Some(levels::WHOLE),
        b"orderBookL2_25" => Some(levels::BEST),
        b"orderBook10" => Some(top::DEPTH),
        _ => None,
    }
}

/// What a message is made of.
#[derive(Clone, Copy, Debug)]
struct Message {
    action: Action,
    filter: Token,
    data: Token,
}

impl Message {
    /// The symbol that its rows are to be of, where it says that; `filter` is told with what was there before.
    fn symbol(&self, bytes: &[u8]) -> Result<Option<SymbolText>, DecodeError> {
        if self.filter.kind != Kind::Object {
            return Ok(None);
        }
        let mut scanner = Scanner::new(bytes, self.filter.start as usize);
        let [name] = members(&mut scanner, bytes, &["symbol"])?;
        match name.kind {
            Kind::Absent => Ok(None),
            _ => Ok(Some(symbol(name, bytes, "symbol", &Routes::new())?.1)),
        }
    }
}

/// That a row is of the symbol of the message's filter.
fn is_filtered(
    filter: Option<&SymbolText>,
    is_book: bool,
    row: Token,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let Some(filter) = filter else { return Ok(()) };
    FirstName { name: filter.as_bytes(), is_book }.agrees(row, bytes, "symbol", routes, out)
}

/// What is known of an instrument's book on a connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Book {
    deepest: Deepest,
    /// Whether it was told.
    is_begun: bool,
    known: Known,
    /// Sides that had as many levels as the best that are told, and whether they still may.
    cut: [bool; 2],
    /// Messages in a row after which a side of them had others than it must have.
    between: u8,
}

/// One connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Bitmex {
    books: BySlot<Book>,
    /// Of the message that is read; kept for their memory.
    #[serde(skip)]
    rows: Vec<levels::Row>,
    #[serde(skip)]
    told: Vec<top::Told>,
    /// Whether a subscription is of all instruments.
    has_all: bool,
}

impl Bitmex {
    fn book(&mut self, slot: Slot) -> &mut Book {
        self.books.at(slot)
    }

    fn any(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(DecodeError::FrameTooLarge { len: bytes.len() });
        }
        if bytes == b"pong" {
            return Ok(());
        }
        let keys = ["table", "action", "filter", "data", "success", "unsubscribe", "error", "info"];
        let mut scanner = Scanner::new(bytes, 0);
        let [table, action, filter, data, success, unsubscribe, error, info] =
            members(&mut scanner, bytes, &keys)?;
        scanner.finish()?;
        match () {
            () if error.kind == Kind::String => {
                Err(DecodeError::Refused { text: SymbolText::new(error.of(bytes)) })
            }
            () if success.kind != Kind::Absent => {
                self.unsubscribed(unsubscribe.of(bytes), routes, out);
                Ok(())
            }
            () if info.kind != Kind::Absent => Ok(()),
            () if table.kind == Kind::Absent => Err(DecodeError::UnknownMessage),
            () => {
                let table = text(table, bytes, "table")?;
                let message = Message { action: Action::of(action, bytes)?, filter, data };
                self.rows_of(table, bytes, message, routes, out)
            }
        }
    }

    fn rows_of(
        &mut self,
        table: &[u8],
        bytes: &[u8],
        message: Message,
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        match depth(table) {
            Some(top::DEPTH) => top::read(self, bytes, message, routes, out),
            Some(depth) => levels::read(self, bytes, (depth, message), routes, out),
            None => market::read(table, bytes, message, routes, out),
        }
    }

    /// A subscription has ended: `orderBookL2:XBTUSD`.
    fn unsubscribed(&mut self, topic: &[u8], routes: &Routes, out: &mut Events) {
        let Some(colon) = memchr::memchr(b':', topic) else { return };
        let (table, symbol) = topic.split_at(colon);
        let Some(route) = symbol.get(1..).and_then(|symbol| routes.find(symbol)) else { return };
        let book = self.book(route.slot);
        if book.deepest.depth().is_some_and(|of| depth(table) == Some(of)) && std::mem::take(book).is_begun {
            lose(route.slot, StaleReason::SourceFailed, At::default(), out);
        }
    }

    fn lose_all(&mut self, reason: StaleReason, at: At, out: &mut Events) {
        for (slot, book) in self.books.iter_mut() {
            if std::mem::take(&mut book.is_begun) {
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
fn concern(bytes: &[u8], has_all: bool, routes: &Routes, out: &mut Events) {
    let behind = |start: &[u8]| value_behind::text(bytes, start);
    if behind(b"\"table\":\"").is_some_and(|table| market::TABLES.contains(&table)) {
        return;
    }
    match behind(b"\"symbol\":\"").and_then(|name| routes.find(name)) {
        Some(route) if !has_all => out.concerns(Scope::Book(route.slot)),
        // It may be that very text which is damaged.
        _ => out.concerns(Scope::All),
    }
}

impl Room for Bitmex {
    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        let mark = out.mark();
        let read = self.any(bytes, routes, out);
        if let Err(error) = read {
            out.undo(mark);
            let is_known = matches!(error, DecodeError::UnknownSymbol { .. } | DecodeError::Refused { .. });
            if out.concerned().is_none() && !is_known {
                concern(bytes, self.has_all, routes, out);
            }
        }
        Ok(read?)
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
