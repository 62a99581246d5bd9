//! Changes of orders that wait for a book which they continue.

use std::collections::VecDeque;

use super::waits::{Waiting, Waits};
use crate::types::{Absent, OrderChange};

/// Most updates that wait for one book: a minute at a thousand a second.
pub const PENDING_ORDER_UPDATES_MAX: usize = 1 << 16;

/// Most changes in waiting updates: 6 MiB.
pub const PENDING_ORDER_CHANGES_MAX: usize = 1 << 17;

const _: () = assert!(PENDING_ORDER_CHANGES_MAX > crate::decode::FRAME_LEVELS_MAX);

/// An update in the queue, with how many changes it has there, and what one means of an order that does not rest.
#[derive(Clone, Copy, Debug)]
struct Kept {
    update: Waiting,
    changes: u32,
    absent: Absent,
}

/// A bounded queue of updates with their changes. At either limit the oldest go, as with `Pending`.
#[derive(Debug, Default)]
pub struct PendingOrders {
    updates: VecDeque<Kept>,
    changes: VecDeque<OrderChange>,
    dropped: u64,
}

impl PendingOrders {
    /// Queues an update. No frame holds more changes than may wait.
    pub fn push(&mut self, update: Waiting, changes: &[OrderChange], absent: Absent) {
        while !self.updates.is_empty()
            && (self.updates.len() >= PENDING_ORDER_UPDATES_MAX
                || self.changes.len() + changes.len() > PENDING_ORDER_CHANGES_MAX)
        {
            self.drop_oldest();
        }
        self.updates.push_back(Kept { update, changes: changes.len() as u32, absent });
        self.changes.extend(changes);
    }

    /// Takes the oldest update; its changes replace the content of `out`.
    pub fn pop(&mut self, out: &mut Vec<OrderChange>) -> Option<(Waiting, Absent)> {
        let Kept { update, changes, absent } = self.updates.pop_front()?;
        out.clear();
        out.extend(self.changes.drain(..changes as usize));
        Some((update, absent))
    }

    /// Forgets the oldest update, counted as dropped.
    pub fn drop_oldest(&mut self) {
        if let Some(Kept { changes, .. }) = self.updates.pop_front() {
            self.changes.drain(..changes as usize);
            self.dropped += 1;
        }
    }

    /// Every waiting change.
    pub fn changes(&self) -> impl Iterator<Item = &OrderChange> {
        self.changes.iter()
    }

    /// Every waiting change, to be changed in place: a scale has become finer.
    pub fn changes_mut(&mut self) -> impl Iterator<Item = &mut OrderChange> {
        self.changes.iter_mut()
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.updates.clear();
        self.changes.clear();
    }

    /// Updates that were dropped at a limit, ever.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Waits for PendingOrders {
    fn updates(&self) -> impl ExactSizeIterator<Item = &Waiting> {
        self.updates.iter().map(|kept| &kept.update)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::{Chain, Hole, Rule};
    use crate::types::{OrderId, VenueSeq};

    fn update(number: u64) -> Waiting {
        Waiting { seq: VenueSeq::at(number), ts_event: 0, ts_recv: number, check: None }
    }

    fn changes(count: usize) -> Vec<OrderChange> {
        (0..count as u64).map(|id| OrderChange::Delete { id: OrderId(id) }).collect()
    }

    #[test]
    fn gives_back_what_it_took_in_order() {
        let mut pending = PendingOrders::default();
        for number in 0..10 {
            pending.push(update(number), &changes(number as usize % 3), Absent::Passes);
        }
        assert_eq!(pending.follow(Chain::new(Rule::Counter, 3)), Ok(()));
        let mut out = Vec::new();
        for number in 0..10 {
            assert_eq!(pending.pop(&mut out), Some((update(number), Absent::Passes)));
            assert_eq!(out, changes(number as usize % 3));
        }
        assert_eq!(pending.pop(&mut out), None);
    }

    #[test]
    fn at_either_limit_the_oldest_go_and_the_book_must_reach_what_is_left() {
        let mut pending = PendingOrders::default();
        for number in 0..=PENDING_ORDER_UPDATES_MAX as u64 {
            pending.push(update(number), &[], Absent::Contradicts);
        }
        assert_eq!((pending.len(), pending.dropped()), (PENDING_ORDER_UPDATES_MAX, 1));
        let hole = Hole { index: 0, is_bridged: false, expected: 0, received: 1 };
        assert_eq!(pending.follow(Chain::new(Rule::Range, 0)), Ok(()));
        pending.drop_oldest();
        let hole = Hole { expected: 1, received: 2, ..hole };
        assert_eq!(pending.follow(Chain::new(Rule::Range, 0)), Err(hole));
        pending.clear();
        pending.push(update(1), &changes(PENDING_ORDER_CHANGES_MAX / 2), Absent::Passes);
        pending.push(update(2), &changes(PENDING_ORDER_CHANGES_MAX / 2), Absent::Passes);
        pending.push(update(3), &changes(1), Absent::Passes);
        assert_eq!((pending.len(), pending.dropped()), (2, 3));
        assert_eq!(pending.newest(), Some(&update(3)));
    }
}
