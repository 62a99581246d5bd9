//! The stream of orders of order feeds: what readers hold, when they join, and what they are told where nothing is exact.

use depthwire_core::encode::{HistoryConfig, OrderName, RECORD_HEADER_BYTES, RecordType, Stream};
use depthwire_core::engine::{Brought, By, EngineConfig, EngineError};
use depthwire_core::replica::{Outcome, Replica, ReplicaReason, ReplicaState};
use depthwire_core::types::{BookState, InstrumentId, OrderId, Place, Price, Qty, Side, StaleReason};
use depthwire_core::venues;
use depthwire_sim::itch::{ItchConfig, ItchDay};

use crate::dbn_bytes::{Meta, mbo};
use crate::order_rig::Rig;
use crate::{expected, files};

const LAST: u8 = 0x80;
const SNAPSHOT: u8 = 0x20;

/// What one who joins now holds.
fn joined(rig: &mut Rig, id: InstrumentId) -> Replica {
    let mut joined = Replica::default();
    let take = |frame: &[u8]| assert!(matches!(joined.apply(frame), Ok(Outcome::Chunk | Outcome::Image)));
    rig.engine.image(id, Stream::ORDERS, 0, take).unwrap();
    joined
}

/// A reader from the beginning, one who joins now and the engine have the same orders in the same places; returns how many
/// have others before them.
fn assert_told(rig: &mut Rig, id: InstrumentId) -> u32 {
    let now = joined(rig, id);
    drain(rig);
    let now = now.orders(id).expect("an image");
    let told = rig.replica.orders(id).unwrap();
    assert_eq!((told.state(), told.gaps(), told.checks().1), (ReplicaState::Synced, 0, 0));
    assert_eq!(told.place(), now.place());
    let mut ahead = 0;
    for side in [Side::Bid, Side::Ask] {
        assert!(told.list(side).eq(now.list(side)));
        for (name, order) in told.list(side) {
            let OrderName::Number(number) = name else { panic!("{name:?}") };
            let (known, position) = rig.engine.order(id, OrderId(number)).unwrap().unwrap();
            assert_eq!((known.side, known.price, known.qty), (order.side, order.price, order.qty));
            assert_eq!(told.orders_ahead(name), Some(position));
            ahead += position.orders_ahead;
        }
        if told.is_event_whole() {
            assert!(told.levels(side).eq(rig.replica.book(id).unwrap().book().levels(side)));
        }
    }
    ahead
}

fn drain(rig: &mut Rig) {
    while let Some(record) = rig.engine.outbox().front() {
        if record[4] == RecordType::Frame as u8 {
            rig.replica.apply(&record[RECORD_HEADER_BYTES..]).unwrap();
        }
        rig.engine.outbox().take();
    }
}

fn orders_frames(rig: &Rig) -> u64 {
    rig.engine.stats().feed_frames
}

#[test]
fn queues_of_a_day_are_told_order_by_order() {
    let mut day = ItchDay::new(ItchConfig { seed: 11, symbols: 3, orders: 180 }).unwrap();
    let mut bytes = Vec::new();
    while day.messages() < 12_000 {
        day.next(&mut bytes);
    }
    let symbols: Vec<_> = (1..).map_while(|locate| day.symbol(locate)).map(str::to_owned).collect();
    let mut rig = Rig::new(venues::NASDAQ, &symbols.iter().map(String::as_str).collect::<Vec<_>>());
    let ids = rig.ids.clone();
    for &id in &ids[..2] {
        assert_eq!(rig.engine.open_orders(id), Ok(Stream::ORDERS));
    }
    let mut ahead = 0;
    let mut waiting = Vec::new();
    for chunk in bytes.chunks(4_099) {
        waiting.extend_from_slice(chunk);
        let progress = rig.ingest(&waiting, false, u64::MAX);
        waiting.drain(..progress.consumed);
        for &id in &ids[..2] {
            if rig.engine.book_info(id, 0).unwrap().state == BookState::Synced {
                ahead += assert_told(&mut rig, id);
            }
        }
        assert!(rig.replica.orders(ids[2]).is_none(), "nobody has asked for it");
    }
    assert!(ahead > 300, "{ahead}");
    assert!(joined(&mut rig, ids[2]).orders(ids[2]).is_none());
}

fn stream(records: &[Vec<u8>]) -> Vec<u8> {
    let mut meta = Meta::new(2);
    meta.mappings = &[("ESH4", &[(20_231_225, 20_231_226, "17077")])];
    [meta.bytes(), records.concat()].concat()
}

fn es(records: &[Vec<u8>]) -> (Rig, InstrumentId) {
    let mut rig = Rig::new(venues::DATABENTO, &["ESH4"]);
    let id = rig.ids[0];
    rig.engine.open_orders(id).unwrap();
    rig.feed(&stream(records), 1_000);
    (rig, id)
}

fn bids(rig: &Rig, id: InstrumentId, price: i64) -> Vec<(OrderName, Qty)> {
    rig.replica.orders(id).unwrap().queue(Side::Bid, Price(price)).collect()
}

fn number(id: u64, qty: i64) -> (OrderName, Qty) {
    (OrderName::Number(id), Qty(qty))
}

/// A recording, in pieces between which somebody joins.
fn recorded(path: &str, instrument: &str) {
    let Some(root) = files::root("recorded orders are told one by one") else { return };
    let Some(bytes) = files::read(&root.join(path)) else { return };
    let (venue, symbol) = venues::split_name(instrument).unwrap();
    let mut rig = Rig::new(venue, &[symbol]);
    let id = rig.ids[0];
    rig.engine.open_orders(id).unwrap();
    let (mut waiting, mut compared) = (Vec::new(), 0);
    let mut pieces = bytes.chunks(bytes.len() / 60).peekable();
    while let Some(piece) = pieces.next() {
        waiting.extend_from_slice(piece);
        let progress = rig.ingest(&waiting, pieces.peek().is_none(), u64::MAX);
        assert!(progress.error.is_none());
        waiting.drain(..progress.consumed);
        if rig.engine.book_info(id, 0).unwrap().state == BookState::Synced {
            assert_told(&mut rig, id);
            compared += 1;
        }
    }
    assert!(compared > 50 && rig.refused == 0, "{compared}");
}

#[test]
fn a_recorded_day_of_es_futures_is_told_order_by_order() {
    let set = expected::orders("es-mbo");
    recorded(&set.files[0], &set.instrument);
}

#[test]
fn recorded_windows_of_orders_are_told_order_by_order() {
    let set = expected::order_window("bitfinex-r0");
    recorded(&set.files[0], &set.instrument);
}

#[test]
fn who_joins_between_two_records_of_an_event_has_each_once() {
    let snapshot = [mbo(b'A', b'B', 1, 100, 5, SNAPSHOT), mbo(b'A', b'B', 2, 100, 6, SNAPSHOT | LAST)];
    let (mut rig, id) = es(&snapshot);
    assert_eq!(bids(&rig, id, 100), [number(1, 5), number(2, 6)]);
    rig.ingest(&[mbo(b'A', b'B', 3, 100, 7, 0), mbo(b'C', b'B', 1, 100, 2, 0)].concat(), false, u64::MAX);
    assert_eq!(bids(&rig, id, 100), [number(1, 5), number(2, 6)], "the event has not ended");
    let mut late = joined(&mut rig, id);
    assert!(!late.orders(id).unwrap().is_event_whole());
    assert_told(&mut rig, id);
    assert!(!rig.replica.orders(id).unwrap().is_event_whole());
    assert_eq!(bids(&rig, id, 100), [number(1, 3), number(2, 6), number(3, 7)]);
    // The rest of the event reaches both.
    rig.ingest(&mbo(b'M', b'B', 2, 101, 6, LAST), false, u64::MAX);
    assert_told(&mut rig, id);
    assert!(rig.replica.orders(id).unwrap().is_event_whole());
    assert_eq!(bids(&rig, id, 101), [number(2, 6)]);
    let now = joined(&mut rig, id);
    let missed = now.orders(id).unwrap().place();
    assert_ne!(late.orders(id).unwrap().place(), missed);
    late = now;
    assert_eq!(late.orders(id).unwrap().len(), 3);
    // An event whose last record changes nothing ends, too.
    rig.ingest(&mbo(b'A', b'B', 4, 99, 7, 0), false, u64::MAX);
    assert_told(&mut rig, id);
    assert!(!rig.replica.orders(id).unwrap().is_event_whole());
    rig.ingest(&mbo(b'N', b'N', 0, 0, 0, LAST), false, u64::MAX);
    assert_told(&mut rig, id);
}

#[test]
fn an_order_keeps_its_place_with_less_and_loses_it_with_more() {
    let (mut rig, id) = es(&[
        mbo(b'A', b'B', 1, 100, 5, SNAPSHOT),
        mbo(b'A', b'B', 2, 100, 6, SNAPSHOT),
        mbo(b'A', b'B', 3, 100, 7, SNAPSHOT | LAST),
    ]);
    for (record, queue) in [
        (mbo(b'M', b'B', 1, 100, 4, LAST), vec![number(1, 4), number(2, 6), number(3, 7)]),
        (mbo(b'M', b'B', 1, 100, 5, LAST), vec![number(2, 6), number(3, 7), number(1, 5)]),
        (mbo(b'C', b'B', 3, 100, 2, LAST), vec![number(2, 6), number(3, 5), number(1, 5)]),
        (mbo(b'C', b'B', 2, 100, 6, LAST), vec![number(3, 5), number(1, 5)]),
        (mbo(b'M', b'B', 3, 101, 5, LAST), vec![number(1, 5)]),
    ] {
        rig.ingest(&record, false, u64::MAX);
        assert_eq!(bids(&rig, id, 100), queue);
        assert_told(&mut rig, id);
    }
}

#[test]
fn orders_that_are_lost_are_called_so_and_come_back_in_a_new_epoch() {
    let snapshot = [mbo(b'A', b'B', 1, 100, 5, SNAPSHOT), mbo(b'A', b'A', 2, 110, 6, SNAPSHOT | LAST)];
    let (mut rig, id) = es(&snapshot);
    let before = rig.replica.orders(id).unwrap().place();
    rig.ingest(&mbo(b'C', b'B', 77, 100, 5, LAST), false, u64::MAX);
    let told = rig.replica.orders(id).unwrap();
    assert_eq!(
        (told.state(), told.gaps()),
        (ReplicaState::Stale(ReplicaReason::Server(StaleReason::Contradiction)), 0)
    );
    assert!(joined(&mut rig, id).orders(id).is_none(), "nothing from a book that is not exact");
    rig.ingest(&snapshot.concat(), false, u64::MAX);
    let after = rig.replica.orders(id).unwrap().place();
    assert!(after.epoch > before.epoch && after.seq == 1, "{before:?} {after:?}");
    assert_told(&mut rig, id);
    rig.ingest(&mbo(b'R', b'N', 0, i64::MAX, 0, LAST), false, u64::MAX);
    assert!(rig.replica.orders(id).unwrap().is_empty());
    assert_told(&mut rig, id);
}

#[test]
fn orders_beside_levels_are_lost_and_come_back_alone() {
    let mut rig = Rig::new(venues::BITFINEX, &["tBTCUSD"]);
    let id = rig.ids[0];
    rig.engine.open_orders(id).unwrap();
    let say = |rig: &mut Rig, frame: &str| {
        rig.engine.ingest(rig.source, frame.as_bytes(), 1).unwrap();
        drain(rig);
    };
    let subscribed = |channel: u32, prec: &str| {
        format!(
            r#"{{"event":"subscribed","channel":"book","chanId":{channel},"symbol":"tBTCUSD","prec":"{prec}","freq":"F0","len":"25","pair":"BTCUSD"}}"#
        )
    };
    let orders = |channel: u32| format!("[{channel},[[11,100,1],[12,100,2],[13,101,-1]]]");
    say(&mut rig, &subscribed(2, "R0"));
    say(&mut rig, &orders(2));
    assert_told(&mut rig, id);
    let before = rig.replica.orders(id).unwrap().place();
    say(&mut rig, &subscribed(1, "P0"));
    say(&mut rig, "[1,[[100,2,3],[101,1,-1]]]");
    let now = rig.replica.orders(id).unwrap();
    assert!(
        now.state() == ReplicaState::Synced && now.place().epoch > before.epoch,
        "the levels lead: a new epoch"
    );
    assert_eq!(now.place().seq, 1);
    say(&mut rig, "[2,[12,100,1]]");
    let now = joined(&mut rig, id);
    let [told, now] = [&rig.replica, &now].map(|reader| reader.orders(id).unwrap());
    assert!(told.list(Side::Bid).eq(now.list(Side::Bid)));
    // An order on the other side.
    say(&mut rig, "[2,[12,100,-1]]");
    let told = rig.replica.orders(id).unwrap();
    assert_eq!(
        (told.state(), told.gaps(), told.is_empty()),
        (ReplicaState::Stale(ReplicaReason::Unknown), 0, true)
    );
    assert_eq!(rig.engine.book_info(id, 0).unwrap().state, BookState::Synced, "the levels go on");
    let Place { epoch, seq } = told.place();
    assert!(joined(&mut rig, id).orders(id).is_none());
    say(&mut rig, r#"{"event":"unsubscribed","status":"OK","chanId":2}"#);
    say(&mut rig, &subscribed(3, "R0"));
    say(&mut rig, &orders(3));
    let told = rig.replica.orders(id).unwrap();
    assert_eq!((told.place(), told.len()), (Place { epoch, seq: seq + 1 }, 3), "in the same epoch");
    say(&mut rig, "[3,[14,99,1]]");
    assert_eq!(rig.replica.orders(id).unwrap().len(), 4);
}

#[test]
fn a_stream_that_nobody_reads_is_not_written_and_its_numbers_are_not_given_twice() {
    let snapshot = [mbo(b'A', b'B', 1, 100, 5, SNAPSHOT), mbo(b'A', b'A', 2, 110, 6, SNAPSHOT | LAST)];
    let (mut rig, id) = es(&snapshot);
    rig.engine.open_orders(id).unwrap();
    rig.engine.close_orders(id);
    rig.ingest(&mbo(b'A', b'B', 3, 100, 7, LAST), false, u64::MAX);
    assert_eq!(bids(&rig, id, 100).len(), 2, "one reader is left");
    rig.engine.close_orders(id);
    let place = rig.replica.orders(id).unwrap().place();
    let frames = orders_frames(&rig);
    rig.ingest(&mbo(b'A', b'B', 4, 90, 7, LAST), false, u64::MAX);
    assert_eq!(orders_frames(&rig) - frames, 1, "the change of the book alone");
    assert!(joined(&mut rig, id).orders(id).is_none());
    rig.engine.open_orders(id).unwrap();
    rig.ingest(&mbo(b'A', b'B', 5, 90, 7, LAST), false, u64::MAX);
    let told = rig.replica.orders(id).unwrap();
    assert_eq!(
        (told.gaps(), told.place()),
        (1, place),
        "what was told of the old stream is not the new one's"
    );
    let mut late = joined(&mut rig, id);
    rig.ingest(&mbo(b'A', b'B', 6, 90, 7, LAST), false, u64::MAX);
    let now = joined(&mut rig, id);
    assert_eq!(now.orders(id).unwrap().len(), 6);
    assert_eq!(late.orders(id).unwrap().len(), 5);
    late = now;
    assert!(late.orders(id).unwrap().place() > place);
}

#[test]
fn who_was_away_is_brought_every_frame_or_an_image() {
    let snapshot = [mbo(b'A', b'B', 1, 100, 5, SNAPSHOT), mbo(b'A', b'A', 2, 110, 6, SNAPSHOT | LAST)];
    let history = HistoryConfig { bytes: 1 << 20, stream_bytes: 1 << 18, age_ns: u64::MAX };
    for (history, expected) in [(history, Brought::Range), (HistoryConfig::default(), Brought::Image)] {
        let config = EngineConfig { history, ..EngineConfig::default() };
        let mut rig = Rig::with(config, venues::DATABENTO, &["ESH4"]);
        let id = rig.ids[0];
        rig.engine.open_orders(id).unwrap();
        rig.feed(&stream(&snapshot), 1_000);
        let mut away = joined(&mut rig, id);
        let Place { epoch, seq } = away.orders(id).unwrap().place();
        rig.ingest(&mbo(b'A', b'B', 3, 100, 7, LAST), false, u64::MAX);
        rig.ingest(&mbo(b'C', b'B', 1, 100, 5, LAST), false, u64::MAX);
        let mut out = vec![0; 1 << 16];
        let mut bring = |rig: &mut Rig, from| {
            let (brought, bytes) = rig.engine.bring(id, Stream::ORDERS, from, By::Net, 0, &mut out).unwrap();
            (brought, out[..bytes].to_vec())
        };
        let (brought, bytes) = bring(&mut rig, Place { epoch, seq });
        assert_eq!(brought, expected);
        away.apply(&bytes).unwrap();
        let now = rig.replica.orders(id).unwrap();
        let away = away.orders(id).unwrap();
        assert_eq!((away.place(), away.gaps()), (now.place(), 0));
        assert!(away.list(Side::Bid).eq(now.list(Side::Bid)));
        let Place { epoch, seq } = now.place();
        assert_eq!(bring(&mut rig, Place { epoch, seq }), (Brought::Nothing, vec![]));
        // Of a stream that nobody has opened there is none.
        rig.engine.close_orders(id);
        assert_eq!(bring(&mut rig, Place { epoch, seq }), (Brought::Image, vec![]));
    }
}

#[test]
fn images_come_in_chunks_of_which_none_may_be_missing() {
    let orders: Vec<_> =
        (0..2_000).map(|at| mbo(b'A', b'B', at + 1, 100 - at as i64 % 7, 5, SNAPSHOT)).collect();
    let (mut rig, id) = es(&orders);
    rig.ingest(&mbo(b'A', b'A', 9_999, 110, 6, LAST), false, u64::MAX);
    assert_told(&mut rig, id);
    let mut chunks = Vec::new();
    rig.engine.image(id, Stream::ORDERS, 0, |frame| chunks.push(frame.to_vec())).unwrap();
    assert_eq!(chunks.len(), 3);
    let mut replica = Replica::default();
    replica.apply(&chunks[0]).unwrap();
    assert_eq!(replica.orders(id).unwrap().state(), ReplicaState::Syncing);
    assert_eq!(replica.apply(&chunks[2]), Ok(Outcome::Discarded));
    assert_eq!(replica.apply(&chunks[1]), Ok(Outcome::Discarded), "it has to begin anew");
    assert_eq!(replica.apply(&chunks.concat()), Ok(Outcome::Image));
    assert_eq!(replica.orders(id).unwrap().len(), 2_001);
}

#[test]
fn venues_that_name_no_orders_have_no_such_stream() {
    let mut rig = Rig::new(venues::BINANCE_SPOT, &["BTCUSDT"]);
    let id = rig.ids[0];
    assert_eq!(rig.engine.open_orders(id), Err(EngineError::NoOrders(id.0)));
    assert_eq!(rig.engine.open_orders(InstrumentId(99)), Err(EngineError::UnknownInstrument(99)));
    rig.engine.close_orders(InstrumentId(99));
}
