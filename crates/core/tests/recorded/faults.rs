//! Frames that are lost, doubled or swapped: the book says so at once, publishes nothing, and is exact again after a snapshot.
//!
//! 1,000 seeded places a set, some dozens a pass. Each loss must make the book stale no later than the first frame that
//! reveals it. No delta may leave the engine until a snapshot, cut from the oracle some frames later, is in. The end
//! of each pass must have the published digest, in the engine and in the book rebuilt from its frames.

use std::fmt::Write;

use depthwire_core::book::{BookSpec, NaiveBook, digest};
use depthwire_core::encode::{Kind, RECORD_HEADER_BYTES, RecordType, Stream, find_header};
use depthwire_core::engine::{Engine, EngineConfig};
use depthwire_core::replica::{Replica, ReplicaState};
use depthwire_core::sequence::{Chain, SeqOutcome};
use depthwire_core::types::{BookState, Decimal, KnownTo, NoClock, Side, StaleReason};
use depthwire_core::venues;
use depthwire_sim::faults::{Fault, plan};

use crate::sets::said::{Said, answer};
use crate::sets::{BookLine, SIMULATED, Set, book_lines, recorded};

/// A debug build is some twenty times slower and tries fewer places.
const PLACES: usize = if cfg!(debug_assertions) { 40 } else { 1_000 };
const PLACES_A_PASS: usize = 50;
/// Frames between a fault and the next, so that each is recovered from before the next comes.
const SPACING: usize = 12;

/// The book that lost nothing.
struct Oracle {
    book: NaiveBook,
    last_id: u64,
}

impl Oracle {
    /// The REST answer that the venue would give now.
    fn snapshot(&self, set: &Set) -> Vec<u8> {
        let route = set.route();
        let mut text = format!("{{\"lastUpdateId\":{}", self.last_id);
        for (name, side) in [("bids", Side::Bid), ("asks", Side::Ask)] {
            write!(text, ",\"{name}\":[").unwrap();
            for (index, level) in self.book.levels(side).enumerate() {
                let price = Decimal { mantissa: level.price.0, exponent: route.price_exponent };
                let qty = Decimal { mantissa: level.qty.0, exponent: route.qty_exponent };
                let comma = if index == 0 { "" } else { "," };
                write!(text, "{comma}[\"{price}\",\"{qty}\"]").unwrap();
            }
            text.push(']');
        }
        text.push('}');
        text.into_bytes()
    }

    fn digest(&self, set: &Set) -> String {
        let route = set.route();
        let (bids, asks) = (self.book.levels(Side::Bid), self.book.levels(Side::Ask));
        digest(bids, asks, route.price_exponent, route.qty_exponent)
    }
}

/// An engine with one source, and the replica of what it emits.
struct Rig<'a> {
    set: &'a Set,
    engine: Engine<NoClock>,
    source: depthwire_core::engine::SourceId,
    replica: Replica,
    /// Book deltas since the last look.
    deltas: u64,
    /// Ticket of the last snapshot request.
    ticket: u32,
}

impl<'a> Rig<'a> {
    fn new(set: &'a Set) -> Self {
        let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
        let source = engine.open_source(set.venue, &[set.id()]).unwrap();
        Self { set, engine, source, replica: Replica::default(), deltas: 0, ticket: 0 }
    }

    fn drain(&mut self) {
        let outbox = self.engine.outbox();
        while let Some(record) = outbox.front() {
            let size = u32::from_le_bytes(*record.first_chunk().unwrap()) as usize;
            let payload = &record[RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + size];
            if record[4] == RecordType::Frame as u8 {
                // The kind and the stream stand at bytes 60 and 61 of the header.
                let header = &payload[find_header(payload).unwrap()..];
                let (kind, stream) = (header[60], header[61]);
                let of_book = stream == Stream::BOOK.0 || stream == Stream::BBO.0;
                self.deltas += u64::from(of_book && kind != Kind::Image as u8);
                self.replica.apply(payload).unwrap();
            } else {
                self.ticket = u32::from_le_bytes(*payload.first_chunk().unwrap());
            }
            outbox.take();
        }
    }

    fn ingest(&mut self, line: &BookLine<'_>) {
        self.engine.ingest(self.source, line.frame, line.ts).unwrap();
        self.drain();
    }

    fn state(&self) -> BookState {
        self.engine.book_info(self.set.id(), 0).unwrap().state
    }

    fn digest(&self) -> String {
        self.engine.digest(self.set.id()).unwrap()
    }
}

/// One pass over a set with faults at the given places (indexes among the depth updates that follow the first sync).
fn pass(set: &Set, lines: &[BookLine<'_>], faults: &[(usize, Fault)], seed: u64) {
    let mut rig = Rig::new(set);
    let mut oracle =
        Oracle { book: NaiveBook::new(BookSpec { tick_size: 0, levels_max: u32::MAX }), last_id: 0 };
    // Sync as the recording does: the updates that came before the snapshot, then the snapshot.
    let at_snapshot = lines.iter().position(|line| line.update.is_none()).unwrap();
    for line in &lines[..=at_snapshot] {
        rig.ingest(line);
    }
    let mut levels = depthwire_core::types::Levels::default();
    let Ok(Said::Snapshot(_, number)) = answer(lines[at_snapshot].frame, &set.routes(), &mut levels) else {
        panic!("no snapshot");
    };
    oracle.book.load(levels.view(), KnownTo::WHOLE).unwrap();
    let mut chain = Chain::new(venues::product(set.venue).rule, number);
    let mut learn = |oracle: &mut Oracle, line: &BookLine<'_>| {
        let (update, levels) = line.update.as_ref().unwrap();
        if chain.check(update) == SeqOutcome::Next {
            chain.advance(update);
            oracle.book.apply(levels.view()).unwrap();
            oracle.last_id = update.last;
        }
    };
    for line in &lines[..at_snapshot] {
        learn(&mut oracle, line);
    }
    assert_eq!(rig.state(), BookState::Synced);
    // Duplicates of updates before the bridge prove nothing, so faults start a little behind it.
    let live = &lines[at_snapshot + 1..];
    let mut next = faults.iter().peekable();
    let mut index = 0;
    while index < live.len() {
        let Some(&&(place, fault)) = next.peek() else {
            learn(&mut oracle, &live[index]);
            rig.ingest(&live[index]);
            index += 1;
            continue;
        };
        if index < place {
            learn(&mut oracle, &live[index]);
            rig.ingest(&live[index]);
            index += 1;
            continue;
        }
        next.next();
        assert_eq!(rig.state(), BookState::Synced, "synced before the fault at {index} (seed {seed})");
        learn(&mut oracle, &live[index]);
        learn(&mut oracle, &live[index + 1]);
        let is_loss = match fault {
            Fault::Drop => {
                rig.ingest(&live[index + 1]);
                true
            }
            Fault::Duplicate => {
                rig.ingest(&live[index]);
                rig.ingest(&live[index]);
                assert_eq!(rig.state(), BookState::Synced, "a repetition loses nothing");
                rig.ingest(&live[index + 1]);
                false
            }
            Fault::SwapWithNext => {
                rig.deltas = 0;
                rig.ingest(&live[index + 1]);
                assert_eq!(rig.state(), BookState::Stale(StaleReason::Gap), "the early frame reveals it");
                rig.ingest(&live[index]);
                true
            }
        };
        index += 2;
        if !is_loss {
            assert_eq!(rig.state(), BookState::Synced);
            continue;
        }
        assert_eq!(rig.state(), BookState::Stale(StaleReason::Gap), "{fault:?} at {place} (seed {seed})");
        rig.deltas = 0;
        // The snapshot takes its time: up to seven more frames arrive, and it is cut somewhere among them.
        let late = (place + seed as usize) % 8;
        let cut_after = late / 2;
        let mut snapshot = (cut_after == 0).then(|| oracle.snapshot(set));
        for step in 0..late {
            learn(&mut oracle, &live[index]);
            rig.ingest(&live[index]);
            index += 1;
            if step + 1 == cut_after {
                snapshot = Some(oracle.snapshot(set));
            }
        }
        assert_eq!(rig.deltas, 0, "a stale book publishes no delta ({fault:?} at {place}, seed {seed})");
        assert!(matches!(rig.state(), BookState::Stale(_)));
        // Where the loss before was healed less than a second ago, the engine pauses before it asks again.
        rig.engine.tick(live[index - 1].ts + 60_000_000_000);
        rig.drain();
        rig.engine.answer(set.id(), rig.ticket, &snapshot.unwrap(), live[index - 1].ts).unwrap();
        rig.drain();
        assert_eq!(rig.state(), BookState::Synced, "{fault:?} at {place}, {late} frames late (seed {seed})");
        assert_eq!(rig.deltas, 0, "the new epoch opens with images");
        let bbo = rig.engine.book_info(set.id(), 0).unwrap().bbo;
        assert_eq!((bbo.bid, bbo.ask), (oracle.book.best_bid(), oracle.book.best_ask()));
    }
    let losses = faults.iter().filter(|(_, fault)| *fault != Fault::Duplicate).count() as u64;
    let stats = rig.engine.stats();
    assert_eq!((stats.gaps, stats.resyncs), (losses, losses));
    assert_eq!(rig.digest(), oracle.digest(set), "{} (seed {seed})", set.name);
    if let Some(expected) = set.expected {
        assert_eq!(rig.digest(), expected.digest, "{} (seed {seed})", set.name);
    }
    let told = rig.replica.book(set.id()).unwrap();
    assert_eq!((told.state(), told.digest()), (ReplicaState::Synced, rig.digest()));
    assert_eq!(told.gaps(), 0, "a reader sees a new epoch, never a gap");
}

fn faults_in(set: &Set, test: &str) {
    let Some(text) = set.load(test) else { return };
    let lines = book_lines(set, &text);
    let places = lines.len() / SPACING - 2;
    let passes = PLACES.div_ceil(PLACES_A_PASS);
    let mut tried = 0;
    for seed in 0..passes as u64 {
        // Places are drawn a spacing apart, then spread over the frames between by the seed.
        let offset = 2 + (seed as usize % 4);
        let faults: Vec<_> = plan(seed, PLACES_A_PASS, places)
            .into_iter()
            .map(|(place, fault)| (place * SPACING + offset, fault))
            .collect();
        tried += faults.len();
        pass(set, &lines[..lines.len()], &faults, seed);
    }
    println!("{}: {tried} faults in {passes} passes, seeds 0 to {}", set.name, passes - 1);
    assert!(tried >= PLACES);
}

#[test]
fn faults_in_recorded_sets_are_seen_and_healed() {
    for set in recorded() {
        faults_in(&set, "faults_in_recorded_sets_are_seen_and_healed");
    }
}

#[test]
fn faults_in_simulated_sets_are_seen_and_healed() {
    for set in &SIMULATED {
        faults_in(set, "faults_in_simulated_sets_are_seen_and_healed");
    }
}
