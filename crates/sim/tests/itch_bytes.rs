//! The synthetic NASDAQ day is made of messages that an exchange could have sent, and of the same ones each time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

mod itch_support;

use std::collections::BTreeMap;

use depthwire_sim::itch::{
    ITCH_ORDERS_MAX, ITCH_SYMBOLS_MAX, ItchBook, ItchConfig, ItchDay, MOLD_PACKET_BYTES_MAX, MoldPacker,
};
use itch_support::{Books, DIRECT_LISTING, LENGTHS, messages};

/// The first `count` messages of a day, the closing events included.
fn whole_day(config: ItchConfig, count: u64) -> Vec<u8> {
    let mut day = ItchDay::new(config).unwrap();
    let mut bytes = Vec::new();
    while day.next(&mut bytes) {
        if day.messages() + 3 == count {
            day.close();
        }
    }
    assert_eq!(day.messages(), count);
    bytes
}

/// FNV-1a, 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn a_seed_gives_the_same_bytes_on_every_machine() {
    let config = ItchConfig { seed: 1, symbols: 50, orders: 2_000 };
    let bytes = whole_day(config, 100_000);
    assert_eq!(
        hash(&bytes),
        8_676_996_062_019_197_969,
        "a change of the day's rules changes its bytes: then put the new hash here"
    );
    assert_ne!(bytes, whole_day(ItchConfig { seed: 2, ..config }, 100_000));
}

#[test]
fn every_message_could_have_come_from_an_exchange_and_the_truth_is_told() {
    // The most crowded, the thinnest and the smallest market there are, and one between.
    let markets = [(1, 1, 5_000), (2, 2_000, 2_000), (3, 1, 1), (4, 200, 20_000)];
    for (seed, symbols, orders) in markets {
        let mut day = ItchDay::new(ItchConfig { seed, symbols, orders }).unwrap();
        let (mut books, mut bytes) = (Books::default(), Vec::new());
        let truth = |day: &ItchDay, books: &Books| {
            for locate in 1..=symbols as u16 {
                assert_eq!(day.book(locate), Some(books.book(locate)), "{locate} of {symbols}");
            }
            assert_eq!(day.orders_len(), books.orders.len());
            assert_eq!(day.levels_len(), books.levels_len());
        };
        while day.messages() < 60_000 {
            bytes.clear();
            assert!(day.next(&mut bytes));
            books.apply(messages(&bytes).next().unwrap());
            assert!(day.orders_len() <= orders);
            if day.messages().is_multiple_of(20_000) {
                truth(&day, &books);
            }
        }
        assert!(day.is_open() && books.orders.len() * 10 >= orders * 9, "{}", books.orders.len());
        assert_eq!((day.book(0), day.book(symbols as u16 + 1)), (None, None));
    }
}

#[test]
fn the_day_begins_with_the_directory_and_ends_with_the_closing_events() {
    let bytes = whole_day(ItchConfig { seed: 9, symbols: 30, orders: 500 }, 20_000);
    let all: Vec<_> = messages(&bytes).collect();
    let events: Vec<u8> = all.iter().filter(|it| it.kind() == b'S').map(|it| it.0[11]).collect();
    assert_eq!(events, *b"OSQMEC");
    assert_eq!((all[0].kind(), all[61].kind()), (b'S', b'S'));
    let symbols: Vec<&[u8]> = all[1..31].iter().map(|it| &it.0[11..19]).collect();
    for (at, (listed, state)) in all[1..31].iter().zip(&all[31..61]).enumerate() {
        assert_eq!((listed.kind(), state.kind()), (b'R', b'H'));
        assert_eq!((listed.locate(), state.locate()), (at as u16 + 1, at as u16 + 1));
        assert_eq!((&state.0[11..19], state.0[19]), (symbols[at], b'T'));
    }
    assert!(symbols.windows(2).all(|pair| pair[0] < pair[1]));
    // Whoever names a symbol beside its locate code names the right one.
    for message in all.iter().filter(|it| matches!(it.kind(), b'A' | b'F' | b'P')) {
        assert_eq!(&message.0[24..32], symbols[usize::from(message.locate()) - 1]);
    }
    let mut day = ItchDay::new(ItchConfig::new(9, 30)).unwrap();
    assert_eq!(day.symbol(1).map(str::as_bytes), symbols[0].get(..4));
    assert_eq!((day.symbol(0), day.symbol(31)), (None, None));
    day.close();
    day.close();
    let mut bytes = Vec::new();
    while day.next(&mut bytes) {}
    assert_eq!(messages(&bytes).count(), 3, "a day that never opened closes as well");
}

#[test]
fn every_type_comes_up() {
    let bytes = whole_day(ItchConfig { seed: 5, symbols: 10, orders: 1_000 }, 100_000);
    let mut counts = BTreeMap::new();
    messages(&bytes).for_each(|message| *counts.entry(message.kind()).or_insert(0) += 1);
    for (kind, _) in LENGTHS.into_iter().chain([DIRECT_LISTING]) {
        assert!(counts.get(&kind).is_some_and(|&count| count > 0), "{}", char::from(kind));
    }
}

#[test]
fn packets_carry_the_same_messages() {
    let bytes = whole_day(ItchConfig { seed: 6, symbols: 10, orders: 1_000 }, 10_000);
    let (mut packer, mut packet, mut rest, mut unpacked) =
        (MoldPacker::new(*b"0000000001"), Vec::new(), &bytes[..], Vec::new());
    let mut sequence = 1;
    while !rest.is_empty() {
        rest = &rest[packer.pack(rest, &mut packet)..];
        assert!(packet.len() <= MOLD_PACKET_BYTES_MAX && (rest.is_empty() || packet.len() > 1_348));
        assert_eq!(packet[10..18], u64::to_be_bytes(sequence));
        let count = u16::from_be_bytes([packet[18], packet[19]]);
        assert_eq!(messages(&packet[20..]).count(), usize::from(count));
        sequence += u64::from(count);
        unpacked.extend_from_slice(&packet[20..]);
    }
    assert_eq!(sequence, 10_001);
    assert_eq!(unpacked, bytes);
}

#[test]
fn a_day_without_symbols_or_orders_is_refused() {
    for (symbols, orders) in [(0, 1), (1, 0), (ITCH_SYMBOLS_MAX + 1, 1), (1, ITCH_ORDERS_MAX + 1)] {
        let error = ItchDay::new(ItchConfig { seed: 1, symbols, orders }).unwrap_err();
        assert_eq!(error.code(), "sim.itch_out_of_range");
    }
    let mut day = ItchDay::new(ItchConfig { seed: 1, symbols: ITCH_SYMBOLS_MAX, orders: 1 }).unwrap();
    assert!(day.next(&mut Vec::new()));
    assert_eq!(day.book(u16::MAX), Some(ItchBook::default()));
}
