//! What mends books is asked for, and before it what the venue must be told.

use super::Engine;
use crate::types::{Clock, Slot};
use crate::venues::Resync;

impl<C: Clock> Engine<C> {
    /// Makes records of what the books want. Where a subscription is to be made anew that only its connection can name, the
    /// texts that end it come first.
    #[inline]
    pub(super) fn ask_venues(&mut self) {
        while let Some(want) = self.outbox.take_want() {
            if want.kind == Resync::Resubscribe as u8
                && let Some(&slot) = self.by_id.get(&want.instrument)
            {
                self.leave(slot);
            }
            self.outbox.ask(want);
        }
    }

    fn leave(&mut self, slot: Slot) {
        let Self { sources, outbox, reply, .. } = self;
        for (index, source) in sources.iter().enumerate().filter(|(_, source)| source.brings(slot)) {
            for session in &source.sessions {
                let mut nth = 0;
                while session.leave(slot, nth, reply) {
                    outbox.say(index as u32, reply);
                    nth += 1;
                }
            }
        }
    }
}
