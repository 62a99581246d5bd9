//! Arguments that napi's own conversions would bend or take on trust.

use std::ptr::null_mut;

use napi::bindgen_prelude::{FromNapiValue, JsValue, Object, Uint8Array};
use napi::sys;

use crate::guard::{Result, error};

/// The largest integer that a JavaScript number holds exactly.
pub(crate) const SAFE_INTEGER_MAX: f64 = 9_007_199_254_740_991.0;

/// A JavaScript number as an integer in a range; napi's own conversions bend what does not fit.
pub(crate) fn whole(name: &str, value: f64, min: f64, max: f64) -> Result<i64> {
    if value.trunc() == value && (min..=max).contains(&value) {
        return Ok(value as i64);
    }
    let what = format!("wrong {name}; expected an integer from {min} to {max}, got {value}");
    Err(error("addon.not_an_integer", what, "pass an integer of that range"))
}

/// A `Uint8Array`'s memory.
pub(crate) struct Bytes {
    pub(crate) start: *mut u8,
    pub(crate) len: usize,
    /// Of a plain ArrayBuffer, which only this thread can write, detach or shrink; else of shared memory.
    pub(crate) is_own: bool,
}

/// What Node knows of a `Uint8Array` or `Uint8ClampedArray`; `None` when it is another value. Asks no property of it, so no
/// getter and no proxy of the caller's runs.
///
/// # Safety
/// `env` and `value` must be those of the running call. The memory is valid until JavaScript runs again.
#[inline]
pub(crate) unsafe fn bytes(env: sys::napi_env, value: sys::napi_value) -> Option<Bytes> {
    let (mut kind, mut len, mut start, mut buffer) = (-1, 0, null_mut(), null_mut());
    let mut is_own = false;
    // SAFETY: the caller's; Node checks the value's type and writes nothing when it is no typed array.
    let status = unsafe {
        sys::napi_get_typedarray_info(env, value, &mut kind, &mut len, &mut start, &mut buffer, null_mut())
    };
    let is_bytes =
        kind == sys::TypedarrayType::uint8_array || kind == sys::TypedarrayType::uint8_clamped_array;
    if status != sys::Status::napi_ok || !is_bytes {
        return None;
    }
    // SAFETY: `buffer` is the array's, of the running call.
    unsafe { sys::napi_is_arraybuffer(env, buffer, &mut is_own) };
    Some(Bytes { start: start.cast(), len, is_own })
}

/// The view, if its memory is shared: only such memory can neither be detached nor shrink under the engine.
pub(crate) fn shared_view(view: &Object) -> Option<Uint8Array> {
    let value = view.value();
    // SAFETY: the environment and the value are those of the running call, and napi checks the value's type.
    unsafe {
        bytes(value.env, value.value)
            .filter(|bytes| !bytes.is_own)
            .and_then(|_| Uint8Array::from_napi_value(value.env, value.value).ok())
    }
}
