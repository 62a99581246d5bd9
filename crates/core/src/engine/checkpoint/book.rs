//! A book as bytes: a head of JSON behind its length, the levels of each side, best first, and the orders in their queues.
//!
//! Numbers are varints; prices are told by their distance from the one before.

use serde::{Deserialize, Serialize};

use crate::book::l3::BookIndex;
use crate::engine::instrument::{Context, InstrumentState};
use crate::engine::lines::Told;
use crate::engine::orders::OrderBooks;
use crate::engine::recovery::StandsAt;
use crate::engine::streams::Stamp;
use crate::journal::{put_varint, take_varint, unzigzag, zigzag};
use crate::sequence::Waits;
use crate::types::{
    Clock, Coverage, Events, KnownTo, Level, LevelSpan, OrderChange, OrderId, Price, Qty, Side, Sides, Span,
    Ticker, TimeNs, ToldOrders, TradingStatus, VenueOrderId,
};

/// What a book stands for beside its levels and orders.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    form: u32,
    pub(super) name: String,
    /// Of prices and quantities.
    pub(super) exponents: (i8, i8),
    /// Where the book of levels stands; none where readers see the sums of orders.
    levels: Option<StandsAt>,
    pub(super) orders: Option<KeptOrders>,
    /// Whether the levels that readers see are sums of orders.
    leads_by_orders: bool,
    tells_levels: bool,
    /// Whether one connection's levels and orders alone count: that of the record.
    pub(super) owned: [bool; 2],
    /// The last change: number, venue's time, time of receipt.
    at: (u64, TimeNs, TimeNs),
    known_to: (i64, i64),
    depth: Option<u32>,
    is_depth_exact: bool,
    last_trade: Option<(u64, TimeNs)>,
    ticker: Option<(Ticker, (u64, TimeNs, TimeNs))>,
    trading: (TradingStatus, TimeNs),
    /// Levels of each side.
    counts: (u64, u64),
}

/// The same of the book of orders.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeptOrders {
    stands_at: StandsAt,
    coverage: Coverage,
    are_cut: [bool; 2],
    /// Whether the venue names them by text.
    are_named: bool,
    count: u64,
}

/// Where levels and orders of a kept book stand in an arena.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contents {
    pub(super) levels: LevelSpan,
    pub(super) orders: Span,
}

impl Head {
    pub(super) const fn stamp(&self) -> Stamp {
        Stamp { venue_seq: self.at.0, ts_event: self.at.1, ts_recv: self.at.2 }
    }

    const fn known_to(&self) -> KnownTo {
        KnownTo { bid: Price(self.known_to.0), ask: Price(self.known_to.1) }
    }
}

impl InstrumentState {
    /// Writes what is kept of it. False where nothing is: rule 1.
    pub(super) fn keep(&self, name: String, orders: Option<&OrderBooks>, out: &mut Vec<u8>) -> bool {
        let is_settled = self.pending.is_empty() && self.waiting_orders.is_empty() && self.heir.is_none();
        let is_one_owner = matches!(self.owners, [None, _] | [_, None]) || self.owners[0] == self.owners[1];
        if self.is_held || !self.lead().is_synced() || !is_settled || !is_one_owner {
            return false;
        }
        let kept_orders = orders.and_then(|orders| orders.kept(self));
        if self.leads_by_orders && kept_orders.is_none() {
            return false;
        }
        let (known_to, at) = (self.book.known_to(), self.book_cursor.at);
        let ticker_at = self.market.ticker_cursor.at;
        let count = |side| if self.leads_by_orders { 0 } else { self.book.len(side) as u64 };
        let head = Head {
            form: super::FORM,
            name,
            exponents: (self.price_exponent, self.qty_exponent),
            levels: if self.leads_by_orders { None } else { self.recovery.stands_at() },
            leads_by_orders: self.leads_by_orders,
            tells_levels: self.tells_levels,
            owned: [Told::Levels, Told::Orders].map(|told| self.owners[told as usize].is_some()),
            at: (at.venue_seq, at.ts_event, at.ts_recv),
            known_to: (known_to.bid.0, known_to.ask.0),
            depth: self.depth,
            is_depth_exact: self.is_depth_exact,
            last_trade: self.last_trade,
            ticker: self
                .market
                .ticker
                .map(|ticker| (ticker, (ticker_at.venue_seq, ticker_at.ts_event, ticker_at.ts_recv))),
            trading: (self.market.trading.status, self.market.trading.ts_event),
            counts: (count(Side::Bid), count(Side::Ask)),
            orders: kept_orders.as_ref().map(|(kept, _)| kept.clone()),
        };
        let Ok(text) = serde_json::to_vec(&head) else { return false };
        out.clear();
        put_varint(out, text.len() as u64);
        out.extend_from_slice(&text);
        if !self.leads_by_orders {
            for side in [Side::Bid, Side::Ask] {
                let mut before = 0;
                for level in self.book.levels(side) {
                    put_signed(out, level.price.0.wrapping_sub(before));
                    put_varint(out, level.qty.0 as u64);
                    before = level.price.0;
                }
            }
        }
        if let (Some((_, book)), Some(orders)) = (kept_orders, orders) {
            orders.write_kept(self, book, out);
        }
        true
    }

    /// Whether the book stands where the kept one does; of another place that one says nothing.
    pub(super) fn is_at_kept(&self, head: &Head, source: usize) -> bool {
        let is_of = |owner: &u32| *owner == source as u32;
        self.book_cursor.at.venue_seq == head.at.0
            && self.book_cursor.at.ts_recv == head.at.2
            && self.leads_by_orders == head.leads_by_orders
            && self.owners.iter().flatten().all(is_of)
    }

    /// Whether the levels are the kept ones, as far as both are known. Sums of orders are not kept: the orders are.
    pub(super) fn is_as_kept<C>(&self, head: &Head, levels: Sides<'_>, cx: &mut Context<'_, C>) -> bool {
        self.leads_by_orders || !self.differs_from(levels, head.known_to(), cx.scratch)
    }

    /// What was told besides, where nothing of it is known.
    pub(super) fn take_beside_book<C: Clock>(&mut self, head: &Head, now: TimeNs, cx: &mut Context<'_, C>) {
        self.last_trade = self.last_trade.or(head.last_trade);
        self.tells_levels |= head.tells_levels;
        self.uses_orders |= head.orders.is_some();
        if let (None, Some((ticker, (venue_seq, ts_event, ts_recv)))) = (self.market.ticker, &head.ticker) {
            self.on_ticker(
                ticker,
                Stamp { venue_seq: *venue_seq, ts_event: *ts_event, ts_recv: *ts_recv },
                cx,
            );
        }
        let (status, ts_event) = head.trading;
        if self.market.trading.status == TradingStatus::Unknown && status != TradingStatus::Unknown {
            self.on_trading(status, Stamp { venue_seq: 0, ts_event, ts_recv: now }, cx);
        }
    }

    /// The levels are the book.
    pub(super) fn take_kept_levels<C: Clock>(
        &mut self,
        head: &Head,
        levels: Sides<'_>,
        cx: &mut Context<'_, C>,
    ) {
        let Some(stands_at) = head.levels else { return };
        let stamp = head.stamp();
        (self.spare, self.leads_by_orders) = (None, false);
        self.pending.clear();
        if self.book.load(levels, head.known_to()).is_err() {
            return self.lose(crate::types::StaleReason::LevelsLimit, (0, 0), stamp.ts_recv, cx);
        }
        (self.depth, self.is_depth_exact) = (head.depth, head.is_depth_exact);
        if let Some(proof) = &mut self.proof {
            proof.begun();
        }
        self.book_cursor.at = stamp;
        self.applied_at = stamp.ts_recv;
        self.recovery.restored(stands_at);
        self.become_synced(stamp.ts_recv, cx);
    }
}

impl OrderBooks {
    /// What is kept of the orders of an instrument, and their book; none where they are not exact.
    fn kept(&self, instrument: &InstrumentState) -> Option<(KeptOrders, BookIndex)> {
        let stands_at = instrument.orders.stands_at()?;
        let book = self.book_at(instrument.slot)?;
        let kept = KeptOrders {
            stands_at,
            coverage: instrument.orders_coverage,
            are_cut: instrument.are_orders_cut,
            are_named: self.are_named(),
            count: self.orders_of(book).count() as u64,
        };
        Some((kept, book))
    }

    /// Whether the orders are the kept ones, in the same queues; where one of the two has none, nothing is said.
    pub(super) fn are_as_kept(
        &self,
        instrument: &InstrumentState,
        kept: Option<&KeptOrders>,
        told: ToldOrders<'_>,
    ) -> bool {
        let (Some(_), Some((_, book))) = (kept, self.kept(instrument)) else { return true };
        let own = self.orders_of(book).map(|(id, order)| (self.name_of_kept(instrument, id), order));
        let told = told.list.iter().map(|change| match *change {
            OrderChange::Add { id, side, price, qty } if self.are_named() => {
                Some((VenueOrderId::Text(told.texts.text(id)), side, price, qty))
            }
            OrderChange::Add { id, side, price, qty } => Some((VenueOrderId::Number(id), side, price, qty)),
            _ => None,
        });
        own.map(|(id, order)| Some((id, order.side, order.price, order.qty))).eq(told)
    }

    /// What the venue calls an order.
    fn name_of_kept(&self, instrument: &InstrumentState, id: OrderId) -> VenueOrderId<'_> {
        if self.are_named() {
            VenueOrderId::Text(self.text_of_order(id))
        } else {
            VenueOrderId::Number(self.venue_number(instrument.slot, id))
        }
    }

    /// Each order: side and price by the distance from the one before, quantity, and its number or text.
    fn write_kept(&self, instrument: &InstrumentState, book: BookIndex, out: &mut Vec<u8>) {
        let mut before = 0;
        for (id, order) in self.orders_of(book) {
            out.push(order.side as u8);
            put_signed(out, order.price.0.wrapping_sub(before));
            put_varint(out, order.qty.0 as u64);
            before = order.price.0;
            match self.name_of_kept(instrument, id) {
                VenueOrderId::Text(text) => {
                    put_varint(out, text.len() as u64);
                    out.extend_from_slice(text);
                }
                VenueOrderId::Number(number) => put_varint(out, number.0),
            }
        }
    }

    /// The orders are the book.
    pub(super) fn take_kept<C: Clock>(
        &mut self,
        instrument: &mut InstrumentState,
        kept: &KeptOrders,
        told: ToldOrders<'_>,
        stamp: Stamp,
        cx: &mut Context<'_, C>,
    ) {
        (instrument.orders_coverage, instrument.are_orders_cut) = (kept.coverage, kept.are_cut);
        instrument.waiting_orders.clear();
        if let Some(proof) = &mut instrument.proof {
            proof.begun();
        }
        self.take_restored(instrument, told, kept.stands_at, stamp, cx);
    }
}

/// The head of a kept book, and what follows it; none within where it is of another form.
pub(super) fn head_of(mut bytes: &[u8]) -> Option<(Option<Head>, &[u8])> {
    let len = usize::try_from(take_varint(&mut bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(len)?;
    let head: serde_json::Value = serde_json::from_slice(text).ok()?;
    if head.get("form")?.as_u64() != Some(u64::from(super::FORM)) {
        return Some((None, rest));
    }
    serde_json::from_value(head).ok().map(|head| (Some(head), rest))
}

/// Reads levels and orders into an arena. None where they are not what the head says, or no book.
pub(super) fn contents_of(head: &Head, mut bytes: &[u8], events: &mut Events) -> Option<Contents> {
    events.clear();
    for (side, count) in [(Side::Bid, head.counts.0), (Side::Ask, head.counts.1)] {
        let mut before: Option<i64> = None;
        for _ in 0..count {
            let price = before.unwrap_or(0).checked_add(unzigzag(take_varint(&mut bytes)?))?;
            let is_worse = |before: i64| if side == Side::Bid { price < before } else { price > before };
            if !before.is_none_or(is_worse) {
                return None;
            }
            let level = Level { price: Price(price), qty: quantity(&mut bytes)? };
            if side == Side::Bid {
                events.bids().push(level)
            } else {
                events.asks().push(level)
            }
            before = Some(price);
        }
    }
    if let Some(kept) = &head.orders {
        let mut before = 0_i64;
        for _ in 0..kept.count {
            let (&side, rest) = bytes.split_first()?;
            bytes = rest;
            let side = match side {
                0 => Side::Bid,
                1 => Side::Ask,
                _ => return None,
            };
            let price = before.checked_add(unzigzag(take_varint(&mut bytes)?))?;
            let qty = quantity(&mut bytes)?;
            let number = take_varint(&mut bytes)?;
            let id = if kept.are_named {
                let (text, rest) = bytes.split_at_checked(usize::try_from(number).ok()?)?;
                bytes = rest;
                events.name(text)
            } else {
                OrderId(number)
            };
            events.orders().push(OrderChange::Add { id, side, price: Price(price), qty });
            before = price;
        }
    }
    bytes.is_empty().then(|| Contents { levels: events.levels_added(), orders: events.orders_added() })
}

/// A quantity above 0.
fn quantity(bytes: &mut &[u8]) -> Option<Qty> {
    i64::try_from(take_varint(bytes)?).ok().filter(|qty| *qty > 0).map(Qty)
}

fn put_signed(out: &mut Vec<u8>, difference: i64) {
    put_varint(out, zigzag(difference));
}
