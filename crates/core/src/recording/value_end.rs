//! Where a JSON value ends, found in chunk after chunk.

use memchr::{memchr, memchr2};

/// Where a value ends, found by its brackets and quotes alone, and resumed where the bytes of the call before ended.
#[derive(Clone, Debug, Default)]
pub(super) struct ValueEnd {
    /// Bytes of the value that were looked at.
    pub(super) scanned: usize,
    depth: usize,
    in_text: bool,
    /// The next byte of the text is escaped.
    is_escaped: bool,
    /// The last byte outside of texts that is no white space.
    before: u8,
    /// A line ended since that byte.
    at_line: bool,
    /// A line ends within the value.
    pub(super) spans_lines: bool,
    /// A line ends within a text, or a value begins a line where no value may stand.
    pub(super) is_broken: bool,
}

impl ValueEnd {
    /// The value's bytes, once `value` holds them all; a number's once it holds what follows.
    /// Fewer bytes than were looked at before show nothing.
    pub(super) fn find(&mut self, value: &[u8]) -> Option<usize> {
        let mut at = self.scanned;
        if value.len() < at {
            return None;
        }
        while let Some(&byte) = value.get(at) {
            if self.is_escaped {
                self.is_escaped = false;
                at += 1;
                continue;
            }
            if self.in_text {
                let rest = &value[at..];
                let len = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                if !self.is_broken && memchr(b'\n', &rest[..len]).is_some() {
                    (self.spans_lines, self.is_broken) = (true, true);
                }
                at += len;
                match value.get(at) {
                    Some(b'"') => self.in_text = false,
                    Some(_) => self.is_escaped = true,
                    None => break,
                }
                at += 1;
                if !self.in_text && self.depth == 0 {
                    return self.found(at);
                }
                continue;
            }
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {
                    if self.depth == 0 {
                        return self.found(at);
                    }
                    if byte == b'\n' {
                        (self.spans_lines, self.at_line) = (true, true);
                    }
                    at += 1;
                    continue;
                }
                b'"' => self.in_text = true,
                b'{' | b'[' => {
                    self.is_broken |= self.at_line && !matches!(self.before, b',' | b'[' | b':');
                    self.depth += 1;
                }
                b'}' | b']' => {
                    if self.depth <= 1 {
                        let end = at + self.depth;
                        return self.found(end);
                    }
                    self.depth -= 1;
                }
                b',' if self.depth == 0 => return self.found(at),
                _ => {}
            }
            (self.before, self.at_line) = (byte, false);
            at += 1;
        }
        self.scanned = value.len();
        None
    }

    /// The same answer comes again until the value is done with.
    fn found(&mut self, end: usize) -> Option<usize> {
        let (spans_lines, is_broken) = (self.spans_lines, self.is_broken);
        *self = Self { spans_lines, is_broken, ..Self::default() };
        Some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_the_same_however_often_the_search_is_resumed() {
        for (text, end) in [
            (&b"{}x"[..], Some(2)),
            (b"{\"a\":[1,{\"b\":\"}]\\\"\"}]} ,", Some(22)),
            (b"\"a\\\"b\",", Some(6)),
            (b"-1.5e3,", Some(6)),
            (b"12]", Some(2)),
            (b"null\n", Some(4)),
            (b"12", None),
            (b"[[]", None),
            (b"\"\\", None),
        ] {
            for cut in 0..=text.len() {
                let mut value = ValueEnd::default();
                let early = value.find(&text[..cut]);
                assert_eq!(early.or_else(|| value.find(text)), end, "{} at {cut}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn fewer_bytes_than_before_show_nothing() {
        let value = b"{\"a\":[{},{}]},";
        for more in 1..value.len() {
            for fewer in 0..more {
                let mut end = ValueEnd::default();
                let found = end.find(&value[..more]);
                if found.is_none() {
                    assert_eq!(end.find(&value[..fewer]), None, "{fewer} of {more}");
                    assert_eq!(end.find(value), Some(value.len() - 1), "{fewer} of {more}");
                }
            }
        }
    }

    #[test]
    fn a_line_end_within_a_text_or_before_a_stray_value_is_told() {
        for (text, spans_lines, is_broken) in [
            (&b"{\"a\":1}"[..], false, false),
            (b"{\n\"a\":\n[\n{},\n{}\n]}", true, false),
            (b"{\"a\n\":1}", true, true),
            (b"{\"a\":[1\n{}]}", true, true),
        ] {
            let mut value = ValueEnd::default();
            assert_eq!(value.find(text), Some(text.len()));
            assert_eq!((value.spans_lines, value.is_broken), (spans_lines, is_broken));
        }
    }
}
