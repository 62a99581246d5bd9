//! Price-level books of others that take decimals: what a mantissa is is an integer of theirs, made outside the time.

use barter_data::books::{Level as BarterLevel, OrderBook};
use barter_data::subscription::book::OrderBookEvent;
use depthbook::{Level as DepthLevel, Scale9, Side as DepthSide};
use depthwire_bench::workload::LevelBook;
use depthwire_core::types::{Level, Price, Qty, Side};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::level_books::Peer;

/// The book of `barter-data`: sorted vectors of decimals.
pub struct Barter(OrderBook);

impl Peer for Barter {
    /// Its method takes a book of changes; each of ours is one of a single level.
    type Change = OrderBookEvent;

    fn new(_: &LevelBook) -> Self {
        Self(OrderBook::default())
    }

    fn change(_: &LevelBook, side: Side, level: Level, message: u64) -> Self::Change {
        let level = [BarterLevel::new(Decimal::from(level.price.0), Decimal::from(level.qty.0))];
        let none: [BarterLevel; 0] = [];
        OrderBookEvent::Update(match side {
            Side::Bid => OrderBook::new(message, None, level.to_vec(), none.to_vec()),
            Side::Ask => OrderBook::new(message, None, none.to_vec(), level.to_vec()),
        })
    }

    fn clear(&mut self) {
        self.0 = OrderBook::default();
    }

    #[inline]
    fn apply(&mut self, change: &Self::Change) {
        self.0.update(change);
    }

    #[inline]
    fn top(&self) -> (Option<Level>, Option<Level>) {
        let level = |level: &BarterLevel| {
            let [price, qty] = [level.price, level.amount].map(|number| number.to_i64().unwrap_or_default());
            Level { price: Price(price), qty: Qty(qty) }
        };
        (self.0.bids().best().map(level), self.0.asks().best().map(level))
    }
}

/// The sides of `depthbook`: at most [`depthbook::MAX_LEVELS`] levels each, those beyond are dropped.
#[derive(Default)]
pub struct Bounded {
    bids: DepthSide,
    asks: DepthSide,
}

impl Peer for Bounded {
    type Change = (Side, Scale9, Scale9);

    fn new(_: &LevelBook) -> Self {
        Self::default()
    }

    fn change(_: &LevelBook, side: Side, level: Level, _: u64) -> Self::Change {
        (side, Scale9::from_raw(level.price.0), Scale9::from_raw(level.qty.0))
    }

    fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    #[inline]
    fn apply(&mut self, &(side, price, qty): &Self::Change) {
        match side {
            Side::Bid => self.bids.update(price, qty, true),
            Side::Ask => self.asks.update(price, qty, false),
        }
    }

    #[inline]
    fn top(&self) -> (Option<Level>, Option<Level>) {
        let level = |DepthLevel { price, qty }| Level { price: Price(price.raw()), qty: Qty(qty.raw()) };
        (self.bids.best().map(level), self.asks.best().map(level))
    }
}
