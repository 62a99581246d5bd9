//! The texts of messages.

use super::{Bitmex, BitmexBook};
use crate::dialects::Dialect;
use crate::dialects::text::{date_time, integer, javascript};
use crate::dialects::told::Verb;
use crate::market::book::Side;
use crate::market::{Bbo, Trade};

impl Bitmex {
    pub(super) fn price(&self, out: &mut Vec<u8>, price: i64) {
        javascript(out, price * self.of.steps().0, self.of.profile().price_exponent);
    }

    pub(super) fn qty(&self, out: &mut Vec<u8>, qty: i64) {
        integer(out, (qty * self.of.steps().1).unsigned_abs());
    }

    pub(super) fn row(
        &self,
        out: &mut Vec<u8>,
        verb: Verb,
        (side, price, qty): (Side, i64, i64),
        time_ns: u64,
    ) {
        let side = if side == Side::Bid { "Buy" } else { "Sell" };
        texts(out, &["{\"symbol\":\"", self.code(), "\""]);
        number(out, ",\"id\":", self.of.id(price));
        texts(out, &[",\"side\":\"", side, "\""]);
        if verb != Verb::Delete {
            texts(out, &[",\"size\":"]);
            self.qty(out, qty);
        }
        let is_old = self.of == BitmexBook::WholeByIds;
        if !is_old || verb == Verb::New {
            texts(out, &[",\"price\":"]);
            self.price(out, price);
        }
        if !is_old {
            stamp(out, time_ns);
        }
        out.push(b'}');
    }

    /// A message of levels.
    pub(super) fn levels(&self, out: &mut Vec<u8>, verb: Verb, levels: &[(Side, i64, i64)], time_ns: u64) {
        let action = match verb {
            Verb::New => "insert",
            Verb::Change => "update",
            Verb::Delete => "delete",
        };
        texts(out, &["{\"table\":\"", self.of.table(), "\",\"action\":\"", action, "\",\"data\":["]);
        for (at, &level) in levels.iter().enumerate() {
            texts(out, &[if at == 0 { "" } else { "," }]);
            self.row(out, verb, level, time_ns);
        }
        texts(out, &["]}"]);
    }

    /// The row of `orderBook10`.
    pub(super) fn top(&self, out: &mut Vec<u8>, time_ns: u64) {
        texts(out, &["{\"symbol\":\"", self.code(), "\""]);
        for (key, side) in [(",\"bids\":[", Side::Bid), (",\"asks\":[", Side::Ask)] {
            texts(out, &[key]);
            for (at, (price, qty)) in self.told.levels(side).enumerate() {
                texts(out, &[if at == 0 { "[" } else { ",[" }]);
                self.price(out, price);
                out.push(b',');
                self.qty(out, qty);
                out.push(b']');
            }
            out.push(b']');
        }
        stamp(out, time_ns);
        out.push(b'}');
    }

    pub(super) fn partial_head(&self, out: &mut Vec<u8>, table: &str, keys: &str) {
        texts(out, &["{\"table\":\"", table, "\",\"action\":\"partial\",\"keys\":[", keys, "],"]);
        texts(
            out,
            &["\"types\":{\"symbol\":\"symbol\"},\"filter\":{\"symbol\":\"", self.code(), "\"},\"data\":["],
        );
    }

    pub(super) fn trade(&self, out: &mut Vec<u8>, trade: &Trade, kind: &str, time_ns: u64) {
        texts(out, &["{\"symbol\":\"", self.code(), "\""]);
        if kind == "Regular" {
            let side = if trade.buyer_is_maker { "Sell" } else { "Buy" };
            texts(out, &[",\"side\":\"", side, "\""]);
        }
        texts(out, &[",\"size\":"]);
        self.qty(out, trade.qty);
        texts(out, &[",\"price\":"]);
        self.price(out, trade.price);
        let id = format!("9b3c2f60-8a4e-7bd1-006d-{:012x}", trade.id);
        texts(
            out,
            &[",\"tickDirection\":\"ZeroPlusTick\",\"trdMatchID\":\"", &id, "\",\"trdType\":\"", kind, "\""],
        );
        stamp(out, time_ns);
        out.push(b'}');
    }

    /// The order that trades by force, and that it is done.
    pub(super) fn liquidation(&self, out: &mut Vec<u8>, trade: &Trade, action: &str) {
        let id = format!("dd9cea25-4b07-4dab-95b5-{:012x}", trade.id);
        texts(
            out,
            &["{\"table\":\"liquidation\",\"action\":\"", action, "\",\"data\":[{\"orderID\":\"", &id, "\""],
        );
        texts(out, &[",\"symbol\":\"", self.code(), "\""]);
        if action == "insert" {
            let side = if trade.buyer_is_maker { "Sell" } else { "Buy" };
            texts(out, &[",\"side\":\"", side, "\",\"price\":"]);
            self.price(out, trade.price);
            texts(out, &[",\"leavesQty\":"]);
            self.qty(out, trade.qty);
        }
        texts(out, &["}]}"]);
    }

    pub(super) fn quote(&self, out: &mut Vec<u8>, bbo: &Bbo, time_ns: u64) {
        texts(out, &["{\"symbol\":\"", self.code(), "\",\"bidSize\":"]);
        self.qty(out, bbo.bid_qty);
        texts(out, &[",\"bidPrice\":"]);
        self.price(out, bbo.bid_price);
        texts(out, &[",\"askPrice\":"]);
        self.price(out, bbo.ask_price);
        texts(out, &[",\"askSize\":"]);
        self.qty(out, bbo.ask_qty);
        stamp(out, time_ns);
        out.push(b'}');
    }
}

pub(super) fn texts(out: &mut Vec<u8>, texts: &[&str]) {
    texts.iter().for_each(|text| out.extend_from_slice(text.as_bytes()));
}

pub(super) fn number(out: &mut Vec<u8>, key: &str, value: u64) {
    out.extend_from_slice(key.as_bytes());
    integer(out, value);
}

pub(super) fn stamp(out: &mut Vec<u8>, time_ns: u64) {
    texts(out, &[",\"timestamp\":\""]);
    date_time(out, time_ns, 3);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_NS: u64 = 1_714_979_289_012_000_000;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn messages_read_like_documented_ones() {
        let levels = [(Side::Bid, 120_500, 12), (Side::Ask, 120_501, 7)];
        for (of, verb, expected) in [
            (
                BitmexBook::Whole,
                Verb::Delete,
                "{\"table\":\"orderBookL2\",\"action\":\"delete\",\"data\":[\
                 {\"symbol\":\"XBTUSD\",\"id\":88000236638,\"side\":\"Buy\",\"price\":60250,\"timestamp\":\"2024-05-06T07:08:09.012Z\"},\
                 {\"symbol\":\"XBTUSD\",\"id\":88000244557,\"side\":\"Sell\",\"price\":60250.5,\"timestamp\":\"2024-05-06T07:08:09.012Z\"}]}",
            ),
            (
                BitmexBook::WholeByIds,
                Verb::Change,
                "{\"table\":\"orderBookL2\",\"action\":\"update\",\"data\":[\
                 {\"symbol\":\"ETHUSD\",\"id\":29699397500,\"side\":\"Buy\",\"size\":12},\
                 {\"symbol\":\"ETHUSD\",\"id\":29699397495,\"side\":\"Sell\",\"size\":7}]}",
            ),
        ] {
            let dialect = Bitmex::new(1, of);
            assert_eq!(text(|out| dialect.levels(out, verb, &levels, NOW_NS)), expected);
        }
        let dialect = Bitmex::new(1, BitmexBook::Best10);
        let trade = Trade { id: 250, price: 120_501, qty: 4, buyer_is_maker: true };
        assert_eq!(
            text(|out| dialect.trade(out, &trade, "Regular", NOW_NS)),
            "{\"symbol\":\"XBTUSD\",\"side\":\"Sell\",\"size\":40,\"price\":60250.5,\"tickDirection\":\"ZeroPlusTick\",\
             \"trdMatchID\":\"9b3c2f60-8a4e-7bd1-006d-0000000000fa\",\"trdType\":\"Regular\",\"timestamp\":\"2024-05-06T07:08:09.012Z\"}"
        );
    }
}
