//! A process that records is killed at any moment: what it had acknowledged is in its journal, and nothing else is.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use depthwire_core::journal::{Input, Reader};
use depthwire_journal::retention::Retention;
use depthwire_journal::{Options, Recorder, Sync};

const FOLDER: &str = "DEPTHWIRE_KILLED_FOLDER";
/// `DEPTHWIRE_KILLED_ROUNDS=1000` for a campaign.
const ROUNDS: &str = "DEPTHWIRE_KILLED_ROUNDS";

/// What record `number` says.
fn text_of(number: u64) -> String {
    format!("{number} {}", "y".repeat((number * 37 % 500) as usize))
}

/// Not a test by itself: what is killed. It records as fast as it can, and says after each what has been acknowledged.
#[test]
fn records_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let seed: u64 = folder.bytes().map(u64::from).sum();
    let sync = Sync::ALL[seed as usize % 3].0;
    let options = Options {
        folder: folder.into(),
        journal: 1,
        sync,
        segment_bytes: 200_000,
        flush_ns: 100_000,
        seals: seed.is_multiple_of(2),
        retention: Retention::default(),
    };
    let mut recorder = Recorder::begin(options, 0).unwrap();
    let mut out = std::io::stdout().lock();
    for number in 0.. {
        recorder.record(0, number, &Input::Received(text_of(number).as_bytes()));
        recorder.tick(number * 20_000);
        // No more than its thread takes, so that none is left out.
        while recorder.status().acknowledged + 40 < number {
            std::thread::yield_now();
        }
        if number % 16 == 0 {
            writeln!(out, "acknowledged {}", recorder.status().acknowledged).unwrap();
            out.flush().unwrap();
        }
    }
}

/// The records of a folder: each is the next one.
fn recovered(folder: &Path) -> u64 {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| !path.to_str().unwrap().ends_with(".part"));
    paths.sort();
    let mut reader = Reader::default();
    let mut due = 0;
    for (at, path) in paths.iter().enumerate() {
        let is_sealed = path.extension().unwrap() == "zst";
        // Killed between the packed one's name and the plain one's end.
        if is_sealed && at > 0 && path.to_str().unwrap().strip_suffix(".zst") == paths[at - 1].to_str() {
            continue;
        }
        let file = std::fs::read(path).unwrap();
        let bytes = if is_sealed { zstd::decode_all(&file[..]).unwrap() } else { file };
        let mut from = 0;
        while let Ok(recorded) = reader.next(&bytes, from, true) {
            from = recorded.end;
            match recorded.what {
                Ok(Input::Received(text)) => {
                    assert_eq!(text, text_of(due).as_bytes(), "{}", path.display());
                    assert_eq!(recorded.seq, due);
                    due += 1;
                }
                Ok(other) => panic!("{other:?}"),
                // The last segment may be cut.
                Err(error) => assert!(at + 1 == paths.len(), "{}: {error:?}", path.display()),
            }
        }
        reader.segment_ended();
    }
    due
}

#[test]
fn what_was_acknowledged_is_recovered() {
    if std::env::var(FOLDER).is_ok() {
        return;
    }
    let rounds: u64 = std::env::var(ROUNDS).map_or(40, |rounds| rounds.parse().unwrap());
    let (mut records, mut acknowledged_in_all) = (0, 0);
    for round in 0..rounds {
        let folder = std::env::temp_dir().join(format!("depthwire-killed-{}-{round}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["records_until_it_is_killed", "--exact", "--nocapture", "--test-threads", "1"])
            .env(FOLDER, &folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reading = std::thread::spawn(move || {
            let mut last = 0;
            while let Some(Ok(line)) = lines.next() {
                if let Some(number) = line.rsplit_once("acknowledged ") {
                    last = number.1.parse().unwrap_or(last);
                }
            }
            last
        });
        // From before it begins to some segments on.
        std::thread::sleep(Duration::from_micros(3_000 + round * 7_919 % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged: u64 = reading.join().unwrap();
        let recovered = if folder.exists() { recovered(&folder) } else { 0 };
        assert!(
            acknowledged <= recovered,
            "round {round}: {acknowledged} acknowledged, {recovered} recovered"
        );
        records += recovered;
        acknowledged_in_all += acknowledged;
        let _ = std::fs::remove_dir_all(&folder);
    }
    println!("{rounds} rounds: {acknowledged_in_all} acknowledged, {records} recovered");
    assert!(rounds < 10 || acknowledged_in_all > 0);
}
