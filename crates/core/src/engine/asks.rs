//! What mends books is asked for, and before it what the venue must be told.

use super::Engine;
use crate::encode::Wanted;
use crate::types::{Clock, Slot};
use crate::venues::{Leave, Resync};

impl<C: Clock> Engine<C> {
    /// Makes records of what the books want: images of orders, which stand beside the books, what has
    /// changed of books that others are made of, and what mends a book. Where a subscription is to be made anew that only its connection can name, the
    /// texts that end it come first.
    #[inline]
    pub(super) fn ask_venues(&mut self) {
        while let Some(want) = self.outbox.take_want() {
            let want = match want {
                Wanted::Orders(instrument) => {
                    self.publish_wanted_orders(instrument);
                    continue;
                }
                Wanted::Merge(instrument) => {
                    self.merge(instrument);
                    continue;
                }
                Wanted::Cure(want) => want,
            };
            if want.kind == Resync::Resubscribe as u8
                && let Some(&slot) = self.by_id.get(&want.instrument)
            {
                for source in 0..self.sources.len() {
                    if self.sources[source].brings(slot) {
                        self.leave(source, slot, Leave::Book);
                    }
                }
            }
            self.outbox.ask(want);
        }
    }

    /// Ends subscriptions of an instrument that only the source's own connections can name.
    pub(super) fn leave(&mut self, source: usize, slot: Slot, what: Leave) {
        let Self { sources, outbox, reply, .. } = self;
        for session in &sources[source].sessions {
            let mut nth = 0;
            while session.leave(slot, what, nth, reply) {
                outbox.say(source as u32, reply);
                nth += 1;
            }
        }
    }
}
