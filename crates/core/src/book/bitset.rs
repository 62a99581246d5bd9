//! Which blocks of a window hold a level: a set of small integers with a summary, so that the next block in use is
//! found in two steps however far away it is.

/// Members of a full set: 64 × 64, which is what one summary word of words can name.
pub(super) const BLOCKS_MAX: usize = 1 << 12;

/// A set over `0..len`, `len` at most [`BLOCKS_MAX`].
///
/// Bit `i` of `words` says that `i` is in the set, a bit of `top` that a word is not zero. Every operation costs two
/// steps at most and allocates nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Bitset {
    top: u64,
    words: Vec<u64>,
}

impl Bitset {
    /// The empty set over nothing.
    pub(super) const EMPTY: Self = Self { top: 0, words: Vec::new() };

    /// An empty set over `0..len`. `len` above [`BLOCKS_MAX`] gives a set over `0..BLOCKS_MAX`.
    pub(super) fn new(len: usize) -> Self {
        Self { top: 0, words: vec![0; len.min(BLOCKS_MAX).div_ceil(64)] }
    }

    /// Puts an index into the set or takes it out; either may already be so.
    pub(super) fn set(&mut self, index: usize, is_in: bool) {
        let word = &mut self.words[index >> 6];
        *word = with_bit(*word, index, is_in);
        self.top = with_bit(self.top, index >> 6, *word != 0);
    }

    /// Whether an index is in the set.
    pub(super) fn contains(&self, index: usize) -> bool {
        self.words[index >> 6] & bit(index) != 0
    }

    /// The highest index of the set.
    #[inline]
    pub(super) fn highest(&self) -> Option<usize> {
        self.highest_in(highest_bit(self.top)?)
    }

    /// The lowest index of the set.
    #[inline]
    pub(super) fn lowest(&self) -> Option<usize> {
        let word = lowest_bit(self.top)?;
        Some(word << 6 | lowest_bit(self.words[word])?)
    }

    /// The highest index of the set that is lower than `index`, which may lie beyond the set.
    #[inline]
    pub(super) fn highest_below(&self, index: usize) -> Option<usize> {
        let word = index >> 6;
        let Some(bits) = self.words.get(word) else { return self.highest() };
        match highest_bit(bits & below(index)) {
            Some(low) => Some(word << 6 | low),
            None => self.highest_in(highest_bit(self.top & below(word))?),
        }
    }

    /// The members of the 64 that hold the highest member below those that `index` belongs to: the first of the 64, and a bit
    /// for each that is in the set.
    #[inline]
    pub(super) fn word_below(&self, index: usize) -> Option<(usize, u64)> {
        let words_below = if index >> 6 < 64 { self.top & below(index >> 6) } else { self.top };
        let word = highest_bit(words_below)?;
        Some((word << 6, *self.words.get(word)?))
    }

    /// Heap bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }

    #[inline]
    fn highest_in(&self, word: usize) -> Option<usize> {
        Some(word << 6 | highest_bit(self.words[word])?)
    }
}

/// The bit of `index` within its word.
#[inline]
pub(super) const fn bit(index: usize) -> u64 {
    1 << (index & 63)
}

/// The word with the bit of `index` set or cleared.
#[inline]
pub(super) const fn with_bit(word: u64, index: usize, is_set: bool) -> u64 {
    word & !bit(index) | (is_set as u64) << (index & 63)
}

/// All bits of a word below that of `index`.
#[inline]
pub(super) const fn below(index: usize) -> u64 {
    bit(index) - 1
}

/// Index of the highest bit set.
#[inline]
pub(super) const fn highest_bit(word: u64) -> Option<usize> {
    match word.checked_ilog2() {
        Some(index) => Some(index as usize),
        None => None,
    }
}

/// Index of the lowest bit set.
#[inline]
pub(super) const fn lowest_bit(word: u64) -> Option<usize> {
    if word == 0 { None } else { Some(word.trailing_zeros() as usize) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn agrees_with_an_ordered_set() {
        for len in [16, 64, 1 << 9, BLOCKS_MAX] {
            let mut bits = Bitset::new(len);
            let mut oracle = BTreeSet::new();
            let mut state = len as u64;
            for round in 0..20_000u64 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round | 1);
                // Squaring the fraction leaves long empty stretches, so both levels of the summary are walked.
                let fraction = state >> 40;
                let index = (fraction * fraction % len as u64) as usize;
                let is_in = state >> 62 == 0;
                bits.set(index, is_in);
                if is_in {
                    oracle.insert(index);
                } else {
                    oracle.remove(&index);
                }
                assert_eq!(bits.highest(), oracle.last().copied());
                assert_eq!(bits.lowest(), oracle.first().copied());
                let probe = (fraction % len as u64) as usize;
                assert_eq!(bits.highest_below(probe), oracle.range(..probe).next_back().copied());
                let words = bits.word_below(probe).map(|(first, word)| (first, highest_bit(word).unwrap()));
                let highest = oracle.range(..probe & !63).next_back().map(|found| (found & !63, found & 63));
                assert_eq!(words, highest);
            }
            assert!(!oracle.is_empty());
        }
    }

    #[test]
    fn finds_across_every_border_of_the_summary() {
        let mut bits = Bitset::new(BLOCKS_MAX);
        let borders = [0, 1, 63, 64, 65, 2_047, 2_048, BLOCKS_MAX - 1];
        for index in borders {
            bits.set(index, true);
        }
        let mut found = vec![bits.highest().unwrap()];
        while let Some(next) = bits.highest_below(found[found.len() - 1]) {
            found.push(next);
        }
        found.reverse();
        assert_eq!(found, borders);
        assert_eq!(bits.highest_below(BLOCKS_MAX), Some(BLOCKS_MAX - 1));
        assert_eq!(Bitset::default().highest_below(0), None);
    }
}
