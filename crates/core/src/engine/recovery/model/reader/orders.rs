//! A book of orders, which comes whole and then change by change, without numbers.

use super::super::venue::{PRICES, Update, Venue};
use super::{Broken, Reader};

impl Reader {
    /// Part of a book of orders: its beginning, or its end.
    pub(in super::super) fn order_book(&mut self, venue: &Venue, begins: bool) -> Result<(), Broken> {
        if begins {
            self.machine.begin_orders();
            (self.book, self.is_building, self.heard) = ([0; PRICES], true, 0);
        } else {
            if self.is_building {
                (self.book, self.place) = (venue.books[venue.now() as usize], venue.now());
                self.heard = self.place;
            }
            if self.machine.orders_whole(0) {
                self.machine.synced(self.now);
            }
            if std::mem::take(&mut self.is_building) != self.is_synced() && !self.is_synced() {
                return Err("a whole book of orders has not been taken");
            }
        }
        self.check(venue)
    }

    /// Changes of orders.
    pub(super) fn orders(&mut self, venue: &Venue, update: Update) -> Result<(), Broken> {
        self.heard = self.heard.max(update.to);
        if self.machine.takes_orders() && !self.is_building {
            if update.from != self.place {
                return Err("changes of orders were applied that do not continue the book");
            }
            (self.book, self.place) = (venue.books[update.to as usize], update.to);
            if !self.is_synced() {
                self.machine.synced(self.now);
            }
        }
        self.check(venue)
    }
}
