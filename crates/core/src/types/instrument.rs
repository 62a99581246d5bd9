//! Venues, instruments and the catalogue that numbers them.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hasher;

use super::account::Account;
use super::{Decimal, Terms, fnv1a_32};

/// A market with rules of its own, by its number in the table of venues; a venue whose products differ in their rules is
/// several.
#[derive(Clone, Copy)]
pub struct Venue {
    number: u8,
    name: &'static str,
}

impl Venue {
    /// The venue of a line of the table.
    pub(crate) const fn new(number: u8, name: &'static str) -> Self {
        Self { number, name }
    }

    /// Its line in the table of venues.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.number
    }

    /// The part of an instrument's name before the colon.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl PartialEq for Venue {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Venue {}

impl std::hash::Hash for Venue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl fmt::Debug for Venue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
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
    /// Units of the base asset.
    Base,
    /// Contracts of [`Instrument::contract_size`], or the venue's own unit, such as futures.
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

/// Where an instrument's scale comes from, which decides who may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleSource {
    /// The venue's format fixes the exponents: nobody may relabel them.
    Format,
    /// The venue's definition, the committed table or the user. Refined where a value does not fit.
    Listed,
    /// The digits that have occurred; refined by those that do.
    Inferred,
}

/// One instrument: how its numbers are scaled and what they count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// Where it trades.
    pub venue: Venue,
    /// The part of its name after the colon.
    pub symbol: String,
    /// Under which texts its venue's messages name it; the symbol itself where this is empty.
    pub codes: Vec<Box<[u8]>>,
    /// Power of ten of every price mantissa, −18 to 0.
    pub price_exponent: i8,
    /// Power of ten of every quantity mantissa, −18 to 0.
    pub qty_exponent: i8,
    /// Where the exponents come from.
    pub scale_source: ScaleSource,
    /// Price increment in mantissa units; 0 = unknown, then the book finds one in its levels.
    pub tick_size: i64,
    /// Quantity increment in mantissa units; 0 = unknown.
    pub lot_size: i64,
    /// Decimals that the venue prints of a price and of a quantity, where each has a constant number of them: checksums
    /// over printed digits need it.
    pub digits: Option<(u8, u8)>,
    /// What a quantity counts.
    pub qty_unit: QtyUnit,
    /// Quote units a contract is worth (inverse) or base units it holds, above 0; 1 for spot.
    pub contract_size: Decimal,
    /// Whether the contract is worth a fixed amount of quote currency.
    pub inverse: bool,
    /// What it is, as far as its venue's list has said.
    pub terms: Terms,
}

impl Instrument {
    /// The same with the increments and the exponents of a venue's list.
    #[must_use]
    pub fn listed(self, tick: Decimal, lot: Decimal) -> Self {
        Self {
            price_exponent: tick.exponent,
            qty_exponent: lot.exponent,
            scale_source: ScaleSource::Listed,
            tick_size: tick.mantissa,
            lot_size: lot.mantissa,
            ..self
        }
    }

    /// Whether its exponents, increments and contract size are such as the catalogue takes.
    #[must_use]
    pub fn is_scaled(&self) -> bool {
        let exponents = -18..=0;
        exponents.contains(&self.price_exponent)
            && exponents.contains(&self.qty_exponent)
            && self.tick_size >= 0
            && self.lot_size >= 0
            && self.contract_size.mantissa >= 1
    }

    /// Whether a quantity of it and one of another are so much of the same asset, at the same price asset.
    #[must_use]
    pub fn is_of_same_unit(&self, other: &Self) -> bool {
        let unit = |of: &Self| (of.qty_unit, of.contract_size, of.inverse);
        let (a, b) = (&self.terms, &other.terms);
        unit(self) == unit(other) && (&a.base, &a.quote) == (&b.base, &b.quote)
    }

    /// Under which texts its venue's messages name it.
    pub fn wire_codes(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let own = self.codes.is_empty().then_some(self.symbol.as_bytes());
        own.into_iter().chain(self.codes.iter().map(|code| &**code))
    }
}

/// Longest symbol that is accepted, in bytes.
pub const SYMBOL_LEN_MAX: usize = 64;

/// Whether the catalogue takes a symbol: any text that a venue lists, but no white space, no control character and no
/// comma, which separates settings on a command line.
#[must_use]
pub fn is_symbol(symbol: &str) -> bool {
    let fits = |letter: char| !letter.is_whitespace() && !letter.is_control() && letter != ',';
    !symbol.is_empty() && symbol.len() <= SYMBOL_LEN_MAX && symbol.chars().all(fits)
}

/// Why an instrument cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstrumentError {
    /// Not of the form `venue:symbol`.
    Grammar,
    /// The part before the colon names no venue.
    UnknownVenue,
    /// The symbol is empty, too long, or holds white space, a control character or a comma.
    Symbol,
    /// An exponent outside −18 to 0, or a negative tick or lot.
    Scale,
    /// The venue's format fixes the exponents, and they are others.
    FixedScale,
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
            Self::FixedScale => "instrument.fixed_scale",
            Self::Full => "instrument.catalogue_full",
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Self::Grammar => Account::new("wrong instrument name", "venue:SYMBOL", "no colon"),
            Self::UnknownVenue => Account::new("unknown venue", "one that this version reads", "another"),
            Self::Symbol => {
                Account::new("wrong symbol", "1 to 64 bytes without white space and comma", "something else")
            }
            Self::Scale => {
                Account::new("wrong scale", "exponents -18 to 0 and a tick and lot of 0 or more", "others")
            }
            Self::FixedScale => {
                Account::new("wrong scale", "the exponents that the venue's format fixes", "others")
            }
            Self::Full => Account::new("catalogue full", "at most 65536 instruments", "one more"),
        }
    }
}

impl fmt::Display for InstrumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
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
    /// Adds an instrument, or replaces the one of that name, and returns its number.
    ///
    /// # Errors
    /// [`InstrumentError::Scale`] for exponents, tick or lot out of range, [`InstrumentError::Symbol`] for a bad
    /// symbol, [`InstrumentError::Full`] at [`CATALOGUE_LEN_MAX`].
    pub fn add(&mut self, instrument: Instrument) -> Result<InstrumentId, InstrumentError> {
        if !is_symbol(&instrument.symbol) {
            return Err(InstrumentError::Symbol);
        }
        if !instrument.is_scaled() {
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
        let mut id = InstrumentId(fnv1a_32(instrument.to_string().as_bytes()));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn instrument(symbol: &str) -> Instrument {
        Instrument {
            venue: Venue::new(1, "here"),
            symbol: symbol.to_owned(),
            codes: Vec::new(),
            price_exponent: -2,
            qty_exponent: -3,
            scale_source: ScaleSource::Inferred,
            tick_size: 0,
            lot_size: 0,
            digits: None,
            qty_unit: QtyUnit::Base,
            contract_size: Decimal::ONE,
            inverse: false,
            terms: Terms::default(),
        }
    }

    #[test]
    fn numbers_do_not_depend_on_the_order_of_addition() {
        let symbols = ["A", "B-C", "XBT/USD", "币安人生USDT", "@107", "tBTCF0:USTF0"];
        let (mut forward, mut backward) = (Catalogue::default(), Catalogue::default());
        let ids: Vec<_> = symbols.iter().map(|symbol| forward.add(instrument(symbol))).collect();
        let mut again: Vec<_> = symbols.iter().rev().map(|symbol| backward.add(instrument(symbol))).collect();
        again.reverse();
        assert_eq!(ids, again);
        assert_eq!(forward.get(ids[2].unwrap()).unwrap().to_string(), "here:XBT/USD");
    }

    #[test]
    fn refuses_what_no_venue_lists() {
        for symbol in ["", "A B", "A,B", "A\n", &"A".repeat(SYMBOL_LEN_MAX + 1)] {
            assert_eq!(
                Catalogue::default().add(instrument(symbol)),
                Err(InstrumentError::Symbol),
                "{symbol:?}"
            );
        }
        let odd = Instrument { price_exponent: 3, ..instrument("X") };
        assert_eq!(Catalogue::default().add(odd), Err(InstrumentError::Scale));
    }
}
