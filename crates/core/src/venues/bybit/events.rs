//! Messages in any form that JSON allows: books, trades, liquidations, and what is said of a connection.

use super::category::Shown;
use super::depth::{self, Counts};
use super::{Bybit, foreign, ticker};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero, read_levels};
use crate::decode::members::{is, items, members, symbol, text, unsigned};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, Scaled, SymbolText};
use crate::types::{
    Aggressor, Body, Coverage, DecimalError, Events, Level, Origin, Qty, Route, Routes, Scope, TimeNs, Trade,
    TradeId, VenueBbo, VenueSeq,
};
use crate::venues::two_names::FirstName;

const MS_NS: u64 = 1_000_000;

/// A message of a topic.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) bytes: &'a [u8],
    /// The topic behind its first point.
    pub(super) name: &'a [u8],
    pub(super) data: Token,
    pub(super) is_snapshot: bool,
    /// The gateway's time.
    pub(super) ts: TimeNs,
}

impl Message<'_> {
    /// That an entry is of the symbol of the topic, or of one of its options: those are subscribed by their coin.
    pub(super) fn names(
        &self,
        symbol: Token,
        field: &'static str,
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        let behind = symbol.of(self.bytes).strip_prefix(self.name);
        if behind.is_some_and(|behind| behind.first() == Some(&b'-')) {
            return Ok(());
        }
        FirstName { name: self.name, is_book: false }.agrees(symbol, self.bytes, field, routes, out)
    }
}

/// A message that is an object.
pub(super) fn object(
    room: &mut Bybit,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let keys = ["topic", "type", "ts", "data", "cts", "op", "success", "ret_msg"];
    let [topic, kind, ts, data, cts, op, success, words] = members(&mut scanner, bytes, &keys)?;
    scanner.finish()?;
    if topic.kind == Kind::Absent {
        return of_connection(bytes, kind, data, op, success, words);
    }
    let (channel, name) = parts(text(topic, bytes, "topic")?);
    let depth = depth::of_text(parts(name).0);
    let is_used = match channel {
        // Rule 7.
        b"orderbook" => depth.is_some(),
        b"publicTrade" | b"tickers" | b"allLiquidation" => true,
        _ => false,
    };
    if !is_used {
        return Ok(());
    }
    let is_snapshot = match text(kind, bytes, "type")? {
        b"snapshot" => true,
        b"delta" => false,
        _ => return Err(wrong(kind, "type", "snapshot or delta")),
    };
    let message = Message { bytes, name, data, is_snapshot, ts: time(ts, bytes, "ts")? };
    match (channel, depth) {
        (b"orderbook", Some(depth)) => book(room, message, depth, cts, routes, out),
        (b"tickers", _) => ticker::statistics(room, message, routes, out),
        (b"publicTrade", _) => each(message, |scanner| trade(room, message, scanner, routes, out)),
        _ => each(message, |scanner| liquidation(room, message, scanner, routes, out)),
    }
}

/// What stands before the first point of a topic, and behind it.
fn parts(topic: &[u8]) -> (&[u8], &[u8]) {
    let point = memchr::memchr(b'.', topic).unwrap_or(topic.len());
    (&topic[..point], topic.get(point + 1..).unwrap_or_default())
}

/// A message on a connection of another category: nothing in it is the source's.
pub(super) fn others(bytes: &[u8]) -> Result<(), DecodeError> {
    let [topic] = members(&mut Scanner::new(bytes, 0), bytes, &["topic"])?;
    match topic.kind {
        Kind::Absent => Ok(()),
        _ => Err(foreign(topic.of(bytes).rsplit(|byte| *byte == b'.').next().unwrap_or_default())),
    }
}

/// A time in milliseconds.
pub(super) fn time(token: Token, bytes: &[u8], field: &'static str) -> Result<TimeNs, DecodeError> {
    let cause = DecimalError::Overflow;
    let bad = DecodeError::BadNumber { at: token.start, field, cause, scaled: Scaled::No };
    unsigned(token, bytes, field)?.checked_mul(MS_NS).ok_or(bad)
}

/// A text that is none of those which are known.
pub(super) fn wrong(token: Token, field: &'static str, expected: &'static str) -> DecodeError {
    DecodeError::WrongType { at: token.start, field, expected, got: "another text" }
}

/// Reads each entry of a message. Those of symbols that are not carried are passed over, unless none is.
fn each(
    message: Message<'_>,
    mut entry: impl FnMut(&mut Scanner<'_>) -> Result<Option<SymbolText>, DecodeError>,
) -> Result<(), DecodeError> {
    let (mut carried, mut others) = (false, None);
    items(message.data, message.bytes, "data", |scanner| {
        match entry(scanner)? {
            Some(symbol) => others = Some(symbol),
            None => carried = true,
        }
        Ok(())
    })?;
    match others {
        Some(symbol) if !carried => Err(DecodeError::UnknownSymbol { symbol }),
        _ => Ok(()),
    }
}

/// A book, or what changed of one.
fn book(
    room: &mut Bybit,
    message: Message<'_>,
    depth: u32,
    cts: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let Message { bytes, data, is_snapshot, ts, .. } = message;
    let topic = parts(message.name).1;
    is(data, Kind::Object, "data", "an object")?;
    let keys = ["s", "b", "a", "u"];
    let [name, bids, asks, number] = members(&mut Scanner::new(bytes, data.start as usize), bytes, &keys)?;
    FirstName { name: topic, is_book: room.is_own(None) }.agrees(name, bytes, "s", routes, out)?;
    let (route, symbol) = symbol(name, bytes, "s", routes)?;
    let Some(route) = route.filter(|_| room.is_own(None)) else {
        return Err(DecodeError::UnknownSymbol { symbol });
    };
    out.concerns(Scope::Book(route.slot));
    out.speaks_of(route.slot);
    levels(bids, bytes, "b", route, 0, out.bids())?;
    let taken = out.levels_added().len();
    levels(asks, bytes, "a", route, taken, out.asks())?;
    let seq = VenueSeq::at(unsigned(number, bytes, "u")?);
    let ts_event = match cts.kind {
        Kind::Absent => ts,
        _ => time(cts, bytes, "cts")?,
    };
    let span = out.levels_added();
    let body = match room.followed(route.slot).judge(depth, is_snapshot, topic) {
        // Rule 4.
        Counts::Book if is_snapshot && depth == 1 => {
            Body::Book(seq, span, Coverage::Depth(1), Origin::Restated)
        }
        Counts::Book if is_snapshot => Body::Book(seq, span, room.coverage(depth), Origin::Stream),
        Counts::Book => Body::Levels(seq, span),
        Counts::Top => {
            let sides = out.levels(span);
            let best = |side: &[Level]| side.first().copied().unwrap_or(Level::new(0, 0));
            let (bid, ask) = (best(sides.bids), best(sides.asks));
            Body::Bbo(VenueBbo { venue_seq: 0, bid, ask, ts_event })
        }
        Counts::Not => {
            out.forget_added();
            return Ok(());
        }
    };
    out.push(route.slot, ts_event, body);
    Ok(())
}

/// The levels of a side.
fn levels(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    route: Route,
    taken: usize,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    is(token, Kind::Array, field, "an array of levels")?;
    debug_assert!(taken <= FRAME_LEVELS_MAX);
    read_levels(&mut Scanner::new(bytes, token.start as usize), bytes, route, taken, out)
}

/// Rule 8.
fn trade(
    room: &mut Bybit,
    message: Message<'_>,
    scanner: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let bytes = message.bytes;
    let keys = ["T", "s", "S", "v", "p", "i", "BT", "L"];
    let [at, name, side, qty, price, id, is_block, tick] = members(scanner, bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "s", routes)?;
    let id = text(id, bytes, "i")?;
    let number = crate::decode::leading_digits(id).filter(|(_, len)| *len == id.len() && *len > 0);
    let shown = match number {
        Some(_) => Some(Shown::Spot),
        None if tick.kind == Kind::String => Some(Shown::Contract),
        None => None,
    };
    let Some(route) = route.filter(|_| room.is_own(shown)) else { return Ok(Some(symbol)) };
    message.names(name, "s", routes, out)?;
    if is_block.kind == Kind::True {
        return Ok(None);
    }
    let id = number.map_or_else(|| out.trade_text(id), |(number, _)| TradeId::Number(number));
    execution(route, message, [at, qty, price], aggressor(side, bytes)?, id, out)?;
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, message.ts, body);
    Ok(None)
}

/// Rule 10.
fn liquidation(
    room: &mut Bybit,
    message: Message<'_>,
    scanner: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let bytes = message.bytes;
    let [at, name, side, qty, price] = members(scanner, bytes, &["T", "s", "S", "v", "p"])?;
    let (route, symbol) = symbol(name, bytes, "s", routes)?;
    let Some(route) = route.filter(|_| room.is_own(Some(Shown::Contract))) else { return Ok(Some(symbol)) };
    message.names(name, "s", routes, out)?;
    let closes = match aggressor(side, bytes)? {
        Aggressor::Buy => Aggressor::Sell,
        _ => Aggressor::Buy,
    };
    execution(route, message, [at, qty, price], closes, TradeId::None, out)?;
    let body = Body::Liquidations(out.trades_added());
    out.push(route.slot, message.ts, body);
    Ok(None)
}

/// Appends an execution.
fn execution(
    route: Route,
    message: Message<'_>,
    [at, qty, price]: [Token; 3],
    aggressor: Aggressor,
    id: TradeId,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let bytes = message.bytes;
    out.speaks_of(route.slot);
    let trade = Trade {
        id,
        price: price_above_zero(price, bytes, "p", route.price_exponent)?,
        qty: Qty(decimal(qty, bytes, "v", route.qty_exponent, Scaled::Qty)?),
        aggressor,
        ts_event: time(at, bytes, "T")?,
        resting: None,
    };
    out.trades().push(trade);
    Ok(())
}

fn aggressor(side: Token, bytes: &[u8]) -> Result<Aggressor, DecodeError> {
    match text(side, bytes, "S")? {
        b"Buy" => Ok(Aggressor::Buy),
        b"Sell" => Ok(Aggressor::Sell),
        _ => Err(wrong(side, "S", "Buy or Sell")),
    }
}

/// What is said of a connection: acknowledgements, which may be refusals, and answers to a ping.
fn of_connection(
    bytes: &[u8],
    kind: Token,
    data: Token,
    op: Token,
    success: Token,
    words: Token,
) -> Result<(), DecodeError> {
    let refused = |words: Token| DecodeError::Refused { text: SymbolText::new(words.of(bytes)) };
    if success.kind == Kind::False {
        return Err(refused(words));
    }
    // Options answer with two lists of topics.
    if data.kind == Kind::Object && kind.of(bytes) == b"COMMAND_RESP" {
        let [failed] = members(&mut Scanner::new(bytes, data.start as usize), bytes, &["failTopics"])?;
        if failed.kind == Kind::Array {
            return items(failed, bytes, "failTopics", |scanner| Err(refused(scanner.value()?)));
        }
        return Ok(());
    }
    if op.kind == Kind::Absent && success.kind == Kind::Absent {
        return Err(DecodeError::UnknownMessage);
    }
    Ok(())
}
