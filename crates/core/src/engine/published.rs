//! Frames of a recording that an engine has published before. They go out as they were, in epochs of this engine and at the places
//! that its readers are at; what they tell is kept, so that images, views and questions are answered of it.
//!
//! Whether the book may be trusted is what that engine said: no number of a venue is looked at again. Frames that are missing make the
//! book stale until the next image of it, which opens an epoch.

use super::instrument::{Context, InstrumentState};
use super::orders::check_of;
use super::streams::{Cursor, Stamp};
use super::{Engine, EngineConfig, IngestError};
use crate::aggregate::Bbo;
use crate::book::digest;
use crate::encode::{
    Flags, GapBody, ImageBody, Kind, OrderAction, OrderBody, OrderCause, PLACE_LAST, Stream, find_header,
    write_orders_image,
};
use crate::replica::{FeedFrame, ReplicaError, ReplicaOrders, ReplicaState, feed_frames};
use crate::types::{BookState, Clock, Instrument, Level, Levels, Side, Slot, StaleReason, TimeNs, VenueBbo};

/// Streams that are published without being asked for, and of orders: numbers below this one.
const STREAMS: usize = 10;
/// Offsets in a header of what is another engine's.
const AT_EPOCH: usize = 0;
const AT_SEQ: usize = 8;
const AT_PREV_SEQ: usize = 16;
const AT_TS_SEND: usize = 48;
const AT_FLAGS: usize = 62;
/// From the header on, in a status frame with a gap as this version writes it.
const AT_EPOCH_BEFORE: usize = 136;

/// Where an instrument stands in frames that were published before.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// The epoch that they are in; 0 before the first.
    epoch: u64,
    /// The epoch before it: theirs, and this engine's.
    epoch_before: (u64, u64),
    /// The last sequence of each stream.
    seqs: [u64; STREAMS],
    /// The book is not known: an image must come.
    awaits_image: bool,
    /// Levels of an image that is not whole yet, and those of a change.
    levels: Levels,
    orders: ReplicaOrders,
    /// Whether frames have told any.
    has_orders: bool,
}

impl Followed {
    /// A gap by this engine's epochs, as far as it knows the one before.
    fn own_gap(&self, gap: GapBody, epoch: u64) -> GapBody {
        let (theirs, own) = self.epoch_before;
        let epoch_before = match gap.epoch_before {
            before if before == self.epoch => epoch,
            before if before == theirs => own,
            before => before,
        };
        GapBody { epoch_before, ..gap }
    }
}

impl<C: Clock> Engine<C> {
    /// A recording tells of a frame.
    ///
    /// # Errors
    /// [`IngestError::Published`] for one that breaks the rules of the feed: what it told is not known then.
    #[inline]
    pub(super) fn published(&mut self, index: usize, frame: &[u8]) -> Result<(), IngestError> {
        self.stats.frames += 1;
        let read = match feed_frames(frame).next().unwrap_or(Err(ReplicaError::Truncated { at: 0 })) {
            Ok(read) => read,
            Err(error) => {
                // Whose it was nobody knows.
                self.stats.decode_errors += 1;
                self.published_missed(index, self.sources[index].last_ts);
                return Err(IngestError::Published(error));
            }
        };
        let Some(slot) = self.by_id.get(&read.instrument()).copied() else { return Ok(()) };
        if self.sources[index].lines.is_none() {
            return Ok(());
        }
        let (instruments, mut cx) = self.parts();
        let taken = instruments[slot.0 as usize].on_published(&read, frame, &mut cx);
        if read.kind() == Kind::Image as u8 {
            self.list_as_told(slot);
        }
        taken.map_err(|error| {
            self.stats.decode_errors += 1;
            self.published_missed(index, read.ts_recv());
            IngestError::Published(error)
        })
    }

    /// The scale of an instrument is that of its last image.
    fn list_as_told(&mut self, slot: Slot) {
        let state = &self.instruments[slot.0 as usize];
        let (id, price, qty) = (state.id, state.price_exponent, state.qty_exponent);
        let Some(listed) = self.catalogue.get(id) else { return };
        if (listed.price_exponent, listed.qty_exponent) != (price, qty) {
            let listed = Instrument { price_exponent: price, qty_exponent: qty, ..listed.clone() };
            // One that is known and has a scale is taken.
            let _ = self.catalogue.add(listed);
        }
    }

    /// Another run begins, or the same again: its frames open epochs of their own, the first image the book.
    pub(super) fn forget_published(&mut self, index: usize, now: TimeNs) {
        for id in self.wanted(index) {
            let Ok(slot) = self.slot_of(id) else { continue };
            let (instruments, mut cx) = self.parts();
            let state = &mut instruments[slot.0 as usize];
            if state.followed.is_some() {
                state.followed = Some(Box::new(Followed { awaits_image: true, ..Followed::default() }));
                state.on_restart(now, &mut cx);
            }
        }
    }

    /// Frames are missing, of whichever instrument: books and orders are not known until the next image of each.
    pub(super) fn published_missed(&mut self, index: usize, now: TimeNs) {
        for id in self.wanted(index) {
            let Ok(slot) = self.slot_of(id) else { continue };
            let (instruments, mut cx) = self.parts();
            let state = &mut instruments[slot.0 as usize];
            let Some(mut followed) = state.followed.take() else { continue };
            followed.orders = ReplicaOrders::new();
            state.lose_followed(&mut followed, StaleReason::Skipped, now, &mut cx);
            state.followed = Some(followed);
        }
    }
}

impl InstrumentState {
    /// A frame that was published before, whole and of the schema.
    fn on_published<C: Clock>(
        &mut self,
        frame: &FeedFrame<'_>,
        bytes: &[u8],
        cx: &mut Context<'_, C>,
    ) -> Result<(), ReplicaError> {
        let stream = frame.stream();
        // Views are computed anew, of what is asked for here.
        if usize::from(stream.0) >= STREAMS {
            return Ok(());
        }
        let mut followed = self.followed.take().unwrap_or_default();
        let taken = self.follow(&mut followed, frame, bytes, cx);
        self.followed = Some(followed);
        taken
    }

    /// The book is not known until the next image of it.
    #[cold]
    fn lose_followed<C: Clock>(
        &mut self,
        followed: &mut Followed,
        reason: StaleReason,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        followed.awaits_image = true;
        self.recovery.follow(BookState::Stale(reason), (0, 0));
        self.say_state(now, cx);
    }

    fn follow<C: Clock>(
        &mut self,
        followed: &mut Followed,
        frame: &FeedFrame<'_>,
        bytes: &[u8],
        cx: &mut Context<'_, C>,
    ) -> Result<(), ReplicaError> {
        let (stream, kind, now) = (frame.stream(), frame.kind(), frame.ts_recv());
        let at = Stamp { venue_seq: frame.venue_seq(), ts_event: frame.ts_event(), ts_recv: now };
        let is = |known: Kind| kind == known as u8;
        let is_book = stream == Stream::BOOK;
        let is_of_book = is_book || stream == Stream::BBO;
        if followed.awaits_image && (is_of_book && !(is_book && is(Kind::Image)) || is(Kind::Status)) {
            return Ok(());
        }
        let counted = if stream == Stream::STATUS { Stream::BOOK } else { stream };
        // No sequence goes back within an epoch.
        let is_back = frame.seq() < followed.seqs[usize::from(counted.0)];
        let is_new = frame.epoch() != followed.epoch || is_back;
        if is_new {
            let before = self.epoch(cx.config);
            if self.has_epoch() || is_book && is(Kind::Image) {
                self.resets = self.resets.wrapping_add(1);
            }
            followed.epoch_before = (followed.epoch, before);
            (followed.epoch, followed.seqs) = (frame.epoch(), [0; STREAMS]);
        }
        // Sequences of this engine go on by as much as those of the frames do. A state is said at the book's place.
        let last = std::mem::replace(&mut followed.seqs[usize::from(counted.0)], frame.seq());
        let is_open = stream != Stream::ORDERS || self.order_stream.is_open();
        let mut seq = frame.seq();
        if let Some(cursor) = self.cursor_of(counted) {
            if last != 0 {
                seq = cursor.seq.wrapping_add(seq.wrapping_sub(last));
            }
            if is_open {
                *cursor = Cursor { seq, at };
            }
        }
        if is_book && is(Kind::Delta) && (last == 0 || frame.prev_seq() != last) {
            // Of a journal that was put together from parts.
            self.lose_followed(followed, StaleReason::Skipped, now, cx);
            return Ok(());
        }
        let is_told = match stream {
            Stream::BOOK if is(Kind::Image) => self.follow_image(followed, frame, cx),
            Stream::BOOK if is(Kind::Delta) => {
                let Followed { levels, .. } = &mut *followed;
                levels.clear();
                levels.bids.extend(frame.bids());
                levels.asks.extend(frame.asks());
                cx.stats.book_messages += 1;
                cx.stats.level_changes += levels.view().len() as u64;
                let crossed = cx.stats.crossed;
                let is_taken = self.take(levels.view(), at, cx);
                if followed.has_orders {
                    // Orders that trade with each other cross their book for a moment.
                    cx.stats.orders.crossed += cx.stats.crossed - crossed;
                    cx.stats.crossed = crossed;
                }
                if !is_taken {
                    self.lose_followed(followed, StaleReason::LevelsLimit, now, cx);
                }
                is_taken
            }
            Stream::TRADES => {
                cx.stats.trades += frame.trades().count() as u64;
                self.trades.is_lost = frame.flags().0 & Flags::STALE.0 != 0;
                true
            }
            Stream::LIQUIDATIONS => {
                self.market.liquidations.is_lost = frame.flags().0 & Flags::STALE.0 != 0;
                cx.stats.liquidations += frame.trades().count() as u64;
                self.market.liquidation = frame.trades().last().or(self.market.liquidation);
                true
            }
            Stream::VENUE_BBO => {
                let level = |level: Option<Level>| level.unwrap_or(Level::new(0, 0));
                let (bid, ask) = (level(frame.bids().next()), level(frame.asks().next()));
                let Stamp { venue_seq, ts_event, .. } = at;
                if !is(Kind::Check) {
                    self.venue_top.told = Some(VenueBbo { venue_seq, ts_event, bid, ask });
                    self.venue_top.is_old = frame.flags().0 & Flags::STALE.0 != 0;
                }
                true
            }
            Stream::TICKER => {
                cx.stats.tickers += 1;
                self.market.ticker = frame.ticker().map(|body| body.ticker).or(self.market.ticker);
                true
            }
            Stream::TRADING => {
                cx.stats.statuses += 1;
                self.market.trading = frame.trading().unwrap_or(self.market.trading);
                true
            }
            Stream::STATUS => self.follow_status(followed, frame, cx),
            Stream::ORDERS => {
                followed.has_orders = true;
                followed.orders.apply(frame)?;
                self.order_stream.is_open()
            }
            _ => true,
        };
        if !is_told {
            return Ok(());
        }
        let back = frame.seq().wrapping_sub(frame.prev_seq());
        self.put_again(followed, bytes, (stream, seq, seq.wrapping_sub(back)), frame.gap(), cx);
        match stream {
            Stream::BOOK if is(Kind::Image) && frame.chunk().is_some_and(|(_, is_last)| is_last) => {
                self.open_followed_views(now, cx);
            }
            Stream::BOOK if is(Kind::Delta) => {
                let is_last = frame.flags().0 & Flags::LAST.0 != 0;
                self.told_at = now;
                if self.fed.is_some() {
                    self.feed(followed.levels.view(), is_last, now, cx);
                }
                self.publish_views(now, cx);
                self.publish_costs(now, cx);
                if self.signals.is_some() {
                    self.tell_signals(is_last, now, cx);
                }
            }
            Stream::TRADES => {
                for trade in frame.trades() {
                    self.count_volume(&trade, true, now, cx);
                    if let Some(signals) = self.signals.as_deref_mut() {
                        signals.trade(&trade, now);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A chunk of an image of the book: with the last one the book is that. True where it may be told.
    fn follow_image<C: Clock>(
        &mut self,
        followed: &mut Followed,
        frame: &FeedFrame<'_>,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let (Some(info), Some((is_first, is_last))) = (frame.image_info(), frame.chunk()) else {
            return false;
        };
        if is_first {
            followed.levels.clear();
        }
        followed.levels.bids.extend(frame.bids());
        followed.levels.asks.extend(frame.asks());
        if !is_last {
            return true;
        }
        let now = frame.ts_recv();
        let state = BookState::of_codes(info.state, info.reason);
        let is_whole = self.book.load(followed.levels.view(), info.known_to).is_ok();
        followed.awaits_image = !is_whole;
        let state = match state.filter(|_| is_whole) {
            Some(state) => state,
            None => BookState::Stale(StaleReason::LevelsLimit),
        };
        self.recovery.follow(state, (0, 0));
        (self.price_exponent, self.qty_exponent) = (info.price_exponent, info.qty_exponent);
        self.bbo = Bbo { bid: self.book.best_bid(), ask: self.book.best_ask() };
        self.applied_at = now;
        self.told_at = now;
        self.was_synced |= state == BookState::Synced;
        self.mending.synced(now, &mut cx.stats.mending);
        self.loss.mended(now);
        self.recount(cx.stats);
        self.feed_anew(now, cx);
        self.bbo_doubts = self.doubts();
        true
    }

    /// What is computed of the book begins anew with it.
    fn open_followed_views<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        self.views.open_epoch(now, &self.book, self.bbo.is_crossed());
        self.open_volumes_epoch(now);
        if let Some(costs) = &mut self.costs {
            costs.open_epoch(now, &self.book, self.bbo_doubts);
        }
        self.open_signals_epoch(now);
        let mut index = 0;
        while let Some(stream) = self.views.stream(index) {
            self.publish_image(stream, now, cx);
            index += 1;
        }
        self.publish_volume_images(now, cx);
        self.publish_cost_images(now, cx);
        self.publish_signal_images(now, cx);
    }

    fn follow_status<C: Clock>(
        &mut self,
        followed: &mut Followed,
        frame: &FeedFrame<'_>,
        cx: &mut Context<'_, C>,
    ) -> bool {
        let Some(told) = frame.status() else { return false };
        let Some(state) = BookState::of_codes(told.state, told.reason) else { return false };
        let now = frame.ts_recv();
        // Nothing but an image makes a book whole; where it is whole, that has come.
        if state == BookState::Synced && !self.lead().has_book() {
            return true;
        }
        self.recovery.follow(state, (told.expected, told.received));
        self.loss.told(frame.gap().map(|gap| followed.own_gap(gap, self.epoch(cx.config))));
        match state {
            BookState::Synced => self.mending.synced(now, &mut cx.stats.mending),
            _ if self.was_synced => self.mending.lost(now),
            _ => {}
        }
        if state != BookState::Synced {
            cx.stats.gaps += u64::from(state == BookState::Stale(StaleReason::Gap));
            // An error of the rules leaves them unknown, which is right here.
            let _ = followed.orders.apply(frame);
        }
        self.recount(cx.stats);
        self.feed_anew(now, cx);
        true
    }

    /// Puts a frame out at this engine's place.
    fn put_again<C: Clock>(
        &self,
        followed: &Followed,
        bytes: &[u8],
        (stream, seq, prev_seq): (Stream, u64, u64),
        gap: Option<GapBody>,
        cx: &mut Context<'_, C>,
    ) {
        let Some(at) = find_header(bytes) else { return };
        let (epoch, sent, is_replay) = (self.epoch(cx.config), cx.clock.now(), cx.config.is_replay);
        cx.out.frame(self.id, stream, |out| {
            let start = out.len();
            out.extend_from_slice(bytes);
            let header = &mut out[start + at..];
            for (at, word) in [(AT_EPOCH, epoch), (AT_SEQ, seq), (AT_PREV_SEQ, prev_seq), (AT_TS_SEND, sent)]
            {
                header[at..at + 8].copy_from_slice(&word.to_le_bytes());
            }
            let flags = u16::from_le_bytes([header[AT_FLAGS], header[AT_FLAGS + 1]]);
            let flags = Flags(flags).with(Flags::REPLAY.when(is_replay));
            header[AT_FLAGS..AT_FLAGS + 2].copy_from_slice(&flags.0.to_le_bytes());
            if let Some(gap) = gap {
                let own = followed.own_gap(gap, epoch).epoch_before;
                if let Some(place) = header.get_mut(AT_EPOCH_BEFORE..AT_EPOCH_BEFORE + 8)
                    && *place == gap.epoch_before.to_le_bytes()
                {
                    place.copy_from_slice(&own.to_le_bytes());
                }
            }
        });
    }

    /// How far this engine has written a stream.
    fn cursor_of(&mut self, stream: Stream) -> Option<&mut Cursor> {
        Some(match stream {
            Stream::BOOK => &mut self.book_cursor,
            Stream::BBO => &mut self.bbo_cursor,
            Stream::TRADES => &mut self.trades.cursor,
            Stream::VENUE_BBO => &mut self.venue_top.cursor,
            Stream::ORDERS => &mut self.order_stream.cursor,
            Stream::TICKER => &mut self.market.ticker_cursor,
            Stream::LIQUIDATIONS => &mut self.market.liquidations.cursor,
            Stream::TRADING => &mut self.market.trading_cursor,
            _ => return None,
        })
    }

    /// The digest of what orders add up to that frames have told, or none where they told none; none where no frames are followed.
    pub(super) fn followed_orders_digest(&self) -> Option<Option<String>> {
        let Followed { orders, has_orders, .. } = &**self.followed.as_ref()?;
        let of = || {
            let [bids, asks] = [Side::Bid, Side::Ask].map(|side| orders.levels(side));
            digest(bids, asks, self.price_exponent, self.qty_exponent)
        };
        Some(has_orders.then(of))
    }

    /// Hands out an image of the orders that frames have told.
    pub(super) fn image_of_followed_orders<C: Clock>(
        &mut self,
        config: &EngineConfig,
        clock: &C,
        emit: impl FnMut(&[u8]),
    ) {
        let Some(followed) = self.followed.take() else { return };
        let known = &followed.orders;
        if known.state() == ReplicaState::Synced && !self.is_held {
            let Cursor { seq, at } = self.order_stream.cursor;
            let mut header = self.stamp(Kind::Image, Stream::ORDERS, (seq, seq), at, config, clock);
            // They are exact by what was told of them.
            header.flags = header.flags.without(Flags::STALE).with(self.doubts());
            let orders: Vec<_> = [Side::Bid, Side::Ask]
                .into_iter()
                .flat_map(|side| known.list(side))
                .map(|(name, order)| OrderBody {
                    name,
                    price: order.price,
                    qty: order.qty,
                    place: PLACE_LAST,
                    action: OrderAction::Add,
                    side: Some(order.side),
                    cause: OrderCause::Unknown,
                })
                .collect();
            let (price_exponent, qty_exponent) = known.exponents();
            let body = ImageBody {
                known_to: self.book.known_to(),
                depth: 0,
                price_exponent,
                qty_exponent,
                state: BookState::Synced.code(),
                reason: 0,
                check: check_of(&orders),
            };
            let text_of = |number| known.text(number).unwrap_or_default();
            write_orders_image(&mut self.bytes, &header, &body, &orders, text_of, emit);
        }
        self.followed = Some(followed);
    }
}
