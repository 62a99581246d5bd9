//! The sequence of a stream of events, trades or liquidations: none is ever merged, so what is missing is told.

use super::{FeedFrame, ReplicaReason, ReplicaState};
use crate::encode::{Flags, Kind};
use crate::types::{Place, StaleReason};

/// Events are missing before the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TapeGap {
    /// Frames were lost, or the server has not had the events between.
    Sequence {
        /// The sequence that was due to be followed.
        expected: u64,
        /// The one that is.
        received: u64,
    },
    /// A new epoch began: what happened between the two is not known.
    Reset,
}

/// What a frame did to a tape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TapeOutcome {
    /// Whether the events of the frame are to be taken.
    pub takes: bool,
    /// Whether others are missing before them.
    pub gap: Option<TapeGap>,
}

/// Where a stream of trades or liquidations stands, by rules 1, 2 and 4 of the protocol.
#[derive(Clone, Debug)]
pub struct ReplicaTape {
    kind: Kind,
    state: ReplicaState,
    place: Place,
    has_image: bool,
    /// Frames can go on from the place.
    is_followed: bool,
    /// The sequence up to which the server brings what was missed.
    present_seq: u64,
    /// What the server says of the stream at its place.
    state_at_place: ReplicaState,
    exponents: Option<(i8, i8)>,
    gaps: u64,
}

const LEAVES: TapeOutcome = TapeOutcome { takes: false, gap: None };

impl ReplicaTape {
    /// A tape of frames of `kind`: `Kind::Trade` or `Kind::Liquidation`.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            state: ReplicaState::Syncing,
            place: Place { epoch: 0, seq: 0 },
            has_image: false,
            is_followed: false,
            present_seq: 0,
            state_at_place: ReplicaState::Synced,
            exponents: None,
            gaps: 0,
        }
    }

    /// `Synced` while the stream is followed. `source_failed`: the server is told no events for now.
    #[must_use]
    pub const fn state(&self) -> ReplicaState {
        self.state
    }

    /// Powers of ten of prices and quantities, by the last image.
    #[must_use]
    pub const fn exponents(&self) -> Option<(i8, i8)> {
        self.exponents
    }

    /// Gaps seen.
    #[must_use]
    pub const fn gaps(&self) -> u64 {
        self.gaps
    }

    /// What to resume from.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.is_followed.then_some(self.place)
    }

    /// Nothing arrives for now: what follows says whether anything was missed.
    pub fn doubt(&mut self, reason: ReplicaReason) {
        self.state = if self.has_image { ReplicaState::Stale(reason) } else { ReplicaState::Syncing };
    }

    /// The server brings all that was missed up to a place.
    pub fn bring_to(&mut self, to: Place) {
        if !self.is_followed || to.epoch != self.place.epoch {
            return;
        }
        self.present_seq = to.seq;
        self.settle();
    }

    /// Takes a frame of the stream.
    pub fn apply(&mut self, frame: &FeedFrame<'_>) -> TapeOutcome {
        let outcome = if frame.kind() == Kind::Image as u8 { self.image(frame) } else { self.events(frame) };
        self.gaps += u64::from(outcome.gap.is_some());
        outcome
    }

    /// Rule 4.
    fn events(&mut self, frame: &FeedFrame<'_>) -> TapeOutcome {
        if frame.kind() != self.kind as u8 || !self.is_followed {
            return LEAVES;
        }
        if frame.epoch() != self.place.epoch {
            // Rule 2: of an epoch whose image was missed, or of one that is over. Either way the next image tells.
            self.is_followed = false;
            self.doubt(ReplicaReason::SequenceGap);
            return LEAVES;
        }
        let (seq, prev_seq, expected) = (frame.seq(), frame.prev_seq(), self.place.seq);
        if seq <= expected {
            return LEAVES;
        }
        self.place.seq = seq;
        self.state_at_place = said(frame);
        self.settle();
        if prev_seq == expected {
            return TapeOutcome { takes: true, gap: None };
        }
        // One that starts before the place holds events that were taken: none of it is.
        let gap = Some(TapeGap::Sequence { expected, received: prev_seq });
        TapeOutcome { takes: prev_seq > expected, gap }
    }

    /// Rule 1: an image says only where the stream stands.
    fn image(&mut self, frame: &FeedFrame<'_>) -> TapeOutcome {
        let (was, is_first) = (self.place, !self.has_image);
        self.place = Place { epoch: frame.epoch(), seq: frame.seq() };
        if let Some(info) = frame.table.info() {
            self.exponents = Some((info.price_exponent(), info.qty_exponent()));
        }
        (self.has_image, self.is_followed, self.present_seq) = (true, true, 0);
        self.state_at_place = said(frame);
        self.settle();
        if is_first || was == self.place {
            return LEAVES;
        }
        let gap = match was.epoch == self.place.epoch {
            true => TapeGap::Sequence { expected: was.seq, received: self.place.seq },
            false => TapeGap::Reset,
        };
        TapeOutcome { takes: false, gap: Some(gap) }
    }

    fn settle(&mut self) {
        if self.place.seq >= self.present_seq {
            self.state = self.state_at_place;
        }
    }
}

/// Of these streams STALE means that the connection which told the events is lost.
fn said(frame: &FeedFrame<'_>) -> ReplicaState {
    match frame.flags().0 & Flags::STALE.0 {
        0 => ReplicaState::Synced,
        _ => ReplicaState::Stale(ReplicaReason::Server(StaleReason::SourceFailed)),
    }
}
