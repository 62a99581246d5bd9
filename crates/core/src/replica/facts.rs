//! A state that each frame of a stream replaces whole: statistics, and whether an instrument trades.

use super::follow::Follow;
use super::{FeedFrame, Outcome, ReplicaError, ReplicaReason, ReplicaState};
use crate::encode::{Kind, TickerBody, TradingBody};
use crate::types::Place;

/// The last that a stream of whole states has told, by rules 1 to 3 of the protocol. It does not depend on the book.
#[derive(Clone, Debug)]
pub struct ReplicaFacts<Facts> {
    follow: Follow,
    kind: Kind,
    read: for<'a> fn(&FeedFrame<'a>) -> Option<Facts>,
    facts: Option<Facts>,
}

impl ReplicaFacts<TickerBody> {
    /// Statistics.
    #[must_use]
    pub fn ticker() -> Self {
        Self { follow: Follow::new(), kind: Kind::Ticker, read: |frame| frame.ticker(), facts: None }
    }
}

impl ReplicaFacts<TradingBody> {
    /// Whether the instrument trades.
    #[must_use]
    pub fn trading() -> Self {
        Self { follow: Follow::new(), kind: Kind::Trading, read: |frame| frame.trading(), facts: None }
    }
}

impl<Facts: Copy> ReplicaFacts<Facts> {
    /// What was told last; `None` before there was any.
    #[must_use]
    pub const fn facts(&self) -> Option<Facts> {
        self.facts
    }

    /// Whether it is the present.
    #[must_use]
    pub const fn state(&self) -> ReplicaState {
        self.follow.state
    }

    /// What to resume from.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.follow.resume_place()
    }

    /// What follows is not arriving for now.
    pub fn doubt(&mut self, reason: ReplicaReason) {
        self.follow.doubt(reason);
    }

    /// The server brings it to a place by what follows.
    pub fn bring_to(&mut self, to: Place) {
        self.follow.bring_to(to, None);
    }

    /// Takes a frame of the stream.
    ///
    /// # Errors
    /// `Invalid` where it lacks what its kind has; what is held is then stale and waits for an image.
    pub fn apply(&mut self, frame: &FeedFrame<'_>) -> Result<Outcome, ReplicaError> {
        let is_image = frame.kind() == Kind::Image as u8;
        if !is_image {
            if frame.kind() != self.kind as u8 {
                return Ok(Outcome::Ignored);
            }
            if let Some(outcome) = self.follow.pass_over(frame) {
                return Ok(outcome);
            }
            if frame.seq() <= self.follow.place.seq {
                return Ok(Outcome::Old);
            }
            if frame.prev_seq() > self.follow.place.seq {
                return Ok(self.follow.missed(frame.prev_seq()));
            }
        }
        let (told, info) = ((self.read)(frame), frame.table.info());
        let Some((facts, info)) = told.zip(if is_image { info.map(Some) } else { Some(None) }) else {
            self.follow.refuse();
            return Err(ReplicaError::Invalid { at: frame.at() });
        };
        self.facts = Some(facts);
        match info {
            Some(info) => {
                self.follow.take_image(frame, info);
                self.follow.awaits_image = false;
            }
            None => self.follow.take_header(frame),
        }
        self.follow.settle(frame.flags());
        Ok(if is_image { Outcome::Image } else { Outcome::Applied })
    }
}
