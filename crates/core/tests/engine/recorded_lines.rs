//! A journal that says how its connections were taken tells an engine again what it told the one that was live, to the byte.

use depthwire_core::encode::{RECORD_HEADER_BYTES, RecordType};
use depthwire_core::engine::{Engine, EngineConfig, SourceId, detect, listing_of, set_up_for};
use depthwire_core::journal::{Input, SegmentHeader, SetupKind, Writer};
use depthwire_core::types::{BookState, InstrumentId, NoClock, TradingStatus, Venue};
use depthwire_core::venues::{self, BINANCE_SPOT, BITFINEX, KRAKEN, SIM};
use depthwire_sim::dialects::{Dialect, Frames, KrakenPair, KrakenV2};

use crate::random::Random;

const MS: u64 = 1_000_000;
const START: u64 = 1_700_000_000_000 * MS;

/// A live engine, the journal of what it is told, and the frames that it puts out.
struct Live {
    engine: Engine<NoClock>,
    writer: Writer,
    journal: Vec<u8>,
    frames: Vec<Vec<u8>>,
    ticket: u32,
    now: u64,
}

fn engine() -> Engine<NoClock> {
    let mut engine =
        Engine::new(EngineConfig { start_id: 9, ..EngineConfig::default() }, venues::catalogue(), NoClock);
    engine.add_instrument(venues::instrument(KRAKEN, "BTC/USD").unwrap()).unwrap();
    engine
}

fn take(engine: &mut Engine<NoClock>, frames: &mut Vec<Vec<u8>>, ticket: &mut u32) {
    let outbox = engine.outbox();
    while let Some(record) = outbox.front() {
        let size = u32::from_le_bytes(*record.first_chunk().unwrap()) as usize;
        let payload = &record[RECORD_HEADER_BYTES..];
        if record[4] == RecordType::Frame as u8 {
            frames.push(payload[..size].to_vec());
        } else if record[4] == RecordType::Ask as u8 {
            *ticket = u32::from_le_bytes(*payload.first_chunk().unwrap());
        }
        outbox.take();
    }
}

impl Live {
    fn new() -> Self {
        let mut journal = Vec::new();
        let header = SegmentHeader { journal: 1, number: 0, first_seq: 0, created: START };
        let writer = Writer::begin(header, &mut journal);
        Self { engine: engine(), writer, journal, frames: Vec::new(), ticket: 0, now: START }
    }

    fn note(&mut self, line: SourceId, input: &Input<'_>) {
        self.writer.append(line.0, self.now, input, &mut self.journal).unwrap();
    }

    fn set_up(&mut self, line: SourceId, kind: SetupKind, text: &str) {
        self.note(line, &Input::Setup { kind, text: text.as_bytes() });
    }

    fn named(&self, id: InstrumentId) -> String {
        let listed = self.engine.catalogue().get(id).unwrap();
        format!("{}:{}", listed.venue.name(), listed.symbol)
    }

    fn hear_all(&mut self, sources: &[SourceId], frames: &Frames) {
        for frame in frames.iter() {
            for source in sources {
                self.hear(*source, frame.bytes);
            }
        }
    }

    fn connect(&mut self, venue: Venue, id: InstrumentId) -> SourceId {
        let source = self.engine.open(venue).unwrap();
        self.set_up(source, SetupKind::Venue, venue.name());
        let listing = listing_of(self.engine.catalogue().get(id).unwrap());
        self.set_up(source, SetupKind::Instrument, &listing);
        self.engine.carry(source, &[id]).unwrap();
        let name = self.named(id);
        self.set_up(source, SetupKind::Carries, &name);
        self.opened(source);
        source
    }

    fn opened(&mut self, source: SourceId) {
        self.engine.opened(source, self.now).unwrap();
        self.note(source, &Input::Connected(b"wss://a"));
        self.engine.asked(source, b"wss://a").unwrap();
        self.drain();
    }

    fn hear(&mut self, source: SourceId, frame: &[u8]) {
        // Bad frames are journalled like the others.
        let _ = self.engine.ingest(source, frame, self.now);
        self.note(source, &Input::Received(frame));
        self.drain();
    }

    fn answer(&mut self, id: InstrumentId, body: &[u8]) {
        self.engine.answer(id, self.ticket, body, self.now).unwrap();
        let name = self.named(id);
        self.note(SourceId(0), &Input::Answered { url: name.as_bytes(), body });
        self.drain();
    }

    fn lose(&mut self, source: SourceId) {
        self.engine.source_failed(source, self.now).unwrap();
        self.note(source, &Input::Closed);
        self.drain();
    }

    fn hand_over(&mut self, predecessor: SourceId, successor: SourceId) {
        self.engine.succeed(successor, predecessor).unwrap();
        self.set_up(successor, SetupKind::Succeeds, &predecessor.0.to_string());
    }

    fn end(&mut self, source: SourceId, id: InstrumentId) {
        self.engine.drop(source, id, self.now).unwrap();
        let name = self.named(id);
        self.set_up(source, SetupKind::Drops, &name);
        self.drain();
    }

    fn tick(&mut self) {
        self.engine.tick(self.now);
        self.note(SourceId(0), &Input::Ticked);
        self.drain();
    }

    fn drain(&mut self) {
        take(&mut self.engine, &mut self.frames, &mut self.ticket);
    }
}

/// What a journal makes an engine put out, and its books at the end.
fn replayed(journal: &[u8], ids: &[InstrumentId], chunk: usize) -> (Vec<Vec<u8>>, Engine<NoClock>) {
    let mut engine = engine();
    let source = engine.open_recorded(ids).unwrap();
    let (mut frames, mut ticket) = (Vec::new(), 0);
    let (mut from, mut to) = (0, 0);
    while to < journal.len() {
        to = (to + chunk).min(journal.len());
        let last = to == journal.len();
        let progress = engine
            .replay(source, &journal[from..to], last, u64::MAX, |outbox| {
                while let Some(record) = outbox.front() {
                    let size = u32::from_le_bytes(*record.first_chunk().unwrap()) as usize;
                    if record[4] == RecordType::Frame as u8 {
                        frames.push(record[RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + size].to_vec());
                    }
                    outbox.take();
                }
                true
            })
            .unwrap();
        from += progress.consumed;
    }
    assert_eq!(from, journal.len());
    take(&mut engine, &mut frames, &mut ticket);
    (frames, engine)
}

fn depth(first: u64, last: u64, bid: u64) -> Vec<u8> {
    let time = START / MS + last;
    format!(
        "{{\"e\":\"depthUpdate\",\"E\":{time},\"s\":\"BTCUSDT\",\"U\":{first},\"u\":{last},\"b\":[[\"{bid}.5\",\"2\"]],\"a\":[[\"90.25\",\"{last}\"]]}}"
    )
    .into_bytes()
}

/// Three products: two lines of a numbered book, of which each loses something; one that is asked for its snapshot and loses its
/// connection; one that numbers nothing, whose connection another one succeeds.
fn day(seed: u64) -> (Live, [InstrumentId; 3]) {
    let mut random = Random(seed);
    let mut live = Live::new();
    let catalogue = live.engine.catalogue();
    let spot = catalogue.find(BINANCE_SPOT, "BTCUSDT").unwrap();
    let sim = catalogue.find(SIM, "BTCUSDT").unwrap();
    let kraken = catalogue.find(KRAKEN, "BTC/USD").unwrap();
    let (a, b) = (live.connect(BINANCE_SPOT, spot), live.connect(BINANCE_SPOT, spot));
    let c = live.connect(SIM, sim);
    let mut d = live.connect(KRAKEN, kraken);
    let mut market = KrakenV2::new(seed, KrakenPair::BtcUsd, 10);
    let mut frames = Frames::new();
    market.open(START, &mut frames);
    live.hear_all(&[d], &frames);
    let (mut last, mut sim_last) = (100, 100);
    live.hear(c, &depth(100, 100, 50));
    let snapshot = |last: u64| {
        format!("{{\"lastUpdateId\":{last},\"bids\":[[\"50.00\",\"1\"]],\"asks\":[[\"91.00\",\"1\"]]}}")
    };
    live.answer(sim, snapshot(100).as_bytes());
    live.hear(a, &depth(100, 100, 50));
    live.answer(spot, snapshot(100).as_bytes());
    for round in 0..300 {
        live.now += 7 * MS;
        if random.below(3) == 0 {
            live.tick();
        }
        let frame = depth(last + 1, last + 1 + random.below(3), 40 + random.below(20));
        last = {
            let text = String::from_utf8(frame.clone()).unwrap();
            let at = text.find("\"u\":").unwrap() + 4;
            text[at..].split(',').next().unwrap().parse().unwrap()
        };
        let lost = random.below(12);
        for (at, line) in [a, b].into_iter().enumerate() {
            live.now += 1_000;
            if lost as usize != at && lost != 5 {
                live.hear(line, &frame);
            }
        }
        sim_last += 1;
        live.hear(c, &depth(sim_last, sim_last, 40 + random.below(20)));
        if round == 100 {
            live.lose(c);
            live.now += 500 * MS;
            live.opened(c);
            sim_last += 50;
            live.hear(c, &depth(sim_last, sim_last, 55));
            live.answer(sim, snapshot(sim_last).as_bytes());
        }
        let mut frames = Frames::new();
        market.step(u64::MAX, &mut frames);
        live.hear_all(&[d], &frames);
        if round == 150 {
            let next = live.connect(KRAKEN, kraken);
            live.hand_over(d, next);
            let mut snapshot = Frames::new();
            market.resubscribe(START + round * 20 * MS, &mut snapshot);
            live.hear_all(&[next], &snapshot);
            for _ in 0..5 {
                let mut frames = Frames::new();
                market.step(u64::MAX, &mut frames);
                live.hear_all(&[d, next], &frames);
            }
            live.end(d, kraken);
            d = next;
        }
        if random.below(40) == 0 {
            live.hear(a, b"{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":");
        }
    }
    (live, [spot, sim, kraken])
}

#[test]
fn what_was_live_comes_again_to_the_byte() {
    for seed in 1..20 {
        let (mut live, ids) = day(seed);
        live.drain();
        let Live { engine, writer, mut journal, frames, now, .. } = live;
        writer.close(&mut journal);
        for chunk in [usize::MAX / 2, 1 << 18] {
            let (again, read) = replayed(&journal, &ids, chunk);
            assert_eq!(again.len(), frames.len(), "{seed}");
            for (at, (again, frame)) in again.iter().zip(&frames).enumerate() {
                assert!(again == frame, "seed {seed}: frame {at} is another one");
            }
            for id in ids {
                assert_eq!(read.digest(id), engine.digest(id), "{seed}");
                let state = |of: &Engine<NoClock>| of.book_info(id, now).unwrap().state;
                assert_eq!(state(&read), state(&engine), "{seed}");
            }
            // What both lines lost is lost here, too; whose connection another one succeeded was never lost.
            assert_eq!(read.book_info(ids[2], now).unwrap().state, BookState::Synced, "{seed}");
        }
    }
}

#[test]
fn of_a_journal_what_is_wanted_is_taken() {
    let (live, ids) = day(1);
    let Live { engine, writer, mut journal, .. } = live;
    writer.close(&mut journal);
    for id in ids {
        let (frames, read) = replayed(&journal, &[id], 1 << 18);
        assert_eq!(read.digest(id), engine.digest(id));
        assert!(!frames.is_empty());
    }
    let found = detect(&journal).unwrap();
    let names: Vec<_> = found.iter().map(|(venue, symbol)| format!("{}:{symbol}", venue.name())).collect();
    assert_eq!(names, ["binance:BTCUSDT", "sim:BTCUSDT", "kraken:BTC/USD"]);
    let listed = set_up_for(&journal).unwrap();
    assert!(ids.iter().all(|id| listed.iter().any(|listed| Some(listed) == engine.catalogue().get(*id))));
    assert_eq!(set_up_for(b"1 {}\n"), None);
}

/// What a setup says that nobody can do is told, and all else of the journal counts.
#[test]
fn a_setup_that_makes_no_sense_is_an_error_of_its_own() {
    for (kind, text, is_wrong) in [
        (SetupKind::Venue, "nowhere", true),
        (SetupKind::Instrument, "x", true),
        (SetupKind::Succeeds, "7", true),
        (SetupKind::Succeeds, "x", true),
        (SetupKind::Drops, "sim:NONE", false),
        (SetupKind::Carries, "nowhere:X\nkraken:BTC/USD", true),
        (SetupKind::Carries, "nowhere:X\nsim:ETHUSDT", false),
    ] {
        let mut live = Live::new();
        let id = live.engine.catalogue().find(SIM, "BTCUSDT").unwrap();
        let line = live.connect(SIM, id);
        live.set_up(line, kind, text);
        live.hear(line, &depth(100, 100, 50));
        live.answer(id, b"{\"lastUpdateId\":100,\"bids\":[],\"asks\":[]}");
        let kraken = live.engine.catalogue().find(KRAKEN, "BTC/USD").unwrap();
        let Live { writer, mut journal, .. } = live;
        writer.close(&mut journal);
        let mut engine = engine();
        let source = engine.open_recorded(&[id, kraken]).unwrap();
        let progress = engine.replay(source, &journal, true, u64::MAX, |outbox| {
            while outbox.front().is_some() {
                outbox.take();
            }
            true
        });
        assert_eq!(progress.unwrap().error.map(|error| error.code()).is_some(), is_wrong, "{kind:?} {text}");
        assert_eq!(engine.book_info(id, START).unwrap().state, BookState::Synced);
    }
}

/// Where records are missing a connection may have been made anew, and its numbers may mean other books.
#[test]
fn behind_a_hole_no_number_of_a_channel_is_believed() {
    let mut live = Live::new();
    let made = venues::instrument(BITFINEX, "tBTCUSD").unwrap();
    let id = live.engine.add_instrument(made.clone()).unwrap();
    let line = live.connect(BITFINEX, id);
    let subscribed = "{\"event\":\"subscribed\",\"channel\":\"book\",\"chanId\":1,\"symbol\":\"tBTCUSD\",\"prec\":\"P0\",\"freq\":\"F0\",\"len\":\"25\",\"pair\":\"BTCUSD\"}";
    live.hear(line, subscribed.as_bytes());
    live.hear(line, b"[1,[[100,1,2],[101,1,-2]]]");
    assert_eq!(live.engine.book_info(id, live.now).unwrap().state, BookState::Synced);
    // Another connection followed, whose first channel is of another pair, and all of that is missing.
    live.note(SourceId(0), &Input::Missed { loses: true, code: b"journal.behind" });
    live.hear(line, b"[1,[[7,1,2],[8,1,-2]]]");
    live.hear(line, b"[1,[7,1,3]]");
    let Live { writer, mut journal, .. } = live;
    writer.close(&mut journal);
    let mut engine = engine();
    assert_eq!(engine.add_instrument(made), Ok(id));
    let source = engine.open_recorded(&[id]).unwrap();
    let drain = |outbox: &mut depthwire_core::encode::Outbox| {
        while outbox.front().is_some() {
            outbox.take();
        }
        true
    };
    engine.replay(source, &journal, true, u64::MAX, drain).unwrap();
    let state = engine.book_info(id, START).unwrap().state;
    assert!(matches!(state, BookState::Stale(_)), "{state:?}");
}

/// A list that is asked for again may change what readers are told, and does so where it did.
#[test]
fn a_definition_is_taken_where_it_was_made() {
    let mut live = Live::new();
    let id = live.engine.catalogue().find(SIM, "BTCUSDT").unwrap();
    let line = live.connect(SIM, id);
    live.hear(line, &depth(100, 100, 50));
    live.answer(id, b"{\"lastUpdateId\":100,\"bids\":[[\"50.00\",\"1\"]],\"asks\":[[\"91.00\",\"1\"]]}");
    for (at, status) in
        [TradingStatus::Halted, TradingStatus::Halted, TradingStatus::Trading].into_iter().enumerate()
    {
        let mut defined = live.engine.catalogue().get(id).unwrap().clone();
        defined.terms.status = status;
        live.set_up(line, SetupKind::Defined, &listing_of(&defined));
        live.engine.define(defined, live.now).unwrap();
        live.drain();
        // As the head of a segment says it again.
        let listing = listing_of(live.engine.catalogue().get(id).unwrap());
        live.set_up(line, SetupKind::Instrument, &listing);
        live.now += MS;
        live.hear(line, &depth(101 + at as u64, 101 + at as u64, 50));
    }
    let Live { writer, mut journal, frames, .. } = live;
    writer.close(&mut journal);
    assert!(frames.len() > 10);
    assert_eq!(replayed(&journal, &[id], 1 << 18).0, frames);
}
