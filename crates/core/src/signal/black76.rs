//! Options on a forward: Black's price, its greeks, and the volatility that a price implies.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Days of a year, as venues of options count it: with 365 their printed greeks are those computed here
/// (`tests/recorded`).
pub const YEAR_DAYS: f64 = 365.0;
/// Steps of the solver, which needs some four of them, and of the halving that it falls back to.
const STEPS_MAX: u32 = 200;
/// Total volatility beyond which no option is: its price has no digit left below the forward.
const TOTAL_VOLATILITY_MAX: f64 = 64.0;

/// Which way an option goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To buy.
    Call,
    /// To sell.
    Put,
}

impl Right {
    const fn sign(self) -> f64 {
        match self {
            Self::Call => 1.0,
            Self::Put => -1.0,
        }
    }
}

/// A European option on a forward. Money is of one unit throughout: that of strike and forward.
///
/// Source: F. Black, "The pricing of commodity contracts", J. Financial Economics 3 (1976). Venues that state implied
/// volatilities of the forward of an expiry, and not of the index, price so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Black76 {
    right: Right,
    forward: f64,
    strike: f64,
    years: f64,
    rate: f64,
}

/// What a price does when something else changes. Per unit of the underlying.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Greeks {
    /// Change of the price with the forward.
    pub delta: f64,
    /// Change of delta with the forward.
    pub gamma: f64,
    /// Change of the price with one hundredth of volatility.
    pub vega: f64,
    /// Change of the price with a day.
    pub theta: f64,
    /// Change of delta with one hundredth of volatility.
    pub vanna: f64,
    /// Change of vega with one hundredth of volatility.
    pub volga: f64,
    /// Change of delta with a day.
    pub charm: f64,
}

impl Black76 {
    /// `years` to expiry, each of [`YEAR_DAYS`]; `rate`: of discounting, continuous, a year. None unless forward, strike and years are above
    /// 0 and all is finite.
    #[must_use]
    pub fn new(right: Right, forward: f64, strike: f64, years: f64, rate: f64) -> Option<Self> {
        let is_possible = [forward, strike, years].iter().all(|number| number.is_finite() && *number > 0.0);
        (is_possible && rate.is_finite()).then_some(Self { right, forward, strike, years, rate })
    }

    /// The price at a volatility (0.5 = 50 % a year). None where that is not above 0.
    #[must_use]
    pub fn price(&self, volatility: f64) -> Option<f64> {
        let total = self.total(volatility)?;
        Some(self.discount() * undiscounted(self.right, self.forward, self.strike, total))
    }

    /// The greeks at a volatility; vega, vanna and volga of one hundredth of it, theta and charm of one of
    /// [`YEAR_DAYS`] days. None where it is not above 0.
    #[must_use]
    pub fn greeks(&self, volatility: f64) -> Option<Greeks> {
        let total = self.total(volatility)?;
        let (discount, sign) = (self.discount(), self.right.sign());
        let d1 = libm::log(self.forward / self.strike) / total + total / 2.0;
        let d2 = d1 - total;
        let density = density(d1);
        let delta = sign * discount * cumulative(sign * d1);
        let vega = discount * self.forward * density * self.years.sqrt();
        let price = discount * undiscounted(self.right, self.forward, self.strike, total);
        let decay = discount * self.forward * density * volatility / (2.0 * self.years.sqrt());
        Some(Greeks {
            delta,
            gamma: discount * density / (self.forward * total),
            vega: vega / 100.0,
            theta: (self.rate * price - decay) / YEAR_DAYS,
            vanna: -discount * density * d2 / volatility / 100.0,
            volga: vega * d1 * d2 / volatility / 10_000.0,
            charm: (self.rate * delta + discount * density * d2 / (2.0 * self.years)) / YEAR_DAYS,
        })
    }

    /// The delta of an option whose price is paid in the underlying, as inverse options are: the delta less that
    /// price, which the holder is short of when the underlying moves. None where the volatility is not above 0.
    #[must_use]
    pub fn price_adjusted_delta(&self, volatility: f64) -> Option<f64> {
        Some(self.greeks(volatility)?.delta - self.price(volatility)? / self.forward)
    }

    /// The volatility at which the price is this one. None where no volatility gives it: not above what the option is
    /// worth without any, or not below the (discounted) forward, of a put the strike; and where it is so small that
    /// it has no digits.
    ///
    /// Cost: some four prices. The answer's relative error is what rounding the price leaves: of an option in the
    /// money, whose price is nearly all worth without volatility, few digits remain to say anything.
    #[must_use]
    pub fn implied_volatility(&self, price: f64) -> Option<f64> {
        let whole = price / self.discount();
        if !whole.is_finite() {
            return None;
        }
        // Of the two options of a strike the one out of the money says as much, and all of its price is time.
        let in_the_money = (self.right.sign() * (self.forward - self.strike)).max(0.0);
        let right = if self.strike >= self.forward { Right::Call } else { Right::Put };
        let total = implied_total(right, self.forward, self.strike, whole - in_the_money)?;
        Some(total / self.years.sqrt())
    }

    fn total(&self, volatility: f64) -> Option<f64> {
        let total = volatility * self.years.sqrt();
        (total.is_finite() && total > 0.0).then_some(total)
    }

    fn discount(&self) -> f64 {
        libm::exp(-self.rate * self.years)
    }
}

/// The price without discounting, by total volatility σ√T.
fn undiscounted(right: Right, forward: f64, strike: f64, total: f64) -> f64 {
    let sign = right.sign();
    let d1 = libm::log(forward / strike) / total + total / 2.0;
    let price = sign * (forward * cumulative(sign * d1) - strike * cumulative(sign * (d1 - total)));
    price.max(0.0)
}

/// The total volatility of an option out of the money.
///
/// The price has one inflection, at √(2|ln(F/K)|). Above it Newton's steps from there on approach from below; below
/// it they do so on the logarithm of the price, which bends one way throughout. Each step is held between the bounds
/// known by then, and halves them where it would leave. (P. Jäckel, "By implication", Wilmott (2006), on the
/// inflection and the logarithm.)
fn implied_total(right: Right, forward: f64, strike: f64, price: f64) -> Option<f64> {
    let most = match right {
        Right::Call => forward,
        Right::Put => strike,
    };
    if !(price > most * f64::MIN_POSITIVE.sqrt() && price < most) {
        return None;
    }
    let moneyness = libm::log(forward / strike).abs();
    let inflection = (2.0 * moneyness).sqrt();
    let (mut low, mut high) = (0.0, TOTAL_VOLATILITY_MAX);
    let mut total = if inflection > 0.0 { inflection } else { price / forward * (2.0 * PI).sqrt() };
    let is_below = undiscounted(right, forward, strike, total) > price && inflection > 0.0;
    for _ in 0..STEPS_MAX {
        let at = undiscounted(right, forward, strike, total);
        if at > price {
            high = total;
        } else {
            low = total;
        }
        let slope = forward * density(libm::log(forward / strike) / total + total / 2.0);
        let step = if is_below { libm::log(price / at) * at / slope } else { (price - at) / slope };
        if step.abs() <= total * f64::EPSILON {
            return Some(total);
        }
        let next = total + step;
        // A step out of the bounds, or one that is no number where the price has none.
        total = if next > low && next < high { next } else { f64::midpoint(low, high) };
    }
    Some(total)
}

fn density(x: f64) -> f64 {
    libm::exp(-x * x / 2.0) / (2.0 * PI).sqrt()
}

fn cumulative(x: f64) -> f64 {
    libm::erfc(-x * FRAC_1_SQRT_2) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(right: Right, forward: f64, strike: f64, years: f64, rate: f64) -> Black76 {
        Black76::new(right, forward, strike, years, rate).unwrap()
    }

    #[test]
    fn prices_are_those_of_the_textbooks() {
        for (option, volatility, expected) in [
            (option(Right::Put, 60.0, 60.0, 4.0 / 12.0, 0.09), 0.25, 3.349_924),
            (option(Right::Put, 19.0, 19.0, 0.75, 0.10), 0.28, 1.701_051),
            (option(Right::Call, 60_000.0, 65_000.0, 30.0 / 365.0, 0.0), 0.55, 1_921.593_106),
        ] {
            let price = option.price(volatility).unwrap();
            assert!((price - expected).abs() < 5e-7, "{price} {expected}");
        }
    }

    #[test]
    fn deltas_of_money_and_of_coin_are_told_apart() {
        let option = option(Right::Call, 60_000.0, 65_000.0, 30.0 / 365.0, 0.0);
        let delta = option.greeks(0.55).unwrap().delta;
        assert!((delta - 0.334_039_064_5).abs() < 5e-11, "{delta}");
        let adjusted = option.price_adjusted_delta(0.55).unwrap();
        assert!((adjusted - 0.302_012_512_8).abs() < 5e-11, "{adjusted}");
        assert!((option.price(0.55).unwrap() / 60_000.0 - 0.032_026_551_8).abs() < 5e-11);
    }

    #[test]
    fn a_price_implies_its_volatility() {
        let option = option(Right::Call, 100.0, 90.0, 30.0, 0.0);
        let volatility = option.implied_volatility(20.0).unwrap();
        assert!((volatility - 0.070_117_018_014_820_94).abs() < 1e-15, "{volatility}");
    }

    /// Each greek against the price, a little to both sides.
    #[test]
    fn greeks_are_how_the_price_changes() {
        for (right, strike) in
            [(Right::Call, 65_000.0), (Right::Put, 65_000.0), (Right::Call, 55_000.0), (Right::Put, 55_000.0)]
        {
            let (forward, years, rate, volatility) = (60_000.0, 0.2, 0.03, 0.6);
            let at = |forward: f64, years: f64| option(right, forward, strike, years, rate);
            let price =
                |forward: f64, volatility: f64, years: f64| at(forward, years).price(volatility).unwrap();
            let delta = |forward: f64, volatility: f64, years: f64| {
                at(forward, years).greeks(volatility).unwrap().delta
            };
            let greeks = at(forward, years).greeks(volatility).unwrap();
            let slope = |of: &dyn Fn(f64) -> f64, at: f64, by: f64| (of(at + by) - of(at - by)) / (2.0 * by);
            let day = 1.0 / YEAR_DAYS;
            for (name, told, found) in [
                ("delta", greeks.delta, slope(&|f| price(f, volatility, years), forward, 1.0)),
                ("gamma", greeks.gamma, slope(&|f| delta(f, volatility, years), forward, 1.0)),
                ("vega", greeks.vega, slope(&|v| price(forward, v, years), volatility, 1e-4) / 100.0),
                ("theta", greeks.theta, -slope(&|t| price(forward, volatility, t), years, 1e-5) * day),
                ("vanna", greeks.vanna, slope(&|v| delta(forward, v, years), volatility, 1e-4) / 100.0),
                (
                    "volga",
                    greeks.volga,
                    slope(&|v| at(forward, years).greeks(v).unwrap().vega, volatility, 1e-4) / 100.0,
                ),
                ("charm", greeks.charm, -slope(&|t| delta(forward, volatility, t), years, 1e-5) * day),
            ] {
                assert!(
                    (told - found).abs() <= found.abs() * 1e-5 + 1e-12,
                    "{name} {right:?} {strike}: {told} {found}"
                );
            }
        }
    }

    /// A million options of all kinds, by a plain generator: the volatility comes back, or as near as the price's
    /// last digit tells.
    #[test]
    fn volatilities_come_back() {
        let mut state = 1_u64;
        let mut draw = |low: f64, high: f64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            low + (high - low) * ((state >> 11) as f64 / (1_u64 << 53) as f64)
        };
        let (mut solved, mut worst) = (0_u32, 0.0_f64);
        for nth in 0..1_000_000 {
            let right = if nth % 2 == 0 { Right::Call } else { Right::Put };
            let (forward, years, volatility) = (draw(1.0, 1e5), draw(0.001, 3.0), draw(0.05, 2.5));
            let strike = forward * draw(-1.5, 1.5).exp();
            let option = option(right, forward, strike, years, draw(-0.02, 0.1));
            let price = option.price(volatility).unwrap();
            // One unit in the last place of the price, in volatility.
            let last_digit =
                price.max(1e-300) * f64::EPSILON / (option.greeks(volatility).unwrap().vega * 100.0);
            let Some(implied) = option.implied_volatility(price) else {
                assert!(
                    last_digit > 1e-6 || price < forward.max(strike) * 1e-150,
                    "{option:?} {volatility} {price}"
                );
                continue;
            };
            let off = (implied - volatility).abs();
            assert!(off <= 1e-9 + 64.0 * last_digit, "{option:?} {volatility} {implied}");
            if last_digit < 1e-14 {
                worst = worst.max(off / volatility);
                solved += 1;
            }
        }
        assert!(solved > 500_000, "{solved}");
        assert!(worst < 1e-11, "{worst}");
    }

    #[test]
    fn what_no_volatility_gives_has_none() {
        let option = option(Right::Call, 100.0, 90.0, 1.0, 0.0);
        for price in [-1.0, 0.0, 9.0, 10.0, 100.0, 101.0, f64::NAN, f64::INFINITY] {
            assert_eq!(option.implied_volatility(price), None, "{price}");
        }
        assert!(option.implied_volatility(10.000_001).is_some());
        assert!(option.implied_volatility(99.999).is_some());
        for volatility in [0.0, -0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(option.price(volatility), None);
            assert_eq!(option.greeks(volatility), None);
            assert_eq!(option.price_adjusted_delta(volatility), None);
        }
        for (forward, strike, years, rate) in [
            (0.0, 1.0, 1.0, 0.0),
            (1.0, -1.0, 1.0, 0.0),
            (1.0, 1.0, 0.0, 0.0),
            (f64::NAN, 1.0, 1.0, 0.0),
            (1.0, 1.0, 1.0, f64::NAN),
        ] {
            assert_eq!(Black76::new(Right::Put, forward, strike, years, rate), None);
        }
    }

    #[test]
    fn a_call_less_a_put_is_the_forward_less_the_strike() {
        for strike in [20.0, 99.0, 100.0, 101.0, 400.0] {
            let price = |right| option(right, 100.0, strike, 0.5, 0.05).price(0.8).unwrap();
            let parity = libm::exp(-0.025) * (100.0 - strike);
            assert!((price(Right::Call) - price(Right::Put) - parity).abs() < 1e-12);
        }
    }
}
