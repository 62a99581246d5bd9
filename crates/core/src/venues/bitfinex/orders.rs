//! Books of orders: rows of number, price and amount.

use super::book::signed;
use crate::decode::json::Scanner;
use crate::decode::levels::decimal;
use crate::decode::members::{unsigned, values};
use crate::decode::{DecodeError, FRAME_LEVELS_MAX, Scaled};
use crate::types::{Events, OrderChange, OrderId, Price, Qty, Route, Side};

/// One row, of a whole book or of what changes it.
pub(super) fn row(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    route: Route,
    is_whole: bool,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let at = scanner.at();
    if out.orders_added().len() >= FRAME_LEVELS_MAX {
        return Err(DecodeError::TooManyLevels { at });
    }
    let ([id, price, amount], found) = values::<3>(scanner)?;
    if found < 3 {
        return Err(DecodeError::BadLevel { at });
    }
    let id = OrderId(unsigned(id, bytes, "ORDER_ID")?);
    let at_price = price.start;
    let price = Price(decimal(price, bytes, "PRICE", route.price_exponent, Scaled::Price)?);
    let (side, amount) = signed(amount, bytes)?;
    let qty = Qty(decimal(amount, bytes, "AMOUNT", route.qty_exponent, Scaled::Qty)?);
    if qty == Qty(0) {
        return Err(DecodeError::BadLevel { at });
    }
    out.orders().push(match price {
        Price(0) if is_whole => return Err(DecodeError::ZeroPrice { at: at_price }),
        Price(0) => OrderChange::Delete { id },
        // No order stands twice in a whole book.
        price if is_whole => OrderChange::Add { id, side, price, qty },
        price => OrderChange::Upsert { id, side, price, qty },
    });
    Ok(())
}

/// Orders of the side that has more, of a whole book.
pub(super) fn longer(orders: &[OrderChange]) -> usize {
    let is_bid = |change: &&OrderChange| matches!(change, OrderChange::Add { side: Side::Bid, .. });
    let bids = orders.iter().filter(is_bid).count();
    bids.max(orders.len() - bids)
}
