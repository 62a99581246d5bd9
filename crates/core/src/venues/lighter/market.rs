//! What the venue tells beside its books: trades, tickers, statistics.

use super::book::millis;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{is, items, members, unsigned};
use crate::decode::{DecodeError, Scaled};
use crate::types::{
    Aggressor, Body, Events, Level, Price, Qty, Route, Routes, Ticker, Trade, TradeId, VenueBbo,
};
use crate::venues::two_names::FirstName;

/// The trades of a message, and those of them that closed a position by force: of both lists, in the order of their numbers,
/// since each stands newest first.
pub(super) fn trades(
    bytes: &[u8],
    [trades, liquidations]: [Token; 2],
    (route, named): (Route, FirstName<'_>),
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let begun = out.trades().len();
    for (list, field) in [(trades, "trades"), (liquidations, "liquidation_trades")] {
        if !matches!(list.kind, Kind::Absent | Kind::Null) {
            items(list, bytes, field, |scanner| trade(scanner, bytes, (route, named), routes, out))?;
        }
    }
    let told = out.trades().get_mut(begun..).unwrap_or_default();
    told.sort_unstable_by_key(|trade| trade.id.value());
    if let Some(last) = told.last().map(|trade| trade.ts_event) {
        let span = out.trades_added();
        out.push(route.slot, last, Body::Trades(span));
    }
    if !matches!(liquidations.kind, Kind::Absent | Kind::Null) {
        items(liquidations, bytes, "liquidation_trades", |scanner| {
            trade(scanner, bytes, (route, named), routes, out)
        })?;
        let span = out.trades_added();
        if let Some(last) = out.trades().last().map(|trade| trade.ts_event).filter(|_| !span.is_empty()) {
            out.push(route.slot, last, Body::Liquidations(span));
        }
    }
    Ok(())
}

fn trade(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    (route, named): (Route, FirstName<'_>),
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let keys = ["trade_id", "price", "size", "is_maker_ask", "timestamp", "market_id"];
    let [id, price, qty, is_maker_ask, timestamp, market] = members(scanner, bytes, &keys)?;
    agrees(named, market, bytes, routes, out)?;
    let trade = Trade {
        id: TradeId::Number(unsigned(id, bytes, "trade_id")?),
        price: price_above_zero(price, bytes, "price", route.price_exponent)?,
        qty: Qty(decimal(qty, bytes, "size", route.qty_exponent, Scaled::Qty)?),
        // Rule 6.
        aggressor: match is_maker_ask.kind {
            Kind::True => Aggressor::Buy,
            Kind::False => Aggressor::Sell,
            _ => Aggressor::Unknown,
        },
        ts_event: millis(timestamp, bytes)?,
        resting: None,
    };
    out.trades().push(trade);
    Ok(())
}

/// The venue's own best prices.
pub(super) fn ticker(
    bytes: &[u8],
    ticker: Token,
    nonce: Token,
    timestamp: Token,
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    is(ticker, Kind::Object, "ticker", "an object")?;
    let [bid, ask] = members(&mut Scanner::new(bytes, ticker.start as usize), bytes, &["b", "a"])?;
    let level = |token: Token| {
        if token.kind != Kind::Object {
            return Ok(None);
        }
        let keys = ["price", "size"];
        let [price, qty] = members(&mut Scanner::new(bytes, token.start as usize), bytes, &keys)?;
        if price.kind == Kind::Absent {
            return Ok(None);
        }
        let price = price_above_zero(price, bytes, "price", route.price_exponent)?;
        let qty = decimal(qty, bytes, "size", route.qty_exponent, Scaled::Qty)?;
        Ok::<_, DecodeError>(Some(Level { price, qty: Qty(qty) }))
    };
    let (Some(bid), Some(ask)) = (level(bid)?, level(ask)?) else { return Ok(()) };
    let ts_event = millis(timestamp, bytes)?;
    let venue_seq = if nonce.kind == Kind::Absent { 0 } else { unsigned(nonce, bytes, "nonce")? };
    out.push(route.slot, ts_event, Body::Bbo(VenueBbo { venue_seq, bid, ask, ts_event }));
    Ok(())
}

/// Statistics of one market, or of all: an object of them by number.
pub(super) fn stats(
    bytes: &[u8],
    stats: Token,
    channel: &[u8],
    timestamp: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    is(stats, Kind::Object, "market_stats", "an object")?;
    let ts_event = millis(timestamp, bytes)?;
    let mut scanner = Scanner::new(bytes, stats.start as usize);
    if channel != b"all" {
        let [again] = members(&mut Scanner::new(bytes, stats.start as usize), bytes, &["market_id"])?;
        agrees(FirstName { name: channel, is_book: false }, again, bytes, routes, out)?;
        return market(&mut scanner, bytes, ts_event, routes, out);
    }
    scanner.open(b'{', "an object")?;
    let mut first = true;
    while scanner.more(first, b'}')? {
        first = false;
        scanner.key()?;
        match market(&mut scanner, bytes, ts_event, routes, out) {
            Ok(()) | Err(DecodeError::UnknownSymbol { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// That the number of a market, which is printed as a number, is the channel's.
fn agrees(
    named: FirstName<'_>,
    market: Token,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let kind = if market.kind == Kind::Number { Kind::String } else { market.kind };
    named.agrees(Token { kind, ..market }, bytes, "market_id", routes, out)
}

fn market(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    ts_event: u64,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let keys = ["market_id", "index_price", "mark_price", "last_trade_price"];
    let [id, index, mark, last] = members(scanner, bytes, &keys)?;
    let route = super::carried(id.of(bytes), routes)?;
    out.speaks_of(route.slot);
    let price = |token: Token, field| match token.kind {
        Kind::Absent => Ok(None),
        _ => match decimal(token, bytes, field, route.price_exponent, Scaled::Price)? {
            0 => Ok(None),
            price => Ok(Some(Price(price))),
        },
    };
    let ticker = Ticker {
        last: price(last, "last_trade_price")?,
        mark: price(mark, "mark_price")?,
        index: price(index, "index_price")?,
        ..Ticker::default()
    };
    let at = out.ticker_added(ticker);
    out.push(route.slot, ts_event, Body::Ticker(at));
    Ok(())
}
