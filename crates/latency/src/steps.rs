//! Instructions and allocations of a piece of work, counted one by one, on any Linux machine and without privileges.
//!
//! Hardware counters are absent in most virtual machines and closed to users on many others. So the process is forked, and the child is
//! stepped through the work by `ptrace(PTRACE_SINGLESTEP)` (`ptrace(2)`; Intel SDM vol. 3B, 18.3.1.4, "Single-Step Exception Condition").
//! The count is exact and the same in each run, at some 20 µs an instruction: it is for short pieces of work. What the child does is
//! undone by its end. An allocation is an instruction at which one of the allocator's functions begins.

use std::sync::atomic::AtomicBool;

/// What a piece of work took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Instructions in user space; a repeated string instruction counts each of its turns.
    pub instructions: u64,
    /// Calls of the allocator for new or for grown memory.
    pub allocations: u64,
}

/// Most instructions that are counted: less than two minutes.
pub const INSTRUCTIONS_MAX: u64 = 5_000_000;

/// Counts `work`, which runs in a copy of this process: nothing of it is seen here. It must not wait for another thread, for the copy has
/// none. `None` where the system does not let a process step through another, where the work does not end, and where `is_cancelled`.
///
/// Only on x86-64 Linux.
pub fn count(is_cancelled: &AtomicBool, work: impl FnOnce()) -> Option<Steps> {
    let whole = stepped::count(is_cancelled, work)?;
    // The marks around it have instructions of their own, always the same.
    let marks = stepped::count(is_cancelled, || ())?;
    Some(Steps {
        instructions: whole.instructions.checked_sub(marks.instructions)?,
        allocations: whole.allocations - marks.allocations,
    })
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[allow(unsafe_code, reason = "a process is copied and stepped by system calls")]
mod stepped {
    use std::ffi::c_long;
    use std::mem::offset_of;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::ptr::null_mut;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use super::{INSTRUCTIONS_MAX, Steps};

    /// Sent by the child to itself before and behind the work.
    const MARK: i32 = libc::SIGUSR1;
    /// Of these the child would end; others that come meanwhile are not its own, and are left out.
    const FATAL: [i32; 6] =
        [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT, libc::SIGSYS];
    /// A child that does not stop for so long waits for something that it never gets.
    const STEP_TIME_MAX: Duration = Duration::from_secs(5);
    /// Looks for the child's stop between two readings of the clock and of the flag.
    const LOOKS: u32 = 4_096;

    pub(super) fn count(is_cancelled: &AtomicBool, work: impl FnOnce()) -> Option<Steps> {
        // SAFETY: the child is a copy with this thread alone. It runs `work`, which by this function's contract waits for no other
        // thread, takes memory from an allocator that prepares itself for forks (glibc, musl), and ends by `_exit`, so that nothing of
        // the parent's is flushed or dropped twice.
        match unsafe { libc::fork() } {
            -1 => None,
            0 => {
                let has_ended = catch_unwind(AssertUnwindSafe(|| child(work))).is_ok();
                // SAFETY: ends the copy at once.
                unsafe { libc::_exit(i32::from(!has_ended)) }
            }
            pid => {
                let counted = parent(pid, is_cancelled);
                // SAFETY: ends and reaps the process that this function made; a number cannot be another's before it is reaped.
                unsafe {
                    libc::kill(pid, libc::SIGKILL);
                    libc::waitpid(pid, null_mut(), libc::__WALL);
                }
                counted
            }
        }
    }

    fn child(work: impl FnOnce()) {
        // SAFETY: plain system calls without memory; `raise` stops the child for its parent. A group of its own: what a terminal sends
        // to its programs is not for this one.
        unsafe {
            libc::setpgid(0, 0);
            if libc::ptrace(libc::PTRACE_TRACEME, 0, null_mut::<()>(), null_mut::<()>()) != 0 {
                return;
            }
            libc::raise(MARK);
        }
        work();
        // SAFETY: as above.
        unsafe { libc::raise(MARK) };
    }

    fn parent(pid: libc::pid_t, is_cancelled: &AtomicBool) -> Option<Steps> {
        if wait(pid, is_cancelled)? != MARK {
            return None;
        }
        // So that the child never outlives this process.
        ask(libc::PTRACE_SETOPTIONS, pid, 0, libc::PTRACE_O_EXITKILL as usize);
        let allocator: [c_long; 4] = [
            libc::malloc as *const () as c_long,
            libc::calloc as *const () as c_long,
            libc::realloc as *const () as c_long,
            libc::posix_memalign as *const () as c_long,
        ];
        let mut steps = Steps { instructions: 0, allocations: 0 };
        while steps.instructions < INSTRUCTIONS_MAX {
            if ask(libc::PTRACE_SINGLESTEP, pid, 0, 0) == -1 {
                return None;
            }
            match wait(pid, is_cancelled)? {
                libc::SIGTRAP => steps.instructions += 1,
                MARK => return Some(steps),
                signal if FATAL.contains(&signal) => return None,
                _ => continue,
            }
            let at = ask(libc::PTRACE_PEEKUSER, pid, offset_of!(libc::user, regs.rip), 0);
            steps.allocations += u64::from(allocator.contains(&at));
        }
        None
    }

    fn ask(request: u32, pid: libc::pid_t, address: usize, data: usize) -> c_long {
        // SAFETY: the child is this thread's and stands still. `address` is an offset into its registers, and memory of neither.
        unsafe { libc::ptrace(request, pid, address, data) }
    }

    /// The signal at which the child stands still; `None` where it has ended, or does not stop.
    fn wait(pid: libc::pid_t, is_cancelled: &AtomicBool) -> Option<i32> {
        let began = Instant::now();
        let mut status = 0;
        loop {
            for _ in 0..LOOKS {
                // SAFETY: `status` outlives the call.
                match unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL | libc::WNOHANG) } {
                    0 => std::thread::yield_now(),
                    got if got == pid => return libc::WIFSTOPPED(status).then(|| libc::WSTOPSIG(status)),
                    _ if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {}
                    _ => return None,
                }
            }
            if began.elapsed() > STEP_TIME_MAX || is_cancelled.load(Ordering::Relaxed) {
                return None;
            }
        }
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod stepped {
    pub(super) fn count(_: &super::AtomicBool, _: impl FnOnce()) -> Option<super::Steps> {
        None
    }
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use std::hint::black_box;
    use std::time::Duration;

    use super::*;

    fn counted(work: impl FnOnce()) -> Option<Steps> {
        count(&AtomicBool::new(false), work)
    }

    fn turns(count: u64) -> impl Fn() {
        move || {
            for turn in 0..count {
                black_box(turn);
            }
        }
    }

    #[test]
    fn counts_are_exact_and_repeat() {
        let all = [100, 200, 300].map(|turned| counted(turns(turned)).unwrap().instructions);
        assert_eq!(all[2] - all[1], all[1] - all[0], "{all:?}");
        assert!((all[1] - all[0]).is_multiple_of(100) && all[1] > all[0], "{all:?}");
        assert_eq!(counted(turns(300)).unwrap().instructions, all[2]);
        assert_eq!(counted(|| ()).unwrap(), Steps { instructions: 0, allocations: 0 });
    }

    #[test]
    fn allocations_are_counted_and_nothing_of_the_work_is_seen_here() {
        let mut kept: Vec<u64> = Vec::new();
        let steps = counted(|| {
            kept = black_box(vec![1]);
            kept.push(2);
            drop(black_box(vec![0_u8; 64]));
        });
        // A new one, its growth, and one that is zeroed.
        assert_eq!(steps.unwrap().allocations, 3);
        assert!(kept.is_empty());
    }

    #[test]
    fn signals_of_others_and_a_wish_to_end() {
        let disturbed = counted(|| {
            // SAFETY: a signal that no program handles unless it asks for it.
            #[allow(unsafe_code, reason = "as a terminal does whose window changes")]
            unsafe {
                libc::raise(libc::SIGWINCH);
            }
            turns(100)();
        });
        assert!(disturbed.unwrap().instructions > 100);
        assert_eq!(count(&AtomicBool::new(true), || std::thread::sleep(Duration::from_secs(60))), None);
    }

    #[test]
    fn work_that_does_not_end_well_has_no_count() {
        assert_eq!(counted(|| std::process::abort()), None);
    }
}
