//! Checksums that are printed as signed numbers of 32 bits.

use super::json::{Kind, Token};
use super::members::{is, unsigned};
use super::{DecodeError, Scaled};
use crate::types::DecimalError;

/// A checksum, none by 0. Anything else than a number, such as `null` or a text, is none that could be compared.
pub(crate) fn signed_check(
    token: Token,
    bytes: &[u8],
    field: &'static str,
) -> Result<Option<u32>, DecodeError> {
    is(token, Kind::Number, field, "a number")?;
    let is_below = token.of(bytes).first() == Some(&b'-');
    let digits = Token { start: token.start + u32::from(is_below), ..token };
    let value = unsigned(digits, bytes, field)?;
    let signed = i64::try_from(value).ok().map(|value| if is_below { -value } else { value });
    check_of(signed.unwrap_or(i64::MAX)).ok_or(DecodeError::BadNumber {
        at: token.start,
        field,
        cause: DecimalError::Overflow,
        scaled: Scaled::No,
    })
}

/// The checksum that is meant by a number: none by 0. None of what has more than 32 bits.
#[inline]
pub(crate) fn check_of(signed: i64) -> Option<Option<u32>> {
    let check = i32::try_from(signed).ok()?.cast_unsigned();
    Some((check != 0).then_some(check))
}
