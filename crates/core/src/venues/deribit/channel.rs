//! Channels that tell a book, and which of them counts.
//!
//! `book.NAME.INTERVAL` tells changes, `book.NAME.GROUP.DEPTH.INTERVAL` the best levels each time. Neither an instrument's
//! name nor an interval has a point in it.

use crate::decode::leading_digits;

/// What a book is told by, from the one that tells least to the one that tells most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(super) enum BookChannel {
    /// The best so many levels, whole each time.
    Top(u32),
    /// Changes of 100 ms.
    Batched,
    /// Changes, two at a time.
    Pairs,
    /// Every change.
    Raw,
}

/// What a channel's name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named<'a> {
    /// A book of an instrument.
    Book(&'a [u8], BookChannel),
    /// Prices of an instrument that are rounded to groups: no book.
    Grouped,
    /// Anything else.
    Other,
    /// A book's channel of no known form.
    Unknown,
}

/// Reads the name of a channel.
pub(super) fn named(channel: &[u8]) -> Named<'_> {
    let Some(rest) = channel.strip_prefix(b"book.") else { return Named::Other };
    let mut parts = rest.split(|byte| *byte == b'.');
    let mut next = || parts.next();
    match (next(), next(), next(), next(), next()) {
        (Some(name), Some(b"raw"), None, None, None) => Named::Book(name, BookChannel::Raw),
        (Some(name), Some(b"agg2"), None, None, None) => Named::Book(name, BookChannel::Pairs),
        (Some(name), Some(b"100ms"), None, None, None) => Named::Book(name, BookChannel::Batched),
        (Some(name), Some(group), Some(depth), Some(b"100ms" | b"agg2"), None) => {
            let whole = leading_digits(depth).filter(|(value, len)| *value > 0 && *len == depth.len());
            match whole.and_then(|(value, _)| u32::try_from(value).ok()) {
                Some(depth) if group == b"none" => Named::Book(name, BookChannel::Top(depth)),
                Some(_) => Named::Grouped,
                None => Named::Unknown,
            }
        }
        _ => Named::Unknown,
    }
}

/// Whether an instrument is a combination of others, whose prices may be 0 and below: the part behind its currency is a
/// strategy's name (`BTC-FS-30SEP22_PERP`, `BTC-CSR12-16SEP22-21000_23000`).
pub(super) fn is_combination(name: &[u8]) -> bool {
    let mut parts = name.split(|byte| *byte == b'-');
    let strategy = parts.nth(1).and_then(<[u8]>::first);
    strategy.is_some_and(u8::is_ascii_uppercase) && parts.next().is_some()
}

/// Whether amounts of an instrument are in dollars: a future or perpetual of a coin, not of a pair such as `SOL_USDC`.
pub(super) fn is_inverse(name: &[u8]) -> bool {
    let currency = name.split(|byte| *byte == b'-').next().unwrap_or_default();
    let is_pair = currency.contains(&b'_');
    let is_option = name.ends_with(b"-C") || name.ends_with(b"-P");
    let is_of_options =
        is_combination(name) && !name.get(currency.len()..).is_some_and(|of| of.starts_with(b"-FS-"));
    !is_pair && !is_option && !is_of_options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_channels_are_read() {
        use BookChannel::{Batched, Pairs, Raw, Top};
        let name = &b"BTC-PERPETUAL"[..];
        for (channel, expected) in [
            ("book.BTC-PERPETUAL.raw", Named::Book(name, Raw)),
            ("book.BTC-PERPETUAL.100ms", Named::Book(name, Batched)),
            ("book.BTC-PERPETUAL.agg2", Named::Book(name, Pairs)),
            ("book.BTC-PERPETUAL.none.20.100ms", Named::Book(name, Top(20))),
            ("book.BTC-PERPETUAL.none.1.agg2", Named::Book(name, Top(1))),
            ("book.BTC-PERPETUAL.5.10.100ms", Named::Grouped),
            ("book.BTC-PERPETUAL.none.0.100ms", Named::Unknown),
            ("book.BTC-PERPETUAL.none.2x.100ms", Named::Unknown),
            ("book.BTC-PERPETUAL.200ms", Named::Unknown),
            ("book.BTC-PERPETUAL", Named::Unknown),
            ("book.", Named::Unknown),
            ("ticker.BTC-PERPETUAL.raw", Named::Other),
        ] {
            assert_eq!(named(channel.as_bytes()), expected, "{channel}");
        }
        assert!(Top(1) < Top(20) && Top(10_000) < Batched && Batched < Pairs && Pairs < Raw);
    }

    #[test]
    fn kinds_of_instruments_show_in_their_names() {
        for (name, combination, inverse) in [
            ("BTC-PERPETUAL", false, true),
            ("ETH-25JUN21", false, true),
            ("BTC-11JUN21-25000-P", false, false),
            ("SOL_USDC-PERPETUAL", false, false),
            ("MATIC_USDC-9MAR24-1d02-C", false, false),
            ("BTC_USDC", false, false),
            ("BTC-FS-30SEP22_PERP", true, true),
            ("BTC-CSR12-16SEP22-21000_23000", true, false),
            ("BTC-STRD-30SEP22-20000", true, false),
        ] {
            assert_eq!(
                (is_combination(name.as_bytes()), is_inverse(name.as_bytes())),
                (combination, inverse),
                "{name}"
            );
        }
    }
}
