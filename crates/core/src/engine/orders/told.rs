//! What readers of the stream of orders are told: each change of an order, and images of all.

use super::super::EngineConfig;
use super::super::instrument::{Context, InstrumentState};
use super::super::snapshots::known_to;
use super::super::streams::Stamp;
use super::named::NamedOrders;
use super::{OrderBooks, own_number};
use crate::aggregate::TOP_LEVELS;
use crate::book::l3::{BookIndex, L3Error, Order, Touched};
use crate::encode::{
    CheckBody, Flags, ImageBody, Kind, OrderAction, OrderBody, OrderCause, OrderName, PLACE_LAST, Stream,
    write_orders_image,
};
use crate::types::{Clock, Coverage, OrderChange, OrderId, Qty, Side, Slot};

impl OrderBooks {
    /// Applies a change and notes what it did to which order.
    #[inline(never)]
    pub(super) fn apply_told(
        &mut self,
        instrument: &mut InstrumentState,
        book: BookIndex,
        change: &OrderChange,
    ) -> Result<Touched, L3Error> {
        let Some(id) = change.ids().next() else { return self.apply_seldom(book, change) };
        let before = self.l3.order(id);
        let touched = self.l3.apply(book, change)?;
        let after = self.l3.order(id);
        let is_whole = instrument.orders_coverage == Coverage::Whole;
        let slot = instrument.slot;
        match (*change, before, after) {
            (OrderChange::Replace { new_id, .. }, Some(order), _) if new_id != id => {
                let gone = of(OrderAction::Remove, Order { qty: Qty(0), ..order }, OrderCause::Replaced);
                self.note(instrument, slot, id, gone);
                if let Some(order) = self.l3.order(new_id) {
                    self.note(instrument, slot, new_id, of(OrderAction::Add, order, OrderCause::Replaced));
                }
            }
            (_, None, Some(order)) => {
                // One of the best so many may have been there before.
                let cause = if is_whole { OrderCause::New } else { OrderCause::Unknown };
                self.note(instrument, slot, id, of(OrderAction::Add, order, cause));
            }
            (_, Some(order), None) => {
                let gone = of(OrderAction::Remove, Order { qty: Qty(0), ..order }, cause_of(change));
                self.note(instrument, slot, id, gone);
            }
            (_, Some(from), Some(to)) => {
                let stays = from.price == to.price
                    && to.qty <= from.qty
                    && !matches!(change, OrderChange::Replace { .. });
                let (action, cause) = match (stays, change) {
                    (true, _) => (OrderAction::Change, cause_of(change)),
                    (false, OrderChange::Modify { .. }) => (OrderAction::Move, OrderCause::Changed),
                    (false, _) => (OrderAction::Move, cause_of(change)),
                };
                self.note(instrument, slot, id, of(action, to, cause));
            }
            (_, None, None) => {}
        }
        Ok(touched)
    }

    /// Cuts a book to its best so many levels a side, and notes what leaves.
    pub(super) fn cut_to(&mut self, instrument: &mut InstrumentState, book: BookIndex, depth: usize) {
        let (slot, has_own_numbers, tells) = (instrument.slot, self.has_own_numbers, instrument.tells_orders);
        self.truncate(book, depth, |id, order, named| {
            if tells {
                let (name, text) = name_of(named.as_deref(), slot, id, has_own_numbers);
                let gone = Order { qty: Qty(0), ..order };
                let gone = OrderBody { name, ..of(OrderAction::Remove, gone, OrderCause::Unknown) };
                instrument.order_stream.note(gone, text);
            }
        });
    }

    fn note(&self, instrument: &mut InstrumentState, slot: Slot, id: OrderId, order: OrderBody) {
        let (name, text) = self.name_of(slot, id);
        instrument.order_stream.note(OrderBody { name, ..order }, text);
    }

    /// What the owner of an order calls it, and the text of that where it is one.
    fn name_of(&self, slot: Slot, id: OrderId) -> (OrderName, &[u8]) {
        name_of(self.named.as_deref(), slot, id, self.has_own_numbers)
    }

    /// Publishes the image with which the stream of orders goes on.
    pub(in crate::engine) fn publish_image<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        at: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        instrument.order_stream.image_comes(at);
        instrument.tells_orders = true;
        let (id, Context { config, clock, out, .. }) = (instrument.id, cx);
        self.write_image(instrument, config, *clock, |frame| {
            out.frame(id, Stream::ORDERS, |bytes| bytes.extend_from_slice(frame));
        });
    }

    /// Hands out all orders of an instrument, as one frame or several. Cost: linear in the orders.
    pub(in crate::engine) fn write_image<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        config: &EngineConfig,
        clock: &C,
        emit: impl FnMut(&[u8]),
    ) {
        let Some(Some(book)) = self.books.get(instrument.slot.0 as usize).copied() else { return };
        let slot = instrument.slot;
        let mut orders = std::mem::take(&mut self.image);
        orders.clear();
        orders.extend(self.l3.orders(book).map(|(id, order)| {
            let (name, _) = self.name_of(slot, id);
            OrderBody { name, ..of(OrderAction::Add, order, OrderCause::Unknown) }
        }));
        let cursor = instrument.order_stream.cursor;
        let mut header =
            instrument.stamp(Kind::Image, Stream::ORDERS, (cursor.seq, cursor.seq), cursor.at, config, clock);
        // What an event under way has touched is there, and more of it is to come.
        header.flags = header.flags.without(Flags::LAST.when(!self.touched[book.0 as usize].is_empty()));
        let known_to = if instrument.leads_by_orders {
            instrument.book.known_to()
        } else {
            self.levels.clear();
            self.levels.bids.extend(self.l3.levels(book, Side::Bid));
            self.levels.asks.extend(self.l3.levels(book, Side::Ask));
            known_to(self.levels.view(), instrument.orders_coverage)
        };
        let body = ImageBody {
            known_to,
            depth: 0,
            price_exponent: instrument.price_exponent,
            qty_exponent: instrument.qty_exponent,
            state: instrument.orders.state().code(),
            reason: instrument.orders.state().reason_code(),
            check: check_of(&orders),
        };
        let named = self.named.as_deref();
        let text_of = |number| named.map_or(&b""[..], |named| named.text_of(number));
        write_orders_image(&mut instrument.bytes, &header, &body, &orders, text_of, emit);
        self.image = orders;
    }
}

/// See [`OrderBooks::name_of`].
fn name_of(
    named: Option<&NamedOrders>,
    slot: Slot,
    id: OrderId,
    has_own_numbers: bool,
) -> (OrderName, &[u8]) {
    match named {
        None => (OrderName::Number(own_number(slot, id, has_own_numbers).0), &[]),
        Some(named) => named.name_of(id),
    }
}

/// What a frame says of an order, without its name.
fn of(action: OrderAction, order: Order, cause: OrderCause) -> OrderBody {
    OrderBody {
        name: OrderName::None,
        price: order.price,
        qty: order.qty,
        // Every change so far brings an order to the end of its queue.
        place: if matches!(action, OrderAction::Add | OrderAction::Move) { PLACE_LAST } else { 0 },
        action,
        side: Some(order.side),
        cause,
    }
}

/// Why an order has less, or leaves, as far as the venue says.
const fn cause_of(change: &OrderChange) -> OrderCause {
    match change {
        OrderChange::Reduce { .. } | OrderChange::Cancel { .. } => OrderCause::Reduced,
        OrderChange::Execute { .. } => OrderCause::Executed,
        OrderChange::Replace { .. } => OrderCause::Replaced,
        _ => OrderCause::Unknown,
    }
}

/// Checksums of an image of orders: over 32 bytes of each, its name, price and quantity.
pub(in crate::engine) fn check_of(orders: &[OrderBody]) -> CheckBody {
    let bids = orders.partition_point(|order| order.side == Some(Side::Bid));
    let (bids, asks) = orders.split_at(bids);
    let top = |side: &[OrderBody], crc| append(crc, &side[..side.len().min(TOP_LEVELS)]);
    CheckBody {
        top_crc: top(asks, top(bids, 0)),
        all_crc: append(append(0, bids), asks),
        bid_count: bids.len() as u32,
        ask_count: asks.len() as u32,
    }
}

fn append(crc: u32, orders: &[OrderBody]) -> u32 {
    orders.iter().fold(crc, |crc, order| {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&order.name.bytes());
        bytes[16..24].copy_from_slice(&order.price.0.to_le_bytes());
        bytes[24..].copy_from_slice(&order.qty.0.to_le_bytes());
        crc32c::crc32c_append(crc, &bytes)
    })
}
