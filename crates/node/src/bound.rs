//! Functions that carry their engine, as bare Node-API callbacks: for what is called for every frame, tick or read.
//!
//! Half of a method's call on an exported class is finding out which object it was called on. A bound function has its
//! engine in its own data, so that there is nothing to find out: what is left are the calls into Node that read the
//! arguments and make the returned value. An engine's object has one under the name of each such method, in front of the
//! class's own.

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;
use std::rc::Rc;

use depthwire_core::types::Account;
use napi::bindgen_prelude::Unknown;
use napi::{Env, JsError, sys};

use crate::argument::Argument;
use crate::guard::{Result, error};
use crate::holders::Held;
use crate::state::State;

/// A call of an engine with so many arguments, of which JavaScript may give fewer: `undefined` stands for them.
pub(crate) trait Call<const ARGUMENTS: usize> {
    const NAME: &'static CStr;
    type Answer: Answer;

    fn call(state: &mut State, arguments: [Argument; ARGUMENTS]) -> Result<Self::Answer>;
}

/// What a bound function returns.
pub(crate) trait Answer {
    /// # Safety
    /// `env` is that of the running call.
    unsafe fn value(self, env: sys::napi_env) -> sys::napi_value;
}

impl Answer for u32 {
    #[inline]
    unsafe fn value(self, env: sys::napi_env) -> sys::napi_value {
        let mut made = null_mut();
        // SAFETY: `env` is that of the running call.
        unsafe { sys::napi_create_uint32(env, self, &mut made) };
        made
    }
}

impl Answer for i32 {
    #[inline]
    unsafe fn value(self, env: sys::napi_env) -> sys::napi_value {
        let mut made = null_mut();
        // SAFETY: `env` is that of the running call.
        unsafe { sys::napi_create_int32(env, self, &mut made) };
        made
    }
}

/// A BigInt.
impl Answer for u64 {
    #[inline]
    unsafe fn value(self, env: sys::napi_env) -> sys::napi_value {
        let mut made = null_mut();
        // SAFETY: `env` is that of the running call.
        unsafe { sys::napi_create_bigint_uint64(env, self, &mut made) };
        made
    }
}

/// Makes the function. It keeps the engine alive for as long as JavaScript can call it.
pub(crate) fn function<'env, C: Call<N>, const N: usize>(
    env: &'env Env,
    held: &Rc<Held>,
) -> Result<Unknown<'env>> {
    // SAFETY: the value is of the running call, whose environment the returned one borrows.
    make::<C, N>(env, held).map(|made| unsafe { Unknown::from_raw_unchecked(env.raw(), made) })
}

/// Makes the function and gives it to an object of the running call.
pub(crate) fn give<C: Call<N>, const N: usize>(
    env: &Env,
    held: &Rc<Held>,
    object: sys::napi_value,
) -> Result<()> {
    let made = make::<C, N>(env, held)?;
    // SAFETY: environment, object and function are those of the running call; the name ends with a zero.
    let status = unsafe { sys::napi_set_named_property(env.raw(), object, C::NAME.as_ptr(), made) };
    if status == sys::Status::napi_ok { Ok(()) } else { Err(none(status)) }
}

fn make<C: Call<N>, const N: usize>(env: &Env, held: &Rc<Held>) -> Result<sys::napi_value> {
    let data = Rc::into_raw(Rc::clone(held)).cast_mut().cast::<c_void>();
    let mut made = null_mut();
    // SAFETY:
    // - `env` is that of the running call, and the name is valid for its stated length;
    // - `data` is a strong reference on the engine's state, which is given back exactly once: by `release`, which Node
    //   calls on this thread when the function is collected or the environment ends, or below when Node refused;
    // - `call` takes `data` for what it is, since no other function is made with it.
    unsafe {
        let (name, len) = (C::NAME.as_ptr(), C::NAME.count_bytes() as isize);
        let mut status = sys::napi_create_function(env.raw(), name, len, Some(call::<C, N>), data, &mut made);
        if status == sys::Status::napi_ok {
            status = sys::napi_add_finalizer(env.raw(), made, data, Some(release), null_mut(), null_mut());
        }
        if status != sys::Status::napi_ok {
            release(env.raw(), data, null_mut());
            return Err(none(status));
        }
    }
    held.add_holder(env, made);
    Ok(made)
}

#[cold]
fn none(status: sys::napi_status) -> napi::Error<crate::guard::Code> {
    let account = Account::new("no function could be made", "status 0", status);
    error("addon.no_function", account, "make a new engine")
}

unsafe extern "C" fn release(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `data` is the reference that `make` took, and Node calls this once.
    drop(unsafe { Rc::from_raw(data.cast::<Held>().cast_const()) });
}

/// # Safety
/// `env` and `info` are those of the running call of a function that [`make`] has made of `C`.
unsafe extern "C" fn call<C: Call<N>, const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let mut count = N;
    let mut arguments = [null_mut(); N];
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
    // - `data` is the reference that `make` took. It lives until `release`, which cannot come before the function that is
    //   running has ended;
    // - environment and arguments are those of the running call.
    let (held, arguments) =
        unsafe { (&*data.cast::<Held>(), arguments.map(|value| Argument::new(env, value))) };
    let result = held.run(|state| C::call(state, arguments));
    // SAFETY: `env` is that of the running call. A null value is `undefined`, which JavaScript does not see when an
    // exception is pending.
    unsafe {
        match result {
            Ok(answer) => answer.value(env),
            Err(wrong) => {
                JsError::from(wrong).throw_into(env);
                null_mut()
            }
        }
    }
}
