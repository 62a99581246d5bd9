//! One instrument: what rooms say of it, what its recovery makes of that, its book, and what readers are told.
//!
//! `recovery` decides whether the book may be trusted, `snapshots` takes new ones, `lines` joins several sources, `orders`
//! keeps its orders where the venue names them, `streams` writes what follows, `views` keeps the depth views, `scale`
//! makes the numbers finer, `proof` holds the book to the venue's checksums.

use super::loss::{self, Loss};
use super::market::Market;
use super::mending::Mending;
use super::order_stream::OrderStream;
use super::proof::Proof;
use super::recovery::{Gap, Recovery, SnapshotOrigin, Verdict};
use super::snapshots::Spare;
use super::streams::{CheckTimer, Cursor, Stamp};
use super::views::Views;
use super::{BookInfo, EngineConfig};
use crate::aggregate::{Bbo, CrossCheck};
use crate::book::{BookSpec, L2Book, VerbCheck, prefetch};
use crate::encode::{GapBody, Header, Outbox, Stream, Want};
use crate::sequence::{Pending, PendingOrders, Rule, Waiting, Waits};
use crate::stats::Stats;
use crate::types::{
    BookState, Clock, Coverage, Instrument, InstrumentId, Level, Levels, Qty, Route, ScaleSource, Side,
    Sides, Slot, StaleReason, TimeNs, Trade, TradeId, VenueBbo, VenueSeq, Verb,
};
use crate::venues::{Checksum, Life, Product, Resync, TradeIds, product};

/// Tops of book in a row that are older than the last one before that one is doubted.
const OLD_TOPS_IN_ROW_MAX: u32 = 3;

/// What every step needs besides the instrument's own state.
pub(super) struct Context<'a, C> {
    pub(super) config: &'a EngineConfig,
    pub(super) clock: &'a C,
    pub(super) out: &'a mut Outbox,
    pub(super) stats: &'a mut Stats,
    /// Room for levels that waited; reused.
    pub(super) scratch: &'a mut Levels,
}

impl<C> Context<'_, C> {
    /// Counts the time from the receipt of an input to the frame that it caused. A recording's times are of another clock.
    #[inline]
    pub(super) const fn count_latency(&mut self, header: &Header) {
        if !self.config.is_replay {
            self.stats.latency.count(header.ts_recv, header.ts_send);
        }
    }
}

/// What ends with an event of a room.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'a> {
    /// What the venue says that happened to each of its levels; none where it does not say.
    pub(super) verbs: &'a [Verb],
    /// Whether the venue's own event does.
    pub(super) is_last: bool,
    /// The venue's checksum of the book as it then is.
    pub(super) check: Option<u32>,
}

/// The state of one instrument.
#[derive(Debug)]
pub(super) struct InstrumentState {
    pub(super) id: InstrumentId,
    pub(super) slot: Slot,
    pub(super) product: &'static Product,
    pub(super) price_exponent: i8,
    pub(super) qty_exponent: i8,
    pub(super) scale_source: ScaleSource,
    pub(super) tick_size: i64,
    pub(super) lot_size: i64,
    /// Of the book of levels, by the venue's messages of levels.
    pub(super) recovery: Recovery,
    /// Of the book of orders.
    pub(super) orders: Recovery,
    /// Where nothing numbers the changes of a book, one source's alone count: whose, of levels and of orders.
    pub(super) owners: [Option<u32>; 2],
    /// The source that takes the owner's place with the next whole book that it brings.
    pub(super) heir: Option<u32>,
    /// Whether the venue has named orders of it.
    pub(super) uses_orders: bool,
    /// Whether it has told levels of it that were no sums of orders.
    pub(super) tells_levels: bool,
    /// Updates of it that had to wait for a book.
    pub(super) held: u64,
    /// Whether the levels that readers see are the sums of orders: the venue sends no levels, or has not yet.
    pub(super) leads_by_orders: bool,
    /// Whether readers of the stream of orders are told what happens to each: somebody reads it, and they are exact.
    pub(super) tells_orders: bool,
    pub(super) order_stream: OrderStream,
    pub(super) book: L2Book,
    /// Levels a side that the venue makes known, where it cuts the book to a depth.
    pub(super) depth: Option<u32>,
    /// Whether the venue names what falls behind them, so that nothing is ever left to cut.
    pub(super) is_depth_exact: bool,
    /// What the last book of orders covers.
    pub(super) orders_coverage: Coverage,
    /// Sides of it that have had as many orders as the venue tells: what stands behind them is unknown.
    pub(super) are_orders_cut: [bool; 2],
    /// How its numbers are printed, and what that makes of the book; of a product with checksums.
    pub(super) proof: Option<Box<Proof>>,
    /// Levels that the last cut took from the book, and what is told where one did; both reused.
    cut: Levels,
    changes: Levels,
    pub(super) pending: Pending,
    /// Changes of orders that wait for a book which they continue.
    pub(super) waiting_orders: PendingOrders,
    verbs: VerbCheck,
    pub(super) spare: Option<Box<Spare>>,
    pub(super) cross_check: CrossCheck,
    /// Of its comparisons and agreements, those in the engine's counters.
    pub(super) tops_counted: (u64, u64),
    /// The state by which the engine counts it, while a source carries it.
    pub(super) counted: Option<BookState>,
    mending: Mending,
    loss: Loss,
    /// When the input arrived that readers were told of last.
    pub(super) told_at: TimeNs,
    /// Checksums compared, and those that agreed.
    checksums: (u64, u64),
    /// Epochs opened; the low half of the epoch.
    resets: u32,
    /// Whether the book has ever been exact: before, nothing could be lost.
    was_synced: bool,
    pub(super) bbo: Bbo,
    pub(super) book_cursor: Cursor,
    pub(super) bbo_cursor: Cursor,
    pub(super) trades_cursor: Cursor,
    pub(super) venue_bbo_cursor: Cursor,
    pub(super) views: Views,
    last_trade: Option<(u64, TimeNs)>,
    pub(super) venue_bbo: Option<VenueBbo>,
    old_tops_in_row: u32,
    pub(super) market: Market,
    /// When the last change of the book was applied: neither trades nor repetitions keep a book alive.
    pub(super) applied_at: TimeNs,
    pub(super) book_check: CheckTimer,
    /// Reused for images and checks, which need both sides as slices.
    pub(super) levels: Levels,
    pub(super) bytes: Vec<u8>,
}

impl InstrumentState {
    /// Asks for the memory that a change of an order needs.
    #[inline]
    pub(super) fn prefetch(&self) {
        prefetch(&self.orders);
        self.book.prefetch();
        prefetch(&self.bbo);
        prefetch(&self.applied_at);
    }

    pub(super) fn new(id: InstrumentId, slot: Slot, listed: &Instrument, config: &EngineConfig) -> Self {
        let product = product(listed.venue);
        Self {
            id,
            slot,
            product,
            price_exponent: listed.price_exponent,
            qty_exponent: listed.qty_exponent,
            scale_source: listed.scale_source,
            tick_size: listed.tick_size,
            lot_size: listed.lot_size,
            recovery: Recovery::new(product),
            orders: Recovery::new(product),
            owners: [None; 2],
            heir: None,
            uses_orders: false,
            tells_levels: false,
            held: 0,
            leads_by_orders: false,
            tells_orders: false,
            order_stream: OrderStream::default(),
            book: L2Book::new(BookSpec { tick_size: listed.tick_size, levels_max: config.levels_max }),
            depth: None,
            is_depth_exact: false,
            orders_coverage: Coverage::Whole,
            are_orders_cut: [false; 2],
            proof: (product.checksum != Checksum::None)
                .then(|| Box::new(Proof::new(product.checksum, listed))),
            cut: Levels::default(),
            changes: Levels::default(),
            pending: Pending::default(),
            waiting_orders: PendingOrders::default(),
            verbs: VerbCheck::default(),
            spare: None,
            cross_check: CrossCheck::default(),
            tops_counted: (0, 0),
            counted: None,
            mending: Mending::default(),
            loss: Loss::default(),
            told_at: 0,
            checksums: (0, 0),
            resets: 0,
            was_synced: false,
            bbo: Bbo::default(),
            book_cursor: Cursor::default(),
            bbo_cursor: Cursor::default(),
            trades_cursor: Cursor { seq: 1, ..Cursor::default() },
            venue_bbo_cursor: Cursor::default(),
            views: Views::default(),
            last_trade: None,
            venue_bbo: None,
            old_tops_in_row: 0,
            market: Market::new(listed.terms.status),
            applied_at: 0,
            book_check: CheckTimer::default(),
            levels: Levels::default(),
            bytes: Vec::new(),
        }
    }

    /// The way of its messages.
    pub(super) const fn route(&self) -> Route {
        Route { slot: self.slot, price_exponent: self.price_exponent, qty_exponent: self.qty_exponent }
    }

    /// The state of the book that readers see.
    #[inline]
    pub(super) const fn lead(&self) -> &Recovery {
        if self.leads_by_orders { &self.orders } else { &self.recovery }
    }

    /// A change of the book, whatever the state.
    #[inline]
    pub(super) fn on_levels<C: Clock>(
        &mut self,
        seq: VenueSeq,
        levels: Sides<'_>,
        stamp: Stamp,
        end: End<'_>,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.book_messages += 1;
        cx.stats.level_changes += levels.len() as u64;
        if !self.recovery.fits(&seq) {
            return self.numbered_otherwise(stamp.ts_recv, cx);
        }
        let verdict = self.recovery.update(&seq, stamp.ts_event, stamp.ts_recv);
        if verdict != Verdict::Apply {
            return self.on_levels_aside(verdict, seq, levels, stamp, end, cx);
        }
        let bbo = self.bbo;
        if self.fits(&seq, levels, end.verbs, stamp.ts_recv, cx) && self.apply(&seq, levels, stamp, cx) {
            if self.spare.is_some() && self.widen(&seq, levels, stamp, cx) {
                return;
            }
            self.cut(end.is_last);
            if self.agrees(end.check, stamp.ts_recv, cx) {
                self.publish_changes(levels, self.bbo != bbo, end.is_last, stamp.ts_recv, cx);
                if !self.pending.is_empty() {
                    self.follow_waiting(stamp.ts_recv, cx);
                }
            }
        }
    }

    /// A change that is not numbered as the book is: of another product, whose symbols and form may be alike, or of a venue
    /// that contradicts itself.
    #[cold]
    fn numbered_otherwise<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        match self.product.rule {
            Rule::LinkedIfNumbered => self.contradicted(now, cx),
            _ => cx.stats.foreign += 1,
        }
    }

    /// A change that does not simply go on.
    #[cold]
    fn on_levels_aside<C: Clock>(
        &mut self,
        verdict: Verdict,
        seq: VenueSeq,
        levels: Sides<'_>,
        stamp: Stamp,
        end: End<'_>,
        cx: &mut Context<'_, C>,
    ) {
        self.tells_levels = true;
        let Stamp { ts_event, ts_recv, .. } = stamp;
        let waiting = Waiting { seq, ts_event, ts_recv, check: end.check };
        match verdict {
            Verdict::Resume => {
                if self.fits(&seq, levels, end.verbs, ts_recv, cx) && self.apply(&seq, levels, stamp, cx) {
                    self.cut(end.is_last);
                    if self.agrees(end.check, ts_recv, cx) {
                        self.become_synced(ts_recv, cx);
                    }
                }
            }
            Verdict::Lost => {
                cx.stats.gaps += 1;
                self.pending.clear();
                self.say_state(stamp.ts_recv, cx);
                self.hold(waiting, levels, end.verbs, cx);
                self.use_spare(cx);
            }
            Verdict::Hold => self.hold(waiting, levels, end.verbs, cx),
            Verdict::Wait => {
                self.hold(waiting, levels, end.verbs, cx);
                self.miss_waiting(stamp.ts_recv, cx);
            }
            _ => cx.stats.ignored += 1,
        }
        self.ask(stamp.ts_recv, cx);
    }

    /// Keeps an update for the snapshot that is to come.
    fn hold<C: Clock>(
        &mut self,
        waiting: Waiting,
        levels: Sides<'_>,
        verbs: &[Verb],
        cx: &mut Context<'_, C>,
    ) {
        self.held += 1;
        let dropped = self.pending.dropped();
        self.pending.push(waiting, levels, verbs);
        cx.stats.pending_dropped += self.pending.dropped() - dropped;
    }

    /// Whether what the venue says of each level fits the book. A book that it contradicts is stale.
    #[inline]
    fn fits<C: Clock>(
        &mut self,
        seq: &VenueSeq,
        levels: Sides<'_>,
        verbs: &[Verb],
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let fits =
            verbs.is_empty() || !self.recovery.is_joined(seq) || self.verbs.fits(levels, verbs, &self.book);
        if !fits {
            self.contradicted(now, cx);
        }
        fits
    }

    /// Whether the book is no deeper than the venue says, and its checksum, where one came, is the book's. A book that is
    /// contradicted is stale.
    #[inline]
    pub(super) fn agrees<C: Clock>(
        &mut self,
        check: Option<u32>,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) -> bool {
        if self.is_depth_exact && !self.cut.is_empty() {
            self.contradicted(now, cx);
            return false;
        }
        let Some(check) = check else { return true };
        let Some(proof) = &mut self.proof else { return true };
        let is_agreed = proof.agrees(check, &self.book);
        self.count_checksum(is_agreed, cx);
        if !is_agreed {
            self.contradicted(now, cx);
        }
        is_agreed
    }

    /// A checksum of the venue was compared.
    #[inline]
    pub(super) fn count_checksum<C>(&mut self, is_agreed: bool, cx: &mut Context<'_, C>) {
        cx.stats.checksums_checked += 1;
        cx.stats.checksums_matched += u64::from(is_agreed);
        self.checksums = (self.checksums.0 + 1, self.checksums.1 + u64::from(is_agreed));
    }

    /// The venue's checksum of the levels as they stand.
    pub(super) fn on_check<C: Clock>(&mut self, check: u32, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.recovery.is_synced() {
            self.agrees(Some(check), now, cx);
        }
    }

    /// Cuts the book to the depth that the venue makes known, where its event ends. What leaves is in `cut`.
    #[inline]
    pub(super) fn cut(&mut self, is_last: bool) {
        let Some(depth) = self.depth.filter(|_| is_last) else { return };
        let cut = &mut self.cut;
        cut.clear();
        let count = self.book.truncate_with(depth as usize, |side, level| cut.side_mut(side).push(level));
        if count > 0
            && let Some(proof) = &mut self.proof
            && (depth as usize) < proof.levels()
        {
            proof.replaced();
        }
    }

    /// Publishes what an update changed, and what left the book by a cut.
    #[inline]
    pub(super) fn publish_changes<C: Clock>(
        &mut self,
        levels: Sides<'_>,
        bbo_changed: bool,
        is_last: bool,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        if self.cut.is_empty() || self.depth.is_none() || !is_last {
            return self.publish(levels, bbo_changed, is_last, now, cx);
        }
        // Of two levels at one price the last counts.
        let mut changes = std::mem::take(&mut self.changes);
        changes.clear();
        for side in [Side::Bid, Side::Ask] {
            let of = changes.side_mut(side);
            of.extend_from_slice(levels.side(side));
            of.extend(self.cut.side(side).iter().map(|level| Level { qty: Qty(0), ..*level }));
        }
        self.publish(changes.view(), bbo_changed, is_last, now, cx);
        self.changes = changes;
    }

    /// Whether a snapshot with this ticket is the answer that is waited for.
    pub(super) const fn awaits(&self, ticket: u32) -> bool {
        self.recovery.awaits(ticket) || self.orders.awaits(ticket)
    }

    /// The venue's own top of book.
    pub(super) fn on_bbo<C: Clock>(&mut self, bbo: VenueBbo, stamp: Stamp, cx: &mut Context<'_, C>) {
        // One without a number belongs to no book in particular.
        if self.product.top_proof && bbo.venue_seq != 0 {
            let at = self.recovery.number();
            let agreed = self.cross_check.top(bbo, at, self.bbo);
            if self.is_refuted(agreed, cx.stats) && self.recovery.is_synced() {
                self.contradicted(stamp.ts_recv, cx);
            }
        }
        if let Some(held) = self.venue_bbo.filter(|held| held.venue_seq > bbo.venue_seq) {
            self.old_tops_in_row += 1;
            let is_later = held.ts_event > 0 && bbo.ts_event > held.ts_event;
            if !is_later && self.old_tops_in_row < OLD_TOPS_IN_ROW_MAX {
                cx.stats.ignored += 1;
                return;
            }
        }
        self.old_tops_in_row = 0;
        let is_first = self.venue_bbo.is_none();
        self.venue_bbo = Some(bbo);
        self.venue_bbo_cursor.seq += 1;
        self.venue_bbo_cursor.at = Stamp { venue_seq: bbo.venue_seq, ..stamp };
        if is_first {
            self.publish_image(Stream::VENUE_BBO, stamp.ts_recv, cx);
        } else {
            self.publish_venue_bbo(&bbo, cx);
        }
    }

    /// The venue contradicts the book.
    #[cold]
    pub(super) fn contradicted<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        cx.stats.contradictions += 1;
        self.lose(StaleReason::Contradiction, (0, 0), now, cx);
        self.ask(now, cx);
    }

    /// A trade, with the venue's text of it where that names it.
    pub(super) fn on_trade<C: Clock>(
        &mut self,
        trade: &Trade,
        text: Option<&[u8]>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.trades += 1;
        if let (TradeIds::Ascending, TradeId::Number(number)) = (self.product.trade_ids, trade.id) {
            // A lower number at a later time is of another numbering.
            if self.last_trade.is_some_and(|(last, at)| number <= last && trade.ts_event <= at) {
                cx.stats.ignored += 1;
                return;
            }
            self.last_trade = Some((number, trade.ts_event));
        }
        self.trades_cursor.seq += 1;
        self.trades_cursor.at = Stamp { venue_seq: trade.id.value(), ts_event: trade.ts_event, ..stamp };
        self.publish_trade(trade, text, cx);
    }

    /// What was asked for cannot be had.
    pub(super) fn on_failed(&mut self, now: TimeNs) {
        self.recovery.failed(now);
        self.orders.failed(now);
    }

    /// What was asked for has come, and its place among what waits does not show.
    pub(super) fn on_unplaced(&mut self, now: TimeNs) {
        self.recovery.unplaced(&self.pending, now);
        self.orders.unplaced(&self.waiting_orders, now);
    }

    /// A connection that was made brings its book. One that nothing is known of is wanted where it does not come by itself: its
    /// market may be quiet for long.
    pub(super) fn want_first(&mut self, now: TimeNs) {
        if self.product.resync == Resync::Snapshot && self.state() == BookState::Syncing {
            let wanted = if self.wants_levels() { &mut self.recovery } else { &mut self.orders };
            wanted.want_more(now);
        }
    }

    /// The venue starts anew: forget the book and all numbers.
    pub(super) fn on_restart<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        self.recovery.restart();
        self.orders.restart();
        self.pending.clear();
        self.waiting_orders.clear();
        self.spare = None;
        self.cross_check.reset();
        self.book.clear();
        self.bbo = Bbo::default();
        self.book_cursor.at = Stamp::default();
        self.venue_bbo = None;
        self.last_trade = None;
        self.say_state(now, cx);
    }

    /// Time passes: silence, checks, views, repeated requests. `heard_at`: when its connection last said anything.
    pub(super) fn on_tick<C: Clock>(&mut self, now: TimeNs, heard_at: TimeNs, cx: &mut Context<'_, C>) {
        self.miss_waiting(now, cx);
        if self.lead().is_synced() {
            // A clock that was set back counts from there.
            self.applied_at = self.applied_at.min(now);
            let alive_at = match self.product.life {
                Life::Book => self.applied_at,
                Life::Connection => self.applied_at.max(heard_at.min(now)),
            };
            let silence_ns = cx.config.silence_ns.unwrap_or(self.product.silence_ns);
            if silence_ns > 0 && now - alive_at > silence_ns {
                cx.stats.silences += 1;
                self.lose_lead(StaleReason::Silence, (0, 0), now, cx);
            } else {
                // Of orders the next book knows no more.
                if !self.leads_by_orders && self.is_beyond_known() {
                    self.recovery.want_more(now);
                }
                self.publish_views(now, cx);
                self.publish_check_if_due(now, cx);
            }
        }
        self.ask(now, cx);
    }

    /// Whether anybody tells a book of levels, as far as is known: where the venue tells orders, their sums are the levels unless
    /// it has told levels, too.
    fn wants_levels(&self) -> bool {
        self.tells_levels || !(self.uses_orders || self.product.numbers_orders())
    }

    /// Asks for what mends the book, if it is time to.
    pub(super) fn ask<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let levels = self.wants_levels().then_some(&mut self.recovery);
        for recovery in levels.into_iter().chain([&mut self.orders]) {
            if let Some(ticket) = recovery.ask(now) {
                cx.stats.snapshot_requests += 1;
                let reason = recovery.state().reason_code();
                let kind = self.product.resync as u8;
                cx.out.want(Want { instrument: self.id, ticket, kind, reason });
            }
        }
    }

    /// Applies an update that the recovery allowed. False when the book could not take it, or the venue contradicts what
    /// it then is.
    #[inline]
    pub(super) fn apply<C: Clock>(
        &mut self,
        seq: &VenueSeq,
        levels: Sides<'_>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let at = Stamp { venue_seq: seq.last, ..stamp };
        if !self.take(levels, at, cx) {
            self.lose(StaleReason::LevelsLimit, (0, 0), stamp.ts_recv, cx);
            return false;
        }
        self.recovery.applied(seq, stamp.ts_event);
        let agreed = self.cross_check.applied(seq.last, self.bbo);
        if self.is_refuted(agreed, cx.stats) {
            self.contradicted(stamp.ts_recv, cx);
            return false;
        }
        true
    }

    /// Applies an update that has waited, if it fits; see [`Self::apply`].
    #[cold]
    pub(super) fn apply_waiting<C: Clock>(
        &mut self,
        seq: &VenueSeq,
        levels: Sides<'_>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let verbs = self.pending.take_verbs();
        let fits = self.fits(seq, levels, &verbs, stamp.ts_recv, cx);
        self.pending.reuse_verbs(verbs);
        fits && self.apply(seq, levels, stamp, cx)
    }

    /// Puts levels into the book, which then stands at `at`. False when the book cannot take them.
    #[inline]
    pub(super) fn take<C: Clock>(&mut self, levels: Sides<'_>, at: Stamp, cx: &mut Context<'_, C>) -> bool {
        let Ok(touched) = self.book.apply(levels) else { return false };
        if let Some(proof) = &mut self.proof {
            proof.touched(touched);
        }
        cx.stats.applied += 1;
        cx.stats.applied_level_changes += levels.len() as u64;
        let bbo = Bbo { bid: self.book.best_bid(), ask: self.book.best_ask() };
        let crossed = if self.leads_by_orders { &mut cx.stats.orders.crossed } else { &mut cx.stats.crossed };
        *crossed += u64::from(bbo.is_crossed());
        self.views.touch(touched, self.book_cursor.at);
        self.book_cursor.at = at;
        self.applied_at = at.ts_recv;
        self.bbo = bbo;
        true
    }

    /// The book is exact: a new epoch, and in it an image of every stream.
    pub(super) fn become_synced<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let lead = if self.leads_by_orders { &mut self.orders } else { &mut self.recovery };
        cx.stats.resyncs += u64::from(lead.synced(now));
        self.mending.synced(now, &mut cx.stats.mending);
        self.loss.mended(now);
        self.told_at = self.book_cursor.at.ts_recv;
        self.was_synced = true;
        self.open_epoch(now, cx);
    }

    /// An image of every stream, as each now is, in a new epoch.
    pub(super) fn open_epoch<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        self.resets = self.resets.wrapping_add(1);
        self.bbo = Bbo { bid: self.book.best_bid(), ask: self.book.best_ask() };
        (self.book_cursor.seq, self.bbo_cursor.seq, self.trades_cursor.seq) = (1, 1, 1);
        self.venue_bbo_cursor.seq = u64::from(self.venue_bbo.is_some());
        self.market.open_epoch();
        self.book_check.done(now);
        self.views.open_epoch(now, &self.book);
        self.open_orders_epoch(cx);
        self.recount(cx.stats);
        self.publish_images(now, cx);
    }

    /// The truth of the book of levels is lost, or in doubt: say so, publish no more, want a cure.
    #[cold]
    pub(super) fn lose<C: Clock>(
        &mut self,
        reason: StaleReason,
        gap: Gap,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        self.pending.clear();
        if self.recovery.lose(reason, gap, now) && !self.leads_by_orders {
            self.say_state(now, cx);
        }
    }

    /// The same of the book that readers see.
    #[cold]
    pub(super) fn lose_lead<C: Clock>(
        &mut self,
        reason: StaleReason,
        gap: Gap,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        if !self.leads_by_orders {
            return self.lose(reason, gap, now, cx);
        }
        if self.orders.lose(reason, gap, now) {
            self.say_state(now, cx);
        }
    }

    /// The source has spoken of another instrument; see rule 8 of `recovery`.
    pub(super) fn on_foreign<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.spare.as_ref().is_some_and(|spare| spare.origin == SnapshotOrigin::Anonymous) {
            self.spare = None;
        }
        if self.recovery.lose_anonymous(now) && !self.leads_by_orders {
            self.say_state(now, cx);
        }
    }

    /// Tells readers the state.
    pub(super) fn say_state<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.was_synced && self.state() != BookState::Synced {
            self.mending.lost(now);
            let last =
                loss::Told { epoch: self.epoch(cx.config), seq: self.book_cursor.seq, ts_recv: self.told_at };
            self.loss.lost(self.state(), self.lead().gap(), last, now);
        }
        self.recount(cx.stats);
        self.publish_image(Stream::STATUS, now, cx);
        self.say_orders_lost(now, cx);
    }

    /// Opens a depth view (levels, interval, grouping), or joins the one that is alike.
    pub(super) fn open_view(&mut self, view: (u32, u64, i64), now: TimeNs) -> Option<Stream> {
        let book = self.lead().has_book().then_some(&self.book);
        self.views.open(view, now, book)
    }

    /// Leaves a depth view; the last reader closes it.
    pub(super) fn close_view(&mut self, stream: Stream) {
        self.views.close(stream);
    }

    /// Whether a depth view is open.
    pub(super) fn has_view(&self, stream: Stream) -> bool {
        self.views.find(stream).is_some()
    }

    /// What people and tests ask about a book.
    pub(super) fn info(&self, now: TimeNs, config: &EngineConfig) -> BookInfo {
        BookInfo {
            state: self.state(),
            gap: self.lead().gap(),
            epoch: self.epoch(config),
            seq: self.book_cursor.seq,
            venue_seq: self.book_cursor.at.venue_seq,
            ts_event: self.book_cursor.at.ts_event,
            bid_count: self.book.len(Side::Bid),
            ask_count: self.book.len(Side::Ask),
            bbo: self.bbo,
            known_to: self.book.known_to(),
            is_beyond_known: self.is_beyond_known(),
            age_ns: self.age_ns(now),
            mending: self.mending,
            checksums: self.checksums,
            tops: (self.cross_check.checked, self.cross_check.matched),
            held: self.held,
        }
    }

    /// What was lost when it last was.
    pub(super) const fn gap(&self) -> Option<&GapBody> {
        self.loss.gap()
    }

    /// The state of the book that readers see.
    pub(super) const fn state(&self) -> BookState {
        self.lead().state()
    }

    pub(super) fn epoch(&self, config: &EngineConfig) -> u64 {
        u64::from(config.start_id) << 32 | u64::from(self.resets)
    }

    /// Whether an epoch was ever opened: before, only what does not depend on the book is published.
    pub(super) const fn has_epoch(&self) -> bool {
        self.resets != 0
    }

    /// Time since the last change was applied; 0 before the first.
    pub(super) const fn age_ns(&self, now: TimeNs) -> u64 {
        if self.applied_at == 0 { 0 } else { now.saturating_sub(self.applied_at) }
    }

    /// What must hold after every event.
    ///
    /// # Errors
    /// What does not.
    pub(super) fn check_invariants(&self) -> Result<(), &'static str> {
        self.recovery.check_invariants()?;
        self.orders.check_invariants()?;
        let is_next = |first: &Waiting| !self.recovery.is_ahead(&first.seq);
        if self.recovery.is_synced() && self.pending.front().is_some_and(is_next) {
            return Err("updates wait for a book that has what is before them");
        }
        if self.orders.is_synced() && !self.waiting_orders.is_empty() {
            return Err("changes of orders wait for a book that is exact");
        }
        if self.state() == BookState::Synced && !self.was_synced {
            return Err("a synced book has no epoch");
        }
        if self.counted.is_some_and(|counted| counted != self.state()) {
            return Err("a book is counted by a state that it is not in");
        }
        Ok(())
    }
}
