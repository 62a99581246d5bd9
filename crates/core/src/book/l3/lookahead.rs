//! Hints of what the coming changes need, and their distances for a run of changes that lies in memory.

use super::{BookIndex, L3Books, flip};
use crate::types::{OrderChange, OrderId};

/// Orders of all books from which looking ahead pays: with 20,000 it cost a quarter of the time, with 40,000 a seventh at most, and
/// saved a seventh at least with 80,000, 45 % with 400,000, half and more with 1.9 million. A test cannot wait for so many.
pub(crate) const ORDERS_MIN: usize = if cfg!(test) { 1 } else { 1 << 16 };

/// How many changes before it is applied the records of a change are fetched, then its levels, then the level that it
/// joins. Of a market of 8,900 symbols and 1.9 million orders half to double of these distances made no difference on a noisy machine.
const RECORDS_AHEAD: usize = 16;
const LEVELS_AHEAD: usize = 10;
const JOINED_AHEAD: usize = 5;

/// Fetches what the coming changes of a run need while the present one is applied.
///
/// In plain words: three readers go through the same run ahead of the one who applies it, and each gives one of the
/// [hints](L3Books::prefetch). Call [`Lookahead::step`] once for each change that is applied. It costs some 200 instructions a
/// change, which pay where the orders of the feed outgrow the caches (a whole market: half the time) and would be lost where
/// they do not (a single instrument). So a run that begins with fewer than 65,536 resting orders is given no hint.
///
/// ```
/// use depthwire_core::book::BookSpec;
/// use depthwire_core::book::l3::{IdOrder, L3Books, L3Spec, Lookahead};
/// use depthwire_core::types::{OrderChange, OrderId, Price, Qty, Side};
/// # fn main() -> Result<(), depthwire_core::book::l3::L3Error> {
/// let mut books =
///     L3Books::new(L3Spec { orders_max: 100, books_max: 1, ids: IdOrder::Ascending, hash_seed: 1 })?;
/// let book = books.open(BookSpec { tick_size: 1, levels_max: 100 })?;
/// let run = [OrderChange::Add { id: OrderId(1), side: Side::Bid, price: Price(9), qty: Qty(5) }];
/// let changes = run.iter().map(|change| (book, change));
/// let mut ahead = Lookahead::new(&books, changes.clone());
/// for (book, change) in changes {
///     ahead.step(&books);
///     books.apply(book, change)?;
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Lookahead<I> {
    records: I,
    levels: I,
    joined: I,
    is_of_use: bool,
}

impl<'a, I: Iterator<Item = (BookIndex, &'a OrderChange)> + Clone> Lookahead<I> {
    /// For the run that `changes` goes through; gives the hints of its first changes.
    #[inline]
    pub fn new(books: &L3Books, changes: I) -> Self {
        let is_of_use = books.orders_len() >= ORDERS_MIN;
        let mut ahead =
            Self { records: changes.clone(), levels: changes.clone(), joined: changes, is_of_use };
        if !is_of_use {
            return ahead;
        }
        for (book, change) in ahead.records.by_ref().take(RECORDS_AHEAD) {
            books.prefetch(book, change);
        }
        for (book, change) in ahead.levels.by_ref().take(LEVELS_AHEAD) {
            books.prefetch_levels(book, change);
        }
        for (book, change) in ahead.joined.by_ref().take(JOINED_AHEAD) {
            books.prefetch_joined(book, change);
        }
        ahead
    }

    /// Goes on by one change.
    #[inline]
    pub fn step(&mut self, books: &L3Books) {
        if !self.is_of_use {
            return;
        }
        if let Some((book, change)) = self.records.next() {
            books.prefetch(book, change);
        }
        if let Some((book, change)) = self.levels.next() {
            books.prefetch_levels(book, change);
        }
        if let Some((book, change)) = self.joined.next() {
            books.prefetch_joined(book, change);
        }
    }
}

/// Hints for callers that decode ahead. A message of one of many books waits for three cache lines, each of which
/// says where the next one is: fetch the first when a message is decoded, the second some messages later, the third
/// after some more. [`Lookahead`] does so for a run of changes. A hint may come too late, too early or for
/// nothing; it never changes an answer.
impl L3Books {
    /// First: the records that a change names, and the lines of its book.
    #[inline]
    pub fn prefetch(&self, book: BookIndex, change: &OrderChange) {
        let Some(of) = self.books.get(book.0 as usize) else { return };
        if let OrderChange::Add { id, side, .. } = *change {
            of.prefetch(Some(side as usize));
            return self.store.orders.prefetch(id.0);
        }
        of.prefetch(None);
        if let OrderChange::Replace { new_id, .. } = *change {
            self.store.orders.prefetch(new_id.0);
        }
        if let Some(id) = leaving(change) {
            self.store.orders.prefetch(id.0);
        }
    }

    /// Second: the level that the order leaves, and where the book notes the level that a new order joins.
    #[inline]
    pub fn prefetch_levels(&self, book: BookIndex, change: &OrderChange) {
        if let OrderChange::Add { side, price, .. } = *change {
            if let Some(of) = self.books.get(book.0 as usize) {
                of.prefetch_place(side as usize, price.0 ^ flip(side), &self.store.places);
            }
            return;
        }
        if let Some(id) = leaving(change)
            && let Ok((_, cell)) = self.store.orders.find_cell(id.0)
        {
            self.store.levels.prefetch(cell.level);
            self.store.chunks.prefetch(cell.place);
        }
    }

    /// Third: the level that a new order joins, where the book notes the level that a moved one joins, and where it
    /// notes a level that the order's leaving will close.
    #[inline]
    pub fn prefetch_joined(&self, book: BookIndex, change: &OrderChange) {
        let Some(of) = self.books.get(book.0 as usize) else { return };
        if let OrderChange::Add { side, price, .. } = *change {
            let level = of.find(side as usize, price.0 ^ flip(side), &self.store.places);
            return self.store.levels.prefetch(level);
        }
        if let Some(id) = leaving(change)
            && let Ok((_, cell)) = self.store.orders.find_cell(id.0)
        {
            let level = self.store.levels.get(cell.level);
            let side = (level.owner & 1) as usize;
            if level.orders == 1 {
                of.prefetch_place(side, level.key, &self.store.places);
            }
            if let OrderChange::Replace { price, .. } | OrderChange::Modify { price, .. } = *change {
                of.prefetch_place(side, price.0 ^ -(side as i64), &self.store.places);
            }
        }
    }
}

/// The order that leaves its place or may.
#[inline(always)]
fn leaving(change: &OrderChange) -> Option<OrderId> {
    match *change {
        OrderChange::Add { .. } | OrderChange::Clear => None,
        OrderChange::Replace { id, .. }
        | OrderChange::Reduce { id, .. }
        | OrderChange::Cancel { id, .. }
        | OrderChange::Execute { id, .. }
        | OrderChange::Modify { id, .. }
        | OrderChange::Upsert { id, .. }
        | OrderChange::Delete { id } => Some(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::BookSpec;
    use crate::book::l3::{IdOrder, L3Spec};
    use crate::types::{Price, Qty, Side};

    fn books() -> L3Books {
        let spec = L3Spec { orders_max: 1_000, books_max: 3, ids: IdOrder::Ascending, hash_seed: 1 };
        let mut books = L3Books::new(spec).unwrap();
        for _ in 0..3 {
            books.open(BookSpec { tick_size: 1, levels_max: 1_000 }).unwrap();
        }
        books
    }

    #[test]
    fn few_orders_get_no_hints() {
        let books = books();
        let run = [(BookIndex(0), OrderChange::Clear)];
        let mut ahead = Lookahead::new(&books, run.iter().map(|(book, change)| (*book, change)));
        ahead.step(&books);
        assert!(ahead.records.next().is_some());
    }

    #[test]
    fn a_run_with_hints_gives_the_same_answers() {
        for len in [0, 1, 4, 5, 6, 16, 17, 500] {
            let run: Vec<_> = (0..len)
                .map(|at| {
                    let (id, price) = (OrderId(at / 2), Price((at % 7) as i64));
                    let change = match at % 4 {
                        1 => OrderChange::Reduce { id, qty: Qty(1) },
                        3 => OrderChange::Replace { id, new_id: OrderId(at + 1_000), price, qty: Qty(3) },
                        _ => OrderChange::Add { id, side: Side::Ask, price, qty: Qty(2) },
                    };
                    // Books that are not there, too.
                    (BookIndex((at / 4 % 4) as u32), change)
                })
                .collect();
            let (mut plain, mut hinted) = (books(), books());
            // Without an order there would be no hints.
            for books in [&mut plain, &mut hinted] {
                books.add(BookIndex(0), OrderId(5_000), Side::Bid, Price(-1), Qty(1)).unwrap();
            }
            let changes = run.iter().map(|(book, change)| (*book, change));
            let mut ahead = Lookahead::new(&hinted, changes.clone());
            for (book, change) in changes {
                ahead.step(&hinted);
                assert_eq!(hinted.apply(book, change), plain.apply(book, change));
            }
            assert!(ahead.records.next().is_none() && ahead.joined.next().is_none());
            assert_eq!(hinted.orders_len(), plain.orders_len());
            assert_eq!(hinted.check_invariants(), Ok(()));
        }
    }
}
