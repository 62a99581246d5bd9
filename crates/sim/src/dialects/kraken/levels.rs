//! The book of levels as a subscriber of some depth sees it change.

use super::super::crc32::crc32;
use super::super::text::integer;
use super::super::window::Window;
use super::{CHECKED_LEVELS, rests_since};
use crate::market::book::{Book, Change, ChangeKind, Side};

/// What stands at a price, and since when.
#[derive(Clone, Copy, Debug)]
struct Stamped {
    qty: i64,
    time_ns: u64,
}

/// One level of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) price: i64,
    pub(super) qty: i64,
    pub(super) time_ns: u64,
    /// Whether it is told because another level left, and not because it changed.
    pub(super) is_republished: bool,
}

/// Powers of ten by which printed mantissas are larger than the market's: of prices, of quantities.
pub(super) type Padding = (u32, u32);

/// Both sides of a cut book, and what is to be told of them.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    /// By [`Side`].
    sides: [Window<Stamped>; 2],
    entries: [Vec<Entry>; 2],
}

impl Levels {
    /// A copy of a market's book at `time_ns`, shown to `depth`.
    pub(super) fn new(book: &Book, depth: usize, time_ns: u64) -> Self {
        let mut levels = Self { sides: [Window::new(depth), Window::new(depth)], entries: [vec![], vec![]] };
        for side in [Side::Bid, Side::Ask] {
            for level in book.levels(side) {
                let since_ns = rests_since(level.price.unsigned_abs(), time_ns);
                let stamped = Stamped { qty: level.qty, time_ns: since_ns };
                levels.sides[side as usize].insert(side.key(level.price), stamped);
            }
        }
        levels
    }

    /// One step of the market.
    pub(super) fn apply(&mut self, change: &Change, time_ns: u64) {
        if let ChangeKind::Moved { from, from_level_qty } = change.kind {
            self.set(change.side, from, from_level_qty, time_ns);
        }
        self.set(change.side, change.price, change.level_qty, time_ns);
    }

    fn set(&mut self, side: Side, price: i64, qty: i64, time_ns: u64) {
        let (window, entries) = (&mut self.sides[side as usize], &mut self.entries[side as usize]);
        let key = side.key(price);
        let changed = Entry { price, qty, time_ns, is_republished: false };
        if qty == 0 {
            let was_known = window.is_known(key) && window.get(key).is_some();
            let entered = window.remove(key);
            if was_known {
                entries.push(changed);
            }
            if let Some((key, level)) = entered.and_then(|key| Some((key, *window.get(key)?))) {
                let Stamped { qty, time_ns } = level;
                entries.push(Entry { price: side.key(key), qty, time_ns, is_republished: true });
            }
            return;
        }
        let is_known = match window.get_mut(key) {
            Some(level) => {
                *level = Stamped { qty, time_ns };
                window.is_known(key)
            }
            None => window.insert(key, Stamped { qty, time_ns }),
        };
        if is_known {
            entries.push(changed);
        }
    }

    /// What is to be told of a side since [`Levels::told`].
    pub(super) fn entries(&self, side: Side) -> &[Entry] {
        &self.entries[side as usize]
    }

    /// Forgets what was to be told: a message has ended.
    pub(super) fn told(&mut self) {
        self.entries.iter_mut().for_each(Vec::clear);
        self.sides.iter_mut().for_each(Window::end_message);
    }

    /// The levels shown, best first.
    pub(super) fn shown(&self, side: Side) -> impl Iterator<Item = Entry> {
        self.sides[side as usize].shown().map(move |(key, level)| {
            let Stamped { qty, time_ns } = *level;
            Entry { price: side.key(key), qty, time_ns, is_republished: false }
        })
    }

    /// The checksum of what is shown (rule 4).
    pub(super) fn checksum(&self, padding: Padding) -> u32 {
        let mut text = Vec::with_capacity(CHECKED_LEVELS * 2 * 32);
        for side in [Side::Ask, Side::Bid] {
            for level in self.shown(side).take(CHECKED_LEVELS) {
                append_checked(&mut text, level.price, level.qty, padding);
            }
        }
        crc32(&text)
    }
}

/// Appends a price and a quantity as checksums read them. A decimal without its point and its leading zeros is the
/// whole number of its last digits.
pub(super) fn append_checked(out: &mut Vec<u8>, price: i64, qty: i64, padding: Padding) {
    integer(out, price.unsigned_abs() * 10_u64.pow(padding.0));
    integer(out, qty.unsigned_abs() * 10_u64.pow(padding.1));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(depth: usize) -> Levels {
        let mut levels =
            Levels { sides: [Window::new(depth), Window::new(depth)], entries: [vec![], vec![]] };
        for distance in 0..5 {
            levels.set(Side::Ask, 101 + distance, 10, 1);
            levels.set(Side::Bid, 100 - distance, 10, 1);
        }
        levels.told();
        levels
    }

    fn told(levels: &mut Levels, side: Side) -> Vec<(i64, i64, u64, bool)> {
        let told = levels.entries(side).iter();
        let told = told.map(|entry| (entry.price, entry.qty, entry.time_ns, entry.is_republished)).collect();
        levels.told();
        told
    }

    #[test]
    fn a_level_that_comes_into_sight_is_told_behind_the_one_that_left() {
        let mut levels = levels(3);
        levels.set(Side::Ask, 102, 0, 2);
        assert_eq!(told(&mut levels, Side::Ask), [(102, 0, 2, false), (104, 10, 1, true)]);
        levels.set(Side::Ask, 102, 7, 3);
        assert_eq!(told(&mut levels, Side::Ask), [(102, 7, 3, false)], "what is pushed out is not told");
        levels.set(Side::Ask, 104, 8, 4);
        levels.set(Side::Ask, 105, 0, 4);
        assert_eq!(told(&mut levels, Side::Ask), [], "out of sight");
        levels.set(Side::Ask, 101, 0, 5);
        levels.set(Side::Ask, 102, 0, 5);
        let expected = [(101, 0, 5, false), (104, 8, 4, true), (102, 0, 5, false)];
        assert_eq!(told(&mut levels, Side::Ask), expected, "there is no more to show");
        assert!(levels.shown(Side::Bid).map(|level| level.price).eq([100, 99, 98]));
    }

    #[test]
    fn the_checksum_reads_asks_then_bids() {
        assert_eq!(levels(2).checksum((0, 0)), crc32(b"1011010210100109910"));
        assert_eq!(levels(1).checksum((1, 2)), crc32(b"1010100010001000"));
    }
}
