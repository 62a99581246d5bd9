//! Coinbase Advanced Trade: levels, trades and statistics of every product.
//!
//! Source: docs.cdp.coinbase.com, "Advanced Trade WebSocket Channels", "Overview" and "Sequence numbers"; "List Products" of the
//! REST interface. What they say, by number:
//! 1. Every message has a `channel`, a `timestamp`, a `sequence_num` and `events`. `sequence_num` counts all messages of a
//!    connection, of whatever channel, one by one from 0: subscriptions' and heartbeats' too. Recorded: 0 to 1,029, unbroken.
//! 2. One subscribes to `level2` and hears `l2_data`: for each subscription a `snapshot`, the whole book, and then each change
//!    as an `update`. A change has a `side` (`bid` or `offer`), a `price_level` and a `new_quantity`, which is absolute; 0
//!    removes.
//! 3. `heartbeats` come each second once subscribed to. Channels without updates close after 60 to 90 s, unless they are.
//! 4. `ticker` tells the best prices and the day's figures with each match, `ticker_batch` each five seconds in the same form.
//! 5. `market_trades` tells executions; its snapshot repeats the last of them.
//! 6. `status` tells each product's increments and whether it trades.
//! 7. A product that is quoted in USDC says what the one in USD does, and its messages name that one. `USDT-USDC` and
//!    `EURC-USDC` are products of their own; of the list of 2026-08-09 `AUDD-USDC`, `TGBP-USDC` and `XSGD-USDC` are, too.
//! 8. What is refused is said by an object of the type `error` with a `message`.
//!
//! Choices where the documents are silent:
//! * A number that is not the one due is a loss of every book of the connection, a lower one too: see `sequence::messages`.
//! * Subscribing anew mends a book.
//! * The side of a trade is the maker's: of 79 recorded updates, 75 have `SELL` at the best offer or `BUY` at the best bid.
//! * Trades of one message are told from the newest to the oldest. Their numbers put them in order.
//! * A book's time is that of its first change; the years 1 and 1970 stand for none. Then it is that of the message. All
//!   changes of a recorded message have one time.
//! * Channels of accounts, candles, and channels that are not known count, and are passed over.

mod aliases;
mod instruments;
mod l2_data;
mod printed;
mod products;
mod sight;
mod statistics;
mod trades;

pub(super) use aliases::instrument;

use super::room::{
    At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use super::{FrameError, value_behind};
use serde_json::Value;

use crate::decode::date_time::{Minute, time};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{items, members, text, unsigned};
use crate::decode::{DecodeError, FRAME_BYTES_MAX, SymbolText};
use crate::sequence::{MessageCounter, Rule, SeqOutcome};
use crate::types::{
    Body, BySlot, Definitions, Events, Instrument, Routes, Scope, Slot, StaleReason, TimeNs, Trade, Venue,
};

/// Every product.
pub(super) const ADVANCED: Product = Product {
    // Rule 1: the connection is numbered, not a book.
    rule: Rule::Unnumbered,
    resync: Resync::Resubscribe,
    is_by_order: false,
    order_ids: OrderIds::None,
    trade_ids: TradeIds::Ascending,
    top_proof: false,
    checksum: Checksum::None,
    // Rule 3: five heartbeats.
    silence_ns: 5_000_000_000,
    life: Life::Connection,
    detects: Detection::Next,
    scale: Scale::INFERRED,
};

/// No product is listed here: scales come from the venue or from the digits.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// One connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Coinbase {
    counter: MessageCounter,
    #[serde(skip)]
    minute: Minute,
    /// Whether a book of an instrument was told.
    has_book: BySlot<bool>,
    /// The trades of an event, to be put in order; reused.
    #[serde(skip)]
    trades: Vec<(Slot, Trade)>,
}

/// What stands around the events of every message.
#[derive(Clone, Copy, Debug)]
struct Envelope {
    number: u64,
    /// When it was sent.
    sent_at: TimeNs,
}

impl Coinbase {
    /// A frame of any form.
    #[inline(never)]
    fn any(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let read = match bytes.len() {
            len if len > FRAME_BYTES_MAX => Err(DecodeError::FrameTooLarge { len }),
            _ => self.message(bytes, routes, out),
        };
        let is_sound = |error: &DecodeError| {
            matches!(error, DecodeError::UnknownSymbol { .. } | DecodeError::Refused { .. })
        };
        if read.as_ref().is_err_and(|error| !is_sound(error)) && out.concerned().is_none() {
            concern(bytes, routes, out);
        }
        read
    }

    fn message(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let mut scanner = Scanner::new(bytes, 0);
        let keys = ["channel", "timestamp", "sequence_num", "events", "type", "message"];
        let [channel, timestamp, number, events, kind, words] = members(&mut scanner, bytes, &keys)?;
        scanner.finish()?;
        if channel.kind == Kind::Absent && kind.of(bytes) == b"error" {
            return Err(DecodeError::Refused { text: SymbolText::new(words.of(bytes)) });
        }
        let channel = text(channel, bytes, "channel")?;
        let number = unsigned(number, bytes, "sequence_num")?;
        if let SeqOutcome::Gap { expected, received } = self.counter.check(number) {
            let (scope, reason) = (Scope::All, StaleReason::Gap);
            out.push(Slot(0), 0, Body::Lost { scope, reason, expected, received });
        }
        // What is lost stays lost where the rest cannot be read.
        let mark = out.mark();
        let read = time(&mut self.minute, timestamp, bytes, "timestamp").and_then(|sent_at| {
            let envelope = Envelope { number, sent_at };
            match channel {
                b"l2_data" => l2_data::events(self, bytes, envelope, events, routes, out),
                b"market_trades" => trades::events(self, bytes, events, routes, out),
                b"ticker" | b"ticker_batch" => statistics::events(bytes, envelope, events, routes, out),
                b"status" => products::events(bytes, events, routes, out),
                // Life, acknowledgements, and channels that are not used.
                _ => Ok(()),
            }
        });
        match read {
            Ok(()) => self.counter.read(number),
            Err(DecodeError::UnknownSymbol { .. }) => {
                out.undo(mark);
                self.counter.read(number);
            }
            Err(_) => {
                out.undo(mark);
                self.counter.unread(number);
            }
        }
        read
    }

    /// A book of it is told of here.
    #[inline]
    fn told(&mut self, slot: Slot) {
        *self.has_book.at(slot) = true;
    }

    /// Another connection, which counts anew: books that this one has told of are known no more.
    fn lose(&mut self, reason: StaleReason, at: At, out: &mut Events) {
        self.counter = MessageCounter::default();
        for (slot, has_book) in self.has_book.iter_mut() {
            if std::mem::take(has_book) {
                let scope = Scope::Book(slot);
                out.push(Slot(0), at.ts_recv, Body::Lost { scope, reason, expected: 0, received: 0 });
            }
        }
    }
}

/// Reads each entry of the list that every event of a message has. Those of products that are not carried are passed over,
/// unless all are.
fn entries(
    events: Token,
    bytes: &[u8],
    list: &'static str,
    mut entry: impl FnMut(&mut Scanner<'_>) -> Result<Option<SymbolText>, DecodeError>,
) -> Result<(), DecodeError> {
    let (mut carried, mut foreign) = (false, None);
    items(events, bytes, "events", |scanner| {
        let [entries] = members(scanner, bytes, &[list])?;
        items(entries, bytes, list, |scanner| {
            match entry(scanner)? {
                Some(symbol) => foreign = Some(symbol),
                None => carried = true,
            }
            Ok(())
        })
    })?;
    match foreign {
        Some(symbol) if !carried => Err(DecodeError::UnknownSymbol { symbol }),
        _ => Ok(()),
    }
}

/// Says whose book a frame that cannot be read may have changed.
fn concern(bytes: &[u8], routes: &Routes, out: &mut Events) {
    /// Channels that say nothing of a book.
    const OTHERS: [&[u8]; 7] = [
        b"market_trades",
        b"ticker",
        b"ticker_batch",
        b"status",
        b"heartbeats",
        b"subscriptions",
        b"candles",
    ];
    let behind = |start: &[u8]| value_behind::text(bytes, start);
    if behind(b"\"channel\":\"").is_some_and(|channel| OTHERS.contains(&channel)) {
        return;
    }
    // One message may be of several products.
    let names = memchr::memmem::find_iter(bytes, b"\"product_id\":").take(2).count();
    match behind(b"\"product_id\":\"").and_then(|symbol| routes.find(symbol)).filter(|_| names == 1) {
        Some(route) => out.concerns(Scope::Book(route.slot)),
        // It may be that very text which is damaged.
        None => out.concerns(Scope::All),
    }
}

// Answers are not taken: books of levels that can be asked for have no place in the count of a connection.
impl Room for Coinbase {
    #[inline]
    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        let mark = out.mark();
        if let Some((number, slot)) = printed::events(bytes, &self.counter, &mut self.minute, routes, out) {
            self.counter.read(number);
            self.told(slot);
            return Ok(());
        }
        out.undo(mark);
        Ok(self.any(bytes, routes, out)?)
    }

    fn opened(&mut self, at: At, out: &mut Events) {
        self.lose(StaleReason::SourceFailed, at, out);
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
