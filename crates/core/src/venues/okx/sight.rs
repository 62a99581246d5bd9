//! What a frame of a recording shows of its instrument, and of its time.

use super::book::Channel;
use super::market::CHANNELS;
use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner};
use crate::decode::leading_digits;
use crate::decode::members::members;
use crate::types::TimeNs;
use crate::venues::OKX;
use crate::venues::room::{Sightings, Sureness};
use crate::venues::value_behind;

/// Notes the instrument of a frame: an object whose `arg` has a `channel` and an `instId` but no `instType`, which another
/// venue of this form always has beside it.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    // What cannot be read shows nothing.
    let _ = object(bytes, out);
}

fn object(bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [arg] = members(&mut scanner, bytes, &["arg"])?;
    scanner.finish()?;
    if arg.kind != Kind::Object {
        return Ok(());
    }
    let keys = ["channel", "instId", "instType"];
    let [channel, name, kind] = members(&mut Scanner::new(bytes, arg.start as usize), bytes, &keys)?;
    let channel = channel.of(bytes);
    let is_known = Channel::of(channel).is_some() || CHANNELS.contains(&channel);
    // The name of an index is not that of an instrument.
    if !is_known || kind.kind != Kind::Absent || channel == b"index-tickers" {
        return Ok(());
    }
    if let (Kind::String, Ok(name)) = (name.kind, core::str::from_utf8(name.of(bytes))) {
        out.readable();
        out.add(OKX, name, Sureness::Sure);
    }
    Ok(())
}

/// The last `ts` that a frame prints.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    let ms = value_behind::last(bytes, b"\"ts\"").and_then(leading_digits);
    ms.and_then(|(value, _)| value.checked_mul(1_000_000)).unwrap_or(0)
}
