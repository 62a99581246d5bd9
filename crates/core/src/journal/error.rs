//! Why a part of a journal cannot be read: a stable code for programs, a sentence and a remedy for people.

use core::fmt;

use super::block::BLOCK_BYTES_MAX;
use super::segment::VERSION;
use crate::types::Account;

/// Why a segment, a block or a record of a journal is refused. What was read before it is exact, and so is what is
/// read behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalError {
    /// A file that does not begin as a segment does; all of it is passed over.
    NotJournal {
        /// Its first bytes.
        got: [u8; 4],
    },
    /// A segment of a version that is not known; all of it is passed over.
    UnknownVersion {
        /// It.
        got: u16,
    },
    /// The head of a segment is not what was written; all of the segment is passed over.
    DamagedSegment,
    /// A segment that is not the next one: segments before it are missing, or, where its number is lower than the one
    /// due, it comes again or too late and is passed over.
    SegmentOrder {
        /// The number due.
        expected: u64,
        /// Its own.
        got: u64,
    },
    /// The head of a block is not what was written; what follows is passed over up to the next whole block.
    DamagedHead,
    /// The records of a block are not what was written; they are passed over.
    DamagedBlock {
        /// The number of the first.
        first_seq: u64,
        /// How many there were.
        count: u32,
    },
    /// A block of another segment; it is passed over.
    ForeignBlock {
        /// The number of its first record.
        first_seq: u64,
    },
    /// A block of a kind that is not known; it is passed over.
    UnknownBlock {
        /// Its kind.
        kind: u16,
    },
    /// A block larger than any is; what follows is passed over up to the next whole block.
    BlockTooLarge {
        /// Its bytes.
        len: u32,
    },
    /// Records are missing.
    Gap {
        /// The number due.
        expected: u64,
        /// The number that came.
        got: u64,
    },
    /// A block whose records were there before; it is passed over.
    Repeated {
        /// The number due.
        expected: u64,
        /// The number of its first record.
        got: u64,
    },
    /// The file ends within its head or a block.
    Cut {
        /// Bytes that it takes.
        expected: u64,
        /// Bytes that are there.
        got: u64,
    },
    /// Something was missing when the journal was written.
    Missed {
        /// Whether it may have been a message.
        loses: bool,
    },
    /// A record that none of this version is, in a block that is as it was written; the rest of the block is passed
    /// over.
    BadRecord {
        /// Its number.
        seq: u64,
    },
    /// Frames that were published, where what was received is asked for.
    Published,
}

impl JournalError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotJournal { .. } => "journal.not_journal",
            Self::UnknownVersion { .. } => "journal.unknown_version",
            Self::DamagedSegment => "journal.damaged_segment",
            Self::SegmentOrder { .. } => "journal.segment_order",
            Self::DamagedHead => "journal.damaged_head",
            Self::DamagedBlock { .. } => "journal.damaged_block",
            Self::ForeignBlock { .. } => "journal.foreign_block",
            Self::UnknownBlock { .. } => "journal.unknown_block",
            Self::BlockTooLarge { .. } => "journal.block_too_large",
            Self::Gap { .. } => "journal.gap",
            Self::Repeated { .. } => "journal.repeated",
            Self::Cut { .. } => "journal.cut",
            Self::BadRecord { .. } => "journal.bad_record",
            Self::Missed { .. } => "journal.missed",
            Self::Published => "journal.published",
        }
    }

    /// Whether records may be missing: not so where what was there before comes again.
    #[must_use]
    pub const fn loses_records(self) -> bool {
        match self {
            Self::Repeated { .. } => false,
            Self::Missed { loses } => loses,
            Self::SegmentOrder { expected, got } => got > expected,
            _ => true,
        }
    }

    /// Whether nothing may be made of a file: it is of another version or, where none of a journal came before, no
    /// segment. Behind one it may be the rest of a packed segment that is damaged.
    #[must_use]
    pub(super) const fn refuses_file(self, is_first: bool) -> bool {
        match self {
            Self::UnknownVersion { .. } => true,
            Self::NotJournal { .. } => is_first,
            _ => false,
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        match self {
            Self::NotJournal { .. } => "give the segments of a journal, in the order of their names",
            Self::UnknownVersion { .. } | Self::UnknownBlock { .. } | Self::BadRecord { .. } => {
                "read it with the release that wrote it, or a newer one"
            }
            Self::DamagedSegment
            | Self::DamagedHead
            | Self::DamagedBlock { .. }
            | Self::BlockTooLarge { .. } => {
                "get a copy of this segment from elsewhere; the rest is read as it is"
            }
            Self::SegmentOrder { expected, got } if got > expected => "add the segments that are missing",
            Self::SegmentOrder { .. } => "give each segment once, in the order of their names",
            Self::ForeignBlock { .. } | Self::Repeated { .. } => {
                "give the segment as it was written: blocks were copied into it"
            }
            Self::Gap { .. } => {
                "add what is missing, if it is anywhere; books are stale until they are whole again"
            }
            Self::Cut { .. } => "get a new copy of the file; what is before the cut is good",
            Self::Missed { .. } => "look into what it was made of: it could not be read there",
            Self::Published => "keep the recording that the frames were made of: it has what was received",
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(self) -> Account {
        match self {
            Self::NotJournal { got: [a, b, c, d] } => Account::new(
                "no segment of a journal",
                "its magic bytes",
                format_args!("{a:02x}{b:02x}{c:02x}{d:02x}"),
            ),
            Self::UnknownVersion { got } => Account::new("version of the segment", VERSION, got),
            Self::DamagedSegment => Account::new("head of the segment is damaged", "its checksum", "another"),
            Self::SegmentOrder { expected, got } => Account::new("segments out of order", expected, got),
            Self::DamagedHead => Account::new("head of a block is damaged", "its checksum", "another"),
            Self::DamagedBlock { first_seq, count } => Account::new(
                format_args!("block of {count} records from {first_seq} on is damaged"),
                "its checksum",
                "another",
            ),
            Self::ForeignBlock { first_seq } => Account::new(
                format_args!("block of another segment, from record {first_seq} on"),
                "one of this",
                "another",
            ),
            Self::UnknownBlock { kind } => {
                Account::new("unknown kind of block", "one of this version", format_args!("kind {kind}"))
            }
            Self::BlockTooLarge { len } => {
                Account::new("block too large", format_args!("at most {BLOCK_BYTES_MAX} bytes"), len)
            }
            Self::Gap { expected, got } => Account::new("records are missing", expected, got),
            Self::Repeated { expected, got } => Account::new("records come again", expected, got),
            Self::Cut { expected, got } => {
                Account::new("segment ends within a block", format_args!("{expected} bytes of it"), got)
            }
            Self::Missed { .. } => {
                Account::new("what was recorded could not be read here", "all of it", "a part of it")
            }
            Self::BadRecord { seq } => {
                Account::new(format_args!("record {seq} is none"), "one of this version", "another")
            }
            Self::Published => Account::new(
                "frames that were published",
                "what was received of a venue",
                "a journal of frames",
            ),
        }
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for JournalError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_says_what_was_expected_and_what_came() {
        let errors = [
            JournalError::NotJournal { got: *b"\x1b[2J" },
            JournalError::UnknownVersion { got: 2 },
            JournalError::DamagedSegment,
            JournalError::SegmentOrder { expected: 1, got: 2 },
            JournalError::DamagedHead,
            JournalError::DamagedBlock { first_seq: 5, count: 3 },
            JournalError::ForeignBlock { first_seq: 5 },
            JournalError::UnknownBlock { kind: 9 },
            JournalError::BlockTooLarge { len: 9 },
            JournalError::Gap { expected: 1, got: 2 },
            JournalError::Repeated { expected: 2, got: 1 },
            JournalError::Cut { expected: 2, got: 1 },
            JournalError::BadRecord { seq: 9 },
            JournalError::Missed { loses: true },
            JournalError::Published,
        ];
        let mut codes: Vec<_> = errors.iter().map(|error| error.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), errors.len(), "each has a code of its own");
        for error in errors {
            let text = error.to_string();
            assert!(
                text.contains("expected ") && text.contains(", got ") && !text.contains('\x1b'),
                "{text}"
            );
            assert!(error.code().starts_with("journal.") && !error.fix().is_empty());
        }
        assert_eq!(
            errors[5].to_string(),
            "block of 3 records from 5 on is damaged; expected its checksum, got another"
        );
        let late = JournalError::SegmentOrder { expected: 2, got: 1 };
        assert!(!late.loses_records() && errors[3].loses_records() && late.fix() != errors[3].fix());
        assert!(size_of::<JournalError>() <= 24);
    }
}
