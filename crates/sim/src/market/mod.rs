//! The market itself: orders, the traders that send them, and one instrument's whole life. No venue's format.

pub(crate) mod book;
pub(crate) mod exchange;
pub(crate) mod flow;
pub(crate) mod instrument;

/// The best price and quantity of both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bbo {
    pub(crate) bid_price: i64,
    pub(crate) bid_qty: i64,
    pub(crate) ask_price: i64,
    pub(crate) ask_qty: i64,
}

/// One trade as the venue tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trade {
    pub(crate) id: u64,
    pub(crate) price: i64,
    pub(crate) qty: i64,
    /// Whether the buyer's order was the resting one, so that the seller was the aggressor.
    pub(crate) buyer_is_maker: bool,
}
