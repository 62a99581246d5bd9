//! The venue's own checksums: whether a book is the one that its venue means.
//!
//! A checksum is of printed digits, so it can be computed once it is known how many the venue prints. Its definition of the
//! instrument says so, or the venue prints as few as it takes. Where neither is so, the first checksum behind a snapshot says
//! it too: of the few hundred ways to print the book's numbers one agrees, and that one is kept until the next snapshot. None
//! agrees with a wrong book, but for one in ten million.

mod orders;
mod way;

pub(super) use orders::TopOrders;
use way::{Digits, Top, Way};

use crate::book::{L2Book, Touched};
use crate::types::{Instrument, Level, Price, Side};
use crate::venues::{Checksum, Numbers};

/// Everything may have changed.
const ALL: Touched = Touched { bid: Some(Price(i64::MAX)), ask: Some(Price(i64::MIN)) };

/// How an instrument's numbers are printed, and the checksum of its levels, kept up to date by what messages touch.
#[derive(Debug)]
pub(super) struct Proof {
    form: Checksum,
    exponents: (i8, i8),
    /// Of a price and of a quantity.
    digits: Option<Digits>,
    /// Whether somebody has said so; else a checksum has shown it.
    is_told: bool,
    /// Of `digits` at `exponents`; none where they cannot be printed.
    way: Option<Way>,
    /// The checksum of this way.
    top: Option<Top>,
    /// That of a way before it, for its memory.
    spare: Option<Top>,
    /// The nearest prices that changed since `top` was made.
    touched: Touched,
    best: Vec<Level>,
}

impl Proof {
    pub(super) fn new(form: Checksum, listed: &Instrument) -> Self {
        let digits = way::known_digits(form, listed.digits);
        let mut proof = Self {
            form,
            exponents: (listed.price_exponent, listed.qty_exponent),
            digits,
            is_told: digits.is_some(),
            way: None,
            top: None,
            spare: None,
            touched: ALL,
            best: Vec::with_capacity(way::levels(form)),
        };
        proof.print();
        proof
    }

    /// Levels a side that a checksum covers.
    pub(super) const fn levels(&self) -> usize {
        way::levels(self.form)
    }

    /// The venue has defined how many decimals it prints.
    pub(super) fn defined(&mut self, price: u8, qty: u8) {
        let digits = way::known_digits(self.form, Some((price, qty)));
        if digits.is_some() && (self.digits, self.is_told) != (digits, true) {
            (self.digits, self.is_told) = (digits, true);
            self.print();
        }
    }

    /// The instrument's numbers have other exponents.
    pub(super) fn rescaled(&mut self, price: i8, qty: i8) {
        self.exponents = (price, qty);
        self.print();
    }

    /// A book begins with a snapshot.
    pub(super) fn begun(&mut self) {
        self.touched = ALL;
        if !self.is_told {
            self.digits = None;
            self.print();
        }
    }

    /// More may have changed than what messages touched.
    pub(super) const fn replaced(&mut self) {
        self.touched = ALL;
    }

    /// A message has changed the book.
    #[inline]
    pub(super) fn touched(&mut self, now: Touched) {
        let nearest = |side: Side, a: Option<Price>, b: Option<Price>| match (a, b) {
            (Some(a), Some(b)) => Some(if side.is_better(a, b) { a } else { b }),
            (a, b) => a.or(b),
        };
        self.touched = Touched {
            bid: nearest(Side::Bid, self.touched.bid, now.bid),
            ask: nearest(Side::Ask, self.touched.ask, now.ask),
        };
    }

    fn print(&mut self) {
        self.way = self.digits.and_then(|digits| Way::new(self.form, self.exponents, digits));
        self.spare = self.top.take().or_else(|| self.spare.take());
    }

    /// Whether the levels of a book have this checksum.
    #[inline]
    pub(super) fn agrees(&mut self, check: u32, book: &L2Book) -> bool {
        if self.top.is_none() && !self.begin(check, book) {
            // A book of nothing has one checksum, however it would be printed.
            return self.digits.is_none() && book.is_empty() && check == crate::checksum::crc32(b"");
        }
        self.follow(book) == Some(check) || self.is_printed_otherwise(check, book)
    }

    /// The checksum of what the book has become.
    #[inline]
    fn follow(&mut self, book: &L2Book) -> Option<u32> {
        let (levels, top) = (way::levels(self.form), self.top.as_mut()?);
        for (side, nearest) in [(Side::Ask, self.touched.ask), (Side::Bid, self.touched.bid)] {
            if top.reaches(side, nearest) {
                self.best.clear();
                book.levels(side).append_to(levels, &mut self.best);
                top.set(side, &self.best);
            }
        }
        self.touched = Touched { bid: None, ask: None };
        top.crc32()
    }

    /// Whether another way of printing, which printed the book's first numbers alike, has this checksum: numbers that all end
    /// in other digits than 0 do not show whether zeros are printed.
    #[cold]
    fn is_printed_otherwise(&mut self, check: u32, book: &L2Book) -> bool {
        if self.is_told || self.form != Checksum::Interleaved(Numbers::Found) {
            return false;
        }
        self.digits = None;
        self.print();
        self.begin(check, book)
    }

    /// Begins with a way of printing, found if need be. False where there is none.
    #[cold]
    fn begin(&mut self, check: u32, book: &L2Book) -> bool {
        let levels = self.levels();
        let rows = |side| book.levels(side).take(levels);
        let crc32 = |way: Way| way.crc32(rows(Side::Bid), rows(Side::Ask));
        self.top = self.find(check, book.is_empty(), crc32).map(|way| Top::new(way, self.spare.take()));
        self.touched = ALL;
        self.top.is_some()
    }

    /// How numbers are printed: as is known, or so that the book, if there is anything in it, has this checksum.
    fn find(&mut self, check: u32, is_empty: bool, crc32: impl Fn(Way) -> Option<u32>) -> Option<Way> {
        if self.digits.is_none() && !is_empty {
            let (form, exponents) = (self.form, self.exponents);
            let agrees = |digits: &Digits| Way::new(form, exponents, *digits).and_then(&crc32) == Some(check);
            self.digits = way::possible_digits(form, exponents).find(agrees);
            self.print();
        }
        self.way
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::BookSpec;
    use crate::checksum::crc32;
    use crate::types::{KnownTo, Levels};
    use crate::venues::{self, Scale};

    /// A book with bids at −2 and quantities at −1, and its proof.
    fn book(form: Checksum, bids: &[(i64, i64)]) -> (Proof, L2Book) {
        let mut listed = Scale::INFERRED.instrument(venues::ALL[0], "X");
        (listed.price_exponent, listed.qty_exponent) = (-2, -1);
        let mut book = L2Book::new(BookSpec { tick_size: 0, levels_max: 100 });
        let bids = bids.iter().map(|&(price, qty)| Level::new(price, qty)).collect();
        book.load(Levels { bids, asks: Vec::new() }.view(), KnownTo::WHOLE).unwrap();
        (Proof::new(form, &listed), book)
    }

    fn change(proof: &mut Proof, book: &mut L2Book, price: i64, qty: i64) {
        let levels = Levels { bids: vec![Level::new(price, qty)], asks: Vec::new() };
        proof.touched(book.apply(levels.view()).unwrap());
    }

    #[test]
    fn the_number_of_decimals_shows_as_soon_as_it_matters() {
        let (mut proof, mut book) = book(Checksum::Interleaved(Numbers::Found), &[(250, 31), (225, 20)]);
        assert!(proof.agrees(crc32(b"2.5:3.1:2.25:2"), &book), "as few as it takes");
        assert!(!proof.agrees(crc32(b"2.5:3.1:2.25:3"), &book));
        proof.begun();
        change(&mut proof, &mut book, 250, 0);
        assert!(proof.agrees(crc32(b"2.25:2.00"), &book), "of prices nothing is known");
        change(&mut proof, &mut book, 230, 15);
        assert!(proof.agrees(crc32(b"2.30:1.50:2.25:2.00"), &book), "a zero at the end is printed");
        change(&mut proof, &mut book, 230, 16);
        assert!(!proof.agrees(crc32(b"2.30:1.50:2.25:2.00"), &book), "another book");
        assert!(proof.agrees(crc32(b"2.30:1.60:2.25:2.00"), &book));
    }

    #[test]
    fn a_venue_that_prints_the_shortest_is_held_to_it() {
        let (mut proof, mut book) = book(Checksum::Interleaved(Numbers::Shortest), &[(250, 30)]);
        assert!(!proof.agrees(crc32(b"2.50:3.0"), &book));
        assert!(proof.agrees(crc32(b"2.5:3"), &book));
        change(&mut proof, &mut book, 250, 31);
        proof.defined(2, 1);
        assert!(proof.agrees(crc32(b"2.5:3.1"), &book));
        proof.rescaled(-1, 0);
        assert!(proof.agrees(crc32(b"25:31"), &book));
    }
}
