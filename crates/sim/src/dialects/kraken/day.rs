//! The trades of a day, for the channels that tell of them.

use std::collections::VecDeque;

use super::super::text::{date_time, decimal, integer};
use super::KrakenPair;
use crate::market::{Bbo, Trade};

/// Trades that a snapshot holds.
const RECENT_TRADES: usize = 50;

/// Digits of the mean price beyond those of prices.
const MEAN_DIGITS: u32 = 4;

/// The last trades, and what the ticker sums up.
#[derive(Clone, Debug)]
pub(super) struct Day {
    pair: KrakenPair,
    recent: VecDeque<(Trade, u64)>,
    first: i64,
    last: i64,
    low: i64,
    high: i64,
    volume: i128,
    turnover: i128,
}

impl Day {
    pub(super) const fn new(pair: KrakenPair) -> Self {
        Self { pair, recent: VecDeque::new(), first: 0, last: 0, low: 0, high: 0, volume: 0, turnover: 0 }
    }

    /// Trades of one moment.
    pub(super) fn traded(&mut self, trades: &[Trade], time_ns: u64) {
        for &trade in trades {
            if self.recent.is_empty() {
                (self.first, self.low, self.high) = (trade.price, trade.price, trade.price);
            }
            self.last = trade.price;
            self.low = self.low.min(trade.price);
            self.high = self.high.max(trade.price);
            self.volume += i128::from(trade.qty);
            self.turnover += i128::from(trade.price) * i128::from(trade.qty);
            self.recent.push_back((trade, time_ns));
            if self.recent.len() > RECENT_TRADES {
                self.recent.pop_front();
            }
        }
    }

    /// The last trades, oldest first, with their times.
    pub(super) fn recent(&self) -> impl ExactSizeIterator<Item = (Trade, u64)> {
        self.recent.iter().copied()
    }

    /// Appends trades with their times as a message of the `trade` channel.
    pub(super) fn trades(&self, out: &mut Vec<u8>, kind: &str, trades: impl Iterator<Item = (Trade, u64)>) {
        for text in ["{\"channel\":\"trade\",\"type\":\"", kind, "\",\"data\":["] {
            out.extend_from_slice(text.as_bytes());
        }
        let profile = self.pair.profile();
        for (position, (trade, time_ns)) in trades.enumerate() {
            let side = if trade.buyer_is_maker { "sell" } else { "buy" };
            let open = if position == 0 { "{\"symbol\":\"" } else { ",{\"symbol\":\"" };
            for text in [open, self.pair.code(), "\",\"side\":\"", side, "\",\"price\":"] {
                out.extend_from_slice(text.as_bytes());
            }
            decimal(out, trade.price, profile.price_exponent, profile.price_exponent.unsigned_abs());
            out.extend_from_slice(b",\"qty\":");
            decimal(out, trade.qty, profile.qty_exponent, profile.qty_exponent.unsigned_abs());
            let kind = if trade.id % 3 == 0 { "limit" } else { "market" };
            for text in [",\"ord_type\":\"", kind, "\",\"trade_id\":"] {
                out.extend_from_slice(text.as_bytes());
            }
            integer(out, trade.id);
            out.extend_from_slice(b",\"timestamp\":\"");
            date_time(out, time_ns, 6);
            out.extend_from_slice(b"\"}");
        }
        out.extend_from_slice(b"]}");
    }

    /// Appends a message of the `ticker` channel. An empty side is printed as 0.
    pub(super) fn ticker(&self, out: &mut Vec<u8>, kind: &str, bbo: Bbo, time_ns: u64) {
        let profile = self.pair.profile();
        let (price_exponent, qty_exponent) = (profile.price_exponent, profile.qty_exponent);
        let mean_scale = i128::from(10_u64.pow(MEAN_DIGITS));
        let mean = self.turnover * mean_scale / self.volume.max(1);
        let change = self.last - self.first;
        let percent = i128::from(change) * 10_000 / i128::from(self.first.max(1));
        for text in
            ["{\"channel\":\"ticker\",\"type\":\"", kind, "\",\"data\":[{\"symbol\":\"", self.pair.code()]
        {
            out.extend_from_slice(text.as_bytes());
        }
        for (key, mantissa, exponent) in [
            ("\",\"bid\":", bbo.bid_price, price_exponent),
            (",\"bid_qty\":", bbo.bid_qty, qty_exponent),
            (",\"ask\":", bbo.ask_price, price_exponent),
            (",\"ask_qty\":", bbo.ask_qty, qty_exponent),
            (",\"last\":", self.last, price_exponent),
            (",\"volume\":", clamp(self.volume), qty_exponent),
            (",\"vwap\":", clamp(mean), price_exponent - MEAN_DIGITS as i32),
            (",\"low\":", self.low, price_exponent),
            (",\"high\":", self.high, price_exponent),
            (",\"change\":", change, price_exponent),
            (",\"change_pct\":", clamp(percent), -2),
        ] {
            out.extend_from_slice(key.as_bytes());
            decimal(out, mantissa, exponent, exponent.unsigned_abs());
        }
        out.extend_from_slice(b",\"timestamp\":\"");
        date_time(out, time_ns, 6);
        out.extend_from_slice(b"\"}]}");
    }
}

/// A sum as printed: the largest number there is where it is larger.
fn clamp(sum: i128) -> i64 {
    sum.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trades_and_ticker_have_the_documented_shape() {
        let mut day = Day::new(KrakenPair::BtcUsd);
        let trades: Vec<Trade> = (1..=60)
            .map(|id| Trade { id, price: 1_059_442 - id as i64, qty: 27_625, buyer_is_maker: id % 2 == 0 })
            .collect();
        day.traded(&trades, 1_696_613_755_440_295_000);
        assert_eq!(day.recent().len(), RECENT_TRADES);
        let mut out = Vec::new();
        day.trades(&mut out, "update", day.recent().skip(RECENT_TRADES - 1));
        assert_eq!(
            String::from_utf8_lossy(&out),
            "{\"channel\":\"trade\",\"type\":\"update\",\"data\":[{\"symbol\":\"BTC/USD\",\"side\":\"sell\",\
             \"price\":105938.2,\"qty\":0.00027625,\"ord_type\":\"limit\",\"trade_id\":60,\
             \"timestamp\":\"2023-10-06T17:35:55.440295Z\"}]}"
        );
        out.clear();
        let bbo = Bbo { bid_price: 1_059_442, bid_qty: 250_000_000, ask_price: 0, ask_qty: 0 };
        day.ticker(&mut out, "snapshot", bbo, 1_671_960_659_123_456_000);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "{\"channel\":\"ticker\",\"type\":\"snapshot\",\"data\":[{\"symbol\":\"BTC/USD\",\"bid\":105944.2,\
             \"bid_qty\":2.50000000,\"ask\":0.0,\"ask_qty\":0.00000000,\"last\":105938.2,\"volume\":0.01657500,\
             \"vwap\":105941.15000,\"low\":105938.2,\"high\":105944.1,\"change\":-5.9,\"change_pct\":0.00,\
             \"timestamp\":\"2022-12-25T09:30:59.123456Z\"}]}"
        );
    }
}
