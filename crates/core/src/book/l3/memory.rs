//! Two hints to the machine, neither of which changes what a program computes: fetch a line early, use large pages.

#![allow(unsafe_code, reason = "a prefetch instruction and madvise have no safe form")]

/// Fetches the cache line at the start of `value` ahead of its use. Does nothing where the processor has no such
/// instruction here.
#[inline(always)]
pub(super) fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the address is that of a live reference; a prefetch reads and writes nothing that a program sees.
        unsafe { _mm_prefetch(core::ptr::from_ref(value).cast::<i8>(), _MM_HINT_T0) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// Asks for large pages behind a vector's memory, used and spare. A refusal is silent: then pages are small.
pub(super) fn advise_large_pages<T>(vec: &Vec<T>) {
    #[cfg(target_os = "linux")]
    {
        const LARGE_PAGE: usize = 1 << 21;
        let start = (vec.as_ptr() as usize).next_multiple_of(LARGE_PAGE);
        let end = (vec.as_ptr() as usize).saturating_add(vec.capacity().saturating_mul(size_of::<T>()));
        let len = (end & !(LARGE_PAGE - 1)).saturating_sub(start);
        debug_assert!(start.is_multiple_of(LARGE_PAGE) && len.is_multiple_of(LARGE_PAGE));
        if len > 0 {
            // SAFETY: the range lies within the vector's own allocation; the advice changes which pages back it and
            // never their content.
            unsafe { libc::madvise(start as *mut libc::c_void, len, libc::MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = vec;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_change_nothing() {
        for len in [0usize, 1, 1 << 22] {
            let mut values: Vec<u8> = Vec::with_capacity(len);
            advise_large_pages(&values);
            values.resize(len, 7);
            advise_large_pages(&values);
            values.iter().step_by(4_096).for_each(prefetch);
            assert!(values.len() == len && values.iter().all(|value| *value == 7));
        }
    }
}
