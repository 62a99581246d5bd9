//! Order feeds through the whole engine: bytes of every framing, exact books, and what is said when their truth is lost.

use depthwire_core::Stats;
use depthwire_core::book::digest;
use depthwire_core::encode::Stream;
use depthwire_core::engine::{Engine, EngineConfig, EngineError, detect};
use depthwire_core::types::{BookState, Level, NoClock, OrderId, Side, StaleReason, parse_decimal};
use depthwire_core::venues;
use depthwire_sim::itch::{ItchBook, ItchConfig, ItchDay, ItchLevel};

use crate::dbn_bytes::{Meta, mbo};
use crate::order_rig::{Rig, capture};
use crate::{expected, files};

fn true_digest(book: &ItchBook) -> String {
    let side = |levels: &[ItchLevel]| -> Vec<Level> {
        let sum = |orders: &[(u64, u32)]| orders.iter().map(|(_, shares)| i64::from(*shares)).sum();
        levels.iter().map(|level| Level::new(level.price.into(), sum(&level.orders))).collect()
    };
    digest(side(&book.bids), side(&book.asks), -4, 0)
}

/// A synthetic day of some symbols; each message behind its length.
fn synthetic(symbols: usize, messages: u64) -> (ItchDay, Vec<u8>) {
    let mut day = ItchDay::new(ItchConfig { seed: 11, symbols, orders: symbols * 60 }).unwrap();
    let mut bytes = Vec::new();
    while day.messages() < messages {
        day.next(&mut bytes);
    }
    (day, bytes)
}

fn symbols_of(day: &ItchDay) -> Vec<String> {
    (1..).map_while(|locate| day.symbol(locate)).map(str::to_owned).collect()
}

fn rig_of(day: &ItchDay) -> Rig {
    let symbols = symbols_of(day);
    Rig::new(venues::NASDAQ, &symbols.iter().map(String::as_str).collect::<Vec<_>>())
}

fn assert_true_books(rig: &Rig, day: &ItchDay) {
    for at in 0..rig.ids.len() {
        let book = day.book(at as u16 + 1).unwrap();
        assert_eq!(rig.state(at), BookState::Synced);
        assert_eq!(rig.agreed_digest(at), true_digest(&book), "{:?}", day.symbol(at as u16 + 1));
    }
}

#[test]
fn a_synthetic_day_ends_with_the_market_s_own_books_and_queues() {
    let (day, bytes) = synthetic(30, 60_000);
    let names = symbols_of(&day);
    let found: Vec<_> = detect(&bytes[..64 << 10]).unwrap().into_iter().map(|(_, symbol)| symbol).collect();
    assert_eq!(found, names);
    let mut rig = rig_of(&day);
    let progress = rig.feed(&bytes, 4_099);
    assert!(progress.iter().all(|progress| progress.error.is_none()));
    assert_true_books(&rig, &day);
    let stats = rig.stats();
    assert_eq!((stats.frames, stats.decode_errors, stats.orders.contradictions), (60_000, 0, 0));
    assert!(stats.orders.adds > 20_000 && stats.orders.executes > 0 && stats.trades > 0, "{stats:?}");
    let mut ahead_seen = 0;
    for (at, &id) in rig.ids.iter().enumerate() {
        let book = day.book(at as u16 + 1).unwrap();
        for (side, levels) in [(Side::Bid, &book.bids), (Side::Ask, &book.asks)] {
            for level in levels {
                let mut qty_ahead = 0;
                for (place, &(reference, shares)) in level.orders.iter().enumerate() {
                    let (order, position) = rig.engine.order(id, OrderId(reference)).unwrap().unwrap();
                    assert_eq!(
                        (order.side, order.price.0, order.qty.0),
                        (side, level.price.into(), shares.into())
                    );
                    assert_eq!((position.orders_ahead, position.qty_ahead.0), (place as u32, qty_ahead));
                    qty_ahead += i64::from(shares);
                    ahead_seen += place;
                }
            }
        }
    }
    assert!(ahead_seen > 0, "queues with more than one order were compared");
    let other = rig.ids[1];
    let (first, ..) = day.book(1).unwrap().bids[0].orders[0];
    assert_eq!(rig.engine.order(other, OrderId(first)), Ok(None), "it rests in another book");
}

#[test]
fn only_the_symbols_that_the_source_carries_have_books() {
    let (day, bytes) = synthetic(5, 8_000);
    let mut rig = Rig::new(venues::NASDAQ, &[day.symbol(3).unwrap()]);
    rig.feed(&bytes, 1 << 20);
    assert_eq!(rig.agreed_digest(0), true_digest(&day.book(3).unwrap()));
    assert!(rig.stats().ignored > 4_000);
}

#[test]
fn a_contradiction_makes_one_book_stale_and_leaves_the_others() {
    let (day, mut bytes) = synthetic(4, 6_000);
    let mut rig = rig_of(&day);
    // A delete of an order that nobody has, in the book of locate 2.
    let mut delete = vec![0, 19, b'D', 0, 2];
    delete.resize(13, 0);
    delete.extend(u64::MAX.to_be_bytes());
    bytes.extend(&delete);
    bytes.extend(&delete);
    rig.feed(&bytes, 1 << 20);
    assert_eq!(rig.state(1), BookState::Stale(StaleReason::Contradiction));
    assert_eq!((rig.stats().orders.contradictions, rig.stats().orders.passed_over), (1, 1));
    for at in [0, 2, 3] {
        assert_eq!(rig.agreed_digest(at), true_digest(&day.book(at as u16 + 1).unwrap()));
    }
    // The next day begins anew, and the book with it.
    let (next, bytes) = synthetic(4, 3_000);
    rig.feed(&bytes, 1 << 20);
    assert_true_books(&rig, &next);
}

#[test]
fn a_message_that_cannot_be_read_takes_its_book_s_truth() {
    let (day, mut bytes) = synthetic(3, 2_000);
    let mut rig = rig_of(&day);
    bytes.extend([0, 5, b'E', 0, 1, 0, 0]);
    bytes.extend([0, 3, b'z', 0, 2]);
    let progress = rig.feed(&bytes, 1 << 20);
    assert_eq!(progress[0].error.map(|error| error.code()), Some("itch.unknown_type"));
    assert_eq!(rig.stats().decode_errors, 2);
    assert_eq!(rig.state(0), BookState::Stale(StaleReason::Unreadable));
    assert_eq!(rig.state(1), BookState::Synced, "an unknown type is no change of a book");
}

#[test]
fn a_file_that_is_heard_from_its_middle_has_no_books() {
    let (day, bytes) = synthetic(3, 5_000);
    let mut rig = rig_of(&day);
    let mut at = 0;
    for _ in 0..2_000 {
        at += 2 + usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    }
    rig.feed(&bytes[at..], 1 << 20);
    assert!((0..3).all(|book| rig.state(book) == BookState::Syncing));
    assert!(rig.stats().orders.passed_over > 1_000);
}

#[test]
fn a_file_that_breaks_off_or_is_none_says_so() {
    let (day, bytes) = synthetic(3, 2_000);
    let mut rig = rig_of(&day);
    let progress = rig.feed_file(&bytes[..bytes.len() - 3], 1 << 20);
    assert_eq!(progress[0].error.map(|error| error.code()), Some("binary_file.truncated"));
    assert_eq!(rig.state(0), BookState::Stale(StaleReason::Skipped));
    let mut rig = rig_of(&day);
    let progress = rig.feed_file(&[b'!'; 80], 1 << 20);
    assert_eq!(progress[0].error.map(|error| error.code()), Some("recording.unknown_format"));
}

#[test]
fn stops_at_a_time_and_when_nobody_drains() {
    let (day, bytes) = synthetic(3, 4_000);
    let mut rig = rig_of(&day);
    let first = rig.ingest(&bytes, true, 0);
    assert_eq!((first.consumed, first.last_ts), (0, 0));
    assert!(first.next_ts > 0, "the first message is at its own time of day");
    let half = rig.ingest(&bytes, true, first.next_ts);
    assert!(half.consumed > 0 && half.consumed < bytes.len() && half.next_ts > first.next_ts);
    let rest = &bytes[half.consumed..];
    let mut calls = 0;
    let blocked = rig
        .engine
        .replay(rig.source, rest, true, u64::MAX, |outbox| {
            calls += 1;
            while calls < 3 && outbox.front().is_some() {
                outbox.take();
            }
            calls < 3
        })
        .unwrap();
    assert!(blocked.is_blocked && blocked.consumed < rest.len());
    rig.ingest(&rest[blocked.consumed..], true, u64::MAX);
    for at in 0..3 {
        assert_eq!(rig.engine.digest(rig.ids[at]).unwrap(), true_digest(&day.book(at as u16 + 1).unwrap()));
    }
}

/// The messages of a day as MoldUDP64 packets of up to `count` messages.
fn packets(bytes: &[u8], count: usize) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    let mut rest = bytes;
    while let [high, low, ..] = *rest {
        let (message, behind) = rest.split_at(2 + usize::from(u16::from_be_bytes([high, low])));
        messages.push(message);
        rest = behind;
    }
    let mut sequence = 1u64;
    let pack = |messages: &[&[u8]]| {
        let mut packet = b"000010059B".to_vec();
        packet.extend(sequence.to_be_bytes());
        packet.extend((messages.len() as u16).to_be_bytes());
        packet.extend(messages.concat());
        sequence += messages.len() as u64;
        packet
    };
    messages.chunks(count).map(pack).collect()
}

#[test]
fn a_capture_of_both_lines_gives_the_same_books() {
    let (day, bytes) = synthetic(6, 9_000);
    let packets = packets(&bytes, 7);
    // Line B repeats everything, two packets later.
    let mut both = Vec::new();
    for (index, packet) in packets.iter().enumerate() {
        both.push(packet);
        both.extend(index.checked_sub(2).and_then(|at| packets.get(at)));
    }
    let file = capture(both);
    let found: Vec<_> = detect(&file[..256 << 10]).unwrap().into_iter().map(|(_, symbol)| symbol).collect();
    assert_eq!(found, symbols_of(&day));
    let mut rig = rig_of(&day);
    let progress = rig.feed(&file, 3_001);
    assert!(progress.iter().all(|progress| progress.error.is_none()));
    assert_true_books(&rig, &day);
    assert_eq!(rig.stats().gaps, 0);
    let info = rig.engine.book_info(rig.ids[0], 0).unwrap();
    assert!(info.venue_seq > 8_000, "the session's own number: {}", info.venue_seq);
}

#[test]
fn another_feed_in_the_capture_is_passed_over() {
    let (day, bytes) = synthetic(3, 3_000);
    let packets = packets(&bytes, 10);
    // The same bytes once more under another session's name, for another port, and a stray before everything.
    let other = |packet: &Vec<u8>| [b"000099999X", &packet[10..]].concat();
    let stray = [&b"STRAY     "[..], &1u64.to_be_bytes(), &[0, 0]].concat();
    let mut file = capture([&stray]);
    let both: Vec<_> = packets.iter().flat_map(|packet| [packet.clone(), other(packet)]).collect();
    for (index, packet) in both.iter().enumerate() {
        let mut record = capture([packet])[24..].to_vec();
        // Behind the record header, Ethernet, IPv4 and the source port.
        record[16 + 14 + 20 + 3] = if index % 2 == 0 { 0x77 } else { 0x78 };
        file.extend(record);
    }
    let mut rig = rig_of(&day);
    rig.feed(&file, 1 << 20);
    assert_true_books(&rig, &day);
    assert_eq!((rig.stats().gaps, rig.stats().ignored >= 301), (0, true));
}

#[test]
fn a_lost_packet_makes_every_book_stale() {
    let (day, bytes) = synthetic(3, 3_000);
    let mut packets = packets(&bytes, 10);
    packets.remove(250);
    let mut rig = rig_of(&day);
    rig.feed(&capture(&packets), 1 << 20);
    assert_eq!(rig.stats().gaps, 1);
    assert!((0..3).all(|at| rig.state(at) == BookState::Stale(StaleReason::Gap)));
    let mut status = Vec::new();
    rig.engine.image(rig.ids[0], Stream::STATUS, 0, |frame| status.extend_from_slice(frame)).unwrap();
    let holds = |number: u64| status.windows(8).any(|bytes| bytes == number.to_le_bytes());
    assert!(holds(2_501) && holds(2_511), "the status says what was due and what came");
}

#[test]
fn a_capture_from_the_middle_of_a_session_is_a_gap() {
    let (day, bytes) = synthetic(3, 3_000);
    let packets = packets(&bytes, 10);
    let mut rig = rig_of(&day);
    rig.feed(&capture(&packets[100..]), 1 << 20);
    assert_eq!(rig.stats().gaps, 1);
    assert!((0..3).all(|at| rig.state(at) != BookState::Synced));
}

const LAST: u8 = 0x80;
const SNAPSHOT: u8 = 0x20;
const MAYBE_BAD: u8 = 0x04;

/// A DBN stream of one instrument, number 17,077, which the metadata call ESH4.
fn stream(records: &[Vec<u8>]) -> Vec<u8> {
    let mut meta = Meta::new(3);
    meta.mappings = &[("ESH4", &[(20_231_225, 20_231_226, "17077")])];
    [meta.bytes(), records.concat()].concat()
}

fn es() -> Rig {
    Rig::new(venues::DATABENTO, &["ESH4"])
}

#[test]
fn a_snapshot_ends_with_the_first_record_that_is_none() {
    let mut rig = es();
    rig.feed(
        &stream(&[
            mbo(b'A', b'B', 1, 100, 5, SNAPSHOT),
            mbo(b'A', b'A', 2, 110, 6, SNAPSHOT),
            mbo(b'A', b'B', 3, 101, 7, 0),
        ]),
        64,
    );
    assert_eq!(rig.state(0), BookState::Synced);
    let info = rig.engine.book_info(rig.ids[0], 0).unwrap();
    assert_eq!(info.bbo.bid, Some(Level::new(100, 5)), "the event of 101 has not ended");
    rig.ingest(&mbo(b'C', b'A', 2, 110, 6, LAST), false, u64::MAX);
    let info = rig.engine.book_info(rig.ids[0], 0).unwrap();
    assert_eq!((info.bbo.bid, info.bbo.ask), (Some(Level::new(101, 7)), None));
    rig.agreed_digest(0);
}

#[test]
fn without_a_snapshot_or_a_clear_nothing_is_known() {
    let mut rig = es();
    rig.feed(&stream(&[mbo(b'A', b'B', 1, 100, 5, LAST), mbo(b'C', b'B', 9, 100, 5, LAST)]), 1_000);
    assert_eq!(rig.state(0), BookState::Syncing);
    assert_eq!((rig.stats().orders.passed_over, rig.stats().orders.contradictions), (2, 0));
    rig.ingest(&mbo(b'R', b'N', 0, i64::MAX, 0, LAST), false, u64::MAX);
    rig.ingest(&mbo(b'A', b'B', 1, 100, 5, LAST), false, u64::MAX);
    assert_eq!(rig.state(0), BookState::Synced);
    assert_eq!(rig.engine.book_info(rig.ids[0], 0).unwrap().bid_count, 1);
    rig.agreed_digest(0);
}

#[test]
fn a_later_snapshot_mends_a_book_that_was_lost() {
    let mut rig = es();
    let snapshot =
        [mbo(b'A', b'B', 1, 100, 5, SNAPSHOT), mbo(b'A', b'A', 2, 110, 6, SNAPSHOT | LAST)].concat();
    rig.feed(&stream(&[snapshot.clone(), mbo(b'C', b'B', 77, 100, 5, LAST)]), 1_000);
    assert_eq!(rig.state(0), BookState::Stale(StaleReason::Contradiction));
    rig.ingest(&snapshot, false, u64::MAX);
    assert_eq!(rig.state(0), BookState::Synced);
    assert_eq!((rig.engine.book_info(rig.ids[0], 0).unwrap().bid_count, rig.stats().resyncs), (1, 0));
    rig.agreed_digest(0);
}

#[test]
fn a_book_that_the_venue_doubts_is_stale_until_it_begins_anew() {
    let mut rig = es();
    let snapshot = mbo(b'A', b'B', 1, 100, 5, SNAPSHOT | LAST);
    rig.feed(&stream(&[snapshot, mbo(b'A', b'B', 2, 99, 5, LAST | MAYBE_BAD)]), 1_000);
    assert_eq!(rig.state(0), BookState::Stale(StaleReason::VenueDoubt));
    rig.feed(&mbo(b'A', b'B', 3, 98, 5, LAST), 1_000);
    assert_eq!(rig.state(0), BookState::Stale(StaleReason::VenueDoubt), "no change mends it");
    rig.feed(&mbo(b'R', b'N', 0, i64::MAX, 0, LAST), 1_000);
    assert_eq!((rig.state(0), rig.stats().orders.doubts), (BookState::Synced, 1));
}

#[test]
fn files_of_a_stream_may_follow_one_another() {
    let day =
        |order: u64| stream(&[mbo(b'A', b'B', order, 100, 5, SNAPSHOT), mbo(b'N', b'N', 0, 0, 0, LAST)]);
    let mut rig = es();
    let progress = rig.feed(&[day(1), day(2)].concat(), 1_000);
    assert!(progress.iter().all(|progress| progress.error.is_none()), "{progress:?}");
    assert_eq!((rig.state(0), rig.stats().orders.contradictions), (BookState::Synced, 0));
    assert!(rig.engine.order(rig.ids[0], OrderId(1)).unwrap().is_none());
    assert!(rig.engine.order(rig.ids[0], OrderId(2)).unwrap().is_some());
}

#[test]
fn names_of_instruments_are_their_numbers_where_the_grammar_has_none() {
    let mut meta = Meta::new(2);
    meta.mappings = &[("UD:1V: GN 2413", &[(20_231_225, 20_231_226, "17077")])];
    let bytes = [meta.bytes(), mbo(b'A', b'B', 1, 100, 5, SNAPSHOT | LAST)].concat();
    assert_eq!(detect(&bytes), Ok(vec![(venues::DATABENTO, "ID17077".to_owned())]));
    let mut rig = Rig::new(venues::DATABENTO, &["ID17077"]);
    rig.feed(&bytes, 1_000);
    assert_eq!(rig.state(0), BookState::Synced);
    assert_eq!(detect(&stream(&[])), Ok(vec![(venues::DATABENTO, "ESH4".to_owned())]));
}

#[test]
fn orders_are_asked_for_where_there_are_some() {
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let id = engine.catalogue().find(venues::SIM, "BTCUSDT").unwrap();
    assert_eq!(engine.order(id, OrderId(1)), Err(EngineError::UnknownInstrument(id.0)));
    engine.open_source(venues::SIM, &[id]).unwrap();
    assert_eq!(engine.order(id, OrderId(1)), Err(EngineError::NoOrders(id.0)));
    assert_eq!(engine.orders_digest(id), Err(EngineError::NoOrders(id.0)));
}

/// CME ES futures, order by order, as an independent checker found them.
#[test]
fn a_recorded_day_of_es_futures_ends_as_it_must() {
    let test = "a_recorded_day_of_es_futures_ends_as_it_must";
    let Some(root) = files::root(test) else { return };
    let set = expected::orders("es-mbo");
    let Some(bytes) = files::read(&root.join(&set.files[0])) else { return };
    let (venue, symbol) = venues::split_name(&set.instrument).unwrap();
    assert_eq!(detect(&bytes[..1 << 20]), Ok(vec![(venue, symbol.to_owned())]));
    let mut digests = Vec::new();
    for chunk in [1 << 18, 4_999] {
        let mut rig = es();
        let progress = rig.feed(&bytes, chunk);
        assert!(progress.iter().all(|progress| progress.error.is_none()));
        let Stats { frames, trades, decode_errors, orders, .. } = rig.stats();
        assert_eq!((frames, trades, decode_errors), (set.frames, set.trades, 0));
        assert_eq!((orders.adds, orders.reduces, orders.modifies), (set.adds, set.reduces, set.modifies));
        assert_eq!((orders.untouching, orders.events), (set.untouching, set.events));
        assert_eq!(orders.resting_max, set.resting_max as u64);
        assert_eq!((orders.contradictions, orders.passed_over), (0, 0));
        let info = rig.engine.book_info(rig.ids[0], 0).unwrap();
        assert_eq!(info.state, BookState::Synced);
        assert_eq!((info.bid_count, info.ask_count), (set.bids, set.asks));
        for (best, expected) in [(info.bbo.bid, &set.best_bid), (info.bbo.ask, &set.best_ask)] {
            assert_eq!(Ok(best.unwrap().price.0), parse_decimal(expected.as_bytes(), -9));
        }
        digests.push(rig.agreed_digest(0));
    }
    assert_eq!(digests[0], digests[1]);
}
