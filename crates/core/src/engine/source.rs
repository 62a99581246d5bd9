//! One connection, or one recording with several: the room's memory of each, and where their messages go.

use std::collections::VecDeque;

use super::orders::OrderBooks;
use super::recorded_lines::RecordedLines;
use crate::decode::SymbolText;
use crate::recording::Transcript;
use crate::types::{Routes, Slot, TimeNs, Venue};
use crate::venues::Session;

/// Codes of instruments that left which are remembered.
const LEFT_MAX: usize = 256;

/// A source of one venue's bytes.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) venue: Venue,
    /// One a connection: a live source has one, a recording one for each that it tells of.
    pub(super) sessions: Vec<Session>,
    pub(super) routes: Routes,
    /// Carried instruments, in order of their slots.
    pub(super) slots: Vec<Slot>,
    /// Those of which it brings the book; of the others it tells trades and what else there is.
    pub(super) books: Vec<Slot>,
    /// Present once the venue has named an order.
    pub(super) orders: Option<Box<OrderBooks>>,
    /// Whether it has spoken of an instrument that is not carried.
    pub(super) is_mixed: bool,
    /// Codes of instruments that it carried before, the latest last: what was on its way when they left is no surprise.
    left: VecDeque<SymbolText>,
    /// Whether it failed for good, and was not made anew since.
    pub(super) has_failed: bool,
    /// The source whose place it takes.
    pub(super) succeeds: Option<u32>,
    /// Whether it is a connection that was made, not a recording.
    pub(super) is_live: bool,
    /// When it last said anything that could be read.
    pub(super) heard_at: TimeNs,
    /// Of a recording.
    pub(super) transcript: Transcript,
    /// Of one that says how its connections were taken.
    pub(super) lines: Option<Box<RecordedLines>>,
    /// Of each connection of a recording, whether all is known that its venue told on it: since it was made, or since a
    /// checkpoint.
    pub(super) are_lines_known: Vec<bool>,
    /// Entries of it that were taken.
    pub(super) entries: u64,
    /// Time of the last tick made from the recording, and of the last entry.
    pub(super) ticked_at: TimeNs,
    pub(super) last_ts: TimeNs,
}

impl Source {
    pub(super) fn new(venue: Venue) -> Self {
        Self {
            venue,
            sessions: vec![crate::venues::session(venue)],
            routes: Routes::new(),
            slots: Vec::new(),
            books: Vec::new(),
            orders: None,
            is_mixed: false,
            left: VecDeque::new(),
            has_failed: false,
            succeeds: None,
            is_live: false,
            heard_at: 0,
            transcript: Transcript::default(),
            lines: None,
            are_lines_known: Vec::new(),
            entries: 0,
            ticked_at: 0,
            last_ts: 0,
        }
    }

    /// Whether it speaks for an instrument.
    pub(super) fn carries(&self, slot: Slot) -> bool {
        self.slots.binary_search(&slot).is_ok()
    }

    /// Whether it brings the book of an instrument.
    #[inline]
    pub(super) fn brings(&self, slot: Slot) -> bool {
        // Nearly always it brings the books of all that it carries.
        self.books.len() == self.slots.len() || self.books.binary_search(&slot).is_ok()
    }

    /// Lets it speak for an instrument.
    pub(super) fn add(&mut self, slot: Slot) {
        insert(&mut self.slots, slot);
    }

    /// Lets it bring the book of an instrument that it speaks for; false where it does already.
    pub(super) fn add_book(&mut self, slot: Slot) -> bool {
        insert(&mut self.books, slot)
    }

    /// Speaks for an instrument no more. False where it did not.
    pub(super) fn remove(&mut self, slot: Slot) -> bool {
        let codes = self.routes.codes(slot).map(SymbolText::new);
        self.left.extend(codes);
        while self.left.len() > LEFT_MAX {
            self.left.pop_front();
        }
        self.slots.retain(|carried| *carried != slot);
        self.books.retain(|brought| *brought != slot);
        self.routes.drop(slot)
    }

    /// Whether a code is that of an instrument that it carried not long ago.
    pub(super) fn has_left(&self, code: &SymbolText) -> bool {
        self.left.contains(code)
    }

    /// The room's memory of a connection.
    #[inline]
    pub(super) fn session(&mut self, line: u32) -> &mut Session {
        let index = line as usize;
        while self.sessions.len() <= index {
            self.sessions.push(crate::venues::session(self.venue));
        }
        &mut self.sessions[index]
    }
}

/// Adds a slot to a list in order; false where it is there.
fn insert(slots: &mut Vec<Slot>, slot: Slot) -> bool {
    let place = slots.binary_search(&slot);
    if let Err(at) = place {
        slots.insert(at, slot);
    }
    place.is_err()
}
