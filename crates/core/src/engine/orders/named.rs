//! Orders that their venue names by text. Each has a small number while it rests; a text that names no order holds none.

use super::{ORDERS_MAX, OrderBooks};
use crate::book::l3::{BookIndex, ExternalIds, Order};
use crate::encode::OrderName;
use crate::types::{OrderChange, OrderId, ToldOrders, VenueOrderId};

/// The number of a text that has none: no order rests under it.
const NOBODY: OrderId = OrderId(u64::MAX);

/// Numbers of texts.
#[derive(Debug)]
pub(super) struct NamedOrders {
    ids: ExternalIds,
    /// Changes under numbers; reused.
    changes: Vec<OrderChange>,
    /// Orders that leave with a whole book; reused.
    leaving: Vec<OrderId>,
}

impl NamedOrders {
    /// `hash_seed` is a secret of the process.
    pub(super) fn new(hash_seed: u64) -> Self {
        // Those that rest, and those of one frame beside them: the limit of orders is met before.
        let ids = ExternalIds::new(2 * ORDERS_MAX, hash_seed);
        Self { ids, changes: Vec::new(), leaving: Vec::new() }
    }

    /// What readers call an order, and its text.
    pub(super) fn name_of(&self, id: OrderId) -> (OrderName, &[u8]) {
        let text = self.ids.name(id).unwrap_or_default();
        let numbered = || OrderName::Named(self.ids.serial(id));
        (OrderName::of_text(text).unwrap_or_else(numbered), text)
    }

    /// The text of such a number, while the order rests.
    pub(super) fn text_of(&self, serial: u64) -> &[u8] {
        self.ids.name_of_serial(serial).unwrap_or_default()
    }

    /// The number of a text, a new one if it has none.
    fn assign(&mut self, book: BookIndex, text: &[u8]) -> OrderId {
        let assigned = self.ids.assign(book, text);
        debug_assert!(assigned.is_ok(), "{assigned:?}");
        assigned.unwrap_or(NOBODY)
    }
}

impl OrderBooks {
    /// The changes under numbers of the book, to be given back to [`Self::release`] once they are applied; `None` where their
    /// numbers are the venue's.
    #[inline]
    pub(super) fn numbers(&mut self, book: BookIndex, told: ToldOrders<'_>) -> Option<Vec<OrderChange>> {
        if self.named.is_none() { None } else { self.assign(book, told) }
    }

    #[inline(never)]
    fn assign(&mut self, book: BookIndex, told: ToldOrders<'_>) -> Option<Vec<OrderChange>> {
        let Self { l3, named, .. } = self;
        let named = named.as_mut()?;
        let mut changes = std::mem::take(&mut named.changes);
        changes.clear();
        for change in told.list {
            let text = |id| told.texts.text(id);
            changes.push(match *change {
                OrderChange::Add { .. } | OrderChange::Upsert { .. } => {
                    change.with_ids(|id| named.assign(book, text(id)))
                }
                OrderChange::Replace { id, new_id, price, qty } => OrderChange::Replace {
                    id: named.ids.find(book, text(id)).unwrap_or(NOBODY),
                    new_id: named.assign(book, text(new_id)),
                    price,
                    qty,
                },
                OrderChange::Clear => {
                    named.leaving.extend(l3.orders(book).map(|(id, _)| id));
                    OrderChange::Clear
                }
                _ => change.with_ids(|id| named.ids.find(book, text(id)).unwrap_or(NOBODY)),
            });
        }
        Some(changes)
    }

    /// Takes back the numbers of orders that do not rest after all.
    #[inline]
    pub(super) fn release(&mut self, changes: Option<Vec<OrderChange>>) {
        if let Some(changes) = changes {
            self.release_all(changes);
        }
    }

    #[inline(never)]
    fn release_all(&mut self, changes: Vec<OrderChange>) {
        let Self { l3, named: Some(named), .. } = self else { return };
        let NamedOrders { ids, leaving, .. } = &mut **named;
        let mut release = |id: OrderId| {
            if l3.order(id).is_none() {
                ids.release(id);
            }
        };
        changes.iter().flat_map(OrderChange::ids).for_each(&mut release);
        leaving.drain(..).for_each(release);
        named.changes = changes;
        debug_assert!(
            named.ids.len() == l3.orders_len(),
            "each order that rests has a text, and no other has"
        );
    }

    /// All orders of a book leave, and their texts with them.
    pub(super) fn clear_book(&mut self, book: BookIndex) {
        self.truncate(book, 0, |_, _, _| {});
    }

    /// Orders of levels behind the best so many leave, and their texts with them. `told` is told of each before.
    pub(super) fn truncate(
        &mut self,
        book: BookIndex,
        depth: usize,
        mut told: impl FnMut(OrderId, Order, &Option<Box<NamedOrders>>),
    ) {
        let Self { l3, named, .. } = self;
        let cut = match named {
            None if depth == 0 => l3.clear(book).map(|_| 0),
            _ => l3.truncate_levels(book, depth, |id, order| {
                told(id, order, named);
                if let Some(named) = named {
                    named.ids.release(id);
                }
            }),
        };
        debug_assert!(cut.is_ok(), "an open book can be cut");
    }

    /// The number of an order within the books.
    pub(super) fn id_of(
        &self,
        book: BookIndex,
        id: VenueOrderId<'_>,
        own: impl Fn(OrderId) -> OrderId,
    ) -> Option<OrderId> {
        match (id, &self.named) {
            (VenueOrderId::Number(id), None) => Some(own(id)),
            (VenueOrderId::Text(text), Some(named)) => named.ids.find(book, text),
            _ => None,
        }
    }
}
