//! The book of level 3, which is asked for (rule 2).

use crate::decode::date_time::{Minute, time};
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::levels::{decimal, price_above_zero};
use crate::decode::members::{items, members, order_text, unsigned, values};
use crate::decode::{DecodeError, Scaled, SymbolText};
use crate::types::{Body, Coverage, Events, OrderChange, Part, Qty, Route, Side};
use crate::venues::Asked;

/// Longest answer that is read, and most orders in it: several times the largest books that are known.
const ANSWER_BYTES_MAX: usize = 128 << 20;
const ANSWER_ORDERS_MAX: usize = 1 << 20;

/// Reads an answer. Whose it is, the address says where there is one.
pub(super) fn answer(
    minute: &mut Minute,
    asked: &Asked<'_>,
    bytes: &[u8],
    out: &mut Events,
) -> Result<(), DecodeError> {
    if bytes.len() > ANSWER_BYTES_MAX {
        return Err(DecodeError::FrameTooLarge { len: bytes.len() });
    }
    let route = match product_of(asked.url) {
        Some(name) => {
            let unknown = DecodeError::UnknownSymbol { symbol: SymbolText::new(name) };
            asked.routes.find(name).ok_or(unknown)?
        }
        None if !asked.url.is_empty() => return Err(DecodeError::NotSnapshot),
        None => asked.routes.sole().ok_or(DecodeError::AmbiguousSnapshot)?,
    };
    let mut scanner = Scanner::new(bytes, 0);
    let [bids, asks, number, at] = members(&mut scanner, bytes, &["bids", "asks", "sequence", "time"])?;
    scanner.finish()?;
    if bids.kind != Kind::Array || asks.kind != Kind::Array {
        return Err(DecodeError::NotSnapshot);
    }
    out.speaks_of(route.slot);
    let number = unsigned(number, bytes, "sequence")?;
    let ts_event = time(minute, at, bytes, "time")?;
    for (side, token, field) in [(Side::Bid, bids, "bids"), (Side::Ask, asks, "asks")] {
        orders(side, token, bytes, field, route, out)?;
    }
    let body = Body::OrderBook(number, Part::Whole, Coverage::Whole, out.orders_added());
    out.push(route.slot, ts_event, body);
    Ok(())
}

/// The orders of a side, each `[price, size, name]`.
fn orders(
    side: Side,
    token: Token,
    bytes: &[u8],
    field: &'static str,
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    items(token, bytes, field, |scanner| {
        let at = scanner.at();
        if out.orders_added().len() >= ANSWER_ORDERS_MAX {
            return Err(DecodeError::TooManyLevels { at });
        }
        let ([price, qty, id], count) = values(scanner)?;
        if count != 3 {
            return Err(DecodeError::BadLevel { at });
        }
        // Of a book of levels it is how many orders there are.
        if id.kind != Kind::String {
            return Err(DecodeError::NotSnapshot);
        }
        let id = out.name(order_text(id, bytes, "order_id")?);
        let price = price_above_zero(price, bytes, "price", route.price_exponent)?;
        let qty = Qty(decimal(qty, bytes, "size", route.qty_exponent, Scaled::Qty)?);
        out.orders().push(OrderChange::Add { id, side, price, qty });
        Ok(())
    })
}

/// The product of an address such as `https://api.exchange.coinbase.com/products/BTC-USD/book?level=3`.
fn product_of(url: &[u8]) -> Option<&[u8]> {
    const BEFORE: &[u8] = b"/products/";
    let rest = url.get(memchr::memmem::find(url, BEFORE)? + BEFORE.len()..)?;
    rest.get(..memchr::memmem::find(rest, b"/book")?)
}
