//! Lines of text out of chunks cut anywhere.

use core::ops::Range;

use memchr::memchr;

use super::error::RecordingError;
use super::format::BYTE_ORDER_MARK;

/// One line and where it stands in the bytes given.
pub(super) struct Line {
    /// Offset of its first byte.
    pub start: usize,
    /// The line without its end, a carriage return included, and without a byte order mark; or why it is none.
    pub text: Result<Range<usize>, RecordingError>,
}

/// Finds lines in chunk after chunk. Empty ones are passed over; `\r\n` ends a line as `\n` does. A byte order mark is
/// passed over at the head of any line, so that files may be put together.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    /// A line that is too long is being passed over.
    discarding: bool,
    /// Bytes of the line begun that are known to hold no end.
    searched: usize,
}

impl Lines {
    /// Whether the next byte is the first of a line.
    #[inline]
    pub(super) const fn are_at_a_line(&self) -> bool {
        !self.discarding && self.searched == 0
    }

    /// The next whole line from `at` on, which moves behind it; or to the line that is not whole yet. A line of more
    /// than `max` bytes is one error.
    pub(super) fn next(&mut self, bytes: &[u8], at: &mut usize, last: bool, max: usize) -> Option<Line> {
        loop {
            let start = *at;
            let rest = bytes.get(start..).unwrap_or_default();
            if rest.is_empty() {
                self.discarding &= !last;
                self.searched = 0;
                return None;
            }
            let searched = self.searched.min(rest.len());
            let found = memchr(b'\n', &rest[searched..]).map(|len| searched + len);
            let len = found.unwrap_or(rest.len());
            if found.is_none() && !last && !self.discarding && len <= max {
                self.searched = len;
                return None;
            }
            self.searched = 0;
            *at = start + len + usize::from(found.is_some());
            let ended = found.is_some() || last;
            if self.discarding {
                self.discarding = !ended;
                continue;
            }
            if len > max {
                self.discarding = !ended;
                return Some(Line { start, text: Err(RecordingError::LineTooLong { max, len }) });
            }
            let text = &rest[..len];
            let begin = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
            let end = len - usize::from(text.ends_with(b"\r"));
            if begin < end {
                return Some(Line { start, text: Ok(start + begin..start + end) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds a text in chunks of one size; errors are told by their code.
    fn take(text: &[u8], chunk: usize, max: usize) -> Vec<String> {
        let (mut lines, mut pending, mut taken) = (Lines::default(), Vec::new(), Vec::new());
        let mut pieces = text.chunks(chunk).peekable();
        while let Some(piece) = pieces.next() {
            pending.extend_from_slice(piece);
            let (mut at, last) = (0, pieces.peek().is_none());
            while let Some(line) = lines.next(&pending, &mut at, last, max) {
                assert!(line.start < at);
                taken.push(match line.text {
                    Ok(text) => String::from_utf8_lossy(&pending[text]).into_owned(),
                    Err(error) => error.code().to_owned(),
                });
            }
            pending.drain(..at);
        }
        assert!(pending.is_empty(), "the end uses everything up");
        taken
    }

    #[test]
    fn finds_the_same_lines_however_the_bytes_are_cut() {
        let text = b"\xEF\xBB\xBFone\n\ntwo\r\n\r\n\xEF\xBB\xBFthree\n\xEF\xBB\xBF\n four";
        for chunk in 1..=text.len() {
            assert_eq!(take(text, chunk, 20), ["one", "two", "three", " four"], "chunks of {chunk}");
        }
    }

    #[test]
    fn a_line_past_the_limit_is_one_error_and_the_next_line_counts() {
        let text = [&[b'7'; 40][..], b"\n1\n", &[b'8'; 21]].concat();
        for chunk in 1..=text.len() {
            let taken = take(&text, chunk, 20);
            assert_eq!(taken, ["recording.line_too_long", "1", "recording.line_too_long"], "{chunk}");
        }
        assert_eq!(take(&[b'7'; 20], 3, 20).len(), 1);
    }
}
