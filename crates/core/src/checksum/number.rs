//! Numbers as venues print them: with their point, and a sign where they are below zero.

use super::digits::{Digits, Scale, WORD_DIGITS, WORD_END, Zeros};
use crate::types::POW10;

/// How many digits stand behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decimals {
    /// Always so many: 2677.5600.
    Fixed(u8),
    /// As few as say the number: 2677.56.
    Shortest,
    /// The same, but for numbers below 10^-6, which have an exponent: 2.5e-7. So ECMAScript prints, "Number::toString".
    Script,
}

/// How numbers of one exponent are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberText {
    /// Makes the integer that has all `decimals` behind the point.
    scale: Scale,
    decimals: u8,
    form: Decimals,
    /// That integer's 1, where a word holds the digits behind the point; else 0.
    one: u64,
}

impl NumberText {
    /// The text of mantissas with this exponent; none where more than 18 digits would stand on either side of the point.
    #[must_use]
    pub fn new(exponent: i8, form: Decimals) -> Option<Self> {
        let decimals = match form {
            Decimals::Fixed(decimals) => decimals,
            Decimals::Shortest | Decimals::Script => u8::try_from(-i16::from(exponent)).unwrap_or(0),
        };
        let power = POW10.get(usize::from(decimals))?.unsigned_abs();
        let one = if u32::from(decimals) <= WORD_DIGITS { power } else { 0 };
        Some(Self { scale: Scale::new(exponent, decimals)?, decimals, form, one })
    }

    /// Writes a number in front of what is there; none, with the text in pieces, where it cannot be printed exactly.
    #[inline]
    pub(super) fn put_before(self, mantissa: i64, digits: &mut Digits) -> Option<()> {
        let number = self.scale.printed(mantissa.checked_abs()?)?;
        self.put_short(number, digits).unwrap_or_else(|| self.put_long(number, digits));
        if mantissa < 0 {
            digits.put_byte_before(b'-');
        }
        Some(())
    }

    /// The usual numbers, whose digits before the point and those behind it are a word each. None, with nothing written, of
    /// others.
    #[inline]
    fn put_short(self, number: u64, digits: &mut Digits) -> Option<()> {
        let whole = if self.decimals > 0 { number.checked_div(self.one)? } else { number };
        let is_small = whole == 0 && self.form == Decimals::Script;
        if whole >= WORD_END || is_small {
            return None;
        }
        if self.decimals > 0 {
            let fraction = (number - whole * self.one) as u32;
            let zeros = if matches!(self.form, Decimals::Fixed(_)) { Zeros::Kept } else { Zeros::Left };
            digits.put_fraction_before(fraction, u32::from(self.decimals), zeros);
        }
        digits.put_whole_before(whole as u32);
        Some(())
    }

    #[cold]
    fn put_long(self, number: u64, digits: &mut Digits) {
        let decimals = u32::from(self.decimals);
        match self.form {
            Decimals::Fixed(_) => put_decimal(number, decimals, digits),
            Decimals::Shortest => {
                let (number, decimals) = without_zeros(number, decimals);
                put_decimal(number, decimals, digits);
            }
            Decimals::Script => {
                let (number, decimals) = without_zeros(number, decimals);
                let len = number.checked_ilog10().map_or(1, |log| log + 1);
                if decimals >= len + 6 {
                    put_exponential(number, len, decimals, digits);
                } else {
                    put_decimal(number, decimals, digits);
                }
            }
        }
    }
}

/// A number without the zeros at its end, as far as they stand behind the point.
fn without_zeros(mut number: u64, mut decimals: u32) -> (u64, u32) {
    if number == 0 {
        return (0, 0);
    }
    for (zeros, power) in [(16, 10_000_000_000_000_000), (8, 100_000_000), (4, 10_000), (2, 100), (1, 10)] {
        if decimals >= zeros && number.is_multiple_of(power) {
            number /= power;
            decimals -= zeros;
        }
    }
    (number, decimals)
}

fn put_decimal(number: u64, decimals: u32, digits: &mut Digits) {
    let mut whole = number;
    if let Some(one) = POW10.get(decimals as usize).filter(|_| decimals > 0) {
        let one = one.unsigned_abs();
        digits.put_padded_before(number % one, decimals);
        digits.put_byte_before(b'.');
        whole = number / one;
    }
    match whole {
        0 => digits.put_byte_before(b'0'),
        _ => digits.put_before(whole),
    }
}

/// A number of `len` digits: the first of them, a point, the others, and the power of ten.
#[cold]
fn put_exponential(number: u64, len: u32, decimals: u32, digits: &mut Digits) {
    digits.put_before(u64::from(decimals + 1 - len));
    digits.put_byte_before(b'-');
    digits.put_byte_before(b'e');
    let rest = POW10.get(len as usize - 1).map_or(1, |power| power.unsigned_abs());
    if len > 1 {
        digits.put_padded_before(number % rest, len - 1);
        digits.put_byte_before(b'.');
    }
    digits.put_before(number / rest);
}

#[cfg(test)]
mod tests {
    use super::Decimals::{Fixed, Script, Shortest};
    use super::*;
    use crate::checksum::crc32;
    use crate::checksum::crc32::{Piece, append};
    use proptest::prelude::*;

    /// Whether a mantissa has this text, by its checksum.
    fn prints(mantissa: i64, exponent: i8, form: Decimals, text: &str) -> bool {
        let mut digits = Digits::new();
        let printed = NumberText::new(exponent, form).and_then(|text| text.put_before(mantissa, &mut digits));
        printed.is_some() && !append(!0, digits.piece()) == crc32(text.as_bytes())
    }

    #[test]
    fn numbers_have_the_text_of_their_venue() {
        for (mantissa, exponent, form, text) in [
            (267_756, -2, Fixed(4), "2677.5600"),
            (267_756, -2, Fixed(2), "2677.56"),
            (5, 0, Fixed(0), "5"),
            (0, -4, Fixed(4), "0.0000"),
            (4, -8, Fixed(8), "0.00000004"),
            (267_756_000, -5, Shortest, "2677.56"),
            (267_700_000, -5, Shortest, "2677"),
            (500, -5, Shortest, "0.005"),
            (0, -5, Shortest, "0"),
            (3, 4, Shortest, "30000"),
            (20_728_470, 0, Shortest, "20728470"),
            (1_000_000_000_000_000_000, -18, Shortest, "1"),
            (i64::MAX, -18, Shortest, "9.223372036854775807"),
            (1, -18, Shortest, "0.000000000000000001"),
            (-1_500, -3, Shortest, "-1.5"),
            (-1_500, -3, Script, "-1.5"),
            (1, -6, Script, "0.000001"),
            (123, -8, Script, "0.00000123"),
            (99, -8, Script, "9.9e-7"),
            (10, -8, Script, "1e-7"),
            (-123_456, -12, Script, "-1.23456e-7"),
            (1, -18, Script, "1e-18"),
            (0, -18, Script, "0"),
            (7, 0, Script, "7"),
        ] {
            assert!(prints(mantissa, exponent, form, text), "{mantissa} {exponent} {text}");
        }
    }

    #[test]
    fn what_is_not_exact_or_too_long_is_not_printed() {
        assert_eq!(NumberText::new(-8, Fixed(3)).unwrap().put_before(3_450_000, &mut Digits::new()), None);
        assert_eq!(NumberText::new(-19, Shortest), None);
        assert_eq!(NumberText::new(-2, Fixed(19)), None);
        let text = NumberText::new(18, Shortest).unwrap();
        assert_eq!(text.put_before(19, &mut Digits::new()), None);
        assert_eq!(text.put_before(i64::MIN, &mut Digits::new()), None);
    }

    proptest! {
        #[test]
        fn the_shortest_text_is_the_number(mantissa in any::<i64>(), shift in 0u32..64, zeros in 0u32..10, exponent in -18i8..=0) {
            let mantissa = (mantissa >> shift) / 10i64.pow(zeros) * 10i64.pow(zeros);
            prop_assume!(mantissa != i64::MIN);
            let (one, sign) = (10u64.pow(u32::from(exponent.unsigned_abs())), if mantissa < 0 { "-" } else { "" });
            let abs = mantissa.unsigned_abs();
            let whole = format!("{sign}{}.{:0width$}", abs / one, abs % one, width = usize::from(exponent.unsigned_abs()));
            let text = match exponent {
                0 => mantissa.to_string(),
                _ => whole.trim_end_matches('0').trim_end_matches('.').to_owned(),
            };
            prop_assert!(prints(mantissa, exponent, Shortest, &text), "{mantissa} {exponent} {text}");
        }

        #[test]
        fn the_short_way_prints_as_the_long_one(
            number in any::<u64>(), shift in 0u32..64, zeros in 0u32..10, exponent in -18i8..=3,
            form in prop_oneof![Just(Shortest), Just(Script), (0u8..12).prop_map(Fixed)],
        ) {
            let number = (number >> shift) / 10u64.pow(zeros) * 10u64.pow(zeros);
            let Some(text) = NumberText::new(exponent, form) else { return Ok(()) };
            let (mut short, mut long) = (Digits::new(), Digits::new());
            if text.put_short(number, &mut short).is_some() {
                text.put_long(number, &mut long);
                prop_assert_eq!(short.piece(), long.piece(), "{} {}", number, exponent);
            } else {
                prop_assert_eq!(short.piece(), Piece::default(), "nothing is written");
            }
        }

        #[test]
        fn a_script_prints_what_it_reads(number in 0u32..100_000, exponent in -18i8..=2) {
            // Rust prints the shortest text that reads back, as ECMAScript does, but in another form.
            let value: f64 = format!("{number}e{exponent}").parse().unwrap();
            let text = if value != 0.0 && value < 1e-6 { format!("{value:e}") } else { value.to_string() };
            prop_assert!(prints(i64::from(number), exponent, Script, &text), "{number} {exponent} {text}");
        }
    }
}
