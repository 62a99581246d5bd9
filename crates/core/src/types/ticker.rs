//! What venues tell of an instrument besides its book and trades.

use super::{Price, Qty, TimeNs};

/// Statistics of an instrument, as far as the venue tells them. Prices and quantities at the instrument's exponents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Ticker {
    /// Price of the last trade.
    pub last: Option<Price>,
    /// Mark price.
    pub mark: Option<Price>,
    /// Index price.
    pub index: Option<Price>,
    /// Traded in the last 24 hours.
    pub volume: Option<Qty>,
    /// Open contracts.
    pub open_interest: Option<Qty>,
    /// Funding rate of the running interval, in 1e-9; negative where longs are paid.
    pub funding_rate_e9: Option<i64>,
    /// When it is next paid.
    pub funding_at: Option<TimeNs>,
    /// Price of what an option or a future is of: the index, or the forward that the venue computes with.
    pub underlying: Option<Price>,
    /// Interest rate that the venue computes an option's price with, in 1e-9 a year.
    pub interest_rate_e9: Option<i64>,
    /// Implied volatility a year of the mark price, in 1e-9: 0.55, which some venues print as 55 %, is 550,000,000.
    pub mark_iv_e9: Option<i64>,
    /// The same of the best bid.
    pub bid_iv_e9: Option<i64>,
    /// The same of the best ask.
    pub ask_iv_e9: Option<i64>,
    /// Change of an option's price with that of the underlying, in 1e-9. This and the other greeks are in the units in which
    /// the venue states them, for one unit of the base asset.
    pub delta_e9: Option<i64>,
    /// Change of delta with the price of the underlying, in 1e-9.
    pub gamma_e9: Option<i64>,
    /// Change with the volatility, in 1e-9.
    pub vega_e9: Option<i64>,
    /// Change with time, in 1e-9.
    pub theta_e9: Option<i64>,
    /// Change with the interest rate, in 1e-9.
    pub rho_e9: Option<i64>,
}

impl Ticker {
    /// The names of the fields, in their order.
    pub const FIELDS: [&str; 17] = [
        "last",
        "mark",
        "index",
        "volume",
        "openInterest",
        "fundingRateE9",
        "fundingAt",
        "underlying",
        "interestRateE9",
        "markIvE9",
        "bidIvE9",
        "askIvE9",
        "deltaE9",
        "gammaE9",
        "vegaE9",
        "thetaE9",
        "rhoE9",
    ];

    /// Takes over what a later message tells; what it does not tell stays.
    pub fn merge(&mut self, later: &Self) {
        macro_rules! take {
            ($($field:ident),+) => { $(self.$field = later.$field.or(self.$field);)+ };
        }
        take!(
            last,
            mark,
            index,
            volume,
            open_interest,
            funding_rate_e9,
            funding_at,
            underlying,
            interest_rate_e9
        );
        take!(mark_iv_e9, bid_iv_e9, ask_iv_e9, delta_e9, gamma_e9, vega_e9, theta_e9, rho_e9);
    }

    /// The same at other exponents. What has no exact number there is not known any more.
    #[must_use]
    pub fn rescaled(self, price: impl Fn(Price) -> Option<Price>, qty: impl Fn(Qty) -> Option<Qty>) -> Self {
        Self {
            last: self.last.and_then(&price),
            mark: self.mark.and_then(&price),
            index: self.index.and_then(&price),
            underlying: self.underlying.and_then(&price),
            volume: self.volume.and_then(&qty),
            open_interest: self.open_interest.and_then(&qty),
            ..self
        }
    }

    /// Statistics by their values in the order of the fields.
    #[must_use]
    pub fn of_values(values: [Option<i64>; Self::FIELDS.len()]) -> Self {
        let [last, mark, index, volume, open_interest, funding_rate_e9, funding_at, underlying, rest @ ..] =
            values;
        let [interest_rate_e9, mark_iv_e9, bid_iv_e9, ask_iv_e9, greeks @ ..] = rest;
        let [delta_e9, gamma_e9, vega_e9, theta_e9, rho_e9] = greeks;
        Self {
            last: last.map(Price),
            mark: mark.map(Price),
            index: index.map(Price),
            volume: volume.map(Qty),
            open_interest: open_interest.map(Qty),
            funding_rate_e9,
            funding_at: funding_at.map(|at| at as TimeNs),
            underlying: underlying.map(Price),
            interest_rate_e9,
            mark_iv_e9,
            bid_iv_e9,
            ask_iv_e9,
            delta_e9,
            gamma_e9,
            vega_e9,
            theta_e9,
            rho_e9,
        }
    }

    /// What is told in the order of the fields.
    #[must_use]
    pub fn values(&self) -> [Option<i64>; Self::FIELDS.len()] {
        let price = |price: Option<Price>| price.map(|price| price.0);
        let qty = |qty: Option<Qty>| qty.map(|qty| qty.0);
        [
            price(self.last),
            price(self.mark),
            price(self.index),
            qty(self.volume),
            qty(self.open_interest),
            self.funding_rate_e9,
            self.funding_at.map(|at| at as i64),
            price(self.underlying),
            self.interest_rate_e9,
            self.mark_iv_e9,
            self.bid_iv_e9,
            self.ask_iv_e9,
            self.delta_e9,
            self.gamma_e9,
            self.vega_e9,
            self.theta_e9,
            self.rho_e9,
        ]
    }
}

/// Whether an instrument trades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum TradingStatus {
    /// The venue has not said.
    #[default]
    Unknown = 0,
    /// Orders match.
    Trading = 1,
    /// No order is taken, or none matches.
    Halted = 2,
    /// Orders are taken for an auction.
    Auction = 3,
    /// Only cancels, or only orders that take no liquidity.
    Limited = 4,
    /// Trading is over.
    Closed = 5,
}

impl TradingStatus {
    /// Every status, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Trading, Self::Halted, Self::Auction, Self::Limited, Self::Closed];

    /// The status's word, as it stands in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Trading => "trading",
            Self::Halted => "halted",
            Self::Auction => "auction",
            Self::Limited => "limited",
            Self::Closed => "closed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_statistics_what_is_not_told_stays() {
        let mut ticker = Ticker { mark: Some(Price(7)), delta_e9: Some(-1), ..Ticker::default() };
        ticker.merge(&Ticker { mark: Some(Price(8)), rho_e9: Some(3), ..Ticker::default() });
        let both = Ticker { mark: Some(Price(8)), delta_e9: Some(-1), rho_e9: Some(3), ..Ticker::default() };
        assert_eq!(ticker, both);
    }

    #[test]
    fn every_field_has_its_place() {
        assert_eq!(Ticker::default().values(), [None; 17]);
        let ticker =
            Ticker { last: Some(Price(-1)), funding_at: Some(7), rho_e9: Some(3), ..Ticker::default() };
        let told = Ticker::FIELDS.into_iter().zip(ticker.values()).filter(|(_, value)| value.is_some());
        let told: Vec<_> = told.map(|(name, value)| (name, value.unwrap_or_default())).collect();
        assert_eq!(told, [("last", -1), ("fundingAt", 7), ("rhoE9", 3)]);
        let mut value = 0;
        let all = [(); 17].map(|()| {
            value += 1;
            Some(value)
        });
        assert_eq!(Ticker::of_values(all).values(), all);
    }
}
