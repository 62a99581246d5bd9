//! What a frame of a recording shows of its instrument, and of its time.

use super::Arg;
use super::book::Channel;
use super::inst_type::InstType;
use super::market::is_other;
use crate::decode::DecodeError;
use crate::decode::json::{Kind, Scanner};
use crate::decode::leading_digits;
use crate::decode::members::{members, text};
use crate::types::TimeNs;
use crate::venues::room::{Sightings, Sureness};
use crate::venues::value_behind;

/// Notes the instrument of a frame: an object whose `arg` has an `instType` of this venue, a channel and a symbol.
pub(super) fn sight(bytes: &[u8], out: &mut Sightings) {
    // What cannot be read shows nothing.
    let _ = object(bytes, out);
}

fn object(bytes: &[u8], out: &mut Sightings) -> Result<(), DecodeError> {
    let mut scanner = Scanner::new(bytes, 0);
    let [arg] = members(&mut scanner, bytes, &["arg"])?;
    scanner.finish()?;
    let arg = Arg::read(arg, bytes)?;
    if Channel::of(arg.channel).is_none() && !is_other(arg.channel) || arg.name.kind == Kind::Absent {
        return Ok(());
    }
    let symbol = text(arg.name, bytes, arg.key)?;
    if let (Some(inst_type), Ok(name)) = (InstType::of(arg.inst_type, symbol), core::str::from_utf8(symbol)) {
        out.readable();
        out.add(inst_type.venue(), name, Sureness::Sure);
    }
    Ok(())
}

/// The last `ts` that a frame prints.
pub(super) fn time(bytes: &[u8]) -> TimeNs {
    let ms = value_behind::last(bytes, b"\"ts\"").and_then(leading_digits);
    ms.and_then(|(value, _)| value.checked_mul(1_000_000)).unwrap_or(0)
}
