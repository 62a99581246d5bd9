//! The cbcap form: frames untouched, each behind a line `MONO_NS LENGTH`, under a first line `CBCAP1 VENUE SYMBOL WALL_NS`.

use memchr::{memchr, memrchr};

use super::connections::Connections;
use super::entry::{Span, Step, What};
use super::error::RecordingError;
use crate::decode::{FRAME_BYTES_MAX, leading_digits};
use crate::types::TimeNs;

const MAGIC: &[u8] = b"CBCAP1 ";

/// Longest line in front of a frame, and longest first line.
const HEAD_BYTES_MAX: usize = 512;

/// Reads the form. The first line is where the connection begins; its address is the text between the magic word and
/// the time, venue and symbol.
///
/// Frames are stamped by a monotonic clock. The first line's wall clock is taken for the first frame, and the others
/// stand as far from it as their stamps do: distances are exact, and all are off by what passed between the first line
/// and the first frame.
#[derive(Clone, Debug, Default)]
pub(super) struct Cbcap {
    wall: TimeNs,
    first_mono: Option<TimeNs>,
    /// Where the next frame begins is not known: lines are passed over until one is such as stands before a frame.
    is_lost: bool,
    /// What comes next is the rest of a line that is none.
    is_within: bool,
    /// Bytes of a too large frame that are still to be passed over.
    skip: usize,
}

/// What a line in front of a frame says, or the first line.
enum Head {
    File { address: (usize, usize), wall: TimeNs },
    Frame { mono: TimeNs, len: usize },
}

impl Cbcap {
    pub(super) fn next(
        &mut self,
        connections: &mut Connections,
        bytes: &[u8],
        at: &mut usize,
        last: bool,
    ) -> Option<Step> {
        loop {
            let here = self.skip.min(bytes.len().saturating_sub(*at));
            self.skip -= here;
            *at += here;
            let start = *at;
            let rest = bytes.get(start..).unwrap_or_default();
            if self.is_within && !rest.is_empty() {
                let end = memchr(b'\n', rest);
                *at = end.map_or(bytes.len(), |len| start + len + 1);
                self.is_within = end.is_none();
                continue;
            }
            if rest.is_empty() {
                if last && self.skip > 0 {
                    let expected = core::mem::take(&mut self.skip);
                    return Some(Step::refused(start, RecordingError::Truncated { expected, got: 0 }));
                }
                return None;
            }
            let within = &rest[..rest.len().min(HEAD_BYTES_MAX)];
            let line_len = match memchr(b'\n', within) {
                Some(len) => len,
                None if within.len() < HEAD_BYTES_MAX && !last => return None,
                None if last && within.len() < HEAD_BYTES_MAX && !self.is_lost => {
                    *at = bytes.len();
                    let got = rest.len();
                    return Some(Step::refused(start, RecordingError::Truncated { expected: got + 1, got }));
                }
                None => {
                    // A piece without an end is the beginning of a line, whose rest is none either.
                    let end = memchr(b'\n', rest);
                    *at = end.map_or(bytes.len(), |len| start + len + 1);
                    self.is_within = end.is_none() && !last;
                    match self.lose(start, 0) {
                        Some(step) => return Some(step),
                        None => continue,
                    }
                }
            };
            let body_at = line_len + 1;
            match head(&within[..line_len]) {
                Some(Head::File { address: (from, to), wall }) => {
                    *at = start + body_at;
                    (self.wall, self.first_mono, self.is_lost) = (wall, None, false);
                    let address = &within[from..to];
                    let line = connections.named(address).and_then(|line| {
                        connections.set_address(line, address)?;
                        Ok(What::Connected(line))
                    });
                    return Some(Step { start, ts: wall, what: line });
                }
                Some(Head::Frame { len, .. }) if len > FRAME_BYTES_MAX => {
                    if self.is_lost {
                        *at = start + body_at;
                        continue;
                    }
                    *at = start + body_at;
                    self.skip = len.saturating_add(1);
                    return Some(Step::refused(start, RecordingError::FrameTooLarge { len }));
                }
                Some(Head::Frame { mono, len }) => {
                    let end = body_at + len;
                    match rest.get(end) {
                        Some(b'\n') => *at = start + end + 1,
                        None if !last => return None,
                        // The last line end may be missing.
                        None if rest.len() == end => *at = bytes.len(),
                        None if !self.is_lost => {
                            *at = bytes.len();
                            let error =
                                RecordingError::Truncated { expected: len, got: rest.len() - body_at };
                            return Some(Step::refused(start, error));
                        }
                        // The length is not that of the frame behind it.
                        _ => {
                            *at = start + body_at;
                            match self.lose(start, line_len) {
                                Some(step) => return Some(step),
                                None => continue,
                            }
                        }
                    }
                    self.is_lost = false;
                    let first = *self.first_mono.get_or_insert(mono);
                    let ts = self.wall.saturating_add_signed(mono.wrapping_sub(first).cast_signed());
                    let frame = Span::given(start + body_at..start + end);
                    return Some(Step { start, ts, what: Ok(What::Received(connections.current(), frame)) });
                }
                None => {
                    *at = start + body_at;
                    if let Some(step) = self.lose(start, 0) {
                        return Some(step);
                    }
                }
            }
        }
    }

    /// Tells once that a line is none.
    fn lose(&mut self, start: usize, at: usize) -> Option<Step> {
        let error =
            RecordingError::BadLine { at: at as u32, expected: "the time and length of the frame behind it" };
        (!core::mem::replace(&mut self.is_lost, true)).then(|| Step::refused(start, error))
    }
}

fn head(line: &[u8]) -> Option<Head> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let whole = |text: &[u8]| leading_digits(text).filter(|&(_, len)| len > 0 && len == text.len());
    if line.starts_with(MAGIC) {
        let space = memrchr(b' ', line)?;
        let (wall, _) = whole(&line[space + 1..])?;
        return Some(Head::File { address: (MAGIC.len(), space.max(MAGIC.len())), wall });
    }
    let space = memchr(b' ', line)?;
    let (mono, _) = whole(&line[..space])?;
    let (len, _) = whole(&line[space + 1..])?;
    Some(Head::Frame { mono, len: usize::try_from(len).ok()? })
}

#[cfg(test)]
mod tests {
    use crate::recording::told::{told, told_cut_anywhere};

    #[test]
    fn frames_stand_as_far_apart_as_the_monotonic_clock_says() {
        let text =
            b"CBCAP1 v A/B 1785552832693693000\n201603688723400 10\n{\"a\":\n\"b\"}\n201603688723500 2\n{}\n\
            201603688723300 0\n\n201603688723401 2\n[]";
        assert_eq!(
            told_cut_anywhere(text),
            [
                "1785552832693693000 connected 0 v A/B",
                "1785552832693693000 received 0 {\"a\":\n\"b\"}",
                "1785552832693693100 received 0 {}",
                "1785552832693692900 received 0 ",
                "1785552832693693001 received 0 []",
            ]
        );
    }

    #[test]
    fn a_second_file_in_the_stream_has_its_own_clock() {
        let text = b"CBCAP1 v A/B 1785552832000000000\n5 2\n{}\nCBCAP1 v C/D 1785552833000000000\n7 2\n[]\n";
        assert_eq!(
            told_cut_anywhere(text),
            [
                "1785552832000000000 connected 0 v A/B",
                "1785552832000000000 received 0 {}",
                "1785552833000000000 connected 1 v C/D",
                "1785552833000000000 received 1 []",
            ]
        );
    }

    #[test]
    fn after_damage_the_next_frame_counts() {
        let text = b"CBCAP1 v A/B 1785552832000000000\n5 3\n{}\n6 2\n{}\nx\ny\n7 2\n[]\n8 9\n{}";
        assert_eq!(
            told_cut_anywhere(text),
            [
                "1785552832000000000 connected 0 v A/B",
                "recording.bad_line",
                "1785552832000000000 received 0 {}",
                "recording.bad_line",
                "1785552832000000001 received 0 []",
                "recording.truncated",
            ]
        );
        let too_large = b"CBCAP1 v A/B 1785552832000000000\n5 99999999\n{}";
        assert_eq!(told(too_large)[1..], ["recording.frame_too_large", "recording.truncated"]);
        let long = [&b"CBCAP1 v A/B 1785552832000000000\n"[..], &[b'x'; 2_000], b"\n5 2\n{}\n"].concat();
        assert_eq!(
            told_cut_anywhere(&long)[1..],
            ["recording.bad_line", "1785552832000000000 received 0 {}"]
        );
        assert_eq!(told(b"CBCAP1 v A/B 17855528320000")[..], ["recording.truncated"]);
    }
}
