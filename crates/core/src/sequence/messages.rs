//! Numbers that a venue gives to all messages of a connection, one by one, whatever they are of. What is missing may be of any
//! book.
//!
//! An old message cannot be told from one of another connection. So any number but the one that is due is a loss, a lower one
//! too, and the count goes on behind it.

use super::SeqOutcome;

/// The count of one connection.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct MessageCounter {
    due: Option<u64>,
    /// Whether the message that is due has come, and could not be read.
    is_unread: bool,
}

impl MessageCounter {
    /// Judges the number of a message: `Next` or `Gap`. Changes nothing. Any number may be the first; one that could not be read
    /// may come again.
    #[inline]
    #[must_use]
    pub const fn check(&self, number: u64) -> SeqOutcome {
        match self.due {
            Some(due) if due != number && !(self.is_unread && due.wrapping_add(1) == number) => {
                SeqOutcome::Gap { expected: due, received: number }
            }
            _ => SeqOutcome::Next,
        }
    }

    /// A message was read, whatever [`Self::check`] has said of it.
    #[inline]
    pub const fn read(&mut self, number: u64) {
        *self = Self { due: Some(number.wrapping_add(1)), is_unread: false };
    }

    /// A message could not be read. Where it was due nothing is missing before the one behind it.
    pub fn unread(&mut self, number: u64) {
        if self.check(number) == SeqOutcome::Next {
            *self = Self { due: Some(number), is_unread: true };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn gap(expected: u64, received: u64) -> SeqOutcome {
        SeqOutcome::Gap { expected, received }
    }

    #[test]
    fn only_the_number_that_is_due_is_next() {
        let mut counter = MessageCounter::default();
        assert_eq!(counter.check(7), SeqOutcome::Next, "a connection that is heard from its middle");
        counter.read(7);
        for (number, outcome) in [(8, SeqOutcome::Next), (9, gap(8, 9)), (7, gap(8, 7)), (0, gap(8, 0))] {
            assert_eq!(counter.check(number), outcome);
        }
        counter.read(0);
        assert_eq!(counter.check(1), SeqOutcome::Next, "it counts on from what came");
        counter.read(u64::MAX);
        assert_eq!(counter.check(0), SeqOutcome::Next);
    }

    #[test]
    fn a_message_that_cannot_be_read_is_not_missing() {
        let mut counter = MessageCounter::default();
        counter.read(3);
        counter.unread(4);
        assert_eq!((counter.check(4), counter.check(5)), (SeqOutcome::Next, SeqOutcome::Next));
        assert_eq!(counter.check(6), gap(4, 6));
        counter.unread(5);
        assert_eq!((counter.check(4), counter.check(6)), (gap(5, 4), SeqOutcome::Next));
        counter.unread(9);
        assert_eq!(counter.check(9), gap(5, 9), "what is missing before it is still to be told");
        counter.read(6);
        assert_eq!((counter.check(6), counter.check(7)), (gap(7, 6), SeqOutcome::Next));
    }
}
