//! What is told beside books: trades, statistics, the state of trading.

use super::book::{carried, level_of};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{computed, decimal, ratio_e9};
use crate::decode::members::{members, milliseconds, text, unsigned};
use crate::decode::{DecodeError, Scaled};
use crate::types::{
    Aggressor, Body, Events, Level, Price, Qty, Routes, Ticker, Trade, TradeId, TradingStatus, VenueBbo,
};

/// Rule 3.
pub(super) fn trade(bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
    let keys = ["product_id", "side", "type", "seq", "time", "qty", "price"];
    let [name, side, kind, seq, time, qty, price] = members(&mut Scanner::new(bytes, 0), bytes, &keys)?;
    let route = carried(name, bytes, routes)?;
    out.speaks_of(route.slot);
    let is_forced = match text(kind, bytes, "type")? {
        b"fill" => false,
        b"liquidation" => true,
        _ => return Ok(()),
    };
    let Level { price, qty } = level_of(price, qty, bytes, route)?;
    let trade = Trade {
        id: TradeId::Number(unsigned(seq, bytes, "seq")?),
        price,
        qty,
        aggressor: match text(side, bytes, "side")? {
            b"buy" => Aggressor::Buy,
            b"sell" => Aggressor::Sell,
            _ => Aggressor::Unknown,
        },
        ts_event: milliseconds(time, bytes, "time")?,
        resting: None,
    };
    out.trades().push(trade);
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, trade.ts_event, body);
    if is_forced {
        out.trades().push(trade);
        let body = Body::Liquidations(out.trades_added());
        out.push(route.slot, trade.ts_event, body);
    }
    Ok(())
}

/// Rule 4.
pub(super) fn ticker(bytes: &[u8], routes: &Routes, out: &mut Events) -> Result<(), DecodeError> {
    let keys = [
        "product_id",
        "time",
        "bid",
        "bid_size",
        "ask",
        "ask_size",
        "last",
        "markPrice",
        "index",
        "volume",
        "openInterest",
        "relative_funding_rate",
        "next_funding_rate_time",
        "suspended",
        "post_only",
    ];
    let [
        name,
        time,
        bid,
        bid_qty,
        ask,
        ask_qty,
        last,
        mark,
        index,
        volume,
        open_interest,
        rate,
        funding_at,
        suspended,
        post_only,
    ] = members(&mut Scanner::new(bytes, 0), bytes, &keys)?;
    let route = carried(name, bytes, routes)?;
    out.speaks_of(route.slot);
    let told = |token: Token| Some(token).filter(|token| !matches!(token.kind, Kind::Absent | Kind::Null));
    let moment = |token, field| told(token).map(|token| milliseconds(token, bytes, field)).transpose();
    let ts_event = moment(time, "time")?.unwrap_or(0);
    let price_of = |token, field| {
        let price =
            told(token).map(|price| decimal(price, bytes, field, route.price_exponent, Scaled::Price));
        Ok::<_, DecodeError>(price.transpose()?.filter(|price| *price != 0).map(Price))
    };
    if told(bid_qty).or(told(ask_qty)).is_some() {
        // A side without orders has a price of 0.
        let level = |price, qty, field| match (price_of(price, field)?, told(qty)) {
            (Some(price), Some(qty)) => {
                let qty = decimal(qty, bytes, "qty", route.qty_exponent, Scaled::Qty)?;
                Ok::<_, DecodeError>(Level { price, qty: Qty(qty) })
            }
            _ => Ok(Level::new(0, 0)),
        };
        let (bid, ask) = (level(bid, bid_qty, "bid")?, level(ask, ask_qty, "ask")?);
        out.push(route.slot, ts_event, Body::Bbo(VenueBbo { venue_seq: 0, bid, ask, ts_event }));
    }
    let price = |token, field| {
        told(token).map(|token| computed(token, bytes, field, route.price_exponent).map(Price)).transpose()
    };
    let qty = |token, field| {
        told(token).map(|token| computed(token, bytes, field, route.qty_exponent).map(Qty)).transpose()
    };
    let rate = told(rate).map(|rate| ratio_e9(rate, bytes, "relative_funding_rate", 0)).transpose()?;
    let funding_at = moment(funding_at, "next_funding_rate_time")?;
    let ticker = Ticker {
        last: price_of(last, "last")?,
        mark: price(mark, "markPrice")?,
        index: price(index, "index")?,
        volume: qty(volume, "volume")?,
        open_interest: qty(open_interest, "openInterest")?,
        // Of a perpetual, which alone has a next time, one that is not told is zero.
        funding_rate_e9: rate.or(funding_at.map(|_| 0)),
        funding_at,
        ..Ticker::default()
    };
    let at = out.ticker_added(ticker);
    out.push(route.slot, ts_event, Body::Ticker(at));
    let trading = match (suspended.kind, post_only.kind) {
        (Kind::True, _) => TradingStatus::Halted,
        (Kind::False, Kind::True) => TradingStatus::Limited,
        (Kind::False, _) => TradingStatus::Trading,
        _ => return Ok(()),
    };
    out.push(route.slot, ts_event, Body::Trading(trading));
    Ok(())
}
