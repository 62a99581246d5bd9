//! Executions (rule 5).

use super::{Coinbase, entries};
use crate::decode::date_time::time;
use crate::decode::json::{Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{members, symbol, text, unsigned};
use crate::decode::{DecodeError, Scaled, SymbolText};
use crate::types::{Aggressor, Body, Events, Qty, Routes, Trade, TradeId};

/// The events of a message, each with the trades of one product or of several.
pub(super) fn events(
    room: &mut Coinbase,
    bytes: &[u8],
    events: Token,
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    room.trades.clear();
    entries(events, bytes, "trades", |scanner| trade(room, bytes, scanner, routes, out))?;
    room.trades.sort_unstable_by_key(|(slot, trade)| (*slot, trade.id.value()));
    for of_one in room.trades.chunk_by(|one, next| one.0 == next.0) {
        let Some((slot, newest)) = of_one.last() else { continue };
        out.trades().extend(of_one.iter().map(|(_, trade)| *trade));
        let body = Body::Trades(out.trades_added());
        out.push(*slot, newest.ts_event, body);
    }
    Ok(())
}

fn trade(
    room: &mut Coinbase,
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    routes: &Routes,
    out: &mut Events,
) -> Result<Option<SymbolText>, DecodeError> {
    let keys = ["trade_id", "product_id", "price", "size", "side", "time"];
    let [id, name, price, size, side, at] = members(scanner, bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "product_id", routes)?;
    let Some(route) = route else { return Ok(Some(symbol)) };
    out.speaks_of(route.slot);
    let trade = Trade {
        id: TradeId::Number(unsigned(id, bytes, "trade_id")?),
        price: price_above_zero(price, bytes, "price", route.price_exponent)?,
        qty: Qty(decimal(size, bytes, "size", route.qty_exponent, Scaled::Qty)?),
        aggressor: match text(side, bytes, "side")? {
            b"BUY" => Aggressor::Sell,
            b"SELL" => Aggressor::Buy,
            _ => Aggressor::Unknown,
        },
        ts_event: time(&mut room.minute, at, bytes, "time")?,
        resting: None,
    };
    room.trades.push((route.slot, trade));
    Ok(None)
}
