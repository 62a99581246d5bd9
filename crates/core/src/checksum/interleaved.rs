//! The checksum of a book's best bids and asks in turn, kept up to date by what a message touched.

use super::crc32::{Piece, append, before, join};
use super::digits::Digits;
use super::number::NumberText;
use super::rows::Rows;
use crate::types::{Level, OrderId, Price, Qty, Side};

/// Levels a side, or orders, that such a checksum covers.
pub const INTERLEAVED_LEVELS: usize = 25;

/// Leads to an empty text by the sign that stands before every row: so the first row is like the others.
const START: u32 = before(!0, b':');

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

/// CRC-32 over the best 25 bids and asks in turn; see [`Joining`].
///
/// After a message hand over each side that the message [`reaches`](Self::reaches), after a snapshot both; only levels that
/// are new or have a new quantity are printed again.
#[derive(Clone, Debug)]
pub struct InterleavedTop {
    joining: Joining,
    bids: Rows<INTERLEAVED_LEVELS>,
    asks: Rows<INTERLEAVED_LEVELS>,
    /// What the text begins with, then of each place the bid's part, and the ask's; empty where there is none.
    pieces: [Piece; 1 + 2 * INTERLEAVED_LEVELS],
}

impl InterleavedTop {
    /// The checksum of an empty book.
    #[must_use]
    pub fn new(joining: Joining) -> Self {
        let mut pieces = [Piece::default(); 1 + 2 * INTERLEAVED_LEVELS];
        pieces[0] = Piece::begin(START);
        Self { joining, bids: Rows::new(Side::Bid), asks: Rows::new(Side::Ask), pieces }
    }

    /// Whether a message that named no better price of this side than `nearest` may have changed the side's part; false
    /// when it named none.
    #[inline]
    #[must_use]
    pub fn reaches(&self, side: Side, nearest: Option<Price>) -> bool {
        match side {
            Side::Bid => self.bids.reaches(nearest),
            Side::Ask => self.asks.reaches(nearest),
        }
    }

    /// Takes over a side's best levels, best first, strictly descending in rank; those after the 25th do not count.
    #[inline]
    pub fn set(&mut self, side: Side, best: &[Level]) {
        let Self { joining, bids, asks, pieces } = self;
        let (rows, first) = if side == Side::Bid { (bids, 1) } else { (asks, 2) };
        rows.set(best, |level| joining.row(side, level), |at, piece| pieces[first + 2 * at] = piece);
    }

    /// The checksum; none while a number cannot be printed exactly, so that no checksum of the venue can be equal.
    #[inline]
    #[must_use]
    pub fn crc32(&self) -> Option<u32> {
        let register = join(&self.pieces)?;
        Some(if self.bids.is_empty() && self.asks.is_empty() { 0 } else { !register })
    }
}
