//! Lists of instruments as they would be without escaped letters.
//!
//! Serializers may write any letter of a text as an escape: `BTC\/USD`, `\u0042TC`. A name is the letters that it means. What
//! cannot stand in a text without an escape (a quote, a backslash, a control character) becomes a mark that no symbol may
//! have, and so do bytes that are no letters: their row is passed over like any other that has no name.

use std::borrow::Cow;

use crate::decode::json::unescape;

/// Control character "substitute".
const MARK: u8 = 0x1A;

/// Bytes of an escaped letter beyond the first 65,536, and of any other.
const PAIR_BYTES: usize = 12;
const LETTER_BYTES: usize = 6;

/// The list without escapes. One that JSON does not know stays, for whoever needs the text to refuse it.
pub(super) fn plain(list: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', list).is_none() && core::str::from_utf8(list).is_ok() {
        return Cow::Borrowed(list);
    }
    let mut out = Vec::with_capacity(list.len());
    let mut is_text = false;
    for chunk in list.utf8_chunks() {
        let mut rest = chunk.valid().as_bytes();
        while let Some(&byte) = rest.first() {
            let len = match byte {
                b'\\' if is_text => escape(rest, &mut out),
                _ => {
                    is_text ^= byte == b'"';
                    out.push(byte);
                    1
                }
            };
            rest = rest.get(len..).unwrap_or_default();
        }
        if !chunk.invalid().is_empty() {
            out.push(MARK);
        }
    }
    Cow::Owned(out)
}

/// Bytes of the escape that a text begins with: a letter, or two halves of one.
pub(super) fn escape_len(text: &[u8]) -> usize {
    match text {
        [b'\\', b'u', b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', ..] => PAIR_BYTES,
        [b'\\', b'u', ..] => LETTER_BYTES,
        _ => 2,
    }
}

/// Appends the letter of the escape at the head of a text; the bytes that it takes.
fn escape(text: &[u8], out: &mut Vec<u8>) -> usize {
    let len = escape_len(text);
    let mut letter = [0; 4];
    match text.get(..len).and_then(|escape| unescape(escape, &mut letter).ok()) {
        Some([b'"' | b'\\' | 0..0x20]) => out.push(MARK),
        Some(letter) => out.extend_from_slice(letter),
        None => {
            out.extend(text.iter().take(2));
            return 2;
        }
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_the_letters_that_they_mean() {
        for (list, expected) in [
            (
                &br#"["BTC\/USD","\u0042TC","\u5e01\u20ac","\ud83d\ude00x"]"#[..],
                "[\"BTC/USD\",\"BTC\",\"币€\",\"😀x\"]",
            ),
            (
                br#"["a\"b","a\\b","a\nb","\u0022","\u005c\u0000"]"#,
                "[\"a\u{1a}b\",\"a\u{1a}b\",\"a\u{1a}b\",\"\u{1a}\",\"\u{1a}\u{1a}\"]",
            ),
            (br#"["\x","\ud83d","\u12"]"#, "[\"\\x\",\"\\ud83d\",\"\\u12\"]"),
            (b"[\"a\xffb\"]", "[\"a\u{1a}b\"]"),
            (b"[\"plain\", 1]\\", "[\"plain\", 1]\\"),
        ] {
            assert_eq!(plain(list), expected.as_bytes(), "{}", list.escape_ascii());
        }
        assert!(matches!(plain(b"[\"plain\"]"), Cow::Borrowed(_)));
    }
}
