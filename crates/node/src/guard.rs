//! Every export runs in here: a panic becomes a typed error and Node lives.

use std::panic::{AssertUnwindSafe, catch_unwind};

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

/// An error with a stable code and, in its message, what is wrong and on a second line what to do.
pub(crate) fn error(code: &'static str, what: impl std::fmt::Display, fix: &str) -> napi::Error<Code> {
    napi::Error::new(Code(code), format!("{what}\nfix: {fix}"))
}

/// Runs an export's body. After a panic the object refuses all further use, since its state may be half changed.
pub(crate) fn guard<T>(failed: &mut bool, body: impl FnOnce() -> Result<T>) -> Result<T> {
    if *failed {
        return Err(error(
            "addon.failed",
            "this object failed before and its state cannot be trusted",
            "make a new one; if it fails again, report the input that came before the failure",
        ));
    }
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        *failed = true;
        let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(error(
            "addon.panicked",
            format!("a defect in the native core: {text}"),
            "make a new object and report the input that came before",
        ))
    })
}
