//! Greeks and implied volatilities that we compute against those that the venue prints.
//!
//! Two facts of the venue stand between what it prints and what can be computed of that, both found in the recording:
//! 1. It counts the time to expiry in whole minutes, to the nearest, of a year of 365 days.
//! 2. `mark_iv` is printed with two decimals of a percent, of which vega, printed with up to seven digits, is not a function. So
//!    greeks are compared at the one volatility, of all that print as `mark_iv`, that is nearest to delta, gamma and vega
//!    together. Delta and gamma do not need that: they agree at `mark_iv` as it is printed.

#![allow(clippy::float_arithmetic, reason = "greeks are real numbers")]

use std::collections::BTreeMap;

use depthwire_core::signal::{Black76, Greeks, Right, YEAR_DAYS};
use depthwire_core::types::{Instrument, TimeNs};
use depthwire_core::venues::{self, DERIBIT};
use serde_json::Value;

use crate::{expected, files};

/// The venue's year, in days.
const YEAR_NS: f64 = YEAR_DAYS * 86_400e9;
/// A unit in the last place of a greek.
const DIGIT: f64 = 1e-5;
/// What printing may take of `mark_iv`.
const IV_ROUNDING: f64 = 0.5e-4;
const MINUTE_NS: u64 = 60_000_000_000;
const NAMES: [&str; 3] = ["delta", "gamma", "vega"];

struct Ticker {
    name: String,
    at: TimeNs,
    data: Value,
    listed: Instrument,
}

impl Ticker {
    fn number(&self, key: &str) -> f64 {
        self.data[key].as_f64().unwrap_or_else(|| panic!("{}: {key}", self.data))
    }

    fn greek(&self, key: &str) -> f64 {
        self.data["greeks"][key].as_f64().unwrap()
    }

    fn option(&self, at: TimeNs) -> Black76 {
        let terms = self.listed.terms.option.unwrap();
        let right = if terms.is_call { Right::Call } else { Right::Put };
        let strike = terms.strike.mantissa as f64 * 10f64.powi(terms.strike.exponent.into());
        let years = (self.listed.terms.expiry - at) as f64 / YEAR_NS;
        Black76::new(right, self.number("underlying_price"), strike, years, self.number("interest_rate"))
            .unwrap()
    }

    /// By how many printed digits delta, gamma and vega are off.
    fn off(&self, at: TimeNs, volatility: f64) -> [f64; 3] {
        let Greeks { delta, gamma, vega, .. } = self.option(at).greeks(volatility).unwrap();
        let ours = [delta, gamma, vega];
        std::array::from_fn(|nth| (ours[nth] - self.greek(NAMES[nth])).abs() / DIGIT)
    }

    /// The volatility that prints as `mark_iv` and is nearest to all three, and by how much they are off there.
    fn nearest(&self, at: TimeNs) -> (f64, [f64; 3]) {
        let printed = self.number("mark_iv") / 100.0;
        let steps = (-500..=500).map(|step| printed + IV_ROUNDING * f64::from(step) / 500.0);
        let worst = |off: &[f64; 3]| off.iter().copied().fold(0.0, f64::max);
        let offs = steps.map(|volatility| (volatility, self.off(at, volatility)));
        offs.min_by(|a, b| worst(&a.1).total_cmp(&worst(&b.1))).unwrap()
    }
}

/// The nearest whole minute.
const fn to_minute(at: TimeNs) -> TimeNs {
    (at + MINUTE_NS / 2) / MINUTE_NS * MINUTE_NS
}

fn is_within(digits: f64) -> bool {
    digits <= 1.0 + 1e-6
}

/// All tickers of the recording, each with its instrument by the recorded lists.
fn tickers(test: &str) -> Option<Vec<Ticker>> {
    let set = expected::final_books("deribit-options");
    let bytes = files::read(&files::root(test)?.join(&set.files[0]))?;
    let mut listed = BTreeMap::new();
    let mut tickers = Vec::new();
    for line in std::str::from_utf8(&bytes).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let Some(data) = line["data"].as_str() else { continue };
        if line["t"] == "http" {
            for instrument in venues::instruments(DERIBIT, data.as_bytes()).unwrap().list() {
                listed.insert(instrument.symbol.clone(), instrument.clone());
            }
            continue;
        }
        let message: Value = serde_json::from_str(data).unwrap();
        let params = &message["params"];
        if !params["channel"].as_str().is_some_and(|channel| channel.starts_with("ticker.")) {
            continue;
        }
        let data = params["data"].clone();
        let name = data["instrument_name"].as_str().unwrap().to_owned();
        let at = data["timestamp"].as_u64().unwrap() * 1_000_000;
        tickers.push(Ticker { listed: listed[&name].clone(), name, at, data });
    }
    Some(tickers)
}

#[test]
fn greeks_are_those_of_the_venue() {
    let Some(tickers) = tickers("greeks_are_those_of_the_venue") else { return };
    assert_eq!(tickers.len(), 89);
    let mut within = [[0_usize; 3]; 4];
    let mut theta_within = 0;
    for ticker in &tickers {
        let printed = ticker.number("mark_iv") / 100.0;
        let minute = to_minute(ticker.at);
        let (volatility, nearest) = ticker.nearest(minute);
        let all = [
            ticker.off(ticker.at, printed),
            ticker.off(minute, printed),
            ticker.nearest(ticker.at).1,
            nearest,
        ];
        for (share, off) in within.iter_mut().zip(all) {
            for nth in 0..3 {
                share[nth] += usize::from(is_within(off[nth]));
            }
        }
        for nth in 0..3 {
            let [exact, .., off] = all.map(|off| off[nth]);
            if !is_within(off) {
                let told = ticker.greek(NAMES[nth]);
                println!("{} {}: {told} printed, {off:.2} digits off", ticker.name, NAMES[nth]);
            } else if !is_within(exact) {
                println!(
                    "{} {}: {exact:.1} digits off at mark_iv as printed, {off:.2} at {:+.4} % of volatility and a whole minute",
                    ticker.name,
                    NAMES[nth],
                    (volatility - printed) * 100.0
                );
            }
        }
        // What an option loses in a day is at most its price.
        let option = ticker.option(minute);
        let theta = option.greeks(volatility).unwrap().theta;
        let theta = theta.max(-option.price(volatility).unwrap());
        let theta_off = (theta - ticker.greek("theta")).abs();
        theta_within += usize::from(theta_off <= DIGIT + ticker.greek("theta").abs() * 1e-5);
    }
    for (what, [delta, gamma, vega]) in [
        ("mark_iv as printed, time to the millisecond", within[0]),
        ("mark_iv as printed, time to the minute", within[1]),
        ("one volatility that prints as mark_iv, time to the millisecond", within[2]),
        ("one volatility that prints as mark_iv, time to the minute", within[3]),
    ] {
        let share = (delta + gamma + vega) as f64 / 2.67;
        println!(
            "within one printed digit at {what}: delta {delta}, gamma {gamma}, vega {vega} of 89; {share:.1} %"
        );
    }
    println!("theta within one printed digit and 0.001 %: {theta_within} of 89");
    assert_eq!(within[0][..2], [89, 89]);
    assert_eq!(within[3], [89, 89, 89]);
    assert!(theta_within >= 75, "{theta_within}");
}

#[test]
fn volatilities_of_the_best_prices_are_those_of_the_venue() {
    let Some(tickers) = tickers("volatilities_of_the_best_prices_are_those_of_the_venue") else { return };
    let (mut compared, mut within) = (0, [0_usize; 2]);
    for ticker in &tickers {
        let forward = ticker.number("underlying_price");
        for side in ["bid", "ask"] {
            let price = ticker.number(&format!("best_{side}_price")) * forward;
            let told = ticker.number(&format!("{side}_iv"));
            let solved =
                |at| ticker.option(at).implied_volatility(price).map(|iv| (iv * 100.0 - told).abs() / 0.01);
            let (Some(exact), Some(off)) = (solved(ticker.at), solved(to_minute(ticker.at))) else {
                assert_eq!(told, 0.0, "{} {side}: the venue has one of {price}", ticker.name);
                continue;
            };
            compared += 1;
            within[0] += usize::from(is_within(exact));
            within[1] += usize::from(is_within(off));
            if !is_within(exact) || !is_within(off) {
                println!(
                    "{} {side}_iv: {told} printed, {exact:.1} digits off at the millisecond, {off:.1} at the minute",
                    ticker.name
                );
            }
        }
    }
    println!(
        "bid_iv and ask_iv within one printed digit: {within:?} of {compared}, by millisecond and by minute"
    );
    assert!(compared > 150 && within[1] as f64 >= 0.95 * compared as f64, "{within:?} of {compared}");
}
