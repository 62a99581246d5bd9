//! Why a part of a recording cannot be read: a stable code for programs, a sentence and a remedy for people.

use core::fmt;

use crate::decode::FRAME_BYTES_MAX;
use crate::framing::binary_file::BinaryFileError;
use crate::framing::dbn::DbnError;
use crate::framing::pcap::PcapError;
use crate::journal::JournalError;
use crate::types::Account;

/// Why a part of a recording is no entry. `at` is the offset of the byte concerned, from the start of its line or
/// element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingError {
    /// A file of none of the forms; all of it is passed over.
    UnknownFormat {
        /// Its first bytes; zeros after its end.
        got: [u8; 4],
    },
    /// Nothing but white space.
    Empty,
    /// A header of a version that is not known. What follows is read as the known one.
    UnknownVersion {
        /// The version known.
        expected: u64,
        /// The one stated.
        got: u64,
    },
    /// A line longer than the form's limit; it is passed over up to its end.
    LineTooLong {
        /// The limit.
        max: usize,
        /// Bytes of it seen so far.
        len: usize,
    },
    /// A line that is none of the form's.
    BadLine {
        /// Offset within the line.
        at: u32,
        /// What is meant to stand there.
        expected: &'static str,
    },
    /// A receive time of a number of digits that tells no unit, in a file whose first one told it.
    UnknownTimeUnit {
        /// Its digits.
        digits: u8,
    },
    /// A frame longer than [`FRAME_BYTES_MAX`].
    FrameTooLarge {
        /// Bytes of it seen so far.
        len: usize,
    },
    /// A line or a list's element that is neither an object nor an array.
    NotFrame {
        /// Its first byte.
        got: u8,
    },
    /// A byte where JSON allows none such, between values; the rest of the file is passed over.
    BadJson {
        /// What may stand there.
        expected: &'static str,
        /// What does.
        got: u8,
    },
    /// A list that the file ends without closing. Its elements are whole.
    UnclosedList,
    /// The file ends within a frame.
    Truncated {
        /// Bytes that the frame takes; one more than there are, where it does not say.
        expected: usize,
        /// Bytes of it that are there.
        got: usize,
    },
    /// A backslash in a text that begins no escape of JSON, or a half of a surrogate pair.
    BadEscape {
        /// Offset within the text.
        at: u32,
    },
    /// A character that base64 does not have, or a length that it cannot have.
    BadBase64 {
        /// Offset within the text.
        at: u32,
    },
    /// A line of a capture without a member that its kind needs.
    MissingField {
        /// The member's name.
        field: &'static str,
    },
    /// A member twice: one of the two would be lost.
    DuplicateField {
        /// The member's name.
        field: &'static str,
    },
    /// A line of a capture of a kind that is not known.
    UnknownKind,
    /// More connections than are told apart.
    TooManyConnections {
        /// The limit.
        max: usize,
    },
    /// An address or a connection's name longer than any is.
    AddressTooLong {
        /// The limit.
        max: usize,
        /// Its bytes.
        len: usize,
    },
    /// Datagrams that came in parts, which are not put together.
    Fragments {
        /// How many parts.
        count: u64,
    },
    /// What a BinaryFILE's framing says.
    BinaryFile(BinaryFileError),
    /// What a packet capture's framing says.
    Packets(PcapError),
    /// What DBN's framing says.
    Dbn(DbnError),
    /// What the reader of a journal says.
    Journal(JournalError),
}

impl RecordingError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownFormat { .. } => "recording.unknown_format",
            Self::Empty => "recording.empty",
            Self::UnknownVersion { .. } => "recording.unknown_version",
            Self::LineTooLong { .. } => "recording.line_too_long",
            Self::BadLine { .. } => "recording.bad_line",
            Self::UnknownTimeUnit { .. } => "recording.unknown_time_unit",
            Self::FrameTooLarge { .. } => "recording.frame_too_large",
            Self::NotFrame { .. } => "recording.not_frame",
            Self::BadJson { .. } => "recording.bad_json",
            Self::UnclosedList => "recording.unclosed_list",
            Self::Truncated { .. } => "recording.truncated",
            Self::BadEscape { .. } => "recording.bad_escape",
            Self::BadBase64 { .. } => "recording.bad_base64",
            Self::MissingField { .. } => "recording.missing_field",
            Self::DuplicateField { .. } => "recording.duplicate_field",
            Self::UnknownKind => "recording.unknown_kind",
            Self::TooManyConnections { .. } => "recording.too_many_connections",
            Self::AddressTooLong { .. } => "recording.address_too_long",
            Self::Fragments { .. } => "recording.fragments",
            Self::BinaryFile(error) => error.code(),
            Self::Packets(error) => error.code(),
            Self::Dbn(error) => error.code(),
            Self::Journal(error) => error.code(),
        }
    }

    /// Whether bytes that may have held messages were passed over and nothing will tell whose or how many, so that all
    /// that was followed may be broken from here on. Not so for a header of another version and a list whose end is
    /// missing, which hold no message; and for one packet or datagram, as lost here as it could have been on the way:
    /// feeds of datagrams number their messages.
    #[must_use]
    pub const fn loses_bytes(&self) -> bool {
        match self {
            Self::Empty | Self::UnknownVersion { .. } | Self::UnclosedList | Self::Fragments { .. } => false,
            Self::Packets(error) => error.is_final(),
            Self::Journal(error) => error.loses_records(),
            _ => true,
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::UnknownFormat {
                got:
                    [0x1F, 0x8B, ..] | [0x28, 0xB5, 0x2F, 0xFD] | [0xFD, b'7', b'z', b'X'] | [b'B', b'Z', b'h', _],
            } => "decompress the file first: these are compressed bytes",
            Self::UnknownFormat { got: [0x50..=0x5F, 0x2A, 0x4D, 0x18] } => {
                "decompress the file first, or convert it with the supplier's `dbn` tool if it is the older DBZ"
            }
            Self::UnknownFormat { got: [b'P', b'K', ..] } => "take the files out of the archive first",
            Self::UnknownFormat { got: [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] } => {
                "convert the text to UTF-8 first: this is UTF-16"
            }
            Self::UnknownFormat { .. } => {
                "give lines of `<receive time> <JSON>`, frames of JSON, a capture of a recorder, ITCH, pcap, DBN or a journal"
            }
            Self::Empty => "check the file's size and how it was made; it holds nothing",
            Self::UnknownVersion { .. } => {
                "check what is read from this file against the recorder's own replay"
            }
            Self::LineTooLong { .. } | Self::BadLine { .. } => {
                "check that the file is as its recorder wrote it: each line whole, with a newline at its end"
            }
            Self::UnknownTimeUnit { .. } => {
                "write receive times as seconds, ms, µs or ns since 1970, in 10, 13, 16 or 19 digits"
            }
            Self::FrameTooLarge { .. } => {
                "check that this is a recording of market data, or report the frame"
            }
            Self::NotFrame { .. } => "check the source for damage: frames are JSON objects or arrays",
            Self::BadJson { .. } => {
                "check the source for damage; JSON tools should read it without a complaint"
            }
            Self::UnclosedList | Self::Truncated { .. } => {
                "get a new copy of the file; what is before the cut is good"
            }
            Self::BadEscape { .. }
            | Self::BadBase64 { .. }
            | Self::MissingField { .. }
            | Self::DuplicateField { .. }
            | Self::UnknownKind => "check the source for damage; if it is whole, keep the line and report it",
            Self::TooManyConnections { .. } => "split the recording by connection or by address",
            Self::AddressTooLong { .. } => "check the source for damage: addresses are not as long as that",
            Self::Fragments { .. } => "capture where packets come whole, or put them together before",
            Self::BinaryFile(error) => error.fix(),
            Self::Packets(error) => error.fix(),
            Self::Dbn(error) => error.fix(),
            Self::Journal(error) => error.fix(),
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match *self {
            Self::UnknownFormat { got: [a, b, c, d] } => Account::new(
                "unknown form of recording",
                "one that is read",
                format_args!("first bytes {a:02x}{b:02x}{c:02x}{d:02x}"),
            ),
            Self::Empty => Account::new("empty recording", "frames", "none"),
            Self::UnknownVersion { expected, got } => Account::new("version of the header", expected, got),
            Self::LineTooLong { max, len } => Account::new(
                "line too long",
                format_args!("at most {max} bytes"),
                format_args!("{len} and no end"),
            ),
            Self::BadLine { at, expected } => Account::new(
                "no line of a recording",
                format_args!("{expected} at byte {at}"),
                "something else",
            ),
            Self::UnknownTimeUnit { digits } => {
                Account::new("receive time without a known unit", "10, 13, 16 or 19 digits", digits)
            }
            Self::FrameTooLarge { len } => {
                Account::new("frame too large", format_args!("at most {FRAME_BYTES_MAX} bytes"), len)
            }
            Self::NotFrame { got } => {
                Account::new("no frame", "an object or an array", format_args!("'{}'", got.escape_ascii()))
            }
            Self::BadJson { expected, got } => {
                Account::new("no JSON between frames", expected, format_args!("'{}'", got.escape_ascii()))
            }
            Self::UnclosedList => Account::new("list of frames without end", "']'", "the file's end"),
            Self::Truncated { expected, got } => {
                Account::new("file ends within a frame", format_args!("{expected} bytes of it or more"), got)
            }
            Self::BadEscape { at } => {
                Account::new(format_args!("escape in a text at byte {at}"), "one of JSON", "something else")
            }
            Self::BadBase64 { at } => Account::new(
                format_args!("base64 at byte {at}"),
                "groups of four of its characters",
                "something else",
            ),
            Self::MissingField { field } => {
                Account::new("incomplete line", format_args!("member `{field}`"), "none")
            }
            Self::DuplicateField { field } => {
                Account::new(format_args!("member `{field}` repeated"), "it once", "it again")
            }
            Self::UnknownKind => {
                Account::new("kind of line", "header, connect, send, recv or http", "another")
            }
            Self::TooManyConnections { max } => {
                Account::new("too many connections", format_args!("at most {max}"), "one more")
            }
            Self::AddressTooLong { max, len } => {
                Account::new("address too long", format_args!("at most {max} bytes"), len)
            }
            Self::Fragments { count } => {
                Account::new("datagrams in parts", "whole ones", format_args!("{count} parts"))
            }
            Self::BinaryFile(error) => error.account(),
            Self::Packets(error) => error.account(),
            Self::Dbn(error) => error.account(),
            Self::Journal(error) => error.account(),
        }
    }
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for RecordingError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_says_what_was_expected_and_what_came() {
        let errors = [
            RecordingError::UnknownFormat { got: *b"\x1b[2J" },
            RecordingError::Empty,
            RecordingError::UnknownVersion { expected: 2, got: 3 },
            RecordingError::LineTooLong { max: 9, len: 10 },
            RecordingError::BadLine { at: 3, expected: "a space" },
            RecordingError::UnknownTimeUnit { digits: 12 },
            RecordingError::FrameTooLarge { len: 9 },
            RecordingError::NotFrame { got: 0x1b },
            RecordingError::BadJson { expected: "a value", got: 0x1b },
            RecordingError::UnclosedList,
            RecordingError::Truncated { expected: 9, got: 8 },
            RecordingError::BadEscape { at: 9 },
            RecordingError::BadBase64 { at: 9 },
            RecordingError::MissingField { field: "ts" },
            RecordingError::DuplicateField { field: "ts" },
            RecordingError::UnknownKind,
            RecordingError::TooManyConnections { max: 9 },
            RecordingError::AddressTooLong { max: 9, len: 10 },
            RecordingError::Fragments { count: 2 },
            RecordingError::BinaryFile(BinaryFileError::BadPrefix { got: 3 }),
            RecordingError::Packets(PcapError::TooManyInterfaces),
            RecordingError::Dbn(DbnError::MetadataAmongRecords),
            RecordingError::Journal(JournalError::DamagedHead),
        ];
        let mut codes: Vec<_> = errors.iter().map(RecordingError::code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), errors.len(), "each has a code of its own");
        for error in errors {
            let text = error.to_string();
            assert!(text.contains("expected ") && text.contains(", got "), "{text}");
            assert!(!text.contains('\x1b'), "{text}");
            assert!(error.code().contains('.') && !error.fix().is_empty());
        }
        assert!(size_of::<RecordingError>() <= 40, "{}", size_of::<RecordingError>());
    }
}
