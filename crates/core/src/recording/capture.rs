//! What a recorder wrote of its connections: as text with arrows, or as one JSON object a line.
//!
//! ```text
//! ADDRESS <-> 1617666422.65            connected
//! ADDRESS <- 1617666423.12: {…}        sent
//! 1617666423.23: {…}                   received
//! URL -> 1617666421.9: {…}             asked over HTTP, and answered
//! {"t":"recv","conn":"…","ts":1617666423.23,"data":"{…}"}
//! ```
//! Text names the connection of what was sent and not of what was received: all is taken for one line.

use memchr::memmem::find;

use super::RecordingError;
use super::lines::seconds;
use super::transcript::Heard;
use crate::decode::json::{Kind, Scanner, Token, unescape_into};
use crate::decode::{DecodeError, FRAME_BYTES_MAX};
use crate::types::TimeNs;

/// What a line of text says, with its time. `None` for the recorder's own configuration.
pub(super) fn text_line(line: &[u8]) -> Result<Option<(TimeNs, Heard<'_>)>, RecordingError> {
    let bad = |at: usize, expected| RecordingError::BadLine { at: at as u32, expected };
    if line.starts_with(b"configuration: ") {
        return Ok(None);
    }
    if line.first().is_some_and(u8::is_ascii_digit) {
        let (ts, len) = seconds(line).ok_or_else(|| bad(0, "a time in seconds"))?;
        let bytes = line.get(len..).and_then(|rest| rest.strip_prefix(b": "));
        let bytes = bytes.ok_or_else(|| bad(len, "a colon and a frame"))?;
        return Ok(Some((ts, Heard::Received { line: 0, bytes })));
    }
    let arrow = find(line, b" <-> ").map(|at| (at, 5)).or_else(|| {
        let (sent, asked) = (find(line, b" <- "), find(line, b" -> "));
        let first = [sent, asked].into_iter().flatten().min()?;
        Some((first, 4))
    });
    let (at, len) = arrow.ok_or_else(|| bad(0, "a time, or an address and an arrow"))?;
    let (address, rest) = (&line[..at], &line[at + len..]);
    let (ts, digits) = seconds(rest).ok_or_else(|| bad(at + len, "a time in seconds"))?;
    if len == 5 {
        return Ok(Some((ts, Heard::Connected { line: 0, address })));
    }
    let bytes = rest.get(digits..).and_then(|rest| rest.strip_prefix(b": "));
    let bytes = bytes.ok_or_else(|| bad(at + len + digits, "a colon and what was said"))?;
    let is_sent = line.get(at + 1) == Some(&b'<');
    Ok(Some((
        ts,
        if is_sent { Heard::Sent { line: 0, bytes } } else { Heard::Answered { url: address, bytes } },
    )))
}

/// The members of a JSON line that count.
#[derive(Default)]
struct Members {
    kind: Token,
    conn: Token,
    ts: Token,
    address: Token,
    url: Token,
    data: Token,
    base64: Token,
}

/// A JSON line. A frame that had to be unescaped is in `scratch`, and said so: its place in the answer is empty. `line_of`
/// numbers connections. `None` for the header.
pub(super) fn json_line<'t>(
    line: &'t [u8],
    scratch: &mut Vec<u8>,
    mut line_of: impl FnMut(&[u8]) -> Result<u32, RecordingError>,
) -> Result<Option<(TimeNs, Heard<'t>, bool)>, RecordingError> {
    let bad = |at: u32, expected| RecordingError::BadLine { at, expected };
    let members = read(line).map_err(|_| bad(0, "a JSON object"))?;
    let ts = match seconds(members.ts.of(line)) {
        Some((ts, _)) => ts,
        None if members.kind.of(line) == b"header" => return Ok(None),
        None => return Err(bad(members.ts.start, "a time in seconds in `ts`")),
    };
    let conn = members.conn.of(line);
    let mut payload = || payload(line, &members, scratch);
    let (heard, is_in_scratch) = match members.kind.of(line) {
        b"header" => return Ok(None),
        b"connect" => (Heard::Connected { line: line_of(conn)?, address: members.address.of(line) }, false),
        b"close" => (Heard::Closed { line: line_of(conn)? }, false),
        b"send" => {
            let (bytes, is_in_scratch) = payload()?;
            (Heard::Sent { line: line_of(conn)?, bytes }, is_in_scratch)
        }
        b"recv" => {
            let (bytes, is_in_scratch) = payload()?;
            (Heard::Received { line: line_of(conn)?, bytes }, is_in_scratch)
        }
        b"http" => {
            let (bytes, is_in_scratch) = payload()?;
            (Heard::Answered { url: members.url.of(line), bytes }, is_in_scratch)
        }
        _ => return Err(bad(members.kind.start, "header, connect, send, recv, http or close in `t`")),
    };
    Ok(Some((ts, heard, is_in_scratch)))
}

fn read(line: &[u8]) -> Result<Members, DecodeError> {
    let mut members = Members::default();
    let mut scanner = Scanner::new(line, 0);
    scanner.open(b'{', "an object")?;
    let mut first = true;
    while scanner.more(first, b'}')? {
        first = false;
        let key = scanner.key()?;
        let token = scanner.value()?;
        match key.of(line) {
            b"t" => members.kind = token,
            b"conn" => members.conn = token,
            b"ts" => members.ts = token,
            b"addr" => members.address = token,
            b"url" => members.url = token,
            b"data" => members.data = token,
            b"b64" => members.base64 = token,
            _ => {}
        }
    }
    scanner.finish()?;
    Ok(members)
}

/// What was said: text as it is, or, and then true, out of its escapes or of base64 in `scratch`.
fn payload<'t>(
    line: &'t [u8],
    members: &Members,
    scratch: &mut Vec<u8>,
) -> Result<(&'t [u8], bool), RecordingError> {
    let bad = |token: Token, expected| RecordingError::BadLine { at: token.start, expected };
    let (data, base64) = (members.data, members.base64);
    match (data.kind, base64.kind) {
        (Kind::String, _) => Ok((data.of(line), false)),
        (Kind::EscapedString, _) => {
            let read = unescape_into(data.of(line), scratch);
            read.map(|()| (&[][..], true)).ok_or_else(|| bad(data, "escapes that JSON knows in `data`"))
        }
        (Kind::Absent, Kind::String) => {
            let read = from_base64(base64.of(line), scratch);
            read.map(|()| (&[][..], true)).ok_or_else(|| bad(base64, "base64 in `b64`"))
        }
        _ => Err(bad(data, "a text in `data` or `b64`")),
    }
}

/// RFC 4648, section 4, with padding.
fn from_base64(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.clear();
    if !text.len().is_multiple_of(4) || text.len() / 4 * 3 > FRAME_BYTES_MAX {
        return None;
    }
    for (index, group) in text.chunks_exact(4).enumerate() {
        let is_last = (index + 1) * 4 == text.len();
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && !is_last) {
            return None;
        }
        let mut bits = 0u32;
        for byte in &group[..4 - padding] {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        let bytes = (bits << (6 * padding)).to_be_bytes();
        out.extend_from_slice(&bytes[1..4 - padding]);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_text_say_what_happened() {
        let s = 1_617_666_422_653_664_000;
        for (line, heard) in [
            (
                &b"wss://ws.example.com <-> 1617666422.653664"[..],
                Some((s, Heard::Connected { line: 0, address: b"wss://ws.example.com" })),
            ),
            (
                b"wss://ws.example.com <- 1617666422.653664: {\"a -> b\":1}",
                Some((s, Heard::Sent { line: 0, bytes: b"{\"a -> b\":1}" })),
            ),
            (b"1617666422.653664: [1]", Some((s, Heard::Received { line: 0, bytes: b"[1]" }))),
            (
                b"https://x/y?a=b -> 1617666422.653664: {}",
                Some((s, Heard::Answered { url: b"https://x/y?a=b", bytes: b"{}" })),
            ),
            (b"configuration: {}", None),
        ] {
            assert_eq!(text_line(line), Ok(heard), "{}", line.escape_ascii());
        }
        for line in [&b"1617666422 {}"[..], b"nothing", b"a <- x: {}", b"a <- 1.5 {}", b"1.5:{}"] {
            assert!(text_line(line).is_err(), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn lines_of_json_say_the_same() {
        let mut scratch = Vec::new();
        let mut at = |line: &[u8]| match json_line(line, &mut scratch, |conn| Ok(conn.len() as u32)) {
            Ok(said) => format!("{said:?} {}", String::from_utf8_lossy(&scratch)),
            Err(error) => error.code().to_owned(),
        };
        assert!(at(br#"{"t":"header","format":2}"#).starts_with("None"));
        assert!(
            at(br#"{"t":"recv","conn":"ab","ts":1.5,"data":"{\"x\":\"\u00e9\"}"}"#)
                .ends_with("{\"x\":\"é\"}")
        );
        assert!(at(br#"{"t":"http","ts":1,"url":"u","data":"{}"}"#).contains("Answered"));
        assert!(at(br#"{"t":"recv","conn":"a","ts":1,"b64":"aGk="}"#).ends_with("hi"));
        for line in [
            &br#"{"t":"recv","conn":"a","ts":1,"b64":"aGk"}"#[..],
            br#"{"t":"recv","conn":"a","data":"x"}"#,
            br#"{"t":"other","ts":1}"#,
            br#"{"t":"recv","conn":"a","ts":1,"data":"\q"}"#,
            b"{",
        ] {
            assert_eq!(at(line), "recording.bad_line", "{}", line.escape_ascii());
        }
    }
}
