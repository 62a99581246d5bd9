//! The recorded Binance sets with what an independent checker found in them, and their twins on simulated data.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part; a failed unwrap is a failed test"
)]

#[path = "../said/mod.rs"]
pub mod said;

use std::io::Read;
use std::path::PathBuf;

use depthwire_core::types::{InstrumentId, Levels, Route, Routes, Slot, TimeNs, Venue, VenueSeq};
use depthwire_core::venues;

use said::Said;

/// A continuous recording of one instrument.
pub struct Set {
    pub name: &'static str,
    files: &'static [&'static str],
    pub venue: Venue,
    pub symbol: &'static str,
    pub lines: u64,
    pub depth: u64,
    pub applied: u64,
    pub level_changes: u64,
    pub applied_level_changes: u64,
    pub trades: u64,
    pub tickers: u64,
    pub bbo_checked: u64,
    /// Levels of the final book, bids and asks.
    pub levels: (usize, usize),
    /// Of the final book; empty for a simulated twin, whose oracle says it.
    pub digest: &'static str,
}

pub const RECORDED: [Set; 4] = [
    Set {
        name: "binance-spot-btcusdt",
        files: &["spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz"],
        venue: venues::BINANCE_SPOT,
        symbol: "BTCUSDT",
        lines: 99_574,
        depth: 6_495,
        applied: 6_493,
        level_changes: 298_111,
        applied_level_changes: 298_094,
        trades: 19_904,
        tickers: 73_174,
        bbo_checked: 1_072,
        levels: (1_971, 2_962),
        digest: "b5e5894024db0c062a92a1a28242f425f81c5b0f3299935c9045fabda1d69e22",
    },
    Set {
        name: "binance-coinm-btcusd-perp",
        files: &["cm_btcusd_perp_20240808.gz", "cm_btcusd_perp_20240809.gz"],
        venue: venues::BINANCE_COINM,
        symbol: "BTCUSD_PERP",
        lines: 98_386,
        depth: 44_795,
        applied: 44_772,
        level_changes: 659_671,
        applied_level_changes: 659_405,
        trades: 5_235,
        tickers: 48_355,
        bbo_checked: 1_885,
        levels: (1_510, 1_733),
        digest: "0237f76446eea7196deba1f7d45c950da450db155ea590eefe6130c11af90566",
    },
    Set {
        name: "binance-usdm-btcusdt",
        files: &["usdm_btcusdt_20240808.gz"],
        venue: venues::BINANCE_USDM,
        symbol: "BTCUSDT",
        lines: 93_954,
        depth: 6_551,
        applied: 6_547,
        level_changes: 443_521,
        applied_level_changes: 443_262,
        trades: 21_313,
        tickers: 66_089,
        bbo_checked: 629,
        levels: (5_018, 4_578),
        digest: "2d3ba588cdaf814fdfd4e0bbc9e6ca56c9f2666a8b683f6314d1c28eb51ffb9e",
    },
    Set {
        name: "binance-usdm-ethusdt",
        files: &["usdm_ethusdt_20240718.gz", "usdm_ethusdt_20240719.gz"],
        venue: venues::BINANCE_USDM,
        symbol: "ETHUSDT",
        lines: 69_913,
        depth: 8_929,
        applied: 8_924,
        level_changes: 355_138,
        applied_level_changes: 354_944,
        trades: 13_655,
        tickers: 47_328,
        bbo_checked: 834,
        levels: (4_685, 4_357),
        digest: "8f12e85c3ab3156a9067197dcc238af2981ac2ee296867cf16248b655e5f8196",
    },
];

/// Simulated minutes of the two instruments that differ most, in the spot format.
pub const SIMULATED: [Set; 2] = [twin("sim-btcusdt", "BTCUSDT"), twin("sim-ethusdt", "ETHUSDT")];

const fn twin(name: &'static str, symbol: &'static str) -> Set {
    Set {
        name,
        files: &[],
        venue: venues::SIM,
        symbol,
        lines: 0,
        depth: 0,
        applied: 0,
        level_changes: 0,
        applied_level_changes: 0,
        trades: 0,
        tickers: 0,
        bbo_checked: 0,
        levels: (0, 0),
        digest: "",
    }
}

impl Set {
    /// The text of the recording; `None`, said on standard error as `test`'s skip, where it is not to be had.
    pub fn load(&self, test: &str) -> Option<Vec<u8>> {
        if self.files.is_empty() {
            let mut text = Vec::new();
            depthwire_sim::recording(self.symbol, 7, 1_723_161_253_000, 120_000, &mut text).unwrap();
            return Some(text);
        }
        let root = match std::env::var_os("DEPTHWIRE_DATA") {
            Some(root) => PathBuf::from(root),
            None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        };
        let folder = root.join("binance");
        if !folder.is_dir() {
            eprintln!("SKIPPED: {test}: {}: no recordings here (set DEPTHWIRE_DATA)", self.name);
            return None;
        }
        let mut text = Vec::new();
        for file in self.files {
            let packed = std::fs::File::open(folder.join(file)).unwrap();
            flate2::read::MultiGzDecoder::new(packed).read_to_end(&mut text).unwrap();
        }
        Some(text)
    }

    /// The instrument in the committed catalogue.
    pub fn id(&self) -> InstrumentId {
        venues::catalogue().find(self.venue, self.symbol).unwrap()
    }

    /// The way of the instrument's messages.
    pub fn route(&self) -> Route {
        let (catalogue, id) = (venues::catalogue(), self.id());
        let instrument = catalogue.get(id).unwrap();
        let (price_exponent, qty_exponent) = (instrument.price_exponent, instrument.qty_exponent);
        Route { slot: Slot(0), price_exponent, qty_exponent }
    }

    /// A connection of the instrument alone.
    pub fn routes(&self) -> Routes {
        said::routes(&[(self.symbol, self.route())])
    }
}

/// A line that a book needs: a snapshot or a depth update, with the update's content.
pub struct BookLine<'a> {
    pub ts: TimeNs,
    pub frame: &'a [u8],
    pub update: Option<(VenueSeq, Levels)>,
}

/// Only the lines that a book needs.
pub fn book_lines<'a>(set: &Set, text: &'a [u8]) -> Vec<BookLine<'a>> {
    let routes = set.routes();
    let mut levels = Levels::default();
    let mut kept = Vec::new();
    for (ts, frame) in said::lines(text) {
        match said::decode(frame, &routes, &mut levels).unwrap() {
            Said::Depth(_, seq) => kept.push(BookLine { ts, frame, update: Some((seq, levels.clone())) }),
            Said::Snapshot(..) => kept.push(BookLine { ts, frame, update: None }),
            _ => {}
        }
    }
    kept
}
