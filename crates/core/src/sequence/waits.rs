//! Updates that wait, as far as their order counts.

use super::{Chain, SeqOutcome};
use crate::types::{TimeNs, VenueSeq};

/// An update that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its place in the venue's numbering.
    pub seq: VenueSeq,
    /// The venue's time of it.
    pub ts_event: TimeNs,
    /// When it was received.
    pub ts_recv: TimeNs,
    /// The venue's checksum of the book behind it.
    pub check: Option<u32>,
}

/// A break among waiting updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// How many updates stand before it.
    pub index: usize,
    /// Whether one of those continues the snapshot: then updates are missing. Else the snapshot is too old.
    pub is_bridged: bool,
    /// The number that was due.
    pub expected: u64,
    /// The one that came.
    pub received: u64,
}

/// A queue of updates that wait for a snapshot, whatever they change.
pub trait Waits {
    /// The updates, oldest first.
    fn updates(&self) -> impl ExactSizeIterator<Item = &Waiting>;

    /// Whether a chain runs through all waiting updates; if not, where it breaks. Changes nothing.
    ///
    /// # Errors
    /// The first [`Hole`].
    fn follow(&self, mut chain: Chain) -> Result<(), Hole> {
        for (index, update) in self.updates().enumerate() {
            match chain.check(&update.seq) {
                SeqOutcome::Next => chain.advance(&update.seq),
                SeqOutcome::Old => {}
                SeqOutcome::Gap { expected, received } => {
                    return Err(Hole { index, is_bridged: chain.is_bridged(), expected, received });
                }
            }
        }
        Ok(())
    }

    /// Whether any of the waiting updates continues a chain. Changes nothing.
    #[must_use]
    fn has_next(&self, chain: Chain) -> bool {
        self.updates().any(|update| chain.check(&update.seq) == SeqOutcome::Next)
    }

    /// The update that the venue sent last, by its time, and where that is equal or absent by its number: what came last
    /// may be a repetition. Costs a pass over all of them.
    #[must_use]
    fn newest(&self) -> Option<&Waiting> {
        self.updates().max_by_key(|update| (update.ts_event, update.seq.last))
    }

    /// Number of waiting updates.
    #[must_use]
    fn len(&self) -> usize {
        self.updates().len()
    }

    /// Whether none waits.
    #[must_use]
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
