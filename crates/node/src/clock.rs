//! The machine's clock, read by the processor's counter in between.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use depthwire_core::types::{Clock, TimeNs};
use depthwire_latency::clock::TickClock;

/// How old a reading of the system's clock becomes. The counter's rate is known to some 5 in a million, so that what is
/// counted from a reading is right to 5 ns; a clock that is set is followed within this.
const READING_NS: u64 = 1_000_000;

/// The machine's clock, ns since the Unix epoch. Costs some 10 ns where it counts ticks since a reading of the system's clock,
/// which is at most a millisecond old, else 25. Copies share the reading, so that times of one engine are of one clock.
#[derive(Clone, Debug)]
pub(crate) struct SystemClock {
    counted: Option<Rc<Counted>>,
}

#[derive(Debug)]
struct Counted {
    clock: TickClock,
    /// Ticks that a reading lasts.
    lasts: u64,
    /// The reading: ticks and ns.
    reading: Cell<(u64, TimeNs)>,
    /// What was told last: time does not go back where a new reading is some ns behind what was counted.
    told: Cell<TimeNs>,
}

impl SystemClock {
    /// The system's own.
    pub(crate) const fn plain() -> Self {
        Self { counted: None }
    }

    /// By the counter where it is sound. The first call in a process takes 20 ms.
    pub(crate) fn counted() -> Self {
        let clock = TickClock::get();
        let counted = || Counted {
            clock,
            lasts: clock.ticks_of(READING_NS),
            reading: Cell::new((clock.ticks(), system_now())),
            told: Cell::new(0),
        };
        Self { counted: (clock.source() == "tsc").then(|| Rc::new(counted())) }
    }
}

impl Clock for SystemClock {
    #[inline]
    fn now(&self) -> TimeNs {
        self.counted.as_deref().map_or_else(system_now, Counted::now)
    }
}

impl Counted {
    #[inline]
    fn now(&self) -> TimeNs {
        let (ticks, (from, ns)) = (self.clock.ticks(), self.reading.get());
        // A counter that has gone back, as where a machine was moved to another one, is as one that has gone far on.
        let since = ticks.wrapping_sub(from);
        if since >= self.lasts {
            return self.read();
        }
        let now = (ns + self.clock.ns(since)).max(self.told.get());
        self.told.set(now);
        now
    }

    #[cold]
    fn read(&self) -> TimeNs {
        let (ticks, mut now) = (self.clock.ticks(), system_now());
        self.reading.set((ticks, now));
        let told = self.told.get();
        // A clock that was set back goes back.
        if told > now && told - now < READING_NS {
            now = told;
        }
        self.told.set(now);
        now
    }
}

/// A clock before 1970 tells 0.
pub(crate) fn system_now() -> TimeNs {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}
