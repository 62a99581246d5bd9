//! Arrays of `["price","qty"]` pairs to levels: the hot loop of the decoder.

use super::json::{Kind, Scanner, Token};
use super::printed::{Form, Printed};
use super::{DecodeError, FRAME_LEVELS_MAX, Scaled};
use crate::types::{Level, Price, Qty, Route, parse_decimal};

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

    #[test]
    fn stops_at_the_level_limit() {
        let pairs = vec![r#"["1","1"]"#; FRAME_LEVELS_MAX + 1].join(",");
        assert_eq!(read(&format!("[{pairs}]")), Err("decode.too_many_levels"));
        let pairs = &pairs[..pairs.len() - r#",["1","1"]"#.len()];
        assert_eq!(read(&format!("[{pairs}]")).map(|levels| levels.len()), Ok(FRAME_LEVELS_MAX));
    }
}
