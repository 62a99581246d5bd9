//! What the venue tells beside books: tops, trades, statistics, liquidations, instruments.

use super::{Okx, book, instruments};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{
    billionths, items, members, milliseconds, price_statistic, qty_statistic, symbol, text, unsigned,
};
use crate::decode::{DecodeError, Scaled, SymbolText};
use crate::types::{Aggressor, Body, Events, Price, Qty, Route, Routes, Ticker, TimeNs, Trade, TradeId};
use crate::venues::two_names::FirstName;

/// Channels that say nothing of a book.
pub(super) const CHANNELS: [&[u8]; 12] = [
    b"bbo-tbt",
    b"trades",
    b"trades-all",
    b"tickers",
    b"mark-price",
    b"index-tickers",
    b"funding-rate",
    b"open-interest",
    b"opt-summary",
    b"liquidation-orders",
    b"instruments",
    b"status",
];

impl Okx {
    /// A message of a channel that tells no book.
    pub(super) fn market(
        &mut self,
        channel: &[u8],
        bytes: &[u8],
        name: Token,
        data: Token,
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), DecodeError> {
        match channel {
            b"bbo-tbt" => {
                let (route, symbol) = carried(name, bytes, routes)?;
                let named = FirstName { name: symbol.as_bytes(), is_book: false };
                out.speaks_of(route.slot);
                items(data, bytes, "data", |scanner| book::top(scanner, bytes, (route, named), routes, out))
            }
            b"trades" | b"trades-all" => {
                let (route, symbol) = carried(name, bytes, routes)?;
                let named = FirstName { name: symbol.as_bytes(), is_book: false };
                let is_all = channel == b"trades-all";
                if *self.followed(route.slot).tells_all_trades.get_or_insert(is_all) != is_all {
                    return Ok(());
                }
                out.speaks_of(route.slot);
                items(data, bytes, "data", |scanner| trade(scanner, bytes, (route, named), routes, out))
            }
            b"index-tickers" => items(data, bytes, "data", |scanner| index(scanner, bytes, routes, out)),
            b"tickers" | b"mark-price" | b"funding-rate" | b"open-interest" | b"opt-summary" => {
                // What is subscribed by family names none.
                let symbol = match name.kind {
                    Kind::Absent => None,
                    _ => Some(symbol(name, bytes, "instId", routes)?.1),
                };
                each(data, bytes, routes, |scanner, route| {
                    if let Some(symbol) = &symbol {
                        let named = FirstName { name: symbol.as_bytes(), is_book: false };
                        let mut entry = Scanner::new(bytes, scanner.at() as usize);
                        let [again] = members(&mut entry, bytes, &["instId"])?;
                        named.agrees(again, bytes, "instId", routes, out)?;
                    }
                    statistics(scanner, bytes, route, out)
                })
            }
            b"liquidation-orders" => {
                each(data, bytes, routes, |scanner, route| liquidations(scanner, bytes, route, out))
            }
            b"instruments" => {
                each(data, bytes, routes, |scanner, route| instruments::defined(scanner, bytes, route, out))
            }
            // Channels that are not used.
            _ => Ok(()),
        }
    }
}

fn carried(name: Token, bytes: &[u8], routes: &Routes) -> Result<(Route, SymbolText), DecodeError> {
    let (route, symbol) = symbol(name, bytes, "instId", routes)?;
    Ok((route.ok_or(DecodeError::UnknownSymbol { symbol })?, symbol))
}

/// Gives each entry of an instrument that is carried to `entry`, which reads it from its beginning.
fn each(
    data: Token,
    bytes: &[u8],
    routes: &Routes,
    mut entry: impl FnMut(&mut Scanner<'_>, Route) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let (mut is_carried, mut foreign) = (false, None);
    items(data, bytes, "data", |scanner| {
        let mut again = Scanner::new(bytes, scanner.at() as usize);
        let [name] = members(scanner, bytes, &["instId"])?;
        match symbol(name, bytes, "instId", routes)? {
            (Some(route), _) => {
                is_carried = true;
                entry(&mut again, route)
            }
            (None, symbol) => {
                foreign = Some(symbol);
                Ok(())
            }
        }
    })?;
    match foreign {
        Some(symbol) if !is_carried => Err(DecodeError::UnknownSymbol { symbol }),
        _ => Ok(()),
    }
}

fn aggressor(side: Token, bytes: &[u8]) -> Result<Aggressor, DecodeError> {
    Ok(match text(side, bytes, "side")? {
        b"buy" => Aggressor::Buy,
        b"sell" => Aggressor::Sell,
        _ => Aggressor::Unknown,
    })
}

/// Rule 8. The side is the taker's.
fn trade(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    (route, named): (Route, FirstName<'_>),
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let keys = ["tradeId", "px", "sz", "side", "ts", "instId"];
    let [id, price, qty, side, ts, again] = members(scanner, bytes, &keys)?;
    named.agrees(again, bytes, "instId", routes, out)?;
    let ts_event = milliseconds(ts, bytes, "ts")?;
    out.trades().push(Trade {
        id: TradeId::Number(unsigned(id, bytes, "tradeId")?),
        price: price_above_zero(price, bytes, "px", route.price_exponent)?,
        qty: Qty(decimal(qty, bytes, "sz", route.qty_exponent, Scaled::Qty)?),
        aggressor: aggressor(side, bytes)?,
        ts_event,
        resting: None,
    });
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, ts_event, body);
    Ok(())
}

/// What any of the channels of statistics says; none of their keys means two things.
fn statistics(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let keys = [
        "ts",
        "last",
        "vol24h",
        "markPx",
        "fundingRate",
        "fundingTime",
        "oi",
        "fwdPx",
        "markVol",
        "bidVol",
        "askVol",
        "deltaBS",
        "gammaBS",
        "vegaBS",
        "thetaBS",
    ];
    let [
        ts,
        last,
        volume,
        mark,
        funding_rate,
        funding_at,
        open_interest,
        forward,
        mark_iv,
        bid_iv,
        ask_iv,
        delta,
        gamma,
        vega,
        theta,
    ] = members(scanner, bytes, &keys)?;
    out.speaks_of(route.slot);
    let price = |token, field| price_statistic(token, bytes, field, route);
    let qty = |token, field| qty_statistic(token, bytes, field, route);
    let ratio = |token, field| billionths(token, bytes, field);
    let is_there = |token: &Token| token.kind != Kind::Absent && !token.of(bytes).is_empty();
    let time = |token: Token, field| {
        Some(token).filter(is_there).map(|token| milliseconds(token, bytes, field)).transpose()
    };
    let ticker = Ticker {
        last: price(last, "last")?.filter(|last| last.0 != 0),
        mark: price(mark, "markPx")?,
        volume: qty(volume, "vol24h")?,
        open_interest: qty(open_interest, "oi")?,
        funding_rate_e9: ratio(funding_rate, "fundingRate")?,
        funding_at: time(funding_at, "fundingTime")?,
        underlying: price(forward, "fwdPx")?,
        mark_iv_e9: ratio(mark_iv, "markVol")?,
        bid_iv_e9: ratio(bid_iv, "bidVol")?,
        ask_iv_e9: ratio(ask_iv, "askVol")?,
        delta_e9: ratio(delta, "deltaBS")?,
        gamma_e9: ratio(gamma, "gammaBS")?,
        vega_e9: ratio(vega, "vegaBS")?,
        theta_e9: ratio(theta, "thetaBS")?,
        ..Ticker::default()
    };
    let ts_event = time(ts, "ts")?.unwrap_or(0);
    push(ticker, route, ts_event, out);
    Ok(())
}

fn push(ticker: Ticker, route: Route, ts_event: TimeNs, out: &mut Events) {
    let at = out.ticker_added(ticker);
    out.push(route.slot, ts_event, Body::Ticker(at));
}

/// Rule 9.
fn index(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let [name, price, ts] = members(scanner, bytes, &["instId", "idxPx", "ts"])?;
    let name = text(name, bytes, "instId")?;
    let ts_event = milliseconds(ts, bytes, "ts")?;
    for (code, route) in routes.starting_with(name) {
        if matches!(code.get(name.len()), None | Some(b'-')) {
            out.speaks_of(route.slot);
            let index = price_statistic(price, bytes, "idxPx", route)?;
            push(Ticker { index, ..Ticker::default() }, route, ts_event, out);
        }
    }
    Ok(())
}

/// Positions that were closed by force, at the price at which the venue took them over.
fn liquidations(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let [details] = members(scanner, bytes, &["details"])?;
    out.speaks_of(route.slot);
    let mut last = 0;
    items(details, bytes, "details", |scanner| {
        let [side, price, qty, ts] = members(scanner, bytes, &["side", "bkPx", "sz", "ts"])?;
        last = milliseconds(ts, bytes, "ts")?;
        out.trades().push(Trade {
            id: TradeId::None,
            price: price_statistic(price, bytes, "bkPx", route)?.unwrap_or(Price(0)),
            qty: Qty(decimal(qty, bytes, "sz", route.qty_exponent, Scaled::Qty)?),
            aggressor: aggressor(side, bytes)?,
            ts_event: last,
            resting: None,
        });
        Ok(())
    })?;
    let span = out.trades_added();
    if !span.is_empty() {
        out.push(route.slot, last, Body::Liquidations(span));
    }
    Ok(())
}
