//! How much a caller may ask for. Requests beyond are refused with a [`crate::SimError`] that says the limit.

/// Market time that one recording may cover, in milliseconds: an hour, about 300 MB of text.
pub const RECORDING_MS_MAX: u64 = 3_600_000;

/// Symbols that an ITCH day may have: as many as locate codes.
pub const ITCH_SYMBOLS_MAX: usize = u16::MAX as usize;

/// Orders that may rest at once in an ITCH day. They take some 60 bytes each.
pub const ITCH_ORDERS_MAX: usize = 1 << 26;
