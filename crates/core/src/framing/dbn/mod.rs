//! The binary encoding DBN, versions 1 to 3: metadata and records out of chunks cut anywhere.
//!
//! A stream or file is the metadata followed by records; a fragment is records alone. Everything is little-endian and
//! nothing is aligned: records are read where they stand, as views over the bytes, without a copy or an allocation.
//! Zstandard compression is undone by whoever reads the file.
//!
//! ```text
//! record   0 length u8, in words of 4 bytes, header and all
//!          1 rtype u8          2 publisher u16
//!          4 instrument u32    8 ts_event u64, ns
//!         16 the fields of its type, then ts_out u64 where the stream carries it
//! ```
//!
//! Prices are mantissas at 10⁻⁹ ([`PRICE_EXPONENT`]), sizes whole numbers. The layouts are those of the crate
//! `dbn`, module `record`, which is the specification; what an order record means is said by that of the MBO schema.

mod definition;
mod error;
mod flags;
mod framer;
mod gateway;
mod imbalance;
mod levels;
mod mbo;
mod metadata;
mod ohlcv;
mod record;
mod statistics;
mod status;
mod text;
mod view;

pub use definition::{Definition, Leg};
pub use error::DbnError;
pub use flags::Flags;
pub use framer::{DbnFramer, Entry, Records};
pub use gateway::{GatewayError, SymbolMapping, System};
pub use imbalance::Imbalance;
pub use levels::{Bbo, BidAsk, ConsolidatedBbo, ConsolidatedMbp1, Mbp1, Mbp10, Trade};
pub use mbo::{Mbo, MboChange};
pub use metadata::{Date, Mapping, MappingInterval, Metadata, Schema, SymbolType};
pub use ohlcv::Ohlcv;
pub use record::{Header, Record};
pub use statistics::{Statistics, UNDEFINED_STATISTIC_QTY};
pub use status::Status;
pub use text::Text;

use crate::types::{Aggressor, Price, Qty, Side};

/// The bytes that every stream and file with metadata starts with; the version follows.
pub const MAGIC: [u8; 3] = *b"DBN";

/// Longest metadata that is read, in bytes after its length field. A symbol takes about 150.
pub const METADATA_BYTES_MAX: usize = 64 << 20;

/// Longest record that is framed: 255 words. With it the bytes that a caller must keep between two chunks are bounded.
pub const RECORD_BYTES_MAX: usize = 255 * 4;

/// Power of ten of every price.
pub const PRICE_EXPONENT: i8 = -9;

/// A price that is not there.
pub const UNDEFINED_PRICE: i64 = i64::MAX;

/// A size that is not there.
pub const UNDEFINED_SIZE: u32 = u32::MAX;

/// A time that is not there.
pub const UNDEFINED_TIME: u64 = u64::MAX;

/// The version of the encoding: it says how long symbols are and how definitions, statistics, mappings and messages of
/// the gateway are laid out. Orders, trades and levels are the same in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Version {
    /// Symbols of 22 bytes.
    V1 = 1,
    /// Symbols of 71 bytes.
    V2 = 2,
    /// Definitions with legs, statistics of 64 bits.
    V3 = 3,
}

impl Version {
    /// The version of that number.
    ///
    /// # Errors
    /// [`DbnError::UnsupportedVersion`] for any number but 1, 2 and 3.
    pub const fn new(number: u8) -> Result<Self, DbnError> {
        match number {
            1 => Ok(Self::V1),
            2 => Ok(Self::V2),
            3 => Ok(Self::V3),
            got => Err(DbnError::UnsupportedVersion { got }),
        }
    }
}

/// A trade as its record prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradePrint {
    /// Price paid, at [`PRICE_EXPONENT`].
    pub price: Price,
    /// How much.
    pub qty: Qty,
    /// Who took; `None` where the venue does not say, as in auctions.
    pub aggressor: Option<Aggressor>,
}

impl TradePrint {
    /// The trade of a record's fields; `None` unless the action is a trade with a price and a size.
    fn of(action: u8, price: i64, size: u32, side: Option<Side>) -> Option<Self> {
        (action == b'T' && price != UNDEFINED_PRICE && size != UNDEFINED_SIZE).then(|| Self {
            price: Price(price),
            qty: Qty(i64::from(size)),
            aggressor: side.map(|side| match side {
                Side::Bid => Aggressor::Buy,
                Side::Ask => Aggressor::Sell,
            }),
        })
    }
}

/// A record's side: `B`, `A`, and `None` for `N` and all else.
const fn side_of(letter: u8) -> Option<Side> {
    match letter {
        b'B' => Some(Side::Bid),
        b'A' => Some(Side::Ask),
        _ => None,
    }
}
