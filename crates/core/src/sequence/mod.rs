//! Stage 2: is this update the next one? Order is judged by the venue's own numbers and by nothing else.
//!
//! A gap is an outcome here, not an error: markets lose frames. What happens then is the engine's business.

mod binance;
mod mold;
mod pending;

pub use binance::{Chain, Rule, snapshot_known_to};
pub use mold::{MoldChain, MoldHeader, MoldOutcome};
pub use pending::{Hole, PENDING_LEVELS_MAX, PENDING_UPDATES_MAX, Pending};

/// What an update is to a book at a known venue sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeqOutcome {
    /// It continues the book: apply it.
    Next,
    /// The book already holds it: ignore it.
    Old,
    /// Something between the book and it is missing.
    Gap {
        /// The venue sequence that was due.
        expected: u64,
        /// The one that came.
        received: u64,
    },
}
