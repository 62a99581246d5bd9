//! Statistics that the venue publishes.

use super::view::{Fields, versioned_view};
use crate::types::TimeNs;

/// A quantity of a statistic that is not there.
pub const UNDEFINED_STATISTIC_QTY: i64 = i64::MAX;

versioned_view! {
    /// One statistic: settlement, open interest, volume and the like, by the specification's enum `StatType`.
    Statistics {
        /// Versions 1 and 2: quantities of 32 bits.
        V1 64,
        /// Version 3: quantities of 64 bits.
        V3 80,
    } numbers {
        /// The capture server's receive time.
        ts_recv: TimeNs = { V1 16, V3 16 },
        /// The time that the statistic is of; undefined where it has none.
        ts_ref: TimeNs = { V1 24, V3 24 },
        /// The value, if it is a price, at 10⁻⁹; else undefined.
        price: i64 = { V1 32, V3 32 },
        /// The venue's number of the message.
        sequence: u32 = { V1 44, V3 48 },
        /// `ts_recv` minus the venue's send time, ns.
        ts_in_delta: i32 = { V1 48, V3 52 },
        /// Which statistic: 1 opening price, 3 settlement, 6 cleared volume, 9 open interest among others.
        stat_type: u16 = { V1 52, V3 56 },
        /// Number of the channel within its publisher.
        channel_id: u16 = { V1 54, V3 58 },
        /// 1 new, 2 deleted.
        update_action: u8 = { V1 56, V3 60 },
        /// Bits that some statistics have.
        stat_flags: u8 = { V1 57, V3 61 },
    } texts {}
}

impl Statistics<'_> {
    /// The value, if it is not a price; else [`UNDEFINED_STATISTIC_QTY`], whatever the version.
    #[must_use]
    pub fn quantity(self) -> i64 {
        match self {
            Self::V1(bytes) => match bytes.number::<i32, 40>() {
                i32::MAX => UNDEFINED_STATISTIC_QTY,
                quantity => i64::from(quantity),
            },
            Self::V3(bytes) => bytes.number::<i64, 40>(),
        }
    }
}
