//! Whether instruments may stand in one book, and what makes the numbers of one those of another: exactly, or not at all.
//!
//! 1. Prices keep their value at the finest exponent of the members.
//! 2. Quantities are units of the base asset: contracts times their size. A contract that is worth a fixed amount of the quote
//!    asset holds another number of base units at each price, which is no decimal: it is refused.
//! 3. Shares stand with shares alone.
//! 4. Base and quote are the same for all, as far as venues have said what they are. Two words may be declared to be one asset.

use std::fmt;

use super::MEMBERS_MAX;
use crate::types::{Account, Decimal, Instrument, KnownTo, Level, POW10, Price, Qty, QtyUnit};

/// Why a book cannot be made of instruments. The numbers are theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsolidatedError {
    /// So many members: less than two, or more than [`MEMBERS_MAX`].
    Count(usize),
    /// One of them twice.
    Twice(u32),
    /// A member that is itself made of others.
    Nested(u32),
    /// A member whose contracts are worth a fixed amount of the quote asset.
    Inverse(u32),
    /// A member whose quantities count something else than those of the first.
    Unit(u32),
    /// A member of another asset, or priced in another, than the first.
    Asset(u32),
    /// As many consolidated books as an engine may have.
    Full,
}

impl ConsolidatedError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Count(_) | Self::Twice(_) | Self::Nested(_) => "consolidated.members",
            Self::Inverse(_) | Self::Unit(_) => "consolidated.unit",
            Self::Asset(_) => "consolidated.asset",
            Self::Full => "consolidated.full",
        }
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        match self {
            Self::Count(_) => "name 2 to 16 instruments",
            Self::Twice(_) => "name each instrument once",
            Self::Nested(_) => "name the instruments that it is made of",
            Self::Inverse(_) => "leave it out: how much of the base asset it holds depends on its price",
            Self::Unit(_) => "put instruments together whose quantities are of one asset",
            Self::Asset(_) => "leave it out, or declare that both words mean one asset",
            Self::Full => "ask for fewer consolidated books, or use another engine",
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Self::Count(count) => Account::new(
                "wrong members of a consolidated book",
                format_args!("2 to {MEMBERS_MAX} instruments"),
                count,
            ),
            Self::Twice(of) => {
                Account::new("wrong members of a consolidated book", "each instrument once", of)
            }
            Self::Nested(of) => {
                Account::new("wrong members of a consolidated book", "instruments of venues", of)
            }
            Self::Inverse(of) => {
                Account::new("no common unit", "contracts that hold a fixed amount of the base asset", of)
            }
            Self::Unit(of) => Account::new("no common unit", "quantities of one kind", of),
            Self::Asset(of) => Account::new("no common asset", "the base and quote of the first member", of),
            Self::Full => Account::new(
                "too many consolidated books",
                format_args!("at most {}", super::CONSOLIDATED_MAX),
                "one more",
            ),
        }
    }
}

impl fmt::Display for ConsolidatedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.account().fmt(f)
    }
}

impl std::error::Error for ConsolidatedError {}

/// Pairs of words for one asset.
pub(super) type SameAssets = Vec<[Box<str>; 2]>;

/// Whether an instrument may stand in one book with another.
pub(super) fn check(
    first: &Instrument,
    other: &Instrument,
    number: u32,
    same: &SameAssets,
) -> Result<(), ConsolidatedError> {
    if other.inverse {
        return Err(ConsolidatedError::Inverse(number));
    }
    let is_shares = |of: &Instrument| of.qty_unit == QtyUnit::Shares;
    if is_shares(first) != is_shares(other) {
        return Err(ConsolidatedError::Unit(number));
    }
    let is_one = |a: &str, b: &str| {
        let pair = |[x, y]: &[Box<str>; 2]| {
            x.eq_ignore_ascii_case(a) && y.eq_ignore_ascii_case(b)
                || x.eq_ignore_ascii_case(b) && y.eq_ignore_ascii_case(a)
        };
        a.is_empty() || b.is_empty() || a.eq_ignore_ascii_case(b) || same.iter().any(pair)
    };
    let (a, b) = (&first.terms, &other.terms);
    if is_one(&a.base, &b.base) && is_one(&a.quote, &b.quote) {
        Ok(())
    } else {
        Err(ConsolidatedError::Asset(number))
    }
}

/// What a quantity of 1 in the instrument's units is in the base asset, with as few digits as say it.
fn unit(listed: &Instrument) -> Decimal {
    let size = if listed.qty_unit == QtyUnit::Contracts { listed.contract_size } else { Decimal::ONE };
    let Decimal { mut mantissa, mut exponent } = size;
    while mantissa != 0 && mantissa % 10 == 0 && exponent < 18 {
        mantissa /= 10;
        exponent += 1;
    }
    Decimal { mantissa, exponent }
}

/// The exponents that hold the numbers of all these exactly, as far as there are such: −18 to 0.
pub(super) fn scale<'a>(members: impl Iterator<Item = &'a Instrument>) -> (i8, i8) {
    let (price, qty) = members.fold((0i16, 0i16), |(price, qty), listed| {
        let own = i16::from(listed.qty_exponent) + i16::from(unit(listed).exponent);
        (price.min(listed.price_exponent.into()), qty.min(own))
    });
    (price.max(-18) as i8, qty.max(-18) as i8)
}

/// The greatest increments of prices and quantities that those of all members are multiples of; 0 where one is not known.
pub(super) fn steps(members: &[&Instrument], scale: (i8, i8)) -> (i64, i64) {
    let of = |listed: &&Instrument| {
        let steps = Level { price: Price(listed.tick_size), qty: Qty(listed.lot_size) };
        let level = Conversion::new(listed, scale).and_then(|conversion| conversion.level(steps));
        level.map_or((0, 0), |level| (level.price.0, level.qty.0))
    };
    let common = |steps: &mut dyn Iterator<Item = i64>| {
        let first = steps.next().unwrap_or(0);
        steps.fold(first, |a, b| if a == 0 || b == 0 { 0 } else { common_divisor(a, b) })
    };
    let (price, qty) = (members.iter().map(|one| of(one).0), members.iter().map(|one| of(one).1));
    (common(&mut { price }), common(&mut { qty }))
}

const fn common_divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// What makes the numbers of a member those of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Conversion {
    by_price: i64,
    by_qty: i64,
}

impl Conversion {
    /// `None` where the scale is too coarse, or so fine that no number of the member fits.
    pub(super) fn new(listed: &Instrument, (price, qty): (i8, i8)) -> Option<Self> {
        let power = |from: i16, to: i8| {
            let by = usize::try_from(from - i16::from(to)).ok()?;
            POW10.get(by).copied()
        };
        let unit = unit(listed);
        let own = i16::from(listed.qty_exponent) + i16::from(unit.exponent);
        Some(Self {
            by_price: power(listed.price_exponent.into(), price)?,
            by_qty: power(own, qty)?.checked_mul(unit.mantissa)?,
        })
    }

    /// A level of the member as one of the book; `None` where it does not fit.
    #[inline]
    pub(super) const fn level(self, level: Level) -> Option<Level> {
        match (level.price.0.checked_mul(self.by_price), level.qty.0.checked_mul(self.by_qty)) {
            (Some(price), Some(qty)) => Some(Level { price: Price(price), qty: Qty(qty) }),
            _ => None,
        }
    }

    /// How far a member's book is known, at the prices of this one; a bound that does not fit says less, never more.
    pub(super) const fn known_to(self, known_to: KnownTo) -> KnownTo {
        let KnownTo { bid, ask } = known_to;
        KnownTo {
            bid: match bid.0.checked_mul(self.by_price) {
                _ if bid.0 == KnownTo::WHOLE.bid.0 => KnownTo::WHOLE.bid,
                Some(bid) => Price(bid),
                None => Price(i64::MAX),
            },
            ask: match ask.0.checked_mul(self.by_price) {
                _ if ask.0 == KnownTo::WHOLE.ask.0 => KnownTo::WHOLE.ask,
                Some(ask) => Price(ask),
                None => Price(i64::MIN),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{ScaleSource, Terms, Venue};

    fn listed(price_exponent: i8, qty_exponent: i8, assets: (&str, &str)) -> Instrument {
        Instrument {
            venue: Venue::new(1, "here"),
            symbol: "X".to_owned(),
            codes: Vec::new(),
            price_exponent,
            qty_exponent,
            scale_source: ScaleSource::Listed,
            tick_size: 0,
            lot_size: 0,
            digits: None,
            qty_unit: QtyUnit::Base,
            contract_size: Decimal::ONE,
            inverse: false,
            terms: Terms { base: assets.0.into(), quote: assets.1.into(), ..Terms::default() },
        }
    }

    fn contracts(size: Decimal) -> Instrument {
        Instrument { qty_unit: QtyUnit::Contracts, contract_size: size, ..listed(-1, 0, ("BTC", "USD")) }
    }

    #[test]
    fn contracts_become_units_of_the_base_asset() {
        let spot = listed(-2, -8, ("BTC", "USD"));
        let hundredth = contracts(Decimal { mantissa: 100, exponent: -4 });
        let scale = scale([&spot, &hundredth].into_iter());
        assert_eq!(scale, (-2, -8));
        let conversion = Conversion::new(&hundredth, scale).unwrap();
        // 61,800.5 for 7 contracts of 0.01.
        assert_eq!(conversion.level(Level::new(618_005, 7)), Some(Level::new(6_180_050, 7_000_000)));
        assert_eq!(Conversion::new(&spot, scale).unwrap().level(Level::new(1, 1)), Some(Level::new(1, 1)));
        let odd = contracts(Decimal { mantissa: 25, exponent: -2 });
        assert_eq!(super::scale([&odd].into_iter()), (-1, -2));
        assert_eq!(Conversion::new(&odd, (-1, -2)).unwrap().level(Level::new(9, 3)), Some(Level::new(9, 75)));
        let many = contracts(Decimal { mantissa: 10, exponent: 0 });
        assert_eq!(Conversion::new(&many, (-1, 0)).unwrap().level(Level::new(9, 3)), Some(Level::new(9, 30)));
    }

    #[test]
    fn increments_are_those_of_all() {
        let with = |tick_size, lot_size| Instrument { tick_size, lot_size, ..listed(-2, -1, ("", "")) };
        let (quarter, tenth) = (with(25, 4), with(10, 6));
        assert_eq!(steps(&[&quarter, &tenth], (-2, -1)), (5, 2));
        assert_eq!(steps(&[&quarter, &tenth], (-3, -1)), (50, 2));
        assert_eq!(steps(&[&quarter, &with(0, 6)], (-2, -1)), (0, 2));
    }

    #[test]
    fn what_does_not_fit_is_no_number() {
        let coarse = listed(0, 0, ("", ""));
        let fine = Conversion::new(&coarse, (-18, -18)).unwrap();
        assert_eq!(fine.level(Level::new(9, 9)), Some(Level::new(9 * POW10[18], 9 * POW10[18])));
        assert_eq!(fine.level(Level::new(10, 1)), None);
        assert_eq!(fine.level(Level::new(1, 10)), None);
        assert_eq!(Conversion::new(&listed(-2, 0, ("", "")), (-1, 0)), None, "no coarser scale holds it");
        let bound = KnownTo { bid: Price(10), ask: Price(10) };
        assert_eq!(fine.known_to(bound), KnownTo { bid: Price(i64::MAX), ask: Price(i64::MIN) });
        assert_eq!(fine.known_to(KnownTo::WHOLE), KnownTo::WHOLE);
        assert_eq!(Conversion::new(&contracts(Decimal { mantissa: i64::MAX, exponent: 0 }), (-1, -1)), None);
    }

    #[test]
    fn other_assets_and_units_are_refused() {
        let first = listed(-2, -8, ("BTC", "USD"));
        let none = SameAssets::new();
        let checked = |other: &Instrument, same: &SameAssets| check(&first, other, 7, same);
        assert_eq!(checked(&listed(0, 0, ("btc", "Usd")), &none), Ok(()));
        assert_eq!(checked(&listed(0, 0, ("", "")), &none), Ok(()), "a venue that has not said");
        let tether = listed(0, 0, ("BTC", "USDT"));
        assert_eq!(checked(&tether, &none), Err(ConsolidatedError::Asset(7)));
        assert_eq!(checked(&tether, &vec![["usdt".into(), "usd".into()]]), Ok(()));
        assert_eq!(checked(&listed(0, 0, ("ETH", "USD")), &none), Err(ConsolidatedError::Asset(7)));
        let inverse = Instrument { inverse: true, ..contracts(Decimal::ONE) };
        assert_eq!(checked(&inverse, &none), Err(ConsolidatedError::Inverse(7)));
        let shares = Instrument { qty_unit: QtyUnit::Shares, ..first.clone() };
        assert_eq!(checked(&shares, &none), Err(ConsolidatedError::Unit(7)));
    }
}
