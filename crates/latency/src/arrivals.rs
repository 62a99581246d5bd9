//! When messages are to leave: a plan that no answer delays, so that a server which stops is charged for all that it kept waiting.
//!
//! Every time is stated before the run. What a generator that waits for answers leaves out ("coordinated omission") stands in the README
//! of wrk2 and of HdrHistogram.

use serde::Deserialize;

use crate::fault::Fault;
use crate::random::Random;

/// Messages of a plan: some 40 bytes of memory each.
pub const MESSAGES_MAX: u64 = 20_000_000;
/// Messages a second.
pub const RATE_MAX: f64 = 5e6;
/// Seconds of a run, warm-up included.
pub const SECONDS_MAX: f64 = 90_000.0;
/// Messages of a burst.
const BURST_MAX: u32 = 100_000;

/// What a plan is made of.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", deny_unknown_fields)]
pub enum Arrivals {
    /// One after the other, at equal distances.
    Even {
        /// Messages a second.
        rate: f64,
    },
    /// As independent senders make them: exponentially distributed distances, the same for a seed.
    Poisson {
        /// Messages a second, on average.
        rate: f64,
        /// Of the random numbers.
        seed: u64,
    },
    /// Some at once, then a pause.
    Bursts {
        /// Messages a second, on average.
        rate: f64,
        /// Messages that are due at once.
        size: u32,
    },
    /// As they came: ns from the first, ascending.
    Recorded {
        /// Due times.
        offsets_ns: Vec<u64>,
    },
}

/// Due times of one run, ns from its beginning, ascending.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// A multiple of a distance, by number over a burst's size.
    Even {
        /// Between bursts, ns.
        distance_ns: f64,
        /// Messages that are due at once.
        burst: u64,
        /// Messages.
        count: u64,
    },
    /// One by one.
    Listed(Vec<u64>),
}

impl Arrivals {
    /// The due times of a run of so many seconds.
    ///
    /// # Errors
    /// `bench.rate` and `bench.seconds`: a plan that no machine keeps, or of more than [`MESSAGES_MAX`] messages.
    pub fn schedule(&self, seconds: f64) -> Result<Schedule, Fault> {
        if !(seconds > 0.0 && seconds <= SECONDS_MAX) {
            let expected = format!("a time above 0, at most {SECONDS_MAX} s");
            let fix = "give a longer, or a shorter, --seconds";
            return Err(Fault::new(
                "bench.seconds",
                "no such duration",
                [&expected, &format!("{seconds} s")],
                fix,
            ));
        }
        let rate = match self {
            Self::Even { rate } | Self::Poisson { rate, .. } | Self::Bursts { rate, .. } => *rate,
            Self::Recorded { offsets_ns } => {
                if offsets_ns.is_empty() || !offsets_ns.is_sorted() {
                    let got =
                        if offsets_ns.is_empty() { "no message" } else { "a time before the one before" };
                    let fix = "take a recording of at least one message";
                    return Err(Fault::new("bench.rate", "no plan", ["ascending times", got], fix));
                }
                let within = offsets_ns.partition_point(|&at| (at as f64) < seconds * 1e9);
                return Ok(Schedule::Listed(offsets_ns[..within].to_vec()));
            }
        };
        let count = rate * seconds;
        if !(rate > 0.0 && rate <= RATE_MAX && count >= 1.0 && count <= MESSAGES_MAX as f64) {
            let expected =
                format!("above 0, at most {RATE_MAX} a second, and 1 to {MESSAGES_MAX} messages in all");
            let got = format!("{rate} a second for {seconds} s");
            let fix = "choose another --rate or --seconds";
            return Err(Fault::new("bench.rate", "no such rate", [&expected, &got], fix));
        }
        // A product that is a whole number but for its rounding is that number.
        let count = (count * (1.0 + f64::EPSILON * 8.0)) as u64;
        Ok(match *self {
            Self::Poisson { seed, .. } => {
                let mut random = Random(seed);
                let mut at = 0.0;
                let mut next = || {
                    at -= random.unit().ln() * 1e9 / rate;
                    at as u64
                };
                // As many as come in the time: a number of them would end before it, or after it.
                let end = (seconds * 1e9) as u64;
                let due = std::iter::repeat_with(&mut next).take_while(|&at| at < end);
                Schedule::Listed(due.take(MESSAGES_MAX as usize).collect())
            }
            Self::Bursts { size, .. } => {
                let burst = u64::from(size.clamp(1, BURST_MAX));
                Schedule::Even { distance_ns: burst as f64 * 1e9 / rate, burst, count }
            }
            _ => Schedule::Even { distance_ns: 1e9 / rate, burst: 1, count },
        })
    }
}

impl Schedule {
    /// Messages.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Even { count, .. } => *count,
            Self::Listed(due) => due.len() as u64,
        }
    }

    /// When a message is due. What is beyond the plan is due never.
    #[inline]
    #[must_use]
    pub fn due_ns(&self, message: u64) -> u64 {
        match self {
            Self::Even { distance_ns, burst, count } if message < *count => {
                ((message / burst) as f64 * distance_ns) as u64
            }
            Self::Even { .. } => u64::MAX,
            Self::Listed(due) => due.get(message as usize).copied().unwrap_or(u64::MAX),
        }
    }

    /// How late a message may leave: until the next one is due, and always a millisecond, which is what a clock of a system gives.
    #[inline]
    #[must_use]
    pub fn grace_ns(&self, message: u64) -> u64 {
        const LEAST_NS: u64 = 1_000_000;
        self.due_ns(message + 1).saturating_sub(self.due_ns(message)).clamp(LEAST_NS, 1_000 * LEAST_NS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(arrivals: &Arrivals, seconds: f64) -> Vec<u64> {
        let schedule = arrivals.schedule(seconds).unwrap();
        (0..schedule.count()).map(|at| schedule.due_ns(at)).collect()
    }

    #[test]
    fn plans_have_their_rate() {
        let even = due(&Arrivals::Even { rate: 1_000.0 }, 2.0);
        assert_eq!((even.len(), even[0], even[1], even[1_999]), (2_000, 0, 1_000_000, 1_999_000_000));
        assert_eq!(due(&Arrivals::Even { rate: 2_000.0 }, 0.6 / 3.0).len(), 400);
        let bursts = due(&Arrivals::Bursts { rate: 1_000.0, size: 10 }, 2.0);
        assert_eq!((bursts.len(), bursts[9], bursts[10]), (2_000, 0, 10_000_000));
        let poisson = due(&Arrivals::Poisson { rate: 1_000.0, seed: 1 }, 20.0);
        assert!(poisson.is_sorted() && poisson.last().unwrap() < &20_000_000_000);
        let mean = *poisson.last().unwrap() as f64 / poisson.len() as f64;
        assert!((950_000.0..1_050_000.0).contains(&mean), "{mean}");
        // Of exponentially distributed distances 1 - 1/e are below the mean.
        let short = poisson.windows(2).filter(|pair| pair[1] - pair[0] < 1_000_000).count();
        let share = short as f64 / poisson.len() as f64;
        assert!((0.615..0.65).contains(&share), "{share}");
        assert_eq!(poisson, due(&Arrivals::Poisson { rate: 1_000.0, seed: 1 }, 20.0));
    }

    #[test]
    fn a_recording_keeps_its_pace() {
        let offsets_ns = vec![0, 5, 5, 2_000_000_000];
        assert_eq!(due(&Arrivals::Recorded { offsets_ns }, 1.0), [0, 5, 5]);
    }

    #[test]
    fn impossible_plans_are_refused() {
        for (rate, seconds, code) in [
            (0.0, 1.0, "bench.rate"),
            (-5.0, 1.0, "bench.rate"),
            (f64::NAN, 1.0, "bench.rate"),
            (1e9, 1.0, "bench.rate"),
            (1e6, 3_600.0, "bench.rate"),
            (0.1, 1.0, "bench.rate"),
            (1.0, 0.0, "bench.seconds"),
            (1.0, f64::INFINITY, "bench.seconds"),
        ] {
            assert_eq!(Arrivals::Even { rate }.schedule(seconds).unwrap_err().code, code, "{rate} {seconds}");
        }
        for offsets_ns in [vec![], vec![2, 1]] {
            assert_eq!(Arrivals::Recorded { offsets_ns }.schedule(1.0).unwrap_err().code, "bench.rate");
        }
    }

    #[test]
    fn what_is_beyond_the_plan_is_due_never() {
        let schedule = Arrivals::Even { rate: 10.0 }.schedule(1.0).unwrap();
        assert_eq!(schedule.due_ns(10), u64::MAX);
        assert_eq!((schedule.grace_ns(3), schedule.grace_ns(9)), (100_000_000, 1_000_000_000));
    }
}
