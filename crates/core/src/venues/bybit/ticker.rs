//! Statistics: what is told of an instrument beside its book, whole or as far as it has changed.

use super::Bybit;
use super::category::Shown;
use super::events::{Message, time};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::decimal;
use crate::decode::members::{is, members, signed, symbol};
use crate::decode::{DecodeError, Scaled};
use crate::types::{Body, Events, Level, Price, Qty, Route, Routes, Ticker, TradingStatus, VenueBbo};

/// Keys of prices, of quantities, of what is signed, and of the rest.
const KEYS: [&str; 25] = [
    "symbol",
    "lastPrice",
    "markPrice",
    "indexPrice",
    "underlyingPrice",
    "volume24h",
    "openInterest",
    "fundingRate",
    "markPriceIv",
    "bidIv",
    "askIv",
    "delta",
    "gamma",
    "vega",
    "theta",
    "nextFundingTime",
    "curPreListingPhase",
    "bidPrice",
    "bidSize",
    "askPrice",
    "askSize",
    "usdIndexPrice",
    "bid1Price",
    "ask1Price",
    "tickDirection",
];

/// Exponent of rates, volatilities and greeks.
const E9: i8 = -9;

/// Rule 9.
pub(super) fn statistics(
    room: &mut Bybit,
    message: Message<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let Message { bytes, data, .. } = message;
    is(data, Kind::Object, "data", "an object")?;
    let tokens = members(&mut Scanner::new(bytes, data.start as usize), bytes, &KEYS)?;
    let [name, last, mark, index, underlying, volume, open_interest, tokens @ ..] = tokens;
    let [funding_rate, mark_iv, bid_iv, ask_iv, delta, gamma, vega, theta, tokens @ ..] = tokens;
    let [funding_at, phase, bid_price, bid_qty, ask_price, ask_qty, tokens @ ..] = tokens;
    let (route, symbol) = symbol(name, bytes, "symbol", routes)?;
    let shown = shown(message.is_snapshot, mark, bid_iv, tokens);
    let Some(route) = route.filter(|_| room.is_own(shown)) else {
        return Err(DecodeError::UnknownSymbol { symbol });
    };
    message.names(name, "symbol", routes, out)?;
    out.speaks_of(route.slot);
    let price =
        |token, field| told(token, |token| decimal(token, bytes, field, route.price_exponent, Scaled::Price));
    let qty =
        |token, field| told(token, |token| decimal(token, bytes, field, route.qty_exponent, Scaled::Qty));
    let rate = |token, field| told(token, |token| signed(token, bytes, field, E9));
    let ticker = Ticker {
        last: price(last, "lastPrice")?.map(Price),
        mark: price(mark, "markPrice")?.map(Price),
        index: price(index, "indexPrice")?.map(Price),
        underlying: price(underlying, "underlyingPrice")?.map(Price),
        volume: qty(volume, "volume24h")?.map(Qty),
        open_interest: qty(open_interest, "openInterest")?.map(Qty),
        funding_rate_e9: rate(funding_rate, "fundingRate")?,
        funding_at: told(funding_at, |token| time(token, bytes, "nextFundingTime"))?.filter(|at| *at > 0),
        mark_iv_e9: rate(mark_iv, "markPriceIv")?,
        bid_iv_e9: rate(bid_iv, "bidIv")?,
        ask_iv_e9: rate(ask_iv, "askIv")?,
        delta_e9: rate(delta, "delta")?,
        gamma_e9: rate(gamma, "gamma")?,
        vega_e9: rate(vega, "vega")?,
        theta_e9: rate(theta, "theta")?,
        ..Ticker::default()
    };
    let bbo = match bid_price.kind {
        Kind::Absent => None,
        _ => Some(top(route, message, [bid_price, bid_qty, ask_price, ask_qty])?),
    };
    if ticker != Ticker::default() {
        let at = out.ticker_added(ticker);
        out.push(route.slot, message.ts, Body::Ticker(at));
    }
    if let Some(bbo) = bbo {
        out.push(route.slot, message.ts, Body::Bbo(bbo));
    }
    if let Some(status) = trading(phase.of(bytes)) {
        out.push(route.slot, message.ts, Body::Trading(status));
    }
    Ok(())
}

/// What the statistics show of their category.
fn shown(
    is_snapshot: bool,
    mark: Token,
    bid_iv: Token,
    [usd_index, bid, ask, tick]: [Token; 4],
) -> Option<Shown> {
    let is_there = |token: Token| token.kind != Kind::Absent;
    if is_there(bid_iv) {
        return None;
    }
    if is_there(usd_index) {
        return Some(Shown::Spot);
    }
    let is_contract = !is_snapshot || [mark, bid, ask, tick].into_iter().any(is_there);
    is_contract.then_some(Shown::Contract)
}

/// A value where it is told: one that there is none of is printed as nothing.
fn told<T>(
    token: Token,
    read: impl FnOnce(Token) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    if token.kind == Kind::Absent || token.kind == Kind::Null || token.start == token.end {
        return Ok(None);
    }
    read(token).map(Some)
}

/// The best prices of an option. Of an empty side both numbers are 0.
fn top(
    route: Route,
    message: Message<'_>,
    [bid_price, bid_qty, ask_price, ask_qty]: [Token; 4],
) -> Result<VenueBbo, DecodeError> {
    let bytes = message.bytes;
    let level = |price, qty, fields: [&'static str; 2]| {
        let price = decimal(price, bytes, fields[0], route.price_exponent, Scaled::Price)?;
        let qty = decimal(qty, bytes, fields[1], route.qty_exponent, Scaled::Qty)?;
        Ok(Level::new(price, qty))
    };
    Ok(VenueBbo {
        venue_seq: 0,
        bid: level(bid_price, bid_qty, ["bidPrice", "bidSize"])?,
        ask: level(ask_price, ask_qty, ["askPrice", "askSize"])?,
        ts_event: message.ts,
    })
}

/// Rule 11.
fn trading(phase: &[u8]) -> Option<TradingStatus> {
    Some(match phase {
        b"" => return None,
        b"NotStarted" => TradingStatus::Halted,
        b"CallAuction" | b"CallAuctionNoCancel" | b"CrossMatching" => TradingStatus::Auction,
        b"ContinuousTrading" => TradingStatus::Trading,
        b"Finished" => TradingStatus::Closed,
        _ => TradingStatus::Unknown,
    })
}
