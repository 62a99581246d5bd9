//! Venues, instruments and the catalogue that numbers them.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hasher;

/// A market with rules of its own. Binance is three: their sequence rules differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Venue {
    /// Binance spot.
    BinanceSpot = 1,
    /// Binance USDⓈ-M futures.
    BinanceUsdm = 2,
    /// Binance COIN-M futures.
    BinanceCoinm = 3,
    /// The embedded simulated venue, which speaks the Binance spot format.
    Sim = 4,
    /// NASDAQ order by order, TotalView-ITCH 5.0.
    Nasdaq = 5,
    /// Whatever Databento delivers as DBN, order by order.
    Databento = 6,
}

impl Venue {
    /// Every venue, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::BinanceSpot, Self::BinanceUsdm, Self::BinanceCoinm, Self::Sim, Self::Nasdaq, Self::Databento];

    /// The venue's part of a symbol, as in `binance-usdm:BTCUSDT`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BinanceSpot => "binance",
            Self::BinanceUsdm => "binance-usdm",
            Self::BinanceCoinm => "binance-coinm",
            Self::Sim => "sim",
            Self::Nasdaq => "nasdaq",
            Self::Databento => "databento",
        }
    }

    /// Whether its messages name orders, not price levels.
    #[must_use]
    pub const fn is_order_by_order(self) -> bool {
        matches!(self, Self::Nasdaq | Self::Databento)
    }

    /// The venue of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|venue| venue.name() == name)
    }
}

/// Number of an instrument in its catalogue: equal on all nodes that load the same catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct InstrumentId(pub u32);

/// Hashes instrument numbers for maps: the numbers are hashes already, and nobody outside chooses them.
#[derive(Clone, Copy, Debug, Default)]
pub struct InstrumentHasher(u64);

impl Hasher for InstrumentHasher {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| hash.rotate_left(8) ^ u64::from(byte));
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        // The map takes its control bits from the top and its place from the bottom.
        self.0 = u64::from(number) << 32 | u64::from(number);
    }
}

/// What a quantity counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QtyUnit {
    /// Units of the base asset (spot, USDⓈ-M).
    Base,
    /// Contracts of [`Instrument::contract_size`] (COIN-M), or the venue's own unit, such as futures.
    Contracts,
    /// Shares.
    Shares,
}

impl QtyUnit {
    /// The unit's word, as it stands in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Contracts => "contracts",
            Self::Shares => "shares",
        }
    }
}

/// One instrument: how its numbers are scaled and what they count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// Where it trades.
    pub venue: Venue,
    /// The venue's own symbol, upper case.
    pub symbol: String,
    /// Power of ten of every price mantissa, −18 to 0.
    pub price_exponent: i8,
    /// Power of ten of every quantity mantissa, −18 to 0.
    pub qty_exponent: i8,
    /// Price increment in mantissa units; 0 = unknown, then the book finds one in its levels.
    pub tick_size: i64,
    /// Quantity increment in mantissa units; 0 = unknown.
    pub lot_size: i64,
    /// What a quantity counts.
    pub qty_unit: QtyUnit,
    /// Quote units a contract is worth (inverse) or base units it holds; 1 for spot.
    pub contract_size: i64,
    /// Whether the contract is worth a fixed amount of quote currency (COIN-M).
    pub inverse: bool,
}

/// Longest venue symbol that is accepted.
pub const SYMBOL_LEN_MAX: usize = 40;

/// What a symbol may hold beside upper-case letters and digits. The last ten are NASDAQ's marks of units, warrants,
/// rights and the like (Nasdaq Symbology, "Fifth character and suffixes").
const SYMBOL_MARKS: &[u8] = b"_-.+=^#$*~@%!";

/// Whether the catalogue takes a venue's symbol.
#[must_use]
pub fn is_symbol(symbol: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || SYMBOL_MARKS.contains(&byte);
    !symbol.is_empty() && symbol.len() <= SYMBOL_LEN_MAX && symbol.bytes().all(fits)
}

/// Why an instrument cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstrumentError {
    /// Not of the form `venue:symbol`.
    Grammar,
    /// The part before the colon names no venue.
    UnknownVenue,
    /// The symbol is empty, too long, or has a character other than `A–Z 0–9` and ``_-.+=^#$*~@%!``.
    Symbol,
    /// An exponent outside −18 to 0, or a negative tick or lot.
    Scale,
    /// The catalogue holds as many instruments as it may.
    Full,
}

impl InstrumentError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Grammar => "instrument.grammar",
            Self::UnknownVenue => "instrument.unknown_venue",
            Self::Symbol => "instrument.symbol",
            Self::Scale => "instrument.scale",
            Self::Full => "instrument.catalogue_full",
        }
    }
}

impl fmt::Display for InstrumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grammar => "wrong instrument name; expected venue:SYMBOL, got no colon",
            Self::UnknownVenue => {
                "unknown venue; expected binance, binance-usdm, binance-coinm, sim, nasdaq or databento, got another"
            }
            Self::Symbol => "wrong symbol; expected 1 to 40 of A-Z 0-9 and _-.+=^#$*~@%!, got something else",
            Self::Scale => {
                "wrong scale; expected exponents -18 to 0 and a tick and lot of 0 or more, got others"
            }
            Self::Full => "catalogue full; expected at most 65536 instruments, got one more",
        })
    }
}

impl Instrument {
    /// An instrument of which nothing is known but its name, at the scale of its venue's messages.
    ///
    /// Binance prints up to eight decimals. ITCH prices have four implied decimals and the regular step is a cent (Regulation
    /// NMS rule 612); DBN prices are 1e-9 units, and a step of their own comes with a definition only.
    ///
    /// # Errors
    /// [`InstrumentError::Symbol`] when the symbol breaks the grammar.
    pub fn unlisted(venue: Venue, symbol: &str) -> Result<Self, InstrumentError> {
        if !is_symbol(symbol) {
            return Err(InstrumentError::Symbol);
        }
        let (price_exponent, qty_exponent, tick_size, qty_unit) = match venue {
            Venue::BinanceSpot | Venue::BinanceUsdm | Venue::Sim => (-8, -8, 0, QtyUnit::Base),
            Venue::BinanceCoinm => (-8, 0, 0, QtyUnit::Contracts),
            Venue::Nasdaq => (-4, 0, 100, QtyUnit::Shares),
            Venue::Databento => (-9, 0, 0, QtyUnit::Contracts),
        };
        Ok(Self {
            venue,
            symbol: symbol.to_owned(),
            price_exponent,
            qty_exponent,
            tick_size,
            lot_size: 0,
            qty_unit,
            contract_size: 1,
            inverse: venue == Venue::BinanceCoinm,
        })
    }

    /// Splits `venue:symbol`.
    ///
    /// # Errors
    /// [`InstrumentError::Grammar`] without a colon, [`InstrumentError::UnknownVenue`] for a venue that is not here.
    pub fn split_name(name: &str) -> Result<(Venue, &str), InstrumentError> {
        let (venue, symbol) = name.split_once(':').ok_or(InstrumentError::Grammar)?;
        Ok((Venue::from_name(venue).ok_or(InstrumentError::UnknownVenue)?, symbol))
    }
}

/// The full name, `venue:symbol`.
impl fmt::Display for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.venue.name(), self.symbol)
    }
}

/// The instruments that one engine knows, each with a number.
///
/// The number is the FNV-1a hash of the full name (moved on past a collision, in order of addition), so that nodes
/// which learn instruments in different orders still agree.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    by_id: HashMap<InstrumentId, Instrument>,
    ids: HashMap<(Venue, Vec<u8>), InstrumentId>,
}

/// Most instruments in one catalogue.
pub const CATALOGUE_LEN_MAX: usize = 65_536;

impl Catalogue {
    /// The instruments of the committed table: those of the recordings and of the embedded venue.
    #[must_use]
    pub fn built_in() -> Self {
        let mut catalogue = Self::default();
        for (venue, symbol, price_exponent, qty_exponent, tick_size, lot_size, contract_size) in BUILT_IN {
            let contracts = venue == Venue::BinanceCoinm;
            let instrument = Instrument {
                venue,
                symbol: symbol.to_owned(),
                price_exponent,
                qty_exponent,
                tick_size,
                lot_size,
                qty_unit: if contracts { QtyUnit::Contracts } else { QtyUnit::Base },
                contract_size,
                inverse: contracts,
            };
            let added = catalogue.add(instrument);
            debug_assert!(added.is_ok());
        }
        catalogue
    }

    /// Adds an instrument, or replaces the one of that name, and returns its number.
    ///
    /// # Errors
    /// [`InstrumentError::Scale`] for exponents, tick or lot out of range, [`InstrumentError::Symbol`] for a bad
    /// symbol, [`InstrumentError::Full`] at [`CATALOGUE_LEN_MAX`].
    pub fn add(&mut self, instrument: Instrument) -> Result<InstrumentId, InstrumentError> {
        Instrument::unlisted(instrument.venue, &instrument.symbol)?;
        let exponents = -18..=0;
        if !exponents.contains(&instrument.price_exponent)
            || !exponents.contains(&instrument.qty_exponent)
            || instrument.tick_size < 0
            || instrument.lot_size < 0
            || instrument.contract_size < 1
        {
            return Err(InstrumentError::Scale);
        }
        let key = (instrument.venue, instrument.symbol.as_bytes().to_vec());
        if let Some(&id) = self.ids.get(&key) {
            self.by_id.insert(id, instrument);
            return Ok(id);
        }
        if self.by_id.len() >= CATALOGUE_LEN_MAX {
            return Err(InstrumentError::Full);
        }
        let mut id = InstrumentId(fnv1a(instrument.to_string().as_bytes()));
        while self.by_id.contains_key(&id) {
            id = InstrumentId(id.0.wrapping_add(1));
        }
        self.ids.insert(key, id);
        self.by_id.insert(id, instrument);
        Ok(id)
    }

    /// The instrument of that number.
    #[must_use]
    pub fn get(&self, id: InstrumentId) -> Option<&Instrument> {
        self.by_id.get(&id)
    }

    /// The number of a venue's symbol.
    #[must_use]
    pub fn find(&self, venue: Venue, symbol: &str) -> Option<InstrumentId> {
        self.ids.get(&(venue, symbol.as_bytes().to_vec())).copied()
    }

    /// All instruments with their numbers, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (InstrumentId, &Instrument)> {
        self.by_id.iter().map(|(&id, instrument)| (id, instrument))
    }
}

/// 32-bit FNV-1a: a stable hash with a public definition, so other languages can compute the same number.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Venue, symbol, price exponent, quantity exponent, tick and lot in mantissa units, contract size.
///
/// Source: Binance `exchangeInfo` filters as of the recordings (PRICE_FILTER.tickSize, LOT_SIZE.stepSize, COIN-M
/// `contractSize`). The price exponent is that of the printed digits where these are finer than the tick
/// (`61800.20` at tick 0.1), so that a price off the tick grid can still be held. Spot quantities keep all eight
/// printed digits: the recordings hold resting quantities off the lot grid.
const BUILT_IN: [(Venue, &str, i8, i8, i64, i64, i64); 10] = [
    (Venue::BinanceSpot, "BTCUSDT", -2, -8, 1, 1_000, 1),
    (Venue::BinanceSpot, "ETHUSDT", -2, -8, 1, 10_000, 1),
    (Venue::BinanceUsdm, "BTCUSDT", -2, -3, 10, 1, 1),
    (Venue::BinanceUsdm, "ETHUSDT", -2, -3, 1, 1, 1),
    (Venue::BinanceCoinm, "BTCUSD_PERP", -1, 0, 1, 1, 100),
    (Venue::BinanceCoinm, "ETHUSD_PERP", -2, 0, 1, 1, 10),
    (Venue::Sim, "BTCUSDT", -2, -5, 1, 1, 1),
    (Venue::Sim, "ETHUSDT", -2, -4, 1, 1, 1),
    (Venue::Sim, "SOLUSDT", -2, -3, 1, 1, 1),
    (Venue::Sim, "DOGEUSDT", -5, 0, 1, 1, 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_and_print_alike() {
        let catalogue = Catalogue::built_in();
        for (id, instrument) in catalogue.iter() {
            let name = instrument.to_string();
            let (venue, symbol) = Instrument::split_name(&name).unwrap();
            assert_eq!(catalogue.find(venue, symbol), Some(id));
        }
        assert_eq!(catalogue.iter().count(), BUILT_IN.len());
        assert_eq!(Instrument::split_name("BTCUSDT"), Err(InstrumentError::Grammar));
        assert_eq!(Instrument::split_name("nyse:IBM"), Err(InstrumentError::UnknownVenue));
    }

    #[test]
    fn numbers_do_not_depend_on_the_order_of_addition() {
        let listed = Catalogue::built_in();
        let mut reversed = Catalogue::default();
        let mut all: Vec<_> = listed.iter().collect();
        all.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        for (id, instrument) in all {
            assert_eq!(reversed.add(instrument.clone()), Ok(id));
        }
    }

    #[test]
    fn refuses_what_no_venue_lists() {
        assert_eq!(Instrument::unlisted(Venue::Sim, ""), Err(InstrumentError::Symbol));
        assert_eq!(Instrument::unlisted(Venue::Sim, "btc"), Err(InstrumentError::Symbol));
        assert_eq!(
            Instrument::unlisted(Venue::Sim, &"A".repeat(SYMBOL_LEN_MAX + 1)),
            Err(InstrumentError::Symbol)
        );
        let mut odd = Instrument::unlisted(Venue::Sim, "X").unwrap();
        odd.price_exponent = 3;
        assert_eq!(Catalogue::default().add(odd), Err(InstrumentError::Scale));
    }
}
