//! What a frame of a recording shows of its instruments, and of its time.

use super::{depth, market};
use crate::decode::DecodeError;
use crate::decode::date_time::Minute;
use crate::decode::json::{Kind, Scanner};
use crate::decode::members::{items, members};
use crate::types::TimeNs;
use crate::venues::BITMEX;
use crate::venues::room::{Sightings, Sureness};
use crate::venues::value_behind;

/// Notes the instruments of a frame: an object of a `table` that is used, an `action` and rows that have symbols.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    // What cannot be read shows nothing.
    let _ = object(bytes, out);
}

fn object(bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [table, action, data] = members(&mut scanner, bytes, &["table", "action", "data"])?;
    scanner.finish()?;
    let table = table.of(bytes);
    if depth(table).is_none() && !market::TABLES.contains(&table) || action.kind != Kind::String {
        return Ok(());
    }
    let mut last: &[u8] = &[];
    items(data, bytes, "data", |scanner| {
        let [symbol] = members(scanner, bytes, &["symbol"])?;
        let name = symbol.of(bytes);
        // An index is no instrument.
        if symbol.kind == Kind::String && name != last && !name.starts_with(b".") {
            last = name;
            out.readable();
            if let Ok(name) = core::str::from_utf8(name) {
                out.add(BITMEX, name, Sureness::Sure);
            }
        }
        Ok(())
    })
}

/// The last `timestamp` that a frame prints.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    let text =
        value_behind::last(bytes, b"\"timestamp\"").and_then(|rest| rest.get(..memchr::memchr(b'"', rest)?));
    text.and_then(|text| Minute::default().time(text)).unwrap_or(0)
}
