//! The exported `Engine`: what venues tell beside books and trades.

use depthwire_core::types::{InstrumentId, Ticker, Trade};
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use crate::argument::Argument;
use crate::engine::Engine;
use crate::guard::Result;

/// Statistics, as far as the venue tells them: mantissas at the instrument's exponents.
#[napi(object)]
pub struct TickerInfo {
    /// Price of the last trade.
    pub last: Option<BigInt>,
    /// Mark price.
    pub mark: Option<BigInt>,
    /// Index price.
    pub index: Option<BigInt>,
    /// Traded in the last 24 hours.
    pub volume: Option<BigInt>,
    /// Open contracts.
    pub open_interest: Option<BigInt>,
    /// Funding rate of the running interval, in 1e-9.
    pub funding_rate_e9: Option<BigInt>,
    /// When it is next paid, in ns.
    pub funding_at: Option<BigInt>,
    /// Price of what an option or a future is of.
    pub underlying: Option<BigInt>,
    /// Interest rate a year that the venue computes an option with, in 1e-9.
    pub interest_rate_e9: Option<BigInt>,
    /// Implied volatility a year of the mark price, in 1e-9: 0.55 is 550,000,000.
    pub mark_iv_e9: Option<BigInt>,
    /// The same of the best bid.
    pub bid_iv_e9: Option<BigInt>,
    /// The same of the best ask.
    pub ask_iv_e9: Option<BigInt>,
    /// Change of an option's price with that of the underlying, in 1e-9; as the venue states it, like the other greeks.
    pub delta_e9: Option<BigInt>,
    /// Change of delta with the price of the underlying, in 1e-9.
    pub gamma_e9: Option<BigInt>,
    /// Change with the volatility, in 1e-9.
    pub vega_e9: Option<BigInt>,
    /// Change with time, in 1e-9.
    pub theta_e9: Option<BigInt>,
    /// Change with the interest rate, in 1e-9.
    pub rho_e9: Option<BigInt>,
}

impl From<Ticker> for TickerInfo {
    fn from(ticker: Ticker) -> Self {
        Self {
            last: ticker.last.map(|price| price.0.into()),
            mark: ticker.mark.map(|price| price.0.into()),
            index: ticker.index.map(|price| price.0.into()),
            volume: ticker.volume.map(|qty| qty.0.into()),
            open_interest: ticker.open_interest.map(|qty| qty.0.into()),
            funding_rate_e9: ticker.funding_rate_e9.map(BigInt::from),
            funding_at: ticker.funding_at.map(BigInt::from),
            underlying: ticker.underlying.map(|price| price.0.into()),
            interest_rate_e9: ticker.interest_rate_e9.map(BigInt::from),
            mark_iv_e9: ticker.mark_iv_e9.map(BigInt::from),
            bid_iv_e9: ticker.bid_iv_e9.map(BigInt::from),
            ask_iv_e9: ticker.ask_iv_e9.map(BigInt::from),
            delta_e9: ticker.delta_e9.map(BigInt::from),
            gamma_e9: ticker.gamma_e9.map(BigInt::from),
            vega_e9: ticker.vega_e9.map(BigInt::from),
            theta_e9: ticker.theta_e9.map(BigInt::from),
            rho_e9: ticker.rho_e9.map(BigInt::from),
        }
    }
}

/// A position that was closed by force: mantissas at the instrument's exponents.
#[napi(object)]
pub struct LiquidationInfo {
    /// Its price.
    pub price: BigInt,
    /// How much was closed.
    pub qty: BigInt,
    /// What was done to close it: `buy`, `sell` or `unknown`.
    pub aggressor: String,
    /// The venue's time, in ns; 0 = it gives none.
    pub ts_event: BigInt,
}

impl From<Trade> for LiquidationInfo {
    fn from(trade: Trade) -> Self {
        Self {
            price: trade.price.0.into(),
            qty: trade.qty.0.into(),
            aggressor: trade.aggressor.name().to_owned(),
            ts_event: trade.ts_event.into(),
        }
    }
}

#[napi]
impl Engine {
    /// The last statistics of an instrument; null where none came.
    #[napi(ts_args_type = "instrument: number")]
    pub fn ticker(&self, instrument: Argument) -> Result<Option<TickerInfo>> {
        self.run(|state| {
            let id = InstrumentId(instrument.u32("instrument")?);
            Ok(state.engine.ticker(id).map(TickerInfo::from))
        })
    }

    /// The last liquidation of an instrument; null where none came.
    #[napi(ts_args_type = "instrument: number")]
    pub fn liquidation(&self, instrument: Argument) -> Result<Option<LiquidationInfo>> {
        self.run(|state| {
            let id = InstrumentId(instrument.u32("instrument")?);
            Ok(state.engine.liquidation(id).map(LiquidationInfo::from))
        })
    }

    /// Whether an instrument trades: `unknown`, `trading`, `halted`, `auction`, `limited` or `closed`.
    #[napi(ts_args_type = "instrument: number")]
    pub fn trading(&self, instrument: Argument) -> Result<String> {
        self.run(|state| {
            let id = InstrumentId(instrument.u32("instrument")?);
            Ok(state.engine.trading(id).unwrap_or_default().name().to_owned())
        })
    }
}
