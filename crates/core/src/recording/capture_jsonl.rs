//! The capture form of JSON lines: a header, then an object for each thing heard.
//!
//! ```text
//! {"t":"header","format":2,…}
//! {"t":"connect","conn":NAME,"ts":SECONDS,"addr":ADDRESS}
//! {"t":"send","conn":NAME,"ts":SECONDS,"addr":ADDRESS,"data":TEXT}
//! {"t":"recv","conn":NAME,"ts":SECONDS,"data":TEXT}      or "b64":TEXT for a binary frame
//! {"t":"http","conn":NAME,"ts":SECONDS,"url":URL,"data":TEXT}
//! {"t":"close","conn":NAME,"ts":SECONDS}
//! ```
//!
//! Members may stand in any order, and others may stand between them. Objects may stand on several lines.

use core::ops::Range;

use memchr::memchr2;

use super::connections::Connections;
use super::entry::{Span, Step, What};
use super::error::RecordingError;
use super::objects::Objects;
use super::text::{from_base64, unescape};
use super::time::leading_seconds;
use crate::decode::{FRAME_BYTES_MAX, leading_digits};
use crate::types::TimeNs;

/// Longest line: the largest frame with every second character escaped, and what stands around it.
const LINE_BYTES_MAX: usize = 2 * FRAME_BYTES_MAX + (64 << 10);

/// The version of the form.
const VERSION: u64 = 2;

/// Reads the form. Connections are told by `conn`; a name that connects again is the same connection made anew.
#[derive(Clone, Debug, Default)]
pub(super) struct CaptureJsonl {
    objects: Objects,
    /// A line was read, so that a further header is that of a further file.
    has_begun: bool,
}

/// Members of a line that matter. Texts are what stands between the quotes.
#[derive(Default)]
struct Members {
    kind: Option<Range<usize>>,
    format: Option<Range<usize>>,
    connection: Option<Range<usize>>,
    ts: Option<Range<usize>>,
    address: Option<Range<usize>>,
    url: Option<Range<usize>>,
    data: Option<Range<usize>>,
    base64: Option<Range<usize>>,
}

impl CaptureJsonl {
    pub(super) fn next(
        &mut self,
        connections: &mut Connections,
        scratch: &mut Vec<u8>,
        bytes: &[u8],
        at: &mut usize,
        last: bool,
    ) -> Option<Step> {
        loop {
            let line = self.objects.next(bytes, at, last, LINE_BYTES_MAX)?;
            let is_first = !core::mem::replace(&mut self.has_begun, true);
            let read = line.text.and_then(|range| {
                let text = bytes.get(range.clone()).unwrap_or_default();
                read(connections, scratch, text, range.start)
            });
            match read {
                Ok((_, What::Began)) if is_first => {}
                Ok((ts, what)) => return Some(Step { start: line.start, ts, what: Ok(what) }),
                Err(error) => return Some(Step::refused(line.start, error)),
            }
        }
    }
}

/// Takes a line apart that begins at `base` of the bytes given.
fn read(
    connections: &mut Connections,
    scratch: &mut Vec<u8>,
    line: &[u8],
    base: usize,
) -> Result<(TimeNs, What), RecordingError> {
    scratch.clear();
    let members = members(line)?;
    let kind = of(line, members.kind.as_ref(), "t")?;
    if kind == b"header" {
        let format = of(line, members.format.as_ref(), "format")?;
        return match leading_digits(format) {
            Some((VERSION, len)) if len == format.len() => Ok((0, What::Began)),
            got => {
                let got = got.map_or(u64::MAX, |(got, _)| got);
                Err(RecordingError::UnknownVersion { expected: VERSION, got })
            }
        };
    }
    let seconds = members.ts.clone().ok_or(RecordingError::MissingField { field: "ts" })?;
    let ts = leading_seconds(line.get(seconds.clone()).unwrap_or_default())
        .filter(|&(_, len)| len == seconds.len())
        .map(|(ts, _)| ts)
        .ok_or(RecordingError::BadLine { at: seconds.start as u32, expected: "a time in seconds" })?;
    let mut text = |member: Option<&Range<usize>>, field| -> Result<Span, RecordingError> {
        let range = member.cloned().ok_or(RecordingError::MissingField { field })?;
        let raw = line.get(range.clone()).unwrap_or_default();
        let from = scratch.len();
        if unescape(raw, scratch)? {
            Ok(Span::scratch(from..scratch.len()))
        } else {
            Ok(Span::given(base + range.start..base + range.end))
        }
    };
    let what = match kind {
        b"connect" => {
            let address = text(members.address.as_ref(), "addr")?;
            let line_number = connections.named(of(line, members.connection.as_ref(), "conn")?)?;
            let address = match address.is_scratch {
                true => scratch.get(address.start..address.end),
                false => line.get(address.start - base..address.end - base),
            };
            connections.set_address(line_number, address.unwrap_or_default())?;
            What::Connected(line_number)
        }
        b"close" => What::Closed(connections.named(of(line, members.connection.as_ref(), "conn")?)?),
        b"http" => {
            let url = text(members.url.as_ref(), "url")?;
            What::Answered { url, body: payload(&members, line, base, scratch)? }
        }
        b"send" | b"recv" => {
            let is_sent = kind == b"send";
            let frame = payload(&members, line, base, scratch)?;
            let line = connections.named(of(line, members.connection.as_ref(), "conn")?)?;
            if is_sent { What::Sent(line, frame) } else { What::Received(line, frame) }
        }
        _ => return Err(RecordingError::UnknownKind),
    };
    Ok((ts, what))
}

/// What a line carries, as it was before the recorder escaped it.
fn payload(
    members: &Members,
    line: &[u8],
    base: usize,
    scratch: &mut Vec<u8>,
) -> Result<Span, RecordingError> {
    let from = scratch.len();
    let raw = |range: &Range<usize>| line.get(range.clone()).unwrap_or_default();
    let span = match (&members.data, &members.base64) {
        (Some(_), Some(_)) => return Err(RecordingError::DuplicateField { field: "data" }),
        (Some(data), None) if !unescape(raw(data), scratch)? => {
            Span::given(base + data.start..base + data.end)
        }
        (Some(_), None) => Span::scratch(from..scratch.len()),
        (None, Some(base64)) => {
            from_base64(raw(base64), scratch)?;
            Span::scratch(from..scratch.len())
        }
        (None, None) => return Err(RecordingError::MissingField { field: "data" }),
    };
    match span.end - span.start {
        len if len > FRAME_BYTES_MAX => Err(RecordingError::FrameTooLarge { len }),
        _ => Ok(span),
    }
}

fn of<'a>(
    line: &'a [u8],
    member: Option<&Range<usize>>,
    field: &'static str,
) -> Result<&'a [u8], RecordingError> {
    member.and_then(|range| line.get(range.clone())).ok_or(RecordingError::MissingField { field })
}

/// Finds the members of a line. Values that do not matter are passed over by their brackets and quotes.
fn members(line: &[u8]) -> Result<Members, RecordingError> {
    let mut members = Members::default();
    let bad = |at: usize, expected| RecordingError::BadLine { at: at as u32, expected };
    let mut at = expect(line, 0, b'{').ok_or_else(|| bad(0, "a JSON object"))?;
    loop {
        let key = string(line, at).ok_or_else(|| bad(at, "a member's name"))?;
        let colon = key.end + 1;
        at = expect(line, colon, b':').ok_or_else(|| bad(colon, "a colon"))?;
        let (value, is_text) = value(line, at).ok_or_else(|| bad(at, "a value"))?;
        let (place, field, wants_text) = match &line[key.clone()] {
            b"t" => (&mut members.kind, "t", true),
            b"format" => (&mut members.format, "format", false),
            b"conn" => (&mut members.connection, "conn", true),
            b"ts" => (&mut members.ts, "ts", false),
            b"addr" => (&mut members.address, "addr", true),
            b"url" => (&mut members.url, "url", true),
            b"data" => (&mut members.data, "data", true),
            b"b64" => (&mut members.base64, "b64", true),
            _ => (&mut None, "", is_text),
        };
        if wants_text != is_text {
            return Err(bad(value.start, if wants_text { "a text" } else { "a number" }));
        }
        let end = value.end + usize::from(is_text);
        if place.replace(value).is_some() {
            return Err(RecordingError::DuplicateField { field });
        }
        if let Some(next) = expect(line, end, b',') {
            at = next;
            continue;
        }
        let end = expect(line, end, b'}').ok_or_else(|| bad(end, "a comma or '}'"))?;
        return match skip_space(line, end) {
            end if end == line.len() => Ok(members),
            end => Err(bad(end, "the line's end")),
        };
    }
}

fn skip_space(line: &[u8], mut at: usize) -> usize {
    while matches!(line.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// The offset behind a byte that must come next, white space aside.
fn expect(line: &[u8], at: usize, byte: u8) -> Option<usize> {
    let at = skip_space(line, at);
    (line.get(at) == Some(&byte)).then_some(at + 1)
}

/// The text that comes next, without its quotes.
fn string(line: &[u8], at: usize) -> Option<Range<usize>> {
    let start = expect(line, at, b'"')?;
    let mut end = start;
    loop {
        end += memchr2(b'"', b'\\', line.get(end..)?)?;
        if line.get(end) == Some(&b'"') {
            return Some(start..end);
        }
        end += 2;
    }
}

/// The value that comes next, texts without their quotes, and whether it is a text.
fn value(line: &[u8], at: usize) -> Option<(Range<usize>, bool)> {
    let start = skip_space(line, at);
    if line.get(start) == Some(&b'"') {
        return Some((string(line, start)?, true));
    }
    let (mut at, mut depth) = (start, 0usize);
    loop {
        match line.get(at)? {
            b'"' => at = string(line, at)?.end,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 1 => depth -= 1,
            b'}' | b']' if depth == 1 => return Some((start..at + 1, false)),
            b'}' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => {
                return (at > start).then_some((start..at, false));
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use crate::recording::Transcript;
    use crate::recording::told::{told, told_cut_anywhere, told_of};

    const HEADER: &str = "{\"t\":\"header\",\"format\":2,\"config\":{\"a\":[\"}\"]},\"x\":null}\n";

    #[test]
    fn each_line_is_told_for_what_it_is() {
        let text = format!(
            "{HEADER}{}",
            r#"{"t":"http","conn":"V.http.1","ts":1633998511.132921,"url":"https:\/\/h/x","data":"{\"a\":\"\\u20ac\"}"}
{"t":"connect","conn":"V.ws.1","ts":1633998511.5,"addr":"wss://h/\"ws"}
{ "conn" : "V.ws.2", "ts" : 1633998512, "t" : "connect", "addr" : "wss://i" }
{"conn":"V.ws.1","ts":1633998513.25,"t":"send","addr":"wss://h","data":"{\"op\":1}","n":[{"}":"]"},-1.5e3]}
{"t":"recv","conn":"V.ws.2","ts":1633998514.0633569,"data":"\u0042\u20AC\ud83d\ude00\b\f\n\r\t\/\\"}
{"t":"recv","conn":"V.ws.1","ts":1633998515.0,"b64":"H4sIAA=="}
{"t":"recv","conn":"V.ws.3","ts":1633998516.0,"data":"pong"}
{"t":"close","conn":"V.ws.2","ts":1633998517}
"#
        );
        assert_eq!(
            told_cut_anywhere(text.as_bytes()),
            [
                "1633998511132921000 answered https://h/x {\"a\":\"\\u20ac\"}",
                "1633998511500000000 connected 0 wss://h/\"ws",
                "1633998512000000000 connected 1 wss://i",
                "1633998513250000000 sent 0 {\"op\":1}",
                "1633998514063356900 received 1 B\u{20ac}\u{1f600}\u{8}\u{c}\n\r\t/\\",
                "1633998515000000000 received 0 \u{1f}\u{fffd}\u{8}\0",
                "1633998516000000000 received 2 pong",
                "1633998517000000000 closed 1",
            ]
        );
    }

    #[test]
    fn a_header_in_the_stream_begins_a_file_and_connections_keep_their_numbers() {
        let one = format!("{HEADER}{}", "{\"t\":\"connect\",\"conn\":\"V\",\"ts\":1,\"addr\":\"a\"}\n");
        assert_eq!(
            told_cut_anywhere([&*one, &*one].concat().as_bytes()),
            ["1000000000 connected 0 a", "0 began", "1000000000 connected 0 a"]
        );
        let mut transcript = Transcript::default();
        let first = told_of(&mut transcript, one.as_bytes(), 7);
        transcript.file_ended();
        assert_eq!((first, told_of(&mut transcript, one.as_bytes(), 7)).0, ["1000000000 connected 0 a"]);
    }

    #[test]
    fn what_is_no_line_concerns_that_line_only() {
        for (line, code) in [
            (r#"{"t":"recv","conn":"V","ts":1.5}"#, "recording.missing_field"),
            (r#"{"t":"recv","ts":1.5,"data":""}"#, "recording.missing_field"),
            (r#"{"t":"recv","conn":"V","data":""}"#, "recording.missing_field"),
            (r#"{"conn":"V","ts":1.5,"data":""}"#, "recording.missing_field"),
            (r#"{"t":"connect","conn":"V","ts":1.5}"#, "recording.missing_field"),
            (r#"{"t":"http","conn":"V","ts":1.5,"data":""}"#, "recording.missing_field"),
            (r#"{"t":"recv","conn":"V","ts":1,"data":"","data":""}"#, "recording.duplicate_field"),
            (r#"{"t":"recv","conn":"V","ts":1,"data":"","b64":""}"#, "recording.duplicate_field"),
            (r#"{"t":"other","conn":"V","ts":1}"#, "recording.unknown_kind"),
            (r#"{"t":"recv","conn":"V","ts":"1","data":""}"#, "recording.bad_line"),
            (r#"{"t":"recv","conn":"V","ts":1e9,"data":""}"#, "recording.bad_line"),
            (r#"{"t":"recv","conn":"V","ts":1,"data":5}"#, "recording.bad_line"),
            (r#"{"t":"recv","conn":"V","ts":1,"data":""}x"#, "recording.bad_line"),
            (r#"{"t":"recv","conn":"V","ts":1,"data":""#, "recording.bad_line"),
            (r#"{"t":"recv","conn":"V","ts":1,"data":"\"#, "recording.bad_line"),
            (r#"{"t":"recv","conn":"V","ts":1,"x":[}"#, "recording.bad_line"),
            (r#"{"t":"recv""conn":"V"}"#, "recording.bad_line"),
            ("{}", "recording.bad_line"),
            ("5", "recording.bad_line"),
            (r#"{"t":"recv","conn":"V","ts":1,"data":"\x"}"#, "recording.bad_escape"),
            (r#"{"t":"recv","conn":"V","ts":1,"data":"\ud83d"}"#, "recording.bad_escape"),
            (r#"{"t":"recv","conn":"V","ts":1,"b64":"AB"}"#, "recording.bad_base64"),
            (r#"{"t":"header","format":3}"#, "recording.unknown_version"),
        ] {
            let good = "{\"t\":\"recv\",\"conn\":\"V\",\"ts\":2,\"data\":\"z\"}";
            let text = format!("{HEADER}{line}\n{good}\n");
            assert_eq!(told(text.as_bytes()), [code, "2000000000 received 0 z"], "{line}");
        }
    }

    #[test]
    fn objects_are_read_however_they_are_printed() {
        let compact = format!(
            "{HEADER}{}",
            "{\"t\":\"connect\",\"conn\":\"V\",\"ts\":1,\"addr\":\"a\"}\n{\"t\":\"recv\",\"conn\":\"V\",\"ts\":2.5,\"data\":\"[1, 2]\"}\n{\"t\":\"http\",\"conn\":\"V\",\"ts\":3,\"url\":\"u\",\"data\":\"{}\",\"n\":[{\"a\":1},{}]}\n"
        );
        let expected = told(compact.as_bytes());
        assert_eq!(expected.len(), 3);
        // As `json.dumps` prints by default: these marks stand between members only.
        let spaced = compact.replace("\":", "\": ").replace(",\"", ", \"");
        let pretty =
            spaced.replace(", \"", ",\n    \"").replace("{\"t\"", "{\n    \"t\"").replace("}\n", "\n}\n");
        for text in [&spaced, &pretty, &format!("\u{feff}\n{pretty}"), &pretty.replace('\n', "\r\n")] {
            assert_eq!(told_cut_anywhere(text.as_bytes()), expected, "{text}");
        }
    }
}
