//! The named workloads: recordings of real venues, and a simulated twin that needs no file.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use depthwire_core::book::{BookSpec, NaiveBook};
use depthwire_core::decode::{LineFramer, Listing, Listings, decode};
use depthwire_core::engine::LEVELS_MAX;
use depthwire_core::sequence::{Chain, Rule, SeqOutcome, snapshot_known_to};
use depthwire_core::types::{Catalogue, DepthUpdate, Event, InstrumentId, KnownTo, Levels, Venue};

use crate::answer::{Book, of_book, replay};

/// Where a workload's bytes come from and what is known of them.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The name that the Rust and the Node benchmarks share.
    pub name: &'static str,
    venue: Venue,
    symbol: &'static str,
    origin: Origin,
}

#[derive(Clone, Copy, Debug)]
enum Origin {
    /// Files in the recordings' folder, read one after the other, and what is known of them.
    Recorded(&'static [&'static str], Known<'static>),
    /// Seed and market time in milliseconds.
    Simulated(u64, u64),
}

/// What the checker in another language finds in a recording (`oracle/binance_collector.py` beside the recordings).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known<'a> {
    lines: u64,
    depth_messages: u64,
    level_changes: u64,
    applied_messages: u64,
    applied_level_changes: u64,
    digest: &'a str,
}

/// Start of the simulated market's time, in milliseconds since the epoch.
const SIM_START_MS: u64 = 1_723_161_254_000;

/// All of them. The last one runs on any checkout.
pub const WORKLOADS: [Named; 5] = [
    Named {
        name: "binance-spot-btcusdt",
        venue: Venue::BinanceSpot,
        symbol: "BTCUSDT",
        origin: Origin::Recorded(
            &["spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz"],
            Known {
                lines: 99_574,
                depth_messages: 6_495,
                level_changes: 298_111,
                applied_messages: 6_493,
                applied_level_changes: 298_094,
                digest: "b5e5894024db0c062a92a1a28242f425f81c5b0f3299935c9045fabda1d69e22",
            },
        ),
    },
    Named {
        name: "binance-coinm-btcusd-perp",
        venue: Venue::BinanceCoinm,
        symbol: "BTCUSD_PERP",
        origin: Origin::Recorded(
            &["cm_btcusd_perp_20240808.gz", "cm_btcusd_perp_20240809.gz"],
            Known {
                lines: 98_386,
                depth_messages: 44_795,
                level_changes: 659_671,
                applied_messages: 44_772,
                applied_level_changes: 659_405,
                digest: "0237f76446eea7196deba1f7d45c950da450db155ea590eefe6130c11af90566",
            },
        ),
    },
    Named {
        name: "binance-usdm-btcusdt",
        venue: Venue::BinanceUsdm,
        symbol: "BTCUSDT",
        origin: Origin::Recorded(
            &["usdm_btcusdt_20240808.gz"],
            Known {
                lines: 93_954,
                depth_messages: 6_551,
                level_changes: 443_521,
                applied_messages: 6_547,
                applied_level_changes: 443_262,
                digest: "2d3ba588cdaf814fdfd4e0bbc9e6ca56c9f2666a8b683f6314d1c28eb51ffb9e",
            },
        ),
    },
    Named {
        name: "binance-usdm-ethusdt",
        venue: Venue::BinanceUsdm,
        symbol: "ETHUSDT",
        origin: Origin::Recorded(
            &["usdm_ethusdt_20240718.gz", "usdm_ethusdt_20240719.gz"],
            Known {
                lines: 69_913,
                depth_messages: 8_929,
                level_changes: 355_138,
                applied_messages: 8_924,
                applied_level_changes: 354_944,
                digest: "8f12e85c3ab3156a9067197dcc238af2981ac2ee296867cf16248b655e5f8196",
            },
        ),
    },
    Named {
        name: "sim-btcusdt",
        venue: Venue::Sim,
        symbol: "BTCUSDT",
        origin: Origin::Simulated(7, 300_000),
    },
];

/// A workload in memory, with the answers that every benchmark must reach.
#[derive(Debug)]
pub struct Workload {
    /// Its name.
    pub name: &'static str,
    /// Where it was recorded.
    pub venue: Venue,
    /// The venue's symbol.
    pub symbol: &'static str,
    /// The only instrument that it speaks of.
    pub listing: Listing,
    /// Power of ten of prices.
    pub price_exponent: i8,
    /// Power of ten of quantities.
    pub qty_exponent: i8,
    /// How to make a book of it.
    pub spec: BookSpec,
    /// The recording: lines `<ns> <JSON>`.
    pub text: Vec<u8>,
    /// Lines in it.
    pub lines: u64,
    /// Depth messages in it, and their levels.
    pub depth_messages: u64,
    /// Levels in all depth messages.
    pub level_changes: u64,
    /// Where the snapshot and the depth frames stand in `text`, in order.
    pub book_frames: Vec<Range<usize>>,
    /// How many of them come up to the snapshot, itself included.
    pub lead_frames: usize,
    /// The snapshot.
    pub snapshot: Levels,
    /// How deep it makes the book known.
    pub known_to: KnownTo,
    /// The depth updates that belong on top of the snapshot.
    pub updates: Vec<(DepthUpdate, Levels)>,
    /// Levels in them.
    pub applied_level_changes: u64,
    /// The oracle's answer: all tops and the final book.
    pub answer: String,
    /// The oracle's digest of the final book.
    pub digest: String,
}

/// Why there is no workload.
#[derive(Debug)]
pub enum LoadError {
    /// This checkout has no recordings: to be said and passed over.
    Absent(PathBuf),
    /// The bytes are not what they should be: an error.
    Broken(String),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(folder) => write!(f, "no recordings at {}", folder.display()),
            Self::Broken(what) => f.write_str(what),
        }
    }
}

impl Named {
    /// The workload of that name.
    pub fn find(name: &str) -> Option<Self> {
        WORKLOADS.into_iter().find(|named| named.name == name)
    }

    /// Reads or generates the bytes, decodes them, and lets the oracle answer. A recording must hold what is
    /// known of it. Costs up to a second and some 50 MB.
    pub fn load(self) -> Result<Workload, LoadError> {
        let broken = |what: String| LoadError::Broken(format!("{}: {what}", self.name));
        let mut text = Vec::new();
        match self.origin {
            Origin::Recorded(files, _) => {
                let folder = folder();
                if !folder.is_dir() {
                    return Err(LoadError::Absent(folder));
                }
                for file in files {
                    unpack(&folder.join(file), &mut text)
                        .map_err(|error| broken(format!("{file}: {error}")))?;
                }
            }
            Origin::Simulated(seed, duration_ms) => {
                depthwire_sim::recording(self.symbol, seed, SIM_START_MS, duration_ms, &mut text)
                    .map_err(|error| broken(error.to_string()))?;
            }
        }
        let workload = self.read(text).map_err(broken)?;
        if let Origin::Recorded(_, known) = self.origin {
            let found = Known {
                lines: workload.lines,
                depth_messages: workload.depth_messages,
                level_changes: workload.level_changes,
                applied_messages: workload.updates.len() as u64,
                applied_level_changes: workload.applied_level_changes,
                digest: &workload.digest,
            };
            if found != known {
                return Err(broken(format!("expected {known:?}, got {found:?}")));
            }
        }
        Ok(workload)
    }

    fn read(self, text: Vec<u8>) -> Result<Workload, String> {
        let catalogue = Catalogue::built_in();
        let id = catalogue.find(self.venue, self.symbol).ok_or("not in the catalogue")?;
        let instrument = catalogue.get(id).ok_or("not in the catalogue")?;
        let (price_exponent, qty_exponent) = (instrument.price_exponent, instrument.qty_exponent);
        let mut workload = Workload {
            name: self.name,
            venue: self.venue,
            symbol: self.symbol,
            listing: Listing { id, price_exponent, qty_exponent },
            price_exponent,
            qty_exponent,
            spec: BookSpec { tick_size: instrument.tick_size, levels_max: LEVELS_MAX },
            text: Vec::new(),
            lines: 0,
            depth_messages: 0,
            level_changes: 0,
            book_frames: Vec::new(),
            lead_frames: 0,
            snapshot: Levels::default(),
            known_to: KnownTo::WHOLE,
            updates: Vec::new(),
            applied_level_changes: 0,
            answer: String::new(),
            digest: String::new(),
        };
        workload.collect(&text)?;
        workload.text = text;
        let mut oracle = NaiveBook::new(workload.spec);
        oracle.load(&workload.snapshot, workload.known_to).map_err(|error| error.code())?;
        let tops = replay(&mut oracle, &workload);
        workload.answer = of_book(&oracle, tops, &workload);
        workload.digest = Book::digest(&oracle, price_exponent, qty_exponent);
        Ok(workload)
    }
}

impl Workload {
    /// Decodes all lines and keeps the book's.
    fn collect(&mut self, text: &[u8]) -> Result<(), String> {
        let mut levels = Levels::default();
        let mut chain = None;
        let mut waiting = Vec::new();
        for line in LineFramer::default().finish(text) {
            self.lines += 1;
            let (_, frame) = line.frame.map_err(|error| error.to_string())?;
            let event = decode(frame, &*self, &mut levels).map_err(|error| error.to_string())?;
            if !matches!(event, Event::Depth(_) | Event::Snapshot(_)) {
                continue;
            }
            let start = frame.as_ptr().addr() - text.as_ptr().addr();
            self.book_frames.push(start..start + frame.len());
            match event {
                Event::Depth(update) => {
                    self.depth_messages += 1;
                    self.level_changes += levels.len() as u64;
                    match &mut chain {
                        None => waiting.push((update, levels.clone())),
                        Some(chain) => self.apply(chain, update, levels.clone())?,
                    }
                }
                Event::Snapshot(snapshot) if chain.is_none() => {
                    self.lead_frames = self.book_frames.len();
                    self.snapshot = levels.clone();
                    self.known_to = snapshot_known_to(&levels);
                    let rule = Rule::of(self.venue).ok_or("its venue sends no snapshots")?;
                    let mut started = Chain::new(rule, snapshot.last_id);
                    for (update, levels) in waiting.drain(..) {
                        self.apply(&mut started, update, levels)?;
                    }
                    chain = Some(started);
                }
                _ => return Err("it holds more than one snapshot".to_owned()),
            }
        }
        if chain.is_none() { Err("it holds no snapshot".to_owned()) } else { Ok(()) }
    }

    fn apply(&mut self, chain: &mut Chain, update: DepthUpdate, levels: Levels) -> Result<(), String> {
        match chain.check(&update) {
            SeqOutcome::Old => {}
            SeqOutcome::Next => {
                chain.advance(&update);
                self.applied_level_changes += levels.len() as u64;
                self.updates.push((update, levels));
            }
            SeqOutcome::Gap { expected, received } => {
                return Err(format!("a gap: expected {expected}, received {received}"));
            }
        }
        Ok(())
    }

    /// Number of its instrument.
    pub const fn instrument(&self) -> InstrumentId {
        self.listing.id
    }
}

/// A connection that carries the workload's instrument alone.
impl Listings for Workload {
    #[inline]
    fn find(&self, symbol: &[u8]) -> Option<Listing> {
        (symbol == self.symbol.as_bytes()).then_some(self.listing)
    }

    fn sole(&self) -> Option<Listing> {
        Some(self.listing)
    }
}

/// The recordings' folder: `DEPTHWIRE_DATA`, or beside the project.
fn folder() -> PathBuf {
    let root = match std::env::var_os("DEPTHWIRE_DATA") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
    };
    root.join("binance")
}

fn unpack(file: &Path, text: &mut Vec<u8>) -> std::io::Result<()> {
    flate2::read::MultiGzDecoder::new(File::open(file)?).read_to_end(text).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulated_twin_needs_no_file_and_is_the_same_each_time() {
        let load = || {
            Named { origin: Origin::Simulated(7, 3_000), ..WORKLOADS[4] }.load().map_err(|e| e.to_string())
        };
        let (first, second) = (load(), load());
        assert!(first.as_ref().is_ok_and(|workload| workload.updates.len() > 10), "{first:?}");
        assert_eq!(first.map(|workload| workload.answer), second.map(|workload| workload.answer));
    }

    #[test]
    fn a_recording_with_a_hole_is_no_workload() {
        let named = Named { origin: Origin::Simulated(7, 3_000), ..WORKLOADS[4] };
        let Ok(whole) = named.load() else { panic!("the whole one loads") };
        let cut = whole.book_frames[whole.lead_frames + 3].clone();
        let line_start =
            whole.text[..cut.start].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let text = [&whole.text[..line_start], &whole.text[cut.end + 1..]].concat();
        assert!(named.read(text).is_err_and(|what| what.starts_with("a gap")));
    }
}
