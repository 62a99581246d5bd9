//! Kraken from recorded bytes to proven books: every checksum of the recordings, and what a forgotten cut would cost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

#[path = "sets/expected.rs"]
mod expected;
#[path = "sets/files.rs"]
mod files;

use depthwire_core::book::{BookSpec, L2Book};
use depthwire_core::checksum::{Printing, Scale, TOP_LEVELS};
use depthwire_core::encode::{RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig, IngestError, SourceId, detect};
use depthwire_core::recording::{Entry, Heard, Transcript};
use depthwire_core::replica::{Outcome, Replica};
use depthwire_core::types::{
    Body, BookState, Events, InstrumentId, KnownTo, NoClock, OrderId, Route, Routes, Side, Slot,
};
use depthwire_core::venues::{self, At, KRAKEN};
use depthwire_sim::dialects::{Channel, Dialect, Frames, TrueOrders, Truth, all, kraken_order_id};
use expected::{Checksums, Text};

/// A recording; `None`, said on standard error as `test`'s skip, where it is not to be had.
fn recording(test: &str, set: &Checksums) -> Option<Vec<u8>> {
    let root = files::root(test)?;
    let mut bytes = Vec::new();
    for file in &set.files {
        bytes.extend(files::read(&root.join(file))?);
    }
    Some(bytes)
}

/// Every pair of a recording, replayed in chunks.
fn replay(bytes: &[u8], chunk_bytes: usize) -> (Engine<NoClock>, Vec<InstrumentId>) {
    let config = EngineConfig { silence_ns: None, is_replay: true, ..EngineConfig::default() };
    let mut engine = Engine::new(config, venues::catalogue(), NoClock);
    let found = detect(bytes).unwrap();
    let add = |(venue, symbol): &(_, String)| {
        assert_eq!(*venue, KRAKEN);
        engine.add_instrument(venues::instrument(*venue, symbol).unwrap()).unwrap()
    };
    let ids: Vec<_> = found.iter().map(add).collect();
    let source = engine.open_source(KRAKEN, &ids).unwrap();
    let mut at = 0;
    let mut more = chunk_bytes;
    while at < bytes.len() {
        let end = bytes.len().min(at + more);
        let drain = |outbox: &mut depthwire_core::encode::Outbox| {
            while outbox.front().is_some() {
                outbox.take();
            }
            true
        };
        let progress = engine.replay(source, &bytes[at..end], end == bytes.len(), u64::MAX, drain).unwrap();
        assert_eq!(progress.error, None);
        more = if progress.consumed == 0 { more * 2 } else { chunk_bytes };
        at += progress.consumed;
    }
    (engine, ids)
}

/// Replays a recording, and holds it to what is known: every checksum compared and right, and nothing else happened.
fn assert_proven(set: &Checksums, bytes: &[u8], chunk_bytes: usize) {
    let (engine, ids) = replay(bytes, chunk_bytes);
    let stats = engine.stats();
    assert_eq!(
        (stats.checksums_checked, stats.checksums_matched),
        (set.checksums, set.checksums),
        "{stats:?}"
    );
    assert_eq!(
        (stats.contradictions, stats.silences, stats.decode_errors, stats.foreign, stats.gaps),
        (0, 0, 0, 0, 0)
    );
    assert_eq!((stats.frames, stats.snapshots), (set.frames, set.snapshots));
    if let Some(messages) = set.book_messages {
        assert_eq!(stats.book_messages, messages);
    }
    let mut named: Vec<_> = set
        .instruments
        .iter()
        .map(|name| {
            let (venue, code) = venues::split_name(name).unwrap();
            venues::instrument(venue, code).unwrap().symbol
        })
        .collect();
    let mut found: Vec<_> =
        ids.iter().map(|id| engine.catalogue().get(*id).unwrap().symbol.clone()).collect();
    named.sort();
    found.sort();
    assert_eq!(found, named);
    for id in ids {
        let (info, book) = (engine.book_info(id, 0).unwrap(), engine.book(id).unwrap());
        assert_eq!(info.state, BookState::Synced);
        let levels = [Side::Bid, Side::Ask].map(|side| book.len(side));
        assert!(levels.iter().all(|levels| *levels <= set.depth), "{levels:?}");
        assert!(set.instruments.len() > 1 || levels == [set.depth; 2], "{levels:?}");
        if let Some(Text(time)) = set.book_time {
            assert_eq!(info.ts_event, time);
        }
    }
}

#[test]
fn version_2_at_depth_10_is_proven() {
    let set = expected::checksums("kraken-v2-depth-10");
    let Some(bytes) = recording("version_2_at_depth_10_is_proven", set) else { return };
    assert_proven(set, &bytes, 1 << 16);
}

#[test]
fn version_2_at_depth_25_is_proven() {
    let set = expected::checksums("kraken-v2-depth-25");
    let Some(bytes) = recording("version_2_at_depth_25_is_proven", set) else { return };
    assert_proven(set, &bytes, 4_096);
}

#[test]
fn bare_frames_of_version_2_are_proven() {
    let set = expected::checksums("kraken-v2-bare-frames");
    let Some(bytes) = recording("bare_frames_of_version_2_are_proven", set) else { return };
    assert_proven(set, &bytes, 1 << 20);
}

#[test]
fn version_1_is_proven() {
    let set = expected::checksums("kraken-v1");
    let Some(bytes) = recording("version_1_is_proven", set) else { return };
    assert_proven(set, &bytes, 1 << 20);
}

/// Checksums of a recording at depth 25 that a book agrees with which is cut, or never is.
fn matches(bytes: &[u8], is_cut: bool) -> (u64, u64) {
    let mut routes = Routes::new();
    let route = Route { slot: Slot(0), price_exponent: -1, qty_exponent: -8 };
    assert!(routes.carry([&b"BTC/USD"[..]].into_iter(), route));
    let printing = Printing { price: Scale::Times(1), qty: Scale::Times(1) };
    let mut book = L2Book::new(BookSpec { tick_size: 1, levels_max: 10_000 });
    let (mut session, mut events) = (venues::session(KRAKEN), Events::default());
    let (mut transcript, mut at) = (Transcript::default(), 0);
    let (mut checked, mut matched) = (0, 0);
    while let Ok(Entry { end, heard, .. }) = transcript.next(bytes, at, true) {
        at = end;
        let bytes = match heard {
            Ok(Heard::Received { bytes, .. }) => bytes,
            Ok(Heard::Connected { .. }) => continue,
            other => panic!("{other:?}"),
        };
        events.clear();
        session.frame(bytes, At::default(), &routes, &mut events).unwrap();
        for event in events.list() {
            match event.body {
                Body::Book(_, span, ..) => book.load(events.levels(span), KnownTo::WHOLE).unwrap(),
                Body::Levels(_, span) => drop(book.apply(events.levels(span)).unwrap()),
                Body::Check(check) => {
                    if is_cut {
                        book.truncate(25);
                    }
                    let rows = |side| book.levels(side).take(TOP_LEVELS);
                    checked += 1;
                    let is = printing.crc32(rows(Side::Ask).chain(rows(Side::Bid)));
                    matched += u64::from(is == Some(check));
                }
                _ => {}
            }
        }
    }
    (checked, matched)
}

#[test]
fn a_forgotten_cut_shows() {
    let set = expected::checksums("kraken-v2-depth-25");
    let Some(bytes) = recording("a_forgotten_cut_shows", set) else { return };
    assert_eq!(matches(&bytes, true), (set.checksums, set.checksums));
    assert_eq!(matches(&bytes, false), (set.checksums, set.checksums_uncut.unwrap()));
}

/// An engine that carries one pair, and takes asks out of its records.
struct Rig {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
    replica: Replica,
    /// Kinds of what was asked for.
    asked: Vec<u8>,
}

impl Rig {
    fn new(code: &str) -> Self {
        let config = EngineConfig { silence_ns: None, ..EngineConfig::default() };
        let mut engine = Engine::new(config, venues::catalogue(), NoClock);
        let id = engine.add_instrument(venues::instrument(KRAKEN, code).unwrap()).unwrap();
        let source = engine.open_source(KRAKEN, &[id]).unwrap();
        Self { engine, source, id, replica: Replica::default(), asked: Vec::new() }
    }

    fn ingest(&mut self, bytes: &[u8], now: u64) -> Result<(), IngestError> {
        let read = self.engine.ingest(self.source, bytes, now);
        self.engine.tick(now);
        self.drain();
        read
    }

    fn drain(&mut self) {
        let outbox = self.engine.outbox();
        while let Some(record) = outbox.front() {
            let payload = &record[RECORD_HEADER_BYTES..];
            if record[4] == RecordType::Frame as u8 {
                let outcome = self.replica.apply(payload).unwrap();
                assert!(!matches!(outcome, Outcome::Gap { .. } | Outcome::CheckFailed), "{outcome:?}");
            } else if record[4] == RecordType::Ask as u8 {
                self.asked.push(payload[5]);
            }
            outbox.take();
        }
    }

    fn state(&self) -> BookState {
        self.engine.book_info(self.id, 0).unwrap().state
    }

    fn is_synced(&self) -> bool {
        self.state() == BookState::Synced
    }

    /// Levels at the exponents of a truth.
    fn levels(&self, (price, qty): (i8, i8), side: Side) -> Vec<(i64, i64)> {
        let listed = self.engine.catalogue().get(self.id).unwrap();
        let scale = |mantissa: i64, from: i8, to: i8| {
            let shift = i32::from(from) - i32::from(to);
            let value = i128::from(mantissa) * 10i128.pow(shift.max(0) as u32);
            let under = 10i128.pow((-shift).max(0) as u32);
            // A damaged number may have digits that no truth has.
            if value % under == 0 { i64::try_from(value / under).unwrap() } else { -1 }
        };
        let book = self.engine.book(self.id).unwrap();
        let level = |level: depthwire_core::types::Level| {
            (scale(level.price.0, listed.price_exponent, price), scale(level.qty.0, listed.qty_exponent, qty))
        };
        book.levels(side).map(level).collect()
    }

    /// Levels that are the truth's from the best on, of the side where they are fewer; `usize::MAX` for all.
    fn right_levels(&self, exponents: (i8, i8), truth: &Truth) -> usize {
        let right = |side, truth: &[(i64, i64)]| {
            let own = self.levels(exponents, side);
            if own == truth { usize::MAX } else { own.iter().zip(truth).take_while(|(a, b)| a == b).count() }
        };
        right(Side::Bid, &truth.bids).min(right(Side::Ask, &truth.asks))
    }

    /// What a reader of the frames alone holds is the engine's book.
    fn assert_told(&self) {
        let told = self.replica.book(self.id).unwrap();
        assert_eq!(told.state(), BookState::Synced);
        assert_eq!(told.digest(), self.engine.digest(self.id).unwrap());
    }
}

fn dialects(seed: u64) -> impl Iterator<Item = Box<dyn Dialect>> {
    all(seed).into_iter().filter(|dialect| dialect.venue() == "kraken")
}

const START_NS: u64 = 1_785_552_833_184_216_000;
const SECONDS: u64 = if cfg!(debug_assertions) { 12 } else { 120 };

fn is_book(channel: Channel) -> bool {
    matches!(channel, Channel::Book | Channel::Orders)
}

#[test]
fn every_simulated_book_is_the_venues_after_every_frame() {
    for mut dialect in dialects(2_026) {
        let mut rig = Rig::new(dialect.code());
        let (mut frames, mut truth, mut orders) = (Frames::new(), Truth::default(), TrueOrders::default());
        let exponents = dialect.exponents();
        let (mut compared, mut has_orders) = (0u64, false);
        dialect.open(START_NS, &mut frames);
        let end_ns = START_NS + SECONDS * 1_000_000_000;
        let mut turns = [START_NS + SECONDS * 300_000_000, START_NS + SECONDS * 600_000_000].into_iter();
        let mut turn = turns.next();
        let mut now = START_NS;
        while now < end_ns {
            for frame in frames.iter() {
                now = now.max(frame.time_ns);
                rig.ingest(frame.bytes, frame.time_ns).unwrap();
                if is_book(frame.channel) {
                    dialect.truth(&mut truth);
                    assert!(rig.is_synced(), "{:?}", rig.state());
                    assert_eq!(rig.right_levels(exponents, &truth), usize::MAX);
                    compared += 1;
                }
            }
            if compared % 64 == 0 && dialect.orders(&mut orders) {
                has_orders = true;
                assert_orders(&rig, exponents, &orders);
            }
            frames.clear();
            dialect.step(u64::MAX, &mut frames);
            if turn.is_some_and(|at| now >= at) {
                frames.clear();
                if turns.len() == 1 {
                    dialect.resubscribe(now, &mut frames);
                } else {
                    now += 1_700_000_000;
                    rig.engine.opened(rig.source, now).unwrap();
                    assert!(!rig.is_synced(), "what was said meanwhile is not told again");
                    dialect.open(now, &mut frames);
                }
                turn = turns.next();
            }
        }
        rig.assert_told();
        let (stats, sent) = (rig.engine.stats(), dialect.sent());
        println!("{} {:?}: {compared} compared, {sent:?}", dialect.code(), dialect.depth());
        assert!(compared > SECONDS * 4);
        assert_eq!(
            (stats.checksums_checked, stats.checksums_matched),
            (stats.checksums_checked, stats.checksums_checked)
        );
        assert!(stats.checksums_checked >= compared - 3, "{stats:?}");
        assert_eq!((stats.contradictions, stats.decode_errors, stats.silences), (0, 0, 0));
        assert!(stats.trades > 0 && (has_orders || stats.crossed == 0));
    }
}

/// Every order stands where the venue has it, by the hash of its name.
fn assert_orders(rig: &Rig, exponents: (i8, i8), orders: &TrueOrders) {
    let listed = rig.engine.catalogue().get(rig.id).unwrap();
    let (by_price, by_qty) = (exponents.0 - listed.price_exponent, exponents.1 - listed.qty_exponent);
    let mut ahead = 0;
    for (index, order) in orders.bids.iter().enumerate().step_by(7) {
        let mut name = Vec::new();
        kraken_order_id(order.id, &mut name);
        let hash = name.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let (found, position) = rig.engine.order(rig.id, OrderId(hash)).unwrap().unwrap();
        assert_eq!(found.price.0, order.price * 10i64.pow(by_price as u32));
        assert_eq!(found.qty.0, order.qty * 10i64.pow(by_qty as u32));
        let before = orders.bids[..index].iter().rev().take_while(|other| other.price == order.price);
        assert_eq!(position.orders_ahead as usize, before.count());
        ahead += position.orders_ahead;
    }
    assert!(orders.bids.len() < 50 || ahead > 0 || exponents.1 > -8, "queues");
}

/// What became of planted faults.
#[derive(Debug, Default)]
struct Campaign {
    injected: u64,
    /// The book was stale with the frame that was damaged, or with the next of its channel.
    at_once: u64,
    /// Later; till then a level that no checksum covers may have been wrong.
    late: u64,
    /// The book was the venue's all along.
    harmless: u64,
    /// A level that no checksum covers was wrong, and nothing showed it.
    undetectable: u64,
    /// A level that a checksum covers was wrong while the book was called exact.
    wrong: u64,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Drop,
    Duplicate,
    Swap,
    Flip,
    Cut,
}

const FAULTS: [Fault; 5] = [Fault::Drop, Fault::Duplicate, Fault::Swap, Fault::Flip, Fault::Cut];

/// Frames that are followed behind a fault.
const FOLLOWED: usize = 40;

fn random(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    ((u128::from(*state ^ (*state >> 31)) * below as u128) >> 64) as usize
}

/// Plants a fault into one frame of a book, and follows it. `next` gives the next frame with the truth behind it.
fn plant(
    rig: &mut Rig,
    fault: Fault,
    exponents: (i8, i8),
    state: &mut u64,
    campaign: &mut Campaign,
    mut next: impl FnMut() -> (Vec<u8>, u64, Truth),
) {
    let (bytes, now, before) = next();
    let mut least = usize::MAX;
    let mut judge = |rig: &Rig, truths: &[&Truth]| {
        let right = truths.iter().map(|truth| rig.right_levels(exponents, truth)).max().unwrap();
        if rig.is_synced() {
            least = least.min(right);
        }
        right == usize::MAX
    };
    campaign.injected += 1;
    match fault {
        Fault::Drop => {}
        Fault::Duplicate => {
            for _ in 0..2 {
                let _ = rig.ingest(&bytes, now);
                judge(rig, &[&before]);
            }
        }
        Fault::Swap => {
            let (other, later, after) = next();
            let _ = rig.ingest(&other, later);
            judge(rig, &[&before, &after]);
            let _ = rig.ingest(&bytes, later);
            judge(rig, &[&before, &after]);
        }
        Fault::Flip => {
            let mut damaged = bytes;
            // A channel of another name is a frame that was dropped.
            let named = b"{\"channel\":\"level3\"".len();
            loop {
                let at = named + random(state, damaged.len() - named);
                let digit = damaged[at];
                if digit.is_ascii_digit() {
                    damaged[at] = b'0' + (digit - b'0' + 1 + random(state, 9) as u8) % 10;
                    break;
                }
            }
            let _ = rig.ingest(&damaged, now);
            judge(rig, &[&before]);
        }
        Fault::Cut => {
            let _ = rig.ingest(&bytes[..random(state, bytes.len())], now);
            assert!(!rig.is_synced(), "what cannot be read may have changed the book");
        }
    }
    let mut last = now;
    let mut found = None;
    for turn in 0..FOLLOWED {
        if !rig.is_synced() {
            found = Some(turn);
            break;
        }
        let (bytes, now, truth) = next();
        last = now;
        let _ = rig.ingest(&bytes, now);
        if judge(rig, &[&truth]) && rig.is_synced() && turn > 0 {
            break;
        }
    }
    *match (found, least) {
        (_, 0..10) => &mut campaign.wrong,
        (Some(0 | 1), usize::MAX) => &mut campaign.at_once,
        (Some(_), _) => &mut campaign.late,
        (None, usize::MAX) => &mut campaign.harmless,
        (None, _) => &mut campaign.undetectable,
    } += 1;
    if found.is_some() {
        // At once, or after a pause where the book was lost again soon.
        rig.engine.tick(last + 64_000_000_000);
        rig.drain();
        assert_eq!(rig.asked.last(), Some(&2), "a new subscription is asked for");
        rig.asked.clear();
    }
}

#[test]
fn planted_faults_are_found_or_harmless() {
    let mut total = Campaign::default();
    for mut dialect in dialects(77) {
        let mut campaign = Campaign::default();
        let exponents = dialect.exponents();
        let mut rig = Rig::new(dialect.code());
        let (mut frames, mut state, mut now) = (Frames::new(), 5, START_NS);
        dialect.open(now, &mut frames);
        let depth = dialect.depth().unwrap();
        let faults = if cfg!(debug_assertions) { 60 } else { 400 };
        for turn in 0..faults {
            for frame in frames.iter() {
                rig.ingest(frame.bytes, frame.time_ns).unwrap();
            }
            frames.clear();
            assert!(rig.is_synced(), "{:?}", rig.state());
            let mut next = || loop {
                let mut frames = Frames::new();
                dialect.step(u64::MAX, &mut frames);
                let found = frames.iter().find(|frame| is_book(frame.channel));
                if let Some(frame) = found {
                    let mut truth = Truth::default();
                    dialect.truth(&mut truth);
                    now = frame.time_ns;
                    break (frame.bytes.to_vec(), frame.time_ns, truth);
                }
            };
            for _ in 0..3 {
                let (bytes, at, _) = next();
                rig.ingest(&bytes, at).unwrap();
            }
            plant(&mut rig, FAULTS[turn % FAULTS.len()], exponents, &mut state, &mut campaign, next);
            dialect.resubscribe(now, &mut frames);
        }
        println!("{} {depth}: {campaign:?}", dialect.code());
        assert_eq!(campaign.wrong, 0);
        assert!(depth > 10 || campaign.undetectable + campaign.late == 0, "all is covered at ten levels");
        assert!(campaign.at_once > 0);
        total.injected += campaign.injected;
        total.at_once += campaign.at_once;
        total.late += campaign.late;
        total.harmless += campaign.harmless;
        total.undetectable += campaign.undetectable;
        total.wrong += campaign.wrong;
    }
    println!("all: {total:?}");
}
