//! The function that takes received frames, as a bare Node-API callback: it is called for every one of them.
//!
//! A method of an exported class costs some 250 ns, most of it spent on finding out which object it was called on. This
//! function carries the engine in its own data, so that there is nothing to find out: what is left are the five calls
//! into Node that read two arguments and make the returned number.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::rc::Rc;
use std::slice;
use std::sync::atomic::{AtomicU8, Ordering};

use depthwire_core::decode::FRAME_BYTES_MAX;
use napi::bindgen_prelude::Unknown;
use napi::{Env, JsError, sys};

use crate::argument::{Bytes, bytes};
use crate::engine::{SharedState, State};
use crate::guard::{Result, error};

const NAME: &[u8] = b"ingest";

/// Makes the function. It keeps the engine alive for as long as JavaScript can call it.
pub(crate) fn function(env: &Env, state: SharedState) -> Result<Unknown<'_>> {
    let data = Rc::into_raw(state).cast_mut().cast::<c_void>();
    let mut made = null_mut();
    // SAFETY:
    // - `env` is that of the running call, and the name is valid for its stated length;
    // - `data` is a strong reference on the engine's state, which is given back exactly once: by `release`, which Node
    //   calls on this thread when the function is collected or the environment ends, or below when Node refused;
    // - `ingest` takes `data` for what it is, since no other function is made with it.
    unsafe {
        let name = NAME.as_ptr().cast();
        let mut status =
            sys::napi_create_function(env.raw(), name, NAME.len() as isize, Some(ingest), data, &mut made);
        if status == sys::Status::napi_ok {
            status = sys::napi_add_finalizer(env.raw(), made, data, Some(release), null_mut(), null_mut());
        }
        if status != sys::Status::napi_ok {
            release(env.raw(), data, null_mut());
            return Err(error(
                "addon.no_function",
                format!("no function could be made; expected status 0, got {status}"),
                "make a new engine",
            ));
        }
        Ok(Unknown::from_raw_unchecked(env.raw(), made))
    }
}

unsafe extern "C" fn release(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `data` is the reference that `function` took, and Node calls this once.
    drop(unsafe { Rc::from_raw(data.cast::<RefCell<State>>().cast_const()) });
}

/// `(source, bytes)` → bits.
unsafe extern "C" fn ingest(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut count = 2;
    let mut arguments = [null_mut(); 2];
    let mut data = null_mut();
    // SAFETY: `env` and `info` are those of the running call, and there is room for `count` arguments; absent ones become
    // `undefined`.
    let status = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, arguments.as_mut_ptr(), null_mut(), &mut data)
    };
    if status != sys::Status::napi_ok || data.is_null() {
        return null_mut();
    }
    // SAFETY: `data` is the reference that `function` took. It lives until `release`, which cannot come before the function
    // that is running has ended.
    let state = unsafe { &*data.cast::<RefCell<State>>() };
    // SAFETY: `env` and the arguments are those of the running call.
    let result = unsafe {
        source_of(env, arguments[0]).and_then(|source| {
            with_bytes(env, arguments[1], |bytes| state.borrow_mut().ingest(source, bytes))
        })
    };
    let mut returned = null_mut();
    // SAFETY: `env` is that of the running call. A null value is `undefined`, which JavaScript does not see when an
    // exception is pending.
    unsafe {
        match result {
            Ok(flags) => {
                sys::napi_create_uint32(env, flags, &mut returned);
            }
            Err(wrong) => JsError::from(wrong).throw_into(env),
        }
    }
    returned
}

/// # Safety
/// `env` and `value` must be those of the running call.
#[inline]
unsafe fn source_of(env: sys::napi_env, value: sys::napi_value) -> Result<u32> {
    let mut number = f64::NAN;
    // SAFETY: the caller's; Node checks the value's type and leaves `number` alone when it is none.
    unsafe { sys::napi_get_value_double(env, value, &mut number) };
    let source = number as u32;
    if f64::from(source) == number {
        return Ok(source);
    }
    let what = format!("wrong source; expected an integer from 0 to {}, got {number}", u32::MAX);
    Err(error("addon.not_an_integer", what, "pass the number that openSource returned"))
}

/// Hands on the bytes of a `Uint8Array`, which are valid for this call only.
///
/// # Safety
/// `env` and `value` must be those of the running call.
#[inline]
unsafe fn with_bytes<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    take: impl FnOnce(&[u8]) -> Result<T>,
) -> Result<T> {
    // SAFETY: the caller's.
    let Some(Bytes { start, len, is_own }) = (unsafe { bytes(env, value) }) else {
        let what = "wrong bytes; expected a Uint8Array, got another value";
        return Err(error("addon.not_bytes", what, "pass a Uint8Array or a Buffer"));
    };
    if len == 0 || start.is_null() {
        return take(&[]);
    }
    if is_own {
        debug_assert!(isize::try_from(len).is_ok());
        // SAFETY: Node says that `len` bytes stand at `start`. They belong to a plain ArrayBuffer, which only this thread can
        // write, detach or shrink, and nothing that `take` does calls back into JavaScript.
        return take(unsafe { slice::from_raw_parts(start, len) });
    }
    take(&copy_of_shared(start, len))
}

/// The bytes of shared memory as they are now, and of more than the decoder takes one byte more than that: another thread
/// may write them at any time, so nothing may be read of them twice.
#[cold]
fn copy_of_shared(start: *mut u8, len: usize) -> Vec<u8> {
    (0..len.min(FRAME_BYTES_MAX + 1))
        .map(|at| {
            // SAFETY: Node says that `len` bytes stand at `start`, and `at` is below that; shared memory never shrinks, and
            // the running call keeps it alive. A byte is always aligned.
            unsafe { AtomicU8::from_ptr(start.add(at)) }.load(Ordering::Relaxed)
        })
        .collect()
}
