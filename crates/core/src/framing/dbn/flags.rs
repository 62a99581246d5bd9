//! The flag byte of order, trade and level records.

use core::fmt;

/// What a record says of itself beside its content. Bit 0 is reserved.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Flags(pub u8);

impl Flags {
    /// The last record of a venue's event for the instrument: only now may the book be looked at.
    pub const LAST: Self = Self(0x80);
    /// A top-of-book record, not an individual order.
    pub const TOB: Self = Self(0x40);
    /// From a snapshot or a replay, not from the live stream.
    pub const SNAPSHOT: Self = Self(0x20);
    /// An aggregated price level, not an individual order.
    pub const MBP: Self = Self(0x10);
    /// `ts_recv` is not to be trusted: a clock problem, or packets out of order.
    pub const BAD_TS_RECV: Self = Self(0x08);
    /// The channel lost packets for good: the book may be wrong until it is cleared.
    pub const MAYBE_BAD_BOOK: Self = Self(0x04);
    /// The publisher gives it a meaning of its own.
    pub const PUBLISHER_SPECIFIC: Self = Self(0x02);

    const NAMES: [(Self, &'static str); 7] = [
        (Self::LAST, "LAST"),
        (Self::TOB, "TOB"),
        (Self::SNAPSHOT, "SNAPSHOT"),
        (Self::MBP, "MBP"),
        (Self::BAD_TS_RECV, "BAD_TS_RECV"),
        (Self::MAYBE_BAD_BOOK, "MAYBE_BAD_BOOK"),
        (Self::PUBLISHER_SPECIFIC, "PUBLISHER_SPECIFIC"),
    ];

    /// Whether any bit of `other` is set.
    #[inline]
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The bits of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04x}", self.0)?;
        for (flag, name) in Self::NAMES {
            if self.has(flag) {
                write!(f, " {name}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_has_its_name() {
        let both = Flags::LAST.with(Flags::SNAPSHOT);
        assert_eq!(both.0, 0xa0);
        assert!(both.has(Flags::LAST) && both.has(Flags::SNAPSHOT) && !both.has(Flags::TOB));
        assert_eq!(format!("{both:?}"), "0xa0 LAST SNAPSHOT");
        assert_eq!(format!("{:?}", Flags(0)), "0x00");
        let all = Flags::NAMES.iter().fold(Flags(0), |all, (flag, _)| all.with(*flag));
        assert_eq!(all.0, 0xfe);
    }
}
