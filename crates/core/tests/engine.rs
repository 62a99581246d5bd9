//! What the engine does apart from the straight way: silence, resets, snapshots that do not fit, views, bad input.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

use depthwire_core::encode::{Kind, RECORD_HEADER_BYTES, RecordType, Stream, find_header};
use depthwire_core::engine::{Engine, EngineConfig, EngineError, IngestError, Listed, SourceId};
use depthwire_core::types::{BookState, Decimal, Instrument, InstrumentId, NoClock, StaleReason};
use depthwire_core::venues;

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;

/// One record as a test looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Frame { kind: u8, stream: u8, epoch: u32, seq: u64, prev_seq: u64, flags: u16 },
    Request { ticket: u32 },
}

struct Rig {
    engine: Engine<NoClock>,
    source: SourceId,
    id: InstrumentId,
    now: u64,
    /// Of the last request seen.
    ticket: u32,
}

impl Rig {
    fn new(config: EngineConfig) -> Self {
        let catalogue = venues::catalogue();
        let id = catalogue.find(venues::SIM, "BTCUSDT").unwrap();
        let mut engine = Engine::new(config, catalogue, NoClock);
        let source = engine.open_source(venues::SIM, &[id]).unwrap();
        Self { engine, source, id, now: S, ticket: 0 }
    }

    /// A rig whose book is synced at 100, with one level a side.
    fn synced(config: EngineConfig) -> Self {
        let mut rig = Self::new(config);
        rig.depth(99, 100, "", "");
        rig.snapshot(100, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
        assert_eq!(rig.state(), BookState::Synced);
        rig.seen();
        rig
    }

    fn snapshot(&mut self, last_id: u64, bids: &str, asks: &str) -> Result<(), IngestError> {
        let text = format!("{{\"lastUpdateId\":{last_id},\"bids\":[{bids}],\"asks\":[{asks}]}}");
        self.answer(text.as_bytes())
    }

    /// Answers the last request.
    fn answer(&mut self, bytes: &[u8]) -> Result<(), IngestError> {
        self.seen();
        self.engine.answer(self.id, self.ticket, bytes, self.now)
    }

    fn depth(&mut self, first: u64, last: u64, bids: &str, asks: &str) {
        let text = format!(
            "{{\"stream\":\"btcusdt@depth\",\"data\":{{\"e\":\"depthUpdate\",\"E\":1700000000000,\"s\":\"BTCUSDT\",\"U\":{first},\"u\":{last},\"b\":[{bids}],\"a\":[{asks}]}}}}"
        );
        self.engine.ingest(self.source, text.as_bytes(), self.now).unwrap();
    }

    fn trade(&mut self, kind: &str, id: u64) {
        let key = if kind == "trade" { "t" } else { "a" };
        let text = format!(
            "{{\"e\":\"{kind}\",\"E\":1700000000000,\"s\":\"BTCUSDT\",\"{key}\":{id},\"p\":\"10.50\",\"q\":\"0.5\",\"T\":1700000000000,\"m\":true}}"
        );
        self.engine.ingest(self.source, text.as_bytes(), self.now).unwrap();
    }

    fn tick(&mut self) {
        self.engine.tick(self.now);
    }

    fn state(&self) -> BookState {
        self.engine.book_info(self.id, self.now).unwrap().state
    }

    fn seen(&mut self) -> Vec<Seen> {
        let outbox = self.engine.outbox();
        let mut seen = Vec::new();
        while let Some(record) = outbox.front() {
            let payload = &record[RECORD_HEADER_BYTES..];
            seen.push(if record[4] == RecordType::Frame as u8 {
                frame(payload)
            } else {
                Seen::Request { ticket: u32::from_le_bytes(*payload.first_chunk().unwrap()) }
            });
            outbox.take();
        }
        for record in &seen {
            if let Seen::Request { ticket } = record {
                self.ticket = *ticket;
            }
        }
        seen
    }

    fn image(&mut self, stream: Stream) -> Vec<Seen> {
        let mut frames = Vec::new();
        self.engine.image(self.id, stream, self.now, |bytes| frames.push(frame(bytes))).unwrap();
        frames
    }
}

fn frame(bytes: &[u8]) -> Seen {
    let header = &bytes[find_header(bytes).unwrap()..];
    let word = |at: usize| u64::from_le_bytes(header[at..8 + at].try_into().unwrap());
    Seen::Frame {
        kind: header[60],
        stream: header[61],
        epoch: word(0) as u32,
        seq: word(8),
        prev_seq: word(16),
        flags: u16::from_le_bytes([header[62], header[63]]),
    }
}

fn kinds(seen: &[Seen]) -> Vec<(u8, u8)> {
    seen.iter()
        .filter_map(|seen| match seen {
            Seen::Frame { kind, stream, .. } => Some((*kind, *stream)),
            Seen::Request { .. } => None,
        })
        .collect()
}

const IMAGE: u8 = Kind::Image as u8;
const DELTA: u8 = Kind::Delta as u8;
const BBO: u8 = Kind::Bbo as u8;
const CHECK: u8 = Kind::Check as u8;
const STATUS: u8 = Kind::Status as u8;

#[test]
fn an_epoch_opens_with_images_and_its_deltas_link_up() {
    let mut rig = Rig::new(EngineConfig { start_id: 9, ..EngineConfig::default() });
    assert_eq!(rig.image(Stream::BOOK), [], "a book that never was has no image");
    rig.depth(95, 99, "[\"9.00\",\"5\"]", "");
    assert_eq!(rig.seen(), [Seen::Request { ticket: 1 }]);
    rig.depth(100, 102, "[\"10.00\",\"2\"]", "");
    assert_eq!(rig.seen(), [], "one request in flight");
    rig.snapshot(100, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    let opened = rig.seen();
    assert_eq!(kinds(&opened), [(IMAGE, 1), (IMAGE, 2), (IMAGE, 3), (IMAGE, 8), (STATUS, 4)]);
    for seen in &opened {
        let Seen::Frame { epoch, seq, prev_seq, .. } = *seen else { unreachable!() };
        assert_eq!((epoch, seq, prev_seq), (1, 1, 1));
    }
    let info = rig.engine.book_info(rig.id, rig.now).unwrap();
    assert_eq!((info.venue_seq, info.epoch), (102, 9 << 32 | 1), "the waiting update was applied, once");
    rig.depth(103, 103, "[\"10.00\",\"3\"]", "");
    rig.depth(104, 104, "[\"8.00\",\"3\"]", "");
    let flags = 32;
    assert_eq!(
        rig.seen(),
        [
            Seen::Frame { kind: DELTA, stream: 1, epoch: 1, seq: 2, prev_seq: 1, flags },
            Seen::Frame { kind: BBO, stream: 2, epoch: 1, seq: 2, prev_seq: 1, flags },
            Seen::Frame { kind: DELTA, stream: 1, epoch: 1, seq: 3, prev_seq: 2, flags },
        ]
    );
}

#[test]
fn silence_makes_a_book_stale_until_an_update_continues_it() {
    let mut rig = Rig::synced(EngineConfig { silence_ns: Some(5 * S), ..EngineConfig::default() });
    rig.now += 5 * S;
    rig.tick();
    assert_eq!(rig.state(), BookState::Synced, "not longer than the limit");
    rig.trade("trade", 1);
    rig.now += 1;
    rig.tick();
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Silence), "trades do not keep a book alive");
    let seen = rig.seen();
    assert!(seen.contains(&Seen::Request { ticket: 2 }));
    assert!(kinds(&seen).contains(&(STATUS, 4)));
    rig.depth(101, 101, "[\"10.00\",\"7\"]", "");
    let images = [(IMAGE, 1), (IMAGE, 2), (IMAGE, 3), (IMAGE, 8), (STATUS, 4)];
    assert_eq!(kinds(&rig.seen()), images, "an update that continues the book shows that nothing was missed");
    assert_eq!(rig.state(), BookState::Synced);
    let stats = rig.engine.stats();
    assert_eq!((stats.silences, stats.resyncs, stats.gaps), (1, 1, 0));
    assert_eq!(rig.engine.book_info(rig.id, rig.now).unwrap().epoch & 0xFFFF_FFFF, 2, "a new epoch");
}

#[test]
fn a_snapshot_that_does_not_bridge_is_refused_and_asked_for_again() {
    let mut rig = Rig::new(EngineConfig::default());
    rig.depth(110, 112, "[\"10.00\",\"1\"]", "");
    rig.seen();
    rig.snapshot(100, "[\"1.00\",\"1\"]", "[\"2.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Syncing);
    assert_eq!(rig.engine.stats().snapshots_old, 1);
    rig.tick();
    assert_eq!(rig.seen(), [], "after a pause");
    rig.now += 250 * MS;
    rig.tick();
    assert_eq!(rig.seen(), [Seen::Request { ticket: 2 }]);
    rig.snapshot(111, "[\"10.00\",\"4\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Synced);
}

#[test]
fn a_hole_among_the_waiting_updates_needs_a_snapshot_beyond_it() {
    let mut rig = Rig::new(EngineConfig::default());
    rig.depth(100, 101, "[\"9.00\",\"1\"]", "");
    rig.depth(105, 106, "[\"9.50\",\"1\"]", "");
    rig.snapshot(100, "[\"8.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!((rig.state(), rig.engine.stats().gaps), (BookState::Syncing, 1));
    assert!(kinds(&rig.seen()).is_empty(), "nothing of a book that is not whole is published");
    rig.snapshot(104, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Synced);
    assert_eq!(rig.engine.book_info(rig.id, 0).unwrap().venue_seq, 106);
}

#[test]
fn a_reset_is_syncing_and_then_a_new_epoch() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.engine.reset_source(rig.source, rig.now).unwrap();
    assert_eq!(rig.state(), BookState::Syncing);
    assert_eq!(kinds(&rig.seen()), [(STATUS, 4)]);
    assert_eq!(rig.image(Stream::BOOK), [], "the old book is gone");
    rig.now = S / 2;
    rig.depth(5, 6, "[\"10.00\",\"1\"]", "");
    assert_eq!(rig.seen(), [Seen::Request { ticket: 3 }], "time may run backwards over a reset");
    rig.snapshot(5, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(rig.engine.book_info(rig.id, rig.now).unwrap().epoch, 2);
}

#[test]
fn too_many_levels_make_the_book_stale_not_wrong() {
    let mut rig = Rig::synced(EngineConfig { levels_max: 3, ..EngineConfig::default() });
    rig.depth(101, 101, "[\"9.00\",\"1\"],[\"8.00\",\"1\"]", "");
    assert_eq!(rig.state(), BookState::Stale(StaleReason::LevelsLimit));
    assert!(!kinds(&rig.seen()).contains(&(DELTA, 1)));
    rig.now += S;
    rig.tick();
    rig.snapshot(101, "[\"9.00\",\"1\"],[\"8.00\",\"1\"]", "[\"11.00\",\"1\"],[\"12.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Stale(StaleReason::LevelsLimit), "a snapshot over the limit as well");
}

#[test]
fn a_stale_book_is_answered_and_says_so() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.depth(105, 105, "[\"9.00\",\"1\"]", "");
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Gap));
    let image = rig.image(Stream::BOOK);
    assert_eq!(image, [Seen::Frame { kind: IMAGE, stream: 1, epoch: 1, seq: 1, prev_seq: 1, flags: 32 | 2 }]);
}

#[test]
fn views_publish_net_changes_at_their_interval() {
    let mut rig = Rig::synced(EngineConfig::default());
    let every = rig.engine.open_depth(rig.id, 1, 0, rig.now).unwrap();
    let slow = rig.engine.open_depth(rig.id, 1, 100 * MS, rig.now).unwrap();
    assert_eq!(rig.engine.open_depth(rig.id, 1, 0, rig.now).unwrap(), every, "alike views are shared");
    assert_eq!((every.0, slow.0), (16, 17));
    assert_eq!(rig.image(slow).len(), 1);
    rig.now += 10 * MS;
    rig.depth(101, 101, "[\"10.00\",\"2\"],[\"9.00\",\"1\"]", "");
    rig.depth(102, 102, "[\"10.00\",\"3\"]", "");
    rig.depth(103, 103, "[\"9.00\",\"3\"]", "");
    let seen = rig.seen();
    assert_eq!(kinds(&seen).iter().filter(|seen| **seen == (DELTA, every.0)).count(), 2, "9.00 is not in it");
    assert!(!kinds(&seen).contains(&(DELTA, slow.0)));
    rig.now += 90 * MS;
    rig.tick();
    let conflated = Seen::Frame { kind: DELTA, stream: slow.0, epoch: 1, seq: 2, prev_seq: 1, flags: 32 | 1 };
    assert!(rig.seen().contains(&conflated));
    rig.engine.close_depth(rig.id, slow);
    rig.engine.close_depth(rig.id, every);
    rig.engine.close_depth(rig.id, every);
    assert_eq!(rig.image(every), [], "the last reader closes it");
    assert_eq!(rig.engine.open_depth(rig.id, 0, 0, 0), Err(EngineError::ViewRange));
    assert_eq!(rig.engine.open_depth(rig.id, 101, 0, 0), Err(EngineError::ViewRange));
    for grouping in [-1, 3] {
        let mut rig = Rig::synced(EngineConfig::default());
        let listed = rig.engine.catalogue().get(rig.id).unwrap().clone();
        assert_eq!((listed.tick_size, listed.price_exponent), (1, -2));
        rig.engine.define(Instrument { tick_size: 2, ..listed }, rig.now).unwrap();
        let opened = rig.engine.open_grouped_depth(rig.id, 1, 0, grouping, 0);
        assert_eq!(opened, Err(EngineError::ViewGrouping { tick: 2, grouping }));
        assert!(rig.engine.open_grouped_depth(rig.id, 1, 0, 4, 0).is_ok());
    }
    assert_eq!(rig.engine.open_depth(rig.id, 1, 61 * S, 0), Err(EngineError::ViewRange));
    for interval_ms in 0..32 {
        rig.engine.open_depth(rig.id, 5, interval_ms * MS, 0).unwrap();
    }
    assert_eq!(rig.engine.open_depth(rig.id, 6, 0, 0), Err(EngineError::ViewsFull));
}

#[test]
fn a_changed_book_is_checked_once_a_second() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.now += 2 * S;
    rig.tick();
    assert_eq!(rig.seen(), [], "nothing changed");
    rig.depth(101, 101, "[\"10.00\",\"2\"]", "");
    assert!(kinds(&rig.seen()).contains(&(CHECK, 1)));
    rig.depth(102, 102, "[\"10.00\",\"3\"]", "");
    assert!(!kinds(&rig.seen()).contains(&(CHECK, 1)));
    rig.now += S;
    rig.tick();
    let check = |stream, seq| Seen::Frame { kind: CHECK, stream, epoch: 1, seq, prev_seq: seq, flags: 0 };
    assert_eq!(rig.seen(), [check(1, 3)]);
    let view = rig.engine.open_depth(rig.id, 1, 0, rig.now).unwrap();
    rig.depth(103, 103, "[\"10.00\",\"4\"]", "");
    rig.seen();
    rig.now += S;
    rig.tick();
    assert_eq!(rig.seen(), [check(view.0, 2), check(1, 4)], "a view that changed is checked as well");
}

#[test]
fn one_kind_of_trade_message_is_passed_on() {
    let mut rig = Rig::new(EngineConfig::default());
    rig.trade("trade", 7);
    rig.trade("aggTrade", 3);
    rig.trade("trade", 8);
    assert_eq!(kinds(&rig.seen()), [(5, 3), (5, 3)]);
    let stats = rig.engine.stats();
    assert_eq!((stats.trades, stats.ignored), (2, 1));
}

#[test]
fn a_crossed_book_says_so_and_a_contradicted_one_is_stale() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.depth(101, 101, "[\"11.50\",\"1\"]", "");
    let flagged = |rig: &mut Rig| match rig.seen()[0] {
        Seen::Frame { flags, .. } => flags,
        Seen::Request { .. } => 0,
    };
    assert_eq!((flagged(&mut rig), rig.engine.stats().crossed), (32 | 8, 1));
    rig.depth(102, 102, "[\"11.50\",\"0\"]", "");
    assert_eq!(flagged(&mut rig), 32);
    rig.now += 2 * S;
    let ticker = b"{\"u\":102,\"s\":\"BTCUSDT\",\"b\":\"10.00\",\"B\":\"9\",\"a\":\"11.00\",\"A\":\"1\"}";
    rig.engine.ingest(rig.source, ticker, rig.now).unwrap();
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Contradiction), "the venue says another top");
    let seen = rig.seen();
    assert!(kinds(&seen).contains(&(STATUS, 4)) && seen.contains(&Seen::Request { ticket: 2 }), "{seen:?}");
    rig.depth(103, 103, "[\"10.00\",\"9\"]", "");
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Contradiction), "no update mends it");
    rig.snapshot(102, "[\"10.00\",\"9\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Synced);
    let stats = rig.engine.stats();
    assert_eq!((stats.bbo_checked, stats.bbo_matched, stats.contradictions), (1, 0, 1));
}

#[test]
fn bad_input_disturbs_nothing_else() {
    let mut rig = Rig::synced(EngineConfig::default());
    for bad in [
        &b""[..],
        b"{",
        b"\x00\xff",
        b"{\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\",\"U\":101,\"u\":101,\"b\":[[\"10.00\",\"-1\"]],\"a\":[]}",
    ] {
        assert!(matches!(rig.engine.ingest(rig.source, bad, rig.now), Err(IngestError::Frame(_))));
    }
    let foreign =
        b"{\"e\":\"trade\",\"E\":1,\"s\":\"XRPUSDT\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"T\":1,\"m\":true}";
    assert!(rig.engine.ingest(rig.source, foreign, rig.now).is_err());
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Unreadable), "it may have been an update");
    assert_eq!((rig.engine.stats().decode_errors, rig.engine.stats().foreign), (4, 1));
    rig.depth(101, 101, "[\"10.00\",\"2\"]", "");
    assert_eq!(rig.state(), BookState::Synced, "the venue's numbers say that nothing was missed");
    let info = rig.engine.book_info(rig.id, 0).unwrap();
    assert_eq!((info.seq, info.epoch as u32), (1, 2));
}

#[test]
fn what_was_on_its_way_when_an_instrument_left_is_passed_over() {
    let mut rig = Rig::new(EngineConfig::default());
    let other = venues::instrument(venues::SIM, "ETHUSDT").unwrap();
    let other = rig.engine.add_instrument(other).unwrap();
    rig.engine.carry(rig.source, &[other]).unwrap();
    rig.engine.drop(rig.source, other, rig.now).unwrap();
    let trade = |symbol: &str| {
        format!(
            "{{\"stream\":\"{}@trade\",\"data\":{{\"e\":\"trade\",\"E\":1700000000000,\"s\":\"{symbol}\",\"t\":1,\"p\":\"10.00\",\"q\":\"1\",\"T\":1700000000000,\"m\":true}}}}",
            symbol.to_lowercase()
        )
    };
    let ignored = rig.engine.stats().ignored;
    assert_eq!(rig.engine.ingest(rig.source, trade("ETHUSDT").as_bytes(), rig.now), Ok(()));
    assert_eq!((rig.engine.stats().ignored, rig.engine.stats().foreign), (ignored + 1, 0));
    let unnamed = b"{\"lastUpdateId\":200,\"bids\":[[\"1.00\",\"1\"]],\"asks\":[[\"2.00\",\"1\"]]}";
    rig.engine.ingest(rig.source, unnamed, rig.now).unwrap();
    rig.depth(200, 201, "", "");
    assert_ne!(rig.state(), BookState::Synced, "it may be of the one that left");
    assert!(
        rig.engine
            .ingest(rig.source, trade("LTCUSDT").as_bytes(), rig.now)
            .is_err_and(|error| error.is_foreign())
    );
    assert_eq!(rig.engine.drop(rig.source, other, rig.now), Err(EngineError::UnknownInstrument(other.0)));
    rig.engine.carry(rig.source, &[other]).unwrap();
    assert_eq!(rig.engine.ingest(rig.source, trade("ETHUSDT").as_bytes(), rig.now), Ok(()));
    assert_eq!((rig.engine.stats().ignored, rig.engine.stats().trades), (ignored + 1, 1));
}

#[test]
fn calls_that_cannot_be_done_change_nothing() {
    let mut rig = Rig::new(EngineConfig::default());
    let other = venues::catalogue().find(venues::BINANCE_USDM, "BTCUSDT").unwrap();
    let engine = &mut rig.engine;
    assert_eq!(engine.open_source(venues::SIM, &[]), Err(EngineError::SourceInstruments));
    assert_eq!(engine.open_source(venues::SIM, &[rig.id, rig.id]), Err(EngineError::SourceInstruments));
    assert_eq!(
        engine.open_source(venues::BINANCE_USDM, &[other, other]),
        Err(EngineError::SourceInstruments)
    );
    assert_eq!(engine.open_source(venues::SIM, &[other]), Err(EngineError::WrongVenue));
    let nobody = InstrumentId(1);
    assert_eq!(engine.open_source(venues::SIM, &[nobody]), Err(EngineError::UnknownInstrument(1)));
    assert_eq!(engine.ingest(SourceId(5), b"{}", 0), Err(IngestError::Engine(EngineError::UnknownSource(5))));
    assert_eq!(engine.image(nobody, Stream::BOOK, 0, |_| {}), Err(EngineError::UnknownInstrument(1)));
    assert_eq!(engine.book_info(nobody, 0), None);
    let rescaled = Instrument { price_exponent: -4, ..engine.catalogue().get(rig.id).unwrap().clone() };
    assert_eq!(engine.add_instrument(rescaled), Err(EngineError::InUse));
    let unlisted = venues::instrument(venues::BINANCE_SPOT, "NEWUSDT").unwrap();
    let added = engine.add_instrument(unlisted.clone()).unwrap();
    assert_eq!(engine.add_instrument(unlisted), Ok(added));
    assert!(engine.open_source(venues::BINANCE_SPOT, &[added]).is_ok());
}

#[test]
fn a_venue_lists_and_changes_instruments_while_books_run() {
    let mut rig = Rig::synced(EngineConfig::default());
    let listed = |symbol: &str, tick: &[u8], lot: &[u8]| {
        let decimal = |text| Decimal::parse(text).unwrap();
        venues::instrument(venues::SIM, symbol).unwrap().listed(decimal(tick), decimal(lot))
    };
    let (id, is) = rig.engine.define(listed("NEWUSDT", b"0.1", b"1"), rig.now).unwrap();
    assert_eq!(is, Listed::New);
    assert_eq!(rig.engine.define(listed("NEWUSDT", b"0.1", b"1"), rig.now), Ok((id, Listed::Same)));
    assert_eq!(rig.engine.define(listed("NEWUSDT", b"0.5", b"1"), rig.now), Ok((id, Listed::Changed)));
    assert_eq!(rig.engine.catalogue().get(id).unwrap().tick_size, 5);
    // Of one that has a book a coarser list changes the increments, a finer one the scale too, in another epoch.
    let held = rig.engine.catalogue().get(rig.id).unwrap().clone();
    assert_eq!((held.price_exponent, held.tick_size), (-2, 1));
    let epoch = |rig: &Rig| rig.engine.book_info(rig.id, rig.now).unwrap().epoch;
    let before = epoch(&rig);
    rig.engine.define(listed("BTCUSDT", b"0.5", b"0.00001"), rig.now).unwrap();
    let held = rig.engine.catalogue().get(rig.id).unwrap();
    assert_eq!((held.price_exponent, held.tick_size, epoch(&rig)), (-2, 50, before));
    rig.engine.define(listed("BTCUSDT", b"0.001", b"0.00001"), rig.now).unwrap();
    let held = rig.engine.catalogue().get(rig.id).unwrap();
    assert_eq!((held.price_exponent, held.tick_size, epoch(&rig)), (-3, 1, before + 1));
    assert_eq!(rig.state(), BookState::Synced);
    rig.depth(101, 101, "[\"10.005\",\"1\"]", "");
    assert_eq!(rig.engine.book_info(rig.id, rig.now).unwrap().bbo.bid.unwrap().price.0, 10_005);
}

#[test]
fn an_answer_from_before_a_reset_is_void() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.depth(105, 105, "[\"9.00\",\"1\"]", "");
    rig.seen();
    let before = rig.ticket;
    rig.engine.reset_source(rig.source, rig.now).unwrap();
    rig.depth(1, 1, "[\"9.00\",\"1\"]", "");
    rig.seen();
    assert_ne!(rig.ticket, before);
    let late = b"{\"lastUpdateId\":104,\"bids\":[],\"asks\":[]}";
    let refused = rig.engine.answer(rig.id, before, late, rig.now);
    assert_eq!(refused, Err(IngestError::Engine(EngineError::StaleAnswer(before))));
    assert_eq!(rig.state(), BookState::Syncing);
    rig.snapshot(1, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!((rig.state(), rig.engine.book_info(rig.id, 0).unwrap().venue_seq), (BookState::Synced, 1));
}

#[test]
fn a_venue_that_counts_anew_does_not_freeze_the_book() {
    let mut rig = Rig::synced(EngineConfig { silence_ns: Some(5 * S), ..EngineConfig::default() });
    for id in 1..=99 {
        rig.now += 100 * MS;
        rig.depth(id, id, "[\"10.00\",\"9\"]", "");
        rig.tick();
    }
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Silence), "repetitions do not keep a book alive");
    let mut rig = Rig::synced(EngineConfig::default());
    for _ in 0..1_000 {
        rig.depth(50, 50, "[\"10.00\",\"9\"]", "");
    }
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Gap), "nor are they ignored for ever");
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_up() {
    let mut rig = Rig::synced(EngineConfig { silence_ns: Some(5 * S), ..EngineConfig::default() });
    let view = rig.engine.open_depth(rig.id, 5, 100 * MS, rig.now).unwrap();
    rig.now += 4_000 * S;
    rig.depth(101, 101, "[\"10.00\",\"2\"]", "");
    rig.seen();
    rig.now -= 4_000 * S;
    rig.depth(102, 102, "[\"10.00\",\"3\"]", "");
    let seen = kinds(&rig.seen());
    assert!(seen.contains(&(DELTA, view.0)) && seen.contains(&(CHECK, 1)), "{seen:?}");
    rig.tick();
    rig.now += 6 * S;
    rig.tick();
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Silence));
}

#[test]
fn an_answer_older_than_the_book_is_refused() {
    let mut rig = Rig::synced(EngineConfig { silence_ns: Some(5 * S), ..EngineConfig::default() });
    rig.depth(101, 200, "[\"10.00\",\"2\"]", "");
    rig.now += 6 * S;
    rig.tick();
    rig.snapshot(150, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!((rig.state(), rig.engine.stats().snapshots_old), (BookState::Stale(StaleReason::Silence), 1));
    rig.snapshot(200, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Synced);
}

#[test]
fn a_book_that_fails_to_sync_is_left_as_it_was() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.depth(105, 105, "[\"9.00\",\"1\"]", "");
    rig.depth(110, 110, "[\"9.00\",\"2\"]", "");
    let digest = rig.engine.digest(rig.id);
    rig.now += S;
    rig.tick();
    rig.snapshot(104, "[\"1.00\",\"1\"]", "[\"2.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Stale(StaleReason::Gap));
    assert_eq!(rig.engine.digest(rig.id), digest, "a hole behind the snapshot: nothing was loaded");
    let mut rig = Rig::new(EngineConfig { levels_max: 1, ..EngineConfig::default() });
    rig.depth(1, 1, "", "");
    rig.snapshot(1, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(rig.state(), BookState::Stale(StaleReason::LevelsLimit));
    assert_eq!(rig.image(Stream::BOOK), [], "a book that never was has no image");
}

#[test]
fn images_stand_where_their_content_does() {
    let mut rig = Rig::synced(EngineConfig::default());
    let view = rig.engine.open_depth(rig.id, 1, 100 * MS, rig.now).unwrap();
    let ticker = b"{\"u\":101,\"s\":\"BTCUSDT\",\"b\":\"10.00\",\"B\":\"9\",\"a\":\"11.00\",\"A\":\"1\"}";
    assert_eq!(rig.image(Stream::VENUE_BBO), [], "there is none before the first ticker");
    rig.engine.ingest(rig.source, ticker, rig.now).unwrap();
    assert_eq!(kinds(&rig.seen()), [(IMAGE, 5)], "the first ticker is the image");
    rig.trade("trade", 77);
    rig.now += MS;
    rig.depth(101, 150, "[\"10.00\",\"9\"]", "");
    let mut venue_seq_of = |stream| {
        let mut venue_seq = 0;
        let read = |bytes: &[u8]| {
            let header = &bytes[find_header(bytes).unwrap()..];
            venue_seq = u64::from_le_bytes(header[24..32].try_into().unwrap());
        };
        rig.engine.image(rig.id, stream, rig.now, read).unwrap();
        venue_seq
    };
    assert_eq!(venue_seq_of(Stream::BOOK), 150);
    assert_eq!(venue_seq_of(Stream::BBO), 150);
    assert_eq!(venue_seq_of(view), 100, "the touched view has not been published since");
    assert_eq!(venue_seq_of(Stream::VENUE_BBO), 101);
    assert_eq!(venue_seq_of(Stream::TRADES), 77);
    let older = b"{\"u\":99,\"s\":\"BTCUSDT\",\"b\":\"1.00\",\"B\":\"9\",\"a\":\"2.00\",\"A\":\"1\"}";
    rig.seen();
    rig.engine.ingest(rig.source, older, rig.now).unwrap();
    assert_eq!(rig.seen(), [], "an older ticker is not news");
}

#[test]
fn a_top_beyond_what_is_known_says_so() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.depth(101, 101, "[\"9.00\",\"1\"],[\"10.00\",\"0\"]", "");
    for seen in rig.seen() {
        let Seen::Frame { kind, flags, .. } = seen else { continue };
        assert_eq!(flags & 128, 128, "{seen:?} of kind {kind}: a bid between 9 and 10 may exist");
    }
    rig.depth(102, 102, "[\"10.00\",\"1\"]", "");
    let Seen::Frame { flags, .. } = rig.seen()[0] else { unreachable!() };
    assert_eq!(flags & 128, 0);
}

#[test]
fn a_stream_number_used_again_goes_on_behind_the_view_before() {
    let mut rig = Rig::synced(EngineConfig::default());
    let first = rig.engine.open_depth(rig.id, 1, 0, rig.now).unwrap();
    for id in 101..106 {
        rig.depth(id, id, &format!("[\"10.00\",\"{id}\"]"), "");
    }
    rig.engine.close_depth(rig.id, first);
    let second = rig.engine.open_depth(rig.id, 2, 0, rig.now).unwrap();
    assert_eq!(first, second);
    rig.seen();
    let image = rig.image(second);
    assert!(matches!(image[..], [Seen::Frame { seq: 7, prev_seq: 7, .. }]), "{image:?}");
    rig.depth(106, 106, "[\"10.00\",\"1\"]", "");
    let delta = Seen::Frame { kind: DELTA, stream: second.0, epoch: 1, seq: 8, prev_seq: 7, flags: 32 };
    assert!(rig.seen().contains(&delta));
}

#[test]
fn a_trade_is_told_once_and_a_reset_lets_the_other_kind_in() {
    let mut rig = Rig::new(EngineConfig::default());
    for id in [7, 7, 6, 9] {
        rig.trade("trade", id);
    }
    assert_eq!(kinds(&rig.seen()).len(), 2, "7 and 9");
    rig.engine.reset_source(rig.source, rig.now).unwrap();
    rig.seen();
    rig.trade("aggTrade", 1);
    assert_eq!(kinds(&rig.seen()), [(5, 3)]);
}

#[test]
fn an_engine_that_nobody_listens_to_takes_no_more() {
    let mut rig = Rig::synced(EngineConfig::default());
    let levels = (0..40_000).map(|i| format!("[\"{}.00\",\"1\"]", i + 1)).collect::<Vec<_>>().join(",");
    let mut refused = None;
    for id in 101..300 {
        let text = format!(
            "{{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":{id},\"u\":{id},\"b\":[{levels}],\"a\":[]}}"
        );
        refused = rig.engine.ingest(rig.source, text.as_bytes(), rig.now).err();
        if refused.is_some() {
            break;
        }
    }
    assert_eq!(refused, Some(IngestError::Engine(EngineError::OutboxFull)));
    rig.seen();
    let last = rig.engine.book_info(rig.id, 0).unwrap().venue_seq;
    rig.depth(last + 1, last + 1, "[\"1.00\",\"2\"]", "");
    assert_eq!(rig.state(), BookState::Synced, "the refused input can be handed in again: nothing was lost");
}

#[test]
fn a_recording_ages_its_own_books_only() {
    let mut rig = Rig::synced(EngineConfig { silence_ns: Some(5 * S), ..EngineConfig::default() });
    let other = venues::catalogue().find(venues::BINANCE_SPOT, "ETHUSDT").unwrap();
    let recorded = rig.engine.open_source(venues::BINANCE_SPOT, &[other]).unwrap();
    let line = format!("{} {{\"result\":null,\"id\":1}}\n", 1_000_000 * S);
    rig.engine.replay(recorded, line.as_bytes(), false, u64::MAX, |_| true).unwrap();
    assert_eq!(rig.state(), BookState::Synced);
}

#[test]
fn a_side_with_nothing_up_to_its_bound_is_not_known_to_be_empty() {
    let mut rig = Rig::synced(EngineConfig::default());
    rig.depth(101, 101, "[\"10.00\",\"0\"]", "");
    assert_eq!(rig.state(), BookState::Synced);
    assert!(rig.engine.book_info(rig.id, rig.now).unwrap().is_beyond_known, "bids below 10 may exist");
}

#[test]
fn a_snapshot_of_the_books_own_number_that_says_something_else_is_a_contradiction() {
    for (bids, asks, is_same) in [
        ("[\"10.00\",\"2\"]", "[\"11.00\",\"1\"]", true),
        ("[\"10.00\",\"2\"],[\"9.00\",\"5\"]", "[\"11.00\",\"1\"],[\"12.00\",\"1\"]", true),
        ("[\"10.00\",\"3\"]", "[\"11.00\",\"1\"]", false),
        ("[\"10.50\",\"1\"],[\"10.00\",\"2\"]", "[\"11.00\",\"1\"]", false),
        ("[\"10.00\",\"2\"]", "[\"10.90\",\"1\"],[\"11.00\",\"1\"]", false),
    ] {
        let mut rig = Rig::synced(EngineConfig::default());
        rig.depth(101, 101, "[\"10.00\",\"2\"]", "");
        let text =
            format!("{{\"symbol\":\"BTCUSDT\",\"lastUpdateId\":101,\"bids\":[{bids}],\"asks\":[{asks}]}}");
        rig.engine.ingest(rig.source, text.as_bytes(), rig.now).unwrap();
        let expected = if is_same { BookState::Synced } else { BookState::Stale(StaleReason::Contradiction) };
        assert_eq!(rig.state(), expected, "{bids} {asks}");
    }
}

#[test]
fn what_is_numbered_as_another_product_is_foreign() {
    let frames = [
        "{\"e\":\"depthUpdate\",\"E\":1,\"T\":1,\"s\":\"BTCUSDT\",\"U\":101,\"u\":101,\"pu\":100,\"b\":[[\"10.00\",\"7\"]],\"a\":[]}",
        "{\"symbol\":\"BTCUSDT\",\"lastUpdateId\":100,\"E\":1,\"T\":1,\"bids\":[[\"10.00\",\"7\"]],\"asks\":[]}",
    ];
    let mut rig = Rig::synced(EngineConfig::default());
    let digest = rig.engine.digest(rig.id);
    for frame in frames {
        rig.engine.ingest(rig.source, frame.as_bytes(), rig.now).unwrap();
    }
    assert_eq!((rig.state(), rig.engine.digest(rig.id)), (BookState::Synced, digest));
    assert_eq!(rig.engine.stats().foreign, 2);
}

#[test]
fn the_venues_top_at_the_snapshots_own_number_is_compared() {
    let ticker = |bid: &str| {
        format!("{{\"u\":100,\"s\":\"BTCUSDT\",\"b\":\"{bid}\",\"B\":\"1\",\"a\":\"11.00\",\"A\":\"1\"}}")
    };
    for (bid, is_same) in [("10.00", true), ("9.00", false)] {
        let expected = if is_same { BookState::Synced } else { BookState::Stale(StaleReason::Contradiction) };
        let mut rig = Rig::synced(EngineConfig::default());
        rig.engine.ingest(rig.source, ticker(bid).as_bytes(), rig.now).unwrap();
        assert_eq!(rig.state(), expected, "after the snapshot");
        let mut rig = Rig::new(EngineConfig::default());
        rig.depth(99, 100, "", "");
        rig.engine.ingest(rig.source, ticker(bid).as_bytes(), rig.now).unwrap();
        rig.snapshot(100, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
        assert_eq!(rig.state() == BookState::Synced, is_same, "before it");
    }
}

#[test]
fn books_are_counted_by_the_state_that_readers_are_told() {
    let books = |rig: &Rig| {
        let books = rig.engine.stats().books;
        (books.syncing, books.synced, books.stale)
    };
    let mut rig = Rig::new(EngineConfig { silence_ns: Some(5 * S), ..EngineConfig::default() });
    let other = rig.engine.catalogue().find(venues::SIM, "ETHUSDT").unwrap();
    assert_eq!(books(&rig), (1, 0, 0));
    let second = rig.engine.open_source(venues::SIM, &[rig.id, other]).unwrap();
    assert_eq!(books(&rig), (2, 0, 0), "a book that two sources carry is one");
    rig.depth(99, 100, "", "");
    rig.snapshot(100, "[\"10.00\",\"1\"]", "[\"11.00\",\"1\"]").unwrap();
    assert_eq!(books(&rig), (1, 1, 0));
    rig.now += 6 * S;
    rig.tick();
    assert_eq!((rig.state(), books(&rig)), (BookState::Stale(StaleReason::Silence), (1, 0, 1)));
    rig.depth(101, 101, "[\"9.00\",\"1\"]", "");
    assert_eq!((rig.state(), books(&rig)), (BookState::Synced, (1, 1, 0)));
    rig.engine.drop(second, rig.id, rig.now).unwrap();
    rig.engine.drop(second, other, rig.now).unwrap();
    assert_eq!(books(&rig), (0, 1, 0), "nobody carries the other one any more");
    rig.engine.drop(rig.source, rig.id, rig.now).unwrap();
    assert_eq!(books(&rig), (0, 0, 0));
    rig.engine.carry(rig.source, &[rig.id, other]).unwrap();
    assert_eq!(books(&rig), (2, 0, 0));
}
