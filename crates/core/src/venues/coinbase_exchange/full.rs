//! Orders and executions (rules 3 to 9).

use super::CoinbaseExchange;
use crate::decode::date_time::time;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{items, members, order_text, symbol, text, unsigned};
use crate::decode::{DecodeError, Scaled};
use crate::types::{
    Absent, Aggressor, Body, Event, Events, OrderChange, OrderId, Qty, Route, Routes, Scope, Side,
    StaleReason, TimeNs, Trade, TradeId, VenueSeq,
};

/// A message that has a number.
pub(super) fn message(
    room: &mut CoinbaseExchange,
    kind: &[u8],
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let keys = ["product_id", "sequence", "time"];
    let [name, number, at] = members(&mut Scanner::new(bytes, 0), bytes, &keys)?;
    let (route, symbol) = symbol(name, bytes, "product_id", routes)?;
    let Some(route) = route else { return Err(DecodeError::UnknownSymbol { symbol }) };
    // Some of the venue's examples of it have none.
    if kind == b"activate" && number.kind == Kind::Absent {
        return Ok(());
    }
    let is_full = room.told(route.slot).is_full || kind != b"match";
    if is_full {
        out.concerns(Scope::Book(route.slot));
    }
    out.speaks_of(route.slot);
    let number = unsigned(number, bytes, "sequence")?;
    let ts_event = time(&mut room.minute, at, bytes, "time")?;
    match kind {
        b"open" => {
            let order = Order::new(bytes, route)?;
            let (side, price) = (order.side()?, order.price(order.price, "price")?);
            let qty = order.qty(order.remaining, "remaining_size")?;
            let id = order.id(out)?;
            out.orders().push(OrderChange::Add { id, side, price, qty });
        }
        b"change" => {
            let change = change(&Order::new(bytes, route)?, out)?;
            out.orders().extend(change);
        }
        b"done" => {
            let id = Order::new(bytes, route)?.id(out)?;
            out.orders().push(OrderChange::Delete { id });
        }
        b"match" => {
            let (trade, maker) = execution(bytes, route, ts_event)?;
            out.trades().push(trade);
            let body = Body::Trades(out.trades_added());
            out.push_event(Event { slot: route.slot, is_last: !is_full, ts_event, ts_recv: 0, body });
            let id = out.name(maker);
            out.orders().push(OrderChange::Execute { id, qty: trade.qty });
        }
        _ => {}
    }
    if !is_full {
        out.forget_added();
        return Ok(());
    }
    let body = Body::NumberedOrders(VenueSeq::at(number), out.orders_added(), Absent::Passes);
    out.push(route.slot, ts_event, body);
    let told = room.told(route.slot);
    (told.is_full, told.last) = (true, told.last.max(Some(number)));
    Ok(())
}

/// The members of a message about one order.
#[derive(Clone, Copy, Debug)]
struct Order<'a> {
    bytes: &'a [u8],
    route: Route,
    id: Token,
    side: Token,
    price: Token,
    remaining: Token,
    new_size: Token,
    new_price: Token,
}

impl<'a> Order<'a> {
    fn new(bytes: &'a [u8], route: Route) -> Result<Self, DecodeError> {
        let keys = ["order_id", "side", "price", "remaining_size", "new_size", "new_price"];
        let [id, side, price, remaining, new_size, new_price] =
            members(&mut Scanner::new(bytes, 0), bytes, &keys)?;
        Ok(Self { bytes, route, id, side, price, remaining, new_size, new_price })
    }

    fn id(&self, out: &mut Events) -> Result<OrderId, DecodeError> {
        order_text(self.id, self.bytes, "order_id").map(|name| out.name(name))
    }

    fn side(&self) -> Result<Side, DecodeError> {
        side(self.side, self.bytes)
    }

    fn price(&self, token: Token, field: &'static str) -> Result<crate::types::Price, DecodeError> {
        price_above_zero(token, self.bytes, field, self.route.price_exponent)
    }

    fn qty(&self, token: Token, field: &'static str) -> Result<Qty, DecodeError> {
        decimal(token, self.bytes, field, self.route.qty_exponent, Scaled::Qty).map(Qty)
    }
}

/// What a `change` does; nothing where it is of a market order.
fn change(order: &Order<'_>, out: &mut Events) -> Result<Option<OrderChange>, DecodeError> {
    let is_told = |token: Token| !matches!(token.kind, Kind::Absent | Kind::Null);
    let (price, field) =
        if is_told(order.new_price) { (order.new_price, "new_price") } else { (order.price, "price") };
    if !is_told(price) || !is_told(order.new_size) {
        return Ok(None);
    }
    let (id, side, price) = (order.id(out)?, order.side()?, order.price(price, field)?);
    Ok(Some(match order.qty(order.new_size, "new_size")? {
        Qty(0) => OrderChange::Delete { id },
        qty => OrderChange::Modify { id, side, price, qty },
    }))
}

/// An execution, and whose order rested.
fn execution(bytes: &[u8], route: Route, ts_event: TimeNs) -> Result<(Trade, &[u8]), DecodeError> {
    let keys = ["trade_id", "maker_order_id", "side", "size", "price"];
    let [id, maker, maker_side, size, price] = members(&mut Scanner::new(bytes, 0), bytes, &keys)?;
    let trade = Trade {
        id: TradeId::Number(unsigned(id, bytes, "trade_id")?),
        price: price_above_zero(price, bytes, "price", route.price_exponent)?,
        qty: Qty(decimal(size, bytes, "size", route.qty_exponent, Scaled::Qty)?),
        aggressor: match side(maker_side, bytes)? {
            Side::Bid => Aggressor::Sell,
            Side::Ask => Aggressor::Buy,
        },
        ts_event,
        resting: None,
    };
    Ok((trade, order_text(maker, bytes, "maker_order_id")?))
}

fn side(token: Token, bytes: &[u8]) -> Result<Side, DecodeError> {
    match text(token, bytes, "side")? {
        b"buy" => Ok(Side::Bid),
        b"sell" => Ok(Side::Ask),
        _ => Err(DecodeError::WrongType {
            at: token.start,
            field: "side",
            expected: "buy or sell",
            got: "another text",
        }),
    }
}

/// The last execution before a subscription to `matches`: a trade, and no change of a book.
pub(super) fn last_match(
    room: &mut CoinbaseExchange,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let [name, at] = members(&mut Scanner::new(bytes, 0), bytes, &["product_id", "time"])?;
    let (route, symbol) = symbol(name, bytes, "product_id", routes)?;
    let Some(route) = route else { return Err(DecodeError::UnknownSymbol { symbol }) };
    out.speaks_of(route.slot);
    let ts_event = time(&mut room.minute, at, bytes, "time")?;
    let (trade, _) = execution(bytes, route, ts_event)?;
    out.trades().push(trade);
    let body = Body::Trades(out.trades_added());
    out.push(route.slot, ts_event, body);
    Ok(())
}

/// How far the messages of a product have come: beyond the last that was heard, some are missing.
pub(super) fn heartbeat(
    room: &mut CoinbaseExchange,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let [name, number] = members(&mut Scanner::new(bytes, 0), bytes, &["product_id", "sequence"])?;
    let (route, symbol) = symbol(name, bytes, "product_id", routes)?;
    let Some(route) = route else { return Err(DecodeError::UnknownSymbol { symbol }) };
    let received = unsigned(number, bytes, "sequence")?;
    let told = room.told(route.slot);
    if let Some(last) = told.last.filter(|last| *last < received) {
        let (scope, reason) = (Scope::Book(route.slot), StaleReason::Gap);
        out.push(route.slot, 0, Body::Lost { scope, reason, expected: last + 1, received });
        // It is told once.
        told.last = Some(received);
    }
    Ok(())
}

/// What is subscribed to.
pub(super) fn subscriptions(
    room: &mut CoinbaseExchange,
    bytes: &[u8],
    channels: Token,
    routes: &Routes,
) -> Result<(), DecodeError> {
    items(channels, bytes, "channels", |scanner| {
        let [name, products] = members(scanner, bytes, &["name", "product_ids"])?;
        if name.of(bytes) != b"full" || products.kind != Kind::Array {
            return Ok(());
        }
        items(products, bytes, "product_ids", |scanner| {
            let product = scanner.value()?;
            if let Some(route) = symbol(product, bytes, "product_ids", routes)?.0 {
                room.told(route.slot).is_full = true;
            }
            Ok(())
        })
    })
}
