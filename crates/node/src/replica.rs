//! The exported `Replica`: feed frames back into books.

use depthwire_core::replica;
use depthwire_core::types::Side;
use napi_derive::napi;

use crate::guard::{Result, error, guard};

/// A book as the feed told it.
#[napi(object)]
pub struct ReplicaBook {
    /// Number on the wire.
    pub instrument: u32,
    /// `syncing` or `synced`.
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
#[derive(Default)]
pub struct Replica {
    replica: replica::Replica,
    failed: bool,
}

#[napi]
impl Replica {
    /// A replica without books.
    #[napi(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes frames that stand back to back.
    #[napi]
    pub fn apply(&mut self, frames: &[u8]) -> Result<()> {
        let Self { replica, failed } = self;
        guard(failed, || {
            let applied = replica.apply(frames);
            applied.map(|_| ()).map_err(|wrong| error(wrong.code(), wrong, "resync from a new image"))
        })
    }

    /// All books, with their digests. Cost: linear in their levels.
    #[napi]
    pub fn books(&mut self) -> Result<Vec<ReplicaBook>> {
        let Self { replica, failed } = self;
        guard(failed, || {
            Ok(replica
                .books()
                .map(|(id, book)| {
                    let (checks, check_failures) = book.checks();
                    ReplicaBook {
                        instrument: id.0,
                        state: book.state().name().to_owned(),
                        bids: book.book().len(Side::Bid) as u32,
                        asks: book.book().len(Side::Ask) as u32,
                        digest: book.digest(),
                        checks: checks as i64,
                        check_failures: check_failures as i64,
                        gaps: book.gaps() as i64,
                    }
                })
                .collect())
        })
    }
}
