//! The events of a pair's orders that were heard of late, among which a book of orders that was asked for has its place.
//!
//! A book that holds an event holds all before it, those that nobody heard included. It shows to hold one by an order that has come with
//! it, or has become what it is with it. That an order is not there shows nothing by itself: it may be gone, or not have come
//! yet. A book that shows no event, or one and not another before it, is not joined to them.

use std::collections::{HashMap, VecDeque};

use crate::types::{OrderChange, OrderId, Price, Qty, Route};

/// Events that are kept: ten seconds of a busy pair, for an answer may be slow.
const EVENTS_MAX: usize = 4_096;

/// Where an order rests, and with how much; none where it does not rest.
type State = Option<(Price, Qty)>;

/// See the module. No event is missing between those that it holds.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Recent {
    /// Power of ten of prices and of quantities.
    exponents: (i8, i8),
    /// The number of the event before the first one.
    before: u64,
    /// With their numbers.
    events: VecDeque<(u64, OrderChange)>,
    /// Reused by [`Self::place`]: what a book says of the orders of the events, the events by order, and pairs of counts: it holds
    /// at most so many events, or at least so many.
    #[serde(skip)]
    told: HashMap<OrderId, State>,
    #[serde(skip)]
    by_order: Vec<(OrderId, usize)>,
    #[serde(skip)]
    either: Vec<(usize, usize)>,
}

impl Recent {
    /// Nothing that was heard goes on.
    pub(super) fn forget(&mut self) {
        self.events.clear();
    }

    /// The number of the last event.
    fn newest(&self) -> Option<u64> {
        self.events.back().map(|(number, _)| *number)
    }

    /// An event, with the number of the one before.
    pub(super) fn heard(&mut self, route: Route, (before, number): (u64, u64), change: OrderChange) {
        let exponents = (route.price_exponent, route.qty_exponent);
        match self.newest() {
            // Again.
            Some(newest) if number <= newest => return,
            Some(newest) if before == newest && exponents == self.exponents => {}
            _ => {
                self.events.clear();
                (self.before, self.exponents) = (before, exponents);
            }
        }
        if self.events.len() >= EVENTS_MAX
            && let Some((gone, _)) = self.events.pop_front()
        {
            self.before = gone;
        }
        self.events.push_back((number, change));
    }

    /// The number of the last event that a book of these orders shows to hold. None where it shows none, or is no book of these
    /// events. Cost: a look-up an order, and the sorting of the events.
    pub(super) fn place(&mut self, route: Route, orders: &[OrderChange]) -> Option<u64> {
        if self.exponents != (route.price_exponent, route.qty_exponent) {
            return None;
        }
        self.told.clear();
        self.by_order.clear();
        for (at, (_, change)) in self.events.iter().enumerate() {
            let (id, _) = state(change)?;
            self.told.insert(id, None);
            self.by_order.push((id, at));
        }
        for order in orders {
            let (id, resting) = state(order)?;
            if let Some(told) = self.told.get_mut(&id) {
                *told = resting;
            }
        }
        self.by_order.sort_unstable();
        self.either.clear();
        // It holds so many events at least, and so many at most.
        let (mut least, mut most) = (0, self.events.len());
        for events in self.by_order.chunk_by(|a, b| a.0 == b.0) {
            let (first, last) = (events.first()?, events.last()?);
            let told = self.told.get(&first.0).copied().flatten();
            let after =
                |event: &(OrderId, usize)| self.events.get(event.1).and_then(|(_, change)| state(change));
            let is_told = |event: &(OrderId, usize)| after(event).is_some_and(|(_, is)| is == told);
            let next_of = |at: usize| events.get(at + 1).map_or(self.events.len(), |next| next.1);
            let is_new = matches!(self.events.get(first.1)?.1, OrderChange::Add { .. });
            let latest = events.iter().rposition(is_told);
            match (told, latest) {
                // It came and went: the book is of before or of behind. So it may have where its coming was not heard.
                (None, Some(_)) => self.either.push((if is_new { first.1 } else { 0 }, last.1 + 1)),
                (Some(_), Some(at)) => {
                    least = least.max(events.get(at)?.1 + 1);
                    most = most.min(next_of(at));
                }
                (None, None) => most = if is_new { most.min(first.1) } else { 0 },
                // As it was before its first event, unless that is the one by which it came.
                (Some(_), None) if !is_new => most = most.min(first.1),
                (Some(_), None) => return None,
            }
        }
        self.either.sort_unstable();
        for &(at_most, at_least) in &self.either {
            if least > at_most {
                least = least.max(at_least);
            }
        }
        let last = (least <= most).then_some(least)?.checked_sub(1)?;
        self.events.get(last).map(|(number, _)| *number)
    }
}

/// What becomes of an order by an event, or what a book says of it.
const fn state(change: &OrderChange) -> Option<(OrderId, State)> {
    match *change {
        OrderChange::Add { id, price, qty, .. } | OrderChange::Modify { id, price, qty, .. } => {
            Some((id, Some((price, qty))))
        }
        OrderChange::Delete { id } => Some((id, None)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Side, Slot};

    const ROUTE: Route = Route { slot: Slot(0), price_exponent: 0, qty_exponent: 0 };

    /// The number of the event before the first one.
    const BEFORE: u64 = 1_000;

    fn random(state: &mut u64, below: u64) -> u64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(*state ^ (*state >> 31)) * u128::from(below)) >> 64) as u64
    }

    fn add(id: u64, qty: i64) -> OrderChange {
        OrderChange::Add { id: OrderId(id), side: Side::Bid, price: Price(7), qty: Qty(qty) }
    }

    /// Events of a market, and its orders before each and behind the last one.
    fn market(seed: u64, len: usize) -> (Vec<OrderChange>, Vec<Vec<OrderChange>>) {
        let mut state = seed;
        let mut orders: Vec<(u64, i64)> = (0..6).map(|id| (id, 9)).collect();
        let (mut events, mut books) = (Vec::new(), Vec::new());
        for id in 10..10 + len as u64 {
            books.push(orders.iter().map(|&(id, qty)| add(id, qty)).collect());
            let at = random(&mut state, orders.len() as u64 + 1) as usize;
            events.push(match orders.get_mut(at) {
                Some((id, qty)) if *qty > 1 && random(&mut state, 3) == 0 => {
                    *qty -= 1;
                    let (id, side) = (OrderId(*id), Side::Bid);
                    OrderChange::Modify { id, side, price: Price(7), qty: Qty(*qty) }
                }
                Some(_) if random(&mut state, 2) == 0 => {
                    OrderChange::Delete { id: OrderId(orders.remove(at).0) }
                }
                _ => {
                    orders.push((id, 9));
                    add(id, 9)
                }
            });
        }
        books.push(orders.iter().map(|&(id, qty)| add(id, qty)).collect());
        (events, books)
    }

    #[test]
    fn a_book_has_the_place_of_the_last_event_that_it_holds() {
        let (mut same, mut unplaced, mut refused) = (0, 0, 0);
        for seed in 0..400 {
            let (events, books) = market(seed, 40);
            let mut recent = Recent::default();
            for (at, event) in events.iter().enumerate() {
                recent.heard(ROUTE, (BEFORE + at as u64, BEFORE + at as u64 + 1), *event);
            }
            let sorted = |book: &[OrderChange]| {
                let mut book: Vec<_> = book.iter().map(|order| state(order).unwrap()).collect();
                book.sort_unstable();
                book
            };
            for (holds, book) in books.iter().enumerate() {
                // Where nothing tells two places apart, the book of both is the same.
                match recent.place(ROUTE, book) {
                    Some(found) => {
                        let found = (found - BEFORE) as usize;
                        assert!(
                            found > 0 && sorted(&books[found]) == sorted(book),
                            "seed {seed}: {holds}, {found}"
                        );
                        same += usize::from(found == holds);
                    }
                    None => unplaced += usize::from(holds > 0),
                }
            }
            // Events that were not heard: a book of before them is never taken for one of behind them.
            let mut deaf = Recent::default();
            for (at, event) in events.iter().enumerate().skip(20) {
                deaf.heard(ROUTE, (BEFORE + at as u64, BEFORE + at as u64 + 1), *event);
            }
            for book in &books[..20] {
                if !books[20..].iter().any(|other| sorted(other) == sorted(book)) {
                    assert_eq!(deaf.place(ROUTE, book), None, "seed {seed}");
                }
            }
            // With an order of later, and without what came before that.
            let added = events[20..].iter().find(|event| matches!(event, OrderChange::Add { .. }));
            let mut wrong = books[10].clone();
            wrong.extend(added.copied());
            let is_any = books.iter().any(|book| sorted(book) == sorted(&wrong));
            assert!(is_any || recent.place(ROUTE, &wrong).is_none(), "seed {seed}");
            refused += usize::from(!is_any);
        }
        assert!(same > 8_000 && unplaced < 2_000 && refused > 100, "{same} {unplaced} {refused}");
    }

    #[test]
    fn what_is_kept_has_no_hole_and_a_limit() {
        let mut recent = Recent::default();
        assert_eq!(recent.place(ROUTE, &[add(1, 1)]), None, "nothing was heard");
        recent.heard(ROUTE, (5, 7), add(1, 1));
        recent.heard(ROUTE, (7, 9), add(2, 1));
        recent.heard(ROUTE, (5, 7), add(1, 1));
        assert_eq!(recent.place(ROUTE, &[add(1, 1)]), Some(7));
        assert_eq!(recent.place(ROUTE, &[add(1, 1), add(2, 1)]), Some(9));
        assert_eq!(recent.place(ROUTE, &[]), None, "it holds none");
        let finer = Route { qty_exponent: -1, ..ROUTE };
        assert_eq!(recent.place(finer, &[add(1, 1)]), None, "another scale");
        recent.heard(ROUTE, (8, 11), add(3, 1));
        assert_eq!(recent.place(ROUTE, &[add(1, 1)]), None, "what was between 9 and 11 is not known");
        for number in 12..20_000 {
            recent.heard(ROUTE, (number - 1, number), add(number, 1));
        }
        assert_eq!(recent.events.len(), EVENTS_MAX);
        assert_eq!(recent.before, 19_999 - EVENTS_MAX as u64);
    }
}
