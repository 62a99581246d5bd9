//! The views of what quantities cost, each with its place on the wire. They follow the book.

use super::instrument::{Context, InstrumentState};
use super::streams::Cursor;
use super::{COST_VIEWS_MAX, EngineConfig};
use crate::aggregate::CostView;
use crate::book::{L2Book, Touched};
use crate::encode::{CheckBody, Flags, ImageBody, Kind, Stream, ViewBody, write_costs};
use crate::types::{Clock, TimeNs};

/// One view and those who read it.
#[derive(Debug)]
struct CostSlot {
    view: CostView,
    stream: Stream,
    cursor: Cursor,
    /// What readers were told to doubt of the book.
    doubts: Flags,
    readers: u32,
}

/// All open views.
#[derive(Debug, Default)]
pub(super) struct Costs {
    slots: Vec<CostSlot>,
    /// The highest sequence of a view closed in this epoch; see [`super::views::Views`].
    closed_seq: u64,
}

impl Costs {
    /// Notes an update.
    #[inline]
    pub(super) fn touch(&mut self, touched: Touched) {
        for slot in &mut self.slots {
            slot.view.touch(touched);
        }
    }

    /// Takes the book as every view's state, at sequence 1.
    pub(super) fn open_epoch(&mut self, now: TimeNs, book: &L2Book, doubts: Flags) {
        self.closed_seq = 0;
        for slot in &mut self.slots {
            slot.view.image(now, book);
            (slot.cursor.seq, slot.doubts) = (1, doubts);
        }
    }

    /// Takes another scale.
    pub(super) fn rescale(&mut self, price_exponent: i8, qty_exponent: i8, qty: impl Fn(i64) -> i64) {
        for slot in &mut self.slots {
            slot.view.rescale(price_exponent, qty_exponent, &qty);
        }
    }

    /// Where a stream stands, if it is open.
    pub(super) fn seq(&self, stream: Stream) -> Option<u64> {
        self.find(stream).map(|slot| slot.cursor.seq)
    }

    fn find(&self, stream: Stream) -> Option<&CostSlot> {
        self.slots.iter().find(|slot| slot.stream == stream)
    }
}

impl InstrumentState {
    /// Opens a view, or joins the one that is alike. `is_alike` says which that is.
    pub(super) fn open_costs(
        &mut self,
        is_alike: impl Fn(&CostView) -> bool,
        view: CostView,
        now: TimeNs,
    ) -> Option<Stream> {
        let has_book = self.lead().has_book();
        let Costs { slots, closed_seq } = &mut **self.costs.get_or_insert_default();
        if let Some(slot) = slots.iter_mut().find(|slot| is_alike(&slot.view)) {
            slot.readers += 1;
            return Some(slot.stream);
        }
        if slots.len() == COST_VIEWS_MAX {
            return None;
        }
        let is_free = |number: &u8| slots.iter().all(|slot| slot.stream.0 != *number);
        let stream = Stream((Stream::COSTS_FIRST.0..Stream::SIGNALS_FIRST.0).find(is_free)?);
        let cursor = Cursor { seq: *closed_seq + 1, at: self.book_cursor.at };
        let mut slot = CostSlot { view, stream, cursor, doubts: self.bbo_doubts, readers: 1 };
        if has_book {
            slot.view.image(now, &self.book);
        }
        slots.push(slot);
        Some(stream)
    }

    /// Leaves a view; the last reader closes it. Whether it is closed.
    pub(super) fn close_costs(&mut self, stream: Stream) -> bool {
        let Some(Costs { slots, closed_seq }) = self.costs.as_deref_mut() else { return false };
        let Some(index) = slots.iter().position(|slot| slot.stream == stream) else { return false };
        slots[index].readers -= 1;
        let is_closed = slots[index].readers == 0;
        if is_closed {
            *closed_seq = slots.swap_remove(index).cursor.seq.max(*closed_seq);
        }
        is_closed
    }

    /// Publishes the views that are due and have changed. Of a book that is synced.
    #[inline]
    pub(super) fn publish_costs<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.costs.is_none() {
            return;
        }
        let Some(mut costs) = self.costs.take() else { return };
        let doubts = self.doubts();
        for slot in costs.slots.iter_mut().filter(|slot| slot.view.is_due(now)) {
            let (has_changed, merged) = slot.view.flush(now, &self.book);
            if !has_changed && slot.doubts == doubts {
                continue;
            }
            slot.doubts = doubts;
            slot.cursor = Cursor { seq: slot.cursor.seq + 1, at: self.book_cursor.at };
            let mut header = self.header(Kind::Costs, slot.stream, slot.cursor, cx);
            header.flags = header.flags.with(Flags::CONFLATED.when(merged > 1));
            let rows = slot.view.published();
            cx.out.frame(self.id, slot.stream, |out| write_costs(out, &header, None, rows));
        }
        self.costs = Some(costs);
    }

    pub(super) fn publish_cost_images<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        let stream = |index: usize| Some(self.costs.as_deref()?.slots.get(index)?.stream);
        let streams: [Option<Stream>; COST_VIEWS_MAX] = std::array::from_fn(stream);
        for stream in streams.into_iter().flatten() {
            self.publish_image(stream, now, cx);
        }
    }

    /// Writes the image of a view into `bytes`, or with `from` the frame that follows that sequence. False where there is none.
    pub(super) fn write_costs_of<C: Clock>(
        &mut self,
        stream: Stream,
        from: Option<u64>,
        config: &EngineConfig,
        clock: &C,
    ) -> bool {
        if self.is_held || !self.lead().has_book() {
            return false;
        }
        let Some(slot) = self.costs.as_deref().and_then(|costs| costs.find(stream)) else { return false };
        let Cursor { seq, at } = slot.cursor;
        let (kind, prev_seq) = from.map_or((Kind::Image, seq), |from| (Kind::Costs, from));
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
        let view = ViewBody { grouping: 0, interval_ns: slot.view.interval_ns(), depth: 0 };
        let image = from.is_none().then_some((&body, &view));
        self.bytes.clear();
        write_costs(&mut self.bytes, &header, image, slot.view.published());
        true
    }
}
