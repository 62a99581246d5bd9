//! Decoded changes of resting orders in one or many books, with the oracle's answer.

use depthwire_core::book::BookSpec;
use depthwire_core::book::l3::{BookIndex, IdOrder, L3Spec, NaiveL3};
use depthwire_core::types::{OrderChange, OrderId, Price, Qty, Side};

use super::Size;
use super::shapes::Random;
use crate::l3_answer::{OrderBooks, answer_of, replay};

/// Order changes of a feed.
#[derive(Debug)]
pub struct OrderStream {
    /// What the feed's books have to know.
    pub spec: L3Spec,
    /// What each book has to know, in the order of their numbers.
    pub books: Vec<BookSpec>,
    /// How many changes come before the measured part: they fill the books.
    pub lead: usize,
    /// The changes, in order.
    pub changes: Vec<(BookIndex, OrderChange)>,
    /// The oracle's hash over the top after each measured change.
    pub tops: u64,
    /// The oracle's whole answer: all tops, and levels and queues at the end.
    pub answer: String,
}

impl OrderStream {
    /// Lets the oracle answer.
    ///
    /// # Errors
    /// Books that cannot be opened.
    pub fn new(
        spec: L3Spec,
        books: Vec<BookSpec>,
        lead: usize,
        changes: Vec<(BookIndex, OrderChange)>,
    ) -> Result<Self, String> {
        let mut stream = Self { spec, books, lead, changes, tops: 0, answer: String::new() };
        let mut oracle = NaiveL3::open_all(&stream.spec, &stream.books)?;
        replay(&mut oracle, stream.lead());
        stream.tops = replay(&mut oracle, stream.measured());
        stream.answer = answer_of(&oracle, stream.tops, stream.books.len());
        Ok(stream)
    }

    /// What fills the books.
    #[must_use]
    pub fn lead(&self) -> &[(BookIndex, OrderChange)] {
        self.changes.get(..self.lead).unwrap_or_default()
    }

    /// What is measured.
    #[must_use]
    pub fn measured(&self) -> &[(BookIndex, OrderChange)] {
        self.changes.get(self.lead..).unwrap_or_default()
    }
}

/// Order numbers that are sparse, descending, at the end of their range and alike in their low bits, at prices all over
/// the range: what a table that trusts numbers, or a book that trusts prices, cannot bear.
pub(super) fn hostile(size: Size) -> Result<OrderStream, String> {
    const RESTING_MAX: usize = 20_000;
    let changes_len = match size {
        Size::Gate | Size::Tiny => 20_000,
        Size::Quick | Size::Full => 200_000,
    };
    let mut random = Random(99);
    let mut resting: Vec<OrderId> = Vec::new();
    let mut changes = Vec::with_capacity(changes_len);
    for index in 0..changes_len as u64 {
        let leaves = resting.len() > RESTING_MAX || (!resting.is_empty() && random.below(100) < 45);
        let change = if leaves {
            let at = random.below(resting.len() as u64) as usize;
            OrderChange::Delete { id: resting.swap_remove(at) }
        } else {
            // Each rule's numbers are apart from the others' by their two lowest bits and rise or fall by themselves.
            let number = match random.below(3) {
                0 => index << 34,
                1 => (u64::MAX - (index << 2)) & !3 | 1,
                _ => (random.bits() & !0xfff_ffff) | (index << 2 & 0xfff_fffc) | 2,
            };
            let id = OrderId(number);
            resting.push(id);
            let side = if random.below(2) == 0 { Side::Bid } else { Side::Ask };
            let price = Price((random.bits() >> (2 + random.below(60))) as i64);
            OrderChange::Add { id, side, price, qty: Qty(1 + random.below(1_000) as i64) }
        };
        changes.push((BookIndex(0), change));
    }
    let spec = L3Spec { orders_max: 1 << 20, books_max: 1, ids: IdOrder::Arbitrary, hash_seed: 0x5eed };
    OrderStream::new(spec, vec![BookSpec { tick_size: 10, levels_max: 1 << 20 }], 0, changes)
}
