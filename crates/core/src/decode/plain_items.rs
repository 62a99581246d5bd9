//! Items of a JSON array that nobody looks into, passed over eight bytes at a time: strings without a backslash, or rows of such
//! strings, each with a comma and the next one right behind it.

use super::digits::equal_bytes;

/// Where the last of the items begins, or the first that is no such item; the first of them begins at `start` with a quote, or
/// with a bracket and a quote.
///
/// Nothing is said of what stands there: it is read the general way, and so is what is cut or broken.
#[inline(never)]
pub(super) fn plain_items_end(bytes: &[u8], start: usize, are_rows: bool) -> usize {
    const NEXT_STRING: u64 = u64::from_le_bytes(*b"\",\"\0\0\0\0\0");
    const NEXT_ROW: u64 = u64::from_le_bytes(*b"\"],[\"\0\0\0");
    let (mut end, mut at) = (start, start + if are_rows { 2 } else { 1 });
    // Eight bytes of a string, and of what is behind it if it ends among them.
    while let Some(window) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let window = u128::from_le_bytes(*window);
        let word = window as u64;
        let found = equal_bytes(word, b'"') | equal_bytes(word, b'\\');
        if found == 0 {
            at += 8;
            continue;
        }
        let bits = found.trailing_zeros() & !7;
        at += bits as usize / 8;
        let behind = (window >> bits) as u64;
        if behind & 0xFF_FFFF == NEXT_STRING {
            at += 3;
            if !are_rows {
                end = at - 1;
            }
        } else if are_rows && behind & 0xFF_FFFF_FFFF == NEXT_ROW {
            end = at + 3;
            at += 5;
        } else {
            break;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use crate::decode::json::{Kind, Scanner};

    fn whole(text: &[u8]) -> Result<Kind, &'static str> {
        let mut scanner = Scanner::new(text, 0);
        let token = scanner.value().map_err(|error| error.code())?;
        scanner.finish().map_err(|error| error.code())?;
        Ok(token.kind)
    }

    #[test]
    fn plain_items_are_passed_over_as_any_others() {
        // Spaces keep a text from being plain, and say nothing.
        let spaced = |text: &[u8]| {
            text.iter()
                .flat_map(|&byte| [byte, b' '][..if byte == b',' { 2 } else { 1 }].to_vec())
                .collect::<Vec<_>>()
        };
        let filler = "\"a text behind all of them\"";
        for text in [
            r#"["1","","0.00003530","and longer",7,"8"]"#.to_owned(),
            r#"[["1","","0.00003530"],["12345678"],["123456789","x"]]"#.to_owned(),
            r#"[["1","2"],["3",4],["5","6"],[],["7","8"],{"a":"b"},["9"]]"#.to_owned(),
            format!(r#"[["1","2"],["3","4"],{filler}]"#),
            format!(r#"{{"a":[["1","2"],["3","4"]],"b":{filler}}}"#),
        ] {
            assert!(whole(text.as_bytes()).is_ok(), "{text}");
            for at in 0..text.len() {
                for byte in b"\"\\[],0{ \x00" {
                    let mut damaged = text.clone().into_bytes();
                    damaged[at] = *byte;
                    assert_eq!(whole(&damaged), whole(&spaced(&damaged)), "{}", damaged.escape_ascii());
                }
                let cut = &text.as_bytes()[..at];
                assert_eq!(whole(cut), whole(&spaced(cut)), "{}", cut.escape_ascii());
            }
        }
        let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(15), "]".repeat(15));
        assert_eq!(whole(deep(r#"["1","2"],["3","4"]"#).as_bytes()), Ok(Kind::Array));
        assert_eq!(whole(deep(r#"[["1","2"],["3","4"]]"#).as_bytes()), Err("decode.too_deep"));
    }
}
