//! Which cores the threads of a run may use: the generator has one to itself, the servers and the log of hiccups have the others.
//!
//! A kernel without preemption (Linux `PREEMPT_NONE`, which clouds use) lets a thread that wakes on the core of one that never sleeps wait
//! for the next tick, 1 to 10 ms. Of a generator that spins, that is what a run on two cores would show in place of the server: at 2,000
//! messages a second 3 % of them left late, and 25 % of the intervals were without a hiccup.

use std::marker::PhantomData;
#[cfg(target_os = "linux")]
use std::sync::OnceLock;

#[cfg(target_os = "linux")]
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Where a thread may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Wherever this process could when it was first asked.
    Anywhere,
    /// On the generator's core, the last of them: the first takes most interrupts.
    Generator,
    /// On the others.
    Servers,
}

/// Keeps the thread that made it at its place, until it is dropped.
#[derive(Debug)]
pub struct Pinned {
    is_pinned: bool,
    /// It is of its thread.
    _thread: PhantomData<*const ()>,
}

impl Pinned {
    /// From here on; without effect where [`pin`] is.
    #[must_use]
    pub fn at(place: Place) -> Self {
        Self { is_pinned: pin(place), _thread: PhantomData }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if self.is_pinned {
            pin(Place::Anywhere);
        }
    }
}

/// The generator's core; none where there is but one, or where the system does not let threads choose.
#[must_use]
pub fn generator_core() -> Option<usize> {
    #[cfg(target_os = "linux")]
    return cores().map(|cores| cores.last);
    #[cfg(not(target_os = "linux"))]
    None
}

/// Moves this thread, and those that it makes from here on, with processes. Whether it did: not without a [`generator_core`].
pub fn pin(place: Place) -> bool {
    #[cfg(target_os = "linux")]
    return cores().is_some_and(|cores| {
        let set = match place {
            Place::Anywhere => &cores.all,
            Place::Generator => &cores.generator,
            Place::Servers => &cores.servers,
        };
        sched_setaffinity(None, set).is_ok()
    });
    #[cfg(not(target_os = "linux"))]
    {
        let _ = place;
        false
    }
}

#[cfg(target_os = "linux")]
struct Cores {
    last: usize,
    all: CpuSet,
    generator: CpuSet,
    servers: CpuSet,
}

/// As they were when first asked for: a thread that was moved since says less.
#[cfg(target_os = "linux")]
fn cores() -> Option<&'static Cores> {
    static CORES: OnceLock<Option<Cores>> = OnceLock::new();
    let find = || {
        let all = sched_getaffinity(None).ok()?;
        let last = (0..CpuSet::MAX_CPU).rev().find(|&core| all.is_set(core))?;
        let mut generator = CpuSet::new();
        generator.set(last);
        let mut servers = all;
        servers.unset(last);
        (servers.count() > 0).then_some(Cores { last, all, generator, servers })
    };
    CORES.get_or_init(find).as_ref()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Cores that this thread may use.
    fn mine() -> Vec<usize> {
        let set = sched_getaffinity(None).unwrap();
        (0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect()
    }

    #[test]
    fn the_generator_has_a_core_that_no_server_has_and_gives_it_back() {
        std::thread::spawn(|| {
            let all = mine();
            let Some(core) = generator_core() else {
                assert!(all.len() == 1 && !pin(Place::Generator) && mine() == all);
                return;
            };
            {
                let _pinned = Pinned::at(Place::Generator);
                assert_eq!(mine(), [core]);
                assert_eq!(rustix::thread::sched_getcpu(), core);
            }
            assert_eq!(mine(), all);
            assert!(pin(Place::Servers));
            let [servers, of_child] = [mine(), std::thread::spawn(mine).join().unwrap()];
            assert_eq!(servers, all[..all.len() - 1]);
            assert_eq!(of_child, servers);
        })
        .join()
        .unwrap();
    }
}
