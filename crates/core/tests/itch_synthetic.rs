//! A synthetic day, written by the generator's own encoder: every message decodes, and the order changes alone rebuild
//! the generator's books, queue by queue.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use depthwire_core::framing::binary_file::{BinaryFileFramer, LengthPrefix};
use depthwire_core::framing::itch::decode;
use depthwire_core::recording::Format;
use depthwire_core::types::{OrderChange, OrderId, Price, Qty, Side};
use depthwire_sim::itch::{ItchConfig, ItchDay, ItchLevel};

/// Where an order rests: book, side, price.
type Place = (u16, Side, Price);

/// Books as plain maps, the queue of each level in time.
#[derive(Default)]
struct Books {
    places: HashMap<OrderId, Place>,
    queues: BTreeMap<Place, Vec<(OrderId, Qty)>>,
}

impl Books {
    fn apply(&mut self, locate: u16, change: OrderChange) {
        match change {
            OrderChange::Add { id, side, price, qty } => self.add(id, (locate, side, price), qty),
            OrderChange::Reduce { id, qty }
            | OrderChange::Cancel { id, qty, .. }
            | OrderChange::Execute { id, qty } => {
                let place = self.places[&id];
                assert_eq!(place.0, locate);
                let queue = self.queues.get_mut(&place).unwrap();
                let order = queue.iter_mut().find(|order| order.0 == id).unwrap();
                order.1.0 -= qty.0;
                if order.1.0 == 0 {
                    self.remove(id);
                }
            }
            OrderChange::Delete { id } => assert_eq!(self.remove(id).0, locate),
            OrderChange::Replace { id, new_id, price, qty } => {
                let (_, side, _) = self.remove(id);
                self.add(new_id, (locate, side, price), qty);
            }
            OrderChange::Modify { .. } | OrderChange::Upsert { .. } | OrderChange::Clear => {
                panic!("not in this feed")
            }
        }
    }

    fn add(&mut self, id: OrderId, place: Place, qty: Qty) {
        assert_eq!(self.places.insert(id, place), None);
        self.queues.entry(place).or_default().push((id, qty));
    }

    fn remove(&mut self, id: OrderId) -> Place {
        let place = self.places.remove(&id).unwrap();
        let queue = self.queues.get_mut(&place).unwrap();
        queue.retain(|order| order.0 != id);
        if queue.is_empty() {
            self.queues.remove(&place);
        }
        place
    }

    /// A side, lowest price first.
    fn side(&self, locate: u16, side: Side) -> Vec<ItchLevel> {
        let range = (locate, side, Price(i64::MIN))..=(locate, side, Price(i64::MAX));
        let level = |(place, queue): (&Place, &Vec<(OrderId, Qty)>)| ItchLevel {
            price: u32::try_from(place.2.0).unwrap(),
            orders: queue.iter().map(|(id, qty)| (id.0, u32::try_from(qty.0).unwrap())).collect(),
        };
        self.queues.range(range).map(level).collect()
    }
}

#[test]
fn a_synthetic_day_rebuilds_its_books() {
    const SYMBOLS: u16 = 20;
    let mut day = ItchDay::new(ItchConfig { seed: 7, symbols: usize::from(SYMBOLS), orders: 3_000 }).unwrap();
    let mut file = Vec::new();
    for _ in 0..150_000 {
        assert!(day.next(&mut file));
    }
    assert_eq!(Format::detect(&file), Some(Format::BinaryFile(LengthPrefix::Stated)));
    let (mut books, mut types, mut time) = (Books::default(), BTreeSet::new(), 0);
    let mut messages = 0;
    for bytes in BinaryFileFramer::new(LengthPrefix::Stated).finish(&file) {
        let message = decode(bytes.unwrap()).unwrap();
        messages += 1;
        types.insert(message.message_type());
        assert!(message.timestamp_ns() >= time);
        time = message.timestamp_ns();
        if let Some((locate, change)) = message.order_change() {
            books.apply(locate, change);
        }
    }
    assert_eq!(messages, day.messages());
    assert!(types.len() >= 18, "{types:?}");
    assert_eq!(books.places.len(), day.orders_len());
    assert_eq!(books.queues.len(), day.levels_len());
    for locate in 1..=SYMBOLS {
        let book = day.book(locate).unwrap();
        let bids: Vec<_> = books.side(locate, Side::Bid).into_iter().rev().collect();
        assert_eq!((bids, books.side(locate, Side::Ask)), (book.bids, book.asks), "book {locate}");
    }
}
