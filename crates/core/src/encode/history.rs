//! What was published lately, kept for readers that come back: of each stream the frames from some sequence to its present,
//! as they were published.
//!
//! Memory is one pool of slabs. A stream's frames stand back to back in a chain of them, so that forgetting is the return of
//! its oldest slab, with every frame that begins in it. Slabs return:
//!
//! 1. The oldest of a stream, when the stream has as many as one may have, or all that begins in it is older than the limit.
//!    Age is looked at when the stream needs a slab, and when it is asked for.
//! 2. The oldest of all streams, when all are in use.
//! 3. All of a stream, when a frame does not follow the one before it, as in a new epoch, or is larger than all that a stream
//!    may keep.
//!
//! Images are not kept: a reader at an image's place needs the frames behind it, any other gets a new image. One at the
//! stream's own place leaves what is kept as it is; one at any other begins anew. Nor is the `status` stream kept: its last
//! frame is its whole state.

mod kept;
mod slabs;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::layout::own_header_at;
use super::{Kind, Stream};
use crate::stats::HistoryStats;
use crate::types::{InstrumentHasher, InstrumentId, TimeNs};
pub use kept::Kept;
pub use slabs::SLAB_BYTES;
use slabs::{NONE, Slabs};

/// Most bytes that may be kept.
pub const HISTORY_BYTES_MAX: u64 = 1 << 36;

/// One more than the highest number of a stream that is kept.
const STREAMS: usize = Stream::END.0 as usize;

/// How much is kept. Bytes are rounded down to whole slabs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryConfig {
    /// Bytes of all streams together, at most [`HISTORY_BYTES_MAX`]; 0 = nothing is kept.
    pub bytes: u64,
    /// Bytes of one stream; 0 = nothing is kept.
    pub stream_bytes: u64,
    /// Age of what is kept, by the times of sending; 0 = nothing is kept.
    pub age_ns: u64,
}

/// The kept frames of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    epoch: u64,
    /// Sequence of the last frame, kept or not.
    last: u64,
    head: u32,
    tail: u32,
    /// Slabs of the chain.
    slabs: u32,
    /// Bytes used of the tail; all where there is none.
    fill: u32,
    /// Bytes of the frames.
    bytes: usize,
}

impl Range {
    const EMPTY: Self =
        Self { epoch: 0, last: 0, head: NONE, tail: NONE, slabs: 0, fill: SLAB_BYTES as u32, bytes: 0 };
}

/// See the module.
#[derive(Debug)]
pub struct History {
    range_slabs_max: usize,
    age_ns: u64,
    rows: HashMap<InstrumentId, u32, BuildHasherDefault<InstrumentHasher>>,
    /// The last instrument and its row: most frames are of the instrument of the one before.
    last_row: Option<(InstrumentId, u32)>,
    /// Numbers of ranges, by row and stream.
    index: Vec<[u32; STREAMS]>,
    ranges: Vec<Range>,
    slabs: Slabs,
    evicted_slabs: u64,
}

impl History {
    /// An empty one. `None` where nothing can be kept within the limits.
    #[must_use]
    pub fn new(config: HistoryConfig) -> Option<Self> {
        let slabs = |bytes: u64| bytes.min(HISTORY_BYTES_MAX) as usize / SLAB_BYTES;
        let slabs_max = slabs(config.bytes);
        let range_slabs_max = slabs(config.stream_bytes).min(slabs_max);
        (range_slabs_max > 0 && config.age_ns > 0).then(|| Self {
            range_slabs_max,
            age_ns: config.age_ns,
            rows: HashMap::default(),
            last_row: None,
            index: Vec::new(),
            ranges: Vec::new(),
            slabs: Slabs::new(slabs_max),
            evicted_slabs: 0,
        })
    }

    /// Keeps a frame that was published. Cost: a copy, and now and then the return of a slab.
    pub fn keep(&mut self, instrument: InstrumentId, stream: Stream, frame: &[u8]) {
        let header =
            frame.first_chunk().and_then(|first| frame.get(own_header_at(*first)..)?.first_chunk::<64>());
        let (Some(header), false) = (header, stream == Stream::STATUS) else { return };
        let words = header.as_chunks::<8>().0;
        let [epoch, seq, prev_seq, sent] = [words[0], words[1], words[2], words[6]].map(u64::from_le_bytes);
        let Some(range) = self.range_of(instrument, stream) else { return };
        let place = (self.ranges[range].epoch, self.ranges[range].last);
        if header[60] == Kind::Image as u8 {
            if place != (epoch, seq) {
                self.begin(range, epoch, seq);
            }
            return;
        }
        if place != (epoch, prev_seq) {
            self.begin(range, epoch, prev_seq);
        }
        self.ranges[range].last = seq;
        if self.has_room(range, frame.len(), sent) {
            self.append(range, frame, prev_seq, sent);
        } else {
            self.clear(range);
        }
    }

    /// Forgets a stream, which is closed.
    pub fn forget(&mut self, instrument: InstrumentId, stream: Stream) {
        if let Some(range) = self.find(instrument, stream) {
            self.begin(range, 0, 0);
        }
    }

    /// The frames of a stream between a place and its present, which is at sequence `to`. `None` where not all of them are
    /// kept, or the place is none of this stream's.
    pub fn since(
        &mut self,
        instrument: InstrumentId,
        stream: Stream,
        (epoch, seq): (u64, u64),
        to: u64,
        now: TimeNs,
    ) -> Option<Kept<'_>> {
        let range = self.find(instrument, stream)?;
        self.expire(range, now);
        let Range { epoch: own_epoch, last, head, bytes, .. } = self.ranges[range];
        if (own_epoch, last) != (epoch, to) {
            return None;
        }
        if seq == last {
            return Some(Kept::new(&self.slabs, NONE, 0, 0));
        }
        let first = self.slabs.get(head)?;
        (first.before..last)
            .contains(&seq)
            .then(|| Kept::new(&self.slabs, head, first.first as usize, bytes).behind(seq))
    }

    /// What is used, may be used, and was taken from the oldest of all.
    #[must_use]
    pub const fn stats(&self) -> HistoryStats {
        HistoryStats {
            bytes: (self.slabs.used() * SLAB_BYTES) as u64,
            bytes_max: (self.slabs.max() * SLAB_BYTES) as u64,
            evicted_bytes: self.evicted_slabs * SLAB_BYTES as u64,
        }
    }

    /// Memory that is allocated for frames.
    #[must_use]
    pub const fn allocated_bytes(&self) -> usize {
        self.slabs.allocated_bytes()
    }

    #[inline]
    fn range_of(&mut self, instrument: InstrumentId, stream: Stream) -> Option<usize> {
        let row = match self.last_row {
            Some((last, row)) if last == instrument => row,
            _ => self.row_of(instrument),
        };
        let number = self.index[row as usize].get_mut(usize::from(stream.0))?;
        if *number == NONE {
            *number = self.ranges.len() as u32;
            self.ranges.push(Range::EMPTY);
        }
        Some(*number as usize)
    }

    fn row_of(&mut self, instrument: InstrumentId) -> u32 {
        let next = self.index.len() as u32;
        let row = *self.rows.entry(instrument).or_insert(next);
        if row == next {
            self.index.push([NONE; STREAMS]);
        }
        self.last_row = Some((instrument, row));
        row
    }

    fn find(&self, instrument: InstrumentId, stream: Stream) -> Option<usize> {
        let row = *self.rows.get(&instrument)? as usize;
        let number = *self.index[row].get(usize::from(stream.0))?;
        (number != NONE).then_some(number as usize)
    }

    /// Nothing is kept of the range but its place.
    #[cold]
    fn begin(&mut self, range: usize, epoch: u64, seq: u64) {
        self.clear(range);
        (self.ranges[range].epoch, self.ranges[range].last) = (epoch, seq);
    }

    fn clear(&mut self, range: usize) {
        while self.ranges[range].head != NONE {
            self.drop_head(range);
        }
    }

    fn expire(&mut self, range: usize, now: TimeNs) {
        while let Some(head) = self.slabs.get(self.ranges[range].head)
            && head.sent.saturating_add(self.age_ns) < now
        {
            self.drop_head(range);
        }
    }

    /// Whether a frame can be appended, for which room is made where there is none. False where the stream may not keep it.
    #[inline]
    fn has_room(&mut self, range: usize, len: usize, now: TimeNs) -> bool {
        len <= SLAB_BYTES - self.ranges[range].fill as usize || self.make_room(range, len, now)
    }

    fn make_room(&mut self, range: usize, len: usize, now: TimeNs) -> bool {
        self.expire(range, now);
        if len.div_ceil(SLAB_BYTES) > self.range_slabs_max {
            return false;
        }
        // Each round takes a slab from somebody; a range without any needs no more than it may have.
        loop {
            let Range { slabs, fill, .. } = self.ranges[range];
            let more = len.saturating_sub(SLAB_BYTES - fill as usize).div_ceil(SLAB_BYTES);
            if slabs as usize + more > self.range_slabs_max {
                self.drop_head(range);
            } else if self.slabs.have(more) {
                return true;
            } else {
                let Some(oldest) = self.slabs.get(self.slabs.oldest()) else { return false };
                self.evicted_slabs += self.drop_head(oldest.range as usize);
            }
        }
    }

    /// Returns the oldest slab of a range that has one, and those behind it in which no frame begins. How many they are.
    fn drop_head(&mut self, range: usize) -> u64 {
        let of = &mut self.ranges[range];
        let first = |slabs: &Slabs, slab| slabs.get(slab).map_or(NONE, |slab| slab.first) as usize;
        let (mut dropped, start) = (0, first(&self.slabs, of.head));
        loop {
            of.head = self.slabs.take(of.head);
            dropped += 1;
            if of.head == NONE {
                *of = Range { epoch: of.epoch, last: of.last, ..Range::EMPTY };
                return dropped;
            }
            let first = first(&self.slabs, of.head);
            if first < SLAB_BYTES {
                of.bytes -= dropped as usize * SLAB_BYTES + first - start;
                of.slabs -= dropped as u32;
                return dropped;
            }
        }
    }

    fn append(&mut self, range: usize, frame: &[u8], prev_seq: u64, sent: TimeNs) {
        let of = &mut self.ranges[range];
        if of.fill as usize == SLAB_BYTES {
            of.grow(range, &mut self.slabs);
        }
        of.bytes += frame.len();
        if let Some(slab) = self.slabs.get_mut(of.tail) {
            slab.sent = sent;
            if slab.first == NONE {
                (slab.first, slab.before) = (of.fill, prev_seq);
            }
        }
        let mut rest = frame;
        loop {
            let room = self.slabs.bytes_mut(of.tail, of.fill as usize);
            let (now, later) = rest.split_at(rest.len().min(room.len()));
            room[..now.len()].copy_from_slice(now);
            of.fill += now.len() as u32;
            if later.is_empty() {
                return;
            }
            rest = later;
            of.grow(range, &mut self.slabs);
        }
    }

    /// What must hold between two calls.
    ///
    /// # Errors
    /// What does not.
    pub fn check_invariants(&self) -> Result<(), &'static str> {
        self.slabs.check_invariants()?;
        let mut used = 0;
        for (number, range) in self.ranges.iter().enumerate() {
            let own = |slab: u32| self.slabs.get(slab).filter(|slab| slab.range as usize == number);
            let count = self.slabs.count(range.head, |slab| slab.next).ok_or("a range has no end")?;
            used += count;
            if count != range.slabs as usize || count > self.range_slabs_max {
                return Err("a range has more slabs than it knows, or may have");
            }
            let Some(head) = own(range.head) else {
                if *range != (Range { epoch: range.epoch, last: range.last, ..Range::EMPTY }) {
                    return Err("a range without slabs is not empty");
                }
                continue;
            };
            if own(range.tail).is_none_or(|tail| tail.next != NONE) {
                return Err("a range does not know its end");
            }
            if head.first as usize >= SLAB_BYTES || head.before > range.last {
                return Err("a range begins within a frame, or behind its end");
            }
            if (count - 1) * SLAB_BYTES + range.fill as usize != head.first as usize + range.bytes {
                return Err("a range does not know its bytes");
            }
        }
        if used == self.slabs.used() { Ok(()) } else { Err("a slab in use is in no range") }
    }
}

impl Range {
    /// Takes one of the free slabs, of which there are.
    fn grow(&mut self, number: usize, slabs: &mut Slabs) {
        let slab = slabs.give(number as u32);
        match slabs.get_mut(self.tail) {
            Some(tail) => tail.next = slab,
            None => self.head = slab,
        }
        (self.tail, self.fill, self.slabs) = (slab, 0, self.slabs + 1);
    }
}
