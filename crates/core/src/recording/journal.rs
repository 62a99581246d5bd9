//! The segments of a journal: what was heard, as it was when it was recorded.

use super::connections::Connections;
use super::entry::{Span, Step, What};
use super::error::RecordingError;
use crate::journal::{Input, JournalError, Reader, Recorded};

/// Reads the segments one after the other: what is missing between two of them is told by the second.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    reader: Reader,
    /// Whether the last step was a record, and whether that was a datagram.
    is_record: bool,
    is_datagram: bool,
    /// The number of what was told last.
    seq: u64,
}

impl Journal {
    /// Whether what was told last is a datagram's payload.
    pub(super) const fn is_datagram(&self) -> bool {
        self.is_datagram
    }

    /// The number of the record that was told last; of an error that of the record that was due.
    pub(super) const fn seq(&self) -> u64 {
        self.seq
    }

    /// The number of the record that is due, and whether the segment was closed in order.
    pub(super) fn standing(&self) -> (u64, bool) {
        (self.reader.next_seq(), self.reader.was_closed())
    }

    /// Another segment follows.
    pub(super) fn segment_ended(&mut self) {
        self.reader.segment_ended();
    }

    /// What was told last is not wanted yet.
    pub(super) fn put_back(&mut self) {
        if std::mem::take(&mut self.is_record) {
            self.reader.put_back();
        }
    }

    pub(super) fn next(
        &mut self,
        connections: &mut Connections,
        bytes: &[u8],
        at: &mut usize,
        last: bool,
    ) -> Option<Step> {
        loop {
            (self.is_record, self.is_datagram) = (false, false);
            let recorded = match self.reader.next(bytes, *at, last) {
                Ok(recorded) => recorded,
                Err(consumed) => {
                    *at = consumed;
                    return None;
                }
            };
            let Recorded { start, end, seq, line, ts, what } = recorded;
            *at = end;
            self.seq = seq;
            let input = match what {
                Ok(Input::Missed { loses, .. }) => Err(JournalError::Missed { loses }),
                other => other,
            };
            let input = match input {
                Ok(input) => input,
                Err(error) => return Some(Step::refused(start, RecordingError::Journal(error))),
            };
            let what = connections.numbered(line).and_then(|()| what_of(input, end, line, connections));
            match what {
                Ok(None) => {}
                Ok(Some(what)) => {
                    self.is_record = true;
                    self.is_datagram = matches!(input, Input::Datagram(_));
                    // These have no time of their own in any form.
                    let ts = if matches!(what, What::Began | What::Head(_)) { 0 } else { ts };
                    return Some(Step { start, ts, what: Ok(what) });
                }
                Err(error) => return Some(Step::refused(start, error)),
            }
        }
    }
}

/// A record as places in the bytes given, which it ends at `end`; none for one that tells of nothing that happened.
fn what_of(
    input: Input<'_>,
    end: usize,
    line: u32,
    connections: &mut Connections,
) -> Result<Option<What>, RecordingError> {
    let span = |bytes: &[u8]| Span::given(end - bytes.len()..end);
    Ok(Some(match input {
        Input::Began => What::Began,
        Input::Head(bytes) => What::Head(span(bytes)),
        Input::Connected(address) => {
            connections.set_address(line, address)?;
            What::Connected(line)
        }
        Input::Closed => What::Closed(line),
        Input::Sent(bytes) => What::Sent(line, span(bytes)),
        Input::Received(bytes) | Input::Datagram(bytes) => What::Received(line, span(bytes)),
        Input::Answered { url, body } => {
            let url_end = end - Input::bytes_of_text(body);
            What::Answered { url: Span::given(url_end - url.len()..url_end), body: span(body) }
        }
        Input::Named(address) => {
            connections.set_address(line, address)?;
            return Ok(None);
        }
        Input::Ticked => What::Ticked,
        Input::Setup { kind, text } => What::Setup(line, kind, span(text)),
        Input::Missed { .. } => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use crate::journal::{Input, SegmentHeader, Writer};
    use crate::recording::Transcript;
    use crate::recording::told::{told, told_cut_anywhere, told_of};

    fn segment(number: u64, first_seq: u64, records: &[(u32, u64, Input<'_>)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let header = SegmentHeader { journal: 1, number, first_seq, created: 0 };
        let mut writer = Writer::begin(header, &mut bytes);
        for (line, ts, input) in records {
            writer.append(*line, *ts, input, &mut bytes).unwrap();
            if *ts % 2 == 0 {
                writer.flush(&mut bytes);
            }
        }
        writer.close(&mut bytes);
        bytes
    }

    #[test]
    fn it_tells_what_was_heard() {
        let long = vec![b'x'; 300];
        let bytes = segment(
            0,
            0,
            &[
                (0, 5, Input::Connected(b"wss://a")),
                (1, 6, Input::Named(b"wss://b")),
                (0, 7, Input::Sent(b"hello")),
                (1, 7, Input::Received(b"{}")),
                (0, 3, Input::Answered { url: b"https://c", body: &long }),
                (0, 9, Input::Head(b"head")),
                (0, 9, Input::Missed { loses: true, code: b"recording.bad_line" }),
                (2, 0, Input::Datagram(b"")),
                (1, 10, Input::Closed),
                (0, 0, Input::Began),
            ],
        );
        let answered = format!("3 answered https://c {}", String::from_utf8_lossy(&long));
        assert_eq!(
            told_cut_anywhere(&bytes),
            [
                "5 connected 0 wss://a",
                "7 sent 0 hello",
                "7 received 1 {}",
                &answered,
                "0 head head",
                "journal.missed",
                "0 received 2 ",
                "10 closed 1",
                "0 began",
            ]
        );
        let (mut transcript, mut at, mut datagrams) = (Transcript::default(), 0, Vec::new());
        while let Ok(entry) = transcript.next(&bytes, at, true) {
            at = entry.end;
            datagrams.push(entry.is_datagram);
        }
        assert_eq!(datagrams.iter().position(|is| *is), Some(6));
        assert_eq!(datagrams.iter().filter(|is| **is).count(), 1);
        assert_eq!([0, 1, 2].map(|line| transcript.address(line)), [&b"wss://a"[..], b"wss://b", b""]);
    }

    #[test]
    fn segments_go_on_where_the_one_before_ended() {
        let segments = [0, 1, 2]
            .map(|number| segment(number, number, &[(0, 9, Input::Received(number.to_string().as_bytes()))]));
        let mut transcript = Transcript::default();
        let mut all = Vec::new();
        for at in [0, 1, 2] {
            all.extend(told_of(&mut transcript, &segments[at], 50));
            transcript.file_ended();
        }
        assert_eq!(all, ["9 received 0 0", "9 received 0 1", "9 received 0 2"]);
        let mut transcript = Transcript::default();
        let mut all = Vec::new();
        for file in [&segments[0][..], &segments[2], b"5 {}\n"] {
            all.extend(told_of(&mut transcript, file, 50));
            transcript.file_ended();
        }
        assert_eq!(
            all,
            ["9 received 0 0", "journal.segment_order", "9 received 0 2", "0 began", "5 received 0 {}"]
        );
    }

    #[test]
    fn another_journal_begins_as_another_file_does() {
        let mut other = Vec::new();
        let header = SegmentHeader { journal: 2, number: 0, first_seq: 0, created: 0 };
        let mut writer = Writer::begin(header, &mut other);
        writer.append(0, 4, &Input::Received(b"{}"), &mut other).unwrap();
        writer.close(&mut other);
        let first = segment(0, 0, &[(0, 3, Input::Received(b"[]"))]);
        let mut transcript = Transcript::default();
        let mut all = Vec::new();
        for file in [&first, &other, &first] {
            all.extend(told_of(&mut transcript, file, 70));
            transcript.file_ended();
        }
        let told = ["3 received 0 []", "0 began", "4 received 0 {}", "0 began", "3 received 0 []"];
        assert_eq!(all, told);
    }

    #[test]
    fn more_connections_than_are_told_apart_are_refused() {
        let bytes = segment(0, 0, &[(1 << 20, 1, Input::Received(b"{}")), (0, 1, Input::Received(b"[]"))]);
        assert_eq!(told(&bytes), ["recording.too_many_connections", "1 received 0 []"]);
    }
}
