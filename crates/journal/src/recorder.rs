//! Takes records in the thread that has them: a copy each, no system call, no wait.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use depthwire_core::journal::{BLOCK_BYTES, Input, SegmentHeader, SetupKind, Writer};

use crate::error::FileError;
use crate::files::{Create, Files, Records, create_on_disk};
use crate::names::{path_of, run_name};
use crate::retention::Retention;
use crate::seal::Sealer;
use crate::setups::Setups;

/// When a record counts as kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// When the system has it: it outlives the process, killed or not, and not the machine.
    None,
    /// When the disk has it. What has come together is synced at once.
    Group,
    /// The same, each record by itself.
    Each,
}

impl Sync {
    /// All, as they are named.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::None, "none"), (Self::Group, "group"), (Self::Each, "each")];
}

/// What a recorder is told once.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the segments lie; made where it is missing.
    pub folder: PathBuf,
    /// The number of the journal, by chance.
    pub journal: u64,
    /// When a record counts as kept.
    pub sync: Sync,
    /// Bytes of a segment at which the next one begins; eight times its checkpoint where that is more.
    pub segment_bytes: u64,
    /// A block that is not full is written after so long.
    pub flush_ns: u64,
    /// Whether whole segments are packed.
    pub seals: bool,
    /// What is let go.
    pub retention: Retention,
}

/// How far a recorder has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Records taken.
    pub records: u64,
    /// Those that are kept, as [`Options::sync`] means it: all before this number, but for what [`Self::missed`] counts.
    pub acknowledged: u64,
    /// Records that are not in the journal, because its files could not take them.
    pub missed: u64,
    /// Bytes written, as they were before they were packed.
    pub bytes: u64,
    /// Segments begun, packed, that wait to be packed, and that were let go.
    pub segments: u64,
    /// Packed ones.
    pub sealed: u64,
    /// Whole ones that are not packed yet, or stay plain.
    pub unsealed: u64,
    /// Those that were let go.
    pub let_go: u64,
    /// Whether records are being taken.
    pub is_recording: bool,
    /// What went wrong last, whether or not it has been overcome.
    pub failure: Option<FileError>,
}

/// After something went wrong with the files, another segment is tried so often.
const RETRY_NS: u64 = 5_000_000_000;
/// A segment has at least so many times the bytes of the last checkpoint, whatever is asked for: no journal is mostly checkpoints.
const BYTES_A_CHECKPOINT_BYTE: u64 = 8;
/// Codes of what stands in the journal as missed.
const BEHIND: &str = "journal.behind";

/// Records a run.
#[derive(Debug)]
pub struct Recorder {
    options: Options,
    run: String,
    writer: Writer,
    /// Whole blocks of the segment, in order to be handed over.
    out: Vec<u8>,
    files: Files,
    sealer: Option<Sealer>,
    setups: Setups,
    segment: u64,
    segment_bytes: u64,
    flushed_at: u64,
    /// Records that were not taken, which the next segment or block says.
    missed: u64,
    is_missing: bool,
    /// Records that waited when a segment failed, and the number behind the last one that was handed over.
    lost: u64,
    handed_seq: u64,
    /// When the files failed; none: they have not.
    failed_at: Option<u64>,
    checkpoints: Checkpoints,
}

/// When a segment is to say what the engine knows.
#[derive(Clone, Copy, Debug, Default)]
struct Checkpoints {
    /// Whether one has begun that does not say it yet, and when: nothing has changed since.
    are_due: bool,
    due_at: u64,
    /// Bytes of the last one, and those recorded behind it.
    bytes: u64,
    bytes_since: u64,
}

impl Checkpoints {
    /// A segment begins.
    const fn begin(&mut self, now: u64) {
        (self.are_due, self.due_at) = (true, now);
    }

    /// A segment goes on behind a hole.
    const fn go_on(&mut self, now: u64) {
        self.due_at = now;
        self.are_due |= self.bytes_since >= BYTES_A_CHECKPOINT_BYTE * self.bytes;
    }
}

impl Recorder {
    /// Begins a run at that time, ns since the epoch.
    ///
    /// # Errors
    /// The folder cannot be made, or written to.
    pub fn begin(options: Options, now: u64) -> Result<Self, FileError> {
        Self::begin_with(options, now, create_on_disk())
    }

    /// The same, on files of the caller's.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn begin_with(options: Options, now: u64, create: Create) -> Result<Self, FileError> {
        let wrong = |error: io::Error| FileError::of_write(&options.folder, &error);
        std::fs::create_dir_all(&options.folder).map_err(wrong)?;
        is_writable(&options.folder).map_err(wrong)?;
        let sealer =
            Sealer::begin(options.folder.clone(), options.retention, options.seals).map_err(wrong)?;
        let whole = sealer.inlet();
        let mut files = Files::begin(options.sync, create, move |path| whole.take(path)).map_err(wrong)?;
        let run = run_name(now);
        let mut out = Vec::new();
        let header = SegmentHeader { journal: options.journal, number: 0, first_seq: 0, created: now };
        let writer = Writer::begin(header, &mut out);
        files.begin_segment(path_of(&options.folder, &run, 0));
        Ok(Self {
            options,
            run,
            writer,
            out,
            files,
            sealer: Some(sealer),
            setups: Setups::default(),
            segment: 0,
            segment_bytes: 0,
            flushed_at: now,
            missed: 0,
            is_missing: false,
            lost: 0,
            handed_seq: 0,
            failed_at: None,
            checkpoints: Checkpoints::default(),
        })
    }

    /// Takes a record of a connection at that time, ns since the epoch. Cost: a copy of its bytes; a checksum of a block where
    /// one is full.
    #[inline]
    pub fn record(&mut self, line: u32, now: u64, input: &Input<'_>) {
        if self.is_missing || self.failed_at.is_some() {
            return self.miss_one(now);
        }
        // A record that no block holds is larger than any frame that the engine takes.
        if self.writer.append(line, now, input, &mut self.out).is_err() {
            return self.miss_one(now);
        }
        if self.options.sync == Sync::Each {
            self.writer.flush(&mut self.out);
        }
        if !self.out.is_empty() {
            self.hand_over(now);
        }
    }

    /// How a connection is taken from now on.
    pub fn set_up(&mut self, line: u32, now: u64, kind: SetupKind, text: &str) {
        self.note_and_record(line, now, &Input::Setup { kind, text: text.as_bytes() });
    }

    /// Where a connection leads.
    pub fn named(&mut self, line: u32, now: u64, address: &[u8]) {
        self.note_and_record(line, now, &Input::Named(address));
    }

    fn note_and_record(&mut self, line: u32, now: u64, input: &Input<'_>) {
        self.setups.note(line, input);
        self.record(line, now, input);
    }

    /// Whether the segment is to say what the engine knows, by [`Self::checkpoint`], before the next record.
    #[inline]
    #[must_use]
    pub fn wants_checkpoint(&self) -> bool {
        self.checkpoints.are_due && self.failed_at.is_none() && !self.is_missing && self.files.has_room_for(2)
    }

    /// Takes what `keep` hands out, as one piece whatever its size: it is of one moment, that in which the segment began. One that
    /// it fills ends behind it.
    pub fn checkpoint(&mut self, now: u64, keep: impl FnOnce(&mut dyn FnMut(u32, SetupKind, &[u8]))) {
        let Self { writer, out, checkpoints, .. } = self;
        let mut bytes = 0;
        keep(&mut |line, kind, text| {
            bytes += text.len() as u64;
            // One that no block holds is larger than any book that an engine may have.
            let _ = writer.append(line, checkpoints.due_at, &Input::Setup { kind, text }, out);
        });
        writer.flush(out);
        *checkpoints = Checkpoints { are_due: false, due_at: 0, bytes, bytes_since: 0 };
        self.hand_over(now);
    }

    /// Time passes: what waits is written, what failed is tried again.
    pub fn tick(&mut self, now: u64) {
        if self.files.has_failed() && self.failed_at.is_none() {
            self.on_failure(now);
        }
        if self.failed_at.is_some_and(|at| now.abs_diff(at) >= RETRY_NS) {
            self.begin_again(now);
        }
        if self.failed_at.is_none() && now.abs_diff(self.flushed_at) >= self.options.flush_ns {
            self.writer.flush(&mut self.out);
            self.hand_over(now);
            if self.out.is_empty() {
                self.say_missed(now);
            }
        }
    }

    /// How far it has come.
    #[must_use]
    pub fn status(&self) -> Status {
        let failure = self.files.failure();
        let sealing = self.sealer.as_ref().map(Sealer::status).unwrap_or_default();
        Status {
            records: self.writer.next_seq() + self.missed,
            acknowledged: self.files.acknowledged(),
            missed: self.missed + self.lost + self.files.lost(),
            bytes: self.files.bytes(),
            segments: self.files.segments(),
            sealed: sealing.sealed,
            unsealed: sealing.unsealed,
            let_go: sealing.let_go,
            is_recording: self.failed_at.is_none() && !self.files.has_failed(),
            failure: failure.or(sealing.failure),
        }
    }

    /// Ends the run: what waits is written and kept, and packed where that is wanted. Waits for it.
    #[must_use]
    pub fn end(mut self) -> Status {
        if self.failed_at.is_none() {
            self.say_missed(self.flushed_at);
            let mut out = std::mem::take(&mut self.out);
            let next_seq = self.writer.next_seq();
            let header = SegmentHeader { journal: 0, number: 0, first_seq: next_seq, created: 0 };
            std::mem::replace(&mut self.writer, Writer::begin(header, &mut Vec::new())).close(&mut out);
            self.files.write_last(out, self.handed(next_seq));
            self.handed_seq = next_seq;
        }
        self.files.end();
        if self.files.has_failed() && self.failed_at.is_none() {
            self.on_failure(self.flushed_at);
        }
        let sealer = self.sealer.take();
        let sealing = sealer.map(Sealer::end).unwrap_or_default();
        Status {
            sealed: sealing.sealed,
            unsealed: sealing.unsealed,
            let_go: sealing.let_go,
            is_recording: false,
            failure: self.files.failure().or(sealing.failure),
            ..self.status()
        }
    }

    /// Whole blocks go to their thread; the segment ends where it is full.
    fn hand_over(&mut self, now: u64) {
        self.flushed_at = now;
        if self.out.is_empty() {
            return;
        }
        let len = self.out.len() as u64;
        let next_seq = self.next_written();
        let records = self.handed(next_seq);
        if !self.files.write(&mut self.out, records) {
            self.is_missing = self.out.len() > BLOCK_BYTES;
            return;
        }
        (self.segment_bytes, self.handed_seq) = (self.segment_bytes + len, next_seq);
        self.checkpoints.bytes_since += len;
        // The end of the one and the beginning of the next go together.
        let segment_bytes = self.options.segment_bytes.max(BYTES_A_CHECKPOINT_BYTE * self.checkpoints.bytes);
        if self.segment_bytes >= segment_bytes && self.files.has_room_for(2) {
            self.turn(now);
        }
    }

    /// The records before that number that are not handed over yet.
    const fn handed(&self, next_seq: u64) -> Records {
        Records { count: next_seq - self.handed_seq, next_seq }
    }

    /// The number behind the last record of the blocks in `out`.
    fn next_written(&self) -> u64 {
        self.writer.next_seq() - u64::from(self.writer.waiting())
    }

    #[cold]
    fn miss_one(&mut self, now: u64) {
        self.missed += 1;
        if self.failed_at.is_none() {
            self.is_missing = true;
            // There may be room by now.
            self.hand_over(now);
            if self.out.is_empty() {
                self.say_missed(now);
            }
        }
    }

    /// Says in the journal that records are missing here.
    fn say_missed(&mut self, now: u64) {
        if std::mem::take(&mut self.is_missing) {
            let said = Input::Missed { loses: true, code: BEHIND.as_bytes() };
            // It is a few bytes.
            let _ = self.writer.append(0, now, &said, &mut self.out);
            self.checkpoints.go_on(now);
        }
    }

    /// Ends the segment and begins the next one.
    fn turn(&mut self, now: u64) {
        let mut out = Vec::new();
        let next_seq = self.writer.next_seq();
        let (number, mut begun) = (self.segment + 1, Vec::new());
        let next = Writer::begin(self.header(number, next_seq, now), &mut begun);
        std::mem::replace(&mut self.writer, next).close(&mut out);
        self.files.write(&mut out, self.handed(next_seq));
        self.handed_seq = next_seq;
        self.files.begin_segment(path_of(&self.options.folder, &self.run, number));
        (self.segment, self.segment_bytes, self.out) = (number, 0, begun);
        self.checkpoints.begin(now);
        self.tell_setups(now);
    }

    fn header(&self, number: u64, first_seq: u64, created: u64) -> SegmentHeader {
        SegmentHeader { journal: self.options.journal, number, first_seq, created }
    }

    fn tell_setups(&mut self, now: u64) {
        let Self { setups, writer, out, .. } = self;
        // None is as large as a frame.
        setups.tell(|line, input| {
            let _ = writer.append(line, now, input, out);
        });
    }

    #[cold]
    fn on_failure(&mut self, now: u64) {
        self.failed_at = Some(now);
        // What was not handed over; numbers of records that no file holds are never used again.
        self.lost += self.writer.next_seq() - self.handed_seq;
        self.handed_seq = self.writer.next_seq();
        self.out.clear();
    }

    /// Tries another segment: what is missing is told by the numbers, and by a record of its own.
    fn begin_again(&mut self, now: u64) {
        let number = self.segment + u64::from(self.files.has_begun());
        let next_seq = self.writer.next_seq();
        self.out.clear();
        self.writer = Writer::begin(self.header(number, next_seq, now), &mut self.out);
        if !self.files.begin_segment(path_of(&self.options.folder, &self.run, number)) {
            self.failed_at = Some(now);
            return;
        }
        (self.segment, self.segment_bytes, self.failed_at, self.is_missing) = (number, 0, None, true);
        self.checkpoints.begin(now);
        self.say_missed(now);
        self.tell_setups(now);
        self.writer.flush(&mut self.out);
        self.hand_over(now);
    }
}

/// Whether files can be made there, known before anything is recorded.
fn is_writable(folder: &Path) -> io::Result<()> {
    static PROBES: AtomicU64 = AtomicU64::new(0);
    let probe = PROBES.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!(".depthwire-{}-{probe}", std::process::id()));
    std::fs::write(&path, b"")?;
    std::fs::remove_file(path)
}
