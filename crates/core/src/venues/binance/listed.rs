//! The instruments of the recordings and of the embedded venue.

use crate::types::{Decimal, Instrument, QtyUnit, ScaleSource, Venue};
use crate::venues::{BINANCE_COINM, BINANCE_SPOT, BINANCE_USDM, SIM};

/// A line of the table: venue, symbol, price exponent, quantity exponent, tick and lot in mantissa units, contract size.
type Line = (Venue, &'static str, i8, i8, i64, i64, i64);

/// Source: `exchangeInfo` filters as of the recordings (PRICE_FILTER.tickSize, LOT_SIZE.stepSize, COIN-M `contractSize`).
/// The price exponent is that of the printed digits where these are finer than the tick (`61800.20` at tick 0.1), so that
/// a price off the tick grid can still be held. Spot quantities keep all eight printed digits: the recordings hold resting
/// quantities off the lot grid.
const LINES: [Line; 10] = [
    (BINANCE_SPOT, "BTCUSDT", -2, -8, 1, 1_000, 1),
    (BINANCE_SPOT, "ETHUSDT", -2, -8, 1, 10_000, 1),
    (BINANCE_USDM, "BTCUSDT", -2, -3, 10, 1, 1),
    (BINANCE_USDM, "ETHUSDT", -2, -3, 1, 1, 1),
    (BINANCE_COINM, "BTCUSD_PERP", -1, 0, 1, 1, 100),
    (BINANCE_COINM, "ETHUSD_PERP", -2, 0, 1, 1, 10),
    (SIM, "BTCUSDT", -2, -5, 1, 1, 1),
    (SIM, "ETHUSDT", -2, -4, 1, 1, 1),
    (SIM, "SOLUSDT", -2, -3, 1, 1, 1),
    (SIM, "DOGEUSDT", -5, 0, 1, 1, 1),
];

/// The instrument of a symbol, at the scale of the digits that will occur.
pub(in crate::venues) fn instrument(venue: Venue, symbol: &str) -> Instrument {
    crate::venues::product(venue).scale.instrument(venue, symbol)
}

/// Every instrument of the table.
pub(in crate::venues) fn listed() -> impl Iterator<Item = Instrument> {
    LINES.into_iter().map(
        |(venue, symbol, price_exponent, qty_exponent, tick_size, lot_size, contract_size)| {
            let scale = crate::venues::product(venue).scale;
            Instrument {
                price_exponent,
                qty_exponent,
                scale_source: ScaleSource::Listed,
                tick_size,
                lot_size,
                contract_size: Decimal { mantissa: contract_size, exponent: 0 },
                inverse: scale.qty_unit == QtyUnit::Contracts,
                ..scale.instrument(venue, symbol)
            }
        },
    )
}
