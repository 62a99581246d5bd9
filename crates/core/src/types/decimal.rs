//! Exact decimals: venue text to an integer mantissa and back, with no float in between.

use core::fmt::{self, Write};

/// Powers of ten that fit an `i64`.
pub(crate) const POW10: [i64; 19] = {
    let mut table = [1i64; 19];
    let mut i = 1;
    while i < 19 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

/// Longest decimal text that is read. A venue prints at most about 30 digits; more is hostile.
pub const DECIMAL_TEXT_LEN_MAX: usize = 64;

/// Why a decimal text is not an exact mantissa at the asked exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// No digit at all, or nothing.
    Empty,
    /// A byte that no decimal has, at this offset of the text.
    BadByte(u8),
    /// The text is longer than [`DECIMAL_TEXT_LEN_MAX`].
    TooLong,
    /// The value does not fit an `i64` mantissa.
    Overflow,
    /// A non-zero digit lies below the exponent: storing it would round.
    Inexact,
    /// A minus sign where only zero and above are meant.
    Negative,
}

/// Reads a plain or scientific decimal (`61800.20`, `0.00000000`, `1e-7`) as a mantissa: value = mantissa × 10^`exponent`.
///
/// Exact or an error; never rounds. `exponent` is −18 to 18. Negative values are an error: no quantity and no
/// price of the venues decoded here is below zero. Cost: one pass over the text, no allocation.
///
/// # Errors
/// See [`DecimalError`].
///
/// ```
/// use depthwire_core::types::{parse_decimal, DecimalError};
/// assert_eq!(parse_decimal(b"61800.20", -1), Ok(618002));
/// assert_eq!(parse_decimal(b"61800.25", -1), Err(DecimalError::Inexact));
/// ```
#[inline]
pub fn parse_decimal(text: &[u8], exponent: i8) -> Result<i64, DecimalError> {
    // The common case: at most 18 digits and one point, so the accumulator cannot overflow.
    let mut mantissa: i64 = 0;
    let mut digits = 0usize;
    let mut point: Option<usize> = None;
    if text.is_empty() || text.len() > 19 {
        return parse_decimal_slow(text, exponent);
    }
    for (i, &byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(i64::from(digit));
            digits += 1;
        } else if byte == b'.' && point.is_none() {
            point = Some(i);
        } else {
            return parse_decimal_slow(text, exponent);
        }
    }
    if digits == 0 || digits > 18 {
        return parse_decimal_slow(text, exponent);
    }
    let fraction = point.map_or(0, |at| text.len() - at - 1);
    scale(mantissa, -(fraction as i32), i32::from(exponent))
}

/// The full grammar: sign, many digits, `e` notation. Kept out of line so that the common case stays small.
#[cold]
#[inline(never)]
fn parse_decimal_slow(text: &[u8], exponent: i8) -> Result<i64, DecimalError> {
    if text.is_empty() {
        return Err(DecimalError::Empty);
    }
    if text.len() > DECIMAL_TEXT_LEN_MAX {
        return Err(DecimalError::TooLong);
    }
    let mut i = 0;
    let mut negative = false;
    if text[0] == b'-' {
        negative = true;
        i = 1;
    }
    let mut mantissa: i64 = 0;
    let mut digits = 0usize;
    let mut fraction: i32 = 0;
    let mut in_fraction = false;
    // Zeros that follow are held back: they are multiplied in only when a later digit needs them, so that
    // "1.000000000000000000000" does not overflow.
    let mut zeros: u32 = 0;
    while i < text.len() {
        match text[i] {
            byte @ b'0'..=b'9' => {
                digits += 1;
                if byte == b'0' {
                    zeros += 1;
                } else {
                    for _ in 0..=zeros {
                        mantissa = mantissa.checked_mul(10).ok_or(DecimalError::Overflow)?;
                    }
                    mantissa = mantissa.checked_add(i64::from(byte - b'0')).ok_or(DecimalError::Overflow)?;
                    zeros = 0;
                }
                fraction += i32::from(in_fraction);
            }
            b'.' if !in_fraction => in_fraction = true,
            b'e' | b'E' => break,
            _ => return Err(DecimalError::BadByte(i as u8)),
        }
        i += 1;
    }
    if digits == 0 {
        return Err(DecimalError::Empty);
    }
    let mut power: i32 = 0;
    if i < text.len() {
        i += 1;
        let mut power_negative = false;
        if let Some(sign @ (b'+' | b'-')) = text.get(i) {
            power_negative = *sign == b'-';
            i += 1;
        }
        if i == text.len() {
            return Err(DecimalError::Empty);
        }
        while i < text.len() {
            let digit = text[i].wrapping_sub(b'0');
            if digit >= 10 {
                return Err(DecimalError::BadByte(i as u8));
            }
            // A power beyond four digits is out of range whatever follows.
            power = (power * 10 + i32::from(digit)).min(9_999);
            i += 1;
        }
        if power_negative {
            power = -power;
        }
    }
    if mantissa == 0 {
        return Ok(0);
    }
    if negative {
        return Err(DecimalError::Negative);
    }
    scale(mantissa, power + zeros as i32 - fraction, i32::from(exponent))
}

/// Moves a mantissa from one exponent to another, exactly.
#[inline]
fn scale(mantissa: i64, from: i32, to: i32) -> Result<i64, DecimalError> {
    if from == to || mantissa == 0 {
        return Ok(mantissa);
    }
    if from > to {
        let by = (from - to) as usize;
        let factor = POW10.get(by).ok_or(DecimalError::Overflow)?;
        return mantissa.checked_mul(*factor).ok_or(DecimalError::Overflow);
    }
    let by = (to - from) as usize;
    let factor = POW10.get(by).ok_or(DecimalError::Inexact)?;
    if mantissa % factor != 0 { Err(DecimalError::Inexact) } else { Ok(mantissa / factor) }
}

/// A mantissa with its exponent, printed as the shortest plain decimal: no trailing zeros, no exponent, `0` for zero.
///
/// ```
/// use depthwire_core::types::Decimal;
/// assert_eq!(Decimal { mantissa: 6_160_000, exponent: -2 }.to_string(), "61600");
/// assert_eq!(Decimal { mantissa: 17, exponent: -5 }.to_string(), "0.00017");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// The integer.
    pub mantissa: i64,
    /// Its power of ten, −18 to 18.
    pub exponent: i8,
}

impl Decimal {
    /// One.
    pub const ONE: Self = Self { mantissa: 1, exponent: 0 };

    /// Reads a decimal with as few digits as hold it exactly: `0.0100` is 1 × 10^-2, `100` is 100 × 10^0.
    ///
    /// # Errors
    /// As [`parse_decimal`].
    pub fn parse(text: &[u8]) -> Result<Self, DecimalError> {
        // From the coarsest exponent on, the first one that is exact: what is read here has few digits.
        for exponent in (-18..=0).rev() {
            match parse_decimal(text, exponent) {
                Ok(mantissa) => return Ok(Self { mantissa, exponent }),
                Err(DecimalError::Inexact) => {}
                Err(error) => return Err(error),
            }
        }
        Err(DecimalError::Inexact)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut magnitude = self.mantissa.unsigned_abs();
        if magnitude == 0 {
            return f.write_char('0');
        }
        let mut exponent = i32::from(self.exponent);
        while exponent < 0 && magnitude.is_multiple_of(10) {
            magnitude /= 10;
            exponent += 1;
        }
        if self.mantissa < 0 {
            f.write_char('-')?;
        }
        if exponent >= 0 {
            write!(f, "{magnitude}")?;
            for _ in 0..exponent {
                f.write_char('0')?;
            }
            return Ok(());
        }
        let places = exponent.unsigned_abs();
        // A unit beyond 64 bits is greater than any mantissa.
        let (whole, rest) = match 10u64.checked_pow(places) {
            Some(unit) => (magnitude / unit, magnitude % unit),
            None => (0, magnitude),
        };
        write!(f, "{whole}.{rest:0width$}", width = places as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_venues_print() {
        for (text, exponent, mantissa) in [
            ("61837.63000000", -2, 6_183_763),
            ("61800.20", -2, 6_180_020),
            ("0.00017000", -5, 17),
            ("0.00000000", -5, 0),
            ("0", 0, 0),
            ("1001", 0, 1001),
            ("1e-5", -8, 1_000),
            ("1.5E+3", 0, 1_500),
            ("100000000000000000000e-20", 0, 1),
            ("1.0000000000000000000000000", 0, 1),
            ("-0.000", -2, 0),
            ("9223372036854775807", 0, i64::MAX),
            (".5", -1, 5),
            ("0e9999", 0, 0),
        ] {
            assert_eq!(parse_decimal(text.as_bytes(), exponent), Ok(mantissa), "{text} at {exponent}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_hold_exactly() {
        for (text, exponent, error) in [
            ("", 0, DecimalError::Empty),
            (".", 0, DecimalError::Empty),
            ("1e", 0, DecimalError::Empty),
            ("-1", 0, DecimalError::Negative),
            ("-1.00000000000000000000", 0, DecimalError::Negative),
            ("1.2.3", 0, DecimalError::BadByte(3)),
            ("1,5", 0, DecimalError::BadByte(1)),
            ("0x10", 0, DecimalError::BadByte(1)),
            ("NaN", 0, DecimalError::BadByte(0)),
            ("9223372036854775808", 0, DecimalError::Overflow),
            ("1e999999999999", 0, DecimalError::Overflow),
            ("1e19", 0, DecimalError::Overflow),
            ("1e-999999", 0, DecimalError::Inexact),
            ("61800.25", -1, DecimalError::Inexact),
            ("92233720368547758.08", -3, DecimalError::Overflow),
        ] {
            assert_eq!(parse_decimal(text.as_bytes(), exponent), Err(error), "{text} at {exponent}");
        }
        let long = [b'1'; DECIMAL_TEXT_LEN_MAX + 1];
        assert_eq!(parse_decimal(&long, 0), Err(DecimalError::TooLong));
    }

    #[test]
    fn keeps_as_few_digits_as_there_are() {
        for (text, mantissa, exponent) in [
            ("0.0100", 1, -2),
            ("100", 100, 0),
            ("1e-8", 1, -8),
            ("2.50", 25, -1),
            ("0.000", 0, 0),
            ("92233720368547758.07", i64::MAX, -2),
        ] {
            assert_eq!(Decimal::parse(text.as_bytes()), Ok(Decimal { mantissa, exponent }), "{text}");
        }
        assert_eq!(Decimal::parse(b"1e-19"), Err(DecimalError::Inexact));
        assert_eq!(Decimal::parse(b"x"), Err(DecimalError::BadByte(0)));
    }

    #[test]
    fn prints_the_shortest_text() {
        for (mantissa, exponent, text) in [
            (6_160_000, -2, "61600"),
            (6_160_010, -2, "61600.1"),
            (17, -5, "0.00017"),
            (0, -8, "0"),
            (-25, -1, "-2.5"),
            (12, 2, "1200"),
            (i64::MIN, -18, "-9.223372036854775808"),
        ] {
            assert_eq!(Decimal { mantissa, exponent }.to_string(), text);
        }
    }
}
