//! Damage to do to a list of frames, at places that a seed decides.

use crate::error::SimError;
use crate::rng::Rng;

/// What may befall a frame on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is lost.
    Drop,
    /// It arrives twice, one copy after the other.
    Duplicate,
    /// It and its next neighbour arrive in the wrong order.
    SwapWithNext,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 3] = [Self::Drop, Self::Duplicate, Self::SwapWithNext];

    /// Does the fault to the frame at `index`. Moves the frames after it, none before it.
    ///
    /// # Errors
    /// [`SimError::FaultOutOfRange`] where there is no such frame, or no next one to swap with.
    pub fn apply<T: Clone>(self, frames: &mut Vec<T>, index: usize) -> Result<(), SimError> {
        let last = index + usize::from(self == Self::SwapWithNext);
        if last >= frames.len() {
            return Err(SimError::FaultOutOfRange { index, frames: frames.len() });
        }
        match self {
            Self::Drop => {
                frames.remove(index);
            }
            Self::Duplicate => frames.insert(index, frames[index].clone()),
            Self::SwapWithNext => frames.swap(index, index + 1),
        }
        Ok(())
    }
}

/// `count` different places for faults in a list of `frames_len` frames, rising, each with a fault that fits
/// there. Fewer where the list has fewer places; the last frame is none, because it has no next one.
///
/// To do several to one list, go from the last place to the first, so that the earlier ones stay where they are.
#[must_use]
pub fn plan(seed: u64, count: usize, frames_len: usize) -> Vec<(usize, Fault)> {
    let mut rng = Rng::new(seed, 0);
    let places_len = frames_len.saturating_sub(1);
    let mut wanted = count.min(places_len);
    let mut chosen = Vec::with_capacity(wanted);
    // Selection sampling: each place is taken with the chance that leaves every choice equally likely.
    for index in 0..places_len {
        if rng.below((places_len - index) as u64) < wanted as u64 {
            let fault = Fault::ALL[rng.below(Fault::ALL.len() as u64) as usize];
            chosen.push((index, fault));
            wanted -= 1;
        }
    }
    chosen
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn each_fault_does_what_it_says() {
        let cases = [
            (Fault::Drop, 1, vec![1, 3]),
            (Fault::Drop, 2, vec![1, 2]),
            (Fault::Duplicate, 0, vec![1, 1, 2, 3]),
            (Fault::SwapWithNext, 1, vec![1, 3, 2]),
        ];
        for (fault, index, expected) in cases {
            let mut frames = vec![1, 2, 3];
            fault.apply(&mut frames, index).unwrap();
            assert_eq!(frames, expected);
        }
    }

    #[test]
    fn a_place_that_does_not_exist_is_refused_and_nothing_changes() {
        for (fault, index) in [(Fault::Drop, 3), (Fault::Duplicate, 3), (Fault::SwapWithNext, 2)] {
            let mut frames = vec![1, 2, 3];
            assert_eq!(fault.apply(&mut frames, index), Err(SimError::FaultOutOfRange { index, frames: 3 }));
            assert_eq!(frames, [1, 2, 3]);
        }
    }

    #[test]
    fn a_plan_is_seeded_rising_and_fits_the_list() {
        let planned = plan(11, 1_000, 6_495);
        assert_eq!(planned.len(), 1_000);
        assert_eq!(planned, plan(11, 1_000, 6_495));
        assert_ne!(planned, plan(12, 1_000, 6_495));
        assert!(planned.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for fault in Fault::ALL {
            let share = planned.iter().filter(|place| place.1 == fault).count();
            assert!((250..420).contains(&share), "{fault:?} {share}");
        }
        let mut frames: Vec<usize> = (0..6_495).collect();
        for &(index, fault) in planned.iter().rev() {
            fault.apply(&mut frames, index).unwrap();
        }
    }

    #[test]
    fn a_short_list_has_fewer_places() {
        assert_eq!(plan(1, 10, 4).iter().map(|place| place.0).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(plan(1, 10, 1).is_empty() && plan(1, 10, 0).is_empty() && plan(1, 0, 9).is_empty());
    }
}
