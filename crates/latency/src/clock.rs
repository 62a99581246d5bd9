//! The cheapest sound clock: the processor's counter of time stamps where it is invariant, else the system's.
//!
//! A counter is sound where it runs at one rate in every state of the processor (CPUID 8000_0007h, EDX bit 8: Intel SDM vol. 3B,
//! 18.17.1, "Invariant TSC"; AMD APM vol. 3, E.4.6) and, on Linux, where the kernel itself tells time by it, which it stops doing when
//! its own checks find counters of two cores apart. Everything else is the monotonic clock of the system, and [`TickClock::source`] says so.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long the counter is compared with the system's clock. Each end is read to some 100 ns, so the rate is right to 5 in a million.
const CALIBRATION: Duration = Duration::from_millis(20);
/// Readings of both clocks at each end, of which the closest pair counts.
const READINGS: usize = 64;
const SHIFT: u32 = 32;

/// A clock that counts ticks, and what a tick is. Copied freely; the process calibrates once.
#[derive(Clone, Copy, Debug)]
pub struct TickClock {
    /// Nanoseconds of a tick, times 2^32; 0 where ticks are nanoseconds of the system's clock.
    ns_scaled: u64,
    origin: Instant,
}

impl TickClock {
    /// The process's clock. The first call takes 20 ms where a counter is calibrated.
    #[must_use]
    pub fn get() -> Self {
        static CLOCK: OnceLock<TickClock> = OnceLock::new();
        *CLOCK.get_or_init(Self::calibrate)
    }

    /// The system's monotonic clock, whatever the processor offers.
    #[must_use]
    pub fn system() -> Self {
        Self { ns_scaled: 0, origin: Instant::now() }
    }

    fn calibrate() -> Self {
        let system = Self::system();
        if !counter::is_sound() {
            return system;
        }
        let (from, started) = counter::beside_system();
        std::thread::sleep(CALIBRATION);
        let (to, ended) = counter::beside_system();
        let ns = (ended - started).as_nanos();
        match (to.checked_sub(from), u64::try_from(ns << SHIFT)) {
            (Some(ticks), Ok(scaled)) if ticks > 0 && scaled / ticks > 0 => {
                Self { ns_scaled: scaled / ticks, ..system }
            }
            _ => system,
        }
    }

    /// The present, in ticks since a moment that is the same for the whole process. Not ordered with the instructions around it: a
    /// reading may be some ten nanoseconds early or late. Costs about 10 ns with the counter, 25 ns without.
    #[inline]
    #[must_use]
    pub fn ticks(&self) -> u64 {
        if self.ns_scaled == 0 { self.origin.elapsed().as_nanos() as u64 } else { counter::read() }
    }

    /// A number of ticks in nanoseconds, rounded down.
    #[inline]
    #[must_use]
    pub fn ns(&self, ticks: u64) -> u64 {
        if self.ns_scaled == 0 {
            ticks
        } else {
            ((u128::from(ticks) * u128::from(self.ns_scaled)) >> SHIFT) as u64
        }
    }

    /// Nanoseconds between two readings; 0 where the second is the earlier.
    #[inline]
    #[must_use]
    pub fn between(&self, from: u64, to: u64) -> u64 {
        self.ns(to.saturating_sub(from))
    }

    /// Ticks in a number of nanoseconds, rounded up.
    #[inline]
    #[must_use]
    pub fn ticks_of(&self, ns: u64) -> u64 {
        if self.ns_scaled == 0 {
            ns
        } else {
            (u128::from(ns) << SHIFT).div_ceil(u128::from(self.ns_scaled)) as u64
        }
    }

    /// `tsc`, or `system` where the counter is not invariant, or not trusted by the kernel.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        if self.ns_scaled == 0 { "system" } else { "tsc" }
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "the counter is read by an instruction")]
mod counter {
    use std::arch::x86_64::{__cpuid, _rdtsc};
    use std::time::Instant;

    /// Leaf of CPUID that tells of power management, and the bit of EDX that says that the counter is invariant.
    const POWER_LEAF: u32 = 0x8000_0007;
    const INVARIANT: u32 = 1 << 8;
    const LAST_LEAF: u32 = 0x8000_0000;

    pub(super) fn is_sound() -> bool {
        __cpuid(LAST_LEAF).eax >= POWER_LEAF
            && __cpuid(POWER_LEAF).edx & INVARIANT != 0
            && super::kernel_trusts_counter()
    }

    #[inline]
    pub(super) fn read() -> u64 {
        // SAFETY: every x86-64 processor has the instruction; it reads a register and touches no memory. Where a system forbids it to
        // programs, `is_sound` is false, for the kernel then has another clock.
        unsafe { _rdtsc() }
    }

    /// The counter and the system's clock at one moment: of some pairs the one whose ends were closest.
    pub(super) fn beside_system() -> (u64, Instant) {
        let mut best = (u64::MAX, 0, Instant::now());
        for _ in 0..super::READINGS {
            let before = read();
            let now = Instant::now();
            let after = read();
            if after.wrapping_sub(before) < best.0 {
                best = (after.wrapping_sub(before), before + (after.wrapping_sub(before)) / 2, now);
            }
        }
        (best.1, best.2)
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod counter {
    use std::time::Instant;

    pub(super) const fn is_sound() -> bool {
        false
    }

    pub(super) const fn read() -> u64 {
        0
    }

    pub(super) fn beside_system() -> (u64, Instant) {
        (0, Instant::now())
    }
}

/// Whether the kernel tells time by the counter. Systems other than Linux are taken at the processor's word.
#[cfg(target_arch = "x86_64")]
fn kernel_trusts_counter() -> bool {
    const CLOCK: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    if cfg!(target_os = "linux") {
        std::fs::read_to_string(CLOCK).is_ok_and(|name| name.trim() == "tsc")
    } else {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bounds from both sides: what the clock says must lie between two readings of the system's clock around it.
    fn agrees(clock: TickClock) {
        for _ in 0..5 {
            let outer = Instant::now();
            let from = clock.ticks();
            let inner = Instant::now();
            while inner.elapsed() < Duration::from_millis(3) {
                std::hint::spin_loop();
            }
            let least = inner.elapsed();
            let to = clock.ticks();
            let most = outer.elapsed();
            let ns = u128::from(clock.between(from, to));
            // The rate is right to some parts in a million; 1 in 1,000 leaves room for a clock that is being set right.
            assert!(ns * 1_001 / 1_000 + 100 >= least.as_nanos(), "{ns} ns, at least {least:?}");
            assert!(ns <= most.as_nanos() * 1_001 / 1_000 + 100, "{ns} ns, at most {most:?}");
        }
    }

    #[test]
    fn both_clocks_agree_with_the_system() {
        agrees(TickClock::get());
        agrees(TickClock::system());
        assert_eq!(TickClock::system().source(), "system");
    }

    #[test]
    fn the_process_has_one_clock() {
        let (a, b) = (TickClock::get(), TickClock::get());
        assert_eq!((a.ns_scaled, a.origin), (b.ns_scaled, b.origin));
    }

    #[test]
    fn ticks_and_nanoseconds_are_the_same_time() {
        for scaled in [0, 1 << 31, 1 << 32, 1_654_280_000, 3 << 32] {
            let clock = TickClock { ns_scaled: scaled, origin: Instant::now() };
            for ns in [0, 1, 99, 1_000, 1_000_000_007, 3_600_000_000_000, 86_400_000_000_000] {
                let back = clock.ns(clock.ticks_of(ns));
                let tick = (scaled >> SHIFT) + 1;
                assert!((ns..=ns + tick).contains(&back), "{ns} ns came back as {back} with {scaled}");
            }
        }
    }

    #[test]
    fn an_earlier_second_reading_is_no_time() {
        let clock = TickClock::get();
        assert_eq!(clock.between(10, 5), 0);
    }
}
