//! What stands behind a key, found without reading the frame: for times, and for whose book a frame that cannot be read is of.

/// What stands behind the first key of a name, which is given with its quotes: behind its colon, and behind the quote of a text.
/// Recorders that write frames anew put white space around a colon.
pub(super) fn first<'a>(bytes: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    memchr::memmem::find_iter(bytes, key).find_map(|at| value(bytes.get(at + key.len()..)?))
}

/// The same of the last such key.
pub(super) fn last<'a>(bytes: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    memchr::memmem::rfind_iter(bytes, key).find_map(|at| value(bytes.get(at + key.len()..)?))
}

/// The text behind the first place of `start`, which ends with the text's quote. None of a text that is cut: it has no end.
pub(super) fn text<'a>(bytes: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    let behind = bytes.get(memchr::memmem::find(bytes, start)? + start.len()..)?;
    behind.get(..memchr::memchr(b'"', behind)?)
}

#[inline]
fn value(behind: &[u8]) -> Option<&[u8]> {
    let value = behind.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    Some(value.strip_prefix(b"\"").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venues::{ALL, session};

    #[test]
    fn white_space_and_a_quote_stand_before_a_value() {
        for text in
            ["{\"ts\":\"5\"}", "{\"ts\": 5}", "{\"x\":\"ts\",\"ts\" :\n\t\"5\"}", "{\"ts\":5,\"y\":\"ts\"}"]
        {
            for found in [first(text.as_bytes(), b"\"ts\""), last(text.as_bytes(), b"\"ts\"")] {
                assert_eq!(found.and_then(<[u8]>::first), Some(&b'5'), "{text}");
            }
        }
        assert_eq!((first(b"\"ts\"", b"\"ts\""), last(b"{\"t\":5}", b"\"ts\"")), (None, None));
        assert_eq!(last(b"{\"t\":1,\"t\":2}", b"\"t\""), Some(&b"2}"[..]));
    }

    #[test]
    fn a_text_ends_with_its_quote() {
        let start = b"\"s\":\"";
        assert_eq!(text(b"{\"s\":\"AB\",\"t\":\"C\"}", start), Some(&b"AB"[..]));
        assert_eq!(text(b"{\"s\":\"\"}", start), Some(&b""[..]));
        for cut in [&b"{\"s\":\"AB"[..], b"{\"s\":\"", b"{\"s\": \"AB\"}", b"{}"] {
            assert_eq!(text(cut, start), None, "{}", cut.escape_ascii());
        }
    }

    #[test]
    fn a_time_is_found_however_the_frame_is_printed() {
        for (venue, frame) in [
            ("binance", r#"{"e":"trade","E":1700000000123,"s":"A"}"#),
            ("okx", r#"{"arg":{},"data":[{"ts":"1700000000123"}]}"#),
            ("bitget", r#"{"data":[{"ts":"1700000000123"}],"ts":1700000000123}"#),
            ("bybit", r#"{"topic":"t","ts":1700000000123}"#),
            ("kraken", r#"{"data":[{"timestamp":"2023-11-14T22:13:20.123Z"}]}"#),
            ("kraken-futures", r#"{"feed":"book","timestamp":1700000000123}"#),
            ("coinbase", r#"{"channel":"c","timestamp":"2023-11-14T22:13:20.123Z"}"#),
            ("coinbase-exchange", r#"{"type":"open","time":"2023-11-14T22:13:20.123Z"}"#),
            ("deribit", r#"{"params":{"data":{"timestamp":1700000000123}}}"#),
            ("bitstamp", r#"{"data":{"microtimestamp":"1700000000123000"}}"#),
            ("hyperliquid", r#"{"data":{"time":1700000000123}}"#),
            ("lighter", r#"{"timestamp":1700000000123}"#),
            ("gateio", r#"{"time":1700000000,"time_ms":1700000000123}"#),
            ("kucoin", r#"{"data":{"time":1700000000123}}"#),
            ("bitmex", r#"{"data":[{"timestamp":"2023-11-14T22:13:20.123Z"}]}"#),
        ] {
            let venue = *ALL.iter().find(|of| of.name() == venue).unwrap();
            for colon in [":", ": ", ":\n  "] {
                let frame = frame.replace("\":", &format!("\"{colon}")).replace(',', ",\n");
                let time = session(venue).time(frame.as_bytes());
                assert_eq!(time, 1_700_000_000_123_000_000, "{venue:?} {frame}");
            }
        }
    }
}
