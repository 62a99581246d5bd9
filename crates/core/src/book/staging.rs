//! A message merged with a side before anything of the side is changed.

use super::far::Entry;
use crate::types::Level;
use core::cmp::Reverse;

/// A set quantity with its place in the frame, so that of two for one price the later wins.
#[derive(Clone, Copy, Debug)]
struct Change {
    entry: Entry,
    order: usize,
}

/// The levels of one side as they are going to be. A book has one for each side and keeps their memory, unless it is
/// thin: what merges is rare there, and small.
#[derive(Clone, Debug, Default)]
pub(super) struct Staging {
    entries: Vec<Entry>,
    changes: Vec<Change>,
}

impl Staging {
    /// Merges one side of a message with the levels that are there, best first. Costs a pass over them and a sort of
    /// the message.
    pub(super) fn merge(&mut self, levels: &[Level], flip: i64, there: impl Iterator<Item = Entry>) {
        let Self { entries, changes } = self;
        entries.clear();
        changes.clear();
        changes.extend(levels.iter().enumerate().map(|(order, level)| Change {
            entry: Entry { key: level.price.0 ^ flip, qty: level.qty.0 },
            order,
        }));
        // Best first and, within a price, the last of the message first, which is the one that is kept.
        changes.sort_unstable_by_key(|change| Reverse((change.entry.key, change.order)));
        changes.dedup_by_key(|change| change.entry.key);
        let mut pending = changes.iter().map(|change| change.entry).peekable();
        for entry in there {
            while let Some(change) = pending.next_if(|change| change.key > entry.key) {
                entries.push(change);
            }
            entries.push(pending.next_if(|change| change.key == entry.key).unwrap_or(entry));
        }
        entries.extend(pending);
        entries.retain(|entry| entry.qty != 0);
    }

    /// The levels, best first.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Heap bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() + self.changes.capacity() * size_of::<Change>()
    }
}
