//! What a frame of a recording shows of its contract, and of its time.

use crate::decode::json::{Kind, Scanner};
use crate::decode::members::members;
use crate::decode::{DecodeError, leading_digits};
use crate::types::TimeNs;
use crate::venues::KRAKEN_FUTURES;
use crate::venues::room::{Sightings, Sureness};
use crate::venues::value_behind;

/// Notes the contract of a frame: an object with a `feed` that is used and a `product_id`, or a heartbeat.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    // What cannot be read shows nothing.
    let _ = object(bytes, out);
}

fn object(bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [feed, product] = members(&mut scanner, bytes, &["feed", "product_id"])?;
    scanner.finish()?;
    match (feed.of(bytes), product.kind) {
        (b"heartbeat", Kind::Absent) => out.readable(),
        (
            b"book" | b"book_snapshot" | b"trade" | b"trade_snapshot" | b"ticker" | b"ticker_lite",
            Kind::String,
        ) => {
            out.readable();
            if let Ok(name) = core::str::from_utf8(product.of(bytes)) {
                out.add(KRAKEN_FUTURES, name, Sureness::Sure);
            }
        }
        _ => {}
    }
    Ok(())
}

/// `timestamp` of books, else `time`, in milliseconds.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    let behind = |key: &[u8]| {
        leading_digits(value_behind::first(bytes, key)?).filter(|(_, len)| *len > 0).map(|(value, _)| value)
    };
    let ms = behind(b"\"timestamp\"").or_else(|| behind(b"\"time\""));
    ms.and_then(|ms| ms.checked_mul(1_000_000)).unwrap_or(0)
}
