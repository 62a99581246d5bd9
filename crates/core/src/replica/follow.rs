//! Where a reader of one stream stands: the part of the reader's rules that does not depend on what is kept.

use super::error::Refusal;
use super::{FeedFrame, Outcome, ReplicaReason, ReplicaState};
use crate::encode::generated::ImageInfo;
use crate::encode::{Flags, Stream};
use crate::types::{Place, TimeNs};

/// Whether a chunk goes on with the image that is being collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    First,
    Next,
    Wrong,
}

/// The chunk that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    place: Place,
    index: u32,
    count: u32,
}

/// Place and trust of what is kept of one (instrument, stream). While it is not synced the last content stays readable.
#[derive(Clone, Debug)]
pub(super) struct Follow {
    pub state: ReplicaState,
    pub place: Place,
    pub stream: Stream,
    pub venue_seq: u64,
    pub ts_event: TimeNs,
    pub ts_recv: TimeNs,
    pub ts_send: TimeNs,
    pub flags: Flags,
    pub price_exponent: i8,
    pub qty_exponent: i8,
    pub checks: u64,
    pub check_failures: u64,
    pub gaps: u64,
    pub has_image: bool,
    /// Only an image helps: the content is not that of its sequence, or the server sends nothing that follows it.
    pub awaits_image: bool,
    /// The sequence up to which the server brings the content: before it, it is not the present and not called synced.
    present_seq: u64,
    due: Option<Due>,
}

impl Follow {
    pub const fn new() -> Self {
        Self {
            state: ReplicaState::Syncing,
            place: Place { epoch: 0, seq: 0 },
            stream: Stream(0),
            venue_seq: 0,
            ts_event: 0,
            ts_recv: 0,
            ts_send: 0,
            flags: Flags::NONE,
            price_exponent: 0,
            qty_exponent: 0,
            checks: 0,
            check_failures: 0,
            gaps: 0,
            has_image: false,
            awaits_image: true,
            present_seq: 0,
            due: None,
        }
    }

    /// Nothing more can be trusted until the next image.
    pub fn lose(&mut self, reason: ReplicaReason) {
        self.awaits_image = true;
        self.doubt(reason);
    }

    /// A frame could not be applied: neither it nor the chunks before it count.
    pub fn refuse(&mut self) {
        self.due = None;
        self.lose(ReplicaReason::BadFrame);
    }

    /// What follows the content is not arriving for now. The content stays exact at its sequence.
    pub fn doubt(&mut self, reason: ReplicaReason) {
        self.state = if self.has_image { ReplicaState::Stale(reason) } else { ReplicaState::Syncing };
    }

    /// Where the content is exact, if frames can go on from there.
    pub fn resume_place(&self) -> Option<Place> {
        (!self.awaits_image).then_some(self.place)
    }

    /// The server brings the content, by what follows, from its sequence up to that of a place: it is synced then, unless
    /// the server's own book, which it follows where `of_book` is some, is not.
    pub fn bring_to(&mut self, to: Place, of_book: Option<ReplicaState>) {
        if self.awaits_image || to.epoch != self.place.epoch {
            return;
        }
        if let Some(state) = of_book.filter(|state| *state != ReplicaState::Synced) {
            self.awaits_image = true;
            self.state = state;
            return;
        }
        self.present_seq = to.seq;
        self.settle(self.flags);
    }

    /// Rule 1: whether a chunk of an image is in its turn.
    pub fn take_chunk(&mut self, frame: &FeedFrame<'_>, info: &ImageInfo) -> Result<Turn, Refusal> {
        let place = Place { epoch: frame.epoch(), seq: frame.seq() };
        let (index, count) = (info.chunk_index(), info.chunk_count());
        if index >= count {
            return Err(Refusal::Invalid);
        }
        let turn = match self.due {
            _ if index == 0 => Turn::First,
            Some(due) if due == (Due { place, index, count }) => Turn::Next,
            _ => Turn::Wrong,
        };
        self.due = (turn != Turn::Wrong).then_some(Due { place, index: index + 1, count });
        Ok(turn)
    }

    /// Takes the place and the header of an image that is whole. Its state is for [`Self::take_image_state`].
    pub fn take_image(&mut self, frame: &FeedFrame<'_>, info: &ImageInfo) {
        self.due = None;
        self.has_image = true;
        self.present_seq = 0;
        self.stream = frame.stream();
        self.place.epoch = frame.epoch();
        (self.price_exponent, self.qty_exponent) = (info.price_exponent(), info.qty_exponent());
        self.take_header(frame);
    }

    /// Takes the state that an image of a stream that follows the book says.
    pub fn take_image_state(&mut self, info: &ImageInfo) {
        self.state = ReplicaState::of_codes(info.state(), info.reason());
        self.awaits_image = self.state != ReplicaState::Synced;
        if !self.awaits_image {
            self.settle(self.flags);
            // One that the server itself doubts is the last that was known: nothing follows it.
            self.awaits_image = self.state != ReplicaState::Synced;
        }
    }

    pub fn take_header(&mut self, frame: &FeedFrame<'_>) {
        self.place.seq = frame.seq();
        self.venue_seq = frame.venue_seq();
        self.ts_event = frame.ts_event();
        self.ts_recv = frame.ts_recv();
        self.ts_send = frame.ts_send();
        self.flags = frame.flags();
    }

    /// The content is that of its sequence: synced, unless the server doubts it or is still bringing it up to the present.
    pub fn settle(&mut self, flags: Flags) {
        if self.place.seq < self.present_seq {
            return;
        }
        let is_stale = flags.0 & Flags::STALE.0 != 0;
        self.state =
            if is_stale { ReplicaState::Stale(ReplicaReason::Unknown) } else { ReplicaState::Synced };
    }

    /// Rules 2 to 5 as far as they are the same: what becomes of a frame that is no image, or `None` where it is of the epoch
    /// and the stream of the content, which frames follow.
    pub fn pass_over(&mut self, frame: &FeedFrame<'_>) -> Option<Outcome> {
        let is_mine = frame.epoch() == self.place.epoch && frame.stream() == self.stream;
        if is_mine && !self.awaits_image {
            return None;
        }
        if self.awaits_image || frame.epoch() <= self.place.epoch {
            return Some(Outcome::Ignored);
        }
        // The image that opens that epoch was missed: what is held is no longer the latest.
        self.lose(ReplicaReason::SequenceGap);
        self.gaps += 1;
        Some(Outcome::Gap { expected: self.place.seq, received: frame.seq() })
    }

    /// Frames up to `received` are missing. The content stays exact, so a frame that reaches back to it repairs this.
    pub fn missed(&mut self, received: u64) -> Outcome {
        self.doubt(ReplicaReason::SequenceGap);
        self.gaps += 1;
        Outcome::Gap { expected: self.place.seq, received }
    }

    pub fn check_failed(&mut self) -> Outcome {
        self.check_failures += 1;
        self.due = None;
        self.lose(ReplicaReason::CheckFailed);
        Outcome::CheckFailed
    }

    /// Rule 6. `synced` alone proves nothing here: an image does.
    pub fn take_status(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, Refusal> {
        let status = frame.status().ok_or(Refusal::Invalid)?;
        let own = self.place.epoch;
        if self.has_image && frame.epoch() >> 32 == own >> 32 && frame.epoch() < own {
            return Ok(Outcome::Ignored);
        }
        let state = ReplicaState::of_codes(status.state, status.reason);
        if state != ReplicaState::Synced {
            self.awaits_image = true;
            self.state = state;
        }
        Ok(Outcome::Status)
    }
}
