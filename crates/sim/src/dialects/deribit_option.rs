//! Deribit's options as a chain: whatever option is named has a book around its worth, by one forward for each expiry and one
//! smile. What a ticker says of volatilities and greeks is what its book and its forward make of them.
//!
//! Sources and forms of messages are those of [`super::deribit`]. In short:
//! 1. `BTC-25JUN27-70000-C`: a call on bitcoin at 70,000 dollars, at eight in the morning of that day.
//! 2. Prices are in coins; a coin is worth the forward of the expiry.
//! 3. Volatilities are in percent, with two decimals; 0 of a side that implies none. Greeks have five decimals, of dollars.
//! 4. Time to expiry is counted in whole minutes, to the nearest, of a year of 365 days.
//!
//! The forward is a function of time alone, so that all options of a chain agree whatever their seeds; those decide sizes.

#![allow(clippy::float_arithmetic, reason = "volatilities and greeks are real numbers")]

use super::black::{Priced, ln};
use super::clock::{Clock, moment_ns};
use super::deribit::{number, text};
use super::text::{integer, scientific};
use super::told::{Told, Verb};
use super::{Channel, Counts, Dialect, Frames, Truth};
use crate::market::book::Side;
use crate::rng::Rng;

const PRICE_EXPONENT: i8 = -4;
const QTY_EXPONENT: i8 = -1;
/// Levels a side.
const LEVELS: i64 = 5;
const INTERVAL_MS: u64 = 100;
const TICKER_MS: u64 = 1_000;
const HEARTBEAT_MS: u64 = 10_000;
/// Changes of a book between two trades.
const TRADE_EVERY: u64 = 97;
const MINUTE_MS: u64 = 60_000;
const YEAR_MS: f64 = 365.0 * 86_400e3;
/// What a coin is worth, about which the forward moves.
const COINS: [(&str, f64); 2] = [("BTC", 63_000.0), ("ETH", 3_000.0)];
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// An option on a connection with `book`, `trades`, `ticker` and `quote`.
#[derive(Clone, Debug)]
pub struct DeribitOption {
    code: String,
    /// `BTC-25JUN27`.
    underlying: String,
    coin: f64,
    strike: u64,
    is_call: bool,
    expiry_ms: u64,
    rng: Rng,
    clock: Clock,
    time_ms: u64,
    next_change_ms: u64,
    next_ticker_ms: u64,
    next_heartbeat_ms: u64,
    told: Told,
    /// Levels as they are, by side and from the best: price in ticks and quantity; none below a tick.
    book: [Vec<(i64, i64)>; 2],
    changes: u64,
    change_id: u64,
    best: [Option<(i64, i64)>; 2],
    last_price: Option<i64>,
    counts: Counts,
}

impl DeribitOption {
    /// A market before its first connection; none of what is no option on a coin that is known here.
    #[must_use]
    pub fn new(seed: u64, code: &str) -> Option<Self> {
        let mut parts = code.split('-');
        let [base, ends, strike, side] = [(); 4].map(|()| parts.next().unwrap_or_default());
        let coin = COINS.iter().find(|(name, _)| *name == base)?.1;
        let is_call = match side {
            "C" => true,
            "P" => false,
            _ => return None,
        };
        let strike = strike.parse().ok().filter(|strike| *strike > 0)?;
        let expiry_ms = expiry_ms(ends)?;
        if parts.next().is_some() {
            return None;
        }
        let mut option = Self {
            code: code.to_owned(),
            underlying: format!("{base}-{ends}"),
            coin,
            strike,
            is_call,
            expiry_ms,
            rng: Rng::new(seed, 4_000),
            clock: Clock::default(),
            time_ms: 0,
            next_change_ms: 0,
            next_ticker_ms: 0,
            next_heartbeat_ms: 0,
            told: Told::default(),
            book: [Vec::new(), Vec::new()],
            changes: 0,
            change_id: number(0),
            best: [None; 2],
            last_price: None,
            counts: Counts::default(),
        };
        // Each has its own moments.
        (option.next_change_ms, option.next_ticker_ms) =
            (option.rng.below(INTERVAL_MS), option.rng.below(TICKER_MS));
        Some(option)
    }

    /// The forward of the expiry: two waves about the coin's worth, with a carry of 5 % a year.
    fn forward(&self) -> f64 {
        let wave = |period_ms: u64| {
            let at = (self.time_ms % period_ms) as f64 / period_ms as f64;
            (4.0 * (at - 0.5).abs() - 1.0) * 1.0
        };
        let moved = 1.0 + 0.004 * wave(197_000) + 0.001 * wave(23_000);
        let exact = self.coin * moved * (1.0 + 0.05 * self.years());
        (exact * 100.0).round() / 100.0
    }

    /// Rule 4; half a minute from the end on, where none are left.
    fn years(&self) -> f64 {
        let left_ms = self.expiry_ms.saturating_sub(self.time_ms);
        let minutes = (left_ms + MINUTE_MS / 2) / MINUTE_MS;
        (minutes as f64).max(0.5) * MINUTE_MS as f64 / YEAR_MS
    }

    const fn has_ended(&self) -> bool {
        self.time_ms >= self.expiry_ms
    }

    fn priced(&self) -> Priced {
        Priced {
            is_call: self.is_call,
            forward: self.forward(),
            strike: self.strike as f64,
            years: self.years(),
        }
    }

    /// In hundredths of a percent.
    fn smile(&self, priced: &Priced) -> i64 {
        let away = ln(priced.strike / priced.forward) / priced.years.max(0.02).sqrt();
        let volatility = 0.52 - 0.03 * away + 0.08 * away * away;
        (volatility.clamp(0.2, 2.5) * 10_000.0).round() as i64
    }

    /// What it is worth in ticks.
    fn worth(&self) -> f64 {
        let priced = self.priced();
        let volatility = self.smile(&priced) as f64 / 10_000.0;
        priced.price(volatility) / priced.forward * 10_000.0
    }

    /// The levels as they now are: moved with the worth, and one of them with another quantity.
    fn live(&mut self) {
        self.changes += 1;
        if self.has_ended() {
            self.book = [Vec::new(), Vec::new()];
            return;
        }
        let worth = self.worth();
        let half = 0.6 + worth / 80.0;
        let step = 1 + (worth / 150.0) as i64;
        let bests = [(worth - half).floor() as i64, (worth + half).ceil() as i64];
        for (side, best) in [Side::Bid, Side::Ask].into_iter().zip(bests) {
            let away = if matches!(side, Side::Bid) { -step } else { step };
            let before = std::mem::take(&mut self.book[side as usize]);
            let touched = self.rng.below(LEVELS as u64 * 2) as i64;
            let levels = (0..LEVELS).map(|nth| {
                let price = best + away * nth;
                let held = before.iter().find(|level| level.0 == price);
                let drawn = 1 + (self.rng.below(400) * (nth as u64 + 1) / 2) as i64;
                (price, held.filter(|_| touched != nth).map_or(drawn, |level| level.1))
            });
            self.book[side as usize] = levels.filter(|level| level.0 > 0).collect();
        }
    }

    fn changes(&mut self, time_ns: u64, out: &mut Frames) {
        let mut changed = [Vec::new(), Vec::new()];
        for side in [Side::Bid, Side::Ask] {
            let gone: Vec<i64> = self
                .told
                .levels(side)
                .map(|level| level.0)
                .filter(|price| self.book[side as usize].iter().all(|level| level.0 != *price))
                .collect();
            let levels = &self.book[side as usize];
            for (price, qty) in gone.into_iter().map(|price| (price, 0)).chain(levels.iter().copied()) {
                if let Some(verb) = self.told.tell(side, price, qty) {
                    changed[side as usize].push((verb, price, qty));
                }
            }
        }
        let [bids, asks] = changed;
        if bids.is_empty() && asks.is_empty() {
            return;
        }
        let before = std::mem::replace(&mut self.change_id, number(self.changes));
        out.push(time_ns, Channel::Book, |out| {
            self.open_notification(out, "book.", ".100ms");
            text(out, &["{\"type\":\"change\",\"timestamp\":"]);
            integer(out, self.time_ms);
            text(out, &[",\"prev_change_id\":"]);
            integer(out, before);
            self.levels(out, &bids, &asks);
        });
        self.counts.updates += 1;
        self.counts.levels += (bids.len() + asks.len()) as u64;
    }

    fn levels(&self, out: &mut Vec<u8>, bids: &[(Verb, i64, i64)], asks: &[(Verb, i64, i64)]) {
        text(out, &[",\"instrument_name\":\"", &self.code, "\",\"change_id\":"]);
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
                scientific(out, price, PRICE_EXPONENT.into());
                out.push(b',');
                scientific(out, qty, QTY_EXPONENT.into());
                out.push(b']');
            }
        }
        text(out, &["]}}}"]);
    }

    fn open_notification(&self, out: &mut Vec<u8>, before: &str, after: &str) {
        let open = "{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":\"";
        text(out, &[open, before, &self.code, after, "\",\"data\":"]);
    }

    fn best_of(&self, side: Side) -> Option<(i64, i64)> {
        self.told.levels(side).next()
    }

    fn best(&self, out: &mut Vec<u8>) {
        for (keys, side) in [
            ([",\"best_bid_price\":", ",\"best_bid_amount\":"], Side::Bid),
            ([",\"best_ask_price\":", ",\"best_ask_amount\":"], Side::Ask),
        ] {
            let (price, qty) = self.best_of(side).unwrap_or_default();
            text(out, &[keys[0]]);
            scientific(out, price, PRICE_EXPONENT.into());
            text(out, &[keys[1]]);
            scientific(out, qty, QTY_EXPONENT.into());
        }
    }

    fn quote(&mut self, time_ns: u64, out: &mut Frames) {
        let best = [Side::Bid, Side::Ask].map(|side| self.best_of(side));
        if best == self.best {
            return;
        }
        self.best = best;
        out.push(time_ns, Channel::Ticker, |out| {
            self.open_notification(out, "quote.", "");
            text(out, &["{\"timestamp\":"]);
            integer(out, self.time_ms);
            text(out, &[",\"instrument_name\":\"", &self.code, "\""]);
            self.best(out);
            text(out, &["}}}"]);
        });
        self.counts.tickers += 1;
    }

    fn trade(&mut self, time_ns: u64, out: &mut Frames) {
        if !self.changes.is_multiple_of(TRADE_EVERY) {
            return;
        }
        let is_bought = self.rng.chance(500);
        let Some((price, qty)) = self.best_of(if is_bought { Side::Ask } else { Side::Bid }) else { return };
        self.last_price = Some(price);
        let id = self.changes / TRADE_EVERY;
        let priced = self.priced();
        out.push(time_ns, Channel::Trade, |out| {
            self.open_notification(out, "trades.", ".100ms");
            text(out, &["[{\"trade_seq\":"]);
            integer(out, id);
            text(out, &[",\"trade_id\":\""]);
            integer(out, id + 132_438_972);
            text(out, &["\",\"timestamp\":"]);
            integer(out, self.time_ms);
            text(out, &[",\"tick_direction\":0,\"price\":"]);
            scientific(out, price, PRICE_EXPONENT.into());
            text(out, &[",\"mark_price\":"]);
            scientific(out, price, PRICE_EXPONENT.into());
            text(out, &[",\"iv\":"]);
            percent(out, self.smile(&priced));
            text(out, &[",\"instrument_name\":\"", &self.code, "\",\"index_price\":"]);
            real(out, self.coin, 2);
            text(out, &[",\"direction\":\"", if is_bought { "buy" } else { "sell" }, "\",\"amount\":"]);
            scientific(out, 1 + qty / 4, QTY_EXPONENT.into());
            text(out, &["}]}}"]);
        });
        self.counts.trades += 1;
    }

    fn ticker(&mut self, time_ns: u64, out: &mut Frames) {
        let priced = self.priced();
        let mark_iv = self.smile(&priced);
        let greeks = priced.greeks(mark_iv as f64 / 10_000.0);
        let mark = priced.price(mark_iv as f64 / 10_000.0) / priced.forward;
        out.push(time_ns, Channel::Ticker, |out| {
            self.open_notification(out, "ticker.", ".100ms");
            text(out, &["{\"underlying_price\":"]);
            real(out, priced.forward, 2);
            text(out, &[",\"underlying_index\":\"", &self.underlying, "\",\"timestamp\":"]);
            integer(out, self.time_ms);
            text(out, &[",\"stats\":{\"volume\":178.5,\"price_change\":null,\"low\":null,\"high\":null}"]);
            let state = if self.has_ended() { "closed" } else { "open" };
            text(out, &[",\"state\":\"", state, "\",\"open_interest\":"]);
            integer(out, self.strike % 997);
            text(out, &[".5,\"mark_price\":"]);
            real(out, mark, 8);
            text(out, &[",\"last_price\":"]);
            match self.last_price {
                Some(price) => scientific(out, price, PRICE_EXPONENT.into()),
                None => text(out, &["null"]),
            }
            text(out, &[",\"interest_rate\":0.0,\"instrument_name\":\"", &self.code]);
            text(out, &["\",\"index_price\":"]);
            real(out, self.coin, 2);
            text(out, &[",\"mark_iv\":"]);
            percent(out, mark_iv);
            for (key, side) in [(",\"bid_iv\":", Side::Bid), (",\"ask_iv\":", Side::Ask)] {
                text(out, &[key]);
                let money = |price: i64| price as f64 / 10_000.0 * priced.forward;
                let volatility = self.best_of(side).map(|(price, _)| priced.volatility(money(price)));
                percent(out, (volatility.unwrap_or(0.0) * 10_000.0).round() as i64);
            }
            text(out, &[",\"greeks\":{\"vega\":"]);
            real(out, greeks.vega, 5);
            for (key, greek) in [
                (",\"theta\":", greeks.theta),
                (",\"rho\":", greeks.rho),
                (",\"gamma\":", greeks.gamma),
                (",\"delta\":", greeks.delta),
            ] {
                text(out, &[key]);
                real(out, greek, 5);
            }
            out.push(b'}');
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
            let open = "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"type\":\"";
            text(out, &[open, kind, "\"}}"]);
        });
        self.counts.heartbeats += 1;
    }

    fn begin(&mut self, now_ns: u64, out: &mut Frames) {
        self.clock.start(now_ns);
        self.time_ms = now_ns / 1_000_000;
        out.push(now_ns, Channel::Control, |out| {
            text(out, &["{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":["]);
            for (position, [before, after]) in
                [["book.", ".100ms"], ["trades.", ".100ms"], ["ticker.", ".100ms"], ["quote.", ""]]
                    .iter()
                    .enumerate()
            {
                let open = if position == 0 { "\"" } else { ",\"" };
                text(out, &[open, before, &self.code, after, "\""]);
            }
            text(out, &["],\"usIn\":"]);
            integer(out, now_ns / 1_000);
            text(out, &[",\"usOut\":"]);
            integer(out, now_ns / 1_000);
            text(out, &[",\"usDiff\":0,\"testnet\":false}"]);
        });
        self.counts.control += 1;
        self.live();
        self.change_id = number(self.changes);
        self.told = Told::default();
        let mut all = [Vec::new(), Vec::new()];
        for side in [Side::Bid, Side::Ask] {
            for &(price, qty) in &self.book[side as usize] {
                self.told.tell(side, price, qty);
                all[side as usize].push((Verb::New, price, qty));
            }
        }
        let [bids, asks] = all;
        out.push(now_ns, Channel::Book, |out| {
            self.open_notification(out, "book.", ".100ms");
            text(out, &["{\"type\":\"snapshot\",\"timestamp\":"]);
            integer(out, self.time_ms);
            self.levels(out, &bids, &asks);
        });
        self.counts.snapshots += 1;
        self.counts.levels += (bids.len() + asks.len()) as u64;
        self.best = [None; 2];
    }
}

/// Rule 1: eight in the morning of `25JUN27`.
fn expiry_ms(text: &str) -> Option<u64> {
    let month_at = text.find(|letter: char| letter.is_ascii_uppercase())?;
    let (day, rest) = text.split_at(month_at);
    let (month, year) = (rest.get(..3)?, rest.get(3..)?);
    let day: u64 = day.parse().ok().filter(|day| (1..=31).contains(day))?;
    let year: u64 = year.parse().ok().filter(|year| *year < 100)?;
    let month = MONTHS.iter().position(|name| *name == month)? as u64;
    // Days since 1970 by years that begin in March (Hinnant, "chrono-compatible low-level date algorithms").
    let from_march = (month + 10) % 12;
    let year = 2_000 + year - u64::from(month < 2);
    let (era, of_era) = (year / 400, year % 400);
    let days =
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * from_march + 2) / 5 + day - 1;
    Some((days - 719_468) * 86_400_000 + 8 * 3_600_000)
}

/// A number to so many decimals, as programs print their binary ones.
fn real(out: &mut Vec<u8>, value: f64, decimals: i32) {
    let scaled = (0..decimals).fold(value, |scaled, _| scaled * 10.0).round() as i64;
    if scaled < 0 {
        out.push(b'-');
    }
    scientific(out, scaled.abs(), -decimals);
}

/// Rule 3.
fn percent(out: &mut Vec<u8>, hundredths: i64) {
    scientific(out, hundredths, -2);
}

impl Dialect for DeribitOption {
    fn venue(&self) -> &'static str {
        "deribit"
    }

    fn code(&self) -> &str {
        &self.code
    }

    fn depth(&self) -> Option<usize> {
        None
    }

    fn open(&mut self, now_ns: u64, out: &mut Frames) {
        self.begin(now_ns, out);
        self.next_heartbeat_ms = self.time_ms + HEARTBEAT_MS / 4;
    }

    fn step(&mut self, now_ns: u64, out: &mut Frames) {
        let begun = out.len();
        while out.len() == begun {
            let Some(time_ms) = self.clock.take(now_ns) else { return };
            self.time_ms = time_ms;
            let time_ns = moment_ns(time_ms);
            if time_ms % INTERVAL_MS == self.next_change_ms {
                self.live();
                self.trade(time_ns, out);
                self.changes(time_ns, out);
                self.quote(time_ns, out);
            }
            if time_ms % TICKER_MS == self.next_ticker_ms {
                self.ticker(time_ns, out);
            }
            self.heartbeat(time_ns, out);
        }
    }

    /// Nobody has to ask: the whole book comes with the subscription.
    fn snapshot(&mut self, out: &mut Vec<u8>) -> bool {
        out.clear();
        false
    }

    fn resubscribe(&mut self, now_ns: u64, out: &mut Frames) {
        self.begin(now_ns, out);
    }

    fn truth(&self, out: &mut Truth) {
        self.told.truth(self.change_id, (1, 1), out);
    }

    fn exponents(&self) -> (i8, i8) {
        (PRICE_EXPONENT, QTY_EXPONENT)
    }

    fn sent(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_terms() {
        let option = DeribitOption::new(1, "BTC-27MAR26-65000-P").unwrap();
        assert_eq!((option.expiry_ms, option.strike, option.is_call), (1_774_598_400_000, 65_000, false));
        assert_eq!(expiry_ms("29FEB28"), Some(1_835_424_000_000));
        for none in [
            "BTC-PERPETUAL",
            "BTC-27MAR26",
            "BTC-27MAR26-0-C",
            "BTC-27XYZ26-1-C",
            "A-27MAR26-1-C",
            "BTC-27MAR26-1-X",
        ] {
            assert!(DeribitOption::new(1, none).is_none(), "{none}");
        }
    }

    #[test]
    fn tickers_and_books_are_of_one_market_and_books_empty_at_the_end() {
        let mut option = DeribitOption::new(3, "BTC-27MAR26-65000-C").unwrap();
        let mut frames = Frames::new();
        let end_ns = option.expiry_ms * 1_000_000;
        option.open(end_ns - 5_000_000_000, &mut frames);
        while frames.len() < 60 {
            option.step(u64::MAX, &mut frames);
        }
        let texts: Vec<_> =
            frames.iter().map(|frame| String::from_utf8_lossy(frame.bytes).into_owned()).collect();
        assert!(texts[1].contains("book.BTC-27MAR26-65000-C.100ms\",\"data\":{\"type\":\"snapshot\""));
        let ticker = texts.iter().find(|text| text.contains("\"channel\":\"ticker.")).unwrap();
        for part in
            ["\"mark_iv\":", "\"bid_iv\":", "\"greeks\":{\"vega\":", "\"underlying_index\":\"BTC-27MAR26\""]
        {
            assert!(ticker.contains(part), "{part} {ticker}");
        }
        let mut truth = Truth::default();
        while option.time_ms < option.expiry_ms + 200 {
            option.step(u64::MAX, &mut frames);
        }
        option.truth(&mut truth);
        assert!(truth.bids.is_empty() && truth.asks.is_empty());
    }
}
