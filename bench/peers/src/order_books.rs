//! Order-by-order books of others, on the decoded changes of a workload. What each method wants to know beside a change
//! (what is left of the order, where it stands) is found outside the time. One of them reads only the price of its top
//! without adding a queue up, so prices are what is read and compared after each change.
//!
//! A matching engine trades orders that cross, which a recording has before the opening. Such a book must agree on nearly
//! all tops, the row says on how many, and every round must repeat what the first pass came to.

use std::collections::HashMap;
use std::rc::Rc;

use depthwire_bench::answer::mix;
use depthwire_bench::l3_answer::OrderBooks;
use depthwire_bench::report::Row;
use depthwire_bench::timing::{Contender, Run, timed};
use depthwire_bench::workload::{OrderStream, Workload};
use depthwire_core::book::l3::NaiveL3;
use depthwire_core::types::{Level, OrderChange, OrderId, Side};
use nautilus_core::UnixNanos;
use nautilus_model::data::BookOrder;
use nautilus_model::enums::{BookType, OrderSide};
use nautilus_model::identifiers::InstrumentId;
use nautilus_model::orderbook::OrderBook as NautilusBook;
use nautilus_model::types::{Price, Quantity};
use orderbook_rs::DefaultOrderBook;
use pricelevel::{Id, OrderUpdate, TimeInForce};

/// Share of the tops on which a matching engine must agree, in thousandths.
const AGREED_PERMILLE_MIN: usize = 950;

/// An order after a change.
#[derive(Clone, Copy)]
struct Order {
    id: u64,
    side: Side,
    price: i64,
    qty: i64,
}

/// A change as a book wants it that is told the whole order each time.
enum Change {
    Add(Order),
    /// The order has this quantity now, at the same price.
    Resize(Order),
    /// The order stands at another price now.
    Move(Order),
    Remove(Order),
    /// Of a book that is empty.
    Nothing,
}

/// A book of another's making.
trait Peer {
    fn new() -> Self;
    fn apply(&mut self, change: &Change);
    /// Best bid and best ask price, 0 where there is none.
    fn top(&self) -> (i64, i64);
}

/// The contenders, or a row that says why there are none.
pub fn contenders(workload: &Workload) -> (Vec<Contender<'_>>, Vec<Row>) {
    let Some(stream) = &workload.orders else { return Default::default() };
    if workload.name == "hostile" {
        let why = "its prices cross, which one matches, and go beyond what the other's can be";
        return (Vec::new(), vec![Row::absent(("l3_apply", workload.name), "peers", "ns/order change", why)]);
    }
    let changes = told_whole(stream);
    let tops = top_prices(stream);
    let contenders = vec![
        passes::<Nautilus>("nautilus-model", stream, &changes, &tops),
        passes::<Skip>("orderbook-rs", stream, &changes, &tops),
    ];
    (contenders, Vec::new())
}

fn passes<'a, P: Peer>(
    name: &'static str,
    stream: &'a OrderStream,
    changes: &Rc<(Vec<Change>, usize)>,
    tops: &[(i64, i64)],
) -> Contender<'a> {
    let changes = changes.clone();
    let (expected, note) = agreed::<P>(&changes, tops);
    let run = move || {
        let mut book = P::new();
        let (changes, lead) = &*changes;
        let (lead, measured) = changes.split_at(*lead);
        replay(&mut book, lead);
        let (elapsed, tops) = timed(|| replay(&mut book, measured));
        Run { elapsed, answer: format!("top prices {tops:016x}") }
    };
    Contender::new(name, stream.measured().len() as u64, expected, run).noted(note)
}

/// What a book must answer, by a first pass that compares each of its tops with the oracle's.
fn agreed<P: Peer>((changes, lead): &(Vec<Change>, usize), tops: &[(i64, i64)]) -> (String, String) {
    let mut book = P::new();
    let (lead, measured) = changes.split_at(*lead);
    replay(&mut book, lead);
    let (mut hash, mut same) = (0, 0);
    let mut expected = tops.iter();
    for change in measured {
        book.apply(change);
        if has_top(change) {
            let top = book.top();
            hash = mix_top(hash, top);
            same += usize::from(expected.next() == Some(&top));
        }
    }
    let all = tops.len();
    let enough = same * 1_000 >= all * AGREED_PERMILLE_MIN && expected.next().is_none();
    let wanted = if enough { hash } else { tops.iter().fold(0, |hash, top| mix_top(hash, *top)) };
    let note = if same == all {
        "prices of the top only".to_owned()
    } else {
        format!("prices of the top only; {same} of {all} equal, since it trades what crosses")
    };
    (format!("top prices {wanted:016x}"), note)
}

#[inline(never)]
fn replay<P: Peer>(book: &mut P, changes: &[Change]) -> u64 {
    let mut hash = 0;
    for change in changes {
        book.apply(change);
        if has_top(change) {
            hash = mix_top(hash, book.top());
        }
    }
    hash
}

#[inline]
fn mix_top(hash: u64, (bid, ask): (i64, i64)) -> u64 {
    mix(mix(hash, bid as u64), ask as u64)
}

/// The first half of a replacement is a change of its own, but has no top of its own.
#[inline]
fn has_top(change: &Change) -> bool {
    !matches!(change, Change::Remove(Order { qty: REPLACED, .. }))
}

/// Marks the order that a replacement takes away.
const REPLACED: i64 = -1;

/// The oracle's best prices after each measured change, 0 for none.
fn top_prices(stream: &OrderStream) -> Vec<(i64, i64)> {
    let Ok(mut oracle) = NaiveL3::open_all(&stream.spec, &stream.books) else { return Vec::new() };
    let tops = stream.changes.iter().map(|(book, change)| {
        OrderBooks::apply(&mut oracle, *book, change);
        let bbo = OrderBooks::bbo(&oracle, *book);
        let price = |level: Option<Level>| level.map_or(0, |level| level.price.0);
        (price(bbo.bid), price(bbo.ask))
    });
    tops.skip(stream.lead).collect()
}

/// The changes with whole orders in them, and how many of them are the lead.
fn told_whole(stream: &OrderStream) -> Rc<(Vec<Change>, usize)> {
    let mut resting: HashMap<OrderId, Order> = HashMap::new();
    let mut changes = Vec::with_capacity(stream.changes.len());
    let mut lead = 0;
    for (index, (_, change)) in stream.changes.iter().enumerate() {
        if index == stream.lead {
            lead = changes.len();
        }
        match *change {
            OrderChange::Add { id, side, price, qty } => {
                let order = Order { id: id.0, side, price: price.0, qty: qty.0 };
                resting.insert(id, order);
                changes.push(Change::Add(order));
            }
            OrderChange::Reduce { id, qty }
            | OrderChange::Execute { id, qty }
            | OrderChange::Cancel { id, qty, .. } => {
                let order = resting.get_mut(&id).expect("a recorded change names an order that rests");
                order.qty -= qty.0;
                let order = *order;
                if order.qty > 0 {
                    changes.push(Change::Resize(order));
                } else {
                    resting.remove(&id);
                    changes.push(Change::Remove(order));
                }
            }
            OrderChange::Modify { id, side, price, qty } | OrderChange::Upsert { id, side, price, qty } => {
                let order = Order { id: id.0, side, price: price.0, qty: qty.0 };
                changes.push(match resting.insert(id, order) {
                    None => Change::Add(order),
                    Some(before) if before.price == order.price => Change::Resize(order),
                    Some(_) => Change::Move(order),
                });
            }
            OrderChange::Replace { id, new_id, price, qty } => {
                let old = resting.remove(&id).expect("a recorded change names an order that rests");
                changes.push(Change::Remove(Order { qty: REPLACED, ..old }));
                let order = Order { id: new_id.0, side: old.side, price: price.0, qty: qty.0 };
                resting.insert(new_id, order);
                changes.push(Change::Add(order));
            }
            OrderChange::Delete { id } => {
                let order = resting.remove(&id).expect("a recorded change names an order that rests");
                changes.push(Change::Remove(order));
            }
            OrderChange::Clear => {
                assert!(resting.is_empty(), "a book that is cleared while orders rest");
                changes.push(Change::Nothing);
            }
        }
    }
    Rc::new((changes, lead))
}

/// The order-by-order book of `nautilus-model`, by its methods for single changes, which check least. Its fixed point
/// has nine digits; prices of less are taken as they are, since the book only orders them.
struct Nautilus(NautilusBook);

impl Nautilus {
    #[inline]
    fn order(order: &Order) -> BookOrder {
        let side = if order.side == Side::Bid { OrderSide::Buy } else { OrderSide::Sell };
        BookOrder {
            side,
            price: Price { raw: order.price, precision: 9 },
            size: Quantity { raw: order.qty as u64, precision: 0 },
            order_id: order.id,
        }
    }
}

impl Peer for Nautilus {
    fn new() -> Self {
        Self(NautilusBook::new(InstrumentId::from("BOOK.SIM"), BookType::L3_MBO))
    }

    #[inline]
    fn apply(&mut self, change: &Change) {
        let time = UnixNanos::default();
        match change {
            Change::Add(order) => self.0.add(Self::order(order), 0, 0, time),
            Change::Resize(order) | Change::Move(order) => self.0.update(Self::order(order), 0, 0, time),
            Change::Remove(order) => self.0.delete(Self::order(order), 0, 0, time),
            Change::Nothing => {}
        }
    }

    #[inline]
    fn top(&self) -> (i64, i64) {
        let raw = |price: Option<Price>| price.map_or(0, |price| price.raw);
        (raw(self.0.best_bid_price()), raw(self.0.best_ask_price()))
    }
}

/// The matching engine of `orderbook-rs`: its skip lists of price levels.
struct Skip(DefaultOrderBook);

impl Peer for Skip {
    fn new() -> Self {
        Self(DefaultOrderBook::new("BOOK"))
    }

    #[inline]
    fn apply(&mut self, change: &Change) {
        let done = match *change {
            Change::Add(Order { id, side, price, qty }) => {
                let side = if side == Side::Bid { pricelevel::Side::Buy } else { pricelevel::Side::Sell };
                let (id, price, qty) = (Id::from_u64(id), price as u128, qty as u64);
                self.0.add_limit_order(id, price, qty, side, TimeInForce::Gtc, None).is_ok()
            }
            Change::Resize(Order { id, qty, .. }) => {
                let new_quantity = pricelevel::Quantity::new(qty as u64);
                let update = OrderUpdate::UpdateQuantity { order_id: Id::from_u64(id), new_quantity };
                self.0.update_order(update).is_ok()
            }
            Change::Move(Order { id, price, qty, .. }) => {
                let update = OrderUpdate::UpdatePriceAndQuantity {
                    order_id: Id::from_u64(id),
                    new_price: pricelevel::Price::new(price as u128),
                    new_quantity: pricelevel::Quantity::new(qty as u64),
                };
                self.0.update_order(update).is_ok()
            }
            Change::Remove(Order { id, .. }) => self.0.cancel_order(Id::from_u64(id)).is_ok(),
            Change::Nothing => true,
        };
        // A refusal shows in the tops.
        std::hint::black_box(done);
    }

    #[inline]
    fn top(&self) -> (i64, i64) {
        let price = |price: Option<u128>| price.map_or(0, |price| price as i64);
        (price(self.0.best_bid()), price(self.0.best_ask()))
    }
}
