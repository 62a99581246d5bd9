//! How venues tell of a market.

pub(crate) mod binance_spot;
