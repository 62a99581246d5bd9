//! JSON exactly as venues print it, read eight bytes at a time: no white space, known keys, plain decimals.
//!
//! This is the short way through a frame. It answers `None` for every other form and for every doubt, without saying
//! why; the caller then takes the general way from the start, so that nothing is accepted here which that would refuse,
//! no value differs, and errors have one origin. Words are taken out of the slice and computed on as integers
//! ("SIMD within a register"), so it runs alike on every machine.

use super::FRAME_LEVELS_MAX;
use super::digits::{ZEROS, are_digits, digit_bits, eight_digits, equal_bytes};
use crate::types::{DECIMAL_TEXT_LEN_MAX, Level, Likely, POW10, Route};

/// A position in a frame shorter than 4 GiB. As a `u32` it spares each access the question whether its end overflows.
#[derive(Clone, Copy)]
pub struct Printed<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: u32,
}

impl<'a> Printed<'a> {
    /// Starts at an offset of the frame.
    #[inline]
    pub const fn new(bytes: &'a [u8], at: u32) -> Self {
        Self { bytes, at }
    }

    /// The offset of the next byte.
    #[inline]
    pub const fn at(&self) -> u32 {
        self.at
    }

    /// Whether nothing is left.
    #[inline]
    pub const fn is_at_end(&self) -> bool {
        self.at as usize >= self.bytes.len()
    }

    /// The next bytes, if there are as many.
    #[inline(always)]
    pub(super) fn next<const LEN: usize>(&self) -> Option<&'a [u8; LEN]> {
        let start = self.at as usize;
        self.bytes.get(start..start + LEN)?.first_chunk()
    }

    /// Whether a text comes next.
    #[inline(always)]
    pub fn is_next<const LEN: usize>(&self, text: &[u8; LEN]) -> bool {
        self.next() == Some(text)
    }

    /// Consumes a text if it comes next.
    #[inline(always)]
    pub fn literal<const LEN: usize>(&mut self, text: &[u8; LEN]) -> Option<()> {
        self.is_next(text).then(|| self.at += LEN as u32)
    }

    /// The next eight bytes with the first one lowest, zeros for those beyond the end.
    #[inline(always)]
    pub(super) fn word(&self) -> u64 {
        match self.next() {
            Some(word) => u64::from_le_bytes(*word),
            None => last_words(self.bytes, self.at) as u64,
        }
    }

    /// The next sixteen bytes as two words, zeros for those beyond the end.
    #[inline(always)]
    pub(super) fn words(&self) -> (u64, u64) {
        let words = match self.next() {
            Some(words) => u128::from_le_bytes(*words),
            None => last_words(self.bytes, self.at),
        };
        (words as u64, (words >> 64) as u64)
    }

    /// The rest of a string, consumed with its closing quote. No backslash may be in it.
    #[inline(always)]
    pub fn string_end(&mut self) -> Option<&'a [u8]> {
        let start = self.at as usize;
        loop {
            let word = self.word();
            let found = equal_bytes(word, b'"') | equal_bytes(word, b'\\') | equal_bytes(word, 0);
            if found != 0 {
                self.at += found.trailing_zeros() / 8;
                let text = self.bytes.get(start..self.at as usize)?;
                self.literal(b"\"")?;
                return Some(text);
            }
            self.at += 8;
        }
    }

    /// The rest of a string, consumed with its closing quote, if it is this code.
    #[inline(always)]
    pub fn code_end(&mut self, code: &Likely) -> Option<Route> {
        let (len, route) = code.starts(u128::from_le_bytes(*self.next()?))?;
        self.at += len;
        Some(route)
    }

    /// The part of a string before an `@`, which stays, if it is this code in lower case.
    #[inline(always)]
    pub fn lower_code_until_at_sign(&mut self, code: &Likely) -> Option<()> {
        let len = code.starts_lower(u128::from_le_bytes(*self.next()?))?;
        let behind = Self { at: self.at + len, ..*self };
        behind.is_next(b"@").then(|| *self = behind)
    }

    /// The part of a string before an `@`, which stays.
    #[inline(always)]
    pub fn until_at_sign(&mut self) -> Option<()> {
        loop {
            let word = self.word();
            let found = equal_bytes(word, b'@')
                | equal_bytes(word, b'"')
                | equal_bytes(word, b'\\')
                | equal_bytes(word, 0);
            if found != 0 {
                self.at += found.trailing_zeros() / 8;
                return self.is_next(b"@").then_some(());
            }
            self.at += 8;
        }
    }

    /// An integer of 1 to 16 digits. What follows is not looked at, except that it is no digit.
    #[inline(always)]
    pub fn integer(&mut self) -> Option<u64> {
        let (low, high) = self.words();
        let (low, high) = (low ^ ZEROS, high ^ ZEROS);
        let bits = digit_bits(low);
        if bits < 64 {
            self.at += bits / 8;
            return (bits > 0).then(|| eight_digits(low << (64 - bits)));
        }
        let bits = digit_bits(high);
        self.at += 8 + bits / 8;
        match bits {
            0 => Some(eight_digits(low)),
            64 if digit_bits(self.word() ^ ZEROS) > 0 => None,
            64 => Some(eight_digits(low) * 100_000_000 + eight_digits(high)),
            _ => {
                Some(eight_digits(low) * POW10[bits as usize / 8] as u64 + eight_digits(high << (64 - bits)))
            }
        }
    }

    /// The rest of a string that is a time in seconds of ten digits, a point and six more, in microseconds; consumed with its
    /// closing quote. Of others none, with nothing consumed.
    #[inline(always)]
    pub fn microseconds_end(&mut self) -> Option<u64> {
        let text: &[u8; 18] = self.next()?;
        let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<9>()) else {
            return None;
        };
        // The last two digits before the point, and in its place those behind it.
        let [high, low] = [text[8].wrapping_sub(b'0'), text[9].wrapping_sub(b'0')];
        let (first, last) = (u64::from_le_bytes(*first) ^ ZEROS, last.first_chunk::<8>()?);
        // A digit and the point stand before six digits.
        let last = (u64::from_le_bytes(*last) ^ ZEROS) & !0xFFFF;
        let are_all = high < 10 && low < 10 && text[10] == b'.' && text[17] == b'"';
        if !are_all || !are_digits(first) || !are_digits(last) {
            return None;
        }
        self.at += 18;
        let seconds = eight_digits(first) * 100 + u64::from(high * 10 + low);
        Some(seconds * 1_000_000 + eight_digits(last))
    }

    /// The rest of a string that is digits with at most one point, as a mantissa at the exponent, consumed with its
    /// closing quote. It never needs more than 18 digits, which always fit an `i64`.
    #[inline(always)]
    pub fn decimal_end(&mut self, exponent: i8) -> Option<i64> {
        let (mantissa, at) = match self.short_decimal(exponent) {
            Some(read) => read,
            None => long_decimal(self.bytes, self.at, exponent)?,
        };
        self.at = at;
        Some(mantissa)
    }

    /// [`Self::decimal_end`], quicker when the text has the form of the last one, which must have had the same exponent.
    #[inline(always)]
    fn formed_decimal_end(&mut self, exponent: i8, form: &mut Form) -> Option<i64> {
        if let Some(mantissa) = self.next().and_then(|text| form.read(text)) {
            self.at += form.len;
            return Some(mantissa);
        }
        let start = self.at as usize;
        let mantissa = self.decimal_end(exponent)?;
        *form = Form::of(self.bytes.get(start..self.at as usize)?, exponent);
        Some(mantissa)
    }

    /// A decimal of 1 to 7 digits before the point and, after it, up to 8 digits and no fewer than the exponent asks for;
    /// or of no point. With the offset behind its closing quote.
    #[inline(always)]
    fn short_decimal(&self, exponent: i8) -> Option<(i64, u32)> {
        // Eight times the digits wanted after the point.
        let places_bits = (-8 * i32::from(exponent)) as u32;
        let places = places_bits as usize / 8;
        let (low, high) = self.words();
        let (low, high) = (low ^ ZEROS, high ^ ZEROS);
        // Up to the first byte that has the bit of quote and point, which no digit has. Digits are checked below.
        let whole_bits = (low & MARK_BITS).trailing_zeros().wrapping_sub(MARK_BIT);
        if !(8..=56).contains(&whole_bits) || places_bits > 64 {
            return None;
        }
        // The digits before the point: the last one in the highest byte, zeros below the first.
        let whole = low << (64 - whole_bits);
        let from_mark = low >> whole_bits;
        let mark_at = self.at + whole_bits / 8;
        if from_mark as u8 == QUOTE {
            return are_digits(whole).then(|| (eight_digits(whole) as i64 * POW10[places], mark_at + 1));
        }
        if from_mark as u8 != POINT || places_bits == 0 {
            return None;
        }
        // The eight bytes after the point: the digits wanted, and below them zeros up to the quote.
        let fraction = (from_mark >> 8) | (high << (56 - whole_bits));
        let wanted = fraction << (64 - places_bits);
        let below = (fraction >> (places_bits - 8)) >> 8;
        let quote_at = if below == 0 {
            mark_at + 9
        } else {
            let zeros_bits = below.trailing_zeros() & !7;
            if (below >> zeros_bits) as u8 != QUOTE {
                return None;
            }
            mark_at + 1 + (places_bits + zeros_bits) / 8
        };
        if below == 0 && self.bytes.get(quote_at as usize) != Some(&b'"') {
            return None;
        }
        if whole_bits + places_bits <= 64 {
            let digits = whole >> places_bits | wanted;
            return are_digits(digits).then(|| (eight_digits(digits) as i64, quote_at + 1));
        }
        (are_digits(whole) & are_digits(wanted))
            .then(|| (eight_digits(whole) as i64 * POW10[places] + eight_digits(wanted) as i64, quote_at + 1))
    }

    /// A bare number that is digits with at most one point, as a mantissa at the exponent. What follows is not looked at,
    /// except that it is no digit. `None` for 8 digits and more before the point, for more than 16 behind it, for digits
    /// below the exponent, and for exponents beyond −11.
    #[inline(always)]
    pub fn number(&mut self, exponent: i8) -> Option<i64> {
        let places = usize::try_from(-i32::from(exponent)).ok().filter(|places| *places <= 11)?;
        let (low, high) = self.words();
        let (low, high) = (low ^ ZEROS, high ^ ZEROS);
        let whole_bits = digit_bits(low);
        if whole_bits == 0 || whole_bits > 56 {
            return None;
        }
        // At most 10^7, so that with 11 places it fits.
        let whole = eight_digits(low << (64 - whole_bits)) as i64 * POW10[places];
        let from_mark = low >> whole_bits;
        self.at += whole_bits / 8;
        if from_mark as u8 != POINT {
            return Some(whole);
        }
        let fraction = (from_mark >> 8) | (high << (56 - whole_bits));
        let bits = digit_bits(fraction);
        self.at += 1 + bits / 8;
        let (fraction, len) = match bits {
            0 => return None,
            64 => {
                let more = self.word() ^ ZEROS;
                let more_bits = digit_bits(more);
                if more_bits == 0 {
                    (eight_digits(fraction) as i64, 8)
                } else {
                    self.at += more_bits / 8;
                    let more = eight_digits(more << (64 - more_bits)) as i64;
                    let len = more_bits as usize / 8;
                    if len == 8 && digit_bits(self.word() ^ ZEROS) > 0 {
                        return None;
                    }
                    (eight_digits(fraction) as i64 * POW10[len] + more, 8 + len)
                }
            }
            _ => (eight_digits(fraction << (64 - bits)) as i64, bits as usize / 8),
        };
        match places.checked_sub(len) {
            Some(missing) => Some(whole + fraction * POW10[missing]),
            None => {
                let below = POW10[len - places];
                (fraction % below == 0).then(|| whole + fraction / below)
            }
        }
    }

    /// A level, `["61800.20","2.509"]`, with a price above zero. `form` is that of the last price.
    #[inline]
    pub fn level(&mut self, route: Route, form: &mut Form) -> Option<Level> {
        self.literal(b"[\"")?;
        let level = self.pair(route, form)?;
        self.literal(b"]")?;
        Some(level)
    }

    /// A price above zero and a quantity, between the quotes around both.
    #[inline(always)]
    pub fn pair(&mut self, route: Route, form: &mut Form) -> Option<Level> {
        let price = self.formed_decimal_end(route.price_exponent, form)?;
        self.literal(b",\"")?;
        let qty = self.decimal_end(route.qty_exponent)?;
        (price != 0).then_some(Level::new(price, qty))
    }

    /// An integer as [`Self::integer`] reads it, perhaps below zero.
    #[inline(always)]
    pub fn signed(&mut self) -> Option<i64> {
        let is_below = self.literal(b"-").is_some();
        let integer = self.integer()?.cast_signed();
        Some(if is_below { -integer } else { integer })
    }

    /// An array of levels, appended. `taken` is how many the frame has given before; `out` may be left with some.
    #[inline]
    pub fn levels(&mut self, route: Route, taken: usize, out: &mut Vec<Level>) -> Option<()> {
        // A copy lives in registers.
        let mut text = *self;
        if text.literal(b"[]").is_some() {
            *self = text;
            return Some(());
        }
        text.literal(b"[[\"")?;
        let mut form = Form::NONE;
        let len_max = out.len() + FRAME_LEVELS_MAX.saturating_sub(taken);
        loop {
            if out.len() >= len_max {
                return None;
            }
            out.push(text.pair(route, &mut form)?);
            if text.literal(b"],[\"").is_none() {
                text.literal(b"]]")?;
                *self = text;
                return Some(());
            }
        }
    }
}

/// The form of a decimal text of up to 16 bytes with its quote: where its point is, how long it is, and how many of its
/// digits are wanted.
///
/// Prices of one frame nearly always have one form. The end of a text that has the form of the last one is known before
/// it is read, so the processor goes on to what follows it without waiting for a search.
#[derive(Clone, Copy)]
pub struct Form {
    /// Bytes with the quote.
    len: u32,
    /// Eight times the digits before the point, 8 and above.
    whole_bits: u32,
    /// Eight times the digits wanted after the point, 8 and above; together with the others no more than 64.
    places_bits: u32,
    /// All ones for the bytes that are not among the digits wanted: the point, zeros behind those digits, the quote.
    fixed: u128,
    /// What those bytes are, xored with [`ZEROS`].
    marks: u128,
}

impl Form {
    /// No text has it.
    pub const NONE: Self = Self { len: 0, whole_bits: 8, places_bits: 8, fixed: 0, marks: 1 };

    /// The form of a text with its quote that is a decimal of the exponent; [`Form::NONE`] where this is not for it.
    fn of(text: &[u8], exponent: i8) -> Self {
        let point = text.iter().position(|&byte| byte == b'.').unwrap_or_default();
        let places = exponent.unsigned_abs() as usize;
        let behind = point + 1 + places;
        if point == 0 || places == 0 || point + places > 8 || text.len() <= behind || text.len() > 16 {
            return Self::NONE;
        }
        let below = |bytes: usize| u128::MAX >> (128 - 8 * bytes);
        Self {
            len: text.len() as u32,
            whole_bits: 8 * point as u32,
            places_bits: 8 * places as u32,
            fixed: (below(text.len()) & !below(behind)) | (0xff << (8 * point)),
            marks: (u128::from(POINT) << (8 * point)) | (u128::from(QUOTE) << (8 * (text.len() - 1))),
        }
    }

    /// The mantissa of a text at the head of these bytes, if it has this form.
    #[inline(always)]
    fn read(&self, text: &[u8; 16]) -> Option<i64> {
        let text = u128::from_le_bytes(*text) ^ (u128::from(ZEROS) << 64 | u128::from(ZEROS));
        if text & self.fixed != self.marks {
            return None;
        }
        let whole = (text as u64) << (64 - self.whole_bits) >> self.places_bits;
        let wanted = ((text >> (self.whole_bits + 8)) as u64) << (64 - self.places_bits);
        let digits = whole | wanted;
        are_digits(digits).then(|| eight_digits(digits) as i64)
    }
}

/// What is left of the last sixteen bytes, zeros behind it. Zeros alone in a frame of fewer than sixteen bytes, which is
/// no message.
#[inline(never)]
fn last_words(bytes: &[u8], at: u32) -> u128 {
    let missing = (at as usize + 16).saturating_sub(bytes.len());
    match bytes.last_chunk() {
        Some(words) if missing < 16 => u128::from_le_bytes(*words) >> (8 * missing),
        _ => 0,
    }
}

/// A decimal up to its quote, as [`Printed::decimal_end`], digit by digit: for long texts, for fewer digits than the
/// exponent asks for, and for exponents beyond −8.
///
/// Digits above the exponent are gathered, those below must be zeros, so nothing is divided.
#[cold]
#[inline(never)]
pub(super) fn long_decimal(bytes: &[u8], at: u32, exponent: i8) -> Option<(i64, u32)> {
    let mut places = usize::try_from(-i32::from(exponent)).ok()?;
    // With the places after the point no more than 18 digits.
    let whole_max = 18usize.checked_sub(places)?;
    let text = bytes.get(at as usize..)?;
    let mut rest = text.iter();
    let mut mantissa = 0i64;
    let mut byte = *rest.next()?;
    while byte.is_ascii_digit() {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'));
        byte = *rest.next()?;
    }
    let whole = text.len() - rest.len() - 1;
    if whole == 0 || whole > whole_max {
        return None;
    }
    if byte == b'.' {
        byte = *rest.next()?;
        while places > 0 && byte.is_ascii_digit() {
            mantissa = mantissa * 10 + i64::from(byte - b'0');
            places -= 1;
            byte = *rest.next()?;
        }
        while byte == b'0' {
            byte = *rest.next()?;
        }
    }
    let len = text.len() - rest.len();
    (byte == b'"' && len <= DECIMAL_TEXT_LEN_MAX + 1).then(|| (mantissa * POW10[places], at + len as u32))
}

/// Quote and point as they stand in a word that has been xored with [`ZEROS`]: they have a bit that no digit has.
pub(super) const QUOTE: u8 = b'"' ^ b'0';
pub(super) const POINT: u8 = b'.' ^ b'0';
const MARK_BIT: u32 = 4;
pub(super) const MARK_BITS: u64 = u64::from_le_bytes([1 << MARK_BIT; 8]);
const _: () = assert!(QUOTE >> MARK_BIT == 1 && POINT >> MARK_BIT == 1 && 9 >> MARK_BIT == 0);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::json::Scanner;
    use crate::decode::levels::any_pair;
    use crate::types::{Slot, parse_decimal};

    /// Something before the text, so that the frame has sixteen bytes.
    const HEAD: &str = "{\"something\":true,";

    /// A decimal with its closing quote, read at the end of the bytes and again with more behind it.
    fn decimal(text: &str, exponent: i8) -> Option<i64> {
        let read = |bytes: &[u8]| {
            let mut printed = Printed::new(bytes, 0);
            let mantissa = printed.decimal_end(exponent)?;
            assert_eq!(printed.at() as usize, text.len(), "{text}");
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
                let mut printed = Printed::new(text.as_bytes(), HEAD.len() as u32);
                let expected = if len <= 16 { digits.parse().ok() } else { None };
                assert_eq!(printed.integer(), expected, "{text}");
                if expected.is_some() {
                    assert_eq!(printed.at() as usize, HEAD.len() + len, "{text}");
                }
            }
        }
    }

    #[test]
    fn strings_end_at_their_quote_and_have_no_backslash() {
        let at_name = |text: &str| {
            let text = format!("{HEAD}{text}");
            let mut printed = Printed::new(text.as_bytes(), HEAD.len() as u32);
            let name = printed.string_end().map(<[u8]>::len);
            let at = printed.at() as usize - HEAD.len();
            printed = Printed::new(text.as_bytes(), HEAD.len() as u32);
            (name.map(|len| (len, at)), printed.until_at_sign().map(|()| printed.at() as usize - HEAD.len()))
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
    fn prices_of_one_form_agree_with_the_general_reader() {
        let seed = 0xf0f_u64;
        println!("seed {seed:#x}");
        let mut random = seed;
        let mut next = |end: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % end
        };
        let (mut taken, mut formed) = (0, 0);
        for _ in 0..20_000 {
            let (price_places, qty_places) = (next(10), next(10));
            let route = Route {
                slot: Slot(1),
                price_exponent: -(price_places as i8),
                qty_exponent: -(qty_places as i8),
            };
            let (whole, fraction) = (next(9), next(10));
            let mut digits =
                |len: usize| -> String { (0..len).map(|_| char::from(b'0' + next(10) as u8)).collect() };
            let mut pairs = Vec::new();
            for _ in 0..3 {
                let price = format!("{}.{:0<fraction$}", digits(whole), digits(fraction.min(price_places)));
                let qty = format!("{}.{}", digits(2), digits(qty_places));
                pairs.push(format!(r#"["{price}","{qty}"]"#));
            }
            let mut bytes = format!("[{}]", pairs.join(",")).into_bytes();
            if next(3) > 0 {
                let at = next(bytes.len());
                bytes[at] = b".0\"9,]/:pA\x80"[next(11)];
            }
            let (mut short, mut general) = (Vec::new(), Vec::new());
            let mut printed = Printed::new(&bytes, 0);
            if printed.levels(route, 0, &mut short).is_some() {
                let mut scanner = Scanner::new(&bytes, 0);
                scanner.open(b'[', "levels").unwrap();
                while scanner.more(general.is_empty(), b']').unwrap() {
                    general.push(any_pair(&mut scanner, &bytes, route).unwrap());
                }
                assert_eq!((short, printed.at()), (general, scanner.at()), "{}", bytes.escape_ascii());
                let end = bytes.iter().skip(3).position(|&byte| byte == b'"').unwrap_or_default() + 4;
                taken += 1;
                formed += usize::from(Form::of(&bytes[3..end], route.price_exponent).len > 0);
            }
        }
        assert!(taken > 2_000 && formed > 500, "{taken} {formed}");
    }

    #[test]
    fn times_of_one_form_are_read_and_others_left() {
        let time = "1617666423.707689\"";
        let read = |text: &[u8]| {
            let mut printed = Printed::new(text, 0);
            printed.microseconds_end().map(|time| (time, printed.at() as usize)).ok_or(printed.at())
        };
        assert_eq!(read(time.as_bytes()), Ok((1_617_666_423_707_689, time.len())));
        assert_eq!(read(&time.as_bytes()[..17]), Err(0));
        for at in 0..time.len() {
            for byte in 0..=u8::MAX {
                let mut text = time.as_bytes().to_vec();
                text[at] = byte;
                let number = std::str::from_utf8(&text).ok().and_then(|text| text.strip_suffix('"'));
                let halves = number.and_then(|number| number.split_at_checked(10)).filter(|halves| {
                    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
                    are_digits(halves.0) && halves.1.starts_with('.') && are_digits(&halves.1[1..])
                });
                let expected =
                    halves.map(|(whole, behind)| format!("{whole}{}", &behind[1..]).parse().unwrap());
                assert_eq!(read(&text).ok().map(|(time, _)| time), expected, "{}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn levels_stop_at_the_limit_and_at_every_other_form() {
        let route = Route { slot: Slot(1), price_exponent: -2, qty_exponent: -3 };
        let read = |text: &str, taken| {
            let mut out = Vec::new();
            Printed::new(text.as_bytes(), 0).levels(route, taken, &mut out).map(|()| out)
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
