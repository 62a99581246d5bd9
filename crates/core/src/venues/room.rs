//! What a venue owes: everything that is true of one venue and of no other stands in its room.
//!
//! A room reads frames and emits events as data. It calls no book, keeps no time and opens nothing. It may remember what
//! its connection has told: channels, counters, numbers of instruments. `docs/adding-a-venue.md` is the page to start
//! with.

use serde_json::Value;

use crate::sequence::Rule;
use crate::types::{
    Body, Decimal, Definitions, Events, Instrument, OrderChange, QtyUnit, Routes, ScaleSource, Scope, Slot,
    StaleReason, Terms, TimeNs, Venue,
};

use super::FrameError;
use crate::decode::DecodeError;

/// When and where a frame was received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// Receive time.
    pub ts_recv: TimeNs,
    /// Number of the line that brought it: lines A and B of one feed, by the address that their packets went to.
    pub line: u32,
    /// Whether the bytes are a datagram's payload; else they are a frame or a framed message.
    pub is_datagram: bool,
}

/// What an answer answers.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The instrument that was asked for; all that the connection carries where only a recorded address can say.
    pub routes: &'a Routes,
    /// The address that was asked, as a recording tells it; empty otherwise.
    pub url: &'a [u8],
}

/// Which subscriptions of an instrument end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Those of its book, which is asked for anew.
    Book,
    /// All: it is carried no more.
    All,
}

/// All that a venue owes. One value is one connection, and may remember.
pub trait Room: Default {
    /// A connection to one of the room's products. One made by default may be to any of them.
    fn of(product: Venue) -> Self {
        let _ = product;
        Self::default()
    }

    /// A frame, a datagram or a framed message. All or nothing: after an error `out` is as before, but for
    /// [`Events::concerns`]. Of a datagram that is true of each of its messages: what can be read of it stays, and the
    /// room says whose truth went with the rest.
    ///
    /// # Errors
    /// [`FrameError`]. [`DecodeError::UnknownSymbol`](crate::decode::DecodeError::UnknownSymbol) for an instrument that is
    /// not carried.
    fn frame(&mut self, bytes: &[u8], at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError>;

    /// What a request, or a recorded HTTP exchange, brought back. Nothing, where it cannot be joined to what was heard: it is
    /// asked for again. By default no answer holds a book: books come in the stream.
    ///
    /// # Errors
    /// As [`Self::frame`]; [`DecodeError::NotSnapshot`](crate::decode::DecodeError::NotSnapshot) for an answer that holds
    /// no book.
    fn answer(
        &mut self,
        asked: &Asked<'_>,
        bytes: &[u8],
        at: At,
        out: &mut Events,
    ) -> Result<(), FrameError> {
        let _ = (asked, bytes, at, out);
        Err(DecodeError::NotSnapshot.into())
    }

    /// A new connection: forget what the old one told, and say whose truth went with it. By default books go on, as far as
    /// the venue's numbers say so.
    fn opened(&mut self, at: At, out: &mut Events) {
        let _ = (at, out);
        *self = Self::default();
    }

    /// What was asked of the venue on this connection: the address that it leads to, a subscription that was sent.
    fn asked(&mut self, text: &[u8]) {
        let _ = text;
    }

    /// Another file of a recording begins. By default it goes on where the one before it ended, as far as the venue's
    /// numbers say so.
    fn began(&mut self, at: At, out: &mut Events) {
        let _ = (at, out);
    }

    /// Bytes were skipped. By default every book of the connection is in doubt.
    fn skipped(&mut self, at: At, out: &mut Events) {
        let body = Body::Lost { scope: Scope::All, reason: StaleReason::Skipped, expected: 0, received: 0 };
        out.push(Slot(0), at.ts_recv, body);
    }

    /// Time passes without a frame.
    fn tick(&mut self, at: At, routes: &Routes, out: &mut Events) {
        let _ = (at, routes, out);
    }

    /// What must be said back to the last frame, if anything, as in an answer to a heartbeat.
    fn reply(&self, out: &mut Vec<u8>) -> bool {
        let _ = out;
        false
    }

    /// Replaces `out` with the text that ends the nth subscription of an instrument, where only this connection can name it.
    /// False where there is none.
    fn leave(&self, slot: Slot, what: Leave, nth: usize, out: &mut Vec<u8>) -> bool {
        let _ = (slot, what, nth, out);
        false
    }

    /// What a message that is still to come is going to change, so that its memory may be fetched ahead. A guess: nothing else
    /// may depend on it.
    fn hint(&self, bytes: &[u8]) -> Option<(Slot, OrderChange)> {
        let _ = bytes;
        None
    }

    /// The venue's own list of its instruments, or a page of it: the answer of its endpoint, untouched.
    ///
    /// # Errors
    /// As [`Self::frame`]; [`DecodeError::NotInstruments`](crate::decode::DecodeError::NotInstruments) for an answer that
    /// holds no list, and from venues whose list is not read.
    fn instruments(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
        let _ = (venue, bytes, out);
        Err(DecodeError::NotInstruments)
    }

    /// What it remembers of its connection, as data, so that a recording that is read from here on can go on with it.
    fn kept(&self) -> Option<Value>;

    /// A connection to a product that remembers what [`Self::kept`] has told; `None` for anything else.
    fn restored(product: Venue, kept: Value) -> Option<Self>;

    /// When a frame was sent or received, by what stands in it: the clock of a recording that has no other. 0 where it
    /// does not say.
    fn time(frame: &[u8]) -> TimeNs;

    /// Which instruments a frame speaks of, and how surely it is this venue's, for recordings that do not say.
    fn sight(&mut self, frame: &[u8], out: &mut Sightings);
}

/// One product: a line of the table of venues.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// How it numbers the changes of a book.
    pub rule: Rule,
    /// What mends a book whose truth is lost.
    pub resync: Resync,
    /// Whether all that it says of a book names orders.
    pub is_by_order: bool,
    /// How it names orders.
    pub order_ids: OrderIds,
    /// How it names trades.
    pub trade_ids: TradeIds,
    /// Whether its own top of book carries the number of the book that it belongs to.
    pub top_proof: bool,
    /// Of what its checksums are, where it sends them.
    pub checksum: Checksum,
    /// How long its book may be quiet. 0 = for ever.
    pub silence_ns: u64,
    /// What counts as life.
    pub life: Life,
    /// What is surely found out of a loss; see [`Detection`].
    pub detects: Detection,
    /// The scale of an instrument of which nothing else is known.
    pub scale: Scale,
}

impl Product {
    /// Whether changes of orders are numbered: their books are asked for, and joined to them by their number.
    #[must_use]
    pub fn numbers_orders(&self) -> bool {
        self.is_by_order && self.rule != Rule::Unnumbered
    }
}

/// What mends a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Resync {
    /// Asking for a snapshot.
    Snapshot = 1,
    /// Unsubscribing and subscribing: the snapshot comes in the stream.
    Resubscribe = 2,
    /// Another connection.
    Reconnect = 3,
    /// Nothing can be asked for: the venue's next beginning.
    Wait = 0,
}

/// Of what a venue's checksums are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// It sends none.
    None,
    /// CRC-32 over the printed digits of the best ten asks, then bids; of a book of orders, over each of their orders.
    PrintedTop,
    /// CRC-32 over the best 25 bids and asks in turn, the longer side going on alone, as `price:quantity` with `:` between
    /// them. One that the venue sends as a signed number has the same bits.
    Interleaved(Numbers),
}

/// How a venue prints the numbers that its checksum joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// With as few digits as say them.
    Shortest,
    /// With as few digits as say them, or with a constant number of decimals: the first checksum shows which.
    Found,
    /// As ECMAScript prints them, quantities of asks below zero. Of a book of orders the best 25 a side, `id:quantity`, at one
    /// price by ascending id.
    Script,
}

/// How a venue names orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderIds {
    /// It names none.
    None,
    /// By numbers that mostly ascend.
    Ascending,
    /// By any numbers, each of one book: two books may use the same.
    Arbitrary,
    /// By text, which the room hands over with [`Events::name`].
    Named,
}

/// How a venue names trades, which decides what a repetition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TradeIds {
    /// By numbers that ascend an instrument, each trade by its own: one that does not ascend is a repetition, and between one and
    /// the next there is none.
    Ascending,
    /// By anything else, or not at all: nothing is taken for a repetition.
    Unordered,
}

/// What counts as life of a book's channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Updates of the book only.
    Book,
    /// Any message of its connection, heartbeats included.
    Connection,
}

/// What is surely found out where a message is lost. The fault campaign holds a room to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detection {
    /// The next message of the book shows it.
    Next,
    /// A later message shows it: the loss changes what a checksum covers, or not.
    Later,
    /// Nothing shows it.
    Never,
}

/// The scale of instruments of which nothing else is known.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Power of ten of prices.
    pub price_exponent: i8,
    /// Power of ten of quantities.
    pub qty_exponent: i8,
    /// Where these come from.
    pub source: ScaleSource,
    /// Price increment in mantissa units, 0 = unknown.
    pub tick_size: i64,
    /// What a quantity counts.
    pub qty_unit: QtyUnit,
    /// Whether contracts are worth a fixed amount of quote currency.
    pub inverse: bool,
}

impl Scale {
    /// Base units, both exponents found from the digits that occur.
    pub const INFERRED: Self = Self {
        price_exponent: 0,
        qty_exponent: 0,
        source: ScaleSource::Inferred,
        tick_size: 0,
        qty_unit: QtyUnit::Base,
        inverse: false,
    };

    /// An instrument of this scale. The symbol is not checked.
    #[must_use]
    pub fn instrument(&self, venue: Venue, symbol: &str) -> Instrument {
        Instrument {
            venue,
            symbol: symbol.to_owned(),
            codes: Vec::new(),
            price_exponent: self.price_exponent,
            qty_exponent: self.qty_exponent,
            scale_source: self.source,
            tick_size: self.tick_size,
            lot_size: 0,
            digits: None,
            qty_unit: self.qty_unit,
            contract_size: Decimal::ONE,
            inverse: self.inverse,
            terms: Terms::default(),
        }
    }
}

/// How surely a frame is a venue's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sureness {
    /// It may be, as a trade that several products print alike.
    Maybe,
    /// It is.
    Sure,
}

/// Most instruments that are told apart in one recording.
pub const SIGHTINGS_MAX: usize = 16_384;

/// Instruments that frames spoke of, in order of first sight.
#[derive(Debug, Default)]
pub struct Sightings {
    list: Vec<(Venue, String, Sureness)>,
    known: std::collections::HashMap<(Venue, String), usize>,
    is_full: bool,
    is_readable: bool,
}

impl Sightings {
    /// A frame is of a form that the venue sends, whether or not it names an instrument.
    pub const fn readable(&mut self) {
        self.is_readable = true;
    }

    /// Whether any frame was.
    #[must_use]
    pub const fn is_readable(&self) -> bool {
        self.is_readable
    }

    /// Takes an instrument back.
    pub fn remove(&mut self, venue: Venue, symbol: &str) {
        if let Some(index) = self.known.remove(&(venue, symbol.to_owned())) {
            self.list.remove(index);
            self.known.values_mut().filter(|known| **known > index).for_each(|known| *known -= 1);
        }
    }

    /// Notes an instrument. One beyond [`SIGHTINGS_MAX`] is told by [`Self::is_full`].
    pub fn add(&mut self, venue: Venue, symbol: &str, sureness: Sureness) {
        if let Some(&index) = self.known.get(&(venue, symbol.to_owned())) {
            self.list[index].2 = self.list[index].2.max(sureness);
            return;
        }
        if self.list.len() == SIGHTINGS_MAX {
            self.is_full = true;
            return;
        }
        self.known.insert((venue, symbol.to_owned()), self.list.len());
        self.list.push((venue, symbol.to_owned(), sureness));
    }

    /// Whether there were more than are told apart.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.is_full
    }

    /// The instruments. One that may be of several venues counts as those where it is surest; a guess counts only for a
    /// symbol that nothing surer has placed.
    #[must_use]
    pub fn instruments(self) -> Vec<(Venue, String)> {
        let sure: std::collections::HashSet<&str> = self
            .list
            .iter()
            .filter(|(_, _, sureness)| *sureness == Sureness::Sure)
            .map(|(_, symbol, _)| symbol.as_str())
            .collect();
        let keeps = |symbol: &str, sureness| sureness == Sureness::Sure || !sure.contains(symbol);
        self.list
            .iter()
            .filter(|(_, symbol, sureness)| keeps(symbol, *sureness))
            .map(|(venue, symbol, _)| (*venue, symbol.clone()))
            .collect()
    }
}
