//! The output ring: memory that JavaScript owns, that the engine's records are copied into and that JavaScript reads.
//!
//! ```text
//! control block: the u32 words of `ControlWord`
//! ring: records, 8-aligned, none wraps; a pad record fills the end
//! ```
//! Positions count bytes, wrap at 2^32, and are taken modulo the ring's size, a power of two. One writer (this), one
//! reader. Everything is written through raw pointers: another thread may read the memory, so no `&[u8]` or `&mut [u8]`
//! over it is ever made here.

use std::sync::atomic::{AtomicU32, Ordering};

use depthwire_core::encode::ring::{CONTROL_BYTES, ControlWord as Word, RING_BYTES_MAX, RING_BYTES_MIN};
use depthwire_core::encode::{Outbox, RECORD_HEADER_BYTES, RecordType};
use napi::bindgen_prelude::Uint8Array;

/// Rings made in this process, in all threads.
static RINGS: AtomicU32 = AtomicU32::new(1);

pub(crate) struct OutputRing {
    /// Keeps the memory alive; never read through.
    _memory: Uint8Array,
    base: *mut u8,
    ring_bytes: u32,
    number: u32,
}

impl OutputRing {
    /// Takes the memory over, which must be shared memory, for that cannot be detached or shrink. `None` unless it is
    /// 8-aligned and a control block plus a power of two from 4 MiB to 1 GiB.
    pub(crate) fn new(memory: Uint8Array) -> Option<Self> {
        let ring_bytes = memory.len().checked_sub(CONTROL_BYTES)?;
        let base = memory.as_ptr().cast_mut();
        let fits = ring_bytes.is_power_of_two() && (RING_BYTES_MIN..=RING_BYTES_MAX).contains(&ring_bytes);
        if !fits || base.align_offset(8) != 0 {
            return None;
        }
        let number = RINGS.fetch_add(1, Ordering::Relaxed);
        let ring = Self { _memory: memory, base, ring_bytes: ring_bytes as u32, number };
        ring.set(Word::Capacity, ring.ring_bytes);
        ring.set(Word::Owner, number);
        Some(ring)
    }

    /// Bytes of the memory.
    pub(crate) fn bytes(&self) -> usize {
        CONTROL_BYTES + self.ring_bytes as usize
    }

    /// Moves whole records in, oldest first, while they fit, and shows each to `see`. True when the outbox is empty.
    pub(crate) fn fill(&self, outbox: &mut Outbox, mut see: impl FnMut(&[u8])) -> bool {
        while let Some(record) = outbox.front() {
            if !self.push(record) {
                return false;
            }
            see(record);
            outbox.take();
        }
        true
    }

    /// Whether records wait to be read.
    pub(crate) fn has_records(&self) -> bool {
        self.word(Word::Write).load(Ordering::Relaxed) != self.word(Word::Read).load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, word: Word, value: u32) {
        self.word(word).store(value, Ordering::Release);
    }

    /// Stores a 64-bit number as its low and high half.
    pub(crate) fn set_wide(&self, word: Word, value: u64) {
        self.store(word as usize, value as u32);
        self.store(word as usize + 1, (value >> 32) as u32);
    }

    fn push(&self, record: &[u8]) -> bool {
        let write = self.word(Word::Write).load(Ordering::Relaxed);
        let read = self.word(Word::Read).load(Ordering::Acquire);
        let free = self.ring_bytes.saturating_sub(write.wrapping_sub(read)) as usize;
        let at = (write & (self.ring_bytes - 1)) as usize;
        let to_end = self.ring_bytes as usize - at;
        let pad = if record.len() > to_end { to_end } else { 0 };
        if pad + record.len() > free {
            return false;
        }
        if pad > 0 {
            let mut header = [0; RECORD_HEADER_BYTES];
            header[4] = RecordType::Pad as u8;
            // A pad may be shorter than a header; then the reader knows it by its place.
            self.copy_in(at, &header[..pad.min(RECORD_HEADER_BYTES)]);
        }
        self.copy_in((at + pad) & (self.ring_bytes as usize - 1), record);
        // Released last: a reader that sees the position sees the bytes.
        self.set(Word::Write, write.wrapping_add((pad + record.len()) as u32));
        true
    }

    fn copy_in(&self, at: usize, bytes: &[u8]) {
        debug_assert!(at + bytes.len() <= self.ring_bytes as usize);
        // SAFETY:
        // - `base` points to CONTROL_BYTES + ring_bytes bytes of shared memory, which `_memory` keeps alive (see `new`);
        // - at + bytes.len() ≤ ring_bytes (asserted above; `push` computes it from the free space), so all stay inside;
        // - the source is the engine's outbox, which is other memory;
        // - a reader touches only what lies between the read and the write position, and this is beyond it.
        unsafe {
            self.base.add(CONTROL_BYTES + at).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
    }

    fn store(&self, index: usize, value: u32) {
        self.at(index).store(value, Ordering::Release);
    }

    fn word(&self, word: Word) -> &AtomicU32 {
        self.at(word as usize)
    }

    fn at(&self, index: usize) -> &AtomicU32 {
        debug_assert!(index < CONTROL_BYTES / 4);
        // SAFETY:
        // - index is below 32 (asserted; all callers pass words of the control block), so the word lies in the memory,
        //   which `_memory` keeps alive for as long as `self`;
        // - `base` is 8-aligned (checked in `new`), so the word is 4-aligned;
        // - the word is only ever accessed as an atomic, here and by JavaScript's `Atomics`.
        unsafe { AtomicU32::from_ptr(self.base.cast::<u32>().add(index)) }
    }
}

/// Lets the system have the memory's pages at once: the memory itself goes when JavaScript has collected its views, which
/// may be a while. Not when it belongs to another engine by now.
#[cfg(target_os = "linux")]
impl Drop for OutputRing {
    fn drop(&mut self) {
        /// Of the systems that this is built for, none has greater ones.
        const PAGE_BYTES: usize = 1 << 16;
        if self.word(Word::Owner).load(Ordering::Relaxed) != self.number {
            return;
        }
        let from = self.base.align_offset(PAGE_BYTES);
        let len = self.bytes().saturating_sub(from) & !(PAGE_BYTES - 1);
        debug_assert!(from + len <= self.bytes());
        // SAFETY:
        // - whole pages that lie within the memory (asserted), which `_memory` keeps alive;
        // - they stay mapped and read as zeros: whoever has a view of them sees a ring without records;
        // - the call has no effect where it fails.
        unsafe { libc::madvise(self.base.add(from).cast(), len, libc::MADV_DONTNEED) };
    }
}
