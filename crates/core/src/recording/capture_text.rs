//! The capture form of text lines.
//!
//! ```text
//! ADDRESS <-> SECONDS          connected
//! ADDRESS <- SECONDS: TEXT     sent
//! SECONDS: TEXT                received
//! URL -> SECONDS: TEXT         answered over HTTP; ` header: {…}` may follow
//! configuration: JSON          what the recorder was told to record: nothing that was heard, so it is passed over
//! ```

use memchr::{memchr, memmem};

use super::connections::Connections;
use super::entry::{Span, Step, What};
use super::error::RecordingError;
use super::lines::Lines;
use super::time::leading_seconds;
use crate::decode::FRAME_BYTES_MAX;
use crate::types::TimeNs;

/// Longest line: the largest frame and what stands before it.
const LINE_BYTES_MAX: usize = FRAME_BYTES_MAX + (64 << 10);

/// What a recorder writes between an HTTP answer and the answer's headers.
const HEADERS: &[u8] = b" header: {";

/// Reads the form.
///
/// A received line does not say on which connection. It need not: the recorder keeps a file for each connection, so
/// all of a file is one connection, and a second `<->` in it is the same one made anew, elsewhere perhaps. A further
/// file of the same address goes on with its line, one of another address has a line of its own, and one without any
/// address is the rotated rest of the file before.
#[derive(Clone, Debug, Default)]
pub(super) struct CaptureText {
    lines: Lines,
    /// The connection of this file, once an address has told it.
    line: Option<u32>,
}

impl CaptureText {
    pub(super) fn next(
        &mut self,
        connections: &mut Connections,
        bytes: &[u8],
        at: &mut usize,
        last: bool,
    ) -> Option<Step> {
        loop {
            let line = self.lines.next(bytes, at, last, LINE_BYTES_MAX)?;
            let read = line.text.and_then(|range| {
                let text = bytes.get(range.clone()).unwrap_or_default();
                self.read(connections, text, range.start)
            });
            match read {
                Ok(None) => {}
                Ok(Some((ts, what))) => return Some(Step { start: line.start, ts, what: Ok(what) }),
                Err(error) => return Some(Step::refused(line.start, error)),
            }
        }
    }

    /// Takes a line apart that begins at `base` of the bytes given; `None` is one that tells of nothing heard.
    fn read(
        &mut self,
        connections: &mut Connections,
        text: &[u8],
        base: usize,
    ) -> Result<Option<(TimeNs, What)>, RecordingError> {
        if text.first().is_some_and(u8::is_ascii_digit) {
            let (ts, len) = stamp(text, 0)?;
            let line = self.line.unwrap_or(connections.current());
            return Ok(Some((ts, What::Received(line, Span::given(base + len..base + text.len())))));
        }
        if text.starts_with(b"configuration: ") {
            return Ok(None);
        }
        let bad = |at: usize| RecordingError::BadLine {
            at: at as u32,
            expected: "a time, or an address and one of <->, <- and ->",
        };
        let space = memchr(b' ', text).ok_or_else(|| bad(0))?;
        let (address, behind) = text.split_at(space);
        if let Some(time) = behind.strip_prefix(b" <-> ") {
            let at = space + 5;
            let (ts, len) = leading_seconds(time).ok_or_else(|| no_time(at))?;
            if len < time.len() {
                return Err(RecordingError::BadLine { at: (at + len) as u32, expected: "the line's end" });
            }
            let line = self.line_of(connections, address)?;
            connections.set_address(line, address)?;
            return Ok(Some((ts, What::Connected(line))));
        }
        if behind.starts_with(b" <- ") {
            let (ts, begin) = stamp(text, space + 4)?;
            let line = self.line_of(connections, address)?;
            return Ok(Some((ts, What::Sent(line, Span::given(base + begin..base + text.len())))));
        }
        if behind.starts_with(b" -> ") {
            let (ts, begin) = stamp(text, space + 4)?;
            let body = &text[begin..];
            let headers = text.ends_with(b"}").then(|| memmem::rfind(body, HEADERS)).flatten();
            let end = headers.map_or(text.len(), |len| begin + len);
            let url = Span::given(base..base + space);
            return Ok(Some((ts, What::Answered { url, body: Span::given(base + begin..base + end) })));
        }
        Err(bad(space))
    }

    /// The connection of this file.
    fn line_of(&mut self, connections: &mut Connections, address: &[u8]) -> Result<u32, RecordingError> {
        match self.line {
            Some(line) => Ok(line),
            None => {
                let line = connections.named(address)?;
                self.line = Some(line);
                Ok(line)
            }
        }
    }
}

const fn no_time(at: usize) -> RecordingError {
    RecordingError::BadLine { at: at as u32, expected: "a time in seconds" }
}

/// The time at an offset of a line and where the text behind its colon begins.
fn stamp(text: &[u8], at: usize) -> Result<(TimeNs, usize), RecordingError> {
    let (ts, len) = leading_seconds(text.get(at..).unwrap_or_default()).ok_or_else(|| no_time(at))?;
    let behind = at + len;
    if !text.get(behind..).is_some_and(|rest| rest.starts_with(b": ")) {
        return Err(RecordingError::BadLine { at: behind as u32, expected: "a colon and a space" });
    }
    Ok((ts, behind + 2))
}

#[cfg(test)]
mod tests {
    use crate::recording::Transcript;
    use crate::recording::told::{told, told_cut_anywhere, told_of};

    #[test]
    fn each_line_is_told_for_what_it_is() {
        let text = b"configuration: {\"l2_book\":[]}\nhttps://h/x?a=b -> 1646003664.5: {\"code\":0}\n\
            wss://h/ws <-> 1646003666.6408682\nwss://h/ws <- 1646003667.399285: {\"op\":\"subscribe\"}\n\
            1646003667.645451: {\"a\":\"b: c\"}\n1646003668: [1]\r\n\n\
            https://h/y -> 1646003669.25: {\"b\":1} header: {\"X\":\"1\"}";
        assert_eq!(
            told_cut_anywhere(text),
            [
                "1646003664500000000 answered https://h/x?a=b {\"code\":0}",
                "1646003666640868200 connected 0 wss://h/ws",
                "1646003667399285000 sent 0 {\"op\":\"subscribe\"}",
                "1646003667645451000 received 0 {\"a\":\"b: c\"}",
                "1646003668000000000 received 0 [1]",
                "1646003669250000000 answered https://h/y {\"b\":1}",
            ]
        );
    }

    #[test]
    fn a_file_is_one_connection() {
        let first = b"wss://a <-> 1.5\n2: x\nwss://b <-> 3\n4: y\n";
        assert_eq!(
            told_cut_anywhere(first),
            [
                "1500000000 connected 0 wss://a",
                "2000000000 received 0 x",
                "3000000000 connected 0 wss://b",
                "4000000000 received 0 y",
            ]
        );
        // Rotated, of another address, and the first one again.
        let files: [&[u8]; 4] =
            [b"wss://a <-> 1\n", b"2.5: x\n", b"wss://c <- 3: s\n4: y", b"wss://a <-> 5\n6: z\n"];
        let mut transcript = Transcript::default();
        let mut all = Vec::new();
        for file in files {
            all.extend(told_of(&mut transcript, file, file.len()));
            transcript.file_ended();
        }
        assert_eq!(
            all,
            [
                "1000000000 connected 0 wss://a",
                "0 began",
                "2500000000 received 0 x",
                "0 began",
                "3000000000 sent 1 s",
                "4000000000 received 1 y",
                "0 began",
                "5000000000 connected 0 wss://a",
                "6000000000 received 0 z",
            ]
        );
    }

    #[test]
    fn what_is_no_line_concerns_that_line_only() {
        let text = b"wss://a <-> 1.5 \nwss://a <-> x\nwss://a <- 1 x\nwss://a\nwss://a ? 1\n12x: y\n1.5:y\n99999999999999999999: y\n2: z";
        let told = told(text);
        assert_eq!(told[..8], ["recording.bad_line"; 8]);
        assert_eq!(told[8], "2000000000 received 0 z");
    }
}
