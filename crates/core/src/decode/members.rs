//! The members of JSON objects that count, and what their values are.

use super::json::{Kind, Scanner, Token, unescape};
use super::levels::{computed, decimal, price_above_zero};
use super::{DecodeError, FRAME_LEVELS_MAX, SYMBOL_BYTES_MAX, Scaled, SymbolText};
use crate::types::{Decimal, DecimalError, Level, ORDER_TEXT_BYTES_MAX, Price, Qty, Route, Routes, TimeNs};

/// The values of some keys of the object that comes next, in the order of the keys. Others are passed over; a key that
/// comes twice is an error, since either value could be the wrong one.
pub(crate) fn members<const N: usize>(
    scanner: &mut Scanner<'_>,
    bytes: &[u8],
    keys: &[&'static str; N],
) -> Result<[Token; N], DecodeError> {
    let mut tokens = [Token::default(); N];
    scanner.open(b'{', "an object")?;
    let mut first = true;
    while scanner.more(first, b'}')? {
        first = false;
        let key = scanner.key()?;
        if key.kind == Kind::EscapedString {
            return Err(DecodeError::Escaped { at: key.start });
        }
        let token = scanner.value()?;
        let text = key.of(bytes);
        let wanted = keys.iter().zip(&mut tokens).find(|(name, _)| name.as_bytes() == text);
        if let Some((field, place)) = wanted {
            if place.kind != Kind::Absent {
                return Err(DecodeError::DuplicateField { at: token.start, field });
            }
            *place = token;
        }
    }
    Ok(tokens)
}

/// Gives each item of an array to `item`, which reads it.
pub(crate) fn items(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    mut item: impl FnMut(&mut Scanner<'_>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    is(token, Kind::Array, field, "an array")?;
    let mut scanner = Scanner::new(bytes, token.start as usize);
    scanner.open(b'[', "an array")?;
    let mut first = true;
    while scanner.more(first, b']')? {
        first = false;
        item(&mut scanner)?;
    }
    Ok(())
}

/// Appends levels that are objects: `keys` of their price and quantity, other keys are passed over. `taken`: levels of the
/// frame so far.
pub(crate) fn level_objects(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    keys: &[&'static str; 2],
    route: Route,
    taken: usize,
    out: &mut Vec<Level>,
) -> Result<(), DecodeError> {
    let start = out.len();
    let [price_key, qty_key] = *keys;
    items(token, bytes, field, |scanner| {
        if taken + (out.len() - start) >= FRAME_LEVELS_MAX {
            return Err(DecodeError::TooManyLevels { at: scanner.at() });
        }
        let [price, qty] = members(scanner, bytes, keys)?;
        let price = price_above_zero(price, bytes, price_key, route.price_exponent)?;
        let qty = decimal(qty, bytes, qty_key, route.qty_exponent, Scaled::Qty)?;
        out.push(Level { price, qty: Qty(qty) });
        Ok(())
    })
}

/// The values of an array, the first `N` of them; and how many there are.
pub(crate) fn values<const N: usize>(scanner: &mut Scanner<'_>) -> Result<([Token; N], usize), DecodeError> {
    scanner.open(b'[', "an array")?;
    let (mut tokens, mut count) = ([Token::default(); N], 0);
    while scanner.more(count == 0, b']')? {
        let token = scanner.value()?;
        if let Some(place) = tokens.get_mut(count) {
            *place = token;
        }
        count += 1;
    }
    Ok((tokens, count))
}

/// Reads each entry of a message's array, which gives the symbol of one that is not carried. Those are passed over, unless all
/// are.
pub(crate) fn each(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    mut entry: impl FnMut(&mut Scanner<'_>) -> Result<Option<SymbolText>, DecodeError>,
) -> Result<(), DecodeError> {
    let (mut carried, mut foreign) = (false, None);
    items(token, bytes, field, |scanner| {
        match entry(scanner)? {
            Some(symbol) => foreign = Some(symbol),
            None => carried = true,
        }
        Ok(())
    })?;
    match foreign {
        Some(symbol) if !carried => Err(DecodeError::UnknownSymbol { symbol }),
        _ => Ok(()),
    }
}

/// That a value is of a kind.
pub(crate) fn is(
    token: Token,
    kind: Kind,
    field: &'static str,
    expected: &'static str,
) -> Result<(), DecodeError> {
    match token.kind {
        found if found == kind => Ok(()),
        Kind::Absent => Err(DecodeError::MissingField { field }),
        Kind::EscapedString => Err(DecodeError::Escaped { at: token.start }),
        other => Err(DecodeError::WrongType { at: token.start, field, expected, got: other.name() }),
    }
}

/// A text without escapes.
pub(crate) fn text<'a>(token: Token, bytes: &'a [u8], field: &'static str) -> Result<&'a [u8], DecodeError> {
    is(token, Kind::String, field, "a string")?;
    Ok(token.of(bytes))
}

/// A text that names an order.
pub(crate) fn order_text<'a>(
    token: Token,
    bytes: &'a [u8],
    field: &'static str,
) -> Result<&'a [u8], DecodeError> {
    let name = text(token, bytes, field)?;
    if (1..=ORDER_TEXT_BYTES_MAX).contains(&name.len()) {
        return Ok(name);
    }
    let got = if name.is_empty() { "an empty one" } else { "a longer one" };
    Err(DecodeError::WrongType { at: token.start, field, expected: "a text of 1 to 40 bytes", got })
}

/// A word that nothing depends on, as the name of an asset; empty where the venue does not say. Bytes that are no text are marked.
pub(crate) fn word(token: Token, bytes: &[u8]) -> Box<str> {
    if token.kind == Kind::String { String::from_utf8_lossy(token.of(bytes)).into() } else { Box::default() }
}

/// An integer of 0 and above, printed as a number or in quotes.
pub(crate) fn unsigned(token: Token, bytes: &[u8], field: &'static str) -> Result<u64, DecodeError> {
    if token.kind != Kind::String {
        is(token, Kind::Number, field, "an integer")?;
    }
    let digits = token.of(bytes);
    let bad = |cause| DecodeError::BadNumber { at: token.start, field, cause, scaled: Scaled::No };
    match super::leading_digits(digits) {
        None => Err(bad(DecimalError::Overflow)),
        Some((_, 0)) => Err(bad(DecimalError::Empty)),
        Some((value, len)) if len == digits.len() => Ok(value),
        Some((_, len)) => Err(bad(DecimalError::BadByte(len.min(255) as u8))),
    }
}

/// A decimal that may be below zero.
pub(crate) fn signed(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    exponent: i8,
) -> Result<i64, DecodeError> {
    let is_negative = token.of(bytes).first() == Some(&b'-');
    let start = token.start + u32::from(is_negative);
    let magnitude = decimal(Token { start, ..token }, bytes, field, exponent, Scaled::No)?;
    Ok(if is_negative { -magnitude } else { magnitude })
}

/// An integer of 32 bits that may be below zero, printed as a number.
pub(crate) fn signed_32(token: Token, bytes: &[u8], field: &'static str) -> Result<i32, DecodeError> {
    is(token, Kind::Number, field, "an integer")?;
    let cause = DecimalError::Overflow;
    let value = signed(token, bytes, field, 0)?;
    i32::try_from(value).map_err(|_| DecodeError::BadNumber {
        at: token.start,
        field,
        cause,
        scaled: Scaled::No,
    })
}

/// As [`unsigned`], of 32 bits.
pub(crate) fn unsigned_32(token: Token, bytes: &[u8], field: &'static str) -> Result<u32, DecodeError> {
    let cause = DecimalError::Overflow;
    let value = unsigned(token, bytes, field)?;
    u32::try_from(value).map_err(|_| DecodeError::BadNumber {
        at: token.start,
        field,
        cause,
        scaled: Scaled::No,
    })
}

/// The symbol of a message with its way. `None` for one that is not carried.
pub(crate) fn symbol(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    routes: &Routes,
) -> Result<(Option<Route>, SymbolText), DecodeError> {
    let mut plain = [0; SYMBOL_BYTES_MAX];
    let symbol = match token.kind {
        // A slash may be escaped.
        Kind::EscapedString => {
            unescape(token.of(bytes), &mut plain).map_err(|_| DecodeError::Escaped { at: token.start })?
        }
        _ => text(token, bytes, field)?,
    };
    if symbol.len() > SYMBOL_BYTES_MAX {
        return Err(DecodeError::SymbolTooLong { at: token.start, len: symbol.len() as u32 });
    }
    Ok((routes.find(symbol), SymbolText::new(symbol)))
}

/// Decimals of a statistic beyond which it counts as computed: they would make the scale of a whole book finer for nothing.
const STATISTIC_DIGITS: usize = 9;

/// A decimal without the digits behind the ninth decimal; none where there is no number: nothing, an empty text, an infinity.
fn statistic(token: Token, bytes: &[u8]) -> Option<Token> {
    let digits = token.of(bytes);
    let is_number = matches!(token.kind, Kind::String | Kind::Number)
        && digits.iter().any(u8::is_ascii_digit)
        && digits.is_ascii();
    let point = digits.iter().position(|byte| *byte == b'.').filter(|_| !digits.contains(&b'e'));
    let len = point.map_or(digits.len(), |point| digits.len().min(point + 1 + STATISTIC_DIGITS));
    is_number.then_some(Token { end: token.start + len as u32, ..token })
}

/// A price that is told beside books, such as a mark price, as a mantissa at the instrument's exponent. One of nine decimals
/// at most may make that finer. A longer one has been computed and is cut at the exponent: it says nothing of the digits of
/// the instrument. None where there is no number.
pub(crate) fn price_statistic(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    route: Route,
) -> Result<Option<Price>, DecodeError> {
    Ok(scaled_statistic(token, bytes, field, route.price_exponent, Scaled::Price)?.map(Price))
}

/// The same of a quantity.
pub(crate) fn qty_statistic(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    route: Route,
) -> Result<Option<Qty>, DecodeError> {
    Ok(scaled_statistic(token, bytes, field, route.qty_exponent, Scaled::Qty)?.map(Qty))
}

fn scaled_statistic(
    token: Token,
    bytes: &[u8],
    field: &'static str,
    exponent: i8,
    scaled: Scaled,
) -> Result<Option<i64>, DecodeError> {
    let Some(kept) = statistic(token, bytes) else { return Ok(None) };
    let read = if kept.end < token.end {
        computed(kept, bytes, field, exponent)
    } else {
        decimal(token, bytes, field, exponent, scaled)
    };
    read.map(Some)
}

/// A ratio, which may be below zero, in 1e-9. None where there is no number.
pub(crate) fn billionths(
    token: Token,
    bytes: &[u8],
    field: &'static str,
) -> Result<Option<i64>, DecodeError> {
    let Some(token) = statistic(token, bytes) else { return Ok(None) };
    let is_below = token.of(bytes).first() == Some(&b'-');
    let token = Token { start: token.start + u32::from(is_below), ..token };
    let ratio = decimal(token, bytes, field, -9, Scaled::No)?;
    Ok(Some(if is_below { -ratio } else { ratio }))
}

/// A decimal with as few digits as hold it, printed as a number or in quotes: an increment, a size, a strike.
pub(crate) fn exact(token: Token, bytes: &[u8], field: &'static str) -> Result<Decimal, DecodeError> {
    if token.kind != Kind::String {
        is(token, Kind::Number, field, "a decimal")?;
    }
    Decimal::parse(token.of(bytes)).map_err(|cause| DecodeError::BadNumber {
        at: token.start,
        field,
        cause,
        scaled: Scaled::No,
    })
}

/// A time in milliseconds, printed as a number or in quotes, in nanoseconds.
pub(crate) fn milliseconds(token: Token, bytes: &[u8], field: &'static str) -> Result<TimeNs, DecodeError> {
    unsigned(token, bytes, field)?.checked_mul(1_000_000).ok_or(DecodeError::BadNumber {
        at: token.start,
        field,
        cause: DecimalError::Overflow,
        scaled: Scaled::No,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Slot;

    #[test]
    fn a_word_is_a_text_or_empty() {
        for (text, is) in [("\"BTC\"", "BTC"), ("\"\"", ""), ("null", ""), ("[\"BTC\"]", ""), ("7", "")] {
            let token = Scanner::new(text.as_bytes(), 0).value().unwrap();
            assert_eq!(&*word(token, text.as_bytes()), is, "{text}");
        }
        assert_eq!(&*word(Token::default(), b"{}"), "");
    }

    #[test]
    fn statistics_have_nine_decimals_or_are_none() {
        let read = |text: &str| {
            let token = Scanner::new(text.as_bytes(), 0).value().unwrap();
            billionths(token, text.as_bytes(), "x").map_err(|error| error.code())
        };
        for (text, ratio) in [
            ("\"0.7794507758\"", Some(779_450_775)),
            ("\"-16.4798150221\"", Some(-16_479_815_022)),
            ("0.0001", Some(100_000)),
            ("\"1e-7\"", Some(100)),
            ("-5", Some(-5_000_000_000)),
            ("\"\"", None),
            ("\"\u{221e}\"", None),
            ("null", None),
        ] {
            assert_eq!(read(text), Ok(ratio), "{text}");
        }
        assert_eq!(read("\"1x\""), Err("decode.bad_number"));
        let route = Route { slot: Slot(0), price_exponent: -9, qty_exponent: 0 };
        let text = b"\"3.8005764218904408\"";
        let token = Scanner::new(text, 0).value().unwrap();
        assert_eq!(price_statistic(token, text, "markPx", route), Ok(Some(Price(3_800_576_421))));
        let coarse = Route { price_exponent: -1, ..route };
        assert_eq!(price_statistic(token, text, "markPx", coarse), Ok(Some(Price(38))));
        let short = Token { end: token.start + 6, ..token };
        assert!(
            price_statistic(short, text, "markPx", coarse).is_err(),
            "3.8005 shows digits of the instrument"
        );
    }
}
