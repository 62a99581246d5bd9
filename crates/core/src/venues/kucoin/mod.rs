//! KuCoin: spot and futures, by JSON.
//!
//! Source: kucoin.com/docs, "Introduction" of WebSocket (welcome, acknowledgements, pings), "Level 2 Market Data", "Ticker",
//! "Match Execution Data" of spot, "Level 2 Market Data", "Get Ticker V2", "Execution data", "Contract Market Data" of futures; REST
//! "Get Part OrderBook", "Get Full OrderBook", "Get Symbols List", "Get Active Contract List". What they say, by number:
//! 1. A message has a `type`: `welcome` once the connection may be spoken to, `ack`, `pong`, `error`, and `message` with a `topic`, which
//!    ends with the symbol, and `data`. Of `/market/ticker:all` the `subject` is the symbol.
//! 2. `/market/level2`: `changes` from `sequenceStart` to `sequenceEnd`, rows of price, quantity and sequence, in the order of these. A
//!    message continues a book at N where it begins at N + 1 or before and ends behind N.
//! 3. A row with price 0 changes nothing: only the sequence moves.
//! 4. `/contractMarket/level2`: one change a message, `price,side,quantity` in a text, and its `sequence`, one by one.
//! 5. Quantities are absolute, 0 removes. A book is asked for over HTTP, and changes up to its `sequence` are in it.
//! 6. Public addresses of spot answer with the best 20 or 100 levels a side; all of them need a signature. Those of futures answer with
//!    all, too. An answer of spot names no symbol.
//! 7. The side of a trade is the taker's. Times of trades are in nanoseconds, of other messages in milliseconds, or in nanoseconds.
//! 8. `/market/ticker` and `/contractMarket/tickerV2` are the best bid and ask, with the sequence that they belong to.
//! 9. `/contract/instrument` tells mark and index, and the funding rate: at a granularity of one minute the predicted one.
//! 10. Quantities of futures are contracts: of `multiplier` in base units, of inverse ones of one unit of quote currency.
//!
//! Choices where the documents are silent:
//! * An answer that has 20 or 100 levels on a side was cut there.
//! * Sequences of tops and of books are of one numbering on spot (819 of 819 recorded tops are the book's at their number). Of futures no
//!   recording shows it: there a top proves nothing.
//! * A row of futures with price 0 is taken as one of spot.
//! * The page on rule 2 that has a message end before it begins is an error of the page: such a message is refused.
//! * Trades are named by texts, in some years by numbers: nothing is said of their order.
//! * `/market/snapshot`, `/contractMarket/snapshot` and the best 5 and 50 levels, told whole each time, are not used.

mod book;
mod instruments;
mod market;
mod sight;
mod topic;

use topic::Topic;

use super::room::{
    Asked, At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use super::two_names::FirstName;
use super::{FrameError, value_behind};
use serde_json::Value;

use crate::decode::json::{Kind, Scanner};
use crate::decode::members::{members, text};
use crate::decode::{DecodeError, FRAME_BYTES_MAX, SymbolText};
use crate::sequence::Rule;
use crate::types::{Definitions, Events, Instrument, QtyUnit, Routes, Scope, TimeNs, Venue};

/// Spot.
pub(super) const SPOT: Product = Product {
    rule: Rule::Range,
    resync: Resync::Snapshot,
    is_by_order: false,
    order_ids: OrderIds::None,
    trade_ids: TradeIds::Unordered,
    top_proof: true,
    checksum: Checksum::None,
    // Ten times the longest pause of a quiet pair that was recorded.
    silence_ns: 60_000_000_000,
    life: Life::Book,
    detects: Detection::Next,
    scale: Scale::INFERRED,
};

/// Perpetuals and deliveries, margined in a stable coin or in the coin.
pub(super) const FUTURES: Product = Product {
    rule: Rule::Counter,
    top_proof: false,
    scale: Scale { qty_unit: QtyUnit::Contracts, ..Scale::INFERRED },
    ..SPOT
};

/// No symbol is listed here: scales come from the venue or from the digits.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// The instrument of a symbol.
pub(super) fn instrument(venue: Venue, symbol: &str) -> Instrument {
    super::product(venue).scale.instrument(venue, symbol)
}

/// One connection. Nothing that it has told changes what it tells.
#[derive(Debug, Default)]
pub struct Kucoin {
    /// Of the source; none where that is still to be found out.
    product: Option<Venue>,
}

impl Kucoin {
    fn object(&self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        let mut scanner = Scanner::new(bytes, 0);
        let keys = ["type", "topic", "subject", "data", "code"];
        let [kind, topic, subject, data, code] = members(&mut scanner, bytes, &keys)?;
        scanner.finish()?;
        if kind.kind == Kind::Absent && code.kind != Kind::Absent {
            // A book as a recorder has put it among the messages.
            return book::answer(&Asked { routes, url: b"" }, bytes, out);
        }
        match text(kind, bytes, "type")? {
            b"message" => {}
            b"error" => return Err(DecodeError::Refused { text: SymbolText::new(data.of(bytes)) }),
            b"welcome" | b"ack" | b"pong" => return Ok(()),
            _ => return Err(DecodeError::UnknownMessage),
        }
        let subject = if subject.kind == Kind::Absent { &b""[..] } else { text(subject, bytes, "subject")? };
        let Some((topic, symbol)) = Topic::of(text(topic, bytes, "topic")?, subject) else { return Ok(()) };
        let is_own = self.product.is_none_or(|product| product == topic.venue());
        let named = FirstName { name: symbol, is_book: topic.is_book() };
        let Some(route) = routes.find(symbol).filter(|_| is_own) else {
            return Err(match is_own {
                true => named.is_foreign(data, bytes, "symbol", routes, out),
                false => DecodeError::UnknownSymbol { symbol: SymbolText::new(symbol) },
            });
        };
        if data.kind == Kind::Object && topic != Topic::SpotBook {
            let [again] = members(&mut Scanner::new(bytes, data.start as usize), bytes, &["symbol"])?;
            named.agrees(again, bytes, "symbol", routes, out)?;
        }
        if topic.is_book() {
            out.concerns(Scope::Book(route.slot));
        }
        out.speaks_of(route.slot);
        match topic {
            Topic::SpotBook => book::changes(bytes, data, (route, named), routes, out),
            Topic::FuturesBook => book::change(bytes, data, route, out),
            Topic::SpotTop => market::spot_top(bytes, data, route, out),
            Topic::FuturesTop => market::futures_top(bytes, data, route, out),
            Topic::SpotTrades | Topic::FuturesTrades => market::trade(bytes, data, route, out),
            Topic::FuturesStatistics => market::statistics(bytes, data, subject, route, out),
        }
    }
}

/// Says whose book a frame that cannot be read may have changed.
fn concern(bytes: &[u8], routes: &Routes, out: &mut Events) {
    let behind = |start: &[u8]| value_behind::text(bytes, start);
    let topic = behind(b"\"topic\":\"");
    let is_other = match topic {
        Some(topic) => topic::is_other(topic),
        // What is of the connection has no topic; a trade has a type of its own, which stands before it.
        None => behind(b"\"type\":\"")
            .is_some_and(|kind| matches!(kind, b"ack" | b"pong" | b"welcome" | b"error" | b"match")),
    };
    if is_other {
        return;
    }
    let named = topic.and_then(|topic| Topic::of(topic, b"")).map(|(_, symbol)| symbol);
    match named.or_else(|| behind(b"\"symbol\":\"")).and_then(|symbol| routes.find(symbol)) {
        Some(route) => out.concerns(Scope::Book(route.slot)),
        // It may be that very text which is damaged.
        None => out.concerns(Scope::All),
    }
}

impl Room for Kucoin {
    fn of(product: Venue) -> Self {
        Self { product: Some(product) }
    }

    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        let mark = out.mark();
        let read = match bytes.len() {
            len if len > FRAME_BYTES_MAX => Err(DecodeError::FrameTooLarge { len }),
            _ => self.object(bytes, routes, out),
        };
        if let Err(error) = read {
            out.undo(mark);
            let is_known = matches!(
                error,
                DecodeError::UnknownSymbol { .. }
                    | DecodeError::Refused { .. }
                    | DecodeError::AmbiguousSnapshot
                    | DecodeError::NotSnapshot
            );
            if out.concerned().is_none() && !is_known {
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
        let read = book::answer(asked, bytes, out);
        if read.is_err() {
            out.undo(mark);
        }
        Ok(read?)
    }

    /// Its books go on as far as their numbers do.
    fn opened(&mut self, _at: At, _out: &mut Events) {}

    fn instruments(venue: Venue, bytes: &[u8], out: &mut Definitions) -> Result<(), DecodeError> {
        instruments::read(venue, bytes, out)
    }

    // It remembers nothing but its product.
    fn kept(&self) -> Option<Value> {
        Some(Value::Null)
    }

    fn restored(product: Venue, _kept: Value) -> Option<Self> {
        Some(Self::of(product))
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
