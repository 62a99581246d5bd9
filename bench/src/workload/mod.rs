//! The named workloads: recordings of real venues, synthetic streams that need no file, and what each holds.

mod checked;
mod dbn;
#[path = "../../../crates/core/tests/sets/expected.rs"]
mod expected;
mod itch;
mod levels;
mod orders;
mod recorded;
mod shapes;

use std::fmt;
use std::path::{Path, PathBuf};

use depthwire_core::venues;

pub use checked::{CheckedStream, CheckedStreams, checked_engine};
pub use dbn::DbnStream;
pub use itch::ItchStream;
use itch::Market;
pub use levels::{LevelBook, LevelStream, LevelUpdate};
pub use orders::OrderStream;
use recorded::{Feed, Origin};
pub use recorded::{FrameReader, Recording, frames};
use shapes::Shape;

/// How much of a workload is made. Recordings are read whole, except for gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// As much as an instruction counter can bear.
    Gate,
    /// Answers are checked; times mean nothing.
    Tiny,
    /// Enough for ratios.
    Quick,
    /// As stated in `bench/README.md`.
    Full,
}

/// A workload's name and where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// The name that the Rust and the Node benchmarks share.
    pub name: &'static str,
    source: Source,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Feed(Feed),
    Shape(Shape),
    /// Frames with checksums, of recordings by their names.
    Checked(&'static [&'static str]),
    /// Order records of a future.
    EsMbo,
    /// A synthetic day of order messages.
    Itch(Market),
}

/// All of them. The recorded ones need their files.
pub const WORKLOADS: &[Named] = &[
    Named {
        name: "binance-spot-btcusdt",
        source: Source::Feed(Feed {
            venue: venues::BINANCE_SPOT,
            symbol: "BTCUSDT",
            origin: Origin::Recorded,
        }),
    },
    Named {
        name: "binance-coinm-btcusd-perp",
        source: Source::Feed(Feed {
            venue: venues::BINANCE_COINM,
            symbol: "BTCUSD_PERP",
            origin: Origin::Recorded,
        }),
    },
    Named {
        name: "binance-usdm-btcusdt",
        source: Source::Feed(Feed {
            venue: venues::BINANCE_USDM,
            symbol: "BTCUSDT",
            origin: Origin::Recorded,
        }),
    },
    Named {
        name: "binance-usdm-ethusdt",
        source: Source::Feed(Feed {
            venue: venues::BINANCE_USDM,
            symbol: "ETHUSDT",
            origin: Origin::Recorded,
        }),
    },
    Named {
        name: "sim-btcusdt",
        source: Source::Feed(Feed {
            venue: venues::SIM,
            symbol: "BTCUSDT",
            origin: Origin::Simulated(7, 300_000),
        }),
    },
    Named { name: "quiet", source: Source::Shape(Shape::Quiet) },
    Named { name: "burst", source: Source::Shape(Shape::Burst) },
    Named { name: "deep", source: Source::Shape(Shape::Deep) },
    Named { name: "thin", source: Source::Shape(Shape::Thin) },
    Named { name: "hostile", source: Source::Shape(Shape::Hostile) },
    Named { name: "kraken-btcusd", source: Source::Checked(&["kraken-btcusd"]) },
    Named { name: "kraken-v1", source: Source::Checked(&["kraken-v1"]) },
    Named { name: "okx", source: Source::Checked(&["okx-options", "okx-books"]) },
    Named { name: "bitget", source: Source::Checked(&["bitget-spot", "bitget-usdt-futures"]) },
    Named {
        name: "checked",
        source: Source::Checked(&[
            "kraken-btcusd",
            "kraken-v1",
            "okx-options",
            "okx-books",
            "bitget-spot",
            "bitget-usdt-futures",
        ]),
    },
    Named { name: "es-mbo", source: Source::EsMbo },
    Named { name: "itch-1", source: Source::Itch(Market { symbols: 1, decoded: true }) },
    Named { name: "itch-500", source: Source::Itch(Market { symbols: 500, decoded: false }) },
    Named { name: "itch-market", source: Source::Itch(Market { symbols: 8_900, decoded: false }) },
];

/// A workload in memory. A benchmark runs over it where it holds what the benchmark wants.
#[derive(Debug)]
pub struct Workload {
    /// Its name.
    pub name: &'static str,
    /// Raw frames of a venue.
    pub recording: Option<Recording>,
    /// Decoded price-level updates.
    pub levels: Option<LevelStream>,
    /// Decoded changes of orders.
    pub orders: Option<OrderStream>,
    /// Raw ITCH messages.
    pub itch: Option<ItchStream>,
    /// Raw DBN records.
    pub dbn: Option<DbnStream>,
    /// Raw frames with checksums.
    pub checked: Option<CheckedStreams>,
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
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        WORKLOADS.iter().find(|named| named.name == name).copied()
    }

    /// Reads or generates it, and lets the oracles answer.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(self, size: Size) -> Result<Workload, LoadError> {
        let empty = Workload {
            name: self.name,
            recording: None,
            levels: None,
            orders: None,
            itch: None,
            dbn: None,
            checked: None,
        };
        let loaded = match self.source {
            Source::Feed(feed) => feed.load(self.name, size).map(|(recording, levels)| Workload {
                recording: Some(recording),
                levels: Some(levels),
                ..empty
            }),
            Source::Shape(shape) => shape_of(shape, size)
                .map(|(levels, orders)| Workload { levels: Some(levels), orders, ..empty })
                .map_err(LoadError::Broken),
            Source::Checked(names) => {
                checked::load(names, size).map(|checked| Workload { checked: Some(checked), ..empty })
            }
            Source::EsMbo => dbn::load(self.name, size).map(|(dbn, orders)| Workload {
                dbn: Some(dbn),
                orders: Some(orders),
                ..empty
            }),
            Source::Itch(market) => market
                .load(size)
                .map(|(itch, orders)| Workload { itch: Some(itch), orders, ..empty })
                .map_err(LoadError::Broken),
        };
        loaded.map_err(|error| match error {
            LoadError::Broken(what) => LoadError::Broken(format!("{}: {what}", self.name)),
            absent @ LoadError::Absent(_) => absent,
        })
    }
}

/// A shape's levels, and the orders of the hostile one.
fn shape_of(shape: Shape, size: Size) -> Result<(LevelStream, Option<OrderStream>), String> {
    let orders = (shape == Shape::Hostile).then(|| orders::hostile(size)).transpose()?;
    Ok((shape.stream(size)?, orders))
}

/// A file of the recordings, in `DEPTHWIRE_DATA` or beside the project.
fn recorded_file(file: &str) -> Result<PathBuf, LoadError> {
    let root = match std::env::var_os("DEPTHWIRE_DATA") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
    };
    let path = root.join(file);
    match path.parent() {
        Some(folder) if !folder.is_dir() => Err(LoadError::Absent(folder.to_owned())),
        _ => Ok(path),
    }
}
