//! What an instrument writes: frames of every stream, and the images that open or join them.

use super::EngineConfig;
use super::instrument::{Context, InstrumentState};
use crate::aggregate::{Bbo, checksums};
use crate::encode::{
    CheckBody, Flags, Header, ImageBody, Kind, StatusBody, Stream, TickerBody, ViewBody, write_check,
    write_image, write_levels, write_status, write_ticker, write_trades, write_trading,
};
use crate::types::{BookState, Clock, Events, KnownTo, Level, Levels, Side, Sides, TimeNs, Trade, VenueBbo};

/// A stream of levels that changed publishes a check frame at least this often.
const CHECK_INTERVAL_NS: u64 = 1_000_000_000;

/// The streams that an epoch opens with an image, those of depth views and `status` aside.
const IMAGES: [Stream; 7] = [
    Stream::BOOK,
    Stream::BBO,
    Stream::TRADES,
    Stream::VENUE_BBO,
    Stream::LIQUIDATIONS,
    Stream::TICKER,
    Stream::TRADING,
];

/// A place in the venue's sequence and time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stamp {
    pub(super) venue_seq: u64,
    pub(super) ts_event: TimeNs,
    pub(super) ts_recv: TimeNs,
}

/// How far a stream has been written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    /// Sequence of the last frame.
    pub(super) seq: u64,
    /// What the last frame holds.
    pub(super) at: Stamp,
}

/// When a stream's next check frame is due.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CheckTimer {
    checked_at: TimeNs,
    has_changed: bool,
}

impl CheckTimer {
    /// The stream has changed.
    pub(super) const fn changed(&mut self) {
        self.has_changed = true;
    }

    /// Whether a check is due. A clock that was set back does not hold it up.
    pub(super) const fn is_due(&self, now: TimeNs) -> bool {
        self.has_changed && (now < self.checked_at || now - self.checked_at >= CHECK_INTERVAL_NS)
    }

    /// A check, or an image, which holds one, was written.
    pub(super) const fn done(&mut self, now: TimeNs) {
        *self = Self { checked_at: now, has_changed: false };
    }
}

impl InstrumentState {
    /// Publishes what an applied update changed. `is_last`: the venue's event ends with it.
    #[inline]
    pub(super) fn publish<C: Clock>(
        &mut self,
        levels: Sides<'_>,
        bbo_changed: bool,
        is_last: bool,
        now: TimeNs,
        cx: &mut Context<'_, C>,
    ) {
        self.book_cursor.seq += 1;
        self.told_at = self.book_cursor.at.ts_recv;
        self.book_check.changed();
        if self.fed.is_some() {
            self.feed(levels, is_last, now, cx);
        }
        let mut header = self.header(Kind::Delta, Stream::BOOK, self.book_cursor, cx);
        if !is_last {
            header.flags = header.flags.without(Flags::LAST);
        }
        cx.out.frame(self.id, Stream::BOOK, |out| write_levels(out, &header, levels.bids, levels.asks));
        cx.count_latency(&header);
        // It is of the same top.
        let doubts = header.flags.doubts();
        if bbo_changed {
            self.bbo_cursor = Cursor { seq: self.bbo_cursor.seq + 1, at: self.book_cursor.at };
            let header = self.header(Kind::Bbo, Stream::BBO, self.bbo_cursor, cx);
            let Bbo { bid, ask } = self.bbo;
            cx.out.frame(self.id, Stream::BBO, |out| {
                write_levels(out, &header, bid.as_slice(), ask.as_slice())
            });
        } else if doubts != self.bbo_doubts {
            self.publish_top_check(cx);
        }
        self.bbo_doubts = doubts;
        self.publish_views(now, cx);
        self.publish_costs(now, cx);
        if self.signals.is_some() {
            self.tell_signals(is_last, now, cx);
        }
        self.publish_check_if_due(now, cx);
    }

    /// Publishes the venue's own top of book.
    pub(super) fn publish_venue_top<C: Clock>(&mut self, top: &VenueBbo, cx: &mut Context<'_, C>) {
        let (bid, ask) = (present(top.bid), present(top.ask));
        let header = self.header(Kind::Bbo, Stream::VENUE_BBO, self.venue_top.cursor, cx);
        cx.out.frame(self.id, Stream::VENUE_BBO, |out| {
            write_levels(out, &header, bid.as_slice(), ask.as_slice())
        });
    }

    /// Publishes a trade.
    pub(super) fn publish_trade<C: Clock>(
        &mut self,
        trade: &Trade,
        text: Option<&[u8]>,
        cx: &mut Context<'_, C>,
    ) {
        let names = text.map(|text| (trade.id.value(), text)).into_iter();
        let header = self.header(Kind::Trade, Stream::TRADES, self.trades.cursor, cx);
        cx.out.frame(self.id, Stream::TRADES, |out| {
            write_trades(out, &header, std::slice::from_ref(trade), names)
        });
        cx.count_latency(&header);
    }

    /// Publishes trades that closed positions by force.
    pub(super) fn publish_liquidations<C: Clock>(
        &mut self,
        trades: &[Trade],
        events: &Events,
        cx: &mut Context<'_, C>,
    ) {
        let named = |trade: &Trade| Some((trade.id.value(), events.text_of(trade.id)?));
        let stream = Stream::LIQUIDATIONS;
        let header = self.header(Kind::Liquidation, stream, self.market.liquidations.cursor, cx);
        cx.out.frame(self.id, stream, |out| {
            write_trades(out, &header, trades, trades.iter().filter_map(named))
        });
    }

    /// Publishes the statistics.
    pub(super) fn publish_ticker<C: Clock>(&mut self, cx: &mut Context<'_, C>) {
        let header = self.header(Kind::Ticker, Stream::TICKER, self.market.ticker_cursor, cx);
        let Some(body) = self.ticker_body() else { return };
        cx.out.frame(self.id, Stream::TICKER, |out| write_ticker(out, &header, None, &body));
    }

    /// Publishes whether the instrument trades.
    pub(super) fn publish_trading<C: Clock>(&mut self, cx: &mut Context<'_, C>) {
        let header = self.header(Kind::Trading, Stream::TRADING, self.market.trading_cursor, cx);
        let body = self.market.trading;
        cx.out.frame(self.id, Stream::TRADING, |out| write_trading(out, &header, None, &body));
    }

    pub(super) fn ticker_body(&self) -> Option<TickerBody> {
        let (price_exponent, qty_exponent) = (self.price_exponent, self.qty_exponent);
        self.market.ticker.map(|ticker| TickerBody { ticker, price_exponent, qty_exponent })
    }

    /// Publishes the depth views that are due, and their checksums.
    pub(super) fn publish_views<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let (known_to, is_crossed) = (self.book.known_to(), self.bbo.is_crossed());
        let mut index = 0;
        while let Some(slot) = self.views.get_mut(index) {
            index += 1;
            let mut merged = 0;
            if slot.view.is_due(now) {
                let (changes, updates) = slot.view.flush(now, &self.book);
                if !changes.is_empty() {
                    slot.cursor = Cursor { seq: slot.cursor.seq + 1, at: self.book_cursor.at };
                    slot.check.changed();
                    merged = updates;
                }
            }
            // A doubt that begins or ends while the levels stay is told at once.
            let is_news = slot.doubt(known_to, is_crossed) && merged == 0;
            let is_check_due = is_news || slot.check.is_due(now);
            if is_check_due {
                slot.check.done(now);
            }
            let stream = slot.stream;
            let Some(slot) = self.views.find(stream) else { continue };
            if merged > 0 {
                let mut header = self.header(Kind::Delta, stream, slot.cursor, cx);
                header.flags = header.flags.with(Flags::CONFLATED.when(merged > 1));
                let Levels { bids, asks } = slot.view.changes();
                cx.out.frame(self.id, stream, |out| write_levels(out, &header, bids, asks));
            }
            if is_check_due {
                let header = self.header(Kind::Check, stream, slot.cursor, cx);
                let check = check_body(slot.view.published());
                cx.out.frame(self.id, stream, |out| write_check(out, &header, &check));
            }
        }
    }

    /// Publishes the book's checksums, once a second while it changes.
    #[inline]
    pub(super) fn publish_check_if_due<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.book_check.is_due(now) {
            self.publish_check(now, cx);
        }
    }

    /// Publishes the book's checksums.
    pub(super) fn publish_check<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        self.book_check.done(now);
        self.collect_book();
        let check = check_body(&self.levels);
        let header = self.header(Kind::Check, Stream::BOOK, self.book_cursor, cx);
        cx.out.frame(self.id, Stream::BOOK, |out| write_check(out, &header, &check));
    }

    /// Publishes the checksums of the top: what is doubted of it has changed, and it has not.
    #[cold]
    fn publish_top_check<C: Clock>(&mut self, cx: &mut Context<'_, C>) {
        if let Some((cursor, ..)) = self.collect(Stream::BBO) {
            let check = check_body(&self.levels);
            let header = self.header(Kind::Check, Stream::BBO, cursor, cx);
            cx.out.frame(self.id, Stream::BBO, |out| write_check(out, &header, &check));
        }
    }

    /// The check frame of a stream of levels as it is now, which says what is doubted of it, too. None where it has no state.
    /// Cost: linear in the levels.
    pub(super) fn check_frame<C: Clock>(
        &mut self,
        stream: Stream,
        config: &EngineConfig,
        clock: &C,
    ) -> Option<&[u8]> {
        let (Cursor { seq, at }, ..) = self.collect(stream)?;
        let header = self.stamp(Kind::Check, stream, (seq, seq), at, config, clock);
        self.bytes.clear();
        write_check(&mut self.bytes, &header, &check_body(&self.levels));
        Some(&self.bytes)
    }

    /// Publishes an image of every stream, and the state: an epoch opens.
    pub(super) fn publish_images<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        for stream in IMAGES {
            self.publish_image(stream, now, cx);
        }
        let mut index = 0;
        while let Some(stream) = self.views.stream(index) {
            self.publish_image(stream, now, cx);
            index += 1;
        }
        self.publish_volume_images(now, cx);
        self.publish_cost_images(now, cx);
        self.publish_signal_images(now, cx);
        self.publish_image(Stream::STATUS, now, cx);
    }

    pub(super) fn publish_image<C: Clock>(&mut self, stream: Stream, now: TimeNs, cx: &mut Context<'_, C>) {
        let Context { config, clock, out, .. } = cx;
        let id = self.id;
        self.image(stream, now, config, *clock, |frame| {
            out.frame(id, stream, |bytes| bytes.extend_from_slice(frame));
        });
    }

    /// Hands out a stream's whole state, as one frame or several. Nothing when there is none: no book since the last
    /// reset, no top of the venue or no statistics yet, a view that is not open.
    pub(super) fn image<C: Clock>(
        &mut self,
        stream: Stream,
        now: TimeNs,
        config: &EngineConfig,
        clock: &C,
        mut emit: impl FnMut(&[u8]),
    ) {
        if stream == Stream::STATUS {
            return self.status(now, config, clock, emit);
        }
        if stream.is_volumes() {
            return self.volumes_image(stream, config, clock, emit);
        }
        if stream.is_costs() {
            if self.write_costs_of(stream, None, config, clock) {
                emit(&self.bytes);
            }
            return;
        }
        if stream.is_signals() {
            if self.write_signals_of(stream, None, config, clock) {
                emit(&self.bytes);
            }
            return;
        }
        let Some((cursor, depth, known_to)) = self.collect(stream) else { return };
        let header = self.stamp(Kind::Image, stream, (cursor.seq, cursor.seq), cursor.at, config, clock);
        let body = ImageBody {
            known_to,
            depth,
            price_exponent: self.price_exponent,
            qty_exponent: self.qty_exponent,
            state: self.state().code(),
            reason: self.state().reason_code(),
            check: check_body(&self.levels),
        };
        match stream {
            Stream::TICKER => {
                let Some(ticker) = self.ticker_body() else { return };
                self.bytes.clear();
                write_ticker(&mut self.bytes, &header, Some(&body), &ticker);
                return emit(&self.bytes);
            }
            Stream::TRADING => {
                self.bytes.clear();
                write_trading(&mut self.bytes, &header, Some(&body), &self.market.trading);
                return emit(&self.bytes);
            }
            _ => {}
        }
        let view = self.views.find(stream).map(|slot| ViewBody {
            grouping: slot.view.grouping(),
            interval_ns: slot.view.interval_ns(),
            depth: slot.view.depth(),
        });
        let Levels { bids, asks } = &self.levels;
        write_image(&mut self.bytes, &header, &body, view.as_ref(), bids, asks, &mut emit);
    }

    fn status<C: Clock>(
        &mut self,
        now: TimeNs,
        config: &EngineConfig,
        clock: &C,
        mut emit: impl FnMut(&[u8]),
    ) {
        let Cursor { seq, at } = self.book_cursor;
        let header = self.stamp(Kind::Status, Stream::STATUS, (seq, seq), at, config, clock);
        let (expected, received) = self.lead().gap();
        let (state, reason) = (self.state().code(), self.state().reason_code());
        let body = StatusBody { expected, received, age_ns: self.age_ns(now), state, reason };
        let gap = self.gap().copied();
        self.bytes.clear();
        write_status(&mut self.bytes, &header, &body, gap.as_ref());
        emit(&self.bytes);
    }

    /// Puts a stream's state into `levels`; returns its place, its depth (0 = all) and how far it is known.
    pub(super) fn collect(&mut self, stream: Stream) -> Option<(Cursor, u32, KnownTo)> {
        if self.is_held {
            return None;
        }
        let known_to = self.book.known_to();
        self.levels.clear();
        match stream {
            Stream::BOOK if self.lead().has_book() => {
                self.collect_book();
                Some((self.book_cursor, 0, known_to))
            }
            Stream::BBO if self.lead().has_book() => {
                self.levels.bids.extend(self.bbo.bid);
                self.levels.asks.extend(self.bbo.ask);
                Some((Cursor { seq: self.bbo_cursor.seq, at: self.book_cursor.at }, 1, known_to))
            }
            // Trades have no state but their place in the stream.
            Stream::TRADES => Some((self.trades.cursor, 0, KnownTo::WHOLE)),
            Stream::LIQUIDATIONS => Some((self.market.liquidations.cursor, 0, KnownTo::WHOLE)),
            Stream::TICKER => {
                let cursor = self.market.ticker_cursor;
                self.market.ticker.map(|_| (cursor, 0, KnownTo::WHOLE))
            }
            Stream::TRADING => {
                let cursor = self.market.trading_cursor;
                (cursor.seq > 0).then_some((cursor, 0, KnownTo::WHOLE))
            }
            Stream::VENUE_BBO => {
                let top = self.venue_top.told?;
                self.levels.bids.extend(present(top.bid));
                self.levels.asks.extend(present(top.ask));
                Some((self.venue_top.cursor, 1, KnownTo { bid: top.bid.price, ask: top.ask.price }))
            }
            _ => {
                let slot = self.views.find(stream).filter(|_| self.lead().has_book())?;
                let Levels { bids, asks } = slot.view.published();
                self.levels.bids.extend_from_slice(bids);
                self.levels.asks.extend_from_slice(asks);
                let cursor = Cursor { seq: slot.cursor.seq, at: slot.place(self.book_cursor.at) };
                Some((cursor, slot.view.depth(), known_to))
            }
        }
    }

    pub(super) fn collect_book(&mut self) {
        self.levels.clear();
        self.book.levels(Side::Bid).append_to(usize::MAX, &mut self.levels.bids);
        self.book.levels(Side::Ask).append_to(usize::MAX, &mut self.levels.asks);
    }

    /// The header of a frame that follows the one before it in its stream; a check follows itself.
    #[inline]
    pub(super) fn header<C: Clock>(
        &self,
        kind: Kind,
        stream: Stream,
        cursor: Cursor,
        cx: &Context<'_, C>,
    ) -> Header {
        let prev_seq = if kind == Kind::Check { cursor.seq } else { cursor.seq - 1 };
        self.stamp(kind, stream, (cursor.seq, prev_seq), cursor.at, cx.config, cx.clock)
    }

    #[inline]
    pub(super) fn stamp<C: Clock>(
        &self,
        kind: Kind,
        stream: Stream,
        (seq, prev_seq): (u64, u64),
        at: Stamp,
        config: &EngineConfig,
        clock: &C,
    ) -> Header {
        Header {
            epoch: self.epoch(config),
            seq,
            prev_seq,
            venue_seq: at.venue_seq,
            ts_event: at.ts_event,
            ts_recv: at.ts_recv,
            ts_send: clock.now(),
            instrument: self.id.0,
            kind,
            stream,
            flags: self.flags(kind, stream).with(Flags::REPLAY.when(config.is_replay)),
        }
    }

    #[inline]
    fn flags(&self, kind: Kind, stream: Stream) -> Flags {
        let flags = Flags::LAST.when(!matches!(kind, Kind::Check | Kind::Status));
        match stream {
            Stream::TRADES => flags.with(Flags::STALE.when(self.trades.is_lost)),
            Stream::LIQUIDATIONS => flags.with(Flags::STALE.when(self.market.liquidations.is_lost)),
            _ if stream.is_volumes() => flags.with(Flags::STALE.when(self.trades.is_lost)),
            Stream::TICKER | Stream::TRADING => flags,
            Stream::VENUE_BBO => flags.with(Flags::VENUE).with(Flags::STALE.when(self.venue_top.is_old)),
            Stream::ORDERS => flags.with(self.order_flags()),
            _ => {
                let doubts = if stream.is_depth() {
                    self.views.find(stream).map_or(Flags::NONE, |slot| slot.doubts)
                } else {
                    self.doubts()
                };
                flags.with(Flags::STALE.when(self.state() != BookState::Synced)).with(doubts)
            }
        }
    }

    /// What is doubted of a book that is synced: whether it is crossed, and whether its top lies beyond what the venue has made
    /// known.
    #[inline]
    pub(super) fn doubts(&self) -> Flags {
        let is_beyond = self.top_is_beyond(self.book.known_to());
        Flags::CROSSED.when(self.bbo.is_crossed()).with(Flags::BEYOND_KNOWN.when(is_beyond))
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
