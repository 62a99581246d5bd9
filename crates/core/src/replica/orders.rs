//! Books of orders from the stream `orders` alone, which says itself when they are lost.

use std::collections::{BTreeMap, HashMap};

use super::Outcome;
use crate::book::l3::QueuePosition;
use crate::encode::generated::{Frame, Order};
use crate::encode::{Flags, Kind, NAME_GOES_ON, NAME_TEXT_BYTES, OrderAction, OrderName, PLACE_LAST};
use crate::types::{BookState, Level, Price, Qty, Side};

/// Most orders that a replica's book may hold.
pub const REPLICA_ORDERS_MAX: usize = 1 << 20;

/// A resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaOrder {
    /// Its side.
    pub side: Side,
    /// Its price.
    pub price: Price,
    /// What is left of it.
    pub qty: Qty,
}

/// One instrument's orders as the feed told them.
#[derive(Debug)]
pub struct ReplicaOrders {
    state: BookState,
    epoch: u64,
    seq: u64,
    venue_seq: u64,
    is_event_whole: bool,
    orders: HashMap<OrderName, ReplicaOrder>,
    /// By price, the first to trade first.
    queues: [BTreeMap<Price, Vec<OrderName>>; 2],
    /// Longer texts by their numbers, and numbers of orders that have left; the latter reused.
    texts: HashMap<u64, Vec<u8>>,
    left: Vec<u64>,
    /// The chunk that an image goes on with: its epoch, sequence and place.
    chunk: Option<(u64, u64, u32)>,
    checks: u64,
    check_failures: u64,
    gaps: u64,
}

impl ReplicaOrders {
    pub(super) fn new() -> Self {
        Self {
            state: BookState::Syncing,
            epoch: 0,
            seq: 0,
            venue_seq: 0,
            is_event_whole: true,
            orders: HashMap::new(),
            queues: Default::default(),
            texts: HashMap::new(),
            left: Vec::new(),
            chunk: None,
            checks: 0,
            check_failures: 0,
            gaps: 0,
        }
    }

    /// `Synced` while every frame since the image has been applied and none said otherwise.
    #[must_use]
    pub const fn state(&self) -> BookState {
        self.state
    }

    /// Epoch and sequence that the orders are at.
    #[must_use]
    pub const fn place(&self) -> (u64, u64) {
        (self.epoch, self.seq)
    }

    /// The venue's sequence that they are at.
    #[must_use]
    pub const fn venue_seq(&self) -> u64 {
        self.venue_seq
    }

    /// Whether the last frame ended the venue's event: else the orders are between two states of the venue.
    #[must_use]
    pub const fn is_event_whole(&self) -> bool {
        self.is_event_whole
    }

    /// Images whose checksums were compared, and how many of them disagreed, or changes that contradicted the orders.
    #[must_use]
    pub const fn checks(&self) -> (u64, u64) {
        (self.checks, self.check_failures)
    }

    /// Gaps seen.
    #[must_use]
    pub const fn gaps(&self) -> u64 {
        self.gaps
    }

    /// How many orders rest.
    #[must_use]
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// A resting order.
    #[must_use]
    pub fn order(&self, name: OrderName) -> Option<ReplicaOrder> {
        self.orders.get(&name).copied()
    }

    /// The name of the order that its venue calls so: a look at each longer text where 16 bytes do not hold it.
    #[must_use]
    pub fn named(&self, text: &[u8]) -> Option<OrderName> {
        let number = || self.texts.iter().find(|(_, known)| *known == text).map(|(number, _)| *number);
        OrderName::of_text(text).or_else(|| number().map(OrderName::Named))
    }

    /// The longer text of a name.
    #[must_use]
    pub fn text(&self, number: u64) -> Option<&[u8]> {
        self.texts.get(&number).map(Vec::as_slice)
    }

    /// What stands before an order in its queue. Costs a look at each order before it.
    #[must_use]
    pub fn orders_ahead(&self, name: OrderName) -> Option<QueuePosition> {
        let order = self.order(name)?;
        let mut position = QueuePosition::default();
        for ahead in self.queue(order.side, order.price).take_while(|(ahead, _)| *ahead != name) {
            position.orders_ahead += 1;
            position.qty_ahead.0 += ahead.1.0;
        }
        Some(position)
    }

    /// The orders at a price, the first to trade first.
    pub fn queue(&self, side: Side, price: Price) -> impl Iterator<Item = (OrderName, Qty)> + '_ {
        let queue = self.queues[side as usize].get(&price).map_or(&[][..], Vec::as_slice);
        queue.iter().map(|name| (*name, self.orders.get(name).map_or(Qty(0), |order| order.qty)))
    }

    /// The orders' sum at each price of a side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        let queues = &self.queues[side as usize];
        let bids = (side == Side::Bid).then(|| queues.keys().rev()).into_iter().flatten();
        let asks = (side == Side::Ask).then(|| queues.keys()).into_iter().flatten();
        bids.chain(asks).map(move |&price| {
            let qty = self.queue(side, price).map(|(_, qty)| qty.0).sum();
            Level { price, qty: Qty(qty) }
        })
    }

    /// `None` where the orders are more than a replica holds, or a number is none that an order can have.
    pub(super) fn apply(&mut self, frame: &Frame<'_>) -> Option<Outcome> {
        let header = frame.header();
        let is_stale = header.flags() & Flags::STALE.0 != 0;
        if header.kind() == Kind::Image as u8 {
            return self.image(frame, is_stale);
        }
        if header.epoch() > self.epoch && self.state == BookState::Synced {
            // The image that opens that epoch was missed.
            return Some(self.gap(header.prev_seq()));
        }
        let is_orders = header.kind() == Kind::Orders as u8;
        if header.epoch() != self.epoch || self.state != BookState::Synced || !is_orders {
            return Some(Outcome::Ignored);
        }
        if header.seq() <= self.seq {
            return Some(Outcome::Old);
        }
        if header.prev_seq() != self.seq {
            return Some(self.gap(header.prev_seq()));
        }
        self.know_texts(frame);
        for order in frame.orders().iter().flatten() {
            if self.change(order).is_none() {
                return Some(self.contradicted());
            }
        }
        self.forget_texts();
        if self.orders.len() > REPLICA_ORDERS_MAX {
            return None;
        }
        (self.seq, self.venue_seq) = (header.seq(), header.venue_seq());
        self.is_event_whole = header.flags() & Flags::LAST.0 != 0;
        if is_stale {
            self.state = BookState::Syncing;
        }
        Some(Outcome::Applied)
    }

    /// Replaces everything. Between its chunks nothing is known.
    fn image(&mut self, frame: &Frame<'_>, is_stale: bool) -> Option<Outcome> {
        let (header, Some(info)) = (frame.header(), frame.info()) else { return Some(Outcome::Ignored) };
        let chunk = (header.epoch(), header.seq(), info.chunk_index());
        if info.chunk_index() == 0 {
            self.clear();
        } else if self.chunk != Some(chunk) {
            self.chunk = None;
            return Some(Outcome::Ignored);
        }
        (self.state, self.chunk) = (BookState::Syncing, None);
        self.know_texts(frame);
        for order in frame.orders().iter().flatten() {
            if order.action() != OrderAction::Add as u8 || self.change(order).is_none() {
                return Some(self.contradicted());
            }
        }
        if self.orders.len() > REPLICA_ORDERS_MAX {
            return None;
        }
        (self.epoch, self.seq, self.venue_seq) = (header.epoch(), header.seq(), header.venue_seq());
        self.is_event_whole = header.flags() & Flags::LAST.0 != 0;
        if info.chunk_index() + 1 < info.chunk_count() {
            self.chunk = Some((chunk.0, chunk.1, chunk.2 + 1));
            return Some(Outcome::Image);
        }
        let Some(check) = frame.check() else { return Some(Outcome::Ignored) };
        self.checks += 1;
        let counts = [Side::Bid, Side::Ask].map(|side| self.list(side).count() as u32);
        let all = [Side::Bid, Side::Ask].into_iter().fold(0, |crc, side| {
            self.list(side).fold(crc, |crc, (name, order)| {
                let crc = crc32c::crc32c_append(crc, &name.bytes());
                let crc = crc32c::crc32c_append(crc, &order.price.0.to_le_bytes());
                crc32c::crc32c_append(crc, &order.qty.0.to_le_bytes())
            })
        });
        if (all, counts) != (check.all_crc(), [check.bid_count(), check.ask_count()]) {
            return Some(self.contradicted());
        }
        if info.state() == BookState::Synced.code() && !is_stale {
            self.state = BookState::Synced;
        }
        Some(Outcome::Image)
    }

    /// One side's orders in the order of an image.
    pub fn list(&self, side: Side) -> impl Iterator<Item = (OrderName, ReplicaOrder)> + '_ {
        self.levels(side).flat_map(move |Level { price, .. }| {
            self.queue(side, price).map(move |(name, qty)| (name, ReplicaOrder { side, price, qty }))
        })
    }

    /// `None` where it contradicts what rests.
    fn change(&mut self, told: &Order) -> Option<()> {
        let words = u128::from(told.id_high()) << 64 | u128::from(told.id_low());
        let name = OrderName::of_bytes(told.id_kind(), words.to_le_bytes())?;
        let action = OrderAction::ALL.into_iter().find(|action| *action as u8 == told.action())?;
        let side = match told.side() {
            1 => Side::Bid,
            2 => Side::Ask,
            _ if action == OrderAction::Clear => {
                self.clear();
                return Some(());
            }
            _ => return None,
        };
        let order = ReplicaOrder { side, price: Price(told.price()), qty: Qty(told.qty()) };
        if (order.qty.0 > 0) == (action == OrderAction::Remove) || name == OrderName::None {
            return None;
        }
        match action {
            OrderAction::Add => {
                if let OrderName::Named(number) = name {
                    self.texts.get(&number)?;
                }
                self.put(name, order, told.place())?;
            }
            OrderAction::Change => {
                let known = self.orders.get_mut(&name)?;
                if (known.side, known.price) != (side, order.price) {
                    return None;
                }
                known.qty = order.qty;
            }
            OrderAction::Move => {
                self.take(name, side)?;
                self.put(name, order, told.place())?;
            }
            OrderAction::Remove => {
                self.take(name, side)?;
                if let OrderName::Named(number) = name {
                    self.left.push(number);
                }
            }
            OrderAction::Clear => self.clear(),
        }
        Some(())
    }

    fn put(&mut self, name: OrderName, order: ReplicaOrder, place: u32) -> Option<()> {
        if self.orders.insert(name, order).is_some() {
            return None;
        }
        let queue = self.queues[order.side as usize].entry(order.price).or_default();
        let at = if place == PLACE_LAST { queue.len() } else { place as usize };
        if at > queue.len() {
            return None;
        }
        queue.insert(at, name);
        Some(())
    }

    fn take(&mut self, name: OrderName, side: Side) -> Option<()> {
        let order = self.orders.remove(&name).filter(|order| order.side == side)?;
        let queue = self.queues[side as usize].get_mut(&order.price)?;
        let at = queue.iter().position(|queued| *queued == name)?;
        queue.remove(at);
        if queue.is_empty() {
            self.queues[side as usize].remove(&order.price);
        }
        Some(())
    }

    fn know_texts(&mut self, frame: &Frame<'_>) {
        let mut goes_on = None;
        for name in frame.names().iter().flatten() {
            let number = name.number();
            let text = self.texts.entry(number).or_default();
            if goes_on != Some(number) {
                text.clear();
            }
            let len = usize::from(name.size()).min(NAME_TEXT_BYTES);
            text.extend(name.text().iter().take(len));
            goes_on = (name.size() == NAME_GOES_ON).then_some(number);
        }
    }

    /// Forgets the texts of orders that have left, and have not come again in the same frame.
    fn forget_texts(&mut self) {
        for number in self.left.drain(..) {
            if !self.orders.contains_key(&OrderName::Named(number)) {
                self.texts.remove(&number);
            }
        }
    }

    fn clear(&mut self) {
        self.orders.clear();
        self.queues.iter_mut().for_each(BTreeMap::clear);
        self.texts.clear();
        self.left.clear();
    }

    fn gap(&mut self, received: u64) -> Outcome {
        self.gaps += 1;
        self.state = BookState::Syncing;
        Outcome::Gap { expected: self.seq, received }
    }

    fn contradicted(&mut self) -> Outcome {
        self.check_failures += 1;
        (self.state, self.chunk) = (BookState::Syncing, None);
        Outcome::CheckFailed
    }

    pub(super) fn lost(&mut self) {
        (self.state, self.chunk) = (BookState::Syncing, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::{
        CheckBody, Header, ImageBody, OrderBody, OrderCause, Stream, write_orders, write_orders_image,
    };
    use crate::replica::Replica;
    use crate::types::{InstrumentId, KnownTo};

    const ID: InstrumentId = InstrumentId(7);

    fn header(kind: Kind, seq: u64, prev_seq: u64, flags: Flags) -> Header {
        let (ts_event, ts_recv, ts_send) = (0, 0, 0);
        let stream = Stream::ORDERS;
        Header {
            epoch: 1,
            seq,
            prev_seq,
            venue_seq: seq,
            ts_event,
            ts_recv,
            ts_send,
            instrument: ID.0,
            kind,
            stream,
            flags,
        }
    }

    fn order(action: OrderAction, number: u64, price: i64, qty: i64, place: u32) -> OrderBody {
        OrderBody {
            name: OrderName::Named(number),
            price: Price(price),
            qty: Qty(qty),
            place,
            action,
            side: Some(Side::Bid),
            cause: OrderCause::Unknown,
        }
    }

    /// A reader of a book without orders, at sequence 1.
    fn reader() -> Replica {
        let body = ImageBody {
            known_to: KnownTo::WHOLE,
            depth: 0,
            price_exponent: 0,
            qty_exponent: 0,
            state: BookState::Synced.code(),
            reason: 0,
            check: CheckBody::default(),
        };
        let mut replica = Replica::default();
        let header = header(Kind::Image, 1, 1, Flags::LAST);
        write_orders_image(
            &mut Vec::new(),
            &header,
            &body,
            &[],
            |_| b"",
            |frame| {
                assert_eq!(replica.apply(frame), Ok(Outcome::Image));
            },
        );
        replica
    }

    /// A frame of orders, all of whose names come with it.
    fn say(replica: &mut Replica, seq: u64, flags: Flags, orders: &[OrderBody]) -> Outcome {
        let text = |order: &OrderBody| match order.name {
            OrderName::Named(number) if order.action == OrderAction::Add => {
                Some((number, TEXTS[number as usize]))
            }
            _ => None,
        };
        let mut frame = Vec::new();
        let header = header(Kind::Orders, seq, seq - 1, flags);
        write_orders(&mut frame, &header, orders, orders.iter().filter_map(text));
        replica.apply(&frame).unwrap()
    }

    const TEXTS: [&[u8]; 4] = [b"", b"the first of the names", &[b'x'; 55], &[b'y'; 120]];

    fn queue(replica: &Replica, price: i64) -> Vec<(OrderName, Qty)> {
        replica.orders(ID).unwrap().queue(Side::Bid, Price(price)).collect()
    }

    fn named(number: u64, qty: i64) -> (OrderName, Qty) {
        (OrderName::Named(number), Qty(qty))
    }

    #[test]
    fn orders_stand_where_they_are_told_to() {
        use OrderAction::{Add, Change, Move, Remove};
        let mut replica = reader();
        let orders = [1, 2, 3].map(|number| order(Add, number, 10, 5, PLACE_LAST));
        assert_eq!(say(&mut replica, 2, Flags::LAST, &orders), Outcome::Applied);
        assert_eq!(queue(&replica, 10), [named(1, 5), named(2, 5), named(3, 5)]);
        let told = replica.orders(ID).unwrap();
        for (number, text) in (1..).zip(&TEXTS[1..]) {
            assert_eq!(told.text(number), Some(*text));
            assert_eq!(told.named(text), Some(OrderName::Named(number)));
        }
        let moved = [order(Move, 3, 10, 6, 1), order(Change, 2, 10, 1, 0), order(Remove, 1, 10, 0, 0)];
        say(&mut replica, 3, Flags::NONE, &moved);
        assert_eq!(queue(&replica, 10), [named(3, 6), named(2, 1)]);
        assert!(!replica.orders(ID).unwrap().is_event_whole());
        // It goes and comes again, to the front.
        say(&mut replica, 4, Flags::LAST, &[order(Remove, 2, 10, 0, 0), order(Add, 2, 10, 9, 0)]);
        assert_eq!(queue(&replica, 10), [named(2, 9), named(3, 6)]);
        let told = replica.orders(ID).unwrap();
        assert_eq!((told.text(1), told.text(2)), (None, Some(TEXTS[2])));
        let ahead = told.orders_ahead(OrderName::Named(3)).unwrap();
        assert_eq!((ahead.orders_ahead, ahead.qty_ahead), (1, Qty(9)));
        assert!(told.levels(Side::Bid).eq([Level::new(10, 15)]));
        assert_eq!(say(&mut replica, 4, Flags::LAST, &[]), Outcome::Old);
        assert_eq!(say(&mut replica, 6, Flags::LAST, &[]), Outcome::Gap { expected: 4, received: 5 });
        assert_eq!(say(&mut replica, 5, Flags::LAST, &[]), Outcome::Ignored, "it waits for an image");
    }

    #[test]
    fn what_contradicts_the_orders_makes_them_untrue() {
        use OrderAction::{Add, Change, Move, Remove};
        for bad in [
            order(Add, 1, 10, 5, PLACE_LAST),
            order(Add, 2, 10, 5, 2),
            order(Add, 2, 10, 0, 0),
            order(Change, 1, 11, 5, 0),
            order(Change, 2, 10, 5, 0),
            order(Move, 2, 10, 5, 0),
            order(Remove, 2, 10, 0, 0),
            order(Remove, 1, 10, 1, 0),
            OrderBody { side: Some(Side::Ask), ..order(Remove, 1, 10, 0, 0) },
            OrderBody { side: None, ..order(Change, 1, 10, 4, 0) },
            OrderBody { name: OrderName::None, ..order(Add, 2, 10, 4, 0) },
        ] {
            let mut replica = reader();
            say(&mut replica, 2, Flags::LAST, &[order(Add, 1, 10, 5, PLACE_LAST)]);
            assert_eq!(say(&mut replica, 3, Flags::LAST, &[bad]), Outcome::CheckFailed, "{bad:?}");
            assert_eq!(replica.orders(ID).unwrap().state(), BookState::Syncing);
        }
    }

    #[test]
    fn a_stream_that_is_stale_says_so() {
        let mut replica = reader();
        say(&mut replica, 2, Flags::LAST, &[order(OrderAction::Add, 1, 10, 5, PLACE_LAST)]);
        let clear = OrderBody { name: OrderName::None, side: None, ..order(OrderAction::Clear, 0, 0, 0, 0) };
        assert_eq!(say(&mut replica, 3, Flags::LAST.with(Flags::STALE), &[clear]), Outcome::Applied);
        let told = replica.orders(ID).unwrap();
        assert_eq!((told.state(), told.is_empty()), (BookState::Syncing, true));
    }
}
