//! Time as the core sees it: a number that somebody hands in.

use super::Stage;

/// Nanoseconds since the Unix epoch; 0 = the source gave none.
pub type TimeNs = u64;

/// The only way in which the core learns the time. Live, the addon's clock; on replay, the recording's.
pub trait Clock {
    /// The current time.
    fn now(&self) -> TimeNs;

    /// A stage of the message under way has ended. Nothing, unless it is the clock of
    /// [`Engine::ingest_stamped`](crate::engine::Engine::ingest_stamped).
    #[inline(always)]
    fn stamp(&self, _stage: Stage) {}
}

/// A clock that knows no time: stamps stay 0. The default of tests and of pure benchmarks.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> TimeNs {
        0
    }
}

/// A fixed time is a clock, which is how replay hands in the recording's.
impl Clock for TimeNs {
    fn now(&self) -> TimeNs {
        *self
    }
}
