//! Bitstamp beyond what every room owes: which answers reach the differences that wait, where only times say so; recorded orders.

use std::collections::{HashMap, HashSet};

use depthwire_core::encode::{RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::types::{
    Body, BookState, Events, InstrumentId, NoClock, OrderChange, Price, Qty, Route, Routes, Side, Slot,
    StaleReason,
};
use depthwire_core::venues::{self, At, BITSTAMP, BITSTAMP_ORDERS};

use crate::files;

struct Rig {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
    now: u64,
}

impl Rig {
    fn new() -> Self {
        let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
        let id = engine.add_instrument(venues::instrument(BITSTAMP, "btcusd").unwrap()).unwrap();
        let source = engine.open_source(BITSTAMP, &[id]).unwrap();
        Self { engine, source, id, now: 1_000_000_000 }
    }

    fn hear(&mut self, time_us: u64, bids: &str) {
        let frame = format!(
            "{{\"data\":{{\"timestamp\":\"0\",\"microtimestamp\":\"{time_us}\",\"bids\":[{bids}],\"asks\":[]}},\
             \"channel\":\"diff_order_book_btcusd\",\"event\":\"data\"}}"
        );
        self.now += 1_000_000;
        let _ = self.engine.ingest(self.source, frame.as_bytes(), self.now);
    }

    /// The ticket of what is asked for at this moment.
    fn asked(&mut self) -> Option<u32> {
        self.engine.tick(self.now);
        let mut asked = None;
        while let Some(record) = self.engine.outbox().front() {
            if record[4] == RecordType::Ask as u8 {
                asked = Some(u32::from_le_bytes(*record[RECORD_HEADER_BYTES..].first_chunk().unwrap()));
            }
            self.engine.outbox().take();
        }
        asked
    }

    /// Answers what is asked for next.
    fn answer(&mut self, time_us: u64) -> BookState {
        self.now += 120_000_000_000;
        let asked = self.asked();
        let text = format!(
            "{{\"timestamp\":\"0\",\"microtimestamp\":\"{time_us}\",\"bids\":[[\"100\",\"1\"]],\"asks\":[[\"101\",\"1\"]]}}"
        );
        self.engine.answer(self.id, asked.unwrap(), text.as_bytes(), self.now).unwrap();
        self.state()
    }

    fn state(&self) -> BookState {
        self.engine.book_info(self.id, 0).unwrap().state
    }

    fn bids(&self) -> Vec<i64> {
        self.engine.book(self.id).unwrap().levels(Side::Bid).map(|level| level.price.0).collect()
    }
}

#[test]
fn an_answer_must_not_be_older_than_the_first_difference() {
    let mut rig = Rig::new();
    rig.hear(500, "[\"98\",\"1\"]");
    assert_eq!(rig.answer(400), BookState::Syncing, "something may have been said between 400 and 500");
    rig.hear(600, "[\"99\",\"1\"]");
    rig.hear(700, "[\"97\",\"1\"]");
    assert_eq!(rig.answer(600), BookState::Synced);
    assert_eq!(rig.bids(), [100, 97], "what is of 600 and before is in it");
    rig.hear(800, "[\"100\",\"0\"]");
    assert_eq!((rig.state(), rig.bids()), (BookState::Synced, vec![97]));
    // The same again, and one out of turn.
    rig.hear(800, "[\"100\",\"0\"]");
    assert_eq!(rig.state(), BookState::Synced);
    rig.hear(750, "[\"96\",\"1\"]");
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Contradiction));
}

#[test]
fn in_a_quiet_market_one_answer_is_enough_until_something_comes() {
    let mut rig = Rig::new();
    rig.engine.opened(rig.source, rig.now).unwrap();
    assert_eq!(rig.answer(1_000_000), BookState::Syncing, "nothing shows whether a difference has passed");
    for _ in 0..100 {
        rig.now += 10_000_000_000;
        assert_eq!(rig.asked(), None, "another answer could not be joined either");
    }
    rig.hear(2_000_000, "[\"100\",\"2\"]");
    assert_eq!(rig.asked(), None, "an answer is to be of behind it");
    assert_eq!(rig.answer(2_000_001), BookState::Synced);
}

#[test]
fn what_cannot_be_read_needs_an_answer_of_later() {
    let mut rig = Rig::new();
    rig.hear(500, "");
    assert_eq!(rig.answer(500), BookState::Synced);
    rig.hear(600, "[\"99\",5");
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Unreadable));
    rig.hear(700, "[\"98\",\"1\"]");
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Unreadable), "what was said at 600 is missing");
    assert_ne!(rig.answer(650), BookState::Synced);
    assert_eq!(rig.answer(700), BookState::Synced);
}

#[test]
fn a_number_finer_than_the_scale_breaks_nothing() {
    let mut rig = Rig::new();
    rig.hear(500, "");
    assert_eq!(rig.answer(500), BookState::Synced);
    for (time_us, price) in [(600, "99.5"), (700, "99.25"), (800, "99.125")] {
        rig.hear(time_us, &format!("[\"{price}\",\"0.001\"]"));
        assert_eq!(rig.state(), BookState::Synced, "{price}");
    }
    assert_eq!(rig.engine.stats().gaps, 0);
}

#[test]
fn silence_is_not_taken_back_by_what_comes_next() {
    let config = EngineConfig { silence_ns: Some(5_000_000_000), ..EngineConfig::default() };
    let mut rig = Rig::new();
    rig.engine = Engine::new(config, venues::catalogue(), NoClock);
    rig.id = rig.engine.add_instrument(venues::instrument(BITSTAMP, "btcusd").unwrap()).unwrap();
    rig.source = rig.engine.open_source(BITSTAMP, &[rig.id]).unwrap();
    rig.hear(500, "");
    assert_eq!(rig.answer(500), BookState::Synced);
    rig.now += 6_000_000_000;
    rig.engine.tick(rig.now);
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Silence));
    rig.hear(600, "[\"99\",\"1\"]");
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Silence), "a message may have been lost");
    assert_eq!(rig.answer(700), BookState::Synced);
}

/// Events of 1.6 s, and a book of the best orders that was taken apart from them 0.9 s later.
#[test]
fn recorded_orders_are_linked_and_those_of_the_book_are_theirs() {
    let Some(root) = files::root("recorded_orders_are_linked_and_those_of_the_book_are_theirs") else {
        return;
    };
    let frames = files::read(&root.join("tickvault/bitstamp_live_orders.jsonl")).unwrap();
    let book: serde_json::Value =
        serde_json::from_slice(&files::read(&root.join("tickvault/bitstamp_snapshot_l3.json")).unwrap())
            .unwrap();
    let mut routes = Routes::new();
    let route = Route { slot: Slot(0), price_exponent: -2, qty_exponent: -8 };
    assert!(routes.carry([&b"btcusd"[..]].into_iter(), route));
    let (mut session, mut events) = (venues::session(BITSTAMP_ORDERS), Events::default());
    let (mut resting, mut gone) = (HashMap::new(), HashSet::new());
    let (mut last, mut linked) = (0, 0);
    for frame in frames.split(|byte| *byte == b'\n').filter(|frame| !frame.is_empty()) {
        events.clear();
        session.frame(frame, At::default(), &routes, &mut events).unwrap();
        for event in events.list() {
            let Body::NumberedOrders(seq, span, _) = event.body else { panic!("{event:?}") };
            linked += u64::from(seq.prev == Some(last));
            assert!(seq.last > last);
            last = seq.last;
            for change in events.order_changes(span) {
                match *change {
                    OrderChange::Add { id, price, qty, .. } | OrderChange::Modify { id, price, qty, .. } => {
                        resting.insert(id.0, (price, qty));
                    }
                    OrderChange::Delete { id } => {
                        resting.remove(&id.0);
                        gone.insert(id.0);
                    }
                    ref other => panic!("{other:?}"),
                }
            }
        }
    }
    assert_eq!(linked, 499, "all but the first of 500");
    let mut met = 0;
    for row in ["bids", "asks"].iter().flat_map(|side| book[side].as_array().unwrap()) {
        let text = |at: usize| row[at].as_str().unwrap();
        let id: u64 = text(2).parse().unwrap();
        assert!(!gone.contains(&id), "{id} was deleted");
        if let Some((price, qty)) = resting.get(&id) {
            let mantissa = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
            assert_eq!((*price, *qty), (Price(mantissa(text(0))), Qty(mantissa(text(1)))), "{id}");
            met += 1;
        }
    }
    assert_eq!(met, 40, "orders of the events in the book");
}

#[test]
fn a_book_of_orders_that_holds_none_of_the_events_is_asked_for_again() {
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let id = engine.add_instrument(venues::instrument(BITSTAMP_ORDERS, "btcusd").unwrap()).unwrap();
    let source = engine.open_source(BITSTAMP_ORDERS, &[id]).unwrap();
    let event_id = |nth: u64| format!("000659d4-cba2-b200-{nth:04x}-000101000020");
    let created = |nth: u64| {
        let (own, before) = (event_id(nth), event_id(nth - 1));
        format!(
            r#"{{"data":{{"id":{nth},"order_type":0,"order_subtype":5,"microtimestamp":"1787620344640000","amount_str":"1","price_str":"100"}},"channel":"live_orders_btcusd","event":"order_created","event_id":"{own}","pre_event_id":"{before}"}}"#
        )
    };
    let book = |ids: &[u64]| {
        let rows: Vec<_> = ids.iter().map(|id| format!(r#"["100","1","{id}"]"#)).collect();
        let rows = rows.join(",");
        format!(r#"{{"timestamp":"0","microtimestamp":"1787620344650000","bids":[{rows}],"asks":[]}}"#)
    };
    let mut now = 1_000_000_000;
    let mut answer = |engine: &mut Engine<NoClock>, text: &str| {
        now += 1_000_000_000;
        engine.tick(now);
        let mut asked = None;
        while let Some(record) = engine.outbox().front() {
            if record[4] == RecordType::Ask as u8 {
                asked = Some(u32::from_le_bytes(*record[RECORD_HEADER_BYTES..].first_chunk().unwrap()));
            }
            engine.outbox().take();
        }
        engine.answer(id, asked.expect("it is asked for"), text.as_bytes(), now).unwrap();
        engine.book_info(id, 0).unwrap()
    };
    engine.ingest(source, created(4).as_bytes(), 1_000_000_000).unwrap();
    engine.ingest(source, created(5).as_bytes(), 1_000_000_000).unwrap();
    assert_eq!(answer(&mut engine, &book(&[1])).state, BookState::Syncing, "2 and 3 may be missing");
    let info = answer(&mut engine, &book(&[1, 3, 4]));
    assert_eq!((info.state, info.bbo.bid.unwrap().qty), (BookState::Synced, Qty(4)), "5 waited");
    let stats = engine.stats();
    assert_eq!((stats.snapshots_old, stats.decode_errors, stats.gaps), (1, 0, 0));
    engine.ingest(source, created(7).as_bytes(), now).unwrap();
    assert_eq!(engine.book_info(id, 0).unwrap().state, BookState::Stale(StaleReason::Gap), "6 is missing");
}
