//! What each dialect sends, read by plain clients that know the venue's rules, is the dialect's own book.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

mod binance;
mod bitfinex;
mod bitfinex_orders;
mod bitget;
mod bitmex;
mod bitstamp;
mod bitstamp_orders;
#[path = "../itch_support/mod.rs"]
mod books;
mod bybit;
mod coinbase_levels;
mod coinbase_orders;
mod deribit;
mod gateio;
mod gateio_updates;
mod hyperliquid;
mod json;
mod kraken_futures;
mod kraken_levels;
mod kraken_orders;
mod kucoin;
mod lighter;
mod nasdaq;
mod okx;

use std::collections::BTreeMap;

use depthwire_sim::dialects::{
    Channel, Counts, Dialect, Frame, Frames, KrakenPair, KrakenV2, TrueOrders, Truth, all,
};

const START_NS: u64 = 1_785_552_833_184_216_000;

const SECONDS: u64 = if cfg!(debug_assertions) { 9 } else { 120 };

/// One side by a key that rises away from the best: price and quantity.
type Side = BTreeMap<i64, i64>;

/// A subscriber of one instrument.
trait Client {
    /// A frame arrived. Panics where no venue would send it.
    fn frame(&mut self, frame: &Frame<'_>);
    /// The answer to a request arrived.
    fn answer(&mut self, _: &[u8]) {
        panic!("nothing was asked for");
    }
    /// The connection is a new one.
    fn reconnected(&mut self) {}
    /// Whether the book is whole, so that it can be compared.
    fn is_whole(&self) -> bool;
    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>);
    /// What was read.
    fn counts(&self) -> Counts;
}

fn client(dialect: &dyn Dialect, first: &Frames) -> Box<dyn Client> {
    let exponents = dialect.exponents();
    match (dialect.venue(), dialect.depth()) {
        ("kraken", Some(depth)) => {
            let is_level3 = first.iter().any(|frame| frame.channel == Channel::Orders);
            let is_v2 = first.iter().any(|frame| frame.bytes.starts_with(b"{\"channel\":\"status\""));
            if is_level3 {
                Box::new(kraken_orders::Client::new(dialect.code(), exponents, depth))
            } else {
                Box::new(kraken_levels::Client::new(dialect.code(), exponents, depth, is_v2))
            }
        }
        (venue, Some(depth)) if venue.starts_with("bybit") => {
            Box::new(bybit::Client::new(dialect.code(), exponents, depth))
        }
        ("bitfinex", Some(len)) => Box::new(bitfinex::Client::new(dialect.code(), exponents, len)),
        ("coinbase", None) => Box::new(coinbase_levels::Client::new(dialect.code(), exponents)),
        ("deribit", None) => Box::new(deribit::Client::new(dialect.code(), exponents)),
        ("lighter", None) => Box::new(lighter::Client::new(exponents)),
        ("hyperliquid", Some(_)) => Box::new(hyperliquid::Client::new(exponents)),
        ("okx", Some(depth)) => Box::new(okx::Client::new(dialect.code(), exponents, depth)),
        (venue, Some(depth)) if venue.starts_with("gateio") => {
            Box::new(gateio::Client::new(dialect.code(), exponents, depth))
        }
        ("kraken-futures", None) => Box::new(kraken_futures::Client::new(dialect.code(), exponents)),
        ("bitmex", depth) => Box::new(bitmex::Client::new(dialect.code(), exponents, depth)),
        ("gateio-delivery", None) => Box::new(gateio_updates::Client::new(dialect.code(), exponents)),
        ("coinbase-exchange", None) => Box::new(coinbase_orders::Client::new(dialect.code(), exponents)),
        (venue, None) if venue.starts_with("bitget") => {
            Box::new(bitget::Client::new(dialect.code(), exponents))
        }
        (venue @ ("kucoin" | "kucoin-futures"), None) => {
            Box::new(kucoin::Client::new(dialect.code(), exponents, venue == "kucoin-futures"))
        }
        ("bitstamp-orders", None) => Box::new(bitstamp_orders::Client::new(dialect.code(), exponents)),
        ("bitstamp", None) => Box::new(bitstamp::Client::new(dialect.code(), exponents)),
        ("nasdaq", None) => Box::new(nasdaq::Client::new(dialect.code())),
        (venue, None) => Box::new(binance::Client::new(venue, dialect.code(), exponents)),
        (venue, _) => panic!("{venue} has no client here"),
    }
}

/// What a run met, beside equal books.
#[derive(Debug, Default)]
struct Met {
    compared: u64,
    empty_sides: u64,
    worst_levels: usize,
    last_number: u64,
}

/// Lives `seconds` with a dialect: subscribed anew after a third, connected anew after two thirds.
fn follow(dialect: &mut dyn Dialect, seconds: u64) -> (Met, Counts) {
    let (mut frames, mut answer) = (Frames::new(), Vec::new());
    let (mut truth, mut orders) = (Truth::default(), TrueOrders::default());
    let mut met = Met { worst_levels: usize::MAX, ..Met::default() };
    dialect.step(u64::MAX, &mut frames);
    assert!(frames.is_empty(), "nobody is connected");
    dialect.open(START_NS, &mut frames);
    let mut client = client(dialect, &frames);
    let (mut last_ns, mut now_ns) = (START_NS, START_NS);
    let mut asked_at = START_NS + 230_000_000;
    let mut turns =
        [seconds / 3, seconds * 2 / 3].map(|second| START_NS + second * 1_000_000_000).into_iter();
    let mut turn = turns.next();
    let end_ns = START_NS + seconds * 1_000_000_000;
    loop {
        for frame in frames.iter() {
            assert!(frame.time_ns >= last_ns && frame.time_ns <= now_ns, "times rise, up to now");
            last_ns = frame.time_ns;
            client.frame(&frame);
        }
        let books = frames.iter().filter(|frame| matches!(frame.channel, Channel::Book | Channel::Orders));
        let books = books.count();
        assert!(books <= 1 || dialect.venue() == "nasdaq", "one frame of the book at a time");
        if books > 0 && client.is_whole() {
            dialect.truth(&mut truth);
            let has_orders = dialect.orders(&mut orders);
            client.compare(&truth, has_orders.then_some(&orders));
            met.compared += 1;
            met.last_number = truth.seq;
            met.empty_sides += u64::from(truth.bids.is_empty() || truth.asks.is_empty());
            met.worst_levels = met.worst_levels.min(truth.bids.len().min(truth.asks.len()));
        }
        let was_idle = frames.is_empty();
        frames.clear();
        if was_idle && turn.is_some_and(|at| now_ns >= at) {
            if turns.len() == 1 {
                dialect.resubscribe(now_ns, &mut frames);
            } else {
                now_ns += 1_700_000_000;
                dialect.open(now_ns, &mut frames);
            }
            if turns.len() == 0 || !matches!(dialect.venue(), "kraken" | "coinbase" | "deribit" | "okx") {
                client.reconnected();
                asked_at = now_ns + 130_000_000;
            }
            turn = turns.next();
            continue;
        }
        if was_idle && now_ns >= asked_at {
            asked_at = u64::MAX;
            if dialect.snapshot(&mut answer) {
                client.answer(&answer);
            } else {
                assert!(answer.is_empty());
            }
        }
        if now_ns >= end_ns && was_idle {
            break;
        }
        dialect.step(now_ns, &mut frames);
        if frames.is_empty() {
            now_ns += 3_100_000;
        }
    }
    assert_eq!(client.counts(), dialect.sent(), "everything was read");
    (met, client.counts())
}

#[test]
fn every_book_is_the_venues_after_every_frame() {
    for mut dialect in all(2_026) {
        let (met, counts) = follow(&mut *dialect, SECONDS);
        println!("{} {} {:?}: {met:?} {counts:?}", dialect.venue(), dialect.code(), dialect.depth());
        assert!(met.compared > SECONDS, "{met:?}");
        assert!(counts.updates > SECONDS && counts.trades > SECONDS / 3);
        let has_checksums = match dialect.venue() {
            "okx" => met.last_number == 0,
            "bitfinex" => counts.checksums > 0,
            venue => venue == "kraken" || venue.starts_with("bitget"),
        };
        assert_eq!(counts.checksums > SECONDS * 2, has_checksums);
    }
}

/// The books of two connections, from the end of a millisecond on.
#[test]
fn a_second_connection_has_the_same_market_and_disturbs_nobody() {
    // A datagram reaches everybody: there are no connections to open.
    for mut dialect in all(31).into_iter().filter(|dialect| dialect.venue() != "nasdaq") {
        let millisecond_end = |ms: u64| START_NS / 1_000_000 * 1_000_000 + (ms + 1) * 1_000_000 - 1;
        let step = |dialect: &mut dyn Dialect, now_ns| {
            let mut frames = Frames::new();
            let mut len = usize::MAX;
            while len != frames.len() {
                len = frames.len();
                dialect.step(now_ns, &mut frames);
            }
            frames
        };
        let name = format!("{} {:?}", dialect.venue(), dialect.depth());
        dialect.open(START_NS, &mut Frames::new());
        let mut alone = dialect.fork();
        step(&mut *dialect, millisecond_end(1_234));
        let mut second = dialect.fork();
        let mut heard = Frames::new();
        second.open(millisecond_end(1_234), &mut heard);
        let (first_frames, second_frames) =
            (step(&mut *dialect, millisecond_end(4_321)), step(&mut *second, millisecond_end(4_321)));
        assert!(second_frames.len() > 20 && heard.len() < 20, "{name}");
        let (mut truth, mut other) = (Truth::default(), Truth::default());
        dialect.truth(&mut truth);
        second.truth(&mut other);
        assert_eq!(truth, other, "{name}");
        let alone_frames = step(&mut *alone, millisecond_end(4_321));
        let bytes = |frames: &Frames, from: usize| {
            frames.iter().skip(from).map(|frame| frame.bytes.to_vec()).collect::<Vec<_>>()
        };
        let before = alone_frames.len() - first_frames.len();
        assert_eq!(bytes(&first_frames, 0), bytes(&alone_frames, before), "{name}");
    }
}

#[test]
fn sides_are_empty_sometimes() {
    let (mut compared, mut empty_sides) = (0, 0);
    for seed in 1..=10 {
        for mut dialect in all(seed).into_iter().filter(|dialect| dialect.depth() == Some(10)) {
            let (met, _) = follow(&mut *dialect, 40);
            println!("{}: {met:?}", dialect.code());
            compared += met.compared;
            empty_sides += met.empty_sides;
        }
        if empty_sides > 0 {
            break;
        }
    }
    assert!(empty_sides > 0 && empty_sides * 20 < compared, "{empty_sides} of {compared}");
}

/// FNV-1a, 64 bits, over frames and times.
fn hash(dialect: &mut dyn Dialect, step_ns: u64) -> (u64, usize) {
    let (mut hash, mut bytes) = (0xcbf2_9ce4_8422_2325_u64, 0);
    let mut frames = Frames::new();
    dialect.open(START_NS, &mut frames);
    let mut now_ns = START_NS;
    let end_ns = START_NS + 3_000_000_000;
    loop {
        for frame in frames.iter() {
            for byte in frame.time_ns.to_be_bytes().iter().chain(frame.bytes) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
            bytes += frame.bytes.len();
        }
        frames.clear();
        dialect.step(now_ns, &mut frames);
        if frames.is_empty() && now_ns == end_ns {
            return (hash, bytes);
        }
        if frames.is_empty() {
            now_ns = (now_ns + step_ns).min(end_ns);
        }
    }
}

#[test]
fn a_seed_gives_the_same_bytes_whenever_they_are_fetched() {
    let (one, same, other) = (all(5), all(5), all(6));
    for ((mut one, mut same), mut other) in one.into_iter().zip(same).zip(other) {
        let (first, bytes) = hash(&mut *one, 1_000_000);
        assert!(bytes > 10_000, "{} {bytes}", one.venue());
        assert_eq!((first, bytes), hash(&mut *same, 750_000_000), "{} {:?}", same.venue(), same.depth());
        assert_ne!(first, hash(&mut *other, 1_000_000).0);
    }
}

#[test]
fn a_seed_gives_the_same_bytes_on_every_machine() {
    let mixed = all(9)
        .iter_mut()
        .fold(0_u64, |mixed, dialect| mixed.rotate_left(7) ^ hash(&mut **dialect, 5_000_000).0);
    assert_eq!(
        mixed, 1_130_382_023_024_226_958,
        "a change of the market's rules or of a format changes it: then put the new one here"
    );
}

/// Kraken BTC/USD at depth 25, recorded for 50 s: 1.49 levels an update, of which 24 in 100 remove one.
#[test]
fn updates_are_as_large_as_recorded_ones() {
    let mut dialect = KrakenV2::new(11, KrakenPair::BtcUsd, 25);
    let mut frames = Frames::new();
    dialect.open(START_NS, &mut frames);
    let (mut updates, mut levels, mut removals, mut silence_ns, mut last_ns) = (0, 0, 0, 0, START_NS);
    while last_ns < START_NS + 100_000_000_000 {
        frames.clear();
        dialect.step(u64::MAX, &mut frames);
        for frame in frames.iter().filter(|frame| frame.channel == Channel::Book) {
            let text = std::str::from_utf8(frame.bytes).unwrap();
            let changed = text.matches("\"price\":").count();
            // A side that vanishes was not recorded.
            if changed < 100 {
                updates += 1;
                levels += changed;
                removals += text.matches("\"qty\":0.00000000}").count();
            }
            silence_ns = silence_ns.max(frame.time_ns - last_ns);
            last_ns = frame.time_ns;
        }
    }
    println!("{updates} updates, {levels} levels, {removals} removals, {silence_ns} ns without one at most");
    assert!((120..220).contains(&(levels * 100 / updates)), "levels an update");
    assert!((15..35).contains(&(removals * 100 / levels)), "removals");
    assert!((1_000_000_000..4_000_000_000).contains(&silence_ns), "sleeps, and wakes again");
}

#[test]
fn frames_end_with_time() {
    for mut dialect in all(1) {
        let mut frames = Frames::new();
        dialect.open(u64::MAX, &mut frames);
        frames.clear();
        dialect.step(u64::MAX, &mut frames);
        assert!(frames.is_empty(), "{} after the end of time", dialect.venue());
    }
}
