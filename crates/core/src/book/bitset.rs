//! Which slots of a window are used: a set of small integers with a summary, so that the next used slot is found in
//! three steps however far away it is.

/// Slots of a full set: 64 × 64 × 64, which is what one summary word of words of words can name.
pub(super) const SLOTS_MAX: usize = 1 << 18;

/// A set over `0..slots`, `slots` at most [`SLOTS_MAX`].
///
/// Bit `i` of `bottom` says that slot `i` is used; a bit of `middle` says that a word of `bottom` is not zero, a bit
/// of `top` that a word of `middle` is not zero. Every operation costs three steps at most and allocates nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Bitset {
    top: u64,
    middle: Vec<u64>,
    bottom: Vec<u64>,
}

impl Bitset {
    /// An empty set over `0..slots`. `slots` above [`SLOTS_MAX`] gives a set over `0..SLOTS_MAX`.
    pub(super) fn new(slots: usize) -> Self {
        let words = slots.min(SLOTS_MAX).div_ceil(64);
        Self { top: 0, middle: vec![0; words.div_ceil(64)], bottom: vec![0; words] }
    }

    /// Puts a slot into the set or takes it out; either may already be so.
    ///
    /// Without a branch: whether a level comes, goes or only changes is as good as random in a real stream, and a
    /// mispredicted branch costs more than the three words.
    #[inline]
    pub(super) fn set(&mut self, slot: usize, is_used: bool) {
        let word = with_bit(self.bottom[slot >> 6], slot, is_used);
        self.bottom[slot >> 6] = word;
        let word = with_bit(self.middle[slot >> 12], slot >> 6, word != 0);
        self.middle[slot >> 12] = word;
        self.top = with_bit(self.top, slot >> 12, word != 0);
    }

    /// The highest slot of the set.
    #[inline]
    pub(super) fn highest(&self) -> Option<usize> {
        let high = highest_bit(self.top)?;
        self.highest_in_middle(high)
    }

    /// The highest slot of the set that is lower than `slot`.
    #[inline]
    pub(super) fn highest_below(&self, slot: usize) -> Option<usize> {
        let word = slot >> 6;
        if let Some(low) = highest_bit(self.bottom[word] & below(slot)) {
            return Some(word << 6 | low);
        }
        if let Some(low) = highest_bit(self.middle[word >> 6] & below(word)) {
            return self.highest_in_bottom((word >> 6) << 6 | low);
        }
        let high = highest_bit(self.top & below(word >> 6))?;
        self.highest_in_middle(high)
    }

    /// Empties the set. Writes only words that are not zero.
    pub(super) fn clear(&mut self) {
        while let Some(high) = highest_bit(self.top) {
            while let Some(low) = highest_bit(self.middle[high]) {
                self.bottom[high << 6 | low] = 0;
                self.middle[high] &= !bit(low);
            }
            self.top &= !bit(high);
        }
    }

    #[inline]
    fn highest_in_middle(&self, index: usize) -> Option<usize> {
        let low = highest_bit(self.middle[index])?;
        self.highest_in_bottom(index << 6 | low)
    }

    #[inline]
    fn highest_in_bottom(&self, index: usize) -> Option<usize> {
        let low = highest_bit(self.bottom[index])?;
        Some(index << 6 | low)
    }
}

/// The bit of `index` within its word.
#[inline]
const fn bit(index: usize) -> u64 {
    1 << (index & 63)
}

/// The word with the bit of `index` set or cleared.
#[inline]
const fn with_bit(word: u64, index: usize, is_set: bool) -> u64 {
    word & !bit(index) | (is_set as u64) << (index & 63)
}

/// All bits of a word below that of `index`.
#[inline]
const fn below(index: usize) -> u64 {
    bit(index) - 1
}

/// Index of the highest bit set.
#[inline]
const fn highest_bit(word: u64) -> Option<usize> {
    match word.checked_ilog2() {
        Some(index) => Some(index as usize),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn agrees_with_an_ordered_set() {
        for slots in [64, 1 << 14, SLOTS_MAX] {
            let mut bits = Bitset::new(slots);
            let mut oracle = BTreeSet::new();
            let mut state = slots as u64;
            for round in 0..20_000u64 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round | 1);
                // Squaring the fraction leaves long empty stretches, so every level of the summary is walked.
                let fraction = state >> 40;
                let slot = (fraction * fraction % slots as u64) as usize;
                let is_used = state >> 63 == 0;
                bits.set(slot, is_used);
                if is_used {
                    oracle.insert(slot);
                } else {
                    oracle.remove(&slot);
                }
                assert_eq!(bits.highest(), oracle.last().copied());
                let probe = (fraction % slots as u64) as usize;
                assert_eq!(bits.highest_below(probe), oracle.range(..probe).next_back().copied());
            }
            assert!(!oracle.is_empty());
            bits.clear();
            assert_eq!(bits.highest(), None);
            assert!(bits.top == 0 && bits.middle.iter().chain(&bits.bottom).all(|word| *word == 0));
        }
    }

    #[test]
    fn finds_across_every_border_of_the_summary() {
        let mut bits = Bitset::new(SLOTS_MAX);
        let borders = [0, 1, 63, 64, 4_095, 4_096, 4_097, 131_071, 131_072, SLOTS_MAX - 1];
        for slot in borders {
            bits.set(slot, true);
        }
        let mut found = vec![bits.highest().unwrap()];
        while let Some(next) = bits.highest_below(found[found.len() - 1]) {
            found.push(next);
        }
        found.reverse();
        assert_eq!(found, borders);
    }
}
