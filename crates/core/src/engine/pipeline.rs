//! One instrument's way from decoded events to feed frames: sequence → book → aggregate → encode.

use super::request::SnapshotRequest;
use super::{BookInfo, EngineConfig};
use crate::aggregate::{Bbo, CrossCheck, DepthView, checksums};
use crate::book::{BookSpec, L2Book};
use crate::encode::{
    CheckBody, Flags, Header, ImageBody, Kind, Outbox, StatusBody, Stream, write_check, write_image,
    write_levels, write_status, write_trades,
};
use crate::sequence::{Chain, Pending, Rule, SeqOutcome, snapshot_known_to};
use crate::stats::Stats;
use crate::types::{
    BookState, Clock, DepthUpdate, Instrument, InstrumentId, KnownTo, Level, Levels, Side, Snapshot,
    StaleReason, Ticker, TimeNs, Trade, TradeKind,
};

/// A book that changed publishes a check frame at least this often.
const CHECK_INTERVAL_NS: u64 = 1_000_000_000;

/// Most depth views of one instrument.
pub(super) const VIEWS_MAX: usize = 32;

/// What every step needs besides the instrument's own state.
pub(super) struct Context<'a, C> {
    pub(super) config: &'a EngineConfig,
    pub(super) clock: &'a C,
    pub(super) out: &'a mut Outbox,
    pub(super) stats: &'a mut Stats,
}

/// A depth view with its place on the wire.
#[derive(Debug)]
struct ViewSlot {
    view: DepthView,
    stream: Stream,
    seq: u64,
    readers: u32,
}

/// The state of one instrument.
#[derive(Debug)]
pub(super) struct Pipeline {
    id: InstrumentId,
    price_exponent: i8,
    qty_exponent: i8,
    rule: Rule,
    state: BookState,
    /// For a gap: what was due and what came.
    gap: (u64, u64),
    /// Present while `Synced`.
    chain: Option<Chain>,
    book: L2Book,
    pending: Pending,
    request: SnapshotRequest,
    cross_check: CrossCheck,
    /// Whether the last comparison with the venue's own top disagreed.
    suspect: bool,
    /// Times that the book became synced; the low half of the epoch.
    resets: u32,
    book_seq: u64,
    bbo: Bbo,
    bbo_seq: u64,
    trades_seq: u64,
    /// The kind of trade message that came first. A venue tells one trade in both kinds: the other is counted, not sent.
    trade_kind: Option<TradeKind>,
    ticker: Option<Ticker>,
    ticker_seq: u64,
    views: Vec<ViewSlot>,
    venue_seq: u64,
    ts_event: TimeNs,
    ts_recv: TimeNs,
    /// When the last depth update came: trades alone do not keep a book alive.
    input_at: TimeNs,
    checked_at: TimeNs,
    changed_since_check: bool,
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
            book: L2Book::new(BookSpec { tick_size: instrument.tick_size, levels_max: config.levels_max }),
            pending: Pending::default(),
            request: SnapshotRequest::default(),
            cross_check: CrossCheck::default(),
            suspect: false,
            resets: 0,
            book_seq: 0,
            bbo: Bbo::default(),
            bbo_seq: 0,
            trades_seq: 1,
            trade_kind: None,
            ticker: None,
            ticker_seq: 1,
            views: Vec::new(),
            venue_seq: 0,
            ts_event: 0,
            ts_recv: 0,
            input_at: 0,
            checked_at: 0,
            changed_since_check: false,
            levels: Levels::default(),
            bytes: Vec::new(),
        }
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
        self.input_at = ts_recv;
        let Some(chain) = &self.chain else {
            return self.hold(update, levels, ts_recv, cx);
        };
        match chain.check(update) {
            SeqOutcome::Next => {
                let bbo = self.bbo;
                if self.apply(update, levels, ts_recv, cx) {
                    self.publish(levels, self.bbo != bbo, ts_recv, cx);
                }
            }
            SeqOutcome::Old => cx.stats.ignored += 1,
            SeqOutcome::Gap { expected, received } => {
                cx.stats.gaps += 1;
                self.lose(StaleReason::Gap, (expected, received), ts_recv, cx);
                self.hold(update, levels, ts_recv, cx);
            }
        }
    }

    /// A snapshot. A synced book needs none and ignores it.
    pub(super) fn on_snapshot<C: Clock>(
        &mut self,
        snapshot: &Snapshot,
        levels: &Levels,
        ts_recv: TimeNs,
        scratch: &mut Levels,
        cx: &mut Context<'_, C>,
    ) {
        cx.stats.snapshots += 1;
        if self.chain.is_some() {
            return;
        }
        let chain = Chain::new(self.rule, snapshot.last_id);
        // Find the first waiting update that the snapshot does not hold; it must bridge, or the snapshot is too old.
        while let Some(first) = self.pending.front() {
            match chain.check(first) {
                SeqOutcome::Old => {
                    self.pending.pop(scratch);
                }
                SeqOutcome::Next => break,
                SeqOutcome::Gap { .. } => {
                    cx.stats.snapshots_old += 1;
                    return self.request.failed(ts_recv);
                }
            }
        }
        if self.book.load(levels, snapshot_known_to(levels)).is_err() {
            self.request.failed(ts_recv);
            return self.lose(StaleReason::LevelsLimit, (0, 0), ts_recv, cx);
        }
        self.venue_seq = snapshot.last_id;
        self.ts_event = snapshot.ts_event;
        self.ts_recv = ts_recv;
        self.input_at = ts_recv;
        self.chain = Some(chain);
        while let (Some(chain), Some(next)) = (&self.chain, self.pending.front()) {
            match chain.check(next) {
                SeqOutcome::Old => {
                    self.pending.pop(scratch);
                }
                SeqOutcome::Next => {
                    if let Some((update, received_at)) = self.pending.pop(scratch) {
                        self.apply(&update, scratch, received_at, cx);
                    }
                }
                // A hole among the waiting ones: only a snapshot beyond it helps.
                SeqOutcome::Gap { expected, received } => {
                    cx.stats.gaps += 1;
                    self.gap = (expected, received);
                    self.chain = None;
                    return self.request.failed(ts_recv);
                }
            }
        }
        if self.chain.is_some() {
            self.become_synced(ts_recv, cx);
        }
    }

    /// The venue's own top of book.
    pub(super) fn on_ticker<C: Clock>(&mut self, ticker: Ticker, ts_recv: TimeNs, cx: &mut Context<'_, C>) {
        let last_id = self.chain.filter(Chain::is_bridged).map(|chain| chain.last_id());
        let checked = self.cross_check.checked;
        let disagreed = self.cross_check.ticker(ticker, last_id, self.bbo);
        if self.cross_check.checked != checked {
            self.suspect = disagreed;
        }
        self.ticker = Some(ticker);
        self.ticker_seq += 1;
        let (bid, ask) = (present(ticker.bid), present(ticker.ask));
        let header = Header {
            venue_seq: ticker.last_id,
            ts_event: ticker.ts_event,
            ts_recv,
            ..self.header(Kind::Bbo, Stream::VENUE_BBO, self.ticker_seq, Flags::VENUE, cx)
        };
        cx.out.frame(self.id, Stream::VENUE_BBO, |out| {
            write_levels(out, &header, bid.as_slice(), ask.as_slice())
        });
    }

    /// A trade.
    pub(super) fn on_trade<C: Clock>(&mut self, trade: &Trade, ts_recv: TimeNs, cx: &mut Context<'_, C>) {
        cx.stats.trades += 1;
        if *self.trade_kind.get_or_insert(trade.kind) != trade.kind {
            cx.stats.ignored += 1;
            return;
        }
        self.trades_seq += 1;
        let header = Header {
            venue_seq: trade.id,
            ts_event: trade.ts_event,
            ts_recv,
            ..self.header(Kind::Trade, Stream::TRADES, self.trades_seq, Flags::LAST, cx)
        };
        cx.out.frame(self.id, Stream::TRADES, |out| write_trades(out, &header, std::slice::from_ref(trade)));
    }

    /// The snapshot that was asked for cannot be had.
    pub(super) fn on_snapshot_failed(&mut self, now: TimeNs) {
        self.request.failed(now);
    }

    /// The venue starts anew: forget the book, wait for a snapshot.
    pub(super) fn on_reset<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        self.chain = None;
        self.pending.clear();
        self.cross_check.reset();
        self.request.done();
        self.book.clear();
        self.bbo = Bbo::default();
        self.ticker = None;
        self.suspect = false;
        self.input_at = 0;
        self.set_state(BookState::Syncing, (0, 0), now, cx);
    }

    /// Time passes: silence, checks, views, repeated requests.
    pub(super) fn on_tick<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.chain.is_some() {
            let silence_ns = cx.config.silence_ns;
            if silence_ns > 0 && now.saturating_sub(self.input_at) > silence_ns {
                cx.stats.silences += 1;
                self.lose(StaleReason::Silence, (0, 0), now, cx);
            } else {
                self.publish_views(now, cx);
                self.publish_check(now, cx);
            }
        }
        self.ask(now, cx);
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
        self.request.want();
        self.ask(now, cx);
    }

    fn ask<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if let Some(attempt) = self.request.poll(now) {
            cx.stats.snapshot_requests += 1;
            cx.out.snapshot_request(self.id, attempt, self.state.reason_code());
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
        let Ok(touched) = self.book.apply(levels) else {
            self.lose(StaleReason::LevelsLimit, (0, 0), ts_recv, cx);
            return false;
        };
        if let Some(chain) = &mut self.chain {
            chain.advance(update);
        }
        cx.stats.applied += 1;
        cx.stats.applied_level_changes += levels.len() as u64;
        self.venue_seq = update.last_id;
        self.ts_event = update.ts_event;
        self.ts_recv = ts_recv;
        let bbo = Bbo { bid: self.book.best_bid(), ask: self.book.best_ask() };
        cx.stats.crossed += u64::from(bbo.is_crossed());
        let checked = self.cross_check.checked;
        let disagreed = self.cross_check.applied(update.last_id, bbo);
        if self.cross_check.checked != checked {
            self.suspect = disagreed;
        }
        for slot in &mut self.views {
            slot.view.touch(touched.bid, touched.ask);
        }
        self.bbo = bbo;
        true
    }

    /// Publishes what an applied update changed.
    #[inline]
    fn publish<C: Clock>(
        &mut self,
        levels: &Levels,
        bbo_changed: bool,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        self.book_seq += 1;
        self.changed_since_check = true;
        let header = self.header(Kind::Delta, Stream::BOOK, self.book_seq, Flags::LAST, cx);
        cx.out.frame(self.id, Stream::BOOK, |out| write_levels(out, &header, &levels.bids, &levels.asks));
        if bbo_changed {
            self.bbo_seq += 1;
            let header = self.header(Kind::Bbo, Stream::BBO, self.bbo_seq, Flags::LAST, cx);
            let Bbo { bid, ask } = self.bbo;
            cx.out.frame(self.id, Stream::BBO, |out| {
                write_levels(out, &header, bid.as_slice(), ask.as_slice())
            });
        }
        self.publish_views(now, cx);
        self.publish_check(now, cx);
    }

    /// Publishes the depth views that are due.
    fn publish_views<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        for index in 0..self.views.len() {
            if !self.views[index].view.is_due(now) {
                continue;
            }
            let header = self.header(
                Kind::Delta,
                self.views[index].stream,
                self.views[index].seq + 1,
                Flags::LAST,
                cx,
            );
            let slot = &mut self.views[index];
            let (bids, asks) = (self.book.levels(Side::Bid), self.book.levels(Side::Ask));
            let (changes, merged) = slot.view.flush(now, bids, asks);
            if changes.is_empty() {
                continue;
            }
            slot.seq += 1;
            let flags = header.flags.and(Flags::CONFLATED.when(merged > 1));
            let header = Header { flags, ..header };
            cx.out
                .frame(self.id, slot.stream, |out| write_levels(out, &header, &changes.bids, &changes.asks));
        }
    }

    /// Publishes the book's checksums, once a second while it changes.
    #[inline]
    fn publish_check<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if !self.changed_since_check || now.saturating_sub(self.checked_at) < CHECK_INTERVAL_NS {
            return;
        }
        self.checked_at = now;
        self.changed_since_check = false;
        self.collect_levels();
        let check = check_body(&self.levels);
        let header = self.header(Kind::Check, Stream::BOOK, self.book_seq, Flags::NONE, cx);
        cx.out.frame(self.id, Stream::BOOK, |out| write_check(out, &header, &check));
    }

    /// The book is exact: a new epoch, and in it an image of every stream.
    fn become_synced<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        cx.stats.resyncs += u64::from(matches!(self.state, BookState::Stale(_)));
        self.resets = self.resets.wrapping_add(1);
        self.request.done();
        self.state = BookState::Synced;
        self.bbo = Bbo { bid: self.book.best_bid(), ask: self.book.best_ask() };
        (self.book_seq, self.bbo_seq, self.trades_seq, self.ticker_seq) = (1, 1, 1, 1);
        self.checked_at = now;
        self.changed_since_check = false;
        for slot in &mut self.views {
            let (bids, asks) = (self.book.levels(Side::Bid), self.book.levels(Side::Ask));
            slot.view.image(now, bids, asks);
            slot.seq = 1;
        }
        for stream in [Stream::BOOK, Stream::BBO, Stream::TRADES, Stream::VENUE_BBO] {
            self.publish_image(stream, now, cx);
        }
        for index in 0..self.views.len() {
            self.publish_image(self.views[index].stream, now, cx);
        }
        self.publish_image(Stream::STATUS, now, cx);
    }

    /// The book's truth is lost: say so, publish no more, want a snapshot.
    #[cold]
    fn lose<C: Clock>(&mut self, reason: StaleReason, gap: (u64, u64), now: TimeNs, cx: &mut Context<'_, C>) {
        self.chain = None;
        self.pending.clear();
        self.request.want();
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

    fn publish_image<C: Clock>(&mut self, stream: Stream, now: TimeNs, cx: &mut Context<'_, C>) {
        let Context { config, clock, out, .. } = cx;
        let id = self.id;
        self.image(stream, now, config, *clock, |frame| {
            out.frame(id, stream, |bytes| bytes.extend_from_slice(frame));
        });
    }

    /// Writes a stream's whole state, as one frame or several. Nothing when there is none: a book that is syncing, a view that is not open.
    pub(super) fn image<C: Clock>(
        &mut self,
        stream: Stream,
        now: TimeNs,
        config: &EngineConfig,
        clock: &C,
        mut emit: impl FnMut(&[u8]),
    ) {
        let kind = if stream == Stream::STATUS { Kind::Status } else { Kind::Image };
        let flags = Flags::LAST.and(Flags::VENUE.when(stream == Stream::VENUE_BBO));
        let slot = self.views.iter().position(|slot| slot.stream == stream);
        let seq = match (stream, slot) {
            (Stream::BOOK | Stream::STATUS, _) => self.book_seq,
            (Stream::BBO, _) => self.bbo_seq,
            (Stream::TRADES, _) => self.trades_seq,
            (Stream::VENUE_BBO, _) => self.ticker_seq,
            (_, Some(index)) => self.views[index].seq,
            (_, None) => return,
        };
        let header = self.stamp(kind, stream, (seq, seq), flags, config, clock);
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        match stream {
            Stream::STATUS => {
                let (expected, received) = self.gap;
                let (state, reason) = (self.state.code(), self.state.reason_code());
                write_status(
                    &mut bytes,
                    &header,
                    &StatusBody { expected, received, age_ns: self.age_ns(now), state, reason },
                );
                emit(&bytes);
            }
            _ if self.state == BookState::Syncing
                && !matches!(stream, Stream::TRADES | Stream::VENUE_BBO) => {}
            _ => {
                let mut levels = std::mem::take(&mut self.levels);
                levels.clear();
                let (mut depth, mut known_to) = (0, self.book.known_to());
                match slot {
                    Some(index) => {
                        let view = &self.views[index].view;
                        levels.bids.extend_from_slice(&view.published().bids);
                        levels.asks.extend_from_slice(&view.published().asks);
                        depth = view.depth();
                    }
                    None if stream == Stream::BOOK => {
                        levels.bids.extend(self.book.levels(Side::Bid));
                        levels.asks.extend(self.book.levels(Side::Ask));
                    }
                    None if stream == Stream::BBO => {
                        depth = 1;
                        levels.bids.extend(self.bbo.bid);
                        levels.asks.extend(self.bbo.ask);
                    }
                    // Trades have no state but their place in the stream; the venue's top has its last message.
                    None => {
                        known_to = KnownTo::WHOLE;
                        depth = u32::from(stream == Stream::VENUE_BBO);
                        let ticker = self.ticker.filter(|_| stream == Stream::VENUE_BBO);
                        levels.bids.extend(ticker.and_then(|ticker| present(ticker.bid)));
                        levels.asks.extend(ticker.and_then(|ticker| present(ticker.ask)));
                    }
                }
                let body = ImageBody {
                    known_to,
                    depth,
                    price_exponent: self.price_exponent,
                    qty_exponent: self.qty_exponent,
                    state: self.state.code(),
                    reason: self.state.reason_code(),
                    check: check_body(&levels),
                };
                write_image(&mut bytes, &header, &body, &levels.bids, &levels.asks, emit);
                self.levels = levels;
            }
        }
        self.bytes = bytes;
    }

    /// Opens a depth view, or joins the one that is alike.
    pub(super) fn open_view(&mut self, depth: u32, interval_ns: u64, now: TimeNs) -> Option<Stream> {
        let alike =
            |slot: &&mut ViewSlot| slot.view.depth() == depth && slot.view.interval_ns() == interval_ns;
        if let Some(slot) = self.views.iter_mut().find(alike) {
            slot.readers += 1;
            return Some(slot.stream);
        }
        if self.views.len() == VIEWS_MAX {
            return None;
        }
        let is_free = |number: &u8| self.views.iter().all(|slot| slot.stream.0 != *number);
        let stream = Stream((Stream::DEPTH_FIRST.0..=u8::MAX).find(is_free)?);
        let mut view = DepthView::new(depth, interval_ns);
        if self.state != BookState::Syncing {
            let (bids, asks) = (self.book.levels(Side::Bid), self.book.levels(Side::Ask));
            view.image(now, bids, asks);
        }
        self.views.push(ViewSlot { view, stream, seq: 1, readers: 1 });
        Some(stream)
    }

    /// Leaves a depth view; the last reader closes it.
    pub(super) fn close_view(&mut self, stream: Stream) {
        if let Some(index) = self.views.iter().position(|slot| slot.stream == stream) {
            self.views[index].readers -= 1;
            if self.views[index].readers == 0 {
                self.views.swap_remove(index);
            }
        }
    }

    /// What people and tests ask about a book.
    pub(super) fn info(&self, now: TimeNs, config: &EngineConfig) -> BookInfo {
        BookInfo {
            state: self.state,
            epoch: self.epoch(config),
            seq: self.book_seq,
            venue_seq: self.venue_seq,
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

    const fn age_ns(&self, now: TimeNs) -> u64 {
        if self.input_at == 0 { 0 } else { now.saturating_sub(self.input_at) }
    }

    fn collect_levels(&mut self) {
        self.levels.clear();
        self.levels.bids.extend(self.book.levels(Side::Bid));
        self.levels.asks.extend(self.book.levels(Side::Ask));
    }

    /// The header of a frame that follows the one before it in its stream; a check follows itself.
    #[inline]
    fn header<C: Clock>(
        &self,
        kind: Kind,
        stream: Stream,
        seq: u64,
        flags: Flags,
        cx: &Context<'_, C>,
    ) -> Header {
        let prev_seq = if kind == Kind::Check { seq } else { seq - 1 };
        self.stamp(kind, stream, (seq, prev_seq), flags, cx.config, cx.clock)
    }

    #[inline]
    fn stamp<C: Clock>(
        &self,
        kind: Kind,
        stream: Stream,
        (seq, prev_seq): (u64, u64),
        flags: Flags,
        config: &EngineConfig,
        clock: &C,
    ) -> Header {
        let of_book = !matches!(stream, Stream::TRADES | Stream::VENUE_BBO);
        let flags = flags
            .and(Flags::REPLAY.when(config.is_replay))
            .and(Flags::STALE.when(of_book && self.state != BookState::Synced))
            .and(Flags::SUSPECT.when(of_book && self.suspect))
            .and(Flags::CROSSED.when(of_book && self.bbo.is_crossed()));
        Header {
            epoch: self.epoch(config),
            seq,
            prev_seq,
            venue_seq: self.venue_seq,
            ts_event: self.ts_event,
            ts_recv: self.ts_recv,
            ts_send: clock.now(),
            instrument: self.id.0,
            kind,
            stream,
            flags,
        }
    }
}

/// A level with interest, or none.
fn present(level: Level) -> Option<Level> {
    (level.qty.0 != 0).then_some(level)
}

fn check_body(levels: &Levels) -> CheckBody {
    let (top_crc, all_crc) = checksums(&levels.bids, &levels.asks);
    CheckBody { top_crc, all_crc, bid_count: levels.bids.len() as u32, ask_count: levels.asks.len() as u32 }
}
