//! What the best prices of an option say: implied volatilities and greeks, at the forward that its venue tells.

use super::row::{Over, RATIO_DECIMALS, Rows};
use super::{Black76, Right, SignalId, SignalRow, Touch, YEAR_DAYS};
use crate::aggregate::Bbo;
use crate::types::{Decimal, Instrument, Price, TimeNs};

/// How long a forward counts, by the times of receipt: it moves all the time, so one that is older has not been told.
pub const FORWARD_AGE_NS_MAX: u64 = 60_000_000_000;

const YEAR_NS: f64 = YEAR_DAYS * 86_400e9;

/// The terms of an option that its greeks depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionContract {
    right: Right,
    strike: Decimal,
    expiry: TimeNs,
    /// Whether its price is an amount of the underlying rather than of the strike's money.
    is_paid_in_underlying: bool,
}

impl OptionContract {
    /// None of what is no option, and of one whose strike, end or unit of price is not known.
    #[must_use]
    pub fn of(instrument: &Instrument) -> Option<Self> {
        let terms = &instrument.terms;
        let option = terms.option?;
        let is_known = option.strike.mantissa > 0 && terms.expiry > 0;
        if !is_known || terms.base.is_empty() || terms.quote.is_empty() {
            return None;
        }
        Some(Self {
            right: if option.is_call { Right::Call } else { Right::Put },
            strike: option.strike,
            expiry: terms.expiry,
            // Some venues say so by the quote, others by what gains are paid in.
            is_paid_in_underlying: terms.quote == terms.base || terms.settle == terms.base,
        })
    }
}

/// An option and what is known of it at one moment. Prices are mantissas of 10^`price_exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionMarket {
    /// Its terms.
    pub contract: OptionContract,
    /// The price of the underlying for its expiry, as its venue told it last.
    pub forward: Price,
    /// When that was received, ns.
    pub forward_at: TimeNs,
    /// The rate of discounting, in 1e-9 a year.
    pub rate_e9: i64,
    /// The best prices; none where they are doubted.
    pub best: Bbo,
    /// Of all prices.
    pub price_exponent: i8,
}

impl OptionMarket {
    /// Appends a row of each signal that has a value at `now` or, where that is later, when the forward was received.
    ///
    /// Cost: three solutions for a volatility and one set of greeks, some 1.5 µs. Allocates nothing where `rows` has
    /// room.
    pub fn write(&self, now: TimeNs, rows: &mut Vec<SignalRow>) {
        let at = now.max(self.forward_at);
        let Some(option) = self.option(at) else { return };
        let mut out = Rows { rows, price_exponent: self.price_exponent, qty_exponent: 0, at };
        let implied = |price: f64| option.implied_volatility(price);
        let is_crossed = self.best.bid.zip(self.best.ask).is_some_and(|(bid, ask)| bid.price > ask.price);
        if is_crossed {
            return;
        }
        for (id, level) in
            [(SignalId::BidVolatility, self.best.bid), (SignalId::AskVolatility, self.best.ask)]
        {
            let volatility = level.and_then(|level| implied(self.money(level.price.0 as f64)));
            out.number(id, volatility, RATIO_DECIMALS, Over::MOMENT);
        }
        let Some(touch) = Touch::of(self.best) else { return };
        let Some(mid) = implied(self.money(touch.mid_doubled() as f64 / 2.0)) else { return };
        out.number(SignalId::MidVolatility, Some(mid), RATIO_DECIMALS, Over::MOMENT);
        let Some(greeks) = option.greeks(mid) else { return };
        out.number(SignalId::Delta, Some(greeks.delta), RATIO_DECIMALS, Over::MOMENT);
        if self.contract.is_paid_in_underlying {
            let delta = option.price_adjusted_delta(mid);
            out.number(SignalId::PriceAdjustedDelta, delta, RATIO_DECIMALS, Over::MOMENT);
        }
        for (id, value) in
            [(SignalId::Gamma, greeks.gamma), (SignalId::Vega, greeks.vega), (SignalId::Theta, greeks.theta)]
        {
            out.digits(id, Some(value), 0, Over::MOMENT);
        }
    }

    /// The option at a moment; none past its end, and where its forward is too old.
    fn option(&self, at: TimeNs) -> Option<Black76> {
        if at - self.forward_at > FORWARD_AGE_NS_MAX {
            return None;
        }
        let OptionContract { right, strike, expiry, .. } = self.contract;
        let years = expiry.checked_sub(at)? as f64 / YEAR_NS;
        let strike = strike.mantissa as f64 * power(strike.exponent);
        Black76::new(right, self.forward_money(), strike, years, self.rate_e9 as f64 / 1e9)
    }

    fn forward_money(&self) -> f64 {
        self.forward.0 as f64 * power(self.price_exponent)
    }

    /// A price in units of the mantissa, in the money of strike and forward.
    fn money(&self, price: f64) -> f64 {
        let price = price * power(self.price_exponent);
        if self.contract.is_paid_in_underlying { price * self.forward_money() } else { price }
    }
}

/// 10^`exponent`, which is exact up to 10^22, and the nearest to it below 1.
fn power(exponent: i8) -> f64 {
    let whole = (0..exponent.unsigned_abs()).fold(1.0, |power, _| power * 10.0);
    if exponent < 0 { 1.0 / whole } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Level, Qty};

    const DAY_NS: u64 = 86_400_000_000_000;
    const NOW: TimeNs = 1_785_000_000_000_000_000;

    /// The vector of the reference: F=60000 K=65000 T=30/365 σ=.55 r=0, in coin at four decimals more than the venue's.
    fn market(bid: Option<i64>, ask: Option<i64>) -> OptionMarket {
        let level = |price: i64| Level { price: Price(price), qty: Qty(1) };
        OptionMarket {
            contract: OptionContract {
                right: Right::Call,
                strike: Decimal { mantissa: 65, exponent: 3 },
                expiry: NOW + 30 * DAY_NS,
                is_paid_in_underlying: true,
            },
            forward: Price(60_000 * 100_000_000),
            forward_at: NOW,
            rate_e9: 0,
            best: Bbo { bid: bid.map(level), ask: ask.map(level) },
            price_exponent: -8,
        }
    }

    fn told(market: &OptionMarket, now: TimeNs) -> Vec<(SignalId, f64)> {
        let mut rows = Vec::new();
        market.write(now, &mut rows);
        rows.iter().map(|row| (row.id, row.value as f64 * power(row.exponent))).collect()
    }

    #[test]
    fn the_vector_of_the_reference_comes_back() {
        let told = told(&market(Some(3_202_655), Some(3_202_655)), NOW);
        let value = |id: SignalId| told.iter().find(|(of, _)| *of == id).unwrap().1;
        for id in [SignalId::BidVolatility, SignalId::AskVolatility, SignalId::MidVolatility] {
            assert!((value(id) - 0.55).abs() < 1e-6, "{id:?} {}", value(id));
        }
        assert!((value(SignalId::Delta) - 0.334_039_064_5).abs() < 1e-6);
        assert!((value(SignalId::PriceAdjustedDelta) - 0.302_012_512_8).abs() < 1e-6);
        for id in [SignalId::Gamma, SignalId::Vega, SignalId::Theta] {
            assert!(value(id).is_finite() && value(id) != 0.0);
        }
    }

    #[test]
    fn what_is_not_known_is_absent() {
        let both = market(Some(3_100_000), Some(3_300_000));
        assert_eq!(told(&both, NOW).len(), 8);
        let only = |market: &OptionMarket, now| told(market, now).iter().map(|row| row.0).collect::<Vec<_>>();
        assert_eq!(only(&market(Some(3_100_000), None), NOW), [SignalId::BidVolatility]);
        assert_eq!(only(&market(None, Some(3_300_000)), NOW), [SignalId::AskVolatility]);
        assert_eq!(only(&market(Some(3_300_000), Some(3_100_000)), NOW), [], "crossed");
        // Below what it is worth without volatility, above the forward: no volatility gives it.
        let none = market(Some(-1), Some(250_000_000));
        assert_eq!(only(&none, NOW), []);
        assert_eq!(only(&both, NOW + FORWARD_AGE_NS_MAX).len(), 8);
        assert_eq!(only(&both, NOW + FORWARD_AGE_NS_MAX + 1), [], "no forward");
        let ended = OptionMarket { forward_at: NOW + 30 * DAY_NS, ..both };
        assert_eq!(only(&ended, NOW), [], "ended");
        assert_eq!(only(&OptionMarket { forward: Price(0), ..both }, NOW), [], "no forward");
        let in_money = OptionContract { is_paid_in_underlying: false, ..both.contract };
        let linear = OptionMarket {
            contract: in_money,
            best: Bbo {
                bid: Some(Level { price: Price(190_000_000_000), qty: Qty(1) }),
                ask: Some(Level { price: Price(195_000_000_000), qty: Qty(1) }),
            },
            ..both
        };
        let ids = only(&linear, NOW);
        assert_eq!(ids.len(), 7);
        assert!(!ids.contains(&SignalId::PriceAdjustedDelta));
    }
}
