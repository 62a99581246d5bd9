//! The venue's own checksums: whether a book is the one that its venue means.
//!
//! A checksum is of printed digits, so it can be computed once it is known how many the venue prints. Its definition of the
//! instrument says so. Where none came, the first checksum behind a snapshot says it too: of the few hundred ways to print
//! the book's numbers one agrees, and that one is kept until the next snapshot. None agrees with a wrong book, but for one
//! in ten million.

use crate::book::l3::{BookIndex, L3Books};
use crate::book::{L2Book, Touched};
use crate::checksum::{PrintedTop, Printing, Scale, TOP_LEVELS};
use crate::types::{Instrument, Level, Levels, Price, Side};

/// Most decimals that a venue is taken to print.
const DIGITS_MAX: u8 = 18;

/// Everything may have changed.
const ALL: Touched = Touched { bid: Some(Price(i64::MAX)), ask: Some(Price(i64::MIN)) };

/// How an instrument's numbers are printed, and the checksum of its levels, kept up to date by what messages touch.
#[derive(Debug)]
pub(super) struct Proof {
    exponents: (i8, i8),
    /// Decimals of a price and of a quantity.
    digits: Option<(u8, u8)>,
    /// Whether somebody has said so; else a checksum has shown it.
    is_told: bool,
    /// Of `digits` at `exponents`; none where they cannot be printed.
    printing: Option<Printing>,
    /// Whether `top` is of this printing.
    is_current: bool,
    top: PrintedTop,
    /// The nearest prices that changed since `top` was made.
    touched: Touched,
    best: Vec<Level>,
}

/// What prints nothing.
const BLANK: Printing = Printing { price: Scale::Times(1), qty: Scale::Times(1) };

impl Proof {
    pub(super) fn new(listed: &Instrument) -> Self {
        let mut proof = Self {
            exponents: (listed.price_exponent, listed.qty_exponent),
            digits: listed.digits,
            is_told: listed.digits.is_some(),
            printing: None,
            is_current: false,
            top: PrintedTop::new(BLANK),
            touched: ALL,
            best: Vec::with_capacity(TOP_LEVELS),
        };
        proof.print();
        proof
    }

    /// The venue has defined how many decimals it prints.
    pub(super) fn defined(&mut self, price: u8, qty: u8) {
        if (self.digits, self.is_told) != (Some((price, qty)), true) {
            (self.digits, self.is_told) = (Some((price, qty)), true);
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
        self.printing = self.digits.and_then(|digits| printing(self.exponents, digits));
        self.is_current = false;
    }

    /// Whether the levels of a book have this checksum.
    #[inline]
    pub(super) fn agrees(&mut self, check: u32, book: &L2Book) -> bool {
        if !self.is_current && !self.make_current(check, book) {
            // A book of nothing has one checksum, however it would be printed.
            return self.digits.is_none() && book.is_empty() && check == crate::checksum::crc32(b"");
        }
        for (side, nearest) in [(Side::Ask, self.touched.ask), (Side::Bid, self.touched.bid)] {
            if self.top.reaches(side, nearest) {
                self.best.clear();
                book.levels(side).append_to(TOP_LEVELS, &mut self.best);
                self.top.set(side, &self.best);
            }
        }
        self.touched = Touched { bid: None, ask: None };
        self.top.crc32() == Some(check)
    }

    /// Begins with a printing, found if need be. False where there is none.
    #[cold]
    fn make_current(&mut self, check: u32, book: &L2Book) -> bool {
        let rows = |side| book.levels(side).take(TOP_LEVELS);
        let Some(printing) = self.printing(check, || rows(Side::Ask).chain(rows(Side::Bid))) else {
            return false;
        };
        self.top = PrintedTop::new(printing);
        self.touched = ALL;
        self.is_current = true;
        true
    }

    /// How numbers are printed: as is known, or so that these rows, of which there is at least one, have this checksum.
    fn printing<I: Iterator<Item = Level>>(&mut self, check: u32, rows: impl Fn() -> I) -> Option<Printing> {
        if self.digits.is_some() {
            return self.printing;
        }
        rows().next()?;
        let mut ways = (0..=DIGITS_MAX).flat_map(|price| (0..=DIGITS_MAX).map(move |qty| (price, qty)));
        let exponents = self.exponents;
        let agrees =
            |way: &(u8, u8)| printing(exponents, *way).and_then(|way| way.crc32(rows())) == Some(check);
        self.digits = ways.find(agrees);
        self.print();
        self.printing
    }
}

fn printing((price, qty): (i8, i8), digits: (u8, u8)) -> Option<Printing> {
    Some(Printing { price: Scale::new(price, digits.0)?, qty: Scale::new(qty, digits.1)? })
}

/// The checksum of the best orders of a book, made anew when a message has reached them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TopOrders {
    /// How they were printed, and the checksum.
    made: Option<(Printing, Option<u32>)>,
    /// The worst bid and ask that count; none where all do.
    worst: [Option<Price>; 2],
}

impl TopOrders {
    /// Levels have changed.
    pub(super) fn touched(&mut self, levels: &Levels) {
        let reaches = |side: Side| {
            let worst = self.worst[side as usize];
            let is_behind = |level: &Level| worst.is_some_and(|worst| side.is_better(worst, level.price));
            !levels.side(side).iter().all(is_behind)
        };
        if reaches(Side::Bid) || reaches(Side::Ask) {
            self.made = None;
        }
    }

    /// Whether the orders of a book have this checksum.
    pub(super) fn agree(&mut self, check: u32, proof: &mut Proof, books: &L3Books, book: BookIndex) -> bool {
        let rows = |side| {
            books.levels(book, side).take(TOP_LEVELS).flat_map(move |Level { price, .. }| {
                books.queue(book, side, price).map(move |order| Level { price, qty: order.qty })
            })
        };
        let all = || rows(Side::Ask).chain(rows(Side::Bid));
        let Some(printing) = proof.printing(check, all) else {
            return proof.digits.is_none() && books.is_empty(book) && check == crate::checksum::crc32(b"");
        };
        let made = match self.made {
            Some((known, made)) if known == printing => made,
            _ => {
                self.worst = [Side::Bid, Side::Ask]
                    .map(|side| Some(books.levels(book, side).nth(TOP_LEVELS - 1)?.price));
                printing.crc32(all())
            }
        };
        self.made = Some((printing, made));
        made == Some(check)
    }
}
