//! Black's prices and greeks of options on a forward, by additions, multiplications, divisions and square roots alone, which
//! give the same bits on every machine. Written for itself: what is tested against it is another's.

#![allow(clippy::float_arithmetic, reason = "volatilities and greeks are real numbers")]

use std::f64::consts::{LN_2, PI};

/// An option and the market that it is priced by. `years` and `volatility` above 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Priced {
    pub(super) is_call: bool,
    pub(super) forward: f64,
    pub(super) strike: f64,
    pub(super) years: f64,
}

/// What a price does when something else changes: vega and rho of a hundredth, theta of one of 365 days.
#[derive(Clone, Copy, Debug)]
pub(super) struct Greeks {
    pub(super) delta: f64,
    pub(super) gamma: f64,
    pub(super) vega: f64,
    pub(super) theta: f64,
    pub(super) rho: f64,
}

impl Priced {
    const fn sign(&self) -> f64 {
        if self.is_call { 1.0 } else { -1.0 }
    }

    fn d(&self, volatility: f64) -> (f64, f64) {
        let total = volatility * self.years.sqrt();
        let d1 = ln(self.forward / self.strike) / total + total / 2.0;
        (d1, d1 - total)
    }

    /// In the money of forward and strike.
    pub(super) fn price(&self, volatility: f64) -> f64 {
        let ((d1, d2), sign) = (self.d(volatility), self.sign());
        let price = sign * (self.forward * cumulative(sign * d1) - self.strike * cumulative(sign * d2));
        price.max(0.0)
    }

    pub(super) fn greeks(&self, volatility: f64) -> Greeks {
        let ((d1, d2), sign, root) = (self.d(volatility), self.sign(), self.years.sqrt());
        let density = density(d1);
        let decay = self.forward * density * volatility / (2.0 * root) / 365.0;
        Greeks {
            delta: sign * cumulative(sign * d1),
            gamma: density / (self.forward * volatility * root),
            vega: self.forward * density * root / 100.0,
            theta: -decay.min(self.price(volatility)),
            rho: sign * self.strike * self.years * cumulative(sign * d2) / 100.0,
        }
    }

    /// The volatility of a price, sought between 1 % and 1,000 % by halving; 0 where it is not there.
    pub(super) fn volatility(&self, price: f64) -> f64 {
        let (mut low, mut high) = (0.01, 10.0);
        if price <= self.price(low) || price >= self.price(high) {
            return 0.0;
        }
        for _ in 0..34 {
            let middle = f64::midpoint(low, high);
            if self.price(middle) > price {
                high = middle;
            } else {
                low = middle;
            }
        }
        f64::midpoint(low, high)
    }
}

fn density(x: f64) -> f64 {
    exp(-x * x / 2.0) / (2.0 * PI).sqrt()
}

/// Marsaglia's series, "Evaluating the normal distribution", J. Statistical Software 11 (2004); 0 or 1 beyond seven deviations.
fn cumulative(x: f64) -> f64 {
    if x.abs() > 7.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut sum, mut term, mut odd) = (x, x, 1.0);
    while term.abs() > 1e-17 {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    (0.5 + sum * density(x)).clamp(0.0, 1.0)
}

/// By halving the argument until its series is short. From −700 to 700.
fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0) / 1_024.0;
    let (mut sum, mut term) = (1.0, 1.0);
    for nth in 1..14_u32 {
        term *= x / f64::from(nth);
        sum += term;
    }
    (0..10).fold(sum, |power, _| power * power)
}

/// Above 0: the binary exponent, and twice the area tangent of the rest.
pub(super) fn ln(mut x: f64) -> f64 {
    let mut twos = 0.0;
    while x > 1.5 {
        (x, twos) = (x / 2.0, twos + 1.0);
    }
    while x < 0.75 {
        (x, twos) = (x * 2.0, twos - 1.0);
    }
    let ratio = (x - 1.0) / (x + 1.0);
    let (mut sum, mut power) = (0.0, ratio);
    for nth in 0..20_u32 {
        sum += power / f64::from(2 * nth + 1);
        power *= ratio * ratio;
    }
    twos * LN_2 + 2.0 * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_those_of_the_textbooks() {
        let option = |is_call, forward, strike, years| Priced { is_call, forward, strike, years };
        let call = option(true, 60_000.0, 65_000.0, 30.0 / 365.0);
        assert!((call.price(0.55) - 1_921.593_106).abs() < 1e-6, "{}", call.price(0.55));
        assert!((call.greeks(0.55).delta - 0.334_039_064_5).abs() < 1e-9);
        assert!((call.volatility(1_921.593_106) - 0.55).abs() < 1e-8);
        // Hull's 3.35 and Haug's 1.7011, before discounting.
        for (put, volatility, discounted) in [
            (option(false, 60.0, 60.0, 4.0 / 12.0), 0.25, 3.349_924 / exp(-0.09 * 4.0 / 12.0)),
            (option(false, 19.0, 19.0, 0.75), 0.28, 1.701_051 / exp(-0.075)),
        ] {
            assert!((put.price(volatility) - discounted).abs() < 1e-5);
        }
        assert!((ln(10.0) - std::f64::consts::LN_10).abs() < 1e-14);
        assert!((exp(1.0) - std::f64::consts::E).abs() < 1e-12);
    }
}
