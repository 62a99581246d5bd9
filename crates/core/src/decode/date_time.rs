//! Dates with their time of day, as RFC 3339 writes them in UTC.

use super::DecodeError;
use super::json::{Kind, Token};
use super::members::text;
use crate::types::TimeNs;

const MINUTE_NS: u64 = 60_000_000_000;
const S_NS: u64 = 1_000_000_000;

/// Bytes of a date and its minute: `2026-08-01T02:53`.
const MINUTE_BYTES: usize = 16;

/// The last minute that was read: times of neighbouring messages share it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Minute {
    text: [u8; MINUTE_BYTES],
    begin_ns: TimeNs,
}

impl Minute {
    /// The time of a text such as `2026-08-01T02:53:53.398143Z`, with up to nine decimals or none; 0 for the beginning of the
    /// year 1, which some programs print where they have no time; `None` for any other form, and before 1970.
    #[inline]
    pub(crate) fn time(&mut self, text: &[u8]) -> Option<TimeNs> {
        let (minute, rest) = text.split_first_chunk::<MINUTE_BYTES>()?;
        if *minute != self.text {
            self.begin_ns = minute_ns(minute)?;
            self.text = *minute;
        }
        let rest = rest.strip_prefix(b":")?.strip_suffix(b"Z")?;
        let (seconds, fraction) = rest.split_first_chunk::<2>()?;
        let seconds = number(seconds).filter(|seconds| *seconds < 60)?;
        let fraction_ns = match fraction.split_first() {
            None => 0,
            Some((b'.', digits)) if (1..=9).contains(&digits.len()) => {
                number(digits)? * 10u64.pow(9 - digits.len() as u32)
            }
            _ => return None,
        };
        self.begin_ns.checked_add(seconds * S_NS + fraction_ns)
    }
}

/// A time of a message; 0 where it has none.
pub(crate) fn time(
    minute: &mut Minute,
    token: Token,
    bytes: &[u8],
    field: &'static str,
) -> Result<TimeNs, DecodeError> {
    if token.kind == Kind::Absent {
        return Ok(0);
    }
    let (expected, got) = ("a time of RFC 3339 in UTC", "another text");
    let wrong = DecodeError::WrongType { at: token.start, field, expected, got };
    minute.time(text(token, bytes, field)?).ok_or(wrong)
}

/// The value of a text of digits alone, at most 19.
#[inline]
pub(crate) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| value * 10 + u64::from(digit))
    })
}

/// When a minute begins.
#[cold]
fn minute_ns(text: &[u8; MINUTE_BYTES]) -> Option<TimeNs> {
    if text == b"0001-01-01T00:00" {
        return Some(0);
    }
    let [year @ .., _, _, _, _, _, _, _, _, _, _, _, _] = text;
    let part = |at: usize| number(text.get(at..at + 2)?);
    let (year, month, day, hour, minute) = (number(year)?, part(5)?, part(8)?, part(11)?, part(14)?);
    let marks = [text[4], text[7], text[10], text[13]];
    let is_date = marks == *b"--T:" && year >= 1970 && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date || hour > 23 || minute > 59 {
        return None;
    }
    // Days since 1970-01-01, with years that begin in March, so that a leap day is a year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let minutes = (days.checked_sub(719_468)? * 24 + hour) * 60 + minute;
    minutes.checked_mul(MINUTE_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_and_nothing_else() {
        let mut minute = Minute::default();
        for (text, time) in [
            ("1970-01-01T00:00:00.000000Z", Some(0)),
            ("2026-08-01T02:53:53.398143Z", Some(1_785_552_833_398_143_000)),
            ("2026-08-01T02:53:54Z", Some(1_785_552_834_000_000_000)),
            ("2024-02-29T23:59:59.123456789Z", Some(1_709_251_199_123_456_789)),
            ("2024-03-01T00:00:00.1Z", Some(1_709_251_200_100_000_000)),
            ("2000-12-31T12:30:00Z", Some(978_265_800_000_000_000)),
            ("0001-01-01T00:00:00.000000Z", Some(0)),
            ("2026-08-01T02:53:60Z", None),
            ("2026-08-01T24:53:00Z", None),
            ("2026-13-01T02:53:00Z", None),
            ("2026-08-01 02:53:00Z", None),
            ("2026-08-01T02:53:00", None),
            ("2026-08-01T02:53:00.Z", None),
            ("2026-08-01T02:53:00.1234567890Z", None),
            ("2026-08-01T02:53:00+00:00", None),
            ("9999-12-31T23:59:59Z", None),
            ("1969-12-31T23:59:59Z", None),
            ("", None),
        ] {
            assert_eq!(minute.time(text.as_bytes()), time, "{text}");
        }
    }
}
