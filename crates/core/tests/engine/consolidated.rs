//! Consolidated books: equal to a naive merge after every message, whoever leaves and comes back, and what readers are told.

use depthwire_core::encode::{Flags, OrderName, RECORD_HEADER_BYTES, RecordType, Stream};
use depthwire_core::engine::{
    ConsolidatedError, Engine, EngineConfig, EngineError, MEMBERS_MAX, SourceId, Standing,
};
use depthwire_core::replica::{Outcome, Replica, ReplicaState, feed_frames};
use depthwire_core::types::{
    BookState, Decimal, Instrument, InstrumentId, Level, NoClock, Price, QtyUnit, Side, StaleReason, Terms,
};
use depthwire_core::venues;
use depthwire_sim::dialects::{
    Bitfinex, BitfinexFlags, BitfinexPair, CoinbaseAdvanced, Dialect, Frames, KrakenPair, KrakenV2,
};

use crate::naive_merge::assert_merged;

const START_NS: u64 = 1_785_552_833_184_216_000;
const S: u64 = 1_000_000_000;

/// A venue of a market, as a dialect tells it.
struct Line {
    dialect: Box<dyn Dialect>,
    source: SourceId,
    is_heard: bool,
}

struct Rig {
    engine: Engine<NoClock>,
    lines: Vec<Line>,
    members: Vec<InstrumentId>,
    book: InstrumentId,
    replica: Replica,
    deltas: u64,
    crossed: u64,
    now: u64,
}

impl Rig {
    /// Three venues' words for one market: the same seed makes the same.
    fn new(seed: u64) -> Self {
        let dialects: [Box<dyn Dialect>; 3] = [
            Box::new(KrakenV2::new(seed, KrakenPair::BtcUsd, 100)),
            Box::new(CoinbaseAdvanced::new(seed)),
            Box::new(Bitfinex::new(
                seed,
                BitfinexPair::BtcPerpetual,
                100,
                BitfinexFlags::CountedTimedAndChecked,
            )),
        ];
        let config = EngineConfig { silence_ns: Some(0), ..EngineConfig::default() };
        let mut engine = Engine::new(config, venues::catalogue(), NoClock);
        let add = |dialect: &dyn Dialect| {
            let venue = venues::from_name(dialect.venue()).unwrap();
            let id = engine.add_instrument(venues::instrument(venue, dialect.code()).unwrap()).unwrap();
            (venue, id)
        };
        let added: Vec<_> = dialects.iter().map(|dialect| &**dialect).map(add).collect();
        let members: Vec<_> = added.iter().map(|(_, id)| *id).collect();
        // The first two are carried before the book is made, the last one later.
        let mut sources: Vec<_> =
            added[..2].iter().map(|(venue, id)| engine.open_source(*venue, &[*id]).unwrap()).collect();
        let book = engine.consolidate("BTC-USD", &members, &[]).unwrap();
        assert_eq!(engine.members(book).unwrap()[2].standing, Standing::Absent);
        sources.push(engine.open_source(added[2].0, &[members[2]]).unwrap());
        assert_eq!(engine.open_orders(book), Ok(Stream::ORDERS));
        let line = |(dialect, source)| Line { dialect, source, is_heard: true };
        let lines = dialects.into_iter().zip(sources).map(line).collect();
        let replica = Replica::default();
        let mut rig = Self { engine, lines, members, book, replica, deltas: 0, crossed: 0, now: START_NS };
        (0..3).for_each(|index| rig.open(index));
        rig
    }

    /// A connection of a venue is made.
    fn open(&mut self, index: usize) {
        let mut frames = Frames::new();
        self.lines[index].is_heard = true;
        self.lines[index].dialect.open(self.now, &mut frames);
        self.engine.opened(self.lines[index].source, self.now).unwrap();
        self.hear(index, &frames);
    }

    fn hear(&mut self, index: usize, frames: &Frames) {
        let Line { source, is_heard, .. } = self.lines[index];
        for frame in frames.iter().filter(|_| is_heard) {
            self.now = self.now.max(frame.time_ns);
            self.engine.ingest(source, frame.bytes, self.now).unwrap();
            self.check();
        }
    }

    /// Lets so many milliseconds pass at all venues.
    fn run(&mut self, ms: u64) {
        let mut frames = Frames::new();
        for _ in 0..ms {
            let until = self.now + 1_000_000;
            for index in 0..self.lines.len() {
                loop {
                    frames.clear();
                    self.lines[index].dialect.step(until, &mut frames);
                    if frames.is_empty() {
                        break;
                    }
                    self.hear(index, &frames);
                }
            }
            self.now = until;
            self.engine.tick(self.now);
            self.check();
        }
    }

    /// What was put out goes to a reader; the book is that of a naive merge, and so is the reader's. Returns who is in.
    fn check(&mut self) -> usize {
        let outbox = self.engine.outbox();
        while let Some(record) = outbox.front() {
            let size = u32::from_le_bytes(*record.first_chunk().unwrap()) as usize;
            let payload = &record[RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + size];
            if record[4] == RecordType::Frame as u8 {
                let frame = feed_frames(payload).next().unwrap().unwrap();
                let outcome = self.replica.apply(payload).unwrap();
                assert!(!matches!(outcome, Outcome::Gap { .. } | Outcome::CheckFailed), "{outcome:?}");
                if frame.instrument() == self.book && frame.stream() == Stream::BOOK {
                    self.deltas += 1;
                    self.crossed += u64::from(frame.flags().with(Flags::CROSSED) == frame.flags());
                    assert_eq!(frame.venue_seq(), 0, "no venue numbers it");
                }
            }
            outbox.take();
        }
        let count = assert_merged(&self.engine, self.book, &self.members);
        self.check_reader(count);
        count
    }

    fn check_reader(&self, count: usize) {
        let Some(told) = self.replica.book(self.book) else { return assert_eq!(count, 0) };
        assert_eq!(told.state() == ReplicaState::Synced, count > 0, "{:?}", told.state());
        let Some(orders) = self.replica.orders(self.book).filter(|_| count > 0) else { return };
        assert_eq!(orders.state(), ReplicaState::Synced);
        let book = self.engine.book(self.book).unwrap();
        for side in [Side::Bid, Side::Ask] {
            assert_eq!(told.best(side), book.levels(side).next());
            assert!(orders.levels(side).take(10).eq(book.levels(side).take(10)), "{side:?}");
            for Level { price, .. } in book.levels(side).take(10) {
                let shares = orders.queue(side, price).map(|(name, qty)| {
                    let OrderName::Number(number) = name else { panic!("{name:?}") };
                    (self.members[number as usize % self.members.len()], qty)
                });
                let parts = self.engine.venue_parts(self.book, side, price);
                assert!(shares.eq(parts.map(|part| (part.instrument, part.qty))));
            }
        }
    }

    fn state(&self) -> BookState {
        self.engine.book_info(self.book, self.now).unwrap().state
    }

    fn epoch(&self) -> u64 {
        self.engine.book_info(self.book, self.now).unwrap().epoch
    }
}

#[test]
fn three_dialects_of_one_market_are_a_naive_merge_after_every_message_and_one_loses_its_line() {
    let mut rig = Rig::new(7);
    rig.run(3_000);
    assert_eq!(rig.check(), 3);
    let (before, epoch) = (rig.deltas, rig.epoch());
    rig.run(2_000);
    assert!(rig.deltas > before + 20, "{} deltas", rig.deltas - before);
    assert_eq!(rig.epoch(), epoch, "nobody left or came");

    rig.lines[1].is_heard = false;
    rig.engine.source_failed(rig.lines[1].source, rig.now).unwrap();
    assert_eq!(rig.check(), 2, "its levels are gone with the same input");
    let out = rig.engine.members(rig.book).unwrap()[1].standing;
    assert_eq!(out, Standing::Out(BookState::Stale(StaleReason::SourceFailed)));
    assert_eq!((out.reason_name(), Standing::In.reason_name()), ("source_failed", "none"));
    assert_eq!(rig.state(), BookState::Synced, "two others are in");
    assert_eq!(rig.epoch(), epoch + 1);
    rig.run(2_000);
    assert_eq!((rig.check(), rig.epoch()), (2, epoch + 1));

    rig.open(1);
    rig.run(1_000);
    assert_eq!(rig.check(), 3);
    let last = rig.replica.book(rig.book).unwrap();
    assert_eq!(last.digest(), rig.engine.digest(rig.book).unwrap());
    let (checks, failures) = last.checks();
    assert!(checks > 3 && failures == 0, "{checks} checks, {failures} failed");
}

#[test]
fn the_last_to_leave_takes_the_book_with_it_and_the_first_to_come_back_brings_it() {
    let mut rig = Rig::new(11);
    rig.run(1_000);
    for index in 0..3 {
        rig.lines[index].is_heard = false;
        rig.engine.source_failed(rig.lines[index].source, rig.now).unwrap();
        assert_eq!(rig.check(), 2 - index);
    }
    assert_eq!(rig.state(), BookState::Stale(StaleReason::SourceFailed));
    rig.run(100);
    rig.open(0);
    rig.run(500);
    assert_eq!(rig.check(), 1);
    rig.engine.reset_source(rig.lines[0].source, rig.now).unwrap();
    assert_eq!((rig.check(), rig.state()), (0, BookState::Syncing), "its venue begins anew");
}

#[test]
fn crossed_venues_are_marked_and_not_counted() {
    let mut rig = Rig::new(3);
    let counted = rig.engine.stats().crossed;
    rig.run(6_000);
    let members: u64 = rig.engine.stats().crossed - counted;
    println!(
        "{} frames of the book, {} of them crossed; members crossed {members} times",
        rig.deltas, rig.crossed
    );
    assert!(rig.crossed > 0, "books that are cut and told at different times cross");
    assert_eq!(members, 0);
}

#[test]
fn a_run_to_another_time_is_no_loss() {
    let mut rig = Rig::new(5);
    rig.run(500);
    let epoch = rig.epoch();
    rig.engine.hold(rig.now);
    assert_eq!(rig.state(), BookState::Syncing);
    let mut frames = Frames::new();
    for _ in 0..50 {
        frames.clear();
        rig.lines[0].dialect.step(u64::MAX, &mut frames);
        for frame in frames.iter() {
            rig.now = rig.now.max(frame.time_ns);
            rig.engine.ingest(rig.lines[0].source, frame.bytes, rig.now).unwrap();
            rig.engine.outbox();
        }
    }
    rig.engine.release(rig.now);
    assert_eq!(rig.check(), 3);
    assert!(rig.epoch() > epoch);
}

/// A message of the embedded venue's whole book, and one of changes.
fn two_books() -> (Engine<NoClock>, [InstrumentId; 2], [SourceId; 2]) {
    let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
    let mut add = |symbol: &str| {
        let id = engine.add_instrument(venues::instrument(venues::HYPERLIQUID, symbol).unwrap()).unwrap();
        (id, engine.open_source(venues::HYPERLIQUID, &[id]).unwrap())
    };
    let ((first, first_source), (second, second_source)) = (add("AAA"), add("BBB"));
    (engine, [first, second], [first_source, second_source])
}

fn tell(engine: &mut Engine<NoClock>, source: SourceId, symbol: &str, time_ms: u64, bids: &str, asks: &str) {
    let text = format!(
        "{{\"channel\":\"l2Book\",\"data\":{{\"coin\":\"{symbol}\",\"time\":{time_ms},\"levels\":[[{bids}],[{asks}]]}}}}"
    );
    engine.ingest(source, text.as_bytes(), time_ms * 1_000_000).unwrap();
    engine.outbox();
}

fn level(price: &str, qty: &str) -> String {
    format!("{{\"px\":\"{price}\",\"sz\":\"{qty}\",\"n\":1}}")
}

#[test]
fn a_member_with_finer_numbers_refines_the_book_and_ages_are_kept() {
    let (mut engine, members, sources) = two_books();
    let book = engine.consolidate("X", &members, &[]).unwrap();
    tell(&mut engine, sources[0], "AAA", 1_000, &level("10.5", "2"), &level("11", "1"));
    tell(&mut engine, sources[1], "BBB", 2_000, &level("10.5", "3"), &level("12", "1"));
    assert_eq!(assert_merged(&engine, book, &members), 2);
    let parts = |engine: &Engine<NoClock>, price| {
        engine
            .venue_parts(book, Side::Bid, Price(price))
            .map(|part| (part.instrument, part.qty.0, part.told_at / S))
            .collect::<Vec<_>>()
    };
    assert_eq!(parts(&engine, 105), [(members[0], 2, 1), (members[1], 3, 2)]);
    tell(&mut engine, sources[1], "BBB", 3_000, &level("10.5", "3"), &level("12", "1"));
    tell(&mut engine, sources[1], "BBB", 4_000, &level("10.50", "3.125"), &level("12.01", "1"));
    assert_eq!(assert_merged(&engine, book, &members), 2);
    let listed = engine.catalogue().get(book).unwrap();
    assert_eq!((listed.price_exponent, listed.qty_exponent), (-2, -3));
    assert_eq!(listed.to_string(), "consolidated:X");
    assert_eq!(parts(&engine, 1_050).len(), 2);
    tell(&mut engine, sources[1], "BBB", 5_000, &level("10.50", "3.25"), &level("12.01", "1"));
    assert_eq!(parts(&engine, 1_050).pop(), Some((members[1], 3_250, 5)));
}

#[test]
fn a_member_whose_numbers_do_not_fit_stays_out_and_is_named() {
    let (mut engine, members, sources) = two_books();
    let book = engine.consolidate("X", &members, &[]).unwrap();
    tell(&mut engine, sources[0], "AAA", 1_000, &level("0.000000000000000001", "2"), "");
    tell(&mut engine, sources[1], "BBB", 2_000, &level("1000", "3"), "");
    let standings: Vec<_> = engine.members(book).unwrap().iter().map(|member| member.standing).collect();
    assert_eq!(standings, [Standing::In, Standing::Range]);
    assert_eq!(engine.book(book).unwrap().len(Side::Bid), 1);
    // Its next whole book is looked at anew, and a change of it changes nothing here.
    tell(&mut engine, sources[1], "BBB", 3_000, &level("1001", "3"), "");
    assert_eq!(engine.book(book).unwrap().len(Side::Bid), 1);
}

#[test]
fn a_member_of_which_its_venue_says_another_unit_leaves_at_once() {
    let (mut engine, members, sources) = two_books();
    let book = engine.consolidate("X", &members, &[]).unwrap();
    tell(&mut engine, sources[0], "AAA", 1_000, &level("10.5", "2"), "");
    tell(&mut engine, sources[1], "BBB", 2_000, &level("10.5", "3"), "");
    let listed = engine.catalogue().get(members[1]).unwrap().clone();
    let tenth = Instrument {
        qty_unit: QtyUnit::Contracts,
        contract_size: Decimal { mantissa: 1, exponent: -1 },
        ..listed.clone()
    };
    engine.define(tenth.clone(), 3 * S).unwrap();
    engine.outbox();
    assert_eq!(assert_merged(&engine, book, &members), 2, "contracts of a tenth");
    engine.define(Instrument { inverse: true, ..tenth }, 4 * S).unwrap();
    engine.outbox();
    let standing = engine.members(book).unwrap()[1].standing;
    assert_eq!(standing, Standing::Misfit(ConsolidatedError::Inverse(members[1].0)));
    assert_eq!(standing.reason_name(), "unit");
    assert_eq!(engine.venue_parts(book, Side::Bid, Price(105)).count(), 1);
}

#[test]
fn a_member_that_is_told_to_a_depth_bounds_what_is_known() {
    let mut rig = Rig::new(7);
    rig.run(200);
    let known_to = rig.engine.book_info(rig.book, rig.now).unwrap().known_to;
    let book = rig.engine.book(rig.members[0]).unwrap();
    let (own, listed) = (book.known_to(), rig.engine.catalogue().get(rig.members[0]).unwrap());
    let exponent = rig.engine.catalogue().get(rig.book).unwrap().price_exponent;
    let by = 10i64.pow((listed.price_exponent - exponent).unsigned_abs().into());
    assert!(known_to.bid.0 >= own.bid.0 * by && known_to.ask.0 <= own.ask.0 * by, "{known_to:?} {own:?}");
}

#[test]
fn what_cannot_stand_in_one_book_is_refused() {
    let (mut engine, members, _) = two_books();
    let refused = |engine: &mut Engine<NoClock>, members: &[InstrumentId]| {
        engine.consolidate("X", members, &[]).unwrap_err()
    };
    let wrong = |error| EngineError::Consolidated(error);
    let [first, second] = members;
    assert_eq!(refused(&mut engine, &[first]), wrong(ConsolidatedError::Count(1)));
    let many = vec![first; MEMBERS_MAX + 1];
    assert_eq!(refused(&mut engine, &many), wrong(ConsolidatedError::Count(MEMBERS_MAX + 1)));
    assert_eq!(refused(&mut engine, &[first, first]), wrong(ConsolidatedError::Twice(first.0)));
    assert_eq!(refused(&mut engine, &[first, InstrumentId(7)]), EngineError::UnknownInstrument(7));
    let listed = |symbol: &str, inverse, base: &str| Instrument {
        inverse,
        qty_unit: QtyUnit::Contracts,
        contract_size: Decimal { mantissa: 1, exponent: -2 },
        terms: Terms { base: base.into(), quote: "USD".into(), ..Terms::default() },
        ..venues::instrument(venues::HYPERLIQUID, symbol).unwrap()
    };
    let inverse = engine.add_instrument(listed("I", true, "BTC")).unwrap();
    assert_eq!(refused(&mut engine, &[first, inverse]), wrong(ConsolidatedError::Inverse(inverse.0)));
    let btc = engine.add_instrument(listed("B", false, "BTC")).unwrap();
    let xbt = engine.add_instrument(listed("E", false, "XBT")).unwrap();
    assert_eq!(refused(&mut engine, &[btc, xbt]), wrong(ConsolidatedError::Asset(xbt.0)));
    assert_eq!(engine.catalogue().find(venues::CONSOLIDATED, "X"), None, "what is refused leaves nothing");
    let book = engine.consolidate("X", &[btc, xbt], &[("XBT", "BTC")]).unwrap();
    let made = engine.catalogue().get(book).unwrap();
    assert_eq!((&*made.terms.base, &*made.terms.quote, made.qty_exponent), ("BTC", "USD", -2));
    assert_eq!(refused(&mut engine, &[first, second]), EngineError::InUse);
    assert_eq!(engine.consolidate("Y", &[book, second], &[]), Err(wrong(ConsolidatedError::Nested(book.0))));
    assert!(matches!(engine.consolidate("A B", &members, &[]), Err(EngineError::Instrument(_))));
    assert_eq!(engine.members(first), None);
    assert_eq!(engine.venue_parts(first, Side::Bid, Price(1)).count(), 0);
}
