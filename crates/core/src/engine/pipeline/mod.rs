//! One instrument's way from decoded events to feed frames: sequence → book → aggregate → encode.
//!
//! This file decides the state; `orders` does so for order feeds; `publish` writes what follows from it; `views` keeps the
//! depth views.

mod orders;
mod publish;
mod views;

use super::request::SnapshotRequest;
use super::{BookInfo, EngineConfig};
use crate::aggregate::{Bbo, CrossCheck};
use crate::book::{BookSpec, L2Book};
use crate::encode::{Outbox, Stream};
use crate::sequence::{Chain, Pending, Rule, SeqOutcome, snapshot_known_to};
use crate::stats::Stats;
use crate::types::{
    BookState, Clock, DepthUpdate, Instrument, InstrumentId, Levels, Side, Snapshot, StaleReason, Ticker,
    TimeNs, Trade, TradeKind,
};
pub(super) use publish::Place;
use publish::{CheckTimer, Tape};
use views::Views;

/// Updates in a row that the book seems to hold already before its own numbering is doubted: a venue that starts
/// again at lower ids would otherwise be ignored for ever.
const OLD_IN_ROW_MAX: u32 = 1_000;

/// What every step needs besides the instrument's own state.
pub(super) struct Context<'a, C> {
    pub(super) config: &'a EngineConfig,
    pub(super) clock: &'a C,
    pub(super) out: &'a mut Outbox,
    pub(super) stats: &'a mut Stats,
}

/// The state of one instrument.
#[derive(Debug)]
pub(super) struct Pipeline {
    id: InstrumentId,
    price_exponent: i8,
    qty_exponent: i8,
    /// None in an order feed, whose books are never bridged onto snapshots.
    rule: Option<Rule>,
    state: BookState,
    /// For a gap: what was due and what came.
    gap: (u64, u64),
    /// Present while `Synced`.
    chain: Option<Chain>,
    old_in_row: u32,
    book: L2Book,
    /// Whether the book, trusted or not, is one that was synced since the last reset.
    has_book: bool,
    pending: Pending,
    request: SnapshotRequest,
    cross_check: CrossCheck,
    /// Whether the last comparison with the venue's own top disagreed.
    is_suspect: bool,
    /// Times that the book became synced; the low half of the epoch.
    resets: u32,
    bbo: Bbo,
    book_tape: Tape,
    bbo_tape: Tape,
    trades_tape: Tape,
    ticker_tape: Tape,
    views: Views,
    /// The last trade. A venue tells one trade in two kinds of message: the kind that comes first is passed on.
    trade: Option<(TradeKind, u64)>,
    ticker: Option<Ticker>,
    /// When the last depth update was applied: neither trades nor repetitions keep a book alive.
    applied_at: TimeNs,
    book_check: CheckTimer,
    /// Reused for images and checks, which need both sides as slices.
    levels: Levels,
    bytes: Vec<u8>,
}

impl Pipeline {
    pub(super) fn new(id: InstrumentId, instrument: &Instrument, config: &EngineConfig) -> Self {
        Self {
            id,
            price_exponent: instrument.price_exponent,
            qty_exponent: instrument.qty_exponent,
            rule: Rule::of(instrument.venue),
            state: BookState::Syncing,
            gap: (0, 0),
            chain: None,
            old_in_row: 0,
            book: L2Book::new(BookSpec { tick_size: instrument.tick_size, levels_max: config.levels_max }),
            has_book: false,
            pending: Pending::default(),
            request: SnapshotRequest::default(),
            cross_check: CrossCheck::default(),
            is_suspect: false,
            resets: 0,
            bbo: Bbo::default(),
            book_tape: Tape::default(),
            bbo_tape: Tape::default(),
            trades_tape: Tape { seq: 1, ..Tape::default() },
            ticker_tape: Tape::default(),
            views: Views::default(),
            trade: None,
            ticker: None,
            applied_at: 0,
            book_check: CheckTimer::default(),
            levels: Levels::default(),
            bytes: Vec::new(),
        }
    }

    /// Its instrument.
    pub(super) const fn id(&self) -> InstrumentId {
        self.id
    }

    /// A depth update, whatever the state.
    #[inline]
    pub(super) fn on_depth<C: Clock>(
        &mut self,
        update: &DepthUpdate,
        levels: &Levels,
        ts_recv: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.book_messages += 1;
        cx.stats.level_changes += levels.len() as u64;
        let Some(chain) = &self.chain else {
            return self.hold(update, levels, ts_recv, cx);
        };
        match chain.check(update) {
            SeqOutcome::Next => {
                self.old_in_row = 0;
                let bbo = self.bbo;
                if self.apply(update, levels, ts_recv, cx) {
                    self.publish(levels, self.bbo != bbo, true, ts_recv, cx);
                }
            }
            SeqOutcome::Old => {
                cx.stats.ignored += 1;
                self.old_in_row += 1;
                if self.old_in_row >= OLD_IN_ROW_MAX {
                    let expected = chain.last_id();
                    self.break_off(expected, update, levels, ts_recv, cx);
                }
            }
            SeqOutcome::Gap { expected, .. } => self.break_off(expected, update, levels, ts_recv, cx),
        }
    }

    /// A snapshot that came by itself, in a stream or a recording. A synced book needs none and ignores it.
    pub(super) fn on_snapshot<C: Clock>(
        &mut self,
        snapshot: &Snapshot,
        levels: &Levels,
        ts_recv: TimeNs,
        scratch: &mut Levels,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.snapshots += 1;
        let Some(rule) = self.rule.filter(|_| self.chain.is_none()) else { return };
        let chain = Chain::new(rule, snapshot.last_id);
        // Nothing is touched before all waiting updates are known to run on from the snapshot.
        let hole = self.pending.follow(chain).err();
        // Without a waiting update, only the book that was lost says how old the answer is.
        let went_back =
            self.pending.is_empty() && self.has_book && snapshot.last_id < self.book_tape.at.venue_seq;
        if let Some(hole) = hole.filter(|hole| hole.is_bridged) {
            // No snapshot below the hole can help, and none above needs what stands before it.
            cx.stats.gaps += 1;
            self.gap = (hole.expected, hole.received);
            for _ in 0..hole.index {
                self.pending.pop(scratch);
            }
        }
        if hole.is_some() || went_back {
            cx.stats.snapshots_old += 1;
            return self.request.failed(ts_recv);
        }
        if self.book.load(levels.view(), snapshot_known_to(levels)).is_err() {
            self.request.failed(ts_recv);
            return self.lose(StaleReason::LevelsLimit, (0, 0), ts_recv, cx);
        }
        self.is_suspect = false;
        self.book_tape.at = Place { venue_seq: snapshot.last_id, ts_event: snapshot.ts_event, ts_recv };
        self.applied_at = ts_recv;
        self.chain = Some(chain);
        while let Some((update, received_at)) = self.pending.pop(scratch) {
            let is_next = self.chain.is_some_and(|chain| chain.check(&update) == SeqOutcome::Next);
            if is_next && !self.apply(&update, scratch, received_at, cx) {
                return;
            }
        }
        self.become_synced(ts_recv, cx);
    }

    /// Whether a snapshot with this ticket is the answer that is waited for.
    pub(super) const fn awaits(&self, ticket: u32) -> bool {
        self.request.awaits(ticket)
    }

    /// The venue's own top of book.
    pub(super) fn on_ticker<C: Clock>(&mut self, ticker: Ticker, ts_recv: TimeNs, cx: &mut Context<'_, C>) {
        if self.ticker.is_some_and(|held| held.last_id > ticker.last_id) {
            cx.stats.ignored += 1;
            return;
        }
        let was_suspect = self.is_suspect;
        let last_id = self.chain.filter(Chain::is_bridged).map(|chain| chain.last_id());
        if let Some(agreed) = self.cross_check.ticker(ticker, last_id, self.bbo) {
            self.is_suspect = !agreed;
        }
        let is_first = self.ticker.is_none();
        self.ticker = Some(ticker);
        self.ticker_tape.seq += 1;
        self.ticker_tape.at = Place { venue_seq: ticker.last_id, ts_event: ticker.ts_event, ts_recv };
        if is_first {
            self.publish_image(Stream::VENUE_BBO, ts_recv, cx);
        } else {
            self.publish_ticker(&ticker, cx);
        }
        if self.is_suspect && !was_suspect && self.chain.is_some() {
            // A book that goes quiet now would otherwise never be seen as suspect.
            self.publish_check(ts_recv, cx);
        }
    }

    /// A trade.
    pub(super) fn on_trade<C: Clock>(&mut self, trade: &Trade, ts_recv: TimeNs, cx: &mut Context<'_, C>) {
        cx.stats.trades += 1;
        if self.trade.is_some_and(|(kind, id)| kind != trade.kind || id >= trade.id) {
            cx.stats.ignored += 1;
            return;
        }
        self.trade = Some((trade.kind, trade.id));
        self.trades_tape.seq += 1;
        self.trades_tape.at = Place { venue_seq: trade.id, ts_event: trade.ts_event, ts_recv };
        self.publish_trade(trade, cx);
    }

    /// The snapshot that was asked for cannot be had.
    pub(super) fn on_snapshot_failed(&mut self, now: TimeNs) {
        self.request.failed(now);
    }

    /// The venue starts anew: forget the book and all numbers, wait for a snapshot.
    pub(super) fn on_reset<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        self.chain = None;
        self.pending.clear();
        self.cross_check.reset();
        self.request.reset();
        self.book.clear();
        self.has_book = false;
        self.bbo = Bbo::default();
        self.book_tape.at = Place::default();
        self.ticker = None;
        self.trade = None;
        self.is_suspect = false;
        self.set_state(BookState::Syncing, (0, 0), now, cx);
    }

    /// Time passes: silence, checks, views, repeated requests.
    pub(super) fn on_tick<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.state == BookState::Synced {
            // A clock that was set back counts from there.
            self.applied_at = self.applied_at.min(now);
            let silence_ns = cx.config.silence_ns;
            if silence_ns > 0 && now - self.applied_at > silence_ns {
                cx.stats.silences += 1;
                self.lose(StaleReason::Silence, (0, 0), now, cx);
            } else {
                self.publish_views(now, cx);
                self.publish_check_if_due(now, cx);
            }
        }
        self.ask(now, cx);
    }

    /// The update does not continue the book: it is stale, and the update waits for a snapshot.
    #[cold]
    fn break_off<C: Clock>(
        &mut self,
        expected: u64,
        update: &DepthUpdate,
        levels: &Levels,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.gaps += 1;
        let received = update.prev_id.unwrap_or(update.first_id);
        self.lose(StaleReason::Gap, (expected, received), now, cx);
        self.hold(update, levels, now, cx);
    }

    /// Adds an update to those that wait for a snapshot, and asks for one.
    #[cold]
    fn hold<C: Clock>(
        &mut self,
        update: &DepthUpdate,
        levels: &Levels,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        let dropped = self.pending.dropped();
        self.pending.push(*update, now, levels);
        cx.stats.pending_dropped += self.pending.dropped() - dropped;
        self.request.want(now);
        self.ask(now, cx);
    }

    fn ask<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if let Some(ticket) = self.request.poll(now) {
            cx.stats.snapshot_requests += 1;
            cx.out.snapshot_request(self.id, ticket, self.state.reason_code());
        }
    }

    /// Applies an update that the chain called next. False when the book could not take it and is stale.
    #[inline]
    fn apply<C: Clock>(
        &mut self,
        update: &DepthUpdate,
        levels: &Levels,
        ts_recv: TimeNs,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let at = Place { venue_seq: update.last_id, ts_event: update.ts_event, ts_recv };
        if !self.take(levels, at, cx) {
            self.lose(StaleReason::LevelsLimit, (0, 0), ts_recv, cx);
            return false;
        }
        if let Some(chain) = &mut self.chain {
            chain.advance(update);
        }
        if let Some(agreed) = self.cross_check.applied(update.last_id, self.bbo) {
            self.is_suspect = !agreed;
        }
        true
    }

    /// Puts levels into the book, which then stands at `at`. False when the book cannot take them.
    #[inline]
    fn take<C: Clock>(&mut self, levels: &Levels, at: Place, cx: &mut Context<'_, C>) -> bool {
        let Ok(touched) = self.book.apply(levels.view()) else { return false };
        cx.stats.applied += 1;
        cx.stats.applied_level_changes += levels.len() as u64;
        let bbo = Bbo { bid: self.book.best_bid(), ask: self.book.best_ask() };
        let crossed = if self.rule.is_some() { &mut cx.stats.crossed } else { &mut cx.stats.orders.crossed };
        *crossed += u64::from(bbo.is_crossed());
        self.views.touch(touched, self.book_tape.at);
        self.book_tape.at = at;
        self.applied_at = at.ts_recv;
        self.bbo = bbo;
        true
    }

    /// The book is exact: a new epoch, and in it an image of every stream.
    fn become_synced<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        cx.stats.resyncs += u64::from(matches!(self.state, BookState::Stale(_)) && self.has_book);
        self.resets = self.resets.wrapping_add(1);
        self.old_in_row = 0;
        self.has_book = true;
        self.request.done(now);
        self.state = BookState::Synced;
        self.bbo = Bbo { bid: self.book.best_bid(), ask: self.book.best_ask() };
        (self.book_tape.seq, self.bbo_tape.seq, self.trades_tape.seq) = (1, 1, 1);
        self.ticker_tape.seq = u64::from(self.ticker.is_some());
        self.book_check.done(now);
        self.views.open_epoch(now, &self.book);
        self.publish_images(now, cx);
    }

    /// The book's truth is lost: say so, publish no more, want a snapshot.
    #[cold]
    fn lose<C: Clock>(&mut self, reason: StaleReason, gap: (u64, u64), now: TimeNs, cx: &mut Context<'_, C>) {
        self.chain = None;
        self.pending.clear();
        if self.rule.is_some() {
            self.request.want(now);
        }
        self.set_state(BookState::Stale(reason), gap, now, cx);
    }

    fn set_state<C: Clock>(
        &mut self,
        state: BookState,
        gap: (u64, u64),
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        self.state = state;
        self.gap = gap;
        self.publish_image(Stream::STATUS, now, cx);
    }

    /// Opens a depth view, or joins the one that is alike.
    pub(super) fn open_view(&mut self, depth: u32, interval_ns: u64, now: TimeNs) -> Option<Stream> {
        let book = self.has_book.then_some(&self.book);
        self.views.open(depth, interval_ns, now, book)
    }

    /// Leaves a depth view; the last reader closes it.
    pub(super) fn close_view(&mut self, stream: Stream) {
        self.views.close(stream);
    }

    /// What people and tests ask about a book.
    pub(super) fn info(&self, now: TimeNs, config: &EngineConfig) -> BookInfo {
        BookInfo {
            state: self.state,
            epoch: self.epoch(config),
            seq: self.book_tape.seq,
            venue_seq: self.book_tape.at.venue_seq,
            bid_count: self.book.len(Side::Bid),
            ask_count: self.book.len(Side::Ask),
            bbo: self.bbo,
            age_ns: self.age_ns(now),
        }
    }

    pub(super) const fn book(&self) -> &L2Book {
        &self.book
    }

    pub(super) const fn cross_check(&self) -> &CrossCheck {
        &self.cross_check
    }

    fn epoch(&self, config: &EngineConfig) -> u64 {
        u64::from(config.start_id) << 32 | u64::from(self.resets)
    }

    /// Time since the last update was applied; 0 before the first.
    const fn age_ns(&self, now: TimeNs) -> u64 {
        if self.applied_at == 0 { 0 } else { now.saturating_sub(self.applied_at) }
    }
}
