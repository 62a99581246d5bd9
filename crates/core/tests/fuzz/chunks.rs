//! An input in pieces, as sockets and files give it.

use crate::random::Random;

/// Hands `bytes` to `take` in pieces of any length: what one call leaves stands at the head of the next. `take` is told
/// whether it is the last piece and answers how many bytes it used; the last call must use all.
pub fn in_chunks<'a>(bytes: &'a [u8], random: &mut Random, mut take: impl FnMut(&'a [u8], bool) -> usize) {
    let longest = *random.pick(&[1, 2, 7, 40, 300, 4_096]);
    let (mut start, mut end) = (0, 0);
    loop {
        end = (end + 1 + random.below(longest)).min(bytes.len());
        let last = end == bytes.len();
        let used = take(&bytes[start..end], last);
        assert!(used <= end - start, "no more is used than was given");
        start += used;
        if last {
            assert_eq!(start, end, "at the end all is used");
            return;
        }
    }
}
