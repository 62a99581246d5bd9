//! Order feeds in plain words: ordered maps and the documents' rules, no eye on speed. What the engine must agree with.

use std::collections::{BTreeMap, HashMap};

use depthwire_core::types::{Level, OrderChange, OrderId, Price, Qty, Side};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    Unknown,
    Building,
    Whole,
}

/// Both sides, best first.
pub type Sides = [Vec<Level>; 2];

#[derive(Debug, Default)]
pub struct Book {
    pub phase: Phase,
    /// What was told at the end of the last event.
    pub told: Sides,
    /// Whether the feed has named it.
    pub is_open: bool,
}

struct Order {
    book: usize,
    side: Side,
    price: Price,
    qty: i64,
}

/// The books of some symbols.
pub struct Model<'a> {
    symbols: &'a [&'a str],
    pub books: Vec<Book>,
    /// By the book whose number it is, if numbers are of one book each, and the number.
    orders: BTreeMap<(usize, u64), Order>,
    /// Whether two books may use the same number.
    pub has_own_numbers: bool,
    /// What a stock locate stands for.
    pub locates: HashMap<u16, Locate>,
    /// Whether an ITCH feed was heard from its first message on.
    pub is_unbroken: bool,
    /// What an instrument's number of DBN stands for, from a time up to another.
    pub numbers: HashMap<u32, Vec<(u64, u64, Option<usize>)>>,
    /// By book.
    pub told: Vec<Told>,
    /// When a file of DBN ends.
    pub end: Option<Option<u64>>,
}

/// What a stock locate of ITCH stands for; without a book where an order could not be read before the symbol was known,
/// and where the symbol is not carried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Locate {
    pub stock: [u8; 8],
    pub book: Option<usize>,
}

/// What a DBN stream has told of a book: publisher and number of its records, and the snapshot that is coming in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    pub origin: Option<(u16, u32)>,
    pub run: Run,
}

/// Whether a snapshot is coming in, or its rest after it was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Run {
    #[default]
    None,
    Open,
    Cleared,
    Broken,
}

impl<'a> Model<'a> {
    pub fn new(symbols: &'a [&'a str]) -> Self {
        Self {
            symbols,
            books: symbols.iter().map(|_| Book::default()).collect(),
            orders: BTreeMap::new(),
            has_own_numbers: false,
            locates: HashMap::new(),
            is_unbroken: false,
            numbers: HashMap::new(),
            told: vec![Told::default(); symbols.len()],
            end: None,
        }
    }

    /// What the orders of a book add up to.
    pub fn levels(&self, book: usize) -> Sides {
        [Side::Bid, Side::Ask].map(|side| {
            let mut levels: BTreeMap<i64, i64> = BTreeMap::new();
            for order in self.orders.values().filter(|order| order.book == book && order.side == side) {
                *levels.entry(order.price.0).or_default() += order.qty;
            }
            let levels = levels.into_iter().map(|(price, qty)| Level::new(price, qty));
            if side == Side::Bid { levels.rev().collect() } else { levels.collect() }
        })
    }

    pub fn find(&self, symbol: &[u8]) -> Option<usize> {
        self.symbols.iter().position(|known| known.as_bytes() == symbol)
    }

    pub fn begin(&mut self, book: usize) {
        self.orders.retain(|_, order| order.book != book);
        self.books[book].phase = Phase::Building;
    }

    pub fn lose(&mut self, book: usize) {
        self.orders.retain(|_, order| order.book != book);
        self.books[book].phase = Phase::Unknown;
    }

    pub fn lose_all(&mut self) {
        self.is_unbroken = false;
        (0..self.books.len()).for_each(|book| self.lose(book));
    }

    pub fn whole(&mut self, book: usize) {
        self.books[book].phase = Phase::Whole;
        self.event_end(book);
    }

    pub fn event_end(&mut self, book: usize) {
        if self.books[book].phase == Phase::Whole {
            self.books[book].told = self.levels(book);
        }
    }

    pub fn change(&mut self, book: usize, change: &OrderChange) {
        if self.books[book].phase != Phase::Unknown && self.apply(book, change).is_none() {
            self.lose(book);
        }
    }

    /// None where the change contradicts what is known.
    fn apply(&mut self, book: usize, change: &OrderChange) -> Option<()> {
        let above_zero = |qty: Qty| (qty.0 > 0).then_some(qty.0);
        let numbers_of = if self.has_own_numbers { book } else { 0 };
        let key = |id: OrderId| (numbers_of, id.0);
        let own = |orders: &BTreeMap<(usize, u64), Order>, id: OrderId| {
            orders
                .get(&key(id))
                .filter(|order| order.book == book)
                .map(|order| (order.side, order.price, order.qty))
        };
        match *change {
            OrderChange::Clear => self.orders.retain(|_, order| order.book != book),
            OrderChange::Add { id, side, price, qty } => {
                let qty = above_zero(qty)?;
                if self.orders.contains_key(&key(id)) {
                    return None;
                }
                self.orders.insert(key(id), Order { book, side, price, qty });
            }
            OrderChange::Reduce { id, qty } | OrderChange::Execute { id, qty } => {
                let (.., left) = own(&self.orders, id)?;
                let left = left - above_zero(qty)?;
                match left {
                    ..0 => return None,
                    0 => drop(self.orders.remove(&key(id))),
                    _ => self.orders.get_mut(&key(id))?.qty = left,
                }
            }
            OrderChange::Cancel { id, side, price, qty } => {
                let (rests, at, _) = own(&self.orders, id)?;
                if (rests, at) != (side, price) {
                    return None;
                }
                self.apply(book, &OrderChange::Reduce { id, qty })?;
            }
            OrderChange::Delete { id } => {
                own(&self.orders, id)?;
                self.orders.remove(&key(id));
            }
            OrderChange::Replace { id, new_id, price, qty } => {
                let (side, ..) = own(&self.orders, id)?;
                let qty = above_zero(qty)?;
                if id != new_id && self.orders.contains_key(&key(new_id)) {
                    return None;
                }
                self.orders.remove(&key(id));
                self.orders.insert(key(new_id), Order { book, side, price, qty });
            }
            OrderChange::Upsert { id, side, price, qty } => {
                let change = match self.orders.contains_key(&key(id)) {
                    true => OrderChange::Modify { id, side, price, qty },
                    false => OrderChange::Add { id, side, price, qty },
                };
                self.apply(book, &change)?;
            }
            OrderChange::Modify { id, side, price, qty } => {
                if own(&self.orders, id)?.0 != side {
                    return None;
                }
                let qty = above_zero(qty)?;
                self.orders.insert(key(id), Order { book, side, price, qty });
            }
        }
        Some(())
    }
}
