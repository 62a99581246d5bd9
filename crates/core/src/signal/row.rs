//! A signal as it is told: a decimal of a stated scale, or nothing.

use super::SignalId;
use crate::types::{Decimal, TimeNs};

/// Decimals of ratios and volatilities.
pub(super) const RATIO_DECIMALS: u8 = 9;
/// Decimals of basis points and of events a second.
pub(super) const FINE_DECIMALS: u8 = 6;
/// Decimals of prices that are averages, beyond those of the instrument.
const PRICE_DECIMALS: u8 = 4;
/// Digits of what has no scale of its own.
const DIGITS: i32 = 12;

/// Powers of ten that a float holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The value of a signal at one event: `value` × 10^`exponent` in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalRow {
    /// Which one.
    pub id: SignalId,
    /// Its mantissa.
    pub value: i64,
    /// Its power of ten.
    pub exponent: i8,
    /// The time that it is computed over, ns; 0 = of the moment of the event.
    pub window_ns: u64,
    /// The time of the event, ns.
    pub at: TimeNs,
    /// Whether less than the whole window, or than three times the mean time of a rate, has passed.
    pub is_partial: bool,
}

impl SignalRow {
    /// Its value, exactly as it was told.
    #[must_use]
    pub const fn text(&self) -> Decimal {
        Decimal { mantissa: self.value, exponent: self.exponent }
    }
}

/// Writes the rows of one event. What has no value, or one that its 64 bits do not hold, has no row.
pub(super) struct Rows<'a> {
    pub(super) rows: &'a mut Vec<SignalRow>,
    pub(super) price_exponent: i8,
    pub(super) qty_exponent: i8,
    pub(super) at: TimeNs,
}

/// What a row is computed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Over {
    pub(super) window_ns: u64,
    pub(super) is_partial: bool,
}

impl Over {
    pub(super) const MOMENT: Self = Self { window_ns: 0, is_partial: false };
}

impl Rows<'_> {
    /// An integer at a power of ten.
    #[inline]
    pub(super) fn exact(&mut self, id: SignalId, value: Option<i128>, exponent: i8, over: Over) {
        let Some(value) = value.and_then(|value| i64::try_from(value).ok()) else { return };
        let Over { window_ns, is_partial } = over;
        self.rows.push(SignalRow { id, value, exponent, window_ns, at: self.at, is_partial });
    }

    /// A sum of quantities.
    #[inline]
    pub(super) fn qty(&mut self, id: SignalId, value: Option<i128>, over: Over) {
        self.exact(id, value, self.qty_exponent, over);
    }

    /// A price in units of the mantissa, to the nearest of four decimals more, or of those that fit.
    #[inline]
    pub(super) fn price(&mut self, id: SignalId, value: Option<f64>, over: Over) {
        for decimals in [PRICE_DECIMALS, 0] {
            if let Some(mantissa) = mantissa(value, decimals) {
                let exponent = self.price_exponent.saturating_sub(decimals as i8);
                return self.exact(id, Some(mantissa.into()), exponent, over);
            }
        }
    }

    /// A number of its own, to the nearest of so many decimals.
    #[inline]
    pub(super) fn number(&mut self, id: SignalId, value: Option<f64>, decimals: u8, over: Over) {
        let mantissa = mantissa(value, decimals).map(i128::from);
        self.exact(id, mantissa, -(decimals as i8), over);
    }

    /// A number that may be of any size, in units of 10^`exponent`: to the nearest of twelve digits.
    #[inline]
    pub(super) fn digits(&mut self, id: SignalId, value: Option<f64>, exponent: i32, over: Over) {
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        if value == 0.0 {
            return self.exact(id, Some(0), 0, over);
        }
        let decimals = DIGITS - 1 - libm::floor(libm::log10(value.abs())) as i32;
        let Ok(exponent) = i8::try_from(exponent - decimals) else { return };
        self.exact(id, mantissa_of(scaled(value, decimals)).map(i128::from), exponent, over);
    }
}

/// The nearest integer of a number times a power of ten, halves away from 0.
#[inline]
fn mantissa(value: Option<f64>, decimals: u8) -> Option<i64> {
    mantissa_of(value? * POWERS.get(usize::from(decimals))?)
}

#[inline]
fn mantissa_of(scaled: f64) -> Option<i64> {
    // 2^63 is a float, and the first that does not fit.
    let is_held = scaled.abs() < i64::MAX as f64;
    is_held.then(|| libm::round(scaled) as i64)
}

/// A number times 10^`decimals`.
fn scaled(mut value: f64, decimals: i32) -> f64 {
    let last = POWERS.len() - 1;
    let mut left = decimals.unsigned_abs() as usize;
    while left > 0 {
        let power = POWERS[left.min(last)];
        value = if decimals > 0 { value * power } else { value / power };
        left -= left.min(last);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(write: impl FnOnce(&mut Rows<'_>)) -> Vec<(i64, i8)> {
        let mut rows = Vec::new();
        write(&mut Rows { rows: &mut rows, price_exponent: -2, qty_exponent: -5, at: 7 });
        rows.iter().map(|row| (row.value, row.exponent)).collect()
    }

    #[test]
    fn values_are_nearest_decimals_of_their_scale_and_never_others() {
        let id = SignalId::Mid;
        let of = Over::MOMENT;
        assert_eq!(told(|rows| rows.price(id, Some(10_000.000_04), of)), [(100_000_000, -6)]);
        assert_eq!(told(|rows| rows.price(id, Some(10_000.000_06), of)), [(100_000_001, -6)]);
        assert_eq!(told(|rows| rows.price(id, Some(9e18), of)), [(9_000_000_000_000_000_000, -2)]);
        assert_eq!(told(|rows| rows.price(id, Some(9.3e18), of)), []);
        assert_eq!(told(|rows| rows.number(id, Some(-0.5), 9, of)), [(-500_000_000, -9)]);
        for no_number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(told(|rows| rows.number(id, Some(no_number), 9, of)), []);
            assert_eq!(told(|rows| rows.price(id, Some(no_number), of)), []);
            assert_eq!(told(|rows| rows.digits(id, Some(no_number), 0, of)), []);
        }
        assert_eq!(told(|rows| rows.qty(id, Some(i128::from(i64::MAX) + 1), of)), []);
        assert_eq!(told(|rows| rows.qty(id, None, of)), []);
    }

    #[test]
    fn numbers_of_any_size_have_twelve_digits() {
        let id = SignalId::Illiquidity;
        let of = Over::MOMENT;
        for (value, expected) in [
            (1.0, (100_000_000_000, -11)),
            (-1.234_567_890_123_4, (-123_456_789_012, -11)),
            (1.5e-17, (150_000_000_000, -28)),
            (2.5e30, (250_000_000_000, 19)),
            (0.0, (0, 0)),
        ] {
            assert_eq!(told(|rows| rows.digits(id, Some(value), 0, of)), [expected], "{value}");
        }
        assert_eq!(told(|rows| rows.digits(id, Some(2.5), 7, of)), [(250_000_000_000, -4)]);
        assert_eq!(told(|rows| rows.digits(id, Some(1e-120), 0, of)), []);
    }
}
