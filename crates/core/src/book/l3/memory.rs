//! A hint to the machine that changes nothing of what a program computes: use large pages.

#![allow(unsafe_code, reason = "madvise has no safe form")]

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
            values.iter().step_by(4_096).for_each(crate::book::prefetch);
            assert!(values.len() == len && values.iter().all(|value| *value == 7));
        }
    }
}
