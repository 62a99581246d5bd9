//! Binance: streams of differences, and a REST answer to begin with.

use super::binance_futures::{Format, Ids, Kind};
use super::clock::{Clock, moment_ns};
use super::{Channel, Counts, Dialect, Frames, Truth, binance_spot};
use crate::curve::Curve;
use crate::market::book::{Book, ChangeKind, Side};
use crate::market::exchange::Exchange;
use crate::market::flow::WINDOW_MS;
use crate::market::instrument::{PROFILES, Profile};
use crate::market::{Bbo, Trade};
use crate::rng::Rng;

/// A product, with the instrument that trades in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinanceProduct {
    /// Spot BTCUSDT: a depth message each 100 ms, a REST answer of the whole book.
    Spot,
    /// USD-M BTCUSDT: depth messages at 0 ms, prices printed with one decimal more than the tick has, a REST
    /// answer of 1,000 levels a side.
    UsdM,
    /// COIN-M BTCUSD_PERP: as USD-M, quantities in contracts.
    CoinM,
    /// Binance.US BTCUSDT: as spot, with fewer traders.
    Us,
}

const USD_M: Format = Format { pair: None, price_decimals: 2, qty_decimals: 3 };
const COIN_M: Format = Format { pair: Some("BTCUSD"), price_decimals: 1, qty_decimals: 0 };

const FUTURES_SHAPE: Curve =
    Curve(&[(0, 0), (16, 18), (128, 300), (512, 1_500), (1_024, 4_500), (1_824, 61_700), (3_000, 300_000)]);

static USD_M_BTC: Profile = Profile {
    symbol: "BTCUSDT",
    price_exponent: -1,
    qty_exponent: -3,
    reference_price: 618_003,
    actions_per_s: 400,
    fair_step: 4 * 256,
    shape: FUTURES_SHAPE,
    levels: 2_200,
    join_weight: 16,
    qty_quarters: 2,
    update_id: 5_123_107_831_937,
    trade_id: 5_266_583_934,
};

static COIN_M_BTC: Profile = Profile {
    symbol: "BTCUSD_PERP",
    price_exponent: -1,
    qty_exponent: 0,
    reference_price: 618_047,
    actions_per_s: 250,
    fair_step: 4 * 256,
    shape: FUTURES_SHAPE,
    levels: 1_500,
    join_weight: 16,
    qty_quarters: 1,
    update_id: 1_007_198_631_198,
    trade_id: 849_714_401,
};

static US_BTC: Profile = Profile {
    reference_price: 7_871_988,
    actions_per_s: 60,
    levels: 900,
    update_id: 3_297_892_528,
    trade_id: 31_804_774,
    ..PROFILES[0]
};

/// Levels a side of a REST answer.
const SPOT_LIMIT: usize = 5_000;
const FUTURES_LIMIT: usize = 1_000;

/// Ids that one change may take on futures: the other symbols use those between.
const IDS_PER_CHANGE: u64 = 37;

/// Of 1,000 moments of futures with trades, those in which a message follows that is no execution.
const OTHERS_PERMILLE: u64 = 40;

/// Milliseconds from one depth message of futures to the next one: this, and up to as many again.
const FUTURES_WINDOW_MS: u64 = 20;

impl BinanceProduct {
    pub(super) fn profile(self) -> &'static Profile {
        match self {
            Self::Spot => &PROFILES[0],
            Self::Us => &US_BTC,
            Self::UsdM => &USD_M_BTC,
            Self::CoinM => &COIN_M_BTC,
        }
    }

    const fn format(self) -> Option<&'static Format> {
        match self {
            Self::Spot | Self::Us => None,
            Self::UsdM => Some(&USD_M),
            Self::CoinM => Some(&COIN_M),
        }
    }

    /// The venue's id of a change: the book's own on spot, rising and not contiguous on futures.
    const fn id(self, change: u64) -> u64 {
        match self {
            Self::Spot | Self::Us => change,
            Self::UsdM | Self::CoinM => {
                let mixed = change.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
                let base =
                    if matches!(self, Self::UsdM) { USD_M_BTC.update_id } else { COIN_M_BTC.update_id };
                base + (change - base) * IDS_PER_CHANGE + mixed % IDS_PER_CHANGE
            }
        }
    }
}

/// One instrument on a combined stream of `depth`, `bookTicker` and `trade`.
#[derive(Clone, Debug)]
pub struct Binance {
    product: BinanceProduct,
    exchange: Exchange,
    rng: Rng,
    clock: Clock,
    time_ms: u64,
    next_depth_ms: u64,
    /// Levels changed since the last depth message.
    touched: Vec<(Side, i64)>,
    /// The last change of the last depth message.
    depth_change: u64,
    bbo: Option<Bbo>,
    told: Truth,
    counts: Counts,
}

impl Binance {
    /// A market before its first connection.
    #[must_use]
    pub fn new(seed: u64, product: BinanceProduct) -> Self {
        let exchange = Exchange::new(product.profile(), seed, 100 + product as u64);
        let mut dialect = Self {
            product,
            rng: Rng::new(seed, 200 + product as u64),
            clock: Clock::default(),
            time_ms: 0,
            next_depth_ms: 0,
            touched: Vec::new(),
            depth_change: exchange.book().id(),
            bbo: None,
            told: Truth::default(),
            exchange,
            counts: Counts::default(),
        };
        dialect.tell();
        dialect
    }

    /// One millisecond of market, and what it touched.
    fn live(&mut self) {
        self.exchange.live();
        for change in self.exchange.changes() {
            self.touched.push((change.side, change.price));
            if let ChangeKind::Moved { from, .. } = change.kind {
                self.touched.push((change.side, from));
            }
        }
    }

    /// What a depth message leaves known.
    fn tell(&mut self) {
        let book = self.exchange.book();
        self.depth_change = book.id();
        self.told.seq = self.product.id(book.id());
        let levels = |side| book.levels(side).map(|level| (level.price, level.qty));
        self.told.bids.clear();
        self.told.bids.extend(levels(Side::Bid));
        self.told.asks.clear();
        self.told.asks.extend(levels(Side::Ask));
    }

    fn trades(&mut self, time_ns: u64, out: &mut Frames) {
        let (time_ms, profile) = (self.time_ms, self.exchange.profile());
        for at in 0..self.exchange.trades().len() {
            let trade = self.exchange.trades()[at];
            self.counts.trades += 1;
            let Some(format) = self.product.format() else {
                out.push(time_ns, Channel::Trade, |out| binance_spot::trade(out, profile, time_ms, trade));
                continue;
            };
            out.push(time_ns, Channel::Trade, |out| format.trade(out, profile, time_ms, trade, Kind::Market));
        }
        if let (Some(format), Some(&trade)) = (self.product.format(), self.exchange.trades().last())
            && self.rng.chance(OTHERS_PERMILLE)
        {
            let kind = Kind::OTHERS[self.rng.below(Kind::OTHERS.len() as u64) as usize];
            let price = (trade.price + self.rng.below(2_000) as i64 - 1_000).max(1);
            let other = Trade { id: self.exchange.next_trade_id(), price, ..trade };
            out.push(time_ns, Channel::Trade, |out| format.trade(out, profile, time_ms, other, kind));
            self.counts.not_executions += 1;
        }
    }

    fn ticker(&mut self, time_ns: u64, out: &mut Frames) {
        let (time_ms, profile, book) = (self.time_ms, self.exchange.profile(), self.exchange.book());
        let bbo = book.bbo();
        if let (true, Some(bbo)) = (bbo != self.bbo, bbo) {
            let id = self.product.id(book.id());
            out.push(time_ns, Channel::Ticker, |out| match self.product.format() {
                None => binance_spot::book_ticker(out, profile, id, bbo),
                Some(format) => format.book_ticker(out, profile, time_ms, id, bbo),
            });
            self.counts.tickers += 1;
        }
        self.bbo = bbo;
    }

    fn depth(&mut self, time_ns: u64, out: &mut Frames) {
        self.next_depth_ms = self.time_ms
            + match self.product {
                BinanceProduct::Spot | BinanceProduct::Us => WINDOW_MS,
                _ => FUTURES_WINDOW_MS + self.rng.below(FUTURES_WINDOW_MS),
            };
        if self.touched.is_empty() {
            return;
        }
        Book::sort_touched(&mut self.touched);
        let (time_ms, profile, book) = (self.time_ms, self.exchange.profile(), self.exchange.book());
        let id = |change| self.product.id(change);
        let ids =
            Ids { first: id(self.depth_change + 1), last: id(book.id()), before: id(self.depth_change) };
        out.push(time_ns, Channel::Book, |out| match self.product.format() {
            None => binance_spot::depth(out, profile, time_ms, ids.first, book, &self.touched),
            Some(format) => format.depth(out, profile, time_ms, ids, book, &self.touched),
        });
        self.counts.updates += 1;
        self.counts.levels += self.touched.len() as u64;
        self.touched.clear();
        self.tell();
    }
}

impl Dialect for Binance {
    fn venue(&self) -> &'static str {
        match self.product {
            BinanceProduct::Spot => "binance",
            BinanceProduct::UsdM => "binance-usdm",
            BinanceProduct::CoinM => "binance-coinm",
            BinanceProduct::Us => "binance-us",
        }
    }

    fn code(&self) -> &str {
        self.product.profile().symbol
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    /// Says nothing: streams that are named in the address are not acknowledged.
    fn open(&mut self, now_ns: u64, _: &mut Frames) {
        for _ in 0..self.clock.start(now_ns) {
            self.live();
        }
        self.touched.clear();
        self.tell();
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            self.time_ms = time_ms;
            self.live();
            let time_ns = moment_ns(time_ms);
            self.trades(time_ns, out);
            self.ticker(time_ns, out);
            if time_ms >= self.next_depth_ms {
                self.depth(time_ns, out);
            }
        }
    }

    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        let (profile, book) = (self.exchange.profile(), self.exchange.book());
        let limit = match self.product.format() {
            None => {
                binance_spot::snapshot(out, profile, book, SPOT_LIMIT);
                SPOT_LIMIT
            }
            Some(format) => {
                let time_ms = self.time_ms.max(1);
                format.snapshot(out, profile, time_ms, self.product.id(book.id()), book, FUTURES_LIMIT);
                FUTURES_LIMIT
            }
        };
        self.counts.snapshots += 1;
        let levels = [Side::Bid, Side::Ask].map(|side| book.levels_len(side).min(limit) as u64);
        self.counts.levels += levels[0] + levels[1];
        true
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.open(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        out.clone_from(&self.told);
    }

    fn exponents(&self) -> (i8, i8) {
        self.exchange.profile().exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_futures_rise_and_leave_room() {
        for product in [BinanceProduct::UsdM, BinanceProduct::CoinM] {
            let base = product.profile().update_id;
            assert!((base..base + 10_000).all(|change| product.id(change) < product.id(change + 1)));
            assert!((base..base + 100).any(|change| product.id(change) + 1 < product.id(change + 1)));
        }
        assert_eq!(BinanceProduct::Spot.id(5), 5);
    }
}
