//! What a caller can ask for that the simulator does not have.

use std::fmt;

use crate::limits::{ITCH_ORDERS_MAX, ITCH_SYMBOLS_MAX, RECORDING_MS_MAX};
use crate::market::instrument::SYMBOLS;

/// A request that the simulator refuses. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimError {
    /// The symbol is none of [`crate::SYMBOLS`].
    UnknownSymbol,
    /// The recording would be longer than [`crate::RECORDING_MS_MAX`].
    RecordingTooLong {
        /// The duration asked for, in milliseconds.
        asked_ms: u64,
    },
    /// The list has no frame at that index, or no next frame to swap with.
    FaultOutOfRange {
        /// The index asked for.
        index: usize,
        /// Frames in the list.
        frames: usize,
    },
    /// An ITCH day cannot have as many symbols or orders, or none.
    ItchOutOfRange {
        /// Symbols asked for.
        symbols: usize,
        /// Orders asked for.
        orders: usize,
    },
}

impl SimError {
    /// The stable name of the error, as programs compare it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownSymbol => "sim.unknown_symbol",
            Self::RecordingTooLong { .. } => "sim.recording_too_long",
            Self::FaultOutOfRange { .. } => "sim.fault_out_of_range",
            Self::ItchOutOfRange { .. } => "sim.itch_out_of_range",
        }
    }
}

impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSymbol => {
                write!(f, "the simulator has no such symbol; use one of {}", SYMBOLS.join(", "))
            }
            Self::RecordingTooLong { asked_ms } => write!(
                f,
                "a recording lasts at most {} ms, asked for {asked_ms}; write several recordings instead",
                RECORDING_MS_MAX
            ),
            Self::FaultOutOfRange { index, frames } => {
                write!(f, "no fault fits at frame {index} of {frames}; choose positions with faults::plan")
            }
            Self::ItchOutOfRange { symbols, orders } => write!(
                f,
                "an ITCH day has 1 to {} symbols and 1 to {} orders, asked for {symbols} and {orders}; \
                 ItchConfig::new chooses the orders",
                ITCH_SYMBOLS_MAX, ITCH_ORDERS_MAX
            ),
        }
    }
}

impl std::error::Error for SimError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_code_and_says_how_to_fix_it() {
        let cases = [
            (SimError::UnknownSymbol, "sim.unknown_symbol", "BTCUSDT"),
            (SimError::RecordingTooLong { asked_ms: 9 }, "sim.recording_too_long", "several"),
            (SimError::FaultOutOfRange { index: 3, frames: 2 }, "sim.fault_out_of_range", "plan"),
            (SimError::ItchOutOfRange { symbols: 0, orders: 1 }, "sim.itch_out_of_range", "ItchConfig::new"),
        ];
        for (error, code, fix) in cases {
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains(fix), "{error}");
        }
    }
}
