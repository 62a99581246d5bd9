//! ITCH messages of BinaryFILEs: all but a whole message, which the transcript takes itself.

use super::entry::{Span, Step, What};
use super::error::RecordingError;
use crate::framing::binary_file::{BinaryFileError, BinaryFileFramer, LengthPrefix};

/// Bytes that tell whether a further file begins behind the end of a session.
const FILE_HEAD_BYTES: usize = 13;

/// Reads a file, and further ones that follow in the same stream, each behind the end of the session before.
#[derive(Clone, Debug)]
pub(super) struct BinaryFile {
    prefix: LengthPrefix,
    is_lost: bool,
}

impl BinaryFile {
    pub(super) const fn new(prefix: LengthPrefix) -> Self {
        Self { prefix, is_lost: false }
    }

    pub(super) const fn prefix(&self) -> LengthPrefix {
        self.prefix
    }

    /// The message at the head of some bytes, if it is whole, and the bytes that it takes with its prefix: all that can be
    /// said without the long way. Changes nothing.
    #[inline]
    pub(super) fn whole<'a>(&self, rest: &'a [u8]) -> Option<(&'a [u8], usize)> {
        if self.is_lost { None } else { BinaryFileFramer::new(self.prefix).whole(rest) }
    }

    pub(super) fn next(&mut self, bytes: &[u8], at: &mut usize, last: bool) -> Option<Step> {
        let start = *at;
        let rest = bytes.get(start..).unwrap_or_default();
        if self.is_lost || rest.is_empty() {
            *at = bytes.len();
            return None;
        }
        let is_end = match self.prefix {
            LengthPrefix::Stated => rest.starts_with(&[0, 0]),
            // A third zero is no message type, and may begin the length of a further file's first message.
            LengthPrefix::Zero => rest.starts_with(&[0, 0, 0]),
        };
        if is_end {
            let behind = &rest[2..];
            if behind.len() < FILE_HEAD_BYTES && !last {
                return None;
            }
            if behind.is_empty() {
                *at = bytes.len();
                return None;
            }
            if let Some(prefix) = LengthPrefix::detect(behind) {
                self.prefix = prefix;
                *at += 2;
                return Some(Step { start, ts: 0, what: Ok(What::Began) });
            }
        }
        let mut framer = BinaryFileFramer::new(self.prefix);
        let mut messages = if last { framer.finish(rest) } else { framer.messages(rest) };
        match messages.next()? {
            Ok(message) => {
                *at += messages.consumed();
                let span = Span::given(*at - message.len()..*at);
                Some(Step { start, ts: 0, what: Ok(What::Received(0, span)) })
            }
            Err(error) => Some(self.lose(bytes, at, error)),
        }
    }

    fn lose(&mut self, bytes: &[u8], at: &mut usize, error: BinaryFileError) -> Step {
        let start = core::mem::replace(at, bytes.len());
        self.is_lost = true;
        Step::refused(start, RecordingError::BinaryFile(error))
    }
}

#[cfg(test)]
mod tests {
    use crate::recording::Format;
    use crate::recording::told::{told, told_cut_anywhere};

    const EVENT: [u8; 12] = *b"S\0\0\0\0\x0a\x30\x47\x41\x41\x41O";
    const DELETE: [u8; 19] = *b"D\0\x02\0\0\x1c\x52\x20\x27\x41\x55\0\0\0\0\0\0\0\x07";

    fn stated(messages: &[&[u8]]) -> Vec<u8> {
        let block = |message: &&[u8]| [&(message.len() as u16).to_be_bytes(), *message].concat();
        messages.iter().flat_map(block).collect()
    }

    fn zero(messages: &[&[u8]]) -> Vec<u8> {
        messages.iter().flat_map(|message| [&[0, 0], *message].concat()).collect()
    }

    fn received(messages: &[&[u8]]) -> Vec<String> {
        messages.iter().map(|message| format!("0 received 0 {}", String::from_utf8_lossy(message))).collect()
    }

    #[test]
    fn messages_of_both_kinds_of_prefix_are_received() {
        let messages: [&[u8]; 3] = [&EVENT, &DELETE, &EVENT];
        assert_eq!(told_cut_anywhere(&stated(&messages)), received(&messages));
        assert_eq!(told_cut_anywhere(&zero(&messages)), received(&messages));
        let ended = [stated(&messages), vec![0, 0]].concat();
        assert_eq!(told_cut_anywhere(&ended), received(&messages));
    }

    #[test]
    fn a_file_behind_the_end_of_a_session_is_read() {
        for second in [stated(&[&EVENT, &DELETE]), zero(&[&EVENT, &DELETE])] {
            let stream = [stated(&[&EVENT]), vec![0, 0], second].concat();
            let expected = [received(&[&EVENT]), vec!["0 began".into()], received(&[&EVENT, &DELETE])];
            assert_eq!(told_cut_anywhere(&stream), expected.concat());
        }
    }

    #[test]
    fn what_cannot_be_read_on_is_told_once() {
        for (tail, code) in [
            (&b"\0"[..], "binary_file.truncated"),
            (b"\0\x13D\0\0", "binary_file.truncated"),
            (b"\0\0hello", "binary_file.trailing_bytes"),
            (b"\0\0hello, this is no file", "binary_file.trailing_bytes"),
        ] {
            let told = told_cut_anywhere(&[&stated(&[&EVENT])[..], tail].concat());
            assert_eq!(told, [received(&[&EVENT]), vec![code.to_owned()]].concat());
        }
        let zero = [&zero(&[&EVENT])[..], b"\0\0?x"].concat();
        assert_eq!(told(&zero)[1], "binary_file.unknown_type");
        assert!(matches!(Format::detect(&zero), Some(Format::BinaryFile(_))));
    }
}
