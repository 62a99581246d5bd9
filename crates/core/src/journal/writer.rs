//! Records into blocks, and blocks into the bytes of a segment. Who owns the file writes them and says when.

use super::block::{BLOCK_BYTES_MAX, BlockHeader, BlockKind};
use super::error::JournalError;
use super::record::{Input, Last};
use super::segment::SegmentHeader;

/// Bytes of records at which a block is full. What is lost with one damaged bit, or with a process that is killed
/// between two writes, is no more than this.
pub const BLOCK_BYTES: usize = 256 << 10;

// The largest record still fits behind what a block that is not full yet has.
const _: () = assert!(BLOCK_BYTES < 1 << 20);

/// Writes one segment.
///
/// What is appended waits in a block of its own until that is full or [`Self::flush`] is called; only then is it
/// among the bytes that are to be written. Cost: a copy of what is recorded, then a CRC32C of it. Once warm it
/// allocates nothing.
#[derive(Clone, Debug)]
pub struct Writer {
    /// The checksum of the segment's head.
    segment: u32,
    next_seq: u64,
    body: Vec<u8>,
    count: u32,
    first_ts: u64,
    last: Last,
}

impl Writer {
    /// Begins a segment; its head is appended to `out`.
    #[must_use]
    pub fn begin(header: SegmentHeader, out: &mut Vec<u8>) -> Self {
        let bytes = header.to_bytes();
        out.extend_from_slice(&bytes);
        Self {
            segment: SegmentHeader::checksum(&bytes),
            next_seq: header.first_seq,
            body: Vec::new(),
            count: 0,
            first_ts: 0,
            last: Last::default(),
        }
    }

    /// The number of the next record.
    #[must_use]
    pub const fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// The next record has that number: those between are missing here, and a reader is told so. What waits is appended
    /// to `out`. Nothing where the number is the next one, or was there before.
    pub fn skip_to(&mut self, seq: u64, out: &mut Vec<u8>) {
        if seq > self.next_seq {
            self.flush(out);
            self.next_seq = seq;
        }
    }

    /// Records that wait.
    #[must_use]
    pub const fn waiting(&self) -> u32 {
        self.count
    }

    /// Bytes of records that wait.
    #[cfg(test)]
    pub(super) const fn waiting_bytes(&self) -> usize {
        self.body.len()
    }

    /// Takes a record, and says its number. Where a block is full before, it is appended to `out`.
    ///
    /// # Errors
    /// [`JournalError::BlockTooLarge`] for a record that no block holds; nothing has changed then.
    #[inline]
    pub fn append(
        &mut self,
        line: u32,
        ts: u64,
        input: &Input<'_>,
        out: &mut Vec<u8>,
    ) -> Result<u64, JournalError> {
        let most = input.bytes_max();
        if most > BLOCK_BYTES_MAX as usize - BLOCK_BYTES {
            return Err(JournalError::BlockTooLarge { len: u32::try_from(most).unwrap_or(u32::MAX) });
        }
        if self.body.len() >= BLOCK_BYTES {
            self.flush(out);
        }
        if self.count == 0 {
            (self.first_ts, self.last) = (ts, Last { line: 0, ts });
        }
        input.write(line, ts, &mut self.last, &mut self.body);
        self.count += 1;
        let seq = self.next_seq;
        self.next_seq += 1;
        Ok(seq)
    }

    /// Appends the block of all records that wait to `out`, if there are any.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        if self.count == 0 {
            return;
        }
        let crc = crc32c::crc32c(&self.body);
        self.put_head(BlockKind::Records, crc, out);
        out.extend_from_slice(&self.body);
        self.body.clear();
        self.count = 0;
    }

    /// Appends what waits, and the block that says that no more follows.
    pub fn close(mut self, out: &mut Vec<u8>) {
        self.flush(out);
        self.put_head(BlockKind::End, 0, out);
    }

    fn put_head(&self, kind: BlockKind, crc: u32, out: &mut Vec<u8>) {
        let bytes = self.body.len() as u32;
        let header = BlockHeader {
            kind,
            first_seq: self.next_seq - u64::from(self.count),
            count: self.count,
            bytes,
            crc,
            segment: self.segment,
            first_ts: self.first_ts,
            last_ts: self.last.ts,
        };
        out.extend_from_slice(&header.to_bytes());
    }
}
