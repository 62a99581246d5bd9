//! What a frame of a recording shows of its instrument, and of its time.

use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{items, members};
use crate::types::TimeNs;
use crate::venues::DERIBIT;
use crate::venues::room::{Sightings, Sureness};
use crate::venues::value_behind;

/// Notes the instruments of a frame.
///
/// 1. A notification of a channel of a book, of trades, of statistics or of best prices, whose data name an instrument.
/// 2. Answers with the venue's times `usIn` and `usOut`, and heartbeats, are read and name none.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    // What cannot be read shows nothing.
    let _ = object(bytes, out);
}

fn object(bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let keys = ["jsonrpc", "method", "params", "usIn", "usOut"];
    let [version, method, params, us_in, us_out] = members(&mut scanner, bytes, &keys)?;
    scanner.finish()?;
    if version.of(bytes) != b"2.0" {
        return Ok(());
    }
    if us_in.kind == Kind::Number && us_out.kind == Kind::Number {
        out.readable();
    }
    if params.kind != Kind::Object {
        return Ok(());
    }
    let keys = ["channel", "data", "type"];
    let [channel, data, kind] = members(&mut Scanner::new(bytes, params.start as usize), bytes, &keys)?;
    match method.of(bytes) {
        b"heartbeat" if matches!(kind.of(bytes), b"heartbeat" | b"test_request") => out.readable(),
        b"subscription" => {
            let of = channel.of(bytes).split(|byte| *byte == b'.').next().unwrap_or_default();
            match (of, data.kind) {
                (b"trades", Kind::Array) => {
                    items(data, bytes, "data", |scanner| {
                        let [name] = members(scanner, bytes, &["instrument_name"])?;
                        note(name, bytes, out);
                        Ok(())
                    })?;
                }
                (b"book" | b"ticker" | b"incremental_ticker" | b"quote", Kind::Object) => {
                    let mut scanner = Scanner::new(bytes, data.start as usize);
                    let [name] = members(&mut scanner, bytes, &["instrument_name"])?;
                    note(name, bytes, out);
                }
                _ => {}
            }
        }
        _ => {}
    }
    Ok(())
}

fn note(name: Token, bytes: &[u8], out: &mut Sightings) {
    if name.kind == Kind::String
        && let Ok(name) = core::str::from_utf8(name.of(bytes))
    {
        out.readable();
        out.add(DERIBIT, name, Sureness::Sure);
    }
}

/// The last `timestamp` of a frame, in milliseconds; of an answer `usOut`, in microseconds.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    let behind = |key: &[u8]| {
        crate::decode::leading_digits(value_behind::last(bytes, key)?)
            .filter(|(_, len)| *len > 0)
            .map(|(value, _)| value)
    };
    let of_answer = || behind(b"\"usOut\"")?.checked_mul(1_000);
    behind(b"\"timestamp\"").and_then(|ms| ms.checked_mul(1_000_000)).or_else(of_answer).unwrap_or(0)
}
