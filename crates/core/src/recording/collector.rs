//! Lines of a collector: `<receive time> <frame>`, and those with the event's name between the two.

use memchr::memchr;

use super::entry::{Span, Step, What};
use super::error::RecordingError;
use super::format::is_name_byte;
use super::lines::Lines;
use super::time::{Clock, NS_DIGITS, time_of_day};
use crate::decode::{FRAME_BYTES_MAX, leading_digits};
use crate::types::TimeNs;

/// Longest line: the largest frame, a time of 20 digits, a space and a line end.
const LINE_BYTES_MAX: usize = FRAME_BYTES_MAX + 23;

/// Reads lines `<receive time> <frame>`. The unit of the times is told by their digits (see [`Clock`]).
///
/// Where lines name the event (`<receive time> <name> <frame>`), the name is a part of what was received: without it
/// the frame does not say what it is.
#[derive(Clone, Debug)]
pub(super) struct Collector {
    names: bool,
    lines: Lines,
    clock: Clock,
}

impl Collector {
    pub(super) fn new(names: bool) -> Self {
        Self { names, lines: Lines::default(), clock: Clock::default() }
    }

    pub(super) const fn has_names(&self) -> bool {
        self.names
    }

    /// The line at the head of `rest`, where it is whole and of the usual form: a time of day in ns, a space, what was
    /// received. Its length too, line end included. Any other line is for [`Self::next`].
    #[inline]
    pub(super) fn whole<'a>(&self, rest: &'a [u8]) -> Option<(TimeNs, &'a [u8], usize)> {
        if self.names || !self.lines.are_at_a_line() || !self.clock.is_known() {
            return None;
        }
        let (stamp, _) = rest.split_first_chunk::<{ NS_DIGITS + 1 }>()?;
        let ts = time_of_day(stamp)?;
        let payload = rest.get(stamp.len()..)?;
        let len = memchr(b'\n', payload)?;
        let payload = payload.get(..len).filter(|payload| !matches!(payload, [] | [.., b'\r']))?;
        (len < FRAME_BYTES_MAX).then_some((ts, payload, stamp.len() + len + 1))
    }

    #[inline]
    pub(super) fn next(&mut self, bytes: &[u8], at: &mut usize, last: bool) -> Option<Step> {
        let line = self.lines.next(bytes, at, last, LINE_BYTES_MAX)?;
        let split = line.text.and_then(|text| {
            let (ts, payload) = self.split(bytes.get(text.clone()).unwrap_or_default())?;
            Ok((ts, Span::given(text.start + payload..text.end)))
        });
        Some(match split {
            Ok((ts, payload)) => Step { start: line.start, ts, what: Ok(What::Received(0, payload)) },
            Err(error) => Step { start: line.start, ts: 0, what: Err(error) },
        })
    }

    /// The time of a line and where its payload begins.
    #[inline]
    fn split(&mut self, line: &[u8]) -> Result<(TimeNs, usize), RecordingError> {
        let bad = |at: usize, expected| RecordingError::BadLine { at: at as u32, expected };
        let (time, len) = leading_digits(line).ok_or_else(|| bad(0, "a receive time that fits 64 bits"))?;
        if len == 0 {
            return Err(bad(0, "a receive time"));
        }
        match line.get(len..) {
            Some([b' ', payload @ ..]) if !payload.is_empty() => {
                if self.names {
                    let name = payload.iter().take_while(|byte| is_name_byte(**byte)).count();
                    if name == 0 || !matches!(payload.get(name..), Some([b' ', _, ..])) {
                        return Err(bad(len + 1 + name, "the event's name and its message"));
                    }
                }
                Ok((self.clock.time_ns(time, len)?, len + 1))
            }
            Some([b' ']) => Err(bad(len, "a message after the receive time")),
            _ => Err(bad(len, "a space after the receive time")),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::recording::told::{told, told_cut_anywhere};

    #[test]
    fn lines_are_told_with_their_times() {
        let text = b"\xEF\xBB\xBF1721347021000000001 {}\n\n1721347021000000002 {\"a\":1}\r\n\r\nx\n3\n4 \n\
            99999999999999999999 {}\n-5 {}\n1721347021000000003  {}\n1721347021000000004 []";
        assert_eq!(
            told_cut_anywhere(text),
            [
                "1721347021000000001 received 0 {}",
                "1721347021000000002 received 0 {\"a\":1}",
                "recording.bad_line",
                "recording.bad_line",
                "recording.bad_line",
                "recording.bad_line",
                "recording.bad_line",
                "1721347021000000003 received 0  {}",
                "1721347021000000004 received 0 []",
            ]
        );
    }

    #[test]
    fn times_of_any_unit_are_told_in_ns() {
        assert_eq!(
            told_cut_anywhere(
                b"1721347021 {}\n1721347021001 {}\n1721347021000002 {}\n1721347021000000003 {}\n172 {}\n"
            ),
            [
                "1721347021000000000 received 0 {}",
                "1721347021001000000 received 0 {}",
                "1721347021000002000 received 0 {}",
                "1721347021000000003 received 0 {}",
                "recording.unknown_time_unit",
            ]
        );
        assert_eq!(told(b"1 {}\n1721347021 {}\n"), ["1 received 0 {}", "1721347021 received 0 {}"]);
    }

    #[test]
    fn a_name_is_a_part_of_what_was_received() {
        assert_eq!(
            told_cut_anywhere(
                b"1430438404518 order_created {\"id\":1}\n1430438404519 trade {}\n1430438404520 {}\n"
            ),
            [
                "1430438404518000000 received 0 order_created {\"id\":1}",
                "1430438404519000000 received 0 trade {}",
                "recording.bad_line",
            ]
        );
    }
}
