//! A window that slides in steps: sums over the last part of a clock, in memory that does not grow.

/// Panes of a window. The window moves by a pane at a time, so that it covers between 15 and 16 sixteenths of its
/// size.
pub const PANES: usize = 16;

/// What can be added up.
pub trait Sums: Copy + Default {
    /// Adds another sum.
    fn add(&mut self, more: &Self);
}

/// Sums over the last `size` units of a clock: of the pane in which the clock stands, and of the fifteen before it. A
/// pane begins at each multiple of a sixteenth of the size, so that whoever reads the same inputs has the same panes.
///
/// The clock is whatever its owner counts: nanoseconds, events, volume. One that goes backward stands still: what
/// comes is added to the pane that it has reached.
///
/// Cost: an input adds to one pane; reading adds up sixteen. Nothing is subtracted, so sums of floats do not drift,
/// and those of the same inputs are the same bits however often they were read. Allocates nothing.
#[derive(Clone, Debug)]
pub struct Panes<S> {
    pane: u64,
    ring: [S; PANES],
    /// The clock, and the number of the pane in which it stands.
    at: u64,
    now: u64,
    /// The clock at the first input.
    first: Option<u64>,
}

impl<S: Sums> Panes<S> {
    /// A window of that size; none where a pane would be shorter than one unit.
    #[must_use]
    pub fn new(size: u64) -> Option<Self> {
        let pane = size / PANES as u64;
        (pane > 0).then(|| Self { pane, ring: [S::default(); PANES], at: 0, now: 0, first: None })
    }

    /// The clock goes on.
    #[inline]
    pub fn advance(&mut self, to: u64) {
        if self.first.is_none() {
            (self.at, self.now, self.first) = (to, to / self.pane, Some(to));
            return;
        }
        if to <= self.at {
            return;
        }
        self.at = to;
        let now = to / self.pane;
        let passed = now - self.now;
        if passed >= PANES as u64 {
            self.ring = [S::default(); PANES];
        } else {
            for pane in self.now + 1..=now {
                self.ring[slot(pane)] = S::default();
            }
        }
        self.now = now;
    }

    /// Adds to the pane in which the clock stands.
    #[inline]
    pub fn add(&mut self, more: &S) {
        self.ring[slot(self.now)].add(more);
    }

    /// The clock goes on, and what `of` says of a part of that way is added to the pane in which the part lies. A way
    /// longer than the window is looked at no further back than the window reaches.
    pub fn add_along(&mut self, to: u64, of: impl Fn(u64) -> S) {
        if self.first.is_some() {
            let begin = (to / self.pane).saturating_sub(PANES as u64 - 1) * self.pane;
            self.advance(begin.min(to));
            while self.at < to {
                let end = ((self.now + 1).saturating_mul(self.pane)).min(to);
                self.add(&of(end - self.at));
                self.advance(end);
            }
        } else {
            self.advance(to);
        }
    }

    /// The sum over the window.
    #[must_use]
    pub fn sum(&self) -> S {
        let mut sum = S::default();
        // Oldest first, so that sums of floats have one order.
        for back in 1..=PANES as u64 {
            sum.add(&self.ring[slot(self.now.wrapping_add(back))]);
        }
        sum
    }

    /// Whether the clock has passed a whole window since the first input: before, the sum is of less than that.
    #[must_use]
    pub fn is_warm(&self) -> bool {
        self.first.is_some_and(|first| self.now - first / self.pane >= PANES as u64)
    }

    /// Whether there has been an input since it was made or cleared.
    #[inline]
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.first.is_some()
    }

    /// How much of the clock the sum is of: since the first input, or since the oldest pane began.
    #[must_use]
    pub fn covered(&self) -> u64 {
        let begin = self.now.saturating_sub(PANES as u64 - 1) * self.pane;
        self.first.map_or(0, |first| self.at - first.max(begin))
    }

    /// Begins again, without an input.
    pub fn clear(&mut self) {
        (self.ring, self.at, self.now, self.first) = ([S::default(); PANES], 0, 0, None);
    }
}

#[inline]
const fn slot(pane: u64) -> usize {
    (pane % PANES as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    struct Count(u64);

    impl Sums for Count {
        fn add(&mut self, more: &Self) {
            self.0 += more.0;
        }
    }

    #[test]
    fn a_window_forgets_pane_by_pane() {
        let mut panes = Panes::new(160).unwrap();
        panes.advance(5);
        panes.add(&Count(1));
        panes.advance(10);
        panes.add(&Count(10));
        assert_eq!(panes.sum(), Count(11));
        panes.advance(159);
        assert!(!panes.is_warm());
        assert_eq!(panes.covered(), 154);
        assert_eq!(panes.sum(), Count(11));
        panes.advance(160);
        assert!(panes.is_warm());
        assert_eq!(panes.covered(), 150);
        assert_eq!(panes.sum(), Count(10));
        panes.advance(170);
        assert_eq!(panes.sum(), Count(0));
        panes.add(&Count(3));
        panes.advance(u64::MAX);
        assert_eq!(panes.sum(), Count(0));
        panes.clear();
        assert!(!panes.is_warm());
    }

    #[test]
    fn a_clock_that_goes_backward_stands_still() {
        let mut panes = Panes::new(16).unwrap();
        panes.advance(100);
        panes.add(&Count(1));
        panes.advance(3);
        panes.add(&Count(1));
        assert_eq!(panes.sum(), Count(2));
        panes.add_along(50, Count);
        assert_eq!(panes.sum(), Count(2));
    }

    #[test]
    fn a_window_of_less_than_a_unit_a_pane_is_none() {
        assert!(Panes::<Count>::new(15).is_none());
        assert!(Panes::<Count>::new(0).is_none());
        assert!(Panes::<Count>::new(16).is_some());
    }

    #[test]
    fn what_lies_along_the_way_is_in_the_panes_where_it_lay() {
        let mut panes = Panes::new(160).unwrap();
        panes.add_along(3, Count);
        assert_eq!(panes.sum(), Count(0), "nothing is known before the first input");
        panes.add_along(25, Count);
        assert_eq!(panes.sum(), Count(22));
        panes.advance(160);
        assert_eq!(panes.sum(), Count(15), "of the first pane nothing is left");
        panes.clear();
        panes.advance(0);
        panes.add_along(10_005, Count);
        assert_eq!(panes.sum(), Count(155), "as far back as the window reaches");
        panes.clear();
        panes.advance(0);
        panes.add_along(u64::MAX, Count);
        assert!(panes.sum().0 <= 160);
    }

    proptest! {
        /// Each input lies in the pane of its clock, or of the furthest that the clock has been.
        #[test]
        fn a_window_is_what_its_panes_have(
            inputs in prop::collection::vec((0_u64..2_000, 1_u64..100), 1..200),
            size in 16_u64..600,
        ) {
            let mut panes = Panes::new(size).unwrap();
            let pane = size / PANES as u64;
            let (mut placed, mut furthest) = (Vec::new(), 0);
            for (clock, count) in inputs {
                panes.advance(clock);
                panes.add(&Count(count));
                furthest = furthest.max(clock);
                placed.push((furthest / pane, count));
                let now = furthest / pane;
                let expected: u64 = placed
                    .iter()
                    .filter(|(at, _)| now - at < PANES as u64)
                    .map(|(_, count)| count)
                    .sum();
                prop_assert_eq!(panes.sum(), Count(expected));
                prop_assert_eq!(panes.is_warm(), now - placed[0].0 >= PANES as u64);
            }
        }
    }
}
