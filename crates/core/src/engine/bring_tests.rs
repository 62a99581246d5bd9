//! Readers that are cut from streams anywhere and brought to the present later, held against those that never left, and
//! against what the engine says a stream's state is.

mod market;
mod reader;

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::rc::Rc;

use super::{Brought, By, Engine, EngineConfig, SourceId};
use crate::encode::generated::size_prefixed_root_as_frame;
use crate::encode::{Flags, HistoryConfig, Kind, RECORD_HEADER_BYTES, RecordType, SLAB_BYTES, Stream};
use crate::types::{BookState, Clock, InstrumentId, Place, TimeNs};
use crate::venues;
use reader::Reader;

/// A clock that tests set.
#[derive(Clone, Default)]
struct Watch(Rc<Cell<TimeNs>>);

impl Clock for Watch {
    fn now(&self) -> TimeNs {
        self.0.get()
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

const STREAMS: [Stream; 6] =
    [Stream::BOOK, Stream::BBO, Stream::TRADES, Stream::VENUE_BBO, Stream(16), Stream(17)];

/// An engine with one book of the embedded venue, whose messages are drawn, and a reader of each stream that never leaves.
struct Rig {
    engine: Engine<Watch>,
    watch: Watch,
    source: SourceId,
    id: InstrumentId,
    random: SplitMix64,
    update: u64,
    trade: u64,
    ticket: Option<u32>,
    live: BTreeMap<Stream, Reader>,
    /// The venue's.
    book: [BTreeMap<i64, i64>; 2],
}

const STEP_NS: u64 = 10_000_000;

impl Rig {
    fn new(seed: u64, history: HistoryConfig) -> Self {
        let catalogue = venues::catalogue();
        let id = catalogue.find(venues::SIM, "BTCUSDT").unwrap();
        let watch = Watch::default();
        watch.0.set(1_000_000_000);
        let config = EngineConfig { start_id: 7, history, ..EngineConfig::default() };
        let mut engine = Engine::new(config, catalogue, watch.clone());
        let source = engine.open_source(venues::SIM, &[id]).unwrap();
        engine.open_depth(id, 3, 0, 0).unwrap();
        engine.open_depth(id, 5, 5 * STEP_NS / 1_000_000 * 1_000_000, 0).unwrap();
        let live = STREAMS.map(|stream| (stream, Reader::default())).into();
        let random = SplitMix64(seed);
        let mut rig = Self {
            engine,
            watch,
            source,
            id,
            random,
            update: 100,
            trade: 0,
            ticket: None,
            live,
            book: Default::default(),
        };
        rig.depth(false);
        rig.mend();
        rig
    }

    fn now(&self) -> u64 {
        self.watch.now()
    }

    fn ingest(&mut self, data: &str, stream: &str) {
        let text = format!("{{\"stream\":\"btcusdt@{stream}\",\"data\":{data}}}");
        let now = self.now();
        self.engine.ingest(self.source, text.as_bytes(), now).unwrap();
        self.drain();
    }

    /// A depth update, after a hole if it is to be lost.
    fn depth(&mut self, is_lost: bool) {
        let first = self.update + 1 + u64::from(is_lost) * 5;
        self.update = first + self.random.below(3);
        let mut sides = [String::new(), String::new()];
        for (side, text) in sides.iter_mut().enumerate() {
            for _ in 0..self.random.below(4) {
                let price =
                    if side == 0 { 1_000 - self.random.below(12) } else { 1_001 + self.random.below(12) };
                // Now and then a bid is above the best ask.
                let price = if self.random.below(60) == 0 { 2_001 - price } else { price } as i64;
                let qty = self.random.below(3) as i64;
                match qty {
                    0 => self.book[side].remove(&price),
                    qty => self.book[side].insert(price, qty),
                };
                let comma = if text.is_empty() { "" } else { "," };
                write!(text, "{comma}[\"{}.{:02}\",\"{qty}\"]", price / 100, price % 100).unwrap();
            }
        }
        let [bids, asks] = sides;
        let data = format!(
            "{{\"e\":\"depthUpdate\",\"E\":1700000000000,\"s\":\"BTCUSDT\",\"U\":{first},\"u\":{},\"b\":[{bids}],\"a\":[{asks}]}}",
            self.update
        );
        self.ingest(&data, "depth");
    }

    fn trade(&mut self) {
        self.trade += 1;
        let data = format!(
            "{{\"e\":\"trade\",\"E\":1700000000000,\"s\":\"BTCUSDT\",\"t\":{},\"p\":\"10.50\",\"q\":\"0.5\",\"T\":1700000000000,\"m\":true}}",
            self.trade
        );
        self.ingest(&data, "trade");
    }

    fn top(&mut self) {
        let qty = 1 + self.random.below(9);
        let data = format!(
            "{{\"u\":{},\"s\":\"BTCUSDT\",\"b\":\"9.99\",\"B\":\"{qty}\",\"a\":\"10.01\",\"A\":\"1\"}}",
            self.update + 1_000
        );
        self.ingest(&data, "bookTicker");
    }

    /// The snapshot that is asked for, of the book as it is.
    fn mend(&mut self) {
        let mut text = format!("{{\"lastUpdateId\":{}", self.update);
        for (name, side) in [("bids", 0), ("asks", 1)] {
            let levels: Vec<_> = self.book[side]
                .iter()
                .map(|(price, qty)| format!("[\"{}.{:02}\",\"{qty}\"]", price / 100, price % 100))
                .collect();
            write!(text, ",\"{name}\":[{}]", levels.join(",")).unwrap();
        }
        text.push('}');
        // It asks again after growing pauses.
        while self.ticket.is_none() {
            self.pass(1_000_000_000);
        }
        let (ticket, now) = (self.ticket.take().unwrap(), self.now());
        self.engine.answer(self.id, ticket, text.as_bytes(), now).unwrap();
        self.drain();
        assert_eq!(self.state(), BookState::Synced);
    }

    fn state(&self) -> BookState {
        self.engine.book_info(self.id, self.now()).unwrap().state
    }

    fn pass(&mut self, ns: u64) {
        self.watch.0.set(self.now() + ns);
        let now = self.now();
        self.engine.tick(now);
        self.drain();
    }

    fn drain(&mut self) {
        let outbox = self.engine.outbox();
        while let Some(record) = outbox.front() {
            let payload = &record[RECORD_HEADER_BYTES..];
            if record[4] == RecordType::Ask as u8 {
                self.ticket = Some(u32::from_le_bytes(*payload.first_chunk().unwrap()));
            } else if record[4] == RecordType::Frame as u8 {
                let stream = Stream(record[6]);
                if stream == Stream::STATUS {
                    let stale = payload.to_vec();
                    for (of, reader) in &mut self.live {
                        if super::bring::follows_book(*of) {
                            reader.take(*of, &stale);
                        }
                    }
                } else if let Some(reader) = self.live.get_mut(&stream) {
                    reader.take(stream, payload);
                }
            }
            outbox.take();
        }
    }

    fn bring(&mut self, stream: Stream, from: Place, by: By) -> (Brought, Vec<u8>) {
        let now = self.now();
        let (_, bytes) = self.engine.bring(self.id, stream, from, by, now, &mut []).unwrap();
        let mut out = vec![0; bytes];
        let (brought, same) = self.engine.bring(self.id, stream, from, by, now, &mut out).unwrap();
        assert_eq!(bytes, same);
        (brought, out)
    }
}

/// What a reader must have got that was away, by what it asked for and what it was brought by.
fn check(rig: &mut Rig, stream: Stream, cut: &Reader, by: By) -> Brought {
    let live = rig.live[&stream].clone();
    let is_exact = rig.state() == BookState::Synced || !super::bring::follows_book(stream);
    let (brought, bytes) = rig.bring(stream, cut.place, by);
    let mut reader = cut.clone();
    let kinds = reader.take(stream, &bytes);
    if !is_exact {
        // Nothing is missed by who has the last that was known; who was away before that is not told that it has.
        let holds = rig.engine.place(rig.id, stream) == Ok(cut.place);
        let expected = if holds { Brought::Nothing } else { Brought::Image };
        assert_eq!((brought, kinds), (expected, vec![Kind::Status]));
        assert!(!reader.is_synced);
        return brought;
    }
    match brought {
        Brought::Nothing => {
            let check = if stream == Stream::TRADES { vec![] } else { vec![Kind::Check] };
            assert_eq!((cut.place, kinds), (live.place, check));
        }
        Brought::Range => assert!(kinds.iter().all(|kind| *kind != Kind::Image)),
        Brought::Net => {
            assert_eq!(kinds.len(), 1);
            assert!(by == By::Net && reader.flags & Flags::CONFLATED.0 != 0);
            let header = *size_prefixed_root_as_frame(&bytes).unwrap().header();
            assert_eq!((header.prev_seq(), header.seq()), (cut.place.seq, live.place.seq));
        }
        Brought::Image => {
            assert!(kinds.iter().all(|kind| *kind == Kind::Image));
            if kinds.is_empty() {
                assert_eq!(rig.engine.place(rig.id, stream), Ok(Place::default()), "there is none");
                return brought;
            }
        }
    }
    assert_eq!(rig.engine.place(rig.id, stream), Ok(reader.place));
    assert_eq!((reader.place, &reader.levels, reader.is_synced), (live.place, &live.levels, live.is_synced));
    // What is doubted is the same for those who never left, who came back, and who come now.
    let doubts = Flags::CROSSED.with(Flags::BEYOND_KNOWN).with(Flags::STALE).0;
    if stream != Stream::TRADES {
        let mut image = Reader::default();
        let mut bytes = Vec::new();
        let now = rig.now();
        rig.engine.image(rig.id, stream, now, |frame| bytes.extend_from_slice(frame)).unwrap();
        image.take(stream, &bytes);
        assert_eq!(image.levels, reader.levels);
        let told = [reader.flags & doubts, live.flags & doubts];
        assert_eq!(told, [image.flags & doubts; 2], "{brought:?} of {stream:?}");
    }
    if stream == Stream::TRADES && brought == Brought::Range {
        assert_eq!(reader.trades, live.trades, "none is lost, none comes twice");
    }
    brought
}

#[test]
fn a_reader_cut_anywhere_is_brought_to_what_the_others_have() {
    let mut counts: BTreeMap<(u8, &str, &str), u64> = BTreeMap::new();
    let slab = SLAB_BYTES as u64;
    for seed in 1..=if cfg!(debug_assertions) { 24 } else { 200 } {
        let slabs = [0, 1, 3, 100][seed as usize % 4];
        let history = HistoryConfig { bytes: 200 * slab, stream_bytes: slabs * slab, age_ns: 40 * STEP_NS };
        let mut rig = Rig::new(seed, history);
        let mut cut: VecDeque<BTreeMap<Stream, Reader>> = VecDeque::new();
        for _ in 0..400 {
            let mut steps = rig.random.below(3);
            match rig.random.below(100) {
                0..=69 => rig.depth(false),
                70..=84 => rig.trade(),
                85..=93 => rig.top(),
                94..=95 => steps += rig.random.below(60),
                96 => rig.depth(true),
                _ => {}
            }
            rig.pass(STEP_NS * steps);
            if rig.state() != BookState::Synced && rig.random.below(4) == 0 {
                rig.mend();
            }
            let books = rig.engine.stats().books;
            assert_eq!(
                (books.syncing + books.stale, books.synced == 1),
                (1 - books.synced, rig.live[&Stream::BOOK].is_synced)
            );
            cut.push_front(rig.live.clone());
            cut.truncate(80);
            if rig.random.below(3) == 0 {
                let since = cut[rig.random.below(cut.len() as u64) as usize].clone();
                for (stream, reader) in &since {
                    for (by, word) in [(By::Range, "range"), (By::Net, "net")] {
                        let brought = check(&mut rig, *stream, reader, by);
                        *counts.entry((stream.0, word, brought.name())).or_default() += 1;
                    }
                }
            }
        }
    }
    println!("{counts:?}");
    for stream in STREAMS {
        let levels = !matches!(stream, Stream::TRADES);
        for (by, brought) in [("range", "range"), ("net", "image"), ("range", "image"), ("net", "nothing")] {
            assert!(counts.contains_key(&(stream.0, by, brought)), "{stream:?} {by} {brought}");
        }
        assert_eq!(counts.contains_key(&(stream.0, "net", "net")), levels, "{stream:?}");
    }
}

/// A rig that keeps enough.
fn rig() -> Rig {
    Rig::new(3, HistoryConfig { bytes: 1 << 20, stream_bytes: 1 << 20, age_ns: u64::MAX })
}

#[test]
fn a_net_change_that_is_larger_than_the_image_is_an_image() {
    let mut rig = rig();
    let before = rig.live[&Stream::BOOK].clone();
    // Every level is named and taken away again.
    for price in 0..40 {
        rig.update += 1;
        let data = |qty: i64, update: u64| {
            format!(
                "{{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":{update},\"u\":{update},\"b\":[[\"5.{price:02}\",\"{qty}\"]],\"a\":[]}}"
            )
        };
        let named = data(1, rig.update);
        rig.ingest(&named, "depth");
        rig.update += 1;
        let gone = data(0, rig.update);
        rig.ingest(&gone, "depth");
    }
    assert_eq!(check(&mut rig, Stream::BOOK, &before, By::Net), Brought::Image);
    assert_eq!(check(&mut rig, Stream::BOOK, &before, By::Range), Brought::Range);
}

#[test]
fn places_that_are_none_are_answered_by_images() {
    let mut rig = rig();
    rig.depth(false);
    let place = rig.live[&Stream::BOOK].place;
    for from in [
        Place::default(),
        Place { seq: place.seq + 1, ..place },
        Place { epoch: place.epoch + 1, seq: 1 },
        Place { epoch: u64::MAX, seq: u64::MAX },
    ] {
        for by in [By::Range, By::Net] {
            assert_eq!(rig.bring(Stream::BOOK, from, by).0, Brought::Image, "{from:?}");
        }
    }
    let (brought, bytes) = rig.bring(Stream(200), place, By::Net);
    assert_eq!((brought, bytes.len()), (Brought::Image, 0), "a view that is not open has none");
    let now = rig.now();
    assert!(rig.engine.bring(InstrumentId(9), Stream::BOOK, place, By::Net, now, &mut []).is_err());
    let stats = rig.engine.stats().brought;
    assert_eq!((stats.nothing, stats.range, stats.net, stats.image), (0, 0, 0, 10), "without retries");
}

#[test]
fn a_view_that_takes_the_number_of_a_closed_one_brings_nobody_from_there() {
    let mut rig = rig();
    for _ in 0..20 {
        rig.depth(false);
    }
    let old = rig.live[&Stream(16)].clone();
    rig.engine.close_view(rig.id, Stream(16));
    rig.live.insert(Stream(16), Reader::default());
    let now = rig.now();
    assert_eq!(rig.engine.open_depth(rig.id, 7, 0, now), Ok(Stream(16)));
    for by in [By::Range, By::Net] {
        assert_eq!(rig.bring(Stream(16), old.place, by).0, Brought::Image);
    }
}

#[test]
fn a_view_that_nobody_held_while_its_book_was_lost_has_gone_on_without_its_reader() {
    let mut rig = rig();
    for _ in 0..20 {
        rig.depth(false);
    }
    let old = rig.live[&Stream(16)].place;
    rig.engine.close_view(rig.id, Stream(16));
    rig.live.insert(Stream(16), Reader::default());
    // What changes now nobody is told.
    rig.depth(false);
    rig.depth(true);
    assert!(matches!(rig.state(), BookState::Stale(_)));
    let now = rig.now();
    assert_eq!(rig.engine.open_depth(rig.id, 3, 0, now), Ok(Stream(16)));
    let place = rig.engine.place(rig.id, Stream(16)).unwrap();
    assert_eq!(place, Place { seq: old.seq + 1, ..old });
    for by in [By::Range, By::Net] {
        let (brought, bytes) = rig.bring(Stream(16), old, by);
        assert_eq!(brought, Brought::Image, "not that it had missed nothing");
        assert_eq!(Reader::default().take(Stream(16), &bytes), [Kind::Status]);
        assert_eq!(rig.bring(Stream(16), place, by).0, Brought::Nothing);
    }
}
