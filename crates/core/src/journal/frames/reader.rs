//! Segments of frames into frames, in the order of their numbers: exactly what was written, or an error that names what is missing.

use super::decoder::{Decoder, What};
use crate::journal::block::BlockKind;
use crate::journal::error::JournalError;
use crate::journal::reader::{Found, Reader, Recorded};
use crate::journal::segment::FRAMES_MAGIC;

/// What a journal of frames tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameItem<'a> {
    /// Another journal begins.
    Began,
    /// An instrument as the catalogue had it, in the words of `engine/listing.rs`.
    Instrument(&'a [u8]),
    /// A frame, its size in front. Its time of sending is 0.
    Frame(&'a [u8]),
}

/// What is told next, and where it stands in the bytes given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRecorded<'a> {
    /// Offset of its first byte; of a frame that of what follows its block, all of which has been copied.
    pub start: usize,
    /// Offset after its last byte. A caller that took it has consumed the bytes before that.
    pub end: usize,
    /// Its number; of an error that of the frame that is due.
    pub seq: u64,
    /// What; or why it is nothing.
    pub what: Result<FrameItem<'a>, JournalError>,
}

/// Reads the segments of a journal of frames one after the other, as [`Reader`] does those of records. It keeps the block that it is
/// in: some 2 MiB.
#[derive(Clone, Debug)]
pub struct FrameReader {
    reader: Reader,
    decoder: Decoder,
    block: Vec<u8>,
    /// Frames of the block that are still to come.
    left: u32,
    /// What was handed out last, and what it is; none where that was no part of a block.
    last: Vec<u8>,
    last_what: Option<What>,
    is_back: bool,
}

impl Default for FrameReader {
    fn default() -> Self {
        Self {
            reader: Reader::of(FRAMES_MAGIC, BlockKind::Frames),
            decoder: Decoder::default(),
            block: Vec::new(),
            left: 0,
            last: Vec::new(),
            last_what: None,
            is_back: false,
        }
    }
}

impl FrameReader {
    /// The number of the frame that is due; 0 before the first segment.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.reader.next_seq()
    }

    /// Whether the segment that was read last was closed in order.
    #[must_use]
    pub const fn was_closed(&self) -> bool {
        self.reader.was_closed()
    }

    /// The bytes of what was handed out last.
    #[must_use]
    pub fn told_last(&self) -> &[u8] {
        &self.last
    }

    /// Another segment follows.
    pub fn segment_ended(&mut self) {
        self.reader.segment_ended();
        (self.left, self.last_what) = (0, None);
    }

    /// The frame that was handed out last is not wanted yet: it comes again.
    pub const fn put_back(&mut self) {
        self.is_back = true;
    }

    /// The next frame of `bytes` from `at` on, or, where they hold no further whole block, the offset from which on the rest must go
    /// in again, unchanged, at the head of the next chunk. `last` as in [`Reader::next`].
    ///
    /// Cost: a pass over a block for its checksum and a copy of it; then some tens of nanoseconds a frame.
    ///
    /// # Errors
    /// That offset.
    pub fn next<'a>(
        &'a mut self,
        bytes: &[u8],
        mut at: usize,
        last: bool,
    ) -> Result<FrameRecorded<'a>, usize> {
        if let Some(what) = self.last_what.take().filter(|_| std::mem::take(&mut self.is_back)) {
            return Ok(self.hand_out(what, at, self.next_seq().wrapping_sub(1)));
        }
        self.is_back = false;
        while self.left == 0 {
            match self.reader.find(bytes, at, last)? {
                Found::Told(Recorded { start, end, seq, what, .. }) => {
                    let what = what.map(|_| FrameItem::Began);
                    return Ok(FrameRecorded { start, end, seq, what });
                }
                Found::Block(header, from, to) => {
                    self.block.clear();
                    self.block.extend_from_slice(&bytes[from..to]);
                    self.left = header.count;
                    at = to;
                    if self.decoder.open(&self.block).is_none() {
                        return Ok(self.bad(at));
                    }
                }
            }
        }
        let seq = self.next_seq();
        self.last.clear();
        let what = self.decoder.next(&self.block, &mut self.last);
        // Bytes that are left over are of no frame.
        let Some(what) = what.filter(|_| self.left > 1 || self.decoder.is_read()) else {
            return Ok(self.bad(at));
        };
        self.left -= 1;
        self.reader.took(1);
        Ok(self.hand_out(what, at, seq))
    }

    fn hand_out(&mut self, what: What, at: usize, seq: u64) -> FrameRecorded<'_> {
        self.last_what = Some(what);
        let what = match what {
            What::Frame => FrameItem::Frame(&self.last),
            What::Instrument => FrameItem::Instrument(&self.last),
        };
        FrameRecorded { start: at, end: at, seq, what: Ok(what) }
    }

    /// The rest of the block is none of this version, though it is as it was written.
    #[cold]
    fn bad(&mut self, at: usize) -> FrameRecorded<'_> {
        let seq = self.next_seq();
        self.reader.took(std::mem::take(&mut self.left));
        FrameRecorded { start: at, end: at, seq, what: Err(JournalError::BadRecord { seq }) }
    }
}
