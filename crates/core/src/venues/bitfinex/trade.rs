//! Trades: number, time in ms, amount, price.

use super::book::signed;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{is, items, unsigned, values};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, Scaled};
use crate::types::{Aggressor, Body, Events, Qty, Route, Side, TimeNs, Trade, TradeId};

/// The last trades, the newest first.
pub(super) fn snapshot(rows: Token, bytes: &[u8], route: Route, out: &mut Events) -> Result<(), DecodeError> {
    let start = out.trades().len();
    items(rows, bytes, "TRADES", |scanner| {
        if out.trades().len() - start >= FRAME_LEVELS_MAX {
            return Err(DecodeError::TooManyLevels { at: scanner.at() });
        }
        let trade = row(scanner, bytes, route)?;
        out.trades().push(trade);
        Ok(())
    })?;
    let trades = out.trades().get_mut(start..).unwrap_or_default();
    trades.reverse();
    let Some(last) = trades.last() else { return Ok(()) };
    let ts_event = last.ts_event;
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, ts_event, body);
    Ok(())
}

/// One trade.
pub(super) fn trade(token: Token, bytes: &[u8], route: Route, out: &mut Events) -> Result<(), DecodeError> {
    is(token, Kind::Array, "TRADE", "an array")?;
    let trade = row(&mut Scanner::new(bytes, token.start as usize), bytes, route)?;
    out.trades().push(trade);
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, trade.ts_event, body);
    Ok(())
}

fn row(scanner: &mut Scanner<'_>, bytes: &[u8], route: Route) -> Result<Trade, DecodeError> {
    let at = scanner.at();
    let ([id, time, amount, price], found) = values::<4>(scanner)?;
    if found < 4 {
        return Err(DecodeError::BadLevel { at });
    }
    let (side, amount) = signed(amount, bytes)?;
    Ok(Trade {
        id: TradeId::Number(unsigned(id, bytes, "ID")?),
        price: price_above_zero(price, bytes, "PRICE", route.price_exponent)?,
        qty: Qty(decimal(amount, bytes, "AMOUNT", route.qty_exponent, Scaled::Qty)?),
        aggressor: match side {
            Side::Bid => Aggressor::Buy,
            Side::Ask => Aggressor::Sell,
        },
        ts_event: time_ns(time, bytes)?,
        resting: None,
    })
}

/// A time in ms since 1970.
pub(super) fn time_ns(token: Token, bytes: &[u8]) -> Result<TimeNs, DecodeError> {
    Ok(unsigned(token, bytes, "MTS")?.saturating_mul(1_000_000))
}
