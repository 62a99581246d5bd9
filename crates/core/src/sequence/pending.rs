//! Updates that wait for a snapshot.

use std::collections::VecDeque;

use super::{Chain, SeqOutcome};
use crate::types::{DepthUpdate, Level, Levels, TimeNs};

/// Most updates that wait for one snapshot: over a minute of the busiest recorded stream (70 a second).
pub const PENDING_UPDATES_MAX: usize = 8_192;

/// Most levels in waiting updates: 4 MiB.
pub const PENDING_LEVELS_MAX: usize = 262_144;

/// A break among waiting updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// How many updates stand before it.
    pub index: usize,
    /// Whether one of those continues the snapshot: then updates are missing. Else the snapshot is too old.
    pub is_bridged: bool,
    /// The venue sequence that was due.
    pub expected: u64,
    /// The one that came.
    pub received: u64,
}

/// A bounded queue of updates with their levels.
///
/// At either limit the oldest updates go. That is safe: the snapshot must then bridge onto the oldest one left, and when
/// it does not the chain says so and another snapshot is asked for.
#[derive(Debug, Default)]
pub struct Pending {
    updates: VecDeque<(DepthUpdate, TimeNs, u32, u32)>,
    /// Levels of all waiting updates, in order: an update's bids, then its asks.
    levels: VecDeque<Level>,
    dropped: u64,
}

impl Pending {
    /// Queues an update. An update that alone exceeds [`PENDING_LEVELS_MAX`] empties the queue and is not kept.
    pub fn push(&mut self, update: DepthUpdate, ts_recv: TimeNs, levels: &Levels) {
        while !self.updates.is_empty()
            && (self.updates.len() >= PENDING_UPDATES_MAX
                || self.levels.len() + levels.len() > PENDING_LEVELS_MAX)
        {
            self.drop_oldest();
        }
        if levels.len() > PENDING_LEVELS_MAX {
            self.dropped += 1;
            return;
        }
        // Both lengths are at most PENDING_LEVELS_MAX, so they fit.
        self.updates.push_back((update, ts_recv, levels.bids.len() as u32, levels.asks.len() as u32));
        self.levels.extend(&levels.bids);
        self.levels.extend(&levels.asks);
    }

    /// Whether a chain runs through all waiting updates; if not, where it breaks. Changes nothing.
    ///
    /// # Errors
    /// The first [`Hole`].
    pub fn follow(&self, mut chain: Chain) -> Result<(), Hole> {
        for (index, (update, ..)) in self.updates.iter().enumerate() {
            match chain.check(update) {
                SeqOutcome::Next => chain.advance(update),
                SeqOutcome::Old => {}
                SeqOutcome::Gap { expected, received } => {
                    return Err(Hole { index, is_bridged: chain.is_bridged(), expected, received });
                }
            }
        }
        Ok(())
    }

    /// The oldest update, if any.
    #[must_use]
    pub fn front(&self) -> Option<&DepthUpdate> {
        self.updates.front().map(|(update, ..)| update)
    }

    /// Takes the oldest update; its levels replace the content of `out`.
    pub fn pop(&mut self, out: &mut Levels) -> Option<(DepthUpdate, TimeNs)> {
        let (update, ts_recv, bids, asks) = self.updates.pop_front()?;
        out.clear();
        out.bids.extend(self.levels.drain(..bids as usize));
        out.asks.extend(self.levels.drain(..asks as usize));
        Some((update, ts_recv))
    }

    /// Forgets the oldest update, counted as dropped.
    pub fn drop_oldest(&mut self) {
        if let Some((_, _, bids, asks)) = self.updates.pop_front() {
            self.levels.drain(..(bids + asks) as usize);
            self.dropped += 1;
        }
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.updates.clear();
        self.levels.clear();
    }

    /// Number of waiting updates.
    #[must_use]
    pub fn len(&self) -> usize {
        self.updates.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }

    /// Updates that were dropped at a limit, ever.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::Rule;
    use crate::types::InstrumentId;

    fn update(id: u64) -> DepthUpdate {
        DepthUpdate { instrument: InstrumentId(1), first_id: id, last_id: id, prev_id: None, ts_event: 0 }
    }

    fn levels(bids: usize, asks: usize) -> Levels {
        Levels { bids: vec![Level::new(1, 1); bids], asks: vec![Level::new(2, 2); asks] }
    }

    #[test]
    fn gives_back_what_it_took_in_order() {
        let mut pending = Pending::default();
        for id in 0..10 {
            pending.push(update(id), id, &levels(id as usize, 2));
        }
        let mut out = Levels::default();
        for id in 0..10 {
            assert_eq!(pending.front().unwrap().last_id, id);
            assert_eq!(pending.pop(&mut out), Some((update(id), id)));
            assert_eq!(out, levels(id as usize, 2));
        }
        assert_eq!(pending.pop(&mut out), None);
    }

    #[test]
    fn finds_the_hole_without_moving() {
        let mut pending = Pending::default();
        for id in [5, 6, 8] {
            pending.push(update(id), 0, &levels(1, 0));
        }
        let chain = |id| Chain::new(Rule::Spot, id);
        let hole =
            |index, is_bridged, expected, received| Err(Hole { index, is_bridged, expected, received });
        assert_eq!(pending.follow(chain(3)), hole(0, false, 4, 5), "the snapshot is too old");
        assert_eq!(pending.follow(chain(4)), hole(2, true, 7, 8), "7 is missing");
        assert_eq!(pending.follow(chain(7)), Ok(()));
        assert_eq!(pending.follow(chain(9)), Ok(()), "all are old");
        assert_eq!(pending.len(), 3);
    }

    #[test]
    fn at_the_limit_of_updates_the_oldest_goes() {
        let mut pending = Pending::default();
        for id in 0..=PENDING_UPDATES_MAX as u64 {
            pending.push(update(id), 0, &levels(1, 0));
        }
        assert_eq!((pending.len(), pending.dropped()), (PENDING_UPDATES_MAX, 1));
        assert_eq!(pending.front().unwrap().last_id, 1);
    }

    #[test]
    fn at_the_limit_of_levels_the_oldest_go() {
        let mut pending = Pending::default();
        pending.push(update(1), 0, &levels(PENDING_LEVELS_MAX / 2, 0));
        pending.push(update(2), 0, &levels(0, PENDING_LEVELS_MAX / 2));
        assert_eq!(pending.len(), 2);
        pending.push(update(3), 0, &levels(1, 0));
        assert_eq!((pending.len(), pending.dropped()), (2, 1));
        pending.push(update(4), 0, &levels(PENDING_LEVELS_MAX, 1));
        assert_eq!((pending.len(), pending.dropped()), (0, 4));
    }
}
