//! What the engine has to say, as records, in order. Whoever owns the engine takes them out between two inputs.

use std::collections::VecDeque;

use super::{History, HistoryConfig, Stream};
use crate::stats::HistoryStats;
use crate::types::InstrumentId;

/// Waiting bytes at which the engine takes no more input.
pub const OUTBOX_BYTES_MAX: usize = 64 << 20;

/// Bytes in front of a record's payload.
pub const RECORD_HEADER_BYTES: usize = 16;

/// What a record is. The numbers are part of the addon's contract with TypeScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum RecordType {
    /// Nothing: the rest of the ring up to its end.
    Pad = 0,
    /// One feed frame.
    Frame = 1,
    /// A book needs a cure. Payload: ticket (u32), why it is stale (u8), what is asked for (u8: 1 a snapshot, 2 another
    /// subscription, 3 another connection), two zeros.
    Ask = 2,
    /// A source must say something to its venue. Payload: the text. In place of the instrument stands the source.
    Say = 3,
}

impl RecordType {
    /// Every type, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Pad, Self::Frame, Self::Ask, Self::Say];

    /// The type's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pad => "pad",
            Self::Frame => "frame",
            Self::Ask => "ask",
            Self::Say => "say",
        }
    }
}

/// Records back to back, each 8-aligned:
///
/// ```text
/// 0 payload size, u32 · 4 type, u16 · 6 stream, u16 · 8 instrument, u32 · 12 zero, u32 · 16 payload, padded to 8
/// ```
/// One input causes at most a delta of the decoder's levels or, at a resync, one image of every stream. Inputs are refused
/// while more than [`OUTBOX_BYTES_MAX`] wait. Its memory is kept, so once warm nothing is allocated.
#[derive(Debug, Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    /// Where the records that nobody has taken yet begin.
    taken: usize,
    frames: u64,
    frame_bytes: u64,
    /// What is no record yet; see [`Self::want`].
    wanted: VecDeque<Wanted>,
    /// What is kept of the frames.
    history: Option<Box<History>>,
    /// Frames are dropped; see [`Self::hold`].
    is_held: bool,
}

/// What is to become a record before anybody takes records out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A request for what mends a book.
    Cure(Want),
    /// An image of an instrument's orders.
    Orders(InstrumentId),
    /// What has changed of an instrument is to reach the books that are made of it.
    Merge(InstrumentId),
}

/// What mends a book, to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// Whose book.
    pub instrument: InstrumentId,
    /// What the answer must bring back.
    pub ticket: u32,
    /// What is asked for, by [`RecordType::Ask`].
    pub kind: u8,
    /// Why the book is stale.
    pub reason: u8,
}

impl Outbox {
    /// An empty one that keeps so much of its frames.
    #[must_use]
    pub fn with_history(config: HistoryConfig) -> Self {
        Self { history: History::new(config).map(Box::new), ..Self::default() }
    }

    /// What is kept of the frames, where anything is.
    pub fn history(&mut self) -> Option<&mut History> {
        self.history.as_deref_mut()
    }

    /// Drops frames from now on, or no more.
    pub fn hold(&mut self, is_held: bool) {
        self.is_held = is_held;
    }

    /// Appends a frame that `write` writes, unless frames are held.
    #[inline]
    pub fn frame(&mut self, instrument: InstrumentId, stream: Stream, write: impl FnOnce(&mut Vec<u8>)) {
        if self.is_held {
            return;
        }
        let start = self.begin();
        write(&mut self.bytes);
        self.frames += 1;
        self.frame_bytes += (self.bytes.len() - start - RECORD_HEADER_BYTES) as u64;
        if let Some(history) = &mut self.history {
            history.keep(instrument, stream, &self.bytes[start + RECORD_HEADER_BYTES..]);
        }
        self.finish(start, RecordType::Frame, stream.0, instrument);
    }

    /// Notes a request for what mends a book. It becomes a record by [`Self::ask`] before anybody takes records out: what the
    /// venue must be told before comes in between.
    pub fn want(&mut self, want: Want) {
        self.wanted.push_back(Wanted::Cure(want));
    }

    /// Notes that an image of orders is to be published.
    pub fn want_orders(&mut self, instrument: InstrumentId) {
        self.wanted.push_back(Wanted::Orders(instrument));
    }

    /// Notes that the books that are made of an instrument are to follow it.
    pub fn want_merge(&mut self, instrument: InstrumentId) {
        self.wanted.push_back(Wanted::Merge(instrument));
    }

    /// The oldest of what is wanted and is no record yet.
    #[inline]
    pub fn take_want(&mut self) -> Option<Wanted> {
        self.wanted.pop_front()
    }

    /// Appends a request. The answer must bring the ticket back.
    pub fn ask(&mut self, want: Want) {
        let Want { instrument, ticket, kind, reason } = want;
        let start = self.begin();
        self.bytes.extend_from_slice(&ticket.to_le_bytes());
        self.bytes.extend_from_slice(&[reason, kind, 0, 0]);
        self.finish(start, RecordType::Ask, 0, instrument);
    }

    /// Appends what a source must say back to its venue.
    pub fn say(&mut self, source: u32, text: &[u8]) {
        let start = self.begin();
        self.bytes.extend_from_slice(text);
        self.finish(start, RecordType::Say, 0, InstrumentId(source));
    }

    /// The oldest record, header included, if one waits.
    #[must_use]
    pub fn front(&self) -> Option<&[u8]> {
        let rest = &self.bytes[self.taken..];
        let size = u32::from_le_bytes(*rest.first_chunk::<4>()?) as usize;
        rest.get(..RECORD_HEADER_BYTES + size.next_multiple_of(8))
    }

    /// Forgets the oldest record.
    pub fn take(&mut self) {
        self.taken += self.front().map_or(0, <[u8]>::len);
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            self.taken = 0;
        } else if self.taken >= OUTBOX_BYTES_MAX {
            // A reader that never catches up must not keep what it has taken.
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
    }

    /// Whether so much waits that no more input is taken.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.bytes.len() - self.taken > OUTBOX_BYTES_MAX
    }

    /// Whether every record has been taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How much of the frames is kept.
    #[must_use]
    pub fn history_stats(&self) -> HistoryStats {
        self.history.as_ref().map_or_else(HistoryStats::default, |history| history.stats())
    }

    /// Memory that is allocated for frames that are kept.
    #[must_use]
    pub fn history_bytes(&self) -> usize {
        self.history.as_ref().map_or(0, |history| history.allocated_bytes())
    }

    /// Frames written, ever.
    #[must_use]
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Bytes of frames written, ever.
    #[must_use]
    pub const fn frame_bytes(&self) -> u64 {
        self.frame_bytes
    }

    #[inline]
    fn begin(&mut self) -> usize {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; RECORD_HEADER_BYTES]);
        start
    }

    #[inline]
    fn finish(&mut self, start: usize, record: RecordType, stream: u8, instrument: InstrumentId) {
        let size = self.bytes.len() - start - RECORD_HEADER_BYTES;
        let header = &mut self.bytes[start..start + RECORD_HEADER_BYTES];
        header[..4].copy_from_slice(&(size as u32).to_le_bytes());
        header[4..6].copy_from_slice(&(record as u16).to_le_bytes());
        header[6] = stream;
        header[8..12].copy_from_slice(&instrument.0.to_le_bytes());
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_out_in_order_and_whole() {
        let mut outbox = Outbox::default();
        outbox.frame(InstrumentId(7), Stream::BBO, |out| out.extend_from_slice(&[9; 24]));
        outbox.want(Want { instrument: InstrumentId(8), ticket: 3, kind: 2, reason: 1 });
        let Some(Wanted::Cure(want)) = outbox.take_want() else { panic!("it is wanted") };
        outbox.ask(want);
        assert_eq!(outbox.take_want(), None);
        let frame = outbox.front().unwrap();
        assert_eq!(frame[..16], [24, 0, 0, 0, 1, 0, 2, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(frame[16..], [9; 24]);
        outbox.take();
        let request = outbox.front().unwrap();
        assert_eq!(request, [8, 0, 0, 0, 2, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 2, 0, 0]);
        assert!(!outbox.is_empty());
        outbox.take();
        assert!(outbox.is_empty() && outbox.front().is_none());
        assert_eq!((outbox.frames(), outbox.frame_bytes()), (1, 24));
    }
}
