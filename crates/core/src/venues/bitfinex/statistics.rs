//! Tickers, the status of derivatives, liquidations.

use super::book::signed;
use super::trade::time_ns;
use crate::decode::json::{Kind, Scanner, Token};
use crate::decode::members::{is, items, symbol, unsigned, values};
use crate::decode::{DecodeError, Scaled};
use crate::types::{
    Aggressor, Body, DecimalError, Events, Price, Qty, Route, Routes, Side, Ticker, TimeNs, Trade, TradeId,
    parse_decimal,
};

/// Places of the longest row.
const PLACES: usize = 23;

/// Exponent of ratios.
const RATIO: i8 = -9;

fn places(row: Token, bytes: &[u8], least: usize) -> Result<[Token; PLACES], DecodeError> {
    is(row, Kind::Array, "STATUS", "an array")?;
    let (places, count) = values::<PLACES>(&mut Scanner::new(bytes, row.start as usize))?;
    if count < least { Err(DecodeError::BadLevel { at: row.start }) } else { Ok(places) }
}

/// Bid, its amounts, ask, its amounts, change, relative change, last, volume, high, low.
pub(super) fn ticker(
    row: Token,
    ts_event: TimeNs,
    bytes: &[u8],
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let [_, _, _, _, _, _, last, volume, ..] = places(row, bytes, 8)?;
    let ticker = Ticker {
        last: cut(last, bytes, "LAST_PRICE", route.price_exponent)?.map(Price),
        volume: cut(volume, bytes, "VOLUME", route.qty_exponent)?.map(Qty),
        ..Ticker::default()
    };
    let at = out.ticker_added(ticker);
    out.push(route.slot, ts_event, Body::Ticker(at));
    Ok(())
}

/// Rule 7.
pub(super) fn derivative(
    row: Token,
    bytes: &[u8],
    route: Route,
    out: &mut Events,
) -> Result<(), DecodeError> {
    let places = places(row, bytes, 12)?;
    let [time, _, _, spot, _, _, _, next, _, _, _, funding, _, _, mark, _, _, open, ..] = places;
    let ts_event = time_ns(time, bytes)?;
    let ticker = Ticker {
        index: cut(spot, bytes, "SPOT_PRICE", route.price_exponent)?.map(Price),
        mark: cut(mark, bytes, "MARK_PRICE", route.price_exponent)?.map(Price),
        open_interest: cut(open, bytes, "OPEN_INTEREST", route.qty_exponent)?.map(Qty),
        funding_rate_e9: cut(funding, bytes, "CURRENT_FUNDING", RATIO)?,
        funding_at: if next.kind == Kind::Number { Some(time_ns(next, bytes)?) } else { None },
        ..Ticker::default()
    };
    let at = out.ticker_added(ticker);
    out.push(route.slot, ts_event, Body::Ticker(at));
    Ok(())
}

/// Rows of `pos`, number, time, nothing, symbol, amount, base price, nothing, two marks, nothing, price of acquisition.
/// Those of symbols that are not carried are passed over.
pub(super) fn liquidations(
    rows: Token,
    bytes: &[u8],
    routes: &Routes,
    out: &mut Events,
) -> Result<(), DecodeError> {
    items(rows, bytes, "LIQUIDATIONS", |scanner| {
        let at = scanner.at();
        let (places, count) = values::<12>(scanner)?;
        let [_, id, time, _, name, amount, _, _, _, _, _, price] = places;
        if count < 12 {
            return Err(DecodeError::BadLevel { at });
        }
        let (Some(route), _) = symbol(name, bytes, "SYMBOL", routes)? else { return Ok(()) };
        let Some(price) = cut(price, bytes, "PRICE_ACQUIRED", route.price_exponent)? else { return Ok(()) };
        let (side, amount) = signed(amount, bytes)?;
        let ts_event = time_ns(time, bytes)?;
        out.trades().push(Trade {
            id: TradeId::Number(unsigned(id, bytes, "POS_ID")?),
            price: Price(price),
            qty: Qty(cut(amount, bytes, "AMOUNT", route.qty_exponent)?.unwrap_or(0)),
            // A position of more than nothing is closed by selling it.
            aggressor: match side {
                Side::Bid => Aggressor::Sell,
                Side::Ask => Aggressor::Buy,
            },
            ts_event,
            resting: None,
        });
        let body = Body::Liquidations(out.trades_added());
        out.push(route.slot, ts_event, body);
        Ok(())
    })
}

/// A number cut to the digits of an exponent. None of `null`, and of a place that is not there.
fn cut(token: Token, bytes: &[u8], field: &'static str, exponent: i8) -> Result<Option<i64>, DecodeError> {
    if matches!(token.kind, Kind::Null | Kind::Absent) {
        return Ok(None);
    }
    is(token, Kind::Number, field, "a number")?;
    let bad = |cause| DecodeError::BadNumber { at: token.start, field, cause, scaled: Scaled::No };
    let text = token.of(bytes);
    let (sign, plain) = text.strip_prefix(b"-").map_or((1, text), |plain| (-1, plain));
    let value = match parse_decimal(plain, exponent) {
        Err(DecimalError::Inexact | DecimalError::Overflow) => {
            parse_cut(plain, exponent).ok_or_else(|| bad(DecimalError::Overflow))?
        }
        other => other.map_err(bad)?,
    };
    Ok(Some(sign * value))
}

/// A decimal with more digits than are kept.
fn parse_cut(text: &[u8], exponent: i8) -> Option<i64> {
    let text = core::str::from_utf8(text).ok()?;
    let (digits, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // The point stands so many digits behind the first one.
    let point = i64::try_from(whole.len()).ok()? + power.parse::<i64>().ok()?;
    let kept = usize::try_from(point - i64::from(exponent)).unwrap_or(0);
    let all = whole.bytes().chain(fraction.bytes());
    if !all.clone().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    all.take(kept).try_fold(0i64, |value, digit| {
        value.checked_mul(10)?.checked_add(i64::from(digit.wrapping_sub(b'0')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_cut_to_the_scale() {
        for (text, exponent, value) in [
            ("8196.973333333333", -2, Some(819_697)),
            ("-1.4e-7", -9, Some(-140)),
            ("-0.00001415", -9, Some(-14_150)),
            ("1.2589041095890411e-05", -9, Some(12_589)),
            ("1.2589041095890411e-15", -9, Some(0)),
            ("47.914412330000005", -8, Some(4_791_441_233)),
            ("125759.03485672", -8, Some(12_575_903_485_672)),
            ("0", -2, Some(0)),
            ("99999999999.99999999", -1, Some(999_999_999_999)),
            ("null", -2, None),
        ] {
            let bytes = format!("[{text}]");
            let ([token], _) = values::<1>(&mut Scanner::new(bytes.as_bytes(), 0)).unwrap();
            assert_eq!(cut(token, bytes.as_bytes(), "", exponent), Ok(value), "{text}");
        }
    }
}
