//! Whole recordings of every form, one form behind the other.

use std::fmt::Write as _;

use depthwire_core::framing::binary_file::LengthPrefix;
use depthwire_core::recording::{FORMAT_BYTES_MIN, Format, Heard, RecordingError, Transcript};

use crate::capture::{capture_fields, pcap_header, pcap_packet};
use crate::chunks::in_chunks;
use crate::dbn::{dbn_fields, metadata};
use crate::dbn_bytes::mbo;
use crate::itch::{block_fields, day};
use crate::journal::{journal_fields, segment};
use crate::json::{frames, json_fields};
use crate::mutate::{Fields, Kind};
use crate::packets::mold_packet;
use crate::random::Random;
use crate::run::{Said, Target};

/// A recording.
pub struct Recording;

/// An entry by value: which kind, its connection, its time and its bytes.
type Told = Result<(u8, u32, u64, Vec<u8>), &'static str>;

/// A frame that is no longer than others need to be.
fn frame(random: &mut Random) -> String {
    if random.one_in(3) {
        return (*random.pick(&["{}", "[8,\"hb\"]", "{\"a\":\"\\\"}]\"}", "{\"a\":[{\"b\":[]}]}"]))
            .to_owned();
    }
    String::from_utf8(random.pick(&frames()[..40]).clone()).unwrap()
}

/// A time of day in one of the four units.
fn time_of_day(random: &mut Random) -> u64 {
    (1_700_000_000_000_000_000 + (random.next() >> 8)) / random.pick(&[1, 1_000, 1_000_000, 1_000_000_000])
}

fn seconds(random: &mut Random) -> String {
    format!("17{:08}.{:06}", random.below(99_999_999), random.below(999_999))
}

/// A frame as it stands in a JSON text.
fn escaped(frame: &str, random: &mut Random) -> String {
    let mut text = String::new();
    for letter in frame.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            _ if random.one_in(40) => {
                let _ = write!(text, "\\u{:04x}", u32::from(letter));
            }
            _ => text.push(letter),
        }
    }
    text
}

fn collector(random: &mut Random, out: &mut Vec<u8>, name: &str) {
    for _ in 0..1 + random.below(4) {
        let line = format!("{} {name}{}\n", time_of_day(random), frame(random));
        out.extend(line.bytes());
    }
}

fn json(random: &mut Random, out: &mut Vec<u8>) {
    let frames: Vec<_> = (0..1 + random.below(4)).map(|_| frame(random)).collect();
    let text = match random.below(4) {
        0 => format!("[{{}},\n  {}\n]", frames.join(",\n")),
        1 => format!("{{\"a\":\n [{}]}}", frames.join(",")),
        _ => format!("{{\"first\":1}}\n{}\n", frames.join("\n")),
    };
    out.extend(text.bytes());
}

fn capture_text(random: &mut Random, out: &mut Vec<u8>) {
    out.extend_from_slice(b"configuration: {\"trades\":[]}\n");
    for _ in 0..1 + random.below(6) {
        let (time, frame) = (seconds(random), frame(random));
        let line = match random.below(5) {
            0 => format!("wss://a/ws <-> {time}\n"),
            1 => format!("wss://a/ws <- {time}: {frame}\n"),
            2 => format!("https://a/x?y=z -> {time}: {frame}\n"),
            _ => format!("{time}: {frame}\n"),
        };
        out.extend(line.bytes());
    }
}

fn capture_jsonl(random: &mut Random, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"t\":\"header\",\"format\":2,\"config\":{\"trades\":[\"A-B\"]}}\n");
    for _ in 0..1 + random.below(5) {
        let (time, frame) = (seconds(random), frame(random));
        let (connection, data) = (random.below(3), escaped(&frame, random));
        let line = match random.below(7) {
            4 => format!(r#"{{"t":"close","conn":"V.ws.{connection}","ts":{time}}}"#),
            0 => format!(r#"{{"t":"connect","conn":"V.ws.{connection}","ts":{time},"addr":"wss:\/\/a"}}"#),
            1 => format!(
                r#"{{"t":"send","conn":"V.ws.{connection}","ts":{time},"addr":"wss://a","data":"{data}"}}"#
            ),
            2 => format!(r#"{{"t":"http","conn":"V.http","ts":{time},"url":"https://a/x","data":"{data}"}}"#),
            3 => format!(r#"{{"conn":"V.ws.{connection}","ts":{time},"t":"recv","b64":"H4sIAA=="}}"#),
            _ => format!(r#"{{"t":"recv","conn":"V.ws.{connection}","ts":{time},"data":"{data}"}}"#),
        };
        out.extend(line.bytes());
        out.push(b'\n');
    }
}

fn cbcap(random: &mut Random, out: &mut Vec<u8>) {
    out.extend_from_slice(b"CBCAP1 venue A/B 1785552832693693000\n");
    for _ in 0..random.below(6) {
        let frame = frame(random);
        out.extend(format!("{} {}\n{frame}\n", random.any_size(), frame.len()).bytes());
    }
}

fn binary_file(random: &mut Random, out: &mut Vec<u8>) {
    let messages = &day(1)[..1 + random.below(8)];
    let is_stated = random.one_in(2);
    for message in messages {
        out.extend(if is_stated { message.len() as u16 } else { 0 }.to_be_bytes());
        out.extend(message);
    }
    if is_stated && random.one_in(3) {
        out.extend([0, 0]);
        if random.one_in(2) {
            out.extend((messages[0].len() as u16).to_be_bytes());
            out.extend(&messages[0]);
        }
    }
}

fn packets(random: &mut Random, out: &mut Vec<u8>) {
    for _ in 0..1 + random.below(2) {
        out.extend(pcap_header(1));
        for micros in 0..random.below(4) as u32 {
            let payload = mold_packet(b"000010059B", u64::from(micros) + 1, 1, &day(1)[..1]);
            out.extend(pcap_packet(micros, &payload, random));
        }
    }
}

fn dbn(random: &mut Random, out: &mut Vec<u8>) {
    for _ in 0..1 + random.below(2) {
        out.extend(metadata(1 + random.below(3) as u8, false, random));
        for _ in 0..random.below(6) {
            out.extend(mbo(b'A', b'B', random.any_size(), 5, 1, 0));
        }
    }
}

fn note_lines(fields: &mut Fields<'_>) {
    let mut at = 0;
    while at < fields.bytes.len() {
        let rest = &fields.bytes[at..];
        let len = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |len| len + 1);
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        fields.note(Kind::Unit, at, len);
        fields.note(Kind::Token, at, digits);
        fields.note(Kind::Text, at + len - 1, 1);
        for word in [&b" <-> "[..], b" <- ", b" -> ", b": ", b"\\"] {
            if let Some(found) = rest[..len].windows(word.len()).position(|window| window == word) {
                fields.note(Kind::Text, at + found, word.len());
            }
        }
        at += len;
    }
}

/// Reads one entry; what must hold of each holds. `Err`: the offset from which on the rest goes in again.
fn next(
    transcript: &mut Transcript,
    bytes: &[u8],
    at: usize,
    last: bool,
) -> Result<(usize, usize, Told), usize> {
    let entry = match transcript.next(bytes, at, last) {
        Ok(entry) => entry,
        Err(used) => {
            assert!((at..=bytes.len()).contains(&used), "no more is used than was given");
            return Err(used);
        }
    };
    assert!((at..=entry.end).contains(&entry.start) && entry.end <= bytes.len());
    let takes_none =
        matches!(entry.heard, Ok(Heard::Began) | Err(RecordingError::UnclosedList)) || entry.heard.is_err();
    assert!(entry.end > entry.start || takes_none, "each entry uses bytes up");
    let has_time = !matches!(entry.heard, Err(_) | Ok(Heard::Began | Heard::Head { .. }));
    assert!(has_time || entry.ts == 0);
    let told = match entry.heard {
        Ok(Heard::Began) => Ok((0, 0, entry.ts, Vec::new())),
        Ok(Heard::Head { bytes }) => Ok((1, 0, entry.ts, bytes.to_vec())),
        Ok(Heard::Connected { line, address }) => Ok((2, line, entry.ts, address.to_vec())),
        Ok(Heard::Closed { line }) => Ok((3, line, entry.ts, Vec::new())),
        Ok(Heard::Sent { line, bytes }) => Ok((4, line, entry.ts, bytes.to_vec())),
        Ok(Heard::Received { line, bytes }) => Ok((5, line, entry.ts, bytes.to_vec())),
        Ok(Heard::Answered { url, bytes }) => Ok((6, 0, entry.ts, [url, b" ", bytes].concat())),
        Ok(Heard::Ticked) => Ok((8, 0, entry.ts, Vec::new())),
        Ok(Heard::Published { frame }) => Ok((9, 0, entry.ts, frame.to_vec())),
        Ok(Heard::Setup { line, bytes, .. }) => Ok((7, line, entry.ts, bytes.to_vec())),
        Err(error) => Err(error.code()),
    };
    Ok((entry.start, entry.end, told))
}

const KINDS: [&str; 9] =
    ["began", "head", "connected", "closed", "sent", "received", "answered", "setup", "ticked"];
/// The first kind that a caller may give back.
const CONNECTED: u8 = 2;

impl Target for Recording {
    const NAME: &'static str = "recording";
    const INPUT_BYTES_MAX: usize = 1_024;
    const MEMORY: (usize, usize) = (256 << 10, 64);

    fn generate(&mut self, random: &mut Random, out: &mut Vec<u8>) {
        match random.below(10) {
            0 => collector(random, out, ""),
            1 => collector(random, out, "order_created "),
            2 => json(random, out),
            3 => capture_text(random, out),
            4 => capture_jsonl(random, out),
            5 => cbcap(random, out),
            6 => binary_file(random, out),
            7 => packets(random, out),
            8 => segment(random, out, false),
            _ => dbn(random, out),
        }
    }

    fn fields(fields: &mut Fields<'_>) {
        match Format::detect(fields.bytes) {
            Some(Format::Packets) => capture_fields(fields),
            Some(Format::BinaryFile(prefix)) => block_fields(fields, 0, prefix == LengthPrefix::Stated),
            Some(Format::Dbn) => dbn_fields(fields),
            Some(Format::Journal) => journal_fields(fields),
            Some(Format::Json) => json_fields(fields, 0, fields.bytes.len()),
            _ => note_lines(fields),
        }
    }

    fn check(&mut self, bytes: &[u8], random: &mut Random, said: &mut Said) {
        let format = Format::detect(&bytes[..bytes.len().min(FORMAT_BYTES_MIN)]);
        said.ok(&format!("{format:?}"));
        let mut transcript = Transcript::default();
        let (mut whole, mut at) = (Vec::new(), 0);
        let used = loop {
            let (start, end, told) = match next(&mut transcript, bytes, at, true) {
                Ok(entry) => entry,
                Err(used) => break used,
            };
            match &told {
                Ok((kind, line, ..)) => {
                    said.ok(KINDS[usize::from(*kind)]);
                    said.size("line", *line as usize);
                }
                Err(code) => said.error(code),
            }
            // What a caller does that does not want the entry yet.
            if told.as_ref().is_ok_and(|(kind, ..)| *kind >= CONNECTED) && random.one_in(3) {
                transcript.put_back();
                let again = next(&mut transcript, bytes, start, true);
                assert_eq!(again, Ok((start, end, told.clone())), "an entry given back comes again");
            }
            at = end;
            whole.push(told);
        };
        assert_eq!(used, bytes.len(), "at the end all is used");
        assert_eq!(next(&mut transcript, bytes, used, true), Err(used));

        let mut fresh = Transcript::default();
        let mut cut = Vec::new();
        in_chunks(bytes, random, |piece, last| {
            let mut at = 0;
            loop {
                match next(&mut fresh, piece, at, last) {
                    Ok((_, end, told)) => {
                        at = end;
                        cut.push(told);
                    }
                    Err(used) => return used,
                }
            }
        });
        assert_eq!(cut, whole, "cut anywhere it reads the same");

        // A segment of a journal does not follow itself.
        if transcript.format() == Some(Format::Journal) {
            return;
        }
        // Read as the file behind another, it says that it begins, and no more.
        transcript.file_ended();
        let (mut behind, mut at) = (Vec::new(), 0);
        while let Ok((_, end, told)) = next(&mut transcript, bytes, at, true) {
            at = end;
            behind.push(told);
        }
        let began = usize::from(transcript.format().is_some());
        assert_eq!(behind.len(), whole.len() + began);
    }
}
