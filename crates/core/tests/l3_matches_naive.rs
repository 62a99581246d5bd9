//! The order-by-order books and the maps-and-queues books tell the same story, message by message, over feeds built
//! to hurt.
//!
//! Each feed is a seeded stream of changes over one or many books. After every message the answers of both are
//! compared: the result of the call, the best of both sides, what is known of the order, and the levels that were
//! touched; every so often the whole books with their queues, every order's place in its queue, and an L2 book that
//! followed the touched levels alone. A failure names the feed, its seed and the message.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what went wrong by failing")]

use std::thread;

use depthwire_core::book::l3::{BookIndex, IdOrder, L3Books, L3Error, L3Spec, NaiveL3, Touched};
use depthwire_core::book::{BookSpec, L2Book};
use depthwire_core::types::{KnownTo, Levels, OrderChange, OrderId, Price, Qty, Side};

/// Changes over all feeds: above four million when optimised.
const CHANGES_PER_FEED: u64 = if cfg!(debug_assertions) { 60_000 } else { 250_000 };

/// Prices that break careless arithmetic.
const EXTREMES: [i64; 11] =
    [0, 1, -1, i64::MAX, i64::MAX - 1, i64::MIN, i64::MIN + 1, 1 << 61, (1 << 61) + 1, -(1 << 62), 1 << 62];

/// How the venue of a feed chooses numbers.
#[derive(Clone, Copy)]
enum Ids {
    /// One after the other, from here, with gaps of up to this.
    Ascending(u64, u64),
    /// By hash over all 64 bits.
    Scattered,
    /// From the top of the 64 bits downwards, this far apart.
    Descending(u64),
    /// Upwards, this far apart.
    Strided(u64),
    /// Ascending with wild jumps ahead and back.
    Jumping,
    /// Ascending with gaps of up to this, from the first again after so many messages.
    Anew(u64, u64),
}

/// One feed. Chances are out of 1,024.
#[derive(Clone, Copy)]
struct Feed {
    name: &'static str,
    seed: u64,
    spec: L3Spec,
    book: BookSpec,
    books: u32,
    ids: Ids,
    center: i64,
    step: i64,
    /// Orders come up to 2^this steps from the price, most of them near.
    depth_bits: u64,
    /// Steps that the price moves each 16 messages, one way for 20,000 messages and then the other.
    trend: i64,
    jump_chance: u64,
    off_grid_chance: u64,
    extreme_chance: u64,
    /// Resting orders about which the feed hovers.
    orders: usize,
    qty_max: u64,
    /// Chance of a message that no honest venue sends.
    fault_chance: u64,
    clear_chance: u64,
    /// Part of the orders that never leave by themselves.
    old_chance: u64,
    /// Chance that a new or modified order comes with a key, which says where it stands in its queue.
    keyed_chance: u64,
    /// Chance that a message does not say whether its order is new.
    untold_chance: u64,
    /// Levels a side to which the book is cut after each message.
    depth: Option<usize>,
}

const FEED: Feed = Feed {
    name: "a future",
    seed: 1,
    spec: L3Spec { orders_max: 20_000, books_max: 1_000, ids: IdOrder::Arbitrary, hash_seed: 42 },
    book: BookSpec { tick_size: 250, levels_max: 100_000 },
    books: 1,
    ids: Ids::Scattered,
    center: 4_800_000,
    step: 250,
    depth_bits: 10,
    trend: 0,
    jump_chance: 0,
    off_grid_chance: 0,
    extreme_chance: 0,
    orders: 3_000,
    qty_max: 50,
    fault_chance: 8,
    clear_chance: 0,
    old_chance: 0,
    keyed_chance: 0,
    untold_chance: 128,
    depth: None,
};

fn feeds() -> [Feed; 24] {
    let ascending = L3Spec { ids: IdOrder::Ascending, ..FEED.spec };
    [
        FEED,
        Feed { name: "a future with cleared books", seed: 2, clear_chance: 2, depth_bits: 6, ..FEED },
        Feed {
            name: "equities",
            seed: 3,
            spec: ascending,
            book: BookSpec { tick_size: 100, levels_max: 10_000 },
            books: 300,
            ids: Ids::Ascending(1, 1),
            center: 1_500_000,
            step: 100,
            depth_bits: 7,
            orders: 6_000,
            ..FEED
        },
        Feed {
            name: "equities with gaps and old orders",
            seed: 4,
            spec: ascending,
            book: BookSpec { tick_size: 100, levels_max: 10_000 },
            books: 50,
            ids: Ids::Ascending(u64::MAX / 3, 40),
            center: 15_000,
            step: 100,
            depth_bits: 9,
            orders: 8_000,
            old_chance: 100,
            trend: 1,
            ..FEED
        },
        Feed { name: "numbers that descend", seed: 5, spec: ascending, ids: Ids::Descending(1), ..FEED },
        Feed {
            name: "numbers that descend from page to page",
            seed: 6,
            spec: ascending,
            ids: Ids::Descending(1_025),
            ..FEED
        },
        Feed {
            name: "a number in each page",
            seed: 7,
            spec: ascending,
            ids: Ids::Strided(1_024),
            old_chance: 50,
            ..FEED
        },
        Feed {
            name: "a number in each directory",
            seed: 8,
            spec: ascending,
            ids: Ids::Strided(1 << 26),
            ..FEED
        },
        Feed {
            name: "cleared, and numbers begin anew",
            seed: 23,
            spec: ascending,
            ids: Ids::Anew(300, 7_000),
            orders: 800,
            old_chance: 200,
            clear_chance: 1,
            ..FEED
        },
        Feed {
            name: "long lists of far prices",
            seed: 24,
            book: BookSpec { tick_size: 1 << 40, levels_max: 100_000 },
            depth_bits: 40,
            step: 1,
            orders: 2_000,
            clear_chance: 1,
            ..FEED
        },
        Feed { name: "numbers that jump", seed: 9, spec: ascending, ids: Ids::Jumping, ..FEED },
        Feed {
            name: "scattered numbers where ascending ones were promised",
            seed: 10,
            spec: ascending,
            ..FEED
        },
        Feed {
            name: "spreads around zero",
            seed: 11,
            center: 0,
            depth_bits: 8,
            jump_chance: 1,
            off_grid_chance: 20,
            ..FEED
        },
        Feed {
            name: "off the grid, without a tick",
            seed: 12,
            book: BookSpec { tick_size: 0, levels_max: 100_000 },
            off_grid_chance: 900,
            ..FEED
        },
        Feed { name: "extreme prices", seed: 13, extreme_chance: 30, depth_bits: 5, ..FEED },
        Feed {
            name: "extreme ticks and quantities",
            seed: 14,
            book: BookSpec { tick_size: 1 << 40, levels_max: 100_000 },
            step: 1 << 40,
            center: (1 << 61) - (1 << 45),
            qty_max: i64::MAX as u64,
            extreme_chance: 10,
            trend: 3,
            ..FEED
        },
        Feed { name: "long queues", seed: 15, depth_bits: 2, orders: 2_000, ..FEED },
        Feed {
            name: "at its limit of orders",
            seed: 16,
            spec: L3Spec { orders_max: 500, ..ascending },
            ids: Ids::Ascending(0, 3),
            orders: 520,
            ..FEED
        },
        Feed {
            name: "at its limit of levels",
            seed: 18,
            book: BookSpec { levels_max: 60, ..FEED.book },
            depth_bits: 7,
            trend: 1,
            orders: 200,
            fault_chance: 64,
            ..FEED
        },
        Feed { name: "queues by key", seed: 19, depth_bits: 4, orders: 600, keyed_chance: 1_024, ..FEED },
        Feed {
            name: "long queues by key, some orders without",
            seed: 20,
            spec: ascending,
            ids: Ids::Ascending(0, 30),
            depth_bits: 2,
            orders: 600,
            old_chance: 50,
            keyed_chance: 900,
            clear_chance: 1,
            ..FEED
        },
        Feed {
            name: "ten levels a side and no more",
            seed: 21,
            depth: Some(10),
            orders: 800,
            keyed_chance: 300,
            ..FEED
        },
        Feed {
            name: "a hundred levels a side, off the grid",
            seed: 22,
            off_grid_chance: 300,
            trend: 1,
            depth: Some(100),
            fault_chance: 32,
            ..FEED
        },
        Feed { name: "a price on the move", seed: 17, trend: 7, jump_chance: 2, depth_bits: 11, ..FEED },
    ]
}

/// A linear congruential generator whose high bits are good enough to choose messages.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ self.0 >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    fn chance(&mut self, of_1024: u64) -> bool {
        self.below(1_024) < of_1024
    }
}

/// The venue's own memory of what rests, from which it chooses its next message.
struct Venue {
    feed: Feed,
    random: Random,
    resting: Vec<(BookIndex, OrderId)>,
    last_id: u64,
    price: i64,
    messages: u64,
}

impl Venue {
    fn new(feed: Feed) -> Self {
        let last_id = match feed.ids {
            Ids::Ascending(from, _) => from,
            Ids::Descending(_) => u64::MAX,
            _ => 0,
        };
        Self {
            feed,
            random: Random(feed.seed),
            resting: Vec::new(),
            last_id,
            price: feed.center,
            messages: 0,
        }
    }

    fn new_id(&mut self) -> OrderId {
        let gap = |random: &mut Random, gaps: u64| 1 + random.below(gaps);
        self.last_id = match self.feed.ids {
            Ids::Ascending(_, gaps) => self.last_id.wrapping_add(gap(&mut self.random, gaps)),
            Ids::Anew(gaps, messages) if !self.messages.is_multiple_of(messages) => {
                self.last_id + gap(&mut self.random, gaps)
            }
            Ids::Anew(..) => 1,
            Ids::Scattered => self.random.next(),
            Ids::Descending(by) => self.last_id.wrapping_sub(by),
            Ids::Strided(by) => self.last_id.wrapping_add(by),
            Ids::Jumping => match self.random.below(200) {
                0 => self.random.next(),
                1 => self.last_id.wrapping_add(1 << 25),
                2 => self.last_id.wrapping_sub(1 << 22),
                3 => self.random.below(1 << 40),
                _ => self.last_id.wrapping_add(1),
            },
        };
        OrderId(self.last_id)
    }

    fn new_price(&mut self, side: Side) -> Price {
        if self.random.chance(self.feed.extreme_chance) {
            return Price(EXTREMES[self.random.below(EXTREMES.len() as u64) as usize]);
        }
        let bits = self.random.below(self.feed.depth_bits + 1);
        let away = self.random.below(1 << bits) as i64 * self.feed.step;
        let off =
            if self.random.chance(self.feed.off_grid_chance) { 1 + self.random.below(99) as i64 } else { 0 };
        Price(match side {
            Side::Bid => self.price.wrapping_sub(away).wrapping_sub(off),
            Side::Ask => self.price.wrapping_add(self.feed.step + away).wrapping_add(off),
        })
    }

    fn qty(&mut self) -> Qty {
        Qty(1 + self.random.below(self.feed.qty_max) as i64)
    }

    fn side(&mut self) -> Side {
        if self.random.chance(512) { Side::Bid } else { Side::Ask }
    }

    fn add(&mut self) -> (BookIndex, OrderChange) {
        // The first books have most of the orders.
        let part = self.random.below(u64::from(self.feed.books));
        let book = BookIndex(self.random.below(part + 1) as u32);
        let (side, id) = (self.side(), self.new_id());
        (book, OrderChange::Add { id, side, price: self.new_price(side), qty: self.qty() })
    }

    fn fault(&mut self) -> (BookIndex, OrderChange) {
        let (book, id) = self.resting[self.random.below(self.resting.len() as u64) as usize];
        let stranger = OrderId(self.random.next() >> self.random.below(64));
        let (_, other) = self.resting[self.random.below(self.resting.len() as u64) as usize];
        let (side, qty) = (self.side(), self.qty());
        let price = self.new_price(side);
        let unknown = BookIndex(self.feed.books + self.random.below(2) as u32);
        let any_book = if self.random.chance(300) {
            unknown
        } else {
            BookIndex(self.random.below(u64::from(self.feed.books)) as u32)
        };
        let bad = Qty([0, -1, i64::MIN][self.random.below(3) as usize]);
        match self.random.below(16) {
            0 => (book, OrderChange::Add { id, side, price, qty }),
            1 => (book, OrderChange::Add { id: stranger, side, price, qty: bad }),
            2 => (book, OrderChange::Reduce { id: stranger, qty }),
            3 => (book, OrderChange::Execute { id, qty: Qty(i64::MAX) }),
            4 => (book, OrderChange::Reduce { id, qty: bad }),
            5 => (book, OrderChange::Replace { id, new_id: other, price, qty }),
            6 => (book, OrderChange::Replace { id: stranger, new_id: id, price, qty }),
            7 => (book, OrderChange::Replace { id, new_id: stranger, price, qty: bad }),
            8 => (book, OrderChange::Modify { id, side, price, qty }),
            9 => (book, OrderChange::Modify { id: stranger, side, price, qty }),
            10 => (book, OrderChange::Modify { id, side, price, qty: bad }),
            11 => (book, OrderChange::Delete { id: stranger }),
            12 => (any_book, OrderChange::Delete { id }),
            13 => (book, OrderChange::Cancel { id, side, price, qty }),
            14 => (any_book, OrderChange::Cancel { id: stranger, side, price, qty: bad }),
            _ => (any_book, OrderChange::Replace { id, new_id: stranger, price, qty }),
        }
    }

    fn change(&mut self, books: &NaiveL3) -> (BookIndex, OrderChange) {
        self.messages += 1;
        if self.messages.is_multiple_of(16) {
            let trend = self.feed.trend * self.feed.step;
            let way = if (self.messages / 20_000).is_multiple_of(2) { trend } else { -trend };
            self.price = self.price.wrapping_add(way);
        }
        if self.random.chance(self.feed.jump_chance) {
            self.price = self.price.wrapping_add((self.random.below(8_001) as i64 - 4_000) * self.feed.step);
        }
        if self.resting.is_empty()
            || self.random.below(2 * self.feed.orders as u64) > self.resting.len() as u64
        {
            return self.add();
        }
        if self.random.chance(self.feed.fault_chance) {
            return self.fault();
        }
        if self.random.chance(self.feed.clear_chance) {
            let book = self.resting[0].0;
            return (book, OrderChange::Clear);
        }
        let mut at = self.random.below(self.resting.len() as u64) as usize;
        if at * 1_024 < self.resting.len() * self.feed.old_chance as usize {
            at = self.resting.len() - 1;
        }
        let (book, id) = self.resting[at];
        let order = books.order(id).unwrap();
        let part = Qty(1 + self.random.below(order.qty.0 as u64) as i64);
        let price = if self.random.chance(300) { order.price } else { self.new_price(order.side) };
        let change = match self.random.below(10) {
            0 => OrderChange::Reduce { id, qty: part },
            1 if self.random.chance(500) => OrderChange::Execute { id, qty: part },
            1 => OrderChange::Cancel { id, side: order.side, price: order.price, qty: part },
            2 => OrderChange::Replace { id, new_id: self.new_id(), price, qty: self.qty() },
            3 => OrderChange::Modify { id, side: order.side, price, qty: self.qty() },
            4 => OrderChange::Modify { id, side: order.side, price: order.price, qty: part },
            5 => OrderChange::Replace { id, new_id: id, price, qty: self.qty() },
            _ => OrderChange::Delete { id },
        };
        (book, change)
    }

    /// A key near the last ones, now and then far from them.
    fn key(&mut self) -> u64 {
        match self.random.below(64) {
            0 => 0,
            1 => u64::MAX,
            2 => self.random.next(),
            _ => (1 << 40) + self.messages / 4 - self.random.below(40),
        }
    }

    /// Follows what the oracle accepted.
    fn note(&mut self, book: BookIndex, change: &OrderChange, books: &NaiveL3) {
        match *change {
            OrderChange::Add { id, .. } => self.resting.push((book, id)),
            OrderChange::Upsert { id, .. } if !self.resting.contains(&(book, id)) => {
                self.resting.push((book, id));
            }
            OrderChange::Replace { id, new_id, .. } if id != new_id => {
                self.resting.retain(|(_, resting)| *resting != id);
                self.resting.push((book, new_id));
            }
            OrderChange::Clear => self.resting.retain(|(of, _)| *of != book),
            OrderChange::Reduce { id, .. }
            | OrderChange::Cancel { id, .. }
            | OrderChange::Execute { id, .. }
            | OrderChange::Delete { id }
                if books.order(id).is_none() =>
            {
                self.resting.retain(|(_, resting)| *resting != id);
            }
            _ => {}
        }
    }
}

/// The same, not told whether it is of a new order.
fn untold(change: OrderChange) -> OrderChange {
    match change {
        OrderChange::Add { id, side, price, qty } | OrderChange::Modify { id, side, price, qty } => {
            OrderChange::Upsert { id, side, price, qty }
        }
        change => change,
    }
}

/// Which answers a feed brought about, so that it is known to test what it says.
#[derive(Debug, Default)]
struct Met {
    codes: Vec<&'static str>,
    levels_max: usize,
    queue_max: u32,
    /// Orders that came before one which stood there, and levels that fell out of the depth.
    between: u64,
    cut: usize,
}

/// An L2 book that follows the touched levels alone.
fn follow(l2: &mut L2Book, touched: Touched) {
    let mut levels = Levels::default();
    let mut put = |side, level| match side {
        Side::Bid => levels.bids.push(level),
        Side::Ask => levels.asks.push(level),
    };
    match touched {
        Touched::One { side, now } => put(side, now),
        Touched::Two { side, left, joined } => {
            put(side, left);
            put(side, joined);
        }
        Touched::Book => {
            l2.clear();
            return;
        }
    }
    l2.apply(levels.view()).unwrap();
}

fn compare_whole(fast: &L3Books, naive: &NaiveL3, l2: &[L2Book], met: &mut Met, at: &str) {
    assert_eq!(fast.check_invariants(), Ok(()), "{at}");
    for (index, l2) in l2.iter().enumerate() {
        let book = BookIndex(index as u32);
        for side in [Side::Bid, Side::Ask] {
            assert!(
                fast.levels_with_orders(book, side).eq(naive.levels_with_orders(book, side)),
                "{at}: levels"
            );
            assert!(fast.levels(book, side).eq(l2.levels(side)), "{at}: L2");
            met.levels_max = met.levels_max.max(fast.len(book, side));
            for level in naive.levels_with_orders(book, side) {
                met.queue_max = met.queue_max.max(level.orders);
                let queue = || naive.queue(book, side, level.level.price);
                assert!(fast.queue(book, side, level.level.price).eq(queue()), "{at}: queue");
                let mut qty_ahead = 0;
                for (ahead, order) in queue().enumerate() {
                    let position = fast.queue_position(order.id).unwrap();
                    assert_eq!(
                        (position.orders_ahead as usize, position.qty_ahead.0),
                        (ahead, qty_ahead),
                        "{at}"
                    );
                    qty_ahead += order.qty.0;
                }
            }
        }
    }
}

fn run(feed: Feed) -> Met {
    let mut fast = L3Books::new(feed.spec).unwrap();
    let mut naive = NaiveL3::new(feed.spec);
    let mut l2 = Vec::new();
    for _ in 0..feed.books {
        assert_eq!(fast.open(feed.book), naive.open(feed.book));
        l2.push(L2Book::new(feed.book));
        l2.last_mut().unwrap().load(Levels::default().view(), KnownTo::WHOLE).unwrap();
    }
    let mut venue = Venue::new(feed);
    let mut met = Met::default();
    for message in 0..CHANGES_PER_FEED {
        let (book, change) = venue.change(&naive);
        let change = if venue.random.chance(feed.untold_chance) { untold(change) } else { change };
        let at = format!("{}, seed {}, message {message}: {change:?}", feed.name, feed.seed);
        // Hints before a message are part of every run: they must change nothing.
        fast.prefetch(book, &change);
        fast.prefetch_levels(book, &change);
        fast.prefetch_joined(book, &change);
        let key = venue.key();
        let is_keyed = venue.random.chance(feed.keyed_chance);
        let (expected, answer) = match change {
            OrderChange::Add { id, side, price, qty } if is_keyed => (
                naive.add_keyed(book, id, side, price, qty, key),
                fast.add_keyed(book, id, side, price, qty, key),
            ),
            OrderChange::Modify { id, side, price, qty } if is_keyed => (
                naive.modify_keyed(book, id, side, price, qty, key),
                fast.modify_keyed(book, id, side, price, qty, key),
            ),
            _ => (naive.apply(book, &change), fast.apply(book, &change)),
        };
        assert_eq!(answer, expected, "{at}, key {key}");
        if let OrderChange::Add { id, side, price, .. } = change
            && expected.is_ok()
        {
            let ahead = naive.queue_position(id).unwrap().orders_ahead;
            met.between += u64::from(ahead + 1 < naive.order_count_at(book, side, price));
        }
        assert_eq!(fast.bbo(book), naive.bbo(book), "{at}");
        assert_eq!(fast.orders_len(), naive.orders_len(), "{at}");
        if let OrderChange::Add { id, .. }
        | OrderChange::Replace { id, .. }
        | OrderChange::Modify { id, .. }
        | OrderChange::Upsert { id, .. }
        | OrderChange::Delete { id } = change
        {
            assert_eq!(fast.order(id), naive.order(id), "{at}");
            assert_eq!(fast.queue_position(id), naive.queue_position(id), "{at}");
        }
        if let Some(depth) = feed.depth {
            let (mut left, mut expected_left) = (Vec::new(), Vec::new());
            let cut = naive.truncate_levels(book, depth, |id, order| expected_left.push((id, order)));
            assert_eq!(fast.truncate_levels(book, depth, |id, order| left.push((id, order))), cut, "{at}");
            assert_eq!(left, expected_left, "{at}");
            met.cut += cut.unwrap_or(0);
            assert_eq!(fast.bbo(book), naive.bbo(book), "{at}");
        }
        match expected {
            Err(error) => {
                if !met.codes.contains(&error.code()) {
                    met.codes.push(error.code());
                }
            }
            Ok(touched) => {
                venue.note(book, &change, &naive);
                follow(&mut l2[book.0 as usize], touched);
                if let Some(depth) = feed.depth {
                    if l2[book.0 as usize].truncate(depth) > 0 {
                        venue.resting.retain(|(_, id)| naive.order(*id).is_some());
                    }
                    continue;
                }
                let levels = match touched {
                    Touched::One { side, now } => [(side, now), (side, now)],
                    Touched::Two { side, left, joined } => [(side, left), (side, joined)],
                    Touched::Book => continue,
                };
                for (side, level) in levels {
                    let count = naive.order_count_at(book, side, level.price);
                    assert_eq!(fast.qty_at(book, side, level.price), level.qty, "{at}");
                    assert_eq!(fast.order_count_at(book, side, level.price), count, "{at}");
                    assert_eq!(fast.len(book, side), naive.len(book, side), "{at}");
                }
            }
        }
        if message % (CHANGES_PER_FEED / 50) == 0 {
            compare_whole(&fast, &naive, &l2, &mut met, &at);
        }
    }
    compare_whole(&fast, &naive, &l2, &mut met, feed.name);
    for book in 0..feed.books {
        assert_eq!(fast.apply(BookIndex(book), &OrderChange::Clear), Ok(Touched::Book));
        assert!(fast.is_empty(BookIndex(book)));
    }
    assert_eq!((fast.orders_len(), fast.levels_len()), (0, 0), "{}", feed.name);
    assert_eq!(fast.check_invariants(), Ok(()));
    met
}

#[test]
fn feeds_tell_the_same_story() {
    let feeds = feeds();
    thread::scope(|scope| {
        for half in feeds.chunks(feeds.len().div_ceil(2)) {
            scope.spawn(|| half.iter().for_each(|feed| tells_the_same_story(*feed)));
        }
    });
}

/// One feed, and that it met what its name says.
fn tells_the_same_story(feed: Feed) {
    let met = run(feed);
    println!("{} (seed {}): {met:?}", feed.name, feed.seed);
    for code in [
        "l3.unknown_order",
        "l3.duplicate_order",
        "l3.wrong_book",
        "l3.unknown_book",
        "l3.bad_qty",
        "l3.underflow",
    ] {
        let is_one_book = feed.books == 1 && code == "l3.wrong_book";
        assert!(is_one_book || met.codes.contains(&code), "{}: no {code}", feed.name);
    }
    let has = |code| met.codes.contains(&code);
    match feed.name {
        "at its limit of orders" => assert!(has("l3.orders_limit"), "{met:?}"),
        "at its limit of levels" => assert!(has("l3.levels_limit"), "{met:?}"),
        "extreme ticks and quantities" => assert!(has("l3.qty_overflow"), "{met:?}"),
        "queues by key" => assert!(met.between > 1_000, "{met:?}"),
        "long queues by key, some orders without" => {
            assert!(met.between > 1_000 && met.queue_max > 100, "{met:?}");
        }
        "ten levels a side and no more" | "a hundred levels a side, off the grid" => {
            assert!(met.cut > 100, "{met:?}");
        }
        "long queues" => assert!(met.queue_max > 300, "{met:?}"),
        "long lists of far prices" => assert!(met.levels_max > 700, "{met:?}"),
        "a future" => assert!(has("l3.wrong_side") && met.levels_max > 400, "{met:?}"),
        _ => {}
    }
}

#[test]
fn limits_beyond_the_tables_are_refused() {
    let refused = |spec| matches!(L3Books::new(spec), Err(L3Error::Spec { .. }));
    assert!(refused(L3Spec { orders_max: u32::MAX, ..FEED.spec }));
    assert!(refused(L3Spec { books_max: u32::MAX, ..FEED.spec }));
    let mut books = L3Books::new(L3Spec { books_max: 1, orders_max: 0, ..FEED.spec }).unwrap();
    let book = books.open(FEED.book).unwrap();
    assert_eq!(books.open(FEED.book), Err(L3Error::BooksLimit { books_max: 1 }));
    let add = OrderChange::Add { id: OrderId(1), side: Side::Bid, price: Price(1), qty: Qty(1) };
    assert_eq!(books.apply(book, &add), Err(L3Error::OrdersLimit { orders_max: 0 }));
}
