//! What is told beside books: trades, tops, statistics, liquidations.

use super::instruments::trading_status;
use super::{Action, Message, is_filtered};
use crate::decode::date_time::{Minute, time};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{computed, decimal, price_above_zero, ratio_e9};
use crate::decode::members::{each, exact, members, symbol, text};
use crate::decode::{DecodeError, Scaled};
use crate::types::{
    Aggressor, Body, Definition, Events, Level, Price, Qty, Route, Routes, Ticker, TimeNs, Trade, VenueBbo,
};

/// Tables that say nothing of a book.
pub(super) const TABLES: [&[u8]; 5] = [b"trade", b"quote", b"instrument", b"liquidation", b"funding"];

/// A message of another table than those of books.
pub(super) fn read(
    table: &[u8],
    bytes: &[u8],
    message: Message,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let Message { action, data, .. } = message;
    let row: fn(&mut Scanner<'_>, &[u8], Row<'_>, &mut Events) -> Read = match (table, action) {
        (b"trade", Action::Insert) => trade,
        (b"quote", Action::Partial | Action::Insert) => quote,
        (b"instrument", Action::Partial | Action::Insert | Action::Update) => instrument,
        (b"liquidation", Action::Insert) => liquidation,
        // What was traded before, what is done, and tables that are not used.
        _ => return Ok(()),
    };
    let mut minute = Minute::default();
    let filter = message.symbol(bytes)?;
    each(data, bytes, "data", |scanner| {
        if filter.is_some() {
            let mut entry = Scanner::new(bytes, scanner.at() as usize);
            let [name] = members(&mut entry, bytes, &["symbol"])?;
            is_filtered(filter.as_ref(), false, name, bytes, routes, out)?;
        }
        row(scanner, bytes, Row { routes, minute: &mut minute }, out)
    })
}

/// What a row is read with.
struct Row<'a> {
    routes: &'a Routes,
    minute: &'a mut Minute,
}

/// The symbol of a row whose instrument is not carried.
type Read = Result<Option<crate::decode::SymbolText>, DecodeError>;

impl Row<'_> {
    fn time(&mut self, token: Token, bytes: &[u8], field: &'static str) -> Result<TimeNs, DecodeError> {
        told(token).map_or(Ok(0), |token| time(self.minute, token, bytes, field))
    }
}

/// A member that is there and is not null.
fn told(token: Token) -> Option<Token> {
    Some(token).filter(|token| !matches!(token.kind, Kind::Absent | Kind::Null))
}

fn aggressor(side: Token, bytes: &[u8]) -> Aggressor {
    match side.of(bytes) {
        b"Buy" => Aggressor::Buy,
        b"Sell" => Aggressor::Sell,
        _ => Aggressor::Unknown,
    }
}

/// Rule 6.
fn trade(scanner: &mut Scanner<'_>, bytes: &[u8], mut row: Row<'_>, out: &mut Events) -> Read {
    let keys = ["symbol", "side", "size", "price", "trdMatchID", "trdType", "timestamp"];
    let [name, side, size, price, id, kind, timestamp] = members(scanner, bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "symbol", row.routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    if told(kind).is_some_and(|kind| kind.of(bytes) != b"Regular") {
        return Ok(None);
    }
    out.speaks_of(route.slot);
    let trade = Trade {
        id: out.trade_text(text(id, bytes, "trdMatchID")?),
        price: price_above_zero(price, bytes, "price", route.price_exponent)?,
        qty: Qty(decimal(size, bytes, "size", route.qty_exponent, Scaled::Qty)?),
        aggressor: aggressor(side, bytes),
        ts_event: row.time(timestamp, bytes, "timestamp")?,
        resting: None,
    };
    out.trades().push(trade);
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, trade.ts_event, body);
    Ok(None)
}

/// Rule 8.
fn liquidation(scanner: &mut Scanner<'_>, bytes: &[u8], row: Row<'_>, out: &mut Events) -> Read {
    let [name, id, side, price, qty] =
        members(scanner, bytes, &["symbol", "orderID", "side", "price", "leavesQty"])?;
    let (route, symbol) = symbol(name, bytes, "symbol", row.routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    out.speaks_of(route.slot);
    let (Some(price), Some(qty)) = (told(price), told(qty)) else { return Ok(None) };
    let trade = Trade {
        id: out.trade_text(text(id, bytes, "orderID")?),
        price: price_above_zero(price, bytes, "price", route.price_exponent)?,
        qty: Qty(decimal(qty, bytes, "leavesQty", route.qty_exponent, Scaled::Qty)?),
        aggressor: aggressor(side, bytes),
        ts_event: 0,
        resting: None,
    };
    out.trades().push(trade);
    let body = Body::Liquidations(out.trades_added());
    out.push(route.slot, 0, body);
    Ok(None)
}

/// Rule 7: the best bid and ask.
fn quote(scanner: &mut Scanner<'_>, bytes: &[u8], mut row: Row<'_>, out: &mut Events) -> Read {
    let keys = ["symbol", "bidSize", "bidPrice", "askPrice", "askSize", "timestamp"];
    let [name, bid_qty, bid, ask, ask_qty, timestamp] = members(scanner, bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "symbol", row.routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    out.speaks_of(route.slot);
    let level = |price, qty, fields: [&'static str; 2]| match (told(price), told(qty)) {
        (Some(price), Some(qty)) => Ok(Level {
            price: price_above_zero(price, bytes, fields[0], route.price_exponent)?,
            qty: Qty(decimal(qty, bytes, fields[1], route.qty_exponent, Scaled::Qty)?),
        }),
        // The side is empty.
        _ => Ok(Level::new(0, 0)),
    };
    let bid = level(bid, bid_qty, ["bidPrice", "bidSize"])?;
    let ask = level(ask, ask_qty, ["askPrice", "askSize"])?;
    let ts_event = row.time(timestamp, bytes, "timestamp")?;
    out.push(route.slot, ts_event, Body::Bbo(VenueBbo { venue_seq: 0, bid, ask, ts_event }));
    Ok(None)
}

/// Rule 7: what has changed of the rest.
fn instrument(scanner: &mut Scanner<'_>, bytes: &[u8], mut row: Row<'_>, out: &mut Events) -> Read {
    let keys = [
        "symbol",
        "timestamp",
        "lastPrice",
        "markPrice",
        "indicativeSettlePrice",
        "volume24h",
        "openInterest",
        "fundingRate",
        "fundingTimestamp",
        "state",
        "tickSize",
        "lotSize",
    ];
    let [name, timestamp, last, mark, index, volume, open_interest, rate, funding_at, state, tick, lot] =
        members(scanner, bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "symbol", row.routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    out.speaks_of(route.slot);
    let ts_event = row.time(timestamp, bytes, "timestamp")?;
    let price = |token, field| {
        told(token).map(|token| computed(token, bytes, field, route.price_exponent).map(Price)).transpose()
    };
    let qty = |token, field| {
        told(token).map(|token| computed(token, bytes, field, route.qty_exponent).map(Qty)).transpose()
    };
    let ticker = Ticker {
        last: last_price(last, bytes, route)?,
        mark: price(mark, "markPrice")?,
        index: price(index, "indicativeSettlePrice")?,
        volume: qty(volume, "volume24h")?,
        open_interest: qty(open_interest, "openInterest")?,
        funding_rate_e9: told(rate).map(|rate| ratio_e9(rate, bytes, "fundingRate", 0)).transpose()?,
        funding_at: Some(row.time(funding_at, bytes, "fundingTimestamp")?).filter(|time| *time > 0),
        ..Ticker::default()
    };
    if ticker != Ticker::default() {
        let at = out.ticker_added(ticker);
        out.push(route.slot, ts_event, Body::Ticker(at));
    }
    if let (Some(tick), Some(lot)) = (told(tick), told(lot)) {
        let (tick, lot) = (exact(tick, bytes, "tickSize")?, exact(lot, bytes, "lotSize")?);
        let definition = Definition {
            price_digits: tick.exponent.unsigned_abs(),
            qty_digits: lot.exponent.unsigned_abs(),
            tick_size: tick.mantissa,
            lot_size: lot.mantissa,
        };
        out.push(route.slot, ts_event, Body::Definition(definition));
    }
    if let Some(state) = told(state) {
        out.push(route.slot, ts_event, Body::Trading(trading_status(state.of(bytes))));
    }
    Ok(None)
}

fn last_price(token: Token, bytes: &[u8], route: Route) -> Result<Option<Price>, DecodeError> {
    let price = |token| decimal(token, bytes, "lastPrice", route.price_exponent, Scaled::Price).map(Price);
    told(token).map(price).transpose()
}
