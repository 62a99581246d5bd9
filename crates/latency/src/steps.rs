//! Instructions and allocations of a piece of work, counted one by one, on any Linux machine and without privileges.
//!
//! Hardware counters are absent in most virtual machines and closed to users on many others. So the process is forked, and the child is
//! stepped through the work by `ptrace(PTRACE_SINGLESTEP)` (`ptrace(2)`; Intel SDM vol. 3B, 18.3.1.4, "Single-Step Exception Condition").
//! The count is exact and the same in each run, at some 20 µs an instruction: it is for short pieces of work. What the child does is
//! undone by its end. An allocation is an instruction at which one of the allocator's functions begins.

/// What a piece of work took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Instructions in user space; a repeated string instruction counts each of its turns.
    pub instructions: u64,
    /// Calls of the allocator for new or for grown memory.
    pub allocations: u64,
}

/// Most instructions that are counted: some minutes.
pub const INSTRUCTIONS_MAX: u64 = 5_000_000;

/// Counts `work`, which runs in a copy of this process: nothing of it is seen here. It must not wait for another thread, for the copy has
/// none. `None` where the system does not let a process step through another, and where the work does not end.
///
/// Only on x86-64 Linux.
pub fn count(work: impl FnOnce()) -> Option<Steps> {
    let whole = stepped::count(work)?;
    // The marks around it have instructions of their own, always the same.
    let marks = stepped::count(|| ())?;
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

    use super::{INSTRUCTIONS_MAX, Steps};

    /// Sent by the child to itself before and behind the work.
    const MARK: i32 = libc::SIGUSR1;

    pub(super) fn count(work: impl FnOnce()) -> Option<Steps> {
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
                let counted = parent(pid);
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
        // SAFETY: plain system calls without memory; `raise` stops the child for its parent.
        unsafe {
            if libc::ptrace(libc::PTRACE_TRACEME, 0, null_mut::<()>(), null_mut::<()>()) != 0 {
                return;
            }
            libc::raise(MARK);
        }
        work();
        // SAFETY: as above.
        unsafe { libc::raise(MARK) };
    }

    fn parent(pid: libc::pid_t) -> Option<Steps> {
        if wait(pid)? != MARK {
            return None;
        }
        let allocator: [c_long; 4] = [
            libc::malloc as *const () as c_long,
            libc::calloc as *const () as c_long,
            libc::realloc as *const () as c_long,
            libc::posix_memalign as *const () as c_long,
        ];
        let mut steps = Steps { instructions: 0, allocations: 0 };
        while steps.instructions < INSTRUCTIONS_MAX {
            if ask(libc::PTRACE_SINGLESTEP, pid, 0) == -1 {
                return None;
            }
            match wait(pid)? {
                libc::SIGTRAP => steps.instructions += 1,
                MARK => return Some(steps),
                _ => return None,
            }
            let at = ask(libc::PTRACE_PEEKUSER, pid, offset_of!(libc::user, regs.rip));
            steps.allocations += u64::from(allocator.contains(&at));
        }
        None
    }

    fn ask(request: u32, pid: libc::pid_t, address: usize) -> c_long {
        // SAFETY: the child is this thread's and stands still. `address` is an offset into its registers, and memory of neither.
        unsafe { libc::ptrace(request, pid, address, 0) }
    }

    /// The signal at which the child stands still; `None` where it has ended.
    fn wait(pid: libc::pid_t) -> Option<i32> {
        let mut status = 0;
        loop {
            // SAFETY: `status` outlives the call.
            let got = unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL) };
            if got == pid {
                return libc::WIFSTOPPED(status).then(|| libc::WSTOPSIG(status));
            }
            if std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
                return None;
            }
        }
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod stepped {
    pub(super) const fn count(_: impl FnOnce()) -> Option<super::Steps> {
        None
    }
}

#[cfg(all(test, target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use std::hint::black_box;

    use super::*;

    fn turns(count: u64) -> impl Fn() {
        move || {
            for turn in 0..count {
                black_box(turn);
            }
        }
    }

    #[test]
    fn counts_are_exact_and_repeat() {
        let all = [100, 200, 300].map(|turned| count(turns(turned)).unwrap().instructions);
        assert_eq!(all[2] - all[1], all[1] - all[0], "{all:?}");
        assert!((all[1] - all[0]).is_multiple_of(100) && all[1] > all[0], "{all:?}");
        assert_eq!(count(turns(300)).unwrap().instructions, all[2]);
        assert_eq!(count(|| ()).unwrap(), Steps { instructions: 0, allocations: 0 });
    }

    #[test]
    fn allocations_are_counted_and_nothing_of_the_work_is_seen_here() {
        let mut kept: Vec<u64> = Vec::new();
        let steps = count(|| {
            kept = black_box(vec![1]);
            kept.push(2);
            drop(black_box(vec![0_u8; 64]));
        });
        // A new one, its growth, and one that is zeroed.
        assert_eq!(steps.unwrap().allocations, 3);
        assert!(kept.is_empty());
    }

    #[test]
    fn work_that_does_not_end_well_has_no_count() {
        assert_eq!(count(|| std::process::abort()), None);
    }
}
