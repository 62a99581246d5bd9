//! JSON values one after the other: elements of one array, or values that go over several lines.

use memchr::{memchr2, memchr3};

/// Bytes of the JSON value at the head of `text`, an object or an array, as far as brackets and strings tell. `None` when
/// it does not end within.
#[must_use]
pub(super) fn value_len(text: &[u8]) -> Option<usize> {
    let mut depth = 0u32;
    let mut at = 0;
    loop {
        match *text.get(at)? {
            b'"' => at = string_end(text, at + 1)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ if depth == 0 => return None,
            _ => {
                // Everything else is passed over to the next byte that counts.
                let rest = text.get(at..)?;
                let quote = memchr3(b'"', b'{', b'[', rest).unwrap_or(rest.len());
                let close = memchr2(b'}', b']', rest.get(..quote)?).unwrap_or(quote);
                at += close.min(quote);
                if at >= text.len() {
                    return None;
                }
            }
        }
    }
}

/// Offset behind the closing quote of a string whose opening one stands before `at`.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let found = memchr2(b'"', b'\\', text.get(at..)?)?;
        at += found;
        if text.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// What stands next in a run of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A value in this place.
    Value { start: usize, end: usize },
    /// A byte that no run of values has, at this place.
    Bad { at: usize },
    /// Not enough bytes.
    More,
}

/// Walks through values. Remembers only whether it is within the outer array.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Values {
    is_inside: bool,
}

impl Values {
    /// The next value from `at` on. What does not lead to one is not remembered: it comes again.
    pub(super) fn next(&mut self, bytes: &[u8], mut at: usize) -> Next {
        let mut is_inside = self.is_inside;
        loop {
            let Some(&byte) = bytes.get(at) else { return Next::More };
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => at += 1,
                b']' if is_inside => {
                    is_inside = false;
                    at += 1;
                }
                b'[' if !is_inside => {
                    is_inside = true;
                    at += 1;
                }
                b'{' | b'[' => {
                    let Some(len) = value_len(&bytes[at..]) else { return Next::More };
                    self.is_inside = is_inside;
                    return Next::Value { start: at, end: at + len };
                }
                _ => return Next::Bad { at },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_brackets_close() {
        for (text, len) in [
            (&b"{}"[..], Some(2)),
            (b"{\"a\":\"}\\\"\"} x", Some(11)),
            (b"[1,[2,{\"b\":3}]]]", Some(15)),
            (b"{\"a\":", None),
            (b"{\"a", None),
            (b"x", None),
            (b"", None),
            (b"]", None),
        ] {
            assert_eq!(value_len(text), len, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn elements_and_values_are_walked_alike() {
        for text in [&b"[{\"a\":1}, [2] ,{}]"[..], b"{\"a\":1}\n\n{\n}\n{}", b" [ {} , {}\n,{}]\n"] {
            let mut values = Values::default();
            let (mut at, mut count) = (0, 0);
            while let Next::Value { end, .. } = values.next(text, at) {
                (at, count) = (end, count + 1);
            }
            assert_eq!(count, 3, "{}", text.escape_ascii());
            assert_eq!(values.next(text, at), Next::More);
        }
        assert_eq!(Values::default().next(b"  x", 0), Next::Bad { at: 2 });
    }
}
