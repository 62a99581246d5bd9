//! DBN records to the books of their instruments.
//!
//! 1. A snapshot is a run of records with the flag SNAPSHOT. It begins the book anew, and ends with LAST or with the first
//!    record without the flag, as those at the head of daily files do.
//! 2. `R` empties the book, which is known whole from there on.
//! 3. Without either nothing is known of the book: what changes it is passed over.
//! 4. An event ends with LAST; until then nothing of it is published.
//! 5. Level records (MBP) state the top of a book and say nothing behind it. A removal among them cannot be told from a
//!    level that moved out of sight, so no book is kept from them.
//!
//! Source: Databento, "Market by order", "MBO snapshots", "Flags".

use std::collections::HashMap;

use super::Pipelines;
use super::order_books::OrderBooks;
use crate::book::BookSpec;
use crate::book::l3::BookIndex;
use crate::decode::dbn::{DbnError, Flags, Mbo, MboChange, Metadata, Record, TradePrint};
use crate::engine::Listed;
use crate::engine::pipeline::Place;
use crate::types::{
    Aggressor, Clock, OrderChange, SYMBOL_LEN_MAX, StaleReason, TimeNs, Trade, TradeKind, is_symbol,
};

/// Most instruments whose numbers are remembered, carried or not.
const INSTRUMENTS_MAX: usize = 1 << 20;

/// The symbol under which the catalogue has an instrument: the venue's own, or `ID` and its number where that breaks the
/// grammar.
pub(super) fn symbol_of(raw: &str, number: u32) -> String {
    if is_symbol(raw) { raw.to_owned() } else { format!("ID{number}") }
}

/// The instruments that the metadata name, with their numbers.
pub(super) fn instruments(metadata: &Metadata) -> impl Iterator<Item = (u32, String)> + '_ {
    metadata.mappings.iter().flat_map(|mapping| {
        mapping.intervals.iter().filter_map(|interval| {
            // One of the two is the number, whichever way the symbols were asked for.
            let by_number = |number: &str, raw: &str| Some((number.parse().ok()?, raw.to_owned()));
            let (number, raw) = by_number(&interval.symbol, &mapping.symbol)
                .or_else(|| by_number(&mapping.symbol, &interval.symbol))?;
            Some((number, symbol_of(&raw, number)))
        })
    })
}

/// The books of one DBN stream.
#[derive(Debug)]
pub(super) struct Dbn {
    pub(super) books: OrderBooks,
    /// By instrument number; none for those that the source does not carry.
    instruments: HashMap<u32, Option<BookIndex>>,
    /// The instrument of the last record, which is mostly that of the next.
    last: Option<(u32, BookIndex)>,
}

impl Dbn {
    pub(super) fn new(books_max: u32) -> Option<Self> {
        Some(Self { books: OrderBooks::new(books_max)?, instruments: HashMap::new(), last: None })
    }

    /// What the metadata say of instruments.
    pub(super) fn learn(&mut self, metadata: &Metadata, listed: &[Listed]) {
        for (number, symbol) in instruments(metadata) {
            self.name(number, &symbol, listed);
        }
    }

    /// One record.
    ///
    /// # Errors
    /// [`DbnError`]. A record of orders that cannot be read takes the truth of its book with it.
    #[inline]
    pub(super) fn take<C: Clock>(
        &mut self,
        record: Record<'_>,
        listed: &[Listed],
        to: &mut Pipelines<'_, C>,
    ) -> Result<(), DbnError> {
        match record {
            Record::Mbo(mbo) => self.order(mbo, listed, to),
            _ => {
                to.cx.stats.ignored += 1;
                Ok(())
            }
        }
    }

    #[inline]
    fn order<C: Clock>(
        &mut self,
        mbo: Mbo<'_>,
        listed: &[Listed],
        to: &mut Pipelines<'_, C>,
    ) -> Result<(), DbnError> {
        let Some(book) = self.book(mbo.header().instrument_id, listed) else {
            to.cx.stats.ignored += 1;
            return Ok(());
        };
        let flags = mbo.flags();
        let at = Place {
            venue_seq: u64::from(mbo.sequence()),
            ts_event: mbo.header().ts_event,
            ts_recv: mbo.ts_recv(),
        };
        let is_snapshot = flags.has(Flags::SNAPSHOT);
        match (is_snapshot, self.books.is_building(book)) {
            (true, false) => self.books.begin(book, at, to),
            (false, true) => self.books.whole(book, to),
            _ => {}
        }
        if flags.has(Flags::MAYBE_BAD_BOOK) {
            self.books.doubt(book, to);
        }
        match mbo.change() {
            Ok(MboChange::Order(OrderChange::Clear)) if !is_snapshot => {
                to.cx.stats.orders.count(&OrderChange::Clear);
                self.books.begin(book, at, to);
            }
            Ok(MboChange::Order(change)) => self.books.change(book, &change, at, to),
            Ok(MboChange::Nothing) => match mbo.trade() {
                Some(trade) => self.trade(book, &trade, at, to),
                None => to.cx.stats.orders.untouching += 1,
            },
            Ok(MboChange::Top { .. } | MboChange::Aggregate) => {
                // Levels without orders: no book of orders can be kept from here on.
                self.books.lose(book, StaleReason::Contradiction, (0, 0), at.ts_recv, to);
            }
            Err(error) => {
                self.books.lose(book, StaleReason::Contradiction, (0, 0), at.ts_recv, to);
                return Err(error);
            }
        }
        if flags.has(Flags::LAST) {
            to.cx.stats.orders.events += 1;
            if self.books.is_building(book) {
                self.books.whole(book, to);
            } else {
                self.books.event_end(book, to);
            }
        }
        Ok(())
    }

    fn trade<C: Clock>(&self, book: BookIndex, print: &TradePrint, at: Place, to: &mut Pipelines<'_, C>) {
        let pipeline = &mut to.pipelines[self.books.pipeline(book)];
        let trade = Trade {
            instrument: pipeline.id(),
            kind: TradeKind::Single,
            // DBN numbers no trades.
            id: at.venue_seq,
            price: print.price,
            qty: print.qty,
            aggressor: print.aggressor.unwrap_or(Aggressor::Unknown),
            ts_event: at.ts_event,
        };
        pipeline.on_order_trade(&trade, at.ts_recv, &mut to.cx);
    }

    /// The book of an instrument, if the source carries it.
    #[inline]
    fn book(&mut self, number: u32, listed: &[Listed]) -> Option<BookIndex> {
        match self.last {
            Some((last, book)) if last == number => Some(book),
            _ => {
                let book = self.look_up(number, listed)?;
                self.last = Some((number, book));
                Some(book)
            }
        }
    }

    fn look_up(&mut self, number: u32, listed: &[Listed]) -> Option<BookIndex> {
        if let Some(book) = self.instruments.get(&number) {
            return *book;
        }
        // No mapping has named it.
        self.name(number, &symbol_of("", number), listed)
    }

    /// Notes what an instrument is called, and opens its book if the source carries it.
    #[cold]
    fn name(&mut self, number: u32, symbol: &str, listed: &[Listed]) -> Option<BookIndex> {
        let found = listed.binary_search_by(|listed| (*listed.symbol).cmp(symbol.as_bytes())).ok();
        let book = found.and_then(|found| {
            let Listed { pipeline, tick_size, levels_max, .. } = listed[found];
            self.books.book_of(pipeline, BookSpec { tick_size, levels_max })
        });
        if self.instruments.len() < INSTRUMENTS_MAX {
            self.instruments.insert(number, book);
        }
        self.last = None;
        book
    }
}

/// When a record came.
pub(super) fn received_at(record: &Record<'_>) -> TimeNs {
    match record {
        Record::Mbo(mbo) => mbo.ts_recv(),
        other => other.header().ts_event,
    }
}

const _: () = assert!("ID4294967295".len() <= SYMBOL_LEN_MAX);
