//! Arrays of `["price","qty"]` pairs to levels: the hot loop of the decoder.

use core::slice::Iter;

use super::json::{Kind, Scanner, Token};
use super::{DecodeError, FRAME_LEVELS_MAX, Listing};
use crate::types::{DECIMAL_TEXT_LEN_MAX, Level, Price, Qty, parse_decimal};

/// Reads the array of levels that comes next and appends them. `taken` is how many the frame has given before.
///
/// A pair may hold numbers in place of strings and may hold more items, which are passed over. Prices are above 0,
/// quantities 0 and above. Cost: one pass; grows `out` up to [`FRAME_LEVELS_MAX`] levels.
pub fn read_levels(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    listing: Listing,
    taken: usize,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    scanner.open(b'[', "an array of levels")?;
    let start = out.len();
    let mut first = true;
    while scanner.more(first, b']')? {
        first = false;
        if taken + (out.len() - start) >= FRAME_LEVELS_MAX {
            return Err(DecodeError::TooManyLevels { at: scanner.at() });
        }
        let level = match printed_pair(scanner.rest(), listing) {
            Some((level, len)) => {
                scanner.advance(len);
                level
            }
            None => any_pair(scanner, bytes, listing)?,
        };
        out.push(level);
    }
    Ok(())
}

/// The pair as venues print it, `["61800.20","2.509"]`, at the head of a text: the level and the bytes it took. None
/// for any other form and for every doubt, which the general reader then settles.
#[inline]
fn printed_pair(text: &[u8], listing: Listing) -> Option<(Level, usize)> {
    let mut bytes = text.iter();
    expect(&mut bytes, b'[')?;
    expect(&mut bytes, b'"')?;
    let price = printed_decimal(&mut bytes, listing.price_exponent)?;
    expect(&mut bytes, b',')?;
    expect(&mut bytes, b'"')?;
    let qty = printed_decimal(&mut bytes, listing.qty_exponent)?;
    expect(&mut bytes, b']')?;
    (price != 0).then_some((Level::new(price, qty), text.len() - bytes.len()))
}

#[inline]
fn expect(bytes: &mut Iter<'_, u8>, wanted: u8) -> Option<()> {
    (bytes.next() == Some(&wanted)).then_some(())
}

/// Digits with at most one point, as a mantissa at the exponent, taken together with their closing quote.
///
/// It finds the end and the value in one pass: digits above the exponent are gathered, those below must be zeros, so
/// nothing is divided. None when 18 digits might not hold the value. Reading eight digits at a time was measured
/// slower: the numbers are too short.
#[inline]
fn printed_decimal(bytes: &mut Iter<'_, u8>, exponent: i8) -> Option<i64> {
    let mut places = usize::try_from(-i32::from(exponent)).ok()?;
    // With the places after the point no more than 18 digits, which always fit an `i64`.
    let whole_max = 18usize.checked_sub(places)?;
    let rest_len = bytes.len();
    let mut mantissa = 0i64;
    let mut byte = *bytes.next()?;
    while byte.is_ascii_digit() {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'));
        byte = *bytes.next()?;
    }
    let whole = rest_len - bytes.len() - 1;
    if whole == 0 || whole > whole_max {
        return None;
    }
    if byte == b'.' {
        byte = *bytes.next()?;
        while places > 0 && byte.is_ascii_digit() {
            mantissa = mantissa * 10 + i64::from(byte - b'0');
            places -= 1;
            byte = *bytes.next()?;
        }
        while byte == b'0' {
            byte = *bytes.next()?;
        }
    }
    for _ in 0..places {
        mantissa *= 10;
    }
    let text_len = rest_len - bytes.len() - 1;
    (byte == b'"' && text_len <= DECIMAL_TEXT_LEN_MAX).then_some(mantissa)
}

/// Any pair that JSON allows, with the error that its text deserves.
#[cold]
#[inline(never)]
fn any_pair(scanner: &mut Scanner<'_>, bytes: &[u8], listing: Listing) -> Result<Level, DecodeError> {
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
    let price = price_above_zero(tokens[0], bytes, "price", listing.price_exponent)?;
    let qty = decimal(tokens[1], bytes, "qty", listing.qty_exponent)?;
    Ok(Level { price, qty: Qty(qty) })
}

/// A decimal in a string or as a bare number.
pub fn decimal(token: Token, bytes: &[u8], field: &'static str, exponent: i8) -> Result<i64, DecodeError> {
    match token.kind {
        Kind::String | Kind::Number => parse_decimal(token.of(bytes), exponent)
            .map_err(|cause| DecodeError::BadNumber { at: token.start, field, cause }),
        Kind::Absent => Err(DecodeError::MissingField { field }),
        Kind::EscapedString => Err(DecodeError::Escaped { at: token.start }),
        other => {
            Err(DecodeError::WrongType { at: token.start, field, expected: "a decimal", got: other.name() })
        }
    }
}

/// A decimal that must be above zero.
pub fn price_above_zero(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    exponent: i8,
) -> Result<Price, DecodeError> {
    match decimal(token, bytes, field, exponent)? {
        0 => Err(DecodeError::ZeroPrice { at: token.start }),
        price => Ok(Price(price)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::InstrumentId;

    const LISTING: Listing = Listing { id: InstrumentId(1), price_exponent: -2, qty_exponent: -3 };

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

    #[test]
    fn the_short_way_agrees_with_the_general_one() {
        let mut random = 0u64;
        for whole in 0..=20u32 {
            for fraction in 0..=20 {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let digit = |i: u32| char::from(b'0' + (random.rotate_left(i * 5) % 10) as u8);
                let whole_text: String = (0..whole).map(digit).collect();
                let fraction_text: String = (whole..whole + fraction).map(digit).collect();
                for text in [whole_text.clone(), format!("{whole_text}.{fraction_text}000000")] {
                    let quoted = format!("{text}\"");
                    for exponent in -18..=2 {
                        if let Some(mantissa) = printed_decimal(&mut quoted.as_bytes().iter(), exponent) {
                            assert_eq!(
                                Ok(mantissa),
                                parse_decimal(text.as_bytes(), exponent),
                                "{text} at {exponent}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_venues_print_takes_the_short_way() {
        for (text, exponent) in [
            ("61837.63000000", -2),
            ("0.00000000", -8),
            ("25.42618900", -8),
            ("61800.20", -2),
            ("1001", 0),
            ("61804.7", -1),
            ("9999999999.00", -1),
        ] {
            assert!(
                printed_decimal(&mut format!("{text}\"").as_bytes().iter(), exponent).is_some(),
                "{text}"
            );
        }
        let long = format!("1.{}\"", "0".repeat(DECIMAL_TEXT_LEN_MAX));
        for text in [
            long.as_str(),
            "",
            "\"",
            ".5\"",
            "-1\"",
            "1e5\"",
            "1.2.3\"",
            "1.55\"",
            "1",
            "1.",
            "12345678901234567890\"",
        ] {
            assert!(printed_decimal(&mut text.as_bytes().iter(), -1).is_none(), "{text}");
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
