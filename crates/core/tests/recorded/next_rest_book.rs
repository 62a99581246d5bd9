//! ETHBTC of 2020-11-01: a REST book, an hour of its changes, and the next REST book. Within what is known the two are one
//! book, and what lies beyond is marked unknown instead of empty.

use depthwire_core::book::{L2Book, QtyAt};
use depthwire_core::encode::Outbox;
use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::recording::{Heard, Transcript};
use depthwire_core::types::{BookState, InstrumentId, Level, NoClock, ScaleSource, Side};
use depthwire_core::venues::{self, BINANCE_SPOT};

use crate::{expected, files};

/// An engine that carries the pair alone.
struct Follower {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
}

fn drain(outbox: &mut Outbox) -> bool {
    while outbox.front().is_some() {
        outbox.take();
    }
    true
}

impl Follower {
    /// Begins with a REST book.
    fn from(snapshot: &[u8]) -> Self {
        let config = EngineConfig { silence_ns: None, is_replay: true, ..EngineConfig::default() };
        let mut engine = Engine::new(config, venues::catalogue(), NoClock);
        let mut instrument = venues::instrument(BINANCE_SPOT, "ETHBTC").unwrap();
        // As the venue prints: one scale for both books.
        (instrument.price_exponent, instrument.qty_exponent) = (-8, -8);
        instrument.scale_source = ScaleSource::Listed;
        let id = engine.add_instrument(instrument).unwrap();
        let source = engine.open_source(BINANCE_SPOT, &[id]).unwrap();
        let progress = engine.replay(source, snapshot, true, u64::MAX, drain).unwrap();
        assert_eq!((progress.error, progress.consumed), (None, snapshot.len()));
        Self { engine, source, id }
    }

    fn ingest(&mut self, frame: &[u8]) {
        self.engine.ingest(self.source, frame, 0).unwrap();
        drain(self.engine.outbox());
        let stats = self.engine.stats();
        assert_eq!((stats.gaps, stats.decode_errors, stats.crossed, stats.contradictions), (0, 0, 0, 0));
    }

    fn book(&self) -> &L2Book {
        self.engine.book(self.id).unwrap()
    }

    fn venue_seq(&self) -> u64 {
        let info = self.engine.book_info(self.id, 0).unwrap();
        assert_eq!(info.state, BookState::Synced);
        info.venue_seq
    }
}

/// What a comparison of one side has found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Compared {
    /// Levels of the next book within what the kept one knows; equal, quantity for quantity.
    equal: usize,
    /// Beyond it: levels that changes have named since, equal too.
    beyond_equal: usize,
    /// Beyond it: levels that no change has named. The kept book says unknown.
    unknown: usize,
    /// Levels of the kept book within what the next one knows, that the next one does not hold.
    surplus: usize,
}

/// Holds the book that was kept to the next one.
fn compare(kept: &L2Book, next: &L2Book, side: Side) -> Compared {
    let mut found = Compared::default();
    for Level { price, qty } in next.levels(side) {
        let held = kept.qty_at(side, price);
        if kept.known_to().covers(side, price) {
            assert_eq!(held, QtyAt::Known(qty), "{side:?} {price:?}");
            found.equal += 1;
        } else if held == QtyAt::Known(qty) {
            found.beyond_equal += 1;
        } else {
            assert_eq!(held, QtyAt::Unknown, "{side:?} {price:?}: neither the venue's nor marked");
            found.unknown += 1;
        }
    }
    let is_surplus = |level: &Level| {
        next.known_to().covers(side, level.price) && next.qty_at(side, level.price) != QtyAt::Known(level.qty)
    };
    found.surplus = kept.levels(side).filter(is_surplus).count();
    found
}

/// Each frame of a file that is one array of them. How many they were.
fn each_frame(file: &[u8], mut each: impl FnMut(&[u8])) -> usize {
    let (mut transcript, mut at, mut count) = (Transcript::default(), 0, 0);
    loop {
        let entry = match transcript.next(file, at, true) {
            Ok(entry) => entry,
            Err(used) => {
                assert_eq!(used, file.len());
                return count;
            }
        };
        at = entry.end;
        match entry.heard {
            Ok(Heard::Received { bytes, .. }) => {
                each(bytes);
                count += 1;
            }
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn an_hour_of_changes_leads_to_the_next_rest_book() {
    let test = "an_hour_of_changes_leads_to_the_next_rest_book";
    let Some(root) = files::root(test) else { return };
    let set = expected::rest_books("binance-spot-ethbtc-rest");
    let [first, first_hour, second, second_hour] =
        set.files.each_ref().map(|file| files::read(&root.join(file)).unwrap());
    let (mut kept, mut next) = (Follower::from(&first), Follower::from(&second));
    let (begins, target) = (kept.venue_seq(), next.venue_seq());
    assert_eq!((begins, target), (set.begins, set.target));

    assert_eq!(each_frame(&first_hour, |frame| kept.ingest(frame)), set.frames[0]);
    let applied = kept.engine.stats().applied;
    println!("ETHBTC from {begins} to {}: {applied} of {} updates applied", kept.venue_seq(), set.frames[0]);
    assert!(kept.venue_seq() < target);

    // The next book's number lies within an update: the books are at one place once both hold it, and stay so.
    let mut compared = 0;
    let heard = each_frame(&second_hour, |frame| {
        kept.ingest(frame);
        next.ingest(frame);
        if kept.venue_seq() < target {
            return;
        }
        assert_eq!(kept.venue_seq(), next.venue_seq());
        let [bids, asks] = [Side::Bid, Side::Ask].map(|side| compare(kept.book(), next.book(), side));
        assert_eq!((bids.unknown, bids.surplus, asks.surplus), (0, 0, 0));
        if compared == 0 {
            assert_eq!(bids.equal + bids.beyond_equal, next.book().len(Side::Bid));
            assert_eq!(asks.unknown, set.asks_unknown);
        }
        if [0, 9, 99, set.compared - 1].contains(&compared) {
            println!("{}, update {compared} on: bids {bids:?}, asks {asks:?}", kept.venue_seq());
        }
        compared += 1;
    });
    println!("compared after each of {compared} updates");
    assert_eq!((heard, compared), (set.frames[1], set.compared));
}
