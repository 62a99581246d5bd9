//! NASDAQ equities, order by order: TotalView-ITCH 5.0 in MoldUDP64 packets or in files.
//!
//! Source: NASDAQ TotalView-ITCH 5.0, sections 4.1 (system events), 4.2 (directory, trading action), 4.3 to 4.5 (orders);
//! MoldUDP64 1.00.
//! 1. A book is whole from the directory message of its symbol on (or its first order, in files without a directory), if
//!    the feed was heard from its first message, `S` with event `O`. Heard later, nothing can be known of any book.
//! 2. Every message is an event of its own: A F E C X D U change one book, at once.
//! 3. A locate has one symbol all day and a symbol one locate; where a feed says otherwise, the books of both are lost.
//! 4. Only carried symbols have books; the messages of others are passed over.
//! 5. An execution names the resting order; who took is the other side of it. Hidden orders are all printed as buys, so of
//!    those the taker is not known.
//! 6. The packets of a session come over two lines, each with its retransmissions. A session that begins elsewhere is
//!    another feed's.
//! 7. Messages in files are numbered by counting. Their time is the time of day: it has no date.

use serde_json::Value;

use super::FrameError;
use super::room::{
    At, Checksum, Detection, Life, OrderIds, Product, Resync, Room, Scale, Sightings, Sureness, TradeIds,
};
use crate::framing::itch::{self, Message, decode, text};
use crate::framing::mold::{self, Packet, PacketKind};
use crate::sequence::{Arrival, LineArbiter, Rule};
use crate::types::{
    Aggressor, Body, Coverage, Event, Events, Instrument, OrderChange, Part, Price, Qty, QtyUnit, Routes,
    ScaleSource, Scope, Slot, StaleReason, TimeNs, Trade, TradeId, TradingStatus, Venue, is_symbol,
};

/// Every symbol.
pub(super) const EQUITIES: Product = Product {
    rule: Rule::Unnumbered,
    resync: Resync::Wait,
    is_by_order: true,
    order_ids: OrderIds::Ascending,
    trade_ids: TradeIds::Unordered,
    top_proof: false,
    checksum: Checksum::None,
    silence_ns: 0,
    life: Life::Connection,
    detects: Detection::Next,
    // Prices have four implied decimals; the regular step is a cent (Regulation NMS rule 612).
    scale: Scale {
        price_exponent: itch::PRICE_EXPONENT,
        qty_exponent: 0,
        source: ScaleSource::Format,
        tick_size: 100,
        qty_unit: QtyUnit::Shares,
        inverse: false,
    },
};

const HOUR_NS: u64 = 3_600_000_000_000;

/// What a stock locate stands for.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Locate {
    /// The symbol as the venue writes it; zeros before it is known.
    stock: [u8; 8],
    target: Target,
}

/// A target as data. A book that has no place any more is of a symbol that is not carried.
#[derive(serde::Serialize, serde::Deserialize)]
enum KeptTarget {
    New,
    Missed,
    Foreign,
    Book(Option<Slot>),
}

impl From<Target> for KeptTarget {
    fn from(target: Target) -> Self {
        match target {
            Target::New => Self::New,
            Target::Missed => Self::Missed,
            Target::Foreign => Self::Foreign,
            Target::Book(slot) => Self::Book(Some(slot)),
        }
    }
}

impl From<KeptTarget> for Target {
    fn from(target: KeptTarget) -> Self {
        match target {
            KeptTarget::New => Self::New,
            KeptTarget::Missed => Self::Missed,
            KeptTarget::Foreign | KeptTarget::Book(None) => Self::Foreign,
            KeptTarget::Book(Some(slot)) => Self::Book(slot),
        }
    }
}

const NEW: Locate = Locate { stock: [0; 8], target: Target::New };

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(from = "KeptTarget", into = "KeptTarget")]
enum Target {
    /// Not seen yet.
    New,
    /// Its symbol is not seen yet, and an order of it could not be read.
    Missed,
    /// A symbol that is not carried.
    Foreign,
    Book(Slot),
}

/// One feed.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Nasdaq {
    /// By stock locate; grows to the highest one seen, at most 65,536.
    locates: Vec<Locate>,
    /// Whether the feed was heard from its first message and without a loss since.
    is_unbroken: bool,
    /// The session whose packets are followed, and the one before it.
    session: Option<[u8; 10]>,
    session_before: Option<[u8; 10]>,
    lines: LineArbiter,
    /// Messages of a file so far.
    count: u64,
    /// A packet that waited for the other line.
    #[serde(skip)]
    waited: Vec<u8>,
}

/// Where a message stands.
#[derive(Clone, Copy)]
struct Place {
    number: u64,
    ts_event: TimeNs,
    ts_recv: TimeNs,
}

impl Nasdaq {
    /// One message.
    #[inline]
    fn message(
        &mut self,
        bytes: &[u8],
        at: Place,
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), FrameError> {
        let message = match decode(bytes) {
            Ok(message) => message,
            Err(error) => {
                self.lose_to(bytes, at, out);
                return Err(error.into());
            }
        };
        match &message {
            Message::SystemEvent(event) => {
                if event.event() == b'O' {
                    self.begin_day(at, out);
                }
                return Ok(());
            }
            Message::StockDirectory(directory) => {
                self.locate(directory.stock_locate(), directory.stock(), at, routes, out);
                return Ok(());
            }
            Message::AddOrder(add) => self.locate(add.stock_locate(), add.stock(), at, routes, out),
            Message::AddOrderAttributed(add) => self.locate(add.stock_locate(), add.stock(), at, routes, out),
            _ => {}
        }
        let target = self.locates.get(usize::from(message.stock_locate())).map(|locate| locate.target);
        let Some(Target::Book(slot)) = target else { return Ok(()) };
        let change = message.order_change();
        if let Some((_, trade)) = message.trade() {
            push_trade(slot, &trade, change.is_none(), at, out);
        }
        if let Some((_, change)) = change {
            out.orders().push(change);
            let orders = out.orders_added();
            push(slot, at, Body::Orders(at.number, orders), out);
        } else if let Message::TradingAction(action) = &message {
            push(slot, at, Body::Trading(status_of(action.trading_state())), out);
        }
        Ok(())
    }

    /// Opens the book of a locate that is seen for the first time.
    #[inline]
    fn locate(&mut self, locate: u16, stock: &[u8; 8], at: Place, routes: &Routes, out: &mut Events) {
        let index = usize::from(locate);
        if self.locates.get(index).is_none_or(|known| known.stock != *stock) {
            self.open(index, stock, at, routes, out);
        }
    }

    #[cold]
    fn open(&mut self, index: usize, stock: &[u8; 8], at: Place, routes: &Routes, out: &mut Events) {
        let before = std::mem::replace(self.slot(index), Locate { stock: *stock, target: Target::Foreign });
        if let Target::Book(before) = before.target {
            // Rule 3: whose orders these are is anybody's guess.
            lose(Scope::Book(before), StaleReason::Contradiction, (0, 0), at, out);
        }
        let Some(route) = routes.find(text(stock)) else { return };
        let target = Target::Book(route.slot);
        if before.target != Target::New || self.locates.iter().any(|known| known.target == target) {
            // So it is for a symbol with two locates, and for orders of it that could not be read.
            lose(Scope::Book(route.slot), StaleReason::Contradiction, (0, 0), at, out);
        } else if self.is_unbroken {
            let orders = out.orders_added();
            push(route.slot, at, Body::OrderBook(at.number, Part::Whole, Coverage::Whole, orders), out);
        }
        self.slot(index).target = target;
    }

    /// What is noted of a locate.
    fn slot(&mut self, index: usize) -> &mut Locate {
        if self.locates.len() <= index {
            self.locates.resize(index + 1, NEW);
        }
        &mut self.locates[index]
    }

    /// A day begins with its first message: locates are given anew and every book is empty until its directory message.
    fn begin_day(&mut self, at: Place, out: &mut Events) {
        self.is_unbroken = true;
        self.locates.clear();
        push(Slot(0), at, Body::Restart(Scope::All), out);
    }

    /// A message that cannot be read takes with it the truth of the books that it may have changed.
    #[cold]
    fn lose_to(&mut self, bytes: &[u8], at: Place, out: &mut Events) {
        let Some((message_type, rest)) = bytes.split_first() else { return };
        if !b"AFECXDU".contains(message_type) {
            return;
        }
        let Some(&locate) = rest.first_chunk() else {
            self.is_unbroken = false;
            return lose(Scope::All, StaleReason::Unreadable, (0, 0), at, out);
        };
        let known = self.slot(usize::from(u16::from_be_bytes(locate)));
        match known.target {
            Target::New => known.target = Target::Missed,
            Target::Missed | Target::Foreign => {}
            Target::Book(slot) => lose(Scope::Book(slot), StaleReason::Unreadable, (0, 0), at, out),
        }
    }

    /// Messages are missing: no book is known until the next day begins.
    fn lose_all(&mut self, reason: StaleReason, gap: (u64, u64), at: Place, out: &mut Events) {
        self.is_unbroken = false;
        lose(Scope::All, reason, gap, at, out);
    }

    /// One packet, of either line. What waited behind it follows.
    fn packet(&mut self, bytes: &[u8], at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        let packet = match mold::decode(bytes) {
            Ok(packet) => packet,
            Err(error) => {
                // What is lost with a packet of the session that is followed cannot be told: its number, if it has one, is
                // no more to be trusted than the rest.
                if self.session.is_some_and(|session| bytes.starts_with(&session)) {
                    let now = Place { number: 0, ts_event: 0, ts_recv: at.ts_recv };
                    self.lose_all(StaleReason::Unreadable, (0, 0), now, out);
                }
                return Err(error.into());
            }
        };
        let now = Place { number: packet.sequence, ts_event: 0, ts_recv: at.ts_recv };
        if self.session != Some(packet.session) {
            if self.session_before == Some(packet.session) {
                return Ok(());
            }
            let begins = packet.messages().next().is_some_and(|first| decode(first).is_ok());
            if !begins || !(self.lines.is_new() || self.lines.knows(at.line)) {
                return Ok(());
            }
            // The whole of a session is wanted: one that is met in its middle shows as a gap.
            self.lines.begin(1);
            self.is_unbroken = false;
            self.session_before = self.session.replace(packet.session);
            if self.session_before.is_some() {
                self.lose_all(StaleReason::Gap, (0, 0), now, out);
            }
        }
        let count = u32::from(packet.count);
        let arrival = self.lines.offer(at.line, packet.sequence, count, at.ts_recv, bytes);
        let mut refused = Ok(());
        if let Arrival::Next { skip } = arrival {
            refused = self.messages(&packet, skip, at, routes, out);
            self.lines.advance(packet.sequence, count);
        }
        self.settle(at, routes, out).and(refused)
    }

    /// What waits and can go on now.
    fn settle(&mut self, at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        let mut refused = Ok(());
        while self.lines.is_waiting() {
            if let Some(gap) = self.lines.gap() {
                let now = Place { number: gap.received, ts_event: 0, ts_recv: at.ts_recv };
                self.lose_all(StaleReason::Gap, (gap.expected, gap.received), now, out);
            }
            let mut waited = std::mem::take(&mut self.waited);
            let ready = self.lines.ready(&mut waited);
            if let Some((sequence, count, skip)) = ready {
                // It was a packet when it came.
                if let Ok(packet) = mold::decode(&waited) {
                    refused = refused.and(self.messages(&packet, skip, at, routes, out));
                }
                self.lines.advance(sequence, count);
            }
            self.waited = waited;
            if ready.is_none() {
                break;
            }
        }
        refused
    }

    /// The messages of a packet behind the first `skip`. One that cannot be read does not stop the others.
    fn messages(
        &mut self,
        packet: &Packet<'_>,
        skip: u32,
        at: At,
        routes: &Routes,
        out: &mut Events,
    ) -> Result<(), FrameError> {
        debug_assert!(packet.kind == PacketKind::Data || packet.count == 0);
        let mut refused = Ok(());
        // Messages first: there is no number behind the last one of 64 bits.
        for (message, number) in packet.messages().zip(packet.sequence..).skip(skip as usize) {
            let ts_event = on_the_day(time_of_day_ns(message), at.ts_recv);
            let place = Place { number, ts_event, ts_recv: at.ts_recv };
            refused = refused.and(self.message(message, place, routes, out));
        }
        refused
    }
}

impl Room for Nasdaq {
    #[inline]
    fn frame(&mut self, bytes: &[u8], at: At, routes: &Routes, out: &mut Events) -> Result<(), FrameError> {
        if at.is_datagram {
            return self.packet(bytes, at, routes, out);
        }
        self.count += 1;
        let place = Place { number: self.count, ts_event: at.ts_recv, ts_recv: at.ts_recv };
        self.message(bytes, place, routes, out)
    }

    #[inline]
    fn hint(&self, bytes: &[u8]) -> Option<(Slot, OrderChange)> {
        let (locate, change) = decode(bytes).ok()?.order_change()?;
        match self.locates.get(usize::from(locate))?.target {
            Target::Book(slot) => Some((slot, change)),
            _ => None,
        }
    }

    /// A file of messages goes on from no other; packets say themselves what they follow.
    fn began(&mut self, at: At, out: &mut Events) {
        if !at.is_datagram && self.count > 0 {
            self.count = 0;
            self.lose_all(
                StaleReason::Gap,
                (0, 0),
                Place { number: 0, ts_event: 0, ts_recv: at.ts_recv },
                out,
            );
        }
    }

    fn skipped(&mut self, at: At, out: &mut Events) {
        let now = Place { number: 0, ts_event: 0, ts_recv: at.ts_recv };
        self.lose_all(StaleReason::Skipped, (0, 0), now, out);
    }

    fn tick(&mut self, at: At, routes: &Routes, out: &mut Events) {
        if self.lines.is_waiting() {
            self.lines.tick(at.ts_recv);
            // A message that cannot be read was told of by its loss.
            let _ = self.settle(at, routes, out);
        }
    }

    fn kept(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }

    fn restored(_product: Venue, kept: Value) -> Option<Self> {
        serde_json::from_value(kept).ok()
    }

    fn time(frame: &[u8]) -> TimeNs {
        time_of_day_ns(frame)
    }

    fn sight(&mut self, frame: &[u8], out: &mut Sightings) {
        match mold::decode(frame) {
            Ok(packet) => packet.messages().for_each(|message| sight_message(message, out)),
            Err(_) => sight_message(frame, out),
        }
    }
}

/// A message names its symbol in the directory and in every new order.
fn sight_message(message: &[u8], out: &mut Sightings) {
    let Ok(message) = decode(message) else { return };
    out.readable();
    let stock = match message {
        Message::StockDirectory(directory) => directory.stock(),
        Message::AddOrder(add) => add.stock(),
        Message::AddOrderAttributed(add) => add.stock(),
        _ => return,
    };
    if let Ok(symbol) = std::str::from_utf8(text(stock))
        && is_symbol(symbol)
    {
        out.add(super::NASDAQ, symbol, Sureness::Sure);
    }
}

#[inline]
fn push(slot: Slot, at: Place, body: Body, out: &mut Events) {
    out.push_event(Event { slot, is_last: true, ts_event: at.ts_event, ts_recv: at.ts_recv, body });
}

fn lose(scope: Scope, reason: StaleReason, (expected, received): (u64, u64), at: Place, out: &mut Events) {
    push(Slot(0), at, Body::Lost { scope, reason, expected, received }, out);
}

#[inline]
fn push_trade(slot: Slot, trade: &itch::Trade, is_last: bool, at: Place, out: &mut Events) {
    let Ok(qty) = i64::try_from(trade.shares) else { return };
    out.trades().push(Trade {
        id: TradeId::Number(trade.match_number),
        price: trade.price.unwrap_or(Price(0)),
        qty: Qty(qty),
        aggressor: Aggressor::Unknown,
        ts_event: at.ts_event,
        resting: trade.order,
    });
    let body = Body::Trades(out.trades_added());
    out.push_event(Event { slot, is_last, ts_event: at.ts_event, ts_recv: at.ts_recv, body });
}

/// Section 4.2.2: `T` trading, `Q` quotation only, `P` paused, `H` halted.
const fn status_of(state: u8) -> TradingStatus {
    match state {
        b'T' => TradingStatus::Trading,
        b'Q' => TradingStatus::Limited,
        b'H' | b'P' => TradingStatus::Halted,
        _ => TradingStatus::Unknown,
    }
}

/// A message's time of day; 0 where it is too short to have one.
#[inline]
fn time_of_day_ns(message: &[u8]) -> TimeNs {
    let time = message.get(5..11).and_then(|bytes| <[u8; 6]>::try_from(bytes).ok());
    time.map_or(0, |[a, b, c, d, e, f]| u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}

/// A time of day, told in the venue's time zone, as a time since the epoch: of the whole hours that midnight may have
/// been at, the one that brings it nearest to the packet's time.
const fn on_the_day(time_of_day_ns: u64, received_at: TimeNs) -> TimeNs {
    let midnight = received_at.saturating_sub(time_of_day_ns).saturating_add(HOUR_NS / 2) / HOUR_NS * HOUR_NS;
    midnight.saturating_add(time_of_day_ns)
}

/// No instrument has a scale of its own.
pub(super) fn listed() -> impl Iterator<Item = Instrument> {
    core::iter::empty()
}

/// The instrument of a symbol.
pub(super) fn instrument(venue: Venue, symbol: &str) -> Instrument {
    super::product(venue).scale.instrument(venue, symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_gets_the_day_of_its_packet() {
        // 2024-01-02 14:30:00.000150 UTC is 09:30 in New York.
        let received_at = 1_704_205_800_000_150_000;
        let time_of_day_ns = 34_200_000_100_000;
        assert_eq!(on_the_day(time_of_day_ns, received_at), received_at - 50_000);
        // A capture clock behind the venue's.
        assert_eq!(on_the_day(time_of_day_ns + 900_000_000, received_at), received_at + 899_950_000);
    }
}
