//! What a transcript tells, as lines of text, for tests.

use super::entry::Heard;
use super::transcript::Transcript;

/// Feeds a file in chunks of one size, as a reader of files does. An error is told by its code.
pub(super) fn told_of(transcript: &mut Transcript, file: &[u8], chunk: usize) -> Vec<String> {
    let (mut pending, mut told) = (Vec::new(), Vec::new());
    let mut pieces = file.chunks(chunk.max(1)).peekable();
    while let Some(piece) = pieces.next() {
        pending.extend_from_slice(piece);
        let (mut at, last) = (0, pieces.peek().is_none());
        at = loop {
            let entry = match transcript.next(&pending, at, last) {
                Ok(entry) => entry,
                Err(consumed) => break consumed,
            };
            assert!(at <= entry.start && entry.start <= entry.end && entry.end <= pending.len());
            at = entry.end;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let ts = entry.ts;
            told.push(match entry.heard {
                Ok(Heard::Began) => format!("{ts} began"),
                Ok(Heard::Head { bytes }) => format!("{ts} head {}", text(bytes)),
                Ok(Heard::Closed { line }) => format!("{ts} closed {line}"),
                Ok(Heard::Connected { line, address }) => format!("{ts} connected {line} {}", text(address)),
                Ok(Heard::Sent { line, bytes }) => format!("{ts} sent {line} {}", text(bytes)),
                Ok(Heard::Received { line, bytes }) => format!("{ts} received {line} {}", text(bytes)),
                Ok(Heard::Answered { url, bytes }) => format!("{ts} answered {} {}", text(url), text(bytes)),
                Ok(Heard::Ticked) => format!("{ts} ticked"),
                Ok(Heard::Published { frame }) => format!("{ts} published {}", frame.len()),
                Ok(Heard::Setup { line, kind, bytes }) => {
                    format!("{ts} setup {line} {kind:?} {}", text(bytes))
                }
                Err(error) => {
                    assert_eq!(ts, 0, "an error has no time");
                    error.code().to_owned()
                }
            });
        };
        pending.drain(..at);
    }
    assert!(pending.is_empty(), "the end uses everything up");
    told
}

/// What a file of a form that is not named tells.
pub(super) fn told(file: &[u8]) -> Vec<String> {
    told_of(&mut Transcript::default(), file, file.len())
}

/// The same, which must not depend on where the file is cut, nor on whether entries are given back once.
pub(super) fn told_cut_anywhere(file: &[u8]) -> Vec<String> {
    let whole = told(file);
    for chunk in 1..file.len().min(200) {
        assert_eq!(told_of(&mut Transcript::default(), file, chunk), whole, "chunks of {chunk}");
    }
    let (mut transcript, mut at, mut again) = (Transcript::default(), 0, 0);
    while let Ok(entry) = transcript.next(file, at, true) {
        let (start, end) = (entry.start, entry.end);
        if !matches!(entry.heard, Err(_) | Ok(Heard::Began | Heard::Head { .. })) {
            let first = format!("{entry:?}");
            transcript.put_back();
            let second = transcript.next(file, start, true).map(|entry| format!("{entry:?}"));
            assert_eq!(second, Ok(first), "an entry given back comes again");
        }
        at = end;
        again += 1;
    }
    assert_eq!(again, whole.len());
    whole
}
