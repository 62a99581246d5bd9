//! The keys of Binance messages that mean something here, and where their values stand in a frame.

use crate::decode::json::{Kind, Token};
use crate::decode::{DecodeError, Scaled};
use crate::types::{DecimalError, TimeNs};

/// A key that is used. REST and stream spell some differently; they share one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Field {
    Stream,
    Data,
    Error,
    Result,
    Id,
    Code,
    Type,
    EventTime,
    TransactionTime,
    Symbol,
    Pair,
    FirstId,
    LastId,
    PrevId,
    SnapshotId,
    /// `b` or `bids`: levels, or the price of a ticker.
    Bids,
    /// `a` or `asks`: levels, the price of a ticker, or the id of an aggregate trade.
    Asks,
    BidQty,
    AskQty,
    TradeId,
    Price,
    Qty,
    BuyerIsMaker,
    /// Of spot trades only.
    BestMatch,
    /// Of futures trades only.
    Execution,
    /// The object of a liquidation, whose members count as the event's own.
    Order,
    OrderSide,
    IndexPrice,
    FundingRate,
}

const FIELD_COUNT: usize = Field::FundingRate as usize + 1;

impl Field {
    /// What makes an object without type a spot top of book.
    pub(super) const BBO: [Self; 5] = [Self::LastId, Self::Bids, Self::BidQty, Self::Asks, Self::AskQty];

    /// The field of a key, None for one that is not used. Some are used at the root of a frame only.
    #[inline]
    pub(super) fn of_key(key: &[u8], root: bool) -> Option<Self> {
        // Nearly all keys are one letter, and a match on a byte is one jump.
        if let [letter] = key {
            return Some(match letter {
                b'e' => Self::Type,
                b'E' => Self::EventTime,
                b'T' => Self::TransactionTime,
                b's' => Self::Symbol,
                b'U' => Self::FirstId,
                b'u' => Self::LastId,
                b'b' => Self::Bids,
                b'a' => Self::Asks,
                b'B' => Self::BidQty,
                b'A' => Self::AskQty,
                b't' => Self::TradeId,
                b'p' => Self::Price,
                b'q' => Self::Qty,
                b'm' => Self::BuyerIsMaker,
                b'M' => Self::BestMatch,
                b'X' => Self::Execution,
                b'o' => Self::Order,
                b'S' => Self::OrderSide,
                b'i' => Self::IndexPrice,
                b'r' => Self::FundingRate,
                _ => return None,
            });
        }
        Some(match key {
            b"pu" => Self::PrevId,
            b"ps" | b"pair" => Self::Pair,
            b"symbol" => Self::Symbol,
            b"bids" => Self::Bids,
            b"asks" => Self::Asks,
            b"lastUpdateId" => Self::SnapshotId,
            b"code" => Self::Code,
            b"stream" if root => Self::Stream,
            b"data" if root => Self::Data,
            b"error" if root => Self::Error,
            b"result" if root => Self::Result,
            b"id" if root => Self::Id,
            _ => return None,
        })
    }

    /// The key as messages of a stream spell it.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Data => "data",
            Self::Error => "error",
            Self::Result => "result",
            Self::Id => "id",
            Self::Code => "code",
            Self::Type => "e",
            Self::EventTime => "E",
            Self::TransactionTime => "T",
            Self::Symbol => "s",
            Self::Pair => "ps",
            Self::FirstId => "U",
            Self::LastId => "u",
            Self::PrevId => "pu",
            Self::SnapshotId => "lastUpdateId",
            Self::Bids => "b",
            Self::Asks => "a",
            Self::BidQty => "B",
            Self::AskQty => "A",
            Self::TradeId => "t",
            Self::Price => "p",
            Self::Qty => "q",
            Self::BuyerIsMaker => "m",
            Self::BestMatch => "M",
            Self::Execution => "X",
            Self::Order => "o",
            Self::OrderSide => "S",
            Self::IndexPrice => "i",
            Self::FundingRate => "r",
        }
    }
}

/// Numbers below are taken for milliseconds, others for microseconds: 10^14 is the year 5138 in the one and 1973 in
/// the other.
const MICROSECONDS_FROM: u64 = 100_000_000_000_000;

/// Where the values of one frame stand.
#[derive(Default)]
pub(super) struct Fields {
    tokens: [Token; FIELD_COUNT],
}

impl Fields {
    /// The value's place; of kind `Absent` when the key did not come.
    #[inline]
    pub(super) const fn get(&self, field: Field) -> Token {
        self.tokens[field as usize]
    }

    /// Whether the key came.
    #[inline]
    pub(super) fn has(&self, field: Field) -> bool {
        self.get(field).kind != Kind::Absent
    }

    /// Notes a value. A second one of the same field is an error.
    #[inline]
    pub(super) fn set(&mut self, field: Field, token: Token) -> Result<(), DecodeError> {
        if self.has(field) {
            return Err(DecodeError::DuplicateField { at: token.start, field: field.key() });
        }
        self.tokens[field as usize] = token;
        Ok(())
    }

    /// An integer of 0 and above, printed as a number or in a string.
    pub(super) fn unsigned(&self, field: Field, bytes: &[u8]) -> Result<u64, DecodeError> {
        let token = self.get(field);
        let at = token.start;
        let bad = |cause| DecodeError::BadNumber { at, field: field.key(), cause, scaled: Scaled::No };
        match token.kind {
            Kind::Number | Kind::String => {}
            Kind::Absent => return Err(DecodeError::MissingField { field: field.key() }),
            Kind::EscapedString => return Err(DecodeError::Escaped { at }),
            other => {
                let expected = "an integer";
                return Err(DecodeError::WrongType { at, field: field.key(), expected, got: other.name() });
            }
        }
        let text = token.of(bytes);
        if text.is_empty() {
            return Err(bad(DecimalError::Empty));
        }
        if text.first() == Some(&b'-') {
            return Err(bad(DecimalError::Negative));
        }
        let mut value = 0u64;
        for (i, byte) in text.iter().enumerate() {
            let digit = byte.wrapping_sub(b'0');
            if digit >= 10 {
                return Err(bad(DecimalError::BadByte(i.min(255) as u8)));
            }
            value = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(u64::from(digit)))
                .ok_or_else(|| bad(DecimalError::Overflow))?;
        }
        Ok(value)
    }

    /// A time of the venue, in ns since the epoch.
    pub(super) fn time_ns(&self, field: Field, bytes: &[u8]) -> Result<TimeNs, DecodeError> {
        let value = self.unsigned(field, bytes)?;
        let at = self.get(field).start;
        let cause = DecimalError::Overflow;
        time_ns(value).ok_or(DecodeError::BadNumber { at, field: field.key(), cause, scaled: Scaled::No })
    }
}

/// A printed time in ns since the epoch; None when it does not fit.
#[inline]
pub(super) fn time_ns(value: u64) -> Option<TimeNs> {
    value.checked_mul(if value < MICROSECONDS_FROM { 1_000_000 } else { 1_000 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> (Fields, &[u8]) {
        let mut fields = Fields::default();
        let token = Token { kind: Kind::Number, start: 0, end: text.len() as u32 };
        fields.set(Field::EventTime, token).unwrap();
        (fields, text.as_bytes())
    }

    #[test]
    fn times_are_milliseconds_or_microseconds_by_size() {
        for (text, time) in [
            ("0", Ok(0)),
            ("1723161257440", Ok(1_723_161_257_440_000_000)),
            ("1723161257440123", Ok(1_723_161_257_440_123_000)),
            ("18446744073709", Ok(18_446_744_073_709_000_000)),
            ("18446744073710", Err("decode.overflow")),
            ("99999999999999", Err("decode.overflow")),
            ("100000000000000", Ok(100_000_000_000_000_000)),
            ("18446744073709551", Ok(18_446_744_073_709_551_000)),
            ("18446744073709552", Err("decode.overflow")),
            ("18446744073709551616", Err("decode.overflow")),
            ("-1", Err("decode.negative")),
            ("1.5", Err("decode.bad_number")),
            ("1e3", Err("decode.bad_number")),
        ] {
            let (fields, bytes) = number(text);
            assert_eq!(fields.time_ns(Field::EventTime, bytes).map_err(|error| error.code()), time, "{text}");
        }
    }

    #[test]
    fn every_field_is_found_by_its_key() {
        let mut found = 0;
        for key in
            "stream data error result id code e E T s ps U u pu lastUpdateId b a B A t p q m M X o S i r"
                .split(' ')
        {
            let field = Field::of_key(key.as_bytes(), true).unwrap();
            assert_eq!(field.key(), key);
            found += 1;
        }
        assert_eq!(found, FIELD_COUNT);
        assert_eq!(Field::of_key(b"stream", false), None);
    }
}
