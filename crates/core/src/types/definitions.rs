//! Instruments as a venue itself lists them: what each is, what its numbers mean, and whether it trades.

use super::{CATALOGUE_LEN_MAX, Decimal, Instrument, TimeNs, TradingStatus, is_symbol};

/// What kind of contract an instrument is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InstrumentKind {
    /// Nobody has said.
    #[default]
    Unknown,
    /// The asset itself.
    Spot,
    /// A future that never expires and pays funding.
    Perpetual,
    /// A future with an end.
    Future,
    /// An option.
    Option,
    /// Several of these at once, at the difference of their prices.
    Spread,
}

impl InstrumentKind {
    /// The kind's word, as it stands in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Spot => "spot",
            Self::Perpetual => "perpetual",
            Self::Future => "future",
            Self::Option => "option",
            Self::Spread => "spread",
        }
    }
}

/// What an option gives the right to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionTerms {
    /// To buy; else to sell.
    pub is_call: bool,
    /// At which price.
    pub strike: Decimal,
}

/// What a contract is, beside how its numbers are scaled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Its kind.
    pub kind: InstrumentKind,
    /// What is traded, as the venue writes it; empty where it does not say.
    pub base: Box<str>,
    /// What prices are in.
    pub quote: Box<str>,
    /// What gains are paid in, where that is neither of spot.
    pub settle: Box<str>,
    /// When it ends; 0 = never, or nobody has said.
    pub expiry: TimeNs,
    /// Of an option.
    pub option: Option<OptionTerms>,
    /// Whether it trades.
    pub status: TradingStatus,
}

/// Why a list of instruments is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefinitionsError {
    /// It has more than [`CATALOGUE_LEN_MAX`].
    TooMany,
    /// It has an instrument twice, with different terms.
    Contradiction,
}

/// The instruments of a venue's answer, in its order.
#[derive(Debug, Default)]
pub struct Definitions {
    list: Vec<Instrument>,
    by_symbol: std::collections::HashMap<String, usize>,
    passed_over: u32,
    next: Option<Box<str>>,
}

impl Definitions {
    /// Adds an instrument. One whose symbol or numbers the catalogue does not take is counted and passed over: the others
    /// are as good without it.
    ///
    /// # Errors
    /// [`DefinitionsError`].
    pub fn add(&mut self, instrument: Instrument) -> Result<(), DefinitionsError> {
        if !is_symbol(&instrument.symbol) || !instrument.is_scaled() {
            self.passed_over += 1;
            return Ok(());
        }
        if let Some(&index) = self.by_symbol.get(&instrument.symbol) {
            let is_same = self.list.get(index) == Some(&instrument);
            return if is_same { Ok(()) } else { Err(DefinitionsError::Contradiction) };
        }
        if self.list.len() == CATALOGUE_LEN_MAX {
            return Err(DefinitionsError::TooMany);
        }
        self.by_symbol.insert(instrument.symbol.clone(), self.list.len());
        self.list.push(instrument);
        Ok(())
    }

    /// Counts an entry that the venue lists and that is no instrument here.
    pub const fn pass_over(&mut self) {
        self.passed_over += 1;
    }

    /// The venue has more: what it wants to be asked for next.
    pub fn set_next(&mut self, cursor: &str) {
        self.next = Some(cursor.into());
    }

    /// The instruments.
    #[must_use]
    pub fn list(&self) -> &[Instrument] {
        &self.list
    }

    /// Entries that were passed over.
    #[must_use]
    pub const fn passed_over(&self) -> u32 {
        self.passed_over
    }

    /// What the next part of the list is asked for with; none where this was the last.
    #[must_use]
    pub fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venues;

    #[test]
    fn an_instrument_is_listed_once() {
        let instrument = venues::instrument(venues::ALL[0], "BTCUSDT").unwrap();
        let mut definitions = Definitions::default();
        assert_eq!(definitions.add(instrument.clone()), Ok(()));
        assert_eq!(definitions.add(instrument.clone()), Ok(()), "told twice alike");
        let other = Instrument { tick_size: 7, ..instrument.clone() };
        assert_eq!(definitions.add(other), Err(DefinitionsError::Contradiction));
        assert_eq!(definitions.add(Instrument { symbol: "A B".to_owned(), ..instrument.clone() }), Ok(()));
        assert_eq!(
            definitions.add(Instrument { price_exponent: 3, symbol: "C".to_owned(), ..instrument }),
            Ok(())
        );
        assert_eq!((definitions.list().len(), definitions.passed_over()), (1, 2));
    }

    #[test]
    fn a_list_without_end_is_refused() {
        let mut definitions = Definitions::default();
        let one = |at: usize| Instrument {
            symbol: at.to_string(),
            ..venues::instrument(venues::ALL[0], "X").unwrap()
        };
        assert!((0..CATALOGUE_LEN_MAX).all(|at| definitions.add(one(at)).is_ok()));
        assert_eq!(definitions.add(one(CATALOGUE_LEN_MAX)), Err(DefinitionsError::TooMany));
    }
}
