//! A way to print a book, and its checksum.

use crate::checksum::{
    Decimals, INTERLEAVED_LEVELS, InterleavedTop, Joining, NumberText, PrintedTop, Printing, Scale,
    TOP_LEVELS,
};
use crate::types::{Level, Price, Side};
use crate::venues::{Checksum, Numbers};

/// Most decimals that a venue is taken to print.
const DIGITS_MAX: u8 = 18;

/// Of a price and of a quantity.
pub(super) type Digits = (Decimals, Decimals);

/// Levels a side that a form covers.
pub(super) const fn levels(form: Checksum) -> usize {
    match form {
        Checksum::None | Checksum::PrintedTop => TOP_LEVELS,
        Checksum::Interleaved(_) => INTERLEAVED_LEVELS,
    }
}

/// What the form says of digits, or the venue's definition, where it counts.
pub(super) fn known_digits(form: Checksum, defined: Option<(u8, u8)>) -> Option<Digits> {
    match form {
        Checksum::Interleaved(Numbers::Shortest) => Some((Decimals::Shortest, Decimals::Shortest)),
        Checksum::Interleaved(Numbers::Script) => Some((Decimals::Script, Decimals::Script)),
        Checksum::Interleaved(Numbers::Found) => None,
        Checksum::PrintedTop | Checksum::None => {
            defined.map(|(price, qty)| (Decimals::Fixed(price), Decimals::Fixed(qty)))
        }
    }
}

/// All that a venue may print where nothing is known, the likeliest first: as many decimals as its numbers have.
pub(super) fn possible_digits(form: Checksum, (price, qty): (i8, i8)) -> impl Iterator<Item = Digits> {
    let as_many = |exponent: i8| Some(Decimals::Fixed(u8::try_from(-i32::from(exponent)).ok()?));
    let shortest = (form == Checksum::Interleaved(Numbers::Found)).then_some(Decimals::Shortest);
    let all = move || shortest.into_iter().chain((0..=DIGITS_MAX).map(Decimals::Fixed));
    as_many(price)
        .zip(as_many(qty))
        .into_iter()
        .chain(all().flat_map(move |price| all().map(move |qty| (price, qty))))
}

/// How a book is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Digits, side by side.
    Digits(Printing),
    /// Numbers of both sides in turn.
    Joined(Joining),
}

impl Way {
    /// None where numbers of these exponents cannot be printed so.
    pub(super) fn new(form: Checksum, (price, qty): (i8, i8), digits: Digits) -> Option<Self> {
        Some(match (form, digits) {
            (Checksum::Interleaved(numbers), digits) => Self::Joined(Joining {
                price: NumberText::new(price, digits.0)?,
                qty: NumberText::new(qty, digits.1)?,
                negates_asks: numbers == Numbers::Script,
            }),
            (Checksum::PrintedTop, (Decimals::Fixed(price_digits), Decimals::Fixed(qty_digits))) => {
                Self::Digits(Printing {
                    price: Scale::new(price, price_digits)?,
                    qty: Scale::new(qty, qty_digits)?,
                })
            }
            (Checksum::PrintedTop | Checksum::None, _) => return None,
        })
    }

    /// The checksum of levels, best first.
    pub(super) fn crc32(
        self,
        bids: impl Iterator<Item = Level>,
        asks: impl Iterator<Item = Level>,
    ) -> Option<u32> {
        match self {
            Self::Digits(printing) => printing.crc32(asks.chain(bids)),
            Self::Joined(joining) => joining.crc32(bids, asks),
        }
    }
}

/// The checksum of a book that is printed in a way, kept up to date.
#[derive(Debug)]
pub(super) enum Top {
    Digits(Box<PrintedTop>),
    Joined(Box<InterleavedTop>),
}

impl Top {
    /// In the memory of another one, where that is of the same kind.
    pub(super) fn new(way: Way, spare: Option<Self>) -> Self {
        match (way, spare) {
            (Way::Digits(printing), Some(Self::Digits(mut top))) => {
                *top = PrintedTop::new(printing);
                Self::Digits(top)
            }
            (Way::Joined(joining), Some(Self::Joined(mut top))) => {
                *top = InterleavedTop::new(joining);
                Self::Joined(top)
            }
            (Way::Digits(printing), _) => Self::Digits(Box::new(PrintedTop::new(printing))),
            (Way::Joined(joining), _) => Self::Joined(Box::new(InterleavedTop::new(joining))),
        }
    }

    #[inline]
    pub(super) fn reaches(&self, side: Side, nearest: Option<Price>) -> bool {
        match self {
            Self::Digits(top) => top.reaches(side, nearest),
            Self::Joined(top) => top.reaches(side, nearest),
        }
    }

    #[inline]
    pub(super) fn set(&mut self, side: Side, best: &[Level]) {
        match self {
            Self::Digits(top) => top.set(side, best),
            Self::Joined(top) => top.set(side, best),
        }
    }

    #[inline]
    pub(super) fn crc32(&mut self) -> Option<u32> {
        match self {
            Self::Digits(top) => top.crc32(),
            Self::Joined(top) => top.crc32(),
        }
    }
}
