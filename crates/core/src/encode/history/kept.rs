//! Kept frames, read.

use super::slabs::{SLAB_BYTES, Slabs};
use crate::encode::layout::own_header_at;

/// Frames of a range that follow one another to its end.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    slabs: &'a Slabs,
    slab: u32,
    at: usize,
    bytes: usize,
}

impl<'a> Kept<'a> {
    /// The frames from a place on; so many bytes.
    pub(super) const fn new(slabs: &'a Slabs, slab: u32, at: usize, bytes: usize) -> Self {
        Self { slabs, slab, at, bytes }
    }

    /// Without what a reader at this sequence has.
    pub(super) fn behind(mut self, seq: u64) -> Self {
        self.skip_slabs(seq);
        while self.bytes > 0 && self.first_seq() <= seq {
            self.skip(self.first_len());
        }
        self
    }

    /// Their bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Hands out all of them, in pieces that follow one another.
    pub fn pieces(mut self, mut emit: impl FnMut(&[u8])) {
        while self.bytes > 0 {
            self.take(self.bytes, &mut emit);
        }
    }

    /// Takes the first of them, whole. False where there is none.
    pub fn next_into(&mut self, frame: &mut Vec<u8>) -> bool {
        frame.clear();
        let len = if self.bytes == 0 { 0 } else { self.first_len() };
        while frame.len() < len {
            self.take(len - frame.len(), |piece| frame.extend_from_slice(piece));
        }
        len > 0
    }

    /// Hands out at most so many bytes, as far as they stand in one piece.
    fn take(&mut self, len_max: usize, emit: impl FnOnce(&[u8])) {
        let len = len_max.min(SLAB_BYTES - self.at);
        emit(&self.slabs.bytes(self.slab, self.at)[..len]);
        self.skip(len);
    }

    /// Goes to the last slab whose first frame follows what the reader has: all frames before it are older still.
    fn skip_slabs(&mut self, seq: u64) {
        let (mut slab, mut passed) = (self.slab, SLAB_BYTES - self.at);
        while let Some(before) = self.slabs.get(slab)
            && let Some(next) = self.slabs.get(before.next)
        {
            slab = before.next;
            let first = next.first as usize;
            if first >= SLAB_BYTES {
                // No frame begins in it.
                passed += SLAB_BYTES;
            } else if next.before > seq {
                return;
            } else {
                (self.slab, self.at, self.bytes) = (slab, first, self.bytes - passed - first);
                passed = SLAB_BYTES - first;
            }
        }
    }

    fn skip(&mut self, len: usize) {
        self.at += len;
        self.bytes -= len;
        if self.bytes > 0 {
            (self.slab, self.at) = self.normal(self.at);
        }
    }

    /// Length of the first frame, which its first four bytes tell. Frames stand on multiples of 8, at which slabs end.
    fn first_len(&self) -> usize {
        self.word(0) as u32 as usize + 4
    }

    fn first_seq(&self) -> u64 {
        self.word(own_header_at(self.word(0).to_le_bytes()) + 8)
    }

    fn word(&self, offset: usize) -> u64 {
        let (slab, at) = self.normal(self.at + offset);
        u64::from_le_bytes(self.slabs.bytes(slab, at).first_chunk().copied().unwrap_or_default())
    }

    /// The slab in which an offset of this one lies, and the offset there.
    fn normal(&self, mut at: usize) -> (u32, usize) {
        let mut slab = self.slab;
        while at >= SLAB_BYTES {
            at -= SLAB_BYTES;
            slab = self.slabs.get(slab).map_or(slab, |of| of.next);
        }
        (slab, at)
    }
}
