//! From a mantissa to the digits that a venue prints, without the point and without leading zeros.

use super::crc32::{PIECE_BYTES_MAX, Piece};
use crate::types::POW10;

/// What turns a mantissa into the integer whose digits a venue prints.
///
/// A venue that prints 0.00500000 at a precision of eight means the digits 500000; a book whose quantities have the
/// exponent −5 holds 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// The integer is the mantissa times this, above 0.
    Times(u64),
    /// The integer is the mantissa divided by this, above 0, which must leave no rest.
    Over(u64),
}

impl Scale {
    /// The scale of mantissas with this exponent where `decimals` digits are printed behind the point; none when the
    /// two are more than 18 powers of ten apart.
    #[must_use]
    pub fn new(exponent: i8, decimals: u8) -> Option<Self> {
        let power = i32::from(exponent) + i32::from(decimals);
        let factor = POW10.get(power.unsigned_abs() as usize)?.unsigned_abs();
        Some(if power < 0 { Self::Over(factor) } else { Self::Times(factor) })
    }

    /// The integer of a mantissa; none of one below 0, beyond 64 bits, or with digits that are not printed.
    #[inline]
    #[must_use]
    pub fn printed(self, mantissa: i64) -> Option<u64> {
        let mantissa = u64::try_from(mantissa).ok()?;
        match self {
            Self::Times(factor) => mantissa.checked_mul(factor),
            Self::Over(factor) => (mantissa.checked_rem(factor) == Some(0)).then(|| mantissa / factor),
        }
    }
}

/// Bytes of [`Digits`]: the longest piece, and the word that may be written before it.
const BYTES: usize = PIECE_BYTES_MAX + 8;

/// Digits written from the last to the first, zeros in front.
pub(super) struct Digits {
    bytes: [u8; BYTES],
    /// Bytes written.
    len: usize,
}

const ASCII: u64 = 0x3030_3030_3030_3030;

/// Most digits that are written as a word.
pub(super) const WORD_DIGITS: u32 = 8;

/// What has more digits than that.
pub(super) const WORD_END: u64 = 100_000_000;

/// Whether zeros at the end of a fraction are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zeros {
    Kept,
    Left,
}

impl Digits {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { bytes: [0; BYTES], len: 0 }
    }

    /// Writes a number in front of what is there, 0 as nothing. Of two numbers of 64 bits all digits find room.
    #[inline]
    pub(super) fn put_before(&mut self, mut number: u64) {
        while number >= 100_000_000 {
            self.put_word(eight_digits((number % 100_000_000) as u32) | ASCII);
            self.len += 8;
            number /= 100_000_000;
        }
        // The first digit is in the lowest byte, so leading zeros are trailing ones here.
        let digits = eight_digits(number as u32);
        let zeros = digits.trailing_zeros() / 8;
        let mask = u64::MAX.checked_shl(8 * zeros).unwrap_or(0);
        self.put_word((digits | ASCII) & mask);
        self.len += 8 - zeros as usize;
    }

    /// Writes the last `count` digits of a number in front of what is there, zeros included.
    #[inline]
    pub(super) fn put_padded_before(&mut self, mut number: u64, mut count: u32) {
        while count > 8 {
            self.put_word(eight_digits((number % 100_000_000) as u32) | ASCII);
            self.len += 8;
            number /= 100_000_000;
            count -= 8;
        }
        let mask = u64::MAX.checked_shl(64 - 8 * count).unwrap_or(0);
        self.put_word((eight_digits((number % 100_000_000) as u32) | ASCII) & mask);
        self.len += count as usize;
    }

    /// Writes a number below [`WORD_END`] in front of what is there, 0 as one digit.
    #[inline]
    pub(super) fn put_whole_before(&mut self, number: u32) {
        if number < 10 {
            return self.put_byte_before(b'0' + number as u8);
        }
        let digits = eight_digits(number);
        let zeros = digits.trailing_zeros() / 8 % WORD_DIGITS;
        self.put_word((digits | ASCII) & u64::MAX << (8 * zeros));
        self.len += 8 - zeros as usize;
    }

    /// Writes a point and digits behind it in front of what is there: `fraction` has 1 to [`WORD_DIGITS`] `decimals`. Nothing
    /// where all of them are left out.
    #[inline]
    pub(super) fn put_fraction_before(&mut self, fraction: u32, decimals: u32, zeros: Zeros) {
        // The first digit behind the point is in the lowest byte, zeros stand behind the last one.
        let missing = WORD_DIGITS.saturating_sub(decimals) as usize;
        let digits = eight_digits(fraction.wrapping_mul(POW10[missing] as u32));
        let left_out = match zeros {
            Zeros::Kept => missing as u32,
            Zeros::Left => digits.leading_zeros() / 8,
        };
        if left_out < WORD_DIGITS {
            self.put_word((digits | ASCII) << (8 * left_out));
            self.len += (WORD_DIGITS - left_out) as usize;
            self.put_byte_before(b'.');
        }
    }

    /// Writes a byte in front of what is there.
    #[inline]
    pub(super) fn put_byte_before(&mut self, byte: u8) {
        self.len += 1;
        if let Some(place) = self.bytes.get_mut(BYTES.wrapping_sub(self.len)) {
            *place = byte;
        }
    }

    /// Writes the eight bytes in front of what is there.
    #[inline]
    fn put_word(&mut self, word: u64) {
        let before = self.bytes.get_mut(..BYTES.wrapping_sub(self.len));
        if let Some(place) = before.and_then(<[u8]>::last_chunk_mut) {
            *place = word.to_le_bytes();
        }
    }

    /// The piece of the digits.
    #[inline]
    pub(super) fn piece(&self) -> Piece {
        Piece::of_tail(&self.bytes, self.len)
    }
}

/// The eight digits of a number below 10^8, the first in the lowest byte.
///
/// Halves, quarters and digits, each step for all parts at once: a part of the word is divided by a multiplication with
/// 2^20/100 or 2^10/10, rounded up, which is exact for what the parts hold (below 10^4 and below 100).
#[inline]
const fn eight_digits(number: u32) -> u64 {
    let number = number as u64;
    let halves = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let quarters = hundreds | (halves - 100 * hundreds) << 16;
    let tens = ((quarters * 103) >> 10) & 0x000F_000F_000F_000F;
    tens | (quarters - 10 * tens) << 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(numbers: &[u64]) -> String {
        let mut digits = Digits::new();
        for number in numbers.iter().rev() {
            digits.put_before(*number);
        }
        let zeros = digits.bytes.iter().take_while(|byte| **byte == 0).count();
        assert_eq!(digits.bytes.len() - zeros, digits.len);
        String::from_utf8(digits.bytes[zeros..].to_vec()).unwrap()
    }

    #[test]
    fn writes_every_part_of_a_number() {
        for part in 0..10_000u32 {
            for number in [part, part * 10_000, part * 10_001] {
                let expected = format!("{number:08}");
                let written = (eight_digits(number) | ASCII).to_le_bytes();
                assert_eq!(written, expected.as_bytes(), "{number}");
            }
        }
    }

    #[test]
    fn pads_with_zeros() {
        for (number, count, expected) in [
            (0, 0, "7"),
            (5, 1, "57"),
            (123, 5, "001237"),
            (123, 2, "237"),
            (12_345_678, 8, "123456787"),
            (5, 9, "0000000057"),
            (999_999_999_999_999_999, 18, "9999999999999999997"),
            (1, 18, "0000000000000000017"),
        ] {
            let mut digits = Digits::new();
            digits.put_byte_before(b'7');
            digits.put_padded_before(number, count);
            let zeros = digits.bytes.iter().take_while(|byte| **byte == 0).count();
            assert_eq!(std::str::from_utf8(&digits.bytes[zeros..]), Ok(expected));
            assert_eq!(digits.len, expected.len());
        }
    }

    #[test]
    fn a_word_of_digits_is_written_as_it_is_printed() {
        let written = |put: &dyn Fn(&mut Digits)| {
            let mut digits = Digits::new();
            put(&mut digits);
            let zeros = digits.bytes.len() - digits.len;
            assert!(digits.bytes[..zeros].iter().all(|byte| *byte == 0));
            String::from_utf8(digits.bytes[zeros..].to_vec()).unwrap()
        };
        for number in [0, 1, 9, 10, 70, 12_345, 1_000_000, 99_999_999, 20_000_000] {
            assert_eq!(written(&|digits| digits.put_whole_before(number)), number.to_string());
            for decimals in (1..=WORD_DIGITS).filter(|decimals| number < 10u32.pow(*decimals)) {
                let kept = format!(".{number:0width$}", width = decimals as usize);
                let left = kept.trim_end_matches('0').trim_end_matches('.');
                for (zeros, text) in [(Zeros::Kept, &kept[..]), (Zeros::Left, left)] {
                    let put = |digits: &mut Digits| digits.put_fraction_before(number, decimals, zeros);
                    assert_eq!(written(&put), text, "{number} {decimals}");
                }
            }
        }
    }

    #[test]
    fn zero_has_no_digits() {
        assert_eq!(text(&[0]), "");
        assert_eq!(text(&[0, 7, 0]), "7");
        assert_eq!(text(&[u64::MAX, u64::MAX]), format!("{0}{0}", u64::MAX));
    }

    proptest! {
        #[test]
        fn writes_numbers_as_they_are_printed(price in any::<u64>(), shift in 0u32..64, qty in any::<u64>(), by in 0u32..64) {
            let (price, qty) = ((price >> shift).max(1), (qty >> by).max(1));
            prop_assert_eq!(text(&[price, qty]), format!("{price}{qty}"));
        }
    }

    #[test]
    fn a_scale_is_exact_or_nothing() {
        let printed =
            |exponent, decimals, mantissa| Scale::new(exponent, decimals).unwrap().printed(mantissa);
        assert_eq!(printed(-2, 2, 616_001), Some(616_001));
        assert_eq!(printed(-5, 8, 500), Some(500_000));
        assert_eq!(printed(-9, 1, 85_600_400_000_000), Some(856_004));
        assert_eq!(printed(-9, 1, 85_600_450_000_000), None, "a digit that is not printed");
        assert_eq!(printed(0, 18, 19), None, "beyond 64 bits");
        assert_eq!(printed(-2, 2, -1), None);
        assert_eq!(printed(-2, 2, 0), Some(0));
        assert_eq!((Scale::new(-19, 0), Scale::new(18, 1)), (None, None));
        assert_eq!(Scale::new(-18, 0).unwrap().printed(i64::MAX), None);
        assert_eq!(Scale::Over(0).printed(1), None);
    }
}
