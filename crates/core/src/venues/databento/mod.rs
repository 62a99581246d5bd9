//! What Databento delivers as DBN, order by order.
//!
//! Source: Databento, "Market by order", "MBO snapshots", "Flags", "Symbology".
//! 1. A snapshot is a run of records with the flag SNAPSHOT. It begins the book anew, and ends with LAST or with the first
//!    record without the flag, as those at the head of daily files do.
//! 2. `R` empties the book, which is known whole from there on.
//! 3. Without either nothing is known of the book.
//! 4. An event ends with LAST; until then a book is between two states.
//! 5. Level records (MBP) state the top of a book and say nothing behind it. A removal among them cannot be told from a
//!    level that moved out of sight, so no book is kept from them.
//! 6. A book is of one instrument number of one publisher. Numbers go from symbol to symbol by the days that the metadata
//!    name; another number under the same name, as that of the next contract, begins with the truth of the book lost.
//!    Where several publishers deliver one symbol, each has a book of its own, `SYMBOL@PUBLISHER`.
//! 7. A file behind another goes on from it only where it begins when that one ends.
//! 8. MAYBE_BAD_BOOK: an unrecoverable gap in the channel. The book is unknown until the next snapshot or clear.
//! 9. Prices are mantissas at 1e-9, whatever the venue prints.

mod sight;
mod symbols;

use std::collections::HashMap;

use serde_json::Value;

use super::FrameError;
use super::room::{
    At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, TradeIds,
};
use crate::framing::dbn::{
    DbnError, Flags, Header, MAGIC, Mbo, MboChange, Metadata, PRICE_EXPONENT, Record, Status, TradePrint,
    Version,
};
use crate::sequence::Rule;
use crate::types::{
    Aggressor, Body, BySlot, Coverage, Event, Events, Instrument, OrderChange, Part, QtyUnit, Routes,
    ScaleSource, Scope, Slot, StaleReason, TimeNs, Trade, TradeId, TradingStatus, Venue,
};
use symbols::{Mapped, instruments, symbol_of, with_publisher};

/// Every dataset.
pub(super) const ORDERS: Product = Product {
    rule: Rule::Unnumbered,
    resync: Resync::Wait,
    is_by_order: true,
    order_ids: OrderIds::Arbitrary,
    trade_ids: TradeIds::Unordered,
    top_proof: false,
    checksum: Checksum::None,
    silence_ns: 0,
    life: Life::Connection,
    detects: Detection::Later,
    // A step of their own comes with a definition only.
    scale: Scale {
        price_exponent: PRICE_EXPONENT,
        qty_exponent: 0,
        source: ScaleSource::Format,
        tick_size: 0,
        qty_unit: QtyUnit::Contracts,
        inverse: false,
    },
};

/// Most instruments whose numbers are remembered, carried or not.
const INSTRUMENTS_MAX: usize = 1 << 20;

/// Where a book's records come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Origin {
    publisher: u16,
    number: u32,
}

/// What an instrument number stands for, from a time up to another.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Named {
    from: TimeNs,
    until: TimeNs,
    /// None where the symbol is not carried.
    slot: Option<Slot>,
}

impl Named {
    const fn always(slot: Option<Slot>) -> Self {
        Self { from: 0, until: TimeNs::MAX, slot }
    }
}

/// Whether a book is being told whole, record by record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Run {
    #[default]
    None,
    /// Rule 1.
    Snapshot,
    /// Rule 2, up to the end of the event.
    Cleared,
    /// The rest of a snapshot whose beginning counts no more.
    Doubted,
}

/// What the stream has told of a book so far.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Told {
    origin: Option<Origin>,
    run: Run,
}

/// One stream.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Databento {
    /// What was seen of a recording, to find out what it holds.
    #[serde(skip)]
    sighted: Vec<Origin>,
    /// Of the records that follow; none before the metadata.
    form: Option<(Version, bool)>,
    told: BySlot<Told>,
    /// By instrument number, all that the metadata say; nothing for numbers that are not carried.
    instruments: HashMap<u32, Vec<Named>>,
    /// What the metadata call a number, for symbols that several publishers deliver.
    symbols: HashMap<u32, Vec<Mapped>>,
    /// The instrument of the last record, which is mostly that of the next.
    last: Option<(Origin, Named)>,
    /// When the file ends, once its metadata are known; none within where it is open.
    #[serde(with = "known_end")]
    end: Option<Option<TimeNs>>,
}

/// What is known of an end, and may be that there is none, as a list of one or none.
mod known_end {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::types::TimeNs;

    pub(super) fn serialize<S: Serializer>(end: &Option<Option<TimeNs>>, to: S) -> Result<S::Ok, S::Error> {
        end.as_slice().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Option<TimeNs>>, D::Error> {
        Vec::<Option<TimeNs>>::deserialize(from).map(|known| known.into_iter().next())
    }
}

impl Databento {
    /// What the metadata of a file say.
    fn learn(&mut self, metadata: &Metadata, at: At, routes: &Routes, out: &mut Events) {
        if self.end.is_some_and(|end| end != Some(metadata.start)) {
            self.lose_all(StaleReason::Gap, at.ts_recv, out);
        }
        self.form = Some((metadata.version, metadata.ts_out));
        self.end = Some(metadata.end);
        self.last = None;
        self.instruments.clear();
        self.symbols.clear();
        for mapped in instruments(metadata) {
            let slot = routes.find(mapped.symbol.as_bytes()).map(|route| route.slot);
            let named = Named { from: mapped.from, until: mapped.until, slot };
            self.instruments.entry(mapped.number).or_default().push(named);
            self.symbols.entry(mapped.number).or_default().push(mapped);
        }
    }

    fn lose_all(&mut self, reason: StaleReason, now: TimeNs, out: &mut Events) {
        self.told.iter_mut().for_each(|(_, told)| told.run = Run::None);
        lose(Scope::All, reason, now, out);
    }

    #[inline]
    fn order(&mut self, mbo: Mbo<'_>, routes: &Routes, out: &mut Events) -> Result<(), DbnError> {
        let Some(slot) = self.slot(&mbo.header(), mbo.ts_recv(), routes, out) else { return Ok(()) };
        let flags = mbo.flags();
        let number = u64::from(mbo.sequence());
        let is_last = flags.has(Flags::LAST);
        let (ts_event, ts_recv) = (mbo.header().ts_event, mbo.ts_recv());
        // While a book is being told whole, its event ends with the whole book.
        let event = |body| Event { slot, is_last, ts_event, ts_recv, body };
        let run = &mut self.told.at(slot).run;
        let change = match mbo.change() {
            Ok(change) => change,
            Err(error) => {
                // The rest of a snapshot does not begin the book anew.
                let is_within = flags.has(Flags::SNAPSHOT) || matches!(*run, Run::Snapshot | Run::Doubted);
                *run = if is_within && !is_last { Run::Doubted } else { Run::None };
                lose(Scope::Book(slot), StaleReason::Unreadable, ts_recv, out);
                return Err(error);
            }
        };
        let is_clear = change == MboChange::Order(OrderChange::Clear);
        if flags.has(Flags::MAYBE_BAD_BOOK) && *run != Run::Doubted {
            lose(Scope::Book(slot), StaleReason::VenueDoubt, ts_recv, out);
            *run = Run::Doubted;
        }
        if *run == Run::Doubted && !flags.has(Flags::SNAPSHOT) {
            *run = Run::None;
        }
        // What doubts the book does not begin it.
        let begins = !flags.has(Flags::MAYBE_BAD_BOOK)
            && (is_clear || *run == Run::None && flags.has(Flags::SNAPSHOT));
        if begins {
            *run = if flags.has(Flags::SNAPSHOT) { Run::Snapshot } else { Run::Cleared };
        } else if *run == Run::Snapshot && !flags.has(Flags::SNAPSHOT) {
            // Rule 1: the snapshot ended with the record before.
            *run = Run::None;
            let none = out.orders_added();
            out.push_event(Event {
                is_last: false,
                ..event(Body::OrderBook(number, Part::Last, Coverage::Whole, none))
            });
        }
        let is_building = matches!(*run, Run::Snapshot | Run::Cleared);
        match change {
            MboChange::Order(change) => {
                out.orders().push(change);
                let orders = out.orders_added();
                let body = match (begins, is_building) {
                    (true, _) => Body::OrderBook(number, Part::First, Coverage::Whole, orders),
                    (false, true) => Body::OrderBook(number, Part::Middle, Coverage::Whole, orders),
                    (false, false) => Body::Orders(number, orders),
                };
                out.push_event(Event { is_last: is_last && !is_building, ..event(body) });
            }
            MboChange::Nothing => {
                if begins {
                    let none = out.orders_added();
                    out.push_event(Event {
                        is_last: false,
                        ..event(Body::OrderBook(number, Part::First, Coverage::Whole, none))
                    });
                }
                let body = match mbo.trade() {
                    Some(print) => trade_of(&print, ts_event, out),
                    None => Body::Orders(number, out.orders_added()),
                };
                out.push_event(Event { is_last: is_last && !is_building, ..event(body) });
            }
            MboChange::Top { .. } | MboChange::Aggregate => {
                // Levels without orders: no book of orders can be kept from here on.
                lose(Scope::Book(slot), StaleReason::Contradiction, ts_recv, out);
            }
        }
        if is_last {
            self.told.at(slot).run = Run::None;
        }
        if is_last && is_building {
            let none = out.orders_added();
            out.push_event(event(Body::OrderBook(number, Part::Last, Coverage::Whole, none)));
        }
        Ok(())
    }

    /// The book of an instrument, if it is carried.
    #[inline]
    fn slot(&mut self, header: &Header, ts: TimeNs, routes: &Routes, out: &mut Events) -> Option<Slot> {
        let origin = Origin { publisher: header.publisher_id, number: header.instrument_id };
        match self.last {
            Some((last, named)) if last == origin && (named.from..named.until).contains(&ts) => named.slot,
            _ => self.look_up(origin, ts, routes, out),
        }
    }

    fn look_up(&mut self, origin: Origin, ts: TimeNs, routes: &Routes, out: &mut Events) -> Option<Slot> {
        if let Some(route) = self.own_book(origin, ts, routes) {
            let named = Named::always(Some(route));
            self.last = Some((origin, named));
            self.note(route, origin, ts, out);
            return Some(route);
        }
        let named = match self.instruments.get(&origin.number) {
            Some(names) => named_at(names, ts)?,
            None => self.name(origin.number, routes)?,
        };
        let slot = named.slot?;
        self.last = Some((origin, named));
        self.note(slot, origin, ts, out);
        Some(slot)
    }

    /// Rule 6: the book that one publisher has of a symbol.
    fn own_book(&self, origin: Origin, ts: TimeNs, routes: &Routes) -> Option<Slot> {
        let plain = symbol_of("", origin.number);
        let symbol = match self.symbols.get(&origin.number) {
            Some(mapped) => {
                mapped.iter().find(|mapped| (mapped.from..mapped.until).contains(&ts))?.symbol.as_str()
            }
            None => plain.as_str(),
        };
        routes.find(with_publisher(symbol, origin.publisher).as_bytes()).map(|route| route.slot)
    }

    /// Notes whose records a book is made of. Those of another begin with its truth lost.
    fn note(&mut self, slot: Slot, origin: Origin, ts: TimeNs, out: &mut Events) {
        let told = self.told.at(slot);
        let Some(before) = told.origin.replace(origin).filter(|before| *before != origin) else { return };
        told.run = Run::Doubted;
        let reason = if before.number == origin.number {
            // Two publishers under one name: whose book it is cannot be said.
            StaleReason::Unattributed
        } else {
            StaleReason::Contradiction
        };
        lose(Scope::Book(slot), reason, ts, out);
    }

    /// Notes what a number that no mapping has named is called.
    #[cold]
    fn name(&mut self, number: u32, routes: &Routes) -> Option<Named> {
        let slot = routes.find(symbol_of("", number).as_bytes()).map(|route| route.slot);
        let named = slot.map(|slot| Named::always(Some(slot)));
        if self.instruments.len() < INSTRUMENTS_MAX {
            self.instruments.insert(number, named.into_iter().collect());
        }
        named
    }

    fn status(&mut self, status: Status<'_>, routes: &Routes, out: &mut Events) {
        let header = status.header();
        let Some(slot) = self.slot(&header, status.ts_recv(), routes, out) else { return };
        let body = Body::Trading(status_of(status.action()));
        out.push_event(Event {
            slot,
            is_last: true,
            ts_event: header.ts_event,
            ts_recv: status.ts_recv(),
            body,
        });
    }
}

impl Room for Databento {
    #[inline]
    fn frame(&mut self, bytes: &[u8], at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        if bytes.starts_with(&MAGIC) {
            return match Metadata::read(bytes)? {
                Some((metadata, _)) => {
                    self.learn(&metadata, at, routes, out);
                    Ok(())
                }
                None => Err(DbnError::Truncated { expected: Metadata::len(bytes), got: bytes.len() }.into()),
            };
        }
        let Some((version, ts_out)) = self.form else { return Err(DbnError::NoMetadata.into()) };
        match Record::parse(bytes, version, ts_out) {
            Ok(Record::Mbo(mbo)) => Ok(self.order(mbo, routes, out)?),
            Ok(Record::Status(status)) => {
                self.status(status, routes, out);
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(error) => {
                lose(Scope::All, StaleReason::Unreadable, at.ts_recv, out);
                Err(error.into())
            }
        }
    }

    fn skipped(&mut self, at: At, out: &mut Events) {
        self.lose_all(StaleReason::Skipped, at.ts_recv, out);
    }

    fn kept(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }

    fn restored(_product: Venue, kept: Value) -> Option<Self> {
        serde_json::from_value(kept).ok()
    }

    #[inline]
    fn time(frame: &[u8]) -> TimeNs {
        const MBO: u8 = 0xa0;
        let at = if frame.get(1) == Some(&MBO) { 40 } else { 8 };
        if frame.starts_with(&MAGIC) {
            return 0;
        }
        frame.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    fn sight(&mut self, frame: &[u8], out: &mut Sightings) {
        self.note_sight(frame, out);
    }
}

fn lose(scope: Scope, reason: StaleReason, now: TimeNs, out: &mut Events) {
    let body = Body::Lost { scope, reason, expected: 0, received: 0 };
    out.push_event(Event { slot: Slot(0), is_last: true, ts_event: 0, ts_recv: now, body });
}

/// DBN numbers no trades.
fn trade_of(print: &TradePrint, ts_event: TimeNs, out: &mut Events) -> Body {
    out.trades().push(Trade {
        id: TradeId::None,
        price: print.price,
        qty: print.qty,
        aggressor: print.aggressor.unwrap_or(Aggressor::Unknown),
        ts_event,
        resting: None,
    });
    Body::Trades(out.trades_added())
}

/// What a number stands for at a time. Where it has one meaning only, the days do not matter.
fn named_at(names: &[Named], ts: TimeNs) -> Option<Named> {
    let first = names.first()?;
    if names.iter().all(|named| named.slot == first.slot) {
        return Some(Named::always(first.slot));
    }
    names.iter().find(|named| named.slot.is_some() && (named.from..named.until).contains(&ts)).copied()
}

/// Databento, "Status", `action`.
const fn status_of(action: u16) -> TradingStatus {
    match action {
        1 | 5 => TradingStatus::Auction,
        7 => TradingStatus::Trading,
        8 | 9 => TradingStatus::Halted,
        12 => TradingStatus::Closed,
        _ => TradingStatus::Unknown,
    }
}

/// No instrument has a scale of its own.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// The instrument of a symbol.
pub(super) fn instrument(venue: Venue, symbol: &str) -> Instrument {
    super::product(venue).scale.instrument(venue, symbol)
}
