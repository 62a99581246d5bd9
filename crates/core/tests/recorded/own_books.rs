//! Orders that a venue tells one by one, against the books of levels that it made of them itself.
//!
//! The recording begins without an image, so the orders of a price are known from when it was seen to be empty: two books in a
//! row reach beyond it and have nothing there, and no order came or went there meanwhile. Books and orders come by two channels, which
//! are not in step. So a level is compared where two books in a row agree on it: it is equal if the sum of its orders is that at the
//! moment of the second one, and explained if it was or will be between the book before these two and the one behind them. The books are
//! read here, without the room.

use std::collections::{BTreeMap, HashMap, HashSet};

use depthwire_core::book::BookSpec;
use depthwire_core::book::l3::{BookIndex, IdOrder, L3Books, L3Spec};
use depthwire_core::recording::{Heard, Transcript};
use depthwire_core::types::{Body, Events, OrderChange, OrderId, Price, Route, Routes, Side, Slot};
use depthwire_core::venues::{self, At, BITSTAMP};

use crate::{expected, files};

/// A level, by its mantissa at two decimals.
type Place = (Side, i64);

/// Mantissas of prices and amounts of a side.
type Levels = BTreeMap<i64, i64>;

/// What a comparison came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    created: u64,
    changed: u64,
    deleted: u64,
    books: u64,
    compared: u64,
    equal: u64,
    explained: u64,
    unexplained: u64,
}

struct Comparison {
    orders: L3Books,
    book: BookIndex,
    /// A deletion may come before its creation.
    deleted: HashSet<OrderId>,
    known: HashSet<Place>,
    /// The last book, and the one before.
    last: [Option<[Levels; 2]>; 2],
    /// Sums that levels had since the last book, and between the two.
    sums: [HashMap<Place, Vec<i64>>; 2],
    /// Levels that differ, as the venue has them, until the next book.
    differing: Vec<(Place, i64)>,
    counts: Counts,
}

impl Comparison {
    fn new() -> Self {
        let spec = L3Spec { orders_max: 1 << 16, books_max: 1, ids: IdOrder::Ascending, hash_seed: 7 };
        let mut orders = L3Books::new(spec).unwrap();
        let book = orders.open(BookSpec { tick_size: 1, levels_max: 1 << 16 }).unwrap();
        let (deleted, known, last, sums) = Default::default();
        let (differing, counts) = Default::default();
        Self { orders, book, deleted, known, last, sums, differing, counts }
    }

    fn sum(&self, (side, price): Place) -> i64 {
        self.orders.qty_at(self.book, side, Price(price)).0
    }

    /// Whether a book speaks of a level, and what it says.
    fn told(levels: &[Levels; 2], (side, price): Place) -> Option<i64> {
        let levels = &levels[side as usize];
        let reaches = match side {
            Side::Bid => levels.first_key_value().is_some_and(|(worst, _)| price >= *worst),
            Side::Ask => levels.last_key_value().is_some_and(|(worst, _)| price <= *worst),
        };
        reaches.then(|| levels.get(&price).copied().unwrap_or(0))
    }

    /// An order is about to come, to change or to go at a level.
    fn touch(&mut self, place: Place) {
        let is_empty =
            |book: &Option<[Levels; 2]>| book.as_ref().is_some_and(|book| Self::told(book, place) == Some(0));
        let is_touched = self.sums.iter().any(|sums| sums.contains_key(&place));
        if !is_touched && self.last.iter().all(is_empty) {
            self.known.insert(place);
        }
        self.note(place);
    }

    fn note(&mut self, place: Place) {
        let sum = self.sum(place);
        self.sums[0].entry(place).or_default().push(sum);
    }

    fn order(&mut self, change: OrderChange) {
        let (id, to) = match change {
            OrderChange::Add { id, side, price, .. } => {
                self.counts.created += 1;
                (id, Some((side, price.0)))
            }
            OrderChange::Modify { id, side, price, .. } => {
                self.counts.changed += 1;
                (id, Some((side, price.0)))
            }
            OrderChange::Delete { id } => {
                self.counts.deleted += 1;
                self.deleted.insert(id);
                (id, None)
            }
            other => panic!("{other:?}"),
        };
        let resting = self.orders.order(id).map(|order| (order.side, order.price.0));
        let is_new = matches!(change, OrderChange::Add { .. });
        if is_new && self.deleted.contains(&id) {
            return;
        }
        let places = [to, resting.filter(|from| Some(*from) != to)];
        places.iter().flatten().for_each(|place| self.touch(*place));
        // One of before the recording is not known.
        if is_new || resting.is_some() {
            self.orders.apply(self.book, &change).unwrap();
        }
        places.iter().flatten().for_each(|place| self.note(*place));
    }

    fn book(&mut self, now: [Levels; 2]) {
        self.counts.books += 1;
        self.settle();
        if let Some(before) = &self.last[0] {
            let mut places: HashSet<Place> = HashSet::new();
            for side in [Side::Bid, Side::Ask] {
                let own = self.orders.levels(self.book, side).map(|level| level.price.0);
                places.extend(now[side as usize].keys().copied().chain(own).map(|price| (side, price)));
            }
            for place in places.intersection(&self.known) {
                let (Some(told), Some(told_before)) = (Self::told(&now, *place), Self::told(before, *place))
                else {
                    continue;
                };
                if told != told_before {
                    continue;
                }
                self.counts.compared += 1;
                if self.sum(*place) == told {
                    self.counts.equal += 1;
                } else {
                    self.differing.push((*place, told));
                }
            }
        }
        self.last.swap(0, 1);
        self.last[0] = Some(now);
        self.sums.swap(0, 1);
        self.sums[0].clear();
    }

    /// Whether what differs was so at another moment.
    fn settle(&mut self) {
        for (place, told) in std::mem::take(&mut self.differing) {
            let is_met =
                self.sums.iter().any(|sums| sums.get(&place).is_some_and(|sums| sums.contains(&told)));
            self.counts.explained += u64::from(is_met);
            self.counts.unexplained += u64::from(!is_met);
        }
    }
}

/// A book as the venue prints it, with two and eight decimals, without a decoder.
fn printed(text: &str) -> [Levels; 2] {
    let (bids, asks) = text.split_once("\"asks\"").unwrap();
    [bids.split_once("\"bids\"").unwrap().1, asks].map(|side| {
        let numbers: Vec<_> = side.split('"').skip(1).step_by(2).collect();
        let mantissa = |number: &str, decimals: usize| {
            let (whole, fraction) = number.split_once('.').unwrap();
            assert_eq!(fraction.len(), decimals, "{number}");
            format!("{whole}{fraction}").parse::<i64>().unwrap()
        };
        numbers.chunks_exact(2).map(|level| (mantissa(level[0], 2), mantissa(level[1], 8))).collect()
    })
}

/// Compares a recording, but for the lines that `is_lost`.
fn compare(log: &[u8], is_lost: impl Fn(usize) -> bool) -> Counts {
    let mut routes = Routes::new();
    let route = Route { slot: Slot(0), price_exponent: -2, qty_exponent: -8 };
    assert!(routes.carry([&b"btcusd"[..]].into_iter(), route));
    let mut session = venues::session(BITSTAMP);
    let (mut events, mut comparison) = (Events::default(), Comparison::new());
    let (mut transcript, mut at, mut line) = (Transcript::default(), 0, 0);
    while let Ok(entry) = transcript.next(log, at, true) {
        at = entry.end;
        let Ok(Heard::Received { bytes, .. }) = entry.heard else { panic!("{:?}", entry.heard) };
        line += 1;
        if is_lost(line) {
            continue;
        }
        events.clear();
        session.frame(bytes, At::default(), &routes, &mut events).unwrap();
        for event in events.list() {
            match event.body {
                Body::Orders(_, span) => {
                    events.order_changes(span).iter().for_each(|change| comparison.order(*change));
                }
                Body::Book(..) => comparison.book(printed(std::str::from_utf8(bytes).unwrap())),
                Body::Trades(..) => {}
                ref other => panic!("{other:?}"),
            }
        }
    }
    comparison.settle();
    comparison.counts
}

#[test]
fn recorded_orders_are_the_venues_own_books() {
    let set = expected::own_books("bitstamp-orders-20150501");
    let Some(root) = files::root("recorded_orders_are_the_venues_own_books") else { return };
    let log = files::read(&root.join(&set.files[0])).unwrap();
    let counts = compare(&log, |_| false);
    println!(
        "{} books: {} levels compared, {} equal, {} explained, {} unexplained",
        counts.books, counts.compared, counts.equal, counts.explained, counts.unexplained
    );
    let Counts { created, changed, deleted, books, compared, equal, explained, unexplained } = counts;
    assert_eq!((created, changed, deleted, books), (set.created, set.changed, set.deleted, set.books));
    assert_eq!((compared, equal, explained, unexplained), (set.compared, set.equal, set.explained, 0));
    // The same without one message: its order rests for ever, or never.
    let orders = |name: &str| {
        let lines = std::str::from_utf8(&log).unwrap().lines().enumerate();
        lines.filter(|(_, line)| line.contains(name)).map(|(index, _)| index + 1).nth(9_000).unwrap()
    };
    for name in [" order_deleted ", " order_created "] {
        let lost = orders(name);
        let unexplained = compare(&log, |line| line == lost).unexplained;
        println!("without line {lost}: {unexplained} unexplained");
        assert!(unexplained > 0, "without line {lost},{name}");
    }
}

/// A venue whose books are behind or ahead of its orders, and which has orders of before the recording.
struct Market {
    state: u64,
    next_id: u64,
    orders: BTreeMap<u64, (usize, i64, i64)>,
    /// Books at the last moments.
    before: Vec<[Levels; 2]>,
    ms: u64,
    log: String,
}

impl Market {
    fn random(&mut self, below: u64) -> u64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(self.state ^ (self.state >> 31)) * u128::from(below)) >> 64) as u64
    }

    fn say(&mut self, event: &str, id: u64, (side, price, qty): (usize, i64, i64)) {
        self.ms += 1 + self.random(300);
        self.log += &format!(
            "{} {event} {{\"price\": \"{}.{:02}\", \"amount\": \"{}.{:08}\", \"datetime\": \"0\", \"id\": {id}, \"order_type\": {side}}}\n",
            self.ms,
            price / 100,
            price % 100,
            qty / 100_000_000,
            qty % 100_000_000
        );
    }

    fn add(&mut self, is_told: bool) {
        let side = self.random(2) as usize;
        let offset = self.random(60) as i64;
        let price = if side == 0 { 23_600 - offset } else { 23_601 + offset };
        let order = (side, price, 1 + self.random(500_000_000) as i64);
        self.next_id += 1;
        self.orders.insert(self.next_id, order);
        if is_told {
            self.say("order_created", self.next_id, order);
        }
    }

    fn act(&mut self) {
        let nth = self.random(self.orders.len() as u64) as usize;
        let (id, (side, price, qty)) = self.orders.iter().nth(nth).map(|(id, order)| (*id, *order)).unwrap();
        match self.random(8) {
            0..4 => self.add(true),
            4 if qty > 1 => {
                let left = (side, price, 1 + self.random(qty as u64 - 1) as i64);
                self.orders.insert(id, left);
                self.say("order_changed", id, left);
            }
            _ => {
                self.orders.remove(&id);
                self.say("order_deleted", id, (side, price, qty));
            }
        }
        let mut book = [Levels::new(), Levels::new()];
        for (side, price, qty) in self.orders.values() {
            *book[*side].entry(*price).or_default() += qty;
        }
        self.before.push(book);
    }

    fn tell_book(&mut self) {
        let behind = 1 + self.random(2) as usize;
        let book = self.before[self.before.len() - behind].clone();
        let [bids, asks] = [0, 1].map(|side| {
            let level = |(price, qty): (&i64, &i64)| {
                format!(
                    "[\"{}.{:02}\", \"{}.{:08}\"]",
                    price / 100,
                    price % 100,
                    qty / 100_000_000,
                    qty % 100_000_000
                )
            };
            let levels: Vec<_> = match side {
                0 => book[0].iter().rev().take(20).map(level).collect(),
                _ => book[1].iter().take(20).map(level).collect(),
            };
            levels.join(", ")
        });
        self.log += &format!("{} order_book {{\"bids\": [{bids}], \"asks\": [{asks}]}}\n", self.ms);
    }
}

#[test]
fn made_orders_are_their_books_and_one_that_is_lost_shows() {
    let (mut lost, mut shown) = (0, 0);
    for seed in 0..4 {
        let mut market = Market {
            state: seed,
            next_id: 100,
            orders: BTreeMap::new(),
            before: Vec::new(),
            ms: 1_430_438_404_000,
            log: String::new(),
        };
        (0..40).for_each(|_| market.add(false));
        for _ in 0..600 {
            (0..5).for_each(|_| market.act());
            market.tell_book();
        }
        let whole = compare(market.log.as_bytes(), |_| false);
        assert_eq!(whole.unexplained, 0, "seed {seed}: {whole:?}");
        assert!(whole.compared > 10_000 && whole.explained > 0, "seed {seed}: {whole:?}");
        let is_deletion = |(_, line): &(usize, &str)| line.contains(" order_deleted ");
        for (index, _) in market.log.lines().enumerate().filter(is_deletion).skip(100).step_by(100) {
            lost += 1;
            shown += u32::from(compare(market.log.as_bytes(), |line| line == index + 1).unexplained > 0);
        }
    }
    println!("{shown} of {lost} lost deletions show");
    assert!(shown * 3 > lost, "{shown} of {lost}");
}
