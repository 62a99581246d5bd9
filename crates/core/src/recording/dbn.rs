//! DBN: metadata, and all but a whole record, which the transcript takes itself.

use super::entry::{Span, Step, What};
use super::error::RecordingError;
use crate::framing::dbn::{DbnError, MAGIC, Metadata};

/// Bytes of every record's header, of which a record says how many words it has.
const HEADER_BYTES: usize = 16;

/// Second byte of [`MAGIC`]: no record has this type, so that metadata among records show by one compare.
const MAGIC_TYPE: u8 = MAGIC[1];

/// Reads a stream, and further ones that follow in it, each with its metadata, which are read here to know that the
/// records behind them mean something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dbn {
    #[default]
    Metadata,
    Records,
    Lost,
}

impl Dbn {
    /// The record at the head of some bytes, if it is whole, and its length: all that can be said without the long way.
    /// Changes nothing.
    #[inline]
    pub(super) fn whole<'a>(&self, rest: &'a [u8]) -> Option<(&'a [u8], usize)> {
        let &[words, rtype] = rest.first_chunk()?;
        let len = usize::from(words) * 4;
        if *self != Self::Records || len < HEADER_BYTES || rtype == MAGIC_TYPE {
            return None;
        }
        Some((rest.get(..len)?, len))
    }

    pub(super) fn next(&mut self, bytes: &[u8], at: &mut usize, last: bool) -> Option<Step> {
        let start = *at;
        let rest = bytes.get(start..).unwrap_or_default();
        if *self == Self::Lost || rest.is_empty() {
            *at = bytes.len();
            return None;
        }
        // A record whose length and type are the magic bytes would take more than these.
        let seen = rest.len().min(MAGIC.len());
        let may_be_metadata = rest[..seen] == MAGIC[..seen];
        let is_metadata = *self == Self::Metadata || may_be_metadata && seen == MAGIC.len();
        let expected = if is_metadata {
            match Metadata::read(rest) {
                Ok(Some(_)) if *self == Self::Records => {
                    *self = Self::Metadata;
                    return Some(Step { start, ts: 0, what: Ok(What::Began) });
                }
                Ok(Some((_, len))) => {
                    *self = Self::Records;
                    *at = start + len;
                    return Some(Step { start, ts: 0, what: Ok(What::Head(Span::given(start..*at))) });
                }
                Ok(None) => Metadata::len(rest),
                Err(error) => return Some(self.lose(bytes, at, error)),
            }
        } else {
            let len = usize::from(rest[0]) * 4;
            if !may_be_metadata && len < HEADER_BYTES {
                return Some(self.lose(bytes, at, DbnError::RecordTooShort { len }));
            }
            if !may_be_metadata && len <= rest.len() {
                *at = start + len;
                return Some(Step { start, ts: 0, what: Ok(What::Received(0, Span::given(start..*at))) });
            }
            len.max(HEADER_BYTES)
        };
        last.then(|| self.lose(bytes, at, DbnError::Truncated { expected, got: rest.len() }))
    }

    fn lose(&mut self, bytes: &[u8], at: &mut usize, error: DbnError) -> Step {
        let start = core::mem::replace(at, bytes.len());
        *self = Self::Lost;
        Step::refused(start, RecordingError::Dbn(error))
    }
}

#[cfg(test)]
mod tests {
    use crate::recording::told::{told, told_cut_anywhere, told_of};
    use crate::recording::{Format, Transcript};

    /// Metadata of no symbol.
    fn metadata(version: u8, behind: &[u8]) -> Vec<u8> {
        let mut body = vec![0; 120];
        if version > 1 {
            body[45] = 71;
        }
        body.extend(behind);
        [b"DBN", &[version][..], &(body.len() as u32).to_le_bytes(), &body].concat()
    }

    fn record(rtype: u8, words: u8) -> Vec<u8> {
        let mut record = vec![b'.'; usize::from(words) * 4];
        record[..2].copy_from_slice(&[words, rtype]);
        record
    }

    /// What is told of the parts of a stream.
    fn parts(things: &[Vec<u8>]) -> Vec<String> {
        let mut parts = Vec::new();
        for (nth, thing) in things.iter().enumerate() {
            let is_head = thing.starts_with(b"DBN");
            if is_head && nth > 0 {
                parts.push("0 began".to_owned());
            }
            let what = if is_head { "head" } else { "received 0" };
            parts.push(format!("0 {what} {}", String::from_utf8_lossy(thing)));
        }
        parts
    }

    #[test]
    fn metadata_and_records_are_received_whole() {
        let things = [metadata(1, b"body"), record(0x2E, 14), record(0x30, 4), record(0x30, 60)];
        assert_eq!(told_cut_anywhere(&things.concat()), parts(&things));
        // A further stream, of another version, and one without records.
        let things =
            [metadata(1, b"body"), record(0x2E, 14), metadata(3, b"x"), metadata(2, b""), record(0x2E, 4)];
        assert_eq!(told_cut_anywhere(&things.concat()), parts(&things));
    }

    #[test]
    fn a_record_as_long_as_magic_bytes_say_is_a_record() {
        let things = [metadata(1, b""), record(0x2E, b'D'), record(0x2E, 4)];
        assert_eq!(told_cut_anywhere(&things.concat()), parts(&things));
    }

    #[test]
    fn what_cannot_be_read_on_is_told_once() {
        let good = [metadata(1, b"body"), record(0x2E, 14)].concat();
        for (tail, code) in [
            (&b"\x0e"[..], "decode.dbn_truncated"),
            (b"\x0e\x2e........", "decode.dbn_truncated"),
            (b"D", "decode.dbn_truncated"),
            (b"DBN", "decode.dbn_truncated"),
            (b"DBN\x01\x05\0\0\0", "decode.dbn_truncated"),
            (b"DBN\x04\x05\0\0\0", "decode.dbn_version"),
            (b"DBN\x01\xff\xff\xff\xff", "decode.dbn_metadata_too_large"),
            (b"\x03\x2e..............", "decode.dbn_record_too_short"),
        ] {
            let told = told_cut_anywhere(&[&good[..], tail].concat());
            assert_eq!(told.len(), 3, "{told:?}");
            assert_eq!(told[2], code);
        }
        assert_eq!(told(b"DBN"), ["decode.dbn_truncated"]);
        let foreign = told_of(&mut Transcript::new(Format::Dbn), b"hello", 2);
        assert_eq!(foreign, ["decode.dbn_magic"]);
    }
}
