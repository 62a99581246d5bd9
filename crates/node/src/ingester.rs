//! The function that takes received frames, as a bare Node-API callback: it is called for every one of them.
//!
//! A method of an exported class costs some 250 ns, most of it spent on finding out which object it was called on. This
//! function carries the engine in its own data, so that there is nothing to find out: what is left are the five calls
//! into Node that read two arguments and make the returned number.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::rc::Rc;

use depthwire_core::decode::FRAME_BYTES_MAX;
use depthwire_core::types::Account;
use napi::bindgen_prelude::Unknown;
use napi::{Env, JsError, sys};

use crate::argument::Argument;
use crate::guard::{Result, error};
use crate::holders::Held;
use crate::state::State;

const NAME: &[u8] = b"ingest";

/// Makes the function, or that which stamps some of the frames. It keeps the engine alive for as long as JavaScript can call it.
pub(crate) fn function<'env>(env: &'env Env, held: &Rc<Held>, is_sampled: bool) -> Result<Unknown<'env>> {
    let callback: sys::napi_callback = Some(if is_sampled { ingest_sampled } else { ingest });
    let data = Rc::into_raw(Rc::clone(held)).cast_mut().cast::<c_void>();
    let mut made = null_mut();
    // SAFETY:
    // - `env` is that of the running call, and the name is valid for its stated length;
    // - `data` is a strong reference on the engine's state, which is given back exactly once: by `release`, which Node
    //   calls on this thread when the function is collected or the environment ends, or below when Node refused;
    // - `ingest` and `ingest_sampled` take `data` for what it is, since no other function is made with it.
    unsafe {
        let name = NAME.as_ptr().cast();
        let mut status =
            sys::napi_create_function(env.raw(), name, NAME.len() as isize, callback, data, &mut made);
        if status == sys::Status::napi_ok {
            status = sys::napi_add_finalizer(env.raw(), made, data, Some(release), null_mut(), null_mut());
        }
        if status != sys::Status::napi_ok {
            release(env.raw(), data, null_mut());
            let account = Account::new("no function could be made", "status 0", status);
            return Err(error("addon.no_function", account, "make a new engine"));
        }
        held.add_holder(env, made);
        Ok(Unknown::from_raw_unchecked(env.raw(), made))
    }
}

unsafe extern "C" fn release(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `data` is the reference that `function` took, and Node calls this once.
    drop(unsafe { Rc::from_raw(data.cast::<Held>().cast_const()) });
}

/// `(source, bytes)` → bits.
unsafe extern "C" fn ingest(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: as Node called this.
    unsafe { take(env, info, State::ingest) }
}

/// The same where some frames are stamped.
unsafe extern "C" fn ingest_sampled(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: as Node called this.
    unsafe { take(env, info, State::ingest_sampled) }
}

/// # Safety
/// `env` and `info` are those of the running call of a function that [`function`] has made.
#[inline(always)]
unsafe fn take(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    ingest: impl FnOnce(&mut State, u32, &[u8]) -> u32,
) -> sys::napi_value {
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
    // SAFETY:
    // - `data` is the reference that `function` took. It lives until `release`, which cannot come before the function that
    //   is running has ended;
    // - environment and arguments are those of the running call.
    let (held, [source, bytes]) =
        unsafe { (&*data.cast::<Held>(), arguments.map(|value| Argument::new(env, value))) };
    let result = held.run(|state| {
        let source = source.u32("source")?;
        Ok(ingest(state, source, &bytes.input_up_to("bytes", FRAME_BYTES_MAX)?))
    });
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
