//! Reads ITCH strictly and keeps plain books: a message that no exchange would send fails the test.
#![allow(dead_code, reason = "each test program uses its part of this file")]

use std::collections::{BTreeMap, HashMap, VecDeque};

use depthwire_sim::itch::{ItchBook, ItchLevel};

/// Types and their lengths, as NASDAQ's TotalView-ITCH 5.0 specification has them.
pub const LENGTHS: [(u8, usize); 22] = [
    (b'S', 12),
    (b'R', 39),
    (b'H', 25),
    (b'Y', 20),
    (b'L', 26),
    (b'V', 35),
    (b'W', 12),
    (b'K', 28),
    (b'J', 35),
    (b'h', 21),
    (b'A', 36),
    (b'F', 40),
    (b'E', 31),
    (b'C', 36),
    (b'X', 23),
    (b'D', 19),
    (b'U', 35),
    (b'P', 44),
    (b'Q', 40),
    (b'B', 19),
    (b'I', 50),
    (b'N', 20),
];

/// The type of 2023 that the older lists lack.
pub const DIRECT_LISTING: (u8, usize) = (b'O', 48);

/// One message without its length.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a>(pub &'a [u8]);

impl Message<'_> {
    pub fn kind(&self) -> u8 {
        self.0[0]
    }

    pub fn locate(&self) -> u16 {
        u16::from_be_bytes(self.0[1..3].try_into().unwrap())
    }

    pub fn time_ns(&self) -> u64 {
        self.0[5..11].iter().fold(0, |time, &byte| time << 8 | u64::from(byte))
    }

    pub fn u32(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.0[at..at + 4].try_into().unwrap())
    }

    pub fn u64(&self, at: usize) -> u64 {
        u64::from_be_bytes(self.0[at..at + 8].try_into().unwrap())
    }
}

/// Cuts BinaryFILE into messages; each must have its type's length.
pub fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let (len, rest) = bytes.split_first_chunk::<2>()?;
        let (message, rest) = rest.split_at(usize::from(u16::from_be_bytes(*len)));
        bytes = rest;
        let mut known = LENGTHS.iter().chain([&DIRECT_LISTING]);
        let length = known.find(|row| row.0 == message[0]).unwrap_or_else(|| panic!("type {}", message[0]));
        assert_eq!(message.len(), length.1, "{}", char::from(message[0]));
        Some(Message(message))
    })
}

/// An order of a plain book.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    pub locate: u16,
    pub is_bid: bool,
    pub price: u32,
    pub shares: u32,
    /// Number of the message that brought it.
    pub born: u64,
}

/// References in time priority, by price.
type Levels = BTreeMap<u32, VecDeque<u64>>;

/// What one message did to a book.
#[derive(Clone, Copy, Debug)]
pub struct Touched {
    /// Levels between the touched one and the best, before the message.
    pub rank: usize,
    /// The order that left, where one did.
    pub gone: Option<Order>,
}

/// Plain books of the whole market.
#[derive(Debug, Default)]
pub struct Books {
    pub orders: HashMap<u64, Order>,
    /// Bids and asks by locate code.
    pub sides: HashMap<u16, [Levels; 2]>,
    pub messages: u64,
    pub last_reference: u64,
    pub time_ns: u64,
}

impl Books {
    /// Applies a message and asserts that an exchange could have sent it.
    pub fn apply(&mut self, message: Message<'_>) -> Vec<Touched> {
        self.messages += 1;
        assert!(message.time_ns() >= self.time_ns && message.time_ns() < 86_400_000_000_000);
        self.time_ns = message.time_ns();
        let (locate, reference) = (message.locate(), || message.u64(11));
        let touched = match message.kind() {
            b'A' | b'F' => {
                assert!(matches!(message.0[19], b'B' | b'S'));
                let is_bid = message.0[19] == b'B';
                vec![self.add(locate, reference(), is_bid, message.u32(32), message.u32(20))]
            }
            b'D' => vec![self.take(locate, reference(), None, false)],
            b'X' => {
                assert!(message.u32(19) < self.orders[&reference()].shares, "a cancel leaves something");
                vec![self.take(locate, reference(), Some(message.u32(19)), false)]
            }
            b'E' | b'C' => vec![self.take(locate, reference(), Some(message.u32(19)), true)],
            b'U' => {
                let old = self.take(locate, reference(), None, false);
                let is_bid = old.gone.unwrap().is_bid;
                vec![old, self.add(locate, message.u64(19), is_bid, message.u32(31), message.u32(27))]
            }
            _ => vec![],
        };
        if let (false, Some([bids, asks])) = (touched.is_empty(), self.sides.get(&locate))
            && let (Some(bid), Some(ask)) = (bids.keys().next_back(), asks.keys().next())
        {
            assert!(bid < ask, "message {}: locate {locate} bid {bid} ask {ask}", self.messages);
        }
        touched
    }

    fn rank(&self, locate: u16, is_bid: bool, price: u32) -> usize {
        let Some(sides) = self.sides.get(&locate) else { return 0 };
        let levels = &sides[usize::from(!is_bid)];
        if is_bid { levels.range(price + 1..).count() } else { levels.range(..price).count() }
    }

    fn add(&mut self, locate: u16, reference: u64, is_bid: bool, price: u32, shares: u32) -> Touched {
        assert!(reference > self.last_reference, "references rise over the market and the day");
        self.last_reference = reference;
        assert!(price > 0 && shares > 0);
        assert!(
            price < 10_000 || price.is_multiple_of(100),
            "from a dollar up, prices are in cents: {price}"
        );
        let rank = self.rank(locate, is_bid, price);
        let order = Order { locate, is_bid, price, shares, born: self.messages };
        assert!(self.orders.insert(reference, order).is_none());
        let sides = self.sides.entry(locate).or_default();
        sides[usize::from(!is_bid)].entry(price).or_default().push_back(reference);
        Touched { rank, gone: None }
    }

    /// Takes shares, or all of them, off an order; `trades`: only the first of the best queue may.
    fn take(&mut self, locate: u16, reference: u64, shares: Option<u32>, trades: bool) -> Touched {
        let order = self.orders.get_mut(&reference).expect("a live order");
        assert_eq!(order.locate, locate);
        let taken = shares.unwrap_or(order.shares);
        assert!((1..=order.shares).contains(&taken));
        order.shares -= taken;
        let order = *order;
        let rank = self.rank(locate, order.is_bid, order.price);
        let levels = &mut self.sides.get_mut(&locate).unwrap()[usize::from(!order.is_bid)];
        let queue = levels.get_mut(&order.price).unwrap();
        if trades {
            assert_eq!((rank, queue.front()), (0, Some(&reference)), "the first of the best queue trades");
        }
        if order.shares > 0 {
            return Touched { rank, gone: None };
        }
        queue.retain(|&other| other != reference);
        if queue.is_empty() {
            levels.remove(&order.price);
        }
        self.orders.remove(&reference);
        Touched { rank, gone: Some(order) }
    }

    pub fn levels_len(&self) -> usize {
        self.sides.values().flatten().map(BTreeMap::len).sum()
    }

    /// A book in the form in which the generator tells the truth.
    pub fn book(&self, locate: u16) -> ItchBook {
        let level = |(&price, queue): (&u32, &VecDeque<u64>)| ItchLevel {
            price,
            orders: queue.iter().map(|reference| (*reference, self.orders[reference].shares)).collect(),
        };
        match self.sides.get(&locate) {
            None => ItchBook::default(),
            Some([bids, asks]) => ItchBook {
                bids: bids.iter().rev().map(level).collect(),
                asks: asks.iter().map(level).collect(),
            },
        }
    }
}
