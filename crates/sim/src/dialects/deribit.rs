//! Deribit: JSON-RPC notifications of one instrument.
//!
//! Source: docs.deribit.com, "book.(instrument_name).(interval)", "trades", "ticker", "quote", "Notifications",
//! "public/set_heartbeat"; recorded frames decide the order of the fields and the printed digits. In short:
//! 1. A book begins with a whole one, of type `snapshot`; then each message has the number of the one before it. Numbers rise
//!    and have holes, since all instruments of a currency share them.
//! 2. Levels say whether they are `new`, `change` or `delete`.
//! 3. `raw` tells each change, `100ms` what came of all in that time.
//! 4. Numbers are printed as programs print their binary ones, whole ones with `.0`.

use super::clock::{Clock, moment_ns};
use super::text::{decimal, integer, scientific};
use super::told::{Told, Verb};
use super::{Channel, Counts, Dialect, Frames, Truth};
use crate::curve::Curve;
use crate::market::book::{Book, ChangeKind, Side};
use crate::market::exchange::Exchange;
use crate::market::instrument::Profile;
use crate::market::{Bbo, Trade};

/// An instrument, and the channel of its book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeribitBook {
    /// The perpetual in bitcoin, whose amounts are dollars, by `raw`.
    PerpetualRaw,
    /// A future on bitcoin, by `100ms`.
    Future100Ms,
    /// An option on bitcoin, whose amounts are bitcoins, by `100ms`.
    Option100Ms,
    /// The same with few levels, whose whole book is a short message.
    ThinOption100Ms,
}

static PERPETUAL: Profile = Profile {
    symbol: "BTC-PERPETUAL",
    price_exponent: -1,
    qty_exponent: 0,
    reference_price: 126_009,
    actions_per_s: 90,
    fair_step: 3 * 256,
    shape: Curve(&[(0, 0), (16, 20), (128, 300), (512, 1_500), (1_024, 6_000), (1_400, 40_000)]),
    levels: 900,
    join_weight: 24,
    qty_quarters: 1,
    update_id: 10_473_512_110,
    trade_id: 271_252_853,
};

static FUTURE: Profile = Profile {
    symbol: "BTC-25JUN27",
    reference_price: 128_411,
    actions_per_s: 60,
    fair_step: 2 * 256,
    levels: 500,
    trade_id: 5_326_970,
    ..PERPETUAL
};

static OPTION: Profile = Profile {
    symbol: "BTC-27MAR26-100000-C",
    price_exponent: -4,
    qty_exponent: -1,
    reference_price: 610,
    actions_per_s: 40,
    fair_step: 60,
    shape: Curve(&[(0, 0), (40, 44), (120, 200), (200, 420)]),
    levels: 60,
    join_weight: 48,
    qty_quarters: 1,
    update_id: 10_473_512_110,
    trade_id: 1_706,
};

static THIN_OPTION: Profile = Profile { levels: 16, actions_per_s: 12, ..OPTION };

/// Numbers that one change may take: the other instruments use those between.
const IDS_PER_CHANGE: u64 = 13;

const INTERVAL_MS: u64 = 100;
const TICKER_MS: u64 = 1_000;
const HEARTBEAT_MS: u64 = 10_000;

/// Trades between two that close a position by force.
const LIQUIDATION_EVERY: u64 = 40;

impl DeribitBook {
    fn profile(self) -> &'static Profile {
        match self {
            Self::PerpetualRaw => &PERPETUAL,
            Self::Future100Ms => &FUTURE,
            Self::Option100Ms => &OPTION,
            Self::ThinOption100Ms => &THIN_OPTION,
        }
    }

    const fn interval(self) -> &'static str {
        match self {
            Self::PerpetualRaw => "raw",
            Self::Future100Ms | Self::Option100Ms | Self::ThinOption100Ms => "100ms",
        }
    }

    const fn is_option(self) -> bool {
        matches!(self, Self::Option100Ms | Self::ThinOption100Ms)
    }

    /// By how much the market's prices and quantities go up: half dollars and tens of them, ten-thousandths and tenths.
    const fn steps(self) -> (i64, i64) {
        if self.is_option() { (5, 1) } else { (5, 10) }
    }
}

/// One instrument on a connection with `book`, `trades`, `ticker` and `quote`.
#[derive(Clone, Debug)]
pub struct Deribit {
    of: DeribitBook,
    exchange: Exchange,
    clock: Clock,
    time_ms: u64,
    next_ticker_ms: u64,
    next_heartbeat_ms: u64,
    /// Levels changed since the last message of the book.
    touched: Vec<(Side, i64)>,
    told: Told,
    /// The number of the last message of the book.
    change_id: u64,
    bbo: Option<Bbo>,
    last_price: i64,
    counts: Counts,
}

impl Deribit {
    /// A market before its first connection.
    #[must_use]
    pub fn new(seed: u64, of: DeribitBook) -> Self {
        let exchange = Exchange::new(of.profile(), seed, 3_000 + of as u64);
        let mut dialect = Self {
            of,
            clock: Clock::default(),
            time_ms: 0,
            next_ticker_ms: 0,
            next_heartbeat_ms: 0,
            touched: Vec::new(),
            told: Told::default(),
            change_id: 0,
            bbo: None,
            last_price: of.profile().reference_price,
            exchange,
            counts: Counts::default(),
        };
        dialect.tell_whole();
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

    fn live_unheard(&mut self, now_ns: u64) {
        for _ in 0..self.clock.start(now_ns) {
            self.live();
        }
    }

    fn tell_whole(&mut self) {
        self.touched.clear();
        self.told.load(self.exchange.book());
        self.change_id = number(self.exchange.book().id());
    }

    fn answer(&mut self, now_ns: u64, out: &mut Frames) {
        let (name, interval) = (self.of.profile().symbol, self.of.interval());
        out.push(now_ns, Channel::Control, |out| {
            out.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[");
            for (position, [before, after]) in
                [["book.", interval], ["trades.", "raw"], ["ticker.", "raw"], ["quote.", ""]]
                    .iter()
                    .enumerate()
            {
                let open = if position == 0 { "\"" } else { ",\"" };
                let dot = if after.is_empty() { "" } else { "." };
                text(out, &[open, before, name, dot, after, "\""]);
            }
            text(out, &["],\"usIn\":"]);
            integer(out, now_ns / 1_000 - 581);
            text(out, &[",\"usOut\":"]);
            integer(out, now_ns / 1_000);
            text(out, &[",\"usDiff\":581,\"testnet\":false}"]);
        });
        self.counts.control += 1;
    }

    fn whole(&mut self, now_ns: u64, out: &mut Frames) {
        self.tell_whole();
        let stamp_ms = now_ns / 1_000_000;
        let [bids, asks] = [Side::Bid, Side::Ask].map(|side| {
            self.told.levels(side).map(|(price, qty)| (Verb::New, price, qty)).collect::<Vec<_>>()
        });
        out.push(now_ns, Channel::Book, |out| {
            self.open_notification(out, "book.", self.of.interval());
            text(out, &["{\"type\":\"snapshot\",\"timestamp\":"]);
            integer(out, stamp_ms);
            self.book(out, &bids, &asks);
        });
        self.counts.snapshots += 1;
        self.counts.levels += (bids.len() + asks.len()) as u64;
    }

    fn changes(&mut self, time_ns: u64, out: &mut Frames) {
        let is_due = self.of == DeribitBook::PerpetualRaw || self.time_ms.is_multiple_of(INTERVAL_MS);
        if !is_due || self.touched.is_empty() {
            return;
        }
        Book::sort_touched(&mut self.touched);
        let mut changed = [Vec::new(), Vec::new()];
        for &(side, price) in &self.touched {
            let qty = self.exchange.book().qty_at(side, price);
            if let Some(verb) = self.told.tell(side, price, qty) {
                changed[side as usize].push((verb, price, qty));
            }
        }
        self.touched.clear();
        let [bids, asks] = changed;
        if bids.is_empty() && asks.is_empty() {
            return;
        }
        let before = std::mem::replace(&mut self.change_id, number(self.exchange.book().id()));
        out.push(time_ns, Channel::Book, |out| {
            self.open_notification(out, "book.", self.of.interval());
            text(out, &["{\"type\":\"change\",\"timestamp\":"]);
            integer(out, self.time_ms);
            text(out, &[",\"prev_change_id\":"]);
            integer(out, before);
            self.book(out, &bids, &asks);
        });
        self.counts.updates += 1;
        self.counts.levels += (bids.len() + asks.len()) as u64;
    }

    /// The name, the number and the levels, and the end of the message.
    fn book(&self, out: &mut Vec<u8>, bids: &[(Verb, i64, i64)], asks: &[(Verb, i64, i64)]) {
        text(out, &[",\"instrument_name\":\"", self.of.profile().symbol, "\",\"change_id\":"]);
        integer(out, self.change_id);
        for (key, levels) in [(",\"bids\":[", bids), ("],\"asks\":[", asks)] {
            text(out, &[key]);
            for (position, &(verb, price, qty)) in levels.iter().enumerate() {
                let verb = match verb {
                    Verb::New => "new",
                    Verb::Change => "change",
                    Verb::Delete => "delete",
                };
                text(out, &[if position == 0 { "[\"" } else { ",[\"" }, verb, "\","]);
                self.price(out, price);
                out.push(b',');
                self.qty(out, qty);
                out.push(b']');
            }
        }
        text(out, &["]}}}"]);
    }

    fn open_notification(&self, out: &mut Vec<u8>, before: &str, after: &str) {
        let dot = if after.is_empty() { "" } else { "." };
        let open = "{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":\"";
        text(out, &[open, before, self.of.profile().symbol, dot, after, "\",\"data\":"]);
    }

    fn price(&self, out: &mut Vec<u8>, price: i64) {
        scientific(out, price * self.of.steps().0, self.of.profile().price_exponent);
    }

    fn qty(&self, out: &mut Vec<u8>, qty: i64) {
        scientific(out, qty * self.of.steps().1, self.of.profile().qty_exponent);
    }

    fn trades(&mut self, time_ns: u64, out: &mut Frames) {
        let trades = self.exchange.trades();
        let Some(last) = trades.last() else { return };
        self.last_price = last.price;
        out.push(time_ns, Channel::Trade, |out| {
            self.open_notification(out, "trades.", "raw");
            for (position, trade) in trades.iter().enumerate() {
                out.push(if position == 0 { b'[' } else { b',' });
                self.trade(out, trade);
            }
            text(out, &["]}}"]);
        });
        self.counts.trades += trades.len() as u64;
    }

    fn trade(&self, out: &mut Vec<u8>, trade: &Trade) {
        text(out, &["{\"trade_seq\":"]);
        integer(out, trade.id);
        text(out, &[",\"trade_id\":\""]);
        integer(out, trade.id * 3 + 132_438_972);
        text(out, &["\",\"timestamp\":"]);
        integer(out, self.time_ms);
        text(out, &[",\"tick_direction\":0,\"price\":"]);
        self.price(out, trade.price);
        text(out, &[",\"mark_price\":"]);
        self.price(out, trade.price + 1);
        if trade.id.is_multiple_of(LIQUIDATION_EVERY) {
            text(out, &[",\"liquidation\":\"T\""]);
        }
        if self.of.is_option() {
            text(out, &[",\"iv\":78.44"]);
        }
        let direction = if trade.buyer_is_maker { "sell" } else { "buy" };
        text(out, &[",\"instrument_name\":\"", self.of.profile().symbol, "\",\"index_price\":63004.5"]);
        text(out, &[",\"direction\":\"", direction, "\",\"amount\":"]);
        self.qty(out, trade.qty);
        out.push(b'}');
    }

    fn best(&self, out: &mut Vec<u8>) {
        let best = |side| self.exchange.book().best(side).map_or((0, 0), |level| (level.price, level.qty));
        for (keys, (price, qty)) in [
            ([",\"best_bid_price\":", ",\"best_bid_amount\":"], best(Side::Bid)),
            ([",\"best_ask_price\":", ",\"best_ask_amount\":"], best(Side::Ask)),
        ] {
            text(out, &[keys[0]]);
            self.price(out, price);
            text(out, &[keys[1]]);
            self.qty(out, qty);
        }
    }

    fn quote(&mut self, time_ns: u64, out: &mut Frames) {
        let bbo = self.exchange.book().bbo();
        if bbo != self.bbo {
            out.push(time_ns, Channel::Ticker, |out| {
                self.open_notification(out, "quote.", "");
                text(out, &["{\"timestamp\":"]);
                integer(out, self.time_ms);
                text(out, &[",\"instrument_name\":\"", self.of.profile().symbol, "\""]);
                self.best(out);
                text(out, &["}}}"]);
            });
            self.counts.tickers += 1;
            self.bbo = bbo;
        }
    }

    fn ticker(&mut self, time_ns: u64, out: &mut Frames) {
        if self.time_ms < self.next_ticker_ms {
            return;
        }
        self.next_ticker_ms = self.time_ms + TICKER_MS;
        out.push(time_ns, Channel::Ticker, |out| {
            self.open_notification(out, "ticker.", "raw");
            if self.of.is_option() {
                text(
                    out,
                    &["{\"underlying_price\":63210.25,\"underlying_index\":\"BTC-27MAR26\",\"timestamp\":"],
                );
            } else {
                text(out, &["{\"timestamp\":"]);
            }
            integer(out, self.time_ms);
            let volume = if self.of.is_option() { "" } else { "\"volume_usd\":545442610.0," };
            text(
                out,
                &[
                    ",\"stats\":{",
                    volume,
                    "\"volume\":178.5,\"price_change\":null,\"low\":null,\"high\":null}",
                ],
            );
            text(out, &[",\"state\":\"open\",\"open_interest\":17670.0,\"mark_price\":"]);
            self.price(out, self.last_price + 1);
            text(out, &[",\"last_price\":"]);
            self.price(out, self.last_price);
            if self.of.is_option() {
                text(out, &[",\"mark_iv\":78.49,\"interest_rate\":0.0"]);
            }
            text(out, &[",\"instrument_name\":\"", self.of.profile().symbol, "\",\"index_price\":63004.5"]);
            if self.of.is_option() {
                text(
                    out,
                    &[",\"greeks\":{\"vega\":20.05335,\"theta\":-5.65962,\"rho\":4.91491,\"gamma\":0.00001"],
                );
                text(out, &[",\"delta\":0."]);
                integer(out, 10_000 + self.time_ms % 70_000);
                text(out, &["},\"bid_iv\":77.16,\"ask_iv\":0.0"]);
            } else {
                text(out, &[",\"funding_8h\":0.00001742,\"current_funding\":"]);
                decimal(out, (self.time_ms % 2_000) as i64 - 1_000, -8, 8);
            }
            self.best(out);
            text(out, &["}}}"]);
        });
        self.counts.tickers += 1;
    }

    fn heartbeat(&mut self, time_ns: u64, out: &mut Frames) {
        if self.time_ms < self.next_heartbeat_ms {
            return;
        }
        self.next_heartbeat_ms = self.time_ms + HEARTBEAT_MS;
        let kind = if self.counts.heartbeats.is_multiple_of(2) { "test_request" } else { "heartbeat" };
        out.push(time_ns, Channel::Heartbeat, |out| {
            text(
                out,
                &["{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"type\":\"", kind, "\"}}"],
            );
        });
        self.counts.heartbeats += 1;
    }
}

/// The venue's number of a change of the market.
pub(super) const fn number(change: u64) -> u64 {
    change * IDS_PER_CHANGE + (change.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % IDS_PER_CHANGE
}

pub(super) fn text(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

impl Dialect for Deribit {
    fn venue(&self) -> &'static str {
        "deribit"
    }

    fn code(&self) -> &str {
        self.of.profile().symbol
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        self.answer(now_ns, out);
        self.whole(now_ns, out);
        let now_ms = now_ns / 1_000_000;
        (self.next_ticker_ms, self.next_heartbeat_ms) = (now_ms, now_ms + HEARTBEAT_MS / 4);
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            self.time_ms = time_ms;
            self.live();
            let time_ns = moment_ns(time_ms);
            self.trades(time_ns, out);
            self.quote(time_ns, out);
            self.changes(time_ns, out);
            self.ticker(time_ns, out);
            self.heartbeat(time_ns, out);
        }
    }

    /// Nobody has to ask: the whole book comes with the subscription.
    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.live_unheard(now_ns);
        self.answer(now_ns, out);
        self.answer(now_ns, out);
        self.whole(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        self.told.truth(self.change_id, self.of.steps(), out);
    }

    fn exponents(&self) -> (i8, i8) {
        self.of.profile().exponents()
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_have_holes() {
        assert!((0..10_000).all(|change| number(change) < number(change + 1)));
        assert!((0..100).any(|change| number(change) + 1 < number(change + 1)));
    }

    #[test]
    fn frames_read_like_recorded_ones() {
        let mut dialect = Deribit::new(3, DeribitBook::Option100Ms);
        let mut frames = Frames::new();
        dialect.open(1_785_552_833_184_216_000, &mut frames);
        let begun: Vec<_> =
            frames.iter().map(|frame| String::from_utf8_lossy(frame.bytes).into_owned()).collect();
        let book = "{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":\
                    \"book.BTC-27MAR26-100000-C.100ms\",\"data\":{\"type\":\"snapshot\",\"timestamp\":1785552833184,\
                    \"instrument_name\":\"BTC-27MAR26-100000-C\",\"change_id\":";
        assert!(
            begun[0].starts_with(
                "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[\"book.BTC-27MAR26-100000-C.100ms\","
            )
        );
        assert!(begun[1].starts_with(book) && begun[1].contains(",\"bids\":[[\"new\",0.3"), "{}", begun[1]);
    }
}
