//! A feed that is told anything: damaged frames, gaps, doubles, swaps, wrong checks, frames of the future. Its book is never called
//! synced unless it is the server's, and it never panics.

use std::collections::BTreeMap;
use std::time::Instant;

use depthwire_core::aggregate::checksums;
use depthwire_core::encode::{
    CheckBody, Flags, Header, ImageBody, Kind, StatusBody, Stream, write_check, write_image, write_levels,
    write_status,
};
use depthwire_core::replica::feed_frames;
use depthwire_core::types::{BookState, KnownTo, Level, Place, Side, StaleReason};
use proptest::prelude::*;

use super::*;

const ID: u32 = 7;

type Sides = [BTreeMap<i64, i64>; 2];

/// A server's book, with every state that it ever had.
struct Truth {
    sides: Sides,
    place: Place,
    all: std::collections::HashMap<(u64, u64), Sides>,
}

impl Truth {
    fn new() -> Self {
        let place = Place { epoch: 1, seq: 1 };
        let all = [((1, 1), Sides::default())].into();
        Self { sides: Sides::default(), place, all }
    }

    fn levels(&self) -> [Vec<Level>; 2] {
        let [bids, asks] = &self.sides;
        let level = |(&price, &qty): (&i64, &i64)| Level::new(price, qty);
        [bids.iter().rev().map(level).collect(), asks.iter().map(level).collect()]
    }

    fn header(&self, kind: Kind, prev_seq: u64) -> Header {
        let stream = if kind == Kind::Status { Stream::STATUS } else { Stream::BOOK };
        let Place { epoch, seq } = self.place;
        let (venue_seq, ts_event, ts_recv, ts_send, flags) = (seq, 0, 0, 0, Flags::NONE);
        Header {
            epoch,
            seq,
            prev_seq,
            venue_seq,
            ts_event,
            ts_recv,
            ts_send,
            instrument: ID,
            kind,
            stream,
            flags,
        }
    }

    fn check(&self) -> CheckBody {
        let [bids, asks] = self.levels();
        let (top_crc, all_crc) = checksums(&bids, &asks);
        CheckBody { top_crc, all_crc, bid_count: bids.len() as u32, ask_count: asks.len() as u32 }
    }

    /// Chunks of an image, each a frame.
    fn image(&self) -> Vec<Vec<u8>> {
        let body = ImageBody {
            known_to: KnownTo::WHOLE,
            depth: 0,
            price_exponent: -2,
            qty_exponent: -5,
            state: BookState::Synced.code(),
            reason: 0,
            check: self.check(),
        };
        let ([bids, asks], mut chunks) = (self.levels(), Vec::new());
        let header = self.header(Kind::Image, self.place.seq);
        write_image(&mut Vec::new(), &header, &body, None, &bids, &asks, |chunk| chunks.push(chunk.to_vec()));
        chunks
    }

    /// Changes the book, and tells how.
    fn delta(&mut self, changes: &[(bool, i64, i64)], skipped: u64) -> Vec<u8> {
        let mut told = [Vec::new(), Vec::new()];
        for &(is_ask, price, qty) in changes {
            let side = usize::from(is_ask);
            if qty == 0 {
                self.sides[side].remove(&price);
            } else {
                self.sides[side].insert(price, qty);
            }
            told[side].push(Level::new(price, qty));
        }
        let prev_seq = self.place.seq;
        self.place.seq += 1 + skipped;
        self.all.insert((self.place.epoch, self.place.seq), self.sides.clone());
        let mut frame = Vec::new();
        write_levels(&mut frame, &self.header(Kind::Delta, prev_seq), &told[0], &told[1]);
        frame
    }

    fn reset(&mut self) {
        self.place = Place { epoch: self.place.epoch + 1, seq: 1 };
        self.all.insert((self.place.epoch, 1), self.sides.clone());
    }

    fn check_frame(&self, wrong: u32) -> Vec<u8> {
        let mut frame = Vec::new();
        let check = self.check();
        let check = CheckBody { all_crc: check.all_crc ^ wrong, ..check };
        write_check(&mut frame, &self.header(Kind::Check, self.place.seq), &check);
        frame
    }

    fn status(&self, state: BookState) -> Vec<u8> {
        let mut frame = Vec::new();
        let (state, reason) = (state.code(), state.reason_code());
        let body = StatusBody { expected: 0, received: 0, age_ns: 0, state, reason };
        write_status(&mut frame, &self.header(Kind::Status, self.place.seq), &body, None);
        frame
    }
}

/// A feed that has been granted a book, over no connection.
fn feed() -> (Feed, SubscriptionId) {
    let mut feed = Feed::open("127.0.0.1:9", Options::default()).unwrap();
    let id = feed.subscribe(Topic::book("sim:BTCUSDT")).unwrap();
    feed.roster.ask("subscribe", [id]);
    let granted = format!(
        r#"{{"op":"subscribed","id":1,"channel":"book","instrument":"sim:BTCUSDT","instrumentId":{ID},"stream":1,"state":"synced","reason":"none","epoch":"1","seq":"1","priceExponent":-2,"qtyExponent":-5}}"#
    );
    feed.take_text(&granted, Instant::now()).unwrap();
    (feed, id)
}

#[derive(Clone, Debug)]
enum Step {
    Delta(Vec<(bool, i64, i64)>, u64),
    Image,
    Check,
    WrongCheck(u32),
    Reset,
    Lost,
    Future(u8),
    Disconnect,
}

fn step() -> impl Strategy<Value = Step> {
    let change = (any::<bool>(), 0i64..40, prop_oneof![Just(0i64), 1i64..1_000, Just(i64::MAX)]);
    prop_oneof![
        8 => (prop::collection::vec(change, 0..6), prop_oneof![4 => Just(0u64), 1 => 1u64..4]).prop_map(|(changes, skipped)| Step::Delta(changes, skipped)),
        2 => Just(Step::Image),
        3 => Just(Step::Check),
        1 => (1u32..).prop_map(Step::WrongCheck),
        1 => Just(Step::Reset),
        1 => Just(Step::Lost),
        1 => (14u8..).prop_map(Step::Future),
        1 => Just(Step::Disconnect),
    ]
}

/// What becomes of a frame on its way.
#[derive(Clone, Debug)]
enum Fate {
    Arrives,
    Vanishes,
    Doubles,
    /// Behind the next one.
    Late,
    /// One of its bytes is another.
    Damaged(prop::sample::Index, u8),
    Cut(prop::sample::Index),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        12 => Just(Fate::Arrives),
        1 => Just(Fate::Vanishes),
        1 => Just(Fate::Doubles),
        1 => Just(Fate::Late),
        1 => (any::<prop::sample::Index>(), 1u8..).prop_map(|(at, by)| Fate::Damaged(at, by)),
        1 => any::<prop::sample::Index>().prop_map(Fate::Cut),
    ]
}

/// The feed takes a message. Bytes that cannot be read end its connection, as they do in life.
fn take(feed: &mut Feed, message: &[u8]) {
    if feed.take_bytes(message, Instant::now()).is_err() {
        feed.lost();
    }
}

fn sides(book: &Book<'_>) -> Sides {
    [Side::Bid, Side::Ask].map(|side| book.levels(side).map(|level| (level.price.0, level.qty.0)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 400 } else { 4_000 }))]

    #[test]
    fn a_book_is_never_called_synced_unless_it_is_the_servers(steps in prop::collection::vec((step(), fate()), 1..60)) {
        let (mut feed, id) = feed();
        let mut truth = Truth::new();
        let mut late: Option<Vec<u8>> = None;
        // Whether a byte was damaged in a way that can be read: from there on only a checksum proves the book.
        let mut is_tainted = false;
        for (step, fate) in steps {
            let frames = match step {
                Step::Delta(changes, skipped) => vec![truth.delta(&changes, skipped)],
                Step::Image => truth.image(),
                Step::Check => vec![truth.check_frame(0)],
                Step::WrongCheck(by) => vec![truth.check_frame(by)],
                Step::Reset => {
                    truth.reset();
                    truth.image()
                }
                Step::Lost => vec![truth.status(BookState::Stale(StaleReason::Gap))],
                Step::Future(kind) => {
                    let mut frame = truth.check_frame(1);
                    frame[40 + 60] = kind;
                    vec![frame]
                }
                Step::Disconnect => {
                    feed.lost();
                    // The same as a new connection that resumes nothing.
                    feed.roster.ask("subscribe", [id]);
                    let granted = format!(
                        r#"{{"op":"subscribed","id":{},"channel":"book","instrument":"sim:BTCUSDT","instrumentId":{ID},"stream":1,"state":"synced","epoch":"1","seq":"1","priceExponent":-2,"qtyExponent":-5}}"#,
                        feed.roster.outgoing.last_id(),
                    );
                    feed.take_text(&granted, Instant::now()).unwrap();
                    vec![]
                }
            };
            for frame in frames {
                let arriving = match &fate {
                    Fate::Arrives => vec![frame],
                    Fate::Vanishes => vec![],
                    Fate::Doubles => vec![frame.clone(), frame],
                    Fate::Late => {
                        vec![late.replace(frame)].into_iter().flatten().collect()
                    }
                    Fate::Damaged(at, by) => {
                        is_tainted = true;
                        let mut frame = frame;
                        let at = at.index(frame.len());
                        frame[at] ^= by;
                        vec![frame]
                    }
                    Fate::Cut(at) => vec![frame[..at.index(frame.len())].to_vec()],
                };
                for message in arriving.into_iter().chain(if matches!(fate, Fate::Late) { None } else { late.take() }) {
                    let checks = feed.counters.checks;
                    take(&mut feed, &message);
                    let Some(book) = feed.book(id) else { return Ok(()) };
                    if feed.counters.checks > checks && book.state() == ReplicaState::Synced
                        && truth.all.get(&(book.place().epoch, book.place().seq)) == Some(&sides(&book)) {
                        is_tainted = false;
                    }
                    if book.state() == ReplicaState::Synced && !is_tainted {
                        let place = (book.place().epoch, book.place().seq);
                        prop_assert_eq!(truth.all.get(&place), Some(&sides(&book)), "at {:?}", place);
                    }
                }
            }
        }
        // Whatever has been, an image of a later epoch mends it, unless a number of the future was made up.
        if !is_tainted {
            truth.reset();
            for frame in truth.image() {
                take(&mut feed, &frame);
            }
            if let Some(book) = feed.book(id) && feed.granted(id).is_some() {
                prop_assert_eq!((book.state(), sides(&book)), (ReplicaState::Synced, truth.sides));
            }
        }
    }

    #[test]
    fn any_bytes_and_texts_are_taken_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), text in ".{0,200}") {
        let (mut feed, id) = feed();
        take(&mut feed, &bytes);
        let mut sized = (bytes.len() as u32).to_le_bytes().to_vec();
        sized.extend_from_slice(&[8, 0, 0, 0]);
        sized.extend_from_slice(b"DWF1");
        sized.extend_from_slice(&bytes);
        take(&mut feed, &sized);
        let _ = feed.take_text(&text, Instant::now());
        let _ = feed.take_text(&format!(r#"{{"op":{text:?}}}"#), Instant::now());
        prop_assert_ne!(feed.state(id), Some(ReplicaState::Synced));
    }

    #[test]
    fn a_damaged_frame_of_any_kind_is_taken_without_a_panic(vector in any::<prop::sample::Index>(), hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6)) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/schema/vectors.json");
        static FILE: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
        let frames = FILE.get_or_init(|| {
            let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            let byte = |hex: &[u8]| u8::from_str_radix(std::str::from_utf8(hex).unwrap(), 16).unwrap();
            let bytes = |vector: &serde_json::Value| vector["hex"].as_str().unwrap().as_bytes().chunks(2).map(byte).collect();
            file["vectors"].as_array().unwrap().iter().map(bytes).collect()
        });
        let frame = &frames[vector.index(frames.len())];
        let stream = feed_frames(frame).next().unwrap().unwrap().stream();
        let topics: [(u8, Topic); 10] = [
            (1, Topic::book("a:B")),
            (2, Topic::bbo("a:B", crate::BboSource::Book)),
            (3, Topic::trades("a:B")),
            (4, Topic::status("a:B")),
            (6, Topic::orders("a:B")),
            (7, Topic::ticker("a:B")),
            (8, Topic::liquidations("a:B")),
            (9, Topic::trading("a:B")),
            (48, Topic::volumes("a:B")),
            (64, Topic::costs("a:B", &["0.5"], &[])),
        ];
        let topic = topics.into_iter().find(|(number, _)| *number == stream.0).map_or(Topic::depth("a:B", 20), |it| it.1);
        let mut feed = Feed::open("127.0.0.1:9", Options::default()).unwrap();
        let id = feed.subscribe(topic).unwrap();
        feed.roster.ask("subscribe", [id]);
        let granted = format!(
            r#"{{"op":"subscribed","id":1,"channel":"x","instrument":"a:B","instrumentId":4000000000,"stream":{},"state":"synced","epoch":"1","seq":"1","priceExponent":-2,"qtyExponent":-5}}"#,
            stream.0
        );
        feed.take_text(&granted, Instant::now()).unwrap();
        // As it is, then damaged: so that changes fall upon an image.
        for before in frames.iter().filter(|other| feed_frames(other).next().unwrap().unwrap().stream() == stream) {
            take(&mut feed, before);
        }
        let mut damaged = frame.clone();
        for (at, by) in hits {
            let at = at.index(damaged.len());
            damaged[at] ^= by;
        }
        take(&mut feed, &damaged);
        // All that can be read of it.
        if let Some(book) = feed.book(id) {
            let levels: Vec<_> = book.levels(Side::Bid).chain(book.levels(Side::Ask)).collect();
            for level in levels {
                let _ = (book.price_text(level.price).to_string(), book.qty_text(level.qty).to_string());
                let _ = book.qty_at(Side::Bid, level.price);
            }
            let _ = book.digest();
        }
        if let Some(orders) = feed.orders(id) {
            for side in [Side::Bid, Side::Ask] {
                let _ = orders.levels(side).count();
                let names: Vec<_> = orders.list(side).map(|(name, _)| name).collect();
                for name in names {
                    let _ = orders.orders_ahead(name);
                }
            }
        }
        if let Some(volumes) = feed.volumes(id) {
            let _ = (volumes.rows().count(), volumes.session(), volumes.grouping());
        }
        if let Some(costs) = feed.costs(id) {
            for row in costs.rows() {
                let _ = (row.price_average_text().map(|text| text.to_string()), row.cost_text().map(|text| text.to_string()));
            }
        }
        while let Some(event) = feed.events.pop_front() {
            if let Event::Trade(_, trade) = event {
                let _ = (trade.price_text().to_string(), trade.qty_text().to_string());
            }
        }
    }
}
