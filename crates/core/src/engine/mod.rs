//! The engine: the one place that knows every stage. Venue bytes in, records (frames, requests) out.
//!
//! An engine owns all its state: N of them run in N threads. It does one thing for each call and keeps nothing half
//! done: a frame that cannot be read changes no book, and is told.

mod error;
mod instrument;
mod lookahead;
mod orders;
mod proof;
mod recovery;
mod replay;
mod request;
mod scale;
mod source;
mod streams;
mod views;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::aggregate::{Bbo, DEPTH_MAX};
use crate::book::l3::{Order, QueuePosition};
use crate::book::{L2Book, digest};
use crate::decode::DecodeError;
use crate::encode::{Outbox, Stream};
use crate::recording::Transcript;
use crate::sequence::WAIT_NS;
use crate::stats::Stats;
use crate::types::{
    Body, BookState, Catalogue, Clock, Event, Events, Instrument, InstrumentHasher, InstrumentId, KnownTo,
    Levels, OrderId, Origin, Routes, Scope, Side, Slot, StaleReason, Ticker, TimeNs, Trade, TradingStatus,
    Venue,
};
use crate::venues::{Asked, At, FrameError};
pub use error::{EngineError, IngestError};
use instrument::{Context, End, InstrumentState, Told};
use orders::OrderBooks;
use recovery::SnapshotOrigin;
pub use replay::{RecordingProgress, detect};
use source::Source;
use streams::Stamp;

/// Most levels that one book may hold, both sides together, unless the configuration says less.
pub const LEVELS_MAX: u32 = 1 << 20;

/// Most books of one engine.
pub const BOOKS_MAX: usize = 16_384;

/// Most sources (venue connections, recordings) of one engine.
pub const SOURCES_MAX: usize = 1_024;

/// Most different depth views of one instrument.
pub const VIEWS_MAX: usize = 32;

/// Longest time between two publications of a depth view.
pub const VIEW_INTERVAL_NS_MAX: u64 = 60_000_000_000;

/// What an engine is told once.
#[derive(Clone, Copy, Debug)]
pub struct EngineConfig {
    /// High half of every epoch: unique per start of the process.
    pub start_id: u32,
    /// A synced book whose channel is silent for longer turns stale; 0 = never, `None` = as its product allows.
    pub silence_ns: Option<u64>,
    /// Frames say that they come from a recording.
    pub is_replay: bool,
    /// Most levels that one book may hold, 1 to [`LEVELS_MAX`].
    pub levels_max: u32,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self { start_id: 0, silence_ns: Some(0), is_replay: false, levels_max: LEVELS_MAX }
    }
}

/// Number of a source in its engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct SourceId(pub u32);

/// What people and tests ask about a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookInfo {
    /// Whether it may be trusted.
    pub state: BookState,
    /// For a gap: the venue's number that was due, and the one that came.
    pub gap: (u64, u64),
    /// Its epoch.
    pub epoch: u64,
    /// Sequence of its `book` stream.
    pub seq: u64,
    /// The venue sequence that it holds.
    pub venue_seq: u64,
    /// The venue's time of it, 0 where it gives none.
    pub ts_event: TimeNs,
    /// Number of bid levels.
    pub bid_count: usize,
    /// Number of ask levels.
    pub ask_count: usize,
    /// Its top.
    pub bbo: Bbo,
    /// How deep the venue has made each side known.
    pub known_to: KnownTo,
    /// Whether the best price of a side lies beyond that: others may stand before it.
    pub is_beyond_known: bool,
    /// Time since the last change of the book.
    pub age_ns: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Engine<C> {
    config: EngineConfig,
    clock: C,
    catalogue: Catalogue,
    sources: Vec<Source>,
    instruments: Vec<InstrumentState>,
    by_id: HashMap<InstrumentId, Slot, BuildHasherDefault<InstrumentHasher>>,
    outbox: Outbox,
    stats: Stats,
    /// What a frame says; reused.
    events: Events,
    scratch: Levels,
    reply: Vec<u8>,
}

impl<C: Clock> Engine<C> {
    /// An engine without sources. `clock` stamps `ts_send` and nothing else.
    #[must_use]
    pub fn new(config: EngineConfig, catalogue: Catalogue, clock: C) -> Self {
        Self {
            config,
            clock,
            catalogue,
            sources: Vec::new(),
            instruments: Vec::new(),
            by_id: HashMap::default(),
            outbox: Outbox::default(),
            stats: Stats::default(),
            events: Events::default(),
            scratch: Levels::default(),
            reply: Vec::new(),
        }
    }

    /// The instruments that it knows.
    #[must_use]
    pub const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Adds an instrument, or changes the scale of one that no source carries yet.
    ///
    /// # Errors
    /// [`EngineError::Instrument`], or [`EngineError::InUse`] once it has a book.
    pub fn add_instrument(&mut self, instrument: Instrument) -> Result<InstrumentId, EngineError> {
        let known = self.catalogue.find(instrument.venue, &instrument.symbol);
        if let Some(id) = known.filter(|id| self.by_id.contains_key(id)) {
            let same = self.catalogue.get(id) == Some(&instrument);
            return if same { Ok(id) } else { Err(EngineError::InUse) };
        }
        crate::venues::check_scale(&instrument).map_err(EngineError::Instrument)?;
        self.catalogue.add(instrument).map_err(EngineError::Instrument)
    }

    /// Opens a source of a venue's bytes, which carries nothing yet.
    ///
    /// # Errors
    /// [`EngineError::Full`].
    pub fn open(&mut self, venue: Venue) -> Result<SourceId, EngineError> {
        if self.sources.len() == SOURCES_MAX {
            return Err(EngineError::Full);
        }
        self.sources.push(Source::new(venue));
        Ok(SourceId(self.sources.len() as u32 - 1))
    }

    /// Lets a source speak for instruments, and makes the books of those that no other source carries. An instrument that
    /// several sources carry has several lines: each message counts once, by the venue's numbers. Where nothing numbers the
    /// changes of a book, the source that spoke first is the only one that counts for it, until it is dropped or fails.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`], [`EngineError::UnknownInstrument`], [`EngineError::WrongVenue`],
    /// [`EngineError::SourceInstruments`] for a code that two instruments share, or [`EngineError::Full`]; then nothing has
    /// changed.
    pub fn carry(&mut self, source: SourceId, instruments: &[InstrumentId]) -> Result<(), EngineError> {
        let index = source.0 as usize;
        let venue = self.sources.get(index).ok_or(EngineError::UnknownSource(source.0))?.venue;
        if instruments.is_empty() {
            return Err(EngineError::SourceInstruments);
        }
        let mut routes = self.sources[index].routes.clone();
        let mut next = self.instruments.len();
        let mut made = Vec::new();
        let mut slots = Vec::new();
        for &id in instruments {
            let listed = self.catalogue.get(id).ok_or(EngineError::UnknownInstrument(id.0))?;
            if listed.venue != venue {
                return Err(EngineError::WrongVenue);
            }
            if slots.iter().any(|(known, _)| *known == id) {
                return Err(EngineError::SourceInstruments);
            }
            let slot = self.by_id.get(&id).copied().unwrap_or_else(|| {
                made.push(InstrumentState::new(id, Slot(next as u32), listed, &self.config));
                next += 1;
                Slot(next as u32 - 1)
            });
            let state = self.instruments.get(slot.0 as usize).or_else(|| made.last());
            let route = state.map(InstrumentState::route).ok_or(EngineError::UnknownInstrument(id.0))?;
            let own = [listed.symbol.as_bytes()];
            let is_carried = if listed.codes.is_empty() {
                routes.carry(own.into_iter(), route)
            } else {
                routes.carry(listed.codes.iter().map(|code| &**code), route)
            };
            if !is_carried {
                return Err(EngineError::SourceInstruments);
            }
            slots.push((id, slot));
        }
        if next > BOOKS_MAX {
            return Err(EngineError::Full);
        }
        let opened = &mut self.sources[index];
        let product = crate::venues::product(venue);
        if product.is_by_order && opened.orders.is_none() {
            opened.orders = Some(Box::new(OrderBooks::new(product).ok_or(EngineError::Full)?));
        }
        opened.routes = routes;
        self.instruments.append(&mut made);
        for (id, slot) in slots {
            self.by_id.insert(id, slot);
            let before = self.sources.iter().position(|source| source.carries(slot));
            if self.sources[index].add(slot) {
                self.instruments[slot.0 as usize].carried(before.map(|source| source as u32));
            }
        }
        Ok(())
    }

    /// A source speaks for an instrument no more. Its book is syncing where no other source carries it.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`], [`EngineError::UnknownInstrument`] for one that it does not carry.
    pub fn drop(
        &mut self,
        source: SourceId,
        instrument: InstrumentId,
        now: TimeNs,
    ) -> Result<(), EngineError> {
        let slot = self.slot_of(instrument)?;
        let opened = self.sources.get_mut(source.0 as usize).ok_or(EngineError::UnknownSource(source.0))?;
        if !opened.routes.drop(slot) {
            return Err(EngineError::UnknownInstrument(instrument.0));
        }
        opened.slots.retain(|carried| *carried != slot);
        if let Some(orders) = &mut opened.orders {
            orders.on_restart(slot);
        }
        let has_failed = opened.has_failed;
        if !has_failed && self.instruments[slot.0 as usize].uncarried(source.0)
            || !self.sources.iter().any(|source| source.carries(slot))
        {
            let (instruments, cx) = self.parts();
            let cx = &mut { cx };
            instruments[slot.0 as usize].on_restart(now, cx);
        }
        Ok(())
    }

    /// Opens a source that carries instruments from the start.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::carry`].
    pub fn open_source(
        &mut self,
        venue: Venue,
        instruments: &[InstrumentId],
    ) -> Result<SourceId, EngineError> {
        let source = self.open(venue)?;
        if let Err(error) = self.carry(source, instruments) {
            self.sources.pop();
            return Err(error);
        }
        Ok(source)
    }

    /// The source will speak of other instruments too: a snapshot that names none is nobody's.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`].
    pub fn expect_others(&mut self, source: SourceId, now: TimeNs) -> Result<(), EngineError> {
        self.sources.get(source.0 as usize).ok_or(EngineError::UnknownSource(source.0))?;
        self.on_foreign(source.0 as usize, now);
        Ok(())
    }

    /// Nothing more comes from the source: what waits for its other line waits no longer, and is a gap where it is one.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`].
    pub fn ended(&mut self, source: SourceId, now: TimeNs) -> Result<(), EngineError> {
        self.sources.get(source.0 as usize).ok_or(EngineError::UnknownSource(source.0))?;
        self.tick_sessions(source.0 as usize, now.saturating_add(WAIT_NS));
        Ok(())
    }

    /// One frame as it was received. Its consequences wait in [`Engine::outbox`].
    ///
    /// # Errors
    /// A frame that cannot be read is counted and told; where it may have changed a book, that book is stale.
    pub fn ingest(&mut self, source: SourceId, bytes: &[u8], ts_recv: TimeNs) -> Result<(), IngestError> {
        self.check_input(source)?;
        let at = At { ts_recv, line: 0, is_datagram: false };
        self.receive(source.0 as usize, 0, bytes, at)
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
    fn receive(&mut self, source: usize, line: u32, bytes: &[u8], at: At) -> Result<(), IngestError> {
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
                self.sources[source].heard_at = at.ts_recv;
                if self.events.list().is_empty() {
                    self.stats.ignored += 1;
                }
                self.apply(source, at.ts_recv);
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
        if let FrameError::Decode(DecodeError::UnknownSymbol { .. }) = error {
            self.stats.foreign += 1;
            self.sources[source].heard_at = at.ts_recv;
            self.on_foreign(source, at.ts_recv);
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
    fn on_foreign(&mut self, source: usize, now: TimeNs) {
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
        let Some(source) = self.sources.iter().position(|source| source.carries(slot)) else {
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
            Ok(()) => {
                self.apply_as(source, ts_recv, Some(SnapshotOrigin::Asked));
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
    fn routes_of(&self, slot: Slot) -> Routes {
        let state = &self.instruments[slot.0 as usize];
        let mut routes = Routes::new();
        if let Some(listed) = self.catalogue.get(state.id) {
            let own = [listed.symbol.as_bytes()];
            if listed.codes.is_empty() {
                routes.carry(own.into_iter(), state.route());
            } else {
                routes.carry(listed.codes.iter().map(|code| &**code), state.route());
            }
        }
        routes
    }

    /// Does what the arena says.
    #[inline]
    fn apply(&mut self, source: usize, ts_recv: TimeNs) {
        self.apply_as(source, ts_recv, None);
    }

    #[inline]
    fn apply_as(&mut self, source: usize, ts_recv: TimeNs, asked: Option<SnapshotOrigin>) {
        let Self { sources, instruments, config, clock, outbox, stats, scratch, events, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        let speaker = source;
        let source = &mut sources[source];
        let list = events.list();
        let mut is_defined = false;
        for (index, event) in list.iter().enumerate() {
            let ts_recv = if event.ts_recv == 0 { ts_recv } else { event.ts_recv };
            let stamp = |venue_seq| Stamp { venue_seq, ts_event: event.ts_event, ts_recv };
            let end = End { is_last: event.is_last, check: check_behind(list, index) };
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
                Body::Levels(..) | Body::Book(..) if !instrument.takes(Told::Levels, speaker) => {
                    cx.stats.ignored += 1;
                }
                Body::Orders(..) | Body::OrderBook(..) if !instrument.takes(Told::Orders, speaker) => {
                    cx.stats.ignored += 1;
                }
                Body::Levels(seq, span) => {
                    instrument.on_levels(seq, events.levels(span), stamp(seq.last), end, cx);
                }
                Body::Orders(number, span) => {
                    let changes = events.order_changes(span);
                    match &mut source.orders {
                        Some(orders) => orders.on_orders(instrument, changes, end, stamp(number), cx),
                        None => passed_over(changes, event.is_last, cx),
                    }
                }
                Body::Bbo(bbo) => instrument.on_bbo(bbo, stamp(bbo.venue_seq), cx),
                Body::Trades(span) => {
                    for trade in events.trades_of(span) {
                        let trade = match &source.orders {
                            Some(orders) => orders.complete(event.slot, trade),
                            None => Some(*trade).filter(|trade| trade.price.0 != 0),
                        };
                        if let Some(trade) = trade {
                            instrument.on_trade(&trade, stamp(trade.id.value()), cx);
                        }
                    }
                    let closes = event.is_last && instrument.product.is_by_order;
                    if let Some(orders) = source.orders.as_mut().filter(|_| closes) {
                        orders.event_end(instrument, end, stamp(0), cx);
                    }
                }
                Body::Book(seq, span, coverage, origin) => {
                    let origin = match (asked, origin) {
                        (Some(asked), _) => asked,
                        (None, Origin::Stream) => SnapshotOrigin::Stream,
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
                    match &mut source.orders {
                        Some(orders) => {
                            let changes = events.order_changes(span);
                            orders.on_order_book(instrument, part, changes, end, stamp(number), cx);
                        }
                        None => instrument.lose_lead(StaleReason::OrdersLimit, (0, 0), ts_recv, cx),
                    }
                }
                Body::Liquidations(span) => {
                    cx.stats.liquidations += span.len() as u64;
                    instrument.liquidation = events.trades_of(span).last().copied();
                }
                Body::Ticker(at) => {
                    cx.stats.tickers += 1;
                    instrument.ticker = Some(events.ticker(at));
                }
                Body::Trading(status) => {
                    cx.stats.statuses += 1;
                    instrument.trading = status;
                }
                Body::Definition(definition) => {
                    instrument.on_definition(&definition);
                    is_defined = true;
                }
                // A checksum was taken with the event before it.
                Body::Check(_) => {}
            }
            debug_assert_eq!(instrument.check_invariants(), Ok(()));
        }
        if is_defined {
            self.refine(ts_recv);
        }
    }

    fn lose(&mut self, source: usize, scope: Scope, reason: StaleReason, gap: (u64, u64), now: TimeNs) {
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

    /// A connection was opened anew: what the old one told of channels and counters is forgotten. Books go on where the
    /// venue's numbers say so.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`].
    pub fn opened(&mut self, source: SourceId, now: TimeNs) -> Result<(), EngineError> {
        let opened = self.sources.get_mut(source.0 as usize).ok_or(EngineError::UnknownSource(source.0))?;
        if std::mem::take(&mut opened.has_failed) {
            for slot in &opened.slots {
                self.instruments[slot.0 as usize].carried(None);
            }
        }
        opened.heard_at = now;
        self.events.clear();
        let at = At { ts_recv: now, line: 0, is_datagram: false };
        opened.sessions.iter_mut().for_each(|session| session.opened(at, &mut self.events));
        self.apply(source.0 as usize, now);
        Ok(())
    }

    /// The source failed for good: a file that is damaged or cut, a connection that does not come back. The books that no
    /// other one carries are stale, at once.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`].
    pub fn source_failed(&mut self, source: SourceId, now: TimeNs) -> Result<(), EngineError> {
        let index = source.0 as usize;
        let failed = self.sources.get_mut(index).ok_or(EngineError::UnknownSource(source.0))?;
        let is_news = !std::mem::replace(&mut failed.has_failed, true);
        for at in 0..failed.slots.len() {
            let slot = self.sources[index].slots[at];
            let is_alone = is_news && self.instruments[slot.0 as usize].uncarried(source.0);
            let carries = |source: &Source| !source.has_failed && source.carries(slot);
            if is_alone || !self.sources.iter().any(carries) {
                self.lose(index, Scope::Book(slot), StaleReason::SourceFailed, (0, 0), now);
            }
        }
        Ok(())
    }

    /// The venue behind a source starts anew: its books are `Syncing` until their next snapshots, and answers that are
    /// under way are void.
    ///
    /// # Errors
    /// [`EngineError::UnknownSource`]; [`EngineError::Full`] where the machine has no room for orders any more.
    pub fn reset_source(&mut self, source: SourceId, now: TimeNs) -> Result<(), EngineError> {
        let index = source.0 as usize;
        let anew = self.sources.get_mut(index).ok_or(EngineError::UnknownSource(source.0))?;
        // All is void anyway, whatever the rooms say.
        let at = At { ts_recv: now, line: 0, is_datagram: false };
        anew.sessions.iter_mut().for_each(|session| session.opened(at, &mut self.events));
        self.events.clear();
        anew.transcript = Transcript::default();
        (anew.heard_at, anew.ticked_at, anew.last_ts) = (0, 0, 0);
        if anew.orders.take().is_some() {
            // The old orders' memory goes first: they reserve address space for all that they may hold.
            let product = crate::venues::product(anew.venue);
            anew.orders = Some(Box::new(OrderBooks::new(product).ok_or(EngineError::Full)?));
        }
        let Self { sources, instruments, config, clock, outbox, stats, scratch, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        for slot in &sources[index].slots {
            instruments[slot.0 as usize].on_restart(now, cx);
        }
        Ok(())
    }

    /// Time passes: silence, check frames, depth views at an interval, repeated requests.
    pub fn tick(&mut self, now: TimeNs) {
        for index in 0..self.sources.len() {
            self.tick_source(index, now);
        }
    }

    fn tick_sessions(&mut self, index: usize, now: TimeNs) {
        let at = At { ts_recv: now, line: 0, is_datagram: false };
        self.events.clear();
        let Source { sessions, routes, .. } = &mut self.sources[index];
        for session in sessions {
            session.tick(at, routes, &mut self.events);
        }
        if !self.events.list().is_empty() {
            self.apply(index, now);
        }
    }

    fn tick_source(&mut self, index: usize, now: TimeNs) {
        self.tick_sessions(index, now);
        let Self { sources, instruments, config, clock, outbox, stats, scratch, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        let source = &sources[index];
        for slot in &source.slots {
            instruments[slot.0 as usize].on_tick(now, source.heard_at, cx);
        }
    }

    /// Hands the current image of a stream to `emit`, frame by frame (the status frame for [`Stream::STATUS`]).
    /// Nothing is handed out when there is none.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`].
    pub fn image(
        &mut self,
        instrument: InstrumentId,
        stream: Stream,
        now: TimeNs,
        emit: impl FnMut(&[u8]),
    ) -> Result<(), EngineError> {
        let slot = self.slot_of(instrument)?;
        self.instruments[slot.0 as usize].image(stream, now, &self.config, &self.clock, emit);
        Ok(())
    }

    /// Opens a view of `depth` levels a side that publishes at most every `interval_ns`; one that is alike is shared.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::ViewRange`] or [`EngineError::ViewsFull`].
    pub fn open_depth(
        &mut self,
        instrument: InstrumentId,
        depth: u32,
        interval_ns: u64,
        now: TimeNs,
    ) -> Result<Stream, EngineError> {
        let slot = self.slot_of(instrument)?;
        if !(1..=DEPTH_MAX).contains(&depth) || interval_ns > VIEW_INTERVAL_NS_MAX {
            return Err(EngineError::ViewRange);
        }
        self.instruments[slot.0 as usize].open_view(depth, interval_ns, now).ok_or(EngineError::ViewsFull)
    }

    /// Leaves a depth view; the last one to leave closes it. An unknown stream is left alone.
    pub fn close_depth(&mut self, instrument: InstrumentId, stream: Stream) {
        if let Ok(slot) = self.slot_of(instrument) {
            self.instruments[slot.0 as usize].close_view(stream);
        }
    }

    /// State, sequence and size of a book.
    #[must_use]
    pub fn book_info(&self, instrument: InstrumentId, now: TimeNs) -> Option<BookInfo> {
        Some(self.state_of(instrument)?.info(now, &self.config))
    }

    /// The book itself, whatever its state.
    #[must_use]
    pub fn book(&self, instrument: InstrumentId) -> Option<&L2Book> {
        Some(&self.state_of(instrument)?.book)
    }

    /// The last statistics that the venue told of an instrument.
    #[must_use]
    pub fn ticker(&self, instrument: InstrumentId) -> Option<Ticker> {
        self.state_of(instrument)?.ticker
    }

    /// Whether an instrument trades, as far as the venue has said.
    #[must_use]
    pub fn trading(&self, instrument: InstrumentId) -> Option<TradingStatus> {
        Some(self.state_of(instrument)?.trading)
    }

    /// The last trade by which a position was closed by force.
    #[must_use]
    pub fn liquidation(&self, instrument: InstrumentId) -> Option<Trade> {
        self.state_of(instrument)?.liquidation
    }

    /// SHA-256 of a book's text form; see [`digest`].
    #[must_use]
    pub fn digest(&self, instrument: InstrumentId) -> Option<String> {
        let state = self.state_of(instrument)?;
        let (bids, asks) = (state.book.levels(Side::Bid), state.book.levels(Side::Ask));
        Some(digest(bids, asks, state.price_exponent, state.qty_exponent))
    }

    /// An order that rests in a book of orders, and what stands before it in its queue. `None` when there is no such
    /// order, or when the book is not known. Cost: the orders before it at its price.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::NoOrders`].
    pub fn order(
        &self,
        instrument: InstrumentId,
        id: OrderId,
    ) -> Result<Option<(Order, QueuePosition)>, EngineError> {
        let (state, orders) = self.orders_of(instrument)?;
        let order = orders.filter(|_| state.orders.is_placed()).and_then(|orders| {
            let order = orders.order(state.slot, id)?;
            Some((order, orders.queue_position(state.slot, id)?))
        });
        Ok(order)
    }

    /// SHA-256 of the text form of what a book's own orders add up to: [`Engine::digest`], taken from the orders.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`], [`EngineError::NoOrders`].
    pub fn orders_digest(&self, instrument: InstrumentId) -> Result<String, EngineError> {
        let (state, orders) = self.orders_of(instrument)?;
        let known = orders.filter(|_| state.orders.is_placed());
        let levels = |side| known.into_iter().flat_map(move |orders| orders.levels(state.slot, side));
        Ok(digest(levels(Side::Bid), levels(Side::Ask), state.price_exponent, state.qty_exponent))
    }

    /// An instrument whose venue has named orders, and the orders themselves.
    fn orders_of(
        &self,
        instrument: InstrumentId,
    ) -> Result<(&InstrumentState, Option<&OrderBooks>), EngineError> {
        let slot = self.slot_of(instrument)?;
        let state = &self.instruments[slot.0 as usize];
        if !state.uses_orders && !state.product.is_by_order {
            return Err(EngineError::NoOrders(instrument.0));
        }
        let carries = |source: &&Source| source.carries(slot);
        Ok((state, self.sources.iter().filter(carries).find_map(|source| source.orders.as_deref())))
    }

    fn slot_of(&self, instrument: InstrumentId) -> Result<Slot, EngineError> {
        self.by_id.get(&instrument).copied().ok_or(EngineError::UnknownInstrument(instrument.0))
    }

    fn state_of(&self, instrument: InstrumentId) -> Option<&InstrumentState> {
        self.instruments.get(self.by_id.get(&instrument)?.0 as usize)
    }

    fn parts(&mut self) -> (&mut [InstrumentState], Context<'_, C>) {
        let Self { instruments, config, clock, outbox, stats, scratch, .. } = self;
        (instruments, Context { config, clock, out: outbox, stats, scratch })
    }

    /// What the engine has to say; the caller takes the records out.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// The counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats;
        for state in &self.instruments {
            stats.bbo_checked += state.cross_check.checked;
            stats.bbo_matched += state.cross_check.matched;
        }
        stats.feed_frames = self.outbox.frames();
        stats.feed_bytes = self.outbox.frame_bytes();
        stats
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
        Scope::Book(slot) => vec![slot],
        Scope::All => source.slots.clone(),
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
fn passed_over<C>(changes: &[crate::types::OrderChange], is_last: bool, cx: &mut Context<'_, C>) {
    cx.stats.orders.events += u64::from(is_last);
    cx.stats.orders.untouching += u64::from(changes.is_empty());
    for change in changes {
        cx.stats.orders.count(change);
        cx.stats.orders.passed_over += 1;
    }
}
