//! The checksum of a book's best levels, kept up to date by what a message touched.

use super::crc32::{Piece, join};
use super::printed::{Printing, TOP_LEVELS};
use super::rows::Rows;
use crate::types::{Level, Price, Side};

/// The best levels of a side and their text.
#[derive(Clone, Copy, Debug)]
struct PrintedSide {
    rows: Rows<TOP_LEVELS>,
    whole: Piece,
}

impl PrintedSide {
    fn new(side: Side) -> Self {
        Self { rows: Rows::new(side), whole: Piece::default() }
    }

    #[inline]
    fn set(&mut self, printing: Printing, best: &[Level]) {
        self.rows.set(best, |level| printing.piece(level), |_, _| ());
        self.whole = Piece::of_pieces(self.rows.pieces());
    }
}

/// CRC-32 over the printed digits of the best ten asks, best first, then of the best ten bids, best first.
///
/// In plain words: after a message, hand over each side that the message [`reaches`](Self::reaches), after a snapshot
/// both; only levels that are new or have a new quantity are printed again. Costs some 40 ns for each side handed over and
/// 25 for each level printed, and nothing for a message that lies behind the best ten.
#[derive(Clone, Debug)]
pub struct PrintedTop {
    printing: Printing,
    asks: PrintedSide,
    bids: PrintedSide,
}

impl PrintedTop {
    /// The checksum of an empty book.
    #[must_use]
    pub fn new(printing: Printing) -> Self {
        Self { printing, asks: PrintedSide::new(Side::Ask), bids: PrintedSide::new(Side::Bid) }
    }

    /// Whether a message that named no better price of this side than `nearest` may have changed the side's part; false
    /// when it named none.
    #[inline]
    #[must_use]
    pub fn reaches(&self, side: Side, nearest: Option<Price>) -> bool {
        match side {
            Side::Bid => self.bids.rows.reaches(nearest),
            Side::Ask => self.asks.rows.reaches(nearest),
        }
    }

    /// Takes over a side's best levels, best first, strictly descending in rank; those after the tenth do not count.
    #[inline]
    pub fn set(&mut self, side: Side, best: &[Level]) {
        match side {
            Side::Bid => self.bids.set(self.printing, best),
            Side::Ask => self.asks.set(self.printing, best),
        }
    }

    /// The checksum; none while a number cannot be printed exactly, so that no checksum of the venue can be equal.
    #[inline]
    #[must_use]
    pub fn crc32(&self) -> Option<u32> {
        Some(!join(&[Piece::begin(!0), self.asks.whole, self.bids.whole])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::{Scale, crc32};

    const PRINTING: Printing = Printing { price: Scale::Times(1), qty: Scale::Times(1) };

    fn levels(pairs: &[(i64, i64)]) -> Vec<Level> {
        pairs.iter().map(|&(price, qty)| Level::new(price, qty)).collect()
    }

    #[test]
    fn an_empty_book_has_the_checksum_of_no_text() {
        assert_eq!(PrintedTop::new(PRINTING).crc32(), Some(0));
    }

    #[test]
    fn asks_come_first_and_price_before_quantity() {
        let mut top = PrintedTop::new(PRINTING);
        top.set(Side::Bid, &levels(&[(99, 5), (98, 60)]));
        top.set(Side::Ask, &levels(&[(101, 7)]));
        assert_eq!(top.crc32(), Some(crc32(b"10179959860")));
        top.set(Side::Bid, &levels(&[(98, 60)]));
        assert_eq!(top.crc32(), Some(crc32(b"10179860")));
    }

    #[test]
    fn what_lies_behind_the_tenth_level_does_not_reach() {
        let mut top = PrintedTop::new(PRINTING);
        let eleven: Vec<_> = (0..11).map(|at| Level::new(100 - at, 1)).collect();
        top.set(Side::Bid, &eleven[..9]);
        assert!(top.reaches(Side::Bid, Some(Price(1))) && !top.reaches(Side::Bid, None));
        top.set(Side::Bid, &eleven);
        let ten = top.crc32();
        assert!(top.reaches(Side::Bid, Some(Price(91))) && !top.reaches(Side::Bid, Some(Price(90))));
        top.set(Side::Bid, &eleven[..10]);
        assert_eq!(top.crc32(), ten);
        let asks: Vec<_> = (0..10).map(|at| Level::new(101 + at, 1)).collect();
        top.set(Side::Ask, &asks);
        assert!(top.reaches(Side::Ask, Some(Price(110))) && !top.reaches(Side::Ask, Some(Price(111))));
    }

    #[test]
    fn what_cannot_be_printed_has_no_checksum() {
        let mut top = PrintedTop::new(Printing { price: Scale::Over(10), qty: Scale::Times(1) });
        top.set(Side::Bid, &levels(&[(105, 1), (90, 1)]));
        assert_eq!(top.crc32(), None);
        top.set(Side::Bid, &levels(&[(90, 1)]));
        assert_eq!(top.crc32(), Some(crc32(b"91")));
        top.set(Side::Ask, &levels(&[(-110, 1)]));
        assert_eq!(top.crc32(), None);
    }
}
