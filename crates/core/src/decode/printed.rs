//! JSON exactly as venues print it, read eight bytes at a time: no white space, known keys, plain decimals.
//!
//! This is the short way through a frame. It answers `None` for every other form and for every doubt, without saying
//! why; the caller then takes the general way from the start, so that nothing is accepted here which that would refuse,
//! no value differs, and errors have one origin. Words are taken out of the slice and computed on as integers
//! ("SIMD within a register"), so it runs alike on every machine.

use super::{FRAME_LEVELS_MAX, Listing};
use crate::types::{DECIMAL_TEXT_LEN_MAX, Level, POW10};

/// A position in a frame.
#[derive(Clone, Copy)]
pub struct Printed<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Printed<'a> {
    /// Starts at an offset of the frame.
    #[inline]
    pub const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The offset of the next byte.
    #[inline]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The bytes that are left.
    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next byte, consumed.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// Whether nothing is left.
    #[inline]
    pub const fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Whether a text comes next.
    #[inline]
    pub fn is_next<const LEN: usize>(&self, text: &[u8; LEN]) -> bool {
        self.rest().first_chunk() == Some(text)
    }

    /// Consumes a text if it comes next.
    #[inline]
    pub fn literal<const LEN: usize>(&mut self, text: &[u8; LEN]) -> Option<()> {
        self.is_next(text).then(|| self.at += LEN)
    }

    /// The next eight bytes with the first one lowest, zeros for those beyond the end. Zeros alone in a frame of fewer
    /// than eight bytes, which is no message.
    #[inline]
    fn word(&self) -> u64 {
        if let Some(word) = self.rest().first_chunk() {
            return u64::from_le_bytes(*word);
        }
        // The last eight bytes of the frame without those that are behind.
        let missing = (self.at + 8).saturating_sub(self.bytes.len());
        match self.bytes.last_chunk() {
            Some(word) if missing < 8 => u64::from_le_bytes(*word) >> (8 * missing),
            _ => 0,
        }
    }

    /// The rest of a string, consumed with its closing quote. No backslash may be in it.
    #[inline]
    pub fn string_end(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        loop {
            let word = self.word();
            let found = equal_bytes(word, b'"') | equal_bytes(word, b'\\') | equal_bytes(word, 0);
            if found != 0 {
                self.at += (found.trailing_zeros() / 8) as usize;
                let text = self.bytes.get(start..self.at)?;
                return (self.next() == Some(b'"')).then_some(text);
            }
            self.at += 8;
        }
    }

    /// The part of a string before an `@`, which stays.
    #[inline]
    pub fn until_at_sign(&mut self) -> Option<()> {
        loop {
            let word = self.word();
            let found = equal_bytes(word, b'@')
                | equal_bytes(word, b'"')
                | equal_bytes(word, b'\\')
                | equal_bytes(word, 0);
            if found != 0 {
                self.at += (found.trailing_zeros() / 8) as usize;
                return (self.bytes.get(self.at) == Some(&b'@')).then_some(());
            }
            self.at += 8;
        }
    }

    /// An integer of 1 to 16 digits. What follows is not looked at, except that it is no digit.
    #[inline]
    pub fn integer(&mut self) -> Option<u64> {
        let word = self.word() ^ ZEROS;
        let bits = digit_bits(word);
        if bits < 64 {
            self.at += bits as usize / 8;
            return (bits > 0).then(|| eight_digits(word << (64 - bits)));
        }
        self.at += 8;
        let high = eight_digits(word);
        let word = self.word() ^ ZEROS;
        let bits = digit_bits(word);
        self.at += bits as usize / 8;
        match bits {
            0 => Some(high),
            64 if digit_bits(self.word() ^ ZEROS) > 0 => None,
            64 => Some(high * 100_000_000 + eight_digits(word)),
            _ => Some(high * POW10[bits as usize / 8] as u64 + eight_digits(word << (64 - bits))),
        }
    }

    /// The rest of a string that is digits with at most one point, as a mantissa at the exponent, consumed with its
    /// closing quote. It never needs more than 18 digits, which always fit an `i64`.
    #[inline]
    pub fn decimal_end(&mut self, exponent: i8) -> Option<i64> {
        let places_bits = 8u32.wrapping_mul(-i32::from(exponent) as u32);
        let whole = self.word() ^ ZEROS;
        let whole_bits = digit_bits(whole);
        if places_bits > 64 || whole_bits == 0 || whole_bits == 64 {
            return self.long_decimal_end(exponent);
        }
        // The digits before the point, right-aligned: the bytes below them are zeros.
        let whole_digits = whole << (64 - whole_bits);
        let places = (places_bits / 8) as usize;
        let point = self.at + whole_bits as usize / 8;
        let mark = (whole >> whole_bits) as u8 ^ b'0';
        if mark == b'"' {
            self.at = point + 1;
            return Some(eight_digits(whole_digits) as i64 * POW10[places]);
        }
        if mark != b'.' {
            return None;
        }
        let after = Self { bytes: self.bytes, at: point + 1 };
        let fraction = after.word() ^ ZEROS;
        let fraction_bits = digit_bits(fraction);
        let end = after.at + fraction_bits as usize / 8;
        if self.bytes.get(end) != Some(&b'"') {
            return self.long_decimal_end(exponent);
        }
        // The digits after the point, the first one lowest; the bytes above them are zeros.
        let fraction = if fraction_bits == 64 { fraction } else { fraction & ((1 << fraction_bits) - 1) };
        let (wanted, below) = match places_bits {
            0 => (0, fraction),
            64 => (fraction, 0),
            _ => (fraction << (64 - places_bits), fraction >> places_bits),
        };
        if below != 0 {
            return None;
        }
        self.at = end + 1;
        if whole_bits + places_bits <= 64 {
            // Both parts in one word. 64 places' bits would mean no digit before the point.
            return Some(eight_digits(whole_digits >> places_bits | wanted) as i64);
        }
        Some(eight_digits(whole_digits) as i64 * POW10[places] + eight_digits(wanted) as i64)
    }

    /// [`Self::decimal_end`] for long texts and for exponents beyond −8, digit by digit.
    ///
    /// Digits above the exponent are gathered, those below must be zeros, so nothing is divided.
    #[cold]
    #[inline(never)]
    fn long_decimal_end(&mut self, exponent: i8) -> Option<i64> {
        let mut places = usize::try_from(-i32::from(exponent)).ok()?;
        // With the places after the point no more than 18 digits.
        let whole_max = 18usize.checked_sub(places)?;
        let start = self.at;
        let mut mantissa = 0i64;
        let mut byte = self.next()?;
        while byte.is_ascii_digit() {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'));
            byte = self.next()?;
        }
        let whole = self.at - start - 1;
        if whole == 0 || whole > whole_max {
            return None;
        }
        if byte == b'.' {
            byte = self.next()?;
            while places > 0 && byte.is_ascii_digit() {
                mantissa = mantissa * 10 + i64::from(byte - b'0');
                places -= 1;
                byte = self.next()?;
            }
            while byte == b'0' {
                byte = self.next()?;
            }
        }
        let text_len = self.at - start - 1;
        (byte == b'"' && text_len <= DECIMAL_TEXT_LEN_MAX).then(|| mantissa * POW10[places])
    }

    /// A level, `["61800.20","2.509"]`, with a price above zero.
    #[inline]
    pub fn level(&mut self, listing: Listing) -> Option<Level> {
        self.literal(b"[\"")?;
        let price = self.decimal_end(listing.price_exponent)?;
        self.literal(b",\"")?;
        let qty = self.decimal_end(listing.qty_exponent)?;
        self.literal(b"]")?;
        (price != 0).then_some(Level::new(price, qty))
    }

    /// An array of levels. `taken` is how many the frame has given before; `out` may be left with some.
    #[inline]
    pub fn levels(&mut self, listing: Listing, taken: usize, out: &mut Vec<Level>) -> Option<()> {
        self.literal(b"[")?;
        if self.literal(b"]").is_some() {
            return Some(());
        }
        loop {
            if taken + out.len() >= FRAME_LEVELS_MAX {
                return None;
            }
            out.push(self.level(listing)?);
            match self.next()? {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }
}

const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);

/// The high bit of each byte that equals the given one. The lowest bit set is exact; bits above it may be set in error.
#[inline]
pub const fn equal_bytes(word: u64, byte: u8) -> u64 {
    let difference = word ^ u64::from_le_bytes([byte; 8]);
    difference.wrapping_sub(u64::from_le_bytes([1; 8])) & !difference & HIGH_BITS
}

/// Eight times the number of digits at the low end of a word whose bytes have been xored with `'0'`: 0 to 64.
#[inline]
const fn digit_bits(word: u64) -> u32 {
    // The high bit of each byte of 10 and above. No byte's sum passes 0xff, so none disturbs the next.
    let others = (((word & !HIGH_BITS) + u64::from_le_bytes([0x80 - 10; 8])) | word) & HIGH_BITS;
    others.trailing_zeros() & !7
}

/// The number that eight digits make, the first one in the lowest byte.
#[inline]
const fn eight_digits(word: u64) -> u64 {
    // Neighbours make numbers of two digits, these of four, these of eight.
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    low.wrapping_add(high) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{InstrumentId, parse_decimal};

    /// Something before the text, so that the frame has eight bytes.
    const HEAD: &str = "{\"some\":";

    /// A decimal with its closing quote, read at the end of the bytes and again with more behind it.
    fn decimal(text: &str, exponent: i8) -> Option<i64> {
        let read = |bytes: &[u8]| {
            let mut printed = Printed::new(bytes, 0);
            let mantissa = printed.decimal_end(exponent)?;
            assert_eq!(printed.at(), text.len(), "{text}");
            Some(mantissa)
        };
        let alone = read(text.as_bytes());
        assert_eq!(read(format!("{text},\"1234567890.1234567890\"],").as_bytes()), alone, "{text}");
        alone
    }

    #[test]
    fn decimals_agree_with_the_general_reader() {
        let seed = 0x0dec_1337_u64;
        println!("seed {seed:#x}");
        let mut random = seed;
        let mut next = |end: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % end
        };
        let mut taken = 0;
        for whole in 0..=20 {
            for fraction in 0..=20 {
                for zeros in [0, 1, 6] {
                    let digits = |len: u64, next: &mut dyn FnMut(u64) -> u64| -> String {
                        (0..len).map(|_| char::from(b'0' + next(10) as u8)).collect()
                    };
                    let whole_text = digits(whole, &mut next);
                    let fraction_text = digits(fraction, &mut next);
                    let mut texts = vec![whole_text.clone()];
                    texts.push(format!("{whole_text}.{fraction_text}{}", "0".repeat(zeros)));
                    // The same with one byte replaced by any other.
                    let mut damaged = texts[1].clone().into_bytes();
                    let at = next(damaged.len() as u64) as usize;
                    damaged[at] = next(128) as u8;
                    texts.extend(String::from_utf8(damaged));
                    for text in texts.iter().filter(|text| !text.contains(['"', '\\'])) {
                        for exponent in -20..=2 {
                            if let Some(mantissa) = decimal(&format!("{text}\""), exponent) {
                                taken += 1;
                                let general = parse_decimal(text.as_bytes(), exponent);
                                assert_eq!(Ok(mantissa), general, "{text} at {exponent}");
                            }
                        }
                    }
                }
            }
        }
        assert!(taken > 5_000, "{taken}");
    }

    #[test]
    fn what_venues_print_takes_the_short_way() {
        for (text, exponent, mantissa) in [
            ("61837.63000000", -2, 6_183_763),
            ("61837.63000000", -8, 6_183_763_000_000),
            ("0.00000000", -8, 0),
            ("25.42618900", -8, 2_542_618_900),
            ("61800.20", -2, 6_180_020),
            ("1001", 0, 1_001),
            ("1001", -3, 1_001_000),
            ("1001.000", 0, 1_001),
            ("61804.7", -1, 618_047),
            ("9999999999.00", -1, 99_999_999_990),
            ("12345678.5", -1, 123_456_785),
            ("0.123456789012", -12, 123_456_789_012),
            ("1.", -2, 100),
        ] {
            assert_eq!(decimal(&format!("{text}\""), exponent), Some(mantissa), "{text} at {exponent}");
        }
        let long = format!("1.{}\"", "0".repeat(DECIMAL_TEXT_LEN_MAX));
        for text in [&long, "", "\"", ".5\"", "-1\"", "1e5\"", "1.2.3\"", "1.55\"", "1", "1."] {
            assert_eq!(decimal(text, -1), None, "{text}");
        }
        for text in ["12345678901234567890\"", "1.5,", "1\u{e9}\"", "1:\"", "1/\"", "0.0000000000000001\""] {
            assert_eq!(decimal(text, -1), None, "{text}");
        }
    }

    #[test]
    fn integers_of_up_to_16_digits_are_read_and_longer_ones_left() {
        for len in 0..=20 {
            let digits = "9876543210123456789055"[..len].to_owned();
            for behind in ["", ",", "}}", ".5", "\"U\":12345678901234567890"] {
                let text = format!("{HEAD}{digits}{behind}");
                let mut printed = Printed::new(text.as_bytes(), HEAD.len());
                let expected = if len <= 16 { digits.parse().ok() } else { None };
                assert_eq!(printed.integer(), expected, "{text}");
                if expected.is_some() {
                    assert_eq!(printed.at(), HEAD.len() + len, "{text}");
                }
            }
        }
    }

    #[test]
    fn strings_end_at_their_quote_and_have_no_backslash() {
        let at_name = |text: &str| {
            let text = format!("{HEAD}{text}");
            let mut printed = Printed::new(text.as_bytes(), HEAD.len());
            let name = printed.string_end().map(<[u8]>::len);
            let at = printed.at() - HEAD.len();
            printed = Printed::new(text.as_bytes(), HEAD.len());
            (name.map(|len| (len, at)), printed.until_at_sign().map(|()| printed.at() - HEAD.len()))
        };
        for len in 0..20 {
            let name = "x".repeat(len);
            assert_eq!(at_name(&format!("{name}\"rest@")), (Some((len, len + 1)), None));
            assert_eq!(at_name(&format!("{name}@kind\"")), (Some((len + 5, len + 6)), Some(len)));
            for other in [name.clone(), format!("{name}\\\"@"), format!("{name}\0\"@")] {
                assert_eq!(at_name(&other), (None, None), "{other}");
            }
        }
    }

    #[test]
    fn levels_stop_at_the_limit_and_at_every_other_form() {
        let listing = Listing { id: InstrumentId(1), price_exponent: -2, qty_exponent: -3 };
        let read = |text: &str, taken| {
            let mut out = Vec::new();
            Printed::new(text.as_bytes(), 0).levels(listing, taken, &mut out).map(|()| out)
        };
        let two = r#"[["61800.20","2.509"],["7","0"]]"#;
        let levels = vec![Level::new(6_180_020, 2_509), Level::new(700, 0)];
        assert_eq!(read(two, 0), Some(levels.clone()));
        assert_eq!(read(two, FRAME_LEVELS_MAX - 2), Some(levels));
        assert_eq!(read(two, FRAME_LEVELS_MAX - 1), None);
        assert_eq!(read("[]", FRAME_LEVELS_MAX), Some(vec![]));
        for text in [
            r#"[["1","2"],]"#,
            r#"[["1","2"]["1","2"]]"#,
            r#"[["0","2"]]"#,
            r#"[["1","2","3"]]"#,
            r#"[["1", "2"]]"#,
            r#"[["1","2"]"#,
            "[[1,2]]",
            "[ ]",
            "{}",
        ] {
            assert_eq!(read(text, 0), None, "{text}");
        }
    }
}
