//! A chain of options from their dialect: every book is the venue's, what is computed of it is what the venue prints; and what
//! a book of it costs.

#![allow(clippy::float_arithmetic, reason = "volatilities are real numbers")]

use depthwire_core::engine::{Engine, EngineConfig, SourceId};
use depthwire_core::signal::SignalParams;
use depthwire_core::types::{
    BookState, Decimal, InstrumentId, InstrumentKind, NoClock, OptionTerms, QtyUnit, Side, Terms,
};
use depthwire_core::venues::{self, DERIBIT};
use depthwire_sim::dialects::{DeribitOption, Dialect, Frames, Truth};

use crate::rig::{MS, S};

const BEGUN: u64 = 1_785_552_833_000_000_000;
/// 25 June 2027, eight in the morning.
const EXPIRY: u64 = 1_814_083_200_000_000_000;
const MINUTE: SignalParams = SignalParams { window_ns: 60 * S, vpin: None };

struct Chain {
    engine: Engine<NoClock>,
    source: SourceId,
    ids: Vec<InstrumentId>,
    dialects: Vec<DeribitOption>,
    frames: Frames,
    now: u64,
    inputs: u64,
    took_ns: u64,
}

impl Chain {
    fn new(options: u64) -> Self {
        let mut engine = Engine::new(EngineConfig::default(), venues::catalogue(), NoClock);
        let mut dialects = Vec::new();
        let mut ids = Vec::new();
        for at in 0..options {
            let (strike, is_call) = (20_000 + at / 2 * 50, at % 2 == 0);
            let name = format!("BTC-25JUN27-{strike}-{}", if is_call { "C" } else { "P" });
            dialects.push(DeribitOption::new(at, &name).unwrap());
            let strike = Decimal { mantissa: strike as i64, exponent: 0 };
            let listed = venues::instrument(DERIBIT, &name).unwrap();
            let terms = Terms {
                kind: InstrumentKind::Option,
                base: "BTC".into(),
                quote: "BTC".into(),
                expiry: EXPIRY,
                option: Some(OptionTerms { is_call, strike }),
                ..Terms::default()
            };
            let step = |exponent| Decimal { mantissa: 1, exponent };
            let listed = depthwire_core::types::Instrument { terms, qty_unit: QtyUnit::Base, ..listed };
            ids.push(engine.add_instrument(listed.listed(step(-4), step(-1))).unwrap());
        }
        let source = engine.open_source(DERIBIT, &ids).unwrap();
        let frames = Frames::new();
        let (now, inputs, took_ns) = (BEGUN, 0, 0);
        let mut chain = Self { engine, source, ids, dialects, frames, now, inputs, took_ns };
        for dialect in &mut chain.dialects {
            dialect.open(BEGUN, &mut chain.frames);
        }
        chain.take();
        chain
    }

    /// What was said goes into the engine, which alone is timed.
    fn take(&mut self) {
        let begun = processor_ns();
        for frame in self.frames.iter() {
            self.engine.ingest(self.source, frame.bytes, frame.time_ns.max(self.now)).unwrap();
            while self.engine.outbox().front().is_some() {
                self.engine.outbox().take();
            }
            self.inputs += 1;
        }
        self.took_ns += processor_ns() - begun;
        self.frames.clear();
    }

    fn pass(&mut self, ns: u64) {
        self.now += ns;
        for dialect in &mut self.dialects {
            loop {
                let before = self.frames.len();
                dialect.step(self.now, &mut self.frames);
                if self.frames.len() == before {
                    break;
                }
            }
        }
        self.take();
        self.engine.tick(self.now);
        while self.engine.outbox().front().is_some() {
            self.engine.outbox().take();
        }
    }

    /// Every book is synced and the dialect's own.
    fn compare(&self) {
        let mut truth = Truth::default();
        for (id, dialect) in self.ids.iter().zip(&self.dialects) {
            assert_eq!(self.engine.book_info(*id, self.now).unwrap().state, BookState::Synced);
            dialect.truth(&mut truth);
            let book = self.engine.book(*id).unwrap();
            // Mark prices have more digits than prices: the engine's scale has become finer.
            let exponents = self.engine.catalogue().get(*id).unwrap();
            let finer = |own: i8, told: i8| 10_i64.pow((told - own).unsigned_abs().into());
            let price = finer(exponents.price_exponent, dialect.exponents().0);
            let qty = finer(exponents.qty_exponent, dialect.exponents().1);
            for (side, levels) in [(Side::Bid, &truth.bids), (Side::Ask, &truth.asks)] {
                let held: Vec<_> = book.levels(side).map(|level| (level.price.0, level.qty.0)).collect();
                let levels: Vec<_> = levels.iter().map(|level| (level.0 * price, level.1 * qty)).collect();
                assert_eq!(held, levels, "{} {side:?}", dialect.code());
            }
        }
    }
}

#[test]
fn every_book_of_a_chain_is_the_venues() {
    let mut chain = Chain::new(60);
    for _ in 0..30 {
        chain.pass(100 * MS);
    }
    chain.compare();
    assert_eq!(chain.engine.stats().decode_errors, 0);
    assert!(chain.engine.stats().tickers >= 120);
}

fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4_096
}

/// Time that this thread has had a processor for, whatever else the machine does.
fn processor_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

/// Right to the end, and says what it cost; of a large chain:
/// `DEPTHWIRE_CHAIN_OPTIONS=2000 cargo test --release -p depthwire-core --test engine -- --nocapture what_a_chain_costs`.
#[test]
fn what_a_chain_costs() {
    let options = std::env::var("DEPTHWIRE_CHAIN_OPTIONS").map_or(100, |text| text.parse().unwrap());
    let before = resident_bytes();
    let dialects: Vec<_> =
        (0..options).map(|at| DeribitOption::new(at, &format!("BTC-25JUN27-{}-C", 20_000 + at))).collect();
    let of_dialects = resident_bytes() - before;
    drop(dialects);
    let mut chain = Chain::new(options);
    let with_books = resident_bytes();
    for with_signals in [false, true] {
        if with_signals {
            for id in chain.ids.clone() {
                chain.engine.open_signals(id, 250 * MS, MINUTE, chain.now).unwrap();
            }
        }
        (chain.inputs, chain.took_ns) = (0, 0);
        let updates = chain.engine.stats().applied;
        // Ten changes of each book in a second of the market.
        for _ in 0..100 {
            chain.pass(100 * MS);
        }
        let updates = chain.engine.stats().applied - updates;
        let took = chain.took_ns as f64;
        println!(
            "{options} books, signals {with_signals}: {updates} updates in {} inputs; {:.0} ns an input, {:.0} ns an update with its quotes and tickers: \
             {:.3} processors at 20 updates/s a book; resident {:.1} MB, of which {:.1} MB the engine's at most (dialects {:.1} MB)",
            chain.inputs,
            took / chain.inputs as f64,
            took / updates as f64,
            took / updates as f64 * 20.0 * options as f64 / 1e9,
            resident_bytes() as f64 / 1e6,
            (with_books.max(resident_bytes()) - before - of_dialects) as f64 / 1e6,
            of_dialects as f64 / 1e6,
        );
    }
    chain.compare();
}
