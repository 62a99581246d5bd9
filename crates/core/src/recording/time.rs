//! Receive times of recordings, read exactly: no float.

use super::error::RecordingError;
use crate::decode::{eight_printed, leading_digits};
use crate::types::TimeNs;

const NS_PER_S: u64 = 1_000_000_000;

/// Finds out in which unit a file states its receive times.
///
/// Its first time decides what kind of clock it was. One of 10, 13, 16 or 19 digits is the time of day since 1970 in
/// seconds, milli-, micro- or nanoseconds: each of these counts of digits holds the years 2001 to 2286 and no other
/// unit's. From then on each time is scaled by its own digits, so that recordings of several units may be put together;
/// a time of another count is refused, for it could only be guessed. A file whose first time has any other count counts
/// nanoseconds from a zero of its own (a monotonic clock, a simulated one), and so do all its times, whatever their
/// digits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    kind: Kind,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Unknown,
    TimeOfDay,
    OwnZero,
}

impl Clock {
    /// Whether the file's first time has been seen.
    #[inline]
    pub(super) const fn is_known(&self) -> bool {
        !matches!(self.kind, Kind::Unknown)
    }

    /// A receive time of so many digits in ns.
    #[inline]
    pub(super) fn time_ns(&mut self, value: u64, digits: usize) -> Result<TimeNs, RecordingError> {
        let scale = match digits {
            19 => Some(1),
            16 => Some(1_000),
            13 => Some(1_000_000),
            10 => Some(NS_PER_S),
            _ => None,
        };
        if self.kind == Kind::Unknown {
            self.kind = if scale.is_some() { Kind::TimeOfDay } else { Kind::OwnZero };
        }
        match scale {
            _ if self.kind == Kind::OwnZero => Ok(value),
            // 10 digits at 10⁹ end at 10¹⁹, which 64 bits hold.
            Some(scale) => Ok(value * scale),
            None => Err(RecordingError::UnknownTimeUnit { digits: digits.min(255) as u8 }),
        }
    }
}

/// Digits of a time of day in nanoseconds.
pub(super) const NS_DIGITS: usize = 19;

/// A time of [`NS_DIGITS`] digits with a space behind it.
#[inline]
pub(super) fn time_of_day(stamp: &[u8; NS_DIGITS + 1]) -> Option<TimeNs> {
    let ([seconds, part], [hundreds, tens, ones, b' ']) = stamp.as_chunks::<8>() else { return None };
    let digit = |byte: &u8| Some(u64::from(byte.wrapping_sub(b'0'))).filter(|digit| *digit < 10);
    let last = digit(hundreds)? * 100 + digit(tens)? * 10 + digit(ones)?;
    Some((eight_printed(seconds)? * 100_000_000 + eight_printed(part)?) * 1_000 + last)
}

/// The time that a text begins with, in seconds with or without a fraction, and how many bytes it takes. Digits below
/// a nanosecond are dropped. `None` where there is none, or none that 64 bits hold.
pub(super) fn leading_seconds(text: &[u8]) -> Option<(TimeNs, usize)> {
    let (seconds, mut len) = leading_digits(text).filter(|&(_, len)| len > 0)?;
    let mut ns = seconds.checked_mul(NS_PER_S)?;
    if text.get(len) == Some(&b'.') {
        len += 1;
        let mut unit = NS_PER_S / 10;
        while let Some(digit) = text.get(len).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10)
        {
            ns = ns.checked_add(unit * u64::from(digit))?;
            unit /= 10;
            len += 1;
        }
    }
    Some((ns, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_of_a_time_of_day_tell_its_unit() {
        let mut clock = Clock::default();
        for (value, digits, ns) in [
            (1_721_347_021, 10, 1_721_347_021_000_000_000),
            (1_721_347_021_500, 13, 1_721_347_021_500_000_000),
            (1_721_347_021_500_001, 16, 1_721_347_021_500_001_000),
            (1_721_347_021_500_001_002, 19, 1_721_347_021_500_001_002),
            (9_999_999_999, 10, 9_999_999_999_000_000_000),
        ] {
            assert_eq!(Clock::default().time_ns(value, digits), Ok(ns), "alone");
            assert_eq!(clock.time_ns(value, digits), Ok(ns), "together");
        }
        for digits in [1, 9, 11, 12, 14, 15, 17, 18, 20] {
            let refused = RecordingError::UnknownTimeUnit { digits: digits as u8 };
            assert_eq!(clock.time_ns(5, digits), Err(refused));
        }
    }

    #[test]
    fn a_clock_of_its_own_zero_is_never_scaled() {
        let mut clock = Clock::default();
        for (value, digits) in [(1, 1), (1_721_347_021, 10), (201_603_688_723_400, 15), (u64::MAX, 20)] {
            assert_eq!(clock.time_ns(value, digits), Ok(value));
        }
    }

    #[test]
    fn seconds_are_exact_to_the_nanosecond() {
        for (text, time) in [
            (&b"1646003666.6408682"[..], Some((1_646_003_666_640_868_200, 18))),
            (b"1617643607.334008: {", Some((1_617_643_607_334_008_000, 17))),
            (b"1617643607: {", Some((1_617_643_607_000_000_000, 10))),
            (b"0.0000000019", Some((1, 12))),
            (b"1.", Some((1_000_000_000, 2))),
            (b"18446744073.709551615", Some((u64::MAX, 21))),
            (b"18446744073.709551616", None),
            (b"18446744074", None),
            (b"99999999999999999999", None),
            (b"", None),
            (b".5", None),
            (b"-1", None),
        ] {
            assert_eq!(leading_seconds(text), time, "{}", text.escape_ascii());
        }
    }
}
