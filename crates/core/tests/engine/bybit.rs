//! Bybit beyond what every room owes: depth 1 alone, snapshots that come again, and a book that is deeper than it may be.

use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::types::{BookState, InstrumentId, Level, NoClock, Side, StaleReason};
use depthwire_core::venues;
use depthwire_sim::dialects::{Bybit, BybitCategory, Channel, Dialect, Frames, Truth};

const START_NS: u64 = 1_785_552_833_184_216_000;

fn engine(dialect: &dyn Dialect) -> (Engine<NoClock>, SourceId, InstrumentId) {
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let venue = venues::from_name(dialect.venue()).unwrap();
    let id = engine.add_instrument(venues::instrument(venue, dialect.code()).unwrap()).unwrap();
    let source = engine.open_source(venue, &[id]).unwrap();
    (engine, source, id)
}

fn hear(engine: &mut Engine<NoClock>, source: SourceId, bytes: &[u8], now: u64) {
    engine.ingest(source, bytes, now).unwrap();
    engine.tick(now);
    while engine.outbox().front().is_some() {
        engine.outbox().take();
    }
}

/// Hears a dialect for so long; how many books were compared, and epochs begun.
fn follow(mut dialect: Bybit, seconds: u64) -> (u64, u64) {
    let (mut engine, source, id) = engine(&dialect);
    let (mut frames, mut truth) = (Frames::new(), Truth::default());
    dialect.open(START_NS, &mut frames);
    let (mut now, mut compared, mut epochs, mut epoch) = (START_NS, 0, 0, 0);
    while now < START_NS + seconds * 1_000_000_000 {
        let is_book = |frames: &Frames| frames.iter().any(|frame| frame.channel == Channel::Book);
        for frame in frames.iter() {
            now = frame.time_ns;
            hear(&mut engine, source, frame.bytes, now);
        }
        if is_book(&frames) {
            dialect.truth(&mut truth);
            let info = engine.book_info(id, 0).unwrap();
            assert_eq!((info.state, info.venue_seq), (BookState::Synced, truth.seq));
            let listed = engine.catalogue().get(id).unwrap();
            let finer = |of: i8, own: i8| 10i64.pow((of - own).try_into().unwrap());
            let by = finer(dialect.exponents().0, listed.price_exponent);
            let by_qty = finer(dialect.exponents().1, listed.qty_exponent);
            for (side, told) in [(Side::Bid, &truth.bids), (Side::Ask, &truth.asks)] {
                let own = engine.book(id).unwrap().levels(side);
                assert!(own.eq(told.iter().map(|level| Level::new(level.0 * by, level.1 * by_qty))));
            }
            compared += 1;
            epochs += u64::from(info.epoch != epoch);
            epoch = info.epoch;
        }
        frames.clear();
        dialect.step(u64::MAX, &mut frames);
    }
    assert_eq!(engine.stats().contradictions, 0);
    (compared, epochs)
}

#[test]
fn depth_1_alone_is_a_book_that_goes_on() {
    for category in [BybitCategory::Spot, BybitCategory::Linear, BybitCategory::Inverse] {
        let (compared, epochs) = follow(Bybit::new(3, category, 1), 30);
        // Numbers finer than those before begin an epoch, too.
        assert!(compared > 300 && epochs < 8, "{category:?}: {compared} books, {epochs} epochs");
    }
}

#[test]
fn a_snapshot_in_the_stream_begins_anew() {
    let (compared, epochs) = follow(Bybit::new(3, BybitCategory::Linear, 50), 60);
    assert!(compared > 1_500 && epochs > 4, "{compared} books, {epochs} epochs");
}

#[test]
fn a_book_that_is_deeper_than_its_depth_is_contradicted() {
    let mut dialect = Bybit::new(3, BybitCategory::Linear, 50);
    let (mut engine, source, id) = engine(&dialect);
    let (mut frames, mut truth) = (Frames::new(), Truth::default());
    dialect.open(START_NS, &mut frames);
    frames.iter().for_each(|frame| hear(&mut engine, source, frame.bytes, frame.time_ns));
    dialect.truth(&mut truth);
    // A level between the best prices that no other one makes room for.
    let text = format!(
        "{{\"topic\":\"orderbook.50.BTCUSDT\",\"type\":\"delta\",\"ts\":1785552833185,\"data\":{{\"s\":\"BTCUSDT\",\
         \"b\":[[\"{}.05\",\"1.000\"]],\"a\":[],\"u\":{},\"seq\":1}},\"cts\":1785552833185}}",
        truth.bids[0].0 / 10,
        truth.seq + 1
    );
    hear(&mut engine, source, text.as_bytes(), START_NS + 1_000_000);
    assert_eq!(engine.book_info(id, 0).unwrap().state, BookState::Stale(StaleReason::Contradiction));
}
