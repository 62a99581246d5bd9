//! Updates of books in the forms in which the three versions print them: the short way through a frame.
//!
//! Anything else gives `None` and is read the general way.

use super::Bitget;
use super::book::Said;
use crate::decode::printed::Printed;
use crate::decode::signed_check::check_of;
use crate::decode::{FRAME_BYTES_MAX, SYMBOL_BYTES_MAX};
use crate::types::{Body, Events, Routes};

/// Appends the events of a whole frame. With `None`, `out` may hold what means nothing.
#[inline]
pub(super) fn book_update(room: &mut Bitget, bytes: &[u8], routes: &Routes, out: &mut Events) -> Option<()> {
    if bytes.len() > FRAME_BYTES_MAX {
        return None;
    }
    let mut text = Printed::new(bytes, 0);
    text.literal(b"{\"action\":\"update\",\"arg\":{\"instType\":\"")?;
    let inst_type = text.string_end()?;
    let is_short = match () {
        () if text.literal(b",\"channel\":\"books\",\"instId\":\"").is_some() => false,
        () if text.literal(b",\"topic\":\"books\",\"symbol\":\"").is_some() => true,
        () => return None,
    };
    let name = text.string_end().filter(|name| name.len() <= SYMBOL_BYTES_MAX)?;
    let route = routes.find(name).filter(|_| room.is_own(inst_type, name))?;
    text.literal(b"},\"data\":[{")?;
    if is_short { text.literal(b"\"a\":") } else { text.literal(b"\"asks\":") }?;
    text.longer_levels(route, 0, out.asks())?;
    let taken = out.levels_added().len();
    if is_short { text.literal(b",\"b\":") } else { text.literal(b",\"bids\":") }?;
    text.longer_levels(route, taken, out.bids())?;
    text.literal(b",\"checksum\":")?;
    let check = check_of(text.signed()?)?;
    let (mut number, mut before) = (0, None);
    if is_short {
        text.literal(b",\"seq\":")?;
        number = text.integer()?;
        text.literal(b",\"pseq\":")?;
        before = Some(text.integer()?);
    }
    text.literal(b",\"ts\":\"")?;
    let ts_event = text.integer()?.checked_mul(1_000_000)?;
    text.literal(b"\"}]")?;
    if text.literal(b",\"ts\":").is_some() {
        text.integer()?;
    }
    text.literal(b"}")?;
    if !text.is_at_end() || !room.is_followed(route.slot) {
        return None;
    }
    let seq = Said { number, before, check, ts_event }.update().ok()?;
    let span = out.levels_added();
    out.push(route.slot, ts_event, Body::Levels(seq, span));
    if let Some(check) = check {
        out.push(route.slot, ts_event, Body::Check(check));
    }
    Some(())
}
