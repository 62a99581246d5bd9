//! Stage 4: the numbers that strategies are made of, from a book and its trades.
//!
//! Each is updated once for an event of the venue, after the last of its changes, and says what it holds: a
//! definition, a unit, how long it needs to be warm, and when it is absent. Absent is `None`, never 0 and never a
//! number that is none.
//!
//! | what | of | where |
//! |---|---|---|
//! | mid, spread, touch imbalance, weighted mid | the best bid and ask | [`Touch`] |
//! | imbalance over some levels | the best levels | [`depth_imbalance()`] |
//! | order flow imbalance, level by level | the best levels before and after | [`OrderFlow`] |
//! | micro-price | the best bid and ask, a fit to how they change | [`TouchChanges`], [`MicroPrice`] |
//! | trade flow imbalance, volume delta, average price | trades | [`TradeFlow`] |
//! | toxicity of the flow | trades | [`Vpin`] |
//! | point of control, value area | trades | [`ValueProfile`] |
//! | time-weighted price, realised volatility | the mid over time | [`HeldPrice`], [`RealisedVolatility`] |
//! | price impact, illiquidity | the mid and trades | [`PriceImpact`], [`Illiquidity`] |
//! | how often, how fast a book recovers | events | [`Rate`], [`Recoveries`] |
//! | price, greeks and implied volatility of an option | a forward and a price | [`Black76`], [`OptionMarket`] |
//!
//! [`Signals`] has all of an instrument that the feed tells, each with its [`SignalId`].
//!
//! Sums over a window are [`Panes`] of it, whose clock is time, events or volume: whatever its owner counts. Depth
//! within basis points and the cost of a quantity are views of the book: [`WithinBps`](crate::aggregate::WithinBps),
//! [`CostToFill`](crate::aggregate::CostToFill).
//!
//! What can be an integer is one; a ratio is formed of integers when it is read. Where a float is inherent (a
//! logarithm, an exponential), each is computed by a portable library and summed in one order, so that the same
//! inputs give the same bits on every machine.

#![allow(
    clippy::float_arithmetic,
    reason = "ratios, returns and options are no integers; nothing of a book is computed from them"
)]

mod black76;
mod depth_imbalance;
mod held_price;
mod illiquidity;
mod micro_price;
mod option_rows;
mod order_flow;
mod panes;
mod price_impact;
mod rate;
mod realised_volatility;
mod resiliency;
mod row;
mod signal_id;
mod signals;
mod touch;
mod trade_flow;
mod trade_signals;
mod value_area;
mod vpin;

pub use black76::{Black76, Greeks, Right, YEAR_DAYS};
pub use depth_imbalance::depth_imbalance;
pub use held_price::HeldPrice;
pub use illiquidity::{BARS, Illiquidity};
pub use micro_price::{IMBALANCES, MicroPrice, SPREADS, TouchChanges};
pub use option_rows::{FORWARD_AGE_NS_MAX, OptionContract, OptionMarket};
pub use order_flow::OrderFlow;
pub use panes::{PANES, Panes, Sums};
pub use price_impact::PriceImpact;
pub use rate::Rate;
pub use realised_volatility::RealisedVolatility;
pub use resiliency::{RECOVERIES_MAX, Recoveries, Recovery, Resiliency, UPDATES_MAX};
pub use row::SignalRow;
pub use signal_id::{SignalId, SignalUnit};
pub use signals::{SIGNAL_WINDOW_NS, SignalParams, SignalScale, Signals, VpinParams};
pub use touch::Touch;
pub use trade_flow::TradeFlow;
pub use value_area::{ValueArea, ValueProfile};
pub use vpin::{BUCKETS, BUCKETS_MAX, Vpin};
