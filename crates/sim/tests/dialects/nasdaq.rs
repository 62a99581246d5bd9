//! A plain subscriber of MoldUDP64 packets with ITCH messages.

use depthwire_sim::dialects::{Channel, Counts, Frame, TrueOrder, TrueOrders, Truth};

use super::books::{Books, messages};

pub struct Client {
    code: String,
    locate: u16,
    /// Number of the next message; 0 before the first packet.
    next: u64,
    is_whole: bool,
    books: Books,
    counts: Counts,
}

impl Client {
    pub fn new(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            locate: 0,
            next: 1,
            is_whole: true,
            books: Books::default(),
            counts: Counts::default(),
        }
    }
}

impl super::Client for Client {
    fn frame(&mut self, frame: &Frame<'_>) {
        let (header, framed) = frame.bytes.split_at(20);
        let sequence = u64::from_be_bytes(header[10..18].try_into().unwrap());
        let count = u64::from(u16::from_be_bytes(header[18..].try_into().unwrap()));
        assert_eq!(&header[..10], b"SYNTHETIC ");
        assert!(sequence >= self.next);
        self.is_whole &= sequence == self.next;
        self.next = sequence + count;
        assert_eq!(count == 0, frame.channel == Channel::Heartbeat);
        if count == 0 {
            self.counts.heartbeats += 1;
            return;
        }
        self.counts.updates += 1;
        let mut read = 0;
        for message in messages(framed) {
            read += 1;
            match message.kind() {
                b'A' | b'F' | b'D' | b'X' | b'U' => self.counts.orders += 1,
                b'E' | b'C' => {
                    self.counts.orders += 1;
                    self.counts.trades += 1;
                }
                b'P' => self.counts.trades += 1,
                b'R' => {
                    self.counts.definitions += 1;
                    if message.0[11..19].trim_ascii() == self.code.as_bytes() {
                        self.locate = message.locate();
                    }
                }
                _ => {}
            }
            if self.is_whole {
                self.books.apply(message);
            }
        }
        assert_eq!(read, count);
    }

    fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn compare(&self, truth: &Truth, orders: Option<&TrueOrders>) {
        let orders = orders.unwrap();
        let book = self.books.book(self.locate);
        for (own, levels, orders) in
            [(book.bids, &truth.bids, &orders.bids), (book.asks, &truth.asks, &orders.asks)]
        {
            let totals = own.iter().map(|level| {
                (i64::from(level.price), level.orders.iter().map(|order| i64::from(order.1)).sum::<i64>())
            });
            assert!(totals.eq(levels.iter().copied()));
            let queues = own.iter().flat_map(|level| {
                level.orders.iter().map(|&(id, shares)| TrueOrder {
                    id,
                    price: i64::from(level.price),
                    qty: i64::from(shares),
                })
            });
            assert!(queues.eq(orders.iter().copied()));
        }
    }

    fn counts(&self) -> Counts {
        self.counts
    }
}
