//! Arrays of `["price","qty"]` pairs to levels: the hot loop of the decoder.

use super::json::{Kind, Scanner, Token};
use super::printed::{Form, Printed};
use super::{DecodeError, FRAME_LEVELS_MAX, Scaled, decimal_digits};
use crate::types::{DecimalError, Level, POW10, Price, Qty, Route, parse_decimal};

/// Most decimals that an increment may have.
const DIGITS_MAX: usize = 18;

/// Reads the array of levels that comes next and appends them. `taken` is how many the frame has given before.
///
/// A pair may hold numbers in place of strings and may hold more items, which are passed over. Prices are above 0,
/// quantities 0 and above. Cost: one pass; grows `out` up to [`FRAME_LEVELS_MAX`] levels.
pub fn read_levels(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    route: Route,
    taken: usize,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    scanner.open(b'[', "an array of levels")?;
    let start = out.len();
    let mut form = Form::NONE;
    let mut first = true;
    while scanner.more(first, b']')? {
        first = false;
        if taken + (out.len() - start) >= FRAME_LEVELS_MAX {
            return Err(DecodeError::TooManyLevels { at: scanner.at() });
        }
        let mut printed = Printed::new(bytes, scanner.at());
        let level = match printed.level(route, &mut form) {
            Some(level) => {
                scanner.move_to(printed.at());
                level
            }
            None => any_pair(scanner, bytes, route)?,
        };
        out.push(level);
    }
    Ok(())
}

/// Any pair that JSON allows, with the error that its text deserves.
#[cold]
#[inline(never)]
pub(super) fn any_pair(scanner: &mut Scanner<'_>, bytes: &[u8], route: Route) -> Result<Level, DecodeError> {
    let got = scanner.peek()?;
    let at = scanner.at();
    if got != b'[' {
        // Cut or broken JSON is named as such; a whole value of another type is a bad level.
        scanner.value()?;
        return Err(DecodeError::BadLevel { at });
    }
    scanner.open(b'[', "a level")?;
    let mut tokens = [Token::default(); 2];
    let mut count = 0;
    while scanner.more(count == 0, b']')? {
        let token = scanner.value()?;
        if let Some(slot) = tokens.get_mut(count) {
            *slot = token;
        }
        count += 1;
    }
    if count < 2 {
        return Err(DecodeError::BadLevel { at });
    }
    let price = price_above_zero(tokens[0], bytes, "price", route.price_exponent)?;
    let qty = decimal(tokens[1], bytes, "qty", route.qty_exponent, Scaled::Qty)?;
    Ok(Level { price, qty: Qty(qty) })
}

/// A decimal in a string or as a bare number.
pub fn decimal(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    exponent: i8,
    scaled: Scaled,
) -> Result<i64, DecodeError> {
    match token.kind {
        Kind::String | Kind::Number => parse_decimal(token.of(bytes), exponent)
            .map_err(|cause| DecodeError::BadNumber { at: token.start, field, cause, scaled }),
        Kind::Absent => Err(DecodeError::MissingField { field }),
        Kind::EscapedString => Err(DecodeError::Escaped { at: token.start }),
        other => {
            Err(DecodeError::WrongType { at: token.start, field, expected: "a decimal", got: other.name() })
        }
    }
}

/// As [`decimal`], and below zero too: the price of a combination, a rate.
pub fn signed_decimal(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    exponent: i8,
    scaled: Scaled,
) -> Result<i64, DecodeError> {
    if token.of(bytes).first() != Some(&b'-') {
        return decimal(token, bytes, field, exponent, scaled);
    }
    let magnitude = Token { start: token.start + 1, ..token };
    // A second sign is none of a number.
    if magnitude.of(bytes).first() == Some(&b'-') {
        let cause = DecimalError::BadByte(1);
        return Err(DecodeError::BadNumber { at: token.start, field, cause, scaled });
    }
    decimal(magnitude, bytes, field, exponent, scaled).map(|value| -value)
}

/// A ratio in 1e-9, toward zero where it has finer digits; `decimals_more`: by as many decimals what is printed is greater, as
/// a percentage is by two.
pub fn ratio_e9(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    decimals_more: u8,
) -> Result<i64, DecodeError> {
    computed(token, bytes, field, -9 + decimals_more as i8)
}

/// A number that somebody has computed, such as a mark price or a sum, toward zero where it has finer digits: those say nothing
/// of the instrument's. It may be below zero.
pub fn computed(token: Token, bytes: &[u8], field: &'static str, exponent: i8) -> Result<i64, DecodeError> {
    match signed_decimal(token, bytes, field, exponent, Scaled::No) {
        Err(DecodeError::BadNumber { cause: DecimalError::Inexact, .. }) => {
            Ok(toward_zero(token.of(bytes), exponent))
        }
        read => read,
    }
}

/// The first 18 digits of a decimal that is one, toward zero.
#[cold]
fn toward_zero(text: &[u8], exponent: i8) -> i64 {
    let power_at = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (digits, power) = text.split_at(power_at.unwrap_or(text.len()));
    let power = power.get(1..).unwrap_or_default();
    let power_size = power
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .fold(0i32, |size, byte| (size * 10 + i32::from(byte - b'0')).min(9_999));
    let mut power = if power.starts_with(b"-") { -power_size } else { power_size };
    let (mut mantissa, mut is_fraction) = (0i64, false);
    for byte in digits {
        match byte {
            b'.' => is_fraction = true,
            b'0'..=b'9' if mantissa < POW10[17] => {
                mantissa = mantissa * 10 + i64::from(byte - b'0');
                power -= i32::from(is_fraction);
            }
            b'0'..=b'9' => power += i32::from(!is_fraction),
            _ => {}
        }
    }
    // It is inexact, so that digits are left out.
    let left_out = usize::try_from(i32::from(exponent) - power).unwrap_or(0);
    let magnitude = POW10.get(left_out).map_or(0, |by| mantissa / by);
    if text.starts_with(b"-") { -magnitude } else { magnitude }
}

/// A decimal that must be above zero.
pub fn price_above_zero(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    exponent: i8,
) -> Result<Price, DecodeError> {
    match decimal(token, bytes, field, exponent, Scaled::Price)? {
        0 => Err(DecodeError::ZeroPrice { at: token.start }),
        price => Ok(Price(price)),
    }
}

/// Decimals of an increment, and its mantissa; zeros where it is absent or empty.
pub fn increment(token: Token, bytes: &[u8], field: &'static str) -> Result<(u8, i64), DecodeError> {
    if token.kind == Kind::Absent || token.of(bytes).is_empty() {
        return Ok((0, 0));
    }
    let digits = decimal_digits(token.of(bytes)).map_or(0, |(_, places)| places.min(DIGITS_MAX)) as u8;
    Ok((digits, decimal(token, bytes, field, -(digits as i8), Scaled::No)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Slot;

    const LISTING: Route = Route { slot: Slot(1), price_exponent: -2, qty_exponent: -3 };

    fn read(text: &str) -> Result<Vec<(i64, i64)>, &'static str> {
        let mut out = Vec::new();
        let mut scanner = Scanner::new(text.as_bytes(), 0);
        read_levels(&mut scanner, text.as_bytes(), LISTING, 0, &mut out).map_err(|error| error.code())?;
        Ok(out.iter().map(|level| (level.price.0, level.qty.0)).collect())
    }

    #[test]
    fn reads_each_form_of_a_pair() {
        for (text, levels) in [
            ("[]", vec![]),
            (r#"[["61800.20","2.509"]]"#, vec![(6_180_020, 2_509)]),
            (r#"[["61800.2","0"],["7","1.5000000000"]]"#, vec![(6_180_020, 0), (700, 1_500)]),
            (r#" [ [ "1" , "2" ] , [3,4.5] ] "#, vec![(100, 2_000), (300, 4_500)]),
            (r#"[["1.","2."]]"#, vec![(100, 2_000)]),
            (r#"[["1e2",2E-3,"more",[{"x":[]}]]]"#, vec![(10_000, 2)]),
            (r#"[["00000000000000000000001","0.000"]]"#, vec![(100, 0)]),
            (r#"[["92233720368547758.07","-0"]]"#, vec![(i64::MAX, 0)]),
        ] {
            assert_eq!(read(text), Ok(levels), "{text}");
        }
    }

    #[test]
    fn refuses_each_bad_pair_with_its_reason() {
        for (text, code) in [
            (r#"[["1","2"]"#, "decode.truncated"),
            (r#"[["1","2"#, "decode.truncated"),
            (r#"[["1""#, "decode.truncated"),
            (r#"[["1","2"],]"#, "decode.not_json"),
            (r#"[["1","2"]["3","4"]]"#, "decode.not_json"),
            (r#"[["1""2"]]"#, "decode.not_json"),
            ("{}", "decode.not_json"),
            ("[1]", "decode.bad_level"),
            (r#"[{"p":1}]"#, "decode.bad_level"),
            ("[[]]", "decode.bad_level"),
            (r#"[["1"]]"#, "decode.bad_level"),
            (r#"[["0","2"]]"#, "decode.zero_price"),
            (r#"[["0.00","2"]]"#, "decode.zero_price"),
            (r#"[["-1","2"]]"#, "decode.negative"),
            (r#"[["1","-2"]]"#, "decode.negative"),
            (r#"[["1.001","2"]]"#, "decode.inexact"),
            (r#"[["1","2.0001"]]"#, "decode.inexact"),
            (r#"[["1e99","2"]]"#, "decode.overflow"),
            (r#"[["92233720368547758.08","2"]]"#, "decode.overflow"),
            (r#"[["","2"]]"#, "decode.bad_number"),
            (r#"[[".","2"]]"#, "decode.bad_number"),
            (r#"[["1.2.3","2"]]"#, "decode.bad_number"),
            (r#"[["1,5","2"]]"#, "decode.bad_number"),
            (r#"[["0x1","2"]]"#, "decode.bad_number"),
            (r#"[[null,"2"]]"#, "decode.wrong_type"),
            (r#"[["\u0031","2"]]"#, "decode.escaped"),
        ] {
            assert_eq!(read(text), Err(code), "{text}");
        }
    }

    fn number(text: &str) -> (Token, &[u8]) {
        (Token { kind: Kind::Number, start: 0, end: text.len() as u32 }, text.as_bytes())
    }

    #[test]
    fn numbers_below_zero_are_read_where_they_are_meant() {
        for (text, expected) in [
            ("-13.5", Ok(-1_350)),
            ("13.5", Ok(1_350)),
            ("0.0", Ok(0)),
            ("-0", Ok(0)),
            ("-1e1", Ok(-1_000)),
            ("--1", Err("decode.bad_number")),
            ("-", Err("decode.bad_number")),
            ("-0.001", Err("decode.inexact")),
        ] {
            let (token, bytes) = number(text);
            let read = signed_decimal(token, bytes, "price", -2, Scaled::Price);
            assert_eq!(read.map_err(|error| error.code()), expected, "{text}");
        }
    }

    #[test]
    fn ratios_are_cut_to_a_billionth() {
        for (text, decimals_more, expected) in [
            ("0.00001742", 0, Ok(17_420)),
            ("-8.477e-05", 0, Ok(-84_770)),
            ("0.0028213400122472977", 0, Ok(2_821_340)),
            ("-0.0000000019", 0, Ok(-1)),
            ("-1.64029", 0, Ok(-1_640_290_000)),
            ("120.74", 2, Ok(1_207_400_000)),
            ("80.123456789", 2, Ok(801_234_567)),
            ("1.25e-10", 0, Ok(0)),
            ("7e-05", 0, Ok(70_000)),
            ("1e19", 0, Err("decode.overflow")),
            ("x", 0, Err("decode.bad_number")),
        ] {
            let (token, bytes) = number(text);
            let read = ratio_e9(token, bytes, "ratio", decimals_more).map_err(|error| error.code());
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn what_is_computed_is_cut_where_the_instrument_ends() {
        for (text, exponent, expected) in [
            ("21979.68641534714", -1, Ok(219_796)),
            ("-21979.68641534714", 0, Ok(-21_979)),
            ("9.12345678901234e-06", -10, Ok(91_234)),
            ("1.5E-12", -9, Ok(0)),
            ("123456.5e-3", -2, Ok(12_345)),
            ("0.1234567890123456789", -18, Ok(123_456_789_012_345_678)),
            ("31403908.0", 0, Ok(31_403_908)),
            ("1e-9999", -18, Ok(0)),
            ("1.x", 0, Err("decode.bad_number")),
        ] {
            let (token, bytes) = number(text);
            let read = computed(token, bytes, "markPrice", exponent).map_err(|error| error.code());
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn stops_at_the_level_limit() {
        let pairs = vec![r#"["1","1"]"#; FRAME_LEVELS_MAX + 1].join(",");
        assert_eq!(read(&format!("[{pairs}]")), Err("decode.too_many_levels"));
        let pairs = &pairs[..pairs.len() - r#",["1","1"]"#.len()];
        assert_eq!(read(&format!("[{pairs}]")).map(|levels| levels.len()), Ok(FRAME_LEVELS_MAX));
    }
}
