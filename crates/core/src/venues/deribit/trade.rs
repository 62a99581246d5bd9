//! Trades.

use super::channel::is_combination;
use super::message::time;
use crate::decode::json::{Kind, Scanner};
use crate::decode::levels::{decimal, price_above_zero, signed_decimal};
use crate::decode::members::{items, members, symbol, text, unsigned};
use crate::decode::{DecodeError, Scaled};
use crate::types::{Aggressor, Body, Events, Price, Qty, Routes, Trade, TradeId};

/// Trades of one instrument, or of all of a kind. Those that are not carried are passed over, unless none is.
pub(super) fn trades(
    bytes: &[u8],
    data: crate::decode::json::Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let (mut is_carried, mut foreign) = (false, None);
    items(data, bytes, "data", |scanner| {
        match trade(bytes, scanner, routes, out)? {
            None => is_carried = true,
            other => foreign = other,
        }
        Ok(())
    })?;
    match foreign {
        Some(symbol) if !is_carried => Err(DecodeError::UnknownSymbol { symbol }),
        _ => Ok(()),
    }
}

/// Rule 8.
fn trade(
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<crate::decode::SymbolText>, DecodeError> {
    let keys = [
        "instrument_name",
        "trade_seq",
        "timestamp",
        "price",
        "amount",
        "direction",
        "liquidation",
        "block_trade_id",
        "combo_trade_id",
    ];
    let [name, seq, timestamp, price, amount, direction, liquidation, block, combination] =
        members(scanner, bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "instrument_name", routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    let is_there = |kind| !matches!(kind, Kind::Absent | Kind::Null);
    if is_there(block.kind) || is_there(combination.kind) {
        return Ok(None);
    }
    out.speaks_of(route.slot);
    let price = if is_combination(name.of(bytes)) {
        Price(signed_decimal(price, bytes, "price", route.price_exponent, Scaled::Price)?)
    } else {
        price_above_zero(price, bytes, "price", route.price_exponent)?
    };
    let aggressor = match text(direction, bytes, "direction")? {
        b"buy" => Aggressor::Buy,
        b"sell" => Aggressor::Sell,
        _ => Aggressor::Unknown,
    };
    let trade = Trade {
        id: TradeId::Number(unsigned(seq, bytes, "trade_seq")?),
        price,
        qty: Qty(decimal(amount, bytes, "amount", route.qty_exponent, Scaled::Qty)?),
        aggressor,
        ts_event: time(timestamp, bytes)?,
        resting: None,
    };
    out.trades().push(trade);
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, trade.ts_event, body);
    if is_there(liquidation.kind) {
        out.trades().push(trade);
        let body = Body::Liquidations(out.trades_added());
        out.push(route.slot, trade.ts_event, body);
    }
    Ok(None)
}
