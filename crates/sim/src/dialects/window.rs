//! The best levels of a side, as a venue shows them that cuts its book at a depth.

use std::collections::BTreeMap;

/// One side of a whole book, of which the first `depth` levels are shown. Keys rise away from the best price.
///
/// A level that comes can push the last one out, of which nobody is told; one that goes can let the next one in,
/// which must be told. Subscribers cut their copy after each message only: what was pushed out within a message is
/// known to them until it ends, and every change of it is to be told too.
#[derive(Clone, Debug)]
pub(super) struct Window<T> {
    levels: BTreeMap<i64, T>,
    depth: usize,
    /// Levels shown.
    shown_len: usize,
    /// The key of the last shown level where `depth` of them are shown; else the highest key there is.
    edge: i64,
    /// Keys of levels that were pushed out since the last message ended.
    pushed_out: Vec<i64>,
}

impl<T> Window<T> {
    pub(super) const fn new(depth: usize) -> Self {
        Self { levels: BTreeMap::new(), depth, shown_len: 0, edge: i64::MAX, pushed_out: Vec::new() }
    }

    pub(super) fn get_mut(&mut self, key: i64) -> Option<&mut T> {
        self.levels.get_mut(&key)
    }

    pub(super) fn get(&self, key: i64) -> Option<&T> {
        self.levels.get(&key)
    }

    /// Whether a level at that key is, or would be, shown.
    const fn shows(&self, key: i64) -> bool {
        key <= self.edge
    }

    /// Whether subscribers hold a level at that key, or would: it is shown, or was when the message began.
    pub(super) fn is_known(&self, key: i64) -> bool {
        self.shows(key) || self.pushed_out.contains(&key)
    }

    /// A message has ended: subscribers cut their copies.
    pub(super) fn end_message(&mut self) {
        self.pushed_out.clear();
    }

    /// The levels shown, best first.
    pub(super) fn shown(&self) -> impl Iterator<Item = (i64, &T)> {
        self.levels.range(..=self.edge).map(|(&key, level)| (key, level))
    }

    /// A new level. Whether it is shown.
    pub(super) fn insert(&mut self, key: i64, level: T) -> bool {
        self.levels.insert(key, level);
        if !self.shows(key) {
            return false;
        }
        if self.shown_len == self.depth {
            self.pushed_out.push(self.edge);
            self.edge = self.levels.range(..self.edge).next_back().map_or(i64::MAX, |last| *last.0);
        } else {
            self.shown_len += 1;
            if self.shown_len == self.depth {
                self.edge = self.levels.last_key_value().map_or(i64::MAX, |last| *last.0);
            }
        }
        true
    }

    /// A level that goes. The key of the one that is shown instead, where there is one that is not known yet.
    pub(super) fn remove(&mut self, key: i64) -> Option<i64> {
        self.pushed_out.retain(|&pushed_out| pushed_out != key);
        if self.levels.remove(&key).is_none() || !self.shows(key) {
            return None;
        }
        let next = (self.edge < i64::MAX).then(|| self.levels.range(self.edge + 1..).next()).flatten();
        if let Some((&entered, _)) = next {
            self.edge = entered;
            let known = self.pushed_out.iter().position(|&pushed_out| pushed_out == entered);
            return match known {
                Some(at) => {
                    self.pushed_out.swap_remove(at);
                    None
                }
                None => Some(entered),
            };
        }
        self.shown_len -= 1;
        self.edge = i64::MAX;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn shows_the_first_levels_whatever_happens() {
        let mut rng = Rng::new(5, 0);
        for depth in [1, 3, 10] {
            let mut window = Window::new(depth);
            let mut plain = BTreeMap::new();
            for _ in 0..20_000 {
                let key = rng.below(25) as i64;
                let before: Vec<i64> = plain.keys().take(depth).copied().collect();
                if plain.remove(&key).is_some() {
                    let entered = window.remove(key);
                    let now: Vec<i64> = plain.keys().take(depth).copied().collect();
                    let expected = now.iter().find(|key| !before.contains(key));
                    assert_eq!(entered.as_ref(), expected);
                } else {
                    plain.insert(key, ());
                    let shown = window.insert(key, ());
                    assert_eq!(shown, plain.keys().take(depth).any(|&shown| shown == key));
                }
                window.end_message();
                assert!(window.shown().map(|level| level.0).eq(plain.keys().take(depth).copied()));
            }
        }
    }

    #[test]
    fn what_is_pushed_out_stays_known_until_the_message_ends() {
        let mut window = Window::new(2);
        for key in [1, 3, 5] {
            window.insert(key, ());
        }
        window.end_message();
        window.insert(2, ());
        assert!(window.is_known(3) && !window.is_known(5));
        assert_eq!(window.remove(1), None, "3 is shown again, and known still");
        window.insert(1, ());
        assert_eq!(window.remove(3), None);
        assert!(!window.is_known(3), "gone");
        window.insert(0, ());
        window.end_message();
        assert!(!window.is_known(2));
        assert_eq!(window.remove(0), Some(2));
    }
}
