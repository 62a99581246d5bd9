//! The stream of orders: what an event did to each order, and the images that open or join it. It costs nothing while nobody
//! has opened it.
//!
//! Its frames follow one another within an epoch: none may be missed. It begins with an image at sequence 1, and with another
//! one where the book of orders is lost and whole again while the book that readers see, which is made of levels then, goes
//! on. That the orders are lost is said by the stream itself: a frame that clears them and is stale.

use super::instrument::{Context, InstrumentState};
use super::streams::{Cursor, Stamp};
use super::{Engine, EngineError};
use crate::encode::{
    CHUNK_ORDERS_MAX, Flags, Kind, OrderAction, OrderBody, OrderCause, OrderName, Stream, write_orders,
};
use crate::types::{Clock, InstrumentId, OrderId, OrderTexts, Price, Qty, Slot, TimeNs};
use crate::venues::OrderIds;

/// All orders leave.
const CLEAR: OrderBody = OrderBody {
    name: OrderName::None,
    price: Price(0),
    qty: Qty(0),
    place: 0,
    action: OrderAction::Clear,
    side: None,
    cause: OrderCause::Unknown,
};

/// How far the stream has been written, and what the event under way has done since. Whether it goes on at all is
/// [`InstrumentState::tells_orders`].
#[derive(Debug, Default)]
pub(super) struct OrderStream {
    readers: u32,
    pub(super) cursor: Cursor,
    /// Whether the epoch has had no frame yet.
    is_fresh: bool,
    /// Whether the last frame did not end the venue's event.
    is_between: bool,
    /// Bounded: a long event is written in parts.
    changed: Vec<OrderBody>,
    /// Of orders that came under a longer text: their places in `changed`, and the numbers of the texts.
    named: Vec<(u32, u64)>,
    texts: OrderTexts,
}

impl OrderStream {
    /// Whether anybody reads it.
    pub(super) const fn is_open(&self) -> bool {
        self.readers > 0
    }

    /// Notes what has happened to an order, with the text of its name.
    pub(super) fn note(&mut self, order: OrderBody, text: &[u8]) {
        if let (OrderAction::Add, OrderName::Named(number)) = (order.action, order.name) {
            self.named.push((self.changed.len() as u32, number));
            self.texts.push(text);
        }
        self.changed.push(order);
    }

    /// Whether something has been noted that no frame says yet.
    pub(super) fn is_ahead(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The next image stands at this place.
    pub(super) fn image_comes(&mut self, at: Stamp) {
        if !std::mem::take(&mut self.is_fresh) {
            self.cursor.seq += 1;
        }
        self.cursor.at = at;
        self.is_between = false;
    }

    fn forget(&mut self) {
        self.changed.clear();
        self.named.clear();
        self.texts.clear();
    }
}

impl InstrumentState {
    /// Another reader of the stream.
    fn open_orders(&mut self) {
        let stream = &mut self.order_stream;
        stream.readers += 1;
        if stream.readers == 1 {
            // What was told before was not told to the end: no frame may seem to follow it.
            stream.cursor.seq += 1;
            // Nobody has followed where the venue was meanwhile but the book that is made of the orders.
            stream.cursor.at = if self.leads_by_orders { self.book_cursor.at } else { Stamp::default() };
            stream.is_fresh = false;
            stream.is_between = false;
            self.tells_orders = self.orders.is_synced() && !self.is_held;
        }
    }

    /// One reader less.
    fn close_orders(&mut self) {
        let stream = &mut self.order_stream;
        stream.readers = stream.readers.saturating_sub(1);
        if stream.readers == 0 {
            stream.forget();
            self.tells_orders = false;
        }
    }

    /// Publishes what has been noted. `is_last`: the venue's event ends with it.
    #[inline]
    pub(super) fn publish_orders<C: Clock>(&mut self, is_last: bool, at: Stamp, cx: &mut Context<'_, C>) {
        if self.tells_orders {
            self.publish_noted(is_last, at, cx);
        }
    }

    #[inline(never)]
    fn publish_noted<C: Clock>(&mut self, is_last: bool, at: Stamp, cx: &mut Context<'_, C>) {
        let mut stream = std::mem::take(&mut self.order_stream);
        let ends_only = stream.changed.is_empty() && stream.is_between && is_last;
        let frames = stream.changed.len().div_ceil(CHUNK_ORDERS_MAX).max(usize::from(ends_only));
        for index in 0..frames {
            let from = index * CHUNK_ORDERS_MAX;
            let to = stream.changed.len().min(from + CHUNK_ORDERS_MAX);
            stream.cursor = Cursor { seq: stream.cursor.seq + 1, at };
            stream.is_between = !is_last || index + 1 < frames;
            let mut header = self.header(Kind::Orders, Stream::ORDERS, stream.cursor, cx);
            header.flags = header.flags.without(Flags::LAST.when(stream.is_between));
            let before = |place: usize| stream.named.partition_point(|(at, _)| (*at as usize) < place);
            let names = (before(from)..before(to))
                .map(|text| (stream.named[text].1, stream.texts.text(OrderId(text as u64))));
            let orders = &stream.changed[from..to];
            cx.out.frame(self.id, Stream::ORDERS, |out| write_orders(out, &header, orders, names));
        }
        stream.forget();
        self.order_stream = stream;
    }

    /// Says that the orders are no more what they were, where they are not: a reader of this stream alone must know.
    #[cold]
    pub(super) fn say_orders_lost<C: Clock>(&mut self, now: TimeNs, cx: &mut Context<'_, C>) {
        if self.tells_orders && (self.is_held || !self.orders.is_synced()) {
            self.order_stream.forget();
            self.order_stream.changed.push(CLEAR);
            let at = Stamp { ts_recv: now, ..self.order_stream.cursor.at };
            self.publish_noted(true, at, cx);
            self.tells_orders = false;
        }
    }

    /// An epoch opens: the stream goes on with an image of the orders, where they are exact.
    pub(super) fn open_orders_epoch<C>(&mut self, cx: &mut Context<'_, C>) {
        let stream = &mut self.order_stream;
        stream.forget();
        stream.cursor.seq = 1;
        stream.is_fresh = true;
        self.tells_orders = false;
        if stream.is_open() && self.orders.is_synced() {
            cx.out.want_orders(self.id);
        }
    }

    /// The flags of the stream beside [`Flags::LAST`]: of the orders' own truth, and of the levels that they make.
    pub(super) fn order_flags(&self) -> Flags {
        let flags = Flags::STALE.when(self.is_held || !self.orders.is_synced());
        if !self.leads_by_orders {
            return flags;
        }
        flags.with(self.doubts())
    }
}

impl<C: Clock> Engine<C> {
    /// Opens the stream [`Stream::ORDERS`] of an instrument, or adds a reader to it. [`Engine::image`] joins it where the orders
    /// are exact now; else an image comes when they are.
    ///
    /// # Errors
    /// [`EngineError::UnknownInstrument`]; [`EngineError::NoOrders`] where the venue names none.
    pub fn open_orders(&mut self, instrument: InstrumentId) -> Result<Stream, EngineError> {
        let slot = self.slot_of(instrument)?;
        let state = &mut self.instruments[slot.0 as usize];
        if state.product.order_ids == OrderIds::None {
            return Err(EngineError::NoOrders(instrument.0));
        }
        state.open_orders();
        Ok(Stream::ORDERS)
    }

    /// Leaves the stream of orders; the last one to leave closes it.
    pub fn close_orders(&mut self, instrument: InstrumentId) {
        if let Ok(slot) = self.slot_of(instrument) {
            self.instruments[slot.0 as usize].close_orders();
        }
    }

    /// Hands out the image of the orders as they are: what an event under way has done so far is told before, so that the image
    /// holds it once.
    pub(super) fn image_of_orders(&mut self, slot: Slot, now: TimeNs, emit: impl FnMut(&[u8])) {
        let Self { sources, instruments, consolidated, config, clock, outbox, stats, scratch, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        let Some(instrument) = instruments.get_mut(slot.0 as usize) else { return };
        if instrument.followed.is_some() {
            return instrument.image_of_followed_orders(cx.config, cx.clock, emit);
        }
        if !instrument.tells_orders {
            return;
        }
        if let Some(merged) = consolidated.iter().find(|merged| merged.slot() == slot) {
            return merged.write_parts(instrument, cx.config, cx.clock, emit);
        }
        let counts = |(at, source): &(usize, &mut super::source::Source)| {
            source.carries(slot) && source.brings(slot) && instrument.heeds(*at) && source.orders.is_some()
        };
        let Some((_, source)) = sources.iter_mut().enumerate().find(counts) else { return };
        let Some(orders) = source.orders.as_deref_mut() else { return };
        if instrument.order_stream.is_ahead() {
            let at = Stamp { ts_recv: now, ..instrument.order_stream.cursor.at };
            instrument.publish_orders(false, at, cx);
        }
        orders.write_image(instrument, cx.config, cx.clock, emit);
    }

    /// Publishes the image with which the stream goes on, unless it does already.
    #[cold]
    pub(super) fn publish_wanted_orders(&mut self, instrument: InstrumentId) {
        let Ok(slot) = self.slot_of(instrument) else { return };
        let Self { sources, instruments, consolidated, config, clock, outbox, stats, scratch, .. } = self;
        let cx = &mut Context { config, clock, out: outbox, stats, scratch };
        let state = &mut instruments[slot.0 as usize];
        let is_told = state.tells_orders || state.is_held;
        if is_told || !state.order_stream.is_open() || !state.orders.is_synced() {
            return;
        }
        if let Some(merged) = consolidated.iter().find(|merged| merged.slot() == slot) {
            return merged.publish_parts(state, cx);
        }
        let mut holders = sources.iter_mut().enumerate();
        let holder = holders.find(|(at, source)| {
            source.carries(slot) && source.brings(slot) && state.heeds(*at) && source.orders.is_some()
        });
        if let Some(orders) = holder.and_then(|(_, source)| source.orders.as_deref_mut()) {
            let at = state.book_cursor.at;
            orders.publish_image(state, at, cx);
        }
    }
}
