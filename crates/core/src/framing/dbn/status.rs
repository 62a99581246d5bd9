//! Trading status of an instrument.

use super::view::view;
use crate::types::TimeNs;

view! {
    /// A change of the trading status, 40 bytes. The codes are those of the specification's enums `StatusAction`,
    /// `StatusReason` and `TradingEvent`.
    Status 40 {
        /// The capture server's receive time.
        ts_recv: TimeNs = 16,
        /// What happens; 7 trading, 8 halt, 9 pause, 10 suspend, 12 close among others.
        action: u16 = 24,
        /// Why.
        reason: u16 = 26,
        /// Beside the action: no cancels, a change of session and the like.
        trading_event: u16 = 28,
        /// `Y`, `N`, or `~` where the venue does not say.
        is_trading: u8 = 30,
        /// `Y`, `N`, or `~` where the venue does not say.
        is_quoting: u8 = 31,
        /// `Y`, `N`, or `~` where the venue does not say.
        is_short_sell_restricted: u8 = 32,
    }
}
