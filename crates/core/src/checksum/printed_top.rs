//! The checksum of a book's best levels, kept up to date by what a message touched.

use super::crc32::{Piece, append, append_long};
use super::printed::{Printing, TOP_LEVELS};
use crate::types::{Level, Price, Side};

/// Stands for the piece of a level that cannot be printed: longer than all that can.
const UNPRINTABLE: Piece = Piece { register: 0, len: 1 << 16 };

/// The best levels of a side with their parts in the text.
#[derive(Clone, Copy, Debug)]
struct PrintedSide {
    /// Turns prices into keys: a greater key is nearer the top.
    flip: i64,
    len: usize,
    levels: [Level; TOP_LEVELS],
    pieces: [Piece; TOP_LEVELS],
    /// The text up to each level, as the register that it leaves behind and its bytes; `ends[0]` is what it begins with.
    ends: [Piece; TOP_LEVELS + 1],
}

impl PrintedSide {
    fn new(side: Side, register: u32) -> Self {
        Self {
            flip: -(side as i64),
            len: 0,
            levels: [Level::default(); TOP_LEVELS],
            pieces: [Piece::default(); TOP_LEVELS],
            ends: [Piece { register, len: 0 }; TOP_LEVELS + 1],
        }
    }

    /// Takes over the best levels. Those before the first that differs are left as they are, and behind it a walk down
    /// both lists finds the levels that stay.
    #[inline]
    fn set(&mut self, printing: Printing, best: &[Level]) {
        let best = &best[..best.len().min(TOP_LEVELS)];
        let same = best.iter().zip(&self.levels[..self.len]).take_while(|(is, was)| is == was).count();
        let (was_levels, was_pieces, was_len) = (self.levels, self.pieces, self.len);
        let mut end = self.ends[same];
        let mut at = same;
        for (i, &level) in best.iter().enumerate().skip(same) {
            let key = level.price.0 ^ self.flip;
            while at < was_len && was_levels[at].price.0 ^ self.flip > key {
                at += 1;
            }
            let piece = if at < was_len && was_levels[at] == level {
                was_pieces[at]
            } else {
                printing.piece(level).unwrap_or(UNPRINTABLE)
            };
            end = Piece { register: append(end.register, piece), len: end.len + piece.len };
            (self.levels[i], self.pieces[i], self.ends[i + 1]) = (level, piece, end);
        }
        self.len = best.len();
    }

    /// The side's text.
    #[inline]
    fn end(&self) -> Piece {
        self.ends[self.len]
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
        Self { printing, asks: PrintedSide::new(Side::Ask, !0), bids: PrintedSide::new(Side::Bid, 0) }
    }

    /// Whether a message that named no better price of this side than `nearest` may have changed the side's part; false
    /// when it named none.
    #[inline]
    #[must_use]
    pub fn reaches(&self, side: Side, nearest: Option<Price>) -> bool {
        let of = self.side(side);
        let worst = of.levels[TOP_LEVELS - 1].price.0 ^ of.flip;
        nearest.is_some_and(|nearest| of.len < TOP_LEVELS || nearest.0 ^ of.flip >= worst)
    }

    /// Takes over a side's best levels, best first, strictly descending in rank; those after the tenth do not count.
    #[inline]
    pub fn set(&mut self, side: Side, best: &[Level]) {
        let printing = self.printing;
        match side {
            Side::Ask => self.asks.set(printing, best),
            Side::Bid => self.bids.set(printing, best),
        }
    }

    /// The checksum; none while a number cannot be printed exactly, so that no checksum of the venue can be equal.
    #[inline]
    #[must_use]
    pub fn crc32(&self) -> Option<u32> {
        let (asks, bids) = (self.asks.end(), self.bids.end());
        let is_printable = asks.len.max(bids.len) < UNPRINTABLE.len;
        is_printable.then(|| !append_long(asks.register, bids))
    }

    #[inline]
    fn side(&self, side: Side) -> &PrintedSide {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
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
