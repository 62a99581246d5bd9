//! Order records to books: what each action does, and whole days that end as they must.

use std::collections::{BTreeMap, HashMap};

use depthwire_core::framing::dbn::{
    DbnError, DbnFramer, Flags, Mbo, MboChange, Record, TradePrint, UNDEFINED_PRICE, UNDEFINED_SIZE, Version,
};
use depthwire_core::types::{Aggressor, Level, OrderChange, OrderId, Price, Qty, Side, parse_decimal};

use crate::dbn_bytes::{Meta, Random, feed, mbo};
use crate::{expected, files};

fn change(record: &[u8]) -> Result<MboChange, DbnError> {
    Mbo::new(record.try_into().unwrap()).change()
}

#[test]
fn reads_each_field_of_an_order() {
    let bytes = mbo(b'A', b'B', 6_412_777_162_812, 4_799_000_000_000, 2, 0xa8);
    let order = Mbo::new(bytes[..].try_into().unwrap());
    assert_eq!((order.header().rtype, order.header().publisher_id), (0xa0, 1));
    assert_eq!((order.header().instrument_id, order.header().ts_event), (17_077, 1_703_422_805_243_925_307));
    assert_eq!((order.order_id(), order.price(), order.size()), (6_412_777_162_812, 4_799_000_000_000, 2));
    assert_eq!(order.flags(), Flags::LAST.with(Flags::SNAPSHOT).with(Flags::BAD_TS_RECV));
    assert_eq!((order.channel_id(), order.action(), order.side()), (3, b'A', Some(Side::Bid)));
    assert_eq!(
        (order.ts_recv(), order.ts_in_delta(), order.sequence()),
        (1_703_422_805_718_200_244, -5, 682)
    );
    assert!(format!("{order:?}").contains("order_id: 6412777162812"));
}

#[test]
fn each_action_does_its_own() {
    let (id, price, qty) = (OrderId(7), Price(5), Qty(3));
    let order = |action, side| change(&mbo(action, side, 7, 5, 3, 0));
    let add = |side| Ok(MboChange::Order(OrderChange::Add { id, side, price, qty }));
    assert_eq!(order(b'A', b'B'), add(Side::Bid));
    assert_eq!(order(b'A', b'A'), add(Side::Ask));
    let cancel = OrderChange::Cancel { id, side: Side::Bid, price, qty };
    assert_eq!(order(b'C', b'B'), Ok(MboChange::Order(cancel)));
    assert_eq!(order(b'C', b'N'), Ok(MboChange::Order(OrderChange::Reduce { id, qty })));
    let modify = OrderChange::Modify { id, side: Side::Ask, price, qty };
    assert_eq!(order(b'M', b'A'), Ok(MboChange::Order(modify)));
    for action in *b"TFN" {
        for side in *b"ABN" {
            assert_eq!(order(action, side), Ok(MboChange::Nothing));
        }
    }
    // The clear that opens a snapshot has no order, price or size; one may carry what it likes.
    let clear = Ok(MboChange::Order(OrderChange::Clear));
    assert_eq!(change(&mbo(b'R', b'N', 0, UNDEFINED_PRICE, 0, 0x28)), clear);
    assert_eq!(change(&mbo(b'R', b'A', 7, 5, UNDEFINED_SIZE, 0x40)), clear);
    // A negative price is a price: spreads have them.
    let spread = OrderChange::Add { id, side: Side::Bid, price: Price(-250_000_000), qty };
    assert_eq!(change(&mbo(b'A', b'B', 7, -250_000_000, 3, 0)), Ok(MboChange::Order(spread)));
}

#[test]
fn what_an_order_lacks_is_named() {
    for (action, side, price, size, error) in [
        (b'A', b'N', 5, 3, DbnError::NoSide { action: b'A' }),
        (b'M', 0, 5, 3, DbnError::NoSide { action: b'M' }),
        (b'A', b'B', UNDEFINED_PRICE, 3, DbnError::NoPrice { action: b'A' }),
        (b'M', b'B', UNDEFINED_PRICE, 3, DbnError::NoPrice { action: b'M' }),
        (b'A', b'B', 5, 0, DbnError::NoSize { action: b'A', got: 0 }),
        (b'C', b'B', 5, 0, DbnError::NoSize { action: b'C', got: 0 }),
        (b'M', b'B', 5, UNDEFINED_SIZE, DbnError::NoSize { action: b'M', got: UNDEFINED_SIZE }),
        (b'a', b'B', 5, 3, DbnError::UnknownAction { got: b'a' }),
        (0, b'B', 5, 3, DbnError::UnknownAction { got: 0 }),
    ] {
        assert_eq!(change(&mbo(action, side, 7, price, size, 0x80)), Err(error));
        assert!(!error.ends_the_stream());
    }
}

#[test]
fn a_record_of_a_whole_side_or_price_is_told_from_an_order() {
    let level = Level { price: Price(5), qty: Qty(3) };
    let top = |side, level| Ok(MboChange::Top { side, level });
    for order_id in [0, 7] {
        assert_eq!(change(&mbo(b'A', b'B', order_id, 5, 3, 0x40)), top(Side::Bid, Some(level)));
        assert_eq!(change(&mbo(b'A', b'A', order_id, UNDEFINED_PRICE, 0, 0xc0)), top(Side::Ask, None));
        assert_eq!(change(&mbo(b'A', b'N', order_id, 5, 3, 0x40)), Err(DbnError::NoSide { action: b'A' }));
        assert_eq!(
            change(&mbo(b'A', b'B', order_id, 5, 0, 0x40)),
            Err(DbnError::NoSize { action: b'A', got: 0 })
        );
        for action in *b"CM" {
            assert_eq!(change(&mbo(action, b'B', order_id, 5, 3, 0x40)), Ok(MboChange::Aggregate));
        }
    }
    for action in *b"ACM" {
        assert_eq!(change(&mbo(action, b'B', 7, 5, 3, 0x10)), Ok(MboChange::Aggregate));
        assert_eq!(change(&mbo(action, b'B', 0, 5, 3, 0)), Ok(MboChange::Aggregate));
    }
}

#[test]
fn a_trade_is_read_from_t_alone() {
    let trade = |action, side, price, size| {
        Mbo::new(mbo(action, side, 0, price, size, 0)[..].try_into().unwrap()).trade()
    };
    let print = |aggressor| Some(TradePrint { price: Price(5), qty: Qty(3), aggressor });
    assert_eq!(trade(b'T', b'B', 5, 3), print(Some(Aggressor::Buy)));
    assert_eq!(trade(b'T', b'A', 5, 3), print(Some(Aggressor::Sell)));
    assert_eq!(trade(b'T', b'N', 5, 3), print(None));
    assert_eq!(trade(b'T', b'N', UNDEFINED_PRICE, 3), None);
    assert_eq!(trade(b'T', b'N', 5, UNDEFINED_SIZE), None);
    for action in *b"ACMRFN" {
        assert_eq!(trade(action, b'B', 5, 3), None);
    }
}

/// Orders and the sum at each price, kept in maps.
#[derive(Default)]
struct MapBook {
    orders: HashMap<OrderId, (Side, Price, i64)>,
    sides: [BTreeMap<Price, i64>; 2],
    orders_max: usize,
}

impl MapBook {
    fn at(&mut self, side: Side, price: Price, by: i64) {
        let sum = self.sides[side as usize].entry(price).or_default();
        *sum += by;
        assert!(*sum >= 0, "no price holds less than nothing");
        if *sum == 0 {
            self.sides[side as usize].remove(&price);
        }
    }

    fn take(&mut self, id: OrderId) -> (Side, Price, i64) {
        let order = self.orders.remove(&id).unwrap_or_else(|| panic!("unknown order {id:?}"));
        self.at(order.0, order.1, -order.2);
        order
    }

    fn put(&mut self, id: OrderId, order: (Side, Price, i64)) {
        assert!(self.orders.insert(id, order).is_none(), "a second order {id:?}");
        self.at(order.0, order.1, order.2);
        self.orders_max = self.orders_max.max(self.orders.len());
    }

    fn apply(&mut self, change: OrderChange) {
        match change {
            OrderChange::Add { id, side, price, qty } => self.put(id, (side, price, qty.0)),
            OrderChange::Reduce { id, qty } | OrderChange::Cancel { id, qty, .. } => {
                let (side, price, rests) = self.take(id);
                assert!(qty.0 <= rests, "{id:?} loses more than it has");
                if qty.0 < rests {
                    self.put(id, (side, price, rests - qty.0));
                }
            }
            OrderChange::Modify { id, side, price, qty } => {
                assert_eq!(self.take(id).0, side, "an order never changes sides");
                self.put(id, (side, price, qty.0));
            }
            OrderChange::Clear => (self.orders, self.sides) = Default::default(),
            OrderChange::Execute { .. }
            | OrderChange::Replace { .. }
            | OrderChange::Upsert { .. }
            | OrderChange::Delete { .. } => panic!("DBN has no such change: {change:?}"),
        }
    }

    /// Best bid and ask, and how many prices each side has.
    fn shape(&self) -> (Option<Price>, Option<Price>, usize, usize) {
        let [bids, asks] = &self.sides;
        (
            bids.last_key_value().map(|(&price, _)| price),
            asks.first_key_value().map(|(&price, _)| price),
            bids.len(),
            asks.len(),
        )
    }
}

/// A day's records by action, and the book at its end.
#[derive(Default)]
struct Day {
    actions: BTreeMap<char, u64>,
    events: u64,
    trades: u64,
    book: MapBook,
}

fn day(stream: &[u8], chunk: usize) -> Day {
    let mut day = Day::default();
    let framer = feed(DbnFramer::new(), stream, chunk, |entry| {
        let Ok(Record::Mbo(order)) = entry.record else { panic!("{:?}", entry.record) };
        *day.actions.entry(char::from(order.action())).or_default() += 1;
        day.events += u64::from(order.flags().has(Flags::LAST));
        day.trades += u64::from(order.trade().is_some());
        match order.change().unwrap() {
            MboChange::Order(change) => day.book.apply(change),
            MboChange::Nothing => {}
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(framer.unknown(), 0);
    day
}

#[test]
fn a_recorded_day_of_the_es_future_ends_as_its_venue_says() {
    let test = "a_recorded_day_of_the_es_future_ends_as_its_venue_says";
    let Some(root) = files::root(test) else { return };
    let set = expected::orders("es-mbo");
    let Some(stream) = files::read(&root.join(&set.files[0])) else { return };
    for chunk in [stream.len(), 65_536, 4_093] {
        let day = day(&stream, chunk);
        let book = [('A', set.adds), ('C', set.reduces), ('M', set.modifies)];
        let actions = book.into_iter().chain([('F', set.untouching), ('T', set.trades)]);
        assert_eq!(day.actions, actions.collect());
        assert_eq!(day.actions.values().sum::<u64>(), set.frames);
        assert_eq!((day.events, day.trades), (set.events, set.trades));
        assert_eq!((day.book.orders.len(), day.book.orders_max), (set.resting, set.resting_max));
        let [bid, ask] =
            [&set.best_bid, &set.best_ask].map(|text| parse_decimal(text.as_bytes(), -9).ok().map(Price));
        assert_eq!(day.book.shape(), (bid, ask, set.bids, set.asks));
    }
}

#[test]
fn a_recorded_snapshot_of_the_es_future_is_adds_alone() {
    let test = "a_recorded_snapshot_of_the_es_future_is_adds_alone";
    let Some(root) = files::root(test) else { return };
    let set = expected::orders("es-mbo");
    let Some(stream) = files::read(&root.join(&set.snapshot_file)) else { return };
    let mut framer = DbnFramer::new();
    let snapshot = Flags::SNAPSHOT.with(Flags::BAD_TS_RECV).0;
    for entry in framer.finish(&stream) {
        let Ok(Record::Mbo(order)) = entry.record else { panic!("{:?}", entry.record) };
        assert_eq!((order.action(), order.flags().0 & !Flags::LAST.0), (b'A', snapshot));
    }
    let metadata = framer.metadata().unwrap();
    assert_eq!((metadata.version, metadata.dataset.as_str()), (Version::V1, "GLBX.MDP3"));
    assert_eq!(metadata.symbols, ["ESH4"]);
    assert_eq!(metadata.mappings[0].symbol, "ESH4");
    let interval = &metadata.mappings[0].intervals[0];
    assert_eq!(
        (interval.start.to_string(), interval.end.to_string()),
        ("2023-12-24".into(), "2023-12-25".into())
    );
    assert_eq!(interval.symbol, "17077");
    let day = day(&stream, 10_000);
    assert_eq!((day.actions, day.events), (BTreeMap::from([('A', set.snapshot_frames)]), 1));
}

#[test]
fn a_made_up_day_ends_as_its_orders_say() {
    let seed = 0xdb_2023;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    let mut stream = Meta::new(2).bytes();
    stream.extend(mbo(b'R', b'N', 0, UNDEFINED_PRICE, 0, 0x28));
    let mut resting: Vec<(u64, u8, i64, u32)> = Vec::new();
    let mut counts = BTreeMap::from([('R', 1)]);
    for id in 1..=20_000u64 {
        let action = if resting.is_empty() { b'A' } else { b"AAACMTFNC"[random.below(9)] };
        let nth = random.below(resting.len().max(1));
        let (side, price, size) = match action {
            b'A' => {
                let side = b"BA"[random.below(2)];
                // The sides keep apart, below and above zero, so that nothing crosses.
                let away = 1 + random.below(500) as i64;
                let price = if side == b'B' { -away } else { away } * 250_000_000;
                resting.push((id, side, price, 1 + random.below(9) as u32));
                (side, price, resting[resting.len() - 1].3)
            }
            b'C' => {
                let (_, side, price, rests) = resting[nth];
                (side, price, 1 + random.below(rests as usize) as u32)
            }
            b'M' => {
                let (_, side, price, _) = resting[nth];
                (
                    side,
                    price + if side == b'B' { -250_000_000 } else { 250_000_000 },
                    1 + random.below(9) as u32,
                )
            }
            _ => (b"BAN"[random.below(3)], random.next() as i64, random.next() as u32),
        };
        let order_id = match action {
            b'A' => id,
            b'C' | b'M' => resting[nth].0,
            _ => random.next(),
        };
        stream.extend(mbo(action, side, order_id, price, size, (random.next() & 0x80) as u8));
        match action {
            b'C' if size == resting[nth].3 => drop(resting.swap_remove(nth)),
            b'C' => resting[nth].3 -= size,
            b'M' => (resting[nth].2, resting[nth].3) = (price, size),
            _ => {}
        }
        *counts.entry(char::from(action)).or_default() += 1;
    }
    let day = day(&stream, 10_007);
    assert_eq!(day.actions, counts);
    let mut sides: [BTreeMap<Price, i64>; 2] = Default::default();
    for (_, side, price, size) in &resting {
        *sides[usize::from(*side == b'A')].entry(Price(*price)).or_default() += i64::from(*size);
    }
    assert!(day.book.orders.len() == resting.len() && resting.len() > 1_000);
    assert_eq!(day.book.sides, sides);
}
