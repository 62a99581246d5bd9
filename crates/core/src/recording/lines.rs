//! Lines out of chunks cut anywhere, and the form `<receive time> <JSON>`.

use memchr::memchr;

use super::RecordingError;
use crate::decode::{FRAME_BYTES_MAX, leading_digits};
use crate::types::TimeNs;

/// Longest line: the largest frame with every byte escaped, an address and a time.
pub const LINE_BYTES_MAX: usize = 2 * FRAME_BYTES_MAX;

/// One line and where it stands in the bytes given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) start: usize,
    /// Offset after its line end.
    pub(super) end: usize,
    pub(super) text: Result<&'a [u8], RecordingError>,
}

/// Finds lines in chunk after chunk. Remembers one thing: that it is passing over a line longer than [`LINE_BYTES_MAX`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LineFramer {
    is_discarding: bool,
}

impl LineFramer {
    /// The next line from `at` on that is not empty; `\r\n` ends one as `\n` does. `None`: the rest is the beginning of a
    /// line, and starts at the offset returned. A last line may lack its line end.
    pub(super) fn next<'a>(&mut self, bytes: &'a [u8], mut at: usize, last: bool) -> Result<Line<'a>, usize> {
        loop {
            let start = at;
            let rest = bytes.get(start..).unwrap_or_default();
            if rest.is_empty() {
                // The recording is over, and with it the line that was passed over.
                self.is_discarding &= !last;
                return Err(start);
            }
            let (text, end) = match memchr(b'\n', rest) {
                Some(len) => (&rest[..len], start + len + 1),
                None if self.is_discarding || rest.len() > LINE_BYTES_MAX || last => (rest, bytes.len()),
                None => return Err(start),
            };
            at = end;
            let is_ended = text.len() < rest.len();
            if self.is_discarding {
                self.is_discarding = !is_ended && !last;
                continue;
            }
            if text.len() > LINE_BYTES_MAX {
                self.is_discarding = !is_ended && !last;
                let error = RecordingError::LineTooLong { len: text.len() };
                return Ok(Line { start, end, text: Err(error) });
            }
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if !text.is_empty() {
                return Ok(Line { start, end, text: Ok(text) });
            }
        }
    }
}

/// Takes a line `<receive time> <JSON>` apart.
#[inline]
pub(super) fn split(line: &[u8]) -> Result<(TimeNs, &[u8]), RecordingError> {
    let bad = |at: usize, expected| RecordingError::BadLine { at: at as u32, expected };
    let (time, len) = leading_digits(line).ok_or_else(|| bad(0, "a receive time that fits 64 bits"))?;
    if len == 0 {
        return Err(bad(0, "a receive time"));
    }
    match line.get(len..) {
        Some([b' ', payload @ ..]) if !payload.is_empty() => Ok((in_ns(time), payload)),
        Some([b' ']) => Err(bad(len, "a JSON message after the receive time")),
        _ => Err(bad(len, "a space after the receive time")),
    }
}

/// A receive time in ns. Recorders write ns; what is a date of 2001 to 2100 in µs, ms or s is taken for that: the ranges
/// are far apart, and as ns each would be a moment of January 1970.
#[inline]
pub(super) const fn in_ns(time: u64) -> TimeNs {
    /// 2001 to 2100, in seconds.
    const FIRST: u64 = 978_307_200;
    const LAST: u64 = 4_102_444_800;
    if time >= FIRST * 1_000_000_000 || time < FIRST {
        return time;
    }
    let mut unit = 1_000_000_000;
    while unit >= 1_000 {
        let per_second = 1_000_000_000 / unit;
        if time >= FIRST * per_second && time < LAST * per_second {
            return time * unit;
        }
        unit /= 1_000;
    }
    time
}

/// A time printed as seconds, `1617666423.1245198`, exact to the ns: digits beyond are dropped. With the bytes it takes.
pub(super) fn seconds(text: &[u8]) -> Option<(TimeNs, usize)> {
    let (whole, len) = leading_digits(text)?;
    let mut ns = whole.checked_mul(1_000_000_000).filter(|_| len > 0)?;
    let mut at = len;
    if text.get(at) == Some(&b'.') {
        at += 1;
        let mut unit = 100_000_000;
        while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            ns = ns.checked_add(u64::from(digit) * unit)?;
            unit /= 10;
            at += 1;
        }
    }
    Some((ns, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Taken = Vec<Result<(TimeNs, String), &'static str>>;

    /// Feeds a text in chunks of one size, as a reader of a file does.
    fn take(text: &[u8], chunk: usize) -> Taken {
        let mut framer = LineFramer::default();
        let mut pending = Vec::new();
        let mut taken = Vec::new();
        let mut pieces = text.chunks(chunk).peekable();
        while let Some(piece) = pieces.next() {
            pending.extend_from_slice(piece);
            let mut at = 0;
            let consumed = loop {
                match framer.next(&pending, at, pieces.peek().is_none()) {
                    Ok(line) => {
                        at = line.end;
                        let read = line.text.and_then(split);
                        taken.push(
                            read.map(|(time, frame)| (time, String::from_utf8_lossy(frame).into_owned()))
                                .map_err(|error| error.code()),
                        );
                    }
                    Err(consumed) => break consumed,
                }
            };
            pending.drain(..consumed);
        }
        assert!(pending.is_empty(), "the last chunk uses everything up");
        taken
    }

    #[test]
    fn finds_the_same_lines_however_the_bytes_are_cut() {
        let text = b"1 {}\n\n22 {\"a\":1}\r\n\r\nx\n3\n4 \n99999999999999999999 {}\n18446744073709551615 []\n-5 {}\n6  {}\n7 {}";
        let expected: Taken = vec![
            Ok((1, "{}".into())),
            Ok((22, "{\"a\":1}".into())),
            Err("recording.bad_line"),
            Err("recording.bad_line"),
            Err("recording.bad_line"),
            Err("recording.bad_line"),
            Ok((u64::MAX, "[]".into())),
            Err("recording.bad_line"),
            Ok((6, " {}".into())),
            Ok((7, "{}".into())),
        ];
        for chunk in 1..=text.len() {
            assert_eq!(take(text, chunk), expected, "chunks of {chunk}");
        }
    }

    #[test]
    fn a_line_past_the_limit_is_one_error_and_the_next_line_counts() {
        let mut text = vec![b'7'; LINE_BYTES_MAX + 100];
        text.extend_from_slice(b"\n1 {}\n");
        let expected: Taken = vec![Err("recording.line_too_long"), Ok((1, "{}".into()))];
        for chunk in [1 << 20, LINE_BYTES_MAX + 50, text.len()] {
            assert_eq!(take(&text, chunk), expected, "chunks of {chunk}");
        }
        // A tail that looks like a line of its own belongs to the long line all the same.
        let mut framer = LineFramer::default();
        assert!(framer.next(&vec![b'x'; LINE_BYTES_MAX + 1], 0, false).is_ok_and(|line| line.text.is_err()));
        assert_eq!(framer.next(b"5 {}\n6 {}\n", 0, false).map(|line| line.text), Ok(Ok(&b"6 {}"[..])));
        // The end of the recording ends the long line too.
        assert!(framer.next(&vec![b'x'; LINE_BYTES_MAX + 1], 0, false).is_ok());
        assert_eq!(framer.next(b"", 0, true), Err(0));
        assert_eq!(framer.next(b"1 {}\n", 0, false).map(|line| line.text), Ok(Ok(&b"1 {}"[..])));
    }

    #[test]
    fn the_unit_of_a_receive_time_is_that_in_which_it_is_a_date() {
        let ns = 1_721_347_021_123_456_789;
        for (time, expected) in [
            (ns, ns),
            (ns / 1_000, ns / 1_000 * 1_000),
            (ns / 1_000_000, ns / 1_000_000 * 1_000_000),
            (ns / 1_000_000_000, ns / 1_000_000_000 * 1_000_000_000),
            (0, 0),
            (1, 1),
            (978_307_199, 978_307_199),
            (50_000_000_000, 50_000_000_000),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(in_ns(time), expected, "{time}");
        }
    }

    #[test]
    fn seconds_are_exact() {
        for (text, ns) in [
            ("1617666423.1245198", Some((1_617_666_423_124_519_800, 18))),
            ("1617666423: ", Some((1_617_666_423_000_000_000, 10))),
            ("1.0000000019 ", Some((1_000_000_001, 12))),
            (".5", None),
            ("x", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(seconds(text.as_bytes()), ns, "{text}");
        }
    }
}
