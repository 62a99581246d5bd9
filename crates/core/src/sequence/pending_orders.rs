//! Changes of orders that wait for a book which they continue.

use std::collections::VecDeque;

use super::waits::{Waiting, Waits};
use crate::types::{Absent, ORDER_TEXT_BYTES_MAX, OrderChange, OrderTexts, ToldOrders};

/// Most updates that wait for one book: a minute at a thousand a second.
pub const PENDING_ORDER_UPDATES_MAX: usize = 1 << 16;

/// Most changes in waiting updates: 6 MiB, and as much again where texts name orders.
pub const PENDING_ORDER_CHANGES_MAX: usize = 1 << 17;

const _: () = assert!(PENDING_ORDER_CHANGES_MAX > crate::decode::FRAME_LEVELS_MAX);

/// An update in the queue, with how many changes it has there, and what one means of an order that does not rest.
#[derive(Clone, Copy, Debug)]
struct Kept {
    update: Waiting,
    changes: u32,
    text_bytes: u32,
    absent: Absent,
}

/// A bounded queue of updates with their changes. At either limit the oldest go, as with `Pending`.
#[derive(Debug, Default)]
pub struct PendingOrders {
    updates: VecDeque<Kept>,
    changes: VecDeque<OrderChange>,
    /// Of changes whose ids are of texts: the text of each id, behind its length.
    texts: VecDeque<u8>,
    dropped: u64,
}

impl PendingOrders {
    /// Queues an update. No frame holds more changes than may wait.
    pub fn push(&mut self, update: Waiting, told: ToldOrders<'_>, absent: Absent) {
        while !self.updates.is_empty()
            && (self.updates.len() >= PENDING_ORDER_UPDATES_MAX
                || self.changes.len() + told.list.len() > PENDING_ORDER_CHANGES_MAX)
        {
            self.drop_oldest();
        }
        let before = self.texts.len();
        if !told.texts.is_empty() {
            for id in told.list.iter().flat_map(OrderChange::ids) {
                // A room tells no longer one.
                let text = told.texts.text(id);
                self.texts.push_back(text.len() as u8);
                self.texts.extend(text);
            }
        }
        let text_bytes = (self.texts.len() - before) as u32;
        self.updates.push_back(Kept { update, changes: told.list.len() as u32, text_bytes, absent });
        self.changes.extend(told.list);
    }

    /// Takes the oldest update; its changes replace the content of `out`, their texts that of `texts`.
    pub fn pop(&mut self, out: &mut Vec<OrderChange>, texts: &mut OrderTexts) -> Option<(Waiting, Absent)> {
        let Kept { update, changes, text_bytes, absent } = self.updates.pop_front()?;
        out.clear();
        out.extend(self.changes.drain(..changes as usize));
        texts.clear();
        if text_bytes > 0 {
            let mut bytes = [0; ORDER_TEXT_BYTES_MAX];
            for change in out {
                *change = change.with_ids(|_| {
                    let len = usize::from(self.texts.pop_front().unwrap_or_default()).min(bytes.len());
                    self.texts.drain(..len).zip(&mut bytes).for_each(|(from, to)| *to = from);
                    texts.push(&bytes[..len])
                });
            }
        }
        Some((update, absent))
    }

    /// Forgets the oldest update, counted as dropped.
    pub fn drop_oldest(&mut self) {
        if let Some(Kept { changes, text_bytes, .. }) = self.updates.pop_front() {
            self.changes.drain(..changes as usize);
            self.texts.drain(..text_bytes as usize);
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
        self.texts.clear();
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
    use crate::types::{OrderId, Price, Qty, VenueSeq};

    fn update(number: u64) -> Waiting {
        Waiting { seq: VenueSeq::at(number), ts_event: 0, ts_recv: number, check: None }
    }

    fn changes(count: usize) -> Vec<OrderChange> {
        (0..count as u64).map(|id| OrderChange::Delete { id: OrderId(id) }).collect()
    }

    fn push(pending: &mut PendingOrders, update: Waiting, list: &[OrderChange], absent: Absent) {
        pending.push(update, ToldOrders { list, texts: &OrderTexts::default() }, absent);
    }

    #[test]
    fn gives_back_what_it_took_in_order() {
        let mut pending = PendingOrders::default();
        for number in 0..10 {
            push(&mut pending, update(number), &changes(number as usize % 3), Absent::Passes);
        }
        assert_eq!(pending.follow(Chain::new(Rule::Counter, 3)), Ok(()));
        let (mut out, mut texts) = (Vec::new(), OrderTexts::default());
        for number in 0..10 {
            assert_eq!(pending.pop(&mut out, &mut texts), Some((update(number), Absent::Passes)));
            assert_eq!(out, changes(number as usize % 3));
        }
        assert_eq!(pending.pop(&mut out, &mut texts), None);
    }

    #[test]
    fn at_either_limit_the_oldest_go_and_the_book_must_reach_what_is_left() {
        let mut pending = PendingOrders::default();
        for number in 0..=PENDING_ORDER_UPDATES_MAX as u64 {
            push(&mut pending, update(number), &[], Absent::Contradicts);
        }
        assert_eq!((pending.len(), pending.dropped()), (PENDING_ORDER_UPDATES_MAX, 1));
        let hole = Hole { index: 0, is_bridged: false, expected: 0, received: 1 };
        assert_eq!(pending.follow(Chain::new(Rule::Range, 0)), Ok(()));
        pending.drop_oldest();
        let hole = Hole { expected: 1, received: 2, ..hole };
        assert_eq!(pending.follow(Chain::new(Rule::Range, 0)), Err(hole));
        pending.clear();
        push(&mut pending, update(1), &changes(PENDING_ORDER_CHANGES_MAX / 2), Absent::Passes);
        push(&mut pending, update(2), &changes(PENDING_ORDER_CHANGES_MAX / 2), Absent::Passes);
        push(&mut pending, update(3), &changes(1), Absent::Passes);
        assert_eq!((pending.len(), pending.dropped()), (2, 3));
        assert_eq!(pending.newest(), Some(&update(3)));
    }

    #[test]
    fn texts_wait_with_their_changes() {
        let mut pending = PendingOrders::default();
        for number in 0..4u8 {
            let mut texts = OrderTexts::default();
            texts.push(b"of another change");
            let (id, new_id) = (texts.push(&[b'a' + number; 36]), texts.push(b"new"));
            let list = [
                OrderChange::Clear,
                OrderChange::Replace { id, new_id, price: Price(1), qty: Qty(2) },
                OrderChange::Delete { id: new_id },
            ];
            pending.push(update(number.into()), ToldOrders { list: &list, texts: &texts }, Absent::Passes);
        }
        pending.drop_oldest();
        let (mut out, mut texts) = (Vec::new(), OrderTexts::default());
        for number in 1..4u8 {
            assert_eq!(pending.pop(&mut out, &mut texts).unwrap().0, update(number.into()));
            let mut told = Vec::new();
            let ids = out.iter().flat_map(OrderChange::ids);
            told.extend(ids.map(|id| texts.text(id).to_vec()));
            assert_eq!(told, [&[b'a' + number; 36][..], b"new", b"new"]);
        }
        assert!(pending.texts.is_empty());
    }
}
