//! The thread that writes segments. It is handed whole blocks, and says how far they are kept.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::error::{FileError, FileProblem};
use crate::recorder::Sync;

/// Buffers that may wait for the thread; each has a block, or several where the largest record needs it.
pub const QUEUE_LEN_MAX: usize = 64;
/// Buffers that are written before one sync, under [`Sync::Group`].
const GROUP_LEN_MAX: usize = 16;

/// A segment's file, as far as the thread needs one; tests have others that fail.
pub trait SegmentFile: Send {
    /// Writes all of some bytes.
    ///
    /// # Errors
    /// Those of the system.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Has the system keep what was written.
    ///
    /// # Errors
    /// Those of the system.
    fn sync(&mut self) -> io::Result<()>;
}

impl SegmentFile for File {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Makes the file of a segment, which must not be there.
pub type Create = Box<dyn Fn(&Path) -> io::Result<Box<dyn SegmentFile>> + Send>;

/// Files of the system's, and their names kept in the folder.
#[must_use]
pub fn create_on_disk() -> Create {
    Box::new(|path| {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        // A name that is lost with the power loses the segment.
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(Box::new(file))
    })
}

/// The records of some blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Records {
    pub(crate) count: u64,
    /// The number behind the last one.
    pub(crate) next_seq: u64,
}

enum Order {
    /// Another segment begins; the one before is whole.
    Begin(PathBuf),
    /// Blocks of it.
    Write(Vec<u8>, Records),
}

/// How far the thread has come, for all to see.
#[derive(Debug, Default)]
struct Progress {
    acknowledged: AtomicU64,
    bytes: AtomicU64,
    segments: AtomicU64,
    /// Orders that wait.
    waiting: AtomicU64,
    /// Records that were handed over and are not kept, for what went wrong.
    lost: AtomicU64,
    /// The last segment that failed, and the last one of which anything is in its file, counted from 1.
    failed: AtomicU64,
    begun: AtomicU64,
    failure: Mutex<Option<FileError>>,
}

/// The thread's other end.
#[derive(Debug)]
pub(crate) struct Files {
    orders: Option<SyncSender<Order>>,
    emptied: Receiver<Vec<u8>>,
    progress: Arc<Progress>,
    /// Segments that were ordered.
    ordered: u64,
    thread: Option<JoinHandle<()>>,
}

impl Files {
    /// Begins the thread. `on_whole` is told of each segment that is whole, in the thread.
    pub(crate) fn begin(
        sync: Sync,
        create: Create,
        on_whole: impl FnMut(PathBuf) + Send + 'static,
    ) -> io::Result<Self> {
        let (orders, received) = sync_channel(QUEUE_LEN_MAX);
        let (empty, emptied) = sync_channel(QUEUE_LEN_MAX);
        let progress = Arc::new(Progress::default());
        let shared = Arc::clone(&progress);
        let thread = std::thread::Builder::new().name("depthwire-journal".into()).spawn(move || {
            let mut writing = Writing {
                sync,
                create,
                on_whole,
                progress: shared,
                file: None,
                unsynced: 0,
                segment: 0,
                taken_seq: 0,
            };
            writing.run(&received, &empty);
        })?;
        Ok(Self { orders: Some(orders), emptied, progress, ordered: 0, thread: Some(thread) })
    }

    /// Begins a segment; false where the thread is behind, and nothing has changed.
    pub(crate) fn begin_segment(&mut self, path: PathBuf) -> bool {
        let is_taken = self.send(Order::Begin(path)).is_ok();
        self.ordered += u64::from(is_taken);
        is_taken
    }

    /// Hands over blocks, and takes an empty buffer for them; false where the thread is behind, and nothing has changed.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>, records: Records) -> bool {
        let full = std::mem::take(bytes);
        match self.send(Order::Write(full, records)) {
            Ok(()) => {
                *bytes = self.emptied.try_recv().unwrap_or_default();
                true
            }
            Err(Order::Write(full, _)) => {
                *bytes = full;
                false
            }
            Err(Order::Begin(_)) => false,
        }
    }

    fn send(&self, order: Order) -> Result<(), Order> {
        let Some(orders) = &self.orders else { return Err(order) };
        self.progress.waiting.fetch_add(1, Ordering::Relaxed);
        orders.try_send(order).map_err(|refused| {
            self.progress.waiting.fetch_sub(1, Ordering::Relaxed);
            match refused {
                TrySendError::Full(order) | TrySendError::Disconnected(order) => order,
            }
        })
    }

    /// Whether so many orders are taken.
    pub(crate) fn has_room_for(&self, orders: usize) -> bool {
        // Only this side adds to them.
        self.progress.waiting.load(Ordering::Relaxed) as usize + orders <= QUEUE_LEN_MAX
    }

    /// The number behind the last record that is kept, as the way of syncing means it.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.progress.acknowledged.load(Ordering::Acquire)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.progress.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn segments(&self) -> u64 {
        self.progress.segments.load(Ordering::Relaxed)
    }

    /// Whether the segment that is being written has failed: what is handed over is dropped until another one begins.
    pub(crate) fn has_failed(&self) -> bool {
        self.progress.failed.load(Ordering::Acquire) == self.ordered
    }

    /// Whether the file of the last segment has its head.
    pub(crate) fn has_begun(&self) -> bool {
        self.progress.begun.load(Ordering::Acquire) == self.ordered
    }

    /// Records that were handed over and are not kept.
    pub(crate) fn lost(&self) -> u64 {
        self.progress.lost.load(Ordering::Relaxed)
    }

    /// What went wrong last.
    pub(crate) fn failure(&self) -> Option<FileError> {
        self.progress.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until all that was handed over is kept, or has failed.
    pub(crate) fn end(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            // One that panicked has failed, which is seen by what is acknowledged.
            let _ = thread.join();
        }
    }

    /// The same, of blocks that must not be left out: waits for room.
    pub(crate) fn write_last(&self, bytes: Vec<u8>, records: Records) {
        if let Some(orders) = &self.orders {
            self.progress.waiting.fetch_add(1, Ordering::Relaxed);
            // Fails where the thread has gone.
            let _ = orders.send(Order::Write(bytes, records));
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.end();
    }
}

/// What the thread holds.
struct Writing<W> {
    sync: Sync,
    create: Create,
    on_whole: W,
    progress: Arc<Progress>,
    file: Option<(PathBuf, Box<dyn SegmentFile>)>,
    /// Records that were written and not synced.
    unsynced: u64,
    /// The segment, counted from 1, and the number behind the last record that was handed over.
    segment: u64,
    taken_seq: u64,
}

impl<W: FnMut(PathBuf)> Writing<W> {
    fn run(&mut self, orders: &Receiver<Order>, empty: &SyncSender<Vec<u8>>) {
        while let Ok(first) = orders.recv() {
            let mut next = Some(first);
            let mut count = 0;
            while let Some(order) = next {
                self.progress.waiting.fetch_sub(1, Ordering::Relaxed);
                match order {
                    Order::Begin(path) => self.begin(path),
                    Order::Write(mut bytes, records) => {
                        self.write(&bytes, records);
                        bytes.clear();
                        // One that is not taken back is freed.
                        let _ = empty.try_send(bytes);
                    }
                }
                count += 1;
                next = if count < GROUP_LEN_MAX { orders.try_recv().ok() } else { None };
            }
            if self.sync == Sync::Group && self.unsynced > 0 {
                self.keep();
            }
        }
        self.whole();
    }

    fn begin(&mut self, path: PathBuf) {
        self.whole();
        self.segment += 1;
        match (self.create)(&path) {
            Ok(file) => {
                self.file = Some((path, file));
                self.progress.segments.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => self.failed(FileError::of_write(&path, &error)),
        }
    }

    fn write(&mut self, bytes: &[u8], Records { count, next_seq }: Records) {
        self.taken_seq = next_seq;
        let Some((path, file)) = &mut self.file else {
            self.progress.lost.fetch_add(count, Ordering::Relaxed);
            return;
        };
        if let Err(error) = file.put(bytes) {
            let error = FileError::of_write(path, &error);
            self.progress.lost.fetch_add(count, Ordering::Relaxed);
            return self.failed(error);
        }
        self.progress.begun.store(self.segment, Ordering::Release);
        self.progress.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.unsynced += count;
        match self.sync {
            Sync::None => {
                self.unsynced = 0;
                self.progress.acknowledged.store(next_seq, Ordering::Release);
            }
            Sync::Group => {}
            Sync::Each => self.keep(),
        }
    }

    /// Has the system keep what was written. Behind an error nothing of the file is believed: the system may have dropped
    /// what it could not write, and say so once only.
    fn keep(&mut self) {
        let Some((path, file)) = &mut self.file else { return };
        match file.sync() {
            Ok(()) => {
                self.unsynced = 0;
                self.progress.acknowledged.store(self.taken_seq, Ordering::Release);
            }
            Err(error) => {
                let error = FileError::new(FileProblem::Unsynced, path, error);
                self.failed(error);
            }
        }
    }

    /// A segment is over.
    fn whole(&mut self) {
        self.keep();
        if let Some((path, file)) = self.file.take() {
            drop(file);
            (self.on_whole)(path);
        }
    }

    fn failed(&mut self, error: FileError) {
        if let Some((path, file)) = self.file.take() {
            drop(file);
            // What has nothing in it would only be in the way.
            if self.progress.begun.load(Ordering::Acquire) != self.segment {
                let _ = std::fs::remove_file(path);
            }
        }
        self.progress.lost.fetch_add(std::mem::take(&mut self.unsynced), Ordering::Relaxed);
        *self.progress.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.progress.failed.store(self.segment, Ordering::Release);
    }
}
