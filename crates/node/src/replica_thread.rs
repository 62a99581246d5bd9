//! The exported `ReplicaThread`: feed frames back into books, beside the engine that writes them.

use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use depthwire_core::encode::{RECORD_HEADER_BYTES, RecordType};
use depthwire_core::replica::{self, Replica, ReplicaError, Standing};
use depthwire_core::types::{Account, InstrumentId};
use napi::Env;
use napi::bindgen_prelude::BigInt;
use napi_derive::napi;

use crate::argument::Argument;
use crate::guard::{Code, Owned, Result, error, guard};
use crate::replica::ReplicaBook;
use crate::weight::Weight;

/// Batches that may wait; whoever hands in one more waits for the first.
const BATCHES_MAX: usize = 4;
/// What V8 is told that it weighs: some books.
const BYTES: usize = 4 << 20;

/// What readers of the feed had of one book.
#[napi(object)]
pub struct BookStanding {
    /// Number on the wire.
    pub instrument: u32,
    /// Hours in which something was counted, in order.
    pub hours: Vec<StandingHour>,
    /// The first 1,000 times in which the book, that had been synced, was not.
    pub holes: Vec<StandingHole>,
    /// Such times beyond those.
    pub holes_more: i64,
}

/// An hour of a book, of the time by which frames were received.
#[napi(object)]
pub struct StandingHour {
    /// Its begin, ns since the epoch.
    pub begin: BigInt,
    /// For how long the book was synced, ns.
    pub synced_ns: i64,
    /// For how long it was not, although it had been, ns.
    pub lost_ns: i64,
    /// For how long it had not been yet, ns.
    pub before_ns: i64,
    /// Frames that changed the book.
    pub changes: i64,
    /// Holes that began in it.
    pub holes: i64,
}

/// A time in which a book that had been synced was not.
#[napi(object)]
pub struct StandingHole {
    /// When it began, ns since the epoch.
    pub from: BigInt,
    /// When the book was synced again; 0 = it was not.
    pub until: BigInt,
    /// `syncing` or `stale`, as it was told first.
    pub state: String,
    /// Why; `none` where there is no reason.
    pub reason: String,
    /// The venue's number that was due; 0 where it numbers nothing, or something else was wrong.
    pub expected: BigInt,
    /// The one that came.
    pub received: BigInt,
}

/// Books rebuilt from the records of an engine's ring, on a thread of their own.
#[napi]
pub struct ReplicaThread {
    owned: Owned<Worker>,
}

struct Books {
    replica: Replica,
    wrong: Option<ReplicaError>,
}

struct Worker {
    books: Arc<Mutex<Books>>,
    batches: Option<SyncSender<Vec<u8>>>,
    /// Batches that were applied, to be filled again.
    applied: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<()>>,
    waiting: usize,
    spare: Vec<Vec<u8>>,
    _weight: Weight,
}

#[napi]
impl ReplicaThread {
    /// A thread without books.
    #[napi(constructor)]
    pub fn new(env: &Env) -> Result<Self> {
        guard(|| Worker::start(env).map(|worker| Self { owned: Owned::Open(worker) }))
    }

    /// Ends the thread and gives the memory back. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        self.owned.close()
    }

    /// Takes records as they stand in a ring, copied: frames are applied, whatever else passed over. Up to the ring's end at
    /// most, where a pad stands. Throws what an earlier batch has shown to be wrong.
    #[napi(ts_args_type = "records: Uint8Array")]
    pub fn take(&mut self, records: Argument) -> Result<()> {
        self.owned.run(|worker| worker.hand_over(&records))
    }

    /// Waits until everything that was taken has been applied. Throws what that has shown to be wrong.
    #[napi]
    pub fn settle(&mut self) -> Result<()> {
        self.owned.run(Worker::settle)
    }

    /// All books, with their digests, when everything that was taken has been applied. Cost: linear in their levels.
    #[napi]
    pub fn books(&mut self) -> Result<Vec<ReplicaBook>> {
        self.owned.run(|worker| {
            worker.settle()?;
            let books = worker.books.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(books.replica.books().map(ReplicaBook::from).collect())
        })
    }

    /// How long readers had each book, hour by hour, when everything that was taken has been applied; up to the last frame of any.
    #[napi]
    pub fn standings(&mut self) -> Result<Vec<BookStanding>> {
        self.owned.run(|worker| {
            worker.settle()?;
            let mut books = worker.books.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(books.replica.standings().map(BookStanding::from).collect())
        })
    }
}

impl From<(InstrumentId, &Standing)> for BookStanding {
    fn from((id, standing): (InstrumentId, &Standing)) -> Self {
        let hour = |hour: &replica::StandingHour| StandingHour {
            begin: hour.begin.into(),
            synced_ns: hour.synced_ns as i64,
            lost_ns: hour.lost_ns as i64,
            before_ns: hour.before_ns as i64,
            changes: hour.changes as i64,
            holes: hour.holes as i64,
        };
        let hole = |hole: &replica::StandingHole| StandingHole {
            from: hole.from.into(),
            until: hole.until.into(),
            state: hole.state.name().to_owned(),
            reason: hole.state.reason_name().to_owned(),
            expected: hole.numbers.0.into(),
            received: hole.numbers.1.into(),
        };
        Self {
            instrument: id.0,
            hours: standing.hours().iter().map(hour).collect(),
            holes: standing.holes().iter().map(hole).collect(),
            holes_more: standing.holes_more() as i64,
        }
    }
}

impl Worker {
    fn start(env: &Env) -> Result<Self> {
        let books = Arc::new(Mutex::new(Books { replica: Replica::with_standings(), wrong: None }));
        let ((batches, taken), (returned, applied)) = (sync_channel::<Vec<u8>>(BATCHES_MAX), channel());
        let own = Arc::clone(&books);
        let thread = Builder::new().name("replica".to_owned()).spawn(move || {
            for batch in taken {
                own.lock().unwrap_or_else(PoisonError::into_inner).apply(&batch);
                if returned.send(batch).is_err() {
                    return;
                }
            }
        });
        let thread = thread.map_err(|wrong| {
            let account = Account::new("no thread can be had", "a thread", wrong);
            error("addon.no_thread", account, "raise the limit of threads, or end what uses them")
        })?;
        let (batches, thread, spare) = (Some(batches), Some(thread), Vec::new());
        Ok(Self { books, batches, applied, thread, waiting: 0, spare, _weight: Weight::new(env, BYTES) })
    }

    fn hand_over(&mut self, records: &Argument) -> Result<()> {
        if self.waiting == BATCHES_MAX {
            self.take_back()?;
        }
        while let Ok(batch) = self.applied.try_recv() {
            self.put_by(batch);
        }
        self.checked()?;
        let mut batch = self.spare.pop().unwrap_or_default();
        batch.clear();
        records.append_to("records", &mut batch)?;
        match &self.batches {
            Some(batches) if batches.send(batch).is_ok() => {
                self.waiting += 1;
                Ok(())
            }
            _ => Err(lost()),
        }
    }

    fn settle(&mut self) -> Result<()> {
        while self.waiting > 0 {
            self.take_back()?;
        }
        self.checked()
    }

    /// Waits for the batch that is applied next.
    fn take_back(&mut self) -> Result<()> {
        let batch = self.applied.recv().map_err(|_| lost())?;
        self.put_by(batch);
        Ok(())
    }

    fn put_by(&mut self, batch: Vec<u8>) {
        self.waiting -= 1;
        self.spare.push(batch);
    }

    /// What was found wrong so far. It does not wait for a batch that is being applied.
    fn checked(&self) -> Result<()> {
        let Ok(books) = self.books.try_lock() else { return Ok(()) };
        match &books.wrong {
            Some(wrong) => Err(error(wrong.code(), wrong.account(), wrong.fix())),
            None => Ok(()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Books {
    /// Nothing more once something was wrong.
    fn apply(&mut self, mut records: &[u8]) {
        while self.wrong.is_none()
            && let Some((header, rest)) = records.split_first_chunk::<RECORD_HEADER_BYTES>()
        {
            let [a, b, c, d, kind, _, ..] = *header;
            if kind == RecordType::Pad as u8 {
                return;
            }
            let size = u32::from_le_bytes([a, b, c, d]) as usize;
            let Some(payload) = rest.get(..size) else { return };
            if kind == RecordType::Frame as u8 {
                self.wrong = self.replica.apply(payload).err();
            }
            records = rest.get(size.next_multiple_of(8)..).unwrap_or_default();
        }
    }
}

#[cold]
fn lost() -> napi::Error<Code> {
    let account = Account::new("the thread of the replica has failed", "one that runs", "one that has ended");
    error("addon.panicked", account, "make a new object and report the input that came before")
}
