//! Times of version 1: seconds.

use crate::decode::date_time::number;
use crate::types::TimeNs;

const S_NS: u64 = 1_000_000_000;

/// A time in seconds such as `1617666423.690142`, with up to nine decimals or none.
pub(super) fn seconds(text: &[u8]) -> Option<TimeNs> {
    let point = memchr::memchr(b'.', text);
    let (whole, fraction) = point.map_or((text, &b""[..]), |at| (&text[..at], &text[at + 1..]));
    if whole.len() > 11 || fraction.len() > 9 || point.is_some() && fraction.is_empty() {
        return None;
    }
    let fraction_ns =
        if fraction.is_empty() { 0 } else { number(fraction)? * 10u64.pow(9 - fraction.len() as u32) };
    number(whole)?.checked_mul(S_NS)?.checked_add(fraction_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_seconds_and_nothing_else() {
        for (text, time) in [
            ("1617666423.690142", Some(1_617_666_423_690_142_000)),
            ("1617666423", Some(1_617_666_423_000_000_000)),
            ("1617666423.", None),
            (".5", None),
            ("161766642x.5", None),
            ("99999999999.0", None),
            ("", None),
        ] {
            assert_eq!(seconds(text.as_bytes()), time, "{text}");
        }
    }
}
