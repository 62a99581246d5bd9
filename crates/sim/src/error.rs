//! What a caller can ask for that the simulator does not have.

use std::fmt;

use crate::limits::{ITCH_ORDERS_MAX, ITCH_SYMBOLS_MAX, RECORDING_MS_MAX};
use crate::market::instrument::SYMBOLS;

/// A request that the simulator refuses. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimError {
    /// The symbol is none of [`crate::SYMBOLS`].
    UnknownSymbol,
    /// No dialect is of that venue, and of levels or orders as asked for.
    NoDialect,
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
            Self::NoDialect => "sim.no_dialect",
            Self::RecordingTooLong { .. } => "sim.recording_too_long",
            Self::FaultOutOfRange { .. } => "sim.fault_out_of_range",
            Self::ItchOutOfRange { .. } => "sim.itch_out_of_range",
        }
    }
}

impl SimError {
    /// What is wrong, what was expected and what was asked for.
    #[must_use]
    pub fn parts(self) -> [String; 3] {
        let (what, expected, got) = match self {
            Self::UnknownSymbol => (
                "the simulator has no such symbol".to_owned(),
                format!("one of {}", SYMBOLS.join(", ")),
                "another".to_owned(),
            ),
            Self::NoDialect => (
                "no dialect of the simulator speaks as this venue".to_owned(),
                "a venue that dialects() lists, and levels or orders as it has them".to_owned(),
                "another".to_owned(),
            ),
            Self::RecordingTooLong { asked_ms } => (
                "the recording is too long".to_owned(),
                format!("at most {RECORDING_MS_MAX} ms"),
                format!("{asked_ms} ms"),
            ),
            Self::FaultOutOfRange { index, frames } => (
                format!("no fault fits at frame {index}"),
                format!("a place among {frames} frames, and one behind it to swap with"),
                index.to_string(),
            ),
            Self::ItchOutOfRange { symbols, orders } => (
                "an ITCH day cannot be so large or so small".to_owned(),
                format!("1 to {ITCH_SYMBOLS_MAX} symbols and 1 to {ITCH_ORDERS_MAX} orders"),
                format!("{symbols} and {orders}"),
            ),
        };
        [what, expected, got]
    }

    /// What to do about it, in one line.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        match self {
            Self::UnknownSymbol => "use a symbol that symbols() lists",
            Self::NoDialect => "take a venue that dialects() lists",
            Self::RecordingTooLong { .. } => "write several recordings instead",
            Self::FaultOutOfRange { .. } => "choose positions with faults::plan",
            Self::ItchOutOfRange { .. } => "let ItchConfig::new choose the orders",
        }
    }
}

/// What, expected and got. The code and the remedy stand beside it, not in it.
impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [what, expected, got] = self.parts();
        write!(f, "{what}; expected {expected}, got {got}")
    }
}

impl std::error::Error for SimError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_code_and_says_how_to_fix_it() {
        let cases = [
            (SimError::UnknownSymbol, "sim.unknown_symbol", "lists"),
            (SimError::NoDialect, "sim.no_dialect", "dialects()"),
            (SimError::RecordingTooLong { asked_ms: 9 }, "sim.recording_too_long", "several"),
            (SimError::FaultOutOfRange { index: 3, frames: 2 }, "sim.fault_out_of_range", "plan"),
            (SimError::ItchOutOfRange { symbols: 0, orders: 1 }, "sim.itch_out_of_range", "ItchConfig::new"),
        ];
        for (error, code, fix) in cases {
            assert_eq!(error.code(), code);
            assert!(error.fix().contains(fix), "{error}");
            let text = error.to_string();
            assert!(text.contains("; expected ") && text.contains(", got "), "{text}");
        }
    }
}
