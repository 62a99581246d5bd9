//! Running to another time of a recording: until it is reached readers are told that every book is syncing, and nothing else.
//!
//! A book that passes hours in a second is the venue's at every moment, but of none that anybody asked for, and to tell each
//! would cost all readers what it costs to be there. So what is written meanwhile is dropped where it is written. At the end
//! each instrument opens a new epoch, with an image of every stream as it then is.

use super::Engine;
use super::instrument::{Context, InstrumentState};
use crate::encode::Stream;
use crate::types::{Clock, TimeNs};

/// The streams that go on while the book is not exact.
const BESIDE_BOOK: [Stream; 5] =
    [Stream::TRADES, Stream::VENUE_BBO, Stream::LIQUIDATIONS, Stream::TICKER, Stream::TRADING];

impl<C: Clock> Engine<C> {
    /// From now on every book is `Syncing` to its readers, no stream has an image, and nothing is published. Does nothing
    /// where it is so already. Cost: linear in the books.
    pub fn hold(&mut self, now: TimeNs) {
        let (instruments, mut cx) = self.parts();
        for instrument in instruments.iter_mut().filter(|instrument| !instrument.is_held) {
            instrument.is_held = true;
            instrument.recount(cx.stats);
            instrument.publish_image(Stream::STATUS, now, &mut cx);
            instrument.say_orders_lost(now, &mut cx);
        }
        self.ask_venues();
        self.outbox().hold(true);
    }

    /// Ends [`Engine::hold`]: what is exact opens a new epoch, and of what is not the state is told.
    pub fn release(&mut self, now: TimeNs) {
        self.outbox().hold(false);
        let (instruments, mut cx) = self.parts();
        for instrument in instruments.iter_mut().filter(|instrument| instrument.is_held) {
            instrument.is_held = false;
            instrument.go_on(now, &mut cx);
        }
        self.ask_venues();
    }
}

impl InstrumentState {
    /// Nobody knows of the frames that were dropped, so that no stream may go on from where it stands.
    fn go_on<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.lead().is_synced() {
            self.told_at = self.book_cursor.at.ts_recv;
            return self.open_epoch(now, cx);
        }
        if self.has_epoch() {
            self.begin_epoch(now, cx);
            for stream in BESIDE_BOOK {
                self.publish_image(stream, now, cx);
            }
            self.publish_volume_images(now, cx);
        }
        self.say_state(now, cx);
    }
}
