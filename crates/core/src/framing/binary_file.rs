//! Messages of a file: the BinaryFILE form, out of chunks cut anywhere.
//!
//! A message is preceded by its length as two big-endian bytes; length zero ends the session, and the file with it.
//! Published samples exist in which both bytes are zero before every message, so that the length follows from the
//! ITCH message type. The two cannot be told apart at one message, so the reader is told which one it reads; the first
//! bytes of a file decide ([`LengthPrefix::detect`]).

use core::fmt;

use super::itch::{is_plausible, message_len};
use crate::types::{Account, Byte};

/// Longest message with its prefix, in bytes: no more is ever carried over to the next chunk.
pub const BLOCK_BYTES_MAX: usize = 2 + u16::MAX as usize;

/// What the two bytes before each message say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthPrefix {
    /// The message's length; zero ends the session.
    Stated,
    /// Nothing: both are zero, and the ITCH message type gives the length.
    Zero,
}

impl LengthPrefix {
    /// Which of the two a file has, judged by its first 13 bytes or more; `None` when it is no ITCH file.
    ///
    /// Its first message must begin as one does: a type that exists and a time of day, and in front the length of that
    /// type or zero. A file of stated lengths cannot begin so with zero, since zero would be its end.
    #[must_use]
    pub fn detect(first: &[u8]) -> Option<Self> {
        let (&prefix, message) = first.split_first_chunk()?;
        let len = message_len(*message.first()?)?;
        let prefix = match usize::from(u16::from_be_bytes(prefix)) {
            0 => Self::Zero,
            stated if stated == len => Self::Stated,
            _ => return None,
        };
        is_plausible(message).then_some(prefix)
    }
}

/// Why a file cannot be read on. After one of these nothing more comes from it: where the next message begins is not
/// known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryFileError {
    /// The file ends within a message.
    Truncated {
        /// Bytes of the message and its prefix, as far as they are known.
        expected: usize,
        /// Bytes of it that came.
        got: usize,
    },
    /// Bytes behind the end of the session.
    TrailingBytes {
        /// The first of them.
        got: u8,
    },
    /// A prefix other than zero in a file of zero prefixes.
    BadPrefix {
        /// The prefix.
        got: u16,
    },
    /// A message type without known length in a file of zero prefixes.
    UnknownType {
        /// The type byte.
        got: u8,
    },
}

impl BinaryFileError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "binary_file.truncated",
            Self::TrailingBytes { .. } => "binary_file.trailing_bytes",
            Self::BadPrefix { .. } => "binary_file.bad_prefix",
            Self::UnknownType { .. } => "binary_file.unknown_type",
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "get a new copy of the file; the messages before the cut are good",
            Self::TrailingBytes { .. } => "pass one session a file: split what was put together",
            Self::BadPrefix { .. } | Self::UnknownType { .. } => {
                "check the source for damage, or read it as a file of stated lengths"
            }
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match *self {
            Self::Truncated { expected, got } => {
                Account::new("file ends within a message", format_args!("{expected} bytes of it"), got)
            }
            Self::TrailingBytes { got } => {
                Account::new("bytes behind the end of the session", "none", Byte(got))
            }
            Self::BadPrefix { got } => Account::new("bad message prefix", "zero before every message", got),
            Self::UnknownType { got } => {
                Account::new("message of unknown length", "a type of TotalView-ITCH 5.0", Byte(got))
            }
        }
    }
}

impl fmt::Display for BinaryFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for BinaryFileError {}

/// Finds messages in chunk after chunk of one file.
///
/// The bytes that a chunk's last message does not consume, at most [`BLOCK_BYTES_MAX`], go in again at the head of the
/// next chunk. Beside that the framer remembers only whether the session has ended or the file is beyond reading.
#[derive(Clone, Debug)]
pub struct BinaryFileFramer {
    prefix: LengthPrefix,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Lost,
}

impl BinaryFileFramer {
    /// A framer at the start of a file.
    #[must_use]
    pub const fn new(prefix: LengthPrefix) -> Self {
        Self { prefix, state: State::Open }
    }

    /// The whole messages of a chunk. A last message that is cut is left for the next chunk.
    #[inline]
    pub const fn messages<'f, 'a>(&'f mut self, bytes: &'a [u8]) -> Messages<'f, 'a> {
        Messages { framer: self, len: bytes.len(), rest: bytes, last: false }
    }

    /// The messages of the last chunk, where a cut one is an error.
    #[inline]
    pub const fn finish<'f, 'a>(&'f mut self, bytes: &'a [u8]) -> Messages<'f, 'a> {
        Messages { framer: self, len: bytes.len(), rest: bytes, last: true }
    }

    /// The message at the head of `bytes` and the bytes that it takes with its prefix, if it is whole and the file can be
    /// read on. Changes nothing.
    #[inline]
    #[must_use]
    pub fn whole<'a>(&self, bytes: &'a [u8]) -> Option<(&'a [u8], usize)> {
        if self.state != State::Open {
            return None;
        }
        let (message, rest) = match self.prefix {
            LengthPrefix::Stated => split_block(bytes).filter(|(message, _)| !message.is_empty())?,
            LengthPrefix::Zero => split_typed(bytes)?,
        };
        Some((message, bytes.len() - rest.len()))
    }

    /// Whether the session's end was read. A file may also stop without one.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }
}

/// Iterator over the messages of a chunk. Cost: constant for each.
#[derive(Debug)]
pub struct Messages<'f, 'a> {
    framer: &'f mut BinaryFileFramer,
    len: usize,
    rest: &'a [u8],
    last: bool,
}

impl Messages<'_, '_> {
    /// Bytes used up by the messages returned so far and their prefixes.
    #[inline]
    #[must_use]
    pub const fn consumed(&self) -> usize {
        self.len - self.rest.len()
    }
}

impl<'a> Iterator for Messages<'_, 'a> {
    type Item = Result<&'a [u8], BinaryFileError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.framer.state == State::Open
            && let Some((message, rest)) = match self.framer.prefix {
                LengthPrefix::Stated => split_block(self.rest).filter(|(message, _)| !message.is_empty()),
                LengthPrefix::Zero => split_typed(self.rest),
            }
        {
            self.rest = rest;
            return Some(Ok(message));
        }
        let stop = stop_at(self.framer.prefix, self.framer.state, self.rest, self.last);
        if stop.state != State::Open {
            self.rest = &[];
        }
        self.framer.state = stop.state;
        stop.error.map(Err)
    }
}

/// Why there is no further message, and what becomes of the file.
struct Stop {
    state: State,
    error: Option<BinaryFileError>,
}

/// What stands where no whole message does: nothing, the end of the session, a cut message, or what cannot be read.
/// Takes and gives values only, so that the caller's loop can live in registers.
#[cold]
#[inline(never)]
fn stop_at(prefix: LengthPrefix, state: State, rest: &[u8], last: bool) -> Stop {
    let lost = |error| Stop { state: State::Lost, error: Some(error) };
    match (state, prefix, rest) {
        (State::Lost, ..) | (_, _, []) => Stop { state, error: None },
        (State::Ended, _, &[got, ..]) => lost(BinaryFileError::TrailingBytes { got }),
        (State::Open, LengthPrefix::Stated, [0, 0, behind @ ..]) => match *behind {
            [got, ..] => lost(BinaryFileError::TrailingBytes { got }),
            [] => Stop { state: State::Ended, error: None },
        },
        (State::Open, LengthPrefix::Zero, &[high, low, ..]) if (high, low) != (0, 0) => {
            lost(BinaryFileError::BadPrefix { got: u16::from_be_bytes([high, low]) })
        }
        (State::Open, LengthPrefix::Zero, &[_, _, got, ..]) if message_len(got).is_none() => {
            lost(BinaryFileError::UnknownType { got })
        }
        (State::Open, ..) if last => {
            let expected = match (prefix, rest) {
                (LengthPrefix::Stated, &[high, low, ..]) => usize::from(u16::from_be_bytes([high, low])),
                (LengthPrefix::Zero, &[_, _, message_type, ..]) => message_len(message_type).unwrap_or(1),
                _ => 1,
            };
            lost(BinaryFileError::Truncated { expected: 2 + expected, got: rest.len() })
        }
        (State::Open, ..) => Stop { state, error: None },
    }
}

/// The first message of length-prefixed ones and the bytes behind it.
#[inline]
pub(super) fn split_block(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(len)))
}

/// The first message of those with zero prefix, and the bytes behind it.
fn split_typed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[0, 0], rest) = bytes.split_first_chunk()? else { return None };
    rest.split_at_checked(message_len(*rest.first()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Taken = Vec<Result<Vec<u8>, BinaryFileError>>;

    /// Feeds a file in chunks of one size, as a reader does, and says whether its end was seen.
    fn take(prefix: LengthPrefix, file: &[u8], chunk: usize) -> (Taken, bool) {
        let mut framer = BinaryFileFramer::new(prefix);
        let (mut pending, mut taken) = (Vec::new(), Vec::new());
        let mut pieces = file.chunks(chunk).peekable();
        while let Some(piece) = pieces.next() {
            pending.extend_from_slice(piece);
            let mut messages =
                if pieces.peek().is_none() { framer.finish(&pending) } else { framer.messages(&pending) };
            taken.extend(messages.by_ref().map(|message| message.map(<[u8]>::to_vec)));
            let consumed = messages.consumed();
            pending.drain(..consumed);
            assert!(pending.len() < BLOCK_BYTES_MAX);
        }
        assert!(pending.is_empty(), "finish uses everything up");
        (taken, framer.is_ended())
    }

    /// What a file gives, however it is cut.
    fn read(prefix: LengthPrefix, file: &[u8]) -> (Taken, bool) {
        let whole = take(prefix, file, file.len().max(1));
        for chunk in 1..file.len().min(200) {
            assert_eq!(take(prefix, file, chunk), whole, "chunks of {chunk}");
        }
        whole
    }

    const EVENT: [u8; 12] = *b"S\0\0\0\0\x0a\x30\x47\x8f\x8f\x96O";
    const DELETE: [u8; 19] = *b"D\0\x02\0\0\x1c\x52\x20\x27\xc0\x55\0\0\0\0\0\0\0\x07";

    fn stated(messages: &[&[u8]]) -> Vec<u8> {
        let block = |message: &&[u8]| [&(message.len() as u16).to_be_bytes(), *message].concat();
        messages.iter().flat_map(block).collect()
    }

    fn zero(messages: &[&[u8]]) -> Vec<u8> {
        messages.iter().flat_map(|message| [&[0, 0], *message].concat()).collect()
    }

    #[test]
    fn finds_the_same_messages_however_the_bytes_are_cut() {
        let messages: [&[u8]; 4] = [&EVENT, &DELETE, b"?", &[7; 300]];
        let expected: Taken = messages.iter().map(|message| Ok(message.to_vec())).collect();
        let mut file = stated(&messages);
        assert_eq!(read(LengthPrefix::Stated, &file), (expected.clone(), false));
        file.extend_from_slice(&[0, 0]);
        assert_eq!(read(LengthPrefix::Stated, &file), (expected.clone(), true));
        assert_eq!(read(LengthPrefix::Zero, &zero(&messages[..2])), (expected[..2].to_vec(), false));
        assert_eq!(read(LengthPrefix::Stated, b""), (vec![], false));
        assert_eq!(read(LengthPrefix::Stated, &[0, 0]), (vec![], true));
    }

    #[test]
    fn the_longest_message_is_read() {
        let file = stated(&[&[9; 0xFFFF], &EVENT]);
        let expected: Taken = vec![Ok(vec![9; 0xFFFF]), Ok(EVENT.to_vec())];
        for chunk in [1_000, BLOCK_BYTES_MAX - 1, BLOCK_BYTES_MAX, file.len()] {
            assert_eq!(take(LengthPrefix::Stated, &file, chunk), (expected.clone(), false), "{chunk}");
        }
    }

    /// The messages in front are good, the error comes once, and nothing comes behind it.
    #[test]
    fn what_cannot_be_read_on_is_one_error() {
        let cut = |len: usize| stated(&[&EVENT, &DELETE])[..len].to_vec();
        let cut_zero = |len: usize| zero(&[&EVENT, &DELETE])[..len].to_vec();
        let truncated = |expected, got| BinaryFileError::Truncated { expected, got };
        let with = |file: Vec<u8>, tail: &[u8]| [file, tail.to_vec()].concat();
        for (prefix, file, error) in [
            (LengthPrefix::Stated, cut(15), truncated(3, 1)),
            (LengthPrefix::Stated, cut(16), truncated(21, 2)),
            (LengthPrefix::Stated, cut(34), truncated(21, 20)),
            (LengthPrefix::Zero, cut_zero(15), truncated(3, 1)),
            (LengthPrefix::Zero, cut_zero(16), truncated(3, 2)),
            (LengthPrefix::Zero, cut_zero(34), truncated(21, 20)),
            (LengthPrefix::Stated, with(cut(14), &[0, 0, 5, 6]), BinaryFileError::TrailingBytes { got: 5 }),
            (LengthPrefix::Zero, with(cut_zero(14), &[0, 19, 5]), BinaryFileError::BadPrefix { got: 19 }),
            (
                LengthPrefix::Zero,
                with(cut_zero(14), b"\0\0?xxxx"),
                BinaryFileError::UnknownType { got: b'?' },
            ),
        ] {
            assert_eq!(read(prefix, &file), (vec![Ok(EVENT.to_vec()), Err(error)], false));
            let mut framer = BinaryFileFramer::new(prefix);
            assert_eq!(framer.finish(&file).count(), 2);
            let again = stated(&[&EVENT]);
            let mut messages = framer.messages(&again);
            assert_eq!((messages.next(), messages.consumed()), (None, again.len()), "beyond reading");
            let text = error.to_string();
            assert!(text.contains("expected ") && text.contains(", got "), "{text}");
            assert!(error.code().starts_with("binary_file.") && !error.fix().is_empty());
        }
    }

    #[test]
    fn bytes_in_a_chunk_after_the_end_are_told_too() {
        let mut framer = BinaryFileFramer::new(LengthPrefix::Stated);
        assert_eq!(framer.messages(&[0, 0]).next(), None);
        assert!(framer.is_ended());
        let mut messages = framer.messages(&EVENT);
        assert_eq!(messages.next(), Some(Err(BinaryFileError::TrailingBytes { got: b'S' })));
        assert_eq!((messages.next(), messages.consumed()), (None, EVENT.len()));
    }

    #[test]
    fn an_unfinished_message_is_left_for_later() {
        let file = stated(&[&EVENT, &DELETE]);
        let mut framer = BinaryFileFramer::new(LengthPrefix::Stated);
        let mut messages = framer.messages(&file[..20]);
        assert_eq!(messages.next(), Some(Ok(&EVENT[..])));
        assert_eq!((messages.next(), messages.consumed()), (None, 14));
    }

    #[test]
    fn the_first_bytes_tell_the_prefix() {
        let detect = |file: &[u8]| LengthPrefix::detect(file);
        for messages in [[&EVENT[..], &DELETE], [&DELETE, &EVENT]] {
            assert_eq!(detect(&stated(&messages)), Some(LengthPrefix::Stated));
            assert_eq!(detect(&zero(&messages)), Some(LengthPrefix::Zero));
        }
        assert_eq!(detect(&stated(&[&EVENT])[..13]), Some(LengthPrefix::Stated));
        assert_eq!(detect(&stated(&[&EVENT])[..12]), None, "too short to tell");
        let mut late = EVENT;
        late[5] = 0xFF;
        let foreign: [Vec<u8>; 7] = [
            vec![],
            vec![0; 64],
            stated(&[&late]),
            zero(&[&late]),
            [&[0, 13], &EVENT[..]].concat(),
            zero(&[&[b'?'; 40]]),
            b"1723161253000 {}\n".to_vec(),
        ];
        for file in foreign {
            assert_eq!(detect(&file), None, "{}", file.escape_ascii());
        }
    }
}
