//! Tickers with their greeks, and the best prices.

use super::channel::is_inverse;
use super::instruments::trading_status;
use super::message::{carried, members_of, time};
use crate::decode::DecodeError;
use crate::decode::Scaled;
use crate::decode::json::{Kind, Token};
use crate::decode::levels::{decimal, ratio_e9, signed_decimal};
use crate::types::{Body, Events, Level, Price, Qty, Route, Routes, Ticker, VenueBbo};

/// Decimals by which a percentage is before its ratio.
const PERCENT_DECIMALS: u8 = 2;

/// A number that is told; `null`, and words in its place, tell none.
fn told(token: Token) -> Option<Token> {
    (token.kind == Kind::Number).then_some(token)
}

fn price(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    route: Route,
) -> Result<Option<Price>, DecodeError> {
    let read = |token| signed_decimal(token, bytes, field, route.price_exponent, Scaled::Price).map(Price);
    told(token).map(read).transpose()
}

fn qty(token: Token, bytes: &[u8], field: &'static str, route: Route) -> Result<Option<Qty>, DecodeError> {
    let read = |token| decimal(token, bytes, field, route.qty_exponent, Scaled::Qty).map(Qty);
    told(token).map(read).transpose()
}

/// Rule 9.
pub(super) fn ticker(
    bytes: &[u8],
    data: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let keys = [
        "instrument_name",
        "timestamp",
        "state",
        "last_price",
        "mark_price",
        "index_price",
        "underlying_price",
        "open_interest",
        "stats",
        "greeks",
        "interest_rate",
        "mark_iv",
        "bid_iv",
        "ask_iv",
        "current_funding",
    ];
    let [
        name,
        timestamp,
        state,
        last,
        mark,
        index,
        underlying,
        open_interest,
        stats,
        greeks,
        interest_rate,
        mark_iv,
        bid_iv,
        ask_iv,
        funding,
    ] = members_of(data, bytes, "data", &keys)?;
    let route = carried(name, bytes, routes)?;
    out.speaks_of(route.slot);
    let ts_event = time(timestamp, bytes)?;
    let [volume, volume_usd] = match stats.kind {
        Kind::Object => members_of(stats, bytes, "stats", &["volume", "volume_usd"])?,
        _ => Default::default(),
    };
    // Rule 6: in the unit of its amounts.
    let volume = if is_inverse(name.of(bytes)) { volume_usd } else { volume };
    let [delta, gamma, vega, theta, rho] = match greeks.kind {
        Kind::Object => {
            let keys = ["delta", "gamma", "vega", "theta", "rho"];
            members_of(greeks, bytes, "greeks", &keys)?
        }
        _ => Default::default(),
    };
    let ratio = |token, field| told(token).map(|token| ratio_e9(token, bytes, field, 0)).transpose();
    let percent =
        |token, field| told(token).map(|token| ratio_e9(token, bytes, field, PERCENT_DECIMALS)).transpose();
    let ticker = Ticker {
        last: price(last, bytes, "last_price", route)?,
        mark: price(mark, bytes, "mark_price", route)?,
        index: price(index, bytes, "index_price", route)?,
        volume: qty(volume, bytes, "volume", route)?,
        open_interest: qty(open_interest, bytes, "open_interest", route)?,
        funding_rate_e9: ratio(funding, "current_funding")?,
        funding_at: None,
        underlying: price(underlying, bytes, "underlying_price", route)?,
        interest_rate_e9: ratio(interest_rate, "interest_rate")?,
        mark_iv_e9: percent(mark_iv, "mark_iv")?,
        bid_iv_e9: percent(bid_iv, "bid_iv")?,
        ask_iv_e9: percent(ask_iv, "ask_iv")?,
        delta_e9: ratio(delta, "delta")?,
        gamma_e9: ratio(gamma, "gamma")?,
        vega_e9: ratio(vega, "vega")?,
        theta_e9: ratio(theta, "theta")?,
        rho_e9: ratio(rho, "rho")?,
    };
    let at = out.ticker_added(ticker);
    out.push(route.slot, ts_event, Body::Ticker(at));
    if state.kind == Kind::String {
        out.push(route.slot, ts_event, Body::Trading(trading_status(state.of(bytes))));
    }
    Ok(())
}

/// Rule 10. Of an empty side both numbers are 0 or `null`.
pub(super) fn quote(bytes: &[u8], data: Token, routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
    let keys = [
        "instrument_name",
        "timestamp",
        "best_bid_price",
        "best_bid_amount",
        "best_ask_price",
        "best_ask_amount",
    ];
    let [name, timestamp, bid, bid_qty, ask, ask_qty] = members_of(data, bytes, "data", &keys)?;
    let route = carried(name, bytes, routes)?;
    out.speaks_of(route.slot);
    let side = |at, of, fields: [&'static str; 2]| {
        let price = price(at, bytes, fields[0], route)?.unwrap_or_default();
        Ok::<_, DecodeError>(Level { price, qty: qty(of, bytes, fields[1], route)?.unwrap_or_default() })
    };
    let bbo = VenueBbo {
        venue_seq: 0,
        bid: side(bid, bid_qty, ["best_bid_price", "best_bid_amount"])?,
        ask: side(ask, ask_qty, ["best_ask_price", "best_ask_amount"])?,
        ts_event: time(timestamp, bytes)?,
    };
    out.push(route.slot, bbo.ts_event, Body::Bbo(bbo));
    Ok(())
}
