//! JSON without receive times: a frame a line, a list of frames, or an answer in a file of its own.

use memchr::memchr;

use super::entry::{Span, Step, What};
use super::error::RecordingError;
use super::format::BYTE_ORDER_MARK;
use super::lines::Lines;
use super::value_end::ValueEnd;
use crate::decode::FRAME_BYTES_MAX;

/// Reads JSON of which nobody says how it is laid out. What the file is shows at its beginning:
///
/// * an array whose first element is an object or an array is a list of frames, each element one, on however many
///   lines; commas are not checked;
/// * an object alone in its file is an answer to a request that nobody wrote down;
/// * an object, or an array that begins with anything else, with more behind it on a further line: each line is a frame;
/// * the same spread over lines: each value is a frame.
///
/// No form says when its frames came.
#[derive(Clone, Debug, Default)]
pub(super) struct Json {
    mode: Mode,
    value: ValueEnd,
    lines: Lines,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// At the file's first value.
    #[default]
    Head,
    /// Each line is a frame.
    Lines,
    /// Values follow one another.
    Values,
    /// Within a list.
    List,
    /// Within a value that is too large, whose bytes are passed over; then in a list again, or not.
    TooLarge { in_list: bool },
    /// Nothing can be found any more.
    Lost,
}

/// Which kind of value is at the head of some bytes.
enum Opening {
    List,
    Value,
    /// The bytes end before that is seen.
    Unseen,
}

impl Json {
    pub(super) fn next(&mut self, bytes: &[u8], at: &mut usize, last: bool) -> Option<Step> {
        let step = self.step(bytes, at, last);
        if step.is_some() || !last {
            return step;
        }
        self.end().map(|error| Step::refused(*at, error))
    }

    fn step(&mut self, bytes: &[u8], at: &mut usize, last: bool) -> Option<Step> {
        loop {
            match self.mode {
                Mode::Lines => return self.line(bytes, at, last),
                Mode::Lost => {
                    *at = bytes.len();
                    return None;
                }
                Mode::TooLarge { in_list } => match self.value.find(bytes.get(*at..).unwrap_or_default()) {
                    Some(len) => {
                        *at += len;
                        self.value = ValueEnd::default();
                        self.mode = if in_list { Mode::List } else { Mode::Values };
                    }
                    None => {
                        *at = bytes.len();
                        self.value.scanned = 0;
                        return None;
                    }
                },
                Mode::Head | Mode::Values | Mode::List => {
                    let first = self.skip_between(bytes, at, last)?;
                    let step = match (self.mode, first) {
                        (Mode::List, b']') => {
                            *at += 1;
                            self.mode = Mode::Values;
                            continue;
                        }
                        (Mode::List, b'}' | b':') => Some(self.lose(bytes, at, "a value, ',' or ']'", first)),
                        (Mode::List, _) => self.value(bytes, at, last),
                        (_, b'[') => match opening(&bytes[*at..]) {
                            Opening::List => {
                                *at += 1;
                                self.mode = Mode::List;
                                continue;
                            }
                            Opening::Unseen if !last => None,
                            _ => self.top(bytes, at, last),
                        },
                        (_, b'{') => self.top(bytes, at, last),
                        (Mode::Head, _) => {
                            self.mode = Mode::Lines;
                            continue;
                        }
                        _ => Some(self.lose(bytes, at, "an object or an array", first)),
                    };
                    if step.is_some() || self.mode != Mode::Lines {
                        return step;
                    }
                }
            }
        }
    }

    /// Passes over what may stand between values; the byte that the next one begins with.
    fn skip_between(&self, bytes: &[u8], at: &mut usize, last: bool) -> Option<u8> {
        loop {
            match bytes.get(*at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => *at += 1,
                Some(b',') if self.mode == Mode::List => *at += 1,
                Some(0xEF) if self.mode != Mode::List => {
                    let rest = &bytes[*at..];
                    if rest.starts_with(BYTE_ORDER_MARK) {
                        *at += BYTE_ORDER_MARK.len();
                    } else if BYTE_ORDER_MARK.starts_with(rest) && !last {
                        return None;
                    } else {
                        return Some(0xEF);
                    }
                }
                Some(&byte) => return Some(byte),
                None => return None,
            }
        }
    }

    /// A value of the outermost level. At the file's head what follows it decides what the file is; where that is a
    /// frame a line, the mode has changed and nothing is taken.
    fn top(&mut self, bytes: &[u8], at: &mut usize, last: bool) -> Option<Step> {
        if self.mode != Mode::Head {
            return self.value(bytes, at, last);
        }
        let rest = &bytes[*at..];
        let end = self.value.find(rest);
        if self.value.is_broken {
            // The first line is none: a value that begins a line where it may not.
            self.be(Mode::Lines);
            return None;
        }
        let Some(end) = end else { return self.unfinished(bytes, at, last) };
        if end > FRAME_BYTES_MAX {
            self.be(Mode::Values);
            return self.value(bytes, at, last);
        }
        let behind = &rest[end..];
        let space = behind.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if space < behind.len() {
            let is_line = !self.value.spans_lines && memchr(b'\n', &behind[..space]).is_some();
            self.be(if is_line { Mode::Lines } else { Mode::Values });
            return if is_line { None } else { self.value(bytes, at, last) };
        }
        if !last {
            return None;
        }
        let (start, body) = (*at, Span::given(*at..*at + end));
        *at = bytes.len();
        let is_answer = rest.first() == Some(&b'{');
        let what =
            if is_answer { What::Answered { url: Span::EMPTY, body } } else { What::Received(0, body) };
        Some(Step { start, ts: 0, what: Ok(what) })
    }

    /// A value that is a frame.
    fn value(&mut self, bytes: &[u8], at: &mut usize, last: bool) -> Option<Step> {
        let start = *at;
        let rest = &bytes[start..];
        let found = self.value.find(rest);
        // What nothing follows ends a text or number, too.
        let is_scalar = !matches!(rest.first(), Some(b'{' | b'['));
        let Some(len) = found.or((last && is_scalar).then_some(rest.len())) else {
            return self.unfinished(bytes, at, last);
        };
        self.value = ValueEnd::default();
        *at += len;
        let what = match rest.first() {
            _ if len > FRAME_BYTES_MAX => Err(RecordingError::FrameTooLarge { len }),
            Some(b'{' | b'[') => Ok(What::Received(0, Span::given(start..start + len))),
            got => Err(RecordingError::NotFrame { got: got.copied().unwrap_or_default() }),
        };
        Some(Step { start, ts: 0, what })
    }

    /// A value of which the bytes given hold a part only.
    fn unfinished(&mut self, bytes: &[u8], at: &mut usize, last: bool) -> Option<Step> {
        let (start, len) = (*at, bytes.len() - *at);
        if last {
            *at = bytes.len();
            self.be(Mode::Lost);
            let error = RecordingError::Truncated { expected: len + 1, got: len };
            return Some(Step::refused(start, error));
        }
        if len <= FRAME_BYTES_MAX {
            return None;
        }
        *at = bytes.len();
        self.mode = Mode::TooLarge { in_list: self.mode == Mode::List };
        self.value.scanned = 0;
        Some(Step::refused(start, RecordingError::FrameTooLarge { len }))
    }

    fn line(&mut self, bytes: &[u8], at: &mut usize, last: bool) -> Option<Step> {
        let line = self.lines.next(bytes, at, last, FRAME_BYTES_MAX)?;
        let what = line.text.and_then(|text| match bytes.get(text.start) {
            Some(b'{' | b'[') => Ok(What::Received(0, Span::given(text))),
            got => Err(RecordingError::NotFrame { got: got.copied().unwrap_or_default() }),
        });
        Some(Step { start: line.start, ts: 0, what })
    }

    fn be(&mut self, mode: Mode) {
        self.mode = mode;
        self.value = ValueEnd::default();
    }

    fn lose(&mut self, bytes: &[u8], at: &mut usize, expected: &'static str, got: u8) -> Step {
        let start = *at;
        *at = bytes.len();
        self.be(Mode::Lost);
        Step::refused(start, RecordingError::BadJson { expected, got })
    }

    /// What a file lacks that ends here, all of its bytes read.
    fn end(&mut self) -> Option<RecordingError> {
        let mode = self.mode;
        match mode {
            Mode::List => self.mode = Mode::Lost,
            Mode::TooLarge { .. } => self.be(Mode::Lost),
            _ => return None,
        }
        Some(match mode {
            Mode::List => RecordingError::UnclosedList,
            _ => RecordingError::Truncated { expected: 1, got: 0 },
        })
    }
}

/// What an array at the head of `bytes` holds first.
fn opening(bytes: &[u8]) -> Opening {
    match bytes.iter().skip(1).find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => Opening::List,
        Some(_) => Opening::Value,
        None => Opening::Unseen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Transcript;
    use crate::recording::told::{told_cut_anywhere, told_of};

    #[test]
    fn frames_a_line_are_each_received() {
        for text in [
            &b"{\"a\":\"\\\"}\"}\n[1,{\"b\":[]}]\r\n\nx\n{\"c\n[{}]"[..],
            b"\xEF\xBB\xBF\n {\"a\":\"\\\"}\"}\n[1,{\"b\":[]}]\r\n\nx\n{\"c\n[{}]\n",
        ] {
            assert_eq!(
                told_cut_anywhere(text),
                [
                    "0 received 0 {\"a\":\"\\\"}\"}",
                    "0 received 0 [1,{\"b\":[]}]",
                    "recording.not_frame",
                    "0 received 0 {\"c",
                    "0 received 0 [{}]",
                ]
            );
        }
        assert_eq!(
            told_cut_anywhere(b"[8,\"hb\"]\n[8,[1]]\n"),
            ["0 received 0 [8,\"hb\"]", "0 received 0 [8,[1]]"]
        );
    }

    #[test]
    fn a_first_line_that_is_cut_does_not_take_the_others_with_it() {
        for first in ["{\"a\":[1,2", "{\"a\":\"b", "{\"a\":1"] {
            let text = format!("{first}\n{{\"b\":1}}\n{{\"c\":1}}\n");
            let expected =
                [&format!("0 received 0 {first}"), "0 received 0 {\"b\":1}", "0 received 0 {\"c\":1}"];
            assert_eq!(told_cut_anywhere(text.as_bytes()), expected);
        }
    }

    #[test]
    fn elements_of_a_list_are_each_received() {
        for text in [
            "[{\"a\":\"]\"},[1,[2]],{\"c\":{}}]",
            " [\n  {\"a\":\"]\"},\n  [1,[2]] , {\"c\":{}}\n]\n",
            "\u{feff}[{\"a\":\"]\"}]\n[[1,[2]]]\n{\"c\":{}}",
        ] {
            assert_eq!(
                told_cut_anywhere(text.as_bytes()),
                ["0 received 0 {\"a\":\"]\"}", "0 received 0 [1,[2]]", "0 received 0 {\"c\":{}}"],
                "{text}"
            );
        }
        assert_eq!(told_cut_anywhere(b"[[]]"), ["0 received 0 []"]);
        assert_eq!(
            told_cut_anywhere(b"[{},\"x\\\"]\",5 ,null]"),
            ["0 received 0 {}", "recording.not_frame", "recording.not_frame", "recording.not_frame"]
        );
    }

    #[test]
    fn an_object_alone_in_its_file_is_an_answer() {
        for text in ["{\"a\":[1,\n2]}", "\n {\"a\":[1,\n2]}\n\n", "\u{feff}{\"a\":[1,\n2]}\r\n"] {
            assert_eq!(told_cut_anywhere(text.as_bytes()), ["0 answered  {\"a\":[1,\n2]}"]);
        }
        assert_eq!(told_cut_anywhere(b"{}\n"), ["0 answered  {}"]);
        assert_eq!(told_cut_anywhere(b"[1,2]\n"), ["0 received 0 [1,2]"]);
        assert_eq!(told_cut_anywhere(b"[]\n"), ["0 received 0 []"]);
    }

    #[test]
    fn objects_spread_over_lines_are_each_received() {
        for text in ["{\n\"a\":1\n}\n{\n\"b\":2\n}", "{\n\"a\":1\n}{\n\"b\":2\n}\n"] {
            assert_eq!(
                told_cut_anywhere(text.as_bytes()),
                ["0 received 0 {\n\"a\":1\n}", "0 received 0 {\n\"b\":2\n}"]
            );
        }
        assert_eq!(
            told_cut_anywhere(b"{\"a\":1}{\"b\":2}"),
            ["0 received 0 {\"a\":1}", "0 received 0 {\"b\":2}"]
        );
    }

    #[test]
    fn what_breaks_off_or_is_no_json_is_told_once() {
        for (text, expected) in [
            (&b"[{\"a\":1},{\"b\""[..], &["0 received 0 {\"a\":1}", "recording.truncated"][..]),
            (b"[{\"a\":1},", &["0 received 0 {\"a\":1}", "recording.unclosed_list"]),
            (b"[{\"a\":1}\n", &["0 received 0 {\"a\":1}", "recording.unclosed_list"]),
            (b"[{\"a\":1}},{}]", &["0 received 0 {\"a\":1}", "recording.bad_json"]),
            (b"[{\"a\":1}]x{}", &["0 received 0 {\"a\":1}", "recording.bad_json"]),
            (b"{\"a\":1", &["recording.truncated"]),
            (b"[", &["recording.truncated"]),
            (b"[1,", &["recording.truncated"]),
        ] {
            assert_eq!(told_cut_anywhere(text), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_frame_past_the_limit_is_one_error_and_the_next_counts() {
        let long = "x".repeat(FRAME_BYTES_MAX);
        let (good, too_large) = ("0 received 0 {}", "recording.frame_too_large");
        for (text, expected) in [
            (format!("[{{\"a\":\"{long}\"}},{{}}]"), [too_large, good]),
            (format!("{{\"a\":\"{long}\"}}\n{{}}\n"), [too_large, good]),
            (format!("{{}}\n{{\"a\":\"{long}\"}}\n"), [good, "recording.line_too_long"]),
        ] {
            for chunk in [1 << 20, text.len()] {
                let told = told_of(&mut Transcript::default(), text.as_bytes(), chunk);
                assert_eq!(told, expected, "chunks of {chunk}");
            }
        }
    }
}
