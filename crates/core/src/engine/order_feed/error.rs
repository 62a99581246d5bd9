//! Why bytes of an order feed had no effect.

use std::fmt;

use crate::decode::binary_file::BinaryFileError;
use crate::decode::dbn::DbnError;
use crate::decode::itch::ItchError;
use crate::decode::mold::MoldError;
use crate::decode::pcap::PcapError;

/// Why bytes of an order feed had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedError {
    /// The first bytes are of no format that carries the feed.
    UnknownFormat {
        /// The first of them.
        got: u8,
    },
    /// A file of messages cannot be read on.
    BinaryFile(BinaryFileError),
    /// A capture, or one of its packets.
    Pcap(PcapError),
    /// A packet's payload is no packet of the feed.
    Mold(MoldError),
    /// A message is none.
    Itch(ItchError),
    /// A DBN stream, or one of its records.
    Dbn(DbnError),
}

impl FeedError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownFormat { .. } => "feed.unknown_format",
            Self::BinaryFile(error) => error.code(),
            Self::Pcap(error) => error.code(),
            Self::Mold(error) => error.code(),
            Self::Itch(error) => error.code(),
            Self::Dbn(error) => error.code(),
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::UnknownFormat { .. } => {
                "give an ITCH 5.0 file, a capture with MoldUDP64 packets, or DBN, unpacked from the beginning"
            }
            Self::BinaryFile(error) => error.fix(),
            Self::Pcap(error) => error.fix(),
            Self::Mold(error) => error.fix(),
            Self::Itch(error) => error.fix(),
            Self::Dbn(error) => error.fix(),
        }
    }
}

/// What, expected and got. The code and the remedy stand beside it, not in it.
impl fmt::Display for FeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFormat { got } => {
                write!(f, "unknown format; expected ITCH, pcap or DBN, got first byte {got}")
            }
            Self::BinaryFile(error) => error.fmt(f),
            Self::Pcap(error) => error.fmt(f),
            Self::Mold(error) => error.fmt(f),
            Self::Itch(error) => error.fmt(f),
            Self::Dbn(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FeedError {}

impl From<BinaryFileError> for FeedError {
    fn from(error: BinaryFileError) -> Self {
        Self::BinaryFile(error)
    }
}

impl From<ItchError> for FeedError {
    fn from(error: ItchError) -> Self {
        Self::Itch(error)
    }
}

impl From<DbnError> for FeedError {
    fn from(error: DbnError) -> Self {
        Self::Dbn(error)
    }
}

impl From<PcapError> for FeedError {
    fn from(error: PcapError) -> Self {
        Self::Pcap(error)
    }
}

impl From<MoldError> for FeedError {
    fn from(error: MoldError) -> Self {
        Self::Mold(error)
    }
}
