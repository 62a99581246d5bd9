//! Every recording at hand is read to its last byte. What is expected was counted by another program.

use depthwire_core::framing::binary_file::LengthPrefix;
use depthwire_core::recording::{Conversion, Entry, Format, Heard, Transcript};
use flate2::Crc;

use crate::expected::{Form, Program, Samples, Transcript as Row, expected};
use crate::{expected, files};

/// What a file tells: entries of each kind, connections, bytes received, and a checksum (IEEE) over all of it in order:
/// a letter for the kind, the address or the URL and a space, and the bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told<'a> {
    connected: u32,
    sent: u32,
    received: u32,
    answered: u32,
    /// Connections that spoke, were spoken to or made; 1 for a form that knows of none.
    lines: u32,
    received_bytes: u64,
    crc: u32,
    /// Receive times of the first entry and the last.
    first: u64,
    last: u64,
    errors: Vec<&'a str>,
    files_began: u32,
    /// Metadata, counted with the bytes received.
    heads: u32,
    closed: u32,
}

impl Told<'_> {
    /// Reads a file in chunks of a size that has nothing to do with it.
    fn of(transcript: &mut Transcript, file: &[u8], chunk: usize) -> Self {
        let (mut told, mut crc) = (Self { lines: 1, ..Self::default() }, Crc::new());
        let mut pending = Vec::new();
        let mut pieces = file.chunks(chunk).peekable();
        while let Some(piece) = pieces.next() {
            pending.extend_from_slice(piece);
            let (mut at, last) = (0, pieces.peek().is_none());
            let used = loop {
                match transcript.next(&pending, at, last) {
                    Ok(entry) => {
                        told.add(&entry, &mut crc);
                        at = entry.end;
                    }
                    Err(used) => break used,
                }
            };
            pending.drain(..used);
        }
        assert!(pending.is_empty());
        transcript.file_ended();
        told.crc = crc.sum();
        told
    }

    fn add(&mut self, entry: &Entry<'_>, crc: &mut Crc) {
        let mut parts = |parts: [&[u8]; 3]| parts.iter().for_each(|part| crc.update(part));
        match entry.heard {
            Ok(Heard::Began) => self.files_began += 1,
            Ok(Heard::Closed { .. }) => self.closed += 1,
            Ok(Heard::Connected { line, address }) => {
                self.connected += 1;
                self.lines = self.lines.max(line + 1);
                parts([b"C", address, b""]);
            }
            Ok(Heard::Sent { line, bytes }) => {
                self.sent += 1;
                self.lines = self.lines.max(line + 1);
                parts([b"S", bytes, b""]);
            }
            Ok(Heard::Head { bytes }) => {
                self.heads += 1;
                self.received_bytes += bytes.len() as u64;
                parts([b"R", bytes, b""]);
            }
            Ok(Heard::Received { line, bytes }) => {
                self.received += 1;
                self.lines = self.lines.max(line + 1);
                self.received_bytes += bytes.len() as u64;
                parts([b"R", bytes, b""]);
            }
            Ok(Heard::Answered { url, bytes }) => {
                self.answered += 1;
                parts([b"A", url, b" "]);
                parts([bytes, b"", b""]);
            }
            Ok(Heard::Setup { .. } | Heard::Ticked | Heard::Published { .. }) => {
                unreachable!("only live servers tell how they were set up")
            }
            Err(error) => {
                assert!(error.loses_bytes());
                self.errors.push(error.code());
            }
        }
        if self.first == 0 {
            self.first = entry.ts;
        }
        if entry.ts > 0 {
            self.last = entry.ts;
        }
    }
}

/// The format that a row names.
fn format(form: Form) -> Format {
    match form {
        Form::Collector => Format::Collector,
        Form::NamedCollector => Format::NamedCollector,
        Form::CaptureText => Format::CaptureText,
        Form::CaptureJsonl => Format::CaptureJsonl,
        Form::Json => Format::Json,
        Form::Cbcap => Format::Cbcap,
        Form::Packets => Format::Packets,
        Form::Dbn => Format::Dbn,
        Form::BinaryFileZero => Format::BinaryFile(LengthPrefix::Zero),
    }
}

#[test]
fn every_recording_is_read_to_its_last_byte() {
    let Some(root) = files::root("every_recording_is_read_to_its_last_byte") else { return };
    for row in &expected().transcripts {
        let [name] = &row.files;
        let Some(file) = files::read(&root.join(name)) else {
            assert!(row.needs.contains(&Program::Xz), "{name}: the row says that nothing is needed");
            continue;
        };
        let form = format(row.format);
        let expected = Told {
            connected: row.connected,
            sent: row.sent,
            received: row.received,
            answered: row.answered,
            lines: row.lines,
            received_bytes: row.received_bytes,
            crc: row.crc32.0.0,
            first: row.first.0,
            last: row.last.0,
            errors: row.errors.iter().map(String::as_str).collect(),
            files_began: 0,
            heads: u32::from(form == Format::Dbn),
            closed: 0,
        };
        assert_eq!(Format::detect(&file), Some(form), "{name}");
        assert_eq!(Told::of(&mut Transcript::default(), &file, 61_441), expected, "{name}");
    }
}

/// What a journal that is made of a recording tells is what the recording tells, on the same connections; what could not be
/// read is missed.
#[test]
fn every_recording_is_the_same_as_a_journal() {
    let Some(root) = files::root("every_recording_is_the_same_as_a_journal") else { return };
    for row in &expected().transcripts {
        let [name] = &row.files;
        let Some(file) = files::read(&root.join(name)) else { continue };
        let mut journal = Vec::new();
        let mut conversion = Conversion::begin(1, 2, &mut journal);
        assert_eq!(conversion.take(&file, true, &mut journal), Ok(file.len()), "{name}");
        conversion.close(&mut journal);
        assert_eq!(Format::detect(&journal), Some(Format::Journal));
        let (mut plain, mut read) = (Transcript::default(), Transcript::default());
        let mut expected = Told::of(&mut plain, &file, 1 << 20);
        expected.errors.fill("journal.missed");
        assert_eq!(Told::of(&mut read, &journal, 1 << 20), expected, "{name}");
        for line in 0..expected.lines {
            assert_eq!(read.address(line), plain.address(line), "{name}");
        }
    }
}

/// Single messages and samples, by folder: files, entries received and answered, bytes received.
#[test]
fn every_sample_is_read_to_its_last_byte() {
    let Some(root) = files::root("every_sample_is_read_to_its_last_byte") else { return };
    for Samples { folder, ends, files, received, answered, received_bytes, .. } in &expected().samples {
        let expected = (*files, *received, *answered, *received_bytes);
        let files = files::all_in(&root.join(folder), ends);
        let told: Vec<_> = files.iter().map(|file| Told::of(&mut Transcript::default(), file, 97)).collect();
        assert!(told.iter().all(|told| told.errors.is_empty()), "{folder}");
        let sum = |of: fn(&Told<'_>) -> u64| told.iter().map(of).sum::<u64>();
        let got = (
            files.len(),
            sum(|told| told.received.into()),
            sum(|told| told.answered.into()),
            sum(|told| told.received_bytes),
        );
        assert_eq!(got, expected, "{folder}");
    }
}

/// The day files of one set, one file after the other in one transcript, and the same in one stream.
#[test]
fn files_that_follow_one_another_are_one_recording() {
    let Some(root) = files::root("files_that_follow_one_another_are_one_recording") else { return };
    let read = |row: &Row| files::read(&root.join(&row.files[0])).unwrap();
    let rows =
        ["binance/spot_btcusdt_20240808.gz", "binance/spot_btcusdt_20240809.gz"].map(expected::transcript);
    let days = rows.map(read);
    let mut transcript = Transcript::default();
    let [first, second] = days.each_ref().map(|day| Told::of(&mut transcript, day, 1 << 20));
    assert_eq!([first.received, second.received], rows.map(|row| row.received));
    assert_eq!((first.files_began, second.files_began), (0, 1));
    let stream = Told::of(&mut transcript, &days.concat(), 1 << 20);
    let received = rows.iter().map(|row| row.received).sum();
    assert_eq!((stream.received, stream.first, stream.last), (received, first.first, second.last));

    let rows = ["cme-mbo/esh4-glbx-mdp3-20231224.mbo.dbn.zst", "cme-mbo/esh4-glbx-mdp3-20231225.mbo.dbn.zst"]
        .map(expected::transcript);
    let told = Told::of(&mut transcript, &rows.map(read).concat(), 1 << 20);
    let received = rows.iter().map(|row| row.received).sum();
    assert_eq!((told.received, told.heads, told.errors.len()), (received, 2, 0));

    // Two captures in one stream: the destinations of the first keep their numbers.
    let rows = ["cme-mdp3/Cme.Mdp3.Sbe.v6.1.pcap", "iex/TOPS16.pcapng.gz"].map(expected::transcript);
    let told = Told::of(&mut Transcript::default(), &rows.map(read).concat(), 1 << 20);
    let [received, lines] =
        [|row: &Row| row.received, |row: &Row| row.lines].map(|of| rows.into_iter().map(of).sum());
    assert_eq!((told.received, told.lines, told.files_began), (received, lines, 1));
    assert_eq!(told.errors, [""; 0]);
}

/// A file out of an archive in which nothing is packed.
#[test]
fn frames_a_line_out_of_an_archive_are_read() {
    let Some(root) = files::root("frames_a_line_out_of_an_archive_are_read") else { return };
    let expected = expected::archive("bybit-xrpusdt-ob500");
    let file = files::read(&root.join(&expected.files[0])).unwrap();
    let told = Told::of(&mut Transcript::default(), &file, 1_000);
    let expected = (expected.received, expected.received_bytes, expected.crc32.0.0);
    assert_eq!((told.received, told.received_bytes, told.crc), expected);
}
