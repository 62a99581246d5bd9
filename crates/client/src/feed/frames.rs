//! What comes in frames.

use std::time::Instant;

use depthwire_core::replica::{FeedFrame, Outcome, ReplicaError, ReplicaState, feed_frames};
use depthwire_core::types::TradeId;

use super::{Feed, tell};
use crate::Error;
use crate::event::{Event, Trade};
use crate::kept::Kept;
use crate::outgoing::Entry;
use crate::roster::SubscriptionId;

impl Feed {
    pub(super) fn take_bytes(&mut self, message: &[u8], now: Instant) -> Result<(), Error> {
        self.counters.messages += 1;
        for frame in feed_frames(message) {
            let frame = frame.map_err(|error| Error::of_frame(error, &self.url))?;
            self.counters.frames += 1;
            // Most streams have one taker.
            let mut at = 0;
            while let Some(&id) = self.roster.takers(&frame).get(at) {
                at += 1;
                match self.take_frame(id, &frame, now) {
                    Ok(()) => {}
                    Err(error @ ReplicaError::Full { .. }) => {
                        at -= 1;
                        self.full(id, error);
                    }
                    Err(error) => return Err(Error::of_frame(error, &self.url)),
                }
            }
        }
        Ok(())
    }

    /// What comes is more than is held, or below zero: the subscription is over. Of one that a group has made, the group says so.
    fn full(&mut self, id: SubscriptionId, error: ReplicaError) {
        let Some((gone, is_owned)) = self.forget(id, error.code()) else { return };
        self.roster.say_over(&gone.topic.ask, &[Entry::named(&gone.topic.instrument)]);
        if !is_owned {
            self.events.push_back(Event::Ended(id, Error::of_frame(error, &gone.topic.to_string())));
        }
    }

    fn take_frame(
        &mut self,
        id: SubscriptionId,
        frame: &FeedFrame<'_>,
        now: Instant,
    ) -> Result<(), ReplicaError> {
        let Self { roster, events, counters, options, mending, .. } = self;
        let Some(subscription) = roster.get_mut(id) else { return Ok(()) };
        let before = subscription.kept.state();
        if let Kept::Tape(tape) = &mut subscription.kept {
            let was_followed = tape.place().is_some();
            let told = tape.apply(frame);
            if let Some(gap) = told.gap {
                counters.gaps += 1;
                events.push_back(Event::Missing(id, gap));
            }
            match (was_followed, tape.place().is_some()) {
                (true, false) => subscription.resync.request(now, options.resync),
                (false, true) => subscription.resync.done(),
                _ => {}
            }
            if told.takes {
                let fallback =
                    subscription.granted.as_ref().map_or((0, 0), |it| (it.price_exponent, it.qty_exponent));
                let exponents = tape.exponents().unwrap_or(fallback);
                events.extend(
                    frame.trades().map(|trade| Event::Trade(id, told_trade(frame, trade, exponents))),
                );
            }
            if subscription.kept.state() != before {
                tell(events, id, subscription);
            }
            if subscription.resync.due.is_some() {
                mending.insert(id);
            }
            return Ok(());
        }
        let doubts = subscription.kept.doubts();
        let applied = subscription.kept.apply(frame);
        let state = subscription.kept.state();
        let mut is_changed = state != before;
        match applied {
            Err(error) => {
                tell(events, id, subscription);
                return Err(error);
            }
            Ok(Outcome::Image) => {
                counters.checks += 1;
                subscription.resync.done();
                is_changed = true;
            }
            Ok(Outcome::Applied) => {
                if state == ReplicaState::Synced {
                    subscription.resync.done();
                }
                is_changed = true;
            }
            Ok(Outcome::Gap { .. }) => {
                counters.gaps += 1;
                events.push_back(Event::Gap(id));
                subscription.resync.request(now, options.resync);
            }
            Ok(Outcome::CheckFailed) => {
                counters.check_failures += 1;
                events.push_back(Event::CheckFailed(id));
                subscription.resync.request(now, options.resync);
            }
            Ok(Outcome::Discarded) if state != ReplicaState::Synced => {
                subscription.resync.request(now, options.resync);
            }
            // The image comes when the server's own book is whole again.
            Ok(Outcome::Status) if state != ReplicaState::Synced && !frame.says_synced() => {
                subscription.resync.done()
            }
            Ok(Outcome::Checked) => {
                counters.checks += 1;
                is_changed |= subscription.kept.doubts() != doubts;
            }
            Ok(Outcome::Status | Outcome::Discarded | Outcome::Chunk | Outcome::Old | Outcome::Ignored) => {}
        }
        if is_changed {
            tell(events, id, subscription);
        }
        if subscription.resync.due.is_some() {
            mending.insert(id);
        }
        Ok(())
    }
}

fn told_trade(frame: &FeedFrame<'_>, trade: depthwire_core::types::Trade, exponents: (i8, i8)) -> Trade {
    let name = match trade.id {
        TradeId::Text { hash, .. } => {
            frame.text(hash).map(|text| String::from_utf8_lossy(&text).into_owned())
        }
        _ => None,
    };
    Trade { trade, exponents, name, seq: frame.seq() }
}
