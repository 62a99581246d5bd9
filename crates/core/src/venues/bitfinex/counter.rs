//! What stands behind each array: its number on the connection, its time.

use crate::decode::DecodeError;
use crate::decode::json::Token;
use crate::decode::members::unsigned;
use crate::types::TimeNs;

const TIMESTAMP: u64 = 32_768;
const SEQ_ALL: u64 = 65_536;
const BULK_UPDATES: u64 = 536_870_912;

const MS_NS: u64 = 1_000_000;

/// What `conf` has switched on.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Flags(pub(super) u64);

impl Flags {
    /// Number and time, of the elements behind what a message says.
    #[inline]
    pub(super) fn read(self, behind: &[Token], bytes: &[u8]) -> Result<(Option<u64>, TimeNs), DecodeError> {
        let mut behind = behind.iter();
        let mut next = |flag: u64, field: &'static str| match self.0 & flag {
            0 => Ok(None),
            _ => unsigned(behind.next().copied().unwrap_or_default(), bytes, field).map(Some),
        };
        let number = next(SEQ_ALL, "SEQUENCE")?;
        let time_ms = next(TIMESTAMP, "TIMESTAMP")?;
        Ok((number, time_ms.unwrap_or(0).saturating_mul(MS_NS)))
    }

    /// Whether arrays have numbers.
    pub(super) const fn are_numbered(self) -> bool {
        self.0 & SEQ_ALL != 0
    }

    /// Whether updates of a book come as lists of rows.
    pub(super) const fn are_updates_bulk(self) -> bool {
        self.0 & BULK_UPDATES != 0
    }
}

/// What a number is to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// The next one, or none that counts.
    Next,
    /// The last one.
    Again,
    /// Something is missing, or out of turn.
    Gap { expected: u64, received: u64 },
}

/// Follows the numbers of a connection.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Counter {
    last: Option<u64>,
    /// The number of a message behind that, which came and could not be read. It may be handed in once more.
    unread: Option<u64>,
    /// Whether `last` was not the next one. It may have been damaged on its way: another message of that number is no repetition.
    is_doubtful: bool,
}

impl Counter {
    #[inline]
    pub(super) fn arrived(&self, number: Option<u64>) -> Arrived {
        let (Some(received), Some(last)) = (number, self.last) else { return Arrived::Next };
        let expected = self.unread.unwrap_or(last).wrapping_add(1);
        match received {
            _ if received == expected || self.unread == Some(received) => Arrived::Next,
            _ if received == last && !self.is_doubtful => Arrived::Again,
            _ => Arrived::Gap { expected, received },
        }
    }

    /// The message of that number was read.
    #[inline]
    pub(super) fn took(&mut self, number: Option<u64>) {
        if number.is_some() {
            self.is_doubtful = matches!(self.arrived(number), Arrived::Gap { .. });
            (self.last, self.unread) = (number, None);
        }
    }

    /// It could not be read. Behind a gap it stays one.
    pub(super) fn failed(&mut self, number: Option<u64>) {
        if number.is_some() && self.arrived(number) == Arrived::Next {
            self.unread = number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_one_another() {
        let mut counter = Counter::default();
        let gap = |expected, received| Arrived::Gap { expected, received };
        for (number, is_read, arrived) in [
            (5, true, Arrived::Next),
            (5, true, Arrived::Again),
            (6, true, Arrived::Next),
            (8, true, gap(7, 8)),
            (8, true, gap(9, 8)),
            (7, true, gap(9, 7)),
            (8, false, Arrived::Next),
            (8, true, Arrived::Next),
            (9, false, Arrived::Next),
            (10, true, Arrived::Next),
            (12, false, gap(11, 12)),
            (13, true, gap(11, 13)),
            (u64::MAX, true, gap(14, u64::MAX)),
            (0, true, Arrived::Next),
        ] {
            assert_eq!(counter.arrived(Some(number)), arrived, "{number}");
            if is_read && arrived != Arrived::Again {
                counter.took(Some(number));
            } else {
                counter.failed(Some(number));
            }
        }
        assert_eq!(counter.arrived(None), Arrived::Next);
    }
}
