//! DBN records of orders, told of the simulator's ITCH market: one instrument of one publisher.
//!
//! What one packet tells of the instrument is one event, its last record marked. A subscription anew is a snapshot.

use std::collections::HashMap;

use depthwire_core::framing::dbn::Flags;
use depthwire_core::framing::itch::{self, Message};
use depthwire_core::framing::mold;
use depthwire_core::types::{OrderChange, OrderId, Side};
use depthwire_sim::dialects::{Channel, Counts, Dialect, Frames, Nasdaq, TrueOrder, TrueOrders, Truth};

use crate::dbn_bytes::{Meta, mbo};

const SYMBOL: &str = "ESH4";

/// From prices at 1e-4 to prices at 1e-9.
const FINER: i64 = 100_000;

/// The market's locate of the instrument.
const LOCATE: u16 = 1;

/// An order as it rests.
#[derive(Clone, Copy)]
struct Resting {
    side: Side,
    price: i64,
    qty: i64,
}

/// See the module.
#[derive(Clone)]
pub struct Databento {
    market: Nasdaq,
    orders: HashMap<OrderId, Resting>,
    heard: Frames,
    /// Records of the event under way.
    event: Vec<Vec<u8>>,
    number: u32,
    counts: Counts,
}

impl Databento {
    pub fn new(seed: u64) -> Self {
        let (orders, heard, event) = Default::default();
        Self { market: Nasdaq::new(seed), orders, heard, event, number: 0, counts: Counts::default() }
    }

    fn record(&mut self, action: u8, id: OrderId, order: Resting, flags: Flags) {
        let side = if order.side == Side::Bid { b'B' } else { b'A' };
        self.event.push(mbo(action, side, id.0, order.price, u32::try_from(order.qty).unwrap(), flags.0));
        self.counts.orders += 1;
    }

    /// A part, or all, of an order leaves.
    fn reduce(&mut self, id: OrderId, qty: i64) {
        let order = self.orders[&id];
        self.record(b'C', id, Resting { qty, ..order }, Flags(0));
        if order.qty == qty {
            self.orders.remove(&id);
        } else {
            self.orders.insert(id, Resting { qty: order.qty - qty, ..order });
        }
    }

    fn change(&mut self, change: OrderChange) {
        match change {
            OrderChange::Add { id, side, price, qty } => {
                let order = Resting { side, price: price.0 * FINER, qty: qty.0 };
                self.orders.insert(id, order);
                self.record(b'A', id, order, Flags(0));
            }
            OrderChange::Execute { id, qty } => {
                let order = Resting { qty: qty.0, ..self.orders[&id] };
                let side = if order.side == Side::Bid { Side::Ask } else { Side::Bid };
                self.record(b'T', OrderId(0), Resting { side, ..order }, Flags(0));
                self.record(b'F', id, order, Flags(0));
                self.counts.trades += 1;
                self.reduce(id, qty.0);
            }
            OrderChange::Reduce { id, qty } => self.reduce(id, qty.0),
            OrderChange::Delete { id } => self.reduce(id, self.orders[&id].qty),
            OrderChange::Replace { id, new_id, price, qty } => {
                let side = self.orders[&id].side;
                self.reduce(id, self.orders[&id].qty);
                self.change(OrderChange::Add { id: new_id, side, price, qty });
            }
            other => panic!("not in this market: {other:?}"),
        }
    }

    /// Tells what was said of the instrument as one event.
    fn tell(&mut self, time_ns: u64, flags: Flags, out: &mut Frames) {
        let last = self.event.len();
        for (nth, mut record) in self.event.drain(..).enumerate() {
            record[8..16].copy_from_slice(&time_ns.to_le_bytes());
            record[40..48].copy_from_slice(&time_ns.to_le_bytes());
            record[52..56].copy_from_slice(&self.number.to_le_bytes());
            record[36] |= if nth + 1 == last { flags.with(Flags::LAST).0 } else { flags.0 };
            out.push(time_ns, Channel::Orders, |out| out.extend_from_slice(&record));
        }
        self.number += 1;
        self.counts.updates += 1;
    }

    /// Lives through what the market says.
    fn live(&mut self) -> u64 {
        let heard = std::mem::take(&mut self.heard);
        let mut now = 0;
        for frame in heard.iter() {
            now = frame.time_ns;
            for message in mold::decode(frame.bytes).unwrap().messages() {
                let message = itch::decode(message).unwrap();
                let is_own = !matches!(message, Message::SystemEvent(_)) && message.stock_locate() == LOCATE;
                if let Some((_, change)) = message.order_change().filter(|_| is_own) {
                    self.change(change);
                }
            }
        }
        self.heard = heard;
        self.heard.clear();
        now
    }
}

impl Dialect for Databento {
    fn venue(&self) -> &'static str {
        "databento"
    }

    fn code(&self) -> &str {
        SYMBOL
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        let meta = Meta {
            symbols: &[SYMBOL],
            mappings: &[(SYMBOL, &[(20_231_224, 20_500_101, "17077")])],
            ..Meta::new(3)
        };
        out.push(now_ns, Channel::Control, |out| out.extend(meta.bytes()));
        if self.number == 0 {
            self.market.open(now_ns, &mut self.heard);
            self.live();
            self.event.clear();
        }
        self.resubscribe(now_ns, out);
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            self.market.step(now_ns, &mut self.heard);
            if self.heard.is_empty() {
                return;
            }
            let time_ns = self.live();
            self.tell(time_ns, Flags(0), out);
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.event.clear();
        let nothing = Resting { side: Side::Bid, price: i64::MAX, qty: 0 };
        self.record(b'R', OrderId(0), nothing, Flags(0));
        let mut orders = TrueOrders::default();
        self.orders(&mut orders);
        for (side, orders) in [(Side::Bid, &orders.bids), (Side::Ask, &orders.asks)] {
            for order in orders {
                let resting = Resting { side, price: order.price, qty: order.qty };
                self.record(b'A', OrderId(order.id), resting, Flags(0));
            }
        }
        self.counts.snapshots += 1;
        self.tell(now_ns, Flags::SNAPSHOT, out);
    }

    fn truth(&self, out: &mut Truth) {
        self.market.truth(out);
        for level in out.bids.iter_mut().chain(&mut out.asks) {
            level.0 *= FINER;
        }
    }

    fn orders(&self, out: &mut TrueOrders) -> bool {
        self.market.orders(out);
        for order in out.bids.iter_mut().chain(&mut out.asks) {
            *order = TrueOrder { price: order.price * FINER, ..*order };
        }
        true
    }

    fn exponents(&self) -> (i8, i8) {
        (-9, 0)
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}
