//! Bars of trades.

use super::view::view;

view! {
    /// Open, high, low, close and volume of an interval: 56 bytes. The type tells which: `0x20` a second, `0x21` a
    /// minute, `0x22` an hour, `0x23` a day (UTC), `0x24` a session, `0x11` unsaid. `ts_event` is the interval's start.
    Ohlcv 56 {
        /// First price, at 10⁻⁹.
        open: i64 = 16,
        /// Highest price.
        high: i64 = 24,
        /// Lowest price.
        low: i64 = 32,
        /// Last price.
        close: i64 = 40,
        /// Quantity traded.
        volume: u64 = 48,
    }
}
