//! What the reader passes over: members that mean nothing here.
//!
//! Nothing else would show that such a frame is damaged: it has neither a number nor a checksum. So every text and number in it
//! must be one of JSON, read or not; that the rest of it is JSON its scanner has seen.

use crate::decode::DecodeError;
use crate::decode::json::unescape;
use crate::venues::plain_list::escape_len;

/// That every text and number from an offset of a frame on is one. `bytes` is JSON otherwise.
pub(super) fn are_whole(bytes: &[u8], from: usize) -> Result<(), DecodeError> {
    if let Err(error) = core::str::from_utf8(bytes) {
        return Err(wrong(bytes, error.valid_up_to(), "UTF-8"));
    }
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        at = match byte {
            b'"' => text_end(bytes, at + 1)?,
            b'-' | b'0'..=b'9' => number_end(bytes, at)?,
            _ => at + 1,
        };
    }
    Ok(())
}

/// Behind the closing quote of a text.
fn text_end(bytes: &[u8], mut at: usize) -> Result<usize, DecodeError> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => {
                let escape = bytes.get(at..).and_then(|rest| rest.get(..escape_len(rest)));
                let letter = escape.filter(|escape| unescape(escape, &mut [0; 4]).is_ok());
                at += letter.ok_or_else(|| wrong(bytes, at, "an escape of JSON"))?.len();
            }
            Some(0..0x20) | None => return Err(wrong(bytes, at, "a letter, or its escape")),
            Some(_) => at += 1,
        }
    }
}

/// Behind a number: `-1.5e-7`, without zeros before its digits.
fn number_end(bytes: &[u8], from: usize) -> Result<usize, DecodeError> {
    let digits = |at: usize| {
        let rest = bytes.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let bad = |at| Err(wrong(bytes, at, "a number of JSON"));
    let whole = from + usize::from(bytes.get(from) == Some(&b'-'));
    let mut end = digits(whole);
    if end == whole || (bytes.get(whole) == Some(&b'0') && end > whole + 1) {
        return bad(whole);
    }
    if bytes.get(end) == Some(&b'.') {
        let fraction = end + 1;
        end = digits(fraction);
        if end == fraction {
            return bad(end);
        }
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let power = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        end = digits(power);
        if end == power {
            return bad(end);
        }
    }
    match bytes.get(end) {
        Some(b'-' | b'+' | b'.' | b'e' | b'E') => bad(end),
        _ => Ok(end),
    }
}

fn wrong(bytes: &[u8], at: usize, expected: &'static str) -> DecodeError {
    match bytes.get(at) {
        Some(&got) => DecodeError::NotJson { at: at as u32, expected, got },
        None => DecodeError::Truncated { at: at as u32 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::json::Scanner;

    #[test]
    fn texts_and_numbers_are_those_of_json() {
        for text in [
            r#"{"a":[0,-0,1,-1.5,1e5,1.25E-7,10.0e+3],"b":"x","c":{"d":null,"e":true}}"#,
            r#"{"a":"\"\\\/\b\f\n\r\t\u0041\u20ac\ud83d\ude00 BTC€"}"#,
            r#"{"a":"\u0041\u0042","b":"\\u","c":"\n\n"}"#,
        ] {
            assert_eq!(are_whole(text.as_bytes(), 0), Ok(()), "{text}");
        }
        for text in [
            &br#"{"a":01}"#[..],
            br#"{"a":-}"#,
            br#"{"a":1.}"#,
            br#"{"a":1.e5}"#,
            br#"{"a":1e}"#,
            br#"{"a":1.2.3}"#,
            br#"{"a":1-2}"#,
            br#"{"a":1e5e5}"#,
            br#"{"a":"\x"}"#,
            br#"{"a":"\u12g4"}"#,
            br#"{"a":"\ud83d"}"#,
            br#"{"a":"\ud83d\n\n\n"}"#,
            br#"{"a":"\ude00"}"#,
            b"{\"a\":\"\n\"}",
            b"{\"a\":\"\0\"}",
            b"{\"a\":\"\xff\"}",
        ] {
            let mut scanner = Scanner::new(text, 0);
            assert!(scanner.value().is_ok() && scanner.finish().is_ok(), "{}", text.escape_ascii());
            assert!(are_whole(text, 0).is_err(), "{}", text.escape_ascii());
        }
    }
}
