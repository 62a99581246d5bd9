//! Price-level books of others, on the decoded updates of a workload: prices and quantities in each one's number type
//! are made outside the time, the exact best bid and ask are read after each message and hashed as ours are.

use depthwire_bench::answer::mix_top;
use depthwire_bench::report::Row;
use depthwire_bench::timing::{Contender, Run, timed};
use depthwire_bench::workload::{LevelBook, LevelStream, Workload};
use depthwire_core::types::{Level, Levels, Price, Qty, Side};
use hftbacktest::depth::{
    BTreeMarketDepth, FusedHashMapMarketDepth, HashMapMarketDepth, INVALID_MAX, INVALID_MIN, L2MarketDepth,
    MarketDepth, ROIVectorMarketDepth,
};
use hftbacktest::types::{BUY_EVENT, DEPTH_EVENT, Event, SELL_EVENT};
use nautilus_core::UnixNanos;
use nautilus_model::data::BookOrder;
use nautilus_model::enums::{BookType, OrderSide};
use nautilus_model::identifiers::InstrumentId;
use nautilus_model::orderbook::OrderBook;
use nautilus_model::types::{Price as NautilusPrice, Quantity};

use crate::decimal_books::{Barter, Bounded};

/// Prices and quantities above this are no longer exact in the floats that some peers take.
const FLOAT_EXACT_MAX: i64 = 1 << 53;

/// A book of another's making.
pub trait Peer: Sized {
    /// One level's change in its own types.
    type Change;
    fn new(of: &LevelBook) -> Self;
    fn change(of: &LevelBook, side: Side, level: Level, message: u64) -> Self::Change;
    fn clear(&mut self);
    fn apply(&mut self, change: &Self::Change);
    fn top(&self) -> (Option<Level>, Option<Level>);
}

/// The contenders, and rows for those that cannot hold the workload's numbers.
pub fn contenders(workload: &Workload) -> (Vec<Contender<'_>>, Vec<Row>) {
    let Some(stream) = &workload.levels else { return Default::default() };
    let all = stream.books.iter().map(|book| &book.snapshot).chain(stream.updates.iter().map(|u| &u.levels));
    let largest = all
        .flat_map(|levels| levels.bids.iter().chain(&levels.asks))
        .map(|level| level.price.0.saturating_abs().max(level.qty.0))
        .max();
    if largest.is_some_and(|largest| largest > FLOAT_EXACT_MAX) {
        return (Vec::new(), vec![absent(workload, "peers", "their number types cannot hold its prices")]);
    }
    let mut contenders = vec![
        passes::<Ninja>("ninjabook", stream).noted("prices in ticks as floats"),
        passes::<Hft<HashMapMarketDepth>>("hftbacktest HashMap", stream),
        passes::<Hft<BTreeMarketDepth>>("hftbacktest BTreeMap", stream),
        passes::<Hft<FusedHashMapMarketDepth>>("hftbacktest Fused", stream),
        passes::<Nautilus>("nautilus-model", stream),
        passes::<Barter>("barter-data", stream).noted("an event a level"),
    ];
    let mut absents = Vec::new();
    let mut bounded = passes::<Bounded>("depthbook", stream).noted("keeps 200 levels a side");
    if (bounded.run)().answer == bounded.expected {
        contenders.push(bounded);
    } else {
        absents.push(absent(workload, "depthbook", "keeps 200 levels a side, and the workload has more"));
    }
    if stream.books.len() > 1 {
        let why = "wants to know the range of each book's prices beforehand";
        absents.push(absent(workload, "hftbacktest ROIVector", why));
        return (contenders, absents);
    }
    contenders.push(
        passes::<Hft<ROIVectorMarketDepth>>("hftbacktest ROIVector", stream)
            .noted("ignores prices further than 10 % from the first best"),
    );
    (contenders, absents)
}

fn absent(workload: &Workload, contender: &'static str, why: &str) -> Row {
    Row::absent(("l2_apply", workload.name), contender, "ns/level change", why)
}

fn passes<'a, P: Peer + 'a>(name: &'static str, stream: &'a LevelStream) -> Contender<'a> {
    let mut books: Vec<P> = stream.books.iter().map(P::new).collect();
    let changes = |of: &LevelBook, levels: &Levels, message: u64| -> Vec<P::Change> {
        let side = |side: Side| levels.side(side).iter().map(move |level| (side, *level));
        side(Side::Bid)
            .chain(side(Side::Ask))
            .map(|(side, level)| P::change(of, side, level, message))
            .collect()
    };
    let snapshots: Vec<_> = stream.books.iter().map(|book| changes(book, &book.snapshot, 0)).collect();
    // All changes in one piece, as a reader of a file would have them; each message says how many are its own.
    let mut all = Vec::with_capacity(stream.level_changes as usize);
    let mut messages = Vec::with_capacity(stream.updates.len());
    for (index, update) in stream.updates.iter().enumerate() {
        let of = &stream.books[update.book as usize];
        all.extend(changes(of, &update.levels, index as u64 + 1));
        messages.push((update.book as usize, update.levels.len()));
    }
    let run = move || {
        for (book, snapshot) in books.iter_mut().zip(&snapshots) {
            book.clear();
            snapshot.iter().for_each(|change| book.apply(change));
        }
        let (elapsed, tops) = timed(|| replay(&mut books, &messages, &all));
        Run { elapsed, answer: format!("tops {tops:016x}") }
    };
    Contender::new(name, stream.level_changes, format!("tops {:016x}", stream.tops), run)
}

#[inline(never)]
fn replay<P: Peer>(books: &mut [P], messages: &[(usize, usize)], mut changes: &[P::Change]) -> u64 {
    let mut hash = 0;
    for &(index, count) in messages {
        let book = &mut books[index];
        let (own, rest) = changes.split_at(count);
        changes = rest;
        own.iter().for_each(|change| book.apply(change));
        hash = mix_top(hash, book.top(), true);
    }
    hash
}

/// `ninjabook`: its tick is 1, since with a fraction for a tick two prices can fall into one.
struct Ninja(ninjabook::orderbook::Orderbook);

impl Peer for Ninja {
    type Change = ninjabook::event::Event;

    fn new(_: &LevelBook) -> Self {
        Self(ninjabook::orderbook::Orderbook::new(1.0))
    }

    fn change(_: &LevelBook, side: Side, level: Level, message: u64) -> Self::Change {
        ninjabook::event::Event {
            timestamp: message,
            seq: message,
            is_trade: false,
            is_buy: side == Side::Bid,
            price: level.price.0 as f64,
            size: level.qty.0 as f64,
        }
    }

    fn clear(&mut self) {
        *self = Self(ninjabook::orderbook::Orderbook::new(1.0));
    }

    #[inline]
    fn apply(&mut self, change: &Self::Change) {
        self.0.process(*change);
    }

    #[inline]
    fn top(&self) -> (Option<Level>, Option<Level>) {
        let level = |level: ninjabook::level::Level| Level::new(level.price as i64, level.size as i64);
        (self.0.best_bid().map(level), self.0.best_ask().map(level))
    }
}

/// The depths of `hftbacktest`.
struct Hft<D> {
    depth: D,
    tick_size: i64,
}

trait Depth: MarketDepth {
    fn open(tick_size: f64, near: f64) -> Self;
    fn clear(&mut self);
    fn update(&mut self, side: Side, price: f64, qty: f64, time: i64);
}

macro_rules! depth {
    ($depth:ty, $open:expr) => {
        impl Depth for $depth {
            fn open(tick_size: f64, near: f64) -> Self {
                $open(tick_size, near)
            }

            fn clear(&mut self) {
                self.clear_depth(hftbacktest::types::Side::None, 0.0);
            }

            #[inline]
            fn update(&mut self, side: Side, price: f64, qty: f64, time: i64) {
                match side {
                    Side::Bid => self.update_bid_depth(price, qty, time),
                    Side::Ask => self.update_ask_depth(price, qty, time),
                };
            }
        }
    };
}

depth!(HashMapMarketDepth, |tick_size, _| Self::new(tick_size, 1.0));
depth!(BTreeMarketDepth, |tick_size, _| Self::new(tick_size, 1.0));
depth!(ROIVectorMarketDepth, |tick_size, near: f64| Self::new(tick_size, 1.0, near * 0.9, near * 1.1));

/// This one takes whole events and keeps a time for each price, which clearing does not set back.
impl Depth for FusedHashMapMarketDepth {
    fn open(tick_size: f64, _: f64) -> Self {
        Self::new(tick_size, 1.0)
    }

    fn clear(&mut self) {
        *self = Self::new(self.tick_size, 1.0);
    }

    #[inline]
    fn update(&mut self, side: Side, px: f64, qty: f64, time: i64) {
        let event =
            |ev| Event { ev, exch_ts: time, local_ts: time, px, qty, order_id: 0, ival: 0, fval: 0.0 };
        match side {
            Side::Bid => self.update_bid_depth(event(BUY_EVENT | DEPTH_EVENT)),
            Side::Ask => self.update_ask_depth(event(SELL_EVENT | DEPTH_EVENT)),
        };
    }
}

impl<D: Depth> Peer for Hft<D> {
    type Change = (Side, f64, f64, i64);

    fn new(of: &LevelBook) -> Self {
        let tick_size = of.spec.tick_size.max(1);
        let near = of.snapshot.bids.iter().chain(&of.snapshot.asks).next().map_or(0, |level| level.price.0);
        Self { depth: D::open(tick_size as f64, near as f64), tick_size }
    }

    fn change(_: &LevelBook, side: Side, level: Level, message: u64) -> Self::Change {
        (side, level.price.0 as f64, level.qty.0 as f64, message as i64)
    }

    fn clear(&mut self) {
        self.depth.clear();
    }

    #[inline]
    fn apply(&mut self, &(side, price, qty, time): &Self::Change) {
        self.depth.update(side, price, qty, time);
    }

    #[inline]
    fn top(&self) -> (Option<Level>, Option<Level>) {
        let level = |tick: i64, none: i64, qty: f64| {
            (tick != none).then(|| Level { price: Price(tick * self.tick_size), qty: Qty(qty as i64) })
        };
        let depth = &self.depth;
        (
            level(depth.best_bid_tick(), INVALID_MIN, depth.best_bid_qty()),
            level(depth.best_ask_tick(), INVALID_MAX, depth.best_ask_qty()),
        )
    }
}

/// The book of `nautilus-model` for price levels, by its methods for single changes, which check least.
struct Nautilus {
    book: OrderBook,
    /// What one unit of a price and of a quantity is in its fixed point of nine digits.
    units: (i64, i64),
}

/// Digits of nautilus' fixed point without its feature for more.
const NAUTILUS_DIGITS: i8 = 9;

impl Nautilus {
    fn units(of: &LevelBook) -> (i64, i64) {
        let unit = |exponent: i8| 10_i64.pow((NAUTILUS_DIGITS + exponent).unsigned_abs().into());
        (unit(of.price_exponent), unit(of.qty_exponent))
    }
}

impl Peer for Nautilus {
    type Change = (BookOrder, u64);

    fn new(of: &LevelBook) -> Self {
        let book = OrderBook::new(InstrumentId::from("BOOK.SIM"), BookType::L2_MBP);
        Self { book, units: Self::units(of) }
    }

    fn change(of: &LevelBook, side: Side, level: Level, message: u64) -> Self::Change {
        let (price_unit, qty_unit) = Self::units(of);
        let side = if side == Side::Bid { OrderSide::Buy } else { OrderSide::Sell };
        let price = NautilusPrice::from_raw((level.price.0 * price_unit).into(), NAUTILUS_DIGITS as u8);
        let size = Quantity::from_raw((level.qty.0 * qty_unit) as u64, NAUTILUS_DIGITS as u8);
        (BookOrder::new(side, price, size, 0), message)
    }

    fn clear(&mut self) {
        self.book.reset();
    }

    #[inline]
    fn apply(&mut self, &(order, message): &Self::Change) {
        let time = UnixNanos::default();
        if order.size.raw == 0 {
            self.book.delete(order, 0, message, time);
        } else {
            self.book.update(order, 0, message, time);
        }
    }

    #[inline]
    fn top(&self) -> (Option<Level>, Option<Level>) {
        let level = |price: Option<NautilusPrice>, size: Option<Quantity>| {
            Some(Level::new(price?.raw / self.units.0, size?.raw as i64 / self.units.1))
        };
        let book = &self.book;
        (
            level(book.best_bid_price(), book.best_bid_size()),
            level(book.best_ask_price(), book.best_ask_size()),
        )
    }
}
