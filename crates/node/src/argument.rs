//! Arguments that napi's own conversions would bend or take on trust.

use napi::bindgen_prelude::{FromNapiValue, JsObjectValue, JsValue, Object, Uint8Array};

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

/// The view, if its memory is shared: only such memory can neither be detached nor shrink under the engine.
pub(crate) fn shared_view(view: &Object) -> Option<Uint8Array> {
    let buffer: Object = view.get_named_property("buffer").ok()?;
    if buffer.is_arraybuffer().ok()? {
        return None;
    }
    let value = view.value();
    // SAFETY: the environment and the value are those of the running call, and napi checks the value's type.
    unsafe { Uint8Array::from_napi_value(value.env, value.value) }.ok()
}
