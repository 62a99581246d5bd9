//! Whether what a venue says of each level, that it comes, changes or goes, fits the book that it says it of.
//!
//! A lost update seldom leaves a book to which all that follows still fits, so these words are evidence that costs the venue
//! nothing. A lost change of a quantity leaves no trace.

use super::{L2Book, QtyAt};
use crate::types::{Price, Side, Sides, Verb};

/// Holds verbs against a book. Keeps its memory, and nothing of any book.
#[derive(Debug, Default)]
pub struct VerbCheck {
    /// Levels of one side by price, those of one price in the venue's order.
    order: Vec<(Price, u32)>,
}

impl VerbCheck {
    /// Whether each level of an update fits the book as the ones before it leave it. `verbs`: of the bids, then of the asks.
    ///
    /// Where the venue has not made the book known, any verb fits. No price may be told to come with nothing, or to go with
    /// something. Costs a sort of the update and a look at the book for each price. Allocates only for an update longer than
    /// any before.
    #[must_use]
    pub fn fits(&mut self, levels: Sides<'_>, verbs: &[Verb], book: &L2Book) -> bool {
        let Some((bids, asks)) = verbs.split_at_checked(levels.bids.len()) else { return false };
        self.side_fits(Side::Bid, levels, bids, book) && self.side_fits(Side::Ask, levels, asks, book)
    }

    fn side_fits(&mut self, side: Side, levels: Sides<'_>, verbs: &[Verb], book: &L2Book) -> bool {
        let levels = levels.side(side);
        if levels.len() != verbs.len() {
            return false;
        }
        self.order.clear();
        self.order.extend(levels.iter().zip(0..).map(|(level, index)| (level.price, index)));
        self.order.sort_unstable();
        let mut before: Option<(Price, Verb)> = None;
        self.order.iter().all(|&(price, index)| {
            let (Some(level), Some(&verb)) = (levels.get(index as usize), verbs.get(index as usize)) else {
                return false;
            };
            let is_there = match before.replace((price, verb)) {
                Some((same, last)) if same == price => Some(last != Verb::Delete),
                _ => match book.qty_at(side, price) {
                    QtyAt::Known(qty) => Some(qty.0 != 0),
                    QtyAt::Unknown => None,
                },
            };
            let is_contradiction = is_there == Some(verb == Verb::New);
            !is_contradiction && (verb == Verb::Delete) == (level.qty.0 == 0)
        })
    }
}
