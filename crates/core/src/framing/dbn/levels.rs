//! Trades and levels: what was traded, and the best prices then.

use core::fmt;

use super::view::{Fields, view};
use super::{DbnError, Flags, TradePrint, UNDEFINED_PRICE, UNDEFINED_SIZE, side_of};
use crate::types::{Level, Levels, Price, Qty, Side, TimeNs};

/// Bytes before the levels.
const BODY_BYTES: usize = 48;
/// Bytes of a bid and an ask.
const PAIR_BYTES: usize = 32;

view! {
    /// A trade, 48 bytes.
    Trade 48 {
        /// Price paid, at 10⁻⁹.
        price: i64 = 16,
        /// How much.
        size: u32 = 24,
        /// Always `T`.
        action: u8 = 28,
        /// Index of the level that changed.
        depth: u8 = 31,
        /// The capture server's receive time.
        ts_recv: TimeNs = 32,
        /// `ts_recv` minus the venue's send time, ns.
        ts_in_delta: i32 = 40,
        /// The venue's number of the message.
        sequence: u32 = 44,
    }
}

view! {
    /// A change of the best bid or offer, or a trade, with the best bid and offer as they are now: 80 bytes. In the
    /// schema `tbbo` it is a trade with the best bid and offer before it; only the metadata tells the two apart.
    Mbp1 80 {
        /// Of the order or trade, at 10⁻⁹.
        price: i64 = 16,
        /// Of the order or trade.
        size: u32 = 24,
        /// `A` add, `C` cancel, `M` modify, `R` clear, `T` trade.
        action: u8 = 28,
        /// Index of the level that changed.
        depth: u8 = 31,
        /// The capture server's receive time.
        ts_recv: TimeNs = 32,
        /// `ts_recv` minus the venue's send time, ns.
        ts_in_delta: i32 = 40,
        /// The venue's number of the message.
        sequence: u32 = 44,
    }
}

view! {
    /// As [`Mbp1`] with ten levels: 368 bytes.
    Mbp10 368 {
        /// Of the order or trade, at 10⁻⁹.
        price: i64 = 16,
        /// Of the order or trade.
        size: u32 = 24,
        /// `A` add, `C` cancel, `M` modify, `R` clear, `T` trade.
        action: u8 = 28,
        /// Index of the level that changed.
        depth: u8 = 31,
        /// The capture server's receive time.
        ts_recv: TimeNs = 32,
        /// `ts_recv` minus the venue's send time, ns.
        ts_in_delta: i32 = 40,
        /// The venue's number of the message.
        sequence: u32 = 44,
    }
}

view! {
    /// The best bid and offer at the end of a second or minute, with the last trade: 80 bytes.
    Bbo 80 {
        /// Of the last trade, at 10⁻⁹; undefined where there was none in the session.
        price: i64 = 16,
        /// Of the last trade.
        size: u32 = 24,
        /// End of the interval.
        ts_recv: TimeNs = 32,
        /// The venue's number of the last message.
        sequence: u32 = 44,
    }
}

view! {
    /// As [`Mbp1`] over several venues: 80 bytes. In the schema `tcbbo` (`0xc2`) the best bid and offer are those before
    /// the trade.
    ConsolidatedMbp1 80 {
        /// Of the order or trade, at 10⁻⁹.
        price: i64 = 16,
        /// Of the order or trade.
        size: u32 = 24,
        /// `A` add, `C` cancel, `M` modify, `R` clear, `T` trade.
        action: u8 = 28,
        /// The capture server's receive time.
        ts_recv: TimeNs = 32,
        /// `ts_recv` minus the venue's send time, ns.
        ts_in_delta: i32 = 40,
    }
}

view! {
    /// As [`Bbo`] over several venues: 80 bytes.
    ConsolidatedBbo 80 {
        /// Of the last trade, at 10⁻⁹; undefined where there was none in the session.
        price: i64 = 16,
        /// Of the last trade.
        size: u32 = 24,
        /// End of the interval.
        ts_recv: TimeNs = 32,
    }
}

/// A bid and an ask of the same level.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BidAsk<'a>(&'a [u8; PAIR_BYTES]);

impl BidAsk<'_> {
    /// One side's level; `None` where the side is not that deep: no price, or nothing at it.
    ///
    /// # Errors
    /// [`DbnError::LevelWithoutSize`].
    #[inline]
    pub fn side(self, side: Side) -> Result<Option<Level>, DbnError> {
        let (price, size) = match side {
            Side::Bid => (self.0.number::<i64, 0>(), self.0.number::<u32, 16>()),
            Side::Ask => (self.0.number::<i64, 8>(), self.0.number::<u32, 20>()),
        };
        match (price, size) {
            (UNDEFINED_PRICE, _) | (_, 0) => Ok(None),
            (price, UNDEFINED_SIZE) => Err(DbnError::LevelWithoutSize { price }),
            _ => Ok(Some(Level { price: Price(price), qty: Qty(i64::from(size)) })),
        }
    }

    /// How many orders rest at one side's level. Means nothing in a record of several venues.
    #[must_use]
    pub fn orders(self, side: Side) -> u32 {
        match side {
            Side::Bid => self.0.number::<u32, 24>(),
            Side::Ask => self.0.number::<u32, 28>(),
        }
    }

    /// The publisher of one side's level. Means nothing but in a record of several venues.
    #[must_use]
    pub fn publisher_id(self, side: Side) -> u16 {
        match side {
            Side::Bid => self.0.number::<u16, 24>(),
            Side::Ask => self.0.number::<u16, 28>(),
        }
    }
}

impl fmt::Debug for BidAsk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BidAsk")
            .field("bid", &self.side(Side::Bid))
            .field("bid_orders", &self.orders(Side::Bid))
            .field("ask", &self.side(Side::Ask))
            .field("ask_orders", &self.orders(Side::Ask))
            .finish()
    }
}

/// Puts levels into `out`, which is emptied first, and again on an error.
fn fill(pairs: &[[u8; PAIR_BYTES]], out: &mut Levels) -> Result<(), DbnError> {
    out.clear();
    let mut add = |pair: BidAsk<'_>| {
        out.bids.extend(pair.side(Side::Bid)?);
        out.asks.extend(pair.side(Side::Ask)?);
        Ok(())
    };
    let filled = pairs.iter().try_for_each(|pair| add(BidAsk(pair)));
    if filled.is_err() {
        out.clear();
    }
    filled
}

/// What all records of trades and levels say in the same place.
macro_rules! of_a_trade {
    ($($record:ident)*) => {$(
        impl $record<'_> {
            /// What the record says of itself.
            #[inline]
            #[must_use]
            pub fn flags(self) -> Flags {
                Flags(self.0.number::<u8, 30>())
            }

            /// The order's side, or the aggressor's in a trade; `None` where the venue names none.
            #[inline]
            #[must_use]
            pub fn side(self) -> Option<Side> {
                side_of(self.0.number::<u8, 29>())
            }
        }
    )*};
}

/// The trade of a record that has an action.
macro_rules! with_action {
    ($($record:ident)*) => {$(
        impl $record<'_> {
            /// The trade, if it is one.
            #[inline]
            #[must_use]
            pub fn trade(self) -> Option<TradePrint> {
                TradePrint::of(self.action(), self.price(), self.size(), self.side())
            }
        }
    )*};
}

/// The last trade of a record of an interval.
macro_rules! with_last_trade {
    ($($record:ident)*) => {$(
        impl $record<'_> {
            /// The last trade; `None` where there was none in the session.
            #[must_use]
            pub fn last_trade(self) -> Option<TradePrint> {
                TradePrint::of(b'T', self.price(), self.size(), self.side())
            }
        }
    )*};
}

/// The levels of a record that has them.
macro_rules! with_levels {
    ($($record:ident)*) => {$(
        impl<'a> $record<'a> {
            /// Levels a side.
            pub const DEPTH: usize = (Self::BYTES - BODY_BYTES) / PAIR_BYTES;

            /// The level of that index, 0 the best; none from [`Self::DEPTH`] on.
            #[inline]
            #[must_use]
            pub fn level(self, level_index: usize) -> Option<BidAsk<'a>> {
                self.pairs().get(level_index).map(BidAsk)
            }

            /// The book to that depth, best first: it replaces what was known before. `out` is emptied first.
            ///
            /// # Errors
            /// [`DbnError::LevelWithoutSize`], which leaves `out` empty.
            pub fn levels(self, out: &mut Levels) -> Result<(), DbnError> {
                fill(self.pairs(), out)
            }

            #[inline]
            fn pairs(self) -> &'a [[u8; PAIR_BYTES]] {
                self.0[BODY_BYTES..].as_chunks().0
            }
        }
    )*};
}

of_a_trade! { Trade Mbp1 Mbp10 Bbo ConsolidatedMbp1 ConsolidatedBbo }
with_action! { Trade Mbp1 Mbp10 ConsolidatedMbp1 }
with_last_trade! { Bbo ConsolidatedBbo }
with_levels! { Mbp1 Mbp10 Bbo ConsolidatedMbp1 ConsolidatedBbo }
