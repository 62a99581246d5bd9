//! Which order leaves next: most die young, some stay all day.
//!
//! A fleeting order gets the message number at which it wants to leave and waits in a wheel of buckets, one for
//! each message number. Resting orders stand in one list. Whoever needs an order that leaves takes one whose time
//! has come, or else any resting one, each with the same chance: so the resting ones live exponentially long, and
//! together they take up whatever the mix of messages leaves over.

use super::queues::NONE;
use crate::curve::Curve;
use crate::rng::Rng;

/// Messages that a fleeting order lives, by quantile of all orders that leave, in a market of [`ORDERS_WHOLE`]. From
/// the SEC's quote lifetimes of corporate stocks (2013): 8 % leave within 0.5 ms, 25 % within 50 ms, 39 % within
/// 0.5 s, about 64 % within 5 s; at the 11,500 messages a second of a NASDAQ day. The end is a minute.
const FLEETING_MESSAGES: Curve =
    Curve(&[(0, 1), (94_000, 6), (294_000, 575), (459_000, 5_750), (753_000, 57_500), (1_000_000, 690_000)]);

/// The population of the market in which those lifetimes were observed. Smaller ones live as much faster in
/// messages, because fewer of a second's messages are theirs.
const ORDERS_WHOLE: i64 = 1_900_000;

/// Whether an order leaves soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stay {
    Fleeting,
    Resting,
}

/// Where an order waits: in a bucket between two others, or at a place of the resting list.
#[derive(Clone, Copy, Debug)]
struct Wait {
    /// [`NONE`] for a resting order.
    bucket: u32,
    before: u32,
    /// The next in the bucket, or the place in the list.
    after: u32,
}

/// The waiting orders of a market, by their slots.
#[derive(Clone, Debug)]
pub(crate) struct Lifetimes {
    waits: Vec<Wait>,
    /// A power of two of them, more than twice the longest lifetime.
    buckets: Vec<u32>,
    resting: Vec<u32>,
    /// Buckets before this message number are empty.
    swept: u64,
    orders_max: i64,
}

impl Lifetimes {
    pub(crate) fn new(orders_max: usize) -> Self {
        let longest = messages(FLEETING_MESSAGES.at(1_000_000), orders_max as i64);
        let wheel_len = (longest as usize * 2 + 1).next_power_of_two();
        Self {
            waits: Vec::new(),
            buckets: vec![NONE; wheel_len],
            resting: Vec::new(),
            swept: 0,
            orders_max: orders_max as i64,
        }
    }

    const fn bucket(&self, message: u64) -> usize {
        message as usize & (self.buckets.len() - 1)
    }

    /// Lets an order wait from message number `now` on.
    pub(crate) fn enter(&mut self, slot: u32, stay: Stay, now: u64, rng: &mut Rng) {
        let wait = match stay {
            Stay::Resting => {
                self.resting.push(slot);
                Wait { bucket: NONE, before: NONE, after: self.resting.len() as u32 - 1 }
            }
            Stay::Fleeting => {
                let bucket = self.bucket(now + messages(FLEETING_MESSAGES.draw(rng), self.orders_max));
                let after = std::mem::replace(&mut self.buckets[bucket], slot);
                if after != NONE {
                    self.waits[after as usize].before = slot;
                }
                Wait { bucket: bucket as u32, before: NONE, after }
            }
        };
        match self.waits.get_mut(slot as usize) {
            Some(place) => *place = wait,
            None => self.waits.push(wait),
        }
    }

    /// An order that leaves at message number `now`; it waits no longer. `None` where nobody waits.
    ///
    /// Sweeps one bucket a message on average; the whole wheel where no order rests and none is due.
    pub(crate) fn leaver(&mut self, now: u64, rng: &mut Rng) -> Option<(u32, Stay)> {
        while self.swept <= now {
            match self.buckets[self.bucket(self.swept)] {
                NONE => self.swept += 1,
                slot => {
                    self.remove(slot);
                    return Some((slot, Stay::Fleeting));
                }
            }
        }
        if self.resting.is_empty() {
            let early = (now..now + self.buckets.len() as u64).map(|at| self.buckets[self.bucket(at)]);
            let slot = early.into_iter().find(|&slot| slot != NONE)?;
            self.remove(slot);
            return Some((slot, Stay::Fleeting));
        }
        let slot = self.resting[rng.below(self.resting.len() as u64) as usize];
        self.remove(slot);
        Some((slot, Stay::Resting))
    }

    /// Takes an order out that left for another reason.
    pub(crate) fn remove(&mut self, slot: u32) {
        let Wait { bucket, before, after } = self.waits[slot as usize];
        if bucket == NONE {
            self.resting.swap_remove(after as usize);
            if let Some(&moved) = self.resting.get(after as usize) {
                self.waits[moved as usize].after = after;
            }
            return;
        }
        match before {
            NONE => self.buckets[bucket as usize] = after,
            before => self.waits[before as usize].after = after,
        }
        if after != NONE {
            self.waits[after as usize].before = before;
        }
    }
}

/// A lifetime of the whole market in a market of `orders_max`, at least 1.
fn messages(whole: i64, orders_max: i64) -> u64 {
    (whole * orders_max / ORDERS_WHOLE).max(1) as u64
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn due_orders_leave_before_resting_ones_and_each_once() {
        let mut rng = Rng::new(3, 0);
        let mut lifetimes = Lifetimes::new(ORDERS_WHOLE as usize);
        for slot in 0..2_000 {
            let stay = if slot % 2 == 0 { Stay::Fleeting } else { Stay::Resting };
            lifetimes.enter(slot, stay, 0, &mut rng);
        }
        for slot in [0, 1, 998, 999] {
            lifetimes.remove(slot);
        }
        // A minute later all fleeting ones are due.
        let left: Vec<(u32, Stay)> =
            (0..1_996).map(|_| lifetimes.leaver(700_000, &mut rng).unwrap()).collect();
        assert!(left[..998].iter().all(|left| left.1 == Stay::Fleeting && left.0 % 2 == 0));
        assert!(left[998..].iter().all(|left| left.1 == Stay::Resting && left.0 % 2 == 1));
        let mut slots: Vec<u32> = left.into_iter().map(|left| left.0).collect();
        slots.sort_unstable();
        slots.dedup();
        assert_eq!(slots.len(), 1_996);
        assert_eq!(lifetimes.leaver(700_000, &mut rng), None);
    }

    #[test]
    fn nobody_leaves_before_the_time_while_others_rest_but_somebody_does_where_none_rests() {
        let mut rng = Rng::new(4, 0);
        let mut lifetimes = Lifetimes::new(ORDERS_WHOLE as usize);
        lifetimes.enter(0, Stay::Resting, 10, &mut rng);
        lifetimes.enter(1, Stay::Fleeting, 10, &mut rng);
        assert_eq!(lifetimes.leaver(10, &mut rng), Some((0, Stay::Resting)));
        assert_eq!(lifetimes.leaver(10, &mut rng), Some((1, Stay::Fleeting)));
        assert_eq!(lifetimes.leaver(10, &mut rng), None);
    }

    #[test]
    fn a_quarter_of_all_orders_lives_for_fifty_milliseconds() {
        let mut rng = Rng::new(5, 0);
        let mut lifetimes = Lifetimes::new(ORDERS_WHOLE as usize);
        (0..8_500).for_each(|slot| lifetimes.enter(slot, Stay::Fleeting, 0, &mut rng));
        (8_500..10_000).for_each(|slot| lifetimes.enter(slot, Stay::Resting, 0, &mut rng));
        let young = std::iter::from_fn(|| lifetimes.leaver(575, &mut rng));
        let young = young.take_while(|left| left.1 == Stay::Fleeting).count();
        assert!((2_350..2_650).contains(&young), "{young}");
    }
}
