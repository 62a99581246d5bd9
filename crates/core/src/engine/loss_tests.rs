//! What readers are told of a loss: what was exact last, why it was lost, when it was mended.

use super::{Engine, EngineConfig, SourceId};
use crate::encode::generated::{Gap, size_prefixed_root_as_frame};
use crate::encode::{GapBody, Kind, RECORD_HEADER_BYTES, RecordType};
use crate::types::{BookState, InstrumentId, NoClock, StaleReason};
use crate::venues;

const S: u64 = 1_000_000_000;

struct Rig {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
    now: u64,
    ticket: u32,
    /// State and gap of the status frames since they were looked at.
    told: Vec<(u8, Option<GapBody>)>,
    /// Epoch, sequence and time of the last delta or image of the book.
    last: (u64, u64, u64),
}

impl Rig {
    /// A book that is exact at 100.
    fn synced() -> Self {
        let catalogue = venues::catalogue();
        let id = catalogue.find(venues::SIM, "BTCUSDT").unwrap();
        let config = EngineConfig { start_id: 1, silence_ns: Some(5 * S), ..EngineConfig::default() };
        let mut engine = Engine::new(config, catalogue, NoClock);
        let source = engine.open_source(venues::SIM, &[id]).unwrap();
        let mut rig = Self { engine, source, id, now: S, ticket: 0, told: Vec::new(), last: (0, 0, 0) };
        rig.depth(100, 100, "");
        rig.snapshot(100);
        assert_eq!(rig.told.last(), Some(&(BookState::Synced.code(), None)), "nothing was lost yet");
        rig.told.clear();
        rig
    }

    fn hear(&mut self, text: &str) {
        self.now += 7;
        self.engine.ingest(self.source, text.as_bytes(), self.now).unwrap();
        self.drain();
    }

    fn depth(&mut self, first: u64, last: u64, bids: &str) {
        self.hear(&format!(
            r#"{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{first},"u":{last},"b":[{bids}],"a":[]}}"#
        ));
    }

    fn snapshot(&mut self, number: u64) {
        // Another request follows after a pause.
        self.now += S / 2;
        self.engine.tick(self.now);
        self.drain();
        let text = format!(r#"{{"lastUpdateId":{number},"bids":[["10.00","1"]],"asks":[["11.00","1"]]}}"#);
        self.engine.answer(self.id, self.ticket, text.as_bytes(), self.now).unwrap();
        self.drain();
    }

    fn drain(&mut self) {
        let outbox = self.engine.outbox();
        while let Some(record) = outbox.front() {
            let payload = &record[RECORD_HEADER_BYTES..];
            if record[4] == RecordType::Ask as u8 {
                self.ticket = u32::from_le_bytes(*payload.first_chunk().unwrap());
            } else {
                let frame = size_prefixed_root_as_frame(payload).unwrap();
                let header = frame.header();
                if header.kind() == Kind::Status as u8 {
                    self.told.push((frame.status().unwrap().state(), frame.gap().map(body)));
                } else if header.stream() == 1 && header.kind() != Kind::Check as u8 {
                    self.last = (header.epoch(), header.seq(), header.ts_recv());
                }
            }
            outbox.take();
        }
    }

    /// What is said of a loss that is noticed now, after `last`.
    fn gap(&self, reason: StaleReason, (expected, received): (u64, u64), last: (u64, u64, u64)) -> GapBody {
        GapBody {
            expected,
            received,
            lost_from: last.2,
            noticed: self.now,
            mended: 0,
            epoch_before: last.0,
            seq_before: last.1,
            reason: reason as u8,
        }
    }

    fn told(&mut self) -> Vec<(u8, Option<GapBody>)> {
        std::mem::take(&mut self.told)
    }
}

fn body(gap: &Gap) -> GapBody {
    GapBody {
        expected: gap.expected(),
        received: gap.received(),
        lost_from: gap.lost_from(),
        noticed: gap.noticed(),
        mended: gap.mended(),
        epoch_before: gap.epoch_before(),
        seq_before: gap.seq_before(),
        reason: gap.reason(),
    }
}

fn stale(gap: GapBody) -> (u8, Option<GapBody>) {
    (3, Some(gap))
}

const SYNCED: u8 = 2;

#[test]
fn a_gap_is_told_when_it_is_noticed_and_when_it_is_mended() {
    let mut rig = Rig::synced();
    rig.depth(101, 101, r#"["10.00","2"]"#);
    let last = rig.last;
    assert_eq!((last.1, last.2), (2, rig.now));
    rig.depth(104, 105, r#"["10.00","3"]"#);
    let gap = rig.gap(StaleReason::Gap, (102, 104), last);
    assert_eq!(rig.told(), [stale(gap)]);
    rig.snapshot(105);
    let mended = GapBody { mended: rig.now, ..gap };
    assert_eq!(rig.told(), [(SYNCED, Some(mended))]);
    assert!(rig.last.0 > last.0, "in a new epoch");
    let mut again = None;
    let emit = |frame: &[u8]| again = size_prefixed_root_as_frame(frame).unwrap().gap().map(body);
    rig.engine.image(rig.id, crate::encode::Stream::STATUS, rig.now, emit).unwrap();
    assert_eq!(again, Some(mended), "who comes later is told, too");
}

#[test]
fn a_doubt_that_becomes_a_gap_keeps_its_beginning() {
    let mut rig = Rig::synced();
    let last = rig.last;
    rig.now += 6 * S;
    rig.engine.tick(rig.now);
    rig.drain();
    let silent = rig.gap(StaleReason::Silence, (0, 0), last);
    assert_eq!(rig.told(), [stale(silent)]);
    rig.depth(109, 109, "");
    let gap = GapBody { expected: 101, received: 109, reason: StaleReason::Gap as u8, ..silent };
    assert_eq!(rig.told(), [stale(gap)]);
    rig.snapshot(109);
    assert_eq!(rig.told(), [(SYNCED, Some(GapBody { mended: rig.now, ..gap }))]);
}

#[test]
fn silence_that_hid_nothing_is_mended_by_the_next_update() {
    let mut rig = Rig::synced();
    let last = rig.last;
    rig.now += 6 * S;
    rig.engine.tick(rig.now);
    rig.drain();
    let silent = rig.gap(StaleReason::Silence, (0, 0), last);
    rig.depth(101, 101, "");
    assert_eq!(rig.told(), [stale(silent), (SYNCED, Some(GapBody { mended: rig.now, ..silent }))]);
}

#[test]
fn what_a_contradiction_follows_is_the_last_frame_not_the_refused_input() {
    let mut rig = Rig::synced();
    let last = rig.last;
    rig.hear(r#"{"u":101,"s":"BTCUSDT","b":"10.00","B":"9","a":"11.00","A":"1"}"#);
    assert_eq!(rig.told(), []);
    rig.depth(101, 101, r#"["10.00","2"]"#);
    assert_eq!(rig.last, last, "the update that contradicts the venue's own top is not told");
    let gap = rig.gap(StaleReason::Contradiction, (0, 0), last);
    assert_eq!(rig.told(), [stale(gap)]);
}
