//! Lines of a collector recording, `<receive time, ns> <JSON>\n`, out of chunks cut anywhere.

use memchr::memchr;

use super::digits::leading_digits;
use super::{DecodeError, FRAME_BYTES_MAX};
use crate::types::TimeNs;

/// Longest line: the largest frame, a time of 20 digits, a space and a line end.
pub const LINE_BYTES_MAX: usize = FRAME_BYTES_MAX + 23;

/// One line of a recording and where it stands in the bytes given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Offset of its first byte. A caller that does not want the line yet has consumed the bytes before it.
    pub start: usize,
    /// Offset after its line end. A caller that took the line has consumed the bytes before that.
    pub end: usize,
    /// The recorder's receive time and the frame; or why the line is none, which concerns this line only.
    pub frame: Result<(TimeNs, &'a [u8]), DecodeError>,
}

/// Finds lines in chunk after chunk of one recording.
///
/// The bytes that a chunk's last line does not consume go in again at the head of the next chunk. Beside that the
/// framer remembers one thing: that it is passing over a line longer than [`LINE_BYTES_MAX`].
#[derive(Clone, Debug, Default)]
pub struct LineFramer {
    discarding: bool,
}

impl LineFramer {
    /// The whole lines of a chunk. A last line without line end is left for the next chunk.
    pub const fn lines<'f, 'a>(&'f mut self, bytes: &'a [u8]) -> Lines<'f, 'a> {
        Lines { framer: self, bytes, at: 0, last: false }
    }

    /// The lines of the last chunk, where the last one may lack its line end.
    pub const fn finish<'f, 'a>(&'f mut self, bytes: &'a [u8]) -> Lines<'f, 'a> {
        Lines { framer: self, bytes, at: 0, last: true }
    }
}

/// Iterator over the lines of a chunk. Empty lines are passed over; `\r\n` ends a line as `\n` does. Cost: one pass.
#[derive(Debug)]
pub struct Lines<'f, 'a> {
    framer: &'f mut LineFramer,
    bytes: &'a [u8],
    at: usize,
    last: bool,
}

impl Lines<'_, '_> {
    /// Bytes used up by the lines returned so far and by what was passed over between them.
    #[must_use]
    pub const fn consumed(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Lines<'_, 'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        loop {
            let start = self.at;
            let rest = &self.bytes[start..];
            if rest.is_empty() {
                // The recording is over, and with it the line that was passed over.
                self.framer.discarding &= !self.last;
                return None;
            }
            let (text, end) = match memchr(b'\n', rest) {
                Some(len) => (&rest[..len], start + len + 1),
                None if self.framer.discarding => (rest, self.bytes.len()),
                None if rest.len() > LINE_BYTES_MAX || self.last => (rest, self.bytes.len()),
                None => return None,
            };
            self.at = end;
            let ended = text.len() < rest.len();
            if self.framer.discarding {
                self.framer.discarding = !ended && !self.last;
                continue;
            }
            if text.len() > LINE_BYTES_MAX {
                self.framer.discarding = !ended && !self.last;
                return Some(Line { start, end, frame: Err(DecodeError::LineTooLong { len: text.len() }) });
            }
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if !text.is_empty() {
                return Some(Line { start, end, frame: split(text) });
            }
        }
    }
}

/// Takes a line apart.
#[inline]
fn split(line: &[u8]) -> Result<(TimeNs, &[u8]), DecodeError> {
    let bad = |at: usize, expected| DecodeError::BadLine { at: at as u32, expected };
    let (time, len) = leading_digits(line).ok_or_else(|| bad(0, "a receive time that fits 64 bits"))?;
    if len == 0 {
        return Err(bad(0, "a receive time in ns"));
    }
    match line.get(len..) {
        Some([b' ', payload @ ..]) if !payload.is_empty() => Ok((time, payload)),
        Some([b' ']) => Err(bad(len, "a JSON message after the receive time")),
        _ => Err(bad(len, "a space after the receive time")),
    }
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
            let mut lines =
                if pieces.peek().is_none() { framer.finish(&pending) } else { framer.lines(&pending) };
            for line in lines.by_ref() {
                taken.push(
                    line.frame
                        .map(|(time, frame)| (time, String::from_utf8_lossy(frame).into_owned()))
                        .map_err(|error| error.code()),
                );
            }
            let consumed = lines.consumed();
            pending.drain(..consumed);
        }
        assert!(pending.is_empty(), "finish uses everything up");
        taken
    }

    #[test]
    fn finds_the_same_lines_however_the_bytes_are_cut() {
        let text = b"1 {}\n\n22 {\"a\":1}\r\n\r\nx\n3\n4 \n99999999999999999999 {}\n18446744073709551615 []\n-5 {}\n6  {}\n7 {}";
        let expected: Taken = vec![
            Ok((1, "{}".into())),
            Ok((22, "{\"a\":1}".into())),
            Err("decode.bad_line"),
            Err("decode.bad_line"),
            Err("decode.bad_line"),
            Err("decode.bad_line"),
            Ok((u64::MAX, "[]".into())),
            Err("decode.bad_line"),
            Ok((6, " {}".into())),
            Ok((7, "{}".into())),
        ];
        for chunk in 1..=text.len() {
            assert_eq!(take(text, chunk), expected, "chunks of {chunk}");
        }
    }

    #[test]
    fn leaves_an_unfinished_line_for_later() {
        let mut framer = LineFramer::default();
        let mut lines = framer.lines(b"1 {}\n2 {}");
        let line = lines.next().unwrap();
        assert_eq!((line.start, line.end), (0, 5));
        assert!(lines.next().is_none());
        assert_eq!(lines.consumed(), 5);
        assert!(framer.finish(b"").next().is_none());
    }

    #[test]
    fn a_line_past_the_limit_is_one_error_and_the_next_line_counts() {
        let mut text = vec![b'7'; LINE_BYTES_MAX + 100];
        text.extend_from_slice(b"\n1 {}\n");
        let expected: Taken = vec![Err("decode.line_too_long"), Ok((1, "{}".into()))];
        for chunk in [1 << 20, LINE_BYTES_MAX + 50, text.len()] {
            assert_eq!(take(&text, chunk), expected, "chunks of {chunk}");
        }
        // A tail that looks like a line of its own belongs to the long line all the same.
        let mut tail = vec![b'x'; LINE_BYTES_MAX + 1];
        let mut framer = LineFramer::default();
        assert_eq!(framer.lines(&tail).count(), 1);
        tail = b"5 {}\n6 {}\n".to_vec();
        let times: Vec<_> = framer.lines(&tail).map(|line| line.frame.unwrap().0).collect();
        assert_eq!(times, [6]);
        // The end of the recording ends the long line too.
        assert_eq!(framer.lines(&vec![b'x'; LINE_BYTES_MAX + 1]).count(), 1);
        assert_eq!(framer.finish(b"").count(), 0);
        assert_eq!(framer.lines(b"1 {}\n").count(), 1);
    }

    #[test]
    fn a_line_may_be_given_back() {
        let bytes = b"1 {}\n2 {}\n3 {}\n";
        let mut framer = LineFramer::default();
        let line = framer.lines(bytes).find(|line| line.frame.is_ok_and(|(time, _)| time > 1)).unwrap();
        let again: Vec<_> = framer.lines(&bytes[line.start..]).map(|line| line.frame.unwrap().0).collect();
        assert_eq!(again, [2, 3]);
    }
}
