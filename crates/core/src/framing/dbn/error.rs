//! Why bytes are not DBN: a stable code for programs, a sentence and a remedy for people.

use core::fmt;

use super::METADATA_BYTES_MAX;
use crate::types::Account;

/// Why a stream, its metadata or one of its records is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DbnError {
    /// The first bytes are not [`MAGIC`](super::MAGIC).
    NotDbn {
        /// They; zeros after the end.
        got: [u8; 4],
    },
    /// A version that is not 1, 2 or 3.
    UnsupportedVersion {
        /// It.
        got: u8,
    },
    /// Metadata longer than [`METADATA_BYTES_MAX`].
    MetadataTooLarge {
        /// Its bytes.
        len: usize,
    },
    /// Metadata that ends before what it announces does.
    MetadataTooShort {
        /// What it was to hold.
        field: &'static str,
        /// Bytes that this takes.
        expected: usize,
        /// Bytes that are left.
        got: usize,
    },
    /// A record without metadata before it: nothing says its version.
    NoMetadata,
    /// Symbols of a length that no version has.
    BadSymbolLen {
        /// The length.
        got: u16,
    },
    /// Metadata with a schema definition, which no version up to 3 defines.
    SchemaDefinition {
        /// Its bytes.
        len: u32,
    },
    /// A mapping's date that is not `YYYYMMDD`.
    BadDate {
        /// The number.
        got: u32,
    },
    /// A text that is not UTF-8.
    NotUtf8 {
        /// Offset of the first byte that is not, within the text.
        at: usize,
    },
    /// The stream ends in the middle of its metadata or of a record.
    Truncated {
        /// Bytes that the unfinished part takes.
        expected: usize,
        /// Bytes that are there.
        got: usize,
    },
    /// A record shorter than its own header: where the next one starts cannot be known.
    RecordTooShort {
        /// Its bytes.
        len: usize,
    },
    /// A record whose type has another length in this version.
    RecordLen {
        /// Its type.
        rtype: u8,
        /// The type's bytes, without `ts_out`.
        expected: u16,
        /// Its bytes, without `ts_out`.
        got: u16,
    },
    /// Metadata where a record is meant to stand.
    MetadataAmongRecords,
    /// An action that the documentation does not have.
    UnknownAction {
        /// It.
        got: u8,
    },
    /// An order without a side.
    NoSide {
        /// The action.
        action: u8,
    },
    /// An order without a price.
    NoPrice {
        /// The action.
        action: u8,
    },
    /// An order without a size above 0.
    NoSize {
        /// The action.
        action: u8,
        /// The size: 0 or undefined.
        got: u32,
    },
    /// A level with a price and an undefined size.
    LevelWithoutSize {
        /// The price.
        price: i64,
    },
}

impl DbnError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotDbn { .. } => "decode.dbn_magic",
            Self::UnsupportedVersion { .. } => "decode.dbn_version",
            Self::MetadataTooLarge { .. } => "decode.dbn_metadata_too_large",
            Self::MetadataTooShort { .. } => "decode.dbn_metadata_too_short",
            Self::NoMetadata => "decode.dbn_no_metadata",
            Self::BadSymbolLen { .. } => "decode.dbn_symbol_len",
            Self::SchemaDefinition { .. } => "decode.dbn_schema_definition",
            Self::BadDate { .. } => "decode.dbn_date",
            Self::NotUtf8 { .. } => "decode.dbn_not_utf8",
            Self::Truncated { .. } => "decode.dbn_truncated",
            Self::RecordTooShort { .. } => "decode.dbn_record_too_short",
            Self::RecordLen { .. } => "decode.dbn_record_len",
            Self::MetadataAmongRecords => "decode.dbn_metadata_among_records",
            Self::UnknownAction { .. } => "decode.dbn_action",
            Self::NoSide { .. } => "decode.dbn_no_side",
            Self::NoPrice { .. } => "decode.dbn_no_price",
            Self::NoSize { .. } => "decode.dbn_no_size",
            Self::LevelWithoutSize { .. } => "decode.dbn_level_without_size",
        }
    }

    /// Whether nothing can follow the [`Entry`](super::Entry) that carries it: all but what concerns one record only.
    #[must_use]
    pub const fn ends_the_stream(&self) -> bool {
        match self {
            Self::RecordLen { .. }
            | Self::UnknownAction { .. }
            | Self::NoSide { .. }
            | Self::NoPrice { .. }
            | Self::NoSize { .. }
            | Self::LevelWithoutSize { .. } => false,
            Self::NotDbn { .. }
            | Self::UnsupportedVersion { .. }
            | Self::MetadataTooLarge { .. }
            | Self::MetadataTooShort { .. }
            | Self::BadSymbolLen { .. }
            | Self::SchemaDefinition { .. }
            | Self::BadDate { .. }
            | Self::NotUtf8 { .. }
            | Self::Truncated { .. }
            | Self::RecordTooShort { .. }
            | Self::NoMetadata
            | Self::MetadataAmongRecords => true,
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::NotDbn { got: [0x28, 0xb5, 0x2f, 0xfd] } => {
                "decompress the file first: these are Zstandard bytes"
            }
            Self::NotDbn { got: [0x50..=0x5f, 0x2a, 0x4d, 0x18] } => {
                "decompress the file first, or convert it with the `dbn` tool if it is the older DBZ"
            }
            Self::NotDbn { .. } => "pass a DBN stream from its start; give a fragment with its version",
            Self::NoMetadata => "pass the stream from its start",
            Self::UnsupportedVersion { .. } => {
                "ask the publisher for DBN version 3, or convert the file to it"
            }
            Self::MetadataTooLarge { .. } => {
                "ask for fewer symbols at a time, or check the source for damage"
            }
            Self::MetadataTooShort { .. }
            | Self::BadSymbolLen { .. }
            | Self::SchemaDefinition { .. }
            | Self::BadDate { .. }
            | Self::NotUtf8 { .. }
            | Self::RecordTooShort { .. } => {
                "check the source for damage; if it is whole, keep the bytes and report them"
            }
            Self::Truncated { .. } => "the stream was cut: get the file again, or reconnect",
            Self::RecordLen { .. } => {
                "check a fragment's version and whether it carries ts_out; else check the source for damage"
            }
            Self::MetadataAmongRecords => {
                "read each file with a framer of its own, and a file with metadata not as a fragment"
            }
            Self::UnknownAction { .. }
            | Self::NoSide { .. }
            | Self::NoPrice { .. }
            | Self::NoSize { .. }
            | Self::LevelWithoutSize { .. } => {
                "take the book for stale until it is cleared, and keep the record and report it"
            }
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match *self {
            Self::NotDbn { got } => Account::new(
                "no DBN stream",
                "it to start with \"DBN\"",
                format_args!("\"{}\"", got.escape_ascii()),
            ),
            Self::NoMetadata => Account::new("record of unknown version", "metadata before it", "none"),
            Self::UnsupportedVersion { got } => Account::new("DBN version", "1, 2 or 3", got),
            Self::MetadataTooLarge { len } => {
                Account::new("metadata too large", format_args!("at most {METADATA_BYTES_MAX} bytes"), len)
            }
            Self::MetadataTooShort { field, expected, got } => Account::new(
                format_args!("metadata too short for {field}"),
                format_args!("{expected} bytes"),
                got,
            ),
            Self::BadSymbolLen { got } => {
                Account::new("length of symbols in the metadata", "22 to 255 bytes", got)
            }
            Self::SchemaDefinition { len } => {
                Account::new("schema definition in the metadata", "none", format_args!("{len} bytes"))
            }
            Self::BadDate { got } => Account::new("date in the metadata", "YYYYMMDD", got),
            Self::NotUtf8 { at } => Account::new(
                "text of a record or the metadata",
                "UTF-8",
                format_args!("another byte at {at}"),
            ),
            Self::Truncated { expected, got } => {
                Account::new("stream ends in the middle", format_args!("{expected} bytes"), got)
            }
            Self::RecordTooShort { len } => {
                Account::new("record shorter than its header", "at least 16 bytes", len)
            }
            Self::RecordLen { rtype, expected, got } => Account::new(
                format_args!("length of a record of type {rtype:#04x}"),
                format_args!("{expected} bytes"),
                got,
            ),
            Self::MetadataAmongRecords => {
                Account::new("metadata among records", "a record", "the start of another stream")
            }
            Self::UnknownAction { got } => {
                Account::new("action of an order", "one of ACMRTFN", format_args!("'{}'", got.escape_ascii()))
            }
            Self::NoSide { action } => Account::new(
                format_args!("order without side in '{}'", action.escape_ascii()),
                "A or B",
                "neither",
            ),
            Self::NoPrice { action } => Account::new(
                format_args!("order without price in '{}'", action.escape_ascii()),
                "one",
                "none",
            ),
            Self::NoSize { action, got } => Account::new(
                format_args!("order without size in '{}'", action.escape_ascii()),
                "above 0",
                got,
            ),
            Self::LevelWithoutSize { price } => {
                Account::new(format_args!("level without size at price {price}e-9"), "one", "none")
            }
        }
    }
}

impl fmt::Display for DbnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for DbnError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_says_what_was_expected_and_what_came() {
        let all = [
            DbnError::NotDbn { got: *b"\x1b[2J" },
            DbnError::UnsupportedVersion { got: 4 },
            DbnError::MetadataTooLarge { len: 9 },
            DbnError::MetadataTooShort { field: "symbols", expected: 9, got: 8 },
            DbnError::NoMetadata,
            DbnError::BadSymbolLen { got: 0 },
            DbnError::SchemaDefinition { len: 9 },
            DbnError::BadDate { got: 9 },
            DbnError::NotUtf8 { at: 9 },
            DbnError::Truncated { expected: 9, got: 8 },
            DbnError::RecordTooShort { len: 0 },
            DbnError::RecordLen { rtype: 0xa0, expected: 56, got: 52 },
            DbnError::MetadataAmongRecords,
            DbnError::UnknownAction { got: 0x1b },
            DbnError::NoSide { action: b'A' },
            DbnError::NoPrice { action: b'A' },
            DbnError::NoSize { action: b'A', got: 0 },
            DbnError::LevelWithoutSize { price: 5 },
        ];
        let mut codes: Vec<_> = all.iter().map(DbnError::code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all.len(), "each has a code of its own");
        for error in all {
            let text = error.to_string();
            assert!(text.contains("expected ") && text.contains(", got "), "{text}");
            assert!(!text.contains('\x1b'), "{text}");
            assert!(error.code().starts_with("decode.dbn_") && !error.fix().is_empty());
        }
    }
}
