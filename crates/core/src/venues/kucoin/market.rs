//! What the venue tells beside books: best prices, trades, statistics.

use super::book::time;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{billionths, is, members, price_statistic, text, unsigned};
use crate::decode::{DecodeError, Scaled, leading_digits};
use crate::types::{Aggressor, Body, Events, Level, Qty, Route, Ticker, Trade, TradeId, VenueBbo};

/// Granularity of predicted funding rates, in ms (rule 9).
const PREDICTED_MS: &[u8] = b"60000";

fn object<const N: usize>(
    bytes: &[u8],
    data: Token,
    keys: &[&'static str; N],
) -> Result<[Token; N], DecodeError> {
    is(data, Kind::Object, "data", "an object")?;
    members(&mut Scanner::new(bytes, data.start as usize), bytes, keys)
}

/// A best level; the default of an empty side.
fn best(
    [price, qty]: [Token; 2],
    field: &'static str,
    bytes: &[u8],
    route: Route,
) -> Result<Level, DecodeError> {
    if matches!(price.kind, Kind::Absent | Kind::Null) || matches!(price.of(bytes), b"" | b"0") {
        return Ok(Level::default());
    }
    let price = price_above_zero(price, bytes, field, route.price_exponent)?;
    Ok(Level { price, qty: Qty(decimal(qty, bytes, field, route.qty_exponent, Scaled::Qty)?) })
}

/// Rule 8. The price of the last trade stands beside it.
pub(super) fn spot_top(bytes: &[u8], data: Token, route: Route, out: &mut Events) -> Result<(), DecodeError> {
    let keys = ["bestBid", "bestBidSize", "bestAsk", "bestAskSize", "sequence", "price", "time"];
    let [bid, bid_qty, ask, ask_qty, number, price, at] = object(bytes, data, &keys)?;
    let ts_event = time(at, bytes, "time")?;
    let bbo = VenueBbo {
        venue_seq: unsigned(number, bytes, "sequence")?,
        bid: best([bid, bid_qty], "bestBid", bytes, route)?,
        ask: best([ask, ask_qty], "bestAsk", bytes, route)?,
        ts_event,
    };
    let ticker = Ticker { last: price_statistic(price, bytes, "price", route)?, ..Ticker::default() };
    out.push(route.slot, ts_event, Body::Bbo(bbo));
    let at = out.ticker_added(ticker);
    out.push(route.slot, ts_event, Body::Ticker(at));
    Ok(())
}

/// Rule 8.
pub(super) fn futures_top(
    bytes: &[u8],
    data: Token,
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let keys = ["bestBidPrice", "bestBidSize", "bestAskPrice", "bestAskSize", "ts"];
    let [bid, bid_qty, ask, ask_qty, at] = object(bytes, data, &keys)?;
    let ts_event = time(at, bytes, "ts")?;
    let bbo = VenueBbo {
        venue_seq: 0,
        bid: best([bid, bid_qty], "bestBidPrice", bytes, route)?,
        ask: best([ask, ask_qty], "bestAskPrice", bytes, route)?,
        ts_event,
    };
    out.push(route.slot, ts_event, Body::Bbo(bbo));
    Ok(())
}

/// Rule 7.
pub(super) fn trade(bytes: &[u8], data: Token, route: Route, out: &mut Events) -> Result<(), DecodeError> {
    let keys = ["price", "size", "side", "tradeId", "time", "ts"];
    let [price, size, side, id, spot_at, futures_at] = object(bytes, data, &keys)?;
    let at = if spot_at.kind == Kind::Absent { futures_at } else { spot_at };
    let id = text(id, bytes, "tradeId")?;
    let trade = Trade {
        id: match leading_digits(id) {
            Some((number, len)) if len == id.len() => TradeId::Number(number),
            _ => out.trade_text(id),
        },
        price: price_above_zero(price, bytes, "price", route.price_exponent)?,
        qty: Qty(decimal(size, bytes, "size", route.qty_exponent, Scaled::Qty)?),
        aggressor: match text(side, bytes, "side")? {
            b"buy" => Aggressor::Buy,
            b"sell" => Aggressor::Sell,
            _ => Aggressor::Unknown,
        },
        ts_event: time(at, bytes, "time")?,
        resting: None,
    };
    out.trades().push(trade);
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, trade.ts_event, body);
    Ok(())
}

/// Rule 9.
pub(super) fn statistics(
    bytes: &[u8],
    data: Token,
    subject: &[u8],
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let keys = ["markPrice", "indexPrice", "fundingRate", "granularity", "timestamp"];
    let [mark, index, rate, granularity, at] = object(bytes, data, &keys)?;
    let ticker = match subject {
        b"mark.index.price" => Ticker {
            mark: price_statistic(mark, bytes, "markPrice", route)?,
            index: price_statistic(index, bytes, "indexPrice", route)?,
            ..Ticker::default()
        },
        b"funding.rate" if granularity.of(bytes) != PREDICTED_MS => {
            Ticker { funding_rate_e9: billionths(rate, bytes, "fundingRate")?, ..Ticker::default() }
        }
        _ => return Ok(()),
    };
    let ts_event = time(at, bytes, "timestamp")?;
    let at = out.ticker_added(ticker);
    out.push(route.slot, ts_event, Body::Ticker(at));
    Ok(())
}
