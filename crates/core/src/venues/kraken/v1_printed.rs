//! Books of levels in the forms in which version 1 prints them: the short way through a frame.
//!
//! Anything else gives `None` and is read the general way.

use super::Kraken;
use super::v1::{Shown, decimals, depth_of, tell};
use crate::decode::printed::Printed;
use crate::decode::varied::VariedForm;
use crate::decode::{FRAME_BYTES_MAX, FRAME_LEVELS_MAX, SYMBOL_BYTES_MAX};
use crate::types::{Events, Level, POW10, Route, Routes, TimeNs};

/// Digits of the longest time in seconds, before the point and behind it.
const SECONDS_DIGITS_MAX: u32 = 11;
const NANOSECONDS_DIGITS: u32 = 9;

/// Appends the events of a whole frame. With `None`, `out` may hold what means nothing.
pub(super) fn book(room: &mut Kraken, bytes: &[u8], routes: &Routes, out: &mut Events) -> Option<()> {
    if bytes.len() > FRAME_BYTES_MAX {
        return None;
    }
    let mut text = Printed::new(bytes, 0);
    text.literal(b"[")?;
    text.integer()?;
    text.literal(b",{\"")?;
    // The pair comes last.
    let before_end = bytes.strip_suffix(b"\"]")?;
    let name_at = memchr::memrchr(b'"', before_end)? + 1;
    let name = before_end.get(name_at..).filter(|name| name.len() <= SYMBOL_BYTES_MAX)?;
    let route = routes.find(name)?;
    let (mut shown, mut check) = (Shown::default(), None);
    let is_snapshot = text.literal(b"as\":").is_some();
    if is_snapshot {
        let last = levels(&mut text, route, 0, &mut shown, out.asks())?;
        text.literal(b",\"bs\":")?;
        let taken = out.levels_added().len();
        levels(&mut text, route, taken, &mut shown, out.bids())?;
        shown.digits = Some(digits_at(bytes, last)?);
    } else {
        if text.literal(b"a\":").is_some() {
            levels(&mut text, route, 0, &mut shown, out.asks())?;
            if text.literal(b"},{\"b\":").is_some() {
                let taken = out.levels_added().len();
                levels(&mut text, route, taken, &mut shown, out.bids())?;
            }
        } else {
            text.literal(b"b\":")?;
            levels(&mut text, route, 0, &mut shown, out.bids())?;
        }
        if text.literal(b",\"c\":\"").is_some() {
            check = Some(u32::try_from(text.integer()?).ok()?);
            text.literal(b"\"")?;
        }
    }
    text.literal(b"},\"")?;
    let channel = text.string_end().filter(|channel| channel.starts_with(b"book-"))?;
    text.literal(b",\"")?;
    let depth = depth_of(channel);
    if text.at() as usize != name_at || !room.counts(route.slot, depth, is_snapshot) {
        return None;
    }
    tell(room, depth, is_snapshot, route, shown, check, out).ok()
}

/// The levels of a side, at least one; the offset of the last of them.
#[inline]
fn levels(
    of: &mut Printed<'_>,
    route: Route,
    taken: usize,
    shown: &mut Shown,
    out: &mut Vec<Level>,
) -> Option<u32> {
    // A copy lives in registers.
    let mut text = *of;
    text.literal(b"[[\"")?;
    let mut form = VariedForm::NONE;
    let len_max = out.len() + FRAME_LEVELS_MAX.saturating_sub(taken);
    loop {
        if out.len() >= len_max {
            return None;
        }
        let at = text.at();
        out.push(text.varied_pair(route, &mut form)?);
        text.literal(b",\"")?;
        shown.time = shown.time.max(seconds_end(&mut text)?);
        // Levels that came into sight again are marked.
        text.literal(b",\"r\"");
        if text.literal(b"],[\"").is_none() {
            text.literal(b"]]")?;
            *of = text;
            return Some(at);
        }
    }
}

/// The rest of a time in seconds with its quote: `1617666423.707689"`.
#[inline]
fn seconds_end(text: &mut Printed<'_>) -> Option<TimeNs> {
    if let Some(time_us) = text.microseconds_end() {
        return Some(time_us * 1_000);
    }
    let start = text.at();
    let whole = text.integer()?;
    if text.at() - start > SECONDS_DIGITS_MAX {
        return None;
    }
    text.literal(b".")?;
    let start = text.at();
    let fraction = text.integer()?;
    let missing = NANOSECONDS_DIGITS.checked_sub(text.at() - start)?;
    text.literal(b"\"")?;
    let fraction_ns = fraction * POW10.get(missing as usize)?.unsigned_abs();
    whole.checked_mul(1_000_000_000)?.checked_add(fraction_ns)
}

/// Decimals of the price and of the quantity that begin there.
fn digits_at(bytes: &[u8], at: u32) -> Option<(u8, u8)> {
    let mut texts = bytes.get(at as usize..)?.split(|byte| *byte == b'"');
    let price = decimals(texts.next()?)?;
    texts.next()?;
    Some((price, decimals(texts.next()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Slot;
    use crate::venues::At;
    use crate::venues::room::Room;

    fn routes() -> Routes {
        let mut routes = Routes::new();
        let route = Route { slot: Slot(0), price_exponent: -5, qty_exponent: -8 };
        assert!(routes.carry([&b"XBT/USD"[..]].into_iter(), route));
        routes
    }

    /// Whether a frame is read the short way; if so, the general way has told the same.
    fn is_short(frame: &str) -> bool {
        let (mut short, mut general) = (Events::default(), Events::default());
        let read = book(&mut Kraken::default(), frame.as_bytes(), &routes(), &mut short);
        if read.is_some() {
            let spaced = frame.replacen(',', ", ", 1);
            let said = Kraken::default().frame(spaced.as_bytes(), At::default(), &routes(), &mut general);
            assert_eq!(said.map_err(|error| error.code()), Ok(()), "{frame}");
            assert_eq!(format!("{:?}", short.list()), format!("{:?}", general.list()), "{frame}");
            let levels = |events: &Events| {
                let span = events.list().iter().find_map(|event| match event.body {
                    crate::types::Body::Levels(_, span) | crate::types::Body::Book(_, span, ..) => Some(span),
                    _ => None,
                });
                format!("{:?}", span.map(|span| events.levels(span)))
            };
            assert_eq!(levels(&short), levels(&general), "{frame}");
        }
        read.is_some()
    }

    #[test]
    fn what_the_venue_prints_is_read_the_short_way() {
        for frame in [
            r#"[320,{"b":[["58719.80000","0.27520000","1617666423.710791"]],"c":"821599009"},"book-1000","XBT/USD"]"#,
            r#"[320,{"a":[["58799.40000","0.00000000","1617666423.753274"],["61816.40000","0.12983051","1617666288.174674","r"]],"c":"2358935711"},"book-10","XBT/USD"]"#,
            r#"[320,{"a":[["5.10000","1.00000000","1617666423.75","r"]]},{"b":[["5.00000","1.00000000","1617666424.753274"]],"c":"974942666"},"book-25","XBT/USD"]"#,
            r#"[320,{"as":[["5.20000","1.00000000","1.5"],["5.30000","1.00000000","2.5"]],"bs":[["5.00000","1.00000000","3.5"]]},"book-10","XBT/USD"]"#,
        ] {
            assert!(is_short(frame), "{frame}");
        }
    }

    #[test]
    fn what_is_otherwise_is_not() {
        for frame in [
            r#"[320, {"b":[["5.8","0.2","1.7"]],"c":"8"},"book-10","XBT/USD"]"#,
            r#"[320,{"b":[["5.8","0.2","1.7"]],"c":"4294967296"},"book-10","XBT/USD"]"#,
            r#"[320,{"b":[["0.0","0.2","1.7"]],"c":"8"},"book-10","XBT/USD"]"#,
            r#"[320,{"b":[["5.8","0.2","1.7"5.8","0.2","1.7"]],"c":"8"},"book-10","XBT/USD"]"#,
            r#"[320,{"b":[["5.8","0.2","111111111111.7"]],"c":"8"},"book-10","XBT/USD"]"#,
            r#"[320,{"b":[["5.8","0.2","1.0123456789"]],"c":"8"},"book-10","XBT/USD"]"#,
            r#"[320,{"b":[],"c":"8"},"book-10","XBT/USD"]"#,
            r#"[320,{"b":[["5.8","0.2","1.7"]],"c":"8"},"ticker","XBT/USD"]"#,
            r#"[320,{"b":[["5.8","0.2","1.7"]],"c":"8"},"book-10","ETH/USD"]"#,
            r#"[320,{"b":[["5.8","0.2","1.7"]],"c":"8"},"book-10","more","XBT/USD"]"#,
            r#"[320,{"b":[["5.8","0.2","1.7"]],"c":"8"},"book-10","XBT/USD"]]"#,
            r#"[320,{"b":[["5.8","0.2","1.7"]],"c":"8"#,
        ] {
            assert!(!is_short(frame), "{frame}");
        }
    }
}
