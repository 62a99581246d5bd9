//! What a feed frame of this engine says of its book: read out of the bytes that go to the output ring.
//!
//! The layout is that of `schema/feed.fbs`: a size, the place of the table, a table whose first field is the header and
//! whose fifth and sixth are vectors of levels. Bytes of another shape read as nothing.

use depthwire_core::encode::{Kind, Stream};
use depthwire_core::types::Level;

const HEADER_FIELD: usize = 0;
const BIDS_FIELD: usize = 4;
const ASKS_FIELD: usize = 5;

/// The header's part that a record in shared memory repeats.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place {
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    pub(crate) venue_seq: u64,
    pub(crate) ts_event: u64,
    pub(crate) ts_recv: u64,
    pub(crate) flags: u16,
}

/// A frame, as far as its header could be found.
#[derive(Clone, Copy)]
pub(crate) struct FeedFrame<'a> {
    bytes: &'a [u8],
    table: usize,
    header: &'a [u8; 64],
}

impl<'a> FeedFrame<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        let table = 4 + u32_at(bytes, 4)? as usize;
        let start = field(bytes, table, HEADER_FIELD)?;
        Some(Self { bytes, table, header: bytes.get(start..)?.first_chunk()? })
    }

    pub(crate) fn is_delta(&self) -> bool {
        self.header[60] == Kind::Delta as u8
    }

    pub(crate) fn is_check(&self) -> bool {
        self.header[60] == Kind::Check as u8
    }

    /// Whether it belongs to a stream that tells how the book stands.
    pub(crate) fn is_of_book(stream: u16) -> bool {
        stream == u16::from(Stream::BOOK.0) || stream == u16::from(Stream::STATUS.0)
    }

    pub(crate) fn place(&self) -> Place {
        let word = |at: usize| u64_at(self.header, at).unwrap_or_default();
        Place {
            epoch: word(0),
            seq: word(8),
            venue_seq: word(24),
            ts_event: word(32),
            ts_recv: word(40),
            flags: u16::from_le_bytes([self.header[62], self.header[63]]),
        }
    }

    pub(crate) fn bids(&self) -> impl Iterator<Item = Level> + use<'a> {
        self.levels(BIDS_FIELD)
    }

    pub(crate) fn asks(&self) -> impl Iterator<Item = Level> + use<'a> {
        self.levels(ASKS_FIELD)
    }

    fn levels(&self, index: usize) -> impl Iterator<Item = Level> + use<'a> {
        let found = || {
            let at = field(self.bytes, self.table, index)?;
            let start = at + u32_at(self.bytes, at)? as usize;
            let len = u32_at(self.bytes, start)? as usize;
            self.bytes.get(start + 4..)?.get(..len.checked_mul(16)?)
        };
        found().unwrap_or_default().chunks_exact(16).map(|level| {
            let word = |at: usize| u64_at(level, at).unwrap_or_default() as i64;
            Level::new(word(0), word(8))
        })
    }
}

/// Where a table's field stands; `None` when it is absent.
fn field(bytes: &[u8], table: usize, index: usize) -> Option<usize> {
    let vtable = table.checked_sub(u32_at(bytes, table)? as usize)?;
    let slot = vtable + 4 + 2 * index;
    let offset = u16::from_le_bytes(*bytes.get(slot..)?.first_chunk()?);
    (offset != 0).then_some(table + usize::from(offset))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
