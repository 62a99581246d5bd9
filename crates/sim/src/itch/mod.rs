//! A synthetic NASDAQ day: genuine TotalView-ITCH 5.0 bytes, endless, from a seed.
//!
//! [`ItchDay::next`] appends one message behind its length, as NASDAQ's daily files have it (BinaryFILE);
//! [`MoldPacker`] makes MoldUDP64 packets of them, [`crate::faults`] loses, doubles and swaps those. The day begins
//! with the directory of all symbols, fills its books (the opening), and then has a real day's mix for as long as it
//! is asked. It keeps all books with their queues itself: no book is ever crossed, executions take the first order
//! of a best queue, references rise over the market and the day, and [`ItchDay::book`] tells the truth at any moment.
//!
//! # How much it resembles a real day
//! Always to be called synthetic. Real: NASDAQ of 2019-12-30 as published with several open-source books; lifetimes:
//! corporate stocks in 2013 (SEC), taken as messages of that day; ranks: CME ES futures of 2023-12-25, recorded.
//! Simulated: 8,900 symbols, seed 1, 8,000,000 messages; the 2,967,567 of the opening are not counted.
//! `tests/itch_statistics.rs` measures it, and holds a smaller market to it.
//!
//! | statistic | real | simulated |
//! |---|---|---|
//! | adds / deletes / replaces, percent | 44.1 / 42.6 / 8.0 | 43.9 / 42.8 / 8.0 |
//! | executions / cancels / imbalances, percent | 2.2 / 1.0 / 1.5 | 2.2 / 1.0 / 1.5 |
//! | orders at the peak / levels | 1,924,078 / 784,060 | 1,896,672 / 781,533 |
//! | levels of the deepest book | 2,422 (in 2017) | 3,891 |
//! | messages of the two most active symbols, percent | 0.81 / 0.74 | 0.77 / 0.74 |
//! | messages that an order lives, p8 / p25 / p39 / p64 | 6 / 575 / 5,750 / 57,500 | 33 / 724 / 6,713 / 70,529 |
//! | rank of the touched level, p50 / p75 / p90 | 0 / 9 / 45 | 2 / 6 / 17 |
//!
//! Not matched: bursts in one symbol, sweeps through several orders, auctions, halts, the correlation of symbols,
//! busy and quiet hours. Messages follow one another in symbols drawn independently, which is harder on a cache
//! than a real day.

mod lifetimes;
mod mold;
mod notices;
mod prices;
mod queues;
mod symbols;
mod wire;

use crate::curve::Curve;
use crate::error::SimError;
use crate::market::book::Side;
use crate::rng::Rng;
use lifetimes::{Lifetimes, Stay};
use prices::Tops;
use queues::{Level, Queues};
use symbols::{Activity, Symbol};
use wire::Message;

pub use crate::limits::{ITCH_ORDERS_MAX, ITCH_SYMBOLS_MAX};
pub use mold::{MOLD_PACKET_BYTES_MAX, MoldPacker};

/// Of 10,000 messages of the day after the opening, adds (attributed ones included) where there is room for them.
const ADD: u64 = 4_410;
const DELETE: u64 = 4_265;
const REPLACE: u64 = 800;
const EXECUTE: u64 = 215;
const CANCEL: u64 = 105;
const EXECUTE_AT: u64 = 10;
const HIDDEN_TRADE: u64 = 45;
const IMBALANCE: u64 = 145;
/// The others, each type in its turn.
const OTHER: u64 = 5;
const ALL: u64 = 10_000;
const _: () =
    assert!(ADD + DELETE + REPLACE + EXECUTE + CANCEL + EXECUTE_AT + HIDDEN_TRADE + IMBALANCE + OTHER == ALL);

/// Of 1,000 adds, those that name the participant.
const ATTRIBUTED_PERMILLE: u64 = 13;

/// Of 1,000 deletes in the opening, those that are adds instead.
const OPENING_ADDS_PERMILLE: u64 = 750;

/// Of 1,000 new orders, those that leave soon: in the opening few, so that the books fill.
const FLEETING_PERMILLE: u64 = 850;
const OPENING_FLEETING_PERMILLE: u64 = 120;

/// Shares of an order: round lots mostly.
const SHARES: Curve =
    Curve(&[(0, 1), (120_000, 100), (740_000, 101), (940_000, 500), (990_000, 2_000), (1_000_000, 20_000)]);

/// Nanoseconds to the next message, by quantile: in bursts. 40 microseconds on average.
const GAP_NS: Curve =
    Curve(&[(0, 100), (500_000, 2_000), (800_000, 20_000), (950_000, 150_000), (1_000_000, 900_000)]);

/// Times of the day, in nanoseconds since midnight.
const MINUTE_NS: u64 = 60_000_000_000;
const MESSAGES_START_NS: u64 = 180 * MINUTE_NS;
const SYSTEM_START_NS: u64 = 240 * MINUTE_NS;
const MARKET_OPEN_NS: u64 = 570 * MINUTE_NS;
const MARKET_CLOSE_NS: u64 = 960 * MINUTE_NS;
const SYSTEM_END_NS: u64 = 1_200 * MINUTE_NS;
const MESSAGES_END_NS: u64 = 1_205 * MINUTE_NS;

/// What a day is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItchConfig {
    /// Days of one seed, and of otherwise equal make, have the same bytes.
    pub seed: u64,
    /// Symbols, 1 to [`ITCH_SYMBOLS_MAX`]; NASDAQ lists some 8,900.
    pub symbols: usize,
    /// Orders that rest once the opening is over, 1 to [`ITCH_ORDERS_MAX`]; NASDAQ had 1.9 million at its peak.
    pub orders: usize,
}

impl ItchConfig {
    /// A day with as many orders as that many symbols of NASDAQ carry, and ten thousand more: 10,212 for one
    /// symbol, 116,000 for 500, 1.9 million for 8,900.
    #[must_use]
    pub const fn new(seed: u64, symbols: usize) -> Self {
        Self { seed, symbols, orders: 10_000 + symbols.saturating_mul(212) }
    }
}

/// A level of a true book with its queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItchLevel {
    /// Price of the wire: ten-thousandths of a dollar.
    pub price: u32,
    /// Reference and shares of each order, first in time first.
    pub orders: Vec<(u64, u32)>,
}

/// Both sides of a true book, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItchBook {
    /// Buyers.
    pub bids: Vec<ItchLevel>,
    /// Sellers.
    pub asks: Vec<ItchLevel>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The messages before trading; this one is next.
    Listing(usize),
    /// The books fill.
    Opening,
    Trading,
    /// The closing events; this one is next.
    Closing(usize),
}

/// A day that goes on for as long as messages are asked for.
#[derive(Clone, Debug)]
pub struct ItchDay {
    rng: Rng,
    symbols: Vec<Symbol>,
    activity: Activity,
    queues: Queues,
    lifetimes: Lifetimes,
    orders_max: usize,
    phase: Phase,
    /// Messages so far.
    messages: u64,
    time_ns: u64,
    reference: u64,
    match_number: u64,
    /// Which of the rare types is next.
    other: usize,
}

impl ItchDay {
    /// A day before its first message.
    ///
    /// Takes some 100 bytes for each symbol and up to 8 for each order; later some 60 for each resting order.
    ///
    /// # Errors
    /// [`SimError::ItchOutOfRange`] where `config` asks for none or too many symbols or orders.
    pub fn new(config: ItchConfig) -> Result<Self, SimError> {
        let ItchConfig { symbols, orders, .. } = config;
        if !(1..=ITCH_SYMBOLS_MAX).contains(&symbols) || !(1..=ITCH_ORDERS_MAX).contains(&orders) {
            return Err(SimError::ItchOutOfRange { symbols, orders });
        }
        Ok(Self::within_limits(config))
    }

    /// A day of as many symbols and orders as asked for, brought into the limits.
    pub(crate) fn within_limits(ItchConfig { seed, symbols, orders }: ItchConfig) -> Self {
        let orders = orders.clamp(1, ITCH_ORDERS_MAX);
        let mut rng = Rng::new(seed, 0x17c4);
        let (symbols, activity) = symbols::list(symbols.clamp(1, ITCH_SYMBOLS_MAX), &mut rng);
        Self {
            queues: Queues::new(symbols.len()),
            lifetimes: Lifetimes::new(orders),
            rng,
            symbols,
            activity,
            orders_max: orders,
            phase: Phase::Listing(0),
            messages: 0,
            time_ns: MESSAGES_START_NS,
            reference: 0,
            match_number: 0,
            other: 0,
        }
    }

    /// Appends the next message, behind its length. Never at an end before [`Self::close`]; after it the three
    /// closing events come, and then false: nothing was appended.
    ///
    /// Costs some cold cache lines: the whole market takes three to four times as long as one symbol.
    pub fn next(&mut self, out: &mut Vec<u8>) -> bool {
        match self.phase {
            Phase::Listing(at) => self.list(at, out),
            Phase::Opening | Phase::Trading => self.trade(out),
            Phase::Closing(at) => {
                let ends = [(b"M", MARKET_CLOSE_NS), (b"E", SYSTEM_END_NS), (b"C", MESSAGES_END_NS)];
                let Some(&(event, time_ns)) = ends.get(at) else { return false };
                self.phase = Phase::Closing(at + 1);
                self.time_ns = self.time_ns.max(time_ns);
                self.message(b'S', None).text(event).end(out);
            }
        }
        self.messages += 1;
        true
    }

    /// Ends the day: what follows are the closing events. Once only; a second time changes nothing.
    pub fn close(&mut self) {
        if !matches!(self.phase, Phase::Closing(_)) {
            self.phase = Phase::Closing(0);
        }
    }

    /// Messages so far.
    #[must_use]
    pub const fn messages(&self) -> u64 {
        self.messages
    }

    /// Whether the books have filled: from then on the mix is the day's.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Trading
    }

    /// Orders resting in all books.
    #[must_use]
    pub fn orders_len(&self) -> usize {
        self.queues.orders_len()
    }

    /// Levels of all books.
    #[must_use]
    pub fn levels_len(&self) -> usize {
        self.queues.levels_len()
    }

    /// The true book of a locate code after the last message. `None`: no symbol has it.
    #[must_use]
    pub fn book(&self, locate: u16) -> Option<ItchBook> {
        let at = usize::from(locate).checked_sub(1)?;
        let tick = self.symbols.get(at)?.tick;
        let side = |side| self.queues.levels(at, side).map(|level| self.level(level, tick)).collect();
        Some(ItchBook { bids: side(Side::Bid), asks: side(Side::Ask) })
    }

    /// The symbol of a locate code, without padding.
    #[must_use]
    pub fn symbol(&self, locate: u16) -> Option<&str> {
        let symbol = self.symbols.get(usize::from(locate).checked_sub(1)?)?;
        std::str::from_utf8(&symbol.stock).ok().map(str::trim_end)
    }

    fn level(&self, level: Level, tick: u32) -> ItchLevel {
        let orders = self.queues.orders(level).map(|order| (order.reference, order.qty)).collect();
        ItchLevel { price: level.price * tick, orders }
    }

    /// A message about a symbol or about none, at the present time.
    fn message(&self, kind: u8, symbol: Option<usize>) -> Message {
        Message::new(kind, symbol.map_or(0, |at| at as u16 + 1), self.time_ns)
    }

    fn trade(&mut self, out: &mut Vec<u8>) {
        if self.phase == Phase::Opening && self.queues.orders_len() >= self.orders_max {
            self.phase = Phase::Trading;
            self.time_ns = self.time_ns.max(MARKET_OPEN_NS);
            self.message(b'S', None).text(b"Q").end(out);
            return;
        }
        // The market closes when the caller says so: time waits for that just before.
        self.time_ns = (self.time_ns + GAP_NS.draw(&mut self.rng) as u64).min(MARKET_CLOSE_NS - 1);
        let mut draw = self.rng.below(ALL);
        let mut is = |share: u64| {
            let is = draw < share;
            draw = draw.wrapping_sub(share);
            is
        };
        if is(ADD) {
            self.add_or_delete(out);
        } else if is(DELETE) {
            if self.phase == Phase::Opening && self.rng.chance(OPENING_ADDS_PERMILLE) {
                self.add(out);
            } else {
                self.delete(out);
            }
        } else if is(REPLACE) {
            self.replace(out);
        } else if is(EXECUTE) {
            self.execute(false, out);
        } else if is(CANCEL) {
            self.cancel(out);
        } else if is(EXECUTE_AT) {
            self.execute(true, out);
        } else if is(HIDDEN_TRADE) {
            self.hidden_trade(out);
        } else if is(IMBALANCE) {
            self.imbalance(out);
        } else {
            self.other(out);
        }
    }

    fn tops(&self, at: usize) -> Tops {
        let best = |side| self.queues.best_price(at, side).map(i64::from);
        Tops { bid: best(Side::Bid), ask: best(Side::Ask) }
    }

    fn stay(&mut self) -> Stay {
        let fleeting =
            if self.phase == Phase::Opening { OPENING_FLEETING_PERMILLE } else { FLEETING_PERMILLE };
        if self.rng.chance(fleeting) { Stay::Fleeting } else { Stay::Resting }
    }

    /// References rise by one mostly: those between belong to orders that are never displayed.
    fn next_reference(&mut self) -> u64 {
        self.reference += 1 + u64::from(self.rng.bits().trailing_zeros());
        self.reference
    }

    fn next_match(&mut self) -> u64 {
        self.match_number += 1;
        self.match_number
    }

    /// Round lots, but for one order in eight.
    fn shares(&mut self) -> u32 {
        let shares = SHARES.draw(&mut self.rng) as u32;
        if shares < 100 { shares } else { shares / 100 * 100 }
    }

    /// An order enters where there is room for it; else one leaves.
    fn add_or_delete(&mut self, out: &mut Vec<u8>) {
        if self.queues.orders_len() < self.orders_max { self.add(out) } else { self.delete(out) }
    }

    fn add(&mut self, out: &mut Vec<u8>) {
        let at = self.activity.draw(&mut self.rng);
        let tops = self.tops(at);
        self.symbols[at].wander(tops, &mut self.rng);
        let (stay, shares, reference) = (self.stay(), self.shares(), self.next_reference());
        let side = if self.rng.chance(500) { Side::Bid } else { Side::Ask };
        let symbol = &self.symbols[at];
        let (stock, tick) = (symbol.stock, symbol.tick);
        let price = symbol.price(side, stay, tops, &mut self.rng);
        let slot = self.queues.add(at, side, price, shares, reference);
        self.lifetimes.enter(slot, stay, self.messages, &mut self.rng);
        let is_attributed = self.rng.chance(ATTRIBUTED_PERMILLE);
        let message = self
            .message(if is_attributed { b'F' } else { b'A' }, Some(at))
            .u64(reference)
            .side(side)
            .u32(shares)
            .text(&stock)
            .u32(price * tick);
        if is_attributed { message.text(self.participant()).end(out) } else { message.end(out) }
    }

    fn delete(&mut self, out: &mut Vec<u8>) {
        let Some((slot, _)) = self.lifetimes.leaver(self.messages, &mut self.rng) else {
            return self.add(out);
        };
        let (order, level) = (self.queues.order(slot), self.queues.level_of(slot));
        self.queues.remove(slot);
        self.message(b'D', Some(usize::from(level.symbol))).u64(order.reference).end(out);
    }

    /// An order moves to another price, and to the end of the queue there.
    fn replace(&mut self, out: &mut Vec<u8>) {
        let Some((slot, stay)) = self.lifetimes.leaver(self.messages, &mut self.rng) else {
            return self.add(out);
        };
        let (order, level) = (self.queues.order(slot), self.queues.level_of(slot));
        self.queues.remove(slot);
        let at = usize::from(level.symbol);
        let symbol = &self.symbols[at];
        let tick = symbol.tick;
        let price = symbol.price(level.side, stay, self.tops(at), &mut self.rng);
        let shares = if self.rng.chance(700) { order.qty } else { self.shares() };
        let stay = self.stay();
        let reference = self.next_reference();
        let slot = self.queues.add(at, level.side, price, shares, reference);
        self.lifetimes.enter(slot, stay, self.messages, &mut self.rng);
        self.message(b'U', Some(at))
            .u64(order.reference)
            .u64(reference)
            .u32(shares)
            .u32(price * tick)
            .end(out);
    }

    /// Part of an order is taken back; it keeps its place in the queue.
    fn cancel(&mut self, out: &mut Vec<u8>) {
        let Some((slot, stay)) = self.lifetimes.leaver(self.messages, &mut self.rng) else {
            return self.add(out);
        };
        self.lifetimes.enter(slot, stay, self.messages, &mut self.rng);
        let (order, level) = (self.queues.order(slot), self.queues.level_of(slot));
        if order.qty == 1 {
            return self.delete(out);
        }
        let shares = self.part(order.qty);
        self.queues.reduce(slot, shares);
        self.message(b'X', Some(usize::from(level.symbol))).u64(order.reference).u32(shares).end(out);
    }

    /// The first order of a best queue trades: whole in half of the cases.
    fn execute(&mut self, at_another_price: bool, out: &mut Vec<u8>) {
        let at = self.activity.draw(&mut self.rng);
        let tops = self.tops(at);
        let side = self.symbols[at].taken(tops, &mut self.rng);
        let Some(level) = side.and_then(|side| self.queues.best(at, side)) else {
            return self.add_or_delete(out);
        };
        let slot = level.oldest;
        let order = self.queues.order(slot);
        let shares = if order.qty == 1 || self.rng.chance(500) { order.qty } else { self.part(order.qty) };
        if self.queues.reduce(slot, shares) {
            self.lifetimes.remove(slot);
        }
        let match_number = self.next_match();
        let message = self
            .message(if at_another_price { b'C' } else { b'E' }, Some(at))
            .u64(order.reference)
            .u32(shares)
            .u64(match_number);
        if at_another_price {
            // A cross prints in bulk elsewhere; a price improvement prints here.
            let printable: &[u8; 1] = if self.rng.chance(300) { b"N" } else { b"Y" };
            let price = (level.price + 1) * self.symbols[at].tick;
            message.text(printable).u32(price).end(out);
        } else {
            message.end(out);
        }
    }

    /// Some of `qty` shares, at least 1, at least 1 less than all; round lots where there are several.
    fn part(&mut self, qty: u32) -> u32 {
        if qty > 100 {
            (1 + self.rng.below(u64::from(qty - 1) / 100) as u32) * 100
        } else {
            1 + self.rng.below(u64::from(qty) - 1) as u32
        }
    }
}
