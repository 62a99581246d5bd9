//! A journal: what was heard, exactly as it was received, in files that are exact or say what is missing.
//!
//! A journal is a row of segments, a segment a file: a head of 64 bytes, then blocks. A block is a head of 64 bytes
//! and records; a record is one thing that was received, sent, answered or missed, on which connection and when
//! ([`Input`]). Records are numbered through all segments, and a block says the number of its first one. Numbers are
//! little-endian.
//!
//! | bytes of a segment's head | |
//! |---|---|
//! | 0 | [`MAGIC`] |
//! | 8 | [`VERSION`], u16 |
//! | 16, 24, 32, 40 | journal, number, first record, time of its beginning, u64 each |
//! | 60 | CRC32C of all before, u32 |
//!
//! | bytes of a block's head | |
//! |---|---|
//! | 0 | `DWJB` |
//! | 4 | kind, u16 |
//! | 8 | first record, u64 |
//! | 16, 20 | records, their bytes, u32 each |
//! | 28 | CRC32C of the records, u32 |
//! | 36 | CRC32C at the end of the segment's head, u32 |
//! | 40, 48 | time of the first record and of the last, u64 each |
//! | 60 | CRC32C of all before, u32 |
//!
//! Bytes that no line names are 0 and under the checksum. A record is handed out only when the checksum of its block
//! is right. What is damaged costs its own block; the numbers say which records those were. A file that ends within a
//! block ends with the last whole one. [`BlockKind::End`] says that a segment was closed in order.
//!
//! A segment of a live server's journal says first how its connections are taken and, in a checkpoint
//! (`engine/checkpoint.rs`), what was known when it began, so that it can be read by itself.
//!
//! This module makes bytes and reads them; it opens nothing. [`Writer`] and [`Reader`] are its two sides.

mod block;
mod error;
mod frames;
mod merge;
mod part_error;
#[cfg(test)]
mod part_tests;
mod reader;
#[cfg(test)]
mod reader_tests;
mod record;
mod segment;
mod slice;
mod varint;
mod writer;

pub use block::{BLOCK_BYTES_MAX, BLOCK_HEADER_BYTES, BlockHeader, BlockKind};
pub use error::JournalError;
pub use frames::{BLOCK_FRAMES, FrameItem, FrameReader, FrameRecorded, FrameWriter};
pub use merge::{MERGED_MAX, Merge};
pub use part_error::PartError;
pub use reader::{Reader, Recorded};
pub use record::{Input, SetupKind};
pub use segment::{FRAMES_MAGIC, MAGIC, SEGMENT_HEADER_BYTES, SegmentHeader, VERSION};
pub use slice::{Part, Slice};
pub(crate) use varint::{put as put_varint, take as take_varint, unzigzag, zigzag};
pub use writer::{BLOCK_BYTES, Writer};
