//! The views of an instrument's signals, each with its place on the wire.
//!
//! They begin anew with every epoch: what was before a loss, or at another scale, is in none of them. What is made of trades
//! begins anew whenever trades may be missing, too, with the next one that is told, and is absent until then. They are told
//! behind an event of the venue that changed the book; a trade, and another forward of an option, is told with the next one, or
//! with the next tick.

use super::instrument::{Context, InstrumentState};
use super::streams::Cursor;
use super::{EngineConfig, SIGNAL_VIEWS_MAX};
use crate::aggregate::Bbo;
use crate::book::L2Book;
use crate::encode::{CheckBody, Flags, ImageBody, Kind, SignalBody, Stream, ViewBody, write_signals};
use crate::signal::{OptionMarket, SignalId, SignalParams, SignalRow, SignalScale, Signals};
use crate::types::{Clock, TimeNs, Trade};

/// One view and those who read it.
#[derive(Debug)]
struct SignalSlot {
    signals: Signals,
    interval_ns: u64,
    stream: Stream,
    cursor: Cursor,
    /// What readers were told to doubt of the book.
    doubts: Flags,
    published: Vec<SignalBody>,
    /// Events since it was published.
    events: u32,
    flushed_at: TimeNs,
    readers: u32,
}

/// All open views.
#[derive(Debug, Default)]
pub(super) struct SignalViews {
    slots: Vec<SignalSlot>,
    /// The highest sequence of a view closed in this epoch; see [`super::views::Views`].
    closed_seq: u64,
    /// Whether the book is between changes of one event.
    is_amid: bool,
    /// Reused.
    rows: Vec<SignalRow>,
}

impl SignalViews {
    /// A trade has been told.
    #[inline(never)]
    pub(super) fn trade(&mut self, trade: &Trade, now: TimeNs) {
        for slot in &mut self.slots {
            slot.signals.trade(trade, now);
            slot.events = slot.events.saturating_add(1);
        }
    }

    /// Where a stream stands, if it is open.
    pub(super) fn seq(&self, stream: Stream) -> Option<u64> {
        self.find(stream).map(|slot| slot.cursor.seq)
    }

    fn find(&self, stream: Stream) -> Option<&SignalSlot> {
        self.slots.iter().find(|slot| slot.stream == stream)
    }
}

impl SignalSlot {
    /// Computes what is to be published.
    fn write(&mut self, book: &L2Book, option: Option<&OptionMarket>, rows: &mut Vec<SignalRow>) {
        self.signals.write(book, rows);
        if let Some(option) = option {
            option.write(self.signals.now(), rows);
        }
        self.published.clear();
        self.published.extend(rows.iter().map(body_of));
    }

    /// Whether a publication is due. A clock that was set back does not hold it up.
    const fn is_due(&self, now: TimeNs) -> bool {
        self.events > 0 && (now < self.flushed_at || now - self.flushed_at >= self.interval_ns)
    }
}

impl InstrumentState {
    /// Opens a view, or joins the one that is alike. `None` when there are [`SIGNAL_VIEWS_MAX`], or of parameters that are not
    /// possible.
    pub(super) fn open_signals(
        &mut self,
        interval_ns: u64,
        params: SignalParams,
        now: TimeNs,
    ) -> Option<Stream> {
        let (has_book, is_doubted) = (self.lead().has_book(), self.doubts() != Flags::NONE);
        let (has_trades, scale) = (self.trades.is_told(), self.signal_scale());
        let (begun, option) = (self.last_event_at(now), self.option_market());
        let views = &mut **self.signals.get_or_insert_default();
        let is_alike =
            |slot: &&mut SignalSlot| slot.interval_ns == interval_ns && *slot.signals.params() == params;
        if let Some(slot) = views.slots.iter_mut().find(is_alike) {
            slot.readers += 1;
            return Some(slot.stream);
        }
        if views.slots.len() == SIGNAL_VIEWS_MAX {
            return None;
        }
        let is_free = |number: &u8| views.slots.iter().all(|slot| slot.stream.0 != *number);
        let stream = Stream((Stream::SIGNALS_FIRST.0..Stream::END.0).find(is_free)?);
        let mut slot = SignalSlot {
            signals: Signals::new(params, scale, (&self.book, is_doubted), has_trades, begun)?,
            interval_ns,
            stream,
            cursor: Cursor { seq: views.closed_seq + 1, at: self.book_cursor.at },
            doubts: self.bbo_doubts,
            published: Vec::with_capacity(SignalId::ALL.len()),
            events: 0,
            flushed_at: now,
            readers: 1,
        };
        views.rows.reserve(SignalId::ALL.len());
        if has_book {
            slot.write(&self.book, option.as_ref(), &mut views.rows);
        }
        views.slots.push(slot);
        Some(stream)
    }

    /// Leaves a view; the last reader closes it. Whether it is closed.
    pub(super) fn close_signals(&mut self, stream: Stream) -> bool {
        let Some(SignalViews { slots, closed_seq, .. }) = self.signals.as_deref_mut() else { return false };
        let Some(index) = slots.iter().position(|slot| slot.stream == stream) else { return false };
        slots[index].readers -= 1;
        let is_closed = slots[index].readers == 0;
        if is_closed {
            *closed_seq = slots.swap_remove(index).cursor.seq.max(*closed_seq);
        }
        is_closed
    }

    /// Every view begins anew with the book, at sequence 1.
    #[inline(never)]
    pub(super) fn open_signals_epoch(&mut self, now: TimeNs) {
        let (has_trades, doubts) = (self.trades.is_told(), self.bbo_doubts);
        let (begun, option) = (self.last_event_at(now), self.option_market());
        let Some(SignalViews { slots, closed_seq, is_amid, rows }) = self.signals.as_deref_mut() else {
            return;
        };
        (*closed_seq, *is_amid) = (0, false);
        for slot in slots {
            slot.signals.begin((&self.book, doubts != Flags::NONE), has_trades, begun);
            slot.write(&self.book, option.as_ref(), rows);
            slot.cursor = Cursor { seq: 1, at: self.book_cursor.at };
            (slot.doubts, slot.events, slot.flushed_at) = (doubts, 0, now);
        }
    }

    /// Takes another scale; the epoch that follows begins them anew. `volume`: what a volume is at it.
    pub(super) fn rescale_signals(&mut self, volume: impl Fn(i64) -> i64) {
        let scale = self.signal_scale();
        for slot in self.signals.iter_mut().flat_map(|views| &mut views.slots) {
            slot.signals.rescale(scale, &volume);
        }
    }

    /// The step of prices may be another.
    pub(super) fn step_signals(&mut self) {
        let SignalScale { tick_size, .. } = self.signal_scale();
        for slot in self.signals.iter_mut().flat_map(|views| &mut views.slots) {
            slot.signals.set_tick_size(tick_size);
        }
    }

    /// Trades may be missing from now on.
    #[inline(never)]
    pub(super) fn lose_signal_trades(&mut self) {
        for slot in self.signals.iter_mut().flat_map(|views| &mut views.slots) {
            slot.signals.lose_trades();
            slot.events = slot.events.saturating_add(1);
        }
    }

    /// What its venue tells of the underlying is another.
    #[inline(never)]
    pub(super) fn count_forward(&mut self) {
        if self.option.is_some() {
            for slot in self.signals.iter_mut().flat_map(|views| &mut views.slots) {
                slot.events = slot.events.saturating_add(1);
            }
        }
    }

    /// What is known of it as an option; none of what is none, and before its venue has told a forward.
    fn option_market(&self) -> Option<OptionMarket> {
        let contract = self.option?;
        let ticker = self.market.ticker.as_ref()?;
        Some(OptionMarket {
            contract,
            forward: ticker.underlying?,
            forward_at: self.market.ticker_cursor.at.ts_recv,
            rate_e9: ticker.interest_rate_e9.unwrap_or(0),
            best: if self.doubts() == Flags::NONE { self.bbo } else { Bbo::default() },
            price_exponent: self.price_exponent,
        })
    }

    /// When the last event of the book or trade was received: nothing has happened since. `now` where there was none.
    fn last_event_at(&self, now: TimeNs) -> TimeNs {
        match self.book_cursor.at.ts_recv.max(self.trades.cursor.at.ts_recv) {
            0 => now,
            at => at,
        }
    }

    const fn signal_scale(&self) -> SignalScale {
        SignalScale {
            price_exponent: self.price_exponent,
            qty_exponent: self.qty_exponent,
            tick_size: self.tick_size,
        }
    }

    /// Takes an update that was published. Of one by which the venue's event ends the views that are due are published.
    #[inline(never)]
    pub(super) fn tell_signals<C: Clock>(&mut self, is_last: bool, now: TimeNs, cx: &mut Context<'_, C>) {
        let is_doubted = self.doubts() != Flags::NONE;
        let Some(views) = self.signals.as_deref_mut() else { return };
        views.is_amid = !is_last;
        if !is_last {
            return;
        }
        for slot in &mut views.slots {
            slot.signals.event((&self.book, is_doubted), now);
            slot.events = slot.events.saturating_add(1);
        }
        self.publish_signals(now, cx);
    }

    /// Publishes the views that are due. Of a book that is synced.
    #[inline(never)]
    pub(super) fn publish_signals<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let (doubts, option) = (self.doubts(), self.option_market());
        let Some(mut views) = self.signals.take() else { return };
        let SignalViews { slots, rows, is_amid, .. } = &mut *views;
        for slot in slots.iter_mut().filter(|slot| !*is_amid && slot.is_due(now)) {
            slot.write(&self.book, option.as_ref(), rows);
            slot.doubts = doubts;
            slot.cursor = Cursor { seq: slot.cursor.seq + 1, at: self.book_cursor.at };
            let merged = std::mem::take(&mut slot.events);
            slot.flushed_at = now;
            let mut header = self.header(Kind::Signals, slot.stream, slot.cursor, cx);
            header.flags = header.flags.with(Flags::CONFLATED.when(merged > 1));
            let published = &slot.published;
            cx.out.frame(self.id, slot.stream, |out| write_signals(out, &header, None, published));
        }
        self.signals = Some(views);
    }

    #[inline(never)]
    pub(super) fn publish_signal_images<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let stream = |index: usize| Some(self.signals.as_deref()?.slots.get(index)?.stream);
        let streams: [Option<Stream>; SIGNAL_VIEWS_MAX] = std::array::from_fn(stream);
        for stream in streams.into_iter().flatten() {
            self.publish_image(stream, now, cx);
        }
    }

    /// Writes the image of a view into `bytes`, or with `from` the frame that follows that sequence. False where there is none.
    pub(super) fn write_signals_of<C: Clock>(
        &mut self,
        stream: Stream,
        from: Option<u64>,
        config: &EngineConfig,
        clock: &C,
    ) -> bool {
        if self.is_held || !self.lead().has_book() {
            return false;
        }
        let Some(slot) = self.signals.as_deref().and_then(|views| views.find(stream)) else { return false };
        let Cursor { seq, at } = slot.cursor;
        let (kind, prev_seq) = from.map_or((Kind::Image, seq), |from| (Kind::Signals, from));
        let mut header = self.stamp(kind, stream, (seq, prev_seq), at, config, clock);
        // The doubts of the state that is told, not of the present.
        header.flags = header.flags.without(Flags::CROSSED.with(Flags::BEYOND_KNOWN)).with(slot.doubts);
        header.flags = header.flags.with(Flags::CONFLATED.when(from.is_some()));
        let body = ImageBody {
            known_to: self.book.known_to(),
            depth: 0,
            price_exponent: self.price_exponent,
            qty_exponent: self.qty_exponent,
            state: self.state().code(),
            reason: self.state().reason_code(),
            check: CheckBody::default(),
        };
        let view = ViewBody { grouping: 0, interval_ns: slot.interval_ns, depth: 0 };
        let image = from.is_none().then_some((&body, &view));
        self.bytes.clear();
        write_signals(&mut self.bytes, &header, image, &slot.published);
        true
    }
}

fn body_of(row: &SignalRow) -> SignalBody {
    SignalBody {
        id: row.id as u16,
        value: row.value,
        exponent: row.exponent,
        window_ns: row.window_ns,
        ts_event: row.at,
        flags: if row.is_partial { SignalBody::PARTIAL } else { 0 },
    }
}
