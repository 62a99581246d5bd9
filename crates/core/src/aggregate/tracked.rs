//! A view that is computed again only after a message that could have changed it.

use crate::book::{L2Book, Touched};
use crate::types::{Price, Side};

/// How deep an answer looked on each side: a change at a worse price leaves it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Lowest bid price that matters.
    pub bid: Price,
    /// Highest ask price that matters.
    pub ask: Price,
}

impl Reach {
    /// No price matters.
    pub const NOTHING: Self = Self { bid: Price(i64::MAX), ask: Price(i64::MIN) };

    /// Every price matters.
    pub const WHOLE: Self = Self { bid: Price(i64::MIN), ask: Price(i64::MAX) };

    /// The same with one side down to a price.
    #[must_use]
    pub const fn with(mut self, side: Side, price: Price) -> Self {
        match side {
            Side::Bid => self.bid = price,
            Side::Ask => self.ask = price,
        }
        self
    }

    /// Whether a message that named these prices may have changed what was looked at: one compare a side.
    #[inline]
    #[must_use]
    pub fn meets(self, touched: Touched) -> bool {
        touched.bid.is_some_and(|price| price >= self.bid)
            || touched.ask.is_some_and(|price| price <= self.ask)
    }
}

/// Something that is computed from a book.
pub trait View {
    /// What comes out; reused from one computation to the next.
    type Answer: Default;

    /// Computes it and says how deep it looked.
    fn compute(&self, book: &L2Book, answer: &mut Self::Answer) -> Reach;
}

/// A view with its last answer.
///
/// Its owner passes on what [`L2Book::apply`] returned, and calls [`Self::invalidate`] after [`L2Book::load`] and
/// [`L2Book::clear`]. Allocates when an answer is longer than any before.
#[derive(Clone, Debug, Default)]
pub struct Tracked<V: View> {
    view: V,
    answer: V::Answer,
    /// How deep the answer looked; none when it is not the book's.
    reach: Option<Reach>,
}

impl<V: View> Tracked<V> {
    /// A view without an answer.
    #[must_use]
    pub fn new(view: V) -> Self {
        Self { view, answer: V::Answer::default(), reach: None }
    }

    /// Notes a message.
    #[inline]
    pub fn touch(&mut self, touched: Touched) {
        if self.reach.is_some_and(|reach| reach.meets(touched)) {
            self.reach = None;
        }
    }

    /// Notes that the book is another.
    pub fn invalidate(&mut self) {
        self.reach = None;
    }

    /// Whether the last answer still holds.
    #[inline]
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.reach.is_some()
    }

    /// What is computed.
    pub const fn view(&self) -> &V {
        &self.view
    }

    /// The answer for the book as it is, which is the book of the messages noted.
    #[inline]
    pub fn read(&mut self, book: &L2Book) -> &V::Answer {
        if self.reach.is_none() {
            self.reach = Some(self.view.compute(book, &mut self.answer));
        }
        &self.answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::BookSpec;
    use crate::types::{KnownTo, Level, Levels};
    use std::cell::Cell;

    /// Counts how often it is computed; looks at the best bid and down to ask 110.
    #[derive(Default)]
    struct Counter(Cell<u32>);

    impl View for Counter {
        type Answer = Option<Level>;

        fn compute(&self, book: &L2Book, answer: &mut Self::Answer) -> Reach {
            self.0.set(self.0.get() + 1);
            *answer = book.best_bid();
            answer.map_or(Reach::WHOLE, |best| Reach { bid: best.price, ask: Price(110) })
        }
    }

    #[test]
    fn computes_again_only_what_a_message_may_have_changed() {
        let mut book = L2Book::new(BookSpec { tick_size: 1, levels_max: 100 });
        let levels = |bids: &[i64], asks: &[i64]| {
            let all = |prices: &[i64]| prices.iter().map(|&price| Level::new(price, price)).collect();
            Levels { bids: all(bids), asks: all(asks) }
        };
        book.load(levels(&[100], &[105]).view(), KnownTo::WHOLE).unwrap();
        let mut tracked = Tracked::new(Counter::default());
        let mut read = |frame: Levels, computed: u32| {
            tracked.touch(book.apply(frame.view()).unwrap());
            assert_eq!(tracked.is_clean(), tracked.view().0.get() == computed);
            assert_eq!(*tracked.read(&book), book.best_bid());
            assert_eq!(tracked.view().0.get(), computed, "{frame:?}");
            tracked.read(&book);
        };
        read(levels(&[], &[]), 1);
        read(levels(&[99, 50], &[111]), 1);
        read(levels(&[100], &[]), 2);
        read(levels(&[], &[200, 110]), 3);
        read(levels(&[50, 101], &[]), 4);
        read(levels(&[100], &[]), 4);
        tracked.invalidate();
        assert!(!tracked.is_clean());
    }

    #[test]
    fn a_reach_is_set_side_by_side() {
        let bid = |price| Touched { bid: Some(Price(price)), ask: None };
        let ask = |price| Touched { bid: None, ask: Some(Price(price)) };
        let reach = Reach::NOTHING.with(Side::Bid, Price(10));
        assert!(reach.meets(bid(10)) && !reach.meets(bid(9)) && !reach.meets(ask(i64::MIN + 1)));
        let reach = Reach::NOTHING.with(Side::Ask, Price(10));
        assert!(reach.meets(ask(10)) && !reach.meets(ask(11)) && !reach.meets(Touched::default()));
        assert!(Reach::WHOLE.meets(bid(i64::MIN)) && Reach::WHOLE.meets(ask(i64::MAX)));
    }
}
