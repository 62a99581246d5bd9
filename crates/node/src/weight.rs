//! What V8 is told of memory that it cannot see: without it an engine weighs as much as an empty object, and one that is
//! dropped is collected when a thousand others have been.

use napi::{Env, sys};

/// An object is weighed anew each time that so much input has come in, and V8 is told when the weight has changed by that.
const INPUT_BYTES: usize = 4 << 20;
const STEP_BYTES: i64 = 1 << 20;

/// V8 starts a collection when the weight has grown by 64 MiB since the last one. A new object weighs this much more for a
/// moment, so that it starts when the growth is a quarter of that: what was dropped is then gone before much is there.
const HASTE_BYTES: i64 = 48 << 20;

/// The bytes that V8 has been told of one object. Taken back when this is dropped, which must be on the object's thread.
pub(crate) struct Weight {
    env: sys::napi_env,
    told: i64,
    input_bytes: usize,
}

impl Weight {
    pub(crate) fn new(env: &Env, bytes: usize) -> Self {
        let mut weight = Self { env: env.raw(), told: 0, input_bytes: 0 };
        weight.adjust(bytes as i64 + HASTE_BYTES);
        weight.adjust(-HASTE_BYTES);
        weight
    }

    /// As `new`, of an object that is closed by those who made it: nothing has to be collected for it in haste.
    pub(crate) fn unhurried(env: &Env, bytes: usize) -> Self {
        let mut weight = Self { env: env.raw(), told: 0, input_bytes: 0 };
        weight.adjust(bytes as i64);
        weight
    }

    /// Counts input. Whether the object is to be weighed anew.
    #[inline]
    pub(crate) fn is_due(&mut self, input_bytes: usize) -> bool {
        self.input_bytes += input_bytes;
        let is_due = self.input_bytes >= INPUT_BYTES;
        if is_due {
            self.input_bytes = 0;
        }
        is_due
    }

    /// What the object weighs now. V8 may collect garbage in here, which runs no JavaScript.
    pub(crate) fn tell(&mut self, bytes: usize) {
        let change = bytes as i64 - self.told;
        if change.abs() >= STEP_BYTES {
            self.adjust(change);
        }
    }

    fn adjust(&mut self, change: i64) {
        let mut total = 0;
        // SAFETY: the environment is that of the object's thread, which outlives the object: what is left of a thread's objects
        // is dropped before its environment goes.
        let status = unsafe { sys::napi_adjust_external_memory(self.env, change, &mut total) };
        debug_assert_eq!(status, sys::Status::napi_ok);
        self.told += change;
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.adjust(-self.told);
    }
}
