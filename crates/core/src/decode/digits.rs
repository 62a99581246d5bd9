//! Digits by the word: eight bytes of text taken as one integer and computed on in parallel ("SIMD within a register").
//!
//! It runs alike on every machine and needs no special instructions. Words hold the first byte lowest; most functions
//! take one that has been xored with [`ZEROS`], in which digits are 0 to 9.

use crate::types::POW10;

/// Turns eight digits into 0 to 9 each.
pub const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);

const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);

/// The high bit of each byte that equals the given one. The lowest bit set is exact; bits above it may be set in error.
#[inline(always)]
pub const fn equal_bytes(word: u64, byte: u8) -> u64 {
    let difference = word ^ u64::from_le_bytes([byte; 8]);
    difference.wrapping_sub(u64::from_le_bytes([1; 8])) & !difference & HIGH_BITS
}

/// The high bit of each byte of 10 and above in such a word. The lowest bit set is exact, since no byte below 10 carries into the next;
/// bits above it may be wrong.
#[inline(always)]
const fn other_bytes(word: u64) -> u64 {
    (word.wrapping_add(u64::from_le_bytes([0x80 - 10; 8])) | word) & HIGH_BITS
}

/// Whether all bytes of such a word are digits.
#[inline(always)]
pub const fn are_digits(word: u64) -> bool {
    other_bytes(word) == 0
}

/// Eight times the number of digits at the low end of such a word: 0 to 64.
#[inline(always)]
pub const fn digit_bits(word: u64) -> u32 {
    other_bytes(word).trailing_zeros() & !7
}

/// The number that the eight digits of such a word make, the first one in the lowest byte.
#[inline(always)]
pub const fn eight_digits(word: u64) -> u64 {
    // Neighbours make numbers of two digits, these of four, these of eight.
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    low.wrapping_add(high) >> 32
}

/// The number that eight digits make; `None` where one of the bytes is none.
#[inline(always)]
pub const fn eight_printed(text: &[u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(*text) ^ ZEROS;
    if are_digits(word) { Some(eight_digits(word)) } else { None }
}

/// The number that a text's leading digits make, with their count; 0 for none. `None` when it does not fit 64 bits.
#[inline]
pub fn leading_digits(text: &[u8]) -> Option<(u64, usize)> {
    // 17 to 19 digits, as a time in ns has, always fit.
    if let Some(chunk) = text.first_chunk::<24>()
        && let ([first, second, third], []) = chunk.as_chunks::<8>()
    {
        let [first, second, third] = [first, second, third].map(|word| u64::from_le_bytes(*word) ^ ZEROS);
        let bits = digit_bits(third);
        if are_digits(first) && are_digits(second) && (8..=24).contains(&bits) {
            let high = eight_digits(first) * 100_000_000 + eight_digits(second);
            let len = bits as usize / 8;
            return Some((high * POW10[len] as u64 + eight_digits(third << (64 - bits)), 16 + len));
        }
    }
    let (mut value, mut len) = (0u64, 0);
    while let Some(digit) = text.get(len).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        len += 1;
    }
    Some((value, len))
}

/// Of a printed decimal at the head of `text`: its digits before the point without leading zeros, and those behind it
/// without trailing zeros, a power of ten (`1e-7`) taken into account. `None` where no number stands there.
#[cold]
pub fn decimal_digits(text: &[u8]) -> Option<(usize, usize)> {
    let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    let len = text.iter().take_while(|byte| is_part(byte)).count().min(64);
    let text = text.get(..len)?;
    let power_at = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let power: i32 = match power_at {
        Some(at) => core::str::from_utf8(text.get(at + 1..)?).ok()?.parse().ok()?,
        None => 0,
    };
    let printed = power_at.map_or(text, |at| &text[..at]);
    let point = printed.iter().position(|byte| *byte == b'.').unwrap_or(printed.len());
    let digits: Vec<u8> = printed.iter().copied().filter(u8::is_ascii_digit).collect();
    let first = digits.iter().position(|digit| *digit != b'0')?;
    let last = digits.iter().rposition(|digit| *digit != b'0')?;
    // Where the point stands among the digits, the power of ten included.
    let point = point as i32 + power.clamp(-100, 100);
    let whole = (point - first as i32).max(0);
    let places = (last as i32 + 1 - point).max(0);
    Some((whole as usize, places as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_digits_are_told_from_others() {
        for at in 0..8 {
            for byte in 0..=u8::MAX {
                let mut text = *b"90817263";
                text[at] = byte;
                let word = u64::from_le_bytes(text) ^ ZEROS;
                let is_digit = byte.is_ascii_digit();
                assert_eq!(are_digits(word), is_digit, "{}", text.escape_ascii());
                assert_eq!(digit_bits(word), if is_digit { 64 } else { 8 * at as u32 });
                if is_digit {
                    let number = core::str::from_utf8(&text).unwrap().parse();
                    assert_eq!(Ok(eight_digits(word)), number);
                }
                let found = equal_bytes(u64::from_le_bytes(text), b'"');
                assert_eq!(found.trailing_zeros() / 8, if byte == b'"' { at as u32 } else { 8 });
            }
        }
    }

    #[test]
    fn leading_digits_are_read_up_to_64_bits() {
        for len in 0..=24 {
            for first in ["0", "1", "18446744073709551615", "18446744073709551616", "9"] {
                let text = format!("{first}77665544332211009988776655")[..len].to_owned();
                for behind in ["", " ", " {\"stream\":\"btcusdt\"}", ".5", "-"] {
                    let whole = format!("{text}{behind}");
                    let expected =
                        if len == 0 { Some((0, 0)) } else { text.parse().ok().map(|value| (value, len)) };
                    assert_eq!(leading_digits(whole.as_bytes()), expected, "{whole}");
                }
            }
        }
    }

    #[test]
    fn digits_of_a_decimal_are_those_that_count() {
        for (text, digits) in [
            ("3424.985\"", Some((4, 3))),
            ("12345678901.23000000,", Some((11, 2))),
            ("0.00001000", Some((0, 5))),
            ("1e-7]", Some((0, 7))),
            ("1.5E+3", Some((4, 0))),
            ("0.000", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(decimal_digits(text.as_bytes()), digits, "{text}");
        }
    }
}
