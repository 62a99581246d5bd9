//! A recording of any form, as a journal.

use super::entry::{Entry, Heard};
use super::transcript::Transcript;
use crate::journal::{Input, JournalError, SegmentHeader, SetupKind, Writer};

/// Reads recordings, one after the other, and writes what they tell as records of a journal: read back, it tells the
/// same entries with the same times, on the same connections.
///
/// Cost: that of reading the recording, and a copy of its messages.
#[derive(Debug)]
pub struct Conversion {
    transcript: Transcript,
    journal: u64,
    segments: u64,
    writer: Writer,
    /// Whether it was said where a connection leads, by its number.
    are_named: Vec<bool>,
    missed: u64,
    /// Entries that were read.
    entries: u64,
    cut: Option<Cut>,
}

/// Which entries are taken: see [`Conversion::cut`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// From this entry on, and before that one, counted from 0.
    pub entries: (u64, u64),
    /// Of these connections alone; none: of all.
    pub lines: Vec<u32>,
    /// Of answers those that were asked for by this name; empty: all.
    pub name: String,
}

impl Cut {
    fn takes(&self, entry: u64, line: u32, input: &Input<'_>) -> bool {
        let is_of_line = || self.lines.is_empty() || self.lines.contains(&line);
        let is_in = (self.entries.0..self.entries.1).contains(&entry);
        match input {
            // How connections are taken, and what was said on them before, is said by whoever cuts.
            Input::Setup { .. } => false,
            Input::Ticked | Input::Missed { .. } | Input::Began | Input::Head(_) => is_in,
            Input::Answered { url, .. } => is_in && (self.name.is_empty() || *url == self.name.as_bytes()),
            _ => is_in && is_of_line(),
        }
    }
}

impl Conversion {
    /// Begins a journal: its first segment's head is appended to `out`. `journal` tells it from others, `created` is the
    /// time in ns.
    #[must_use]
    pub fn begin(journal: u64, created: u64, out: &mut Vec<u8>) -> Self {
        let writer = Writer::begin(SegmentHeader { journal, number: 0, first_seq: 0, created }, out);
        Self {
            transcript: Transcript::default(),
            journal,
            segments: 1,
            writer,
            are_named: Vec::new(),
            missed: 0,
            entries: 0,
            cut: None,
        }
    }

    /// Takes a part alone from here on.
    pub fn cut(&mut self, cut: Cut) {
        self.cut = Some(cut);
    }

    /// Whether nothing that follows is taken.
    #[must_use]
    pub fn is_cut_over(&self) -> bool {
        self.cut.as_ref().is_some_and(|cut| self.entries >= cut.entries.1)
    }

    /// Appends what is said of a connection at that time, and no recording tells.
    ///
    /// # Errors
    /// [`JournalError::BlockTooLarge`].
    pub fn set_up(
        &mut self,
        (line, ts): (u32, u64),
        kind: SetupKind,
        text: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), JournalError> {
        self.writer.append(line, ts, &Input::Setup { kind, text }, out).map(drop)
    }

    /// Records so far.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.writer.next_seq()
    }

    /// Parts of the recordings that could not be read, and stand in the journal as missed.
    #[must_use]
    pub const fn missed(&self) -> u64 {
        self.missed
    }

    /// Takes whole entries of `bytes` and appends the blocks that they fill to `out`. Returns the bytes used; the
    /// rest goes in again, at the head of the next call. `last`: the bytes of this file end here, and what follows is
    /// another's.
    ///
    /// # Errors
    /// [`JournalError::BlockTooLarge`] for an entry that no block holds, [`JournalError::Published`] for frames, which nobody has
    /// received.
    pub fn take(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Result<usize, JournalError> {
        let Self { transcript, writer, are_named, missed, entries, cut, .. } = self;
        let mut at = 0;
        loop {
            // Where a connection leads is asked for before an entry borrows the transcript.
            let unnamed = match transcript.next(bytes, at, last) {
                Ok(Entry { end, ts, is_datagram, heard, .. }) => {
                    let (line, input) = match heard {
                        Ok(Heard::Began) => (0, Input::Began),
                        Ok(Heard::Head { bytes }) => (0, Input::Head(bytes)),
                        Ok(Heard::Connected { line, address }) => (line, Input::Connected(address)),
                        Ok(Heard::Closed { line }) => (line, Input::Closed),
                        Ok(Heard::Sent { line, bytes }) => (line, Input::Sent(bytes)),
                        Ok(Heard::Received { line, bytes }) if is_datagram => (line, Input::Datagram(bytes)),
                        Ok(Heard::Received { line, bytes }) => (line, Input::Received(bytes)),
                        Ok(Heard::Answered { url, bytes }) => (0, Input::Answered { url, body: bytes }),
                        Ok(Heard::Ticked) => (0, Input::Ticked),
                        Ok(Heard::Published { .. }) => return Err(JournalError::Published),
                        Ok(Heard::Setup { line, kind, bytes }) => (line, Input::Setup { kind, text: bytes }),
                        Err(error) => {
                            (0, Input::Missed { loses: error.loses_bytes(), code: error.code().as_bytes() })
                        }
                    };
                    at = end;
                    let entry = *entries;
                    *entries += 1;
                    if cut.as_ref().is_some_and(|cut| !cut.takes(entry, line, &input)) {
                        continue;
                    }
                    *missed += u64::from(matches!(input, Input::Missed { .. }));
                    writer.append(line, ts, &input, out)?;
                    let index = line as usize;
                    if are_named.len() <= index {
                        are_named.resize(index + 1, false);
                    }
                    let was_named = std::mem::replace(&mut are_named[index], true);
                    (!was_named && !matches!(input, Input::Connected(_))).then_some((line, ts))
                }
                Err(used) => {
                    if last {
                        transcript.file_ended();
                    }
                    return Ok(used);
                }
            };
            if let Some((line, ts)) = unnamed {
                let address = transcript.address(line);
                if !address.is_empty() {
                    writer.append(line, ts, &Input::Named(address), out)?;
                }
            }
        }
    }

    /// Something is missing from here on: the file is damaged, and what follows does not go on where it ended.
    ///
    /// # Errors
    /// None but [`JournalError::BlockTooLarge`], for a code that is longer than any.
    pub fn miss(&mut self, code: &str, out: &mut Vec<u8>) -> Result<(), JournalError> {
        self.missed += 1;
        self.writer.append(0, 0, &Input::Missed { loses: true, code: code.as_bytes() }, out)?;
        Ok(())
    }

    /// Ends the segment in `out` and begins the next one, at that time, in `next`.
    pub fn turn(&mut self, created: u64, out: &mut Vec<u8>, next: &mut Vec<u8>) {
        let header = SegmentHeader {
            journal: self.journal,
            number: self.segments,
            first_seq: self.records(),
            created,
        };
        self.segments += 1;
        std::mem::replace(&mut self.writer, Writer::begin(header, next)).close(out);
    }

    /// Ends the journal in `out`.
    pub fn close(self, out: &mut Vec<u8>) {
        self.writer.close(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::told::told_of;

    /// What some files tell, by themselves and as a journal of segments of some bytes.
    fn both(files: &[&[u8]], segment_bytes: usize) -> [Vec<String>; 2] {
        let (mut plain, mut transcript) = (Vec::new(), Transcript::default());
        let mut segments = vec![Vec::new()];
        let mut conversion = Conversion::begin(1, 2, &mut segments[0]);
        for file in files {
            plain.extend(told_of(&mut transcript, file, 64));
            transcript.file_ended();
            let mut at = 0;
            for to in (0..=file.len()).step_by(7).chain([file.len()]) {
                let out = segments.last_mut().unwrap();
                let last = to == file.len();
                at += conversion.take(&file[at..to], last, out).unwrap();
                if out.len() >= segment_bytes {
                    let mut next = Vec::new();
                    conversion.turn(3, out, &mut next);
                    segments.push(next);
                }
                if last {
                    break;
                }
            }
        }
        conversion.close(segments.last_mut().unwrap());
        let (mut read, mut transcript) = (Vec::new(), Transcript::default());
        for segment in &segments {
            read.extend(told_of(&mut transcript, segment, 100));
            transcript.file_ended();
        }
        [plain, read]
    }

    #[test]
    fn what_recordings_tell_the_journal_tells() {
        let files: [&[u8]; 7] = [
            b"1721347021000000001 {\"a\":1}\n1721347021000000002 {\"b\":2}\n",
            b"wss://a <-> 1617643607.5\nwss://a <- 1617643608.5: {\"c\":3}\n1617643609.5: {\"d\":4}\nhttps://e -> 1617643610: {\"f\":5}\n",
            b"{\"t\":\"header\",\"format\":2}\n",
            b"CBCAP1 v A/B 1785552832000000000\n5 2\n{}\n6 9\n{}",
            b"[{\"g\":6},{\"h\":7}",
            b"DBN\x01\0\0\0\0",
            b"5 {}\n",
        ];
        for segment_bytes in [usize::MAX, 1] {
            let [plain, read] = both(&files, segment_bytes);
            let is_error = |told: &&String| !told.contains(' ');
            let as_missed =
                |told: &String| if is_error(&told) { "journal.missed".to_owned() } else { told.clone() };
            assert_eq!(read, plain.iter().map(as_missed).collect::<Vec<_>>());
            assert!(plain.iter().filter(is_error).count() >= 3, "{plain:?}");
        }
    }

    #[test]
    fn what_is_missing_is_told_where_it_is() {
        let mut bytes = Vec::new();
        let mut conversion = Conversion::begin(1, 2, &mut bytes);
        // As many bytes as tell the form.
        let lines = b"5 {}\n".repeat(20);
        assert_eq!(conversion.take(&lines, false, &mut bytes), Ok(lines.len()));
        conversion.miss("recording.damaged", &mut bytes).unwrap();
        assert_eq!(conversion.take(b"6 {}\n", true, &mut bytes), Ok(5));
        assert_eq!((conversion.records(), conversion.missed()), (22, 1));
        conversion.close(&mut bytes);
        let told = told_of(&mut Transcript::default(), &bytes, 9);
        assert_eq!(told[19..], ["5 received 0 {}", "journal.missed", "6 received 0 {}"]);
    }
}
