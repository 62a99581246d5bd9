//! Which of the depths at which an instrument is subscribed is its book, where each is numbered and cut for itself: the
//! deepest that has sent a snapshot.

/// The depth that counts.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Deepest {
    depth: Option<u32>,
    /// Snapshots of shallower books since the last message of it.
    passed_over: u8,
}

impl Deepest {
    /// Levels a side of the book that counts, once its snapshot has come.
    pub(super) const fn depth(&self) -> Option<u32> {
        self.depth
    }

    /// Whether a message of a depth is of the book. Before any snapshot each is, so that it shows that one is needed. A
    /// shallower snapshot that comes twice, while the deeper book says nothing, shows that this one has ended.
    pub(super) fn counts(&mut self, depth: u32, is_snapshot: bool) -> bool {
        let is_other = self.depth.is_some_and(|followed| followed != depth);
        if is_other && !is_snapshot {
            return false;
        }
        if self.depth.is_some_and(|followed| followed > depth) {
            self.passed_over += 1;
            if self.passed_over < 2 {
                return false;
            }
        }
        self.passed_over = 0;
        if is_snapshot {
            self.depth = Some(depth);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_that_has_sent_a_snapshot_counts() {
        let mut deepest = Deepest::default();
        for (depth, is_snapshot, counts) in [
            (50, false, true),
            (50, true, true),
            (50, false, true),
            (200, false, false),
            (200, true, true),
            (50, true, false),
            (50, false, false),
            (200, false, true),
            (50, true, false),
            (50, true, true),
            (200, false, false),
            (50, false, true),
        ] {
            assert_eq!(deepest.counts(depth, is_snapshot), counts, "{depth} {is_snapshot} {deepest:?}");
        }
        assert_eq!(deepest.depth(), Some(50));
    }
}
