//! Signals that end the process though JavaScript is busy: Node tells its listeners of a signal between two callbacks, and one
//! callback that goes on and on (a client that floods, a loop) keeps every one of them from being told.

use depthwire_core::types::Account;
#[cfg(unix)]
use unix::watch;

use crate::argument::Argument;
use crate::guard::{Result, error, guard};

/// Longest end that may be asked for, ms.
const STOP_MS_MAX: i64 = 600_000;

/// From now on SIGINT and SIGTERM end the process without JavaScript: the first one `stopMs` after it came, a second one
/// at once, with the exit code 128 + number. JavaScript is given a quarter of a second more, so that where it runs it ends the
/// process itself. Signals within 300 ms are one: npm passes on what a terminal has sent already.
///
/// Call it behind the listeners of these signals: they are called on. Later calls change `stopMs` only. Does nothing where
/// there are no such signals. Throws `addon.signals` where they cannot be watched.
#[napi_derive::napi(ts_args_type = "stopMs: number")]
pub fn end_with_signals(stop_ms: Argument) -> Result<()> {
    guard(|| {
        let stop_ms = stop_ms.integer("stopMs", 0..=STOP_MS_MAX)?;
        watch(stop_ms as u64).map_err(|cause| {
            let account = Account {
                what: "signals cannot be watched".into(),
                expected: "a free descriptor and a thread".into(),
                got: cause.to_string(),
            };
            error("addon.signals", account, "Raise the limits of descriptors and threads.")
        })
    })
}

#[cfg(not(unix))]
fn watch(_stop_ms: u64) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::exit;

    /// A key press under npm comes twice, from the terminal and from npm.
    const SAME: Duration = Duration::from_millis(300);
    /// What JavaScript is given to end by itself, with what it wants to do at its end.
    const COURTESY: Duration = Duration::from_millis(250);

    static STOP_MS: AtomicU64 = AtomicU64::new(0);
    static IS_WATCHING: Mutex<bool> = Mutex::new(false);

    pub(super) fn watch(stop_ms: u64) -> io::Result<()> {
        STOP_MS.store(stop_ms, Ordering::Relaxed);
        let Ok(mut is_watching) = IS_WATCHING.lock() else { return Ok(()) };
        if !*is_watching {
            let signals = Signals::new([SIGINT, SIGTERM])?;
            thread::Builder::new().name("signals".into()).spawn(move || follow(signals))?;
            *is_watching = true;
        }
        Ok(())
    }

    /// Runs until the process ends. At most two threads more come of it: one a signal that counts.
    fn follow(mut signals: Signals) {
        let mut first: Option<Instant> = None;
        for signal in signals.forever() {
            let now = Instant::now();
            let Some(came) = first else {
                first = Some(now);
                exit_in(Duration::from_millis(STOP_MS.load(Ordering::Relaxed)), signal);
                continue;
            };
            if now - came >= SAME {
                exit_in(Duration::ZERO, signal);
                return;
            }
        }
    }

    fn exit_in(delay: Duration, signal: i32) {
        let wait = move || {
            thread::sleep(delay + COURTESY);
            exit(128 + signal);
        };
        if thread::Builder::new().name("end".into()).spawn(wait).is_err() {
            exit(128 + signal);
        }
    }
}
