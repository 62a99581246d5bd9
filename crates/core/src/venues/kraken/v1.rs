//! Version 1: arrays of a channel's number, what it says, and the names of channel and pair.

use super::Kraken;
use super::depth::{coverage, told};
use super::printed::trade_side;
use super::seconds::seconds;
use super::v2::{lose, refused};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{is, items, members, symbol, text, unsigned, unsigned_32, values};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, Scaled, leading_digits};
use crate::types::{
    Body, Definition, Events, Level, Origin, Price, Qty, Route, Routes, Scope, StaleReason, Ticker, TimeNs,
    Trade, TradeId, VenueBbo, VenueSeq,
};

/// Parts of the longest message: a number, two objects, two names.
const PARTS_MAX: usize = 5;

/// A message of a channel.
pub(super) fn array(
    room: &mut Kraken,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let (parts, count) = values::<PARTS_MAX>(&mut scanner)?;
    scanner.finish()?;
    let (Some([first, .., channel, pair]), true) = (parts.get(..count), (4..=PARTS_MAX).contains(&count))
    else {
        return Err(DecodeError::UnknownMessage);
    };
    is(*first, Kind::Number, "channelID", "a number")?;
    let channel = text(*channel, bytes, "channelName")?;
    let said = parts.get(1..count - 2).unwrap_or_default();
    let is_used = channel.starts_with(b"book-") || matches!(channel, b"trade" | b"ticker" | b"spread");
    if !is_used {
        return Ok(());
    }
    let (route, symbol) = symbol(*pair, bytes, "pair", routes)?;
    let Some(route) = route else { return Err(DecodeError::UnknownSymbol { symbol }) };
    out.speaks_of(route.slot);
    if channel.starts_with(b"book-") {
        out.concerns(Scope::Book(route.slot));
        return book(room, bytes, said, depth_of(channel), route, out);
    }
    let [said] = said else { return Err(DecodeError::UnknownMessage) };
    match channel {
        b"trade" => items(*said, bytes, "trades", |scanner| trade(bytes, scanner, route, out)),
        b"ticker" => ticker(bytes, *said, route, out),
        _ => spread(bytes, *said, route, out),
    }
}

/// The depth that a channel `book-DEPTH` names.
pub(super) fn depth_of(channel: &[u8]) -> Option<u32> {
    let depth = channel.strip_prefix(b"book-")?;
    leading_digits(depth).filter(|(_, len)| *len == depth.len()).and_then(|(depth, _)| told(depth))
}

/// A book, or what changed of one: one object, or one a side.
fn book(
    room: &mut Kraken,
    bytes: &[u8],
    said: &[Token],
    depth: Option<u32>,
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut sides = [Token::default(); 4];
    let mut check = None;
    for object in said {
        is(*object, Kind::Object, "book", "an object")?;
        let keys = ["bs", "as", "b", "a", "c"];
        let found = members(&mut Scanner::new(bytes, object.start as usize), bytes, &keys)?;
        let [.., checksum] = found;
        for ((place, found), field) in sides.iter_mut().zip(found).zip(keys) {
            if place.kind != Kind::Absent && found.kind != Kind::Absent {
                return Err(DecodeError::DuplicateField { at: found.start, field });
            }
            if found.kind != Kind::Absent {
                *place = found;
            }
        }
        if checksum.kind != Kind::Absent {
            if check.is_some() {
                return Err(DecodeError::DuplicateField { at: checksum.start, field: "c" });
            }
            check = Some(unsigned_32(checksum, bytes, "c")?);
        }
    }
    let [whole_bids, whole_asks, bids, asks] = sides;
    let is_there = |token: Token| token.kind != Kind::Absent;
    let is_snapshot = is_there(whole_bids) || is_there(whole_asks);
    if is_snapshot && (is_there(bids) || is_there(asks)) || !is_snapshot && !is_there(bids) && !is_there(asks)
    {
        return Err(DecodeError::MissingField { field: if is_snapshot { "as" } else { "a" } });
    }
    if !room.counts(route.slot, depth, is_snapshot) {
        return Ok(());
    }
    let mut of = Shown::default();
    let (bids, asks, fields) =
        if is_snapshot { (whole_bids, whole_asks, ["bs", "as"]) } else { (bids, asks, ["b", "a"]) };
    if is_snapshot || is_there(bids) {
        levels(bids, bytes, fields[0], route, 0, &mut of, out.bids())?;
    }
    if is_snapshot || is_there(asks) {
        let taken = out.levels_added().len();
        levels(asks, bytes, fields[1], route, taken, &mut of, out.asks())?;
    }
    tell(room, depth, is_snapshot, route, of, check, out)
}

/// Appends the events of a message whose levels are appended already.
#[inline]
pub(super) fn tell(
    room: &mut Kraken,
    depth: Option<u32>,
    is_snapshot: bool,
    route: Route,
    of: Shown,
    check: Option<u32>,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let span = out.levels_added();
    let body = if is_snapshot {
        let sides = out.levels(span);
        let coverage = coverage(depth, sides.bids.len(), sides.asks.len())?;
        let of = room.subscribed(route.slot);
        (of.has_book, of.channel) = (true, depth);
        Body::Book(VenueSeq::default(), span, coverage, Origin::Stream)
    } else {
        Body::Levels(VenueSeq::default(), span)
    };
    // Rule 5. Not between the book and its checksum.
    if let Some((price_digits, qty_digits)) = of.digits.filter(|_| is_snapshot) {
        let definition = Definition { price_digits, qty_digits, ..Definition::default() };
        out.push(route.slot, 0, body);
        out.push(route.slot, 0, Body::Definition(definition));
        return Ok(());
    }
    out.push(route.slot, of.time, body);
    if let Some(check) = check {
        out.push(route.slot, of.time, Body::Check(check));
    }
    Ok(())
}

/// What the levels of a message show beside themselves.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown {
    /// The time of the last change among them.
    pub(super) time: TimeNs,
    /// Decimals of the last price and quantity, asks being the last.
    pub(super) digits: Option<(u8, u8)>,
}

/// The levels of a side: price, quantity, time of the last change, and `r` for those that came into sight again.
fn levels(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    route: Route,
    taken: usize,
    of: &mut Shown,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    let start = out.len();
    items(token, bytes, field, |scanner| {
        let at = scanner.at();
        if taken + (out.len() - start) >= FRAME_LEVELS_MAX {
            return Err(DecodeError::TooManyLevels { at });
        }
        let ([price, qty, time, _], count) = values::<4>(scanner)?;
        if count < 3 {
            return Err(DecodeError::BadLevel { at });
        }
        let decimals = |token: Token| decimals(token.of(bytes));
        of.digits = decimals(price).zip(decimals(qty));
        of.time = of.time.max(seconds_of(time, bytes)?);
        let price = price_above_zero(price, bytes, "price", route.price_exponent)?;
        let qty = decimal(qty, bytes, "qty", route.qty_exponent, Scaled::Qty)?;
        out.push(Level { price, qty: Qty(qty) });
        Ok(())
    })
}

/// Digits behind the point of a plain decimal.
pub(super) fn decimals(text: &[u8]) -> Option<u8> {
    let point = memchr::memchr(b'.', text)?;
    let fraction = text.get(point + 1..)?;
    fraction.iter().all(u8::is_ascii_digit).then(|| u8::try_from(fraction.len()).ok())?
}

fn seconds_of(token: Token, bytes: &[u8]) -> Result<TimeNs, DecodeError> {
    let wrong = DecodeError::WrongType {
        at: token.start,
        field: "time",
        expected: "seconds since 1970",
        got: "another text",
    };
    seconds(text(token, bytes, "time")?).ok_or(wrong)
}

/// `[price, volume, time, side, order type, misc]`.
fn trade(bytes: &[u8], scanner: &mut Scanner<'_>, route: Route, out: &mut Events) -> Result<(), DecodeError> {
    let at = scanner.at();
    let ([price, qty, time, side], count) = values::<4>(scanner)?;
    if count < 4 {
        return Err(DecodeError::BadLevel { at });
    }
    let ts_event = seconds_of(time, bytes)?;
    let trade = Trade {
        id: TradeId::None,
        price: price_above_zero(price, bytes, "price", route.price_exponent)?,
        qty: Qty(decimal(qty, bytes, "volume", route.qty_exponent, Scaled::Qty)?),
        aggressor: trade_side(text(side, bytes, "side")?),
        ts_event,
        resting: None,
    };
    out.trades().push(trade);
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, ts_event, body);
    Ok(())
}

/// The best prices (`a`, `b`: price, whole lots, volume), the last trade (`c`) and the volume of 24 hours (`v`, second).
fn ticker(bytes: &[u8], said: Token, route: Route, out: &mut Events) -> Result<(), DecodeError> {
    is(said, Kind::Object, "ticker", "an object")?;
    let keys = ["a", "b", "c", "v"];
    let [ask, bid, last, volume] = members(&mut Scanner::new(bytes, said.start as usize), bytes, &keys)?;
    let part = |token: Token, field: &'static str, index: usize| {
        is(token, Kind::Array, field, "an array")?;
        let (parts, _) = values::<3>(&mut Scanner::new(bytes, token.start as usize))?;
        Ok::<_, DecodeError>(parts.get(index).copied().unwrap_or_default())
    };
    let price = |token, field, index| {
        decimal(part(token, field, index)?, bytes, field, route.price_exponent, Scaled::Price)
    };
    let qty = |token, field, index| {
        decimal(part(token, field, index)?, bytes, field, route.qty_exponent, Scaled::Qty)
    };
    let bbo = VenueBbo {
        bid: Level::new(price(bid, "b", 0)?, qty(bid, "b", 2)?),
        ask: Level::new(price(ask, "a", 0)?, qty(ask, "a", 2)?),
        ..NO_TOP
    };
    let ticker = Ticker {
        last: Some(Price(price(last, "c", 0)?)),
        volume: Some(Qty(qty(volume, "v", 1)?)),
        ..Ticker::default()
    };
    out.push(route.slot, 0, Body::Bbo(bbo));
    let at = out.ticker_added(ticker);
    out.push(route.slot, 0, Body::Ticker(at));
    Ok(())
}

const NO_TOP: VenueBbo = VenueBbo { venue_seq: 0, bid: Level::new(0, 0), ask: Level::new(0, 0), ts_event: 0 };

/// `[bid, ask, time, bid volume, ask volume]`.
fn spread(bytes: &[u8], said: Token, route: Route, out: &mut Events) -> Result<(), DecodeError> {
    is(said, Kind::Array, "spread", "an array")?;
    let ([bid, ask, time, bid_qty, ask_qty], _) = values::<5>(&mut Scanner::new(bytes, said.start as usize))?;
    let price = |token, field| decimal(token, bytes, field, route.price_exponent, Scaled::Price);
    let qty = |token, field| decimal(token, bytes, field, route.qty_exponent, Scaled::Qty);
    let ts_event = seconds_of(time, bytes)?;
    let bbo = VenueBbo {
        bid: Level::new(price(bid, "bid")?, qty(bid_qty, "bidVolume")?),
        ask: Level::new(price(ask, "ask")?, qty(ask_qty, "askVolume")?),
        ts_event,
        ..NO_TOP
    };
    out.push(route.slot, ts_event, Body::Bbo(bbo));
    Ok(())
}

/// What version 1 says beside its channels.
pub(super) fn event(
    room: &mut Kraken,
    bytes: &[u8],
    event: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    if event == b"systemStatus" {
        let [connection] = members(&mut Scanner::new(bytes, 0), bytes, &["connectionID"])?;
        if connection.kind == Kind::Number {
            room.connected(unsigned(connection, bytes, "connectionID")?, out);
        }
    }
    if event != b"subscriptionStatus" {
        return Ok(());
    }
    let keys = ["status", "pair", "channelName"];
    let [status, pair, channel] = members(&mut Scanner::new(bytes, 0), bytes, &keys)?;
    match status.of(bytes) {
        b"error" => refused(bytes).unwrap_or(Err(DecodeError::UnknownMessage)),
        b"unsubscribed" if channel.of(bytes).starts_with(b"book") => {
            let (Some(route), _) = symbol(pair, bytes, "pair", routes)? else { return Ok(()) };
            let followed = room.subscribed(route.slot).channel;
            if followed.is_some() && followed != depth_of(channel.of(bytes)) {
                return Ok(());
            }
            if std::mem::take(&mut room.subscribed(route.slot).has_book) {
                lose(route.slot, StaleReason::SourceFailed, out);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
