//! What is kept, against the plainest account of it: queues of frames and of the slabs in which they begin.

use std::collections::{BTreeMap, VecDeque};

use super::{Flags, Header, History, HistoryConfig, Kind, SLAB_BYTES, Stream, write_levels};
use crate::types::{InstrumentId, Level};

fn frame(
    stream: Stream,
    kind: Kind,
    (epoch, seq, prev_seq): (u64, u64, u64),
    sent: u64,
    len: usize,
) -> Vec<u8> {
    let header = Header {
        epoch,
        seq,
        prev_seq,
        venue_seq: 0,
        ts_event: 0,
        ts_recv: 0,
        ts_send: sent,
        instrument: 0,
        kind,
        stream,
        flags: Flags::NONE,
    };
    let mut bytes = Vec::new();
    let levels: Vec<_> = (0..len).map(|price| Level::new(price as i64, seq as i64)).collect();
    write_levels(&mut bytes, &header, &levels, &[]);
    bytes
}

struct KeptFrame {
    slab: u64,
    seq: u64,
    prev_seq: u64,
    sent: u64,
    bytes: Vec<u8>,
}

/// A stream: its bytes since it began anew are numbered, and slabs cut them.
#[derive(Default)]
struct Line {
    place: (u64, u64),
    written: u64,
    slabs: VecDeque<u64>,
    frames: VecDeque<KeptFrame>,
}

/// The whole, with the slabs in the order in which they were taken.
struct Model {
    slabs_max: usize,
    line_slabs_max: usize,
    age_ns: u64,
    lines: BTreeMap<(u32, u8), Line>,
    order: VecDeque<((u32, u8), u64)>,
    evicted: usize,
}

const SLAB: u64 = SLAB_BYTES as u64;

/// Levels of a frame that fills a slab.
const SLAB_LEVELS: usize = 248;

impl Model {
    fn drop_slab(&mut self, name: (u32, u8)) {
        let line = self.lines.get_mut(&name).unwrap();
        let gone = line.slabs[0];
        line.frames.retain(|frame| frame.slab > gone);
        let first = line.frames.front().map_or(u64::MAX, |frame| frame.slab);
        line.slabs.retain(|slab| *slab >= first);
        if line.frames.is_empty() {
            line.written = line.written.next_multiple_of(SLAB);
        }
        let lines = &self.lines;
        self.order.retain(|(name, slab)| lines[name].slabs.contains(slab));
    }

    fn clear(&mut self, name: (u32, u8)) {
        while !self.lines[&name].slabs.is_empty() {
            self.drop_slab(name);
        }
    }

    fn expire(&mut self, name: (u32, u8), now: u64) {
        while let Some(slab) = self.lines[&name].slabs.front().copied() {
            let last = self.lines[&name].frames.iter().rfind(|frame| frame.slab == slab).unwrap();
            if last.sent + self.age_ns >= now {
                return;
            }
            self.drop_slab(name);
        }
    }

    fn keep(
        &mut self,
        name: (u32, u8),
        kind: Kind,
        (epoch, seq, prev_seq): (u64, u64, u64),
        sent: u64,
        bytes: &[u8],
    ) {
        let line = self.lines.entry(name).or_default();
        if line.place != (epoch, prev_seq) {
            line.place = (epoch, prev_seq);
            self.clear(name);
        }
        if kind == Kind::Image {
            return;
        }
        let line = self.lines.get_mut(&name).unwrap();
        line.place.1 = seq;
        let end = line.written + bytes.len() as u64;
        let fits = line.written.div_ceil(SLAB) * SLAB >= end;
        if !fits {
            self.expire(name, sent);
            if bytes.len().div_ceil(SLAB_BYTES) > self.line_slabs_max {
                return self.clear(name);
            }
        }
        loop {
            let line = self.lines.get_mut(&name).unwrap();
            let new = (line.written.div_ceil(SLAB))..(line.written + bytes.len() as u64).div_ceil(SLAB);
            if line.slabs.len() + new.clone().count() > self.line_slabs_max {
                self.drop_slab(name);
            } else if self.order.len() + new.clone().count() > self.slabs_max {
                let before = self.order.len();
                self.drop_slab(self.order[0].0);
                self.evicted += before - self.order.len();
            } else {
                line.slabs.extend(new.clone());
                self.order.extend(new.map(|slab| (name, slab)));
                let slab = line.written / SLAB;
                line.written += bytes.len() as u64;
                line.frames.push_back(KeptFrame { slab, seq, prev_seq, sent, bytes: bytes.to_vec() });
                return;
            }
        }
    }

    fn since(&mut self, name: (u32, u8), (epoch, seq): (u64, u64), now: u64) -> Option<Vec<u8>> {
        self.lines.get(&name)?;
        self.expire(name, now);
        let line = &self.lines[&name];
        let first = line.frames.front().map_or(line.place.1, |frame| frame.prev_seq);
        if epoch != line.place.0 || seq > line.place.1 || seq < first.min(line.place.1) {
            return None;
        }
        Some(
            line.frames
                .iter()
                .filter(|frame| frame.seq > seq)
                .flat_map(|frame| frame.bytes.clone())
                .collect(),
        )
    }
}

/// Steele, Lea, Flood 2014.
struct SplitMix64(u64);

impl SplitMix64 {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

#[test]
fn what_is_kept_is_what_the_plain_account_keeps() {
    let (mut held, mut refused, mut evicted) = (0, 0, 0);
    for seed in 1..=if cfg!(debug_assertions) { 60 } else { 400 } {
        let mut random = SplitMix64(seed);
        let slabs_max = 1 + random.below(12);
        let line_slabs_max = 1 + random.below(6);
        let age_ns = 1 + random.below(400);
        let config = HistoryConfig {
            bytes: slabs_max * SLAB + 7,
            stream_bytes: line_slabs_max * SLAB + 4_000,
            age_ns,
        };
        let mut history = History::new(config).unwrap();
        let mut model = Model {
            slabs_max: slabs_max as usize,
            line_slabs_max: line_slabs_max.min(slabs_max) as usize,
            age_ns,
            lines: BTreeMap::new(),
            order: VecDeque::new(),
            evicted: 0,
        };
        let (mut epoch, mut now) = (1, 0);
        let mut seqs: BTreeMap<(u32, u8), u64> = BTreeMap::new();
        for step in 0..600 {
            let name = (1 + random.below(2) as u32, [1, 3, 16][random.below(3) as usize]);
            let (id, stream) = (InstrumentId(name.0), Stream(name.1));
            now += random.below(8);
            if random.below(200) == 0 {
                epoch += 1;
            }
            let before = *seqs.get(&name).unwrap_or(&1);
            let (kind, prev_seq, seq) = match random.below(40) {
                0 => (Kind::Image, before, before),
                1..=4 => (Kind::Check, before, before),
                // A frame is missing, as behind a view that was closed.
                5 => (Kind::Delta, before + 1, before + 2),
                _ => (Kind::Delta, before, before + 1),
            };
            seqs.insert(name, seq);
            let len = match random.below(30) {
                0 => random.below(1_600),
                1..=3 => random.below(300),
                _ => random.below(12),
            };
            let bytes = frame(stream, kind, (epoch, seq, prev_seq), now, len as usize);
            history.keep(id, stream, &bytes);
            model.keep(name, kind, (epoch, seq, prev_seq), now, &bytes);
            assert_eq!(history.check_invariants(), Ok(()), "seed {seed}, step {step}");
            assert_eq!(history.stats().bytes, model.order.len() as u64 * SLAB, "seed {seed}, step {step}");
            if random.below(4) == 0 {
                let name = (1 + random.below(2) as u32, [1, 3, 16][random.below(3) as usize]);
                let at = seqs.get(&name).unwrap_or(&9).saturating_sub(random.below(60));
                let place = (epoch - random.below(8) / 7, at + random.below(8) / 7);
                let (id, stream) = (InstrumentId(name.0), Stream(name.1));
                let told = history.since(id, stream, place, seqs.get(&name).copied().unwrap_or(1), now).map(
                    |kept| {
                        let mut bytes = Vec::new();
                        kept.pieces(|piece| bytes.extend_from_slice(piece));
                        assert_eq!(kept.bytes(), bytes.len());
                        let (mut kept, mut frames, mut next) = (kept, Vec::new(), Vec::new());
                        while kept.next_into(&mut next) {
                            frames.extend_from_slice(&next);
                        }
                        assert_eq!(frames, bytes, "frame by frame as in one piece");
                        bytes
                    },
                );
                held += u64::from(told.is_some());
                refused += u64::from(told.is_none());
                assert_eq!(told, model.since(name, place, now), "seed {seed}, step {step}");
                assert_eq!(history.check_invariants(), Ok(()), "seed {seed}, step {step}");
            }
        }
        assert_eq!(history.stats().evicted_bytes, model.evicted as u64 * SLAB);
        evicted += model.evicted;
    }
    println!("{held} ranges, {refused} refused, {evicted} slabs taken from the oldest");
    assert!(held > 300 && refused > 500 && evicted > 500);
}

/// A history of so many slabs, of which a stream may have all.
fn history(slabs: u64, age_ns: u64) -> History {
    History::new(HistoryConfig { bytes: slabs * SLAB, stream_bytes: slabs * SLAB, age_ns }).unwrap()
}

fn keep(history: &mut History, id: u32, seq: u64, sent: u64, len: usize) {
    history.keep(
        InstrumentId(id),
        Stream::BOOK,
        &frame(Stream::BOOK, Kind::Delta, (1, seq, seq - 1), sent, len),
    );
    assert_eq!(history.check_invariants(), Ok(()));
}

fn holds(history: &mut History, id: u32, (seq, to): (u64, u64), now: u64) -> bool {
    history.since(InstrumentId(id), Stream::BOOK, (1, seq), to, now).is_some()
}

#[test]
fn the_oldest_of_all_goes_first() {
    let mut history = history(2, 1_000);
    keep(&mut history, 1, 2, 0, 4);
    keep(&mut history, 2, 2, 1, SLAB_LEVELS);
    keep(&mut history, 1, 3, 2, 4);
    keep(&mut history, 3, 2, 3, SLAB_LEVELS);
    assert!(
        !holds(&mut history, 1, (1, 3), 3) && !holds(&mut history, 1, (2, 3), 3),
        "its slab was the oldest"
    );
    assert!(holds(&mut history, 1, (3, 3), 3), "who is there needs nothing");
    assert!(holds(&mut history, 2, (1, 2), 3) && holds(&mut history, 3, (1, 2), 3));
    assert_eq!(history.stats().evicted_bytes, SLAB);
}

#[test]
fn age_is_looked_at_when_a_stream_is_asked_for() {
    let mut history = history(4, 1_000);
    keep(&mut history, 1, 2, 0, SLAB_LEVELS);
    keep(&mut history, 1, 3, 900, SLAB_LEVELS);
    assert!(holds(&mut history, 1, (1, 3), 1_000));
    assert!(!holds(&mut history, 1, (1, 3), 1_001) && holds(&mut history, 1, (2, 3), 1_001));
    assert_eq!(history.stats().bytes, SLAB);
    assert!(!holds(&mut history, 1, (2, 3), 1_901) && holds(&mut history, 1, (3, 3), 1_901));
}

#[test]
fn a_frame_larger_than_a_stream_may_keep_ends_what_was_kept() {
    let mut history = history(2, 1_000);
    keep(&mut history, 1, 2, 0, 4);
    keep(&mut history, 1, 3, 0, 600);
    assert!(!holds(&mut history, 1, (2, 3), 0) && holds(&mut history, 1, (3, 3), 0));
    keep(&mut history, 1, 4, 0, 500);
    assert!(holds(&mut history, 1, (3, 4), 0), "it fills what there is");
}

#[test]
fn nothing_is_kept_where_a_limit_is_none() {
    let whole = HistoryConfig { bytes: SLAB, stream_bytes: SLAB, age_ns: 1 };
    assert!(History::new(whole).is_some());
    for config in [
        HistoryConfig { bytes: SLAB - 1, ..whole },
        HistoryConfig { stream_bytes: SLAB - 1, ..whole },
        HistoryConfig { age_ns: 0, ..whole },
        HistoryConfig::default(),
    ] {
        assert!(History::new(config).is_none());
    }
}

#[test]
fn a_closed_stream_is_forgotten_and_the_status_never_kept() {
    let mut history = history(2, 1_000);
    keep(&mut history, 1, 2, 0, 4);
    history.forget(InstrumentId(1), Stream::BOOK);
    assert_eq!((history.stats().bytes, holds(&mut history, 1, (1, 2), 0)), (0, false));
    let status = frame(Stream::STATUS, Kind::Status, (1, 2, 2), 0, 4);
    history.keep(InstrumentId(1), Stream::STATUS, &status);
    assert_eq!(history.stats().bytes, 0);
    assert!(history.since(InstrumentId(1), Stream::STATUS, (1, 2), 2, 0).is_none());
}
