//! The checksum of a book's best bids and asks in turn, kept up to date by what a message touched.

use super::crc32::{PIECE_BYTES_MAX, Piece, append, before};
use super::digits::Digits;
use super::number::NumberText;
use crate::types::{Level, OrderId, Price, Qty, Side};

/// Levels a side, or orders, that such a checksum covers.
pub const INTERLEAVED_LEVELS: usize = 25;

/// Leads to an empty text by the sign that stands before every row: so the first row is like the others.
const START: u32 = before(!0, b':');

/// Stands for the piece of a level that cannot be printed: longer than all that can.
const UNPRINTABLE: Piece = Piece { register: 0, len: 1 << 16 };

/// How rows are printed and joined: the best bid, the best ask, the second bid and so on, all with `:` between them. The
/// longer side goes on alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joining {
    /// Of prices.
    pub price: NumberText,
    /// Of quantities.
    pub qty: NumberText,
    /// Whether quantities of asks are printed below zero.
    pub negates_asks: bool,
}

impl Joining {
    /// CRC-32 over levels, best first, as `price:quantity`; those after the 25th do not count. None when a number is not to be
    /// printed exactly. Costs some 30 ns for each.
    #[must_use]
    pub fn crc32(
        self,
        bids: impl IntoIterator<Item = Level>,
        asks: impl IntoIterator<Item = Level>,
    ) -> Option<u32> {
        let rows = |side| move |level| self.row(side, level);
        crc32_of(bids.into_iter().map(rows(Side::Bid)), asks.into_iter().map(rows(Side::Ask)))
    }

    /// The same over orders, as `number:quantity`, in the order of the venue.
    #[must_use]
    pub fn crc32_of_orders(
        self,
        bids: impl IntoIterator<Item = (OrderId, Qty)>,
        asks: impl IntoIterator<Item = (OrderId, Qty)>,
    ) -> Option<u32> {
        let rows = |side| move |order| self.order_row(side, order);
        crc32_of(bids.into_iter().map(rows(Side::Bid)), asks.into_iter().map(rows(Side::Ask)))
    }

    /// A level's part in the text.
    #[inline]
    fn row(self, side: Side, Level { price: Price(price), qty }: Level) -> Option<Piece> {
        let mut digits = self.qty_behind(side, qty)?;
        self.price.put_before(price, &mut digits)?;
        digits.put_byte_before(b':');
        Some(digits.piece())
    }

    fn order_row(self, side: Side, (OrderId(id), qty): (OrderId, Qty)) -> Option<Piece> {
        let mut digits = self.qty_behind(side, qty)?;
        match id {
            0 => digits.put_byte_before(b'0'),
            _ => digits.put_before(id),
        }
        digits.put_byte_before(b':');
        Some(digits.piece())
    }

    #[inline]
    fn qty_behind(self, side: Side, Qty(qty): Qty) -> Option<Digits> {
        let is_below = self.negates_asks && side == Side::Ask;
        let mut digits = Digits::new();
        self.qty.put_before(if is_below { qty.checked_neg()? } else { qty }, &mut digits)?;
        digits.put_byte_before(b':');
        Some(digits)
    }
}

fn crc32_of(
    bids: impl Iterator<Item = Option<Piece>>,
    asks: impl Iterator<Item = Option<Piece>>,
) -> Option<u32> {
    let (mut bids, mut asks) = (bids.take(INTERLEAVED_LEVELS), asks.take(INTERLEAVED_LEVELS));
    let mut register = None;
    loop {
        let rows = [bids.next(), asks.next()];
        if let [None, None] = rows {
            return Some(register.map_or(0, |register: u32| !register));
        }
        for row in rows.into_iter().flatten() {
            register = Some(append(register.unwrap_or(START), row?));
        }
    }
}

/// The best levels of a side with their parts in the text.
#[derive(Clone, Copy, Debug)]
struct Rows {
    side: Side,
    len: usize,
    levels: [Level; INTERLEAVED_LEVELS],
    pieces: [Piece; INTERLEAVED_LEVELS],
}

impl Rows {
    fn new(side: Side) -> Self {
        let (levels, pieces) =
            ([Level::default(); INTERLEAVED_LEVELS], [Piece::default(); INTERLEAVED_LEVELS]);
        Self { side, len: 0, levels, pieces }
    }

    /// Takes over the best levels, and returns the places whose row is another one, the best in the lowest bit. Behind the
    /// first of them a walk down both lists finds the levels that stay.
    #[inline]
    fn set(&mut self, joining: Joining, best: &[Level]) -> u32 {
        let best = &best[..best.len().min(INTERLEAVED_LEVELS)];
        let same = best.iter().zip(&self.levels[..self.len]).take_while(|(is, was)| is == was).count();
        let (was_levels, was_pieces, was_len) = (self.levels, self.pieces, self.len);
        let mut changed = ((1u32 << was_len) - 1) & !((1u32 << best.len()) - 1);
        let mut at = same;
        for (i, &level) in best.iter().enumerate().skip(same) {
            if i < was_len && was_levels[i] == level {
                continue;
            }
            changed |= 1 << i;
            while at < was_len && self.side.is_better(was_levels[at].price, level.price) {
                at += 1;
            }
            self.pieces[i] = if at < was_len && was_levels[at] == level {
                was_pieces[at]
            } else {
                joining.row(self.side, level).unwrap_or(UNPRINTABLE)
            };
            self.levels[i] = level;
        }
        self.len = best.len();
        changed
    }

    /// The row's piece; nothing behind the last one.
    #[inline]
    fn piece(&self, at: usize) -> Piece {
        if at < self.len { self.pieces[at] } else { Piece::default() }
    }
}

/// CRC-32 over the best 25 bids and asks in turn; see [`Joining`].
///
/// After a message hand over each side that the message [`reaches`](Self::reaches), after a snapshot both; only levels that
/// are new or have a new quantity are printed again, and only what stands behind the first of them is joined again.
#[derive(Clone, Debug)]
pub struct InterleavedTop {
    joining: Joining,
    bids: Rows,
    asks: Rows,
    /// The bid and the ask of each place as one.
    pairs: [Piece; INTERLEAVED_LEVELS],
    /// What the text up to each pair leaves behind.
    ends: [u32; INTERLEAVED_LEVELS + 1],
    /// `ends` holds up to here.
    done: usize,
    /// Pairs that do not hold, by bit.
    changed: u32,
}

impl InterleavedTop {
    /// The checksum of an empty book.
    #[must_use]
    pub fn new(joining: Joining) -> Self {
        Self {
            joining,
            bids: Rows::new(Side::Bid),
            asks: Rows::new(Side::Ask),
            pairs: [Piece::default(); INTERLEAVED_LEVELS],
            ends: [START; INTERLEAVED_LEVELS + 1],
            done: 0,
            changed: 0,
        }
    }

    /// Whether a message that named no better price of this side than `nearest` may have changed the side's part; false
    /// when it named none.
    #[inline]
    #[must_use]
    pub fn reaches(&self, side: Side, nearest: Option<Price>) -> bool {
        let of = if side == Side::Bid { &self.bids } else { &self.asks };
        let worst = of.levels[INTERLEAVED_LEVELS - 1].price;
        nearest.is_some_and(|nearest| of.len < INTERLEAVED_LEVELS || !side.is_better(worst, nearest))
    }

    /// Takes over a side's best levels, best first, strictly descending in rank; those after the 25th do not count.
    #[inline]
    pub fn set(&mut self, side: Side, best: &[Level]) {
        let of = if side == Side::Bid { &mut self.bids } else { &mut self.asks };
        let changed = of.set(self.joining, best);
        self.changed |= changed;
        self.done = self.done.min(changed.trailing_zeros() as usize);
    }

    /// The checksum; none while a number cannot be printed exactly, so that no checksum of the venue can be equal.
    #[inline]
    #[must_use]
    pub fn crc32(&mut self) -> Option<u32> {
        let len = self.bids.len.max(self.asks.len);
        let mut register = self.ends[self.done];
        for at in self.done..len {
            if self.changed >> at & 1 == 1 {
                let (bid, ask) = (self.bids.piece(at), self.asks.piece(at));
                if bid.len.max(ask.len) as usize > PIECE_BYTES_MAX {
                    self.done = at;
                    return None;
                }
                self.pairs[at] = Piece { register: append(bid.register, ask), len: bid.len + ask.len };
                self.changed &= !(1 << at);
            }
            register = append(register, self.pairs[at]);
            self.ends[at + 1] = register;
        }
        self.done = len;
        Some(if len == 0 { 0 } else { !register })
    }
}
