//! Texts as they were before somebody put them into JSON: escapes and base64 undone.

use memchr::memchr;

use super::error::RecordingError;
use crate::decode::json;

/// Appends a JSON text without its escapes, and says whether it had any; one without is not appended.
///
/// # Errors
/// [`RecordingError::BadEscape`] for a backslash that begins none, and for half a surrogate pair.
pub(super) fn unescape(text: &[u8], out: &mut Vec<u8>) -> Result<bool, RecordingError> {
    if memchr(b'\\', text).is_none() {
        return Ok(false);
    }
    let from = out.len();
    // No escape is shorter than what it stands for.
    out.resize(from + text.len(), 0);
    let plain = json::unescape(text, out.get_mut(from..).unwrap_or_default());
    let len = plain.map_err(|at| RecordingError::BadEscape { at: at as u32 })?.len();
    out.truncate(from + len);
    Ok(true)
}

/// Appends the bytes that a base64 text stands for: the standard alphabet, padded.
///
/// # Errors
/// [`RecordingError::BadBase64`] for another character, a length that is no multiple of four, or padding elsewhere
/// than at the end.
pub(super) fn from_base64(text: &[u8], out: &mut Vec<u8>) -> Result<(), RecordingError> {
    let (groups, rest) = text.as_chunks::<4>();
    let bad = |at: usize| RecordingError::BadBase64 { at: at as u32 };
    if !rest.is_empty() {
        return Err(bad(text.len()));
    }
    out.reserve(groups.len() * 3);
    for (nth, group) in groups.iter().enumerate() {
        let padding = match group {
            [_, _, b'=', b'='] => 2,
            [_, _, _, b'='] => 1,
            _ => 0,
        };
        if padding > 0 && nth + 1 < groups.len() {
            return Err(bad(4 * nth));
        }
        let mut bits = 0u32;
        for (place, &letter) in group.iter().enumerate() {
            let six = match letter {
                b'A'..=b'Z' => letter - b'A',
                b'a'..=b'z' => letter - b'a' + 26,
                b'0'..=b'9' => letter - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'=' if place >= 4 - padding => 0,
                _ => return Err(bad(4 * nth + place)),
            };
            bits = bits << 6 | u32::from(six);
        }
        let [_, bytes @ ..] = bits.to_be_bytes();
        out.extend_from_slice(&bytes[..3 - padding]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_exactly() {
        for (text, plain) in [
            (r"plain", None),
            ("", None),
            (r#"{\"a\":\"b\"}"#, Some("{\"a\":\"b\"}")),
            (r"\\\\n", Some("\\\\n")),
            (r"\\u0041", Some("\\u0041")),
            (r"\u0041\u00e9\u20AC\uFFFF\u0000", Some("A\u{e9}\u{20ac}\u{ffff}\0")),
            (r"x\ud83d\ude00y", Some("x\u{1f600}y")),
            (r"\uDBFF\uDFFF", Some("\u{10ffff}")),
            (r"\b\f\n\r\t\/", Some("\u{8}\u{c}\n\r\t/")),
        ] {
            let mut out = b"before".to_vec();
            assert_eq!(unescape(text.as_bytes(), &mut out), Ok(plain.is_some()), "{text}");
            assert_eq!(out, [b"before", plain.unwrap_or_default().as_bytes()].concat(), "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_is_refused_where_it_stands() {
        for (text, at) in [
            (r"\", 0),
            (r"ab\x", 2),
            (r"ab\u12g4", 2),
            (r"ab\u123", 2),
            (r"\n\ud83d", 2),
            (r"\ud83d\n", 0),
            (r"\ud83d\u0041", 0),
            (r"\ude00", 0),
            (r"\u+123", 0),
        ] {
            let refused = Err(RecordingError::BadEscape { at });
            assert_eq!(unescape(text.as_bytes(), &mut Vec::new()), refused, "{text}");
        }
    }

    #[test]
    fn base64_is_undone_exactly() {
        for (text, bytes) in [
            (&b""[..], &b""[..]),
            (b"Zg==", b"f"),
            (b"Zm8=", b"fo"),
            (b"Zm9v", b"foo"),
            (b"Zm9vYmFy", b"foobar"),
            (b"+/+/", b"\xfb\xff\xbf"),
        ] {
            let mut out = Vec::new();
            assert_eq!(from_base64(text, &mut out), Ok(()));
            assert_eq!(out, bytes);
        }
        for (text, at) in [
            (&b"Z"[..], 1),
            (b"Zm9vY", 5),
            (b"Zm9-", 3),
            (b"Z===", 1),
            (b"====", 0),
            (b"Zg==Zm9v", 0),
            (b"Z=9v", 1),
            (b"Zm\\/", 2),
        ] {
            assert_eq!(from_base64(text, &mut Vec::new()), Err(RecordingError::BadBase64 { at }));
        }
    }
}
