//! The checksum of a book's best orders.

use super::Proof;
use super::way::Way;
use crate::book::l3::{BookIndex, L3Books};
use crate::checksum::{INTERLEAVED_LEVELS, TOP_LEVELS};
use crate::types::{Level, Levels, OrderId, Price, Qty, Side};
use crate::venues::Checksum;

/// Made anew when a message has reached the orders that count.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct TopOrders {
    /// How they were printed, and the checksum.
    made: Option<(Way, Option<u32>)>,
    /// The worst bid and ask that count; none where all do.
    worst: [Option<Price>; 2],
    /// Reused.
    sorted: [Vec<(OrderId, Qty)>; 2],
}

impl TopOrders {
    /// Levels have changed.
    pub(in crate::engine) fn touched(&mut self, levels: &Levels) {
        let reaches = |side: Side| {
            let worst = self.worst[side as usize];
            let is_behind = |level: &Level| worst.is_some_and(|worst| side.is_better(worst, level.price));
            !levels.side(side).iter().all(is_behind)
        };
        if reaches(Side::Bid) || reaches(Side::Ask) {
            self.made = None;
        }
    }

    /// Another book begins.
    pub(in crate::engine) fn forget(&mut self) {
        self.made = None;
    }

    /// Whether the orders of a book have this checksum; `named` is what the venue calls an order.
    pub(in crate::engine) fn agree(
        &mut self,
        check: u32,
        proof: &mut Proof,
        (books, book): (&L3Books, BookIndex),
        named: impl Fn(OrderId) -> OrderId,
    ) -> bool {
        if let Some((_, made)) = self.made.filter(|(way, _)| proof.way == Some(*way)) {
            return made == Some(check);
        }
        let is_joined = matches!(proof.form, Checksum::Interleaved(_));
        self.worst = [Side::Bid, Side::Ask].map(|side| {
            if is_joined { self.sort(side, (books, book), &named) } else { tenth_price(side, books, book) }
        });
        let is_empty = books.is_empty(book);
        let sorted = |side: Side| self.sorted[side as usize].iter().copied();
        let crc32 = |way: Way| match way {
            Way::Digits(printing) => {
                printing.crc32(queued(Side::Ask, books, book).chain(queued(Side::Bid, books, book)))
            }
            Way::Joined(joining) => joining.crc32_of_orders(sorted(Side::Bid), sorted(Side::Ask)),
        };
        let Some(way) = proof.find(check, is_empty, crc32) else {
            return proof.digits.is_none() && is_empty && check == crate::checksum::crc32(b"");
        };
        let made = crc32(way);
        self.made = Some((way, made));
        made == Some(check)
    }

    /// Lists the best orders of a side, at one price by ascending number, and returns the price behind which none counts.
    fn sort(
        &mut self,
        side: Side,
        (books, book): (&L3Books, BookIndex),
        named: impl Fn(OrderId) -> OrderId,
    ) -> Option<Price> {
        let sorted = &mut self.sorted[side as usize];
        sorted.clear();
        for Level { price, .. } in books.levels(book, side) {
            let of_level = sorted.len();
            sorted.extend(books.queue(book, side, price).map(|order| (named(order.id), order.qty)));
            sorted[of_level..].sort_unstable_by_key(|(id, _)| *id);
            if sorted.len() >= INTERLEAVED_LEVELS {
                return Some(price);
            }
        }
        None
    }
}

/// The orders of the best levels, in each the first to trade first.
fn queued(side: Side, books: &L3Books, book: BookIndex) -> impl Iterator<Item = Level> {
    books.levels(book, side).take(TOP_LEVELS).flat_map(move |Level { price, .. }| {
        books.queue(book, side, price).map(move |order| Level { price, qty: order.qty })
    })
}

fn tenth_price(side: Side, books: &L3Books, book: BookIndex) -> Option<Price> {
    Some(books.levels(book, side).nth(TOP_LEVELS - 1)?.price)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::BookSpec;
    use crate::book::l3::{IdOrder, L3Spec};
    use crate::checksum::crc32;
    use crate::venues::{self, Numbers, Scale};

    #[test]
    fn orders_at_one_price_stand_by_their_numbers() {
        let spec = L3Spec { orders_max: 100, books_max: 1, ids: IdOrder::Arbitrary, hash_seed: 1 };
        let mut books = L3Books::new(spec).unwrap();
        let book = books.open(BookSpec { tick_size: 1, levels_max: 100 }).unwrap();
        let form = Checksum::Interleaved(Numbers::Script);
        let mut proof = Proof::new(form, &Scale::INFERRED.instrument(venues::ALL[0], "X"));
        let mut top = TopOrders::default();
        assert!(top.agree(crc32(b""), &mut proof, (&books, book), |id| id));
        top.forget();
        for (id, side, price, qty) in
            [(9, Side::Bid, 100, 5), (8, Side::Bid, 101, 6), (3, Side::Bid, 100, 7), (4, Side::Ask, 102, 8)]
        {
            books.add(book, OrderId(id), side, Price(price), Qty(qty)).unwrap();
        }
        assert!(top.agree(crc32(b"8:6:4:-8:3:7:9:5"), &mut proof, (&books, book), |id| id));
        for id in 20..60 {
            books.add(book, OrderId(id), Side::Bid, Price(80 - id as i64 / 10), Qty(1)).unwrap();
        }
        let all = |price: i64| Levels { bids: vec![Level::new(price, 1)], asks: Vec::new() };
        top.touched(&all(78));
        let ids = (20..42).map(|id| format!(":{id}:1")).collect::<String>();
        let text = format!("8:6:4:-8:3:7:9:5{ids}");
        assert!(top.agree(crc32(text.as_bytes()), &mut proof, (&books, book), |id| id), "the best 25");
        books.delete(book, OrderId(59)).unwrap();
        top.touched(&all(75));
        assert!(top.made.is_some(), "behind the 25th");
        top.touched(&all(76));
        assert!(top.made.is_none());
    }
}
