//! Numbers and times as venues print them, from integers.

/// Appends a whole number.
pub(super) fn integer(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// Appends `mantissa` × 10^`exponent` with that many decimals. `exponent` is in -18..=0, and `decimals` are not
/// fewer than it asks for.
pub(super) fn decimal(out: &mut Vec<u8>, mantissa: i64, exponent: i32, decimals: u32) {
    let places = exponent.unsigned_abs();
    let scale = 10_u64.pow(places);
    if mantissa < 0 {
        out.push(b'-');
    }
    integer(out, mantissa.unsigned_abs() / scale);
    if decimals == 0 {
        return;
    }
    out.push(b'.');
    padded(out, mantissa.unsigned_abs() % scale, places);
    out.resize(out.len() + (decimals - places) as usize, b'0');
}

/// Appends `mantissa` × 10^`exponent` in as few digits as it takes.
pub(super) fn shortest(out: &mut Vec<u8>, mut mantissa: i64, mut exponent: i32) {
    while exponent < 0 && mantissa % 10 == 0 {
        (mantissa, exponent) = (mantissa / 10, exponent + 1);
    }
    decimal(out, mantissa, exponent, exponent.unsigned_abs());
}

/// Appends `mantissa` × 10^`exponent` as programs print their binary floating point numbers: in as few digits as it
/// takes, whole numbers with `.0`, and what is below 0.0001 with an exponent of at least two digits. `mantissa` is
/// not negative and has at most 15 digits, so that these are the digits of the nearest such number; `exponent` is
/// not above 0.
pub(super) fn scientific(out: &mut Vec<u8>, mut mantissa: i64, mut exponent: i32) {
    while exponent < 0 && mantissa % 10 == 0 {
        (mantissa, exponent) = (mantissa / 10, exponent + 1);
    }
    let digits = mantissa.to_string();
    // Where the point stands among the digits: 0 is before the first one.
    let point = digits.len() as i32 + exponent;
    if exponent == 0 {
        integer(out, mantissa.unsigned_abs());
        out.extend_from_slice(b".0");
    } else if point > -4 {
        decimal(out, mantissa, exponent, exponent.unsigned_abs());
    } else {
        out.extend_from_slice(&digits.as_bytes()[..1]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits.as_bytes()[1..]);
        }
        out.extend_from_slice(b"e-");
        padded(out, u64::from((point - 1).unsigned_abs()), 2);
    }
}

/// Appends `mantissa` × 10^`exponent` as JavaScript prints a number: in as few digits as it takes, and what is below 1e-6 with
/// an exponent. `mantissa` is not negative and has at most 15 digits, so that these are the digits of the nearest such
/// number; `exponent` is not above 0.
pub(super) fn javascript(out: &mut Vec<u8>, mut mantissa: i64, mut exponent: i32) {
    while exponent < 0 && mantissa % 10 == 0 {
        (mantissa, exponent) = (mantissa / 10, exponent + 1);
    }
    let digits = mantissa.to_string();
    // Where the point stands among the digits: 0 is before the first one.
    let point = digits.len() as i32 + exponent;
    if point > -6 {
        return decimal(out, mantissa, exponent, exponent.unsigned_abs());
    }
    out.extend_from_slice(&digits.as_bytes()[..1]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits.as_bytes()[1..]);
    }
    out.extend_from_slice(b"e-");
    integer(out, u64::from((point - 1).unsigned_abs()));
}

/// Appends seconds since the epoch with six decimals.
pub(super) fn seconds(out: &mut Vec<u8>, time_ns: u64) {
    integer(out, time_ns / 1_000_000_000);
    out.push(b'.');
    padded(out, time_ns % 1_000_000_000 / 1_000, 6);
}

/// Appends a date and time of RFC 3339 with `decimals` (0 to 9) of the second, at Greenwich.
pub(super) fn date_time(out: &mut Vec<u8>, time_ns: u64, decimals: u32) {
    let (days, second) = (time_ns / 86_400_000_000_000, time_ns / 1_000_000_000 % 86_400);
    let (year, month, day) = date(days);
    for (value, width, end) in [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (second / 3_600, 2, b':'),
        (second / 60 % 60, 2, b':'),
        (second % 60, 2, b'.'),
        (time_ns % 1_000_000_000 / 10_u64.pow(9 - decimals), decimals, b'Z'),
    ] {
        padded(out, value, width);
        out.push(end);
    }
}

/// Year, month and day of the month, `days` after 1970-01-01. Eras of 400 years, years that begin in March, so
/// that the leap day is the last one (Hinnant, "chrono-compatible low-level date algorithms").
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + (month <= 2) as u64, month, day)
}

/// Appends exactly `width` digits, zeros first.
fn padded(out: &mut Vec<u8>, mut value: u64, width: u32) {
    let first = out.len();
    out.resize(first + width as usize, b'0');
    for digit in out[first..].iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn decimals_are_padded_as_asked() {
        let cases = [
            (6_183_763, -2, 8, "61837.63000000"),
            (154_698, -5, 8, "1.54698000"),
            (250, 0, 8, "250.00000000"),
            (0, -2, 2, "0.00"),
            (1, -8, 8, "0.00000001"),
            (35, 0, 0, "35"),
            (-250, -2, 2, "-2.50"),
        ];
        for (mantissa, exponent, decimals, expected) in cases {
            assert_eq!(text(|out| decimal(out, mantissa, exponent, decimals)), expected);
        }
    }

    #[test]
    fn the_shortest_text_has_no_zeros_at_the_end() {
        let cases =
            [(639_019_338, -5, "6390.19338"), (1_408_450, -2, "14084.5"), (500, -2, "5"), (0, -8, "0")];
        for (mantissa, exponent, expected) in cases {
            assert_eq!(text(|out| shortest(out, mantissa, exponent)), expected);
        }
    }

    #[test]
    fn small_numbers_have_an_exponent_where_binary_ones_are_printed() {
        let cases = [
            (1_000, -8, "1e-05"),
            (12_351, -9, "1.2351e-05"),
            (1, -8, "1e-08"),
            (10_000, -8, "0.0001"),
            (12_345, -8, "0.00012345"),
            (567_764, -8, "0.00567764"),
            (1_408_450, -2, "14084.5"),
            (500, -2, "5.0"),
            (70, 0, "70.0"),
            (0, -8, "0.0"),
        ];
        for (mantissa, exponent, expected) in cases {
            assert_eq!(text(|out| scientific(out, mantissa, exponent)), expected);
        }
    }

    #[test]
    fn the_smallest_numbers_have_an_exponent_where_javascript_prints_them() {
        let cases = [
            (1_639, -8, "0.00001639"),
            (100, -8, "0.000001"),
            (10, -8, "1e-7"),
            (49, -8, "4.9e-7"),
            (1, -8, "1e-8"),
            (6_094_500, -2, "60945"),
            (0, -8, "0"),
        ];
        for (mantissa, exponent, expected) in cases {
            assert_eq!(text(|out| javascript(out, mantissa, exponent)), expected);
        }
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        let cases = [
            (0, 6, "1970-01-01T00:00:00.000000Z"),
            (951_782_399_999_999_999, 9, "2000-02-28T23:59:59.999999999Z"),
            (951_782_400_000_000_000, 6, "2000-02-29T00:00:00.000000Z"),
            (1_785_552_833_398_143_000, 6, "2026-08-01T02:53:53.398143Z"),
            (4_107_542_400_000_000_000, 6, "2100-03-01T00:00:00.000000Z"),
        ];
        for (time_ns, decimals, expected) in cases {
            assert_eq!(text(|out| date_time(out, time_ns, decimals)), expected);
        }
        assert_eq!(text(|out| seconds(out, 1_617_666_423_000_671_999)), "1617666423.000671");
    }
}
