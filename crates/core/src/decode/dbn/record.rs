//! Which record the bytes are: by type, version and exact length.

use super::view::Fields;
use super::{DbnError, Mbo, Version};
use crate::types::TimeNs;

/// Bytes of the header that every record starts with.
pub const HEADER_BYTES: usize = 16;

/// What every record says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The record's type.
    pub rtype: u8,
    /// Databento's number of the dataset and venue.
    pub publisher_id: u16,
    /// The instrument's number; the metadata's mappings or a mapping record give its symbol.
    pub instrument_id: u32,
    /// The time that the venue's matching engine gives.
    pub ts_event: TimeNs,
}

/// One record, as a view over its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A change of an order-by-order book, a trade or a fill.
    Mbo(Mbo<'a>),
    /// A type that this decoder does not know: passed over by its length.
    Unknown(Header),
}

impl<'a> Record<'a> {
    /// The record in the bytes between `rtype`'s header and the end, `ts_out` taken off.
    ///
    /// # Errors
    /// [`DbnError::RecordLen`] when the type has another length in this version.
    #[inline]
    pub(super) fn read(
        head: &[u8; HEADER_BYTES],
        bytes: &'a [u8],
        version: Version,
    ) -> Result<Self, DbnError> {
        let rtype = head.number::<u8, 1>();
        let _ = version;
        match rtype {
            0xa0 => of(bytes, rtype).map(|bytes| Self::Mbo(Mbo::new(bytes))),
            _ => Ok(Self::Unknown(head.header())),
        }
    }

    /// Whose record, and when.
    #[inline]
    #[must_use]
    pub fn header(self) -> Header {
        match self {
            Self::Mbo(record) => record.header(),
            Self::Unknown(header) => header,
        }
    }
}

/// The bytes of a record whose type has that many.
#[inline(always)]
fn of<const LEN: usize>(bytes: &[u8], rtype: u8) -> Result<&[u8; LEN], DbnError> {
    <&[u8; LEN]>::try_from(bytes).map_err(|_| DbnError::RecordLen {
        rtype,
        expected: LEN as u16,
        got: bytes.len() as u16,
    })
}
