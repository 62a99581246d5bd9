//! One book that two connections carry: what one line loses the other brings, and what both lose is one gap.

use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::framing::binary_file::{BinaryFileFramer, LengthPrefix};
use depthwire_core::framing::itch::{self, Message};
use depthwire_core::types::{BookState, InstrumentId, NoClock, StaleReason, Venue};
use depthwire_core::venues::{self, BINANCE_SPOT, BINANCE_USDM, NASDAQ};
use depthwire_sim::itch::{ItchConfig, ItchDay};

use crate::random::Random;

const MS: u64 = 1_000_000;
const START: u64 = 1_700_000_000_000 * MS;
/// Time between two updates.
const STEP: u64 = 10 * MS;

/// An engine with one book and as many connections as asked for.
struct Lines {
    engine: Engine<NoClock>,
    sources: Vec<SourceId>,
    id: InstrumentId,
}

impl Lines {
    fn new(venue: Venue, count: usize) -> Self {
        let catalogue = venues::catalogue();
        let id = catalogue.find(venue, "BTCUSDT").unwrap();
        let config = EngineConfig { silence_ns: Some(0), ..EngineConfig::default() };
        let mut engine = Engine::new(config, catalogue, NoClock);
        let sources = (0..count)
            .map(|_| {
                let source = engine.open(venue).unwrap();
                engine.carry(source, &[id]).unwrap();
                source
            })
            .collect();
        Self { engine, sources, id }
    }

    fn ingest(&mut self, line: usize, frame: &[u8], now: u64) {
        self.engine.ingest(self.sources[line], frame, now).unwrap();
        while self.engine.outbox().front().is_some() {
            self.engine.outbox().take();
        }
    }

    fn tick(&mut self, now: u64) {
        self.engine.tick(now);
    }

    fn state(&self, now: u64) -> BookState {
        self.engine.book_info(self.id, now).unwrap().state
    }

    fn digest(&self) -> String {
        self.engine.digest(self.id).unwrap()
    }
}

/// A recorded snapshot, and updates behind it, one a [`STEP`].
fn day(is_linked: bool, updates: u64, random: &mut Random) -> Vec<Vec<u8>> {
    let snapshot = "{\"symbol\":\"BTCUSDT\",\"lastUpdateId\":100,\"bids\":[[\"50.0\",\"1\"]],\"asks\":[[\"60.0\",\"1\"]]}";
    let mut frames = vec![snapshot.as_bytes().to_vec()];
    let mut last = 100;
    for update in 0..updates {
        let (first, prev) = (last + 1, last);
        last += 1 + random.below(4);
        let time = START / MS + update * STEP / MS;
        let link = if is_linked { format!("\"pu\":{prev},\"T\":{time},") } else { String::new() };
        let (bid, ask) = (random.below(100), random.below(100));
        let (bid_qty, ask_qty) = (random.below(3), random.below(3));
        let text = format!(
            "{{\"e\":\"depthUpdate\",\"E\":{time},{link}\"s\":\"BTCUSDT\",\"U\":{first},\"u\":{last},\
             \"b\":[[\"{}.{}\",\"{bid_qty}\"]],\"a\":[[\"{}.{}\",\"{ask_qty}\"]]}}",
            40 + bid / 10,
            bid % 10,
            55 + ask / 10,
            ask % 10
        );
        frames.push(text.into_bytes());
    }
    frames
}

/// Hands out frames on two lines, the second one later by `lag`, without those that a line loses.
fn play(lines: &mut Lines, frames: &[Vec<u8>], lost: &[[bool; 2]], lag: u64) -> u64 {
    let mut arrivals = Vec::new();
    for (index, (frame, lost)) in frames.iter().zip(lost).enumerate() {
        for (line, lost) in lost.iter().enumerate() {
            if !lost {
                arrivals.push((START + index as u64 * STEP + line as u64 * lag, index, line, frame));
            }
        }
    }
    arrivals.sort_by_key(|(now, index, line, _)| (*now, *index, *line));
    let mut now = START;
    for (at, _, line, frame) in arrivals {
        now = at;
        lines.tick(now);
        lines.ingest(line, frame, now);
    }
    lines.tick(now + 100 * MS);
    now + 100 * MS
}

#[test]
fn what_one_line_loses_the_other_brings() {
    let mut lost_count = 0;
    for (venue, seed) in
        [BINANCE_SPOT, BINANCE_USDM].into_iter().flat_map(|venue| (1..20).map(move |seed| (venue, seed)))
    {
        let mut random = Random(seed);
        let frames = day(venue == BINANCE_USDM, 500, &mut random);
        let mut whole = Lines::new(venue, 1);
        play(&mut whole, &frames, &vec![[false, true]; frames.len()], 0);
        // A run of losses on one line at a time; the snapshot is not lost.
        let mut lost = vec![[false; 2]; frames.len()];
        for lost in lost.iter_mut().skip(1) {
            match random.below(10) {
                0 | 1 => lost[0] = true,
                2 => lost[1] = true,
                _ => {}
            }
            lost_count += u64::from(lost[0]) + u64::from(lost[1]);
        }
        for lag in [0, 3 * MS, 25 * MS, 45 * MS] {
            let mut lines = Lines::new(venue, 2);
            let now = play(&mut lines, &frames, &lost, lag);
            let stats = lines.engine.stats();
            assert_eq!(
                (stats.gaps, stats.resyncs, lines.state(now)),
                (0, 0, BookState::Synced),
                "{seed} {lag}"
            );
            assert_eq!(lines.digest(), whole.digest(), "{seed} {lag}");
            assert_eq!(stats.applied, 500);
        }
    }
    println!("{lost_count} updates lost on one line, none to the book");
    assert!(lost_count > 1_000);
}

#[test]
fn what_both_lines_lose_is_one_gap() {
    let mut random = Random(5);
    let frames = day(true, 100, &mut random);
    let mut lost = vec![[false; 2]; frames.len()];
    lost[50] = [true; 2];
    let mut lines = Lines::new(BINANCE_USDM, 2);
    let now = play(&mut lines, &frames, &lost, 20 * MS);
    assert_eq!(lines.state(now), BookState::Stale(StaleReason::Gap));
    assert_eq!(lines.engine.stats().gaps, 1);
    // The updates behind the gap wait: a snapshot from there on mends the book.
    let (expected, received) = lines.engine.book_info(lines.id, now).unwrap().gap;
    assert!(expected < received, "{expected} {received}");
    let mut whole = Lines::new(BINANCE_USDM, 1);
    play(&mut whole, &frames, &vec![[false, true]; frames.len()], 0);
    let text = format!(
        "{{\"symbol\":\"BTCUSDT\",\"lastUpdateId\":{received},\"bids\":[[\"50.0\",\"1\"]],\"asks\":[[\"60.0\",\"1\"]]}}"
    );
    lines.ingest(0, text.as_bytes(), now);
    assert_eq!(lines.state(now), BookState::Synced);
}

#[test]
fn a_book_is_stale_when_its_last_line_fails() {
    let mut random = Random(6);
    let frames = day(false, 10, &mut random);
    let mut lines = Lines::new(BINANCE_SPOT, 2);
    let now = play(&mut lines, &frames, &vec![[false; 2]; frames.len()], MS);
    let sources = lines.sources.clone();
    lines.engine.source_failed(sources[0], now).unwrap();
    lines.engine.source_failed(sources[0], now).unwrap();
    assert_eq!(lines.state(now), BookState::Synced, "the other line goes on");
    lines.engine.source_failed(sources[1], now).unwrap();
    assert_eq!(lines.state(now), BookState::Stale(StaleReason::SourceFailed));
    lines.engine.opened(sources[1], now).unwrap();
    lines.engine.source_failed(sources[1], now).unwrap();
    assert_eq!(lines.state(now), BookState::Stale(StaleReason::SourceFailed));
}

#[test]
fn a_line_that_joined_later_goes_on_alone() {
    let mut lines = Lines::new(BINANCE_USDM, 1);
    let frames = day(true, 20, &mut Random(8));
    for frame in &frames[..11] {
        lines.ingest(0, frame, START);
    }
    let second = lines.engine.open(BINANCE_USDM).unwrap();
    lines.engine.carry(second, &[lines.id]).unwrap();
    lines.engine.succeed(second, lines.sources[0]).unwrap();
    lines.sources.push(second);
    assert_eq!(lines.engine.outstanding(second), Ok(1));
    for frame in &frames[11..15] {
        lines.ingest(0, frame, START);
        lines.ingest(1, frame, START);
    }
    assert_eq!(lines.engine.outstanding(second), Ok(0));
    let first = lines.sources[0];
    lines.engine.drop(first, lines.id, START).unwrap();
    assert_eq!(lines.state(START), BookState::Synced, "the other line has all that it had");
    for frame in &frames[15..] {
        lines.ingest(1, frame, START);
    }
    let info = lines.engine.book_info(lines.id, START).unwrap();
    assert_eq!((info.state, info.mending.losses), (BookState::Synced, 0));
}

#[test]
fn a_single_line_waits_for_nobody() {
    let mut random = Random(7);
    let frames = day(true, 20, &mut random);
    let mut lines = Lines::new(BINANCE_USDM, 2);
    let sources = lines.sources.clone();
    lines.engine.drop(sources[1], lines.id, START).unwrap();
    for (index, frame) in frames.iter().enumerate().filter(|(index, _)| *index != 10) {
        lines.ingest(0, frame, START + index as u64 * STEP);
        if index == 11 {
            assert_eq!(lines.state(START), BookState::Stale(StaleReason::Gap), "at once");
        }
    }
}

/// The messages of a small market's day.
fn itch_day() -> Vec<Vec<u8>> {
    let mut day = ItchDay::new(ItchConfig { orders: 500, ..ItchConfig::new(3, 1) }).unwrap();
    let (mut bytes, mut messages) = (Vec::new(), Vec::new());
    while !day.is_open() || messages.len() < 3_000 {
        bytes.clear();
        day.next(&mut bytes);
        messages.extend(
            BinaryFileFramer::new(LengthPrefix::Stated).messages(&bytes).map(|one| one.unwrap().to_vec()),
        );
    }
    messages
}

#[test]
fn where_nothing_numbers_changes_one_source_alone_counts() {
    let messages = itch_day();
    let symbol = messages
        .iter()
        .find_map(|message| match itch::decode(message) {
            Ok(Message::StockDirectory(directory)) => {
                Some(String::from_utf8(itch::text(directory.stock()).to_vec()).unwrap())
            }
            _ => None,
        })
        .unwrap();
    let engine = |count| {
        let config = EngineConfig { silence_ns: Some(0), ..EngineConfig::default() };
        let mut engine = Engine::new(config, venues::catalogue(), NoClock);
        let id = engine.add_instrument(venues::instrument(NASDAQ, &symbol).unwrap()).unwrap();
        let sources = (0..count).map(|_| engine.open_source(NASDAQ, &[id]).unwrap()).collect();
        Lines { engine, sources, id }
    };
    let mut whole = engine(1);
    for (at, message) in messages.iter().enumerate() {
        whole.ingest(0, message, START + at as u64);
    }
    assert_eq!(whole.state(START), BookState::Synced);
    for lag in [1, 40, 700] {
        let mut lines = engine(2);
        for (at, message) in messages.iter().enumerate() {
            lines.ingest(0, message, START + at as u64);
            if let Some(late) = at.checked_sub(lag) {
                lines.ingest(1, &messages[late], START + at as u64);
            }
        }
        assert_eq!((lines.state(START), lines.digest()), (BookState::Synced, whole.digest()), "{lag}");
        assert_eq!(lines.engine.stats().orders.contradictions, 0);
        let first = lines.sources[0];
        lines.engine.source_failed(first, START).unwrap();
        assert_eq!(
            lines.state(START),
            BookState::Stale(StaleReason::SourceFailed),
            "nobody else has its book"
        );
    }
}

#[test]
fn a_new_connection_asks_for_a_quiet_book_and_a_loss_is_timed() {
    let mut lines = Lines::new(BINANCE_SPOT, 1);
    let source = lines.sources[0];
    lines.tick(START);
    assert!(lines.engine.outbox().front().is_none(), "a connection was not made");
    lines.engine.opened(source, START).unwrap();
    lines.tick(START);
    // Header 16 bytes, then the ticket, the reason and what is asked for: 1 = a snapshot.
    let asked = lines.engine.outbox().front().map(|record| (record[4], record[16], record[21]));
    assert_eq!(asked, Some((2, 1, 1)), "no update has to come first");
    let frames = day(false, 2, &mut Random(1));
    for frame in &frames {
        lines.ingest(0, frame, START);
    }
    lines.engine.source_failed(source, START + STEP).unwrap();
    lines.engine.opened(source, START + 2 * STEP).unwrap();
    let again = frames[1].clone();
    lines.ingest(0, &again, START + 2 * STEP);
    let later = String::from_utf8(frames[0].clone()).unwrap().replace("100", "200");
    let stale = lines.engine.book_info(lines.id, START).unwrap();
    assert_eq!((stale.mending.losses, stale.mending.is_lost), (1, true));
    lines.ingest(0, later.as_bytes(), START + 3 * STEP);
    let mended = lines.engine.book_info(lines.id, START).unwrap();
    assert_eq!(mended.state, BookState::Synced);
    assert_eq!((mended.mending.lost_at, mended.mending.last_ns), (START + STEP, 2 * STEP));
    assert_eq!(lines.engine.stats().mending.sum_ns, 2 * STEP);
}
