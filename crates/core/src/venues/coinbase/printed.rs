//! Levels of one product in the form in which the venue prints them: the short way through a message.
//!
//! Anything else, a number that is not due included, gives `None` and is read the general way.

use super::l2_data::{body, event_time, side_of};
use crate::decode::date_time::Minute;
use crate::decode::printed::Printed;
use crate::decode::{FRAME_BYTES_MAX, FRAME_LEVELS_MAX, SYMBOL_BYTES_MAX};
use crate::sequence::{MessageCounter, SeqOutcome};
use crate::types::{Events, Level, Route, Routes, Side, Slot, TimeNs};

/// Appends the event of a whole message; says its number and whose book it is of. With `None`, `out` may hold what means
/// nothing.
#[inline]
pub(super) fn events(
    bytes: &[u8],
    counter: &MessageCounter,
    minute: &mut Minute,
    routes: &Routes,
    out: &mut Events,
) -> Option<(u64, Slot)> {
    if bytes.len() > FRAME_BYTES_MAX {
        return None;
    }
    let mut text = Printed::new(bytes, 0);
    text.literal(b"{\"channel\":\"l2_data\",\"timestamp\":\"")?;
    let sent_at = minute.time(text.string_end()?)?;
    text.literal(b",\"sequence_num\":")?;
    let number = text.integer()?;
    if counter.check(number) != SeqOutcome::Next {
        return None;
    }
    text.literal(b",\"events\":[{\"type\":\"")?;
    let is_snapshot = match text.string_end()? {
        b"snapshot" => true,
        b"update" => false,
        _ => return None,
    };
    text.literal(b",\"product_id\":\"")?;
    let symbol = text.string_end()?;
    if symbol.len() > SYMBOL_BYTES_MAX {
        return None;
    }
    let route = routes.find(symbol)?;
    text.literal(b",\"updates\":[")?;
    let changed_at = match text.literal(b"]") {
        Some(()) => 0,
        None => changes(&mut text, minute, route, out)?,
    };
    text.literal(b"}]}")?;
    if !text.is_at_end() {
        return None;
    }
    let body = body(is_snapshot, number, out.levels_added());
    out.push(route.slot, event_time(changed_at, sent_at), body);
    Some((number, route.slot))
}

/// The changes up to the end of their array, and the time of the first.
#[inline]
fn changes(text: &mut Printed<'_>, minute: &mut Minute, route: Route, out: &mut Events) -> Option<TimeNs> {
    let mut changed_at = None;
    for _ in 0..FRAME_LEVELS_MAX {
        text.literal(b"{\"side\":\"")?;
        let side = match text.literal(b"bid\"") {
            Some(()) => Side::Bid,
            None => {
                text.literal(b"offer\"")?;
                Side::Ask
            }
        };
        text.literal(b",\"event_time\":\"")?;
        let at = text.string_end()?;
        if changed_at.is_none() {
            changed_at = Some(minute.time(at)?);
        }
        text.literal(b",\"price_level\":\"")?;
        let price = text.decimal_end(route.price_exponent).filter(|price| *price != 0)?;
        text.literal(b",\"new_quantity\":\"")?;
        let qty = text.decimal_end(route.qty_exponent)?;
        side_of(side, out).push(Level::new(price, qty));
        if text.literal(b"},").is_none() {
            text.literal(b"}]")?;
            return changed_at;
        }
    }
    None
}
