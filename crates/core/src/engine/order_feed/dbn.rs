//! DBN records to the books of their instruments.
//!
//! 1. A snapshot is a run of records with the flag SNAPSHOT. It begins the book anew, and ends with LAST or with the first
//!    record without the flag, as those at the head of daily files do. When one is lost in its middle, its rest is no book.
//! 2. `R` empties the book, which is known whole from there on.
//! 3. Without either nothing is known of the book: what changes it is passed over.
//! 4. An event ends with LAST; until then nothing of it is published.
//! 5. Level records (MBP) state the top of a book and say nothing behind it. A removal among them cannot be told from a
//!    level that moved out of sight, so no book is kept from them.
//! 6. A book is of one instrument number of one publisher: another one's records, as of the next contract under the same
//!    name, begin with the truth of the book lost. Numbers go from symbol to symbol by the days that the metadata name.
//! 7. A file behind another goes on from it only where it begins when that one ends.
//!
//! Source: Databento, "Market by order", "MBO snapshots", "Flags".

use std::collections::HashMap;

use super::Pipelines;
use super::order_books::OrderBooks;
use crate::book::BookSpec;
use crate::book::l3::BookIndex;
use crate::decode::dbn::{DbnError, Flags, Header, Mbo, MboChange, Metadata, Record, SymbolType, TradePrint};
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

/// A symbol that a number has for some time.
pub(super) struct Mapped {
    pub(super) number: u32,
    pub(super) symbol: String,
    from: TimeNs,
    until: TimeNs,
}

/// The instruments that the metadata name, with their numbers.
pub(super) fn instruments(metadata: &Metadata) -> impl Iterator<Item = Mapped> + '_ {
    let asked_by_number = metadata.stype_in == Some(SymbolType::InstrumentId);
    metadata.mappings.iter().flat_map(move |mapping| {
        mapping.intervals.iter().filter_map(move |interval| {
            // One of the two is the number, whichever way the symbols were asked for.
            let by_number = |number: &str, raw: &str| Some((number.parse().ok()?, raw.to_owned()));
            let (asked, given) = (&mapping.symbol, &interval.symbol);
            let (first, second) = if asked_by_number { (asked, given) } else { (given, asked) };
            let (number, raw) = by_number(first, second).or_else(|| by_number(second, first))?;
            let symbol = symbol_of(&raw, number);
            Some(Mapped { number, symbol, from: interval.start.start_ns(), until: interval.end.start_ns() })
        })
    })
}

/// What a number stands for, from a time up to another.
#[derive(Clone, Copy, Debug)]
struct Named {
    from: TimeNs,
    until: TimeNs,
    /// None where the source does not carry the symbol.
    book: Option<BookIndex>,
}

/// Where a book's records come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin {
    publisher: u16,
    number: u32,
}

/// Whether a snapshot of a book is coming in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    None,
    Open,
    /// Its book was lost in its middle.
    Broken,
}

/// What the stream has told of a book so far.
#[derive(Clone, Copy, Debug)]
struct Told {
    origin: Option<Origin>,
    run: Run,
}

/// The books of one DBN stream.
#[derive(Debug)]
pub(super) struct Dbn {
    pub(super) books: OrderBooks,
    /// By book.
    told: Vec<Told>,
    /// By instrument number, all that the metadata say; nothing for numbers that the source does not carry.
    instruments: HashMap<u32, Vec<Named>>,
    /// The instrument of the last record, which is mostly that of the next.
    last: Option<(Origin, Named)>,
    /// When the file ends, once its metadata are known; none within where it is open.
    end: Option<Option<TimeNs>>,
}

impl Dbn {
    pub(super) fn new(books_max: u32) -> Option<Self> {
        let books = OrderBooks::new(books_max)?;
        Some(Self { books, told: Vec::new(), instruments: HashMap::new(), last: None, end: None })
    }

    /// What the metadata of a file say.
    pub(super) fn learn<C: Clock>(
        &mut self,
        metadata: &Metadata,
        listed: &[Listed],
        now: TimeNs,
        to: &mut Pipelines<'_, C>,
    ) {
        if self.end.is_some_and(|end| end != Some(metadata.start)) {
            self.lose_all(now, to);
        }
        self.end = Some(metadata.end);
        self.last = None;
        self.instruments.clear();
        for mapped in instruments(metadata) {
            let book = self.book_of(&mapped.symbol, listed);
            let named = Named { from: mapped.from, until: mapped.until, book };
            self.instruments.entry(mapped.number).or_default().push(named);
        }
    }

    /// The stream has a gap: no book of it is known any more.
    #[cold]
    pub(super) fn lose_all<C: Clock>(&mut self, now: TimeNs, to: &mut Pipelines<'_, C>) {
        self.told.iter_mut().for_each(|told| told.run = Run::None);
        self.books.lose_all(StaleReason::Gap, (0, 0), now, to);
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
        let Some(book) = self.book(&mbo.header(), mbo.ts_recv(), listed, to) else {
            to.cx.stats.ignored += 1;
            return Ok(());
        };
        let (flags, change) = (mbo.flags(), mbo.change());
        let at = Place {
            venue_seq: u64::from(mbo.sequence()),
            ts_event: mbo.header().ts_event,
            ts_recv: mbo.ts_recv(),
        };
        let is_snapshot = flags.has(Flags::SNAPSHOT);
        let run = self.told[book.0 as usize].run;
        let is_clear = change == Ok(MboChange::Order(OrderChange::Clear));
        let mut run = match (is_snapshot, run) {
            (true, Run::None) => self.begin(book, at, to),
            (true, Run::Broken) if is_clear => self.begin(book, at, to),
            (false, Run::Open) => {
                self.books.whole(book, to);
                Run::None
            }
            (false, Run::Broken) => Run::None,
            (true, Run::Open | Run::Broken) | (false, Run::None) => run,
        };
        if flags.has(Flags::MAYBE_BAD_BOOK) {
            self.books.doubt(book, to);
        }
        let mut outcome = Ok(());
        match change {
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
                outcome = Err(error);
            }
        }
        if flags.has(Flags::LAST) {
            to.cx.stats.orders.events += 1;
            if self.books.is_building(book) {
                self.books.whole(book, to);
            } else {
                self.books.event_end(book, to);
            }
            run = Run::None;
        } else if run == Run::Open && !self.books.is_building(book) {
            run = Run::Broken;
        }
        self.told[book.0 as usize].run = run;
        outcome
    }

    fn begin<C: Clock>(&mut self, book: BookIndex, at: Place, to: &mut Pipelines<'_, C>) -> Run {
        self.books.begin(book, at, to);
        Run::Open
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
    fn book<C: Clock>(
        &mut self,
        header: &Header,
        ts: TimeNs,
        listed: &[Listed],
        to: &mut Pipelines<'_, C>,
    ) -> Option<BookIndex> {
        let origin = Origin { publisher: header.publisher_id, number: header.instrument_id };
        match self.last {
            Some((last, named)) if last == origin && (named.from..named.until).contains(&ts) => named.book,
            _ => self.look_up(origin, ts, listed, to),
        }
    }

    fn look_up<C: Clock>(
        &mut self,
        origin: Origin,
        ts: TimeNs,
        listed: &[Listed],
        to: &mut Pipelines<'_, C>,
    ) -> Option<BookIndex> {
        let named = match self.instruments.get(&origin.number) {
            Some(names) => named_at(names, ts)?,
            None => self.name(origin.number, listed)?,
        };
        let book = named.book?;
        self.last = Some((origin, named));
        let told = &mut self.told[book.0 as usize];
        if told.origin.replace(origin).is_some_and(|before| before != origin) {
            told.run = Run::Broken;
            if self.books.is_begun(book) {
                self.books.lose(book, StaleReason::Contradiction, (0, 0), ts, to);
            }
        }
        Some(book)
    }

    /// Notes what a number that no mapping has named is called.
    #[cold]
    fn name(&mut self, number: u32, listed: &[Listed]) -> Option<Named> {
        let book = self.book_of(&symbol_of("", number), listed);
        let named = book.map(|book| Named { from: 0, until: TimeNs::MAX, book: Some(book) });
        if self.instruments.len() < INSTRUMENTS_MAX {
            self.instruments.insert(number, named.into_iter().collect());
        }
        named
    }

    /// The book of a symbol, opened if the source carries it.
    fn book_of(&mut self, symbol: &str, listed: &[Listed]) -> Option<BookIndex> {
        let found = listed.binary_search_by(|listed| (*listed.symbol).cmp(symbol.as_bytes())).ok()?;
        let Listed { pipeline, tick_size, levels_max, .. } = listed[found];
        let book = self.books.book_of(pipeline, BookSpec { tick_size, levels_max })?;
        if self.told.len() <= book.0 as usize {
            self.told.resize(book.0 as usize + 1, Told { origin: None, run: Run::None });
        }
        Some(book)
    }
}

/// What a number stands for at a time. Where it has one meaning only, the days do not matter.
fn named_at(names: &[Named], ts: TimeNs) -> Option<Named> {
    let first = names.first()?;
    if names.iter().all(|named| named.book == first.book) {
        return Some(Named { from: 0, until: TimeNs::MAX, ..*first });
    }
    names.iter().find(|named| named.book.is_some() && (named.from..named.until).contains(&ts)).copied()
}

/// When a record came.
pub(super) fn received_at(record: &Record<'_>) -> TimeNs {
    match record {
        Record::Mbo(mbo) => mbo.ts_recv(),
        other => other.header().ts_event,
    }
}

const _: () = assert!("ID4294967295".len() <= SYMBOL_LEN_MAX);
