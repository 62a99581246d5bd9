//! Time of processors that processes use: what a server did itself, the machine did not.

#[cfg(target_os = "linux")]
use nix::{time::ClockId, unistd::Pid};

/// Some processes whose time is told.
#[derive(Debug)]
pub(crate) struct CpuTime {
    #[cfg(target_os = "linux")]
    clocks: Vec<ClockId>,
}

impl CpuTime {
    /// Of these; what is no process, or is one no longer, uses nothing.
    pub(crate) fn of(pids: &[u32]) -> Self {
        #[cfg(target_os = "linux")]
        {
            let clock = |&pid: &u32| ClockId::pid_cpu_clock_id(Pid::from_raw(i32::try_from(pid).ok()?)).ok();
            Self { clocks: pids.iter().filter(|&&pid| pid > 0).filter_map(clock).collect() }
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = pids;
            Self {}
        }
    }

    /// All their threads' time until now, ns; 0 where the system does not say. Costs some 300 ns a process.
    pub(crate) fn now_ns(&self) -> u64 {
        #[cfg(target_os = "linux")]
        {
            let time = |clock: &ClockId| clock.now().ok();
            let times = self.clocks.iter().filter_map(time);
            times.map(|time| (time.tv_sec() as u64) * 1_000_000_000 + time.tv_nsec() as u64).sum()
        }
        #[cfg(not(target_os = "linux"))]
        0
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_a_process_does_is_its_time_and_what_it_sleeps_is_not() {
        let mine = CpuTime::of(&[std::process::id(), 0, u32::MAX]);
        let before = mine.now_ns();
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(30) {
            std::hint::black_box(began);
        }
        // A machine with much to do gives a part of it.
        assert!(mine.now_ns() - before > 1_000_000);
        let mut idle = std::process::Command::new("sleep").arg("5").spawn().unwrap();
        let theirs = CpuTime::of(&[idle.id()]);
        let before = theirs.now_ns();
        std::thread::sleep(Duration::from_millis(50));
        let used = theirs.now_ns().saturating_sub(before);
        idle.kill().unwrap();
        idle.wait().unwrap();
        assert!(used < 20_000_000, "{used}");
    }
}
