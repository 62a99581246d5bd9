//! Numbers that are finer than the scale so far, in every state of a book: what readers are told of each stream keeps its value.

use std::collections::BTreeMap;

use crate::encode::generated::{Frame, Level as Told, size_prefixed_root_as_frame};
use crate::encode::{Kind, RECORD_HEADER_BYTES, RecordType, Stream};
use crate::engine::{Engine, EngineConfig, SourceId};
use crate::types::{BookState, InstrumentId, Level, NoClock, Side, StaleReason, Venue, parse_decimal};
use crate::venues::{self, BINANCE_SPOT, BITSTAMP_ORDERS};
use proptest::prelude::*;

/// The states that a book goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Empty,
    Syncing,
    Synced,
    /// Place lost, updates wait.
    Resyncing,
    /// Place kept.
    Doubted,
    /// Silent, and beyond.
    Silent,
    Restarted,
}

/// Price, quantity: in 1e-18.
type Value = (i128, i128);

/// A side: quantities by price.
type Levels = BTreeMap<i128, i128>;

/// A stream as a reader has it: rules 1 to 3 of the protocol.
#[derive(Clone, Debug, Default, PartialEq)]
struct Read {
    epoch: u64,
    exponents: (i8, i8),
    bids: Levels,
    asks: Levels,
    trades: Vec<Value>,
}

fn value(mantissa: i64, exponent: i8) -> i128 {
    i128::from(mantissa) * 10i128.pow(u32::from((exponent + 18).unsigned_abs()))
}

impl Read {
    fn take(&mut self, frame: &Frame<'_>) {
        let header = frame.header();
        if header.kind() == Kind::Image as u8 {
            let info = frame.info().unwrap();
            self.epoch = header.epoch();
            self.exponents = (info.price_exponent(), info.qty_exponent());
            self.bids.clear();
            self.asks.clear();
        }
        if header.epoch() != self.epoch {
            return;
        }
        let (price, qty) = self.exponents;
        let put = |side: &mut Levels, level: &Told| {
            // A top of book is told whole.
            if header.kind() == Kind::Bbo as u8 {
                side.clear();
            }
            match level.qty() {
                0 => side.remove(&value(level.price(), price)),
                amount => side.insert(value(level.price(), price), value(amount, qty)),
            };
        };
        frame.bids().iter().flatten().for_each(|level| put(&mut self.bids, level));
        frame.asks().iter().flatten().for_each(|level| put(&mut self.asks, level));
        let trades = frame.trades().into_iter().flatten();
        self.trades.extend(trades.map(|trade| (value(trade.price(), price), value(trade.qty(), qty))));
    }
}

struct Rig {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
    now: u64,
    number: u64,
    ticket: u32,
    views: Vec<Stream>,
    read: BTreeMap<u8, Read>,
}

impl Rig {
    fn new(venue: Venue, symbol: &str) -> Self {
        let config = EngineConfig { silence_ns: Some(5_000_000_000), ..EngineConfig::default() };
        let mut engine = Engine::new(config, venues::catalogue(), NoClock);
        let id = engine.add_instrument(venues::instrument(venue, symbol).unwrap()).unwrap();
        let source = engine.open_source(venue, &[id]).unwrap();
        let views =
            [(1, 0, 0), (2, 0, 0), (5, 250_000_000, 0), (3, 0, 2)].map(|(depth, interval, grouping)| {
                engine.open_grouped_depth(id, depth, interval, grouping, 0).unwrap()
            });
        let (now, number, ticket) = (1_000_000_000, 100, 0);
        Self { engine, source, id, now, number, ticket, views: views.to_vec(), read: BTreeMap::new() }
    }

    fn hear(&mut self, text: &str) -> bool {
        self.now += 1_000_000;
        let is_read = self.engine.ingest(self.source, text.as_bytes(), self.now).is_ok();
        self.drain();
        is_read
    }

    fn drain(&mut self) {
        let outbox = self.engine.outbox();
        while let Some(record) = outbox.front() {
            let payload = &record[RECORD_HEADER_BYTES..];
            if record[4] == RecordType::Frame as u8 {
                let frame = size_prefixed_root_as_frame(payload).unwrap();
                self.read.entry(frame.header().stream()).or_default().take(&frame);
            } else if record[4] == RecordType::Ask as u8 {
                self.ticket = u32::from_le_bytes(*payload.first_chunk().unwrap());
            }
            outbox.take();
        }
    }

    fn depth(&mut self, skipped: u64, bids: &str, asks: &str) -> bool {
        self.number += 1 + skipped;
        let number = self.number;
        self.hear(&format!(
            "{{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"AUSDT\",\"U\":{number},\"u\":{number},\"b\":[{bids}],\"a\":[{asks}]}}"
        ))
    }

    fn trade(&mut self, price: &str, qty: &str) {
        let id = self.now;
        let is_read = self.hear(&format!(
            "{{\"e\":\"trade\",\"E\":1,\"s\":\"AUSDT\",\"t\":{id},\"p\":\"{price}\",\"q\":\"{qty}\",\"T\":1,\"m\":true}}"
        ));
        assert!(is_read);
    }

    fn come_to(&mut self, state: State) {
        let bids = "[\"10\",\"3\"],[\"9\",\"4\"],[\"8.5\",\"1\"]";
        let asks = "[\"11\",\"7\"],[\"12\",\"2\"]";
        if state == State::Empty {
            return;
        }
        assert!(self.depth(0, "[\"10\",\"3\"]", ""));
        if state == State::Syncing {
            return;
        }
        let number = self.number;
        let snapshot = format!("{{\"lastUpdateId\":{number},\"bids\":[{bids}],\"asks\":[{asks}]}}");
        self.engine.answer(self.id, self.ticket, snapshot.as_bytes(), self.now).unwrap();
        self.drain();
        assert!(self.depth(0, "[\"10\",\"0\"],[\"9\",\"6\"]", "[\"11\",\"5\"]"));
        self.settle();
        assert_eq!(self.state(), BookState::Synced);
        let is = match state {
            State::Resyncing => {
                assert!(self.depth(5, "[\"9\",\"1\"]", ""));
                StaleReason::Gap
            }
            State::Doubted => {
                assert!(!self.depth(0, "[\"9\",5", ""));
                self.number -= 1;
                StaleReason::Unreadable
            }
            State::Silent => {
                self.now += 6_000_000_000;
                self.engine.tick(self.now);
                self.drain();
                StaleReason::Silence
            }
            State::Restarted => {
                self.engine.reset_source(self.source, self.now).unwrap();
                self.drain();
                return;
            }
            State::Empty | State::Syncing | State::Synced => return,
        };
        assert_eq!(self.state(), BookState::Stale(is));
    }

    /// Waits until what views at an interval hold back is told.
    fn settle(&mut self) {
        self.now += 500_000_000;
        self.engine.tick(self.now);
        self.drain();
    }

    fn state(&self) -> BookState {
        self.engine.book_info(self.id, self.now).unwrap().state
    }

    fn exponents(&self) -> (i8, i8) {
        let listed = self.engine.catalogue().get(self.id).unwrap();
        (listed.price_exponent, listed.qty_exponent)
    }

    /// What an image of each stream says now, as one who joins reads it.
    fn images(&mut self) -> Vec<(u8, Read)> {
        let streams = [Stream::BOOK, Stream::BBO, Stream::TRADES].into_iter().chain(self.views.clone());
        let mut all = Vec::new();
        for stream in streams {
            let mut read = Read::default();
            let take = |bytes: &[u8]| read.take(&size_prefixed_root_as_frame(bytes).unwrap());
            self.engine.image(self.id, stream, self.now, take).unwrap();
            all.push((stream.0, read));
        }
        all
    }

    fn told(&mut self) -> Vec<(u8, Levels, Levels)> {
        self.images().into_iter().map(|(stream, read)| (stream, read.bids, read.asks)).collect()
    }

    /// The book, its top and how deep it is known, as whoever asks the engine is told.
    fn asked(&self) -> Vec<Value> {
        let info = self.engine.book_info(self.id, self.now).unwrap();
        let (price, qty) = self.exponents();
        let at = |level: Level| (value(level.price.0, price), value(level.qty.0, qty));
        let book = self.engine.book(self.id).unwrap();
        let sides = [Side::Bid, Side::Ask];
        let mut all: Vec<_> = sides.into_iter().flat_map(|side| book.levels(side)).map(at).collect();
        all.extend(info.bbo.bid.into_iter().chain(info.bbo.ask).map(at));
        for bound in [info.known_to.bid, info.known_to.ask] {
            if ![i64::MIN, i64::MAX].contains(&bound.0) {
                all.push((value(bound.0, price), 0));
            }
        }
        all
    }

    /// Whoever has followed from the beginning has what one has who joins now.
    fn follows(&mut self) {
        for (stream, image) in self.images() {
            let Some(read) = self.read.get(&stream) else { continue };
            let followed = (read.epoch, read.exponents, &read.bids, &read.asks);
            if stream == Stream::TRADES.0 {
                assert_eq!((read.epoch, read.exponents), (image.epoch, image.exponents), "trades");
            } else if image.epoch != 0 || !image.bids.is_empty() {
                assert_eq!(followed, (image.epoch, image.exponents, &image.bids, &image.asks), "{stream}");
            }
        }
    }
}

const STATES: [State; 7] = [
    State::Empty,
    State::Syncing,
    State::Synced,
    State::Resyncing,
    State::Doubted,
    State::Silent,
    State::Restarted,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_finer_scale_tells_the_same_values(
        state in proptest::sample::select(&STATES[..]),
        finer in proptest::collection::vec((0usize..5, 0usize..5, any::<bool>()), 1..5),
    ) {
        let mut rig = Rig::new(BINANCE_SPOT, "AUSDT");
        rig.come_to(state);
        rig.trade("10", "3");
        for (price, qty, is_trade) in finer {
            rig.settle();
            let (told, asked, was) = (rig.told(), rig.asked(), rig.exponents());
            let number = |whole: &str, places: usize| match places {
                0 => whole.to_owned(),
                places => format!("{whole}.{}1", "0".repeat(places - 1)),
            };
            let (price, qty) = (number("7", price), number("2", qty));
            let is_stale = !matches!(rig.state(), BookState::Synced);
            if is_trade || !is_stale || state == State::Doubted || state == State::Silent {
                rig.trade(&price, &qty);
                let traded = |text: &str| value(parse_decimal(text.as_bytes(), -9).unwrap(), -9);
                let last = rig.read[&Stream::TRADES.0].trades.last().copied();
                prop_assert_eq!(last, Some((traded(&price), traded(&qty))), "a trade is told at its scale");
            } else {
                // It waits for a snapshot.
                let level = format!("[\"{price}\",\"{qty}\"]");
                prop_assert!(rig.depth(0, &level, ""));
            }
            prop_assert!(rig.exponents().0 <= was.0 && rig.exponents().1 <= was.1);
            prop_assert_eq!(rig.told(), told);
            prop_assert_eq!(rig.asked(), asked);
            rig.follows();
        }
    }
}

/// A taker's order does not end its event: what it touched is told with what follows, at whatever scale that comes.
#[test]
fn what_an_event_under_way_has_touched_is_told_at_the_finer_scale() {
    let mut rig = Rig::new(BITSTAMP_ORDERS, "btcusd");
    let id = |us: u64| {
        let hex = format!("{us:016x}");
        format!("{}-{}-{}-0000-000101000020", &hex[..8], &hex[8..12], &hex[12..])
    };
    let mut us = 1_787_620_344_640_000;
    let mut tell = |rig: &mut Rig, verb: &str, order: u64, subtype: u64, price: &str| {
        let before = us;
        us += 1_000;
        let (before, id) = (id(before), id(us));
        let is_read = rig.hear(&format!(
            r#"{{"data":{{"id":{order},"order_type":0,"order_subtype":{subtype},"microtimestamp":"{us}","amount_str":"2","price_str":"{price}"}},"channel":"live_orders_btcusd","event":"order_{verb}","event_id":"{id}","pre_event_id":"{before}"}}"#
        ));
        assert!(is_read);
        us
    };
    let at = tell(&mut rig, "created", 1, 0, "100");
    let book = format!(r#"{{"microtimestamp":"{at}","bids":[["100","2","1"]],"asks":[["200","1","9"]]}}"#);
    rig.engine.answer(rig.id, rig.ticket, book.as_bytes(), rig.now).unwrap();
    rig.drain();
    assert_eq!(rig.state(), BookState::Synced);
    tell(&mut rig, "created", 2, 4, "99");
    tell(&mut rig, "created", 3, 0, "98.25");
    let bids = |rig: &mut Rig| rig.told()[0].1.keys().map(|price| price / 10i128.pow(16)).collect::<Vec<_>>();
    assert_eq!(bids(&mut rig), [9_825, 9_900, 10_000]);
    tell(&mut rig, "created", 4, 4, "97");
    tell(&mut rig, "deleted", 4, 4, "97");
    assert_eq!(bids(&mut rig), [9_825, 9_900, 10_000]);
    rig.follows();
    let of_orders = rig.engine.orders_digest(rig.id).unwrap();
    assert_eq!(rig.engine.digest(rig.id), Some(of_orders));
}

#[test]
fn a_number_too_large_finds_a_scale_that_what_is_held_has_too() {
    let mut rig = Rig::new(BINANCE_SPOT, "AUSDT");
    rig.come_to(State::Synced);
    // A statistic with many digits, then a quantity of few that does not fit beside them.
    rig.trade("10.5", "0.00000000001");
    assert!(rig.depth(0, "[\"9\",\"6.25\"]", ""));
    assert_eq!(rig.exponents().1, -11);
    let held = rig.told();
    assert!(rig.depth(0, "", "[\"12\",\"120000000000\"]"));
    assert_eq!((rig.state(), rig.exponents().1), (BookState::Synced, -2), "the coarsest that holds all");
    let now = rig.told();
    assert_eq!(now[0].1, held[0].1);
    assert_eq!(now[0].2.get(&(12 * 10i128.pow(18))), Some(&(120_000_000_000 * 10i128.pow(18))));
    rig.follows();
}
