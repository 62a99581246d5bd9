//! What the live gateway says of itself and of its symbols.

use super::metadata::SymbolType;
use super::view::{Fields, versioned_view};
use crate::types::TimeNs;

versioned_view! {
    /// Which symbol an instrument's number stands for, in a live stream.
    SymbolMapping {
        /// Version 1: symbols of 22 bytes, without their types.
        V1 80,
        /// Versions 2 and 3.
        V2 176,
    } numbers {
        /// From when; undefined for ever.
        start_ts: TimeNs = { V1 64, V2 160 },
        /// Until when; undefined for ever.
        end_ts: TimeNs = { V1 72, V2 168 },
    } texts {
        /// The symbol as it was asked for.
        stype_in_symbol = { V1 16 22, V2 17 71 },
        /// What it was mapped to.
        stype_out_symbol = { V1 38 22, V2 89 71 },
    }
}

impl SymbolMapping<'_> {
    /// How the symbol was asked for; `None` where the record does not say.
    #[must_use]
    pub fn stype_in(self) -> Option<SymbolType> {
        match self {
            Self::V1(_) => None,
            Self::V2(bytes) => SymbolType::of(bytes.number::<u8, 16>()),
        }
    }

    /// What it was mapped to; `None` where the record does not say.
    #[must_use]
    pub fn stype_out(self) -> Option<SymbolType> {
        match self {
            Self::V1(_) => None,
            Self::V2(bytes) => SymbolType::of(bytes.number::<u8, 88>()),
        }
    }
}

versioned_view! {
    /// A message of the gateway that is no error: heartbeats, acknowledgements, slow reading.
    System {
        /// Version 1.
        V1 80,
        /// Versions 2 and 3.
        V2 320,
    } numbers {} texts {
        /// The message.
        message = { V1 16 64, V2 16 303 },
    }
}

impl System<'_> {
    /// The code of the message: 0 heartbeat, 1 subscription acknowledged, 2 slow reading, 3 replay completed, 4
    /// end of interval; `None` in version 1 and where it is unset.
    #[must_use]
    pub fn code(self) -> Option<u8> {
        match self {
            Self::V1(_) => None,
            Self::V2(bytes) => Some(bytes.number::<u8, 319>()).filter(|&code| code != u8::MAX),
        }
    }
}

versioned_view! {
    /// An error that the gateway tells.
    GatewayError {
        /// Version 1.
        V1 80,
        /// Versions 2 and 3.
        V2 320,
    } numbers {} texts {
        /// What it says.
        message = { V1 16 64, V2 16 302 },
    }
}

impl GatewayError<'_> {
    /// The code of the error: 1 authentication, 2 key deactivated, 3 too many connections, 4 unknown symbol, 5
    /// bad subscription, 6 internal, 7 records skipped after slow reading; `None` in version 1 and where it is unset.
    #[must_use]
    pub fn code(self) -> Option<u8> {
        match self {
            Self::V1(_) => None,
            Self::V2(bytes) => Some(bytes.number::<u8, 318>()).filter(|&code| code != u8::MAX),
        }
    }

    /// Whether it is the last of several that belong together; `None` in version 1.
    #[must_use]
    pub fn is_last(self) -> Option<bool> {
        match self {
            Self::V1(_) => None,
            Self::V2(bytes) => Some(bytes.number::<u8, 319>() != 0),
        }
    }
}
