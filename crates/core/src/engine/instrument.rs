//! One instrument: its state, what every step needs besides, and what is asked of it.
//!
//! What venues say of it arrives at `updates` (levels that changed), `snapshots` (whole books), `trades`, `venue_top` (its own top of
//! book) and `market` (what else there is). `recovery` decides whether the book may be trusted, `resync` does what follows from
//! that, `checksums` holds the book to the venue's by `proof`. `lines` joins several sources, `orders` keeps its orders where
//! the venue names them, `tape` says whether trades come whole, `streams` writes what follows, `views` keeps the depth views, `volumes` what has
//! traded at prices, `costs` what quantities cost, `signals` what is computed of it, `scale` makes the numbers finer.

mod checksums;
mod resync;
mod trades;
mod updates;

use super::consolidated::Fed;
use super::costs::Costs;
use super::loss::Loss;
use super::market::Market;
use super::mending::Mending;
use super::order_stream::OrderStream;
use super::proof::Proof;
use super::published::Followed;
use super::recovery::Recovery;
use super::signals::SignalViews;
use super::snapshots::Spare;
use super::streams::{CheckTimer, Cursor};
use super::tape::Tape;
use super::venue_top::VenueTop;
use super::views::Views;
use super::volumes::Volumes;
use super::{BookInfo, EngineConfig};
use crate::aggregate::{Bbo, CrossCheck, Traded};
use crate::book::{BookSpec, L2Book, VerbCheck, prefetch};
use crate::encode::{Flags, GapBody, Header, Outbox};
use crate::sequence::{Pending, PendingOrders, Waiting, Waits};
use crate::signal::OptionContract;
use crate::stats::Stats;
use crate::types::{
    BookState, Clock, Coverage, Instrument, InstrumentId, Levels, Route, ScaleSource, Side, Slot,
    StaleReason, TimeNs, Verb,
};
use crate::venues::{Checksum, Life, Product, product};

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
    /// Its terms, where it is an option of which they are known.
    pub(super) option: Option<OptionContract>,
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
    pub(super) mending: Mending,
    pub(super) loss: Loss,
    /// Readers are told nothing: the engine runs to another time of its recording, see `hold`.
    pub(super) is_held: bool,
    /// When the input arrived that readers were told of last.
    pub(super) told_at: TimeNs,
    /// Checksums compared, and those that agreed.
    checksums: (u64, u64),
    /// Epochs opened; the low half of the epoch.
    pub(super) resets: u32,
    /// Whether the book has ever been exact: before, nothing could be lost.
    pub(super) was_synced: bool,
    pub(super) bbo: Bbo,
    pub(super) book_cursor: Cursor,
    pub(super) bbo_cursor: Cursor,
    pub(super) trades: Tape,
    /// What readers of the top have been told to doubt of it.
    pub(super) bbo_doubts: Flags,
    pub(super) venue_top: VenueTop,
    pub(super) views: Views,
    /// What has traded at prices, where somebody has asked for it.
    pub(super) volumes: Option<Box<Volumes>>,
    /// What quantities cost, where somebody has asked for it.
    pub(super) costs: Option<Box<Costs>>,
    /// Numbers computed of book and trades, where somebody has asked for them.
    pub(super) signals: Option<Box<SignalViews>>,
    /// What the books that are made of this one have still to be told.
    pub(super) fed: Option<Box<Fed>>,
    /// Where it stands in the frames of a recording that were published before.
    pub(super) followed: Option<Box<Followed>>,
    pub(super) last_trade: Option<(u64, TimeNs)>,
    pub(super) market: Market,
    /// When the last change of the book was applied: neither trades nor repetitions keep a book alive.
    pub(super) applied_at: TimeNs,
    pub(super) book_check: CheckTimer,
    /// Reused for images and checks, which need both sides as slices.
    pub(super) levels: Levels,
    pub(super) volume_rows: Vec<Traded>,
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
            option: OptionContract::of(listed),
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
            is_held: false,
            told_at: 0,
            checksums: (0, 0),
            resets: 0,
            was_synced: false,
            bbo: Bbo::default(),
            book_cursor: Cursor::default(),
            bbo_cursor: Cursor::default(),
            trades: Tape::new(),
            bbo_doubts: Flags::NONE,
            venue_top: VenueTop::default(),
            views: Views::default(),
            volumes: None,
            costs: None,
            signals: None,
            fed: None,
            followed: None,
            last_trade: None,
            market: Market::new(listed.terms.status),
            applied_at: 0,
            book_check: CheckTimer::default(),
            levels: Levels::default(),
            volume_rows: Vec::new(),
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
                self.publish_costs(now, cx);
                self.publish_signals(now, cx);
                self.publish_check_if_due(now, cx);
            }
        }
        self.publish_volumes(now, cx);
        self.ask(now, cx);
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
        if self.is_held { BookState::Syncing } else { self.lead().state() }
    }

    pub(super) fn epoch(&self, config: &EngineConfig) -> u64 {
        u64::from(config.start_id) << 32 | u64::from(config.resets_from.wrapping_add(self.resets))
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
