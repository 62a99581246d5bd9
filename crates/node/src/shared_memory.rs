//! Memory that several processes share: made by one, mapped by those that it hands the descriptor to, gone with the last of
//! them. It has no name, so nothing of it is left behind whatever ends them.

use depthwire_core::types::Account;
use napi::bindgen_prelude::Uint8Array;

use crate::argument::Argument;
use crate::guard::{Result, error, guard};

/// Smallest and largest memory, bytes.
const BYTES_MIN: i64 = 1 << 12;
const BYTES_MAX: i64 = 1 << 30;

/// Shared memory as its maker has it.
#[napi_derive::napi(object)]
pub struct SharedMemory {
    /// Descriptor to hand to the processes that are to map it.
    pub descriptor: i32,
    pub memory: Uint8Array,
}

/// Makes memory of so many bytes, all zero, for other processes to map. It takes room as it is written. Throws
/// `addon.shared_memory` where the system has none such, or no room or descriptor for it.
#[napi_derive::napi(ts_args_type = "bytes: number")]
pub fn make_shared_memory(bytes: Argument) -> Result<SharedMemory> {
    guard(|| {
        let bytes = bytes.integer("bytes", BYTES_MIN..=BYTES_MAX)? as usize;
        let descriptor = system::make(bytes).map_err(failed)?;
        let memory = system::map(descriptor, bytes).map_err(failed)?;
        Ok(SharedMemory { descriptor, memory })
    })
}

/// Maps memory that another process has made with as many bytes, and closes the descriptor. Throws `addon.shared_memory`.
#[napi_derive::napi(ts_args_type = "descriptor: number, bytes: number")]
pub fn map_shared_memory(descriptor: Argument, bytes: Argument) -> Result<Uint8Array> {
    guard(|| {
        let descriptor = descriptor.integer("descriptor", 0..=i32::MAX.into())? as i32;
        let bytes = bytes.integer("bytes", BYTES_MIN..=BYTES_MAX)? as usize;
        let memory = system::map(descriptor, bytes).map_err(failed)?;
        system::close(descriptor);
        Ok(memory)
    })
}

/// The time of the clock that stamps `ts_send`, ns since the epoch.
#[napi_derive::napi]
pub fn clock_now_ns() -> Result<napi::bindgen_prelude::BigInt> {
    guard(|| Ok(crate::clock::system_now().into()))
}

fn failed(cause: std::io::Error) -> napi::Error<crate::guard::Code> {
    let account = Account {
        what: "memory that processes share cannot be had".into(),
        expected: "a Linux with room and a descriptor for it".into(),
        got: cause.to_string(),
    };
    error(
        "addon.shared_memory",
        account,
        "Set server.gateways to 0, or raise the limits of memory and descriptors.",
    )
}

#[cfg(target_os = "linux")]
mod system {
    use std::io::{Error, ErrorKind, Result};
    use std::ptr::null_mut;

    use napi::bindgen_prelude::Uint8Array;

    pub(super) fn make(bytes: usize) -> Result<i32> {
        // SAFETY: the name is a C string; the descriptor is ours from here on.
        let descriptor = unsafe { libc::memfd_create(c"depthwire".as_ptr(), libc::MFD_CLOEXEC) };
        if descriptor < 0 {
            return Err(Error::last_os_error());
        }
        // SAFETY: the descriptor was just made.
        if unsafe { libc::ftruncate(descriptor, bytes as libc::off_t) } != 0 {
            let cause = Error::last_os_error();
            close(descriptor);
            return Err(cause);
        }
        Ok(descriptor)
    }

    pub(super) fn map(descriptor: i32, bytes: usize) -> Result<Uint8Array> {
        if size(descriptor)? != bytes as libc::off_t {
            return Err(Error::new(ErrorKind::InvalidInput, "memory of another size"));
        }
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at a place of the system's choice, which overlaps nothing. The file is as long as the mapping,
        // so that no access of it faults; nobody who has the descriptor makes it shorter.
        let start = unsafe { libc::mmap(null_mut(), bytes, access, libc::MAP_SHARED, descriptor, 0) };
        if start == libc::MAP_FAILED {
            return Err(Error::last_os_error());
        }
        // SAFETY: the mapping is of this length and lives until JavaScript has collected the array, when it is undone once.
        // Rust makes no reference to it, for other processes write it.
        let memory = unsafe {
            Uint8Array::with_external_data(start.cast(), bytes, move |start, _| {
                libc::munmap(start.cast(), bytes);
            })
        };
        Ok(memory)
    }

    pub(super) fn close(descriptor: i32) {
        // SAFETY: closing a descriptor touches no memory; the caller owns it.
        unsafe { libc::close(descriptor) };
    }

    fn size(descriptor: i32) -> Result<libc::off_t> {
        // SAFETY: a `stat` is plain numbers, for which zeros are values.
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: `stat` is where the call writes.
        if unsafe { libc::fstat(descriptor, &mut stat) } != 0 {
            return Err(Error::last_os_error());
        }
        Ok(stat.st_size)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io::{Error, ErrorKind, Result};

    use napi::bindgen_prelude::Uint8Array;

    pub(super) fn make(_bytes: usize) -> Result<i32> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(super) fn map(_descriptor: i32, _bytes: usize) -> Result<Uint8Array> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(super) fn close(_descriptor: i32) {}
}
