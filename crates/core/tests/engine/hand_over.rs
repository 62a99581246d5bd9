//! A connection that takes another one's place without a stale moment, and one that brings everything but books.

use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::types::{BookState, InstrumentId, NoClock, StaleReason, Venue};
use depthwire_core::venues::{self, KRAKEN, OKX};
use depthwire_sim::dialects::{Dialect, Frames, KrakenLevel3, KrakenPair, KrakenV2, Numbers, Okx, OkxBook};

const START: u64 = 1_700_000_000_000_000_000;

/// An engine with one book, of a venue that numbers nothing where nothing else is said.
struct Reader {
    engine: Engine<NoClock>,
    venue: Venue,
    id: InstrumentId,
    now: u64,
    /// Whether the book was ever not exact since it was first.
    was_lost: bool,
    was_synced: bool,
}

impl Reader {
    fn new(code: &str) -> Self {
        Self::of(KRAKEN, code)
    }

    fn of(venue: Venue, code: &str) -> Self {
        let config = EngineConfig { silence_ns: Some(0), ..EngineConfig::default() };
        let mut engine = Engine::new(config, venues::catalogue(), NoClock);
        let id = engine.add_instrument(venues::instrument(venue, code).unwrap()).unwrap();
        Self { engine, venue, id, now: START, was_lost: false, was_synced: false }
    }

    fn source(&mut self) -> SourceId {
        self.engine.open_source(self.venue, &[self.id]).unwrap()
    }

    fn hear(&mut self, source: SourceId, frames: &Frames) {
        for frame in frames.iter() {
            self.now = self.now.max(frame.time_ns);
            self.engine.ingest(source, frame.bytes, self.now).unwrap();
            while self.engine.outbox().front().is_some() {
                self.engine.outbox().take();
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let is_synced = self.state() == BookState::Synced;
        self.was_lost |= self.was_synced && !is_synced;
        self.was_synced |= is_synced;
    }

    fn state(&self) -> BookState {
        self.engine.book_info(self.id, self.now).unwrap().state
    }

    fn epoch(&self) -> u64 {
        self.engine.book_info(self.id, self.now).unwrap().epoch
    }
}

fn venues_without_numbers() -> Vec<Box<dyn Dialect>> {
    vec![
        Box::new(KrakenV2::new(3, KrakenPair::BtcUsd, 10)),
        Box::new(KrakenV2::new(4, KrakenPair::PepeUsd, 100)),
        Box::new(KrakenLevel3::new(5, KrakenPair::BtcUsd, 10, Numbers::Fixed)),
    ]
}

/// The frames of some moments.
fn moments(venue: &mut dyn Dialect, count: usize) -> Vec<Frames> {
    let step = |_| {
        let mut frames = Frames::new();
        venue.step(u64::MAX, &mut frames);
        frames
    };
    (0..count).map(step).collect()
}

#[test]
fn a_successor_takes_a_book_over_with_its_first_snapshot() {
    for mut venue in venues_without_numbers() {
        let (mut reader, mut control) = (Reader::new(venue.code()), Reader::new(venue.code()));
        let (old, only) = (reader.source(), control.source());
        let mut frames = Frames::new();
        venue.open(START, &mut frames);
        let mut begin = vec![frames];
        begin.extend(moments(&mut *venue, 200));
        for frames in &begin {
            reader.hear(old, frames);
            control.hear(only, frames);
        }
        // The new connection is made, and hears what the old one hears, before it has a book of its own.
        let new = reader.source();
        reader.engine.succeed(new, old).unwrap();
        let epoch = reader.epoch();
        for frames in &moments(&mut *venue, 50) {
            for source in [old, new] {
                reader.hear(source, frames);
            }
            control.hear(only, frames);
        }
        assert_eq!(reader.epoch(), epoch, "updates without a snapshot are nobody's");
        assert_eq!(reader.engine.outstanding(new), Ok(1));
        let mut snapshot = Frames::new();
        venue.resubscribe(reader.now + 1, &mut snapshot);
        reader.hear(new, &snapshot);
        assert!(reader.epoch() > epoch, "the book is the new connection's");
        assert_eq!(reader.engine.outstanding(new), Ok(0));
        for frames in &moments(&mut *venue, 50) {
            for source in [old, new] {
                reader.hear(source, frames);
            }
            control.hear(only, frames);
        }
        reader.engine.source_failed(old, reader.now).unwrap();
        reader.look();
        reader.engine.drop(old, reader.id, reader.now).unwrap();
        for frames in &moments(&mut *venue, 200) {
            reader.hear(new, frames);
            control.hear(only, frames);
        }
        assert!(!reader.was_lost && !control.was_lost, "not one stale moment");
        assert_eq!(reader.engine.digest(reader.id), control.engine.digest(control.id));
        let stats = reader.engine.stats();
        assert!(stats.checksums_checked > 0 && stats.checksums_checked == stats.checksums_matched);
        reader.engine.source_failed(new, reader.now).unwrap();
        assert_eq!(reader.state(), BookState::Stale(StaleReason::SourceFailed), "nobody else has it");
    }
}

#[test]
fn what_comes_beside_books_is_no_line_of_them() {
    let mut venue: Box<dyn Dialect> = Box::new(KrakenV2::new(9, KrakenPair::BtcUsd, 10));
    let mut reader = Reader::new(venue.code());
    let book = reader.source();
    let beside = reader.engine.open(KRAKEN).unwrap();
    reader.engine.carry_beside_books(beside, &[reader.id]).unwrap();
    let mut frames = Frames::new();
    venue.open(START, &mut frames);
    reader.hear(beside, &frames);
    assert_eq!(reader.state(), BookState::Syncing, "its book does not count");
    reader.hear(book, &frames);
    for frames in &moments(&mut *venue, 300) {
        reader.hear(book, frames);
    }
    let trades = reader.engine.stats().trades;
    for frames in &moments(&mut *venue, 300) {
        reader.hear(book, frames);
        reader.hear(beside, frames);
    }
    assert!(reader.engine.stats().trades > trades);
    // It is lost, damaged, made anew: the book has nothing to do with it.
    reader.engine.source_failed(beside, reader.now).unwrap();
    reader.look();
    reader.engine.opened(beside, reader.now).unwrap();
    reader.look();
    assert!(reader.engine.ingest(beside, b"{\"channel\":\"book\",\"ty", reader.now).is_err());
    reader.look();
    reader.engine.drop(beside, reader.id, reader.now).unwrap();
    reader.look();
    assert!(!reader.was_lost);
    assert!(reader.engine.ingest(book, b"{\"channel\":\"book\",\"ty", reader.now).is_err());
    assert_eq!(reader.state(), BookState::Stale(StaleReason::Unreadable));
}

#[test]
fn a_dropped_connection_that_is_forgotten_takes_no_book_with_it() {
    let mut venue = Okx::new(3, OkxBook::Books);
    let mut reader = Reader::of(OKX, venue.code());
    let mut frames = Frames::new();
    venue.open(START, &mut frames);
    let old = reader.source();
    reader.hear(old, &frames);
    let new = reader.source();
    reader.engine.succeed(new, old).unwrap();
    reader.hear(new, &frames);
    for frames in &moments(&mut venue, 50) {
        reader.hear(old, frames);
        reader.hear(new, frames);
    }
    assert_eq!(reader.engine.outstanding(new), Ok(0));
    reader.engine.drop(old, reader.id, reader.now).unwrap();
    reader.engine.opened(old, reader.now).unwrap();
    reader.look();
    for frames in &moments(&mut venue, 50) {
        reader.hear(new, frames);
    }
    assert!(reader.was_synced && !reader.was_lost);
}
