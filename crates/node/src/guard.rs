//! Every export runs in here: a panic becomes a typed error and Node lives.

use std::mem::replace;
use std::panic::{AssertUnwindSafe, catch_unwind};

use depthwire_core::types::Account;

#[cfg(panic = "abort")]
compile_error!("the addon must unwind: with panic=abort a panic would end the whole Node process");

/// What JavaScript sees as `err.code`. Public because exported signatures name it; the module is not.
#[derive(Clone, Copy)]
pub struct Code(pub(crate) &'static str);

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        self.0
    }
}

/// What every export returns.
pub type Result<T> = napi::Result<T, Code>;

/// An error with a stable code and, in its message, a line for each part: what is wrong, what was expected, what came and
/// what to do.
pub(crate) fn error(code: &'static str, account: Account, fix: &str) -> napi::Error<Code> {
    let [what, expected, got] =
        [account.what, account.expected, account.got].map(|part| part.replace('\n', " "));
    napi::Error::new(Code(code), format!("{what}\nexpected: {expected}\ngot: {got}\nfix: {fix}"))
}

/// Runs what makes an object.
pub(crate) fn guard<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    catch(body).unwrap_or_else(Err)
}

/// What an exported object owns, until it is closed or fails. Either gives the memory back at once.
pub(crate) enum Owned<T> {
    Open(T),
    Closed,
    /// By a panic, after which its state may be half changed.
    Failed,
}

impl<T> Owned<T> {
    /// Runs an export's body.
    #[inline]
    pub(crate) fn run<R>(&mut self, body: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        let value = match self {
            Self::Open(value) => value,
            Self::Closed => return Err(closed()),
            Self::Failed => return Err(failed()),
        };
        match catch(|| body(value)) {
            Ok(result) => result,
            Err(panicked) => {
                // What it says of a second panic adds nothing.
                let _ = self.end(Self::Failed);
                Err(panicked)
            }
        }
    }

    /// Drops the value and has its memory given back to the system. Any later use is refused but this.
    pub(crate) fn close(&mut self) -> Result<()> {
        if !matches!(self, Self::Open(_)) {
            return Ok(());
        }
        let ended = self.end(Self::Closed);
        give_back();
        ended
    }

    fn end(&mut self, now: Self) -> Result<()> {
        let was = replace(self, now);
        guard(|| {
            drop(was);
            Ok(())
        })
    }
}

/// Pages that hold nothing any more go back to the system, where the allocator would keep them for what comes next. Cost:
/// milliseconds for each gigabyte that the process holds.
fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it may be called at any time, from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// The body's result, or the error that a panic becomes.
#[inline]
fn catch<T>(body: impl FnOnce() -> Result<T>) -> std::result::Result<Result<T>, napi::Error<Code>> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        let account = Account::new("a defect in the native core", "no panic", text);
        error("addon.panicked", account, "make a new object and report the input that came before")
    })
}

#[cold]
fn closed() -> napi::Error<Code> {
    let account = Account::new("this object is closed", "an open one", "one whose close() was called");
    error("addon.closed", account, "make a new one, or close this one later")
}

#[cold]
fn failed() -> napi::Error<Code> {
    let account = Account::new("this object cannot be trusted", "a sound one", "one that failed before");
    error("addon.failed", account, "make a new one; if it fails again, report the input that came before")
}
