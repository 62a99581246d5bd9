//! Which record the bytes are: by type, version and exact length.

use super::view::Fields;
use super::{
    Bbo, ConsolidatedBbo, ConsolidatedMbp1, DbnError, Definition, GatewayError, Imbalance, Mbo, Mbp1, Mbp10,
    Ohlcv, Statistics, Status, SymbolMapping, System, Trade, Version,
};
use crate::types::TimeNs;

/// Bytes of the header that every record starts with.
pub const HEADER_BYTES: usize = 16;

/// What every record says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The record's type.
    pub rtype: u8,
    /// The publisher: a number for a data set and a venue together.
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
    /// A trade.
    Trade(Trade<'a>),
    /// The best bid and offer at a change or trade.
    Mbp1(Mbp1<'a>),
    /// Ten levels at a change or trade.
    Mbp10(Mbp10<'a>),
    /// The best bid and offer at the end of an interval.
    Bbo(Bbo<'a>),
    /// The best bid and offer of several venues at a change or trade.
    ConsolidatedMbp1(ConsolidatedMbp1<'a>),
    /// The best bid and offer of several venues at the end of an interval.
    ConsolidatedBbo(ConsolidatedBbo<'a>),
    /// The bar of an interval.
    Ohlcv(Ohlcv<'a>),
    /// A change of the trading status.
    Status(Status<'a>),
    /// An instrument.
    Definition(Definition<'a>),
    /// An auction's imbalance.
    Imbalance(Imbalance<'a>),
    /// A statistic of the venue.
    Statistics(Statistics<'a>),
    /// What an instrument's number stands for.
    SymbolMapping(SymbolMapping<'a>),
    /// A message of the gateway.
    System(System<'a>),
    /// An error of the gateway.
    GatewayError(GatewayError<'a>),
    /// A type that this decoder does not know: passed over by its length.
    Unknown(Header),
}

impl<'a> Record<'a> {
    /// The one record that `bytes` are, in a stream of that version, with `ts_out` at its end where the stream carries it.
    ///
    /// # Errors
    /// [`DbnError::RecordTooShort`], [`DbnError::RecordLen`].
    #[inline(always)]
    pub fn parse(bytes: &'a [u8], version: Version, ts_out: bool) -> Result<Self, DbnError> {
        let Some(head) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(DbnError::RecordTooShort { len: bytes.len() });
        };
        let body = if ts_out { bytes.len().saturating_sub(8) } else { bytes.len() };
        Self::read(head, bytes.get(..body).unwrap_or_default(), version)
    }

    /// The record in `bytes`, which start with its header `head` and end before `ts_out`.
    ///
    /// Inlined wherever records are read, so that a reader of one type pays for no other.
    ///
    /// # Errors
    /// [`DbnError::RecordLen`] when the type has another length in this version.
    #[inline(always)]
    pub(super) fn read(
        head: &[u8; HEADER_BYTES],
        bytes: &'a [u8],
        version: Version,
    ) -> Result<Self, DbnError> {
        Ok(match (head.number::<u8, 1>(), version) {
            (0xa0, _) => Self::Mbo(Mbo::new(exact(head, bytes)?)),
            (0x00, _) => Self::Trade(Trade::new(exact(head, bytes)?)),
            (0x01, _) => Self::Mbp1(Mbp1::new(exact(head, bytes)?)),
            (0x0a, _) => Self::Mbp10(Mbp10::new(exact(head, bytes)?)),
            (0xc3 | 0xc4, _) => Self::Bbo(Bbo::new(exact(head, bytes)?)),
            (0xb1 | 0xc2, _) => Self::ConsolidatedMbp1(ConsolidatedMbp1::new(exact(head, bytes)?)),
            (0xc0 | 0xc1, _) => Self::ConsolidatedBbo(ConsolidatedBbo::new(exact(head, bytes)?)),
            (0x11 | 0x20..=0x24, _) => Self::Ohlcv(Ohlcv::new(exact(head, bytes)?)),
            (0x12, _) => Self::Status(Status::new(exact(head, bytes)?)),
            (0x13, Version::V1) => Self::Definition(Definition::V1(exact(head, bytes)?)),
            (0x13, Version::V2) => Self::Definition(Definition::V2(exact(head, bytes)?)),
            (0x13, Version::V3) => Self::Definition(Definition::V3(exact(head, bytes)?)),
            (0x14, _) => Self::Imbalance(Imbalance::new(exact(head, bytes)?)),
            (0x15, Version::V1) => Self::GatewayError(GatewayError::V1(exact(head, bytes)?)),
            (0x15, _) => Self::GatewayError(GatewayError::V2(exact(head, bytes)?)),
            (0x16, Version::V1) => Self::SymbolMapping(SymbolMapping::V1(exact(head, bytes)?)),
            (0x16, _) => Self::SymbolMapping(SymbolMapping::V2(exact(head, bytes)?)),
            (0x17, Version::V1) => Self::System(System::V1(exact(head, bytes)?)),
            (0x17, _) => Self::System(System::V2(exact(head, bytes)?)),
            (0x18, Version::V3) => Self::Statistics(Statistics::V3(exact(head, bytes)?)),
            (0x18, _) => Self::Statistics(Statistics::V1(exact(head, bytes)?)),
            _ => Self::Unknown(head.header()),
        })
    }

    /// Whose record, and when.
    #[must_use]
    pub fn header(self) -> Header {
        match self {
            Self::Mbo(record) => record.header(),
            Self::Trade(record) => record.header(),
            Self::Mbp1(record) => record.header(),
            Self::Mbp10(record) => record.header(),
            Self::Bbo(record) => record.header(),
            Self::ConsolidatedMbp1(record) => record.header(),
            Self::ConsolidatedBbo(record) => record.header(),
            Self::Ohlcv(record) => record.header(),
            Self::Status(record) => record.header(),
            Self::Definition(record) => record.header(),
            Self::Imbalance(record) => record.header(),
            Self::Statistics(record) => record.header(),
            Self::SymbolMapping(record) => record.header(),
            Self::System(record) => record.header(),
            Self::GatewayError(record) => record.header(),
            Self::Unknown(header) => header,
        }
    }
}

/// The bytes of a record whose type has that many.
#[inline(always)]
fn exact<'a, const LEN: usize>(
    head: &[u8; HEADER_BYTES],
    bytes: &'a [u8],
) -> Result<&'a [u8; LEN], DbnError> {
    <&[u8; LEN]>::try_from(bytes).map_err(|_| DbnError::RecordLen {
        rtype: head.number::<u8, 1>(),
        expected: LEN as u16,
        got: bytes.len() as u16,
    })
}
