//! TotalView-ITCH messages to the books of their symbols.
//!
//! 1. A book is whole from the directory message of its symbol on (or its first order, in files without a directory), if
//!    the feed was heard from its first message, `S` with event `O`. Heard later, nothing can be known of any book.
//! 2. Every message is an event of its own: A F E C X D U change one book, at once.
//! 3. A locate has one symbol all day and a symbol one locate; where a feed says otherwise, the books of both are lost.
//! 4. Only symbols that the source was opened with have books; the messages of others are passed over.
//!
//! Source: NASDAQ TotalView-ITCH 5.0, sections 4.1 (system events), 4.2.1 (directory), 4.3 to 4.5 (orders).

use super::Pipelines;
use super::order_books::OrderBooks;
use crate::book::BookSpec;
use crate::book::l3::BookIndex;
use crate::decode::itch::{self, ItchError, Message, decode, text};
use crate::engine::Listed;
use crate::engine::pipeline::Place;
use crate::types::{Aggressor, Clock, Qty, Side, StaleReason, TimeNs, Trade, TradeKind};

/// What a stock locate stands for.
#[derive(Clone, Copy, Debug)]
struct Locate {
    /// The symbol as the venue writes it; zeros before it is known.
    stock: [u8; 8],
    leads: Leads,
}

const NEW: Locate = Locate { stock: [0; 8], leads: Leads::New };

/// What a stock locate leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads {
    /// Not seen yet.
    New,
    /// Its symbol is not seen yet, and an order of it could not be read.
    Missed,
    /// A symbol that the source does not carry.
    Foreign,
    Book(BookIndex),
}

/// The books of one ITCH feed.
#[derive(Debug)]
pub(super) struct Itch {
    pub(super) books: OrderBooks,
    /// By stock locate; grows to the highest one seen, at most 65,536.
    locates: Vec<Locate>,
    /// Whether the feed was heard from its first message and without a gap since.
    is_unbroken: bool,
}

impl Itch {
    pub(super) fn new(books_max: u32) -> Option<Self> {
        Some(Self { books: OrderBooks::new(books_max)?, locates: Vec::new(), is_unbroken: false })
    }

    /// One message. `at.venue_seq` is its number in the session.
    ///
    /// # Errors
    /// [`ItchError`]. Where the message may have changed a book, that book's truth is lost with it.
    #[inline]
    pub(super) fn take<C: Clock>(
        &mut self,
        bytes: &[u8],
        at: Place,
        listed: &[Listed],
        to: &mut Pipelines<'_, C>,
    ) -> Result<(), ItchError> {
        let message = match decode(bytes) {
            Ok(message) => message,
            Err(error) => {
                self.lose_to(bytes, at, to);
                return Err(error);
            }
        };
        match &message {
            Message::SystemEvent(event) => {
                to.cx.stats.ignored += 1;
                if event.event() == b'O' {
                    self.begin_day(at, to);
                }
                return Ok(());
            }
            Message::StockDirectory(directory) => {
                to.cx.stats.ignored += 1;
                self.locate(directory.stock_locate(), directory.stock(), at, listed, to);
                return Ok(());
            }
            Message::AddOrder(add) => self.locate(add.stock_locate(), add.stock(), at, listed, to),
            Message::AddOrderAttributed(add) => self.locate(add.stock_locate(), add.stock(), at, listed, to),
            _ => {}
        }
        let Some(Leads::Book(book)) = self.leads(usize::from(message.stock_locate())) else {
            to.cx.stats.ignored += 1;
            return Ok(());
        };
        if let Some((_, trade)) = message.trade() {
            self.trade(book, &trade, at, to);
        }
        if let Some((_, change)) = message.order_change() {
            self.books.change(book, &change, at, to);
            self.books.event_end(book, to);
        } else {
            to.cx.stats.ignored += 1;
        }
        Ok(())
    }

    #[inline]
    fn leads(&self, index: usize) -> Option<Leads> {
        Some(self.locates.get(index)?.leads)
    }

    /// Opens the book of a locate that is seen for the first time.
    #[inline]
    fn locate<C: Clock>(
        &mut self,
        locate: u16,
        stock: &[u8; 8],
        at: Place,
        listed: &[Listed],
        to: &mut Pipelines<'_, C>,
    ) {
        let index = usize::from(locate);
        if self.locates.get(index).is_none_or(|known| known.stock != *stock) {
            self.open(index, stock, at, listed, to);
        }
    }

    #[cold]
    fn open<C: Clock>(
        &mut self,
        index: usize,
        stock: &[u8; 8],
        at: Place,
        listed: &[Listed],
        to: &mut Pipelines<'_, C>,
    ) {
        let before = std::mem::replace(self.slot(index), Locate { stock: *stock, leads: Leads::Foreign });
        let symbol = text(stock);
        let found = listed.binary_search_by(|listed| (*listed.symbol).cmp(symbol)).ok();
        let book = found.and_then(|found| {
            let Listed { pipeline, tick_size, levels_max, .. } = listed[found];
            self.books.book_of(pipeline, BookSpec { tick_size, levels_max })
        });
        if let Leads::Book(before) = before.leads {
            // A day gives a locate one symbol: whose orders these are is anybody's guess.
            self.books.lose(before, StaleReason::Contradiction, (0, 0), at.ts_recv, to);
        }
        let Some(book) = book else { return };
        let is_first = before.leads == Leads::New;
        if !is_first || self.locates.iter().any(|known| known.leads == Leads::Book(book)) {
            // So it is for a symbol with two locates, and for orders of it that could not be read.
            self.books.lose(book, StaleReason::Contradiction, (0, 0), at.ts_recv, to);
        } else if self.is_unbroken {
            self.books.begin(book, at, to);
            self.books.whole(book, to);
        }
        self.slot(index).leads = Leads::Book(book);
    }

    /// What is noted of a locate.
    fn slot(&mut self, index: usize) -> &mut Locate {
        if self.locates.len() <= index {
            self.locates.resize(index + 1, NEW);
        }
        &mut self.locates[index]
    }

    /// A day begins with its first message: locates are given anew and every book is empty until its directory message.
    fn begin_day<C: Clock>(&mut self, at: Place, to: &mut Pipelines<'_, C>) {
        self.is_unbroken = true;
        self.locates.clear();
        self.books.begin_all(at, to);
    }

    /// A message that cannot be read takes with it the truth of the books that it may have changed.
    #[cold]
    fn lose_to<C: Clock>(&mut self, bytes: &[u8], at: Place, to: &mut Pipelines<'_, C>) {
        let Some((message_type, rest)) = bytes.split_first() else { return };
        if !b"AFECXDU".contains(message_type) {
            return;
        }
        let Some(&locate) = rest.first_chunk() else {
            self.is_unbroken = false;
            return self.books.lose_all(StaleReason::Contradiction, (0, 0), at.ts_recv, to);
        };
        let known = self.slot(usize::from(u16::from_be_bytes(locate)));
        match known.leads {
            Leads::New => known.leads = Leads::Missed,
            Leads::Missed | Leads::Foreign => {}
            Leads::Book(book) => self.books.lose(book, StaleReason::Contradiction, (0, 0), at.ts_recv, to),
        }
    }

    fn trade<C: Clock>(&self, book: BookIndex, trade: &itch::Trade, at: Place, to: &mut Pipelines<'_, C>) {
        let resting = trade.order.and_then(|id| self.books.order(id)).filter(|order| order.book == book);
        let Some(price) = trade.price.or(resting.map(|order| order.price)) else { return };
        // The taker's side is known where a displayed order was hit; hidden orders are all printed as buys.
        let aggressor = resting.map_or(Aggressor::Unknown, |order| match order.side {
            Side::Bid => Aggressor::Sell,
            Side::Ask => Aggressor::Buy,
        });
        let Ok(qty) = i64::try_from(trade.shares) else { return };
        let pipeline = self.books.pipeline(book);
        let instrument = to.pipelines[pipeline].id();
        let trade = Trade {
            instrument,
            kind: TradeKind::Single,
            id: trade.match_number,
            price,
            qty: Qty(qty),
            aggressor,
            ts_event: at.ts_event,
        };
        to.pipelines[pipeline].on_order_trade(&trade, at.ts_recv, &mut to.cx);
    }

    /// Messages are missing: no book is known until the next day begins.
    pub(super) fn lose_all<C: Clock>(&mut self, gap: (u64, u64), now: TimeNs, to: &mut Pipelines<'_, C>) {
        self.is_unbroken = false;
        self.books.lose_all(StaleReason::Gap, gap, now, to);
    }
}

/// A message's time of day; 0 where it is too short to have one.
pub(super) fn timestamp_ns(message: &[u8]) -> TimeNs {
    let time = message.get(5..11).and_then(|bytes| <[u8; 6]>::try_from(bytes).ok());
    time.map_or(0, |[a, b, c, d, e, f]| u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}
