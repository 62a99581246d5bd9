//! The metadata that a stream or file starts with: what was asked for, and which symbols it speaks of.
//!
//! ```text
//!  0 "DBN"   3 version u8   4 length u32 of what follows
//!  8 dataset [16]   24 schema u16   26 start u64   34 end u64   42 limit u64   50 record count u64, version 1 only
//!    stype_in u8   stype_out u8   ts_out u8   symbol length u16, from version 2
//!    reserved, so that the part ends at 108
//!    length of a schema definition u32, always 0
//!    symbols, partial, not found: each a count u32 and so many symbols
//!    mappings: a count u32; each a symbol, a count u32 and so many of (start date u32, end date u32, symbol)
//! ```
//!
//! Version 3 pads the end to a multiple of 8; what follows the mappings is passed over.

use core::fmt;

use super::{DbnError, MAGIC, METADATA_BYTES_MAX, Text, UNDEFINED_TIME, Version};
use crate::types::TimeNs;

/// Bytes before the part that the length counts.
const PRELUDE_BYTES: usize = 8;
/// Bytes of that part before the schema definition's length.
const FIXED_BYTES: usize = 100;
/// Bytes of a symbol in version 1; later versions say it.
const SYMBOL_BYTES_V1: u16 = 22;
/// Most bytes of a symbol. Versions 2 and 3 use 71.
const SYMBOL_BYTES_MAX: u16 = 255;

/// What the data are. The codes are the DBN specification's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Order by order.
    Mbo,
    /// Best bid and offer at each change and trade.
    Mbp1,
    /// Ten levels at each change and trade.
    Mbp10,
    /// Each trade, with the best bid and offer before it. Its records are those of [`Schema::Mbp1`].
    Tbbo,
    /// Each trade.
    Trades,
    /// Bars of a second.
    Ohlcv1S,
    /// Bars of a minute.
    Ohlcv1M,
    /// Bars of an hour.
    Ohlcv1H,
    /// Bars of a day, UTC.
    Ohlcv1D,
    /// Instrument definitions.
    Definition,
    /// The venue's statistics.
    Statistics,
    /// Trading status.
    Status,
    /// Auction imbalances.
    Imbalance,
    /// Bars of a trading session.
    OhlcvEod,
    /// Consolidated best bid and offer at each change and trade.
    Cmbp1,
    /// Consolidated best bid and offer at each second.
    Cbbo1S,
    /// Consolidated best bid and offer at each minute.
    Cbbo1M,
    /// Each trade, with the consolidated best bid and offer before it.
    Tcbbo,
    /// Best bid and offer at each second.
    Bbo1S,
    /// Best bid and offer at each minute.
    Bbo1M,
    /// One that this decoder does not know.
    Unknown(u16),
}

impl Schema {
    /// The known ones, each at the index that is its code.
    const KNOWN: [Self; 20] = [
        Self::Mbo,
        Self::Mbp1,
        Self::Mbp10,
        Self::Tbbo,
        Self::Trades,
        Self::Ohlcv1S,
        Self::Ohlcv1M,
        Self::Ohlcv1H,
        Self::Ohlcv1D,
        Self::Definition,
        Self::Statistics,
        Self::Status,
        Self::Imbalance,
        Self::OhlcvEod,
        Self::Cmbp1,
        Self::Cbbo1S,
        Self::Cbbo1M,
        Self::Tcbbo,
        Self::Bbo1S,
        Self::Bbo1M,
    ];

    /// The schema of a code; none for 65,535, which stands for a mix.
    fn of(code: u16) -> Option<Self> {
        (code != u16::MAX).then(|| Self::KNOWN.get(usize::from(code)).copied().unwrap_or(Self::Unknown(code)))
    }
}

/// How symbols are written. The codes are the DBN specification's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolType {
    /// The instrument's number, in decimal digits.
    InstrumentId,
    /// The venue's own.
    RawSymbol,
    /// One that names another instrument as time goes on, such as the front month.
    Continuous,
    /// One for a group of instruments.
    Parent,
    /// Another code: identifiers of other institutions.
    Other(u8),
}

impl SymbolType {
    /// The type of a code; none for 255, which stands for a mix.
    pub(super) const fn of(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::InstrumentId),
            1 => Some(Self::RawSymbol),
            3 => Some(Self::Continuous),
            4 => Some(Self::Parent),
            u8::MAX => None,
            code => Some(Self::Other(code)),
        }
    }
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// 0 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl Date {
    /// The day written as the number `YYYYMMDD`.
    ///
    /// # Errors
    /// [`DbnError::BadDate`] where the calendar has no such day.
    pub const fn new(number: u32) -> Result<Self, DbnError> {
        let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            1..=12 => 31,
            _ => 0,
        };
        if year > 9_999 || day == 0 || day > days {
            return Err(DbnError::BadDate { got: number });
        }
        Ok(Self { year: year as u16, month: month as u8, day: day as u8 })
    }

    /// Its midnight, UTC; 0 before 1970, the end of time where that does not fit.
    #[must_use]
    pub const fn start_ns(self) -> TimeNs {
        // A year that begins in March has its leap day last. 719,468 such days precede 1970.
        let (year, month, day) = (self.year as u64, self.month as u64, self.day as u64);
        let Some(year) = year.checked_sub((month < 3) as u64) else { return 0 };
        let days =
            year * 365 + year / 4 - year / 100 + year / 400 + (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        days.saturating_sub(719_468).saturating_mul(86_400_000_000_000)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// What a symbol stands for during some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingInterval {
    /// The first day.
    pub start: Date,
    /// The day after the last.
    pub end: Date,
    /// What it stands for, of type [`Metadata::stype_out`]; empty where it stands for nothing.
    pub symbol: String,
}

/// What a symbol stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The symbol as it was asked for, of type [`Metadata::stype_in`].
    pub symbol: String,
    /// Its meaning, day by day.
    pub intervals: Vec<MappingInterval>,
}

/// The metadata of a stream or file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Of the encoding.
    pub version: Version,
    /// The publisher's name of the data set, such as `GLBX.MDP3`.
    pub dataset: String,
    /// What the records are; none for a mix, as in a live stream.
    pub schema: Option<Schema>,
    /// Start of the time asked for.
    pub start: TimeNs,
    /// End of the time asked for, which is not in it; none where it is open.
    pub end: Option<TimeNs>,
    /// The most records asked for; none for no limit.
    pub limit: Option<u64>,
    /// How symbols were asked for; none for a mix.
    pub stype_in: Option<SymbolType>,
    /// What they were mapped to.
    pub stype_out: Option<SymbolType>,
    /// Whether each record ends with the gateway's send time.
    pub ts_out: bool,
    /// Bytes of a symbol in the metadata.
    pub symbol_len: u16,
    /// The symbols asked for.
    pub symbols: Vec<String>,
    /// Those known only for a part of the time.
    pub partial: Vec<String>,
    /// Those not known.
    pub not_found: Vec<String>,
    /// What the symbols stand for.
    pub mappings: Vec<Mapping>,
}

impl Metadata {
    /// The metadata at the head of a stream, with the bytes that it takes; `None` when the bytes end before it does.
    ///
    /// Every list's count is held against the bytes that are there before anything is allocated, so that memory stays
    /// within a few times the metadata's own length.
    ///
    /// # Errors
    /// [`DbnError::NotDbn`], [`DbnError::UnsupportedVersion`], [`DbnError::MetadataTooLarge`],
    /// [`DbnError::MetadataTooShort`], [`DbnError::SchemaDefinition`], [`DbnError::BadSymbolLen`],
    /// [`DbnError::BadDate`], [`DbnError::NotUtf8`].
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, DbnError> {
        let magic = bytes.len().min(MAGIC.len());
        if bytes[..magic] != MAGIC[..magic] {
            let mut got = [0; 4];
            let len = bytes.len().min(got.len());
            got[..len].copy_from_slice(&bytes[..len]);
            return Err(DbnError::NotDbn { got });
        }
        let Some(&[_, _, _, version, ref len @ ..]) = bytes.first_chunk::<PRELUDE_BYTES>() else {
            return Ok(None);
        };
        let version = Version::new(version)?;
        let len = u32::from_le_bytes(*len) as usize;
        if len > METADATA_BYTES_MAX {
            return Err(DbnError::MetadataTooLarge { len });
        }
        let end = PRELUDE_BYTES + len;
        match bytes.get(PRELUDE_BYTES..end) {
            Some(body) => Ok(Some((Self::read_body(Cursor { rest: body }, version)?, end))),
            None => Ok(None),
        }
    }

    /// Bytes of the metadata at the head of a stream, as far as they are known.
    pub(crate) fn len(bytes: &[u8]) -> usize {
        let len =
            bytes.get(4..PRELUDE_BYTES).and_then(|len| len.try_into().ok()).map_or(0, u32::from_le_bytes);
        PRELUDE_BYTES + len as usize
    }

    fn read_body(mut cursor: Cursor<'_>, version: Version) -> Result<Self, DbnError> {
        let mut fixed = Cursor { rest: cursor.take("the fixed part", FIXED_BYTES)? };
        let dataset = fixed.text("dataset", 16)?;
        let schema = Schema::of(u16::from_le_bytes(fixed.array("schema")?));
        let start = u64::from_le_bytes(fixed.array("start")?);
        let end = u64::from_le_bytes(fixed.array("end")?);
        let limit = u64::from_le_bytes(fixed.array("limit")?);
        if version == Version::V1 {
            fixed.array::<8>("record count")?;
        }
        let [stype_in, stype_out, ts_out] = fixed.array("symbol types")?;
        let symbol_len = match version {
            Version::V1 => SYMBOL_BYTES_V1,
            Version::V2 | Version::V3 => u16::from_le_bytes(fixed.array("symbol length")?),
        };
        if !(SYMBOL_BYTES_V1..=SYMBOL_BYTES_MAX).contains(&symbol_len) {
            return Err(DbnError::BadSymbolLen { got: symbol_len });
        }
        let definition = cursor.number("schema definition")?;
        if definition != 0 {
            return Err(DbnError::SchemaDefinition { len: definition });
        }
        let symbol_bytes = usize::from(symbol_len);
        Ok(Self {
            version,
            dataset,
            schema,
            start,
            end: (end != 0 && end != UNDEFINED_TIME).then_some(end),
            limit: (limit != 0).then_some(limit),
            stype_in: SymbolType::of(stype_in),
            stype_out: SymbolType::of(stype_out),
            ts_out: ts_out != 0,
            symbol_len,
            symbols: cursor.symbols("symbols", symbol_bytes)?,
            partial: cursor.symbols("partial symbols", symbol_bytes)?,
            not_found: cursor.symbols("symbols not found", symbol_bytes)?,
            mappings: cursor.list("mappings", symbol_bytes + 4, |cursor| {
                Ok(Mapping {
                    symbol: cursor.text("mapped symbol", symbol_bytes)?,
                    intervals: cursor.list("mapping intervals", 8 + symbol_bytes, |cursor| {
                        Ok(MappingInterval {
                            start: Date::new(cursor.number("start date")?)?,
                            end: Date::new(cursor.number("end date")?)?,
                            symbol: cursor.text("interval symbol", symbol_bytes)?,
                        })
                    })?,
                })
            })?,
        })
    }
}

/// Takes the metadata apart from front to back.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], DbnError> {
        let Some((taken, rest)) = self.rest.split_at_checked(len) else {
            return Err(DbnError::MetadataTooShort { field, expected: len, got: self.rest.len() });
        };
        self.rest = rest;
        Ok(taken)
    }

    fn array<const LEN: usize>(&mut self, field: &'static str) -> Result<[u8; LEN], DbnError> {
        let Some((taken, rest)) = self.rest.split_first_chunk() else {
            return Err(DbnError::MetadataTooShort { field, expected: LEN, got: self.rest.len() });
        };
        self.rest = rest;
        Ok(*taken)
    }

    fn number(&mut self, field: &'static str) -> Result<u32, DbnError> {
        self.array(field).map(u32::from_le_bytes)
    }

    fn text(&mut self, field: &'static str, len: usize) -> Result<String, DbnError> {
        Text::new(self.take(field, len)?).as_str().map(str::to_owned)
    }

    fn symbols(&mut self, field: &'static str, len: usize) -> Result<Vec<String>, DbnError> {
        self.list(field, len, |cursor| cursor.text(field, len))
    }

    /// A counted list of items that take `item_bytes` at least.
    fn list<T>(
        &mut self,
        field: &'static str,
        item_bytes: usize,
        read: impl Fn(&mut Self) -> Result<T, DbnError>,
    ) -> Result<Vec<T>, DbnError> {
        let count = self.number(field)? as usize;
        let expected = count.saturating_mul(item_bytes);
        if expected > self.rest.len() {
            return Err(DbnError::MetadataTooShort { field, expected, got: self.rest.len() });
        }
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }
}
