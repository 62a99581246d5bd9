//! Packs segments that are whole: the same bytes, in frames of zstd that can be unpacked each by itself.
//!
//! A packed segment is what the zstd seekable format calls so (facebook/zstd, `contrib/seekable_format`, version 0.1.0): frames
//! of at most [`FRAME_BYTES`], each with a checksum and of whole blocks, and behind them a table of their sizes in a frame
//! that readers skip. `zstd -d` gives the plain segment back; what is damaged costs its own frame; who seeks unpacks one.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use depthwire_core::journal::{BLOCK_HEADER_BYTES, BlockHeader, SEGMENT_HEADER_BYTES};
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use crate::error::{FileError, FileProblem};
use crate::names::{SEALED, SEALING, SEGMENT};
use crate::retention::Retention;

/// Most bytes of one frame, unpacked, but for a block that is larger.
pub const FRAME_BYTES: usize = 4 << 20;
/// Segments that may wait to be packed; further ones stay plain.
pub const WAITING_MAX: usize = 8;

const LEVEL: i32 = 3;
const SKIPPABLE: u32 = 0x184D_2A5E;
const SEEKABLE: u32 = 0x8F92_EAB1;

/// What has been packed and let go.
#[derive(Clone, Debug, Default)]
pub(crate) struct SealStatus {
    pub(crate) sealed: u64,
    pub(crate) unsealed: u64,
    pub(crate) let_go: u64,
    pub(crate) failure: Option<FileError>,
}

/// The thread that packs.
#[derive(Debug)]
pub(crate) struct Sealer {
    inlet: Inlet,
    thread: JoinHandle<()>,
}

/// Where whole segments go in.
#[derive(Clone, Debug)]
pub(crate) struct Inlet {
    whole: SyncSender<PathBuf>,
    status: Arc<Mutex<SealStatus>>,
}

impl Inlet {
    /// A segment is whole. Where too many wait it stays plain, which is told.
    pub(crate) fn take(&self, path: PathBuf) {
        self.with(|status| status.unsealed += 1);
        // One that is full, or gone, takes nothing.
        let _ = self.whole.try_send(path);
    }

    fn with<T>(&self, change: impl FnOnce(&mut SealStatus) -> T) -> T {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sealer {
    pub(crate) fn begin(folder: PathBuf, retention: Retention, seals: bool) -> io::Result<Self> {
        let (whole, received) = sync_channel(WAITING_MAX);
        let inlet = Inlet { whole, status: Arc::default() };
        let told = inlet.status.clone();
        let thread = std::thread::Builder::new().name("depthwire-seal".into()).spawn(move || {
            run(&folder, retention, seals, &received, &told);
        })?;
        Ok(Self { inlet, thread })
    }

    pub(crate) fn inlet(&self) -> Inlet {
        self.inlet.clone()
    }

    pub(crate) fn status(&self) -> SealStatus {
        self.inlet.with(|status| status.clone())
    }

    /// Waits until all that waits is packed.
    pub(crate) fn end(self) -> SealStatus {
        let Self { inlet: Inlet { whole, status }, thread } = self;
        drop(whole);
        // One that panicked leaves segments plain, as they were.
        let _ = thread.join();
        Arc::into_inner(status)
            .map(|status| status.into_inner().unwrap_or_else(PoisonError::into_inner))
            .unwrap_or_default()
    }
}

fn run(
    folder: &Path,
    retention: Retention,
    seals: bool,
    whole: &Receiver<PathBuf>,
    told: &Mutex<SealStatus>,
) {
    let with = |change: &dyn Fn(&mut SealStatus)| {
        change(&mut told.lock().unwrap_or_else(PoisonError::into_inner));
    };
    let mut waiting = VecDeque::new();
    loop {
        match whole.recv() {
            Ok(path) => waiting.push_back(path),
            Err(_) => return,
        }
        while let Some(path) = waiting.pop_front() {
            if seals {
                match seal(&path) {
                    Ok(()) => with(&|status| {
                        status.sealed += 1;
                        status.unsealed -= 1;
                    }),
                    Err(error) => with(&|status| status.failure = Some(error.clone())),
                }
            }
            let let_go = retention.apply(folder);
            with(&|status| status.let_go += let_go);
        }
    }
}

/// Packs a segment, looks whether it unpacks to the same, and only then removes the plain one.
///
/// # Errors
/// No room, or a file that cannot be read or written; the plain segment is as it was then.
pub fn seal(path: &Path) -> Result<(), FileError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some(stem) = name.strip_suffix(SEGMENT) else {
        return Err(FileError::new(FileProblem::Unsealed, path, "no segment"));
    };
    let (part, sealed) =
        (path.with_file_name(format!("{stem}{SEALING}")), path.with_file_name(format!("{stem}{SEALED}")));
    let done = pack(path, &part).and_then(|()| {
        std::fs::rename(&part, &sealed)?;
        if let Some(folder) = sealed.parent() {
            File::open(folder)?.sync_all()?;
        }
        std::fs::remove_file(path)
    });
    done.map_err(|error| {
        // Left over only where it could not be made.
        let _ = std::fs::remove_file(&part);
        match FileError::of_write(&part, &error) {
            full @ FileError { problem: FileProblem::Full, .. } => full,
            other => FileError { problem: FileProblem::Unsealed, ..other },
        }
    })
}

fn pack(path: &Path, part: &Path) -> io::Result<()> {
    let mut frames = Frames { file: File::open(path)?, ahead: Vec::new(), is_end: false };
    let mut out = File::create(part)?;
    let mut compressor = Compressor::new(LEVEL)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    let mut decompressor = Decompressor::new()?;
    let (mut packed, mut again) = (Vec::new(), Vec::new());
    let (mut table, mut count) = (Vec::new(), 0_u32);
    while let Some(plain) = frames.next()? {
        packed.clear();
        packed.reserve(zstd::zstd_safe::compress_bound(plain.len()));
        let len = compressor.compress_to_buffer(&plain, &mut packed)?;
        // What cannot be unpacked again is found while the plain bytes are still there.
        again.clear();
        again.reserve(plain.len());
        decompressor.decompress_to_buffer(&packed, &mut again)?;
        if again != plain {
            return Err(io::Error::other("what was packed unpacks to something else"));
        }
        out.write_all(&packed)?;
        table.extend_from_slice(&(len as u32).to_le_bytes());
        table.extend_from_slice(&(plain.len() as u32).to_le_bytes());
        count += 1;
    }
    table.extend_from_slice(&count.to_le_bytes());
    // No checksums in the table: the frames have theirs.
    table.push(0);
    table.extend_from_slice(&SEEKABLE.to_le_bytes());
    out.write_all(&SKIPPABLE.to_le_bytes())?;
    out.write_all(&(table.len() as u32).to_le_bytes())?;
    out.write_all(&table)?;
    out.sync_all()
}

/// A segment in parts of whole blocks. What is no block any more is a part as it is.
struct Frames {
    file: File,
    ahead: Vec<u8>,
    is_end: bool,
}

impl Frames {
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut len = 0;
        loop {
            let next = self.block_end(len)?;
            match next {
                Some(end) if end <= FRAME_BYTES || len == 0 => len = end,
                _ => break,
            }
        }
        if len == 0 {
            self.fill(FRAME_BYTES)?;
            len = self.ahead.len().min(FRAME_BYTES);
        }
        if len == 0 {
            return Ok(None);
        }
        let rest = self.ahead.split_off(len);
        Ok(Some(std::mem::replace(&mut self.ahead, rest)))
    }

    /// Where the block ends that begins at `at`, if one does; the head of the segment is of its first.
    fn block_end(&mut self, at: usize) -> io::Result<Option<usize>> {
        let is_first = at == 0 && {
            self.fill(8)?;
            self.ahead.starts_with(&depthwire_core::journal::MAGIC)
        };
        let head = if is_first { SEGMENT_HEADER_BYTES } else { at };
        self.fill(head + BLOCK_HEADER_BYTES)?;
        let Some(bytes) = self.ahead.get(head..head + BLOCK_HEADER_BYTES) else { return Ok(None) };
        let mut header = [0; BLOCK_HEADER_BYTES];
        header.copy_from_slice(bytes);
        let Ok(header) = BlockHeader::read(&header) else { return Ok(None) };
        let end = head + BLOCK_HEADER_BYTES + header.bytes as usize;
        self.fill(end)?;
        Ok((self.ahead.len() >= end).then_some(end))
    }

    fn fill(&mut self, len: usize) -> io::Result<()> {
        while !self.is_end && self.ahead.len() < len {
            let from = self.ahead.len();
            let want = (len - from).max(1 << 20);
            self.ahead.resize(from + want, 0);
            let got = self.file.read(&mut self.ahead[from..])?;
            self.ahead.truncate(from + got);
            self.is_end = got == 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use depthwire_core::journal::{Input, SegmentHeader, Writer};

    fn segment(records: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let header = SegmentHeader { journal: 1, number: 0, first_seq: 0, created: 0 };
        let mut writer = Writer::begin(header, &mut out);
        for at in 0..records {
            let text = format!("{{\"price\":{},\"qty\":{}}}", at * 7 % 1_000, at % 13).repeat(40);
            writer.append(0, at as u64, &Input::Received(text.as_bytes()), &mut out).unwrap();
        }
        writer.close(&mut out);
        out
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("depthwire-seal-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Sizes of the frames, by the table at the end.
    fn table_of(packed: &[u8]) -> Vec<(u32, u32)> {
        let word = |at: usize| u32::from_le_bytes(packed[at..at + 4].try_into().unwrap());
        let end = packed.len();
        assert_eq!((word(end - 4), packed[end - 5]), (SEEKABLE, 0));
        let count = word(end - 9) as usize;
        let from = end - 9 - 8 * count;
        assert_eq!((word(from - 8), word(from - 4)), (SKIPPABLE, (end - from) as u32));
        (0..count).map(|at| (word(from + 8 * at), word(from + 8 * at + 4))).collect()
    }

    #[test]
    fn a_segment_comes_back_and_each_frame_by_itself() {
        let folder = folder("whole");
        for (at, plain) in
            [segment(10_000), segment(0), segment(3)[..200].to_vec(), b"no journal".repeat(1_000_000)]
                .into_iter()
                .enumerate()
        {
            let path = folder.join(format!("{at}{SEGMENT}"));
            std::fs::write(&path, &plain).unwrap();
            seal(&path).unwrap();
            assert!(!path.exists());
            let packed = std::fs::read(folder.join(format!("{at}{SEALED}"))).unwrap();
            assert!(zstd::decode_all(&packed[..]).unwrap() == plain);
            let (mut from, mut found) = (0, Vec::new());
            for (len, unpacked) in table_of(&packed) {
                let frame = &packed[from..from + len as usize];
                let part = zstd::decode_all(frame).unwrap();
                assert_eq!(part.len(), unpacked as usize);
                assert!(part.len() <= FRAME_BYTES);
                // A frame begins with the segment's head, or that of a block.
                assert!(at == 3 || from == 0 || part.starts_with(b"DWJB"), "{at}");
                found.extend(part);
                from += len as usize;
            }
            assert!(found == plain);
            assert_eq!(at == 0, table_of(&packed).len() > 2 && at == 0);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_cannot_be_packed_stays() {
        let folder = folder("stays");
        let missing = seal(&folder.join(format!("1{SEGMENT}"))).unwrap_err();
        assert_eq!((missing.code(), missing.problem), ("journal.unsealed", FileProblem::Unsealed));
        let other = folder.join("1.txt");
        std::fs::write(&other, b"x").unwrap();
        assert!(seal(&other).is_err() && other.exists());
        // The place where it would be packed is taken.
        let plain = folder.join(format!("2{SEGMENT}"));
        std::fs::write(&plain, segment(5)).unwrap();
        std::fs::create_dir(folder.join(format!("2{SEALING}"))).unwrap();
        assert_eq!(seal(&plain).unwrap_err().problem, FileProblem::Unsealed);
        assert_eq!(std::fs::read(&plain).unwrap(), segment(5));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
