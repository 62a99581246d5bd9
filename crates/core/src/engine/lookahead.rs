//! Fetches what the coming messages of a recording change while the present one is applied.
//!
//! In plain words: a market of 8,900 symbols has more orders than the caches hold, so each message would wait for memory
//! several times, one line after another. A reader some messages ahead of the one that is applied asks for those lines
//! early. What it sees is a guess: it changes no answer.

use super::instrument::InstrumentState;
use super::source::Source;
use crate::book::l3::{BookIndex, ORDERS_MIN};
use crate::recording::Transcript;
use crate::types::{OrderChange, Slot};

/// Messages before it is applied at which a change's records are asked for, then its levels, then the level that it joins;
/// as in [`crate::book::l3::Lookahead`].
const RECORDS_AHEAD: usize = 16;
const LEVELS_AHEAD: usize = 10;
const JOINED_AHEAD: usize = 5;

/// What is known of the messages behind the present one.
#[derive(Debug, Default)]
pub(super) struct Lookahead {
    /// Offset behind the last message that was looked at.
    at: usize,
    /// Numbers of the present message and of the next to be looked at, since the bytes were handed in.
    present: usize,
    next: usize,
    /// By number, the last few that were looked at: whose order changes, and how.
    coming: [Option<(Slot, BookIndex, OrderChange)>; RECORDS_AHEAD],
}

impl Lookahead {
    /// For bytes of a source that are handed in now; `None` where it has too few orders.
    pub(super) fn over(source: &Source) -> Option<Self> {
        let orders = source.orders.as_deref()?;
        (orders.len() >= ORDERS_MIN).then(Self::default)
    }

    /// The message at `at` is applied next.
    #[inline]
    pub(super) fn step(
        &mut self,
        transcript: &Transcript,
        bytes: &[u8],
        at: usize,
        source: &Source,
        instruments: &[InstrumentState],
    ) {
        let Some(orders) = source.orders.as_deref().filter(|orders| orders.len() >= ORDERS_MIN) else {
            return;
        };
        self.present += 1;
        if self.at <= at {
            (self.at, self.next) = (at, self.present);
        }
        // Two for each that is applied, until the distance is reached.
        for _ in 0..2 {
            let is_far = self.next >= self.present + RECORDS_AHEAD;
            let Some((message, len)) =
                bytes.get(self.at..).filter(|_| !is_far).and_then(|rest| transcript.peek(rest))
            else {
                break;
            };
            self.at += len;
            let hint = source.sessions.first().and_then(|session| session.hint(message));
            let coming = hint.and_then(|(slot, change)| {
                let (book, change) = orders.coming(slot, &change)?;
                Some((slot, book, change))
            });
            if let Some((slot, book, change)) = &coming {
                orders.l3().prefetch(*book, change);
                if let Some(instrument) = instruments.get(slot.0 as usize) {
                    instrument.prefetch();
                }
            }
            self.coming[self.next % RECORDS_AHEAD] = coming;
            self.next += 1;
        }
        if let Some((_, book, change)) = self.ahead(LEVELS_AHEAD) {
            orders.l3().prefetch_levels(*book, change);
        }
        if let Some((_, book, change)) = self.ahead(JOINED_AHEAD) {
            orders.l3().prefetch_joined(*book, change);
        }
    }

    /// What comes so many messages after the present one, if it has been looked at.
    #[inline]
    fn ahead(&self, messages: usize) -> Option<&(Slot, BookIndex, OrderChange)> {
        let number = self.present + messages;
        self.coming[number % RECORDS_AHEAD].as_ref().filter(|_| number < self.next)
    }
}

#[cfg(test)]
mod tests {
    use depthwire_sim::itch::{ItchConfig, ItchDay};

    use super::*;
    use crate::engine::{Engine, EngineConfig};
    use crate::framing::binary_file::{BinaryFileFramer, LengthPrefix};
    use crate::framing::itch::{self, Message};
    use crate::types::{BookState, InstrumentId, NoClock, ScaleSource, TimeNs, Venue};
    use crate::venues::{self, product};

    /// Whose format the day is told in.
    fn venue() -> Venue {
        let is_of_format = |venue: &&Venue| {
            let scale = product(**venue).scale;
            (scale.source, scale.price_exponent) == (ScaleSource::Format, itch::PRICE_EXPONENT)
        };
        *venues::ALL.iter().find(is_of_format).unwrap()
    }

    /// A day of three symbols, and an engine that carries two of them.
    fn market() -> (Vec<u8>, Engine<NoClock>, Vec<InstrumentId>) {
        let mut day = ItchDay::new(ItchConfig { orders: 2_000, ..ItchConfig::new(11, 3) }).unwrap();
        let mut bytes = Vec::new();
        while !day.is_open() {
            day.next(&mut bytes);
        }
        for _ in 0..20_000 {
            day.next(&mut bytes);
        }
        let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
        let mut ids = Vec::new();
        for message in BinaryFileFramer::new(LengthPrefix::Stated).messages(&bytes) {
            if let Ok(Message::StockDirectory(directory)) = itch::decode(message.unwrap()) {
                let symbol = core::str::from_utf8(itch::text(directory.stock())).unwrap();
                ids.push(engine.add_instrument(venues::instrument(venue(), symbol).unwrap()).unwrap());
            }
        }
        ids.truncate(2);
        (bytes, engine, ids)
    }

    fn digests(engine: &Engine<NoClock>, ids: &[InstrumentId]) -> Vec<String> {
        let is_synced = |id| engine.book_info(id, 0).unwrap().state == BookState::Synced;
        assert!(ids.iter().all(|id| is_synced(*id)));
        ids.iter().map(|id| engine.orders_digest(*id).unwrap()).collect()
    }

    #[test]
    fn what_is_looked_ahead_changes_no_answer_however_the_bytes_are_cut() {
        let (bytes, mut plain, ids) = market();
        let source = plain.open_source(venue(), &ids).unwrap();
        for message in BinaryFileFramer::new(LengthPrefix::Stated).messages(&bytes) {
            plain.ingest(source, message.unwrap(), 0).unwrap();
            while plain.outbox().front().is_some() {
                plain.outbox().take();
            }
        }
        let expected = digests(&plain, &ids);
        for chunk in [400, 7_001, 1 << 20] {
            let (_, mut engine, ids) = market();
            let source = engine.open_source(venue(), &ids).unwrap();
            let mut at = 0;
            while at < bytes.len() {
                let end = (at + chunk).min(bytes.len());
                let drain = |outbox: &mut crate::encode::Outbox| {
                    while outbox.front().is_some() {
                        outbox.take();
                    }
                    true
                };
                let progress = engine.replay(source, &bytes[at..end], false, TimeNs::MAX, drain).unwrap();
                assert!(progress.consumed > 0 && progress.error.is_none());
                at += progress.consumed;
            }
            assert!(Lookahead::over(&engine.sources[0]).is_some(), "it was at work");
            assert_eq!(digests(&engine, &ids), expected, "chunks of {chunk}");
        }
    }
}
