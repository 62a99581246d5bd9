//! Why a part of a recording is not what its form says.

use core::fmt;

use super::LINE_BYTES_MAX;
use crate::decode::Byte;
use crate::framing::binary_file::BinaryFileError;
use crate::framing::dbn::DbnError;
use crate::framing::pcap::PcapError;

/// Why a part of a recording had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingError {
    /// The first bytes are of no form that is read.
    UnknownFormat {
        /// The first of them.
        got: u8,
    },
    /// Nothing but white space.
    Empty,
    /// A line longer than [`LINE_BYTES_MAX`]; it is passed over up to its end.
    LineTooLong {
        /// Bytes of it seen so far.
        len: usize,
    },
    /// A line that is not of the recording's form.
    BadLine {
        /// Offset within the line.
        at: u32,
        /// What is meant to stand there.
        expected: &'static str,
    },
    /// The recording ends within a frame.
    Cut,
    /// More connections than are told apart.
    TooManyLines,
    /// A file of messages cannot be read on.
    BinaryFile(BinaryFileError),
    /// A capture, or one of its packets.
    Pcap(PcapError),
    /// A DBN stream.
    Dbn(DbnError),
}

impl RecordingError {
    /// Whether bytes were skipped that may have been messages, and nothing says of whom.
    #[must_use]
    pub const fn loses_bytes(&self) -> bool {
        match self {
            Self::UnknownFormat { .. }
            | Self::LineTooLong { .. }
            | Self::BadLine { .. }
            | Self::Cut
            | Self::BinaryFile(_) => true,
            Self::Pcap(error) => error.is_final(),
            Self::Dbn(error) => error.ends_the_stream(),
            Self::Empty | Self::TooManyLines => false,
        }
    }

    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownFormat { .. } => "recording.unknown_format",
            Self::Empty => "recording.empty",
            Self::LineTooLong { .. } => "recording.line_too_long",
            Self::BadLine { .. } => "recording.bad_line",
            Self::Cut => "recording.cut",
            Self::TooManyLines => "recording.too_many_connections",
            Self::BinaryFile(error) => error.code(),
            Self::Pcap(error) => error.code(),
            Self::Dbn(error) => error.code(),
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::UnknownFormat { got: 0x1f | 0x28 } => {
                "decompress the file first: these are compressed bytes"
            }
            Self::UnknownFormat { .. } => {
                "give lines of `<receive time> <JSON>`, frames of JSON, a capture of a recorder, ITCH, pcap or DBN"
            }
            Self::Empty => "check the file's size and how it was made; it holds nothing",
            Self::LineTooLong { .. } | Self::BadLine { .. } => {
                "check that each line is whole and of the recording's form, as `<receive time, ns> <JSON>`"
            }
            Self::Cut => "the recorder was stopped within a frame: everything before it is good",
            Self::TooManyLines => "split the recording by connection",
            Self::BinaryFile(error) => error.fix(),
            Self::Pcap(error) => error.fix(),
            Self::Dbn(error) => error.fix(),
        }
    }
}

/// What, expected and got. The code and the remedy stand beside it, not in it.
impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFormat { got } => {
                write!(
                    f,
                    "unknown form of recording; expected one that is read, got first byte {}",
                    Byte(*got)
                )
            }
            Self::Empty => f.write_str("empty recording; expected frames, got none"),
            Self::LineTooLong { len } => {
                write!(f, "line too long; expected at most {LINE_BYTES_MAX} bytes, got {len} and no end")
            }
            Self::BadLine { at, expected } => {
                write!(f, "no line of a recording; expected {expected} at byte {at}, got something else")
            }
            Self::Cut => f.write_str("recording cut within a frame; expected its end, got that of the file"),
            Self::TooManyLines => {
                write!(f, "too many connections; expected at most {}, got one more", super::LINES_MAX)
            }
            Self::BinaryFile(error) => error.fmt(f),
            Self::Pcap(error) => error.fmt(f),
            Self::Dbn(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RecordingError {}
