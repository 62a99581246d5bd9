//! JSON objects that follow one another, each on a line or spread over several, out of chunks cut anywhere.

use memchr::memmem;

use super::error::RecordingError;
use super::format::BYTE_ORDER_MARK;
use super::lines::{Line, Lines};
use super::value_end::ValueEnd;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Layout {
    /// The first object has not been seen to its end.
    #[default]
    Unseen,
    /// A line each.
    Lines,
    /// Several lines each.
    Spread,
    /// The same, within what is none: the next object begins a line.
    Between,
}

/// Finds objects in chunk after chunk. The first one shows how they are laid out. What is no object concerns itself only: the
/// next one counts, which begins a line.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    layout: Layout,
    lines: Lines,
    value: ValueEnd,
}

impl Objects {
    /// The next object, which stands on one line where the first one does.
    pub(super) fn next(&mut self, bytes: &[u8], at: &mut usize, last: bool, max: usize) -> Option<Line> {
        if self.layout == Layout::Unseen {
            let rest = bytes.get(*at..).unwrap_or_default();
            let begin = self.value_at(rest);
            let end = self.value.find(rest.get(begin..).unwrap_or_default());
            let is_cut = end.is_none() && (last || self.value.is_broken || rest.len() > max);
            if end.is_none() && !is_cut {
                return None;
            }
            let is_spread = end.is_some() && self.value.spans_lines && !self.value.is_broken;
            self.layout = if is_spread { Layout::Spread } else { Layout::Lines };
            self.value = ValueEnd::default();
        }
        match self.layout {
            Layout::Unseen | Layout::Lines => self.lines.next(bytes, at, last, max),
            Layout::Spread | Layout::Between => self.spread(bytes, at, last, max),
        }
    }

    /// Bytes before the next value.
    fn value_at(&self, rest: &[u8]) -> usize {
        let space = |rest: &[u8]| rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let begin = space(rest);
        match rest.get(begin..).and_then(|text| text.strip_prefix(BYTE_ORDER_MARK)) {
            Some(behind) => begin + BYTE_ORDER_MARK.len() + space(behind),
            None => begin,
        }
    }

    fn spread(&mut self, bytes: &[u8], at: &mut usize, last: bool, max: usize) -> Option<Line> {
        loop {
            let rest = bytes.get(*at..).unwrap_or_default();
            if self.layout == Layout::Between {
                // Inner objects stand behind white space.
                match memmem::find(rest, b"\n{") {
                    Some(end) => *at += end + 1,
                    None if last => {
                        *at = bytes.len();
                        return None;
                    }
                    None => {
                        *at += rest.len().saturating_sub(1);
                        return None;
                    }
                }
                self.layout = Layout::Spread;
                continue;
            }
            *at += self.value_at(rest);
            let rest = bytes.get(*at..).unwrap_or_default();
            let start = *at;
            let found = if rest.first() == Some(&b'{') { self.value.find(rest) } else { None };
            let refused = match found {
                Some(_) if self.value.is_broken => bad(0, "an object that ends before the next one"),
                Some(len) => {
                    self.value = ValueEnd::default();
                    *at += len;
                    return Some(Line { start, text: Ok(start..start + len) });
                }
                None if rest.is_empty() => return None,
                None if rest.first() != Some(&b'{') => bad(0, "a JSON object"),
                None if rest.len() > max => RecordingError::LineTooLong { max, len: rest.len() },
                None if self.value.is_broken || last => bad(rest.len(), "the end of the object"),
                None => return None,
            };
            self.value = ValueEnd::default();
            self.layout = Layout::Between;
            return Some(Line { start, text: Err(refused) });
        }
    }
}

const fn bad(at: usize, expected: &'static str) -> RecordingError {
    RecordingError::BadLine { at: at as u32, expected }
}

#[cfg(test)]
mod tests {
    use crate::recording::told::told_cut_anywhere;

    #[test]
    fn what_is_no_object_of_several_lines_concerns_that_one_only() {
        let object = |name: &str| {
            format!("{{\n  \"t\": \"recv\",\n  \"conn\": \"V\",\n  \"ts\": 2,\n  \"data\": \"{name}\"\n}}\n")
        };
        for (between, code) in [
            ("{\n  \"t\": \"recv\",\n  \"conn\": \"V\",\n", "recording.bad_line"),
            ("{\n  \"t\": \"other\",\n  \"conn\": \"V\",\n  \"ts\": 1\n}\n", "recording.unknown_kind"),
            ("x\ny\n", "recording.bad_line"),
            ("{\n  \"t\": \"recv\"\n}\n", "recording.missing_field"),
        ] {
            let text = format!("{}{between}{}", object("y"), object("z"));
            let told = told_cut_anywhere(text.as_bytes());
            assert_eq!(told, ["2000000000 received 0 y", code, "2000000000 received 0 z"], "{between}");
        }
        let cut = format!("{}{}", object("y"), "{\n  \"t\": \"recv\",\n");
        assert_eq!(told_cut_anywhere(cut.as_bytes()), ["2000000000 received 0 y", "recording.bad_line"]);
    }
}
