//! Which cores the threads of a run may use: the generator is kept on one, the servers and the log of hiccups are kept off it.
//!
//! A kernel without preemption (Linux `PREEMPT_NONE`, which clouds use) lets a thread that wakes on the core of one that never sleeps wait
//! for the next tick, 1 to 10 ms. Of a generator that spins, that is what a run on two cores would show in place of the server: at 2,000
//! messages a second 3 % of them left late.
//!
//! Other programs are not kept off any core, and whoever may do so can move a thread meanwhile: [`Pinned::holds`].

use std::marker::PhantomData;
#[cfg(target_os = "linux")]
use std::sync::OnceLock;

#[cfg(target_os = "linux")]
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
#[cfg(target_os = "linux")]
use nix::unistd::Pid;

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
    place: Place,
    is_pinned: bool,
    /// It is of its thread.
    _thread: PhantomData<*const ()>,
}

impl Pinned {
    /// From here on; without effect where [`pin`] is.
    #[must_use]
    pub fn at(place: Place) -> Self {
        Self { place, is_pinned: pin(place), _thread: PhantomData }
    }

    /// Whether the thread was moved to its place, and is there still.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.is_pinned && is_at(self.place)
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

/// How many cores servers have; 0 where none is kept for the generator.
#[must_use]
pub fn server_cores() -> usize {
    #[cfg(target_os = "linux")]
    return cores().map_or(0, |cores| cores.count - 1);
    #[cfg(not(target_os = "linux"))]
    0
}

/// Moves this thread, and those that it makes from here on, with processes. Whether it did: not without a [`generator_core`].
pub fn pin(place: Place) -> bool {
    #[cfg(target_os = "linux")]
    return cores().is_some_and(|cores| sched_setaffinity(Pid::from_raw(0), cores.of(place)).is_ok());
    #[cfg(not(target_os = "linux"))]
    {
        let _ = place;
        false
    }
}

/// Whether this thread may run there, and nowhere else.
fn is_at(place: Place) -> bool {
    #[cfg(target_os = "linux")]
    return cores()
        .is_some_and(|cores| sched_getaffinity(Pid::from_raw(0)).is_ok_and(|now| now == *cores.of(place)));
    #[cfg(not(target_os = "linux"))]
    {
        let _ = place;
        false
    }
}

#[cfg(target_os = "linux")]
struct Cores {
    last: usize,
    count: usize,
    all: CpuSet,
    generator: CpuSet,
    servers: CpuSet,
}

#[cfg(target_os = "linux")]
impl Cores {
    const fn of(&self, place: Place) -> &CpuSet {
        match place {
            Place::Anywhere => &self.all,
            Place::Generator => &self.generator,
            Place::Servers => &self.servers,
        }
    }
}

/// As they were when first asked for: a thread that was moved since says less.
#[cfg(target_os = "linux")]
fn cores() -> Option<&'static Cores> {
    static CORES: OnceLock<Option<Cores>> = OnceLock::new();
    let find = || {
        let all = sched_getaffinity(Pid::from_raw(0)).ok()?;
        let mine: Vec<usize> = (0..CpuSet::count()).filter(|&core| all.is_set(core) == Ok(true)).collect();
        let &last = mine.last().filter(|_| mine.len() > 1)?;
        let mut generator = CpuSet::new();
        generator.set(last).ok()?;
        let mut servers = all;
        servers.unset(last).ok()?;
        Some(Cores { last, count: mine.len(), all, generator, servers })
    };
    CORES.get_or_init(find).as_ref()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Cores that this thread may use.
    fn mine() -> Vec<usize> {
        let set = sched_getaffinity(Pid::from_raw(0)).unwrap();
        (0..CpuSet::count()).filter(|&core| set.is_set(core).unwrap()).collect()
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
                let pinned = Pinned::at(Place::Generator);
                assert!(pinned.holds());
                assert_eq!(mine(), [core]);
                assert_eq!(nix::sched::sched_getcpu(), Ok(core));
                // Somebody moves it.
                assert!(pin(Place::Servers) && !pinned.holds());
            }
            assert_eq!(mine(), all);
            assert!(pin(Place::Servers));
            let [servers, of_child] = [mine(), std::thread::spawn(mine).join().unwrap()];
            assert_eq!(servers, all[..all.len() - 1]);
            assert_eq!((of_child, servers.len()), (servers, server_cores()));
        })
        .join()
        .unwrap();
    }
}
