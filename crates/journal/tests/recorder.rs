//! What a recorder leaves in its folder: whole, behind, on a disk that is full or fails, and what it says of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use depthwire_core::journal::{Input, JournalError, Reader, SetupKind};
use depthwire_journal::files::{Create, SegmentFile};
use depthwire_journal::retention::Retention;
use depthwire_journal::{Options, Recorder, Status, Sync};

const MS: u64 = 1_000_000;

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("depthwire-recorder-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn options(folder: &Path, sync: Sync) -> Options {
    Options {
        folder: folder.to_owned(),
        journal: 7,
        sync,
        segment_bytes: 1 << 20,
        flush_ns: 10 * MS,
        seals: false,
        retention: Retention::default(),
    }
}

/// Messages with their numbers, and codes of errors, in the order of the segments.
fn read(folder: &Path) -> (Vec<u64>, Vec<String>, Vec<&'static str>) {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files: Vec<_> = paths
        .iter()
        .map(|path| {
            let bytes = std::fs::read(path).unwrap();
            if path.extension().unwrap() == "zst" { zstd::decode_all(&bytes[..]).unwrap() } else { bytes }
        })
        .collect();
    read_bytes(&files)
}

fn read_bytes(files: &[Vec<u8>]) -> (Vec<u64>, Vec<String>, Vec<&'static str>) {
    let (mut numbers, mut setups, mut codes) = (Vec::new(), Vec::new(), Vec::new());
    let mut reader = Reader::default();
    for bytes in files {
        let mut at = 0;
        while let Ok(recorded) = reader.next(bytes, at, true) {
            at = recorded.end;
            match recorded.what {
                Ok(Input::Received(text)) => {
                    let text = std::str::from_utf8(text).unwrap();
                    let number: u64 = text.trim_end_matches('x').parse().unwrap();
                    assert_eq!((recorded.line, recorded.ts), ((number % 3) as u32, 1000 + number));
                    numbers.push(number);
                }
                Ok(Input::Setup { kind, text }) => {
                    setups.push(format!("{kind:?} {}", String::from_utf8_lossy(text)));
                }
                Ok(Input::Missed { loses: true, code }) => {
                    assert_eq!(code, b"journal.behind");
                    codes.push("behind");
                }
                Ok(Input::Named(_)) => {}
                Ok(other) => panic!("{other:?}"),
                Err(JournalError::Gap { .. }) => codes.push("gap"),
                Err(error) => codes.push(error.code()),
            }
        }
        reader.segment_ended();
    }
    (numbers, setups, codes)
}

fn record(recorder: &mut Recorder, number: u64, len: usize) {
    let text = format!("{number}{}", "x".repeat(len));
    recorder.record((number % 3) as u32, 1000 + number, &Input::Received(text.as_bytes()));
}

#[test]
fn what_is_recorded_is_read_with_its_setup_in_every_segment() {
    for (sync, seals) in [(Sync::None, false), (Sync::Group, true), (Sync::Each, false)] {
        let folder = folder(&format!("whole-{sync:?}"));
        let mut recorder = Recorder::begin(Options { seals, ..options(&folder, sync) }, 5).unwrap();
        recorder.set_up(1, 5, SetupKind::Venue, "sim");
        recorder.set_up(1, 5, SetupKind::Carries, "sim:A\nsim:B");
        recorder.named(1, 5, b"wss://x");
        let count = if sync == Sync::Each { 300 } else { 30_000 };
        for number in 0..count {
            record(&mut recorder, number, 100);
            // As fast as the thread takes them.
            while recorder.status().records - recorder.status().acknowledged > 10_000 {
                std::thread::yield_now();
            }
        }
        let status = recorder.end();
        let (numbers, setups, codes) = read(&folder);
        assert_eq!(numbers, (0..count).collect::<Vec<_>>());
        assert_eq!(codes, [""; 0]);
        assert_eq!(setups.len() as u64, 2 * status.segments, "{setups:?}");
        assert_eq!((status.acknowledged, status.missed, status.is_recording), (status.records, 0, false));
        assert_eq!(status.segments > 2, count > 300);
        assert_eq!(status.sealed, if seals { status.segments } else { 0 });
        assert_eq!(status.failure, None);
        std::fs::remove_dir_all(folder).unwrap();
    }
}

/// What an engine knows stands in each segment but the first, which has eight times as many bytes.
#[test]
fn segments_say_what_was_known_when_they_began() {
    for kept_bytes in [100, 200_000] {
        let folder = folder(&format!("checkpoints-{kept_bytes}"));
        let mut recorder = Recorder::begin(options(&folder, Sync::None), 5).unwrap();
        let mut asked = 0;
        for number in 0..60_000 {
            if recorder.wants_checkpoint() {
                asked += 1;
                recorder.checkpoint(1_000_000, |tell| {
                    tell(1, SetupKind::Session, b"{}");
                    tell(1, SetupKind::Book, &vec![b'b'; kept_bytes]);
                });
                assert!(!recorder.wants_checkpoint());
            }
            record(&mut recorder, number, 100);
            while recorder.status().records - recorder.status().acknowledged > 10_000 {
                std::thread::yield_now();
            }
        }
        let status = recorder.end();
        let (numbers, setups, codes) = read(&folder);
        assert_eq!((numbers.len(), codes.len()), (60_000, 0));
        assert_eq!(setups.len() as u64, 2 * asked);
        assert!(asked > 1 && setups[0].starts_with("Session") && setups[1].starts_with("Book"));
        assert_eq!(asked, status.segments - 1);
        let segment_bytes = (1 << 20).max(8 * kept_bytes as u64);
        assert!(status.segments <= 1 + status.bytes / segment_bytes, "{status:?}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn a_block_that_is_not_full_is_written_after_a_while() {
    let folder = folder("flush");
    let mut recorder = Recorder::begin(options(&folder, Sync::None), 0).unwrap();
    record(&mut recorder, 0, 1);
    recorder.tick(9 * MS);
    assert_eq!(recorder.status().acknowledged, 0);
    recorder.tick(11 * MS);
    wait_for(|| recorder.status().acknowledged == 1);
    assert_eq!(read(&folder).0, [0]);
    drop(recorder.end());
    std::fs::remove_dir_all(folder).unwrap();
}

fn wait_for(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A disk that takes so many bytes, keeps what it took for so many syncs, and waits while it is told to.
#[derive(Clone)]
struct Disk {
    room: Arc<AtomicU64>,
    syncs: Arc<AtomicU64>,
    is_slow: Arc<AtomicBool>,
    files: Arc<Mutex<Vec<Vec<u8>>>>,
}

struct DiskFile(Disk, usize);

impl Disk {
    fn new(room: u64, syncs: u64) -> Self {
        Self {
            room: Arc::new(room.into()),
            syncs: Arc::new(syncs.into()),
            is_slow: Arc::default(),
            files: Arc::default(),
        }
    }

    fn create(&self) -> Create {
        let disk = self.clone();
        Box::new(move |_| {
            let mut files = disk.files.lock().unwrap();
            files.push(Vec::new());
            Ok(Box::new(DiskFile(disk.clone(), files.len() - 1)))
        })
    }
}

impl SegmentFile for DiskFile {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Self(disk, at) = self;
        while disk.is_slow.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let room = disk.room.load(Ordering::SeqCst).min(bytes.len() as u64);
        disk.room.fetch_sub(room, Ordering::SeqCst);
        disk.files.lock().unwrap()[*at].extend_from_slice(&bytes[..room as usize]);
        if room < bytes.len() as u64 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        let left = self.0.syncs.load(Ordering::SeqCst);
        self.0.syncs.store(left.saturating_sub(1), Ordering::SeqCst);
        if left == 0 { Err(io::Error::other("lost")) } else { Ok(()) }
    }
}

/// Records, with a disk that is full after so many bytes and has room again later.
fn through_a_full_disk(room: u64) -> (Status, Vec<u64>, Vec<&'static str>, u64) {
    let folder = folder(&format!("full-{room}"));
    let disk = Disk::new(room, u64::MAX);
    let mut recorder = Recorder::begin_with(options(&folder, Sync::None), 0, disk.create()).unwrap();
    let mut now = 0;
    for number in 0..200 {
        record(&mut recorder, number, 1000);
        now += 10 * MS;
        recorder.tick(now);
        std::thread::sleep(Duration::from_micros(200));
    }
    wait_for(|| {
        now += 1;
        recorder.tick(now);
        !recorder.status().is_recording
    });
    let full = recorder.status();
    let failure = full.failure.clone().unwrap();
    assert_eq!((failure.code(), full.is_recording), ("journal.full", false));
    for number in 200..300 {
        record(&mut recorder, number, 1000);
    }
    assert_eq!(recorder.status().missed, full.missed + 100);
    assert_eq!(recorder.status().acknowledged, full.acknowledged, "nothing is acknowledged on a full disk");
    // It is tried again, in vain, and then there is room.
    now += 5_000 * MS;
    recorder.tick(now);
    wait_for(|| {
        now += 1;
        recorder.tick(now);
        !recorder.status().is_recording
    });
    disk.room.store(u64::MAX / 2, Ordering::SeqCst);
    now += 5_000 * MS;
    recorder.tick(now);
    for number in 300..400 {
        record(&mut recorder, number, 1000);
    }
    let acknowledged = full.acknowledged;
    let status = recorder.end();
    let (numbers, _, codes) = read_bytes(&disk.files.lock().unwrap());
    std::fs::remove_dir_all(folder).unwrap();
    (status, numbers, codes, acknowledged)
}

#[test]
fn a_full_disk_is_told_and_survived() {
    for room in [0, 63, 64, 65, 5_000, 100_000] {
        let (status, numbers, codes, acknowledged) = through_a_full_disk(room);
        let before: Vec<_> = numbers.iter().copied().filter(|number| *number < 200).collect();
        assert_eq!(before, (0..before.len() as u64).collect::<Vec<_>>(), "{room}");
        assert!(before.len() as u64 >= acknowledged, "{room}");
        assert_eq!(numbers[before.len()..], (300..400).collect::<Vec<_>>(), "{room}");
        assert!(codes.contains(&"behind"), "{room} {codes:?}");
        assert_eq!(status.missed, 400 - numbers.len() as u64 + told(&status, &numbers), "{room}");
        assert_eq!(status.failure.unwrap().code(), "journal.full");
    }
}

/// Records that say what is missing, which went to a disk that was full: they count as lost, too.
fn told(status: &Status, numbers: &[u64]) -> u64 {
    let missed = status.missed + numbers.len() as u64;
    assert!((400..=402).contains(&missed), "{missed} {status:?}");
    missed - 400
}

#[test]
fn behind_an_error_of_sync_nothing_of_the_file_is_acknowledged() {
    let folder = folder("sync");
    let disk = Disk::new(u64::MAX / 2, 3);
    let mut recorder = Recorder::begin_with(options(&folder, Sync::Group), 0, disk.create()).unwrap();
    let mut now = 0;
    let mut number = 0;
    wait_for(|| {
        record(&mut recorder, number, 10);
        number += 1;
        now += 10 * MS;
        recorder.tick(now);
        !recorder.status().is_recording
    });
    let failed = recorder.status();
    assert_eq!(failed.failure.as_ref().unwrap().code(), "journal.unsynced");
    assert!(failed.acknowledged > 0 && failed.acknowledged < failed.records);
    record(&mut recorder, number, 10);
    disk.syncs.store(u64::MAX, Ordering::SeqCst);
    // It may hear of the failure with a tick, and tries again with a later one.
    wait_for(|| {
        now += 5_000 * MS;
        recorder.tick(now);
        recorder.status().acknowledged > failed.acknowledged
    });
    assert!(recorder.status().is_recording);
    let status = recorder.end();
    assert!(status.missed > 0 && !status.is_recording);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_disk_that_is_slow_costs_records_and_says_which() {
    let folder = folder("slow");
    let disk = Disk::new(u64::MAX / 2, u64::MAX);
    let mut recorder = Recorder::begin_with(
        Options { segment_bytes: 64 << 20, ..options(&folder, Sync::None) },
        0,
        disk.create(),
    )
    .unwrap();
    disk.is_slow.store(true, Ordering::SeqCst);
    for number in 0..30_000 {
        record(&mut recorder, number, 1000);
    }
    let behind = recorder.status();
    assert!(behind.missed > 1000 && behind.records - behind.missed > 10_000, "{behind:?}");
    disk.is_slow.store(false, Ordering::SeqCst);
    let mut now = 0;
    wait_for(|| {
        now += 10 * MS;
        recorder.tick(now);
        recorder.status().acknowledged > 10_000
            && recorder.status().acknowledged + recorder.status().missed >= recorder.status().records
    });
    for number in 30_000..30_010 {
        record(&mut recorder, number, 1000);
    }
    let status = recorder.end();
    let (numbers, _, codes) = read_bytes(&disk.files.lock().unwrap());
    assert_eq!(codes, ["behind"]);
    assert_eq!(numbers.len() as u64 + status.missed, 30_010);
    assert_eq!(numbers[numbers.len() - 10..], (30_000..30_010).collect::<Vec<_>>());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_folder_that_takes_no_files_is_refused_at_once() {
    let folder = folder("file");
    std::fs::write(&folder, b"").unwrap();
    let error = Recorder::begin(options(&folder.join("below"), Sync::None), 0).unwrap_err();
    assert_eq!((error.code(), error.path.as_path()), ("journal.unwritable", folder.join("below").as_path()));
    std::fs::remove_file(folder).unwrap();
}
