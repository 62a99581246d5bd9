//! What comes in: a frame, a datagram, an answer; what its room says of it, and whom that concerns.

use super::instrument::{Context, End, InstrumentState};
use super::lines::Told;
use super::orders::OrderBooks;
use super::recovery::SnapshotOrigin;
use super::source::Source;
use super::streams::Stamp;
use super::tape::Stop;
use super::which_clock::{Own, Stamped, WhichClock};
use super::{Engine, EngineError, IngestError, SourceId, scale};
use crate::decode::DecodeError;
use crate::types::{
    Body, Clock, Event, InstrumentId, OrderChange, Origin, Part, Routes, Scope, Slot, Stage, StaleReason,
    TimeNs, VenueSeq,
};
use crate::venues::{Asked, At, FrameError};

impl<C: Clock> Engine<C> {
    /// One frame as it was received. Its consequences wait in [`Engine::outbox`].
    ///
    /// # Errors
    /// A frame that cannot be read is counted and told; where it may have changed a book, that book is stale.
    pub fn ingest(&mut self, source: SourceId, bytes: &[u8], ts_recv: TimeNs) -> Result<(), IngestError> {
        self.check_input(source)?;
        let at = At { ts_recv, line: 0, is_datagram: false };
        self.receive(source.0 as usize, 0, bytes, at)
    }

    /// As [`Self::ingest`], with another clock for this one message: it is told what has ended when, see [`Stage`]. A second
    /// form of the whole path, so that the first one has no trace of it.
    ///
    /// A frame that cannot be read as it stands goes on without stamps, whatever becomes of it.
    ///
    /// # Errors
    /// As [`Self::ingest`].
    pub fn ingest_stamped<S: Clock>(
        &mut self,
        source: SourceId,
        bytes: &[u8],
        ts_recv: TimeNs,
        stamps: &S,
    ) -> Result<(), IngestError> {
        self.check_input(source)?;
        let at = At { ts_recv, line: 0, is_datagram: false };
        self.receive_by(&Stamped(stamps), source.0 as usize, 0, bytes, at)
    }

    /// The instrument that the last input spoke of first; none where it spoke of none, or was none that could be read.
    #[must_use]
    pub fn subject(&self) -> Option<InstrumentId> {
        let event = self.events.list().first()?;
        Some(self.instruments.get(event.slot.0 as usize)?.id)
    }

    /// One datagram as it was received, on one of the lines of a feed.
    ///
    /// # Errors
    /// As [`Self::ingest`].
    pub fn ingest_datagram(
        &mut self,
        source: SourceId,
        line: u32,
        bytes: &[u8],
        ts_recv: TimeNs,
    ) -> Result<(), IngestError> {
        self.check_input(source)?;
        self.receive(source.0 as usize, 0, bytes, At { ts_recv, line, is_datagram: true })
    }

    fn check_input(&self, source: SourceId) -> Result<(), IngestError> {
        if source.0 as usize >= self.sources.len() {
            return Err(EngineError::UnknownSource(source.0).into());
        }
        if self.outbox.is_full() {
            return Err(EngineError::OutboxFull.into());
        }
        Ok(())
    }

    /// Reads a frame and does what it says.
    #[inline]
    pub(super) fn receive(
        &mut self,
        source: usize,
        line: u32,
        bytes: &[u8],
        at: At,
    ) -> Result<(), IngestError> {
        self.receive_by(&Own, source, line, bytes, at)
    }

    #[inline]
    fn receive_by<W: WhichClock<C>>(
        &mut self,
        which: &W,
        source: usize,
        line: u32,
        bytes: &[u8],
        at: At,
    ) -> Result<(), IngestError> {
        self.stats.frames += 1;
        self.events.clear();
        let opened = &mut self.sources[source];
        if opened.sessions.len() <= line as usize {
            opened.session(line);
        }
        let Source { sessions, routes, .. } = opened;
        let read = sessions[line as usize].frame(bytes, at, routes, &mut self.events);
        match read {
            Ok(()) => {
                which.of(&self.clock).stamp(Stage::Decoded);
                self.sources[source].heard_at = at.ts_recv;
                if self.events.list().is_empty() {
                    self.stats.ignored += 1;
                }
                self.apply_by(which, source, at.ts_recv, None);
                if self.sources[source].sessions[line as usize].reply(&mut self.reply) {
                    self.outbox.say(source as u32, &self.reply);
                }
                Ok(())
            }
            Err(error) => self.refused(source, line, bytes, at, error),
        }
    }

    /// A frame that could not be read as it stands: of another instrument, finer than the scale, or wrong.
    #[cold]
    fn refused(
        &mut self,
        source: usize,
        line: u32,
        bytes: &[u8],
        at: At,
        error: FrameError,
    ) -> Result<(), IngestError> {
        if let FrameError::Decode(DecodeError::UnknownSymbol { symbol }) = error {
            self.sources[source].heard_at = at.ts_recv;
            // Of one that has left too: a snapshot that names none may be its own.
            self.on_foreign(source, at.ts_recv);
            // What the connection's own count shows to be missing may be of any book.
            self.apply(source, at.ts_recv);
            if self.sources[source].has_left(&symbol) {
                self.stats.ignored += 1;
                return Ok(());
            }
            self.stats.foreign += 1;
            return Err(error.into());
        }
        let mut error = error;
        for _ in 0..scale::ROUNDS_MAX {
            if !self.rescale(bytes, &error, at.ts_recv) {
                break;
            }
            self.events.clear();
            let opened = &mut self.sources[source];
            let Source { sessions, routes, .. } = opened;
            let Some(session) = sessions.get_mut(line as usize) else { break };
            match session.frame(bytes, at, routes, &mut self.events) {
                Ok(()) => {
                    self.apply(source, at.ts_recv);
                    return Ok(());
                }
                Err(next) => error = next,
            }
        }
        if error == FrameError::Decode(DecodeError::AmbiguousSnapshot) {
            self.stats.unattributed += 1;
            return Err(error.into());
        }
        self.stats.decode_errors += 1;
        // What of a datagram could be read is there; what the rest may have changed is lost.
        let concerned = self.events.concerned();
        self.apply(source, at.ts_recv);
        if let Some(scope) = concerned {
            self.lose(source, scope, StaleReason::Unreadable, (0, 0), at.ts_recv);
        }
        Err(error.into())
    }

    /// The source has spoken of an instrument that it does not carry.
    pub(super) fn on_foreign(&mut self, source: usize, now: TimeNs) {
        if std::mem::replace(&mut self.sources[source].is_mixed, true) {
            return;
        }
        let Self { sources, instruments, config, clock, outbox, stats, scratch, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        for slot in &sources[source].slots {
            instruments[slot.0 as usize].on_foreign(now, cx);
        }
    }

    /// The answer to the request with this ticket, or what was heard instead of one.
    ///
    /// # Errors
    /// [`EngineError::StaleAnswer`] when another request, or none, is under way; else as [`Engine::ingest`]. An answer
    /// that cannot be read counts as [`Engine::failed`] too.
    pub fn answer(
        &mut self,
        instrument: InstrumentId,
        ticket: u32,
        bytes: &[u8],
        ts_recv: TimeNs,
    ) -> Result<(), IngestError> {
        let slot = self.slot_of(instrument)?;
        let state = &self.instruments[slot.0 as usize];
        if !state.awaits(ticket) {
            return Err(EngineError::StaleAnswer(ticket).into());
        }
        if self.outbox.is_full() {
            return Err(EngineError::OutboxFull.into());
        }
        self.take_answer(instrument, bytes, ts_recv)
    }

    /// The same of an answer that was the right one when it was recorded.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub(super) fn take_answer(
        &mut self,
        instrument: InstrumentId,
        bytes: &[u8],
        ts_recv: TimeNs,
    ) -> Result<(), IngestError> {
        let slot = self.slot_of(instrument)?;
        let state = &self.instruments[slot.0 as usize];
        let brings = |source: &Source| source.books.binary_search(&slot).is_ok();
        // Orders that are numbered stand where they are told of.
        let owner = state.owners[Told::Orders as usize].filter(|_| state.product.numbers_orders());
        let owner = owner.map(|owner| owner as usize);
        let Some(source) = owner.or_else(|| self.sources.iter().position(brings)) else {
            return Err(EngineError::UnknownInstrument(instrument.0).into());
        };
        self.stats.frames += 1;
        let at = At { ts_recv, line: 0, is_datagram: false };
        let mut read = Ok(());
        for _ in 0..=scale::ROUNDS_MAX {
            let routes = self.routes_of(slot);
            self.events.clear();
            let asked = Asked { routes: &routes, url: b"" };
            read = self.sources[source].session(0).answer(&asked, bytes, at, &mut self.events);
            match read {
                Err(error) if self.rescale(bytes, &error, ts_recv) => {}
                _ => break,
            }
        }
        match read {
            // A book whose place among what waits does not show yet.
            Ok(()) if self.events.list().is_empty() => {
                self.stats.snapshots_old += 1;
                self.instruments[slot.0 as usize].on_unplaced(ts_recv);
                Ok(())
            }
            Ok(()) => {
                self.apply_by(&Own, source, ts_recv, Some(SnapshotOrigin::Asked));
                Ok(())
            }
            Err(error) => {
                self.stats.decode_errors += 1;
                self.instruments[slot.0 as usize].on_failed(ts_recv);
                Err(error.into())
            }
        }
    }

    /// The routes of one instrument alone.
    pub(super) fn routes_of(&self, slot: Slot) -> Routes {
        let state = &self.instruments[slot.0 as usize];
        let mut routes = Routes::new();
        if let Some(listed) = self.catalogue.get(state.id) {
            routes.carry(listed.wire_codes(), state.route());
        }
        routes
    }

    /// Does what the arena says.
    #[inline]
    pub(super) fn apply(&mut self, source: usize, ts_recv: TimeNs) {
        self.apply_by(&Own, source, ts_recv, None);
    }

    #[inline]
    fn apply_by<W: WhichClock<C>>(
        &mut self,
        which: &W,
        source: usize,
        ts_recv: TimeNs,
        asked: Option<SnapshotOrigin>,
    ) {
        let Self { sources, instruments, config, clock, outbox, stats, scratch, events, .. } = self;
        let cx = &mut Context { config, clock: which.of(clock), out: outbox, stats, scratch };
        let speaker = source;
        let source = &mut sources[source];
        let list = events.list();
        let mut is_defined = false;
        for (index, event) in list.iter().enumerate() {
            let ts_recv = if event.ts_recv == 0 { ts_recv } else { event.ts_recv };
            let stamp = |venue_seq| Stamp { venue_seq, ts_event: event.ts_event, ts_recv };
            let end = End { verbs: &[], is_last: event.is_last, check: check_behind(list, index) };
            // A room has slots from its routes, and each of those has a state.
            let Some(instrument) = instruments.get_mut(event.slot.0 as usize) else { continue };
            match event.body {
                Body::Lost { scope, reason, expected, received } => {
                    lose((speaker, source), instruments, scope, reason, (expected, received), ts_recv, cx);
                    continue;
                }
                Body::Restart(scope) => {
                    for slot in slots_in(source, scope) {
                        let instrument = &mut instruments[slot.0 as usize];
                        if instrument.heeds(speaker) {
                            restart(source, instrument, ts_recv, cx);
                        }
                    }
                    continue;
                }
                Body::Levels(..)
                | Body::VerbedLevels(..)
                | Body::Book(..)
                | Body::Orders(..)
                | Body::NumberedOrders(..)
                | Body::OrderBook(..)
                | Body::CheckLevels(_)
                | Body::CheckOrders(_)
                    if !source.brings(event.slot) || !instrument.takes(told(&event.body), speaker) =>
                {
                    cx.stats.ignored += 1;
                }
                Body::Levels(seq, span) => {
                    instrument.on_levels(seq, events.levels(span), stamp(seq.last), end, cx);
                }
                Body::VerbedLevels(seq, span, verbs) => {
                    let end = End { verbs: events.verbs_of(verbs), ..end };
                    instrument.on_levels(seq, events.levels(span), stamp(seq.last), end, cx);
                }
                Body::Orders(number, span) => {
                    let told = events.told_orders(span);
                    match &mut source.orders {
                        Some(orders) => orders.on_orders(instrument, told, end, stamp(number), cx),
                        None => passed_over(told.list, event.is_last, cx),
                    }
                }
                Body::NumberedOrders(seq, span, absent) => {
                    let told = (seq, events.told_orders(span), absent);
                    if let Some(orders) = &mut source.orders {
                        orders.on_numbered(instrument, told, end, stamp(seq.last), cx);
                    }
                }
                Body::Bbo(bbo) => instrument.on_bbo(bbo, speaker, stamp(bbo.venue_seq), cx),
                Body::Trades(span) => {
                    instrument.trades.heard(speaker as u32, || source.brings(event.slot));
                    for trade in events.trades_of(span) {
                        let trade = match &source.orders {
                            Some(orders) => orders.complete(event.slot, trade, events.texts()),
                            None => {
                                Some(*trade).filter(|trade| trade.price.0 != 0 || trade.resting.is_none())
                            }
                        };
                        if let Some(trade) = trade {
                            let text = events.text_of(trade.id);
                            instrument.on_trade(&trade, text, stamp(trade.id.value()), cx);
                        }
                    }
                    let closes = event.is_last && instrument.product.is_by_order;
                    if let Some(orders) = source.orders.as_mut().filter(|_| closes) {
                        orders.event_end(instrument, end, stamp(0), cx);
                    }
                }
                // Of another product of the venue, which numbers otherwise.
                Body::Book(seq, ..) if seq.prev.is_some() && !instrument.product.rule.fits(&seq) => {
                    cx.stats.foreign += 1;
                }
                Body::Book(seq, span, coverage, origin) => {
                    let origin = match (asked, origin) {
                        (Some(asked), _) => asked,
                        (None, Origin::Stream) => SnapshotOrigin::Stream,
                        (None, Origin::Restated) => SnapshotOrigin::Restated,
                        (None, Origin::Answer) => SnapshotOrigin::Recorded,
                        // Nobody's, where the source speaks of several instruments.
                        (None, Origin::Anonymous) if source.is_mixed => {
                            cx.stats.unattributed += 1;
                            continue;
                        }
                        (None, Origin::Anonymous) => SnapshotOrigin::Anonymous,
                    };
                    let stamp = stamp(seq.last);
                    instrument.on_book(events.levels(span), coverage, origin, end.check, stamp, cx);
                }
                Body::OrderBook(number, part, coverage, span) => {
                    instrument.orders_coverage = coverage;
                    if source.orders.is_none() {
                        source.orders = OrderBooks::new(instrument.product).map(Box::new);
                    }
                    let told = events.told_orders(span);
                    match &mut source.orders {
                        Some(orders) if instrument.product.numbers_orders() => {
                            let origin = asked.unwrap_or(SnapshotOrigin::Recorded);
                            orders.on_asked(instrument, told, origin, stamp(number), cx);
                        }
                        Some(orders) => {
                            orders.on_order_book(instrument, part, told, end, stamp(number), cx);
                        }
                        None => instrument.lose_lead(StaleReason::OrdersLimit, (0, 0), ts_recv, cx),
                    }
                }
                Body::Liquidations(span) => {
                    cx.stats.liquidations += span.len() as u64;
                    instrument.market.liquidations.heard(speaker as u32, || source.brings(event.slot));
                    instrument.on_liquidations(events, span, stamp(0), cx);
                }
                Body::Ticker(at) => {
                    cx.stats.tickers += 1;
                    instrument.on_ticker(&events.ticker(at), stamp(0), cx);
                }
                Body::Trading(status) => {
                    cx.stats.statuses += 1;
                    instrument.on_trading(status, stamp(0), cx);
                }
                Body::Definition(definition) => {
                    instrument.on_definition(&definition);
                    is_defined = true;
                }
                // Taken with the event before it.
                Body::Check(_) => {}
                Body::CheckLevels(check) => instrument.on_check(check, ts_recv, cx),
                Body::CheckOrders(check) => {
                    if let Some(orders) = &mut source.orders {
                        orders.on_check(instrument, check, ts_recv, cx);
                    }
                }
            }
            cx.clock.stamp(Stage::Encoded);
            debug_assert_eq!(instrument.check_invariants(), Ok(()));
        }
        if is_defined {
            self.refine(ts_recv);
        }
    }

    pub(super) fn lose(
        &mut self,
        source: usize,
        scope: Scope,
        reason: StaleReason,
        gap: (u64, u64),
        now: TimeNs,
    ) {
        let Self { sources, instruments, config, clock, outbox, stats, scratch, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        lose((source, &mut sources[source]), instruments, scope, reason, gap, now, cx);
    }

    /// What was asked for cannot be had; the engine asks again after a pause.
    pub fn failed(&mut self, instrument: InstrumentId, now: TimeNs) {
        if let Ok(slot) = self.slot_of(instrument) {
            self.instruments[slot.0 as usize].on_failed(now);
        }
    }
}

/// Of what a change of a book tells, whether it tells it whole, and at which place.
const fn told(body: &Body) -> (Told, bool, VenueSeq) {
    match *body {
        Body::Orders(number, ..) => (Told::Orders, false, VenueSeq::at(number)),
        Body::NumberedOrders(seq, ..) => (Told::Orders, false, seq),
        Body::CheckOrders(_) => (Told::Orders, false, VenueSeq::at(0)),
        Body::OrderBook(number, part, ..) => {
            (Told::Orders, matches!(part, Part::Whole | Part::First), VenueSeq::at(number))
        }
        Body::Book(seq, ..) => (Told::Levels, true, seq),
        Body::Levels(seq, ..) | Body::VerbedLevels(seq, ..) => (Told::Levels, false, seq),
        _ => (Told::Levels, false, VenueSeq::at(0)),
    }
}

/// The checksum that belongs to an event.
#[inline]
fn check_behind(list: &[Event], index: usize) -> Option<u32> {
    match list.get(index + 1)?.body {
        Body::Check(check) => Some(check),
        _ => None,
    }
}

/// The instruments that a loss or a restart concerns.
fn slots_in(source: &Source, scope: Scope) -> Vec<Slot> {
    match scope {
        // One that was dropped may be spoken of still, by a room that forgets its connection.
        Scope::Book(slot) => source.books.binary_search(&slot).into_iter().map(|_| slot).collect(),
        Scope::All => source.books.clone(),
    }
}

#[cold]
fn lose<C: Clock>(
    (speaker, source): (usize, &mut Source),
    instruments: &mut [InstrumentState],
    scope: Scope,
    reason: StaleReason,
    gap: (u64, u64),
    now: TimeNs,
    cx: &mut Context<'_, C>,
) {
    cx.stats.gaps += u64::from(reason == StaleReason::Gap && gap.1 > gap.0);
    cx.stats.orders.doubts += u64::from(reason == StaleReason::VenueDoubt);
    cx.stats.orders.contradictions += u64::from(reason == StaleReason::Contradiction);
    let is_in = |slot: &Slot| matches!(scope, Scope::All) || scope == Scope::Book(*slot);
    // Of a source that has failed it is told below that it is silent.
    for slot in source.slots.iter().filter(|slot| is_in(slot) && reason != StaleReason::SourceFailed) {
        let Some(instrument) = instruments.get_mut(slot.0 as usize) else { continue };
        instrument.stop_tapes((speaker, source.brings(*slot)), Stop::Missing, now, cx);
    }
    for slot in slots_in(source, scope) {
        let Some(instrument) = instruments.get_mut(slot.0 as usize) else { continue };
        if !instrument.heeds(speaker) {
            continue;
        }
        if let Some(orders) = source.orders.as_mut().filter(|_| instrument.uses_orders) {
            orders.on_lost(instrument, reason, gap, now, cx);
        }
        if !instrument.leads_by_orders {
            instrument.lose(reason, gap, now, cx);
            instrument.ask(now, cx);
        }
        debug_assert_eq!(instrument.check_invariants(), Ok(()));
    }
}

fn restart<C: Clock>(
    source: &mut Source,
    instrument: &mut InstrumentState,
    now: TimeNs,
    cx: &mut Context<'_, C>,
) {
    if let Some(orders) = &mut source.orders {
        orders.on_restart(instrument.slot);
    }
    instrument.on_restart(now, cx);
}

/// Changes of orders of which no book has begun.
fn passed_over<C>(changes: &[OrderChange], is_last: bool, cx: &mut Context<'_, C>) {
    cx.stats.orders.events += u64::from(is_last);
    cx.stats.orders.untouching += u64::from(changes.is_empty());
    for change in changes {
        cx.stats.orders.count(change);
        cx.stats.orders.passed_over += 1;
    }
}
