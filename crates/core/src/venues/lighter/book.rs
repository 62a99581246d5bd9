//! `order_book`: the whole book, and what changed of it.

use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{is, level_objects, members, unsigned};
use crate::types::{Body, Coverage, Events, Origin, Route, TimeNs, VenueSeq};

/// Reads a message of a book.
pub(super) fn read(
    bytes: &[u8],
    order_book: Token,
    timestamp: Token,
    is_whole: bool,
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    is(order_book, Kind::Object, "order_book", "an object")?;
    let keys = ["bids", "asks", "offset", "nonce", "begin_nonce"];
    let [bids, asks, offset, nonce, begin] =
        members(&mut Scanner::new(bytes, order_book.start as usize), bytes, &keys)?;
    level_objects(bids, bytes, "bids", &["price", "size"], route, 0, out.bids())?;
    let taken = out.levels_added().len();
    level_objects(asks, bytes, "asks", &["price", "size"], route, taken, out.asks())?;
    // Rule 3, or the form without it.
    let (number, prev) = match begin.kind {
        Kind::Absent => {
            let offset = unsigned(offset, bytes, "offset")?;
            (offset, offset.saturating_sub(1))
        }
        _ => (unsigned(nonce, bytes, "nonce")?, unsigned(begin, bytes, "begin_nonce")?),
    };
    let ts_event = millis(timestamp, bytes)?;
    let span = out.levels_added();
    let body = if is_whole {
        Body::Book(VenueSeq::at(number), span, Coverage::Whole, Origin::Stream)
    } else {
        Body::Levels(VenueSeq { first: number, last: number, prev: Some(prev) }, span)
    };
    out.push(route.slot, ts_event, body);
    Ok(())
}

/// A time in milliseconds; 0 where there is none.
pub(super) fn millis(token: Token, bytes: &[u8]) -> Result<TimeNs, DecodeError> {
    match token.kind {
        Kind::Absent => Ok(0),
        _ => Ok(unsigned(token, bytes, "timestamp")?.saturating_mul(1_000_000)),
    }
}
