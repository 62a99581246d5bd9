//! Signals, as a reader of the feed has them: of the book and the trades of one epoch, behind each event of the venue.

#![allow(clippy::float_arithmetic, reason = "values are compared with real numbers")]

use std::collections::BTreeSet;

use depthwire_core::encode::{HistoryConfig, Kind, Stream};
use depthwire_core::engine::{Brought, By, EngineConfig, EngineError, SIGNAL_VIEWS_MAX};
use depthwire_core::replica::{ReplicaSignals, ReplicaState, feed_frames};
use depthwire_core::signal::{BUCKETS_MAX, SignalId, SignalParams, SignalRow, VpinParams};
use depthwire_core::types::{
    Aggressor, BookState, InstrumentId, Level, Place, Price, Qty, Side, Trade, TradeId,
};

use crate::random::Random;
use crate::rig::{MS, Rig, S, Seen, kinds};
use crate::signals_naive::{Book, Expected, History, Traded};

pub const MINUTE: SignalParams = SignalParams { window_ns: 60 * S, vpin: None };

/// A reader of one view.
struct Reader {
    stream: Stream,
    replica: ReplicaSignals,
}

impl Reader {
    fn open(rig: &mut Rig, interval_ns: u64, params: SignalParams) -> Self {
        let stream = rig.engine.open_signals(rig.id, interval_ns, params, rig.now).unwrap();
        let mut reader = Self { stream, replica: ReplicaSignals::new() };
        rig.engine.image(rig.id, stream, rig.now, |frame| reader.take(frame)).unwrap();
        reader
    }

    fn take(&mut self, bytes: &[u8]) {
        for frame in feed_frames(bytes).map(Result::unwrap) {
            if [self.stream, Stream::STATUS].contains(&frame.stream()) {
                self.replica.apply(&frame).unwrap();
            }
        }
    }

    fn read(&mut self, rig: &mut Rig) {
        rig.frames(|frame| self.take(frame));
    }

    fn row(&self, id: SignalId) -> Option<&SignalRow> {
        self.replica.rows().iter().find(|row| row.id == id)
    }

    fn text(&self, id: SignalId) -> Option<String> {
        self.row(id).map(|row| row.text().to_string())
    }

    fn names(&self) -> Vec<&'static str> {
        self.replica.rows().iter().map(|row| row.id.name()).collect()
    }
}

#[test]
fn what_is_of_the_moment_follows_each_event() {
    let mut rig = Rig::synced(EngineConfig::default());
    let mut reader = Reader::open(&mut rig, 0, MINUTE);
    assert_eq!(reader.stream, Stream::SIGNALS_FIRST);
    assert_eq!((reader.replica.state(), reader.replica.place().unwrap().seq), (ReplicaState::Synced, 1));
    assert_eq!(reader.text(SignalId::Mid).as_deref(), Some("10.5"));
    rig.now += 10 * MS;
    rig.depth(101, 101, "[\"10.50\",\"3\"]", "[\"10.60\",\"1\"]");
    reader.read(&mut rig);
    assert_eq!(reader.replica.place().unwrap().seq, 2);
    for (id, text) in [
        (SignalId::Mid, "10.55"),
        (SignalId::Spread, "0.1"),
        (SignalId::SpreadBps, "94.786730"),
        (SignalId::WeightedMid, "10.575"),
        (SignalId::Imbalance1, "0.5"),
        (SignalId::OrderFlow1, "2"),
        (SignalId::BookRate, "0.05"),
        (SignalId::HeldPrice, "10.5"),
    ] {
        let told = reader.text(id);
        assert_eq!(told.as_deref(), Some(text.trim_end_matches('0')), "{id:?}");
    }
}

/// Compares all rows of a reader with what the definitions make of a history.
fn compare(reader: &Reader, rig: &Rig, history: &History, params: &SignalParams, at: &str) {
    let listed = rig.engine.catalogue().get(rig.id).unwrap();
    let scale = |exponent: i8| 10f64.powi(exponent.into());
    let exponents = (scale(listed.price_exponent), scale(listed.qty_exponent));
    let expected = history.signals(params, listed.tick_size, exponents, rig.now);
    let rows = reader.replica.rows();
    assert!(rows.is_sorted_by(|a, b| a.id < b.id), "{at}: {:?}", reader.names());
    let told: Vec<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!(told, expected.keys().copied().collect::<Vec<_>>(), "{at}");
    for row in rows {
        let Expected { value, window_ns, is_partial } = expected[&row.id];
        let unit = scale(row.exponent);
        let far = (row.value as f64 * unit - value).abs();
        assert!(far <= unit * 0.51 + value.abs() * 1e-9, "{at}: {:?} {} {value}", row.id, row.text());
        let stated = (row.window_ns, row.is_partial, row.at);
        assert_eq!(stated, (window_ns, is_partial, rig.now), "{at}: {:?}", row.id);
    }
}

/// A market that wanders around 100, with crossed books, empty sides, pauses, losses, and trades of both sides.
struct Market {
    random: Random,
    update: u64,
    trade: u64,
}

impl Market {
    fn level(&mut self, tick: u64, empty: u64) -> String {
        let qty = if self.random.below(10) < empty { 0 } else { 1 + self.random.below(9) };
        format!("[\"{}.{:02}\",\"{qty}\"]", tick / 100, tick % 100)
    }

    /// Levels of a side, the best at `best`.
    fn side(&mut self, best: u64, levels: u64, is_bid: bool) -> String {
        let tick = |at: u64| if is_bid { best - at } else { best + at };
        (0..levels).map(|at| self.level(tick(at), 0)).collect::<Vec<_>>().join(",")
    }

    fn snapshot(&mut self, rig: &mut Rig) {
        let mid = 10_000 + self.random.below(20);
        let spread = 1 + self.random.below(2);
        // What the venue has made known ends soon, or not for the widest band.
        let levels = [14, 70][self.random.below(2) as usize];
        let (bids, asks) = (self.side(mid, levels, true), self.side(mid + spread, levels, false));
        rig.snapshot(self.update, &bids, &asks).unwrap();
    }

    fn change(&mut self, rig: &mut Rig) {
        let (bid, ask) = {
            let book = rig.engine.book(rig.id).unwrap();
            let tick = |level: Option<Level>| level.map_or(10_010, |level| level.price.0 as u64);
            (tick(book.best_bid()), tick(book.best_ask()))
        };
        let mut bids = Vec::new();
        let mut asks = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            // Above the best by a tick at most, so that books are crossed now and then.
            let away = self.random.below(8);
            if self.random.below(2) == 0 {
                bids.push(self.level(bid + 1 - away, 4));
            } else {
                asks.push(self.level(ask - 1 + away, 4));
            }
        }
        self.update += 1;
        rig.depth(self.update, self.update, &bids.join(","), &asks.join(","));
    }

    /// Moves a book whose spread is a tick by a tick, or changes what stands at its best prices.
    fn step(&mut self, rig: &mut Rig) {
        let book = rig.engine.book(rig.id).unwrap();
        let (bid, ask) = (book.best_bid().unwrap().price.0 as u64, book.best_ask().unwrap().price.0 as u64);
        let (bids, asks) = match self.random.below(6) {
            0 => (self.level(ask, 0), self.level(ask, 10)),
            1 => (self.level(bid, 10), self.level(bid, 0)),
            2 | 3 => (self.level(bid, 0), String::new()),
            _ => (String::new(), self.level(ask, 0)),
        };
        self.update += 1;
        rig.depth(self.update, self.update, &bids, &asks);
    }

    fn trade(&mut self, rig: &mut Rig) -> Trade {
        self.trade += 1;
        let (price, qty) = (10_000 + self.random.below(30), 1 + self.random.below(400));
        let is_sold = self.random.below(2) == 0;
        let texts = (format!("100.{:02}", price - 10_000), format!("{}.{:02}", qty / 100, qty % 100));
        rig.trade_at(self.trade, &texts.0, &texts.1, is_sold);
        Trade {
            id: TradeId::Number(self.trade),
            price: Price(price as i64),
            qty: Qty(qty as i64 * 1_000),
            aggressor: if is_sold { Aggressor::Sell } else { Aggressor::Buy },
            ts_event: 0,
            resting: None,
        }
    }
}

fn book_now(rig: &Rig) -> Book {
    let book = rig.engine.book(rig.id).unwrap();
    Book {
        at: rig.now,
        sides: [Side::Bid, Side::Ask].map(|side| book.levels(side).collect()),
        known_to: book.known_to(),
        is_doubted: rig.engine.book_info(rig.id, rig.now).unwrap().is_beyond_known,
    }
}

/// Streaming = batch, over whole histories and through the engine. Returns the signals that were ever told.
fn follow(seed: u64, window_ns: u64, steps: usize) -> BTreeSet<SignalId> {
    let mut rig = Rig::new(EngineConfig::default());
    let mut market = Market { random: Random(seed), update: 100, trade: 0 };
    rig.depth(99, 100, "", "");
    market.snapshot(&mut rig);
    rig.seen();
    let volume = Qty(1 + market.random.below(300_000) as i64);
    let vpin = VpinParams { volume, buckets: 1 + market.random.below(20) as u16 };
    let params = SignalParams { window_ns, vpin: Some(vpin) };
    if market.random.below(2) == 0 {
        market.trade(&mut rig);
    }
    let has_trades = market.trade > 0;
    let mut reader = Reader::open(&mut rig, 0, params);
    let trades_from = has_trades.then_some((rig.now, 1));
    let mut history = History { books: vec![book_now(&rig)], trades_from, ..History::default() };
    compare(&reader, &rig, &history, &params, "at first");
    let mut seen = BTreeSet::new();
    for step in 0..steps {
        let at = format!("seed {seed}, step {step}");
        rig.now += match market.random.below(50) {
            0 => window_ns * 2,
            1..=5 => 0,
            _ => market.random.below(window_ns / 20),
        };
        match market.random.below(900) {
            0 => {
                // What was lost, and what was before it, is in no value from here on.
                rig.now += 2 * S;
                market.update += 10;
                rig.depth(market.update, market.update, "", "");
                reader.read(&mut rig);
                assert!(matches!(rig.state(), BookState::Stale(_)), "{at}");
                assert!(matches!(reader.replica.state(), ReplicaState::Stale(_)), "{at}");
                market.update += 1;
                market.snapshot(&mut rig);
                let trades_from = history.trades_from.map(|_| (rig.now, 1));
                history = History { books: vec![book_now(&rig)], trades_from, ..History::default() };
            }
            1..=270 => {
                let trade = market.trade(&mut rig);
                let books = history.books.len();
                history.trades_from.get_or_insert((rig.now, books));
                history.trades.push(Traded { at: rig.now, trade, books });
                rig.tick();
            }
            _ => {
                market.change(&mut rig);
                history.books.push(book_now(&rig));
            }
        }
        reader.read(&mut rig);
        assert_eq!(reader.replica.state(), ReplicaState::Synced, "{at}");
        compare(&reader, &rig, &history, &params, &at);
        seen.extend(reader.replica.rows().iter().map(|row| row.id));
    }
    seen
}

#[test]
fn every_value_is_that_of_its_definition_over_the_whole_history() {
    let mut seen = BTreeSet::new();
    for (seed, window_ns) in [(1, S), (2, 60 * S), (3, 5 * S), (4, 3_600 * S), (5, S + 7)] {
        seen.extend(follow(seed, window_ns, 900));
    }
    // The micro-price needs another market, and what is of options (from 40 on) an option.
    let of_all = SignalId::ALL.iter().filter(|id| **id < SignalId::BidVolatility).count();
    assert_eq!(seen.len(), of_all - 1, "each was told: {seen:?}");
}

#[test]
fn the_micro_price_is_fitted_to_all_changes_whenever_they_have_doubled() {
    let mut rig = Rig::new(EngineConfig::default());
    let mut market = Market { random: Random(9), update: 100, trade: 0 };
    rig.depth(99, 100, "", "");
    let (bids, asks) = (market.side(10_000, 99, true), market.side(10_001, 99, false));
    rig.snapshot(100, &bids, &asks).unwrap();
    rig.seen();
    let mut reader = Reader::open(&mut rig, 0, MINUTE);
    let mut history = History { books: vec![book_now(&rig)], ..History::default() };
    let mut told = Vec::new();
    for step in 0..1_100 {
        rig.now += MS;
        market.step(&mut rig);
        history.books.push(book_now(&rig));
        reader.read(&mut rig);
        // Naive fits are dear: near each of the streaming ones every step, else now and then.
        if step % 64 == 0 || [256, 512, 1_024].iter().any(|fit| step - 10 < *fit && *fit < step + 80) {
            compare(&reader, &rig, &history, &MINUTE, &format!("step {step}"));
        }
        told.push(reader.row(SignalId::MicroPrice).is_some());
    }
    let first = told.iter().position(|is_told| *is_told).unwrap();
    assert!((255..600).contains(&first) && told[first..].iter().filter(|is_told| **is_told).count() > 400);
}

#[test]
fn views_are_shared_limited_and_of_something() {
    let mut rig = Rig::synced(EngineConfig::default());
    let open = |rig: &mut Rig, window_ns: u64, vpin: Option<(i64, u16)>| {
        let vpin = vpin.map(|(volume, buckets)| VpinParams { volume: Qty(volume), buckets });
        rig.engine.open_signals(rig.id, 0, SignalParams { window_ns, vpin }, rig.now)
    };
    let first = open(&mut rig, S, None).unwrap();
    assert_eq!(open(&mut rig, S, None), Ok(first));
    rig.engine.close_view(rig.id, first);
    rig.engine.close_view(rig.id, first);
    assert_eq!(rig.image(first), []);
    for at in 1..=SIGNAL_VIEWS_MAX as u64 {
        open(&mut rig, at * S, Some((1, 1))).unwrap();
    }
    assert_eq!(open(&mut rig, 99 * S, None), Err(EngineError::ViewsFull));
    for window_ns in [0, S - 1, 3_600 * S + 1, u64::MAX] {
        assert_eq!(open(&mut rig, window_ns, None), Err(EngineError::SignalWindow(window_ns)));
    }
    for volume in [0, -1] {
        assert_eq!(open(&mut rig, S, Some((volume, 1))), Err(EngineError::VpinVolume(volume.into())));
    }
    for buckets in [0, BUCKETS_MAX as u16 + 1, u16::MAX] {
        assert_eq!(open(&mut rig, S, Some((1, buckets))), Err(EngineError::VpinBuckets(buckets.into())));
    }
    assert_eq!(rig.engine.open_signals(rig.id, 61 * S, MINUTE, 0), Err(EngineError::ViewRange));
    let elsewhere = InstrumentId(u32::MAX);
    let unknown = Err(EngineError::UnknownInstrument(u32::MAX));
    assert_eq!(rig.engine.open_signals(elsewhere, 0, MINUTE, 0), unknown);
    rig.depth(101, 101, "[\"10.25\",\"5\"]", "");
    let told = kinds(&rig.seen()).iter().filter(|(kind, _)| *kind == Kind::Signals as u8).count();
    assert_eq!(told, SIGNAL_VIEWS_MAX);
}

#[test]
fn frames_keep_their_interval_and_a_trade_waits_for_a_change_or_a_tick() {
    let mut rig = Rig::synced(EngineConfig::default());
    let every = rig.engine.open_signals(rig.id, 0, MINUTE, rig.now).unwrap();
    let slow = rig.engine.open_signals(rig.id, 100 * MS, MINUTE, rig.now).unwrap();
    let flags_of = |seen: &[Seen], stream: Stream| {
        let flags = seen.iter().filter_map(|seen| match *seen {
            Seen::Frame { kind, stream: of, seq, flags, .. }
                if (kind, of) == (Kind::Signals as u8, stream.0) =>
            {
                Some((seq, flags))
            }
            _ => None,
        });
        flags.collect::<Vec<_>>()
    };
    rig.now += MS;
    rig.depth(101, 101, "[\"10.10\",\"5\"]", "");
    rig.depth(102, 102, "[\"10.20\",\"5\"]", "");
    rig.trade_at(1, "10.20", "1", true);
    let seen = rig.seen();
    assert_eq!((flags_of(&seen, every), flags_of(&seen, slow)), (vec![(2, 32), (3, 32)], vec![]));
    rig.now += MS;
    rig.tick();
    let seen = rig.seen();
    assert_eq!((flags_of(&seen, every), flags_of(&seen, slow)), (vec![(4, 32)], vec![]));
    rig.now += 98 * MS;
    rig.tick();
    let seen = rig.seen();
    assert_eq!((flags_of(&seen, every), flags_of(&seen, slow)), (vec![], vec![(2, 33)]));
    rig.now += S;
    rig.tick();
    assert_eq!(flags_of(&rig.seen(), slow), [], "time alone changes nothing");
}

#[test]
fn what_is_made_of_trades_begins_anew_where_some_may_be_missing() {
    let mut rig = Rig::synced(EngineConfig::default());
    let book = rig.source;
    let beside = rig.engine.open(depthwire_core::venues::SIM).unwrap();
    rig.engine.carry_beside_books(beside, &[rig.id]).unwrap();
    let mut reader = Reader::open(&mut rig, 0, MINUTE);
    let trade = |rig: &mut Rig, id: u64, qty: &str, reader: &mut Reader| {
        rig.now += MS;
        rig.source = beside;
        rig.trade_at(id, "10.50", qty, false);
        rig.source = book;
        rig.now += MS;
        rig.depth(100 + id, 100 + id, &format!("[\"9.00\",\"{id}\"]"), "");
        reader.read(rig);
        reader.text(SignalId::VolumeDelta)
    };
    assert_eq!(reader.text(SignalId::TradeRate), None, "nobody has told trades yet");
    assert_eq!(trade(&mut rig, 1, "2", &mut reader).as_deref(), Some("2"));
    assert_eq!(trade(&mut rig, 2, "3", &mut reader).as_deref(), Some("5"));
    rig.engine.source_failed(beside, rig.now).unwrap();
    rig.now += MS;
    rig.depth(103, 103, "[\"9.00\",\"9\"]", "");
    reader.read(&mut rig);
    assert_eq!(reader.replica.state(), ReplicaState::Synced, "the book goes on");
    for id in [SignalId::VolumeDelta, SignalId::TradeRate, SignalId::TradedPrice, SignalId::TradeImbalance] {
        assert_eq!(reader.text(id), None, "{id:?}");
    }
    assert!(reader.text(SignalId::BookRate).is_some());
    rig.engine.reset_source(beside, rig.now).unwrap();
    assert_eq!(trade(&mut rig, 4, "4", &mut reader).as_deref(), Some("4"), "nothing of before");
    assert_eq!(reader.row(SignalId::VolumeDelta).unwrap().window_ns, MS);
}

#[test]
fn a_reader_that_was_away_is_brought_by_the_whole_or_by_every_frame() {
    let history = HistoryConfig { bytes: 1 << 20, stream_bytes: 1 << 16, age_ns: u64::MAX };
    let mut rig = Rig::synced(EngineConfig { history, ..EngineConfig::default() });
    let stream = rig.engine.open_signals(rig.id, 0, MINUTE, rig.now).unwrap();
    for id in 101..=110 {
        rig.depth(id, id, &format!("[\"10.00\",\"{}\"]", id - 100), "");
    }
    rig.seen();
    let mut out = vec![0; 1 << 16];
    let now = rig.engine.place(rig.id, stream).unwrap();
    assert_eq!(now.seq, 11);
    let from = Place { seq: 1, ..now };
    for (by, brought) in [(By::Net, Brought::Net), (By::Range, Brought::Range)] {
        let (got, bytes) = rig.engine.bring(rig.id, stream, from, by, rig.now, &mut out).unwrap();
        assert!(got == brought && bytes > 0, "{got:?}");
    }
    assert_eq!(rig.engine.bring(rig.id, stream, now, By::Net, rig.now, &mut out), Ok((Brought::Nothing, 0)));
}

#[test]
fn a_finer_scale_begins_them_anew_and_keeps_the_volume_of_a_bucket() {
    let mut rig = Rig::synced(EngineConfig::default());
    let params = SignalParams { vpin: Some(VpinParams { volume: Qty(100_000), buckets: 1 }), ..MINUTE };
    let mut reader = Reader::open(&mut rig, 0, params);
    rig.now += MS;
    rig.trade_at(1, "10.50", "1", false);
    rig.tick();
    reader.read(&mut rig);
    assert_eq!(reader.text(SignalId::Vpin).as_deref(), Some("1"));
    let before = reader.replica.place().unwrap();
    // Two digits more of price and quantity than the instrument had.
    rig.depth(101, 101, "[\"10.0001\",\"2.0000001\"]", "");
    reader.read(&mut rig);
    let place = reader.replica.place().unwrap();
    assert!(place.epoch > before.epoch && place.seq == 2, "an epoch, and the change in it");
    assert_eq!(reader.text(SignalId::Mid).as_deref(), Some("10.50005"));
    assert_eq!(reader.text(SignalId::Vpin), None);
    rig.now += MS;
    rig.trade_at(2, "10.50", "1", true);
    rig.tick();
    reader.read(&mut rig);
    assert_eq!(reader.text(SignalId::Vpin).as_deref(), Some("1"));
    assert_eq!(reader.text(SignalId::VolumeDelta).as_deref(), Some("-1"));
}
