//! Bitstamp beyond what every room owes: which answers reach the differences that wait, where only times say so.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

use depthwire_core::encode::{RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::types::{BookState, InstrumentId, NoClock, Side, StaleReason};
use depthwire_core::venues::{self, BITSTAMP};

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

    /// Answers what is asked for next.
    fn answer(&mut self, time_us: u64) -> BookState {
        self.now += 120_000_000_000;
        self.engine.tick(self.now);
        let mut asked = None;
        while let Some(record) = self.engine.outbox().front() {
            if record[4] == RecordType::Ask as u8 {
                asked = Some(u32::from_le_bytes(*record[RECORD_HEADER_BYTES..].first_chunk().unwrap()));
            }
            self.engine.outbox().take();
        }
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
