//! Cost to fill: what a quantity costs that is taken from the best levels of a side.

use super::{Reach, View};
use crate::book::L2Book;
use crate::types::{Account, Instrument, KnownTo, Price, Qty, Side};

/// Power of ten of the cost of an inverse contract's fill, in units of the base asset.
pub const INVERSE_COST_EXPONENT: i8 = -18;

/// How a price and a quantity of an instrument become money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Terms {
    /// Quote units: price × quantity × `contract_size`, at the sum of both exponents.
    Linear { contract_size: i64 },
    /// Base units: quantity × `factor` / price, at [`INVERSE_COST_EXPONENT`]. None where the factor is too large.
    Inverse { factor: Option<u128> },
}

/// The view of what it costs to take a quantity from one side: to buy from the asks or to sell to the bids.
///
/// Of spot and linear contracts the cost is Σ price × quantity × contract size in units of the quote asset, exact. An
/// inverse contract is worth a fixed amount of quote currency, so its cost is Σ quantity × contract size / price in
/// units of the base asset: there each level's share is rounded down to 10^−18 of a unit, so the sum is below the
/// exact one by less than 10^−18 for each level used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CostToFill {
    side: Side,
    qty: Qty,
    terms: Terms,
}

/// What taking the quantity comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// What the side holds of the quantity; less than asked for when the book is short.
    pub filled: Qty,
    /// What that costs; see [`CostToFill::cost_exponent`].
    pub cost: Result<i128, CostError>,
    /// The worst price reached; none when nothing is filled.
    pub worst: Option<Price>,
    /// Whether the venue has made the book known as deep as it was needed. If not, levels that are not known may make
    /// the fill cheaper, or larger.
    pub is_known: bool,
}

/// Nothing taken from nothing.
impl Default for Fill {
    fn default() -> Self {
        Self { filled: Qty(0), cost: Ok(0), worst: None, is_known: false }
    }
}

/// Why a cost cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostError {
    /// The exact number is beyond an `i128`, or a level's quantity × contract size at 10^−18 is beyond 2^128.
    TooLarge,
    /// An inverse contract at a price of 0 or below.
    NoValue {
        /// The price.
        price: Price,
    },
}

impl CostError {
    /// Stable code, which reaches JavaScript as `err.code`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "cost.too_large",
            Self::NoValue { .. } => "cost.no_value",
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        match self {
            Self::TooLarge => "ask for a smaller quantity, or check the contract size of the instrument",
            Self::NoValue { .. } => {
                "check that the instrument is inverse; such contracts have prices above 0"
            }
        }
    }

    /// What, expected and got.
    #[must_use]
    pub fn account(&self) -> Account {
        match self {
            Self::TooLarge => Account::new("cost too large", "a number of 127 bits", "a greater one"),
            Self::NoValue { price } => {
                Account::new("inverse contract without a value", "a price above 0", price.0)
            }
        }
    }
}

impl core::fmt::Display for CostError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.account().fmt(f)
    }
}

impl core::error::Error for CostError {}

impl CostToFill {
    /// The cost of taking `qty` from the levels of `side` of this instrument's book.
    #[must_use]
    pub fn new(instrument: &Instrument, side: Side, qty: Qty) -> Self {
        let contract_size = instrument.contract_size;
        let terms = if instrument.inverse {
            // 10^(qty exponent + size exponent − price exponent + 18). Below 0 it would round, and is no cost.
            let power = i32::from(instrument.qty_exponent) + i32::from(contract_size.exponent)
                - i32::from(instrument.price_exponent)
                - i32::from(INVERSE_COST_EXPONENT);
            let power = u32::try_from(power).ok().and_then(|power| 10u128.checked_pow(power));
            let size = u128::from(contract_size.mantissa.unsigned_abs());
            Terms::Inverse { factor: power.and_then(|power| power.checked_mul(size)) }
        } else {
            Terms::Linear { contract_size: contract_size.mantissa }
        };
        Self { side, qty, terms }
    }

    /// Power of ten of a cost of this instrument: the sum of its two exponents and the contract size's in units of the quote asset, or for an
    /// inverse contract [`INVERSE_COST_EXPONENT`] in units of the base asset.
    #[must_use]
    pub const fn cost_exponent(instrument: &Instrument) -> i8 {
        if instrument.inverse {
            INVERSE_COST_EXPONENT
        } else {
            instrument.price_exponent + instrument.qty_exponent + instrument.contract_size.exponent
        }
    }

    fn inverse_cost(&self, book: &L2Book, factor: u128) -> Result<i128, CostError> {
        let mut left = self.qty.0;
        let mut cost = 0u128;
        for level in book.levels(self.side) {
            if left <= 0 {
                break;
            }
            if level.price.0 <= 0 {
                return Err(CostError::NoValue { price: level.price });
            }
            let qty = level.qty.0.min(left);
            left -= qty;
            let value = u128::from(qty.unsigned_abs()).checked_mul(factor).ok_or(CostError::TooLarge)?;
            let share = value / u128::from(level.price.0.unsigned_abs());
            cost = cost.checked_add(share).ok_or(CostError::TooLarge)?;
        }
        i128::try_from(cost).map_err(|_| CostError::TooLarge)
    }
}

impl View for CostToFill {
    type Answer = Fill;

    /// Costs what [`L2Book::take`] does, and for an inverse contract a division for each level used.
    fn compute(&self, book: &L2Book, answer: &mut Fill) -> Reach {
        let taken = book.take(self.side, self.qty);
        let cost = match self.terms {
            Terms::Linear { contract_size: 1 } => Ok(taken.value),
            Terms::Linear { contract_size } => {
                taken.value.checked_mul(i128::from(contract_size)).ok_or(CostError::TooLarge)
            }
            Terms::Inverse { factor } => {
                factor.map_or(Err(CostError::TooLarge), |factor| self.inverse_cost(book, factor))
            }
        };
        // A side that is short was needed to its end, whatever that is.
        let end = KnownTo::WHOLE.side(self.side);
        let deepest = if taken.qty < self.qty { Some(end) } else { taken.worst };
        let is_known = deepest.is_none_or(|price| book.known_to().covers(self.side, price));
        *answer = Fill { filled: taken.qty, cost, worst: taken.worst, is_known };
        deepest.map_or(Reach::NOTHING, |price| Reach::NOTHING.with(self.side, price))
    }
}
