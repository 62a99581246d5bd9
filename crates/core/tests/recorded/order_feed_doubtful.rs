//! Order feeds that are damaged, cut, mixed or named anew: a book that cannot be known is never synced.

use depthwire_core::engine::EngineConfig;
use depthwire_core::types::{BookState, Level, OrderId, StaleReason};
use depthwire_core::venues;

use crate::dbn_bytes::{Meta, mbo};
use crate::order_rig::{Rig, capture};

const LAST: u8 = 0x80;
const SNAPSHOT: u8 = 0x20;
const MAYBE_BAD: u8 = 0x04;
const CONTRADICTION: BookState = BookState::Stale(StaleReason::Contradiction);
const GAP: BookState = BookState::Stale(StaleReason::Gap);

/// Metadata that name instrument 17,077.
fn meta() -> Vec<u8> {
    let mut meta = Meta::new(3);
    meta.mappings = &[("ESH4", &[(20_231_224, 20_231_226, "17077")])];
    meta.bytes()
}

fn es() -> Rig {
    Rig::new(venues::DATABENTO, &["ESH4"])
}

fn add(order: u64, price: i64, flags: u8) -> Vec<u8> {
    mbo(b'A', b'B', order, price, 5, flags)
}

fn clear(flags: u8) -> Vec<u8> {
    mbo(b'R', b'N', 0, i64::MAX, 0, flags)
}

/// The record as it would be of another instrument.
fn of(instrument: u32, mut record: Vec<u8>) -> Vec<u8> {
    record[4..8].copy_from_slice(&instrument.to_le_bytes());
    record
}

/// The record as it would be at another time.
fn at(ts_recv: u64, mut record: Vec<u8>) -> Vec<u8> {
    record[40..48].copy_from_slice(&ts_recv.to_le_bytes());
    record
}

fn bid_counts(rig: &Rig) -> Vec<usize> {
    rig.ids.iter().map(|id| rig.engine.book_info(*id, 0).unwrap().bid_count).collect()
}

#[test]
fn the_rest_of_a_snapshot_that_was_lost_in_its_middle_is_no_book() {
    let unreadable = mbo(b'A', b'B', 3, 102, 0, SNAPSHOT);
    let unread = BookState::Stale(StaleReason::Unreadable);
    for (wrong, lost) in [(add(1, 101, SNAPSHOT), CONTRADICTION), (unreadable, unread)] {
        let mut rig = es();
        let rest = [add(7, 103, SNAPSHOT), add(8, 104, SNAPSHOT | LAST)].concat();
        rig.feed(&[meta(), add(1, 100, SNAPSHOT), wrong, rest].concat(), 1_000);
        assert_eq!(rig.state(0), lost);
        rig.ingest(&add(9, 105, LAST), false, u64::MAX);
        assert_eq!(rig.state(0), lost);
        // The next one is whole again, whether or not it begins by a clear.
        rig.ingest(&[add(1, 100, SNAPSHOT), add(2, 101, SNAPSHOT | LAST)].concat(), false, u64::MAX);
        assert_eq!((rig.state(0), bid_counts(&rig)), (BookState::Synced, vec![2]));
        rig.agreed_digest(0);
    }
    let mut rig = es();
    let twice = [clear(SNAPSHOT), add(1, 100, SNAPSHOT), add(1, 101, SNAPSHOT)].concat();
    let anew = [clear(SNAPSHOT), add(1, 100, SNAPSHOT | LAST)].concat();
    rig.feed(&[meta(), twice, anew].concat(), 1_000);
    assert_eq!((rig.state(0), bid_counts(&rig)), (BookState::Synced, vec![1]));
}

#[test]
fn an_event_that_begins_by_a_clear_is_published_as_a_whole() {
    let mut rig = es();
    rig.feed(&[meta(), clear(0), add(1, 100, 0)].concat(), 1_000);
    assert_eq!(rig.state(0), BookState::Syncing, "the event has not ended");
    rig.ingest(&add(2, 101, LAST), false, u64::MAX);
    let info = rig.engine.book_info(rig.ids[0], 0).unwrap();
    assert_eq!((info.state, info.seq, info.bid_count), (BookState::Synced, 1, 2));
    rig.agreed_digest(0);
}

#[test]
fn a_snapshot_that_the_venue_doubts_is_no_book() {
    let mut rig = es();
    rig.feed(&[meta(), add(1, 100, SNAPSHOT | MAYBE_BAD), add(2, 101, SNAPSHOT | LAST)].concat(), 1_000);
    assert_eq!(rig.state(0), BookState::Stale(StaleReason::VenueDoubt));
    assert_eq!(rig.stats().orders.doubts, 1);
    rig.ingest(&add(1, 100, SNAPSHOT | LAST), false, u64::MAX);
    assert_eq!(rig.state(0), BookState::Synced, "a later one mends it");
}

#[test]
fn an_order_of_a_book_that_is_not_whole_is_not_told() {
    let mut rig = es();
    rig.feed(&[meta(), add(1, 100, SNAPSHOT)].concat(), 1_000);
    assert_eq!(rig.engine.order(rig.ids[0], OrderId(1)), Ok(None));
    rig.ingest(&add(2, 100, SNAPSHOT | LAST), false, u64::MAX);
    assert!(rig.engine.order(rig.ids[0], OrderId(1)).unwrap().is_some());
}

#[test]
fn a_symbol_that_goes_over_to_another_instrument_needs_a_new_book() {
    let mut meta = Meta::new(3);
    meta.mappings = &[("ES1", &[(20_231_224, 20_231_225, "1"), (20_231_225, 20_231_226, "2")])];
    let mut rig = Rig::new(venues::DATABENTO, &["ES1"]);
    let (today, tomorrow) = (1_703_422_805_718_200_244, 1_703_500_000_000_000_000);
    let first = [at(today, of(1, clear(LAST))), at(today, of(1, add(1, 100, LAST)))].concat();
    rig.feed(&[meta.bytes(), first].concat(), 1_000);
    assert_eq!(rig.state(0), BookState::Synced);
    rig.ingest(&at(tomorrow, of(2, add(2, 101, LAST))), false, u64::MAX);
    assert_eq!(rig.state(0), CONTRADICTION, "an order of the next contract");
    rig.ingest(&at(tomorrow, of(2, clear(LAST))), false, u64::MAX);
    rig.ingest(&at(tomorrow, of(2, add(2, 101, LAST))), false, u64::MAX);
    assert_eq!((rig.state(0), bid_counts(&rig)), (BookState::Synced, vec![1]));
    rig.agreed_digest(0);
}

#[test]
fn a_number_that_goes_over_to_another_symbol_follows_the_days() {
    let mut meta = Meta::new(3);
    meta.mappings = &[
        ("AAPL", &[(20_231_224, 20_231_225, "1"), (20_231_225, 20_231_226, "2")]),
        ("AMD", &[(20_231_224, 20_231_225, "2"), (20_231_225, 20_231_226, "1")]),
    ];
    let mut rig = Rig::new(venues::DATABENTO, &["AAPL", "AMD"]);
    let (today, tomorrow) = (1_703_422_805_718_200_244, 1_703_500_000_000_000_000);
    let mut day = |ts: u64, of_aapl: u32, of_amd: u32, orders: u64| {
        let mut bytes = if ts == today { meta.bytes() } else { Vec::new() };
        bytes.extend(at(ts, of(of_aapl, clear(LAST))));
        bytes.extend(at(ts, of(of_amd, clear(LAST))));
        for order in 0..orders {
            bytes.extend(at(ts, of(of_aapl, add(order * 10 + 1, 100 + order as i64, LAST))));
        }
        bytes.extend(at(ts, of(of_amd, add(2, 900, LAST))));
        rig.ingest(&bytes, false, u64::MAX);
        assert_eq!(bid_counts(&rig), [orders as usize, 1]);
        assert!((0..2).all(|book| rig.state(book) == BookState::Synced));
        let bid = rig.engine.book_info(rig.ids[1], 0).unwrap().bbo.bid;
        assert_eq!(bid, Some(Level::new(900, 5)));
    };
    day(today, 1, 2, 3);
    day(tomorrow, 2, 1, 4);
}

#[test]
fn two_publishers_of_one_instrument_are_not_one_book() {
    let mut rig = es();
    let mut other = add(2, 101, LAST);
    other[2] = 9;
    rig.feed(&[meta(), clear(LAST), add(1, 100, LAST), other].concat(), 1_000);
    assert_eq!(rig.state(0), BookState::Stale(StaleReason::Unattributed));
}

#[test]
fn a_later_file_that_does_not_follow_on_knows_no_book() {
    let mut rig = es();
    let first = [meta(), clear(LAST), add(1, 100, LAST)].concat();
    let second = [meta(), add(2, 101, LAST)].concat();
    rig.feed(&[first, second].concat(), 1_000);
    assert_eq!(rig.state(0), GAP);
}

#[test]
fn prices_at_the_ends_of_the_range_are_prices() {
    let mut rig = es();
    let mut bytes = [meta(), clear(LAST)].concat();
    let prices = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 2, i64::MAX - 1];
    for (order, price) in prices.into_iter().enumerate() {
        bytes.extend(mbo(b'A', b'B', 2 * order as u64 + 1, price, u32::MAX - 1, LAST));
        bytes.extend(mbo(b'A', b'A', 2 * order as u64 + 2, price, 1, LAST));
    }
    rig.feed(&bytes, 64);
    assert_eq!((rig.state(0), bid_counts(&rig)), (BookState::Synced, vec![prices.len()]));
    rig.agreed_digest(0);
}

/// An ITCH message behind its length.
fn message(kind: u8, locate: u16, len: usize, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut message = vec![0; len];
    message[0] = kind;
    message[1..3].copy_from_slice(&locate.to_be_bytes());
    // Four in the morning.
    message[5..11].copy_from_slice(&14_400_000_000_000u64.to_be_bytes()[2..]);
    for (at, field) in fields {
        message[*at..at + field.len()].copy_from_slice(field);
    }
    [&(len as u16).to_be_bytes()[..], &message].concat()
}

fn begin_of_messages() -> Vec<u8> {
    message(b'S', 0, 12, &[(11, b"O")])
}

fn directory(locate: u16, stock: &[u8; 8]) -> Vec<u8> {
    message(b'R', locate, 39, &[(11, stock)])
}

fn itch_add(locate: u16, order: u64, stock: &[u8; 8]) -> Vec<u8> {
    let shares = 100u32.to_be_bytes();
    let price = 10_000u32.to_be_bytes();
    let fields: [(usize, &[u8]); 5] =
        [(11, &order.to_be_bytes()), (19, b"B"), (20, &shares), (24, stock), (32, &price)];
    message(b'A', locate, 36, &fields)
}

fn nasdaq() -> Rig {
    Rig::new(venues::NASDAQ, &["AAPL", "MSFT"])
}

const AAPL: &[u8; 8] = b"AAPL    ";
const MSFT: &[u8; 8] = b"MSFT    ";

fn morning() -> Vec<u8> {
    let books = [directory(1, AAPL), directory(2, MSFT)].concat();
    [begin_of_messages(), books, itch_add(1, 1, AAPL), itch_add(2, 2, MSFT)].concat()
}

#[test]
fn a_session_after_another_that_is_heard_from_its_middle_has_no_books() {
    let mut rig = nasdaq();
    let mut first = morning();
    first.extend([0, 0]);
    let used = rig.ingest(&first, false, u64::MAX).consumed;
    assert!((0..2).all(|book| rig.state(book) == BookState::Synced));
    let second = [first[used..].to_vec(), itch_add(1, 3, AAPL), itch_add(2, 4, MSFT)].concat();
    rig.ingest(&second, false, u64::MAX);
    assert!((0..2).all(|book| rig.state(book) != BookState::Synced));
}

#[test]
fn an_order_that_cannot_be_read_is_missing_from_a_book_not_met_before() {
    let mut rig = nasdaq();
    let cut = [0, 5, b'A', 0, 1, 0, 0];
    let bytes = [begin_of_messages(), cut.to_vec(), itch_add(1, 1, AAPL), itch_add(2, 2, MSFT)].concat();
    rig.ingest(&bytes, false, u64::MAX);
    assert_ne!(rig.state(0), BookState::Synced);
    assert_eq!(rig.state(1), BookState::Synced);
}

#[test]
fn an_order_without_a_readable_locate_may_be_of_any_book() {
    let mut rig = nasdaq();
    rig.ingest(&[morning(), vec![0, 2, b'A', 0]].concat(), false, u64::MAX);
    assert!((0..2).all(|book| rig.state(book) == BookState::Stale(StaleReason::Unreadable)));
    rig.ingest(&morning(), false, u64::MAX);
    assert!((0..2).all(|book| rig.state(book) == BookState::Synced), "until the next day");
}

#[test]
fn a_locate_that_is_given_to_another_symbol_is_neither_s() {
    for wrong in
        [directory(1, MSFT), itch_add(1, 3, MSFT), directory(1, b"OTHER   "), itch_add(1, 3, b"OTHER   ")]
    {
        let mut rig = nasdaq();
        rig.ingest(&[morning(), wrong, itch_add(1, 9, AAPL)].concat(), false, u64::MAX);
        assert_eq!(rig.state(0), CONTRADICTION);
    }
}

#[test]
fn a_book_that_was_silent_goes_on_exactly_and_asks_for_nothing() {
    let config = EngineConfig { silence_ns: Some(1_000_000_000), ..EngineConfig::default() };
    let mut rig = Rig::with(config, venues::NASDAQ, &["AAPL", "MSFT"]);
    rig.ingest(&morning(), false, u64::MAX);
    let mut later = itch_add(1, 3, AAPL);
    later[7..13].copy_from_slice(&14_500_000_000_000u64.to_be_bytes()[2..]);
    rig.ingest(&later[..], false, u64::MAX);
    rig.ingest(&[], true, u64::MAX);
    assert_eq!(rig.state(1), BookState::Stale(StaleReason::Silence));
    assert_eq!(rig.state(0), BookState::Synced, "an unbroken feed tells it whole");
    rig.agreed_digest(0);
    assert_eq!((rig.stats().snapshot_requests, rig.others, rig.stats().resyncs), (0, 0, 1));
    assert_eq!(rig.engine.book(rig.ids[0]).unwrap().levels(depthwire_core::types::Side::Bid).count(), 1);
}

fn packet(session: &[u8; 10], sequence: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    let count = (messages.len() as u16).to_be_bytes();
    [&session[..], &sequence.to_be_bytes(), &count, &messages.concat()].concat()
}

#[test]
fn a_capture_with_many_gaps_says_once_that_its_books_are_stale() {
    let mut rig = nasdaq();
    let books = [begin_of_messages(), directory(1, AAPL), directory(2, MSFT)];
    let mut packets = vec![packet(b"SESSION  1", 1, &books)];
    packets.extend((1..100).map(|gap| packet(b"SESSION  1", gap * 10, &[])));
    rig.feed(&capture(&packets[..2]), 1 << 20);
    let frames = rig.frames;
    rig = nasdaq();
    rig.feed(&capture(&packets), 1 << 20);
    assert_eq!((rig.state(0), rig.state(1), rig.stats().gaps), (GAP, GAP, 99));
    assert_eq!(rig.frames, frames);
}

#[test]
fn the_last_number_of_a_session_is_a_number() {
    let mut rig = nasdaq();
    let packets =
        [packet(b"SESSION  1", u64::MAX, &[]), packet(b"SESSION  1", u64::MAX - 1, &[begin_of_messages()])];
    let progress = rig.feed(&capture(&packets), 1 << 20);
    assert!(progress.iter().all(|progress| progress.error.is_none()));
    assert_eq!(rig.stats().gaps, 1);
}

#[test]
fn a_packet_of_the_session_that_is_cut_is_a_loss_and_another_feeds_is_none() {
    let books = [begin_of_messages(), directory(1, AAPL), directory(2, MSFT)];
    let whole = packet(b"SESSION  1", 1, &books);
    let next = packet(b"SESSION  1", 4, &[itch_add(1, 3, AAPL)]);
    for (cut, state) in [
        (next[..next.len() - 5].to_vec(), BookState::Stale(StaleReason::Unreadable)),
        (packet(b"ANOTHER  2", 4, &[itch_add(1, 3, AAPL)])[..30].to_vec(), BookState::Synced),
        (b"garbage".to_vec(), BookState::Synced),
    ] {
        let mut rig = nasdaq();
        rig.feed(&capture(&[whole.clone(), cut]), 1 << 20);
        assert_eq!((rig.state(0), rig.state(1)), (state, state));
    }
}
