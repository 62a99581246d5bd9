//! Frames with their lengths:
//!
//! ```text
//! CBCAP1 VENUE SYMBOL WALL_NS
//! MONOTONIC_NS LENGTH
//! …LENGTH bytes…
//! ```
//! The clock of the frames is monotonic; the first frame is taken for the wall time of the head.

use memchr::memchr;

use super::RecordingError;
use crate::decode::{FRAME_BYTES_MAX, leading_digits};
use crate::types::TimeNs;

/// Longest line of the head and of a frame's head.
const HEAD_BYTES_MAX: usize = 256;

/// What stands next.
pub(super) enum Next<'a> {
    Frame { ts: TimeNs, bytes: &'a [u8], start: usize, end: usize },
    Bad(RecordingError),
    More,
}

/// Reads blocks one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Blocks {
    /// Wall time of the head, once it is read, and the clock of the first frame.
    wall: Option<TimeNs>,
    first: Option<u64>,
}

impl Blocks {
    /// The next block from `at` on.
    pub(super) fn next<'a>(&mut self, bytes: &'a [u8], mut at: usize) -> Next<'a> {
        if self.wall.is_none() {
            let Some((line, behind)) = line(bytes, at) else { return self.more(bytes, at) };
            let wall = line.rsplit(|byte| *byte == b' ').next().and_then(number);
            let Some(wall) = wall else { return bad("a wall time in ns at the end of the first line") };
            self.wall = Some(wall);
            at = behind;
        }
        let Some((head, behind)) = line(bytes, at) else { return self.more(bytes, at) };
        let mut parts = head.split(|byte| *byte == b' ');
        let (clock, len) = (parts.next().and_then(number), parts.next().and_then(number));
        let (Some(clock), Some(len), None) = (clock, len, parts.next()) else {
            return bad("a time in ns and a length");
        };
        let Some(len) = usize::try_from(len).ok().filter(|len| *len <= FRAME_BYTES_MAX) else {
            return bad("a length of at most 8 MiB");
        };
        let Some(frame) = bytes.get(behind..behind + len) else { return Next::More };
        match bytes.get(behind + len) {
            Some(b'\n') => {}
            Some(_) => return bad("a line end behind the frame"),
            None => return Next::More,
        }
        let first = *self.first.get_or_insert(clock);
        let ts = self.wall.unwrap_or(0).saturating_add(clock.saturating_sub(first));
        Next::Frame { ts, bytes: frame, start: at, end: behind + len + 1 }
    }

    const fn more<'a>(&self, bytes: &[u8], at: usize) -> Next<'a> {
        if bytes.len() - at > HEAD_BYTES_MAX { bad("a line end") } else { Next::More }
    }
}

const fn bad<'a>(expected: &'static str) -> Next<'a> {
    Next::Bad(RecordingError::BadLine { at: 0, expected })
}

/// The line at `at` and the offset behind it.
fn line(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(at..)?;
    let head = rest.get(..HEAD_BYTES_MAX).unwrap_or(rest);
    let len = memchr(b'\n', head)?;
    Some((&head[..len], at + len + 1))
}

fn number(text: &[u8]) -> Option<u64> {
    leading_digits(text).filter(|(_, len)| *len > 0 && *len == text.len()).map(|(value, _)| value)
}
