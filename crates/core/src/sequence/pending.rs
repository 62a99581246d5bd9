//! Updates that wait for a snapshot, or for the one that is missing before them.

use std::collections::VecDeque;

use super::waits::{Waiting, Waits};
use crate::types::{Level, Levels, Sides, Verb};

/// Most updates that wait for one snapshot: over a minute of the busiest recorded stream (70 a second).
pub const PENDING_UPDATES_MAX: usize = 8_192;

/// Most levels in waiting updates: 4 MiB.
pub const PENDING_LEVELS_MAX: usize = 262_144;

/// An update in the queue, with how many levels and verbs it has there.
#[derive(Clone, Copy, Debug)]
struct Kept {
    update: Waiting,
    bids: u32,
    asks: u32,
    verbs: u32,
}

/// A bounded queue of updates with their levels.
///
/// At either limit the oldest updates go. That is safe: the snapshot must then bridge onto the oldest one left, and when
/// it does not the chain says so and another snapshot is asked for.
#[derive(Debug, Default)]
pub struct Pending {
    updates: VecDeque<Kept>,
    /// Levels of all waiting updates, in order: an update's bids, then its asks.
    levels: VecDeque<Level>,
    /// Verbs of those updates that have them, one a level.
    verbs: VecDeque<Verb>,
    /// Verbs of the update that was taken last.
    taken: Vec<Verb>,
    dropped: u64,
}

impl Pending {
    /// Queues an update, with a verb for each of its levels or with none. An update that alone exceeds [`PENDING_LEVELS_MAX`] empties the queue and is not kept.
    pub fn push(&mut self, update: Waiting, levels: Sides<'_>, verbs: &[Verb]) {
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
        debug_assert!(verbs.is_empty() || verbs.len() == levels.len(), "one a level or none");
        // All lengths are at most PENDING_LEVELS_MAX, so they fit.
        let (bids, asks, count) = (levels.bids.len() as u32, levels.asks.len() as u32, verbs.len() as u32);
        self.updates.push_back(Kept { update, bids, asks, verbs: count });
        self.levels.extend(levels.bids);
        self.levels.extend(levels.asks);
        self.verbs.extend(verbs);
    }

    /// The oldest update, if any.
    #[must_use]
    pub fn front(&self) -> Option<&Waiting> {
        self.updates.front().map(|kept| &kept.update)
    }

    /// Takes the oldest update; its levels replace the content of `out`, and [`Self::take_verbs`] gives its verbs.
    pub fn pop(&mut self, out: &mut Levels) -> Option<Waiting> {
        let Kept { update, bids, asks, verbs } = self.updates.pop_front()?;
        out.clear();
        out.bids.extend(self.levels.drain(..bids as usize));
        out.asks.extend(self.levels.drain(..asks as usize));
        self.taken.clear();
        self.taken.extend(self.verbs.drain(..verbs as usize));
        Some(update)
    }

    /// The verbs of the update that [`Self::pop`] took last; none where it had none, and none the second time.
    #[must_use]
    pub fn take_verbs(&mut self) -> Vec<Verb> {
        std::mem::take(&mut self.taken)
    }

    /// Gives back the memory of [`Self::take_verbs`].
    pub fn reuse_verbs(&mut self, verbs: Vec<Verb>) {
        self.taken = verbs;
    }

    /// Every waiting level, to be changed in place: a scale has become finer.
    pub fn levels_mut(&mut self) -> impl Iterator<Item = &mut Level> {
        self.levels.iter_mut()
    }

    /// Every waiting level.
    pub fn levels(&self) -> impl Iterator<Item = &Level> {
        self.levels.iter()
    }

    /// Forgets the oldest update, counted as dropped.
    pub fn drop_oldest(&mut self) {
        if let Some(Kept { bids, asks, verbs, .. }) = self.updates.pop_front() {
            self.levels.drain(..(bids + asks) as usize);
            self.verbs.drain(..verbs as usize);
            self.dropped += 1;
        }
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.updates.clear();
        self.levels.clear();
        self.verbs.clear();
    }

    /// Updates that were dropped at a limit, ever.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Waits for Pending {
    fn updates(&self) -> impl ExactSizeIterator<Item = &Waiting> {
        self.updates.iter().map(|kept| &kept.update)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::{Chain, Hole, Rule};
    use crate::types::VenueSeq;

    fn update(number: u64) -> Waiting {
        Waiting { seq: VenueSeq::at(number), ts_event: 0, ts_recv: number, check: None }
    }

    fn levels(bids: usize, asks: usize) -> Levels {
        Levels { bids: vec![Level::new(1, 1); bids], asks: vec![Level::new(2, 2); asks] }
    }

    #[test]
    fn gives_back_what_it_took_in_order() {
        let mut pending = Pending::default();
        for id in 0..10 {
            pending.push(update(id), levels(id as usize, 2).view(), &[]);
        }
        let mut out = Levels::default();
        for id in 0..10 {
            assert_eq!(pending.front(), Some(&update(id)));
            assert_eq!(pending.pop(&mut out), Some(update(id)));
            assert_eq!(out, levels(id as usize, 2));
        }
        assert_eq!(pending.pop(&mut out), None);
    }

    #[test]
    fn verbs_stay_with_their_update() {
        let mut pending = Pending::default();
        pending.push(update(1), levels(1, 0).view(), &[Verb::New]);
        pending.push(update(2), levels(1, 1).view(), &[]);
        pending.push(update(3), levels(1, 1).view(), &[Verb::Change, Verb::Delete]);
        pending.drop_oldest();
        let mut out = Levels::default();
        pending.pop(&mut out);
        assert_eq!(pending.take_verbs(), []);
        pending.pop(&mut out);
        assert_eq!(pending.take_verbs(), [Verb::Change, Verb::Delete]);
        pending.push(update(4), levels(1, 0).view(), &[Verb::New]);
        pending.clear();
        pending.push(update(5), levels(0, 1).view(), &[Verb::Delete]);
        pending.pop(&mut out);
        assert_eq!(pending.take_verbs(), [Verb::Delete]);
    }

    #[test]
    fn finds_the_hole_without_moving() {
        let mut pending = Pending::default();
        for id in [5, 6, 8] {
            pending.push(update(id), levels(1, 0).view(), &[]);
        }
        let chain = |id| Chain::new(Rule::Range, id);
        let hole =
            |index, is_bridged, expected, received| Err(Hole { index, is_bridged, expected, received });
        assert_eq!(pending.follow(chain(3)), hole(0, false, 4, 5), "the snapshot is too old");
        assert_eq!(pending.follow(chain(4)), hole(2, true, 7, 8), "7 is missing");
        assert_eq!(pending.follow(chain(7)), Ok(()));
        assert_eq!(pending.follow(chain(9)), Ok(()), "all are old");
        assert_eq!(pending.len(), 3);
    }

    #[test]
    fn the_newest_is_not_the_one_that_came_last() {
        let mut pending = Pending::default();
        assert_eq!(pending.newest(), None);
        let sent = |id, ts_event| Waiting { ts_event, ..update(id) };
        for (id, ts_event) in [(90, 1), (5, 7), (6, 7), (4, 6)] {
            pending.push(sent(id, ts_event), levels(1, 0).view(), &[]);
        }
        assert_eq!(pending.newest(), Some(&sent(6, 7)), "a repetition, and one of a numbering before");
    }

    #[test]
    fn at_the_limit_of_updates_the_oldest_goes() {
        let mut pending = Pending::default();
        for id in 0..=PENDING_UPDATES_MAX as u64 {
            pending.push(update(id), levels(1, 0).view(), &[]);
        }
        assert_eq!((pending.len(), pending.dropped()), (PENDING_UPDATES_MAX, 1));
        assert_eq!(pending.front(), Some(&update(1)));
    }

    #[test]
    fn at_the_limit_of_levels_the_oldest_go() {
        let mut pending = Pending::default();
        pending.push(update(1), levels(PENDING_LEVELS_MAX / 2, 0).view(), &[]);
        pending.push(update(2), levels(0, PENDING_LEVELS_MAX / 2).view(), &[]);
        assert_eq!(pending.len(), 2);
        pending.push(update(3), levels(1, 0).view(), &[]);
        assert_eq!((pending.len(), pending.dropped()), (2, 1));
        pending.push(update(4), levels(PENDING_LEVELS_MAX, 1).view(), &[]);
        assert_eq!((pending.len(), pending.dropped()), (0, 4));
    }
}
