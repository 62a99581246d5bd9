//! The short way through numbers that are printed with as few digits as say them, so that their lengths vary, and through prices
//! of more than eight digits: as in [`printed`](super::printed), which is for those that all have one form.

use super::FRAME_LEVELS_MAX;
use super::digits::{ZEROS, are_digits, digit_bits, eight_digits};
use super::printed::{MARK_BITS, POINT, Printed, QUOTE, long_decimal};
use crate::types::{Level, POW10, Route};

impl Printed<'_> {
    /// As [`Self::pair`]. `form` is that of prices before it.
    #[inline(always)]
    pub fn varied_pair(&mut self, route: Route, form: &mut VariedForm) -> Option<Level> {
        let price = self.formed_varied_end(route.price_exponent, form)?;
        self.literal(b",\"")?;
        let qty = self.varied_end(route.qty_exponent)?;
        (price != 0).then_some(Level::new(price, qty))
    }

    /// As [`Self::decimal_end`].
    #[inline(always)]
    fn varied_end(&mut self, exponent: i8) -> Option<i64> {
        let (mantissa, at) = match self.varied_decimal(exponent) {
            Some(read) => read,
            None => long_decimal(self.bytes, self.at, exponent)?,
        };
        self.at = at;
        Some(mantissa)
    }

    /// [`Self::varied_end`], quicker when the text has the form of one before, which must have had the same exponent.
    #[inline(always)]
    fn formed_varied_end(&mut self, exponent: i8, form: &mut VariedForm) -> Option<i64> {
        if let Some(mantissa) = self.next().and_then(|text| form.read(text)) {
            self.at += form.len;
            form.is_doubted = false;
            return Some(mantissa);
        }
        let start = self.at as usize;
        let mantissa = self.varied_end(exponent)?;
        // A list of one text needs no form, and one text among others of a form does not change it.
        if form.is_doubted {
            *form = VariedForm::of(self.bytes.get(start..self.at as usize)?, exponent);
        } else {
            form.is_doubted = true;
        }
        Some(mantissa)
    }

    /// A decimal of 1 to 7 digits before the point and, after it, 1 to 8 digits, of which those below the exponent are zeros;
    /// or of no point. With the offset behind its closing quote.
    #[inline(always)]
    fn varied_decimal(&self, exponent: i8) -> Option<(i64, u32)> {
        // Eight times the digits wanted after the point.
        let places_bits = (-8 * i32::from(exponent)) as u32;
        let places = places_bits as usize / 8;
        let (low, high) = self.words();
        let (low, high) = (low ^ ZEROS, high ^ ZEROS);
        // Up to the first byte that has the bit of quote and point, which no digit has. Digits are checked below.
        let whole_bits = (low & MARK_BITS).trailing_zeros() & !7;
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
        // The eight bytes after the point: its digits, and zeros from the quote on.
        let from_point = (from_mark >> 8) | (high << (56 - whole_bits));
        let bits = (from_point & MARK_BITS).trailing_zeros() & !7;
        let (fraction, quote_at) = if bits < 64 {
            if bits == 0 || (from_point >> bits) as u8 != QUOTE {
                return None;
            }
            (from_point & ((1 << bits) - 1), mark_at + 1 + bits / 8)
        } else {
            if self.bytes.get(mark_at as usize + 9) != Some(&b'"') {
                return None;
            }
            (from_point, mark_at + 9)
        };
        // The digits wanted, zeros where there are fewer; those below them must be zeros.
        let wanted = fraction << (64 - places_bits);
        if (fraction >> (places_bits - 8)) >> 8 != 0 {
            return None;
        }
        if whole_bits + places_bits <= 64 {
            let digits = whole >> places_bits | wanted;
            return are_digits(digits).then(|| (eight_digits(digits) as i64, quote_at + 1));
        }
        (are_digits(whole) & are_digits(wanted))
            .then(|| (eight_digits(whole) as i64 * POW10[places] + eight_digits(wanted) as i64, quote_at + 1))
    }

    /// As [`Self::levels`], of such numbers, in levels that may have more items, all of them texts, which are passed over.
    #[inline]
    pub fn longer_levels(&mut self, route: Route, taken: usize, out: &mut Vec<Level>) -> Option<()> {
        let mut text = *self;
        if text.literal(b"[]").is_some() {
            *self = text;
            return Some(());
        }
        text.literal(b"[[\"")?;
        let mut form = VariedForm::NONE;
        let len_max = out.len() + FRAME_LEVELS_MAX.saturating_sub(taken);
        loop {
            if out.len() >= len_max {
                return None;
            }
            out.push(text.varied_pair(route, &mut form)?);
            while text.literal(b",\"").is_some() {
                text.any_end()?;
            }
            if text.literal(b"],[\"").is_none() {
                text.literal(b"]]")?;
                *self = text;
                return Some(());
            }
        }
    }

    /// As [`Self::string_end`], quicker where the string is an integer below 10^7 or empty.
    #[inline(always)]
    fn any_end(&mut self) -> Option<()> {
        let word = self.word() ^ ZEROS;
        let bits = digit_bits(word);
        if bits < 64 && (word >> bits) as u8 == QUOTE {
            self.at += bits / 8 + 1;
            return Some(());
        }
        self.string_end().map(|_| ())
    }
}

/// The form of a decimal text of up to 16 bytes with its quote: where its point is, how long it is, and how many of its
/// digits are wanted.
///
/// Prices of one frame nearly always have one form. The end of a text that has the form of one before is known before it
/// is read, so the processor goes on to what follows it without waiting for a search.
#[derive(Clone, Copy)]
pub struct VariedForm {
    /// Bytes with the quote.
    len: u32,
    /// Eight times the digits before the point, and those wanted after it.
    whole_bits: u32,
    places_bits: u32,
    /// All ones for the bytes that are not among the digits wanted: the point, zeros behind those digits, the quote.
    fixed: u128,
    /// What those bytes are, xored with [`ZEROS`].
    marks: u128,
    /// Whether the last text had another form.
    is_doubted: bool,
}

impl VariedForm {
    /// No text has it.
    pub const NONE: Self =
        Self { len: 0, whole_bits: 8, places_bits: 8, fixed: 0, marks: 1, is_doubted: false };

    /// The form of a text with its quote that is a decimal of the exponent; [`VariedForm::NONE`] where this is not for it.
    fn of(text: &[u8], exponent: i8) -> Self {
        let point = text.iter().position(|&byte| byte == b'.').unwrap_or_default();
        let places = exponent.unsigned_abs() as usize;
        let behind = point + 1 + places;
        if point == 0 || places == 0 || text.len() <= behind || text.len() > 16 {
            return Self::NONE;
        }
        let below = |bytes: usize| u128::MAX >> (128 - 8 * bytes);
        Self {
            len: text.len() as u32,
            whole_bits: 8 * point as u32,
            places_bits: 8 * places as u32,
            fixed: (below(text.len()) & !below(behind)) | (0xff << (8 * point)),
            marks: (u128::from(POINT) << (8 * point)) | (u128::from(QUOTE) << (8 * (text.len() - 1))),
            is_doubted: false,
        }
    }

    /// The mantissa of a text at the head of these bytes, if it has this form.
    #[inline(always)]
    fn read(&self, text: &[u8; 16]) -> Option<i64> {
        let text = u128::from_le_bytes(*text) ^ (u128::from(ZEROS) << 64 | u128::from(ZEROS));
        if text & self.fixed != self.marks {
            return None;
        }
        let bits = self.whole_bits + self.places_bits;
        if bits <= 64 {
            let whole = (text as u64) << (64 - self.whole_bits) >> self.places_bits;
            let wanted = ((text >> (self.whole_bits + 8)) as u64) << (64 - self.places_bits);
            let digits = whole | wanted;
            return are_digits(digits).then(|| eight_digits(digits) as i64);
        }
        // At most 14 digits: those before the point take its place, and all stand at the end.
        let whole = text & ((1 << self.whole_bits) - 1);
        let digits = (whole << 8 | text >> (self.whole_bits + 8) << (self.whole_bits + 8)) << (120 - bits);
        let (first, last) = (digits as u64, (digits >> 64) as u64);
        (are_digits(first) & are_digits(last))
            .then(|| (eight_digits(first) * 100_000_000 + eight_digits(last)) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::json::Scanner;
    use crate::decode::levels::any_pair;
    use crate::types::Slot;

    #[test]
    fn levels_agree_with_the_general_reader() {
        let seed = 0xf0f_u64;
        println!("seed {seed:#x}");
        let mut random = seed;
        let mut next = |end: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % end
        };
        let (mut taken, mut formed) = (0, 0);
        for _ in 0..30_000 {
            let (price_places, qty_places) = (next(14), next(10));
            let route = Route {
                slot: Slot(1),
                price_exponent: -(price_places as i8),
                qty_exponent: -(qty_places as i8),
            };
            let (whole, fraction) = (1 + next(9), next(price_places + 2));
            let mut digits =
                |len: usize| -> String { (0..len).map(|_| char::from(b'0' + next(10) as u8)).collect() };
            let mut pairs = Vec::new();
            // The form is known behind the second one.
            for at in 0..5 {
                let price = match (at, fraction) {
                    (3, _) | (_, 0) => digits(whole),
                    _ => format!("{}.{}", digits(whole), digits(fraction)),
                };
                let qty = match at % 2 {
                    0 => digits(1 + at * 2),
                    _ => format!("{}.{}", digits(2), digits(1 + qty_places / 2)),
                };
                pairs.push(format!(r#"["{price}","{qty}","0","{}"]"#, digits(2)));
            }
            let mut bytes = format!("[{}]", pairs.join(",")).into_bytes();
            if next(3) == 0 {
                let at = next(bytes.len());
                bytes[at] = b".0\"9,]/:pA\x80"[next(11)];
            }
            let (mut short, mut general) = (Vec::new(), Vec::new());
            let mut printed = Printed::new(&bytes, 0);
            if printed.longer_levels(route, 0, &mut short).is_some() {
                let mut scanner = Scanner::new(&bytes, 0);
                scanner.open(b'[', "levels").unwrap();
                while scanner.more(general.is_empty(), b']').unwrap() {
                    general.push(any_pair(&mut scanner, &bytes, route).unwrap());
                }
                assert_eq!((short, printed.at()), (general, scanner.at()), "{}", bytes.escape_ascii());
                let end = bytes.iter().skip(3).position(|&byte| byte == b'"').unwrap_or_default() + 4;
                taken += 1;
                formed += usize::from(VariedForm::of(&bytes[3..end], route.price_exponent).len > 0);
            }
        }
        assert!(taken > 2_000 && formed > 500, "{taken} {formed}");
    }

    #[test]
    fn more_items_of_levels_are_passed_over_if_they_are_texts() {
        let route = Route { slot: Slot(1), price_exponent: -2, qty_exponent: -3 };
        let read = |text: &str| {
            let mut out = Vec::new();
            let text = format!("{text},\"ts\":\"1646003667640\"");
            Printed::new(text.as_bytes(), 0).longer_levels(route, 0, &mut out).map(|()| out.len())
        };
        for more in ["", r#","0""#, r#","0","4""#, r#","","1234567""#, r#","12345678","x","a longer text""#] {
            assert_eq!(read(&format!(r#"[["1","2"{more}],["3","4"{more}]]"#)), Some(2), "{more}");
        }
        for more in [r#","0"#, r#","0",4"#, r#","0","4""5""#, r#","0\"","4""#, r#","0" ,"4""#, r#",null"#] {
            assert_eq!(read(&format!(r#"[["1","2"{more}],["3","4"{more}]]"#)), None, "{more}");
        }
    }
}
