//! Running to another time: what readers see of it.

use super::{Engine, EngineConfig, SourceId};
use crate::encode::generated::size_prefixed_root_as_frame;
use crate::encode::{Flags, Kind, RECORD_HEADER_BYTES, RecordType, Stream};
use crate::types::{BookState, InstrumentId, NoClock, TimeNs};
use crate::venues;

/// Stream, kind, epoch, sequence, the one before it, stale; of frames and states in the order in which they came.
type Seen = (u8, u8, u64, u64, u64, bool);

struct Rig {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
    now: TimeNs,
}

impl Rig {
    fn new() -> Self {
        let catalogue = venues::catalogue();
        let id = catalogue.find(venues::SIM, "BTCUSDT").unwrap();
        let config = EngineConfig { start_id: 1, is_replay: true, ..EngineConfig::default() };
        let mut engine = Engine::new(config, catalogue, NoClock);
        let source = engine.open_source(venues::SIM, &[id]).unwrap();
        Self { engine, source, id, now: 1_000_000_000 }
    }

    /// A book that is exact at 100.
    fn synced() -> Self {
        let mut rig = Self::new();
        rig.depth(100, 100, "");
        rig.snapshot(100);
        rig.trade(1);
        rig.seen();
        rig
    }

    fn line(&mut self, text: &str) {
        self.now += 1_000_000;
        let line = format!("{} {text}\n", self.now);
        let progress =
            self.engine.replay(self.source, line.as_bytes(), false, TimeNs::MAX, |_| true).unwrap();
        assert!(progress.error.is_none(), "{:?}", progress.error);
    }

    fn depth(&mut self, first: u64, last: u64, bids: &str) {
        self.line(&format!(
            r#"{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{first},"u":{last},"b":[{bids}],"a":[]}}"#
        ));
    }

    fn trade(&mut self, id: u64) {
        self.line(&format!(
            r#"{{"e":"trade","E":1,"s":"BTCUSDT","t":{id},"p":"10.00","q":"1","T":1,"m":true}}"#
        ));
    }

    fn snapshot(&mut self, number: u64) {
        self.line(&format!(r#"{{"lastUpdateId":{number},"bids":[["10.00","1"]],"asks":[["11.00","1"]]}}"#));
    }

    fn seen(&mut self) -> Vec<Seen> {
        let outbox = self.engine.outbox();
        let mut seen = Vec::new();
        while let Some(record) = outbox.front() {
            if record[4] == RecordType::Frame as u8 {
                let frame = size_prefixed_root_as_frame(&record[RECORD_HEADER_BYTES..]).unwrap();
                let header = frame.header();
                let is_stale = header.flags() & Flags::STALE.0 != 0;
                let [seq, prev] = [header.seq(), header.prev_seq()];
                seen.push((header.stream(), header.kind(), header.epoch(), seq, prev, is_stale));
            }
            outbox.take();
        }
        seen
    }

    fn info(&self) -> super::BookInfo {
        self.engine.book_info(self.id, self.now).unwrap()
    }

    fn images(&mut self, stream: Stream) -> usize {
        let mut count = 0;
        self.engine.image(self.id, stream, self.now, |_| count += 1).unwrap();
        count
    }
}

const STATUS: u8 = Kind::Status as u8;

#[test]
fn nothing_but_the_state_is_told_until_the_end_which_opens_an_epoch() {
    let mut rig = Rig::synced();
    let before = rig.info();
    rig.engine.hold(rig.now);
    let told = rig.seen();
    assert_eq!(told.iter().map(|seen| seen.1).collect::<Vec<_>>(), [STATUS]);
    assert_eq!(rig.info().state, BookState::Syncing);
    rig.depth(101, 101, r#"["10.00","7"]"#);
    rig.trade(2);
    rig.engine.hold(rig.now);
    assert_eq!(rig.seen(), []);
    for stream in [Stream::BOOK, Stream::BBO, Stream::TRADES] {
        assert_eq!(rig.images(stream), 0, "{stream:?}");
    }
    assert_eq!(rig.images(Stream::STATUS), 1);

    rig.engine.release(rig.now);
    assert_eq!(rig.info().state, BookState::Synced);
    let epoch = rig.info().epoch;
    assert!(epoch > before.epoch);
    let images = rig.seen();
    assert!(images.iter().all(|seen| seen.2 == epoch && !seen.5), "{images:?}");
    let image = Kind::Image as u8;
    for stream in [Stream::BOOK, Stream::BBO, Stream::TRADES] {
        assert!(images.contains(&(stream.0, image, epoch, 1, 1, false)), "{stream:?}: {images:?}");
    }
    assert_eq!(images.last().map(|seen| seen.1), Some(STATUS));
    assert_eq!(rig.engine.instruments[0].gap(), None, "to run to another time is no loss");
    rig.depth(102, 102, r#"["10.00","8"]"#);
    rig.trade(3);
    let after = rig.seen();
    assert!(after.contains(&(Stream::BOOK.0, Kind::Delta as u8, epoch, 2, 1, false)), "{after:?}");
    assert!(after.contains(&(Stream::TRADES.0, Kind::Trade as u8, epoch, 2, 1, false)), "{after:?}");
    assert_eq!(rig.info().venue_seq, 102);
}

#[test]
fn the_book_is_the_one_that_would_have_been_told() {
    let mut told = Rig::synced();
    let mut held = Rig::synced();
    held.engine.hold(held.now);
    let source = held.source;
    // Back to the beginning of the recording.
    held.engine.reset_source(source, held.now).unwrap();
    held.depth(100, 100, "");
    held.snapshot(100);
    for rig in [&mut told, &mut held] {
        for seq in 101..160 {
            rig.depth(seq, seq, &format!(r#"["9.{:02}","{}"]"#, seq % 100, seq % 7));
        }
    }
    assert_eq!(held.seen().len(), 1, "that they are syncing");
    held.engine.release(held.now);
    assert_eq!(held.engine.digest(held.id), told.engine.digest(told.id));
    assert!(held.info().bid_count > 40);
    assert_eq!(held.engine.instruments[0].gap(), None);
}

#[test]
fn a_book_that_is_not_exact_at_the_end_is_told_as_it_is() {
    let mut rig = Rig::synced();
    rig.engine.hold(rig.now);
    rig.depth(109, 110, r#"["10.00","7"]"#);
    rig.trade(2);
    rig.seen();
    rig.engine.release(rig.now);
    assert!(matches!(rig.info().state, BookState::Stale(_)));
    let told = rig.seen();
    assert_eq!(told.last().map(|seen| (seen.1, seen.5)), Some((STATUS, true)), "{told:?}");
    assert!(told.iter().all(|seen| seen.0 != Stream::BOOK.0), "no book before it is exact: {told:?}");
    // Readers of trades do not take what was dropped for nothing.
    let epoch = rig.info().epoch;
    assert!(told.contains(&(Stream::TRADES.0, Kind::Image as u8, epoch, 1, 1, false)), "{told:?}");
    rig.trade(3);
    assert!(rig.seen().contains(&(Stream::TRADES.0, Kind::Trade as u8, epoch, 2, 1, false)));

    let mut never = Rig::new();
    never.engine.hold(never.now);
    never.engine.release(never.now);
    assert_eq!(never.info().state, BookState::Syncing);
    never.depth(100, 100, "");
    never.snapshot(100);
    assert_eq!(never.info().state, BookState::Synced);
}
