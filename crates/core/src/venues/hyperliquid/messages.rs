//! What the channels say.

use super::{DEPTH, Hyperliquid};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{is, items, members, text, unsigned};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, Scaled, SymbolText};
use crate::types::{
    Aggressor, Body, Coverage, Events, Level, Origin, Price, Qty, Route, Routes, Scope, Ticker, TimeNs,
    Trade, TradeId, VenueBbo, VenueSeq, parse_decimal,
};

/// Reads a message.
pub(super) fn read(
    room: &mut Hyperliquid,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [channel, data] = members(&mut scanner, bytes, &["channel", "data"])?;
    scanner.finish()?;
    let mut of_data = Scanner::new(bytes, data.start as usize);
    match text(channel, bytes, "channel")? {
        b"l2Book" => book(room, bytes, &mut of_data, routes, out),
        b"bbo" => bbo(bytes, &mut of_data, routes, out),
        b"trades" => trades(bytes, data, routes, out),
        b"activeAssetCtx" | b"activeSpotAssetCtx" => context(bytes, &mut of_data, routes, out),
        b"subscriptionResponse" => answered(room, bytes, &mut of_data, routes, out),
        b"error" => Err(DecodeError::Refused { text: SymbolText::new(data.of(bytes)) }),
        // Life, and channels that are not used.
        _ => Ok(()),
    }
}

fn route_of(coin: Token, bytes: &[u8], routes: &Routes) -> Result<Route, DecodeError> {
    let coin = text(coin, bytes, "coin")?;
    routes.find(coin).ok_or(DecodeError::UnknownSymbol { symbol: SymbolText::new(coin) })
}

fn book(
    room: &mut Hyperliquid,
    bytes: &[u8],
    data: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let [coin, time, levels] = members(data, bytes, &["coin", "time", "levels"])?;
    let route = route_of(coin, bytes, routes)?;
    out.concerns(Scope::Book(route.slot));
    out.speaks_of(route.slot);
    if !room.asked_grouped.is_empty() {
        let coin = coin.of(bytes);
        if room.asked_grouped.iter().any(|asked| **asked == *coin) {
            room.asked_grouped.retain(|asked| **asked != *coin);
            room.grouped(route.slot, out);
        }
    }
    if room.coin(route.slot).is_grouped {
        return Ok(());
    }
    let millis = unsigned(time, bytes, "time")?;
    let mut sides = 0;
    items(levels, bytes, "levels", |scanner| {
        let taken = out.levels_added().len();
        sides += 1;
        match sides {
            1 => side(scanner, bytes, route, taken, out.bids()),
            2 => side(scanner, bytes, route, taken, out.asks()),
            _ => Err(DecodeError::WrongType {
                at: levels.start,
                field: "levels",
                expected: "two sides",
                got: "more",
            }),
        }
    })?;
    if sides != 2 {
        return Err(DecodeError::MissingField { field: "levels" });
    }
    let span = out.levels_added();
    let body = Body::Book(VenueSeq::at(millis), span, Coverage::Depth(DEPTH), Origin::Restated);
    room.coin(route.slot).has_book = true;
    out.push(route.slot, millis.saturating_mul(1_000_000), body);
    Ok(())
}

fn side(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    route: Route,
    taken: usize,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    scanner.open(b'[', "an array of levels")?;
    let start = out.len();
    let mut first = true;
    while scanner.more(first, b']')? {
        first = false;
        if taken + (out.len() - start) >= FRAME_LEVELS_MAX {
            return Err(DecodeError::TooManyLevels { at: scanner.at() });
        }
        out.push(level(scanner, bytes, route)?);
    }
    Ok(())
}

fn level(scanner: &mut Scanner<'_>, bytes: &[u8], route: Route) -> Result<Level, DecodeError> {
    let [price, qty] = members(scanner, bytes, &["px", "sz"])?;
    let price = price_above_zero(price, bytes, "px", route.price_exponent)?;
    let qty = Qty(decimal(qty, bytes, "sz", route.qty_exponent, Scaled::Qty)?);
    Ok(Level { price, qty })
}

/// Rule 3.
fn bbo(bytes: &[u8], data: &mut Scanner<'_>, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
    let [coin, time, tops] = members(data, bytes, &["coin", "time", "bbo"])?;
    let route = route_of(coin, bytes, routes)?;
    out.speaks_of(route.slot);
    let millis = unsigned(time, bytes, "time")?;
    let mut sides = [Level::new(0, 0); 2];
    let mut count = 0;
    is(tops, Kind::Array, "bbo", "an array")?;
    let mut scanner = Scanner::new(bytes, tops.start as usize);
    scanner.open(b'[', "an array")?;
    while scanner.more(count == 0, b']')? {
        let top = if scanner.peek()? == b'n' {
            is(scanner.value()?, Kind::Null, "bbo", "a level or null")?;
            Level::new(0, 0)
        } else {
            level(&mut scanner, bytes, route)?
        };
        if let Some(side) = sides.get_mut(count) {
            *side = top;
        }
        count += 1;
    }
    // One that does not name both sides does not say which is which.
    if count != 2 {
        return Ok(());
    }
    let ts_event = millis.saturating_mul(1_000_000);
    let bbo = VenueBbo { venue_seq: 0, bid: sides[0], ask: sides[1], ts_event };
    out.push(route.slot, ts_event, Body::Bbo(bbo));
    Ok(())
}

/// Rule 4. A message is of one coin.
fn trades(bytes: &[u8], data: Token, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
    let mut of: Option<(Route, TimeNs)> = None;
    items(data, bytes, "data", |scanner| {
        let keys = ["coin", "side", "px", "sz", "time", "tid"];
        let [coin, side, price, qty, time, id] = members(scanner, bytes, &keys)?;
        let route = route_of(coin, bytes, routes)?;
        if let Some((before, at)) = of.filter(|(before, _)| before.slot != route.slot) {
            let span = out.trades_added();
            out.push(before.slot, at, Body::Trades(span));
        }
        out.speaks_of(route.slot);
        let ts_event = unsigned(time, bytes, "time")?.saturating_mul(1_000_000);
        let trade = Trade {
            id: TradeId::Number(unsigned(id, bytes, "tid")?),
            price: price_above_zero(price, bytes, "px", route.price_exponent)?,
            qty: Qty(decimal(qty, bytes, "sz", route.qty_exponent, Scaled::Qty)?),
            aggressor: match text(side, bytes, "side")? {
                b"B" => Aggressor::Buy,
                b"A" => Aggressor::Sell,
                _ => Aggressor::Unknown,
            },
            ts_event,
            resting: None,
        };
        out.trades().push(trade);
        of = Some((route, ts_event));
        Ok(())
    })?;
    if let Some((route, at)) = of {
        let span = out.trades_added();
        out.push(route.slot, at, Body::Trades(span));
    }
    Ok(())
}

/// Rule 5.
fn context(
    bytes: &[u8],
    data: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let [coin, context] = members(data, bytes, &["coin", "ctx"])?;
    let route = route_of(coin, bytes, routes)?;
    out.speaks_of(route.slot);
    is(context, Kind::Object, "ctx", "an object")?;
    let keys = ["markPx", "oraclePx", "funding", "openInterest"];
    let [mark, oracle, funding, open_interest] =
        members(&mut Scanner::new(bytes, context.start as usize), bytes, &keys)?;
    let is_there = |token: &Token| !matches!(token.kind, Kind::Absent | Kind::Null);
    let price = |token: Token, field| {
        let read = |token| decimal(token, bytes, field, route.price_exponent, Scaled::Price).map(Price);
        Some(token).filter(is_there).map(read).transpose()
    };
    let qty = |token: Token, field| {
        let read = |token| decimal(token, bytes, field, route.qty_exponent, Scaled::Qty).map(Qty);
        Some(token).filter(is_there).map(read).transpose()
    };
    let ticker = Ticker {
        mark: price(mark, "markPx")?,
        index: price(oracle, "oraclePx")?,
        open_interest: qty(open_interest, "openInterest")?,
        funding_rate_e9: Some(funding).filter(is_there).and_then(|funding| rate_e9(funding.of(bytes))),
        ..Ticker::default()
    };
    let at = out.ticker_added(ticker);
    out.push(route.slot, 0, Body::Ticker(at));
    Ok(())
}

/// A rate in 1e-9, which may be negative; none of one with more digits than that.
fn rate_e9(text: &[u8]) -> Option<i64> {
    match text.strip_prefix(b"-") {
        Some(positive) => parse_decimal(positive, -9).ok().map(|rate| -rate),
        None => parse_decimal(text, -9).ok(),
    }
}

/// The venue repeats what was subscribed.
fn answered(
    room: &mut Hyperliquid,
    bytes: &[u8],
    data: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let [method, subscription] = members(data, bytes, &["method", "subscription"])?;
    if subscription.kind != Kind::Object {
        return Ok(());
    }
    let (name, coin, is_grouped) = subscribed(bytes, subscription)?;
    let Some(route) = routes.find(coin).filter(|_| name == b"l2Book") else { return Ok(()) };
    if text(method, bytes, "method")? == b"unsubscribe" {
        let coin = room.coin(route.slot);
        coin.is_grouped &= !is_grouped;
        if std::mem::take(&mut coin.has_book) && !is_grouped {
            let reason = crate::types::StaleReason::SourceFailed;
            super::lose(route.slot, reason, super::At::default(), out);
        }
    } else if is_grouped {
        room.grouped(route.slot, out);
    }
    Ok(())
}

/// What a subscription is of, and whether to a grouped book.
fn subscribed(bytes: &[u8], subscription: Token) -> Result<(&[u8], &[u8], bool), DecodeError> {
    let keys = ["type", "coin", "nSigFigs", "mantissa"];
    let [name, coin, figures, mantissa] =
        members(&mut Scanner::new(bytes, subscription.start as usize), bytes, &keys)?;
    let is_there = |token: Token| !matches!(token.kind, Kind::Absent | Kind::Null);
    Ok((text(name, bytes, "type")?, coin.of(bytes), is_there(figures) || is_there(mantissa)))
}

/// The coin of whose grouped book a subscription that was sent is.
pub(super) fn grouped_coin(text: &[u8]) -> Option<&[u8]> {
    let mut scanner = Scanner::new(text, 0);
    let [method, subscription] = members(&mut scanner, text, &["method", "subscription"]).ok()?;
    if method.of(text) != b"subscribe" || subscription.kind != Kind::Object {
        return None;
    }
    match subscribed(text, subscription).ok()? {
        (b"l2Book", coin, true) => Some(coin),
        _ => None,
    }
}
