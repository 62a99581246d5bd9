//! Books of orders whose changes are numbered, against the venue's own: whatever is lost, repeated, comes out of turn, late or from
//! before, a book that is called synced is the venue's at the number that it states, queue for queue. What waits has a limit, and a
//! book beyond it is had again.

use std::collections::{BTreeMap, VecDeque};

use depthwire_core::encode::{OrderName, RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::replica::{Outcome, Replica, ReplicaState};
use depthwire_core::sequence::PENDING_ORDER_UPDATES_MAX;
use depthwire_core::types::{BookState, InstrumentId, NoClock, Side, StaleReason};
use depthwire_core::venues::{self, COINBASE_EXCHANGE, Resync};

use crate::random::Random;

const SCRIPTS: u64 = if cfg!(debug_assertions) { 300 } else { 5_000 };
const STEPS: u64 = 120;

/// The orders of one side in the order of their queues: by price, then by arrival.
type Orders = BTreeMap<(i64, u64), (u64, i64)>;

/// A venue that knows its book at each of its numbers.
struct Venue {
    random: Random,
    number: u64,
    next_id: u64,
    next_trade: u64,
    arrivals: u64,
    sides: [Orders; 2],
    /// What the book was at the last numbers, oldest first.
    before: VecDeque<(u64, [Orders; 2])>,
}

impl Venue {
    fn new(seed: u64) -> Self {
        let (number, sides) = (1_000, [Orders::new(), Orders::new()]);
        let before = VecDeque::from([(number, sides.clone())]);
        Self { random: Random(seed), number, next_id: 1, next_trade: 1, arrivals: 0, sides, before }
    }

    /// The next message.
    fn say(&mut self) -> String {
        self.number += 1;
        let side = self.random.below(2) as usize;
        let name = ["buy", "sell"][side];
        let resting: Vec<_> = self.sides[side].iter().map(|(place, order)| (*place, *order)).collect();
        let picked = self.random.below(resting.len().max(1) as u64) as usize;
        let more = match (self.random.below(10), resting.get(picked).copied()) {
            (0 | 1, Some((place, (id, qty)))) => {
                let traded = 1 + self.random.below(qty as u64) as i64;
                self.set(side, place, qty - traded);
                self.next_trade += 1;
                let (trade, price) = (self.next_trade, place.0.abs());
                format!(
                    r#""type":"match","trade_id":{trade},"maker_order_id":"o{id}","taker_order_id":"t","size":"{traded}","price":"{price}""#
                )
            }
            (2, Some((place, (id, qty)))) => {
                self.set(side, place, 0);
                format!(r#""type":"done","order_id":"o{id}","remaining_size":"{qty}""#)
            }
            (3, Some((place, (id, qty)))) if qty > 1 => {
                self.set(side, place, qty - 1);
                let (price, qty) = (place.0.abs(), qty - 1);
                format!(r#""type":"change","order_id":"o{id}","price":"{price}","new_size":"{qty}""#)
            }
            (4, Some((place, (id, before)))) => {
                let (price, qty) = self.draw(side);
                if price == place.0.abs() && qty <= before {
                    self.set(side, place, qty);
                } else {
                    self.set(side, place, 0);
                    self.add(side, id, (price, qty));
                }
                format!(r#""type":"change","order_id":"o{id}","new_price":"{price}","new_size":"{qty}""#)
            }
            (5, _) => r#""type":"done","order_id":"never rested""#.to_owned(),
            (6, _) => r#""type":"received","order_id":"never rested""#.to_owned(),
            _ => {
                let id = self.next_id;
                self.next_id += 1;
                let (price, qty) = self.draw(side);
                self.add(side, id, (price, qty));
                format!(r#""type":"open","order_id":"o{id}","price":"{price}","remaining_size":"{qty}""#)
            }
        };
        self.before.push_back((self.number, self.sides.clone()));
        if self.before.len() > 64 {
            self.before.pop_front();
        }
        let number = self.number;
        format!(r#"{{{more},"side":"{name}","product_id":"A-B","sequence":{number}}}"#)
    }

    /// A price and a quantity.
    fn draw(&mut self, side: usize) -> (i64, i64) {
        let offset = self.random.below(5) as i64;
        let price = if side == 0 { 100 - offset } else { 101 + offset };
        (price, 1 + self.random.below(5) as i64)
    }

    /// An order joins the end of its queue.
    fn add(&mut self, side: usize, id: u64, (price, qty): (i64, i64)) {
        self.arrivals += 1;
        let key = if side == 0 { -price } else { price };
        self.sides[side].insert((key, self.arrivals), (id, qty));
    }

    fn set(&mut self, side: usize, place: (i64, u64), qty: i64) {
        if qty == 0 {
            self.sides[side].remove(&place);
        } else {
            self.sides[side].get_mut(&place).unwrap().1 = qty;
        }
    }

    /// Its book of some numbers ago.
    fn book(&self, ago: usize) -> String {
        let (number, sides) = &self.before[self.before.len().saturating_sub(1 + ago)];
        let [bids, asks] = [0, 1].map(|side| {
            let rows = sides[side].iter();
            let rows = rows.map(|((key, _), (id, qty))| format!(r#"["{}","{qty}","o{id}"]"#, key.abs()));
            rows.collect::<Vec<_>>().join(",")
        });
        format!(r#"{{"bids":[{bids}],"asks":[{asks}],"sequence":{number}}}"#)
    }
}

struct Rig {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
    replica: Replica,
    ticket: Option<u32>,
    now: u64,
    compared: u64,
}

impl Rig {
    fn new() -> Self {
        let config = EngineConfig { silence_ns: None, ..EngineConfig::default() };
        let mut engine = Engine::new(config, venues::catalogue(), NoClock);
        let id = engine.add_instrument(venues::instrument(COINBASE_EXCHANGE, "A-B").unwrap()).unwrap();
        let source = engine.open_source(COINBASE_EXCHANGE, &[id]).unwrap();
        engine.open_orders(id).unwrap();
        Self {
            engine,
            source,
            id,
            replica: Replica::default(),
            ticket: None,
            now: 1_000_000_000,
            compared: 0,
        }
    }

    fn hear(&mut self, frame: &str) {
        self.now += 1_000;
        self.engine.ingest(self.source, frame.as_bytes(), self.now).unwrap();
        self.drain();
    }

    fn tick(&mut self, by_ns: u64) {
        self.now += by_ns;
        self.engine.tick(self.now);
        self.drain();
    }

    fn answer(&mut self, book: &str) {
        self.now += 1_000;
        if let Some(ticket) = self.ticket.take() {
            let _ = self.engine.answer(self.id, ticket, book.as_bytes(), self.now);
        }
        self.drain();
    }

    fn drain(&mut self) {
        let outbox = self.engine.outbox();
        while let Some(record) = outbox.front() {
            let payload = &record[RECORD_HEADER_BYTES..];
            if record[4] == RecordType::Frame as u8 {
                let outcome = self.replica.apply(payload).unwrap();
                assert!(!matches!(outcome, Outcome::Gap { .. } | Outcome::CheckFailed), "{outcome:?}");
            } else if record[4] == RecordType::Ask as u8 {
                assert_eq!(payload[5], Resync::Snapshot as u8);
                self.ticket = Some(u32::from_le_bytes(*payload.first_chunk().unwrap()));
            }
            outbox.take();
        }
    }

    fn state(&self) -> BookState {
        self.engine.book_info(self.id, 0).unwrap().state
    }

    /// A book that is called synced is the venue's: at the number that it states, or where nothing was changed since.
    fn compare(&mut self, venue: &Venue) {
        if self.state() != BookState::Synced {
            let told = self.replica.orders(self.id);
            assert!(told.is_none_or(|told| told.state() != ReplicaState::Synced));
            return;
        }
        let number = self.engine.book_info(self.id, 0).unwrap().venue_seq;
        let told = self.replica.orders(self.id).unwrap();
        assert_eq!((told.state(), told.venue_seq()), (ReplicaState::Synced, number));
        for side in [Side::Bid, Side::Ask] {
            assert!(told.levels(side).eq(self.engine.book(self.id).unwrap().levels(side)));
        }
        let Some((_, sides)) = venue.before.iter().find(|(at, _)| *at == number) else { return };
        for (side, orders) in [Side::Bid, Side::Ask].into_iter().zip(sides) {
            let mut sums: Vec<(i64, i64)> = Vec::new();
            for ((key, _), (_, qty)) in orders {
                match sums.last_mut() {
                    Some(last) if last.0 == key.abs() => last.1 += qty,
                    _ => sums.push((key.abs(), *qty)),
                }
            }
            let own = self.engine.book(self.id).unwrap().levels(side);
            let own: Vec<_> = own.map(|level| (level.price.0, level.qty.0)).collect();
            assert_eq!(own, sums, "{side:?} at {number}");
            for ((key, arrival), (id, qty)) in orders {
                let name = format!("o{id}");
                let (order, place) = self.engine.order(self.id, name.as_bytes()).unwrap().expect("it rests");
                let ahead = orders.range((*key, 0)..(*key, *arrival)).count();
                assert_eq!((order.price.0, order.qty.0), (key.abs(), *qty));
                assert_eq!(place.orders_ahead as usize, ahead, "o{id} at {number}");
                let told = self.replica.orders(self.id).unwrap();
                let name = told.named(name.as_bytes()).unwrap();
                assert!(matches!(name, OrderName::Text(_)) && told.orders_ahead(name) == Some(place));
            }
        }
        self.compared += 1;
    }
}

/// One life, with what is done to its messages.
fn script(seed: u64) -> (u64, u64) {
    let (mut venue, mut rig, mut random) = (Venue::new(seed), Rig::new(), Random(seed ^ 0x5eed));
    let mut heard: Vec<String> = Vec::new();
    for _ in 0..STEPS {
        let frame = venue.say();
        match random.below(24) {
            0 => {}
            1 => {
                rig.hear(&frame);
                rig.hear(&frame);
            }
            2 => {
                let next = venue.say();
                rig.hear(&next);
                rig.hear(&frame);
                heard.push(next);
            }
            3 => {
                rig.hear(&frame);
                if !heard.is_empty() {
                    rig.hear(&heard[random.below(heard.len() as u64) as usize].clone());
                }
            }
            4 => {
                rig.hear(&frame);
                rig.hear(&format!(
                    r#"{{"type":"heartbeat","last_trade_id":1,"product_id":"A-B","sequence":{}}}"#,
                    venue.number
                ));
            }
            _ => rig.hear(&frame),
        }
        heard.push(frame);
        rig.compare(&venue);
        if random.below(4) == 0 {
            let ago = random.below(12) as usize;
            rig.answer(&venue.book(ago));
            rig.compare(&venue);
        }
        if random.below(6) == 0 {
            rig.tick(random.below(40) * 1_000_000_000);
            rig.compare(&venue);
        }
    }
    // Every book can be had again.
    for _ in 0..20 {
        let frame = venue.say();
        rig.hear(&frame);
        rig.tick(64_000_000_000);
        rig.answer(&venue.book(0));
        rig.compare(&venue);
    }
    assert_eq!(rig.state(), BookState::Synced, "seed {seed}");
    let stats = rig.engine.stats();
    assert_eq!((stats.contradictions, stats.orders.contradictions), (0, 0), "seed {seed}");
    (rig.compared, stats.resyncs)
}

#[test]
fn levels_that_nobody_tells_are_not_asked_for() {
    let mut rig = Rig::new();
    rig.engine.opened(rig.source, rig.now).unwrap();
    rig.now += 1_000_000_000;
    rig.engine.tick(rig.now);
    rig.drain();
    let mut venue = Venue::new(3);
    rig.hear(&venue.say());
    rig.answer(&venue.book(0));
    assert_eq!(rig.state(), BookState::Synced);
    rig.engine.source_failed(rig.source, rig.now).unwrap();
    rig.engine.opened(rig.source, rig.now).unwrap();
    // What the venue answers; without it executions may be of a connection that tells trades alone.
    rig.hear(r#"{"type":"subscriptions","channels":[{"name":"full","product_ids":["A-B"]}]}"#);
    let asked = rig.engine.stats().snapshot_requests;
    for _ in 0..100 {
        rig.hear(&venue.say());
        rig.tick(1_000_000_000);
    }
    assert_eq!(rig.state(), BookState::Synced);
    assert_eq!(rig.engine.stats().snapshot_requests, asked, "the orders are there");
}

#[test]
fn a_synced_book_is_the_venues_whatever_becomes_of_its_messages() {
    let (mut compared, mut resyncs) = (0, 0);
    for seed in 1..=SCRIPTS {
        let of = script(seed);
        (compared, resyncs) = (compared + of.0, resyncs + of.1);
    }
    println!("{SCRIPTS} scripts, {compared} books compared, {resyncs} had again");
    assert!(compared > SCRIPTS * STEPS / 3 && resyncs > SCRIPTS);
}

#[test]
fn what_waits_has_a_limit_and_the_book_must_reach_what_is_left() {
    let (mut venue, mut rig) = (Venue::new(3), Rig::new());
    let (mut early, mut late) = (String::new(), String::new());
    for step in 0..PENDING_ORDER_UPDATES_MAX + 40 {
        let frame = venue.say();
        rig.hear(&frame);
        if step == 20 {
            early = venue.book(0);
        } else if step == PENDING_ORDER_UPDATES_MAX + 30 {
            late = venue.book(0);
        }
    }
    assert_eq!(rig.engine.stats().pending_dropped, 40);
    rig.answer(&early);
    assert_eq!((rig.state(), rig.engine.stats().snapshots_old), (BookState::Syncing, 1));
    rig.tick(64_000_000_000);
    rig.answer(&late);
    assert_eq!(rig.state(), BookState::Synced);
    rig.compare(&venue);
    assert!(rig.compared > 0);
}

#[test]
fn a_book_that_is_contradicted_is_had_again() {
    for contradiction in [
        r#""type":"match","trade_id":9,"maker_order_id":"nobody","size":"1","price":"100""#,
        r#""type":"match","trade_id":9,"maker_order_id":"o1","size":"9","price":"100""#,
        r#""type":"open","order_id":"o1","price":"100","remaining_size":"1""#,
    ] {
        let mut rig = Rig::new();
        let message = |number: u64, text: &str| {
            format!(r#"{{{text},"side":"buy","product_id":"A-B","sequence":{number}}}"#)
        };
        rig.hear(&message(1, r#""type":"open","order_id":"o1","price":"100","remaining_size":"5""#));
        rig.answer(r#"{"bids":[],"asks":[],"sequence":0}"#);
        assert_eq!(rig.state(), BookState::Synced, "{contradiction}");
        rig.hear(&message(2, r#""type":"done","order_id":"nobody""#));
        rig.hear(&message(3, r#""type":"change","order_id":"nobody","price":"7","new_size":"1""#));
        assert_eq!(rig.state(), BookState::Synced, "ends and changes of what never rested");
        rig.hear(&message(4, contradiction));
        assert_eq!(rig.state(), BookState::Stale(StaleReason::Contradiction), "{contradiction}");
        rig.hear(&message(5, r#""type":"received","order_id":"x""#));
        rig.tick(64_000_000_000);
        rig.answer(r#"{"bids":[["100","5","o1"]],"asks":[],"sequence":4}"#);
        assert_eq!(rig.state(), BookState::Synced, "{contradiction}");
        assert_eq!(rig.engine.stats().orders.contradictions, 1);
    }
}

#[test]
fn a_doubt_ends_with_the_message_that_goes_on() {
    let mut rig = Rig::new();
    let received = |number: u64| {
        format!(r#"{{"type":"received","order_id":"x","product_id":"A-B","sequence":{number}}}"#)
    };
    rig.hear(&received(1));
    rig.answer(r#"{"bids":[["100","5","o1"]],"asks":[],"sequence":1}"#);
    assert_eq!(rig.state(), BookState::Synced);
    rig.tick(6_000_000_000);
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Silence));
    rig.hear(&received(2));
    assert_eq!(rig.state(), BookState::Synced, "nothing was missed");
    rig.tick(6_000_000_000);
    rig.hear(&received(4));
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Gap));
}

/// A number with more decimals than the scale has comes while changes wait for a book.
#[test]
fn what_waits_takes_a_finer_scale() {
    let mut rig = Rig::new();
    let open = |number: u64, id: &str, price: &str, qty: &str| {
        format!(
            r#"{{"type":"open","order_id":"{id}","side":"buy","product_id":"A-B","price":"{price}","remaining_size":"{qty}","sequence":{number}}}"#
        )
    };
    rig.hear(&open(1, "a", "100", "5"));
    rig.hear(&open(2, "b", "99.25", "0.5"));
    rig.answer(r#"{"bids":[["98.125","1","c"]],"asks":[],"sequence":0}"#);
    assert_eq!(rig.state(), BookState::Synced);
    let levels: Vec<_> = rig.engine.book(rig.id).unwrap().levels(Side::Bid).collect();
    let levels: Vec<_> = levels.iter().map(|level| (level.price.0, level.qty.0)).collect();
    assert_eq!(levels, [(100_000, 50), (99_250, 5), (98_125, 10)]);
}
