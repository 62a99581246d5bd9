//! The exported `Replica`: feed frames back into books.

use depthwire_core::replica;
use depthwire_core::types::{InstrumentId, Side};
use napi::Env;
use napi_derive::napi;

use crate::argument::Argument;
use crate::guard::{Owned, Result, error, guard};
use crate::weight::Weight;

/// What a book holds.
const BOOK_BYTES: usize = 1 << 20;

/// A book as the feed told it.
#[napi(object)]
pub struct ReplicaBook {
    /// Number on the wire.
    pub instrument: u32,
    /// `syncing`, `synced` or `stale`.
    pub state: String,
    /// Number of bid levels.
    pub bids: u32,
    /// Number of ask levels.
    pub asks: u32,
    /// SHA-256 of the levels as text.
    pub digest: String,
    /// Checksums compared.
    pub checks: i64,
    /// Those that disagreed.
    pub check_failures: i64,
    /// Gaps seen.
    pub gaps: i64,
}

/// Books rebuilt from feed frames alone.
#[napi]
pub struct Replica {
    owned: Owned<Books>,
}

struct Books {
    replica: replica::Replica,
    weight: Weight,
}

#[napi]
impl Replica {
    /// A replica without books.
    #[napi(constructor)]
    pub fn new(env: &Env) -> Result<Self> {
        guard(|| {
            let (replica, weight) = (replica::Replica::default(), Weight::new(env, BOOK_BYTES));
            Ok(Self { owned: Owned::Open(Books { replica, weight }) })
        })
    }

    /// Gives the memory back at once. Any other use after it throws `addon.closed`.
    #[napi]
    pub fn close(&mut self) -> Result<()> {
        self.owned.close()
    }

    /// Takes frames that stand back to back.
    #[napi(ts_args_type = "frames: Uint8Array")]
    pub fn apply(&mut self, frames: Argument) -> Result<()> {
        self.owned.run(|Books { replica, weight }| {
            let frames = frames.input("frames")?;
            let applied = replica.apply(&frames);
            if weight.is_due(frames.len()) {
                weight.tell(replica.books().count() * BOOK_BYTES);
            }
            applied.map(|_| ()).map_err(|wrong| error(wrong.code(), wrong.account(), wrong.fix()))
        })
    }

    /// All books, with their digests. Cost: linear in their levels.
    #[napi]
    pub fn books(&mut self) -> Result<Vec<ReplicaBook>> {
        self.owned.run(|Books { replica, .. }| Ok(replica.books().map(ReplicaBook::from).collect()))
    }
}

impl From<(InstrumentId, &replica::ReplicaBook)> for ReplicaBook {
    fn from((id, book): (InstrumentId, &replica::ReplicaBook)) -> Self {
        let (checks, check_failures) = book.checks();
        Self {
            instrument: id.0,
            state: book.state().name().to_owned(),
            bids: book.book().len(Side::Bid) as u32,
            asks: book.book().len(Side::Ask) as u32,
            digest: book.digest(),
            checks: checks as i64,
            check_failures: check_failures as i64,
            gaps: book.gaps() as i64,
        }
    }
}
