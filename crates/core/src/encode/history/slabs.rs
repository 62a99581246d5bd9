//! The memory of kept frames: slabs of one size, given out and taken back, and their order by age.

use crate::types::TimeNs;

/// Bytes of a slab, the piece in which memory is given to a stream and taken from it.
pub const SLAB_BYTES: usize = 4_096;

/// Slabs that are allocated at a time.
const BLOCK_SLABS: usize = 16;

/// No slab, no range; in a slab no frame's beginning.
pub(super) const NONE: u32 = u32::MAX;

/// What is known of a slab that was allocated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slab {
    /// The next one of its range, or of the free ones.
    pub(super) next: u32,
    /// The one given out before it, of those in use; see `younger`.
    older: u32,
    /// The one given out after it.
    younger: u32,
    /// Whose it is.
    pub(super) range: u32,
    /// Offset at which the first frame begins that begins in it.
    pub(super) first: u32,
    /// The sequence that this frame follows.
    pub(super) before: u64,
    /// When the last frame was sent that begins in it.
    pub(super) sent: TimeNs,
}

impl Slab {
    const FREE: Self =
        Self { next: NONE, older: NONE, younger: NONE, range: NONE, first: NONE, before: 0, sent: 0 };
}

/// See the module. Allocates until as many slabs have been in use at once as ever will be, then never.
#[derive(Debug)]
pub(super) struct Slabs {
    max: usize,
    slabs: Vec<Slab>,
    blocks: Vec<Vec<u8>>,
    free: u32,
    free_count: usize,
    oldest: u32,
    youngest: u32,
}

impl Slabs {
    pub(super) const fn new(max: usize) -> Self {
        Self {
            max,
            slabs: Vec::new(),
            blocks: Vec::new(),
            free: NONE,
            free_count: 0,
            oldest: NONE,
            youngest: NONE,
        }
    }

    /// A slab by its number; `None` for [`NONE`].
    #[inline]
    pub(super) fn get(&self, slab: u32) -> Option<&Slab> {
        self.slabs.get(slab as usize)
    }

    /// See [`Self::get`].
    #[inline]
    pub(super) fn get_mut(&mut self, slab: u32) -> Option<&mut Slab> {
        self.slabs.get_mut(slab as usize)
    }

    /// The slab that has been in use for the longest time.
    pub(super) const fn oldest(&self) -> u32 {
        self.oldest
    }

    /// Slabs in use.
    pub(super) const fn used(&self) -> usize {
        self.slabs.len() - self.free_count
    }

    /// The most that there may be.
    pub(super) const fn max(&self) -> usize {
        self.max
    }

    /// Bytes allocated.
    pub(super) const fn allocated_bytes(&self) -> usize {
        self.blocks.len() * BLOCK_SLABS * SLAB_BYTES
    }

    /// The bytes of a slab from an offset on.
    #[inline]
    pub(super) fn bytes(&self, slab: u32, at: usize) -> &[u8] {
        let (block, start) = place(slab);
        &self.blocks[block][start + at..start + SLAB_BYTES]
    }

    /// See [`Self::bytes`].
    #[inline]
    pub(super) fn bytes_mut(&mut self, slab: u32, at: usize) -> &mut [u8] {
        let (block, start) = place(slab);
        &mut self.blocks[block][start + at..start + SLAB_BYTES]
    }

    /// Whether so many slabs are free, or could be allocated just now. Where the machine has no more memory, what there is is
    /// the limit.
    pub(super) fn have(&mut self, count: usize) -> bool {
        self.free_count >= count || self.allocate(count)
    }

    #[cold]
    fn allocate(&mut self, count: usize) -> bool {
        while self.free_count < count {
            let more = BLOCK_SLABS.min(self.max - self.slabs.len());
            let mut block = Vec::new();
            if more == 0 || block.try_reserve_exact(BLOCK_SLABS * SLAB_BYTES).is_err() {
                self.max = self.slabs.len();
                return false;
            }
            block.resize(BLOCK_SLABS * SLAB_BYTES, 0);
            self.blocks.push(block);
            for _ in 0..more {
                self.slabs.push(Slab { next: self.free, ..Slab::FREE });
                (self.free, self.free_count) = (self.slabs.len() as u32 - 1, self.free_count + 1);
            }
        }
        true
    }

    /// Gives out a free slab. There must be one.
    pub(super) fn give(&mut self, range: u32) -> u32 {
        let (index, older) = (self.free, self.youngest);
        let slab = &mut self.slabs[index as usize];
        (self.free, self.free_count) = (slab.next, self.free_count - 1);
        *slab = Slab { older, range, ..Slab::FREE };
        match self.get_mut(older) {
            Some(slab) => slab.younger = index,
            None => self.oldest = index,
        }
        self.youngest = index;
        index
    }

    /// Takes a slab back that is in use. Returns the one behind it in its range.
    pub(super) fn take(&mut self, index: u32) -> u32 {
        let Slab { next, older, younger, .. } = self.slabs[index as usize];
        match self.get_mut(older) {
            Some(slab) => slab.younger = younger,
            None => self.oldest = younger,
        }
        match self.get_mut(younger) {
            Some(slab) => slab.older = older,
            None => self.youngest = older,
        }
        self.slabs[index as usize] = Slab { next: self.free, ..Slab::FREE };
        (self.free, self.free_count) = (index, self.free_count + 1);
        next
    }

    /// What must hold between two calls.
    ///
    /// # Errors
    /// What does not.
    pub(super) fn check_invariants(&self) -> Result<(), &'static str> {
        let in_order = self.count(self.oldest, |slab| slab.younger);
        let free = self.count(self.free, |slab| slab.next);
        if (in_order, free) != (Some(self.used()), Some(self.free_count)) {
            return Err("a slab is lost");
        }
        let owned = |slab: &&Slab| slab.range != NONE;
        if self.slabs.iter().filter(owned).count() != self.used() {
            return Err("a slab in use is nobody's");
        }
        if self.slabs.len() > self.max {
            return Err("more slabs than there may be");
        }
        Ok(())
    }

    /// Slabs of a chain; `None` where it has no end.
    pub(super) fn count(&self, from: u32, next: impl Fn(&Slab) -> u32) -> Option<usize> {
        let (mut count, mut at) = (0, from);
        while let Some(slab) = self.get(at) {
            (count, at) = (count + 1, next(slab));
            if count > self.slabs.len() {
                return None;
            }
        }
        Some(count)
    }
}

/// Where the bytes of a slab begin: their block, and the place in it.
#[inline]
const fn place(slab: u32) -> (usize, usize) {
    (slab as usize / BLOCK_SLABS, slab as usize % BLOCK_SLABS * SLAB_BYTES)
}
