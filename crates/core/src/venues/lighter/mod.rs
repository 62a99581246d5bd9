//! Lighter: books, trades, tickers and statistics of perpetuals and spot markets.
//!
//! Source: apidocs.lighter.xyz, "WebSocket" (channels `order_book`, `trade`, `ticker`, `market_stats`), "Market data",
//! "orderBookDetails". What they say, by number:
//! 1. A message's `type` is `subscribed/CHANNEL` for the first of a subscription, `update/CHANNEL` afterwards; its `channel` is
//!    `CHANNEL:MARKET`, where the market is a number. Statistics may be of all markets at once, `market_stats:all`.
//! 2. A subscription to `order_book` begins with the whole book. An update tells levels, absolute; size 0 removes.
//! 3. An update's `begin_nonce` is the `nonce` of the one before it, and of the book where it is the first.
//! 4. Something from the client is due every two minutes; the venue's own `ping` wants a `pong`.
//! 5. Trades of a subscription's first message are of before it. Those that close a position by force stand in a list of their
//!    own; they are trades too.
//! 6. Of a trade `is_maker_ask` says that the resting order sold.
//!
//! Choices where the documents are silent:
//! * Before 2026 updates have no `begin_nonce`; then `offset` counts them one by one (recording of 2025-12-08). Of both forms a
//!   book's number is the one that its updates are linked by, so a connection that changes the form loses its books.
//! * The first update may tell again what the book has, under the book's own number (the same recording): it changes nothing.
//! * The unit of funding rates and of open interest is not stated, so neither is told.
//! * A ticker without one of its sides does not say whether the side is empty: it is passed over.

mod book;
mod instruments;
mod market;
mod sight;

pub(super) use instruments::{instrument, listed};

use super::FrameError;
use super::room::{
    At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use super::two_names::FirstName;
use serde_json::Value;

use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{members, text};
use crate::decode::{DecodeError, FRAME_BYTES_MAX, SymbolText};
use crate::sequence::Rule;
use crate::types::{Definitions, Events, Route, Routes, Scope, TimeNs, Venue};

/// Every market.
pub(super) const MARKETS: Product = Product {
    rule: Rule::Linked,
    resync: Resync::Resubscribe,
    is_by_order: false,
    order_ids: OrderIds::None,
    trade_ids: TradeIds::Ascending,
    top_proof: false,
    checksum: Checksum::None,
    // Rule 4: a client that asks for life each half minute has missed two answers.
    silence_ns: 70_000_000_000,
    life: Life::Connection,
    detects: Detection::Next,
    scale: Scale::INFERRED,
};

/// One connection.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Lighter {
    /// The venue has asked for life.
    is_pinged: bool,
}

impl Lighter {
    fn any(&mut self, bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(DecodeError::FrameTooLarge { len: bytes.len() });
        }
        let mut scanner = Scanner::new(bytes, 0);
        let keys = [
            "type",
            "channel",
            "order_book",
            "trades",
            "liquidation_trades",
            "ticker",
            "market_stats",
            "timestamp",
            "nonce",
            "error",
        ];
        let [kind, channel, order_book, trades, liquidations, ticker, stats, timestamp, nonce, error] =
            members(&mut scanner, bytes, &keys)?;
        scanner.finish()?;
        if error.kind != Kind::Absent {
            return Err(refused(error, bytes));
        }
        let kind = text(kind, bytes, "type")?;
        let (is_first, name) = match parted(kind, b'/') {
            Some((b"subscribed", name)) => (true, name),
            Some((b"update", name)) => (false, name),
            _ => {
                self.is_pinged = kind == b"ping";
                return match kind {
                    b"connected" | b"ping" | b"pong" | b"unsubscribed" => Ok(()),
                    _ => Err(DecodeError::UnknownMessage),
                };
            }
        };
        let channel = text(channel, bytes, "channel")?;
        let market = parted(channel, b':').map_or(&b""[..], |(_, market)| market);
        match name {
            b"order_book" => {
                let route = carried(market, routes)?;
                out.concerns(Scope::Book(route.slot));
                out.speaks_of(route.slot);
                book::read(bytes, order_book, timestamp, is_first, route, out)
            }
            b"trade" if is_first => carried(market, routes).map(drop),
            b"trade" => {
                let route = carried(market, routes)?;
                out.speaks_of(route.slot);
                let named = FirstName { name: market, is_book: false };
                market::trades(bytes, [trades, liquidations], (route, named), routes, out)
            }
            b"ticker" if ticker.kind == Kind::Absent => Ok(()),
            b"ticker" => {
                let route = carried(market, routes)?;
                out.speaks_of(route.slot);
                market::ticker(bytes, ticker, nonce, timestamp, route, out)
            }
            b"market_stats" => market::stats(bytes, stats, market, timestamp, routes, out),
            // Channels that are not used.
            _ => Ok(()),
        }
    }
}

/// What stands before a byte, and what behind it.
fn parted(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(byte, text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The way of a market.
fn carried(market: &[u8], routes: &Routes) -> Result<Route, DecodeError> {
    routes.find(market).ok_or(DecodeError::UnknownSymbol { symbol: SymbolText::new(market) })
}

/// What the venue says of a request that it does not take: an object with a message.
fn refused(error: Token, bytes: &[u8]) -> DecodeError {
    let said = match error.kind {
        Kind::Object => {
            members(&mut Scanner::new(bytes, error.start as usize), bytes, &["message"]).map(|[text]| text)
        }
        _ => Ok(error),
    };
    DecodeError::Refused { text: SymbolText::new(said.map_or(&b""[..], |said| said.of(bytes))) }
}

/// Says whose book a frame that cannot be read may have changed.
fn concern(bytes: &[u8], routes: &Routes, out: &mut Events) {
    /// Channels that say nothing of a book.
    const OTHERS: [&[u8]; 4] = [b"trade:", b"ticker:", b"market_stats:", b"height"];
    const KEY: &[u8] = b"\"channel\":";
    let channel = memchr::memmem::find(bytes, KEY).and_then(|at| {
        let rest = bytes.get(at + KEY.len()..)?.trim_ascii_start().strip_prefix(b"\"")?;
        rest.get(..memchr::memchr(b'"', rest)?)
    });
    match channel {
        Some(channel) if OTHERS.iter().any(|other| channel.starts_with(other)) => {}
        Some(channel) => match channel.strip_prefix(b"order_book:").and_then(|market| routes.find(market)) {
            Some(route) => out.concerns(Scope::Book(route.slot)),
            None => out.concerns(Scope::All),
        },
        None => out.concerns(Scope::All),
    }
}

// Answers are not taken: a book of REST has no number that an update is linked to.
impl Room for Lighter {
    fn frame(&mut self, bytes: &[u8], _at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        self.is_pinged = false;
        let mark = out.mark();
        let read = self.any(bytes, routes, out);
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

    fn reply(&self, out: &mut Vec<u8>) -> bool {
        if self.is_pinged {
            out.clear();
            out.extend_from_slice(br#"{"type":"pong"}"#);
        }
        self.is_pinged
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
