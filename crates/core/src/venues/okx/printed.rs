//! Books and their updates in the two forms in which the venue has printed them, with and without numbers: the short way
//! through a frame. Anything else gives `None` and is read the general way.

use super::Okx;
use super::book::{Channel, Said};
use crate::decode::printed::Printed;
use crate::decode::signed_check::check_of;
use crate::decode::{FRAME_BYTES_MAX, SYMBOL_BYTES_MAX};
use crate::types::{Body, Events, Origin, Routes, VenueSeq};

/// Appends the events of a whole frame. With `None`, `out` may hold what means nothing.
#[inline]
pub(super) fn book(room: &mut Okx, bytes: &[u8], routes: &Routes, out: &mut Events) -> Option<()> {
    if bytes.len() > FRAME_BYTES_MAX {
        return None;
    }
    let mut text = Printed::new(bytes, 0);
    text.literal(b"{\"arg\":{\"channel\":\"books")?;
    let channel = match () {
        () if text.literal(b"\",\"").is_some() => Channel::Best400,
        () if text.literal(b"-l2-tbt\",\"").is_some() => Channel::Best400Fast,
        () => return None,
    };
    text.literal(b"instId\":\"")?;
    let name = text.string_end()?;
    if name.len() > SYMBOL_BYTES_MAX {
        return None;
    }
    let route = routes.find(name)?;
    text.literal(b"},\"action\":\"")?;
    let is_whole = text.literal(b"update").is_none();
    if is_whole {
        text.literal(b"snapshot")?;
    }
    text.literal(b"\",\"data\":[{\"asks\":")?;
    text.longer_levels(route, 0, out.asks())?;
    let taken = out.levels_added().len();
    text.literal(b",\"bids\":")?;
    text.longer_levels(route, taken, out.bids())?;
    text.literal(b",\"ts\":\"")?;
    let ts_event = text.integer()?.checked_mul(1_000_000)?;
    text.literal(b"\",\"checksum\":")?;
    let check = check_of(text.signed()?)?;
    let said = if text.literal(b"}]}").is_some() {
        // One that proves nothing is refused the general way.
        check?;
        Said { number: 0, before: None, check, ts_event }
    } else {
        text.literal(b",\"seqId\":")?;
        let number = text.integer().filter(|number| *number != 0)?;
        text.literal(b",\"prevSeqId\":")?;
        // Rule 3: −1 stands for none.
        let before = if text.literal(b"-1").is_some() { None } else { Some(text.integer()?) };
        text.literal(b"}]}")?;
        Said { number, before, check, ts_event }
    };
    if !text.is_at_end() || !room.counts(route.slot, channel, is_whole) {
        return None;
    }
    let span = out.levels_added();
    let body = if is_whole {
        Body::Book(VenueSeq::at(said.number), span, channel.coverage(), Origin::Stream)
    } else {
        Body::Levels(said.update(), span)
    };
    out.push(route.slot, ts_event, body);
    if let Some(check) = check {
        out.push(route.slot, ts_event, Body::Check(check));
    }
    Some(())
}
