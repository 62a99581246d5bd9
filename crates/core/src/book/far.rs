//! The levels that no window slot can hold: a plain ordered list, exact for every price there is.

use super::prefetch::prefetch_at;

/// One level of one side, by key: a greater key is nearer the top of the side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The price as this side orders it.
    pub(super) key: i64,
    /// Quantity, above 0.
    pub(super) qty: i64,
}

/// Levels outside the window in one ascending list, so the best is last and a change near it moves little.
///
/// A change costs a binary search and, when a level comes or goes, a move of the levels better than it. Grows to the
/// most levels it ever held and then allocates nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct FarStore {
    entries: Vec<Entry>,
}

impl FarStore {
    /// Sets a level's quantity; 0 removes it, and removing an unknown level changes nothing.
    pub(super) fn put(&mut self, key: i64, qty: i64) {
        // Filling a side in ascending order searches nothing.
        if self.entries.last().is_none_or(|last| last.key < key) {
            if qty != 0 {
                self.entries.push(Entry { key, qty });
            }
            return;
        }
        self.put_among_few(key, qty);
    }

    /// As [`Self::put`] where levels are few and come in any order: nothing branches on where one stands.
    #[inline]
    pub(super) fn put_among_few(&mut self, key: i64, qty: i64) {
        let at = self.entries.partition_point(|entry| entry.key < key);
        match self.entries.get_mut(at) {
            Some(entry) if entry.key == key => {
                if qty == 0 {
                    self.entries.remove(at);
                } else {
                    entry.qty = qty;
                }
            }
            _ if qty == 0 => {}
            _ => self.entries.insert(at, Entry { key, qty }),
        }
    }

    /// Asks for the memory that a search among few levels begins with, and for that of the best.
    #[inline]
    pub(super) fn prefetch(&self) {
        prefetch_at(&self.entries, self.entries.len() / 2);
        prefetch_at(&self.entries, self.entries.len().saturating_sub(1));
    }

    /// A level's quantity; 0 when it is not here.
    pub(super) fn qty_at(&self, key: i64) -> i64 {
        let found = self.entries.binary_search_by_key(&key, |entry| entry.key);
        found.ok().and_then(|at| self.entries.get(at)).map_or(0, |entry| entry.qty)
    }

    /// The best level.
    #[inline]
    pub(super) fn best(&self) -> Option<Entry> {
        self.entries.last().copied()
    }

    /// The worst level.
    #[inline]
    pub(super) fn worst(&self) -> Option<Entry> {
        self.entries.first().copied()
    }

    /// Removes this many of the worst levels, by one move of the others.
    pub(super) fn remove_worst(&mut self, count: usize) {
        self.entries.drain(..count.min(self.entries.len()));
    }

    /// All levels, best last.
    #[inline]
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Number of levels.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Heap bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }

    /// Empties the store and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_replaces_and_removes() {
        let mut far = FarStore::default();
        for (key, qty) in [(5, 1), (i64::MIN, 2), (i64::MAX, 3), (0, 4), (5, 9), (0, 0), (77, 0)] {
            far.put(key, qty);
        }
        let expected = [(i64::MIN, 2), (5, 9), (i64::MAX, 3)].map(|(key, qty)| Entry { key, qty });
        assert_eq!(far.entries(), expected);
        assert_eq!(far.best(), Some(expected[2]));
        assert_eq!((far.qty_at(5), far.qty_at(0), far.qty_at(6)), (9, 0, 0));
        far.clear();
        assert_eq!((far.best(), far.len()), (None, 0));
    }

    #[test]
    fn keeps_its_memory_once_warm() {
        let mut far = FarStore::default();
        for round in 0..3 {
            let capacity = far.entries.capacity();
            for key in 0..1_000 {
                far.put(key, 1);
            }
            assert!(round == 0 || far.entries.capacity() == capacity);
            far.clear();
        }
    }
}
