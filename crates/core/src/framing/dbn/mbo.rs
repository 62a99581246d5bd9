//! Market by order: what a record does to the resting orders.

use super::view::{Fields, view};
use super::{DbnError, Flags, TradePrint, UNDEFINED_PRICE, UNDEFINED_SIZE, side_of};
use crate::types::{Level, OrderChange, OrderId, Price, Qty, Side, TimeNs};

view! {
    /// An order record, 56 bytes, the same in all versions.
    Mbo 56 {
        /// The venue's number of the order; 0 where the record concerns none.
        order_id: u64 = 16,
        /// At 10⁻⁹; [`UNDEFINED_PRICE`] where there is none.
        price: i64 = 24,
        /// The order's size, or how much is cancelled or traded; [`UNDEFINED_SIZE`] where there is none.
        size: u32 = 32,
        /// Number of the channel within its publisher.
        channel_id: u8 = 37,
        /// `A` add, `C` cancel, `M` modify, `R` clear, `T` trade, `F` fill, `N` none.
        action: u8 = 38,
        /// The capture server's receive time.
        ts_recv: TimeNs = 40,
        /// `ts_recv` minus the venue's send time, ns.
        ts_in_delta: i32 = 48,
        /// The venue's number of the message.
        sequence: u32 = 52,
    }
}

/// What an order record does to a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MboChange {
    /// Something to the resting orders.
    Order(OrderChange),
    /// Nothing, ever: a trade, a fill or a carrier of flags. What a trade takes from an order comes as a cancel or a
    /// modify.
    Nothing,
    /// The venue makes only its top known ([`Flags::TOB`]): the whole side becomes this level, or becomes empty.
    Top {
        /// Which side.
        side: Side,
        /// What stands there now.
        level: Option<Level>,
    },
    /// Of a whole price ([`Flags::MBP`]), or without an order id: no book of single orders can be kept from it.
    Aggregate,
}

impl<'a> Mbo<'a> {
    /// What the record says of itself.
    #[inline]
    #[must_use]
    pub fn flags(self) -> Flags {
        Flags(self.0.number::<u8, 36>())
    }

    /// The order's side, or the aggressor's in a trade; `None` where the venue names none.
    #[inline]
    #[must_use]
    pub fn side(self) -> Option<Side> {
        side_of(self.0.number::<u8, 39>())
    }

    /// What it does to a book. Prices are at [`PRICE_EXPONENT`](super::PRICE_EXPONENT). Cost: a few compares.
    ///
    /// 1. `A` adds an order at the end of its price's queue; orders of a snapshot come in the order of their priority.
    /// 2. `C` takes its size from the order, which leaves at nothing: partial and full cancels are one. Its side and price,
    ///    where it states them, are those of the order.
    /// 3. `M` gives the order this price and size. It goes to the end of the queue when the price changes or the size
    ///    grows. Where the order is unknown, the specification says to take it as an add; that is the book's to decide.
    /// 4. `R` empties both sides; its side, price and size mean nothing.
    /// 5. `T`, `F` and `N` never touch the book.
    /// 6. `A` with [`Flags::TOB`] replaces the whole side; an undefined price empties it.
    ///
    /// Source: the DBN specification, "Market by order (MBO)", "State management of resting orders" and "Limit order
    /// book construction".
    ///
    /// # Errors
    /// [`DbnError::UnknownAction`]; and for `A`, `C`, `M`, where they need it: [`DbnError::NoSide`],
    /// [`DbnError::NoPrice`], [`DbnError::NoSize`].
    #[inline]
    pub fn change(self) -> Result<MboChange, DbnError> {
        let action = self.action();
        match action {
            b'T' | b'F' | b'N' => return Ok(MboChange::Nothing),
            b'R' => return Ok(MboChange::Order(OrderChange::Clear)),
            b'A' | b'C' | b'M' => {}
            got => return Err(DbnError::UnknownAction { got }),
        }
        if self.flags().has(Flags::TOB.with(Flags::MBP)) || self.order_id() == 0 {
            return self.change_of_a_price();
        }
        let id = OrderId(self.order_id());
        let qty = self.qty()?;
        if action == b'C' {
            // A side and a price that are stated are those of the order.
            return Ok(MboChange::Order(match self.side() {
                Some(side) if self.price() != UNDEFINED_PRICE => {
                    OrderChange::Cancel { id, side, price: Price(self.price()), qty }
                }
                _ => OrderChange::Reduce { id, qty },
            }));
        }
        let Some(side) = self.side() else { return Err(DbnError::NoSide { action }) };
        if self.price() == UNDEFINED_PRICE {
            return Err(DbnError::NoPrice { action });
        }
        let price = Price(self.price());
        Ok(MboChange::Order(if action == b'A' {
            OrderChange::Add { id, side, price, qty }
        } else {
            OrderChange::Modify { id, side, price, qty }
        }))
    }

    /// [`Mbo::change`] of a record that is not of one order.
    #[cold]
    fn change_of_a_price(self) -> Result<MboChange, DbnError> {
        let action = self.action();
        if action != b'A' || !self.flags().has(Flags::TOB) {
            return Ok(MboChange::Aggregate);
        }
        let Some(side) = self.side() else { return Err(DbnError::NoSide { action }) };
        let level = if self.price() == UNDEFINED_PRICE {
            None
        } else {
            Some(Level { price: Price(self.price()), qty: self.qty()? })
        };
        Ok(MboChange::Top { side, level })
    }

    /// The size, which must be there and above 0.
    #[inline]
    fn qty(self) -> Result<Qty, DbnError> {
        match self.size() {
            0 | UNDEFINED_SIZE => Err(DbnError::NoSize { action: self.action(), got: self.size() }),
            size => Ok(Qty(i64::from(size))),
        }
    }

    /// The trade, if it is one (`T`). Fills (`F`) are the same trade once more, order by order.
    #[inline]
    #[must_use]
    pub fn trade(self) -> Option<TradePrint> {
        TradePrint::of(self.action(), self.price(), self.size(), self.side())
    }
}
