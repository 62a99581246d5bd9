//! Hints to the processor that a line of memory is going to be used.
#![allow(
    unsafe_code,
    reason = "the instruction is an unsafe function, although no address can make it fault"
)]

/// Asks for the cache line of `slice[index]`, or of what follows the slice when it has no such index, which is as cheap
/// and needs no branch. Does nothing where the processor has no such hint.
#[inline(always)]
pub(super) fn prefetch_at<T>(slice: &[T], index: usize) {
    let at = slice.as_ptr().wrapping_add(index.min(slice.len()));
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        debug_assert!(slice.as_ptr_range().contains(&at) || at == slice.as_ptr_range().end);
        // SAFETY: a prefetch reads nothing that the program sees and never faults, whatever the address; SSE, which it
        // belongs to, is part of every x86-64. The address is within the slice or one past its end besides.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Asks for the cache line at the start of `value`. Does nothing where the processor has no such hint.
#[inline(always)]
pub(crate) fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: as above; the address is that of a live reference.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(value).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
