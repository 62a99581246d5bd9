//! Arguments, read by the export itself: napi's own conversions bend numbers, lend shared memory out as a slice and throw
//! errors without a code of ours. Nothing here asks a property of an argument, so no getter and no proxy runs, but for
//! [`Argument::field`].

use std::borrow::Cow;
use std::ffi::CStr;
use std::ops::RangeInclusive;
use std::ptr::null_mut;
use std::slice;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use depthwire_core::types::Account;
use napi::bindgen_prelude::{FromNapiValue, Uint8Array};
use napi::sys;

use crate::guard::{Code, Result, error};

/// The largest integer that a JavaScript number holds exactly.
pub(crate) const SAFE_INTEGER_MAX: i64 = (1 << 53) - 1;

/// Bytes of the longest text that any export takes: a name of an instrument is shorter.
const TEXT_BYTES_MAX: usize = 1 << 10;

/// A value of the running call. Not kept beyond it. Public because exported signatures name it; the module is not.
pub struct Argument {
    env: sys::napi_env,
    value: sys::napi_value,
}

impl FromNapiValue for Argument {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        Ok(Self { env, value })
    }
}

/// The memory of a typed array.
struct Memory {
    start: *mut u8,
    len: usize,
    kind: sys::napi_typedarray_type,
    /// Of a plain ArrayBuffer, which only this thread can write, detach or shrink; else of shared memory.
    is_own: bool,
}

impl Argument {
    /// # Safety
    /// Both must be those of the running call.
    #[inline]
    pub(crate) unsafe fn new(env: sys::napi_env, value: sys::napi_value) -> Self {
        Self { env, value }
    }

    /// A number that is an integer of that range.
    #[inline]
    pub(crate) fn integer(&self, name: &str, range: RangeInclusive<i64>) -> Result<i64> {
        let mut number = f64::NAN;
        // SAFETY: environment and value are those of the running call. Another type leaves the number alone.
        unsafe { sys::napi_get_value_double(self.env, self.value, &mut number) };
        let integer = number as i64;
        if integer as f64 == number && range.contains(&integer) {
            return Ok(integer);
        }
        Err(self.not_an_integer(name, range.start(), range.end()))
    }

    #[inline]
    pub(crate) fn u32(&self, name: &str) -> Result<u32> {
        self.integer(name, 0..=u32::MAX.into()).map(|number| number as u32)
    }

    #[inline]
    pub(crate) fn u8(&self, name: &str) -> Result<u8> {
        self.integer(name, 0..=u8::MAX.into()).map(|number| number as u8)
    }

    /// A BigInt of 64 bits without sign.
    pub(crate) fn u64(&self, name: &str) -> Result<u64> {
        self.wide(name, u64::MAX)
    }

    /// A BigInt of 63 bits: 0 or above, as far as a price or quantity reaches.
    pub(crate) fn u63(&self, name: &str) -> Result<i64> {
        self.wide(name, i64::MAX as u64).map(|number| number as i64)
    }

    fn wide(&self, name: &str, max: u64) -> Result<u64> {
        let (mut number, mut is_whole) = (0, false);
        // SAFETY: as in `integer`.
        let status =
            unsafe { sys::napi_get_value_bigint_uint64(self.env, self.value, &mut number, &mut is_whole) };
        if status == sys::Status::napi_ok && is_whole && number <= max {
            return Ok(number);
        }
        Err(self.not_an_integer(name, "0n", format_args!("{max}n")))
    }

    /// `None` when it is absent, `undefined` or `null`.
    pub(crate) fn given(self) -> Option<Self> {
        let absent = [sys::ValueType::napi_undefined, sys::ValueType::napi_null];
        (!absent.contains(&self.value_type())).then_some(self)
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool> {
        let mut flag = false;
        // SAFETY: as in `integer`.
        let status = unsafe { sys::napi_get_value_bool(self.env, self.value, &mut flag) };
        if status == sys::Status::napi_ok {
            return Ok(flag);
        }
        Err(self.wrong("addon.not_a_boolean", name, "true or false", "pass a boolean"))
    }

    pub(crate) fn text(&self, name: &str) -> Result<String> {
        let mut len = 0;
        // SAFETY: as in `integer`; without a buffer only the length is told.
        let status =
            unsafe { sys::napi_get_value_string_utf8(self.env, self.value, null_mut(), 0, &mut len) };
        if status == sys::Status::napi_ok && len <= TEXT_BYTES_MAX {
            // SAFETY: as in `integer`.
            if let Ok(text) = unsafe { String::from_napi_value(self.env, self.value) } {
                return Ok(text);
            }
        }
        let expected = format_args!("a string of at most {TEXT_BYTES_MAX} bytes");
        Err(self.wrong("addon.not_text", name, expected, "pass a shorter string"))
    }

    /// The bytes of a `Uint8Array`. Those of shared memory are a copy: another thread may write them at any time, so nothing
    /// may be read of them twice.
    pub(crate) fn input(&self, name: &str) -> Result<Cow<'_, [u8]>> {
        self.input_up_to(name, usize::MAX)
    }

    /// As `input`. A copy is of one byte more than `len_max` at most.
    #[inline]
    pub(crate) fn input_up_to(&self, name: &str, len_max: usize) -> Result<Cow<'_, [u8]>> {
        let Memory { start, len, is_own, .. } = self.bytes(name)?;
        if len == 0 || start.is_null() {
            return Ok(Cow::Borrowed(&[]));
        }
        if is_own {
            debug_assert!(isize::try_from(len).is_ok());
            // SAFETY: Node says that `len` bytes stand at `start`. They belong to a plain ArrayBuffer, which only this thread
            // can write, detach or shrink; the running call keeps it alive, and JavaScript does not run while `self` is lent.
            return Ok(Cow::Borrowed(unsafe { slice::from_raw_parts(start, len) }));
        }
        copy_of(start, len.min(len_max.saturating_add(1))).map(Cow::Owned)
    }

    /// Copies the bytes of a `Uint8Array` behind those of a vector, which keeps its memory.
    pub(crate) fn append_to(&self, name: &str, bytes: &mut Vec<u8>) -> Result<()> {
        let Memory { start, len, .. } = self.bytes(name)?;
        append(start, len, bytes)
    }

    /// As `input`, and a copy too where `output` has memory in common with it.
    pub(crate) fn input_beside(&self, name: &str, output: &Self) -> Result<Cow<'_, [u8]>> {
        let Memory { start, len, .. } = self.bytes(name)?;
        let is_common = output.memory().is_some_and(|output| {
            start < output.start.wrapping_add(output.len) && output.start < start.wrapping_add(len)
        });
        if is_common { copy_of(start, len).map(Cow::Owned) } else { self.input(name) }
    }

    /// Memory of a `Uint8Array` to write to. Shared memory is refused: what another thread may read or write is no `&mut`.
    pub(crate) fn output(&mut self, name: &str) -> Result<&mut [u8]> {
        let Memory { start, len, is_own, .. } = self.bytes(name)?;
        if !is_own {
            let fix = "pass a Uint8Array of plain memory and copy from it";
            return Err(self.wrong("addon.shared_output", name, "memory of this thread alone", fix));
        }
        if len == 0 || start.is_null() {
            return Ok(&mut []);
        }
        debug_assert!(isize::try_from(len).is_ok());
        // SAFETY: as in `input`. No other slice of the memory lives: `self` is lent for as long, and `input_beside` copies what
        // another argument has in common with it.
        Ok(unsafe { slice::from_raw_parts_mut(start, len) })
    }

    /// The numbers of a `Uint32Array`, copied: its memory may be shared.
    pub(crate) fn numbers(&self, name: &str) -> Result<Vec<u32>> {
        match self.memory() {
            Some(Memory { start, len, kind: sys::TypedarrayType::uint32_array, .. }) => {
                let bytes = copy_of(start, len)?;
                Ok(bytes.as_chunks().0.iter().copied().map(u32::from_ne_bytes).collect())
            }
            _ => Err(self.wrong("addon.not_integers", name, "a Uint32Array", "pass a Uint32Array")),
        }
    }

    /// The numbers of a `BigUint64Array`, copied likewise.
    pub(crate) fn wide_numbers(&self, name: &str) -> Result<Vec<u64>> {
        match self.memory() {
            Some(Memory { start, len, kind: sys::TypedarrayType::biguint64_array, .. }) => {
                let bytes = copy_of(start, len)?;
                Ok(bytes.as_chunks().0.iter().copied().map(u64::from_ne_bytes).collect())
            }
            _ => Err(self.wrong("addon.not_integers", name, "a BigUint64Array", "pass a BigUint64Array")),
        }
    }

    /// The view, if it is a `Uint8Array` of shared memory: only such memory can neither be detached nor shrink.
    pub(crate) fn shared_view(&self) -> Option<Uint8Array> {
        self.bytes("memory").ok().filter(|memory| !memory.is_own)?;
        // SAFETY: as in `integer`.
        unsafe { Uint8Array::from_napi_value(self.env, self.value) }.ok()
    }

    /// What the object holds under that name, as absent when it is none. A getter of the caller's may run in here.
    pub(crate) fn field(&self, name: &CStr) -> Self {
        let mut value = null_mut();
        // SAFETY: as in `integer`. What a getter throws is pending then, and thrown in place of any error of ours.
        unsafe { sys::napi_get_named_property(self.env, self.value, name.as_ptr(), &mut value) };
        Self { env: self.env, value }
    }

    #[inline]
    fn bytes(&self, name: &str) -> Result<Memory> {
        let is_bytes = |memory: &Memory| {
            [sys::TypedarrayType::uint8_array, sys::TypedarrayType::uint8_clamped_array]
                .contains(&memory.kind)
        };
        self.memory().filter(is_bytes).ok_or_else(|| {
            self.wrong("addon.not_bytes", name, "a Uint8Array", "pass a Uint8Array or a Buffer")
        })
    }

    #[inline]
    fn memory(&self) -> Option<Memory> {
        let (mut kind, mut len, mut start, mut buffer) = (-1, 0, null_mut(), null_mut());
        let mut is_own = false;
        // SAFETY: as in `integer`; Node writes nothing when it is no typed array. `buffer` is the array's, of the running call.
        unsafe {
            let status = sys::napi_get_typedarray_info(
                self.env,
                self.value,
                &mut kind,
                &mut len,
                &mut start,
                &mut buffer,
                null_mut(),
            );
            if status != sys::Status::napi_ok {
                return None;
            }
            sys::napi_is_arraybuffer(self.env, buffer, &mut is_own);
        }
        let bytes_each = match kind {
            sys::TypedarrayType::uint32_array => 4,
            sys::TypedarrayType::biguint64_array => 8,
            _ => 1,
        };
        Some(Memory { start: start.cast(), len: len * bytes_each, kind, is_own })
    }

    fn value_type(&self) -> sys::napi_valuetype {
        let mut kind = sys::ValueType::napi_undefined;
        // SAFETY: as in `integer`. An absent argument leaves the type alone.
        unsafe { sys::napi_typeof(self.env, self.value, &mut kind) };
        kind
    }

    #[cold]
    fn not_an_integer(
        &self,
        name: &str,
        min: impl std::fmt::Display,
        max: impl std::fmt::Display,
    ) -> napi::Error<Code> {
        let expected = format_args!("an integer from {min} to {max}");
        self.wrong("addon.not_an_integer", name, expected, "pass an integer of that range")
    }

    #[cold]
    fn wrong(
        &self,
        code: &'static str,
        name: &str,
        expected: impl std::fmt::Display,
        fix: &str,
    ) -> napi::Error<Code> {
        let mut number = f64::NAN;
        // SAFETY: as in `integer`.
        unsafe { sys::napi_get_value_double(self.env, self.value, &mut number) };
        let got = match self.value_type() {
            sys::ValueType::napi_number => number.to_string(),
            sys::ValueType::napi_undefined => "undefined".to_owned(),
            sys::ValueType::napi_null => "null".to_owned(),
            sys::ValueType::napi_boolean => "a boolean".to_owned(),
            sys::ValueType::napi_string => "a string".to_owned(),
            sys::ValueType::napi_symbol => "a symbol".to_owned(),
            sys::ValueType::napi_function => "a function".to_owned(),
            sys::ValueType::napi_bigint => "a BigInt".to_owned(),
            _ => "another object".to_owned(),
        };
        error(code, Account::new(format_args!("wrong {name}"), expected, got), fix)
    }
}

/// The bytes of memory that another thread may write, as they are now.
#[cold]
fn copy_of(start: *mut u8, len: usize) -> Result<Vec<u8>> {
    let mut copy = Vec::new();
    append(start, len, &mut copy)?;
    Ok(copy)
}

/// Words of eight bytes where they are aligned: a byte at a time takes as long for each.
fn append(start: *mut u8, len: usize, copy: &mut Vec<u8>) -> Result<()> {
    copy.try_reserve_exact(len).map_err(|_| {
        let account = Account::new("no memory for a copy", format_args!("room for {len} bytes"), "none");
        error("addon.out_of_memory", account, "hand it in by smaller parts")
    })?;
    let byte = |at: usize| {
        // SAFETY: Node says that `len` bytes stand at `start`, and `at` is below that; shared memory never shrinks, other
        // memory not while no JavaScript runs, and the running call keeps either alive. A byte is always aligned.
        unsafe { AtomicU8::from_ptr(start.add(at)) }.load(Ordering::Relaxed)
    };
    let head = start.align_offset(size_of::<u64>()).min(len);
    let words = (len - head) / size_of::<u64>();
    let tail = head + words * size_of::<u64>();
    copy.extend((0..head).map(byte));
    for word in 0..words {
        // SAFETY: as for a byte; `head` makes it aligned, and `words` ends it within `len`.
        let word = unsafe { AtomicU64::from_ptr(start.add(head).cast::<u64>().add(word)) };
        copy.extend_from_slice(&word.load(Ordering::Relaxed).to_ne_bytes());
    }
    copy.extend((tail..len).map(byte));
    Ok(())
}
